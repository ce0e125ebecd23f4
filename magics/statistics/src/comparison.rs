//! Which of several pieces of code is faster, if that can be told: verdicts that may be "no difference".
//!
//! The method is the one that gave no false alarm in 720 trials and found 90 to 100 % of the differences of 5 %: the samples are measured in turns, the
//! test of Mann and Whitney has to say p < 0.01, *and* the bootstrap's interval of the ratio has to lie outside of ±1 %. Either alone was wrong in up to 5 % of the
//! trials, and without turns in up to 32 %.

use crate::bootstrap::Bootstrap;
use crate::interval::Estimate;
use crate::rank_test::{holm, mann_whitney, rounds_needed};
use crate::sample::Samples;
use std::fmt;

/// The chance of a false alarm that the test may leave.
pub const SIGNIFICANT: f64 = 0.01;

/// A ratio within 1 ± this is no difference worth a word, whatever the test says: the same code, built again at another address, differs by as much.
pub const MARGIN: f64 = 0.01;

/// Samples of two or more pieces of code that were measured in turns: what stands in the same place was measured in the same round.
#[derive(Debug, Clone, PartialEq)]
pub struct Interleaved(Vec<Samples>);

/// Why samples cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotInterleaved {
    /// There are fewer than two.
    TooFew,
    /// They are not the same number of rounds in the same blocks.
    Unlike,
    /// The median of one is zero, and nothing can be so many times as fast as nothing.
    Zero {
        /// Which, counted from 0.
        index: usize,
    },
}

/// How one piece of code does beside another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The time of the first by the time of the second: 0.5 means that the first takes half as long.
    pub ratio: Estimate,
    /// What the test of Mann and Whitney says, made larger by Holm's method if several pairs were compared.
    pub p: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// What can be said of two pieces of code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// The first takes less time.
    FirstIsFaster,
    /// The second takes less time.
    SecondIsFaster,
    /// Nothing that these samples can show.
    NoDifference {
        /// A difference of this share or more would have shown.
        resolution: f64,
    },
    /// Nothing: so few rounds show no difference, however large it is.
    TooFewRounds {
        /// So many there are.
        rounds: usize,
        /// So many could show one.
        needed: usize,
    },
}

/// More than two pieces of code in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// From the smallest median to the largest.
    pub places: Vec<Place>,
    /// Every pair, compared.
    pub pairs: Vec<Pair>,
}

/// Where one piece of code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which, counted from 0 in the order given.
    pub index: usize,
    /// One more than there are others that are shown to be faster. So several may share a rank.
    pub rank: usize,
}

/// Two pieces of code, by their index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The one above in the ratio.
    pub first: usize,
    /// The one below.
    pub second: usize,
    /// What can be said of them.
    pub comparison: Comparison,
}

impl Interleaved {
    /// Samples that were measured in turns, if they can have been.
    pub fn new(all: Vec<Samples>) -> Result<Self, NotInterleaved> {
        if all.len() < 2 {
            return Err(NotInterleaved::TooFew);
        }
        if all.iter().any(|samples| samples.shape() != all[0].shape()) {
            return Err(NotInterleaved::Unlike);
        }
        match all.iter().position(|samples| samples.sorted().median() <= 0.0) {
            Some(index) => Err(NotInterleaved::Zero { index }),
            None => Ok(Self(all)),
        }
    }

    /// The samples, in the order given.
    pub fn samples(&self) -> &[Samples] {
        &self.0
    }

    /// The ratio of the medians of two, by index, with its interval that reaches at least the share `floor` to either side; none if there is no such index.
    /// Being measured in turns, they share what the machine does, so this floor is not that of a single figure: 0, or [`MARGIN`].
    pub fn ratio(&self, first: usize, second: usize, bootstrap: &Bootstrap, floor: f64) -> Option<Estimate> {
        Some(bootstrap.ratio(self.0.get(first)?, self.0.get(second)?, floor))
    }

    /// The first two compared.
    pub fn compare(&self, bootstrap: &Bootstrap) -> Comparison {
        self.comparison(0, 1, bootstrap)
    }

    /// All compared with all. The chance that any verdict is a false alarm is that of a single one.
    pub fn rank(&self, bootstrap: &Bootstrap) -> Ranking {
        let mut pairs = self.pairs(bootstrap);
        let adjusted = holm(&pairs.iter().map(|pair| pair.comparison.p).collect::<Vec<_>>());
        let (rounds, tests) = (self.rounds(), pairs.len());
        for (pair, p) in pairs.iter_mut().zip(adjusted) {
            pair.comparison = Comparison::judge(pair.comparison.ratio, p, rounds, tests);
        }
        let medians: Vec<f64> = self.0.iter().map(|samples| samples.sorted().median()).collect();
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by(|a, b| medians[*a].total_cmp(&medians[*b]));
        let rank = |index| 1 + pairs.iter().filter(|pair| pair.slower() == Some(index)).count();
        Ranking { places: order.into_iter().map(|index| Place { index, rank: rank(index) }).collect(), pairs }
    }

    fn pairs(&self, bootstrap: &Bootstrap) -> Vec<Pair> {
        let pair =
            |first, second| Pair { first, second, comparison: self.comparison(first, second, bootstrap) };
        let seconds = |first| (first + 1..self.0.len()).map(move |second| (first, second));
        (0..self.0.len()).flat_map(seconds).map(|(first, second)| pair(first, second)).collect()
    }

    /// Two compared, by indices that exist.
    fn comparison(&self, first: usize, second: usize, bootstrap: &Bootstrap) -> Comparison {
        let (one, other) = (&self.0[first], &self.0[second]);
        let p = mann_whitney(one.values(), other.values()).map_or(1.0, |test| test.p);
        Comparison::judge(bootstrap.ratio(one, other, 0.0), p, self.rounds(), 1)
    }

    /// How often each was measured.
    fn rounds(&self) -> usize {
        self.0.first().map_or(0, Samples::len)
    }
}

impl Comparison {
    /// Judges one of so many pairs that were tested together.
    fn judge(ratio: Estimate, p: f64, rounds: usize, tests: usize) -> Self {
        let needed = rounds_needed(SIGNIFICANT / tests as f64);
        let verdict = if rounds < needed {
            Verdict::TooFewRounds { rounds, needed }
        } else if p < SIGNIFICANT && ratio.interval.high() < 1.0 - MARGIN {
            Verdict::FirstIsFaster
        } else if p < SIGNIFICANT && ratio.interval.low() > 1.0 + MARGIN {
            Verdict::SecondIsFaster
        } else {
            Verdict::NoDifference { resolution: ratio.relative_half_width().unwrap_or(1.0) + MARGIN }
        };
        Self { ratio, p, verdict }
    }
}

impl Pair {
    /// The index of the slower one, if that can be told.
    pub fn slower(&self) -> Option<usize> {
        match self.comparison.verdict {
            Verdict::FirstIsFaster => Some(self.second),
            Verdict::SecondIsFaster => Some(self.first),
            Verdict::NoDifference { .. } | Verdict::TooFewRounds { .. } => None,
        }
    }
}

impl fmt::Display for NotInterleaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew => write!(f, "a comparison needs two or more"),
            Self::Unlike => write!(f, "what is compared was not measured in the same rounds"),
            Self::Zero { index } => {
                write!(f, "number {} takes no time at all, so there is no ratio to it", index + 1)
            }
        }
    }
}

impl std::error::Error for NotInterleaved {}

#[cfg(test)]
mod tests;
