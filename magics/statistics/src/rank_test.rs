//! Whether two sets of samples come from one distribution: the test of Mann and Whitney, and Holm's care for several tests at once.

use crate::distribution::normal_upper_tail;

/// Up to here the exact distribution is cheap (a table of 20 · 20 · 400 numbers), and beyond it the normal one is as good.
const EXACT: usize = 20;

/// What the test of Mann and Whitney says ("On a test of whether one of two random variables is stochastically larger than the other", 1947).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// The pairs, one sample of each, in which the first is larger; equal ones count half.
    pub u: f64,
    /// How often samples of one distribution would differ at least so much, in either direction.
    pub p: f64,
}

/// The test, two-sided; none if one side has no samples. All values have to be numbers.
///
/// Exact without ties where both have at most 20 samples; otherwise by the normal distribution, with the correction for ties and for continuity
/// (Hollander and Wolfe, "Nonparametric Statistical Methods", section 4.1), as R and SciPy do it.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<MannWhitney> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let (n, m) = (first.len() as f64, second.len() as f64);
    let ranks = Ranking::of(first, second);
    let u = ranks.sum - n * (n + 1.0) / 2.0;
    let exact = ranks.ties == 0.0 && first.len().max(second.len()) <= EXACT;
    let p = if exact {
        let lesser = u.min(n * m - u) as usize;
        2.0 * exact_lower_tail(first.len(), second.len(), lesser)
    } else {
        let all = n + m;
        let variance = n * m / 12.0 * (all + 1.0 - ranks.ties / (all * (all - 1.0)));
        let distance = (u - n * m / 2.0).abs() - 0.5;
        if variance > 0.0 { 2.0 * normal_upper_tail(distance / variance.sqrt()) } else { 1.0 }
    };
    Some(MannWhitney { u, p: p.min(1.0) })
}

/// How many samples of each side the test needs to say `p < significant` at all: where every one of the first is below every one of the second,
/// p is 2 / C(2n, n).
pub(crate) fn rounds_needed(significant: f64) -> usize {
    let mut least = 1.0;
    let mut rounds = 0;
    while 2.0 * least >= significant && rounds < EXACT {
        rounds += 1;
        let n = rounds as f64;
        least *= n / (2.0 * (2.0 * n - 1.0));
    }
    rounds
}

/// The chances of several tests, each raised so that a threshold holds for all of them together: however many tests there are, the chance that any
/// of them is wrong is what the threshold says (Holm, "A simple sequentially rejective multiple test procedure", 1979). In the order given.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]));
    let mut adjusted = vec![0.0; chances.len()];
    let mut largest: f64 = 0.0;
    for (place, index) in order.into_iter().enumerate() {
        largest = largest.max(chances[index] * (chances.len() - place) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// The ranks of the first samples among all.
struct Ranking {
    /// Their sum, where equal values share the mean of their ranks.
    sum: f64,
    /// t³ - t over all groups of t equal values.
    ties: f64,
}

impl Ranking {
    fn of(first: &[f64], second: &[f64]) -> Self {
        let mut all: Vec<(f64, bool)> = first.iter().map(|value| (*value, true)).collect();
        all.extend(second.iter().map(|value| (*value, false)));
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut ranking = Self { sum: 0.0, ties: 0.0 };
        let mut before = 0.0;
        for group in all.chunk_by(|a, b| a.0 == b.0) {
            let size = group.len() as f64;
            let own = group.iter().filter(|(_, is_first)| *is_first).count() as f64;
            ranking.sum += own * (before + (size + 1.0) / 2.0);
            ranking.ties += size * size * size - size;
            before += size;
        }
        ranking
    }
}

/// The chance of a U of at most `u`, by counting the orders of `n` and `m` values that lead to each: the largest value of all is either of the first, and then
/// it is above all `m`, or of the second.
fn exact_lower_tail(n: usize, m: usize, u: usize) -> f64 {
    let most = n * m;
    // orders[j][u]: with i of the first (the round of the loop) and j of the second.
    let mut orders = vec![vec![0.0_f64; most + 1]; m + 1];
    for row in &mut orders {
        row[0] = 1.0;
    }
    for _ in 0..n {
        for j in 0..=m {
            for u in (0..=most).rev() {
                let first_is_largest = if u >= j { orders[j][u - j] } else { 0.0 };
                let second_is_largest = if j > 0 { orders[j - 1][u] } else { 0.0 };
                orders[j][u] = first_is_largest + second_is_largest;
            }
        }
    }
    let row = &orders[m];
    row[..=u.min(most)].iter().sum::<f64>() / row.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::{holm, mann_whitney, rounds_needed};

    fn check(first: &[f64], second: &[f64], u: f64, p: f64) {
        let found = mann_whitney(first, second).unwrap();
        assert_eq!(found.u, u);
        assert!((found.p - p).abs() < 1e-12, "{} is not {p}", found.p);
        let mirrored = mann_whitney(second, first).unwrap();
        assert!((mirrored.p - found.p).abs() < 1e-12);
        assert_eq!(mirrored.u, (first.len() * second.len()) as f64 - u);
    }

    /// The example in SciPy's documentation of `mannwhitneyu`: ages at which diabetes was diagnosed.
    #[test]
    fn the_exact_test_is_that_of_scipy() {
        check(&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0], 17.0, 1.0 / 9.0);
        // All of the first above all of the second: one order of 252 to either side.
        check(&[6.0, 7.0, 8.0, 9.0, 10.0], &[1.0, 2.0, 3.0, 4.0, 5.0], 25.0, 2.0 / 252.0);
        // Either order of two values is as likely.
        check(&[1.0], &[2.0], 0.0, 1.0);
    }

    #[test]
    fn a_number_of_samples_can_show_a_difference_or_not() {
        for significant in [0.05, 0.01, 0.01 / 3.0, 0.01 / 10.0, 0.01 / 45.0] {
            let needed = rounds_needed(significant);
            let p = |n: usize| {
                let (low, high): (Vec<f64>, Vec<f64>) = (0..n).map(|i| (i as f64, (n + i) as f64)).unzip();
                mann_whitney(&low, &high).unwrap().p
            };
            assert!(p(needed) < significant && p(needed - 1) >= significant, "{needed} for {significant}");
        }
    }

    /// With ties: what the tests of ClickHouse expect of its `mannWhitneyUTest` (query 01560).
    #[test]
    fn with_ties_it_is_the_corrected_normal_approximation() {
        let first = [
            310.0, 195.0, 530.0, 155.0, 530.0, 245.0, 385.0, 450.0, 465.0, 545.0, 170.0, 180.0, 125.0, 180.0,
            230.0, 75.0, 430.0, 480.0, 495.0, 295.0,
        ];
        let second = [
            116.0, 171.0, 176.0, 421.0, 111.0, 326.0, 481.0, 111.0, 346.0, 441.0, 261.0, 411.0, 206.0, 521.0,
            456.0, 446.0, 296.0, 51.0, 426.0, 261.0,
        ];
        check(&first, &second, 223.0, 0.542_695_977_428_948_2);
    }

    #[test]
    fn exact_and_normal_agree_where_they_meet() {
        let first: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 20)).collect();
        let second: Vec<f64> = first.iter().map(|value| value + 5.5).collect();
        let exact = mann_whitney(&first, &second).unwrap().p;
        // One tie is enough for the other way.
        let tied: Vec<f64> = second.iter().map(|value| if *value == 9.5 { 9.0 } else { *value }).collect();
        let normal = mann_whitney(&first, &tied).unwrap().p;
        assert!(exact != normal && (exact / normal - 1.0).abs() < 0.2, "{exact} {normal}");
    }

    #[test]
    fn what_cannot_differ_does_not() {
        check(&[1.0; 30], &[1.0; 40], 600.0, 1.0);
        assert!(mann_whitney(&[], &[1.0]).is_none());
        assert!(mann_whitney(&[1.0], &[]).is_none());
    }

    /// By hand: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04, which must not come before the one above it.
    #[test]
    fn holms_steps() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (got, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((got - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
