//! One piece of code at growing sizes.

use crate::measurement::Measurement;
use crate::routine::Routine;
use crate::settings::Settings;
use crate::stopwatch::Stopwatch;
use std::time::Duration;

/// See [`assay_statistics::PASSES`].
const PASSES: u32 = assay_statistics::PASSES as u32;

/// A size is measured again if so many runs fit into its share of a pass: the blocks that are judged by.
const RUNS_AGAIN: f64 = 5.0;

/// What was measured at growing sizes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sweep {
    /// Each size with its measurement, in ascending order. One is partial if the sweep was stopped.
    pub points: Vec<Point>,
    /// The sizes that were not measured, in ascending order: a single run of the smallest of them would have ended after the budget, or the sweep was stopped.
    pub left_out: Vec<u64>,
}

/// A size and what was measured there.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The size.
    pub size: u64,
    /// What was measured.
    pub measurement: Measurement,
    /// What it took with everything that was made ready for it, on the wall.
    pub elapsed: Duration,
}

impl Sweep {
    /// Sizes with the seconds of an iteration: what [`growth`](assay_statistics::growth) takes. It is the least of the medians of the passes, for whatever disturbs a machine makes it slower.
    pub fn costs(&self) -> Vec<(f64, f64)> {
        let least = |point: &Point| Some(point.measurement.samples().ok()?.least_disturbed());
        self.points.iter().filter_map(|point| Some((point.size as f64, least(point)?))).collect()
    }

    /// Whether it was stopped before its time.
    pub fn is_partial(&self) -> bool {
        self.points.iter().any(|point| point.measurement.is_partial())
    }
}

/// What is called with a routine to have it measured.
pub type Measure<'m> = dyn FnMut(&mut dyn Routine) + 'm;

impl Stopwatch<'_> {
    /// Measures code at each of `sizes`, which it takes in ascending order, in several passes. `at` is given a size, makes ready what is needed, and hands the routine to what it is given
    /// with it. A size of which it hands over nothing is passed over; of several the last counts.
    ///
    /// The budget is that of the whole sweep. Each size has an equal part of what is left of its pass, so that what small ones do not need is for the large ones. The first pass ends before the
    /// first size of which a single run would end after the budget, if cost goes on growing as it did last. Claims are not decided.
    pub fn sweep(&mut self, sizes: &[u64], at: &mut dyn FnMut(u64, &mut Measure<'_>)) -> Sweep {
        let mut all = Sizes::new(sizes, self.settings, self.wall.now());
        while let Some((size, settings)) = all.next(self.wall.now()) {
            all.keep(self.point(size, settings, at));
        }
        all.finish()
    }

    fn point(
        &mut self,
        size: u64,
        settings: Settings,
        at: &mut dyn FnMut(u64, &mut Measure<'_>),
    ) -> Option<Point> {
        let begun = self.wall.now();
        let mut measured = None;
        at(size, &mut |routine| measured = Some(self.measure_at(size, settings, routine)));
        let elapsed = self.wall.now().saturating_sub(begun);
        measured.map(|measurement| Point { size, measurement, elapsed })
    }
}

/// A sweep under way.
pub(crate) struct Sizes {
    settings: Settings,
    begun: Duration,
    sweep: Sweep,
    /// How many passes are over.
    over: u32,
    /// The sizes that this pass has not come to, if it is not the first.
    again: Vec<u64>,
}

impl Sizes {
    /// Nothing is measured yet.
    pub(crate) fn new(sizes: &[u64], settings: Settings, begun: Duration) -> Self {
        let mut left_out = sizes.to_vec();
        left_out.sort_unstable();
        left_out.dedup();
        Self { settings, begun, sweep: Sweep { points: Vec::new(), left_out }, over: 0, again: Vec::new() }
    }

    /// The next size, and how it is to be measured.
    pub(crate) fn next(&mut self, now: Duration) -> Option<(u64, Settings)> {
        if self.sweep.is_partial() {
            return None;
        }
        let left = self.settings.budget.saturating_sub(now.saturating_sub(self.begun));
        let next = if self.over == 0 { self.first_pass(left) } else { None };
        let (size, budget) = next.or_else(|| self.later_pass(left))?;
        Some((size, Settings { budget, claim: None, ..self.settings }))
    }

    /// The next size that nothing is known of, and its share of the budget.
    fn first_pass(&mut self, left: Duration) -> Option<(u64, Duration)> {
        let size = self.sweep.left_out.first().copied()?;
        if self.sweep.one_run(size) > left.as_secs_f64() {
            return None;
        }
        // Where nothing is timed there is nothing that a second look would tell.
        let passes = if self.settings.counts_only.is_some() { 1 } else { PASSES };
        let later = self.settings.budget / passes * (passes - 1);
        let share = left.saturating_sub(later) / self.sweep.left_out.len() as u32;
        self.sweep.left_out.remove(0);
        Some((size, share))
    }

    /// The next size that is measured again.
    fn later_pass(&mut self, left: Duration) -> Option<(u64, Duration)> {
        loop {
            if self.again.is_empty() {
                self.over += 1;
                if self.over >= PASSES || self.settings.counts_only.is_some() {
                    return None;
                }
                self.again = self.sweep.points.iter().map(|point| point.size).collect();
            }
            let share = left / (PASSES - self.over) / self.again.len().max(1) as u32;
            if self.again.is_empty() {
                return None;
            }
            let size = self.again.remove(0);
            let one_run =
                self.sweep.points.iter().find(|point| point.size == size).map_or(0.0, Point::one_run);
            if RUNS_AGAIN * one_run <= share.as_secs_f64() {
                return Some((size, share));
            }
        }
    }

    /// What was measured there, if anything was.
    pub(crate) fn keep(&mut self, point: impl IntoIterator<Item = Point>) {
        for point in point {
            match self.sweep.points.iter_mut().find(|before| before.size == point.size) {
                Some(before) => {
                    before.elapsed += point.elapsed;
                    before.measurement.append(point.measurement);
                }
                None => self.sweep.points.push(point),
            }
        }
    }

    pub(crate) fn finish(self) -> Sweep {
        self.sweep
    }
}

impl Sweep {
    /// The seconds that a single run at `size` is thought to take with all that is made ready for it: a power of the size, as it was from the last size but one to the last.
    fn one_run(&self, size: u64) -> f64 {
        match self.points.as_slice() {
            [] => 0.0,
            [only] => only.one_run() * only.growth(size),
            [.., before, last] => {
                let power = (last.one_run() / before.one_run()).ln() / before.growth(last.size).ln();
                last.one_run() * last.growth(size).powf(power.max(0.0))
            }
        }
    }
}

impl Point {
    fn one_run(&self) -> f64 {
        let Measurement { elapsed, calls, .. } = self.measurement;
        self.elapsed.saturating_sub(elapsed).as_secs_f64() + elapsed.as_secs_f64() / calls.max(1) as f64
    }

    /// How many times as large `size` is.
    fn growth(&self, size: u64) -> f64 {
        size as f64 / (self.size as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, Sweep};
    use crate::observer::Progress;
    use crate::settings::Settings;
    use crate::simulation::{Simulated, Time, noise};
    use crate::stopwatch::Stopwatch;
    use assay_statistics::{Class, Generator, GrowthVerdict, growth};
    use std::cell::Cell;
    use std::ops::ControlFlow;
    use std::time::Duration;

    /// Nanoseconds at a size.
    type Cost = fn(f64) -> f64;

    const BUDGET: Duration = Duration::from_secs(5);

    /// Code that takes `cost` nanoseconds after a setup of `setup` at each size, measured, and the seconds that it took. It is stopped after so many looks.
    fn sweep(sizes: &[u64], setup: Cost, cost: Cost, looks: u64) -> (Sweep, f64) {
        let time = Time::default();
        let clock = time.clock();
        let (seen, latest) = (Cell::new(0), Cell::new(0));
        let mut observer = |progress: &Progress<'_>| {
            seen.set(seen.get() + 1);
            assert_eq!(progress.size, Some(latest.get()));
            if seen.get() == looks { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut at = |size: u64, measure: &mut Measure<'_>| {
            latest.set(size);
            time.pass(setup(size as f64));
            let mut generator = Generator::new(size);
            measure(&mut Simulated::new(&time, &clock, |_, _| cost(size as f64) * noise(&mut generator)));
        };
        let settings = Settings { budget: BUDGET, ..Settings::default() };
        let sweep = Stopwatch::new(settings, &clock, &mut observer).sweep(sizes, &mut at);
        (sweep, time.seconds())
    }

    fn powers(from: u32, to: u32) -> Vec<u64> {
        (from..=to).map(|power| 1 << power).collect()
    }

    #[test]
    fn every_size_is_measured_in_each_pass_and_growth_is_seen() {
        let costs: [(Cost, Class); 3] =
            [(|n| 5.0 * n, Class::Linear), (|n| 0.1 * n * n, Class::Quadratic), (|_| 50.0, Class::Constant)];
        for (cost, class) in costs {
            let mut sizes = powers(4, 13);
            sizes.reverse();
            sizes.push(16);
            let (sweep, elapsed) = sweep(&sizes, |_| 1000.0, cost, u64::MAX);
            assert!(sweep.left_out.is_empty() && !sweep.is_partial());
            assert!(sweep.points.iter().map(|point| point.size).eq(powers(4, 13)));
            assert!(sweep.points.iter().all(|point| point.measurement.blocks.len() >= 3 * 5));
            assert!(elapsed < 1.05 * BUDGET.as_secs_f64(), "{elapsed}");
            let growth = growth(&sweep.costs(), 0.02, 0);
            let is_named =
                matches!(growth.verdict, GrowthVerdict::Named { class: named, .. } if named == class);
            assert!(is_named, "{:?}", growth.verdict);
        }
    }

    /// Somebody else works on the other half of the processor for a while.
    #[test]
    fn a_machine_that_is_slower_for_a_while_does_not_change_the_class() {
        for from in [0.0, 0.7, 1.9, 3.1] {
            let time = Time::default();
            let clock = time.clock();
            let mut observer = |_: &Progress<'_>| ControlFlow::Continue(());
            let mut at = |size: u64, measure: &mut Measure<'_>| {
                measure(&mut Simulated::new(&time, &clock, |_, _| {
                    let slow = (from..from + 1.2).contains(&time.seconds());
                    5.0 * size as f64 * if slow { 2.0 } else { 1.0 }
                }));
            };
            let settings = Settings { budget: BUDGET, ..Settings::default() };
            let sweep = Stopwatch::new(settings, &clock, &mut observer).sweep(&powers(6, 16), &mut at);
            let verdict = growth(&sweep.costs(), 0.02, 0).verdict;
            assert!(
                matches!(verdict, GrowthVerdict::Named { class: Class::Linear, .. }),
                "{from}: {verdict:?}"
            );
        }
    }

    #[test]
    fn sizes_that_would_outlast_the_budget_are_left_out() {
        // 2¹⁴ takes a quarter of a second, 2¹⁵ one, 2¹⁶ four.
        let square: Cost = |n| n * n;
        for (setup, cost) in [((|_| 0.0) as Cost, square), (square, |_| 10.0)] {
            let (sweep, elapsed) = sweep(&powers(4, 20), setup, cost, u64::MAX);
            let measured = sweep.points.last().unwrap().size;
            assert!((1 << 14..=1 << 15).contains(&measured), "{measured}");
            assert!(
                sweep.left_out.iter().copied().eq(powers(4, 20).into_iter().filter(|size| *size > measured))
            );
            assert!(elapsed < 1.1 * BUDGET.as_secs_f64(), "{elapsed}");
        }
    }

    #[test]
    fn an_interrupt_keeps_what_is_measured() {
        let (sweep, _) = sweep(&powers(4, 13), |_| 0.0, |n| n, 12);
        assert!(sweep.is_partial() && !sweep.points.is_empty() && !sweep.left_out.is_empty());
        assert_eq!(sweep.points.len() + sweep.left_out.len(), 10);
    }
}
