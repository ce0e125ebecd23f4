//! Which functions a text has, and which one a place or a name means.

use super::super::super::generate::{self, Loaded};
use super::super::super::notebook::Notebook;
use super::super::super::place::place;
use super::super::super::source::Source;
use super::super::super::split::split;
use super::reader::{Form, Kind, read};
use super::{At, Local, Outline, module};
use crate::engine::Cell;
use assay_magics::profiled::Origin;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A notebook whose cells were run one after the other, without being compiled.
fn notebook(cells: &[&str]) -> Notebook {
    let mut notebook = Notebook::default();
    for (number, text) in (1..).zip(cells) {
        let split = split(text, &|name| notebook.stands_for_items(name)).unwrap();
        notebook.texts.insert(number, Arc::from(*text));
        place(&mut notebook, number, &Arc::new(Source::of_cell(number, text, &[])), &split);
    }
    notebook
}

fn outline(cells: &[&str]) -> Outline {
    Outline::of(&notebook(cells), &Cell::new(0, ""), &[])
}

#[test]
fn functions_have_the_names_that_a_person_writes() {
    let check = |text: &str, expected: &[&str]| {
        let found: Vec<String> = read(text, Form::Cell, "")
            .into_iter()
            .filter(|region| matches!(region.kind, Kind::Function | Kind::Closure))
            .map(|region| {
                if region.plain == region.exact {
                    region.plain
                } else {
                    format!("{} = {}", region.plain, region.exact)
                }
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    };
    check("fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) } }", &["fib"]);
    check("pub(crate) async unsafe extern \"C\" fn r#type() {}", &["type"]);
    check(
        "impl<T> Stack<T> { fn push(&mut self) {} const fn a() {} }",
        &["Stack::push = Stack<T>::push", "Stack::a = Stack<T>::a"],
    );
    check("impl fmt::Display for shapes::Grid { fn fmt(&self) {} }", &["Grid::fmt = <Grid as Display>::fmt"]);
    check("impl From<u8> for &'a P { fn from() {} }", &["P::from = <&'a P as From<u8>>::from"]);
    check("impl<T: Debug> Show for T { fn show(&self) {} }", &["Show::show = <T as Show>::show"]);
    check("impl Sum for [u8] { fn total(&self) {} }", &["[u8]::total = <[u8] as Sum>::total"]);
    check(
        "trait Shape { fn area(&self) -> f64; fn twice(&self) -> f64 { 2. * self.area() } }",
        &["Shape::twice"],
    );
    check(
        "mod physics { pub mod far { pub fn step() {} } impl Grid { fn step() {} } }",
        &["physics::far::step", "physics::Grid::step"],
    );
    check("mod m { impl A for B { fn f() {} } }", &["m::B::f = <m::B as A>::f"]);
    check(
        "fn outer() { fn inner() { g(|| 1) } struct S; impl S { fn new() {} } }",
        &["outer", "outer::inner", "outer::inner::{closure#0}", "outer::S::new"],
    );
    check(
        "fn f() { v.map(|x| x).filter(|x| g(|y| y)).for_each(move |x| {}); async { 1 }; async move |x| 2; }",
        &[
            "f",
            "f::{closure#0}",
            "f::{closure#1}",
            "f::{closure#1}::{closure#0}",
            "f::{closure#2}",
            "f::{async_block#3}",
            "f::{closure#4}",
        ],
    );
    check(
        "fn f() { println!(\"{} {a}\", v.iter().map(|x| x + 1).sum(), a = g(|| 2)); vec![h(|| 1); 3]; }",
        &["f", "f::{closure#0}", "f::{closure#1}", "f::{closure#2}"],
    );
    check(
        "static X: LazyLock<u8> = LazyLock::new(|| 1); const F: fn() = || ();",
        &["X::{closure#0}", "F::{closure#0}"],
    );
    check("thread_local! { static A: Cell<u8> = make(|| 1); }", &["A::{closure#0}"]);
    check(
        "let a = f(|| 1);\nfn f() {}\nb.iter().map(|x| 1).sum()",
        &["<statements>::{closure#0}", "f", "<statements>::{closure#1}"],
    );
    check("for x in v { fn nested() {} nested(); }", &["nested"]);
    check("macro_rules! m { ($x:expr) => { { fn no() {} (|| $x)() } } }", &[]);
    check("fn f( {", &[]);
    check("let x = ;", &[]);
    check("", &[]);
    check(";", &[]);
}

#[test]
fn a_file_of_a_crate_has_its_module() {
    let check = |path: &str, expected: &str| assert_eq!(module("words", Path::new(path)), expected);
    check("lib.rs", "words");
    check("main.rs", "words");
    check("text.rs", "words::text");
    check("text/mod.rs", "words::text");
    check("text/lib.rs", "words::text::lib");
    check("a/b.rs", "words::a::b");
}

const GRID: &str = "struct Grid(u8);\nimpl Grid {\n    /// One step.\n    pub fn step(&self) -> u8 {\n        let f = |x: u8| x + 1; f(self.0)\n    }\n}\nlet g = Grid(1);\n\ng.step();";

#[test]
fn the_innermost_function_at_a_place() {
    let outline = outline(&[GRID]);
    let check = |line, column, expected: Option<(&str, u32)>| {
        let found = outline.at("cell[1]", line, column);
        let shown = found.as_ref().map(|found| (found.name.as_str(), found.line.unwrap()));
        assert_eq!(shown, expected, "{line}:{column}");
    };
    check(4, 5, Some(("Grid::step", 4)));
    check(4, 0, Some(("Grid::step", 4)));
    check(5, 9, Some(("Grid::step", 4)));
    check(5, 25, Some(("Grid::step::{closure#0}", 5)));
    check(5, 400, Some(("Grid::step", 4)));
    check(6, 5, Some(("Grid::step", 4)));
    // No function.
    check(1, 1, None);
    check(2, 1, None);
    check(3, 5, None);
    check(9, 1, None);
    check(0, 1, None);
    check(99, 1, None);
    check(8, 1, Some(("<statements>", 8)));
    check(10, 3, Some(("<statements>", 8)));
    assert_eq!(outline.at("cell[2]", 1, 1), None);
    assert_eq!(outline.at("cell[1]", 4, 5).unwrap().origin, Origin::Cell);
}

#[test]
fn what_debug_information_calls_a_function_decides_where_its_place_does_not() {
    let outline = outline(&["#[derive(Clone)] struct P; fn a() -> u8 { f(|| 1) } fn b() {} g(|| 2);"]);
    let check = |column, called, expected: Option<&str>| {
        let at = At { file: "cell[1]", line: 1, column, called: Some(called), ..At::default() };
        assert_eq!(outline.find(&at).map(|found| found.name).as_deref(), expected, "{column} {called}");
    };
    check(31, "a", Some("a"));
    check(45, "{closure#0}", Some("a::{closure#0}"));
    // Where the closure is made is where it stands.
    check(45, "a", Some("a"));
    check(54, "b", Some("b"));
    check(64, "assay_entry_3", Some("<statements>"));
    check(66, "{closure#1}", Some("<statements>::{closure#0}"));
    check(3, "clone", Some("P::clone"));
    // A function that a macro made.
    check(64, "made", None);
}

#[test]
fn the_newest_definition_has_the_name() {
    let outline = outline(&[
        "fn fib() { 1 }",
        "mod physics { pub fn step() {} }\nstruct Grid; impl Grid { fn step() {} }",
        "fn fib() {\n    2\n}",
        "impl std::fmt::Debug for Grid { fn fmt() {} }\nimpl std::fmt::Display for Grid { fn fmt() {} }",
    ]);
    let check = |name: &str, expected: &[&str]| {
        let found: Vec<String> = outline
            .named(name)
            .into_iter()
            .map(|one| format!("{} {}:{}", one.function.name, one.function.file, one.first_line))
            .collect();
        assert_eq!(found, expected, "{name}");
    };
    check("fib", &["fib cell[3]:1"]);
    check(" crate::fib() ", &["fib cell[3]:1"]);
    check("Grid::step", &["Grid::step cell[2]:2"]);
    check("Grid::<u8>::step", &["Grid::step cell[2]:2"]);
    check("physics::step", &["physics::step cell[2]:1"]);
    check("step", &["Grid::step cell[2]:2", "physics::step cell[2]:1"]);
    check("Grid::fmt", &["<Grid as Debug>::fmt cell[4]:1", "<Grid as Display>::fmt cell[4]:2"]);
    check("<Grid as Debug>::fmt", &["<Grid as Debug>::fmt cell[4]:1"]);
    for none in ["fi", "ib", "Grid", "", "::", "fib::fib"] {
        check(none, &[]);
    }
    assert_eq!(outline.named("fib")[0].lines, ["fn fib() {", "    2", "}"]);
    assert_eq!(
        outline.names(),
        ["<Grid as Debug>::fmt", "<Grid as Display>::fmt", "Grid::step", "fib", "physics::step"]
    );
    // What has been replaced may still run.
    assert_eq!(outline.at("cell[1]", 1, 12).unwrap().name, "fib");
}

#[test]
fn what_is_run_again_unchanged_stays_where_it_was_compiled() {
    let outline =
        outline(&["fn f() { 1 }", "fn f() { 2 }", "fn f() { 1 }", "fn g() { 1 }", "fn g() {  1  }"]);
    let file = |name: &str| outline.named(name).into_iter().map(|one| one.function.file).collect::<Vec<_>>();
    assert_eq!(file("g"), ["cell[4]"]);
    assert_eq!(file("f").len(), 1);
}

#[test]
fn a_cell_that_has_not_run_yet_brings_its_items() {
    let notebook = notebook(&["fn f() {}", "f()"]);
    let cell = Cell::new(3, "fn f() { 2 }\nfn g() {}");
    let outline = Outline::of(&notebook, &cell, &[]);
    assert_eq!(outline.names(), ["f", "g"]);
    assert_eq!(outline.named("f")[0].function.file, "cell[3]");
}

#[test]
fn the_steps_of_a_cell_are_one_text() {
    let mut notebook = notebook(&["fn f() {}\n\n\n"]);
    notebook.texts.insert(1, Arc::from("         \nf();\nlet a = || 1;\n"));
    let outline = Outline::of(&notebook, &Cell::new(0, ""), &[]);
    assert_eq!(outline.at("cell[1]", 1, 1).unwrap().name, "f");
    assert_eq!(outline.at("cell[1]", 2, 1).unwrap().name, "<statements>");
    assert_eq!(outline.at("cell[1]", 3, 9).unwrap().name, "<statements>::{closure#0}");
    let all = &outline.named("<statements>")[0];
    assert_eq!(
        (all.first_line, all.lines.as_slice()),
        (2, ["f();", "let a = || 1;"].map(str::to_owned).as_slice())
    );
}

#[test]
fn columns_of_what_was_compiled_are_those_of_the_cell() {
    let text = "fn a() -> u8 { b(|x| x) } fn b() {}";
    let mut notebook = notebook(&[text]);
    let (made, _) = generate::unit(notebook.units.get(1).unwrap(), None, &Loaded::default());
    let compiled = made.files[0].source.text().to_owned();
    notebook.files.insert(PathBuf::from("cell_1-0/items.rs"), Arc::new(made.files[0].source.clone()));
    let outline = Outline::of(&notebook, &Cell::new(0, ""), &[]);
    let check = |piece: &str, called: &str, expected: Option<&str>| {
        let column = u32::try_from(compiled.find(piece).unwrap()).unwrap() + 1;
        let library = Some(Path::new("/x/native/cell_1-0/libcell_1-0.so"));
        let at = At { library, file: "cell[1]", line: 1, column, called: Some(called) };
        assert_eq!(outline.find(&at).map(|found| found.name).as_deref(), expected, "{piece}");
    };
    check("b(|x|", "a", Some("a"));
    check("|x|", "{closure#0}", Some("a::{closure#0}"));
    check("fn b", "b", Some("b"));
    // It is ours, and made of nothing of the user's.
    check("#![allow", "other", None);
}

#[test]
fn a_crate_of_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join("src").join(name);
    fs::create_dir_all(path("text")).unwrap();
    fs::write(path("lib.rs"), "pub mod text;\npub fn count() {}\n#[cfg(test)] mod tests { fn no() {} }")
        .unwrap();
    fs::write(path("text/mod.rs"), "pub struct Words;\nimpl Words {\n    pub fn split(&self) { f(|| 1) }\n}")
        .unwrap();
    fs::write(path("broken.rs"), "fn (").unwrap();
    let local = Local { name: "words".to_owned(), folder: folder.path().to_owned() };
    let missing = Local { name: "none".to_owned(), folder: folder.path().join("none") };
    let outline = Outline::of(&notebook(&["fn count() {}"]), &Cell::new(0, ""), &[local, missing]);
    assert_eq!(outline.names(), ["count", "words::count", "words::text::Words::split"]);
    let file = path("text/mod.rs").display().to_string();
    assert_eq!(outline.shown(&file), Some("words/src/text/mod.rs"));
    for file in [file.as_str(), "words/src/text/mod.rs"] {
        let found = outline.at(file, 3, 30).unwrap();
        assert_eq!(
            (found.name.as_str(), found.origin),
            ("words::text::Words::split::{closure#0}", Origin::Local)
        );
        assert_eq!(found.file, "words/src/text/mod.rs");
    }
    let named = |name: &str| outline.named(name).into_iter().map(|one| one.function.file).collect::<Vec<_>>();
    assert_eq!(named("Words::split"), ["words/src/text/mod.rs"]);
    assert_eq!(named("words::count"), ["words/src/lib.rs"]);
    // The whole of a name counts for more than its end.
    assert_eq!(named("count"), ["cell[1]"]);
}
