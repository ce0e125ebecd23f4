use super::{Circumstances, Warning, warnings};
use crate::bootstrap::Bootstrap;
use crate::outliers::Outliers;
use crate::quantiles::Sorted;
use crate::sample::Samples;
use crate::simulation::Machine;

const QUICK: Bootstrap = Bootstrap { level: 0.95, resamples: 200, seed: 5 };

const ORDINARY: Circumstances =
    Circumstances { empty_loop: 0.25e-9, clock: 25e-9, batch: 1e-3, first_run: None, floor: 0.025 };

fn of(samples: &Samples, circumstances: &Circumstances) -> Vec<Warning> {
    warnings(samples, &QUICK.median(samples, circumstances.floor), circumstances)
}

/// One by one: which warnings the samples make.
fn check(samples: &Samples, circumstances: &Circumstances, expected: &[&str]) {
    let found: Vec<String> =
        of(samples, circumstances).iter().map(|warning| format!("{warning:?}")).collect();
    let names: Vec<&str> = found.iter().filter_map(|text| text.split([' ', '(']).next()).collect();
    assert_eq!(names, expected, "{found:?}");
}

fn good(seed: u64) -> Samples {
    Machine { drift: 0.01, ..Machine::new(seed) }.blocks(1e-6, 6, 50, 0.005)
}

#[test]
fn an_ordinary_measurement_is_not_doubted() {
    let doubted: Vec<_> = (0..200).flat_map(|seed| of(&good(seed), &ORDINARY)).collect();
    assert!(doubted.len() <= 2, "{doubted:?}");
}

#[test]
fn what_costs_nothing_was_removed_and_nothing_else_is_said_of_it() {
    let nothing = Machine { noise: 0.5, ..Machine::new(1) }.blocks(0.02e-9, 6, 50, 0.3);
    check(&nothing, &ORDINARY, &["OptimisedAway"]);
    check(&Samples::new(&[[0.0; 9]]).unwrap(), &ORDINARY, &["OptimisedAway"]);
    // An addition takes half of what the loop does.
    let addition = Machine { noise: 0.05, ..Machine::new(1) }.blocks(0.125e-9, 6, 50, 0.0);
    check(&addition, &ORDINARY, &[]);
}

#[test]
fn a_clock_that_is_too_coarse() {
    check(&good(1), &Circumstances { batch: 2e-6, ..ORDINARY }, &["BelowClock"]);
    check(&good(1), &Circumstances { batch: 2.6e-6, ..ORDINARY }, &[]);
}

#[test]
fn a_first_run_that_is_far_slower() {
    let first = |seconds| Circumstances { first_run: Some(seconds), ..ORDINARY };
    check(&good(1), &first(50e-6), &["SlowFirstRun"]);
    check(&good(1), &first(15e-6), &[]);
    let slow = Machine::new(1).blocks(1e-3, 6, 50, 0.005);
    check(&slow, &first(3.5e-3), &[]);
    check(&slow, &first(5e-3), &["SlowFirstRun"]);
}

#[test]
fn too_few_samples_are_not_called_noisy_as_well() {
    check(&Samples::new(&[[1.0], [2.0], [1.5]]).unwrap(), &ORDINARY, &["TooFew"]);
    check(&Samples::new(&[[1.0; 40], [1.0; 40]]).unwrap(), &ORDINARY, &["TooFew"]);
    check(&Samples::new(&[[1.0]; 9]).unwrap(), &ORDINARY, &["TooFew"]);
    check(&Samples::new(&[[1.0]; 10]).unwrap(), &ORDINARY, &[]);
}

#[test]
fn blocks_that_differ_are_noise_and_blocks_in_order_are_a_drift() {
    let around = |levels: [f64; 5]| {
        let mut machine = Machine { drift: 0.0, ..Machine::new(3) };
        Samples::new(&levels.map(|level| (0..40).map(|_| machine.sample(level)).collect::<Vec<_>>())).unwrap()
    };
    check(&around([1.0, 1.1, 0.95, 1.15, 1.05]), &ORDINARY, &["TooNoisy"]);
    check(&around([1.0, 1.01, 1.02, 1.03, 1.04]), &ORDINARY, &["Drift"]);
    check(&around([1.000, 1.005, 1.01, 1.015, 1.02]), &ORDINARY, &[]);
    let [Warning::Drift { change }, ..] = of(&around([1.4, 1.3, 1.2, 1.1, 1.0]), &ORDINARY)[..] else {
        panic!("no drift");
    };
    assert!((change + 0.33).abs() < 0.05, "{change}");
}

#[test]
fn outliers_and_two_speeds() {
    let mut machine = Machine { interrupted: 0.18, ..Machine::new(4) };
    check(&machine.blocks(1e-6, 6, 50, 0.0), &ORDINARY, &["Outliers"]);
    let two = |machine: &mut Machine| {
        let block =
            || (0..40).map(|i| machine.sample(if i % 5 < 2 { 60e-6 } else { 31e-6 })).collect::<Vec<_>>();
        Samples::new(&std::iter::repeat_with(block).take(6).collect::<Vec<_>>()).unwrap()
    };
    let found = of(&two(&mut machine), &ORDINARY);
    assert!(matches!(found[0], Warning::Bimodal { .. }), "{found:?}");
}

/// Every warning has its numbers in it, and its last sentence says what to do.
#[test]
fn words_carry_the_numbers_and_end_in_advice() {
    let outliers = Outliers::of(&Sorted::new(&[1.0, 1.0, 1.1, 1.1, 1.2, 1.2, 9.0]).unwrap());
    for (warning, begins, advice) in [
        (
            Warning::OptimisedAway { figure: 0.02e-9, empty_loop: 0.25e-9 },
            "An iteration takes 0.02 ns, an empty loop 0.25 ns:",
            "Use its result, and pass its inputs through black_box.",
        ),
        (
            Warning::BelowClock { batch: 1e-6, clock: 42e-9 },
            "A sample takes 1 µs, and the clock has steps of 42 ns.",
            "Let each sample run the code more often (-n).",
        ),
        (
            Warning::TooFew { samples: 3, blocks: 2 },
            "There are only 3 samples in 2 blocks,",
            "Give it more time (--budget), or less work.",
        ),
        (
            Warning::TooNoisy { half_width: 0.31, floor: 0.025 },
            "The figure is known to ±31 % only, where ±2.5 % are usual here.",
            "Measure again when the machine is idle.",
        ),
        (
            Warning::Outliers(outliers),
            "1 of 7 samples are outliers (1 of them severe):",
            "or measure again when the machine is idle.",
        ),
        (
            Warning::SlowFirstRun { first: 5e-3, typical: 1e-3 },
            "The first run took 5 ms, 5 times the usual 1 ms:",
            "prepare it anew (--each).",
        ),
        (
            Warning::Drift { change: -0.12 },
            "It became 12 % faster while it was measured:",
            "(--each), or measure longer.",
        ),
        (
            Warning::Bimodal { fast: 31e-6, slow: 60e-6, share: 0.4 },
            "There are two speeds: 60 µs for 40 % of the samples, and 31 µs for the others.",
            "find out what they depend on (threads, alignment, the state of the data).",
        ),
    ] {
        let words = warning.to_string();
        assert!(words.starts_with(begins) && words.ends_with(advice), "{words}");
        assert!(!words.contains("  "), "{words}");
    }
}
