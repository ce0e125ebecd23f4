//! Calls of functions, counted where a function begins and ends: the kernel writes [`enter`] into them where somebody asks how often they are called.
//!
//! Each thread counts for itself, in memory that is left where it is when the thread ends, and taken up by the next one: so what is there can be read at any time, and is the sum of all.
//! Nothing is ever made zero, for a thread may be just adding: what was there at the beginning is taken from what is there at the end.

use crate::table::Calls;
use std::alloc::{GlobalAlloc, Layout, System, handle_alloc_error};
use std::array;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The ledgers of all threads that there were.
static ALL: AtomicPtr<Ledger> = AtomicPtr::new(null_mut());

/// What had been counted when the code began that is watched.
static BEFORE: Mutex<Vec<Count>> = Mutex::new(Vec::new());

thread_local! {
    /// The calling thread's ledger. It needs no destructor, so that destructors can count too.
    static OWN: Cell<Option<&'static Ledger>> = const { Cell::new(None) };

    /// Gives it back when the thread ends.
    static END: End = const { End };
}

/// What a thread has counted.
struct Ledger {
    /// Whether a thread has it.
    taken: AtomicBool,
    /// Entries by number: 8, then 16, then 32 and so on, each part made when it is needed. So an entry stays where it is.
    parts: [AtomicPtr<Entry>; PARTS],
    /// The one that was there before.
    next: Option<&'static Ledger>,
}

/// Bits of the number of entries in the first part.
const FIRST: u32 = 3;

/// As many as there are numbers for.
const PARTS: usize = 33 - FIRST as usize;

/// A function on a thread. That thread alone writes to it.
struct Entry {
    total: AtomicU64,
    primitive: AtomicU64,
    /// How many calls are under way.
    depth: AtomicU32,
}

/// All calls of a function, and the primitive ones.
type Count = (u64, u64);

/// A call that is under way. It ends on the thread that it began on.
#[must_use = "the call ends when this is dropped"]
pub struct Guard {
    entry: &'static Entry,
    here: PhantomData<*const ()>,
}

/// The function of this number is called; the call ends when what this gives is dropped, be it by a panic.
pub fn enter(number: u32) -> Guard {
    let entry = OWN.get().unwrap_or_else(Ledger::of_thread).entry(number);
    entry.total.store(entry.total.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let depth = entry.depth.load(Ordering::Relaxed);
    entry.depth.store(depth + 1, Ordering::Relaxed);
    if depth == 0 {
        entry.primitive.store(entry.primitive.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
    Guard { entry, here: PhantomData }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let depth = &self.entry.depth;
        depth.store(depth.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }
}

/// The code that is watched begins.
pub(crate) fn begin() {
    *before() = counts();
}

/// It has ended: the calls since. Where no function counts, nothing is allocated.
pub(crate) fn end() -> Vec<Calls> {
    let before = std::mem::take(&mut *before());
    let before = before.into_iter().chain(std::iter::repeat((0, 0)));
    let calls = (0..).zip(counts()).zip(before).map(|((number, now), before)| Calls {
        number,
        total: now.0 - before.0,
        primitive: now.1 - before.1,
    });
    calls.filter(|calls| calls.total > 0).collect()
}

/// All that was ever counted, by number.
fn counts() -> Vec<Count> {
    let mut counts: Vec<Count> = Vec::new();
    for ledger in ledgers() {
        for (number, entry) in ledger.entries() {
            let count = (entry.total.load(Ordering::Relaxed), entry.primitive.load(Ordering::Relaxed));
            if count.0 > 0 {
                counts.resize(counts.len().max(number + 1), (0, 0));
                counts[number].0 += count.0;
                counts[number].1 += count.1;
            }
        }
    }
    counts
}

fn before() -> MutexGuard<'static, Vec<Count>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ledgers() -> impl Iterator<Item = &'static Ledger> {
    std::iter::successors(first(), |ledger| ledger.next)
}

#[expect(unsafe_code, reason = "the first of a list is a pointer")]
fn first() -> Option<&'static Ledger> {
    // SAFETY: it was made by `zeroed`, and is never given back.
    unsafe { ALL.load(Ordering::Acquire).as_ref() }
}

impl Ledger {
    /// One for the calling thread: that of a thread which has ended, or a new one.
    #[cold]
    fn of_thread() -> &'static Self {
        let take = |ledger: &&Self| !ledger.taken.swap(true, Ordering::Acquire);
        let ledger = ledgers().find(take).unwrap_or_else(Self::add);
        OWN.set(Some(ledger));
        // Where the thread is ending already, nobody takes it up.
        let _ = END.try_with(|_| ());
        ledger
    }

    /// A new one, at the head of the list.
    #[expect(unsafe_code, reason = "a list of what is never given back has pointers")]
    fn add() -> &'static Self {
        let made = zeroed::<Self>(1);
        loop {
            let next = first();
            let expected = next.map_or(null_mut(), |next| std::ptr::from_ref(next).cast_mut());
            // SAFETY: it was made here, and nobody else knows it before it is in the list.
            unsafe {
                made.write(Self {
                    taken: AtomicBool::new(true),
                    parts: array::from_fn(|_| AtomicPtr::new(null_mut())),
                    next,
                });
            }
            if ALL.compare_exchange(expected, made, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                // SAFETY: it is there for ever.
                return unsafe { &*made };
            }
        }
    }

    /// The entry of this number, on the thread that has this ledger.
    #[expect(unsafe_code, reason = "parts are made one by one")]
    fn entry(&self, number: u32) -> &'static Entry {
        let (part, index) = place(number);
        let mut entries = self.parts[part].load(Ordering::Relaxed);
        if entries.is_null() {
            entries = zeroed(size(part));
            self.parts[part].store(entries, Ordering::Release);
        }
        // SAFETY: the part has so many entries, and is there for ever.
        unsafe { &*entries.add(index) }
    }

    /// All entries that there are.
    #[expect(unsafe_code, reason = "parts are made one by one")]
    fn entries(&self) -> impl Iterator<Item = (usize, &'static Entry)> {
        self.parts.iter().enumerate().flat_map(|(part, entries)| {
            let entries = entries.load(Ordering::Acquire);
            let count = if entries.is_null() { 0 } else { size(part) };
            let first = size(part) - size(0);
            // SAFETY: the part has so many entries, and is there for ever.
            (0..count).map(move |index| (first + index, unsafe { &*entries.add(index) }))
        })
    }
}

/// The part that this number is in, and where.
fn place(number: u32) -> (usize, usize) {
    let place = number as usize + size(0);
    let part = place.ilog2() as usize - FIRST as usize;
    (part, place - size(part))
}

/// How many entries a part has.
const fn size(part: usize) -> usize {
    1 << (FIRST as usize + part)
}

/// Memory of the system's allocator, all zeros, for ever: the user may have another allocator, whose functions count too.
#[expect(unsafe_code, reason = "an allocator is called by hand")]
fn zeroed<T>(count: usize) -> *mut T {
    let Ok(layout) = Layout::array::<T>(count) else { handle_alloc_error(Layout::new::<T>()) };
    // SAFETY: neither an entry nor a ledger has no size.
    let memory = unsafe { System.alloc_zeroed(layout) };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory.cast()
}

/// See [`END`].
struct End;

impl Drop for End {
    fn drop(&mut self) {
        // What is called after this, in other destructors, gets another one.
        if let Some(ledger) = OWN.take() {
            ledger.taken.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Calls, begin, end, enter, ledgers, place, size};
    use std::panic::catch_unwind;
    use std::sync::{Barrier, Mutex};

    /// There is one count for all.
    static TURN: Mutex<()> = Mutex::new(());

    fn fib(number: u32, n: u32) -> u32 {
        let _call = enter(number);
        if n < 2 { n } else { fib(number, n - 1) + fib(number, n - 2) }
    }

    fn counted(code: impl FnOnce()) -> Vec<(u32, u64, u64)> {
        begin();
        code();
        end().into_iter().map(|Calls { number, total, primitive }| (number, total, primitive)).collect()
    }

    #[test]
    fn recursion_is_one_primitive_call() {
        let _turn = TURN.lock();
        assert_eq!(counted(|| assert_eq!(fib(0, 25), 75_025)), [(0, 242_785, 1)]);
        assert_eq!(
            counted(|| assert_eq!([fib(7, 1), fib(8, 2), fib(1000, 1)], [1; 3])),
            [(7, 1, 1), (8, 3, 1), (1000, 1, 1)]
        );
        assert_eq!(counted(|| ()), []);
    }

    #[test]
    fn each_thread_has_its_own_depth_and_all_are_counted() {
        let _turn = TURN.lock();
        let both = Barrier::new(2);
        let call = || {
            let _call = enter(3);
            // The other one is in it too.
            both.wait();
            fib(3, 10);
            both.wait();
        };
        let threads = || std::thread::scope(|scope| drop([scope.spawn(call), scope.spawn(call)]));
        assert_eq!(counted(threads), [(3, 2 * 178, 2)]);
        for _ in 0..1000 {
            assert_eq!(counted(|| drop(std::thread::spawn(|| fib(3, 1)).join())), [(3, 1, 1)]);
        }
        // Those of threads that have ended are taken up.
        assert!(ledgers().count() < 100);
    }

    #[test]
    fn a_panic_ends_calls() {
        let _turn = TURN.lock();
        fn fails(depth: u32) {
            let _call = enter(5);
            if depth == 0 {
                std::panic::resume_unwind(Box::new(()));
            }
            fails(depth - 1);
        }
        let code = || {
            assert!(catch_unwind(|| fails(9)).is_err());
            assert!(catch_unwind(|| fails(0)).is_err());
        };
        assert_eq!(counted(code), [(5, 11, 2)]);
    }

    #[test]
    fn a_call_that_was_under_way_is_not_one_since() {
        let _turn = TURN.lock();
        let outer = enter(6);
        assert_eq!(counted(|| assert_eq!(fib(6, 2), 1)), [(6, 3, 0)]);
        drop(outer);
        assert_eq!(counted(|| assert_eq!(fib(6, 2), 1)), [(6, 3, 1)]);
    }

    #[test]
    fn destructors_of_threads_count() {
        let _turn = TURN.lock();
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                fib(9, 2);
            }
        }
        thread_local!(static LAST: Last = const { Last });
        let thread = || {
            fib(9, 1);
            LAST.with(|_| fib(9, 1));
        };
        assert_eq!(counted(|| drop(std::thread::spawn(thread).join())), [(9, 5, 3)]);
    }

    #[test]
    fn numbers_have_places() {
        let mut next = (0, 0);
        for number in 0..10_000 {
            assert_eq!(place(number), next);
            next = if next.1 + 1 == size(next.0) { (next.0 + 1, 0) } else { (next.0, next.1 + 1) };
        }
        assert_eq!(place(u32::MAX), (super::PARTS - 1, 7));
    }
}
