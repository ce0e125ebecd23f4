//! The notebook as one piece of Rust, for an analyzer that has not seen it.

use super::super::diagnose::plain;
use super::super::mentions::spelled;
use super::super::notebook::Notebook;
use super::super::split::{Item, What};
use super::super::units::UnitId;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Declarations, the items that still have their names, and the variables; without what a cell defines itself.
pub(super) fn told(notebook: &Notebook, without: &BTreeSet<String>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for import in &notebook.imports {
        let _ = writeln!(text, "{}", import.declaration);
    }
    for item in items(notebook).filter(|item| !is_of(item.what, without)) {
        let _ = writeln!(text, "{}", item.text);
    }
    for (name, variable) in notebook.variables.iter().filter(|(name, _)| !without.contains(*name)) {
        let _ = writeln!(text, "let mut {}: {} = todo!();", spelled(name), plain(&variable.type_name));
    }
    text
}

/// An item that lives, and the cell that made it.
pub(super) struct Living<'n> {
    pub(super) text: &'n str,
    pub(super) what: &'n What,
    pub(super) cell: u32,
}

/// Every item that still has its name, in the order of the cells.
pub(super) fn items(notebook: &Notebook) -> impl Iterator<Item = Living<'_>> {
    notebook.units.all().flat_map(move |(id, unit)| {
        unit.parts.iter().flat_map(move |part| {
            let alive = part.items.iter().filter(move |item| lives(notebook, id, item));
            alive.map(move |item| {
                let text = part.text.text().get(item.range.clone()).unwrap_or_default();
                Living { text, what: &item.what, cell: part.cell }
            })
        })
    })
}

fn lives(notebook: &Notebook, unit: UnitId, item: &Item) -> bool {
    let still = |name: &str| notebook.definitions.get(name).is_some_and(|definition| definition.unit == unit);
    match &item.what {
        What::Definition(names) => names.iter().any(|name| still(&name.name)),
        What::Macro { name, .. } => still(name),
        What::Implementation(_) | What::Invocation { .. } => true,
        What::Import(_) | What::Nameless => false,
    }
}

/// Whether an item defines one of these names.
fn is_of(what: &What, names: &BTreeSet<String>) -> bool {
    match what {
        What::Definition(all) => all.iter().any(|name| names.contains(&name.name)),
        What::Macro { name, .. } => names.contains(name),
        _ => false,
    }
}
