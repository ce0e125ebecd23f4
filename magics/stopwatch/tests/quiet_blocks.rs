//! Within a block nothing is asked of the heap but what the code itself asks for.

use assay_stopwatch::{
    Clock, Counter, Counts, Each, Instruments, Plain, Progress, Routine, Settings, Size, Stopwatch, Turns,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

thread_local! {
    static REQUESTS: Cell<u64> = const { Cell::new(0) };
}

/// Counts what this thread asks of the heap and gives back.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "nothing but an allocator sees allocations")]
// SAFETY: the system's allocator does all of it; the counter is a constant thread-local, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.set(REQUESTS.get() + 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        REQUESTS.set(REQUESTS.get() + 1);
        // SAFETY: as above, and what is given back came from there.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What happened from the end of the first run of each block to the end of its last.
#[derive(Debug, Default, Clone, Copy)]
struct Noted {
    /// Requests between runs.
    between: u64,
    /// Requests within runs.
    within: u64,
    runs: u64,
    iterations: u64,
}

/// A routine that notes what was asked of the heap between its runs: by whoever calls it, and by itself.
struct Watched<'w, R> {
    routine: R,
    /// The requests until the end of the latest run, if it was in this block.
    latest: &'w Cell<Option<u64>>,
    /// No block before the first empty loop is looked at: nobody sees where the first of them begins.
    has_begun: bool,
    noted: Noted,
}

impl<R: Routine> Routine for Watched<'_, R> {
    fn run(&mut self, size: Size) -> Duration {
        let before = REQUESTS.get();
        let elapsed = self.routine.run(size);
        let after = REQUESTS.get();
        if let Some(latest) = self.latest.get().filter(|_| self.has_begun) {
            self.noted.between += before - latest;
            self.noted.within += after - before;
            self.noted.runs += 1;
            self.noted.iterations += size.iterations;
        }
        self.latest.set(Some(after));
        elapsed
    }

    fn empty(&mut self, size: Size) -> Duration {
        let elapsed = self.routine.empty(size);
        // The empty loop has its turn at the end of a block.
        self.latest.set(None);
        self.has_begun = true;
        elapsed
    }

    fn count(&mut self, counter: &mut dyn Counter) -> Counts {
        self.routine.count(counter)
    }

    fn clock(&self) -> &dyn Clock {
        self.routine.clock()
    }

    fn most_inputs(&self) -> Option<u64> {
        self.routine.most_inputs()
    }
}

/// What is noted of a measurement on a clock that each run moves.
fn requests<R: Routine>(clock: &dyn Clock, routine: R) -> Noted {
    let latest = Cell::new(None);
    let mut observer = |_: &Progress<'_>| {
        latest.set(None);
        ControlFlow::Continue(())
    };
    let mut watched = Watched { routine, latest: &latest, has_begun: false, noted: Noted::default() };
    let settings = Settings { target: 0.0, ..Settings::default() };
    Stopwatch::new(settings, clock, &mut observer).measure(&mut watched);
    watched.noted
}

#[test]
fn a_block_asks_nothing_of_the_heap() {
    let time = Cell::new(0_u64);
    let clock = || {
        time.set(time.get() + 25);
        Duration::from_nanos(time.get())
    };
    let pass = || time.set(time.get() + 3000);

    let plain = requests(&clock, Plain::new(&clock, pass));
    assert!(plain.between == 0 && plain.within == 0 && plain.runs > 400, "{plain:?}");

    // An input and a result ask twice each, to come and to go. The room for them asks for nothing.
    let body = |_: &mut Box<u64>| {
        pass();
        Box::new(1_u64)
    };
    let each = requests(&clock, Each::borrowing(&clock, || Box::new(0_u64), body));
    assert!(each.between == 0 && each.within == 4 * each.iterations && each.runs > 400, "{each:?}");
}

#[test]
fn nor_does_a_block_whose_turns_are_asked_for() {
    let time = Cell::new(0_u64);
    let clock = || {
        time.set(time.get() + 25);
        Duration::from_nanos(time.get())
    };
    // Looking on stands between blocks, and begins after the first.
    let (latest, has_begun) = (Cell::new(None), Cell::new(false));
    let observer = |_: &Progress<'_>| {
        latest.set(None);
        has_begun.set(true);
        ControlFlow::Continue(())
    };
    let clock: Rc<dyn Clock + '_> = Rc::new(clock);
    let instruments = Instruments { clock: Rc::clone(&clock), wall: clock, ..Instruments::new(observer) };
    let mut turns = Turns::measure(Settings { target: 0.0, ..Settings::default() }, instruments);
    let (mut between, mut runs) = (0, 0);
    while let Some(turn) = turns.next_turn() {
        if let Some(latest) = latest.get().filter(|_| has_begun.get()) {
            between += REQUESTS.get() - latest;
            runs += 1;
        }
        turns.run(turn, || time.set(time.get() + 3000));
        latest.set(Some(REQUESTS.get()));
    }
    assert!(between == 0 && runs > 400, "{between} in {runs}");
}
