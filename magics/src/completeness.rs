//! Whether a cell could run as it stands, for front ends that ask at every newline.

use crate::invocation::cell_magic;
use crate::source::{Ending, Scan, line_start, scan};

/// One step of indentation.
const INDENT: &str = "    ";

/// Whether a cell could run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// It could.
    Complete,
    /// More must follow.
    Incomplete {
        /// What the next line begins with.
        indent: String,
    },
    /// No continuation can make it Rust.
    Invalid,
}

/// Whether `cell` could run as it stands.
pub fn completeness(cell: &str) -> Completeness {
    if let Some(magic) = cell_magic(cell) {
        return cell_magic_completeness(cell, magic.body_span.start);
    }
    let scan = scan(cell);
    match scan.ending {
        _ if continues_a_magic(cell, &scan) => Completeness::Incomplete { indent: String::new() },
        Ending::Whole => Completeness::Complete,
        Ending::Broken => Completeness::Invalid,
        Ending::InString => Completeness::Incomplete { indent: String::new() },
        Ending::Open => Completeness::Incomplete { indent: indent(cell, &scan) },
    }
}

/// A cell magic is complete once it has a body, and without one after an empty line, as in IPython.
fn cell_magic_completeness(cell: &str, body_start: usize) -> Completeness {
    let body = &cell[body_start..];
    let has_body = !body.trim().is_empty();
    let first_line_ended = cell[..body_start].ends_with('\n');
    if has_body || first_line_ended || cell.trim_end().ends_with('?') {
        Completeness::Complete
    } else {
        Completeness::Incomplete { indent: String::new() }
    }
}

/// The last line is a magic that ends in a backslash.
fn continues_a_magic(cell: &str, scan: &Scan) -> bool {
    scan.escapes.last().is_some_and(|escape| {
        cell[escape.span.clone()].ends_with('\\') && cell[escape.span.end..].trim().is_empty()
    })
}

/// The last line's own indentation, one step deeper behind an open bracket or below a statement's first line.
///
/// Several brackets opened on one line count once, as rustfmt has it (`spawn(|| {`).
fn indent(cell: &str, scan: &Scan) -> String {
    let line = line_start(cell, scan.tail.last);
    let text = &cell[line..];
    let own = &text[..text.len() - text.trim_start_matches([' ', '\t']).len()];
    let opens = scan.tail.bracket.is_some_and(|at| at >= line);
    let goes_on = scan.tail.statement.is_some_and(|at| at >= line && !waits_for_an_item(&cell[at..]));
    if opens || goes_on { format!("{own}{INDENT}") } else { own.to_owned() }
}

fn waits_for_an_item(statement: &str) -> bool {
    statement.starts_with('#') || statement.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::{Completeness, completeness};

    /// `complete`, `invalid`, or the number of spaces that the next line begins with.
    fn check(cell: &str, expected: &str) {
        let found = match completeness(cell) {
            Completeness::Complete => "complete".to_owned(),
            Completeness::Invalid => "invalid".to_owned(),
            Completeness::Incomplete { indent } => indent.len().to_string(),
        };
        assert_eq!(found, expected, "{cell:?}");
    }

    #[test]
    fn whole_statements() {
        for cell in [
            "",
            "  \n",
            "// a comment",
            "/* a /* nested */ comment */",
            "1 + 1",
            "let x = 5;",
            "println!(\"hello\")",
            "fn f() {\n    1\n}",
            "struct A;",
            "struct A { a: u8 }",
            "#[derive(Debug)]\nstruct A;",
            "#![allow(unused)]",
            "use std::collections::HashMap;",
            "if a { 1 } else { 2 }",
            "v.iter().map(|x| x + 1).collect::<Vec<_>>()",
            "std::mem::size_of::<u8>",
            "1..",
            "x?",
            "f().await",
            "return",
            "'a: loop { break 'a }",
            "fn f<'a>(x: &'a str) -> &'a str { x }",
            "let c = '\\'';",
            "let s = r#\"a \" b\"#;",
            "b\"bytes\"",
            "c\"text\"",
            "'\"'",
            "1.",
            "a\n% b",
            "const X: u8 = 1;",
        ] {
            check(cell, "complete");
        }
    }

    #[test]
    fn open_brackets_indent() {
        check("fn f() {", "4");
        check("fn f() {\n", "4");
        check("fn f() {\n    if x {", "8");
        check("fn f() {\n    if x {\n    }", "4");
        check("fn f() {\n    g();", "4");
        check("spawn(move || {", "4");
        check("if a {\n} else {", "4");
        check("vec![\n    1,", "4");
        check("println!(", "4");
        check("\tmatch x {", "5");
    }

    #[test]
    fn open_statements() {
        check("let x = 5", "4");
        check("let x =", "4");
        check("let x", "4");
        check("a +\n    b +", "4");
        check("a &&", "4");
        check("x.", "4");
        check("x as", "4");
        check("1..=", "4");
        check("|x|", "4");
        check("use a::{b, c}", "4");
        check("struct A", "4");
        check("pub", "4");
        check("const X: u8 = 1", "4");
        check("if x", "4");
        check("if a { 1 } else", "4");
        check("println!", "4");
        check("fn f() -> u8", "4");
        check("impl A for B", "4");
        check("#[derive(Debug)]", "0");
        check("/// what it does", "0");
        check("    #[test]", "4");
    }

    #[test]
    fn open_literals_and_comments() {
        check("\"text", "0");
        check("f(\"text", "0");
        check("r#\"text\"", "0");
        check("br\"text", "0");
        check("b\"text", "0");
        check("c\"text", "0");
        check("/* a /* b */", "0");
    }

    #[test]
    fn what_nothing_can_mend() {
        check(")", "invalid");
        check("f(]", "invalid");
        check("fn f() { ) }", "invalid");
        check("}", "invalid");
        check("let c = '\\", "invalid");
        check("b'a", "invalid");
        check("let x = 0x;", "invalid");
        check("№", "invalid");
        check("r#~\"", "invalid");
    }

    #[test]
    fn magics() {
        check("%who", "complete");
        check("%nosuch (", "complete");
        check("!echo 'open", "complete");
        check(":dep regex = \"1", "complete");
        check("let x = %timeit -o f()", "complete");
        check("%env \\", "0");
        check("!echo a \\\n", "0");
        check("for x in y {\n    %timeit x", "4");
        check("%who\nfn f() {", "4");
        check("?Vec", "complete");
    }

    #[test]
    fn a_cell_magic_wants_a_body_or_an_empty_line() {
        check("%%bash", "0");
        check("%%bash\n", "complete");
        check("%%bash\nif true; then (", "complete");
        check("%%bash?", "complete");
        check("// note\n%%capture x", "0");
    }
}
