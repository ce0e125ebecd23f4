//! What samples, hits and allocations come to, line by line.

use crate::lines::{Listing, places};
use crate::profiled::{Profiled, Site, Time};
use std::collections::BTreeMap;

/// The half-width of a 95 % interval, in standard errors.
const NORMAL: f64 = 1.96;
/// Where there is no sample of something, it has 95 % odds to be worth fewer than three.
const RULE_OF_THREE: f64 = 3.0;

/// A function with the figures of its lines.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    pub(super) listing: Listing<'a>,
    pub(super) lines: Vec<Line<'a>>,
    /// Samples of the function, whatever it called.
    pub(super) samples: u64,
}

/// The figures of a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) number: u32,
    pub(super) text: &'a str,
    pub(super) hits: Option<u64>,
    pub(super) samples: u64,
    pub(super) allocations: u64,
    pub(super) bytes: u64,
}

impl Line<'_> {
    /// Whether anything is known of it.
    pub(super) fn is_told(&self) -> bool {
        self.hits.is_some() || self.samples > 0 || self.allocations > 0
    }

    /// Whether anything happened there.
    pub(super) fn is_something(&self) -> bool {
        self.hits.unwrap_or_default() > 0 || self.samples > 0 || self.allocations > 0
    }
}

/// How samples become seconds of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scale {
    /// Seconds of one run that a sample stands for.
    pub(super) sample: f64,
    /// All samples, of whatever.
    pub(super) samples: u64,
}

impl Scale {
    pub(super) fn of(time: &Time) -> Self {
        let samples = time.stacks.iter().map(|stack| stack.samples).sum();
        Self { sample: time.period / time.runs.max(1) as f64, samples }
    }

    pub(super) fn seconds(self, samples: u64) -> f64 {
        samples as f64 * self.sample
    }

    /// The half-width of the 95 % interval of so many samples' seconds: which of all samples meet a line is a throw of dice.
    pub(super) fn error(self, samples: u64) -> f64 {
        let (hit, all) = (samples as f64, self.samples as f64);
        let missed = (all - hit).max(0.0);
        if samples == 0 || missed == 0.0 {
            return RULE_OF_THREE * self.sample;
        }
        NORMAL * (hit * missed / all).sqrt() * self.sample
    }
}

/// Every function that was asked for; where none was named, the cell and those of its functions that were called.
pub(super) fn figures(profiled: &Profiled, named: bool) -> Vec<Figures<'_>> {
    Listing::all(profiled, named).into_iter().map(|listing| Figures::of(listing, profiled)).collect()
}

impl<'a> Figures<'a> {
    fn of(listing: Listing<'a>, profiled: &'a Profiled) -> Self {
        let mut samples: BTreeMap<u32, u64> = BTreeMap::new();
        for stack in profiled.time.iter().flat_map(|time| &time.stacks) {
            if let Some(line) = listing.at(&stack.frames) {
                *samples.entry(line).or_default() += stack.samples;
            }
        }
        let mut heap: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for site in places(profiled).iter().flat_map(|heap| &heap.sites) {
            let Site { frames, allocations, bytes, .. } = site;
            if let Some(line) = listing.at(frames) {
                let sum = heap.entry(line).or_default();
                *sum = (sum.0 + allocations, sum.1 + bytes);
            }
        }
        let line = |(number, text): (u32, &'a str)| {
            let (allocations, bytes) = heap.get(&number).copied().unwrap_or_default();
            let samples = samples.get(&number).copied().unwrap_or_default();
            Line { number, text, hits: listing.hits(number), samples, allocations, bytes }
        };
        let lines = listing.lines().map(line).collect();
        Self { lines, samples: samples.values().sum(), listing }
    }

    /// How much of the function's time a line has.
    pub(super) fn share(&self, line: &Line<'_>) -> f64 {
        if self.samples == 0 { 0.0 } else { line.samples as f64 / self.samples as f64 }
    }

    /// All bytes that its lines allocate.
    pub(super) fn bytes(&self) -> u64 {
        self.lines.iter().map(|line| line.bytes).sum()
    }
}
