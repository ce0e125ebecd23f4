//! Whether figures rise or fall in the order in which they were measured.

use crate::quantiles::Sorted;

/// A test with fewer values than this cannot say anything: 4 in order are one chance in 12.
const LEAST: usize = 5;

/// What a trend that is chance may cost. Of five values only those in strict order pass: 2 in 120.
const CHANCE: f64 = 0.02;

/// By what share the values change from the first to the last, if they do so steadily: Kendall's test of rank correlation with time (Mann, "Nonparametric tests against
/// trend", Econometrica 13, 1945) and the slope of Theil and Sen. All values are finite and not negative.
pub(super) fn steady_change(values: &[f64]) -> Option<f64> {
    if values.len() < LEAST || inversions_by_chance(values.len(), minority(values)) > CHANCE / 2.0 {
        return None;
    }
    let median = Sorted::of(values).median();
    (median > 0.0).then(|| slope(values) * (values.len() - 1) as f64 / median)
}

/// Of all pairs, those that go against the direction of the most; ties go against it.
fn minority(values: &[f64]) -> usize {
    let pairs = || pairs(values.len()).map(|(early, late)| values[late] - values[early]);
    let (rising, falling) =
        (pairs().filter(|rise| *rise > 0.0).count(), pairs().filter(|rise| *rise < 0.0).count());
    pairs().count() - rising.max(falling)
}

/// The median of the slopes of all pairs, for each step.
fn slope(values: &[f64]) -> f64 {
    let slopes =
        pairs(values.len()).map(|(early, late)| (values[late] - values[early]) / (late - early) as f64);
    Sorted::of(&slopes.collect::<Vec<_>>()).median()
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |early| (early + 1..count).map(move |late| (early, late)))
}

/// The chance that a random order of so many values has at most so many pairs that fall: by inserting the values one after the other, each of which
/// may fall below any number of those before.
fn inversions_by_chance(count: usize, most: usize) -> f64 {
    let mut chances = vec![0.0; most + 1];
    chances[0] = 1.0;
    for inserted in 1..count {
        let before = chances.clone();
        for (falls, chance) in chances.iter_mut().enumerate() {
            let fewest = falls.saturating_sub(inserted);
            *chance = before[fewest..=falls].iter().sum::<f64>() / (inserted + 1) as f64;
        }
    }
    chances.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::{inversions_by_chance, steady_change};

    /// Kendall's own table: of 120 orders of five values, 1, 4, 9, 15, 20, 22, 20, 15, 9, 4 and 1 have 0 to 10 inversions.
    #[test]
    fn the_distribution_is_kendalls() {
        for (most, orders) in [(0, 1.0), (1, 5.0), (2, 14.0), (3, 29.0), (10, 120.0)] {
            assert!((inversions_by_chance(5, most) - orders / 120.0).abs() < 1e-12, "{most}");
        }
    }

    #[test]
    fn what_rises_or_falls_steadily_changes() {
        let check = |values: &[f64], expected: Option<f64>| {
            let found = steady_change(values);
            let equal = found.zip(expected).is_some_and(|(a, b)| (a - b).abs() < 1e-12) || found == expected;
            assert!(equal, "{values:?} gave {found:?}");
        };
        check(&[8.0, 9.0, 10.0, 11.0, 12.0], Some(0.4));
        check(&[12.0, 11.0, 10.0, 9.0, 8.0], Some(-0.4));
        check(&[8.0, 9.0, 10.0, 12.0, 11.0], None);
        check(&[8.0, 9.0, 10.0, 11.0], None);
        check(&[1.0; 9], None);
        check(&[0.0; 9], None);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 7.0, 9.0], Some(8.0 / 5.0));
    }
}
