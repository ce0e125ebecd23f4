use super::{Interleaved, NotInterleaved, Verdict};
use crate::bootstrap::Bootstrap;
use crate::sample::Samples;
use crate::simulation::Machine;

const QUICK: Bootstrap = Bootstrap { level: 0.95, resamples: 200, seed: 5 };

fn verdict(machine: &mut Machine, costs: &[f64], rounds: usize) -> Verdict {
    Interleaved::new(machine.interleaved(costs, rounds)).unwrap().compare(&QUICK).verdict
}

/// How many of `trials` runs see a difference, to either side.
fn found(trials: u64, drift: f64, costs: [f64; 2], rounds: usize) -> [usize; 2] {
    let verdicts: Vec<Verdict> = (0..trials)
        .map(|seed| verdict(&mut Machine { drift, ..Machine::new(1000 + seed) }, &costs, rounds))
        .collect();
    [Verdict::FirstIsFaster, Verdict::SecondIsFaster]
        .map(|wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count())
}

#[test]
fn the_same_code_is_not_faster_than_itself() {
    for drift in [0.0, 0.02, 0.1] {
        let [first, second] = found(250, drift, [1e-6, 1e-6], 60);
        assert!(first + second <= 2, "with a drift of {drift}: {first} and {second} of 250");
    }
}

#[test]
fn a_difference_of_five_percent_is_found_and_on_the_right_side() {
    for drift in [0.0, 0.02] {
        let [first, second] = found(200, drift, [1.00e-6, 1.05e-6], 60);
        assert!(first >= 180 && second == 0, "with a drift of {drift}: {first} and {second} of 200");
    }
    let [first, second] = found(200, 0.02, [1.05e-6, 1.00e-6], 60);
    assert!(second >= 180 && first == 0, "{first} and {second}");
}

#[test]
fn half_a_percent_is_no_difference_however_long_one_measures() {
    let [first, second] = found(20, 0.0, [1.000e-6, 1.005e-6], 1000);
    assert_eq!([first, second], [0, 0]);
}

#[test]
fn no_difference_says_what_would_have_shown() {
    let mut machine = Machine::new(11);
    let Verdict::NoDifference { resolution } = verdict(&mut machine, &[1.0, 1.0], 60) else {
        panic!("the same code differs");
    };
    assert!((0.012..0.05).contains(&resolution), "{resolution}");
    let Verdict::NoDifference { resolution: coarse } =
        verdict(&mut Machine { noise: 0.3, ..Machine::new(11) }, &[1.0, 1.0], 60)
    else {
        panic!("the same code differs");
    };
    assert!(coarse > 5.0 * resolution, "{coarse}");
}

#[test]
fn a_few_rounds_are_too_few_for_a_verdict() {
    let of = |values: [f64; 3]| Samples::new(&[values]).unwrap();
    let both = Interleaved::new(vec![of([1.0, 1.1, 1.2]), of([2.0, 2.1, 2.2])]).unwrap();
    let comparison = both.compare(&QUICK);
    assert!((comparison.p - 0.1).abs() < 1e-12, "{comparison:?}");
    assert_eq!(comparison.verdict, Verdict::TooFewRounds { rounds: 3, needed: 5 });
    // Where more pairs are tested, each needs more.
    let all = Interleaved::new(vec![of([1.0, 1.1, 1.2]), of([2.0, 2.1, 2.2]), of([3.0, 3.1, 3.2])]).unwrap();
    let ranking = all.rank(&QUICK);
    assert!(
        ranking
            .pairs
            .iter()
            .all(|pair| pair.comparison.verdict == Verdict::TooFewRounds { rounds: 3, needed: 6 }),
        "{ranking:?}"
    );
}

#[test]
fn those_that_cannot_be_told_apart_share_a_rank() {
    let mut machine = Machine::new(12);
    let all = Interleaved::new(machine.interleaved(&[2.0, 1.0, 1.001, 3.0, 1.0], 80)).unwrap();
    let ranking = all.rank(&QUICK);
    let mut ranks: Vec<(usize, usize)> =
        ranking.places.iter().map(|place| (place.index, place.rank)).collect();
    assert_eq!(ranks[3..], [(0, 4), (3, 5)]);
    ranks.truncate(3);
    ranks.sort_unstable();
    assert_eq!(ranks, [(1, 1), (2, 1), (4, 1)]);
    assert_eq!(ranking.pairs.len(), 10);
    let pair = ranking.pairs.iter().find(|pair| (pair.first, pair.second) == (0, 3)).unwrap();
    assert_eq!(pair.slower(), Some(3));
    assert!(pair.comparison.ratio.interval.contains(2.0 / 3.0));
}

/// Six equal codes make 15 pairs; at 1 % each, every seventh ranking would tell two of them apart if nobody took care.
#[test]
fn many_equals_are_all_first() {
    let apart = |seed: &u64| {
        let all = Machine { noise: 0.05, ..Machine::new(*seed) }.interleaved(&[1.0; 6], 40);
        let ranking = Interleaved::new(all).unwrap().rank(&Bootstrap { resamples: 100, ..QUICK });
        ranking.places.iter().any(|place| place.rank > 1)
    };
    assert!((0..40).filter(apart).count() <= 1);
}

#[test]
fn what_was_not_measured_in_turns_is_not_compared() {
    let of = |blocks: &[&[f64]]| Samples::new(blocks).unwrap();
    let two = of(&[&[1.0, 2.0]]);
    let check = |all: Vec<Samples>, expected| assert_eq!(Interleaved::new(all), Err(expected));
    check(vec![], NotInterleaved::TooFew);
    check(vec![two.clone()], NotInterleaved::TooFew);
    check(vec![two.clone(), of(&[&[1.0]])], NotInterleaved::Unlike);
    check(vec![two.clone(), of(&[&[1.0], &[2.0]])], NotInterleaved::Unlike);
    check(vec![two.clone(), of(&[&[0.0, 0.0]])], NotInterleaved::Zero { index: 1 });
    let both = Interleaved::new(vec![two.clone(), two]).unwrap();
    assert!(both.ratio(0, 1, &QUICK, 0.0).is_some() && both.ratio(0, 2, &QUICK, 0.0).is_none());
    assert_eq!(both.samples().len(), 2);
}
