//! What the places of a heap come to, line by line.

use crate::lines::{Listing, places};
use crate::profiled::{Profiled, Site};
use std::collections::BTreeMap;

/// A function with the figures of its lines.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    pub(super) listing: Listing<'a>,
    pub(super) lines: Vec<Line<'a>>,
}

/// The figures of a line.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) number: u32,
    pub(super) text: &'a str,
    /// How often it ran.
    pub(super) hits: Option<u64>,
    /// What it did to the heap, with all that it called; none if nothing.
    pub(super) heap: Option<Sum>,
}

/// What was done to the heap.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) allocations: u64,
    pub(super) bytes: u64,
    pub(super) frees: u64,
    pub(super) freed: u64,
    /// How much of what it allocated is live at the end.
    pub(super) live: u64,
    /// The most that was live of the whole heap after anything that allocated; none if nothing did.
    most: Option<i64>,
    /// The least that was live of the whole heap after the last of each place's events.
    least: Option<i64>,
}

impl Sum {
    fn add(&mut self, site: &Site) {
        self.allocations += site.allocations;
        self.bytes += site.bytes;
        self.frees += site.frees;
        self.freed += site.freed;
        self.live += site.live;
        if site.allocations > 0 {
            self.most = self.most.max(Some(site.heap_most));
        }
        self.least = Some(self.least.map_or(site.heap_after, |least| least.min(site.heap_after)));
    }

    /// What the line left behind, in bytes.
    pub(super) fn increment(&self) -> i64 {
        signed(self.bytes) - signed(self.freed)
    }

    /// What was live of the whole heap: of a line that allocates the most that was live after it had, as memory_profiler has it (a line that runs often has there the most of all
    /// times); of a line that only frees what it left.
    pub(super) fn usage(&self) -> i64 {
        self.most.or(self.least).unwrap_or_default()
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Every function that was asked for; where none was named, the cell and those of its functions that were called.
pub(super) fn figures(profiled: &Profiled, named: bool) -> Vec<Figures<'_>> {
    Listing::all(profiled, named).into_iter().map(|listing| Figures::of(listing, profiled)).collect()
}

impl<'a> Figures<'a> {
    fn of(listing: Listing<'a>, profiled: &'a Profiled) -> Self {
        let mut sums: BTreeMap<u32, Sum> = BTreeMap::new();
        for site in places(profiled).iter().flat_map(|heap| &heap.sites) {
            if let Some(line) = listing.at(&site.frames) {
                sums.entry(line).or_default().add(site);
            }
        }
        let line = |(number, text): (u32, &'a str)| Line {
            number,
            text,
            hits: listing.hits(number),
            heap: sums.get(&number).copied(),
        };
        Self { lines: listing.lines().map(line).collect(), listing }
    }

    /// All that its lines did.
    pub(super) fn sum(&self) -> Sum {
        let mut all = Sum::default();
        for heap in self.lines.iter().filter_map(|line| line.heap) {
            all.allocations += heap.allocations;
            all.bytes += heap.bytes;
            all.frees += heap.frees;
            all.freed += heap.freed;
            all.live += heap.live;
        }
        all
    }

    /// How much of what the function asks for a line asks for.
    pub(super) fn share(&self, line: &Line<'_>) -> f64 {
        let all = self.sum().bytes;
        let own = line.heap.map_or(0, |heap| heap.bytes);
        if all == 0 { 0.0 } else { own as f64 / all as f64 }
    }
}
