//! Samples that lie far from the rest: counted and never dropped, for the machine made them too.

use crate::interval::Interval;
use crate::quantiles::Sorted;

/// Beyond the inner fence a sample is an outlier, beyond the outer one a severe one: so many distances between the quartiles outside of them
/// (Tukey, "Exploratory Data Analysis", 1977; criterion draws the same fences).
const FENCES: (f64, f64) = (1.5, 3.0);

/// How many samples lie beyond Tukey's fences. Of normal noise 0.7 % do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outliers {
    /// Below the outer fence.
    pub low_severe: usize,
    /// Between the fences below.
    pub low_mild: usize,
    /// Between the fences above.
    pub high_mild: usize,
    /// Above the outer fence.
    pub high_severe: usize,
    /// Of how many samples.
    pub samples: usize,
    /// The inner fences.
    pub inner: Interval,
    /// The outer fences.
    pub outer: Interval,
}

impl Outliers {
    /// Counts them.
    pub fn of(sorted: &Sorted) -> Self {
        let (lower, upper) = (sorted.quantile(0.25), sorted.quantile(0.75));
        let fence = |distance: f64| {
            Interval::new(lower - distance * (upper - lower), upper + distance * (upper - lower))
        };
        let (inner, outer) = (fence(FENCES.0), fence(FENCES.1));
        let count = |matches: &dyn Fn(f64) -> bool| {
            sorted.values().iter().copied().filter(|value| matches(*value)).count()
        };
        let low_severe = count(&|value| value < outer.low());
        let high_severe = count(&|value| value > outer.high());
        Self {
            low_severe,
            low_mild: count(&|value| value < inner.low()) - low_severe,
            high_mild: count(&|value| value > inner.high()) - high_severe,
            high_severe,
            samples: sorted.values().len(),
            inner,
            outer,
        }
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.low_severe + self.low_mild + self.high_mild + self.high_severe
    }

    /// Those beyond the outer fences.
    pub fn severe(&self) -> usize {
        self.low_severe + self.high_severe
    }
}

#[cfg(test)]
mod tests {
    use super::Outliers;
    use crate::quantiles::Sorted;

    fn check(values: &[f64], expected: [usize; 4]) {
        let found = Outliers::of(&Sorted::new(values).unwrap());
        let counts = [found.low_severe, found.low_mild, found.high_mild, found.high_severe];
        assert_eq!(counts, expected, "{values:?}");
        assert_eq!([found.total(), found.samples], [expected.iter().sum(), values.len()]);
        assert_eq!(found.severe(), expected[0] + expected[3]);
    }

    #[test]
    fn samples_are_counted_by_the_fence_they_pass() {
        // The quartiles stay 2 and 6, so the inner fences are -4 and 12, the outer ones -10 and 18.
        check(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 12.0], [0, 0, 0, 0]);
        check(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 12.1], [0, 0, 1, 0]);
        check(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 18.1], [0, 0, 0, 1]);
        check(&[-4.1, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 13.0, 40.0], [0, 1, 1, 1]);
        check(&[-11.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1, 0, 0, 0]);
    }

    #[test]
    fn equal_samples_have_no_outliers_and_one_that_differs_is_severe() {
        check(&[1.0], [0, 0, 0, 0]);
        check(&[1.0; 9], [0, 0, 0, 0]);
        check(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0], [0, 0, 0, 1]);
    }
}
