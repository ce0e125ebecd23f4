//! Whether a crate may keep its identity.
//!
//! To the compiler, two types of one crate name, one `-Cmetadata` and one path are one type, whatever their fields are: a value of the one taken for the other is
//! undefined behaviour. So a new version of a crate keeps the identity only if every fact that any version had is the same or absent.

use super::anatomy::Fact;
use super::split::{Item, What};
use super::units::Part;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that the types of a crate hang on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts(BTreeMap<String, String>);

impl Facts {
    /// The facts of a crate of these parts.
    pub(super) fn of(parts: &[Arc<Part>]) -> Self {
        let own: BTreeSet<&str> = parts.iter().flat_map(|part| &part.items).flat_map(bound).collect();
        let mut facts = BTreeMap::new();
        for part in parts {
            // The attributes of the whole cell count for each of its items.
            let inner: String =
                part.inner.iter().filter_map(|range| part.text.text().get(range.clone())).collect();
            for fact in part.items.iter().flat_map(|item| &item.anatomy.facts) {
                let key = format!("{} {}", part.module, fact.key);
                let value = format!("{}\n{inner}\n{}", fact.value, resolved(part, fact, &own));
                // Two of a key: both count.
                facts.entry(key).and_modify(|other: &mut String| *other += &value).or_insert(value);
            }
        }
        let modules: BTreeSet<usize> = parts.iter().map(|part| part.module).collect();
        for module in modules {
            let here = parts.iter().filter(|part| part.module == module);
            let items: Vec<&Item> = here.flat_map(|part| &part.items).collect();
            // An `impl` is told from others by its number, in which those that attributes make count.
            if let Some(last) = items.iter().rposition(|item| item.anatomy.numbered) {
                let order = items[..=last].iter().map(|item| item.anatomy.head.as_str()).collect();
                facts.insert(format!("{module} order"), order);
            }
        }
        Self(facts)
    }

    /// These and those of another version; nothing if one fact is not the same in both.
    pub(super) fn with(&self, other: &Self) -> Option<Self> {
        let differs = |(key, value): (&String, &String)| self.0.get(key).is_some_and(|mine| mine != value);
        if other.0.iter().any(differs) {
            return None;
        }
        let all = self.0.iter().chain(&other.0);
        Some(Self(all.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }
}

/// The names that an item binds.
fn bound(item: &Item) -> Vec<&str> {
    match &item.what {
        What::Definition(names) => names.iter().map(|name| name.name.as_str()).collect(),
        What::Macro { name, .. } => vec![name.as_str()],
        // Any of these may be a name that it makes.
        What::Invocation { .. } => item.mentions.iter().map(String::as_str).collect(),
        What::Import(_) | What::Implementation(_) | What::Nameless => Vec::new(),
    }
}

/// What the identifiers of a fact stand for, as far as its surroundings say: the same word may name something else later.
fn resolved(part: &Part, fact: &Fact, own: &BTreeSet<&str>) -> String {
    let mut all = String::new();
    for name in &fact.mentions {
        if own.contains(name.as_str()) {
            all.push_str(&format!("own {name}\n"));
        }
        let declared = part.imports().filter(|import| import.name.as_ref() == Some(name));
        declared.for_each(|import| all.push_str(&format!("{}\n", import.declaration)));
        let brought = part.prelude.lines().filter(|line| words(line).any(|word| word == name));
        brought.for_each(|line| all.push_str(&format!("{line}\n")));
    }
    // What an unknown glob brings may be any of them.
    let globs = part.imports().filter(|import| import.glob).map(|import| import.declaration.as_str());
    let globs = globs.chain(part.prelude.lines().filter(|line| line.ends_with("*;")));
    globs.filter(|glob| !is_known(glob)).for_each(|glob| all.push_str(&format!("{glob}\n")));
    all
}

/// Globs that are known to bring nothing that is called like a primitive type or like something of the standard prelude.
const KNOWN: [&str; 12] = [
    "itertools",
    "ndarray::prelude",
    "plotters::prelude",
    "polars::prelude",
    "rand::prelude",
    "rayon::prelude",
    "std::cell",
    "std::collections",
    "std::rc",
    "std::sync",
    "std::sync::atomic",
    "std::time",
];

fn is_known(declaration: &str) -> bool {
    let path = declaration.strip_prefix("use ").and_then(|rest| rest.strip_suffix("::*;"));
    path.is_some_and(|path| KNOWN.contains(&path.trim_start_matches("::")))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::engine::native::notebook::Notebook;
    use crate::engine::native::place::place;
    use crate::engine::native::source::Source;
    use crate::engine::native::split::split;
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;

    /// Two versions of a crate with types in it. Each has a function `all` that gives `[(TypeId, size of the type)]`.
    const VERSIONS: [(&str, &str); 12] = [
        ("struct P { x: u8 }", "struct P { x: u64 }"),
        (
            "struct P { x: u8 } impl P { fn f(&self) -> u8 { 1 } }",
            "struct P { x: u8 } impl P { fn f(&self) -> u8 { 2 } }",
        ),
        ("enum P { A(u8), B }", "enum P { A(u64), B }"),
        ("type X = u8; struct P(X);", "type X = u64; struct P(X);"),
        ("const N: usize = 1; struct P([u8; N]);", "const N: usize = 9; struct P([u8; N]);"),
        (
            "const fn n() -> usize { 1 } struct P([u8; n()]);",
            "const fn n() -> usize { 9 } struct P([u8; n()]);",
        ),
        (
            "struct P(mem::ManuallyDrop<Own>); struct Own(u8);",
            "struct P(mem::ManuallyDrop<Own>); struct Own(u64);",
        ),
        (
            "trait T { type X; } impl T for u8 { type X = u8; } struct P(<u8 as T>::X);",
            "trait T { type X; } impl T for u8 { type X = u64; } struct P(<u8 as T>::X);",
        ),
        ("mod m { pub struct Q(u8); } struct P(m::Q);", "mod m { pub struct Q(u64); } struct P(m::Q);"),
        (
            "macro_rules! m { ($n:ident) => { struct $n(u8); } } m!(P);",
            "macro_rules! m { ($n:ident) => { struct $n(u64); } } m!(P);",
        ),
        ("struct P(Vec<u8>);", "struct P(Vec<u8>); struct Vec<T>(std::marker::PhantomData<T>);"),
        (
            "struct P(u8); fn local() -> std::any::TypeId { struct L(u8); std::any::TypeId::of::<L>() }",
            "struct P(u8); fn local() -> std::any::TypeId { struct L(u16); std::any::TypeId::of::<L>() }",
        ),
    ];

    /// Whether the second version keeps the identity of the first.
    fn keeps(first: &str, second: &str) -> bool {
        let mut notebook = Notebook::default();
        for (cell, text) in [(1, first), (2, second)] {
            let split = split(text, &|name| notebook.stands_for_items(name)).unwrap();
            place(&mut notebook, cell, &Arc::new(Source::of_cell(cell, text, &[])), &split);
        }
        notebook.units.all().count() == 1
    }

    /// What rustc makes of the type `P`: its identity, and its size in bytes.
    fn of_rustc(folder: &Path, text: &str) -> BTreeMap<String, String> {
        let main =
            "fn main() { println!(\"{:?}={}\", std::any::TypeId::of::<P>(), std::mem::size_of::<P>()); }";
        std::fs::write(folder.join("x.rs"), format!("#![allow(warnings)] use std::mem; {text} {main}"))
            .unwrap();
        let rustc = Command::new("rustc")
            .args(["--edition=2024", "--crate-name=x", "-Cmetadata=x", "x.rs"])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(rustc.status.success(), "{text}: {}", String::from_utf8_lossy(&rustc.stderr));
        let said = Command::new(folder.join("x")).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let pairs = said.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(id, size)| (id.to_owned(), size.to_owned())).collect()
    }

    #[test]
    fn no_identity_is_kept_under_which_a_type_would_become_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut confused = 0;
        for (first, second) in VERSIONS {
            let (before, after) = (of_rustc(folder.path(), first), of_rustc(folder.path(), second));
            let confuses = before.iter().any(|(id, size)| after.get(id).is_some_and(|now| now != size));
            assert!(!(confuses && keeps(first, second)), "undefined behaviour: {first} / {second}");
            confused += usize::from(confuses);
        }
        // Or the test would look at nothing: these are versions that rustc itself cannot tell apart.
        assert!(confused >= 8, "{confused}");
    }

    #[test]
    fn bodies_do_not_matter_and_what_names_mean_does() {
        let check = |first: &str, second: &str, kept: bool| {
            assert_eq!(keeps(first, second), kept, "{first} / {second}");
        };
        let [.., shadowed, local] = VERSIONS;
        check(VERSIONS[1].0, VERSIONS[1].1, true);
        check(shadowed.0, shadowed.1, false);
        check(local.0, local.1, false);
        check("struct P(u8);", "use std::fmt::*; struct P(u8);", false);
        check("struct P(u8);", "use std::collections::*; struct P(u8);", true);
        check("struct P(Instant); use std::time::Instant;", "struct P(Instant); type Instant = u8;", false);
        check("struct P(u8); fn f() {}", "struct P(u8); fn g() {}", true);
        check(
            "struct P; impl P { fn f() { struct L(u8); } }",
            "struct P; impl Drop for P { fn drop(&mut self) {} } impl P { fn f() { struct L(u8); } }",
            false,
        );
    }
}
