//! Units: the crates that hold a notebook's items. A cell with items makes one, or joins an older one.
//!
//! A unit that grows, because a later cell implements a trait for its type, is compiled again under the same identity: its types stay the
//! same types, since nothing of what was there has changed. What was built on it is built again before a cell reaches it.

use super::split::{Import, Item, What};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A unit, by the order in which they were made.
pub(super) type UnitId = u32;

/// All units of a notebook.
#[derive(Debug, Clone, Default)]
pub(super) struct Units {
    all: BTreeMap<UnitId, Unit>,
}

/// A crate of items.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) crate_name: String,
    /// What its first cell put in, then what joined it.
    pub(super) parts: Vec<Arc<Part>>,
    pub(super) built: Option<Built>,
}

/// What one cell put into a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) cell: u32,
    pub(super) text: Arc<str>,
    pub(super) inner: Vec<Range<usize>>,
    pub(super) items: Vec<Item>,
    /// What it says, whatever its white space and its comments: none if that is not known.
    pub(super) tokens: Option<String>,
    /// The declarations that bring what it mentions into scope, as things stood when it was run.
    pub(super) prelude: String,
    /// The units whose names those are.
    pub(super) needs: BTreeSet<UnitId>,
}

/// A unit's library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) library: PathBuf,
    /// How many parts are in it.
    parts: usize,
    /// The libraries that it was built on.
    on: BTreeMap<UnitId, PathBuf>,
}

impl Units {
    /// A new unit, whose crate is named after its cell.
    pub(super) fn add(&mut self, part: Part) -> UnitId {
        let id = self.all.keys().next_back().map_or(1, |last| last + 1);
        let plain = format!("cell_{}", part.cell);
        let taken = self.all.values().any(|unit| unit.crate_name == plain);
        let crate_name = if taken { format!("{plain}_{id}") } else { plain };
        self.all.insert(id, Unit { crate_name, parts: vec![Arc::new(part)], built: None });
        id
    }

    /// The unit that has been made of the very same.
    pub(super) fn same(&self, part: &Part) -> Option<UnitId> {
        let same = |unit: &Unit| unit.parts.first().is_some_and(|first| first.says(part));
        self.all.iter().rev().find(|(_, unit)| same(unit)).map(|(id, _)| *id)
    }

    /// Whether the very same has joined a unit before, and in which module it stands.
    pub(super) fn joined(&self, id: UnitId, part: &Part) -> Option<String> {
        let parts = &self.all.get(&id)?.parts;
        (1..parts.len()).find(|index| parts[*index].says(part)).map(module)
    }

    /// Adds to a unit. Gives the module in which the part stands.
    pub(super) fn join(&mut self, id: UnitId, part: Part) -> Option<String> {
        let unit = self.all.get_mut(&id)?;
        unit.parts.push(Arc::new(part));
        Some(module(unit.parts.len() - 1))
    }

    pub(super) fn get(&self, id: UnitId) -> Option<&Unit> {
        self.all.get(&id)
    }

    /// Every unit, in the order in which they were made.
    pub(super) fn all(&self) -> impl Iterator<Item = (UnitId, &Unit)> {
        self.all.iter().map(|(id, unit)| (*id, unit))
    }

    /// The names of all crates.
    pub(super) fn crate_names(&self) -> BTreeSet<String> {
        self.all.values().map(|unit| unit.crate_name.clone()).collect()
    }

    /// The unit whose crate has this name.
    pub(super) fn named(&self, crate_name: &str) -> Option<UnitId> {
        self.all.iter().find(|(_, unit)| unit.crate_name == crate_name).map(|(id, _)| *id)
    }

    /// Makes other crates of the units that mention one of these crates, and of all that are built on them: their types are to be other types. Gives the names
    /// of the crates that they were.
    pub(super) fn rebuild_on(&mut self, crates: &BTreeSet<String>) -> BTreeSet<String> {
        let mentions = |unit: &Unit| unit.parts.iter().any(|part| part.mentions_one_of(crates));
        let mut changed: BTreeSet<UnitId> =
            self.all.iter().filter(|(_, unit)| mentions(unit)).map(|(id, _)| *id).collect();
        let dependants: Vec<UnitId> = self
            .all
            .keys()
            .copied()
            .filter(|id| self.reached(&BTreeSet::from([*id])).iter().any(|need| changed.contains(need)))
            .collect();
        changed.extend(dependants);
        let mut renamed = BTreeMap::new();
        for id in &changed {
            let name = self.free_name(*id);
            if let Some(unit) = self.all.get_mut(id) {
                unit.built = None;
                renamed.insert(std::mem::replace(&mut unit.crate_name, name.clone()), name);
            }
        }
        // Whoever names one of them is one of them.
        for (_, unit) in self.all.iter_mut().filter(|(id, _)| changed.contains(id)) {
            unit.parts.iter_mut().for_each(|part| Arc::make_mut(part).rename(&renamed));
        }
        renamed.into_keys().collect()
    }

    /// Another name for the crate of a unit.
    fn free_name(&self, id: UnitId) -> String {
        let cell = self.get(id).and_then(|unit| unit.parts.first()).map_or(0, |part| part.cell);
        let taken = |name: &String| self.all.values().any(|unit| unit.crate_name == *name);
        let current = self.get(id).map_or("", |unit| unit.crate_name.as_str());
        // The names that it had before are those with smaller numbers.
        let last = current.rsplit_once("_v").and_then(|(_, number)| number.parse::<u32>().ok()).unwrap_or(1);
        let mut names = (last + 1..).map(|number| format!("cell_{cell}_{id}_v{number}"));
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// Notes that a unit has been built on the libraries of these units.
    pub(super) fn built(&mut self, id: UnitId, library: PathBuf, needs: &BTreeSet<UnitId>) {
        let on = needs.iter().copied().filter_map(|need| Some((need, self.library(need)?.clone()))).collect();
        if let Some(unit) = self.all.get_mut(&id) {
            unit.built = Some(Built { library, parts: unit.parts.len(), on });
        }
    }

    /// The library of a unit, whether it is fresh or not.
    pub(super) fn library(&self, id: UnitId) -> Option<&PathBuf> {
        self.get(id)?.built.as_ref().map(|built| &built.library)
    }

    /// The units that this one names, and those that its library was built on: the statements beside its items may have named more.
    pub(super) fn needs(&self, id: UnitId) -> BTreeSet<UnitId> {
        let Some(unit) = self.get(id) else { return BTreeSet::new() };
        let named = unit.parts.iter().flat_map(|part| part.needs.iter().copied());
        let built_on = unit.built.iter().flat_map(|built| built.on.keys().copied());
        named.chain(built_on).filter(|need| *need != id).collect()
    }

    /// These units and all that they are built on, each after those that it needs.
    pub(super) fn reached(&self, from: &BTreeSet<UnitId>) -> Vec<UnitId> {
        let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
        from.iter().for_each(|id| self.visit(*id, &mut seen, &mut order));
        order
    }

    fn visit(&self, id: UnitId, seen: &mut BTreeSet<UnitId>, order: &mut Vec<UnitId>) {
        if seen.insert(id) {
            self.needs(id).into_iter().for_each(|need| self.visit(need, seen, order));
            order.push(id);
        }
    }

    /// Whether a unit has to be built, those that it needs having been built.
    pub(super) fn stale(&self, id: UnitId) -> bool {
        let Some(unit) = self.get(id) else { return false };
        let Some(built) = &unit.built else { return true };
        built.parts != unit.parts.len()
            || built.on.iter().any(|(need, library)| self.library(*need) != Some(library))
    }
}

impl Part {
    /// Whether it, or what brings its names into scope, mentions one of these.
    fn mentions_one_of(&self, names: &BTreeSet<String>) -> bool {
        let mut words = self.prelude.split(|c: char| c != '_' && !c.is_alphanumeric());
        words.any(|word| names.contains(word))
            || self.items.iter().any(|item| !item.mentions.is_disjoint(names))
    }

    /// Names crates as they are called now.
    fn rename(&mut self, renamed: &BTreeMap<String, String>) {
        for (old, new) in renamed {
            self.prelude = self.prelude.replace(&format!("use ::{old}::"), &format!("use ::{new}::"));
        }
    }

    /// Whether it says the same as another part, of the same things.
    fn says(&self, other: &Self) -> bool {
        self.tokens.is_some() && self.tokens == other.tokens && self.prelude == other.prelude
    }
}

impl Unit {
    /// The `use` declarations at its root.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Import> {
        let items = self.parts.iter().take(1).flat_map(|part| &part.items);
        items.flat_map(|item| match &item.what {
            What::Import(all) => all.as_slice(),
            _ => &[],
        })
    }

    /// What its types may be called.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let items = self.parts.iter().flat_map(|part| &part.items);
        let naming = items.filter(|item| {
            matches!(item.what, What::Definition(_) | What::Invocation { .. } | What::Macro { .. })
        });
        naming.flat_map(|item| &item.mentions)
    }

    /// What the identity of its types hangs on: it stays when the unit grows.
    pub(super) fn identity(&self) -> &str {
        &self.crate_name
    }
}

/// The module of the part at `index`; the first one stands at the root.
pub(super) fn module(index: usize) -> String {
    format!("assay_part_{index}")
}
