//! The signatures of closures, which MIR shows in their headers:
//! `fn entry::{closure#0}(_1: &{closure@a.rs:11:11: 11:39}, _2: u8, _3: &str) -> std::vec::Vec<i32> {`

use super::text::{self, Paths};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Closures by what rustc prints in the place of their types, and the types of trait objects that can hold them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Closures(BTreeMap<String, Option<String>>);

impl Closures {
    /// Those of a crate, under the names that it and later crates print them with. A closure in a generic function has the parameters of that
    /// function in its signature: whoever uses it finds that they are not types.
    pub(in super::super) fn of(mir: &str, crate_name: &str, externs: &BTreeSet<String>) -> Self {
        let mut all = Self::default();
        for line in mir.lines() {
            if let Some((name, label, object)) = header(line, Paths { crate_name, externs }) {
                all.add(label, object.clone());
                all.add(format!("{{closure@{crate_name}::{name}}}"), object.clone());
                // A function whose name is unique among the crates that are loaded has no path.
                all.add(format!("{{closure@{}}}", without_path(name)), object);
            }
        }
        all
    }

    /// Adds those of a later crate.
    pub(in super::super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The trait object for a closure: `dyn Fn(u8, &str) -> std::vec::Vec<i32>`.
    pub(super) fn get(&self, label: &str) -> Option<&str> {
        self.0.get(label)?.as_deref()
    }

    /// Closures that a macro makes may have the same place: if they differ, none of them is known.
    fn add(&mut self, label: String, object: Option<String>) {
        match self.0.entry(label) {
            Entry::Vacant(entry) => {
                entry.insert(object);
            }
            Entry::Occupied(mut entry) => {
                if *entry.get() != object {
                    entry.insert(None);
                }
            }
        }
    }
}

/// The name of a closure's function, what stands for its type, and the trait object, if there can be one.
fn header<'a>(line: &'a str, paths: Paths<'_>) -> Option<(&'a str, String, Option<String>)> {
    let (name, rest) = line.strip_prefix("fn ")?.split_once("(_1: ")?;
    let start = name.len() + "fn ".len();
    let end = start + text::closing(&line[start..])?;
    let result = line[end..].strip_prefix(" -> ")?.strip_suffix(" {")?;
    let (kind, own) = [("FnMut", "&mut "), ("Fn", "&"), ("FnOnce", "")]
        .into_iter()
        .find_map(|(kind, prefix)| Some((kind, rest.strip_prefix(prefix)?)))?;
    own.starts_with("{closure@").then_some(())?;
    let label = own[..text::closing(own)?].to_owned();
    let parameters: Vec<_> = text::arguments(&line[start + 1..end - 1])
        .into_iter()
        .skip(1)
        .map(|parameter| parameter.split_once(": ").map_or(parameter, |(_, kind)| kind))
        .collect();
    Some((name, label, object(kind, &parameters, result, paths)))
}

/// `make::{closure#0}` of `shapes::make::{closure#0}`.
fn without_path(name: &str) -> &str {
    let path = name.split("::{closure#").next().unwrap_or_default();
    path.rfind("::").map_or(name, |at| &name[at + 2..])
}

fn object(kind: &str, parameters: &[&str], result: &str, paths: Paths<'_>) -> Option<String> {
    if parameters.iter().any(|parameter| text::nameless(parameter)) || text::nameless(result) {
        return None;
    }
    let open: usize = parameters.iter().map(|parameter| elided(parameter)).sum();
    let parameters: Vec<_> = parameters.iter().map(|parameter| paths.rewrite(parameter)).collect();
    let mut object = format!("dyn {kind}({})", parameters.join(", "));
    if result != "()" {
        let result = paths.rewrite(result);
        object.push_str(" -> ");
        // A lifetime that can be left out belongs to the only parameter that has one; with any other number of them it can only be the longest.
        object.push_str(&if open == 1 { result } else { lasting(&result) });
    }
    Some(object)
}

/// How many lifetimes are left out in a type.
fn elided(printed: &str) -> usize {
    let references = printed.match_indices('&').filter(|(at, _)| !printed[at + 1..].starts_with('\''));
    references.count() + printed.matches("'_").count()
}

/// The type with `'static` for each lifetime that is left out.
fn lasting(printed: &str) -> String {
    let mut text = String::new();
    for (at, one) in printed.char_indices() {
        text.push(one);
        if one == '&' && !printed[at + 1..].starts_with('\'') {
            text.push_str("'static ");
        }
    }
    text.replace("'_", "'static")
}

#[cfg(test)]
mod tests {
    use super::Closures;
    use std::collections::BTreeSet;

    #[test]
    fn a_header_is_a_trait_object() {
        let check = |header: &str, expected: Option<&str>| {
            let closures = Closures::of(header, "cell_3", &BTreeSet::new());
            assert_eq!(closures.get("{closure@a.rs:1:2: 1:4}"), expected, "{header}");
        };
        check("fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}) -> () {", Some("dyn Fn()"));
        check(
            "fn f::{closure#0}(_1: &mut {closure@a.rs:1:2: 1:4}, _2: P, _3: (u8, &str)) -> std::vec::Vec<P> {",
            Some("dyn FnMut(cell_3::P, (u8, &str)) -> std::vec::Vec<cell_3::P>"),
        );
        check("fn f::{closure#0}(_1: {closure@a.rs:1:2: 1:4}) -> ! {", Some("dyn FnOnce() -> !"));
        check("fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}) -> &str {", Some("dyn Fn() -> &'static str"));
        check(
            "fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: &str) -> &str {",
            Some("dyn Fn(&str) -> &str"),
        );
        check(
            "fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: &str, _3: S<'_>) -> S<'_> {",
            Some("dyn Fn(&str, cell_3::S<'_>) -> cell_3::S<'static>"),
        );
        check("fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: u8) -> {closure@a.rs:1:5: 1:6} {", None);
        check("fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: impl T) -> u8 {", None);
        check("fn f(_1: u8) -> {closure@a.rs:1:2: 1:4} {", None);
        check("    debug x => &{closure@a.rs:1:2: 1:4}", None);
    }

    #[test]
    fn later_crates_know_it_by_its_function() {
        let mir = "fn math::adder::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: i32) -> i32 {";
        let mut closures = Closures::default();
        closures.extend(Closures::of(mir, "cell_1", &BTreeSet::new()));
        assert_eq!(closures.get("{closure@cell_1::math::adder::{closure#0}}"), Some("dyn Fn(i32) -> i32"));
        assert_eq!(closures.get("{closure@adder::{closure#0}}"), Some("dyn Fn(i32) -> i32"));
        assert_eq!(closures.get("{closure@other::{closure#0}}"), None);
    }

    #[test]
    fn closures_of_one_place_that_differ_are_unknown() {
        let of = |kind: &str| {
            format!("fn f::{{closure#0}}(_1: &{{closure@a.rs:1:2: 1:4}}, _2: {kind}) -> u8 {{\n")
        };
        let check = |mir: String, known: bool| {
            let closures = Closures::of(&mir, "c", &BTreeSet::new());
            assert_eq!(closures.get("{closure@a.rs:1:2: 1:4}").is_some(), known);
        };
        check(of("u8") + &of("u8"), true);
        check(of("u8") + &of("u16"), false);
    }
}
