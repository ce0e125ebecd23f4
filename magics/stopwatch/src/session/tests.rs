use crate::measurement::{Ending, Measurement};
use crate::observer::Progress;
use crate::routine::{Counter, Counts, Plain, Routine};
use crate::settings::Settings;
use crate::simulation::{EMPTY, Run, Simulated, Time, go_on, noise, seconds, to_the_end};
use crate::stopwatch::Stopwatch;
use assay_statistics::{Bootstrap, Generator, Interleaved, Sorted, Warning, warnings};
use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::time::Duration;

const US: f64 = 1e3;
const MS: f64 = 1e6;
const S: f64 = 1e9;

/// What costs so many nanoseconds, for each iteration by the number of the run and its iterations, measured.
fn measure(settings: Settings, cost: impl FnMut(usize, u64) -> f64) -> (Measurement, Vec<Run>) {
    let time = Time::default();
    let clock = time.clock();
    let mut code = Simulated::new(&time, &clock, cost);
    let measurement = Stopwatch::new(settings, &clock, &mut go_on).measure(&mut code);
    assert_eq!(measurement.calls, code.calls);
    (measurement, code.runs)
}

/// A cost with noise.
fn noisy(cost: f64) -> impl FnMut(usize, u64) -> f64 {
    let mut generator = Generator::new(cost as u64);
    move |_, _| cost * noise(&mut generator)
}

fn batches(measurement: &Measurement) -> usize {
    measurement.blocks.iter().map(Vec::len).sum()
}

fn median(measurement: &Measurement) -> f64 {
    measurement.samples().unwrap().sorted().median()
}

fn check_near(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() <= share, "{value} is not {expected}");
}

fn prescribed(loops: Option<u64>, repeats: Option<u64>) -> Settings {
    let [loops, repeats] = [loops, repeats].map(|number| number.and_then(NonZeroU64::new));
    Settings { loops, repeats, ..Settings::default() }
}

#[test]
fn prescribed_loops_and_repeats_are_all_that_runs() {
    for (loops, repeats, cost) in
        [(1, 1, US), (1000, 7, US), (3, 100, MS), (10, 7, 0.3), (1, 3, 90.0 * S), (1, 2500, 1.0)]
    {
        let (measurement, runs) = measure(prescribed(Some(loops), Some(repeats)), noisy(cost));
        assert_eq!((measurement.calls, runs.len() as u64), (loops * repeats, repeats));
        assert!(runs.iter().all(|run| run.size.iterations == loops));
        assert_eq!((batches(&measurement) as u64, measurement.first), (repeats, None));
        assert_eq!(measurement.ending, Ending::Complete);
    }
}

#[test]
fn prescribed_loops_are_repeated_until_it_is_sure_or_the_budget_is_spent() {
    for (target, ending) in [(0.05, Ending::Sure), (0.0, Ending::Spent)] {
        let (measurement, runs) = measure(Settings { target, ..prescribed(Some(500), None) }, noisy(US));
        assert!(runs.iter().all(|run| run.size.iterations == 500));
        assert_eq!((runs.len(), measurement.ending), (batches(&measurement), ending));
    }
    let (many, _) = measure(Settings { target: 0.0, ..prescribed(Some(1), None) }, noisy(10.0));
    assert_eq!(many.ending, Ending::Plenty);
}

#[test]
fn prescribed_repeats_are_neither_more_nor_fewer() {
    for (repeats, cost) in [(1, US), (7, US), (7, 0.4 * S), (3, 2.0 * S), (900, 10.0 * US)] {
        let (measurement, _) = measure(prescribed(None, Some(repeats)), noisy(cost));
        assert_eq!((batches(&measurement) as u64, measurement.ending), (repeats, Ending::Complete));
        assert!(measurement.first.is_some());
        let took = measurement.batch();
        assert!(took > 0.7e-3 && (took < 2e-3 || measurement.blocks[0][0].iterations == 1), "{took}");
    }
}

#[test]
fn a_batch_takes_one_or_two_milliseconds() {
    for cost in [0.3, 1.0, 25.0, 333.0, 10.0 * US, 90.0 * US, 400.0 * US] {
        let (measurement, _) = measure(to_the_end(), noisy(cost));
        for batch in measurement.blocks.iter().flatten() {
            let undisturbed = batch.iterations as f64 * (cost + EMPTY) / MS;
            assert!((1.0..2.0).contains(&undisturbed), "{undisturbed} ms at {cost} ns");
        }
        check_near(median(&measurement), cost / S, 0.01);
    }
}

#[test]
fn it_ends_with_its_budget_and_is_late_by_one_batch_at_most() {
    for budget in [100, 500, 1000, 10_000] {
        for cost in
            [0.3, 25.0, 10.0 * US, 3.0 * MS, 40.0 * MS, 99.0 * MS, 130.0 * MS, 0.3 * S, 0.7 * S, 3.0 * S]
        {
            let settings = Settings { budget: Duration::from_millis(budget), ..to_the_end() };
            let (measurement, runs) = measure(settings, noisy(cost));
            let budget = budget as f64 / 1e3;
            assert_eq!(measurement.ending, Ending::Spent);
            assert!(runs.len() <= 2 || runs[runs.len() - 1].begun < budget, "{cost}");
            // Noise makes the last batch up to four times as long.
            let batch = cost.max(if budget > 5.0 { 2.5 * MS } else { 2.0 * MS }) / S;
            assert!(
                measurement.elapsed.as_secs_f64() < budget + 4.5 * batch,
                "{:?} at {cost}",
                measurement.elapsed
            );
            // What would be over by more than half of it, or of a block, after the budget was not begun.
            let rest = 0.5 * batch.max(0.1 * budget);
            assert!(
                measurement.elapsed.as_secs_f64() + rest > 0.95 * budget,
                "{:?} at {cost}",
                measurement.elapsed
            );
        }
    }
}

#[test]
fn what_takes_minutes_runs_once() {
    let (measurement, _) = measure(Settings::default(), |_, _| 90.0 * S);
    assert_eq!((measurement.calls, measurement.ending), (1, Ending::Spent));
    assert_eq!((batches(&measurement), measurement.first), (1, Some(measurement.blocks[0][0].elapsed)));
    check_near(median(&measurement), 90.0, 1e-6);
}

#[test]
fn what_takes_less_than_the_budget_runs_again() {
    let (measurement, _) = measure(Settings::default(), |_, _| 0.9 * S);
    assert_eq!((measurement.calls, batches(&measurement)), (2, 1));
    let (measurement, _) = measure(Settings::default(), |_, _| 0.15 * S);
    assert_eq!((measurement.calls, batches(&measurement)), (7, 6));
}

#[test]
fn one_interrupted_trial_spoils_no_calibration() {
    let (_, undisturbed) = measure(to_the_end(), |_, _| US);
    let trials = undisturbed.iter().take_while(|run| run.begun < 0.1).count();
    for interrupted in 0..trials {
        let cost =
            |run, iterations| US + if run == interrupted { 30.0 * MS / iterations as f64 } else { 0.0 };
        let (measurement, _) = measure(to_the_end(), cost);
        let sizes = measurement.blocks.iter().flatten().map(|batch| batch.iterations);
        assert!(sizes.clone().all(|size| (1000..2000).contains(&size)), "{interrupted}: {:?}", sizes.min());
    }
}

#[test]
fn a_slow_first_run_is_kept_apart_and_warned_of() {
    for slow in [MS, 20.0 * MS, 99.0 * MS, 0.1 * S, 0.3 * S, 0.9 * S] {
        let (measurement, _) = measure(to_the_end(), |run, _| if run == 0 { slow } else { US });
        check_near(measurement.first.unwrap().as_secs_f64(), slow / S, 0.01);
        check_near(median(&measurement), US / S, 0.01);
        assert!(measurement.blocks.iter().flatten().all(|batch| (1000..2000).contains(&batch.iterations)));
        let samples = measurement.samples().unwrap();
        let estimate = Bootstrap::default().median(&samples, 0.02);
        let warnings = warnings(&samples, &estimate, &measurement.circumstances(0.02));
        assert!(warnings.iter().any(|warning| matches!(warning, Warning::SlowFirstRun { .. })), "{slow}");
    }
}

#[test]
fn blocks_are_spread_over_the_budget() {
    for (wanted, cost) in [(0, 0.3), (5, US), (10, US), (20, 100.0 * US), (10, 3.0 * MS)] {
        let ends = RefCell::new(Vec::new());
        let time = Time::default();
        let clock = time.clock();
        let mut code = Simulated::new(&time, &clock, |_, _| cost);
        let mut observer = |progress: &Progress<'_>| {
            ends.borrow_mut().push(progress.elapsed.as_secs_f64());
            ControlFlow::Continue(())
        };
        let settings = Settings { blocks: wanted, ..to_the_end() };
        let measurement = Stopwatch::new(settings, &clock, &mut observer).measure(&mut code);
        let blocks = measurement.blocks.len() as u32;
        assert!((wanted.max(5)..=wanted.max(5) + 1).contains(&blocks), "{blocks} for {wanted}");
        let ends = ends.borrow();
        for pair in ends.windows(2) {
            check_near(pair[1] - pair[0], 0.9 / f64::from(wanted.max(5)), 0.1);
        }
    }
}

#[test]
fn long_measurements_are_looked_at_often_and_do_not_drown_in_samples() {
    let looks = Cell::new(0);
    let time = Time::default();
    let clock = time.clock();
    let mut code = Simulated::new(&time, &clock, |_, _| US);
    let mut observer = |_: &Progress<'_>| {
        looks.set(looks.get() + 1);
        ControlFlow::Continue(())
    };
    let settings = Settings { budget: Duration::from_secs(60), ..to_the_end() };
    let measurement = Stopwatch::new(settings, &clock, &mut observer).measure(&mut code);
    assert!(looks.get() > 200 && batches(&measurement) <= 4000, "{looks:?} {}", batches(&measurement));
    check_near(measurement.elapsed.as_secs_f64(), 60.0, 0.01);
}

#[test]
fn it_ends_early_when_it_is_sure_and_not_when_blocks_differ() {
    let (sure, _) = measure(Settings::default(), noisy(US));
    assert_eq!((sure.ending, sure.is_partial()), (Ending::Sure, false));
    assert!(sure.elapsed < Duration::from_millis(700) && sure.blocks.len() >= 5, "{:?}", sure.elapsed);

    let mut generator = Generator::new(3);
    let moods: Vec<usize> = (0..100).map(|_| 80 + generator.below(40)).collect();
    let (unsure, _) = measure(Settings::default(), |run, _| 10.0 * moods[run / 60] as f64);
    assert_eq!(unsure.ending, Ending::Spent);
}

#[test]
fn what_was_measured_before_an_interrupt_is_kept_and_partial() {
    for settings in [to_the_end(), prescribed(Some(100), Some(70)), prescribed(None, Some(100))] {
        let looks = Cell::new(0);
        let time = Time::default();
        let clock = time.clock();
        let mut code = Simulated::new(&time, &clock, |_, _| US);
        let mut observer = |progress: &Progress<'_>| {
            looks.set(looks.get() + 1);
            assert!(progress.medians.len() == 1 && progress.half_width.is_none());
            if looks.get() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let measurement = Stopwatch::new(settings, &clock, &mut observer).measure(&mut code);
        assert_eq!((measurement.ending, measurement.is_partial()), (Ending::Stopped, true));
        assert_eq!((measurement.blocks.len(), looks.get()), (3, 3));
        check_near(median(&measurement), 1e-6, 0.01);
    }
}

#[test]
fn batches_follow_a_cost_that_changes() {
    for (before, after) in [(US, 30.0 * US), (30.0 * US, US), (100.0, 3.0 * US), (20.0 * MS, US)] {
        let time = Time::default();
        let clock = time.clock();
        let mut code =
            Simulated::new(&time, &clock, |_, _| if time.seconds() < 0.4 { before } else { after });
        let measurement = Stopwatch::new(to_the_end(), &clock, &mut go_on).measure(&mut code);
        let last = measurement.blocks.last().unwrap();
        check_near(
            Sorted::new(&last.iter().map(seconds).collect::<Vec<_>>()).unwrap().median(),
            after / S,
            0.01,
        );
        let size = last[0].iterations as f64 * after;
        assert!(size < 2.0 * MS && size > 0.7 * MS || last[0].iterations == 1, "{size}");
    }
}

#[test]
fn the_empty_loop_is_measured_and_taken_off() {
    let (measurement, _) = measure(to_the_end(), |_, _| 0.1);
    check_near(measurement.empty_loop, EMPTY * 1e-9, 0.001);
    check_near(median(&measurement), 0.1e-9, 0.01);
    let (nothing, _) = measure(Settings::default(), |_, _| 0.0);
    assert!(median(&nothing) < 1e-12 && nothing.ending != Ending::Stopped);
}

#[test]
fn code_that_sleeps_takes_no_processor_time_and_ends_with_the_budget() {
    let time = Time::default();
    let wall = time.clock();
    let busy = Cell::new(0.0);
    let processor = || {
        busy.set(busy.get() + 200.0);
        Duration::from_micros((busy.get() / US) as u64)
    };
    let body = || {
        time.pass(5.0 * MS);
        busy.set(busy.get() + 2.0 * US);
    };
    let measurement =
        Stopwatch::new(to_the_end(), &wall, &mut go_on).measure(&mut Plain::new(&processor, body));
    assert_eq!(measurement.clock.step, 1e-6);
    check_near(median(&measurement), 2e-6, 0.2);
    check_near(measurement.elapsed.as_secs_f64(), 1.0, 0.01);
}

/// Counts what the code says.
struct Heap<'c>(&'c Cell<u64>, u64);

impl Counter for Heap<'_> {
    fn start(&mut self) {
        self.1 = self.0.get();
    }

    fn stop(&mut self) -> Counts {
        let allocations = self.0.get() - self.1;
        Counts { allocations, bytes: 8 * allocations }
    }
}

#[test]
fn allocations_are_counted_in_iterations_of_their_own() {
    for (settings, cost, expected) in [
        (to_the_end(), US, 10),
        (to_the_end(), 30.0 * MS, 3),
        (to_the_end(), 200.0 * MS, 1),
        (to_the_end(), 300.0 * MS, 0),
        (prescribed(Some(10), Some(3)), US, 0),
        (prescribed(None, Some(3)), US, 10),
    ] {
        let (time, heap, calls) = (Time::default(), Cell::new(0), Cell::new(0_u64));
        let clock = time.clock();
        let body = || {
            time.pass(cost);
            calls.set(calls.get() + 1);
            heap.set(heap.get() + 2 + calls.get() % 2);
        };
        let mut counter = Heap(&heap, 0);
        let mut observer = go_on;
        let mut stopwatch = Stopwatch::new(settings, &clock, &mut observer);
        stopwatch.counter = Some(&mut counter);
        let measurement = stopwatch.measure(&mut Plain::new(&clock, body));
        assert_eq!(measurement.calls, calls.get());
        assert_eq!(measurement.counted.map_or(0, |counted| counted.iterations), expected, "{cost}");
        let Some(counted) = measurement.counted.filter(|counted| counted.iterations > 1) else { continue };
        assert_eq!(counted.least, Counts { allocations: 2, bytes: 16 });
        assert_eq!(counted.most, Counts { allocations: 3, bytes: 24 });
        assert!(!counted.is_constant());
    }
}

/// Contestants that take so long, with a note of who ran.
fn compare(settings: Settings, costs: &[f64]) -> (Vec<Measurement>, Vec<usize>) {
    let time = Time::default();
    let clock = time.clock();
    let log = RefCell::new(Vec::new());
    let code = |index: usize| {
        let (log, mut noisy) = (&log, noisy(costs[index]));
        Simulated::new(&time, &clock, move |run, iterations| {
            log.borrow_mut().push(index);
            noisy(run, iterations)
        })
    };
    let mut all: Vec<_> = (0..costs.len()).map(code).collect();
    let mut routines: Vec<&mut dyn Routine> = all.iter_mut().map(|one| one as &mut dyn Routine).collect();
    let measurements = Stopwatch::new(settings, &clock, &mut go_on).compare(&mut routines);
    drop(all);
    (measurements, log.into_inner())
}

#[test]
fn in_a_round_each_has_its_turn_once_and_the_order_is_random() {
    for count in 2..=4 {
        let costs: Vec<f64> = (0..count).map(|index| US * (index + 1) as f64).collect();
        let (measurements, log) = compare(to_the_end(), &costs);
        let rounds = batches(&measurements[0]);
        assert!(measurements.iter().all(|measurement| batches(measurement) == rounds));
        let mut orders = std::collections::BTreeMap::new();
        for round in log[log.len() - count * rounds..].chunks(count) {
            let mut sorted = round.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..count).collect::<Vec<_>>());
            *orders.entry(round.to_vec()).or_insert(0) += 1;
        }
        let permutations: usize = (1..=count).product();
        assert_eq!(orders.len(), permutations, "{orders:?} of {rounds}");
        let (again, other) = (compare(to_the_end(), &costs).1, Settings { seed: 1, ..to_the_end() });
        assert!(again == log && compare(other, &costs).1 != log);
    }
}

#[test]
fn batches_of_what_is_compared_take_the_same_time() {
    for (costs, expected) in
        [([50.0, 7.0 * US], 1.5 * MS), ([US, 5.0 * MS], 5.0 * MS), ([US, 80.0 * MS], 25.0 * MS)]
    {
        let (measurements, _) = compare(to_the_end(), &costs);
        check_near(measurements[0].batch(), expected / S, 0.2);
        check_near(measurements[1].batch(), expected.max(costs[1]) / S, 0.2);
        assert!(measurements[0].elapsed < Duration::from_millis(1120), "{:?}", measurements[0].elapsed);
    }
}

#[test]
fn what_is_compared_can_be_judged_and_ends_when_the_ratio_is_sure() {
    let (measurements, _) = compare(Settings::default(), &[1.0 * US, 1.1 * US]);
    assert!(measurements.iter().all(|one| one.ending == Ending::Sure && one.first.is_some()));
    let samples = measurements.iter().map(|one| one.samples().unwrap()).collect();
    let ratio = Interleaved::new(samples).unwrap().compare(&Bootstrap::default()).ratio;
    check_near(ratio.value, 1.0 / 1.1, 0.01);
}

#[test]
fn a_comparison_of_minutes_runs_each_once() {
    let (measurements, log) = compare(Settings::default(), &[US, 90.0 * S, 5.0]);
    assert_eq!(log, [0, 1, 2]);
    assert!(measurements.iter().all(|one| batches(one) == 1 && one.calls == 1));
    assert!(compare(Settings::default(), &[]).0.is_empty());
}

#[test]
fn in_a_comparison_a_slow_first_run_misleads_nobody() {
    let time = Time::default();
    let clock = time.clock();
    let mut lazy = Simulated::new(&time, &clock, |run, _| if run == 0 { 0.2 * S } else { US });
    let mut other = Simulated::new(&time, &clock, |_, _| 2.0 * US);
    let measurements = Stopwatch::new(to_the_end(), &clock, &mut go_on).compare(&mut [&mut lazy, &mut other]);
    for (measurement, expected) in measurements.iter().zip([1e-6, 2e-6]) {
        check_near(median(measurement), expected, 0.01);
        check_near(measurement.batch(), 1.5e-3, 0.05);
    }
    assert_eq!(measurements[0].blocks.len(), measurements[1].blocks.len());
}
