//! What is put into the code that counts: at the beginning of each function something that lives as long as the call, so that calls within calls of the same
//! function are known; at the beginning of a closure something that is run once for each call, where the first thing in it may be run more often.
//!
//! It stands on the line of the brace behind which it stands, so no line moves.

use super::super::notebook::Notebook;
use super::super::source::{Edit, Source};
use super::super::units::Part;
use super::places::{self, Body, Places, Sort};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What is run once for each call of a closure.
const ONCE: &str = "let _assay_call = ();";

/// The number of panics among those of functions.
pub(super) const PANICS: u32 = 0;

/// What stands before everything in a cell that counts: panics are counted as if they were calls.
pub(super) fn start() -> String {
    format!(
        "{{ let usual = ::std::panic::take_hook(); ::std::panic::set_hook(::std::boxed::Box::new(move |info| {{ ::core::mem::drop(::assay::measure::calls::enter({PANICS})); \
         usual(info) }})); }} "
    )
}

/// The number of each function for whoever counts its calls, by the cell and the byte at which its name stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers(BTreeMap<(u32, usize), u32>);

impl Numbers {
    /// What the function there is called.
    pub(super) fn get(&self, cell: u32, at: usize) -> Option<u32> {
        self.0.get(&(cell, at)).copied()
    }

    fn number(&mut self, cell: u32, at: usize) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(PANICS + 1);
        *self.0.entry((cell, at)).or_insert(next)
    }
}

/// Puts them into all units of a notebook.
pub(super) fn into_units(notebook: &mut Notebook, numbers: &mut Numbers) {
    let all: Vec<_> = notebook.units.all().map(|(id, _)| id).collect();
    for unit in all {
        let Some(unit) = notebook.units.get_mut(unit) else { continue };
        for part in &mut unit.parts {
            *part = Arc::new(guarded(part, numbers));
        }
    }
}

fn guarded(part: &Part, numbers: &mut Numbers) -> Part {
    let mut part = part.clone();
    for item in &mut part.items {
        item.edits.extend(of(&part.text, &item.range, numbers));
        item.edits.sort_by_key(|edit| edit.range.start);
    }
    part
}

/// Those for a piece of a text, in order: a statement or an item.
pub(super) fn of(text: &Source, piece: &Range<usize>, numbers: &mut Numbers) -> Vec<Edit> {
    let written = text.text().get(piece.clone()).unwrap_or_default();
    // Most statements define nothing.
    if !["fn", "|"].iter().any(|word| written.contains(word)) {
        return Vec::new();
    }
    let Places { bodies, .. } = places::of_statements(written).unwrap_or_default();
    let edits = bodies.iter().flat_map(|body| edits(text, piece.start, written, body, numbers));
    let mut edits: Vec<Edit> = edits
        .map(|edit| Edit { range: edit.range.start + piece.start..edit.range.end + piece.start, ..edit })
        .collect();
    edits.sort_by_key(|edit| edit.range.start);
    edits
}

/// Those for a body, in bytes of the piece that begins at `shift`.
fn edits(text: &Source, shift: usize, written: &str, body: &Body, numbers: &mut Numbers) -> Vec<Edit> {
    let name = body.at + shift;
    let Some((cell, at)) = text.origin(&(name..name + 1)) else { return Vec::new() };
    match body.sort {
        Sort::Function { guarded: true, .. } => {
            let number = numbers.number(cell, at.start);
            begin(written, body, &format!("let _assay_call = ::assay::measure::calls::enter({number});"))
        }
        Sort::Closure { .. } if body.block => begin(written, body, ONCE),
        Sort::Closure { .. } if body.loops => around(written, &body.code),
        _ => Vec::new(),
    }
}

/// Behind the brace, or behind the attributes there. What stands there is replaced by itself and more, for something else may be inserted between them.
fn begin(written: &str, body: &Body, what: &str) -> Vec<Edit> {
    let last = match &body.inner {
        None => body.code.start,
        // A comment might go on until the end of its line.
        Some(inner) if written[..inner.end].ends_with(']') => inner.end - 1,
        Some(_) => return Vec::new(),
    };
    let there = &written[last..=last];
    vec![Edit { range: last..last + 1, text: format!("{there} {what}") }]
}

/// A block around an expression that begins with a word or a quote and ends with a brace.
fn around(written: &str, code: &Range<usize>) -> Vec<Edit> {
    let (first, last) = (code.start, code.end - 1);
    let edit = |at: usize, text: String| Edit { range: at..at + 1, text };
    vec![
        edit(first, format!("{{ {ONCE} {}", &written[first..=first])),
        edit(last, format!("{} }}", &written[last..=last])),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Numbers, of};
    use crate::engine::native::source::Source;

    fn guarded(cell: &str) -> String {
        let text = Source::of_cell(3, cell, &[]);
        let mut source = Source::default();
        let mut numbers = Numbers::default();
        source.edited(&text, 0..cell.len(), &of(&text, &(0..cell.len()), &mut numbers));
        let mut written = source.text().replace("let _assay_call = ();", "ONCE");
        for ((_, at), number) in &numbers.0 {
            let guard = format!("let _assay_call = ::assay::measure::calls::enter({number});");
            written = written.replace(&guard, &format!("ENTER({})", &cell[*at..*at + 3]));
        }
        written
    }

    #[test]
    fn every_function_says_when_it_begins() {
        let check = |cell: &str, names: &[&str]| {
            let mut expected = cell.to_owned();
            for name in names {
                expected = expected.replace(&format!("{{/*{name}*/"), &format!("{{ ENTER({name})/*{name}*/"));
            }
            assert_eq!(guarded(cell), expected);
        };
        check("fn one() {/*one*/}", &["one"]);
        check(
            "pub(crate) unsafe extern \"C\" fn one<T>(x: [u8; { 1 }]) -> T where T: Copy {/*one*/ todo!() }",
            &["one"],
        );
        check(
            "impl<T> P<{ N }> for Q { const N: u8 = { 1 }; fn one(&self) {/*one*/} pub fn two() -> u8 {/*two*/ 2 } }",
            &["one", "two"],
        );
        check("trait T { fn none(); fn one(&self) -> u8 {/*one*/ 1 } }", &["one"]);
        check("mod a { mod b { fn one() {/*one*/} } }", &["one"]);
        check(
            "fn one() {/*one*/ fn two() {/*two*/} struct P; impl P { fn tri() {/*tri*/} } two() }",
            &["one", "two", "tri"],
        );
        check("{ fn one() {/*one*/} one(); }", &["one"]);
        check("const N: fn() = { fn one() {/*one*/} one };", &["one"]);
        // Those cannot.
        check("const fn none() {}", &[]);
        check("async fn none() { fn one() {/*one*/} }", &["one"]);
        check("#[unsafe(naked)] extern \"C\" fn none() { core::arch::naked_asm!(\"ret\") }", &[]);
        check("unsafe extern \"C\" { fn none(); safe fn no(x: fn() -> u8); }", &[]);
        check("unsafe impl GlobalAlloc for A { unsafe fn alloc(&self, _: Layout) -> *mut u8 { x } }", &[]);
        check("macro_rules! m { () => { fn none() {} } }", &[]);
        check("type F = fn(u8) -> u8;", &[]);
    }

    #[test]
    fn attributes_of_a_body_stay_before_what_is_in_it() {
        let cell = "fn one() {\n #![allow(x)] #![deny(y)]\n z() }";
        let expected = "fn one() {\n #![allow(x)] #![deny(y)] ENTER(one)\n z() }";
        assert_eq!(guarded(cell), expected);
        let cell = "fn one() {\n //! It.\n z() }";
        assert_eq!(guarded(cell), cell);
    }

    #[test]
    fn closures_that_may_begin_with_a_loop_begin_with_something_else() {
        let check = |cell: &str, expected: &str| assert_eq!(guarded(cell), expected);
        check("f(|x| x + 1);", "f(|x| x + 1);");
        check("f(|x| { x + 1 });", "f(|x| { ONCE x + 1 });");
        check("f(move || loop { break });", "f(move || { ONCE loop { break } });");
        check("f(|| 'a: while x() { continue 'a; })", "f(|| { ONCE 'a: while x() { continue 'a; } })");
        check(
            "f(|| for x in y { g(|| for z in x {}) })",
            "f(|| { ONCE for x in y { g(|| { ONCE for z in x {} }) } })",
        );
        check("println!(\"{}\", f(|x| { x }));", "println!(\"{}\", f(|x| { ONCE x }));");
        check("a || b; let f = async || { 1 };", "a || b; let f = async || { ONCE 1 };");
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        for cell in ["fn f( {", "let fn = |", "fn", "|"] {
            assert_eq!(guarded(cell), cell);
        }
    }
}
