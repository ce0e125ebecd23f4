//! The declarations that bring what a piece of a cell mentions into its scope.

use super::mentions::spelled;
use super::notebook::{Definition, Kind, Notebook, heads};
use super::split::{Import, Item, What};
use super::units::{Unit, UnitId, Where, module};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Declarations, and the units that they name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prelude {
    pub(super) text: String,
    pub(super) needs: BTreeSet<UnitId>,
    /// The notebook's names that they bring, and where each of them stands.
    pub(super) brought: BTreeMap<String, Where>,
}

/// The prelude for text with these mentions; `own` are the names that the crate binds itself, `inside` is the unit that it is, if it is one.
///
/// Traits come when one of their methods is mentioned, since those are called without the trait's name. So does a `use` of something of the notebook's; one
/// of another crate, which may be a trait of which nothing is known, always does.
pub(super) fn prelude(
    notebook: &Notebook,
    mentions: &BTreeSet<String>,
    own: &BTreeSet<String>,
    inside: Option<UnitId>,
) -> Prelude {
    // What the crate says itself is not said again, globs and `as _` neither.
    let said = inside.and_then(|unit| notebook.units.get(unit)).into_iter().flat_map(Unit::imports);
    let said: BTreeSet<&str> = said.map(|import| import.declaration.as_str()).collect();
    let free = |import: &&Arc<Import>| {
        import.name.as_ref().is_none_or(|name| !own.contains(name))
            && !said.contains(import.declaration.as_str())
    };
    let needed = |import: &&Arc<Import>| {
        let named = import.name.as_ref().is_some_and(|name| mentions.contains(name));
        let head = heads(&import.path).next().and_then(|head| notebook.definitions.get(head));
        named || head.is_none_or(|head| head.may_serve(mentions))
    };
    let imports: Vec<_> = notebook.imports.iter().filter(free).filter(needed).collect();
    let mut wanted = Wanted { notebook, own, names: BTreeSet::new() };
    mentions.iter().for_each(|name| wanted.add(name));
    for import in &imports {
        heads(&import.path).take(1).for_each(|head| wanted.add(head));
    }
    let mut prelude = Prelude::default();
    for (name, definition) in &notebook.definitions {
        if own.contains(name) || inside == Some(definition.unit) {
            continue;
        }
        let named = wanted.names.contains(name.as_str());
        if named
            || (matches!(definition.kind, Kind::Item { is_trait: true, .. })
                && definition.may_serve(mentions))
        {
            prelude.bring(notebook, name, definition, named);
        }
    }
    for import in imports {
        prelude.line(&import.declaration);
    }
    prelude
}

/// The names that items bind.
pub(super) fn bound<'a>(items: impl IntoIterator<Item = &'a Item>) -> BTreeSet<String> {
    let names = items.into_iter().flat_map(|item| match &item.what {
        What::Definition(names) => names.iter().map(|name| name.name.clone()).collect(),
        What::Macro { name, .. } => vec![name.clone()],
        What::Import(all) => all.iter().filter_map(|import| import.name.clone()).collect(),
        What::Implementation(_) | What::Invocation { .. } | What::Nameless => Vec::new(),
    });
    names.collect()
}

/// The names that are needed: those of a macro's body are, where the macro is.
struct Wanted<'a> {
    notebook: &'a Notebook,
    own: &'a BTreeSet<String>,
    names: BTreeSet<&'a str>,
}

impl<'a> Wanted<'a> {
    fn add(&mut self, name: &str) {
        let Some((name, definition)) = self.notebook.definitions.get_key_value(name) else { return };
        if self.own.contains(name) || !self.names.insert(name) {
            return;
        }
        if let Kind::Macro { mentions, .. } = &definition.kind {
            let mentions: &'a BTreeSet<String> = mentions;
            mentions.iter().for_each(|name| self.add(name));
        }
    }
}

impl Definition {
    /// Whether text with these mentions may need it, even if it does not name it.
    fn may_serve(&self, mentions: &BTreeSet<String>) -> bool {
        match &self.kind {
            Kind::Item { members, .. } | Kind::Macro { mentions: members, .. } => {
                !members.is_disjoint(mentions)
            }
            Kind::Perhaps => true,
        }
    }
}

impl Prelude {
    fn bring(&mut self, notebook: &Notebook, name: &str, definition: &Definition, named: bool) {
        let Some(unit) = notebook.units.get(definition.unit) else { return };
        self.needs.insert(definition.unit);
        self.brought.insert(name.to_owned(), (definition.unit, definition.module));
        let mut path = format!("::{}", unit.crate_name);
        if let Some(module) = module(definition.module) {
            path = format!("{path}::{module}");
        }
        match definition.kind {
            Kind::Perhaps => self.line(&format!("use {path}::*;")),
            _ if named => self.line(&format!("use {path}::{};", spelled(name))),
            _ => self.line(&format!("use {path}::{} as _;", spelled(name))),
        }
    }

    fn line(&mut self, declaration: &str) {
        if !self.text.lines().any(|line| line == declaration) {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "{declaration}");
        }
    }
}
