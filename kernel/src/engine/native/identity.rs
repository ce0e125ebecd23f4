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
            let inner: String = part.inner.iter().filter_map(|range| part.text.get(range.clone())).collect();
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
