//! Where the items of a cell go: into a unit of their own, or into an older one.
//!
//! Rust lets a crate implement a foreign trait only for its own types, and methods only for those. So an `impl` for a type of an earlier cell joins the unit of
//! that cell. An item that has the name of an older one takes its place in the older one's unit, as long as the types of that unit stay what they are; otherwise
//! the cell makes a new unit, and what depended on the older item is [linked anew](super::relink).

use super::notebook::{Kind, Notebook};
use super::prelude::{bound, prelude};
use super::relink::{relink, tangled};
use super::source::Edit;
use super::split::{Implementation, Item, Split, What};
use super::tokens::tokens;
use super::units::{Part, Unit, UnitId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The units into which a cell put its items.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Placed {
    /// The unit that the cell made, if it made one.
    pub(super) own: Option<UnitId>,
    /// The units that it changed.
    pub(super) changed: BTreeSet<UnitId>,
}

/// Puts the items of a cell into units, and enters their names.
pub(super) fn place(notebook: &mut Notebook, cell: u32, text: &str, split: &Split) -> Placed {
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
    let mut placing =
        Placing { notebook, cell, text, split, placed: Placed::default(), fresh: BTreeSet::new() };
    if !rest.is_empty() {
        placing.items(rest);
    }
    for (unit, items) in homes {
        placing.join(unit, items);
    }
    let Placing { mut placed, mut fresh, .. } = placing;
    let moved = relink(notebook, &mut fresh);
    // A unit that was merged with others is no cell's own.
    placed.own = placed.own.filter(|own| !moved.contains(own));
    placed.changed.retain(|unit| !moved.contains(unit));
    placed
}

struct Placing<'a> {
    notebook: &'a mut Notebook,
    cell: u32,
    text: &'a str,
    split: &'a Split,
    placed: Placed,
    /// Units that nobody has seen yet.
    fresh: BTreeSet<UnitId>,
}

impl Placing<'_> {
    /// Items that need not be anywhere.
    fn items(&mut self, items: Vec<Item>) {
        let part = self.part(items.clone(), None, 0);
        // What is run again unchanged is what it was: variables of its types stay what they are.
        if let Some(unit) = self.notebook.units.same(&part) {
            self.notebook.define(self.text, &items, unit, 0);
            return;
        }
        if let Some((unit, module)) = older(self.notebook, &items) {
            let again = self.part(items.clone(), Some(unit), module);
            if self.notebook.units.get(unit).is_some_and(|unit| unit.says(&again)) {
                self.notebook.define(self.text, &items, unit, module);
                return;
            }
            if self.takes_place(unit, items.clone(), module) {
                return;
            }
        }
        let unit = self.notebook.units.add(Unit::of(vec![Arc::new(part)]));
        self.placed.own = Some(unit);
        self.fresh.insert(unit);
        self.notebook.define(self.text, &items, unit, 0);
    }

    /// Items that a unit must take in.
    fn join(&mut self, unit: UnitId, items: Vec<Item>) {
        let part = self.part(items.clone(), Some(unit), 1);
        if let Some(module) = self.notebook.units.joined(unit, &part) {
            self.notebook.define(self.text, &items, unit, module);
            return;
        }
        let Some(module) = self.notebook.units.get(unit).map(|unit| unit.module_for(&part)) else { return };
        if self.takes_place(unit, items.clone(), module) {
            return;
        }
        // It needs what needs its unit, or changes its types: so all of that becomes one new unit.
        let merged = tangled(self.notebook, unit, part);
        self.fresh.insert(merged);
        if let Some(module) = self.notebook.units.get(merged).map(|unit| unit.free_module() - 1) {
            self.notebook.define(self.text, &items, merged, module);
        }
        self.placed.changed.insert(merged);
    }

    /// Puts items into a unit, in the place of those that they redefine; false if the unit cannot take them.
    fn takes_place(&mut self, unit: UnitId, items: Vec<Item>, module: usize) -> bool {
        let part = self.part(items.clone(), Some(unit), module);
        let needs_itself = |need: &UnitId| {
            *need != unit && self.notebook.units.reached(&BTreeSet::from([*need])).contains(&unit)
        };
        if part.needs.iter().any(needs_itself) {
            return false;
        }
        let Some(older) = self.notebook.units.get_mut(unit) else { return false };
        let parts = with(&older.parts, part);
        if !older.change(parts) {
            return false;
        }
        self.placed.changed.insert(unit);
        self.notebook.define(self.text, &items, unit, module);
        true
    }

    fn part(&self, items: Vec<Item>, unit: Option<UnitId>, module: usize) -> Part {
        let mentions = items.iter().flat_map(|item| item.mentions.iter().cloned()).collect();
        let prelude = prelude(self.notebook, &mentions, &bound(&items), unit);
        let ranges = self.split.inner.iter().chain(items.iter().map(|item| &item.range));
        let said: Vec<&str> = ranges.map(|range| &self.text[range.clone()]).collect();
        Part {
            cell: self.cell,
            text: Arc::from(self.text),
            inner: self.split.inner.clone(),
            items,
            whole: true,
            module,
            tokens: tokens(&said.join("\n")),
            prelude: prelude.text,
            needs: prelude.needs,
            brought: prelude.brought,
        }
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

/// The one unit and module in which all older items are that have the names of these.
fn older(notebook: &Notebook, items: &[Item]) -> Option<(UnitId, usize)> {
    let names = items.iter().flat_map(|item| match &item.what {
        What::Definition(names) => names.as_slice(),
        _ => &[],
    });
    let found: BTreeSet<(UnitId, usize)> = names
        .filter_map(|name| notebook.definitions.get(&name.name))
        .filter(|definition| matches!(definition.kind, Kind::Item { .. }))
        .map(|definition| (definition.unit, definition.module))
        .collect();
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none())
}

/// Parts with one more, which takes the place of what it redefines.
fn with(parts: &[Arc<Part>], part: Part) -> Vec<Arc<Part>> {
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
fn without(item: &Item, older: &Part, newer: &Part) -> Option<Item> {
    let names = bound(&newer.items);
    let here = older.module == newer.module;
    match &item.what {
        What::Definition(all) => {
            (!here || !all.iter().any(|name| names.contains(&name.name))).then(|| item.clone())
        }
        // Macros of one unit stand in one row, whichever modules they were defined in.
        What::Macro { name, .. } => (!names.contains(name)).then(|| item.clone()),
        What::Import(all) => {
            let again = |import: &super::split::Import| match &import.name {
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
        item.edits.push(gap(&older.text, range.clone()));
    }
    item.edits = super::statics::merged(item.edits);
    Some(item)
}

/// Takes text away, but not its lines.
fn gap(text: &str, range: Range<usize>) -> Edit {
    let breaks = text.get(range.clone()).unwrap_or_default().chars().filter(|&c| c == '\n').collect();
    Edit { range, text: breaks }
}
