//! Who is watched: the threads that the user's code has when it begins to be, and those that it starts meanwhile (`births.rs`).

use super::chance::Lots;
use super::source::{self, Handle, Source, Way};
use super::{HANDLERS, MINE, SESSION, SLOTS, Session, signal};
use crate::unwind::Registers;
use assay_link::watch::{Means, Thread};
use libc::c_void;
use std::io;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The threads of this program's own that run beside the user's, by their names: who listens to the kernel, and who writes out what is printed.
pub(super) const OURS: [&str; 2] = ["assay-child", "flusher"];

/// The most threads that are told apart. All that begin after so many are told as one.
const PEOPLE: usize = 1 << 16;

/// After so many samples the time between them is another one. To tell the system takes as long as half a sample does.
pub(super) const DRAWN: u32 = 8;

/// How long a handler may take on a machine that has much to do.
const PATIENCE: Duration = Duration::from_secs(5);

static ROSTER: Mutex<Option<Roster>> = Mutex::new(None);

/// The process whose threads are watched; 0 if none are. A process that the user's code forks has the rest of this, but no threads that are watched.
static WATCHED: AtomicU32 = AtomicU32::new(0);

/// A thread that is watched, as handlers know it.
#[derive(Default)]
pub(super) struct Slot {
    /// Its id; 0 if there is none.
    pub(super) id: AtomicU32,
    /// Who it is: an index into all who were watched.
    pub(super) person: AtomicU32,
    /// What sends it its signals: the descriptor of an event, or the name of a timer.
    source: AtomicPtr<c_void>,
    timed: AtomicBool,
    /// By which it is left to chance when the next sample is taken.
    lots: AtomicU64,
    /// How often its source has sent.
    count: AtomicU32,
    /// The processor's time that it has had, by the end of its last handler.
    pub(super) cpu: AtomicU64,
    /// When its last handler was.
    wall: AtomicU64,
    /// The processor's time that it has had and that no sample stands for.
    credit: AtomicU64,
    /// The time of its handlers.
    pub(super) spent: AtomicU64,
}

/// All who are watched, or were.
pub(super) struct Roster {
    session: NonNull<Session>,
    before: signal::Before,
    means: Means,
    people: Vec<Thread>,
    /// By slot.
    sources: Vec<Option<Source>>,
    free: Vec<usize>,
}

// SAFETY: the session may be used by any thread.
#[expect(unsafe_code, reason = "the session is behind a pointer")]
unsafe impl Send for Roster {}

/// Begins to watch all threads of the user's, the calling one first.
pub(super) fn start(session: impl FnOnce() -> Result<Session, String>) -> Result<(), String> {
    let mut roster = lock();
    if roster.is_some() {
        return Err("samples are being taken already".to_owned());
    }
    let others = others();
    let session = session()?;
    let own = own_id();
    let opened = Opened::of(own, &session)
        .map_err(|error| format!("this system lets no program take samples: {error}"))?;
    let means = if opened.way == Way::Timer { Means::Timers } else { Means::Events };
    let before = signal::handle(opened.way == Way::Trap)
        .map_err(|error| format!("a signal cannot be handled: {error}"))?;
    // Others get no better one: its signal would not be handled.
    let session = Session { best: opened.way, ..session };
    let session = NonNull::from(Box::leak(Box::new(session)));
    let mut new = Roster {
        session,
        before,
        means,
        people: Vec::new(),
        sources: (0..SLOTS).map(|_| None).collect(),
        free: (0..SLOTS).rev().collect(),
    };
    let slot = new.seat(own);
    SESSION.store(session.as_ptr(), Ordering::SeqCst);
    WATCHED.store(std::process::id(), Ordering::SeqCst);
    for id in others {
        new.enrol(id);
    }
    // Last, for nothing of this is the user's code.
    if let Some(slot) = slot {
        new.begin(slot, opened);
    }
    *roster = Some(new);
    Ok(())
}

/// What is left of a session.
pub(super) struct Over {
    pub(super) session: Box<Session>,
    /// Whether no handler can be using it any more.
    pub(super) unused: bool,
    /// Who was watched.
    pub(super) people: Vec<Thread>,
    pub(super) means: Means,
}

/// Watches nobody any more.
pub(super) fn stop() -> Option<Over> {
    let mut roster = lock();
    let Roster { session, before, means, mut people, sources, .. } = roster.take()?;
    WATCHED.store(0, Ordering::SeqCst);
    SESSION.store(null_mut(), Ordering::SeqCst);
    // One that is in its handler may wait for a processor. That of a thread that did not come along when this process was copied never ends.
    let began = Instant::now();
    while HANDLERS.load(Ordering::SeqCst) > 0 && began.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    let unused = HANDLERS.load(Ordering::SeqCst) == 0;
    drop(sources);
    before.restore();
    for person in people.iter_mut().filter(|person| person.name.is_empty()) {
        person.name = name(person.id).unwrap_or_default();
    }
    // SAFETY: it was leaked for this, and nobody has its address any more.
    #[expect(unsafe_code, reason = "the session is behind a pointer")]
    let session = unsafe { Box::from_raw(session.as_ptr()) };
    Some(Over { session, unused, people, means })
}

/// A source for a thread, and what goes on by chance with it.
struct Opened {
    source: Source,
    way: Way,
    /// After how many nanoseconds it sends first.
    first: u64,
    lots: Lots,
}

impl Opened {
    fn of(thread: u32, session: &Session) -> io::Result<Self> {
        let lots = Lots::new(source::monotonic() ^ u64::from(thread) << 32);
        let first = lots.first(session.period).max(source::SHORTEST);
        let (source, way) = Source::of(thread, session.best, first)?;
        Ok(Self { source, way, first, lots })
    }
}

impl Roster {
    #[expect(unsafe_code, reason = "the session is behind a pointer")]
    fn session(&self) -> &Session {
        // SAFETY: it is there as long as the roster is.
        unsafe { self.session.as_ref() }
    }

    /// Begins to watch a thread. One that has ended meanwhile is not watched.
    fn enrol(&mut self, id: u32) -> Option<usize> {
        let opened = Opened::of(id, self.session()).ok()?;
        let slot = self.seat(id)?;
        self.begin(slot, opened);
        Some(slot)
    }

    /// A slot for a thread, which is a person that nobody has seen yet.
    fn seat(&mut self, id: u32) -> Option<usize> {
        if self.free.is_empty() {
            self.sweep();
        }
        let Some(index) = self.free.pop() else {
            self.session().lost.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let person = self.people.len().min(PEOPLE);
        match self.people.get_mut(person) {
            Some(many) => *many = Thread { id: 0, name: "others".to_owned() },
            None => self.people.push(Thread { id, name: String::new() }),
        }
        let slot = self.session().slots.get(index)?;
        slot.person.store(person as u32, Ordering::Relaxed);
        slot.id.store(id, Ordering::Release);
        Some(index)
    }

    fn begin(&mut self, index: usize, opened: Opened) {
        let Opened { source, first, lots, .. } = opened;
        let period = self.session().period;
        let Some(slot) = self.session().slots.get(index) else { return };
        let (handle, timed) = match source.handle() {
            Handle::Event(event) => (std::ptr::without_provenance_mut(event as usize), false),
            Handle::Timer(timer) => (timer, true),
        };
        slot.source.store(handle, Ordering::Relaxed);
        slot.timed.store(timed, Ordering::Relaxed);
        slot.lots.store(lots.state(), Ordering::Relaxed);
        slot.count.store(0, Ordering::Relaxed);
        slot.credit.store(period, Ordering::Relaxed);
        slot.cpu.store(source::processor_of(slot.id.load(Ordering::Relaxed)), Ordering::Relaxed);
        slot.wall.store(source::monotonic(), Ordering::Release);
        if let Some(kept) = self.sources.get_mut(index) {
            kept.insert(source).begin(first);
        }
    }

    /// Watches a thread no more.
    fn release(&mut self, index: usize) {
        if let Some(slot) = self.session().slots.get(index) {
            slot.id.store(0, Ordering::Release);
        }
        if self.sources.get_mut(index).is_some_and(|source| source.take().is_some()) {
            self.free.push(index);
        }
    }

    fn slot_of(&self, id: u32) -> Option<usize> {
        self.session().slots.iter().position(|slot| slot.id.load(Ordering::Relaxed) == id)
    }

    /// Gives up the slots of those who have ended without a word, as those do whom nobody saw begin.
    fn sweep(&mut self) {
        for index in 0..SLOTS {
            let id = self.session().slots.get(index).map_or(0, |slot| slot.id.load(Ordering::Relaxed));
            if id != 0 && !is_there(id) {
                self.release(index);
            }
        }
    }
}

impl Slot {
    /// Whether a timer sends its signals.
    pub(super) fn is_timed(&self) -> bool {
        self.timed.load(Ordering::Relaxed)
    }

    /// Its source has sent. At first, and then now and again, the time to the next is drawn anew.
    pub(super) fn go_on(&self, period: u64) {
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count.wrapping_add(1), Ordering::Relaxed);
        if !count.is_multiple_of(DRAWN) {
            return;
        }
        let source = self.source.load(Ordering::Relaxed);
        let handle =
            if self.is_timed() { Handle::Timer(source) } else { Handle::Event(source.addr() as i32) };
        let lots = Lots::resume(self.lots.load(Ordering::Relaxed));
        handle.send_after(lots.next(period));
        self.lots.store(lots.state(), Ordering::Relaxed);
    }

    /// Whether the thread, whose timer has run out, was running then, and has had a period for each of its samples.
    pub(super) fn has_run(&self, period: u64, registers: &Registers) -> bool {
        let now = source::monotonic();
        let waited = now.saturating_sub(self.wall.swap(now, Ordering::Relaxed));
        let had = source::processor().saturating_sub(self.cpu.load(Ordering::Relaxed));
        let credit = self.credit.load(Ordering::Relaxed).saturating_add(had).min(2 * period);
        // In a call it may have waited, or worked: that shows in the time it has had.
        let runs = had / 3 >= waited / 4 || !registers.is_in_call();
        let counts = runs && credit >= period;
        self.credit.store(if counts { credit - period } else { credit }, Ordering::Relaxed);
        counts
    }
}

/// The ids of the user's threads but the calling one.
fn others() -> Vec<u32> {
    let own = own_id();
    let main = std::process::id();
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let ids = threads.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    // The main thread listens to the kernel, except in a copy, where the thread is another.
    ids.filter(|id| *id != own && *id != main && !name(*id).is_none_or(|name| OURS.contains(&&*name)))
        .collect()
}

/// The name of a thread, unless it is gone.
fn name(id: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// The calling thread's id. May be called from a signal's handler.
#[expect(unsafe_code, reason = "the C library is called")]
pub(super) fn own_id() -> u32 {
    // SAFETY: it is always possible.
    unsafe { libc::gettid() }.cast_unsigned()
}

#[expect(unsafe_code, reason = "no crate that is here has this call")]
fn is_there(id: u32) -> bool {
    // SAFETY: no signal is sent.
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), id, 0) == 0 }
}

fn lock() -> MutexGuard<'static, Option<Roster>> {
    ROSTER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether threads of this very process are watched.
pub(super) fn are_watched() -> bool {
    let watched = WATCHED.load(Ordering::SeqCst);
    watched != 0 && watched == std::process::id()
}

/// The calling thread has begun.
pub(super) fn join() {
    if !are_watched() {
        return;
    }
    let mut roster = lock();
    let Some(roster) = &mut *roster else { return };
    let id = own_id();
    // It was seen before it came here, or another has had its id before it.
    if let Some(slot) = roster.slot_of(id) {
        roster.release(slot);
    }
    if let Some(slot) = roster.enrol(id) {
        MINE.set((roster.session().number, slot as u32));
    }
}

/// It ends.
pub(super) fn leave() {
    let (number, slot) = MINE.replace((0, 0));
    if !are_watched() {
        return;
    }
    let mut roster = lock();
    let Some(roster) = &mut *roster else { return };
    if number != roster.session().number {
        return;
    }
    let slot = slot as usize;
    let person = roster.session().slots.get(slot).map_or(0, |slot| slot.person.load(Ordering::Relaxed));
    roster.release(slot);
    if let Some(person) = roster.people.get_mut(person as usize).filter(|person| person.id == own_id()) {
        person.name = name(person.id).unwrap_or_default();
    }
}
