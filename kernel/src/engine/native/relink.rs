//! What depended on an item that has been redefined is built on the new one from now on.
//!
//! A unit that names something which is now another thing is renewed: it becomes a new unit of the same text, whose declarations say what the names mean today. The older
//! one stays for the variables of its types. Units that come to need each other are merged into one.

use super::notebook::{Definition, Kind, Notebook};
use super::prelude::{bound, prelude};
use super::split::{Implementation, Item, What};
use super::supersede::without;
use super::units::{Part, Unit, UnitId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Links the whole notebook anew. `fresh` are units that nothing has been built of yet. Gives the units that are no more among them, since they were merged.
pub(super) fn relink(notebook: &mut Notebook, fresh: &mut BTreeSet<UnitId>) -> BTreeSet<UnitId> {
    let mut moved = BTreeSet::new();
    // Each round renews or merges something. More than there are units, squared, would be a fault: then the compiler says what is wrong.
    let rounds = (notebook.units.all().count() + 2).pow(2);
    for _ in 0..rounds {
        let outdated = notebook.units.all().map(|(id, _)| id).find(|id| is_outdated(notebook, *id));
        if let Some(id) = outdated {
            renew(notebook, id, fresh);
            continue;
        }
        let Some(knot) = knot(notebook, fresh) else { break };
        moved.extend(knot.iter().copied());
        let parts = knot.iter().flat_map(|id| living(notebook, *id)).collect();
        fresh.insert(merge(notebook, &knot, parts));
    }
    moved
}

/// Renews these units, although their names mean what they did: crates that they use are other crates now. What is built on them follows.
pub(super) fn renew_all(notebook: &mut Notebook, ids: &BTreeSet<UnitId>) {
    let mut fresh = BTreeSet::new();
    for id in ids.iter().filter(|id| is_alive(notebook, **id)).copied().collect::<Vec<_>>() {
        let parts = today_of(notebook, id);
        let new = notebook.units.add(Unit::of(parts));
        fresh.insert(new);
        point(notebook, &BTreeMap::from([(id, new)]), &BTreeMap::new());
    }
    relink(notebook, &mut fresh);
}

/// Makes one new unit of a unit, of a part that it cannot take, and of all that lies between them.
pub(super) fn tangled(notebook: &mut Notebook, unit: UnitId, part: Part) -> UnitId {
    let reaches = |from: UnitId| notebook.units.reached(&BTreeSet::from([from])).contains(&unit);
    let mut knot: BTreeSet<UnitId> =
        notebook.units.reached(&part.needs).into_iter().filter(|id| reaches(*id)).collect();
    knot.insert(unit);
    let mut parts: Vec<Part> = knot.iter().flat_map(|id| living(notebook, *id)).collect();
    parts.retain(|older| !same_place(older, &part));
    parts.push(part);
    merge(notebook, &knot, parts)
}

/// What other cells implemented for types and traits of older units goes on to be implemented for those of this one that have their names, unless it does
/// so itself. False if there is nothing of the kind.
pub(super) fn follow(notebook: &mut Notebook, new: UnitId, older: &BTreeSet<UnitId>) -> bool {
    let Some(unit) = notebook.units.get(new) else { return false };
    let names = bound(unit.parts.iter().flat_map(|part| &part.items));
    let Some(root) = unit.root().cloned() else { return false };
    let is_named = |path: &Option<Vec<String>>| {
        path.as_ref().and_then(|path| path.first()).is_some_and(|head| names.contains(head))
    };
    let follows = |item: &&Item| match &item.what {
        What::Implementation(Implementation { of_trait, for_type, .. }) => {
            is_named(of_trait) || is_named(for_type)
        }
        What::Import(_) => true,
        _ => false,
    };
    let joined = older.iter().filter_map(|id| notebook.units.get(*id)).flat_map(|unit| &unit.parts);
    let joined: Vec<Part> = joined
        .filter(|part| part.module > 0)
        .map(|part| Part {
            items: part.items.iter().filter(follows).filter_map(|item| without(item, part, &root)).collect(),
            whole: false,
            ..Part::clone(part)
        })
        .filter(|part| part.items.iter().any(|item| item.anatomy.implementation.is_some()))
        .collect();
    let mut parts = unit.parts.clone();
    for (module, part) in (unit.free_module()..).zip(joined) {
        let own = bound(&part.items);
        parts.push(Arc::new(Part { module, ..today(notebook, part, &own, Some(new)) }));
    }
    let followed = parts.len() > unit.parts.len();
    if let Some(unit) = notebook.units.get_mut(new) {
        unit.begin_with(parts);
    }
    followed
}

/// Whether a part says what a newer part of the same impls says.
fn same_place(older: &Part, newer: &Part) -> bool {
    older.items.iter().all(|item| {
        item.anatomy.implementation.is_some()
            && newer.items.iter().any(|other| other.anatomy.head == item.anatomy.head)
    })
}

/// Whether something that the unit names is another thing now.
fn is_outdated(notebook: &Notebook, id: UnitId) -> bool {
    let Some(unit) = notebook.units.get(id) else { return false };
    if !is_alive(notebook, id) {
        return false;
    }
    let own: BTreeSet<String> = bound(unit.parts.iter().flat_map(|part| &part.items));
    let elsewhere = |name: &String| notebook.definitions.get(name).is_some_and(|now| now.unit != id);
    unit.parts.iter().any(|part| {
        let items = part.items.iter().filter(|item| lives(notebook, id, item));
        let mentions: BTreeSet<&String> = items.flat_map(|item| &item.mentions).collect();
        let brought = part.brought.iter().any(|(name, then)| {
            mentions.contains(name) && notebook.definitions.get(name).is_some_and(|now| !now.is_where(then))
        });
        brought || own.iter().any(|name| mentions.contains(name) && elsewhere(name) && !rebinds(part, name))
    })
}

/// Whether a part brings the name in itself.
fn rebinds(part: &Part, name: &str) -> bool {
    part.brought.contains_key(name) || part.imports().any(|import| import.name.as_deref() == Some(name))
}

/// Whether a name stands for something in the unit.
fn is_alive(notebook: &Notebook, id: UnitId) -> bool {
    notebook.definitions.values().any(|definition| definition.unit == id)
}

/// Whether an item of a unit is what its name stands for.
fn lives(notebook: &Notebook, id: UnitId, item: &Item) -> bool {
    let is_here = |name: &str| notebook.definitions.get(name).is_some_and(|now| now.unit == id);
    let elsewhere = |path: &Option<Vec<String>>| {
        let head = path.as_ref().and_then(|path| path.first());
        head.and_then(|head| notebook.definitions.get(head)).is_some_and(|now| now.unit != id)
            && head.is_some_and(|head| defines(notebook, id, head))
    };
    match &item.what {
        What::Definition(names) => names.iter().any(|name| is_here(&name.name)),
        What::Macro { name, .. } => is_here(name),
        What::Implementation(Implementation { of_trait, for_type, .. }) => {
            !elsewhere(of_trait) && !elsewhere(for_type)
        }
        What::Import(_) | What::Invocation { .. } | What::Nameless => true,
    }
}

/// Whether a unit has an item of this name, be it what the name stands for or not.
fn defines(notebook: &Notebook, id: UnitId, name: &str) -> bool {
    let parts = notebook.units.get(id).into_iter().flat_map(|unit| &unit.parts);
    parts.flat_map(|part| &part.items).any(|item| match &item.what {
        What::Definition(names) => names.iter().any(|own| own.name == name),
        _ => false,
    })
}

/// The parts of a unit with what lives of them.
fn living(notebook: &Notebook, id: UnitId) -> Vec<Part> {
    let parts = notebook.units.get(id).into_iter().flat_map(|unit| &unit.parts);
    let alive = parts.map(|part| {
        let items: Vec<Item> = part.items.iter().filter(|item| lives(notebook, id, item)).cloned().collect();
        let whole = part.whole && items.len() == part.items.len();
        Part { items, whole, ..Part::clone(part) }
    });
    alive.filter(|part| part.items.iter().any(|item| !matches!(item.what, What::Import(_)))).collect()
}

/// A part as it is written today, in the unit `inside` if that exists already.
fn today(notebook: &Notebook, part: Part, own: &BTreeSet<String>, inside: Option<UnitId>) -> Part {
    let mentions = part.items.iter().flat_map(|item| item.mentions.iter().cloned()).collect();
    let prelude = prelude(notebook, &mentions, own, inside);
    Part { prelude: prelude.text, needs: prelude.needs, brought: prelude.brought, ..part }
}

/// What lives of a unit, as it is written today.
fn today_of(notebook: &Notebook, id: UnitId) -> Vec<Arc<Part>> {
    let living = living(notebook, id);
    let own = bound(living.iter().flat_map(|part| &part.items));
    living.into_iter().map(|part| Arc::new(today(notebook, part, &own, Some(id)))).collect()
}

fn renew(notebook: &mut Notebook, id: UnitId, fresh: &mut BTreeSet<UnitId>) {
    let parts = today_of(notebook, id);
    if fresh.contains(&id) {
        if let Some(unit) = notebook.units.get_mut(id) {
            unit.begin_with(parts);
        }
        return;
    }
    let new = match notebook.units.equal(&parts) {
        Some(equal) => equal,
        None => {
            let mut unit = Unit::of(parts);
            if let Some(older) = notebook.units.get(id) {
                unit.inherit(older, &not_the_same(notebook, id));
            }
            let new = notebook.units.add(unit);
            fresh.insert(new);
            new
        }
    };
    point(notebook, &BTreeMap::from([(id, new)]), &BTreeMap::new());
}

/// The names that do not mean the same in a renewed unit: its own, and all of the notebook's.
fn not_the_same(notebook: &Notebook, id: UnitId) -> BTreeSet<String> {
    let parts = notebook.units.get(id).into_iter().flat_map(|unit| &unit.parts);
    let mut all = bound(parts.flat_map(|part| &part.items));
    all.extend(notebook.definitions.keys().cloned());
    all
}

/// Units of which each needs the others, one of them being fresh.
fn knot(notebook: &Notebook, fresh: &BTreeSet<UnitId>) -> Option<BTreeSet<UnitId>> {
    fresh.iter().find_map(|id| {
        let below = notebook.units.reached(&notebook.units.needs(*id));
        let mut knot: BTreeSet<UnitId> = below
            .into_iter()
            .filter(|other| notebook.units.reached(&BTreeSet::from([*other])).contains(id))
            .collect();
        knot.insert(*id);
        (knot.len() > 1).then_some(knot)
    })
}

/// Makes one unit of the parts of several.
fn merge(notebook: &mut Notebook, knot: &BTreeSet<UnitId>, parts: Vec<Part>) -> UnitId {
    let own = bound(parts.iter().flat_map(|part| &part.items));
    let mut modules: BTreeMap<String, usize> = BTreeMap::new();
    let parts: Vec<Arc<Part>> = (1..)
        .zip(parts)
        .map(|(module, part)| {
            modules.extend(bound(&part.items).into_iter().map(|name| (name, module)));
            let part = Part { module, ..today(notebook, part, &own, None) };
            let needs = part.needs.difference(knot).copied().collect();
            let within = |name: &String| own.contains(name);
            let brought = part.brought.iter().filter(|(name, _)| !within(name));
            let brought = brought.map(|(name, definition)| (name.clone(), *definition)).collect();
            Arc::new(Part { needs, brought, ..part })
        })
        .collect();
    let new = notebook.units.add(Unit::of(parts));
    point(notebook, &knot.iter().map(|old| (*old, new)).collect(), &modules);
    new
}

/// Names that stood for something in one unit stand for the same in another one.
fn point(notebook: &mut Notebook, units: &BTreeMap<UnitId, UnitId>, modules: &BTreeMap<String, usize>) {
    for (name, definition) in &mut notebook.definitions {
        if let Some(new) = units.get(&definition.unit) {
            // An exported macro lives at its crate's root, wherever it was defined.
            let moved = modules.get(name).filter(|_| !matches!(definition.kind, Kind::Macro { .. }));
            let module = moved.copied().unwrap_or(definition.module);
            *definition = Definition { unit: *new, module, ..definition.clone() };
        }
    }
}
