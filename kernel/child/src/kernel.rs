//! The kernel, as this process sees it: who is told events, and who answers.

use assay_link::frame::{self, FrameError};
use assay_link::native::{Command, Event};
use rustix::io::{FdFlags, fcntl_setfd};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// There is one kernel. Functions that cells call know it from here.
static KERNEL: OnceLock<Kernel> = OnceLock::new();

/// The kernel's ear, for all threads.
pub(crate) struct Kernel {
    socket: Mutex<UnixStream>,
    lines: Answers<Option<String>>,
    leave: Answers<()>,
}

/// The descriptors under which the channel is open: that of the ear, and that of the voice.
static DESCRIPTORS: OnceLock<[RawFd; 2]> = OnceLock::new();

/// The kernel's voice.
pub(crate) struct Commands(UnixStream);

/// Answers to questions of one kind, in their order.
struct Answers<T> {
    given: Mutex<Sender<T>>,
    /// Whoever asks keeps it until the answer is there.
    taken: Mutex<Receiver<T>>,
}

/// Meets the kernel.
pub(crate) fn open(socket: UnixStream) -> io::Result<(&'static Kernel, Commands)> {
    let commands = Commands(socket.try_clone()?);
    DESCRIPTORS.get_or_init(|| [socket.as_raw_fd(), commands.0.as_raw_fd()]);
    let kernel =
        || Kernel { socket: Mutex::new(socket), lines: Answers::default(), leave: Answers::default() };
    Ok((KERNEL.get_or_init(kernel), commands))
}

/// The kernel, once it has been met.
pub(crate) fn get() -> Option<&'static Kernel> {
    KERNEL.get()
}

impl Kernel {
    /// From now on the kernel is at the other end of this: in a copy of this process, whose channel is that of the process that it was copied
    /// from. Gives the kernel's voice; that of before is nobody's any more.
    #[expect(unsafe_code, reason = "descriptors are replaced under their numbers")]
    pub(crate) fn move_to(&self, socket: &UnixStream) -> io::Result<Commands> {
        let [ear, voice] = *DESCRIPTORS.get().ok_or(io::ErrorKind::NotConnected)?;
        for number in [ear, voice] {
            // SAFETY: both are open, and stay so; what they stand for is ours alone. The thread that read the one is not in this process.
            if unsafe { libc::dup2(socket.as_raw_fd(), number) } < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: it has just been made, and is not closed while it is borrowed.
            fcntl_setfd(unsafe { BorrowedFd::borrow_raw(number) }, FdFlags::CLOEXEC)?;
        }
        // SAFETY: it is open, and who owned it before was the thread that is gone.
        Ok(Commands(unsafe { UnixStream::from_raw_fd(voice) }))
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
        let (given, taken) = channel();
        Self { given: Mutex::new(given), taken: Mutex::new(taken) }
    }
}

impl<T> Answers<T> {
    /// The answer to what `question` asks; none if it could not be asked.
    fn after(&self, question: impl FnOnce() -> bool) -> Option<T> {
        let taken = lock(&self.taken);
        // Both ends are kept, so there is an answer.
        if question() { taken.recv().ok() } else { None }
    }

    fn give(&self, answer: T) {
        let _ = lock(&self.given).send(answer);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
