//! Whether samples are of two kinds.

use crate::quantiles::{Sorted, mean};
use std::ops::Range;

/// Fewer samples form lumps by chance. Of 4000 sets of 60 samples none that was normal, one that was exponential and 13 that were uniform looked like two kinds.
const LEAST: usize = 60;

/// The slowest twentieth is a tail and not a kind.
const TAIL: f64 = 0.05;

/// The rarer kind is at least this share of all: below that they are outliers.
const RARER: f64 = 0.15;

/// The slower kind is at least so many times slower. Two ticks of a clock are two kinds too, and no news.
const APART: f64 = 1.1;

/// The means are so many standard deviations apart (Ashman, Bird and Zepf, "Detecting bimodality in astronomical datasets", 1994, where 2 is a clean
/// separation of given kinds). Halves of one normal distribution have 2.6, of a uniform one 3.5.
const DISTANCE: f64 = 4.5;

/// In the middle third between the means lie at most so many, as a share of the rarer kind: of a normal distribution 0.42, of a uniform one 0.33.
const VALLEY: f64 = 0.15;

/// Two kinds of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Modes {
    /// The median of the faster kind.
    pub(super) fast: f64,
    /// The median of the slower kind.
    pub(super) slow: f64,
    /// The share of the slower kind.
    pub(super) share: f64,
}

impl Modes {
    /// The two kinds, if there are two: cut where the squares within both are least, on a logarithmic scale, and then asked whether the cut is a valley.
    pub(super) fn of(sorted: &Sorted) -> Option<Self> {
        let count = sorted.values().len();
        let body = &sorted.values()[..count - (count as f64 * TAIL) as usize];
        if count < LEAST || body[0] <= 0.0 {
            return None;
        }
        let logarithms: Vec<f64> = body.iter().map(|value| value.ln()).collect();
        let cut = best_cut(&logarithms)?;
        let (fast, slow) = logarithms.split_at(cut);
        let rarer = fast.len().min(slow.len());
        let (low, high) = (mean(fast), mean(slow));
        let valley = low + (high - low) / 3.0..high - (high - low) / 3.0;
        let is_clear = high - low > APART.ln()
            && (high - low) * 2_f64.sqrt() > DISTANCE * (variance(fast) + variance(slow)).sqrt()
            && between(&logarithms, &valley) as f64 <= VALLEY * rarer as f64;
        let median = |part: &[f64]| Sorted::of(part).median();
        is_clear.then(|| Self {
            fast: median(&body[..cut]),
            slow: median(&body[cut..]),
            share: (count - cut) as f64 / count as f64,
        })
    }
}

/// Where the sum of squares within both parts is least, both large enough.
fn best_cut(values: &[f64]) -> Option<usize> {
    let least = ((values.len() as f64 * RARER).ceil() as usize).max(1);
    let total: f64 = values.iter().sum();
    let (mut below, mut best) = (0.0, None);
    for cut in 1..values.len() {
        below += values[cut - 1];
        if cut < least || values.len() - cut < least {
            continue;
        }
        // Least within is most between.
        let (n, m) = (cut as f64, (values.len() - cut) as f64);
        let between = n * m * (below / n - (total - below) / m).powi(2);
        if best.is_none_or(|(most, _)| between > most) {
            best = Some((between, cut));
        }
    }
    best.map(|(_, cut)| cut)
}

fn between(values: &[f64], range: &Range<f64>) -> usize {
    values.iter().filter(|value| range.contains(value)).count()
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::Modes;
    use crate::quantiles::Sorted;
    use crate::simulation::Machine;

    /// How many of 200 sets of so many samples are taken for two kinds.
    fn found(count: usize, sample: impl Fn(&mut Machine) -> f64) -> usize {
        let is_two = |seed: &u64| {
            let mut machine = Machine::new(*seed);
            let values: Vec<f64> = (0..count).map(|_| sample(&mut machine)).collect();
            Modes::of(&Sorted::new(&values).unwrap()).is_some()
        };
        (0..200).filter(is_two).count()
    }

    #[test]
    fn one_kind_is_not_taken_for_two() {
        for count in [60, 100, 300] {
            assert_eq!(found(count, |m| m.sample(1.0)), 0, "a shared machine, {count}");
            assert_eq!(found(count, |m| (0.3 * m.normal()).exp()), 0, "normal, {count}");
            assert!(found(count, |m| 1.0 + m.unit()) <= 2, "uniform, {count}");
            assert!(found(count, |m| 0.2 - m.unit().ln()) <= 1, "exponential, {count}");
            let often_interrupted =
                |m: &mut Machine| if m.unit() < 0.06 { 1.5 - m.unit().ln() } else { m.sample(1.0) };
            assert_eq!(found(count, often_interrupted), 0, "a heavy tail, {count}");
        }
    }

    #[test]
    fn two_ticks_of_a_clock_are_one_kind() {
        assert_eq!(found(100, |m| if m.unit() < 0.5 { 1.00 } else { 1.05 }), 0);
    }

    /// A rayon call on two processors took 31 or 60 µs.
    #[test]
    fn two_kinds_are_found() {
        for count in [60, 300] {
            let two = |m: &mut Machine| {
                let cost = if m.unit() < 0.3 { 60e-6 } else { 31e-6 };
                m.sample(cost)
            };
            assert!(found(count, two) >= 180, "{count}: {}", found(count, two));
        }
        let mut machine = Machine::new(1);
        let values: Vec<f64> =
            (0..300).map(|i| machine.sample(if i % 3 == 0 { 60e-6 } else { 31e-6 })).collect();
        let modes = Modes::of(&Sorted::new(&values).unwrap()).unwrap();
        assert!(
            (modes.fast / 31e-6 - 1.0).abs() < 0.05 && (modes.slow / 60e-6 - 1.0).abs() < 0.05,
            "{modes:?}"
        );
        assert!((modes.share - 1.0 / 3.0).abs() < 0.03, "{modes:?}");
    }

    #[test]
    fn what_has_no_logarithm_or_no_spread_is_one_kind() {
        assert_eq!(found(50, |_| 1.0), 0);
        assert_eq!(found(50, |_| 0.0), 0);
        assert_eq!(found(50, |m| if m.unit() < 0.5 { 0.0 } else { 1.0 }), 0);
    }
}
