//! How far the stopwatch is from a loop written by hand around the same code, from a nanosecond to a tenth of a second, and with inputs.
//!
//! `cargo run --release -p assay-stopwatch --example bias`. Both take turns in the same process, five times over, with loops of about the same length. The first two columns are nanoseconds of an
//! iteration, the medians of the five; the ratios are those of the medians and of the first deciles: the latter shows what the loops are, the former also what the machine does to them meanwhile.
#![expect(clippy::print_stdout, reason = "a program that a person runs prints")]

use assay_stopwatch::{
    Each, Inputs, Instruments, Measurement, Plain, Progress, Routine, Settings, Stopwatch, Turn, Turns, Wall,
};
use std::convert::Infallible;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How often the two take turns.
const TURNS: usize = 5;

/// What a loop written by hand takes at least, and all of them together.
const LONG_ENOUGH: Duration = Duration::from_millis(1);
const ALL: Duration = Duration::from_millis(400);

/// The seconds of an iteration: the first decile and the median.
type Figures = [f64; 2];

/// So many steps that wait for one another. Never inlined, so that the two loops call the same code.
#[inline(never)]
fn spin(steps: u64) -> u64 {
    (0..steps).fold(1, |value, step| black_box(value ^ step))
}

/// The other code, with an input that it changes.
#[inline(never)]
fn sort(numbers: &mut [u64]) {
    numbers.sort_unstable();
}

fn main() {
    println!("{:>20} {:>14} {:>14} {:>8} {:>8}", "code", "by hand", "stopwatch", "medians", "deciles");

    for count in [0, 1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 40_000_000] {
        let wall = Wall::new();
        let hand = || {
            by_hand(|iterations| {
                let start = Instant::now();
                for _ in 0..iterations {
                    black_box(spin(black_box(count)));
                }
                start.elapsed()
            })
        };
        let mut plain = Plain::new(&wall, || spin(black_box(count)));
        row(&format!("{count} steps"), hand, || with_stopwatch(&wall, &mut plain));
        let turns = || inside_out(|turns, turn| turns.run(turn, || spin(black_box(count))));
        row("inside out", hand, turns);
        let result = || Ok::<_, Infallible>(spin(black_box(count)));
        row("that may fail", hand, || inside_out(|turns, turn| turns.try_run(turn, result).unwrap_or(())));
        let body = async || spin(black_box(count));
        row("that may wait", hand, || inside_out(|turns, turn| at_once(turns.run_async(turn, body))));
    }
    for length in [1, 10, 100, 10_000] {
        let wall = Wall::new();
        let numbers: Vec<u64> = (0..length).map(|number| number * 7919 % 1009).collect();
        let mut each = Each::borrowing(&wall, || numbers.clone(), |numbers: &mut Vec<u64>| sort(numbers));
        row(
            &format!("sort {length}"),
            || by_hand(|count| copies_sorted(&numbers, count)),
            || with_stopwatch(&wall, &mut each),
        );
        let mut inputs = Inputs::new();
        let body = |mut numbers: Vec<u64>| (sort(&mut numbers), numbers);
        row(
            "inside out",
            || by_hand(|count| copies_sorted(&numbers, count)),
            || inside_out(|turns, turn| turns.run_each(turn, &mut inputs, || numbers.clone(), body)),
        );
    }
}

/// Sorts so many copies, which are made before, a number at a time that stays in a cache.
fn copies_sorted(numbers: &[u64], count: u64) -> Duration {
    let at_once = (20_000 / numbers.len() as u64).clamp(1, 1000);
    let portion = |first: u64| {
        let mut inputs = vec![numbers.to_vec(); at_once.min(count - first) as usize];
        let start = Instant::now();
        for input in black_box(&mut inputs) {
            sort(input);
            black_box(());
        }
        start.elapsed()
    };
    (0..count).step_by(at_once as usize).map(portion).sum()
}

fn row(name: &str, hand: impl Fn() -> Figures, mut stopwatch: impl FnMut() -> Figures) {
    let turns: Vec<[Figures; 2]> = (0..TURNS).map(|_| [hand(), stopwatch()]).collect();
    let middle = |who: usize, figure: usize| {
        let mut values: Vec<f64> = turns.iter().map(|turn| turn[who][figure]).collect();
        values.sort_by(f64::total_cmp);
        values[TURNS / 2]
    };
    let [deciles, medians] = [0, 1].map(|figure| middle(1, figure) / middle(0, figure));
    let [hand, stopwatch] = [0, 1].map(|who| middle(who, 1) * 1e9);
    println!("{name:>20} {hand:>14.3} {stopwatch:>14.3} {medians:>8.4} {deciles:>8.4}");
}

fn settings() -> Settings {
    Settings { budget: ALL + Duration::from_millis(100), target: 0.0, ..Settings::default() }
}

fn go_on(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What the stopwatch says.
fn with_stopwatch(wall: &Wall, routine: &mut dyn Routine) -> Figures {
    figures(&Stopwatch::new(settings(), wall, &mut go_on).measure(routine))
}

/// What it says of code that asks for its turns.
fn inside_out(mut take: impl FnMut(&mut Turns<'_>, Turn)) -> Figures {
    let mut turns = Turns::measure(settings(), Instruments::new(go_on));
    while let Some(turn) = turns.next_turn() {
        take(&mut turns, turn);
    }
    turns.finish().first().map_or([f64::NAN; 2], figures)
}

/// The empty loop's cost is left in, as it is in the loop by hand.
fn figures(measurement: &Measurement) -> Figures {
    let quantile = |p| measurement.samples().map_or(f64::NAN, |samples| samples.sorted().quantile(p));
    [0.1, 0.5].map(|p| quantile(p) + measurement.empty_loop)
}

/// What a future gives that waits for nothing.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// What loops that are long enough say.
fn by_hand(time: impl Fn(u64) -> Duration) -> Figures {
    let mut iterations = 1;
    while (0..5).any(|_| time(iterations) < LONG_ENOUGH) {
        iterations *= 2;
    }
    let begun = Instant::now();
    let mut all = Vec::new();
    while begun.elapsed() < ALL {
        all.push(time(iterations).as_secs_f64() / iterations as f64);
    }
    all.sort_by(f64::total_cmp);
    [all[all.len() / 10], all[all.len() / 2]]
}
