//! Line by line: `%lprun` and `%mprun` show the functions that were asked for by name. Which of its lines a stack is at, how often they ran, and whether it was called at all.

mod asked;
mod listing;
pub(crate) mod python;
mod statements;

pub(crate) use asked::{asked, functions};
pub(crate) use listing::{Called, Listing};

use crate::profiled::{Ending, Heap, Profiled};
use crate::result::PARTIAL;

/// What is said where the code did not come to its end.
pub(crate) fn unfinished(ending: Ending) -> Option<String> {
    match ending {
        Ending::Finished => None,
        Ending::Failed => {
            Some("Partial: a panic or a `?` ended the code, and these are the figures up to then.".to_owned())
        }
        Ending::Interrupted => Some(PARTIAL.to_owned()),
    }
}

/// What the code did to the heap, by place.
pub(crate) fn places(profiled: &Profiled) -> Option<&Heap> {
    profiled.heaps.iter().find(|heap| !heap.sites.is_empty())
}

#[cfg(test)]
pub(crate) mod trial;
