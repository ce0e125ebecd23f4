//! Where the items of a cell go: into a unit of their own, or into an older one.
//!
//! Rust lets a crate implement a foreign trait only for its own types, and methods only for those. So an `impl` for a type of an earlier cell joins the unit of
//! that cell. An item that has the name of an older one takes its place in the older one's unit, as long as the types of that unit stay what they are; otherwise
//! the cell makes a new unit, and what depended on the older item is [linked anew](super::relink).

use super::notebook::{Kind, Notebook};
use super::prelude::{bound, prelude};
use super::relink::{follow, relink, tangled};
use super::source::Source;
use super::split::{Implementation, Item, Split, What};
use super::supersede::with;
use super::tokens::tokens;
use super::units::{Part, Unit, UnitId};
use std::collections::{BTreeMap, BTreeSet};
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
pub(super) fn place(notebook: &mut Notebook, cell: u32, text: &Arc<Source>, split: &Split) -> Placed {
    let items: Vec<&Item> = split.items().collect();
    if items.is_empty() {
        // Nothing has another meaning than before.
        return Placed::default();
    }
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
        placing.items(&rest);
    }
    for (unit, items) in homes {
        placing.join(unit, &items);
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
    text: &'a Arc<Source>,
    split: &'a Split,
    placed: Placed,
    /// Units that nobody has seen yet.
    fresh: BTreeSet<UnitId>,
}

impl Placing<'_> {
    /// Items that need not be anywhere.
    fn items(&mut self, items: &[Item]) {
        let part = self.part(items, None, 0);
        // What is run again unchanged is what it was: variables of its types stay what they are.
        if let Some(unit) = self.notebook.units.same(&part) {
            self.notebook.define(self.text.text(), items, unit, 0);
            return;
        }
        if let Some((unit, module)) = older(self.notebook, items) {
            let again = self.part(items, Some(unit), module);
            if self.notebook.units.get(unit).is_some_and(|unit| unit.says(&again)) {
                self.notebook.define(self.text.text(), items, unit, module);
                return;
            }
            if self.takes_place(unit, items, module) {
                return;
            }
        }
        let names = bound(&part.items);
        let older = names.iter().filter_map(|name| self.notebook.definitions.get(name));
        let older: BTreeSet<UnitId> = older.map(|definition| definition.unit).collect();
        let unit = self.notebook.units.add(Unit::of(vec![Arc::new(part)]));
        self.fresh.insert(unit);
        self.notebook.define(self.text.text(), items, unit, 0);
        // With what other cells added to it, it may turn out not to fit: then it is built without.
        if follow(self.notebook, unit, &older) {
            self.placed.changed.insert(unit);
        } else {
            self.placed.own = Some(unit);
        }
    }

    /// Items that a unit must take in.
    fn join(&mut self, unit: UnitId, items: &[Item]) {
        let part = self.part(items, Some(unit), 1);
        if let Some(module) = self.notebook.units.joined(unit, &part) {
            self.notebook.define(self.text.text(), items, unit, module);
            return;
        }
        let Some(module) = self.notebook.units.get(unit).map(|unit| unit.module_for(&part)) else { return };
        if self.takes_place(unit, items, module) {
            return;
        }
        // It needs what needs its unit, or changes its types: so all of that becomes one new unit.
        let merged = tangled(self.notebook, unit, part);
        self.fresh.insert(merged);
        if let Some(module) = self.notebook.units.get(merged).map(|unit| unit.free_module() - 1) {
            self.notebook.define(self.text.text(), items, merged, module);
        }
        self.placed.changed.insert(merged);
    }

    /// Puts items into a unit, in the place of those that they redefine; false if the unit cannot take them.
    fn takes_place(&mut self, unit: UnitId, items: &[Item], module: usize) -> bool {
        let part = self.part(items, Some(unit), module);
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
        self.notebook.define(self.text.text(), items, unit, module);
        true
    }

    fn part(&self, items: &[Item], unit: Option<UnitId>, module: usize) -> Part {
        let mentions = items.iter().flat_map(|item| item.mentions.iter().cloned()).collect();
        let prelude = prelude(self.notebook, &mentions, &bound(items), unit);
        let ranges = self.split.inner.iter().chain(items.iter().map(|item| &item.range));
        let said: Vec<&str> = ranges.map(|range| &self.text.text()[range.clone()]).collect();
        Part {
            cell: self.cell,
            text: Arc::clone(self.text),
            inner: self.split.inner.clone(),
            items: items.to_vec(),
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
