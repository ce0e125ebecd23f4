//! Claims about figures, decided by intervals: a claim fails only where the interval excludes it, so a check does not fail today and hold tomorrow.

use crate::interval::Interval;

/// What somebody claims of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// The figure is below a limit: `time < 2 ms`, in the figure's unit.
    Below(f64),
    /// The figure is above a limit: `time > 2 ms`.
    Above(f64),
    /// The figure is a limit at most: `allocations <= 3`.
    AtMost(f64),
    /// Of the ratio of two times, the first by the second: the first is faster, this many times at least. 1 means: faster at all.
    FasterBy(f64),
}

/// Whether a claim is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It holds everywhere in the interval.
    Holds,
    /// It holds nowhere in the interval.
    Fails,
    /// It holds in a part of the interval: measure on, or say so.
    Undecided,
}

impl Claim {
    /// Decides the claim for a figure that lies in `interval`: of a time, of a count (where the ends are what was counted least and most), or for [`FasterBy`](Self::FasterBy) of a
    /// ratio. How seldom a decision may be wrong is the level of the interval: a check that runs every day wants 0.99 or more, and a floor.
    pub fn decide(self, interval: &Interval) -> Decision {
        match (self.allows(interval.low()), self.allows(interval.high())) {
            (true, true) => Decision::Holds,
            (false, false) => Decision::Fails,
            _ => Decision::Undecided,
        }
    }

    /// Every claim is of the form "not too much" or "not too little", so what holds at both ends holds between them. A factor that is no number allows nothing.
    fn allows(self, figure: f64) -> bool {
        match self {
            Self::Below(limit) => figure < limit,
            Self::Above(limit) => figure > limit,
            Self::AtMost(limit) => figure <= limit,
            // "By 1" is said of equals by nobody.
            Self::FasterBy(factor) if factor <= 1.0 => figure * factor < 1.0,
            Self::FasterBy(factor) => figure * factor <= 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Decision};
    use crate::interval::Interval;
    use proptest::prelude::*;

    fn check(claim: Claim, low: f64, high: f64, expected: Decision) {
        assert_eq!(claim.decide(&Interval::new(low, high)), expected, "{claim:?} of {low}..{high}");
    }

    #[test]
    fn a_claim_fails_only_where_the_interval_excludes_it() {
        check(Claim::Below(2e-3), 1.0e-3, 1.9e-3, Decision::Holds);
        check(Claim::Below(2e-3), 1.9e-3, 2.0e-3, Decision::Undecided);
        check(Claim::Below(2e-3), 2.0e-3, 2.1e-3, Decision::Fails);
        check(Claim::Above(2e-3), 1.9e-3, 2.0e-3, Decision::Fails);
        check(Claim::Above(2e-3), 1.9e-3, 2.1e-3, Decision::Undecided);
        check(Claim::Above(2e-3), 2.1e-3, 2.2e-3, Decision::Holds);
        check(Claim::AtMost(3.0), 3.0, 3.0, Decision::Holds);
        check(Claim::AtMost(3.0), 3.0, 4.0, Decision::Undecided);
        check(Claim::AtMost(3.0), 4.0, 4.0, Decision::Fails);
        check(Claim::FasterBy(1.0), 0.90, 0.99, Decision::Holds);
        check(Claim::FasterBy(1.0), 0.99, 1.0, Decision::Undecided);
        check(Claim::FasterBy(1.0), 1.0, 1.1, Decision::Fails);
        check(Claim::FasterBy(1.5), 0.60, 0.66, Decision::Holds);
        check(Claim::FasterBy(1.5), 0.66, 0.67, Decision::Undecided);
        check(Claim::FasterBy(1.5), 0.67, 0.90, Decision::Fails);
        check(Claim::FasterBy(2.0), 0.5, 0.5, Decision::Holds);
        check(Claim::Below(f64::NAN), 0.0, 1.0, Decision::Fails);
    }

    proptest! {
        #[test]
        fn a_wider_interval_never_turns_one_decision_into_the_other(
            low in 0.1..2.0_f64, width in 0.0..1.0_f64, more in 0.0..1.0_f64, limit in 0.5..3.0_f64,
        ) {
            for claim in [Claim::Below(limit), Claim::Above(limit), Claim::AtMost(limit), Claim::FasterBy(limit)] {
                let narrow = claim.decide(&Interval::new(low, low + width));
                let wide = claim.decide(&Interval::new(low - 0.05 * more, low + width + more));
                prop_assert!(wide == narrow || wide == Decision::Undecided);
            }
        }
    }
}
