//! The other threads of this process, held while it is copied, and brought back in the copy: a thread pool, a runtime's workers, the user's own.
//!
//! Each gets a signal, and waits in its handler. The kernel has put all its registers on its stack by then, so the copy of that memory is all of the thread that there
//! is to keep: in the copy a new thread takes its place, with its thread pointer and its id where the C library looks for it, and returns from that signal.
//!
//! While they are held, and in the copy until they are back, nothing may allocate: one of them may be in the allocator.

use super::raw::{self, Start};
use libc::{c_int, c_void, siginfo_t};
use rustix::fs::{Mode, OFlags, RawDir, open};
use std::cell::UnsafeCell;
use std::io::{self, Write};
use std::mem::{MaybeUninit, zeroed};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The most threads that can be held.
pub(super) const MOST: usize = 512;

/// How long a thread may take to come that waits for something. Few system calls that cannot be interrupted take so long.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long one may take that waits and lets no signal through, as each does for a moment when it begins or ends.
const DEAF: Duration = Duration::from_millis(20);

/// How long one may take that could run: the machine has much to do.
const STARVED: Duration = Duration::from_secs(5);

/// How often it is looked whether all have come, if nobody says so.
const LOOK: Duration = Duration::from_millis(1);

/// The number of the latest hold. Whoever is held for an earlier one is late.
static WANTED: AtomicU32 = AtomicU32::new(0);

/// The number of the latest hold that is over.
static FREED: AtomicU32 = AtomicU32::new(0);

/// Slots that are taken.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// Changes when a thread has come, or is back.
static CAME: AtomicU32 = AtomicU32::new(0);

/// Threads that are back, in a copy.
static BACK: AtomicU32 = AtomicU32::new(0);

static SLOTS: [Slot; MOST] = [const { Slot::new() }; MOST];

/// What is kept of a thread.
struct Slot {
    /// The hold that the rest is of.
    of: AtomicU32,
    thread: UnsafeCell<Held>,
}

// SAFETY: a slot is written by the one thread that has taken it, before it sets `of`, and read afterwards.
#[expect(unsafe_code, reason = "threads are kept in a static, which their signal's handler writes")]
unsafe impl Sync for Slot {}

/// A thread that waits in its handler.
#[derive(Clone, Copy)]
struct Held {
    /// Its id.
    id: u32,
    /// The context that the kernel has saved.
    frame: usize,
    /// Below this its stack is free: what stands there is the handler's.
    stack: usize,
    /// Its thread pointer.
    pointer: usize,
    /// Its list of robust locks.
    robust: usize,
    name: [u8; NAME],
    /// The processors that it may run on.
    processors: [u64; 16],
}

/// The length of a thread's name with its end: <https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html>.
const NAME: usize = 16;

/// The size of the head of the list of robust locks, which is checked by the kernel: <https://man7.org/linux/man-pages/man2/get_robust_list.2.html>.
const ROBUST: usize = 24;

/// From the head of that list back to the thread's id, in glibc's `struct pthread`: the id, a word that is unused, and the list's last entry. It is checked for
/// each thread that the id is there: <https://sourceware.org/git/?p=glibc.git;a=blob;f=nptl/descr.h>.
const ID_BEFORE: usize = 16;

/// All threads but the calling one are held, or known not to come.
pub(super) struct Hold {
    number: u32,
    own: Held,
    /// The signals that the calling thread had blocked.
    mask: libc::sigset_t,
    /// Those that were called.
    called: Ids,
    /// Those of them that did not come.
    lost: Ids,
}

/// Ids of threads, without allocating.
struct Ids {
    ids: [u32; MOST],
    count: usize,
}

/// Which process this is after a fork.
pub(super) enum Fork {
    /// The one that was copied, with the id of the copy.
    Original(u32),
    Copy,
}

/// Holds all threads but the calling one.
pub(super) fn hold() -> io::Result<Hold> {
    let signal = signal()?;
    let own = Held::here(0, 0).ok_or(io::Error::from(io::ErrorKind::Unsupported))?;
    let mask = block_signals();
    TAKEN.store(0, Ordering::Relaxed);
    let number = WANTED.fetch_add(1, Ordering::AcqRel).wrapping_add(1);
    let mut hold = Hold { number, own, mask, called: Ids::new(), lost: Ids::new() };
    match hold.gather(signal) {
        Ok(()) => Ok(hold),
        Err(error) => {
            hold.release();
            Err(error)
        }
    }
}

impl Hold {
    /// Calls all threads, until all that there are have come.
    fn gather(&mut self, signal: c_int) -> io::Result<()> {
        let began = Instant::now();
        loop {
            let came = CAME.load(Ordering::Acquire);
            let mut missing = 0;
            let mut ids = Ids::new();
            each_thread(|id| ids.push(id))?;
            for id in ids.get() {
                if *id == self.own.id || self.lost.get().contains(id) || self.has(*id) {
                    continue;
                }
                if !self.called.get().contains(id) {
                    self.called.push(*id)?;
                    call(*id, signal);
                }
                // One that has come meanwhile waits with all signals blocked.
                if is_hopeless(*id, signal, began.elapsed()) && !self.has(*id) {
                    self.lost.push(*id)?;
                } else {
                    missing += 1;
                }
            }
            if missing == 0 {
                return Ok(());
            }
            raw::wait(&CAME, came, Some(LOOK));
        }
    }

    /// Whether the thread has come.
    fn has(&self, id: u32) -> bool {
        self.held().any(|held| held.id == id)
    }

    #[expect(unsafe_code, reason = "slots are written by other threads")]
    fn held(&self) -> impl Iterator<Item = &Held> {
        let filled = |slot: &&Slot| slot.of.load(Ordering::Acquire) == self.number;
        // SAFETY: the slot's thread has written it before it set `of`, and leaves it alone until the next hold.
        SLOTS.iter().filter(filled).map(|slot| unsafe { &*slot.thread.get() })
    }

    /// Copies this process.
    #[expect(unsafe_code, reason = "the copy begins with one thread")]
    pub(super) fn fork(&self) -> io::Result<Fork> {
        // SAFETY: it has been checked that the id stands there. What the other threads hold, they hold where they are brought back.
        let made = unsafe { raw::fork(self.own.robust - ID_BEFORE) };
        match u32::try_from(made) {
            Ok(0) => {
                self.own.tell_kernel();
                Ok(Fork::Copy)
            }
            Ok(id) => Ok(Fork::Original(id)),
            Err(_) => Err(error(made)),
        }
    }

    /// Lets the threads go on. The ids of those that were not held, and that a copy does not have.
    pub(super) fn release(self) -> Vec<u32> {
        FREED.store(self.number, Ordering::Release);
        raw::wake(&FREED);
        restore_signals(&self.mask);
        self.lost.get().to_vec()
    }

    /// Brings the threads back, in a copy. How many could not be.
    #[expect(unsafe_code, reason = "threads are made on stacks that are there")]
    pub(super) fn bring_back(self) -> usize {
        let mut failed = 0;
        let mut made = 0;
        for held in self.held() {
            let id = held.robust - ID_BEFORE;
            let start =
                Start { stack: held.stack, pointer: held.pointer, id, begin, with: std::ptr::from_ref(held) };
            // SAFETY: this process has no other thread that uses them, for none was copied.
            if unsafe { raw::start(&start) } < 0 { failed += 1 } else { made += 1 }
        }
        // The slots may be used again when all have read theirs.
        loop {
            let back = BACK.load(Ordering::Acquire);
            if back == made {
                break;
            }
            raw::wait(&BACK, back, None);
        }
        BACK.store(0, Ordering::Relaxed);
        FREED.store(self.number, Ordering::Release);
        restore_signals(&self.mask);
        failed
    }
}

/// What a thread does first that takes the place of one that was held.
#[expect(unsafe_code, reason = "the thread goes on where another one stood")]
unsafe extern "C" fn begin(held: *const Held) -> ! {
    // SAFETY: the slot is left alone until `BACK` says that it has been read.
    let held = unsafe { *held };
    held.tell_kernel();
    held.take_on();
    BACK.fetch_add(1, Ordering::AcqRel);
    raw::wake(&BACK);
    // SAFETY: the context is in the copied memory as the kernel saved it, for the handler that it was given to does not change it.
    unsafe { raw::go_on(held.frame) }
}

/// The handler of the signal.
extern "C" fn come(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    let wanted = WANTED.load(Ordering::Acquire);
    if FREED.load(Ordering::Acquire) == wanted {
        // The hold is over that this thread was called for.
        return;
    }
    let local = 0_u8;
    let below = (std::ptr::from_ref(&local).expose_provenance() - 256) & !15;
    if let Some(held) = Held::here(context.expose_provenance(), below)
        && let Some(slot) = SLOTS.get(TAKEN.fetch_add(1, Ordering::Relaxed) as usize)
    {
        slot.fill(held, wanted);
    }
    CAME.fetch_add(1, Ordering::AcqRel);
    raw::wake(&CAME);
    loop {
        let freed = FREED.load(Ordering::Acquire);
        // It may be later than the one that this thread waits for.
        if wanted.wrapping_sub(freed).cast_signed() <= 0 {
            return;
        }
        raw::wait(&FREED, freed, None);
    }
}

impl Slot {
    const fn new() -> Self {
        let nobody =
            Held { id: 0, frame: 0, stack: 0, pointer: 0, robust: 0, name: [0; NAME], processors: [0; 16] };
        Self { of: AtomicU32::new(0), thread: UnsafeCell::new(nobody) }
    }

    #[expect(unsafe_code, reason = "a slot is written through a shared reference")]
    fn fill(&self, held: Held, number: u32) {
        // SAFETY: the calling thread alone has taken this slot.
        unsafe { *self.thread.get() = held };
        self.of.store(number, Ordering::Release);
    }
}

impl Held {
    /// The calling thread. None if the C library does not keep its id where it is expected.
    #[expect(unsafe_code, reason = "the kernel writes what it knows of the thread")]
    fn here(frame: usize, stack: usize) -> Option<Self> {
        let id = raw::thread();
        let mut held = Self {
            id,
            frame,
            stack,
            pointer: raw::pointer(),
            robust: 0,
            name: [0; NAME],
            processors: [0; 16],
        };
        let mut length = 0_usize;
        // SAFETY: each call writes no more than there is room for: an address, a length, a name, a set of processors.
        unsafe {
            raw::call(libc::SYS_get_robust_list, [0, address(&mut held.robust), address(&mut length), 0, 0]);
            raw::call(libc::SYS_prctl, [libc::PR_GET_NAME as usize, address(&mut held.name), 0, 0, 0]);
            let size = size_of_val(&held.processors);
            raw::call(libc::SYS_sched_getaffinity, [0, size, address(&mut held.processors), 0, 0]);
        }
        if length != ROBUST || held.robust < ID_BEFORE {
            return None;
        }
        // SAFETY: the list is within what the C library keeps of the thread, which begins well before it.
        let kept: u32 =
            unsafe { std::ptr::with_exposed_provenance::<u32>(held.robust - ID_BEFORE).read_volatile() };
        (kept == id).then_some(held)
    }

    /// Tells the kernel what it forgets of a thread that is copied.
    #[expect(unsafe_code, reason = "a system call is an instruction")]
    fn tell_kernel(&self) {
        // SAFETY: the list is that of the thread for which the calling one stands.
        unsafe { raw::call(libc::SYS_set_robust_list, [self.robust, ROBUST, 0, 0, 0]) };
    }

    /// Gives the calling thread what the other had that does not come with a copy of its memory. Where it is refused, it goes on without.
    #[expect(unsafe_code, reason = "the kernel is told where the thread's data are")]
    fn take_on(&self) {
        let size = size_of_val(&self.processors);
        let processors = self.processors.as_ptr().expose_provenance();
        let name = self.name.as_ptr().expose_provenance();
        // SAFETY: the kernel reads the name and the set; it writes to the area of restartable sequences, which is the C library's for this.
        unsafe {
            raw::call(libc::SYS_prctl, [libc::PR_SET_NAME as usize, name, 0, 0, 0]);
            raw::call(libc::SYS_sched_setaffinity, [0, size, processors, 0, 0]);
            if let Some(Sequences { offset, size }) = SEQUENCES.get().copied().flatten() {
                let area = self.pointer.wrapping_add_signed(offset);
                raw::call(libc::SYS_rseq, [area, size, 0, SIGNATURE, 0]);
            }
        }
    }
}

fn address<T>(value: &mut T) -> usize {
    std::ptr::from_mut(value).expose_provenance()
}

/// Where the C library keeps a thread's area of restartable sequences, from its thread pointer; none if it has none.
#[derive(Clone, Copy)]
struct Sequences {
    offset: isize,
    size: usize,
}

static SEQUENCES: OnceLock<Option<Sequences>> = OnceLock::new();

/// What glibc registers the area with: <https://sourceware.org/git/?p=glibc.git;a=blob;f=sysdeps/unix/sysv/linux/x86/bits/rseq.h>.
const SIGNATURE: usize = 0x5305_3053;

/// The size with which it registers it at least.
const SMALLEST: usize = 32;

/// glibc says where it is from 2.35 on: <https://www.gnu.org/software/libc/manual/html_node/Restartable-Sequences.html>.
#[expect(unsafe_code, reason = "a symbol is looked up that may not be there")]
fn sequences() -> Option<Sequences> {
    // SAFETY: the names end with a zero, and the types are those of the manual.
    unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
        if offset.is_null() || size.is_null() || *size == 0 {
            return None;
        }
        Some(Sequences { offset: *offset, size: SMALLEST.max(*size as usize) })
    }
}

/// The signal that calls threads, and which nobody else uses; its handler is installed when it is first asked for.
fn signal() -> io::Result<c_int> {
    static SIGNAL: OnceLock<Option<c_int>> = OnceLock::new();
    SEQUENCES.get_or_init(sequences);
    SIGNAL.get_or_init(install).ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

/// Installs the handler for the last signal that nobody handles.
#[expect(unsafe_code, reason = "a signal's handler is installed")]
fn install() -> Option<c_int> {
    // SAFETY: all zeros is a value of this type: it asks for nothing.
    let mut action: libc::sigaction = unsafe { zeroed() };
    let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = come;
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
    (libc::SIGRTMIN() + 1..libc::SIGRTMAX()).rev().find(|signal| {
        // SAFETY: as above.
        let mut before: libc::sigaction = unsafe { zeroed() };
        // SAFETY: the handler calls nothing but the kernel, and changes no `errno`; all signals are kept from it while it runs.
        unsafe {
            libc::sigfillset(&raw mut action.sa_mask);
            libc::sigaction(*signal, std::ptr::null(), &raw mut before) == 0
                && before.sa_sigaction == libc::SIG_DFL
                && libc::sigaction(*signal, &raw const action, std::ptr::null_mut()) == 0
        }
    })
}

#[expect(unsafe_code, reason = "a signal is sent to a thread by its id")]
fn call(id: u32, signal: c_int) {
    let process = std::process::id() as usize;
    // SAFETY: the signal's handler is installed. The thread may be gone.
    unsafe { raw::call(libc::SYS_tgkill, [process, id as usize, signal as usize, 0, 0]) };
}

/// The ids of this process's threads.
fn each_thread(mut visit: impl FnMut(u32) -> io::Result<()>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(c"/proc/self/task", flags, Mode::empty())?;
    let mut space = [MaybeUninit::uninit(); 4096];
    let mut entries = RawDir::new(folder, &mut space);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if let Some(id) = number(entry.file_name().to_bytes()) {
            visit(id)?;
        }
    }
    Ok(())
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether the thread will not come any more, after it has been waited for so long.
fn is_hopeless(id: u32, signal: c_int, waited: Duration) -> bool {
    let patience = if waited < DEAF {
        DEAF
    } else {
        match with_status(id, |status| (runs(status), blocked(status))) {
            Some((true, _)) => STARVED,
            Some((false, Some(blocked))) if blocked >> (signal - 1) & 1 == 1 => DEAF,
            _ => PATIENCE,
        }
    };
    waited > patience
}

/// What the kernel says of a thread: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn with_status<T>(id: u32, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let mut path = io::Cursor::new([0; 64]);
    write!(path, "/proc/self/task/{id}/status").ok()?;
    let (length, path) = (path.position() as usize, path.into_inner());
    let file = open(&path[..length], OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = [0; 2048];
    let count = rustix::io::read(file, &mut text).ok()?;
    Some(read(&text[..count]))
}

fn line<'a>(status: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name)?.strip_prefix(b":\t"))
}

/// Whether it runs, or could.
fn runs(status: &[u8]) -> bool {
    line(status, b"State").is_some_and(|state| state.starts_with(b"R"))
}

/// The signals that it blocks.
fn blocked(status: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(line(status, b"SigBlk")?).ok()?, 16).ok()
}

#[expect(unsafe_code, reason = "the set of signals is the C library's")]
fn block_signals() -> libc::sigset_t {
    // SAFETY: both sets are there for the calls.
    unsafe {
        let (mut all, mut before) = (zeroed(), zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

#[expect(unsafe_code, reason = "the set of signals is the C library's")]
fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: the set is one that the calling thread had.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::from_ref(mask), std::ptr::null_mut()) };
}

fn error(result: isize) -> io::Error {
    io::Error::from_raw_os_error(i32::try_from(-result).unwrap_or(libc::EINVAL))
}

impl Ids {
    fn new() -> Self {
        Self { ids: [0; MOST], count: 0 }
    }

    fn push(&mut self, id: u32) -> io::Result<()> {
        *self.ids.get_mut(self.count).ok_or(io::ErrorKind::QuotaExceeded)? = id;
        self.count += 1;
        Ok(())
    }

    fn get(&self) -> &[u32] {
        &self.ids[..self.count]
    }
}

#[cfg(test)]
mod tests;
