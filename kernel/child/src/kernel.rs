//! The kernel, as this process sees it: who is told events, and who answers.

use assay_link::frame::{self, FrameError};
use assay_link::native::{Command, Event};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// There is one kernel. Functions that cells call know it from here.
static KERNEL: OnceLock<Kernel> = OnceLock::new();

/// The kernel's ear, for all threads.
pub(crate) struct Kernel {
    socket: Mutex<UnixStream>,
    lines: Answers<Option<String>>,
    leave: Answers<()>,
    copied: Answers<()>,
}

/// The descriptors under which the channel is open: that of the ear, and that of the voice.
static DESCRIPTORS: OnceLock<[RawFd; 2]> = OnceLock::new();

/// The kernel's voice.
pub(crate) struct Commands(UnixStream);

/// Answers to questions of one kind, in their order.
struct Answers<T> {
    /// Whoever asks keeps it until the answer is there.
    turn: Mutex<()>,
    state: Mutex<Asked<T>>,
    changed: Condvar,
}

struct Asked<T> {
    /// Questions without an answer yet.
    open: usize,
    given: VecDeque<T>,
}

/// Meets the kernel.
pub(crate) fn open(socket: UnixStream) -> io::Result<(&'static Kernel, Commands)> {
    let commands = Commands(crate::set_apart(&socket)?);
    DESCRIPTORS.get_or_init(|| [socket.as_raw_fd(), commands.0.as_raw_fd()]);
    let kernel = || Kernel {
        socket: Mutex::new(socket),
        lines: Answers::default(),
        leave: Answers::default(),
        copied: Answers::default(),
    };
    Ok((KERNEL.get_or_init(kernel), commands))
}

/// The kernel, once it has been met.
pub(crate) fn get() -> Option<&'static Kernel> {
    KERNEL.get()
}

impl Kernel {
    /// Nobody tells the kernel anything while this is kept.
    #[cfg(checkpoints)]
    pub(crate) fn hush(&self) -> MutexGuard<'_, UnixStream> {
        lock(&self.socket)
    }

    /// Does what has this process copied, and returns when it has been: whoever listens is between two messages meanwhile.
    pub(crate) fn while_copied(&self, order: impl FnOnce() -> bool) {
        self.copied.after(order);
    }

    /// The process has been copied, or will not be.
    pub(crate) fn copied(&self) {
        self.copied.give(());
    }

    /// Lets those go on who wait for an answer that the process got which this is a copy of.
    #[cfg(checkpoints)]
    pub(crate) fn answer_all(&self) {
        self.leave.give_all(|| ());
        self.lines.give_all(|| None);
    }

    /// From now on the kernel is at the other end of this: in a copy of this process, whose channel is that of the process that it was copied
    /// from. Allocates nothing.
    #[cfg(checkpoints)]
    #[expect(unsafe_code, reason = "descriptors are replaced under their numbers")]
    pub(crate) fn move_to(&self, socket: &UnixStream) -> io::Result<()> {
        for number in *DESCRIPTORS.get().ok_or(io::ErrorKind::NotConnected)? {
            // SAFETY: both are open, and stay so; what they stand for is ours alone, and their owners take the one as well as the other.
            if unsafe { libc::dup3(socket.as_raw_fd(), number, libc::O_CLOEXEC) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }

    /// Tells the kernel. If it is gone, so is what could be done about it: whoever listens to it finds out and ends the process.
    pub(crate) fn tell(&self, event: &Event) {
        let _ = frame::write(&mut *lock(&self.socket), event);
    }

    /// Tells the kernel, unless that is more than one message may hold: then this is false.
    pub(crate) fn tell_if_short(&self, event: &Event) -> bool {
        let sent = frame::write(&mut *lock(&self.socket), event);
        !matches!(sent, Err(FrameError::TooLong { .. }))
    }

    /// Asks the user for a line; none if that is not possible.
    pub(crate) fn ask(&self, prompt: String, password: bool) -> Option<String> {
        self.lines.after(|| self.tell_if_short(&Event::Ask { prompt, password })).flatten()
    }

    /// Tells what has its place in the output, and waits until the kernel has all that was printed before. False if it is too long to be told.
    pub(crate) fn tell_in_order(&self, event: &Event) -> bool {
        self.leave.after(|| self.tell_if_short(event)).is_some()
    }

    /// The user's line is here.
    pub(crate) fn answer(&self, line: Option<String>) {
        self.lines.give(line);
    }

    /// All that was printed before has been read.
    pub(crate) fn proceed(&self) {
        self.leave.give(());
    }
}

impl Commands {
    /// The next command; none when the kernel has gone.
    pub(crate) fn next(&mut self) -> Result<Option<Command>, FrameError> {
        frame::read(&mut self.0)
    }
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        let state = Mutex::new(Asked { open: 0, given: VecDeque::new() });
        Self { turn: Mutex::default(), state, changed: Condvar::new() }
    }
}

impl<T> Answers<T> {
    /// The answer to what `question` asks; none if it could not be asked.
    fn after(&self, question: impl FnOnce() -> bool) -> Option<T> {
        let _turn = lock(&self.turn);
        lock(&self.state).open += 1;
        if !question() {
            lock(&self.state).open -= 1;
            return None;
        }
        let mut state = lock(&self.state);
        loop {
            if let Some(answer) = state.given.pop_front() {
                return Some(answer);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Nobody has asked for what comes too often.
    fn give(&self, answer: T) {
        let mut state = lock(&self.state);
        if state.open > 0 {
            state.open -= 1;
            state.given.push_back(answer);
            self.changed.notify_all();
        }
    }

    /// Gives this to all who wait.
    #[cfg(checkpoints)]
    fn give_all(&self, answer: impl Fn() -> T) {
        while lock(&self.state).open > 0 {
            self.give(answer());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
