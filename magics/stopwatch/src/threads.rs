//! The same code on several threads at once.
//!
//! The threads live as long as the routine and sleep between its runs, so that nothing is started while anything is timed. In a run they wake, wait for the last of them, and
//! begin together; then each reads the clock before and after its own iterations.

use crate::clock::Clock;
use crate::routine::{Counter, Counts, Routine, Size, counted, timed};
use std::any::Any;
use std::hint::spin_loop;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A thread that waits for the others gives its processor away after so many looks: there may be fewer processors than threads.
const LOOKS: u32 = 2000;

/// Runs `then` with a routine that is `body` on `threads` threads at once, each doing all the iterations.
///
/// What the routine's clock counts is from the first thread's beginning to the last one's end: an iteration's time is what each thread spends on one while the others do the same, and `threads` by it is
/// the throughput. A clock of the process's processor time counts the time of all threads together. The empty loop and the counting run on the calling thread alone.
///
/// A panic of `body` goes through the caller once the other threads have done their iterations. Err: a thread could not be started, and nothing has run.
pub fn on_threads<C, T, F, R>(
    clock: &C,
    threads: NonZeroUsize,
    body: &F,
    then: impl FnOnce(&mut dyn Routine) -> R,
) -> io::Result<R>
where
    C: Clock + Sync,
    F: Fn() -> T + Sync,
{
    let threads = threads.get();
    let gate = Gate { threads, state: Mutex::default(), changed: Condvar::new(), arrived: AtomicU64::new(0) };
    let laps: Vec<Lap> = (0..threads).map(|_| Lap::default()).collect();
    let run = |iterations, lap: &Lap| {
        lap.begun.store(nanoseconds(clock.now()), Ordering::Relaxed);
        timed(clock, iterations, &mut || body());
        lap.ended.store(nanoseconds(clock.now()), Ordering::Relaxed);
    };
    thread::scope(|scope| {
        // However this ends, the threads end too, for the scope waits for them.
        let crew = Crew(&gate);
        for lap in &laps {
            let work = || gate.serve(|iterations| run(iterations, lap));
            thread::Builder::new().name("assay-stopwatch".to_owned()).spawn_scoped(scope, work)?;
        }
        Ok(then(&mut Together { clock, body, crew, laps: &laps, latest: vec![Duration::ZERO; threads] }))
    })
}

/// The routine.
struct Together<'t, C, F> {
    clock: &'t C,
    body: &'t F,
    crew: Crew<'t>,
    laps: &'t [Lap],
    latest: Vec<Duration>,
}

/// When a thread began and ended its latest run, in nanoseconds of the clock.
#[derive(Default)]
struct Lap {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl<C: Clock, T, F: Fn() -> T> Routine for Together<'_, C, F> {
    fn run(&mut self, size: Size) -> Duration {
        self.crew.0.open(size.iterations);
        let (mut first, mut last) = (u64::MAX, 0);
        for (lap, elapsed) in self.laps.iter().zip(&mut self.latest) {
            let (begun, ended) = (lap.begun.load(Ordering::Relaxed), lap.ended.load(Ordering::Relaxed));
            *elapsed = Duration::from_nanos(ended.saturating_sub(begun));
            (first, last) = (first.min(begun), last.max(ended));
        }
        Duration::from_nanos(last.saturating_sub(first))
    }

    fn empty(&mut self, size: Size) -> Duration {
        timed(self.clock, size.iterations, &mut || ())
    }

    fn count(&mut self, counter: &mut dyn Counter) -> Counts {
        counted(counter, &mut || (self.body)())
    }

    fn clock(&self) -> &dyn Clock {
        self.clock
    }

    fn threads(&self) -> &[Duration] {
        &self.latest
    }
}

/// Lets the threads end when it goes.
struct Crew<'t>(&'t Gate);

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.run += 1;
        state.iterations = None;
        self.0.changed.notify_all();
    }
}

/// Where the threads wait for the next run.
struct Gate {
    threads: usize,
    state: Mutex<State>,
    changed: Condvar,
    /// How often a thread has arrived at the beginning of a run.
    arrived: AtomicU64,
}

#[derive(Default)]
struct State {
    /// The number of the latest run, from 1.
    run: u64,
    /// What it consists of; none is the end.
    iterations: Option<u64>,
    /// How many threads have not finished it.
    running: usize,
    /// The first panic.
    panic: Option<Box<dyn Any + Send>>,
}

impl Gate {
    /// Lets all threads run, and waits for them.
    fn open(&self, iterations: u64) {
        let mut state = self.lock();
        state.run += 1;
        state.iterations = Some(iterations);
        state.running = self.threads;
        self.changed.notify_all();
        while state.running > 0 {
            state = self.wait(state);
        }
        if let Some(panic) = state.panic.take() {
            drop(state);
            resume_unwind(panic);
        }
    }

    /// The life of a thread.
    fn serve(&self, run: impl Fn(u64)) {
        let mut served = 0;
        while let Some(iterations) = self.next(&mut served) {
            self.meet(served);
            let result = catch_unwind(AssertUnwindSafe(|| run(iterations)));
            let mut state = self.lock();
            state.running -= 1;
            if let Err(panic) = result {
                state.panic.get_or_insert(panic);
            }
            self.changed.notify_all();
        }
    }

    /// Sleeps until there is a run that this thread has not served.
    fn next(&self, served: &mut u64) -> Option<u64> {
        let mut state = self.lock();
        while state.run == *served {
            state = self.wait(state);
        }
        *served = state.run;
        state.iterations
    }

    /// Waits for the last thread, awake, since waking up takes as long as a hundred short iterations.
    fn meet(&self, run: u64) {
        let all = run * self.threads as u64;
        self.arrived.fetch_add(1, Ordering::Relaxed);
        let mut looks = 0;
        while self.arrived.load(Ordering::Relaxed) < all {
            looks += 1;
            if looks < LOOKS { spin_loop() } else { thread::yield_now() }
        }
    }

    /// Nothing that panics is done under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Five hundred years fit.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::on_threads;
    use crate::clock::Wall;
    use crate::routine::Size;
    use crate::settings::Settings;
    use crate::simulation::go_on;
    use crate::stopwatch::Stopwatch;
    use std::collections::BTreeSet;
    use std::num::{NonZeroU64, NonZeroUsize};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    const THREE: NonZeroUsize = NonZeroUsize::new(3).unwrap();
    const SIZE: Size = Size { iterations: 5, at_once: 5 };

    #[test]
    fn every_thread_does_all_iterations() {
        let (calls, threads) = (AtomicU64::new(0), Mutex::new(BTreeSet::new()));
        let body = || {
            calls.fetch_add(1, Ordering::Relaxed);
            threads.lock().unwrap().insert(format!("{:?}", thread::current().id()));
        };
        let settings =
            Settings { loops: NonZeroU64::new(5), repeats: NonZeroU64::new(7), ..Settings::default() };
        let wall = Wall::new();
        let measurement = on_threads(&wall, THREE, &body, |routine| {
            Stopwatch::new(settings, &wall, &mut go_on).measure(routine)
        });
        let measurement = measurement.unwrap();
        assert_eq!((calls.load(Ordering::Relaxed), measurement.calls), (105, 105));
        assert_eq!(threads.into_inner().unwrap().len(), 3);
        assert_eq!(measurement.threads.len(), 3);
        let samples = measurement.thread_samples().unwrap();
        let shape =
            |samples: &assay_statistics::Samples| samples.blocks().map(<[f64]>::len).collect::<Vec<_>>();
        let whole = measurement.samples().unwrap();
        assert!(samples.iter().all(|one| shape(one) == shape(&whole) && one.values().len() == 7));
    }

    #[test]
    fn threads_run_at_the_same_time() {
        // Each iteration waits for those of the other threads, which would be for ever if they ran one after another.
        let barrier = std::sync::Barrier::new(3);
        let wall = Wall::new();
        let elapsed = on_threads(&wall, THREE, &|| barrier.wait(), |routine| {
            let elapsed = routine.run(SIZE);
            assert!(routine.threads().iter().all(|thread| *thread <= elapsed));
            elapsed
        });
        assert!(elapsed.unwrap() > Duration::ZERO);
    }

    #[test]
    fn a_panic_goes_through_and_the_threads_end() {
        let calls = AtomicU64::new(0);
        let body = || assert!(calls.fetch_add(1, Ordering::Relaxed) != 12, "the thirteenth call");
        let wall = Wall::new();
        let run = || on_threads(&wall, THREE, &body, |routine| (0..3).map(|_| routine.run(SIZE)).count());
        let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the thirteenth call"));
        let outside = || on_threads(&wall, THREE, &|| (), |_| panic!("by the caller"));
        assert!(catch_unwind(AssertUnwindSafe(outside)).is_err());
    }
}
