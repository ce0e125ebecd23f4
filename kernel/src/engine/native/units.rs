//! Units: the crates that hold a notebook's items. A cell with items makes one, or changes an older one.
//!
//! A unit keeps its identity (the name of its crate and `-Cmetadata`) when a later cell implements something for its types, and when the bodies of its functions
//! change: then its types are the same types to the compiler, and must be. Whether they are says [`identity`](super::identity). Its library is compiled again,
//! and so is, before a cell reaches it, what was built on it.

use super::identity::Facts;
use super::prelude::bound;
use super::source::Source;
use super::split::{Import, Item, What};
use super::statics::Static;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A unit, by the order in which they were made.
pub(super) type UnitId = u32;

/// All units of a notebook.
#[derive(Debug, Clone, Default)]
pub(super) struct Units {
    all: BTreeMap<UnitId, Unit>,
    /// The libraries that each library was built on.
    built_on: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

/// A crate of items.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    pub(super) crate_name: String,
    /// What cells put in, in the order in which they did.
    pub(super) parts: Vec<Arc<Part>>,
    pub(super) built: Option<Built>,
    /// All that its types have ever hung on.
    history: Facts,
    /// The statics that a library of it defines.
    homes: BTreeMap<String, Home>,
}

/// What one cell put into a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) cell: u32,
    pub(super) text: Arc<Source>,
    pub(super) inner: Vec<Range<usize>>,
    /// What is left of its items: a later part may have taken the place of some.
    pub(super) items: Vec<Item>,
    /// Whether that is all of them.
    pub(super) whole: bool,
    /// The module in which it stands: 0 is the root.
    pub(super) module: usize,
    /// What it says, whatever its white space and its comments: none if that is not known.
    pub(super) tokens: Option<String>,
    /// The declarations that bring what it mentions into scope, as things stood when it was run.
    pub(super) prelude: String,
    /// The units whose names those are.
    pub(super) needs: BTreeSet<UnitId>,
    /// The names themselves, and where each of them stood.
    pub(super) brought: BTreeMap<String, Where>,
}

/// Where a name stands: its unit, and the module in it.
pub(super) type Where = (UnitId, usize);

/// A unit's library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) library: PathBuf,
    /// What is in it.
    parts: Vec<Arc<Part>>,
    /// The libraries that it was built on.
    on: BTreeMap<UnitId, PathBuf>,
    /// Declarations of its preludes that nothing in it needed.
    idle: BTreeSet<String>,
}

/// The library that defines a static, and the symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) symbol: String,
    pub(super) library: PathBuf,
    value: String,
}

impl Units {
    /// A new unit, whose crate is named after the cell of its first part.
    pub(super) fn add(&mut self, unit: Unit) -> UnitId {
        let id = self.all.keys().next_back().map_or(1, |last| last + 1);
        let plain = format!("cell_{}", unit.cell());
        let taken = self.all.values().any(|unit| unit.crate_name == plain);
        let crate_name = if taken { format!("{plain}_{id}") } else { plain };
        self.all.insert(id, Unit { crate_name, ..unit });
        id
    }

    /// The unit that holds the very same at its root.
    pub(super) fn same(&self, part: &Part) -> Option<UnitId> {
        let same = |unit: &Unit| unit.root().is_some_and(|root| root.says(part));
        self.all.iter().rev().find(|(_, unit)| same(unit)).map(|(id, _)| *id)
    }

    /// The module of the very same in a unit that it has joined before.
    pub(super) fn joined(&self, id: UnitId, part: &Part) -> Option<usize> {
        let parts = &self.all.get(&id)?.parts;
        parts.iter().find(|other| other.module > 0 && other.says(part)).map(|other| other.module)
    }

    /// A unit that is made of the very same parts.
    pub(super) fn equal(&self, parts: &[Arc<Part>]) -> Option<UnitId> {
        let same = |unit: &Unit| {
            unit.parts.len() == parts.len() && unit.parts.iter().zip(parts).all(|(one, other)| one.is(other))
        };
        self.all.iter().rev().find(|(_, unit)| same(unit)).map(|(id, _)| *id)
    }

    pub(super) fn get(&self, id: UnitId) -> Option<&Unit> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: UnitId) -> Option<&mut Unit> {
        self.all.get_mut(&id)
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

    /// The units that mention one of these crates.
    pub(super) fn mentioning(&self, crates: &BTreeSet<String>) -> BTreeSet<UnitId> {
        let mentions = |unit: &Unit| {
            let built = unit.built.as_ref().filter(|built| built.parts == unit.parts);
            let idle = built.map(|built| &built.idle);
            unit.parts.iter().any(|part| part.mentions_one_of(crates, idle))
        };
        self.all.iter().filter(|(_, unit)| mentions(unit)).map(|(id, _)| *id).collect()
    }

    /// Notes that a unit has been built on the libraries of these units, and which of the declarations around it nothing needed.
    pub(super) fn built(
        &mut self,
        id: UnitId,
        library: PathBuf,
        needs: &BTreeSet<UnitId>,
        idle: BTreeSet<String>,
    ) {
        let on: BTreeMap<UnitId, PathBuf> =
            needs.iter().copied().filter_map(|need| Some((need, self.library(need)?.clone()))).collect();
        let Some(unit) = self.all.get_mut(&id) else { return };
        let homes: BTreeSet<PathBuf> = unit.homes().map(|home| home.library.clone()).collect();
        let all = on.values().cloned().chain(homes).collect();
        unit.settle(&library);
        unit.built = Some(Built { library: library.clone(), parts: unit.parts.clone(), on, idle });
        self.built_on.insert(library, all);
    }

    /// The library of a unit, whether it is fresh or not.
    pub(super) fn library(&self, id: UnitId) -> Option<&PathBuf> {
        self.get(id)?.built.as_ref().map(|built| &built.library)
    }

    /// These libraries and all that they were built on, each after those that it needs.
    pub(super) fn libraries(&self, from: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
        in_order(from, &|library| self.built_on.get(library).cloned().unwrap_or_default())
    }

    /// The units that this one names.
    pub(super) fn needs(&self, id: UnitId) -> BTreeSet<UnitId> {
        let parts = self.get(id).into_iter().flat_map(|unit| &unit.parts);
        parts.flat_map(|part| part.needs.iter().copied()).filter(|need| *need != id).collect()
    }

    /// These units and all that they name, each after those that it needs.
    pub(super) fn reached(&self, from: &BTreeSet<UnitId>) -> Vec<UnitId> {
        in_order(from, &|id| self.needs(*id))
    }

    /// The libraries that define statics which a crate of this name, or one of the units that it reaches, declares.
    pub(super) fn homes(&self, crate_name: &str, needs: &BTreeSet<UnitId>) -> Vec<PathBuf> {
        let reached = self.reached(needs).into_iter().chain(self.named(crate_name));
        let homes = reached.filter_map(|id| self.get(id)).flat_map(Unit::homes);
        let all: BTreeSet<PathBuf> = homes.map(|home| home.library.clone()).collect();
        all.into_iter().collect()
    }

    /// From now on every unit has to be built again. What its library defines stays where it is.
    pub(super) fn build_again(&mut self) {
        self.all.values_mut().filter_map(|unit| unit.built.as_mut()).for_each(|built| built.parts.clear());
    }

    /// Those of these units that have to be built, in this order.
    pub(super) fn stale(&self, order: &[UnitId]) -> Vec<UnitId> {
        let mut stale = BTreeSet::new();
        loop {
            let before = stale.len();
            for id in order {
                let Some(unit) = self.get(*id) else { continue };
                let fresh = unit.built.as_ref().is_some_and(|built| {
                    built.parts == unit.parts
                        // Statements beside its items may have needed more than they do: those do not hold it back.
                        && built.on.iter().all(|(need, library)| {
                            self.library(*need) == Some(library) && !stale.contains(need)
                        })
                });
                if !fresh {
                    stale.insert(*id);
                }
            }
            if stale.len() == before {
                return order.iter().copied().filter(|id| stale.contains(id)).collect();
            }
        }
    }
}

impl Part {
    /// Whether it, or what brings its names into scope, mentions one of these. Declarations that are `idle` do not count.
    fn mentions_one_of(&self, names: &BTreeSet<String>, idle: Option<&BTreeSet<String>>) -> bool {
        let needed = self.prelude.lines().filter(|line| idle.is_none_or(|idle| !idle.contains(*line)));
        let mut words = needed.flat_map(|line| line.split(|c: char| c != '_' && !c.is_alphanumeric()));
        words.any(|word| names.contains(word))
            || self.items.iter().any(|item| !item.mentions.is_disjoint(names))
    }

    /// Whether it says the same as another part, of the same things.
    fn says(&self, other: &Self) -> bool {
        self.whole && self.tokens.is_some() && self.tokens == other.tokens && self.prelude == other.prelude
    }

    /// Whether it is the same text of the same cell, and its names stand for the same.
    fn is(&self, other: &Self) -> bool {
        (self.cell, self.module, self.text.text(), &self.items, &self.brought)
            == (other.cell, other.module, other.text.text(), &other.items, &other.brought)
    }

    /// The `use` declarations in it.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Import> {
        self.items.iter().flat_map(|item| match &item.what {
            What::Import(all) => all.as_slice(),
            _ => &[],
        })
    }

    /// The statics in it, each with its key in the unit.
    pub(super) fn statics(&self) -> impl Iterator<Item = (String, &Static)> {
        let statics = self.items.iter().flat_map(|item| &item.statics);
        statics.map(|one| (self.key(one), one))
    }

    /// The key of one of its statics in the unit.
    pub(super) fn key(&self, of: &Static) -> String {
        format!("{} {}", self.module, of.key)
    }
}

impl Unit {
    /// A unit that is to be added, of these parts.
    pub(super) fn of(parts: Vec<Arc<Part>>) -> Self {
        let mut unit = Self { parts, ..Self::default() };
        unit.history = Facts::of(&unit.parts);
        unit
    }

    /// Other parts for a unit that nothing has been built of.
    pub(super) fn begin_with(&mut self, parts: Vec<Arc<Part>>) {
        self.history = Facts::of(&parts);
        self.parts = parts;
    }

    /// The newest part at its root.
    pub(super) fn root(&self) -> Option<&Arc<Part>> {
        self.parts.iter().rev().find(|part| part.module == 0)
    }

    /// The cell that it is named after.
    fn cell(&self) -> u32 {
        self.parts.first().map_or(0, |part| part.cell)
    }

    /// The `use` declarations at its root.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Import> {
        self.parts.iter().filter(|part| part.module == 0).flat_map(|part| part.imports())
    }

    /// Whether it holds the very same, in the same module.
    pub(super) fn says(&self, part: &Part) -> bool {
        self.parts.iter().any(|own| own.module == part.module && own.says(part))
    }

    /// What its types may be called.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let items = self.parts.iter().flat_map(|part| &part.items);
        let naming = items.filter(|item| {
            matches!(item.what, What::Definition(_) | What::Invocation { .. } | What::Macro { .. })
        });
        naming.flat_map(|item| &item.mentions)
    }

    /// The cell that put in the item of this name.
    pub(super) fn cell_of(&self, name: &str) -> Option<u32> {
        let mut parts = self.parts.iter().rev();
        parts.find(|part| bound(&part.items).contains(name)).map(|part| part.cell)
    }

    /// Takes out what these cells have put in. Gives the names that are no more.
    pub(super) fn take_out(&mut self, cells: &BTreeSet<u32>) -> BTreeSet<String> {
        let gone = self.parts.iter().filter(|part| cells.contains(&part.cell));
        let names = bound(gone.flat_map(|part| &part.items));
        self.parts.retain(|part| !cells.contains(&part.cell));
        names
    }

    /// What the identity of its types hangs on: it stays as long as the unit lives.
    pub(super) fn identity(&self) -> &str {
        &self.crate_name
    }

    /// The module for a part that joins it: that of the parts whose `impl`s it repeats, or a new one.
    pub(super) fn module_for(&self, part: &Part) -> usize {
        let again = |older: &Arc<Part>| {
            older.module > 0
                && older.items.iter().any(|item| {
                    item.anatomy.implementation.is_some()
                        && part.items.iter().any(|other| other.anatomy.head == item.anatomy.head)
                })
        };
        self.parts
            .iter()
            .find(|older| again(older))
            .map_or_else(|| self.free_module().max(1), |older| older.module)
    }

    /// A module that no part stands in.
    pub(super) fn free_module(&self) -> usize {
        self.parts.iter().map(|part| part.module + 1).max().unwrap_or(0)
    }

    /// Takes these parts for its own, if its types stay what they are: false, and nothing is changed, if they would not.
    pub(super) fn change(&mut self, parts: Vec<Arc<Part>>) -> bool {
        match self.history.with(&Facts::of(&parts)) {
            Some(history) => {
                self.history = history;
                self.parts = parts;
                true
            }
            None => false,
        }
    }

    /// The library and the symbol of a static, if one defines it.
    pub(super) fn home(&self, key: &str, of: &Static) -> Option<&Home> {
        self.homes.get(key).filter(|home| home.value == of.value)
    }

    /// The libraries and symbols of the statics that it has.
    pub(super) fn homes(&self) -> impl Iterator<Item = &Home> {
        let statics = self.parts.iter().flat_map(|part| part.statics());
        statics.filter_map(|(key, one)| self.home(&key, one))
    }

    /// The symbol under which it defines a static.
    pub(super) fn symbol(&self, key: &str) -> String {
        let plain: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        // Two keys may differ in nothing else than what is not alphanumeric.
        let sum = key.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        format!("assay_{}_{plain}_{sum:x}", self.crate_name)
    }

    /// What is defined from now on is defined by this library.
    fn settle(&mut self, library: &Path) {
        let parts = self.parts.clone();
        for (key, one) in parts.iter().flat_map(|part| part.statics()) {
            if self.home(&key, one).is_none() {
                let home =
                    Home { symbol: self.symbol(&key), library: library.to_owned(), value: one.value.clone() };
                self.homes.insert(key, home);
            }
        }
    }

    /// Goes on with the statics of another unit whose types do not hang on these names.
    pub(super) fn inherit(&mut self, other: &Self, changed: &BTreeSet<String>) {
        for (key, one) in self.parts.clone().iter().flat_map(|part| part.statics()) {
            if one.mentions.is_disjoint(changed)
                && let Some(home) = other.home(&key, one)
            {
                self.homes.insert(key, home.clone());
            }
        }
    }
}

/// These and all that they need, each after those that it needs.
fn in_order<T: Clone + Ord>(from: &BTreeSet<T>, needs: &dyn Fn(&T) -> BTreeSet<T>) -> Vec<T> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    // As deep as the notebook is long: so no recursion.
    let mut stack: Vec<(T, bool)> = from.iter().rev().map(|one| (one.clone(), false)).collect();
    while let Some((one, done)) = stack.pop() {
        if done {
            order.push(one);
        } else if seen.insert(one.clone()) {
            let below = needs(&one);
            stack.push((one, true));
            stack.extend(below.into_iter().map(|need| (need, false)));
        }
    }
    order
}

/// The name of a module of a unit; the root has none.
pub(super) fn module(index: usize) -> Option<String> {
    (index > 0).then(|| format!("assay_part_{index}"))
}
