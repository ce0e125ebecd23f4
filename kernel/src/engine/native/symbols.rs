//! A stand-in until what finds names is joined.

use super::dependencies::Dependencies;
use super::notebook::Notebook;
use crate::engine::Cell;
use assay_link::watch::{Seen, Watched};
use assay_magics::profiled::{Asked, Function, Heap, Time};
use std::time::Duration;

/// A crate whose source is the user's own.
pub(super) struct Local;

impl Dependencies {
    /// The crates whose source is the user's own.
    #[expect(clippy::unused_self, reason = "it will find them")]
    pub(super) fn local(&self) -> Vec<Local> {
        Vec::new()
    }
}

/// The functions of a notebook.
pub(super) struct Outline(Vec<String>);

/// The functions that a profile speaks of.
#[derive(Default)]
pub(super) struct Functions(Vec<Function>);

impl Functions {
    pub(super) fn into_vec(self) -> Vec<Function> {
        self.0
    }
}

impl Outline {
    pub(super) fn of(notebook: &Notebook, _: &Cell, _: &[Local]) -> Self {
        Self(notebook.definitions.keys().cloned().collect())
    }

    #[expect(clippy::unused_self, reason = "it will know more places")]
    pub(super) fn learn(&mut self, _: &Notebook) {}

    pub(super) fn names(&self) -> Vec<String> {
        self.0.clone()
    }

    #[expect(clippy::unused_self, reason = "it will find them")]
    pub(super) fn asked(&self, _: &[String], _: &mut Functions) -> Vec<Asked> {
        Vec::new()
    }
}

/// Where time went.
pub(super) fn time(samples: &[Watched], _: &Outline, _: &mut Functions) -> Time {
    let seconds = |nanoseconds| Duration::from_nanos(nanoseconds).as_secs_f64();
    Time {
        runs: samples.iter().map(|run| run.runs).sum(),
        wall_of_runs: seconds(samples.iter().map(|run| run.wall).sum()),
        ..Time::default()
    }
}

/// What was done to the heap.
pub(super) fn heap(watched: &Watched, _: Option<&Watched>, _: &Outline, _: &mut Functions) -> Heap {
    match &watched.seen {
        Seen::Heap(heap) => {
            Heap { allocations: heap.allocations, bytes: heap.bytes, frees: heap.frees, ..Heap::default() }
        }
        _ => Heap::default(),
    }
}
