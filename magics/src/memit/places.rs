//! Where memory was asked for: the line of the user's own that did, and what it called.

use crate::profiled::{Frame, Function, Heap, Origin, Profiled, Site};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// So many places by what was live at the peak, and so many by what still is.
const MOST: usize = 8;

/// A line of the user's own, and what it called there; what it did to the heap.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Place {
    /// `cell[3]:14`; where no code of the user's own is in the stack, the file of what is.
    pub(super) at: String,
    /// The function that the line is in.
    pub(super) function: String,
    /// What it called; empty if it asked by itself, or where that is not known.
    pub(super) called: String,
    pub(super) allocations: u64,
    pub(super) bytes: u64,
    pub(super) at_peak: u64,
    pub(super) live: u64,
    pub(super) live_blocks: u64,
}

/// The largest places, and what is left.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Places {
    pub(super) largest: Vec<Place>,
    /// How many others there are.
    pub(super) others: usize,
    /// All of the others together.
    pub(super) rest: Place,
}

impl Place {
    /// `cell[3]:14 in build -> Vec::push`.
    pub(super) fn name(&self) -> String {
        let place = format!("{} in {}", self.at, self.function);
        if self.called.is_empty() { place } else { format!("{place} -> {}", self.called) }
    }

    fn add(&mut self, site: &Site) {
        self.allocations += site.allocations;
        self.bytes += site.bytes;
        self.at_peak += site.at_peak;
        self.live += site.live;
        self.live_blocks += site.live_blocks;
    }

    fn add_all(&mut self, other: &Self) {
        self.allocations += other.allocations;
        self.bytes += other.bytes;
        self.at_peak += other.at_peak;
        self.live += other.live;
        self.live_blocks += other.live_blocks;
    }
}

/// The places of a heap that allocate, the largest at the peak first.
pub(super) fn places(profiled: &Profiled, heap: &Heap) -> Places {
    let mut all: BTreeMap<(String, String, String), Place> = BTreeMap::new();
    for site in heap.sites.iter().filter(|site| site.allocations > 0) {
        let [at, function, called] = place(&profiled.functions, &site.frames);
        let found = all.entry((at.clone(), function.clone(), called.clone())).or_default();
        *found = Place { at, function, called, ..std::mem::take(found) };
        found.add(site);
    }
    let mut all: Vec<Place> = all.into_values().collect();
    all.sort_by_key(|place| Reverse((place.live, place.live_blocks)));
    let lives: Vec<String> = all.iter().filter(|place| place.live > 0).take(MOST).map(Place::name).collect();
    all.sort_by_key(|place| Reverse((place.at_peak, place.live, place.bytes, place.allocations)));
    let mut found = Places::default();
    for (index, place) in all.into_iter().enumerate() {
        if index < MOST || lives.contains(&place.name()) {
            found.largest.push(place);
        } else {
            found.others += 1;
            found.rest.add_all(&place);
        }
    }
    found
}

/// The innermost frame of the user's own with its place, and what it called.
fn place(functions: &[Function], frames: &[Frame]) -> [String; 3] {
    let function = |frame: &Frame| functions.get(frame.function);
    let is_own = |frame: &Frame| {
        function(frame).is_some_and(|function| matches!(function.origin, Origin::Cell | Origin::Local))
    };
    let Some(index) = frames.iter().rposition(is_own) else {
        // A thread of the system's, or a stack that could not be followed.
        let innermost = frames.iter().rev().find_map(function);
        return match innermost {
            Some(function) => [function.file.clone(), function.name.clone(), String::new()],
            None => ["unknown".to_owned(), "code without a name".to_owned(), String::new()],
        };
    };
    let (Some(frame), called) = (frames.get(index), frames.get(index + 1)) else { return Default::default() };
    let Some(own) = function(frame) else { return Default::default() };
    let at = match frame.line {
        Some(line) => format!("{}:{line}", own.file),
        None => own.file.clone(),
    };
    let called = called.and_then(function).map(|called| called.name.clone()).unwrap_or_default();
    [at, own.name.clone(), called]
}
