//! What it costs to take samples, and how many of their stacks are complete.
//!
//! `cargo run --release -p assay-child --example sampler`. Work of several kinds is done by turns with samples being taken and without; shown are the medians of the ratios
//! of the processor's time in such pairs, and what was seen: how many stacks were complete, what a handler took, what was lost. On the wall, a thread that waits for a processor has samples too.
#![expect(clippy::print_stdout, reason = "a program that a person runs prints")]

#[cfg(stacks)]
#[path = "../src"]
#[cfg_attr(target_arch = "x86_64", expect(dead_code, reason = "the heap's watch uses more of it"))]
mod child {
    pub(crate) mod sampler;
    pub(crate) mod unwind;
}
#[cfg(stacks)]
use child::{sampler, unwind};

#[cfg(stacks)]
mod compare {
    use crate::sampler;
    use assay_link::watch::{Clock, Samples, Seen};
    use rustix::time::{ClockId, clock_gettime};
    use std::hint::black_box;
    use std::time::Instant;

    /// Pairs of runs.
    const PAIRS: usize = 31;

    /// A hundredth of a run.
    type Work = fn();

    pub(crate) fn all() {
        let works: [(&str, Work); 4] =
            [("sums", sums), ("deep", || deep(60)), ("strings", strings), ("two threads", threads)];
        println!("to begin and to end takes {:.2} ms", begin_and_end() * 1e3);
        println!(
            "{:>12} {:>7} {:>9} {:>9} {:>9} {:>9} {:>6} {:>12}",
            "work", "period", "overhead", "samples", "complete", "us each", "lost", "means"
        );
        for (name, work) in works {
            for (clock, period) in
                [(Clock::Processor, 997_000), (Clock::Processor, 199_000), (Clock::Wall, 997_000)]
            {
                pairs(name, work, clock, period);
            }
        }
    }

    /// Seconds, in the middle.
    fn begin_and_end() -> f64 {
        let mut times: Vec<f64> = (0..PAIRS)
            .map(|_| {
                let began = Instant::now();
                let _ = sampler::start(Clock::Processor, 997_000);
                sampler::stop();
                began.elapsed().as_secs_f64()
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[PAIRS / 2]
    }

    fn pairs(name: &str, work: Work, clock: Clock, period: u64) {
        let (mut ratios, mut samples, mut complete, mut spent, mut lost) = (Vec::new(), 0, 0, 0, 0);
        let mut means = None;
        for pair in 0..PAIRS {
            let plain = || run(work);
            let watched = || {
                sampler::start(clock, period).ok()?;
                let time = run(work);
                let Seen::Samples(seen) = sampler::stop() else { return None };
                Some((time, seen))
            };
            let (plain, watched) = if pair % 2 == 0 {
                let plain = plain();
                (plain, watched())
            } else {
                let watched = watched();
                (plain(), watched)
            };
            let Some((time, seen)) = watched else { return println!("no samples can be taken") };
            ratios.push(time / plain);
            samples += count(&seen, false);
            complete += count(&seen, true);
            (spent, lost, means) = (spent + seen.spent, lost + seen.lost, Some(seen.means));
        }
        ratios.sort_by(f64::total_cmp);
        let overhead = (ratios[PAIRS / 2] - 1.0) * 100.0;
        let part = complete as f64 / samples as f64 * 100.0;
        let each = spent as f64 / samples as f64 / 1000.0;
        println!(
            "{name:>12} {:>7} {overhead:>8.2}% {samples:>9} {part:>8.2}% {each:>9.2} {lost:>6} {clock:>12?}/{means:?}",
            period / 1000
        );
    }

    fn count(samples: &Samples, complete: bool) -> u64 {
        let stacks = samples.stacks.iter().filter(|stack| stack.trace.complete || !complete);
        stacks.map(|stack| stack.samples).sum()
    }

    fn run(work: Work) -> f64 {
        let began = clock_gettime(ClockId::ProcessCPUTime);
        (0..100).for_each(|_| work());
        let ended = clock_gettime(ClockId::ProcessCPUTime);
        (ended.tv_sec - began.tv_sec) as f64 + (ended.tv_nsec - began.tv_nsec) as f64 / 1e9
    }

    #[inline(never)]
    fn spin(turns: u64) -> u64 {
        (0..turns).fold(black_box(1), |sum: u64, turn| {
            black_box(sum).wrapping_mul(6_364_136_223_846_793_005) ^ turn
        })
    }

    fn sums() {
        black_box(spin(1_000_000));
    }

    #[inline(never)]
    fn deep(depth: u32) {
        if depth == 0 {
            sums();
        } else {
            deep(depth - 1);
        }
        black_box(depth);
    }

    fn strings() {
        let words: Vec<String> = (0..4000).map(|n| format!("{n} words of no great length")).collect();
        let text: String = words.iter().map(|word| word.replace("words", "nothing").to_uppercase()).collect();
        black_box(text.find("nowhere"));
    }

    fn threads() {
        std::thread::scope(|scope| {
            scope.spawn(sums);
            sums();
        });
    }
}

fn main() {
    #[cfg(stacks)]
    compare::all();
    #[cfg(not(stacks))]
    println!("no samples can be taken on this system");
}
