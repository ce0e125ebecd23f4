//! What rustc says the types of a cell's variables are: read from the MIR of the cell's own compile.
//!
//! MIR's text is no stable format: whether it is understood is tried once for each toolchain (`toolchain/self_test.rs`).

mod closures;
mod text;

pub(super) use closures::Closures;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use text::Paths;

/// The type of a variable, as far as a later cell can name it.
///
/// rustc sees through `impl Trait` here: what is found is the type behind it. If that is private, a later cell cannot name it after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A type that can be written down: `std::vec::Vec<u64>`.
    Named(String),
    /// A function item: a pointer of this type holds it.
    Function(String),
    /// A closure that can be boxed: `dyn Fn(&str) -> usize`.
    Closure(String),
    /// A type with a closure or another nameless thing in it; as it is printed.
    Nameless(String),
}

/// What stands in the MIR about each slot: calls `put::<TYPE>(…, const 3_usize, …)`, and `put_iterator::<TYPE, ITEM>(…)`, for which the type found is
/// `std::boxed::Box<dyn std::iter::Iterator<Item = ITEM>>`.
///
/// `crate_name` is the crate that was compiled, whose own paths are printed without its name; `externs` are the crates that paths may begin with, besides
/// those of the standard library; `closures` are those of earlier crates.
pub(super) fn read(
    mir: &str,
    crate_name: &str,
    externs: &BTreeSet<String>,
    closures: &Closures,
) -> BTreeMap<u32, Found> {
    let paths = Paths { crate_name, externs };
    let own = Closures::of(mir, crate_name, externs);
    let puts: Vec<_> = mir.lines().filter_map(put).collect();
    // With a function `put` of the user's beside it, ours is called by its whole path.
    let whole = puts.iter().any(|put| put.path == WHOLE);
    let mut found = BTreeMap::new();
    for put in puts.iter().filter(|put| !whole || put.path == WHOLE) {
        // Inlined copies of a call are in the MIR as well.
        found.entry(put.slot).or_insert_with(|| match put.item {
            Some(item) => iterator(item, &paths),
            None => one(put.kind, &paths, &[&own, closures]),
        });
    }
    found
}

/// A module that makes rustc print whole paths in a crate that has it at its root. `names` are those of all types, traits and modules that are inside of
/// modules of this crate, and of all types and traits of other crates that no crate of colliding names has, `T` in `use other::S as T` among them.
pub(super) fn colliding_names(module: &str, names: &BTreeSet<String>) -> String {
    let mut text = format!("#[allow(dead_code, nonstandard_style)] mod {module} {{");
    for name in names {
        // Writing to a string cannot fail.
        let _ = write!(text, " pub struct {name};");
    }
    text + " }"
}

/// Where the runtime has them.
const WHOLE: &str = "assay::cell::";

/// A call that puts a variable away.
struct Put<'a> {
    /// What stands before `put`.
    path: &'a str,
    /// The type of the value.
    kind: &'a str,
    /// What it iterates over, if it is an iterator to be boxed.
    item: Option<&'a str>,
    slot: u32,
}

/// `        _27 = put::<TYPE>(move _3, const 0_usize, const "x") -> [return: bb7, unwind: bb33];`
///
/// A line cannot be anything else: text in the MIR (strings, comments) never begins with a local and ` = `.
fn put(line: &str) -> Option<Put<'_>> {
    let (local, call) = line.trim_start().strip_prefix('_')?.split_once(" = ")?;
    local.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let path = [WHOLE, "cell::", ""].into_iter().find(|path| call.starts_with(path))?;
    let rest = call[path.len()..].strip_prefix("put")?;
    let (iterator, rest) = match rest.strip_prefix("_iterator") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let generic = rest.strip_prefix("::")?;
    let end = text::closing(generic)?;
    // The value, which can be any constant, comes first: so the rest is read from its end. A name has no quotation mark in it.
    let (arguments, _) = generic[end..].rsplit_once(", const \"")?;
    let (_, slot) = arguments.rsplit_once(", const ")?;
    let slot = slot.strip_suffix("_usize")?.parse().ok()?;
    let mut types = text::arguments(&generic[1..end - 1]).into_iter();
    Some(Put { path, kind: types.next()?, item: types.next().filter(|_| iterator), slot })
}

fn one(printed: &str, paths: &Paths<'_>, closures: &[&Closures]) -> Found {
    if let Some(pointer) = text::function_item(printed)
        && !text::nameless(pointer)
    {
        return Found::Function(paths.rewrite(pointer));
    }
    if let Some(object) = closures.iter().find_map(|closures| closures.get(printed)) {
        return Found::Closure(object.to_owned());
    }
    if text::nameless(printed) || text::has_never(printed) {
        Found::Nameless(printed.to_owned())
    } else {
        Found::Named(paths.rewrite(printed))
    }
}

fn iterator(item: &str, paths: &Paths<'_>) -> Found {
    if text::nameless(item) {
        return Found::Nameless(item.to_owned());
    }
    Found::Named(format!("std::boxed::Box<dyn std::iter::Iterator<Item = {}>>", paths.rewrite(item)))
}

#[cfg(test)]
mod tests;
