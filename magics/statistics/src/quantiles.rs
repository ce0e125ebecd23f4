//! Figures that describe samples: quantiles, spread, extremes.

/// Finite values in ascending order, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// The values sorted, or none if there is no value or one that is not finite.
    pub fn new(values: &[f64]) -> Option<Self> {
        let usable = !values.is_empty() && values.iter().all(|value| value.is_finite());
        usable.then(|| Self::of(values))
    }

    /// The same of values that are known to be finite and not to be empty.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self(sorted)
    }

    /// The values, ascending.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// The value below which the share `p` of the values lies, by definition 7 of Hyndman and Fan ("Sample quantiles in statistical packages", The
    /// American Statistician 50, 1996), which is R's and NumPy's own: a straight line between neighbours. `p` outside 0..=1 means the nearer end.
    pub fn quantile(&self, p: f64) -> f64 {
        let last = self.0.len() - 1;
        let place = last as f64 * p.clamp(0.0, 1.0);
        let below = (place.floor() as usize).min(last);
        let above = (below + 1).min(last);
        let share = place - below as f64;
        self.0[below] + share * (self.0[above] - self.0[below])
    }

    /// The middle value, or the mean of the two in the middle.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest value.
    pub fn min(&self) -> f64 {
        self.0[0]
    }

    /// The largest value.
    pub fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// The median absolute deviation from the median, as it is: times 1.4826 it estimates the standard deviation of normal noise.
    pub fn mad(&self) -> f64 {
        let median = self.median();
        Self::of(&self.0.iter().map(|value| (value - median).abs()).collect::<Vec<_>>()).median()
    }
}

/// The figures of a table, in the unit of the samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many samples.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// A quarter lies below.
    pub lower_quartile: f64,
    /// A half lies below.
    pub median: f64,
    /// Three quarters lie below.
    pub upper_quartile: f64,
    /// The largest.
    pub max: f64,
    /// The sum divided by the count.
    pub mean: f64,
    /// The standard deviation of the population, that is with the count as the divisor, as IPython's `%timeit` prints it.
    pub standard_deviation: f64,
    /// The median absolute deviation from the median.
    pub mad: f64,
}

impl Summary {
    /// The figures of values that are known to be finite and not to be empty.
    pub(crate) fn of(values: &[f64]) -> Self {
        let sorted = Sorted::of(values);
        let mean = mean(values);
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        Self {
            count: values.len(),
            min: sorted.min(),
            lower_quartile: sorted.quantile(0.25),
            median: sorted.median(),
            upper_quartile: sorted.quantile(0.75),
            max: sorted.max(),
            mean,
            standard_deviation: variance.sqrt(),
            mad: sorted.mad(),
        }
    }
}

/// The sum divided by the count. The first value is taken off before and put on again, so that equal values have exactly their own mean.
pub(crate) fn mean(values: &[f64]) -> f64 {
    let first = values[0];
    first + values.iter().map(|value| value - first).sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::{Sorted, Summary};
    use proptest::prelude::*;

    /// `summary(c(1, 12, 14, 3, 96, 111))` in R, from the r-help archive (13 January 2012, "Quantile calculations in R").
    #[test]
    fn quartiles_are_those_of_r() {
        let sorted = Sorted::new(&[1.0, 12.0, 14.0, 3.0, 96.0, 111.0]).unwrap();
        let figures = [0.0, 0.25, 0.5, 0.75, 1.0].map(|p| sorted.quantile(p));
        assert_eq!(figures, [1.0, 5.25, 13.0, 75.5, 111.0]);
        // `quantile(1:10, 0.9)`, and ends that lie outside.
        let ten = Sorted::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]).unwrap();
        assert!((ten.quantile(0.9) - 9.1).abs() < 1e-12);
        assert_eq!([ten.quantile(-1.0), ten.quantile(2.0)], [1.0, 10.0]);
    }

    /// NumPy's documentation of `std` ([[1, 2], [3, 4]] gives 1.118…), and of MAD the example of R's `mad(c(1:9))` before its constant.
    #[test]
    fn spread_is_that_of_numpy_and_r() {
        let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0]);
        assert!((summary.standard_deviation - 1.118_033_988_749_895).abs() < 1e-15);
        assert_eq!(summary.mean, 2.5);
        assert_eq!(Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]).mad, 2.0);
    }

    #[test]
    fn one_sample_has_figures_without_spread() {
        let summary = Summary::of(&[0.1]);
        let places =
            [summary.min, summary.lower_quartile, summary.median, summary.upper_quartile, summary.max];
        assert_eq!(places, [0.1; 5]);
        assert_eq!([summary.mean, summary.standard_deviation, summary.mad], [0.1, 0.0, 0.0]);
    }

    #[test]
    fn what_is_not_finite_is_not_sorted() {
        assert!(Sorted::new(&[]).is_none());
        assert!(Sorted::new(&[1.0, f64::NAN]).is_none());
        assert!(Sorted::new(&[f64::INFINITY]).is_none());
    }

    proptest! {
        #[test]
        fn figures_are_numbers_and_in_order(values in prop::collection::vec(0.0..1e9_f64, 1..60)) {
            let s = Summary::of(&values);
            prop_assert!(s.min <= s.lower_quartile && s.lower_quartile <= s.median);
            prop_assert!(s.median <= s.upper_quartile && s.upper_quartile <= s.max);
            prop_assert!(s.standard_deviation.is_finite() && s.mad <= s.max - s.min);
            prop_assert!(s.mean >= s.min - 1e-6 && s.mean <= s.max + 1e-6);
        }
    }
}
