//! What is left of older items when newer ones of the same names are there.

use super::prelude::bound;
use super::source::Edit;
use super::split::{Import, Item, What};
use super::statics::merged;
use super::units::Part;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

/// Parts with one more, which takes the place of what it redefines.
pub(super) fn with(parts: &[Arc<Part>], part: Part) -> Vec<Arc<Part>> {
    let mut all: Vec<Arc<Part>> = parts
        .iter()
        .map(|older| {
            let items: Vec<Item> =
                older.items.iter().filter_map(|item| without(item, older, &part)).collect();
            if items == older.items {
                return Arc::clone(older);
            }
            Arc::new(Part { items, whole: false, ..Part::clone(older) })
        })
        .collect();
    all.retain(|older| older.items.iter().any(|item| !matches!(item.what, What::Import(_))));
    all.push(Arc::new(part));
    all
}

/// What is left of an item of an older part when a newer part is there.
pub(super) fn without(item: &Item, older: &Part, newer: &Part) -> Option<Item> {
    let names = bound(&newer.items);
    let here = older.module == newer.module;
    match &item.what {
        What::Definition(all) => {
            (!here || !all.iter().any(|name| names.contains(&name.name))).then(|| item.clone())
        }
        // Macros of one unit stand in one row, whichever modules they were defined in.
        What::Macro { name, .. } => (!names.contains(name)).then(|| item.clone()),
        What::Import(all) => {
            let again = |import: &Import| match &import.name {
                Some(name) => names.contains(name),
                None => newer.imports().any(|other| other.declaration == import.declaration),
            };
            (!here || !all.iter().any(again)).then(|| item.clone())
        }
        What::Implementation(_) => without_members(item, older, newer),
        What::Invocation { .. } | What::Nameless => {
            let again =
                newer.items.iter().any(|other| other.what == item.what && other.mentions == item.mentions);
            (!here || !again).then(|| item.clone())
        }
    }
}

/// An `impl` without what a newer part implements.
fn without_members(item: &Item, older: &Part, newer: &Part) -> Option<Item> {
    let own = item.anatomy.implementation.as_ref()?;
    let rivals: Vec<&Item> =
        newer.items.iter().filter(|other| other.anatomy.head == item.anatomy.head).collect();
    if rivals.is_empty() {
        return Some(item.clone());
    }
    if own.of_trait {
        return None;
    }
    let new: BTreeSet<&str> = rivals
        .iter()
        .filter_map(|other| other.anatomy.implementation.as_ref())
        .flat_map(|other| other.members.iter().map(|(name, _)| name.as_str()))
        .collect();
    // A cell that is run again says all that it has to say: what it no longer has is gone.
    if older.cell == newer.cell || own.members.iter().all(|(name, _)| new.contains(name.as_str())) {
        return None;
    }
    let mut item = item.clone();
    for (_, range) in own.members.iter().filter(|(name, _)| new.contains(name.as_str())) {
        item.edits.push(gap(older.text.text(), range.clone()));
    }
    item.edits = merged(item.edits);
    Some(item)
}

/// Takes text away, but not its lines.
fn gap(text: &str, range: Range<usize>) -> Edit {
    let breaks = text.get(range.clone()).unwrap_or_default().chars().filter(|&c| c == '\n').collect();
    Edit { range, text: breaks }
}
