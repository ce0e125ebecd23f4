//! Code that consumes or changes its input: a fresh input for every iteration, made while the clock stands.
//!
//! The clock cannot be stopped around a single nanosecond, so short code is given several inputs that were made before, and the loop over them is timed; long
//! code is given one at a time. How many it takes is worked out from what an iteration takes, see `gauge`. Results are kept until the clock stands, and dropped then.
//! What remains in the figure beside the code is that its input is read from memory, and a result that has to be dropped is written there.

use crate::clock::Clock;
use crate::routine::{Counter, Counts, Routine, Size};
use std::convert::Infallible;
use std::hint::black_box;
use std::mem::{MaybeUninit, needs_drop};
use std::time::Duration;

/// Inputs and results that lie ready take no more than this, not counting what they own elsewhere: a part of a common second-level cache.
const MOST_BYTES: usize = 256 << 10;

/// There are no more inputs at a time than this, however small they are.
const MOST_INPUTS: usize = 8192;

/// Code that is given an input of its own in every iteration.
#[derive(Debug)]
pub struct Each<'c, C, S, T, P, B> {
    clock: &'c C,
    setup: P,
    body: B,
    inputs: Inputs<S, T>,
}

/// Room for inputs and results, which is kept from run to run.
#[derive(Debug)]
pub struct Inputs<S, T> {
    inputs: Vec<S>,
    results: Vec<T>,
}

/// Code that takes its input: what it does not give back in its result it drops, while the clock runs.
#[derive(Debug)]
pub struct Consuming<F>(F);

/// Code that takes its input and may fail.
#[derive(Debug)]
struct Fallible<F>(F);

/// Code that changes its input, which is dropped while the clock stands.
#[derive(Debug)]
pub struct Borrowing<F>(F);

impl<'c, C, S, T, P, F> Each<'c, C, S, T, P, Consuming<F>>
where
    C: Clock,
    P: FnMut() -> S,
    F: FnMut(S) -> T,
{
    /// `body` with what `setup` returns. Inputs that the code need not own are better [borrowed](Self::borrowing): then their drop is not timed.
    pub fn consuming(clock: &'c C, setup: P, body: F) -> Self {
        Self { clock, setup, body: Consuming(body), inputs: Inputs::new() }
    }
}

impl<'c, C, S, T, P, F> Each<'c, C, S, T, P, Borrowing<F>>
where
    C: Clock,
    P: FnMut() -> S,
    F: FnMut(&mut S) -> T,
{
    /// `body` with a reference to what `setup` returns.
    pub fn borrowing(clock: &'c C, setup: P, body: F) -> Self {
        Self { clock, setup, body: Borrowing(body), inputs: Inputs::new() }
    }
}

impl<C, S, T, P, B> Routine for Each<'_, C, S, T, P, B>
where
    C: Clock,
    P: FnMut() -> S,
    B: Body<S, T, Stop = Infallible>,
{
    fn run(&mut self, size: Size) -> Duration {
        let Ok(elapsed) = run(self.clock, size, &mut self.inputs, &mut self.setup, &mut self.body);
        elapsed
    }

    fn empty(&mut self, size: Size) -> Duration {
        empty(self.clock, size, B::pass_nothing)
    }

    fn count(&mut self, counter: &mut dyn Counter) -> Counts {
        let Ok(counts) = self.body.once((self.setup)(), counter);
        counts
    }

    fn clock(&self) -> &dyn Clock {
        self.clock
    }

    fn most_inputs(&self) -> Option<u64> {
        Some(self.inputs.most())
    }
}

impl<S, T> Inputs<S, T> {
    /// No room yet.
    pub const fn new() -> Self {
        Self { inputs: Vec::new(), results: Vec::new() }
    }

    /// How many inputs may be ready at a time, as far as their own size and that of results tell.
    pub fn most(&self) -> u64 {
        let result = if needs_drop::<T>() { size_of::<T>() } else { 0 };
        (MOST_BYTES / (size_of::<S>() + result).max(1)).clamp(1, MOST_INPUTS) as u64
    }
}

impl<S, T> Default for Inputs<S, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Runs `body` as often as `size` says, each time with what `setup` returns, and returns what the clock counted: as [`Each::consuming`] does. What the code gives back, inputs for
/// instance, is dropped while the clock stands.
pub fn run_each<C: Clock + ?Sized, S, T>(
    clock: &C,
    size: Size,
    inputs: &mut Inputs<S, T>,
    mut setup: impl FnMut() -> S,
    body: impl FnMut(S) -> T,
) -> Duration {
    let Ok(elapsed) = run(clock, size, inputs, &mut setup, &mut Consuming(body));
    elapsed
}

/// The same with code that may fail. Err: what it failed with; it did not run again, and inputs that it did not see are dropped.
pub fn run_fallible_each<C: Clock + ?Sized, S, T, E>(
    clock: &C,
    size: Size,
    inputs: &mut Inputs<S, T>,
    mut setup: impl FnMut() -> S,
    body: impl FnMut(S) -> Result<T, E>,
) -> Result<Duration, E> {
    run(clock, size, inputs, &mut setup, &mut Fallible(body))
}

/// Runs `body` once with the counter on, which is off while the input is made.
pub fn count_each<S, T>(
    counter: &mut dyn Counter,
    mut setup: impl FnMut() -> S,
    body: impl FnMut(S) -> T,
) -> Counts {
    let Ok(counts) = Consuming(body).once(setup(), counter);
    counts
}

/// The same with code that may fail.
pub fn count_fallible_each<S, T, E>(
    counter: &mut dyn Counter,
    mut setup: impl FnMut() -> S,
    body: impl FnMut(S) -> Result<T, E>,
) -> Result<Counts, E> {
    Fallible(body).once(setup(), counter)
}

/// The loop of code that takes its input with nothing in it. What inputs there would be makes no difference.
pub(crate) fn empty_each<C: Clock + ?Sized>(clock: &C, size: Size) -> Duration {
    empty(clock, size, <Consuming<fn(u64)> as Body<u64, ()>>::pass_nothing)
}

/// Runs all iterations. Inputs and results are dropped while the clock stands.
fn run<C: Clock + ?Sized, S, T, B: Body<S, T>>(
    clock: &C,
    size: Size,
    Inputs { inputs, results }: &mut Inputs<S, T>,
    setup: &mut impl FnMut() -> S,
    body: &mut B,
) -> Result<Duration, B::Stop> {
    in_portions(size, |count| {
        inputs.extend((0..count).map(|_| setup()));
        if needs_drop::<T>() {
            results.reserve(inputs.len());
        }
        let state = (&mut *body, &mut *inputs, &mut *results);
        let (elapsed, end) = timed(clock, state, |(body, inputs, results)| body.pass(inputs, results));
        results.clear();
        inputs.clear();
        end.map(|()| elapsed)
    })
}

/// The same with nothing in the loop, and no inputs.
fn empty<C: Clock + ?Sized, S>(clock: &C, size: Size, pass: fn(&mut Vec<MaybeUninit<S>>)) -> Duration {
    let mut inputs: Vec<MaybeUninit<S>> = Vec::new();
    let Ok(elapsed) = in_portions(size, |count| {
        inputs.extend((0..count).map(|_| MaybeUninit::uninit()));
        let (elapsed, ()) = timed(clock, &mut inputs, pass);
        inputs.clear();
        Ok::<_, Infallible>(elapsed)
    });
    elapsed
}

/// Runs all iterations, as many at a time as inputs may be ready.
fn in_portions<E>(size: Size, mut portion: impl FnMut(u64) -> Result<Duration, E>) -> Result<Duration, E> {
    let mut left = size.iterations;
    let mut elapsed = Duration::ZERO;
    while left > 0 {
        let count = left.min(size.at_once.max(1));
        elapsed += portion(count)?;
        left -= count;
    }
    Ok(elapsed)
}

/// One pass over what is ready. The compiler is to know nothing of `state` from before. Never inlined, so that the code of the loop is the same wherever it is called from.
#[inline(never)]
fn timed<C: Clock + ?Sized, A, R>(clock: &C, state: A, pass: impl FnOnce(A) -> R) -> (Duration, R) {
    let state = black_box(state);
    let start = clock.now();
    let result = pass(state);
    (clock.now().saturating_sub(start), result)
}

/// The ways in which code is given its input.
pub trait Body<S, T> {
    /// What it may fail with.
    type Stop;
    /// The loop: takes all inputs and keeps the results, for which there is room.
    fn pass(&mut self, inputs: &mut Vec<S>, results: &mut Vec<T>) -> Result<(), Self::Stop>;
    /// The same loop over inputs that are nothing.
    fn pass_nothing(inputs: &mut Vec<MaybeUninit<S>>);
    /// One iteration with the counter on.
    fn once(&mut self, input: S, counter: &mut dyn Counter) -> Result<Counts, Self::Stop>;
}

impl<S, T, F: FnMut(S) -> T> Body<S, T> for Consuming<F> {
    type Stop = Infallible;

    #[inline]
    fn pass(&mut self, inputs: &mut Vec<S>, results: &mut Vec<T>) -> Result<(), Infallible> {
        keep(inputs.drain(..), |input| (self.0)(input), results);
        Ok(())
    }

    #[inline]
    fn pass_nothing(inputs: &mut Vec<MaybeUninit<S>>) {
        keep(inputs.drain(..), |_| (), &mut Vec::new());
    }

    fn once(&mut self, input: S, counter: &mut dyn Counter) -> Result<Counts, Infallible> {
        counter.start();
        let _result = black_box((self.0)(input));
        Ok(counter.stop())
    }
}

impl<S, T, F: FnMut(&mut S) -> T> Body<S, T> for Borrowing<F> {
    type Stop = Infallible;

    #[inline]
    fn pass(&mut self, inputs: &mut Vec<S>, results: &mut Vec<T>) -> Result<(), Infallible> {
        keep(inputs.iter_mut(), |input| (self.0)(input), results);
        Ok(())
    }

    #[inline]
    fn pass_nothing(inputs: &mut Vec<MaybeUninit<S>>) {
        keep(inputs.iter_mut(), |_| (), &mut Vec::new());
    }

    fn once(&mut self, mut input: S, counter: &mut dyn Counter) -> Result<Counts, Infallible> {
        counter.start();
        let _result = black_box((self.0)(&mut input));
        Ok(counter.stop())
    }
}

impl<S, T, E, F: FnMut(S) -> Result<T, E>> Body<S, T> for Fallible<F> {
    type Stop = E;

    /// As [`keep`] does.
    #[inline]
    fn pass(&mut self, inputs: &mut Vec<S>, results: &mut Vec<T>) -> Result<(), E> {
        for input in inputs.drain(..) {
            let result = (self.0)(input)?;
            if needs_drop::<T>() {
                black_box(());
                results.push(result);
            } else {
                black_box(result);
            }
        }
        Ok(())
    }

    #[inline]
    fn pass_nothing(inputs: &mut Vec<MaybeUninit<S>>) {
        keep(inputs.drain(..), |_| (), &mut Vec::new());
    }

    fn once(&mut self, input: S, counter: &mut dyn Counter) -> Result<Counts, E> {
        counter.start();
        let result = black_box((self.0)(input));
        let counts = counter.stop();
        result.map(|_| counts)
    }
}

/// Keeps results that have to be dropped; of others it is enough that they were computed.
///
/// What is kept is written to memory that the compiler knows nothing of, which is as good as `black_box`; through `black_box` it would be written twice, and read
/// in between, which takes as long as some ten additions. That of nothing keeps iterations apart.
///
/// `body` is a closure and not a reference to one: closures are compiled into the loop, where the call through a reference stays a call if it is compiled in another unit.
#[inline]
fn keep<I, T>(inputs: impl Iterator<Item = I>, mut body: impl FnMut(I) -> T, results: &mut Vec<T>) {
    if needs_drop::<T>() {
        results.extend(inputs.map(|input| {
            let result = body(input);
            black_box(());
            result
        }));
    } else {
        for input in inputs {
            black_box(body(input));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Each, MOST_BYTES, MOST_INPUTS};
    use crate::measurement::Measurement;
    use crate::routine::{Routine, Size};
    use crate::settings::Settings;
    use crate::simulation::{READING, Time, go_on, to_the_end};
    use crate::stopwatch::Stopwatch;
    use std::cell::Cell;
    use std::num::NonZeroU64;
    use std::time::Duration;

    /// An input that is alive until it is dropped, which takes 700 ns.
    struct Input<'t> {
        time: &'t Time,
        alive: &'t Cell<u64>,
    }

    impl Drop for Input<'_> {
        fn drop(&mut self) {
            self.time.pass(700.0);
            self.alive.set(self.alive.get() - 1);
        }
    }

    /// Code that takes `cost` nanoseconds with inputs that take `setup` to make, measured; besides, how many inputs were made, and how many were alive
    /// at once at most.
    fn measure(settings: Settings, setup: f64, cost: f64, consumes: bool) -> (Measurement, u64, u64) {
        let time = Time::default();
        let clock = time.clock();
        let [made, used, alive, most] = [const { Cell::new(0) }; 4];
        let prepare = || {
            time.pass(setup);
            made.set(made.get() + 1);
            alive.set(alive.get() + 1);
            most.set(alive.get().max(most.get()));
            Input { time: &time, alive: &alive }
        };
        let work = || {
            time.pass(cost);
            used.set(used.get() + 1);
        };
        let mut observer = go_on;
        let mut stopwatch = Stopwatch::new(settings, &clock, &mut observer);
        let measurement = if consumes {
            // The result holds the input, which therefore goes when the clock stands.
            stopwatch.measure(&mut Each::consuming(&clock, prepare, |input| (work(), input)))
        } else {
            stopwatch.measure(&mut Each::borrowing(&clock, prepare, |_: &mut Input<'_>| work()))
        };
        assert_eq!((made.get(), alive.get()), (used.get(), 0));
        assert_eq!(measurement.calls, made.get());
        (measurement, made.get(), most.get())
    }

    fn check_median(measurement: &Measurement, expected: f64, share: f64) {
        let median = measurement.samples().unwrap().sorted().median() * 1e9;
        assert!((median / expected - 1.0).abs() < share, "{median} is not {expected}");
    }

    #[test]
    fn setup_and_drop_are_not_timed_and_every_input_is_used_once() {
        for consumes in [true, false] {
            for (setup, cost) in [(50.0, 200.0), (1000.0, 20_000.0), (200_000.0, 3000.0), (10.0, 5e6)] {
                let (measurement, _, _) = measure(to_the_end(), setup, cost, consumes);
                check_median(&measurement, cost, 0.01);
            }
        }
    }

    #[test]
    fn prescribed_loops_have_as_many_inputs() {
        for (loops, repeats, cost) in [(1, 3, 10.0), (1000, 7, 10.0), (10, 2, 1e6)] {
            let [fixed_loops, fixed_repeats] = [loops, repeats].map(NonZeroU64::new);
            let settings = Settings { loops: fixed_loops, repeats: fixed_repeats, ..to_the_end() };
            for consumes in [true, false] {
                let (measurement, made, _) = measure(settings, 100.0, cost, consumes);
                assert_eq!((measurement.calls, made), (loops * repeats, loops * repeats));
            }
        }
    }

    #[test]
    fn few_inputs_are_alive_at_once() {
        // As many as make a portion that is long beside a reading of the clock.
        let (_, _, most) = measure(to_the_end(), 50.0, 200.0, false);
        let enough = (400.0 * READING / 200.0) as u64;
        assert!((enough / 2..=2 * enough).contains(&most), "{most}");
        // Long code has one, and so has code whose inputs take long to make.
        assert_eq!(measure(to_the_end(), 50.0, 20_000.0, true).2, 1);
        assert_eq!(measure(to_the_end(), 5e6, 10.0, true).2, 1);
        // Prescribed loops are no reason to make all inputs before.
        let settings = Settings { loops: NonZeroU64::new(5000), repeats: NonZeroU64::new(2), ..to_the_end() };
        assert!(measure(settings, 50.0, 200.0, true).2 <= 2 * enough);
        assert_eq!(measure(settings, 50.0, 20_000.0, true).2, 1);
    }

    #[test]
    fn inputs_that_are_large_themselves_are_few() {
        let time = Time::default();
        let clock = time.clock();
        let most = |routine: &dyn Routine| routine.most_inputs();
        assert_eq!(most(&Each::consuming(&clock, || (), |()| ())), Some(MOST_INPUTS as u64));
        assert_eq!(most(&Each::consuming(&clock, || [0_u8; 4096], |_| ())), Some(MOST_BYTES as u64 / 4096));
        assert_eq!(most(&Each::borrowing(&clock, || [0_u8; 1 << 20], |_| ())), Some(1));
        let large = || ([0_u8; 4096 - 24], Vec::<u8>::new());
        assert_eq!(most(&Each::consuming(&clock, large, |input| input)), Some(MOST_BYTES as u64 / 8192));
    }

    #[test]
    fn the_empty_loop_needs_no_input_and_reads_the_clock_as_often() {
        let time = Time::default();
        let clock = time.clock();
        let setup = || -> u64 { unreachable!("no input is made for nothing") };
        let size = Size { iterations: 100, at_once: 10 };
        let mut consuming = Each::consuming(&clock, setup, |input| input);
        // Between two readings only the second one takes time here.
        assert_eq!(consuming.empty(size), Duration::from_nanos(10 * READING as u64));
        let mut borrowing = Each::borrowing(&clock, setup, |input| *input);
        assert_eq!(borrowing.empty(size), Duration::from_nanos(10 * READING as u64));
    }
}
