//! What a notebook has made so far: names, `use` declarations, variables, and the units that hold its items.
//!
//! A cell works on a copy, which takes the place of the original once the cell has compiled: what fails leaves no trace.

use super::dependencies::{CRATES, Replaced};
use super::relink::renew_all;
use super::source::Source;
use super::split::{Import, Item, Name, What};
use super::types::Closures;
use super::units::{UnitId, Units, Where};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that later cells can see.
#[derive(Debug, Clone, Default)]
pub(super) struct Notebook {
    /// The newest item of each name.
    pub(super) definitions: BTreeMap<String, Definition>,
    /// The `use` declarations that still hold, in their order.
    pub(super) imports: Vec<Arc<Import>>,
    pub(super) units: Units,
    pub(super) variables: BTreeMap<String, Variable>,
    /// Variables that are no more, and why.
    pub(super) gone: BTreeMap<String, Gone>,
    /// Every file that was compiled, so that the compiler's words about an older cell can be placed.
    pub(super) files: BTreeMap<PathBuf, Arc<Source>>,
    /// The closures that functions of earlier cells may return.
    pub(super) closures: Closures,
    /// The text of every cell, by its number.
    pub(super) texts: BTreeMap<u32, Arc<str>>,
}

/// Where a name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) unit: UnitId,
    /// The module within its crate: 0 is the root.
    pub(super) module: usize,
    pub(super) kind: Kind,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Item {
        is_trait: bool,
        /// The names through which a cell may need it without its own name: the methods of a trait, whatever a module or an enum holds.
        members: Arc<BTreeSet<String>>,
    },
    Macro {
        items: bool,
        mentions: Arc<BTreeSet<String>>,
    },
    /// A macro may have made an item of this name: only a glob import tells.
    Perhaps,
}

/// A variable that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    /// Its type as any later cell can write it.
    pub(super) type_name: String,
    /// Whether it was declared `mut`.
    pub(super) mutable: bool,
    /// The cell that made it.
    pub(super) cell: u32,
    /// The size of its type, in bytes.
    pub(super) bytes: u64,
}

/// A type that has been redefined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OlderType {
    name: String,
    /// The cell that made it.
    cell: u32,
    /// The cell whose type has its name now.
    now: u32,
}

impl OlderType {
    /// The story of a variable that has it.
    pub(super) fn story(&self, variable: &str) -> String {
        let Self { name, cell, now } = self;
        if cell == now {
            return format!(
                "`{variable}` is of the `{name}` of before: cell[{cell}] was built anew since, because of what it depends on; make it again to have it of the new one"
            );
        }
        format!(
            "`{variable}` is still of the `{name}` of cell[{cell}]; make it again to have it of the one of cell[{now}]"
        )
    }
}

/// Why a variable is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gone {
    /// It was moved.
    Moved { cell: u32 },
    /// It could not outlive its cell: it borrows from it.
    Borrowed { cell: u32 },
    /// Its type has no name.
    Nameless { cell: u32 },
    /// A crate that its type is made of was replaced: what that was.
    Replaced { by: String },
    /// It was lost when its process ended, or when the cell that held it failed.
    Lost { cell: u32 },
}

impl Gone {
    /// The story, for the error of a cell that asks for the variable.
    pub(super) fn story(&self, name: &str) -> String {
        match self {
            Self::Moved { cell } => format!("`{name}` was moved in cell[{cell}]"),
            Self::Borrowed { cell } => {
                format!(
                    "`{name}` ended with cell[{cell}]: it borrowed from a variable, and only owned values are kept"
                )
            }
            Self::Nameless { cell } => format!(
                "`{name}` ended with cell[{cell}]: its type has no name that another cell could use; a `Box<dyn …>` or a fn pointer has one"
            ),
            Self::Replaced { by } => {
                format!("`{name}` was of a type of {by}, which was replaced: make it again")
            }
            Self::Lost { cell } => format!("`{name}` was lost in cell[{cell}]"),
        }
    }
}

impl Definition {
    /// Whether it stands there.
    pub(super) fn is_where(&self, place: &Where) -> bool {
        (self.unit, self.module) == *place
    }
}

impl Notebook {
    /// Enters the names of items that a cell with this text defines in `unit`.
    pub(super) fn define(&mut self, text: &str, items: &[Item], unit: UnitId, module: usize) {
        for item in items {
            match &item.what {
                What::Definition(names) => {
                    for Name { name, is_trait } in names {
                        if conditional(&text[item.range.clone()]) {
                            self.enter(name, unit, module, Kind::Perhaps);
                            continue;
                        }
                        let members = if *is_trait {
                            declared(&text[item.range.clone()])
                        } else {
                            item.mentions.clone()
                        };
                        let kind = Kind::Item { is_trait: *is_trait, members: Arc::new(members) };
                        self.enter(name, unit, module, kind);
                    }
                }
                What::Macro { name, items } => {
                    let mentions = Arc::new(item.mentions.clone());
                    // An exported macro lives at its crate's root, wherever it was defined.
                    self.enter(name, unit, 0, Kind::Macro { items: *items, mentions });
                }
                What::Invocation { name } => self.enter_perhaps(item, name, unit, module),
                What::Import(all) => all.iter().for_each(|import| self.import(import)),
                What::Implementation(_) | What::Nameless => {}
            }
        }
    }

    fn enter(&mut self, name: &str, unit: UnitId, module: usize, kind: Kind) {
        self.imports.retain(|import| import.name.as_deref() != Some(name));
        self.definitions.insert(name.to_owned(), Definition { unit, module, kind });
    }

    fn enter_perhaps(&mut self, item: &Item, invoked: &str, unit: UnitId, module: usize) {
        let of_macro = match self.definitions.get(invoked) {
            Some(Definition { kind: Kind::Macro { mentions, .. }, .. }) => Arc::clone(mentions),
            _ => Arc::default(),
        };
        for name in item.mentions.iter().chain(of_macro.iter()) {
            // What is known to be something else is not made anew by being mentioned.
            let known = self.definitions.get(name).is_some_and(|known| known.kind != Kind::Perhaps)
                || self.imports.iter().any(|import| import.name.as_ref() == Some(name));
            if !known {
                self.enter(name, unit, module, Kind::Perhaps);
            }
        }
    }

    fn import(&mut self, import: &Import) {
        match &import.name {
            Some(name) => {
                self.imports.retain(|older| older.name.as_ref() != Some(name));
                self.definitions.remove(name);
            }
            None => self.imports.retain(|older| older.declaration != import.declaration),
        }
        self.imports.push(Arc::new(import.clone()));
    }

    /// What is to be said about variables whose types have been redefined since `before`.
    pub(super) fn left_behind(&self, before: &Self) -> Vec<String> {
        let stories = self.variables.iter().filter_map(|(name, variable)| {
            let older = self.older_type(&variable.type_name)?;
            before.older_type(&variable.type_name).is_none().then(|| older.story(name))
        });
        stories.collect()
    }

    /// The first type in the name of a type that is another one by now.
    pub(super) fn older_type(&self, type_name: &str) -> Option<OlderType> {
        let paths = type_name.split(|c: char| c != '_' && c != ':' && !c.is_alphanumeric());
        paths.filter_map(|path| self.older(path)).next()
    }

    fn older(&self, path: &str) -> Option<OlderType> {
        let mut segments = path.trim_start_matches("::").split("::");
        let unit = self.units.named(segments.next()?)?;
        let name = segments.find(|segment| !segment.starts_with("assay_part_"))?;
        let now = self.definitions.get(name).filter(|now| now.unit != unit)?;
        let cell = |id| self.units.get(id).and_then(|unit| unit.cell_of(name));
        Some(OlderType { name: name.to_owned(), cell: cell(unit)?, now: cell(now.unit)? })
    }

    /// Takes what these cells have put into a unit out of it; false if that changes nothing.
    pub(super) fn take_out(&mut self, id: UnitId, cells: &BTreeSet<u32>) -> bool {
        let Some(unit) = self.units.get_mut(id) else { return false };
        let before = unit.parts.len();
        let names = unit.take_out(cells);
        let changed = unit.parts.len() != before;
        self.definitions.retain(|name, definition| definition.unit != id || !names.contains(name));
        changed
    }

    /// Forgets variables of the types of crates that have been replaced, since no cell can name those any more. What mentions these crates is built again when
    /// a cell reaches it. Gives the variables.
    pub(super) fn replace(&mut self, replaced: &[Replaced]) -> Vec<String> {
        let names: BTreeSet<String> = replaced.iter().map(|one| one.name.clone()).collect();
        renew_all(self, &self.units.mentioning(&names));
        let mut lost = Vec::new();
        for (name, variable) in &self.variables {
            let of = |one: &&Replaced| variable.type_name.contains(&format!("{CRATES}::{}::", one.alias));
            if let Some(one) = replaced.iter().find(of) {
                lost.push(name.clone());
                self.gone.insert(name.clone(), Gone::Replaced { by: one.was.clone() });
            }
        }
        lost.iter().for_each(|name| drop(self.variables.remove(name)));
        lost
    }

    /// Whether a macro of this name stands for items.
    pub(super) fn stands_for_items(&self, name: &str) -> bool {
        matches!(self.definitions.get(name), Some(Definition { kind: Kind::Macro { items: true, .. }, .. }))
    }

    /// The unit in which a path begins, through `use` declarations; none if that is not the notebook's.
    pub(super) fn unit_of(&self, path: &[String]) -> Option<UnitId> {
        let mut head = heads(path).next()?;
        // A chain of declarations has no more links than there are declarations.
        for _ in 0..=self.imports.len() {
            if let Some(definition) = self.definitions.get(head) {
                return Some(definition.unit);
            }
            let import = self.imports.iter().find(|import| import.name.as_deref() == Some(head))?;
            head = heads(&import.path).next()?;
        }
        None
    }
}

/// Whether an item may not be there at all: only the compiler knows what `cfg` says.
fn conditional(text: &str) -> bool {
    text.trim_start().starts_with("#[") && text.contains("cfg(")
}

/// What a trait declares: the words behind `fn`, `const` and `type`.
fn declared(text: &str) -> BTreeSet<String> {
    let mut words = text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut all = BTreeSet::new();
    while let Some(word) = words.next() {
        if matches!(word, "fn" | "const" | "type") {
            all.extend(words.next().map(str::to_owned));
        }
    }
    all
}

/// The segments of a path from the first that is a name.
pub(super) fn heads(path: &[String]) -> impl Iterator<Item = &str> {
    path.iter().map(String::as_str).skip_while(|segment| matches!(*segment, "crate" | "self" | "super" | ""))
}
