//! A figure and how sure it is.

/// From a low end to a high one, both finite, the low one not above the high one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    /// Between two ends, in either order. Ends that are no number are those of the other.
    pub fn new(one: f64, other: f64) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    /// The interval of what is known exactly, such as a count.
    pub fn exactly(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// The low end.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The high end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Whether the value lies within, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A figure with the interval in which the truth is to be expected. The figure lies within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Where the truth is to be expected.
    pub interval: Interval,
}

impl Estimate {
    /// The distance from the figure to the farther end, as a share of the figure: the x of "±x %" with x / 100. None for a figure of zero.
    pub fn relative_half_width(&self) -> Option<f64> {
        let farther = (self.value - self.interval.low).max(self.interval.high - self.value);
        (self.value > 0.0).then(|| farther / self.value)
    }

    /// The same figure with an interval that reaches at least the share `floor` of it to either side, never below zero.
    pub(crate) fn at_least(self, floor: f64) -> Self {
        let low = self.interval.low.min(self.value * (1.0 - floor)).max(0.0);
        let high = self.interval.high.max(self.value * (1.0 + floor));
        Self { value: self.value, interval: Interval { low, high } }
    }

    /// The same figure with an interval that is `factor` times as wide to either side.
    ///
    /// On the scale of ratios, so that a cost stays above zero; where an end is zero there is no such scale, and it is done by differences.
    pub(crate) fn widened(self, factor: f64) -> Self {
        let Interval { low, high } = self.interval;
        let widen = |end: f64| {
            if low > 0.0 {
                self.value * (end / self.value).powf(factor)
            } else {
                (self.value + factor * (end - self.value)).max(0.0)
            }
        };
        // A ratio to the power of a large factor leaves the range of a double.
        let interval = Interval { low: widen(low), high: widen(high).min(f64::MAX) };
        Self { value: self.value, interval }
    }
}

#[cfg(test)]
mod tests {
    use super::{Estimate, Interval};

    fn check(estimate: Estimate, low: f64, high: f64) {
        let Interval { low: l, high: h } = estimate.interval;
        assert!((l - low).abs() < 1e-12 && (h - high).abs() < 1e-12, "{estimate:?}");
    }

    #[test]
    fn intervals_grow_and_stay_above_zero() {
        let estimate = Estimate { value: 2.0, interval: Interval::new(4.0, 1.0) };
        check(estimate, 1.0, 4.0);
        check(estimate.widened(2.0), 0.5, 8.0);
        check(estimate.at_least(0.75), 0.5, 4.0);
        check(estimate.at_least(3.0), 0.0, 8.0);
        let from_zero = Estimate { value: 2.0, interval: Interval::new(0.0, 3.0) };
        check(from_zero.widened(2.0), 0.0, 4.0);
        assert_eq!(estimate.relative_half_width(), Some(1.0));
        assert_eq!(Estimate { value: 0.0, interval: Interval::exactly(0.0) }.relative_half_width(), None);
        let wild = Estimate { value: 1.0, interval: Interval::new(1e-9, 1e9) }.widened(100.0);
        assert!(wild.interval.high.is_finite() && wild.interval.low >= 0.0);
    }
}
