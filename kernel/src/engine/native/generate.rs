//! The text of a crate: a unit's items, a cell's statements, or both.
//!
//! Every piece of a cell stands on the line on which its user sees it, so that `line!()`, panics and back traces are right as they are; columns
//! move where something of ours stands before on the line, and are mapped back.

use super::entry::{self, Entry};
use super::idle::marked;
use super::mentions::is_keyword;
use super::prelude::Prelude;
use super::source::{Edit, Source};
use super::split::Item;
use super::statics::merged;
use super::types::colliding_names;
use super::units::{Part, Unit, UnitId, module};
use std::collections::BTreeSet;
use std::ops::Range;

/// What is noise in a notebook: a variable that only the next cell uses, an item that is not called yet.
const LINTS: &str = "#![allow(unused_variables, unused_assignments, unused_imports, unused_mut, unused_macros, unused_labels, path_statements, dead_code, \
                     private_interfaces, private_bounds, non_local_definitions, redundant_imports, internal_features)]";

/// A crate to compile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) identity: String,
    /// The root comes first.
    pub(super) files: Vec<File>,
    pub(super) needs: BTreeSet<UnitId>,
}

/// A file of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    /// What the code calls it.
    pub(super) shown: String,
    pub(super) source: Source,
}

/// The file of a cell's statements.
pub(super) const STATEMENTS: &str = "statements.rs";

/// The module of names that keep types from being printed without their paths.
pub(super) const COLLIDING: &str = "assay_names_here";

/// What a crate loads besides what it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// The names that its types, and the types that it sees, may have.
    pub(super) names: BTreeSet<String>,
    /// The declarations that load the crates that were added to the notebook.
    pub(super) crates: String,
}

/// The crate of a unit, with the entry of the cell that makes it if there is one.
pub(super) fn unit(
    unit: &Unit,
    with: Option<(&Entry<'_>, &Prelude)>,
    loaded: &Loaded,
) -> (Crate, entry::Places) {
    let mut root = Source::default();
    root.ours(LINTS);
    let mut files = modules(&mut root, unit);
    colliding(&mut root, loaded);
    let places = match with {
        Some((entry, prelude)) => {
            let (file, places) = statements(entry);
            // Most of it is at the root already, for the items.
            let items = unit.root().map_or("", |part| &part.prelude);
            for line in prelude.text.lines().filter(|line| !items.lines().any(|other| other == *line)) {
                root.ours(&format!("{line}\n"));
            }
            root.ours(&include(STATEMENTS));
            files.push(file);
            places
        }
        None => entry::Places::default(),
    };
    let cell = unit.root().map_or(0, |part| part.cell);
    files.insert(0, File { name: "items.rs".to_owned(), shown: shown(cell), source: root });
    let of_statements = with.iter().flat_map(|(_, prelude)| prelude.needs.iter().copied());
    let needs = unit.parts.iter().flat_map(|part| part.needs.iter().copied()).chain(of_statements).collect();
    let made = Crate { name: unit.crate_name.clone(), identity: unit.identity().to_owned(), files, needs };
    (made, places)
}

/// The crate of a cell that has statements alone.
pub(super) fn program(
    name: String,
    entry: &Entry<'_>,
    inner: &[Range<usize>],
    prelude: &Prelude,
    loaded: &Loaded,
) -> (Crate, entry::Places) {
    let mut root = Source::default();
    root.ours(LINTS);
    for attribute in inner {
        root.part(entry.text, attribute.clone());
    }
    root.ours("\n");
    colliding(&mut root, loaded);
    root.ours(&prelude.text);
    root.ours(&include(STATEMENTS));
    let (file, places) = statements(entry);
    let root = File { name: "root.rs".to_owned(), shown: shown(entry.cell), source: root };
    let identity = name.clone();
    (Crate { name, identity, files: vec![root, file], needs: prelude.needs.clone() }, places)
}

fn statements(entry: &Entry<'_>) -> (File, entry::Places) {
    let (source, places) = entry::write(entry);
    (File { name: STATEMENTS.to_owned(), shown: shown(entry.cell), source }, places)
}

fn include(file: &str) -> String {
    format!("#[path = \"{file}\"] mod assay_statements;\n")
}

/// The parts of a unit: those at its root within its root, each other module in a file. Where a module has several parts, the newest stands in the module's own
/// file, and the others in files that are included there, so that each one keeps its lines.
fn modules(root: &mut Source, unit: &Unit) -> Vec<File> {
    let mut files = Vec::new();
    let indices: BTreeSet<usize> = unit.parts.iter().map(|part| part.module).collect();
    for index in indices {
        let mut parts = unit.parts.iter().enumerate().filter(|(_, part)| part.module == index);
        let Some((_, newest)) = parts.next_back() else { continue };
        let mut included = String::new();
        for (number, older) in parts {
            let name = format!("assay_older_{number}.rs");
            included.push_str(&format!("include!(\"{name}\"); "));
            let mut source = Source::default();
            items(&mut source, older, unit);
            files.push(File { name, shown: shown(older.cell), source });
        }
        match module(index) {
            None => {
                // Attributes of the crate come before everything else.
                let mut source = Source::default();
                items_after(&mut source, newest, unit, &included);
                root.append(source);
            }
            Some(module) => {
                root.ours(&format!(
                    "#[path = \"{module}.rs\"] #[doc(hidden)] pub mod {module}; pub use {module}::*;\n"
                ));
                let mut source = Source::default();
                source.ours(&format!("use super::*; {included}"));
                items(&mut source, newest, unit);
                files.push(File { name: format!("{module}.rs"), shown: shown(newest.cell), source });
            }
        }
    }
    files
}

/// The items of a part where they stand in their cell, then its prelude: the order of declarations is free.
fn items(source: &mut Source, part: &Part, unit: &Unit) {
    items_after(source, part, unit, "");
}

/// The same, with something of ours behind the inner attributes.
fn items_after(source: &mut Source, part: &Part, unit: &Unit, ours: &str) {
    let (mut at, mut begun) = (0, false);
    let mut pieces: Vec<(&Range<usize>, Option<&Item>)> =
        part.inner.iter().map(|range| (range, None)).collect();
    pieces.extend(part.items.iter().map(|item| (&item.range, Some(item))));
    for (range, item) in pieces {
        source.blank(&part.text, at..range.start);
        if item.is_some() && !std::mem::replace(&mut begun, true) {
            source.ours(ours);
        }
        let edits = item.map_or_else(Vec::new, |item| edits(part, item, unit));
        source.edited(&part.text, range.clone(), &edits);
        at = range.end;
        source.ours(" ");
    }
    // A comment may end the last item.
    source.ours("\n");
    source.ours(&marked(&part.prelude));
}

/// What is edited in an item: its visibility, and where its statics live.
fn edits(part: &Part, item: &Item, unit: &Unit) -> Vec<Edit> {
    let mut edits = Vec::new();
    for one in &item.statics {
        let key = part.key(one);
        edits.extend(match unit.home(&key, one) {
            Some(home) => one.declare(part.text.text(), &home.symbol),
            None => one.define(&unit.symbol(&key)),
        });
    }
    if edits.is_empty() {
        return item.edits.clone();
    }
    edits.extend(item.edits.iter().cloned());
    merged(edits)
}

/// rustc prints a type by its bare name where that is the only one: these are there to be others of the same name.
fn colliding(root: &mut Source, loaded: &Loaded) {
    // The runtime brings the library of the names with it.
    root.ours("extern crate assay; extern crate assay_names;\n");
    root.ours(&loaded.crates);
    // What is written with `r#` is mentioned without.
    let names = loaded.names.iter().filter(|name| !is_keyword(name)).cloned().collect();
    root.ours(&format!("{}\n", colliding_names(COLLIDING, &names)));
}

/// What code calls the file of a cell.
pub(super) fn shown(cell: u32) -> String {
    format!("cell[{cell}]")
}
