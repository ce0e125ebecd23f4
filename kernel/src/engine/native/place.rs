//! Where the items of a cell go: into a unit of their own, or into an older one.
//!
//! Rust lets a crate implement a foreign trait only for its own types, and methods only for those. So an `impl` for a type of an earlier cell joins the
//! unit of that cell.

use super::notebook::Notebook;
use super::prelude::{bound, prelude};
use super::split::{Implementation, Item, Split, What};
use super::tokens::tokens;
use super::units::{Part, UnitId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The units into which a cell put its items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// The unit that the cell made, if it made one.
    pub(super) own: Option<UnitId>,
    /// The units that it joined.
    pub(super) joined: BTreeSet<UnitId>,
}

/// An `impl` that no crate can hold: it needs what needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cycle {
    /// The item, in bytes of the cell.
    pub(super) item: Range<usize>,
    /// The cell of the type.
    pub(super) of: u32,
    /// The cells that use it, and are used.
    pub(super) through: Vec<u32>,
}

/// Puts the items of a cell into units, and enters their names.
pub(super) fn place(notebook: &mut Notebook, cell: u32, text: &str, split: &Split) -> Result<Placed, Cycle> {
    let items: Vec<&Item> = split.items().collect();
    let own: BTreeSet<String> = bound(items.iter().copied());
    let mut homes: BTreeMap<UnitId, Vec<Item>> = BTreeMap::new();
    let mut rest: Vec<Item> = Vec::new();
    for item in items {
        match home(notebook, item, &own) {
            Some(unit) => homes.entry(unit).or_default().push(item.clone()),
            None => rest.push(item.clone()),
        }
    }
    // What an implementation needs of its own cell has to be where it is.
    let needed = homes.values().flatten().any(|item| item.mentions.iter().any(|name| own.contains(name)));
    if needed && let Some(mut last) = homes.last_entry() {
        let mut all = std::mem::take(&mut rest);
        all.append(last.get_mut());
        all.sort_by_key(|item| item.range.start);
        *last.get_mut() = all;
    }
    let mut placed = Placed::default();
    if !rest.is_empty() {
        let part = part(notebook, cell, text, split, rest, None);
        let items = part.items.clone();
        // What is run again unchanged is what it was: variables of its types stay what they are.
        let unit = match notebook.units.same(&part) {
            Some(unit) => unit,
            None => *placed.own.insert(notebook.units.add(part)),
        };
        notebook.define(text, &items, unit, None);
    }
    for (unit, items) in homes {
        let part = part(notebook, cell, text, split, items.clone(), Some(unit));
        if let Some(module) = notebook.units.joined(unit, &part) {
            notebook.define(text, &items, unit, Some(&module));
            continue;
        }
        check(notebook, unit, &part)?;
        if let Some(module) = notebook.units.join(unit, part) {
            notebook.define(text, &items, unit, Some(&module));
            placed.joined.insert(unit);
        }
    }
    Ok(placed)
}

fn part(
    notebook: &Notebook,
    cell: u32,
    text: &str,
    split: &Split,
    items: Vec<Item>,
    unit: Option<UnitId>,
) -> Part {
    let mentions = items.iter().flat_map(|item| item.mentions.iter().cloned()).collect();
    let prelude = prelude(notebook, &mentions, &bound(&items), unit);
    let ranges = split.inner.iter().chain(items.iter().map(|item| &item.range));
    let said: Vec<&str> = ranges.map(|range| &text[range.clone()]).collect();
    Part {
        cell,
        text: Arc::from(text),
        inner: split.inner.clone(),
        items,
        tokens: tokens(&said.join("\n")),
        prelude: prelude.text,
        needs: prelude.needs,
    }
}

/// The older unit that an item has to join.
fn home(notebook: &Notebook, item: &Item, own: &BTreeSet<String>) -> Option<UnitId> {
    let What::Implementation(Implementation { of_trait, for_type, arguments }) = &item.what else {
        return None;
    };
    let is_own = |path: &Vec<String>| path.first().is_some_and(|head| own.contains(head));
    if of_trait.as_ref().is_some_and(is_own)
        || arguments.iter().any(|name| own.contains(name))
        || for_type.as_ref().is_some_and(is_own)
    {
        return None;
    }
    let paths = [of_trait.as_deref(), for_type.as_deref()].into_iter().flatten();
    let arguments = arguments.iter().filter(|_| of_trait.is_some()).map(std::slice::from_ref);
    paths.chain(arguments).filter_map(|path| notebook.unit_of(path)).max()
}

/// Whether a unit may take in a part: nothing that the part needs is built on the unit.
fn check(notebook: &Notebook, unit: UnitId, part: &Part) -> Result<(), Cycle> {
    let cell =
        |id: &UnitId| notebook.units.get(*id).and_then(|unit| unit.parts.first()).map(|part| part.cell);
    let built_on_it =
        |need: &&UnitId| **need != unit && notebook.units.reached(&BTreeSet::from([**need])).contains(&unit);
    let through: Vec<u32> = part.needs.iter().filter(built_on_it).filter_map(cell).collect();
    if through.is_empty() {
        return Ok(());
    }
    let item = part.items.first().map_or(0..0, |item| item.range.clone());
    Err(Cycle { item, of: cell(&unit).unwrap_or_default(), through })
}
