//! The stages that write a crate, from a cell's text to the compiler's.

use super::awaits::awaits;
use super::entry::{self, Entry, Put, Style, Taken};
use super::generate::{self, Loaded};
use super::notebook::{Kind, Notebook};
use super::place::{Placed, place};
use super::prelude::{bound, prelude};
use super::source::Source;
use super::split::{Split, split};
use super::units::UnitId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// A notebook that cells are put into without being compiled.
#[derive(Default)]
struct Trial {
    notebook: Notebook,
    cell: u32,
}

impl Trial {
    fn cell(&mut self, text: &str) -> Placed {
        self.cell += 1;
        let split = taken_apart(&self.notebook, text);
        place(&mut self.notebook, self.cell, &Arc::new(Source::of_cell(self.cell, text, &[])), &split)
    }

    fn after(cells: &[&str]) -> Self {
        let mut trial = Self::default();
        for cell in cells {
            trial.cell(cell);
        }
        trial
    }

    /// The declarations for text with these mentions, each on a line.
    fn prelude(&self, mentions: &[&str]) -> String {
        let mentions = mentions.iter().map(|name| (*name).to_owned()).collect();
        prelude(&self.notebook, &mentions, &BTreeSet::new(), None).text
    }

    /// The root of a unit.
    fn root(&self, unit: UnitId) -> String {
        let loaded = Loaded { names: BTreeSet::from(["P".to_owned()]), ..Loaded::default() };
        let (made, _) = generate::unit(self.notebook.units.get(unit).unwrap(), None, &loaded);
        made.files[0].source.text().to_owned()
    }
}

fn taken_apart(notebook: &Notebook, text: &str) -> Split {
    split(text, &|name| notebook.stands_for_items(name)).unwrap_or_else(|| panic!("not understood: {text}"))
}

#[test]
fn what_is_mentioned_is_brought_and_a_trait_with_its_methods() {
    let trial = Trial::after(&[
        "struct P; fn f() {}",
        "trait Area { fn area(&self) -> f64; }",
        "use std::collections::HashMap; use std::fmt::*;",
        "fn f(p: P) {}",
    ]);
    let check = |mentions: &[&str], expected: &[&str]| {
        let always = ["use std::collections::HashMap;", "use std::fmt::*;"];
        let lines: Vec<String> = trial.prelude(mentions).lines().map(str::to_owned).collect();
        let expected: Vec<&str> = expected.iter().copied().chain(always).collect();
        assert_eq!(lines, expected, "{mentions:?}");
    };
    check(&[], &[]);
    check(&["P", "x"], &["use ::cell_1::P;"]);
    check(&["area"], &["use ::cell_2::Area as _;"]);
    // It has taken the place of the older one.
    check(&["Area", "f"], &["use ::cell_2::Area;", "use ::cell_1::f;"]);
}

#[test]
fn a_use_of_the_notebooks_own_comes_when_it_may_be_needed() {
    let trial = Trial::after(&[
        "mod shapes { pub trait Area { fn area(&self); } pub struct Circle; }",
        "use shapes::Area; use shapes::Circle as Round;",
    ]);
    let check =
        |mentions: &[&str], expected: &str| assert_eq!(trial.prelude(mentions), expected, "{mentions:?}");
    check(&["x"], "");
    let all = "use ::cell_1::shapes;\nuse shapes::Area;\nuse shapes::Circle as Round;\n";
    check(&["area"], all);
    check(&["Round"], "use ::cell_1::shapes;\nuse shapes::Circle as Round;\n");
}

#[test]
fn a_macro_brings_what_its_body_names() {
    let trial = Trial::after(&[
        "fn helper() {} fn other() {}",
        "macro_rules! call { () => { helper() } }",
        "macro_rules! outer { () => { call!() } }",
    ]);
    let expected = "use ::cell_2::call;\nuse ::cell_1::helper;\nuse ::cell_3::outer;\n";
    assert_eq!(trial.prelude(&["outer"]), expected);
}

#[test]
fn a_newer_name_takes_the_place_of_an_older_one() {
    let trial = Trial::after(&["use std::fmt::Result;", "struct Result;", "use std::io::Result;"]);
    assert_eq!(trial.prelude(&["Result"]), "use std::io::Result;\n");
    let trial = Trial::after(&["use std::fmt::Result;", "struct Result;"]);
    assert_eq!(trial.prelude(&["Result"]), "use ::cell_2::Result;\n");
}

#[test]
fn what_a_macro_made_is_found_by_a_glob() {
    let trial = Trial::after(&[
        "macro_rules! mk { ($n:ident) => { pub struct $n; pub struct Fixed; } }",
        "mk!(Gen);",
    ]);
    for name in ["Gen", "Fixed"] {
        assert_eq!(trial.prelude(&[name]), "use ::cell_2::*;\n", "{name}");
    }
    assert!(matches!(trial.notebook.definitions["mk"].kind, Kind::Macro { items: true, .. }));
}

#[test]
fn an_impl_joins_the_type_that_it_is_for() {
    let mut trial = Trial::after(&["struct P; struct Q;", "trait T {}", "struct R;"]);
    let check = |trial: &mut Trial, cell: &str, own: Option<UnitId>, joined: &[UnitId]| {
        let placed = trial.cell(cell);
        assert_eq!(placed, Placed { own, changed: joined.iter().copied().collect() }, "{cell}");
    };
    check(&mut trial, "impl P { fn f(&self) {} }", None, &[1]);
    check(&mut trial, "impl std::fmt::Display for P { }", None, &[1]);
    // Both are the notebook's: it goes where both can be seen.
    check(&mut trial, "impl T for P {}", None, &[2]);
    check(&mut trial, "impl T for Vec<u8> {}", None, &[2]);
    check(&mut trial, "impl From<P> for R { }", None, &[3]);
    check(&mut trial, "struct New; impl From<P> for New { }", Some(4), &[]);
    check(&mut trial, "trait U {} impl U for P {}", Some(5), &[]);
    // What it needs of its own cell goes with it.
    check(&mut trial, "fn helper() {} impl Q { fn h() { helper() } }", None, &[1]);
    assert_eq!(trial.prelude(&["helper"]), "use ::cell_1::assay_part_3::helper;\n");
    // What it does not need stays.
    check(&mut trial, "fn apart() {} impl Q { fn g() {} }", Some(6), &[1]);
}

#[test]
fn an_impl_that_needs_what_needs_its_type_is_merged_with_it() {
    let mut trial = Trial::after(&["struct P;", "fn show(p: &P) {}", "fn apart() {}"]);
    let placed = trial.cell("let x = 1;\nimpl P { fn f(&self) { show(self) } }");
    assert_eq!(placed, Placed { own: None, changed: BTreeSet::from([4]) });
    assert_eq!(
        trial.prelude(&["P", "show", "apart"]),
        "use ::cell_1_4::assay_part_1::P;\nuse ::cell_3::apart;\nuse ::cell_1_4::assay_part_2::show;\n"
    );
}

#[test]
fn what_is_run_again_unchanged_is_what_it_was() {
    let mut trial = Trial::after(&["struct P { x: u8 }", "impl P { fn f(&self) {} }"]);
    let nothing = Placed::default();
    // A comma is a token. What was implemented for the older one goes with it, and may not fit.
    let placed = trial.cell("// Again.\nstruct P {\n    x: u8,\n}");
    assert_eq!(placed, Placed { own: None, changed: BTreeSet::from([2]) });
    assert_eq!(trial.cell("struct P { x : u8 } // again"), nothing);
    assert_eq!(trial.notebook.definitions["P"].unit, 1);
    assert_eq!(trial.cell("impl P { fn f(&self) {} }"), nothing);
    assert_eq!(trial.cell("struct P { x: u16 }").changed, BTreeSet::from([3]));
}

/// Builds what is stale.
fn build(trial: &mut Trial, version: u32) {
    let all: BTreeSet<UnitId> = trial.notebook.units.all().map(|(id, _)| id).collect();
    let order = trial.notebook.units.reached(&all);
    for id in trial.notebook.units.stale(&order) {
        let needs = trial.notebook.units.needs(id);
        trial.notebook.units.built(id, PathBuf::from(format!("{id}-{version}")), &needs, BTreeSet::new());
    }
}

fn library(trial: &Trial, id: UnitId) -> String {
    trial.notebook.units.library(id).unwrap().display().to_string()
}

#[test]
fn a_unit_is_stale_when_it_or_what_it_needs_has_grown() {
    let mut trial = Trial::after(&["struct P;", "fn f(p: P) {}", "fn g() {}"]);
    build(&mut trial, 1);
    trial.cell("impl P {}");
    build(&mut trial, 2);
    assert_eq!([1, 2, 3].map(|id| library(&trial, id)), ["1-2", "2-2", "3-1"]);
}

#[test]
fn a_new_body_keeps_the_unit_and_a_new_type_makes_another() {
    let cell = |field: &str, body: &str| {
        format!("struct P {{ x: {field} }} impl P {{ fn f(&self) -> u8 {{ {body} }} }} fn apart() {{}}")
    };
    let mut trial = Trial::after(&[&cell("u8", "1"), "fn g(p: P) -> u8 { p.f() }", "fn h() { apart() }"]);
    build(&mut trial, 1);
    assert_eq!(trial.cell(&cell("u8", "2")), Placed { own: None, changed: BTreeSet::from([1]) });
    assert_eq!(trial.notebook.definitions["P"].unit, 1);
    build(&mut trial, 2);
    assert_eq!([1, 2, 3].map(|id| library(&trial, id)), ["1-2", "2-2", "3-2"]);
    // A field has another type: all that names what is in the cell is renewed.
    let placed = trial.cell(&cell("u16", "2"));
    assert_eq!(placed, Placed { own: Some(4), changed: BTreeSet::new() });
    assert_eq!(["P", "g", "h"].map(|name| trial.notebook.definitions[name].unit), [4, 5, 6]);
    assert!(trial.notebook.units.get(5).unwrap().parts[0].prelude.contains("use ::cell_5::P;"));
    // Back again: everything is what it was.
    assert_eq!(trial.cell(&cell("u8", "2")), Placed::default());
    assert_eq!(["P", "g", "h"].map(|name| trial.notebook.definitions[name].unit), [1, 2, 3]);
}

#[test]
fn a_part_of_a_cell_can_be_redefined_elsewhere() {
    let mut trial = Trial::after(&["struct P; fn f() -> u8 { 1 } fn g() -> u8 { f() }"]);
    let placed = trial.cell("fn f() -> u8 { 2 }");
    assert_eq!(placed, Placed { own: None, changed: BTreeSet::from([1]) });
    let (made, _) = generate::unit(trial.notebook.units.get(1).unwrap(), None, &Loaded::default());
    let all: Vec<&str> = made.files.iter().map(|file| file.source.text()).collect();
    assert!(all[0].contains("include!(\"assay_older_0.rs\"); pub fn f() -> u8 { 2 }"), "{all:?}");
    assert!(
        all[1].contains("pub struct P;") && all[1].contains("pub fn g()") && !all[1].contains("fn f()"),
        "{all:?}"
    );
    // And an associated function, in a cell of its own.
    let mut trial =
        Trial::after(&["struct P; impl P {\n fn a() {}\n fn b() {} }", "impl P { fn b() { new() } }"]);
    let (made, _) = generate::unit(trial.notebook.units.get(1).unwrap(), None, &Loaded::default());
    assert!(made.files[0].source.text().contains("fn a() {}\n  }"), "{}", made.files[0].source.text());
    assert!(made.files[1].source.text().contains("new()"));
    // The first cell again: it has the last word.
    trial.cell("struct P; impl P { fn a() {} fn b() { newest() } }");
    let (made, _) = generate::unit(trial.notebook.units.get(1).unwrap(), None, &Loaded::default());
    assert_eq!(made.files.len(), 1, "{made:?}");
}

#[test]
fn cells_that_come_to_need_each_other_are_one() {
    let mut trial = Trial::after(&["struct P(u8);", "fn f(p: &P) {}", "fn h() { f(&P(1)) }"]);
    trial.cell("struct P(u16); impl P { fn g(&self) { f(self) } }");
    let units = ["P", "f", "h"].map(|name| trial.notebook.definitions[name].unit);
    assert_eq!(units[0], units[1]);
    assert_ne!(units[0], units[2]);
    assert!(units.iter().all(|unit| *unit > 3));
}

#[test]
fn state_goes_on_in_the_library_that_has_it() {
    let cell = |body: &str| format!("static HITS: AtomicU8 = AtomicU8::new(0); fn f() {{ {body} }}");
    let mut trial = Trial::after(&[&cell("1")]);
    let text = |trial: &Trial, id| {
        let unit = trial.notebook.units.get(id).unwrap();
        let linked: Vec<PathBuf> = unit.homes().map(|home| home.library.clone()).collect();
        (generate::unit(unit, None, &Loaded::default()).0.files[0].source.text().to_owned(), linked)
    };
    let (first, linked) = text(&trial, 1);
    assert!(first.contains("#[unsafe(export_name = \"assay_cell_1_"), "{first}");
    assert!(first.contains("pub static HITS: AtomicU8 = AtomicU8::new(0);") && linked.is_empty());
    build(&mut trial, 1);
    trial.cell(&cell("2"));
    let (second, linked) = text(&trial, 1);
    assert!(second.contains("pub safe static HITS: AtomicU8; }"), "{second}");
    assert_eq!(linked, [PathBuf::from("1-1")]);
    build(&mut trial, 2);
    trial.cell(&cell("3"));
    assert_eq!(text(&trial, 1).1, [PathBuf::from("1-1")]);
    build(&mut trial, 3);
    let libraries = trial.notebook.units.libraries(&BTreeSet::from([PathBuf::from("1-3")]));
    assert_eq!(libraries, ["1-1", "1-3"].map(PathBuf::from));
    // Another beginning is another static.
    trial.cell("static HITS: AtomicU8 = AtomicU8::new(9); fn f() {}");
    assert_eq!(trial.notebook.definitions["HITS"].unit, 2);
}

#[test]
fn items_stand_on_their_own_lines() {
    let trial = Trial::after(&["let x = 1;\n/// A point.\nstruct P {\n    x: u8,\n} x;\nfn f() {} // end"]);
    let root = trial.root(1);
    let lines: Vec<&str> = root.lines().collect();
    assert_eq!(lines[1..5], ["/// A point.", "pub struct P {", "    pub x: u8,", "} "]);
    assert_eq!(lines[5], "pub fn f() {} ");
    assert!(lines[0].starts_with("#![allow("));
    assert!(root.contains("pub struct P;"), "{root}");
}

/// The entry of a cell, without the first line's header.
fn written(text: &str, taken: &[(&str, bool)], puts: &[(u32, Put)]) -> String {
    written_with(text, taken, puts, &BTreeSet::new())
}

fn written_with(text: &str, taken: &[(&str, bool)], puts: &[(u32, Put)], inside: &BTreeSet<u32>) -> String {
    let split = taken_apart(&Notebook::default(), text);
    let taken = taken.iter().map(|(name, mutable)| Taken { name, type_name: "u8", mutable: *mutable });
    let entry = Entry {
        style: Style::default(),
        endless: false,
        guards: Vec::new(),
        cell: 1,
        text: &Source::of_cell(1, text, &[]),
        split: &split,
        symbol: "assay_entry_7".to_owned(),
        taken: taken.collect(),
        puts: puts.iter().cloned().collect::<BTreeMap<_, _>>(),
        inside: inside.clone(),
        awaits: awaits(text, &split),
        start: String::new(),
    };
    let (source, places) = entry::write(&entry);
    for (slot, place) in &places.puts {
        let put = &source.text()[place.clone()];
        assert!(put.contains(&format!(", {slot}, \"")), "{put}");
    }
    let text = source.text().strip_prefix("use super::*; ").unwrap();
    text.replace(
        " { let mut assay_rest = ::core::option::Option::Some(|| -> ::assay::cell::Flow { ",
        " {{ ",
    )
    .replace(
        " ::core::result::Result::Ok(()) }); ::assay::cell::catch(&mut || match assay_rest.take() { ::core::option::Option::Some(mut rest) => rest(), ::core::option::Option::None => ::core::result::Result::Ok(()) }); }",
        " }}",
    )
    .replace("::assay::cell::", "")
    .replace("#[unsafe(no_mangle)] pub extern \"C-unwind\" fn ", "")
}

#[test]
fn each_let_opens_a_closure_for_what_follows() {
    let entry = written("let a = f();\nlet mut b = a;\nb += 1;", &[], &[]);
    let expected = "assay_entry_7() {  {{ let a = f(); {{ \nlet mut b = a; {{ \nb += 1;\n }} put(b, 1, \"b\"); }} put(a, 0, \"a\"); }} }\n";
    assert_eq!(entry, expected);
}

#[test]
fn the_last_let_needs_none() {
    let entry = written("let (a, ref b) = f();", &[], &[]);
    assert_eq!(
        entry,
        "assay_entry_7() {  {{ let (a, ref b) = f();\n put(a, 0, \"a\"); put(b, 1, \"b\"); }} }\n"
    );
}

#[test]
fn a_variable_is_taken_and_put_back() {
    let entry = written("x += 1;", &[("x", true), ("y", false)], &[(1, Put::Not)]);
    let expected = "assay_entry_7() { let mut x: u8 = take::<u8>(\"x\");let y: u8 = take::<u8>(\"y\"); {{ x += 1;\n }} put(x, 0, \"x\"); }\n";
    assert_eq!(entry, expected);
}

#[test]
fn a_variable_that_is_set_later_stays_in_one_scope() {
    let entry = written("let x; let y = 1; x = y;", &[], &[]);
    let expected =
        "assay_entry_7() {  {{ let x;let y = 1;x = y;\n put(x, 0, \"x\"); put(y, 1, \"y\"); }} }\n";
    assert_eq!(entry, expected);
}

#[test]
fn what_is_moved_and_set_again_lives_inside() {
    let entry =
        written_with("f(x); let z = y; x = 1;", &[("x", true), ("y", true)], &[], &BTreeSet::from([0]));
    let expected = "assay_entry_7() { let mut y: u8 = take::<u8>(\"y\"); {{ let mut x: u8 = take::<u8>(\"x\");f(x);let z = y;x = 1;\n \
                    put(x, 0, \"x\"); put(z, 2, \"z\"); }} put(y, 1, \"y\"); }\n";
    assert_eq!(entry, expected);
}

#[test]
fn nameless_types_are_put_in_boxes() {
    let puts = [(0, Put::Boxed("dyn Fn()".into())), (1, Put::Pointer("fn()".into())), (2, Put::Iterator)];
    let entry = written("let (a, b, c) = f();", &[], &puts);
    assert!(entry.contains("put(::std::boxed::Box::new(a) as ::std::boxed::Box<dyn Fn()>, 0, \"a\");"));
    assert!(entry.contains("put(b as fn(), 1, \"b\"); put_iterator(c, 2, \"c\");"));
}

#[test]
fn a_value_is_shown_where_it_stands() {
    let entry = written("x;\n1 +\n  y", &[], &[]);
    assert!(entry.contains("\nmatch &(1 +\n  y\n) { value =>"), "{entry}");
}

#[test]
fn a_raw_name_stays_raw() {
    let entry = written("let r#type = 1; r#type;", &[], &[]);
    assert!(entry.contains("put(r#type, 0, \"type\");"), "{entry}");
}

#[test]
fn the_names_of_items_are_bound() {
    let split = taken_apart(
        &Notebook::default(),
        "fn f() {} use a::{b as c, d::*}; macro_rules! m { () => {} } impl X {} let l = 1;",
    );
    assert_eq!(bound(split.items()), ["c", "f", "m"].map(str::to_owned).into());
}
