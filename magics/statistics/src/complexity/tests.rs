use super::{Class, Fit, Growth, GrowthVerdict, growth};
use crate::simulation::Machine;
use proptest::prelude::*;

/// The relative error that a caller allows.
const FLOOR: f64 = 0.02;

/// 2^from, …, 2^to.
fn doubling(from: i32, to: i32) -> Vec<f64> {
    (from..=to).map(|power| 2_f64.powi(power)).collect()
}

/// Two sizes for each doubling, from 8 to 724.
fn half_doubling() -> Vec<f64> {
    (6..20).map(|half| 2_f64.powf(f64::from(half) / 2.0).round()).collect()
}

/// 4, 6, … 24: sizes for what doubles with each step.
fn steps() -> Vec<f64> {
    (2..=12).map(|half| f64::from(2 * half)).collect()
}

/// A cost measured with noise; where `knee`, it costs 30 % more from a size on that the seed chooses.
fn measured(sizes: &[f64], cost: &dyn Fn(f64) -> f64, noise: f64, knee: bool, seed: u64) -> Growth {
    let mut machine = Machine::new(seed);
    let from = sizes[sizes.len() * (3 + seed as usize % 5) / 10];
    let factor = |n: f64| if knee && n >= from { 1.3 } else { 1.0 };
    let mut point = |n: f64| (n, cost(n) * factor(n) * (noise * machine.normal()).exp());
    let points: Vec<(f64, f64)> = sizes.iter().map(|n| point(*n)).collect();
    growth(&points, FLOOR, 1)
}

fn class_of(growth: &Growth) -> Option<Class> {
    if let GrowthVerdict::Named { class, .. } = growth.verdict { Some(class) } else { None }
}

/// Measures at every noise, with and without a knee, with as many seeds; gives the classes that were named.
fn named(sizes: &[f64], cost: &dyn Fn(f64) -> f64, seeds: u64) -> Vec<Option<Class>> {
    let cases = [0.01, 0.03, 0.05].into_iter().flat_map(|noise| [(noise, false), (noise, true)]);
    cases
        .flat_map(|(noise, knee)| {
            (0..seeds).map(move |seed| class_of(&measured(sizes, cost, noise, knee, seed)))
        })
        .collect()
}

/// Of 60 measurements no other class is named, and the right one in all but a few.
fn check(expected: Class, sizes: &[f64], cost: &dyn Fn(f64) -> f64) {
    let named = named(sizes, cost, 10);
    assert!(named.iter().flatten().all(|class| *class == expected), "{expected}: {named:?}");
    let right = named.iter().flatten().count();
    assert!(right >= 57, "{expected}: {right} of {}", named.len());
}

#[test]
fn what_does_not_grow_is_constant() {
    check(Class::Constant, &doubling(4, 16), &|_| 50e-9);
}

#[test]
fn logarithms_with_and_without_an_intercept() {
    check(Class::Logarithmic, &doubling(4, 16), &|n| 2e-9 * n.log2());
    check(Class::Logarithmic, &doubling(4, 16), &|n| 20e-9 + 2e-9 * n.log2());
}

#[test]
fn lines_with_and_without_a_logarithm() {
    check(Class::Linear, &doubling(4, 16), &|n| 30e-9 + 1e-9 * n);
    check(Class::Linearithmic, &doubling(4, 16), &|n| 30e-9 + 1e-9 * n * n.log2());
}

#[test]
fn powers() {
    check(Class::Quadratic, &half_doubling(), &|n| 300e-9 + 0.5e-9 * n * n);
    check(Class::Cubic, &half_doubling(), &|n| 300e-9 + 0.5e-9 * n.powi(3));
}

/// Medians of a plain product of matrices (`c[i * n + j] += a[i * n + k] * b[k * n + j]`), as they were measured on an AMD EPYC.
#[test]
fn a_product_that_outgrows_every_cache_is_still_a_cube() {
    let sizes = [4.0, 8.0, 16.0, 31.0, 63.0, 127.0, 255.0];
    let seconds = [96.8e-9, 588e-9, 5.52e-6, 53.5e-6, 556e-6, 5.64e-3, 50.8e-3];
    let points: Vec<(f64, f64)> = sizes.into_iter().zip(seconds).collect();
    assert_eq!(class_of(&growth(&points, FLOOR, 1)), Some(Class::Cubic));
}

#[test]
fn powers_of_two_and_of_the_golden_ratio() {
    check(Class::Exponential, &steps(), &|n| 30e-9 + 0.5e-9 * n.exp2());
    check(Class::Exponential, &steps(), &|n| 3e-9 + 0.5e-9 * 1.618_f64.powf(n));
    let fibonacci = measured(&steps(), &|n| 3e-9 + 0.5e-9 * 1.618_f64.powf(n), 0.01, false, 3);
    let base = fibonacci.fits[0].base.unwrap();
    assert!((base - 1.618).abs() < 0.02, "{base}");
}

/// A term of lower order that costs more than the square up to n = 200 does not hide it.
#[test]
fn a_lower_term_does_not_hide_a_square() {
    let cost = |n: f64| 30e-9 + 100e-9 * n + 0.5e-9 * n * n;
    let named: Vec<_> =
        (0..20).map(|seed| class_of(&measured(&doubling(4, 16), &cost, 0.03, false, seed))).collect();
    assert!(named.iter().all(|class| *class == Some(Class::Quadratic)), "{named:?}");
}

/// google/benchmark reports O(1) as O(log n) (its issue 272). On seven sizes a knee looks much like a logarithm: then it is left open.
#[test]
fn constant_is_never_called_a_logarithm() {
    for sizes in [doubling(10, 16), doubling(4, 10), doubling(4, 16), steps()] {
        let named = named(&sizes, &|_| 50e-9, 6);
        assert!(named.iter().flatten().all(|class| *class == Class::Constant), "{sizes:?}: {named:?}");
    }
}

/// What belongs to no class is not put into one.
fn check_none(name: &str, sizes: &[f64], cost: &dyn Fn(f64) -> f64) {
    for (noise, seed) in [(0.01, 1), (0.01, 2), (0.03, 3), (0.03, 4), (0.05, 5), (0.05, 6), (0.05, 7)] {
        let growth = measured(sizes, cost, noise, false, seed);
        assert_eq!(class_of(&growth), None, "{name}, noise {noise}, seed {seed}: {:?}", growth.verdict);
    }
}

#[test]
fn powers_between_the_classes_are_not_named() {
    check_none("√n", &doubling(4, 16), &|n| n.sqrt());
    check_none("√n and an intercept", &doubling(4, 16), &|n| 5.0 + n.sqrt());
    check_none("√n, eight sizes", &doubling(8, 15), &|n| n.sqrt());
    check_none("n√n", &doubling(4, 16), &|n| 30.0 + n.powf(1.5));
    check_none("n√n, eight sizes", &doubling(8, 15), &|n| n.powf(1.5));
    check_none("n²√n", &half_doubling(), &|n| 30.0 + n.powf(2.5));
}

#[test]
fn jumps_and_waves_are_not_named() {
    check_none("a jump by ten", &doubling(4, 16), &|n| if n < 1000.0 { 1.0 } else { 10.0 });
    check_none("a line with a jump", &doubling(4, 16), &|n| if n < 1000.0 { n } else { 3.0 * n });
    check_none("a wave", &doubling(4, 16), &|n| 1.0 + 0.6 * (1.7 * n.log2()).sin());
    check_none("a wave along a line", &doubling(4, 16), &|n| n * (1.0 + 0.6 * (1.7 * n.log2()).sin()));
}

#[test]
fn a_jump_is_called_one() {
    for height in [2.0, 10.0] {
        let growth = measured(&doubling(4, 16), &|n| if n < 1000.0 { 1.0 } else { height }, 0.02, false, 1);
        let GrowthVerdict::Jumps { at, factor } = growth.verdict else { panic!("{:?}", growth.verdict) };
        assert!(at == 1024.0 && (factor / height - 1.0).abs() < 0.05, "{at} {factor}");
    }
}

#[test]
fn what_fits_alike_is_left_open() {
    // A range of 5 doublings, far from 1, with noise: n log n is n to the power of 1.1.
    let growths = (0..10).map(|seed| measured(&doubling(12, 17), &|n| n, 0.05, false, seed));
    let open = growths.filter(|growth| match &growth.verdict {
        GrowthVerdict::Alike(classes) => {
            classes.contains(&Class::Linear) && classes.is_sorted() && classes.len() > 1
        }
        _ => false,
    });
    assert!(open.count() >= 5);
    // Over these sizes a logarithm would have grown by a tenth.
    let narrow: Vec<f64> = (0..10).map(|step| 1000.0 + 200.0 * f64::from(step)).collect();
    let growth = measured(&narrow, &|_| 1.0, 0.01, false, 1);
    assert_eq!(growth.verdict, GrowthVerdict::Alike(vec![Class::Constant, Class::Logarithmic]));
}

/// Small inputs that are sorted again and again are known to the branch predictor by heart.
#[test]
fn small_sizes_that_are_another_story_are_left_out() {
    let cost = |n: f64| if n < 60.0 { 0.2 * n * n } else { n * n };
    let growth = measured(&half_doubling(), &cost, 0.01, false, 1);
    assert_eq!(class_of(&growth), Some(Class::Quadratic));
    assert_eq!(growth.from, 64.0);
}

#[test]
fn too_little_is_said_to_be() {
    let check = |points: &[(f64, f64)], sizes| {
        assert_eq!(growth(points, FLOOR, 1).verdict, GrowthVerdict::TooFew { sizes }, "{points:?}");
    };
    check(&[], 0);
    check(&[(1.0, 1.0); 20], 1);
    check(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (8.0, 8.0), (16.0, 16.0)], 5);
    check(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (8.0, 8.0), (16.0, 16.0), (32.0, f64::NAN), (0.0, 1.0)], 5);
    check(&[(10.0, 1.0), (11.0, 1.0), (12.0, 1.0), (13.0, 1.0), (14.0, 1.0), (15.0, 1.0)], 6);
    check(&[(1.0, 0.0); 9], 0);
}

#[test]
fn counts_are_exact() {
    let count = |cost: &dyn Fn(f64) -> f64| {
        let points: Vec<(f64, f64)> = doubling(2, 12).into_iter().map(|n| (n, cost(n))).collect();
        class_of(&growth(&points, 0.0, 1))
    };
    assert_eq!(count(&|_| 0.0), Some(Class::Constant));
    assert_eq!(count(&|_| 3.0), Some(Class::Constant));
    assert_eq!(count(&|n| 24.0 + 8.0 * n), Some(Class::Linear));
    assert_eq!(count(&|n| 8.0 * n * n), Some(Class::Quadratic));
    assert_eq!(count(&|n| 1.0 + n.log2()), Some(Class::Logarithmic));
}

#[test]
fn fits_tell_their_cost_at_any_size() {
    let cost = |n: f64| 300.0 + 2.0 * n * n.log2();
    let growth = measured(&doubling(4, 16), &cost, 0.0, false, 1);
    let fit: &Fit = &growth.fits[0];
    assert_eq!((fit.class, fit.knee, fit.lower, fit.base), (Class::Linearithmic, None, None, None));
    assert!((fit.coefficient() - 2.0).abs() < 1e-6 && (fit.intercept - 300.0).abs() < 1e-3, "{fit:?}");
    assert!((fit.at(1e6) / cost(1e6) - 1.0).abs() < 1e-6);
    let mixed = measured(&doubling(4, 16), &|n| 256.0 * n + n * n, 0.0, false, 1);
    assert_eq!(mixed.fits[0].lower, Some(256.0));
    assert!((mixed.fits[0].coefficient() - 1.0).abs() < 1e-6, "{mixed:?}");
    let knee = measured(&doubling(4, 16), &|n| if n < 1000.0 { n } else { 1.3 * n }, 0.0, false, 1);
    assert!((knee.fits[0].at(2048.0) / (1.3 * 2048.0) - 1.0).abs() < 1e-6, "{knee:?}");
    assert!((knee.exponent - 1.0).abs() < 0.05);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn nothing_is_too_strange_to_be_fitted(
        points in prop::collection::vec((0.0..1e7_f64, prop_oneof![Just(0.0), 1e-12..1e12_f64]), 0..15),
        seed in any::<u64>(),
    ) {
        let growth = growth(&points, 0.0, seed);
        for fit in &growth.fits {
            prop_assert!(fit.intercept >= 0.0 && fit.growth >= 0.0 && fit.error.is_finite(), "{:?}", fit);
            prop_assert!(fit.at(1.0).is_finite() && fit.at(fit.most) > 0.0);
        }
        prop_assert!(growth.exponent.is_finite());
    }
}
