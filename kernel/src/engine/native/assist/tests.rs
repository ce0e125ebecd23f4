//! What the notebook itself knows, and what an analyzer that is not there costs.

use super::super::notebook::{Gone, Notebook, Variable};
use super::super::place::place;
use super::super::source::Source;
use super::super::split::split;
use super::known::Known;
use super::place::Place;
use super::text::told;
use super::{Assistant, defined};
use crate::engine::evcxr::Evcxr;
use crate::engine::surroundings::Surroundings;
use assay_magics::render::Bundle;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// A notebook of these cells, with variables of these types.
fn notebook(cells: &[&str], variables: &[(&str, &str)]) -> Notebook {
    let mut notebook = Notebook::default();
    for (number, text) in (1..).zip(cells) {
        let split = split(text, &|name| notebook.stands_for_items(name)).unwrap();
        place(&mut notebook, number, &Arc::new(Source::of_cell(number, text, &[])), &split);
    }
    for (name, type_name) in variables {
        let variable = Variable { type_name: (*type_name).to_owned(), mutable: true, cell: 7, bytes: 24 };
        notebook.variables.insert((*name).to_owned(), variable);
    }
    notebook
}

const CELLS: [&str; 3] = [
    "/// Money.\nstruct Account { owner: String, inner: Box<Part> }\nimpl Account { fn new() -> Self { todo!() } fn total(&self) -> i64 { 0 } }",
    "mod shapes { pub enum Shape { Round, Square(f64) } pub fn area() -> f64 { 0.0 } }\nuse shapes::Shape as Form;",
    "struct Part { cents: i64 }\n/// Adds.\nfn add(a: i64) -> i64 { a }",
];

/// The texts that a marked text could become.
fn completed(notebook: &Notebook, marked: &str) -> Vec<String> {
    let cursor = marked.find('|').unwrap();
    let text = marked.replace('|', "");
    let place = Place::of(&text, cursor).unwrap();
    let reply = Known::of(notebook).complete(&text, &place, cursor);
    let whole = |one: String| format!("{}{one}{}", &text[..reply.start], &text[reply.end..]);
    reply.matches.into_iter().map(|one| whole(one.text)).collect()
}

#[test]
fn the_notebooks_own_names_are_completed() {
    let notebook = notebook(
        &CELLS,
        &[("account", "::std::boxed::Box<::cell_1::Account>"), ("form", "cell_2::shapes::Shape")],
    );
    let check =
        |marked: &str, expected: &[&str]| assert_eq!(completed(&notebook, marked), expected, "{marked}");
    check("acc|", &["account"]);
    check("Acc|ou", &["Account"]);
    check("account.|", &["account.inner", "account.owner", "account.total"]);
    check("account.inner.c|", &["account.inner.cents"]);
    check("Account::|", &["Account::new", "Account::total"]);
    check("shapes::|", &["shapes::Shape", "shapes::area"]);
    check("shapes::Shape::R|", &["shapes::Shape::Round"]);
    check("Form::S|", &["Form::Square"]);
    check("let ämter = 1; ä|", &["let ämter = 1; ämter"]);
    check("whi|", &["while"]);
    check("unknown.|", &[]);
    check("f(x).|", &[]);
}

#[test]
fn the_notebooks_own_names_are_explained() {
    let mut notebook = notebook(&CELLS, &[("account", "::cell_1::Account")]);
    notebook.gone.insert("lost".to_owned(), Gone::Moved { cell: 4 });
    let check = |marked: &str, expected: Option<&str>| {
        let text = marked.replace('|', "");
        let place = Place::of(&text, marked.find('|').unwrap()).unwrap();
        let found = Known::of(&notebook).inspect(&text, &place);
        assert_eq!(found.as_ref().map(Bundle::plain), expected, "{marked}");
    };
    check("acc|ount", Some("let mut account: Account\n\n24 bytes, without what it points to; from cell[7]"));
    check("ad|d(1)", Some("fn add(a: i64) -> i64\n\nfrom cell[3]\n\nAdds."));
    check("account.to|tal()", Some("fn total(&self) -> i64\n\nfrom cell[1]"));
    check("shapes::Shape::Squ|are", Some("Square(f64)\n\nfrom cell[2]"));
    check("lost|", Some("`lost` was moved in cell[4]"));
    // The cell's own variable is another one.
    check("let account = 1; account|", None);
    check("Vec|", None);
}

#[test]
fn the_notebook_is_told_without_what_a_cell_defines_anew() {
    let notebook = notebook(&["struct A;", "struct A { x: u8 }\nuse std::fmt;"], &[("a", "::cell_2::A")]);
    let check = |source: &str, expected: &str| {
        assert_eq!(told(&notebook, &defined(&notebook, source)), expected, "{source}");
    };
    check("a.", "use std::fmt;\nstruct A { x: u8 }\nlet mut a: A = todo!();\n");
    check("struct A { y: u8 }", "use std::fmt;\nlet mut a: A = todo!();\n");
    assert_eq!(told(&Notebook::default(), &BTreeSet::new()), "");
}

/// An analyzer that does not start costs nothing but what it alone knows; that it is not there is said where something is asked, and not at every key.
#[tokio::test]
async fn without_an_analyzer_the_own_names_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let environment = BTreeMap::from([("PATH".to_owned(), folder.path().display().to_string())]);
    let surroundings = Surroundings { environment: environment.clone(), folder: folder.path().to_owned() };
    let missing = folder.path().join("assay-evcxr");
    let assistant =
        Assistant::new(Evcxr::new(missing, folder.path().into(), Path::new("/").into(), environment));
    assistant.learn(Arc::new(notebook(&CELLS, &[("account", "::cell_1::Account")])));
    let reply = assistant.complete("let s = \"ä\"; account.ow".to_owned(), 24).await;
    assert_eq!((reply.matches.len(), reply.start, reply.end), (1, 22, 24), "{reply:?}");
    let found = assistant.inspect("Vec".to_owned(), 3, &surroundings).await.found.unwrap();
    assert!(found.plain().contains("assay-evcxr"), "{found:?}");
    assert_eq!(assistant.inspect(" ".to_owned(), 0, &surroundings).await.found, None);
    assert_eq!(assistant.complete("\"acc".to_owned(), 4).await.matches, []);
}
