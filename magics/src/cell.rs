//! A cell as steps: the Rust and the magics in it, in order, every magic planned before anything runs.

use crate::help;
use crate::invocation::{Invocation, Reading, Sigil, cell_magic, read};
use crate::magic::{Call, Complaint, Magic};
use crate::nearest::nearest;
use crate::options;
use crate::plan::{Insert, Plan, SessionStep};
use crate::render::Bundle;
pub use crate::source::is_prose;
use crate::source::{is_blank, scan};
use crate::table;
use std::fmt;
use std::ops::Range;

/// One thing to do.
#[derive(Debug)]
pub enum Step {
    /// Rust to run, with the magics that measure in it.
    Rust(Code),
    /// A magic, its plan ready to be carried out.
    Magic(Box<Prepared>),
    /// Help that was asked for (`%name?`), for the pager.
    Help(Bundle),
    /// Something of Rust's that was asked about (`?path`): for the engine to inspect and the pager to show.
    Inspect {
        /// The path, in bytes of the cell.
        path: Range<usize>,
        /// Asked with two question marks.
        detailed: bool,
    },
}

/// Rust of a cell, and what is inserted into it for the magics that stand in it.
#[derive(Debug, Default)]
pub struct Code {
    /// The bytes of the cell that are Rust, in order; what is between them is blank.
    pub kept: Vec<Range<usize>>,
    /// What is inserted, in the order of the places.
    pub inserts: Vec<Insert>,
    /// The magics whose code it is, in order.
    pub magics: Vec<Prepared>,
}

impl Code {
    /// From its first byte to its last.
    pub fn span(&self) -> Range<usize> {
        let ends = self.kept.first().zip(self.kept.last());
        ends.map_or(0..0, |(first, last)| first.start..last.end)
    }

    /// The cell with everything blank that is not this (newlines stay), so that positions in it are the cell's own.
    pub fn text(&self, cell: &str) -> String {
        let mut text = String::with_capacity(cell.len());
        let mut at = 0;
        for kept in &self.kept {
            text.push_str(&blank(&cell[at..kept.start]));
            text.push_str(&cell[kept.clone()]);
            at = kept.end;
        }
        text.push_str(&blank(&cell[at..]));
        text
    }

    /// A magic's code, which is Rust of the cell like any other.
    fn measure(prepared: Prepared) -> Self {
        let mut kept = Vec::from_iter(prepared.call.assigned.clone());
        let mut inserts = Vec::new();
        if let Plan::Code(step) = &prepared.plan {
            kept.extend(step.kept.iter().cloned());
            inserts.clone_from(&step.inserts);
        }
        Self { kept, inserts, magics: vec![prepared] }
    }

    fn append(&mut self, mut next: Self) {
        self.kept.append(&mut next.kept);
        self.inserts.append(&mut next.inserts);
        self.magics.append(&mut next.magics);
    }
}

/// The cell as it is compiled: what is kept of it, with what is inserted, and blank otherwise. For tests, and for whoever wants to see it.
pub fn expanded(cell: &str, code: &Code) -> String {
    let text = code.text(cell);
    let mut expanded = String::with_capacity(text.len());
    let mut at = 0;
    for insert in &code.inserts {
        expanded.push_str(&text[at..insert.at]);
        expanded.push_str(&insert.text);
        at = insert.at;
    }
    expanded.push_str(&text[at..]);
    expanded
}

/// A magic whose call was understood and planned.
pub struct Prepared {
    /// The magic, for its report.
    pub magic: &'static dyn Magic,
    /// The call, for its report.
    pub call: Call,
    /// What has to be done.
    pub plan: Plan,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Prepared")
            .field("magic", &self.magic.name())
            .field("plan", &self.plan)
            .finish()
    }
}

/// The steps of `cell`. Fails at the first magic that cannot be planned; nothing has run then.
pub fn steps(cell: &str) -> Result<Vec<Step>, Complaint> {
    let pieces = readings(cell);
    let last = pieces.len().saturating_sub(1);
    let step = |(index, piece): (usize, Piece)| piece.step(cell, index == last);
    let steps: Result<Vec<Step>, Complaint> = pieces.into_iter().enumerate().map(step).collect();
    steps.map(together)
}

/// Crates that are asked for one after the other are added at once: they are resolved and built together. Rust and the magics that measure in it are compiled together.
fn together(steps: Vec<Step>) -> Vec<Step> {
    let mut all: Vec<Step> = Vec::new();
    for mut step in steps {
        if let (Some(more), Some(before)) = (step.dependencies(), all.last_mut().and_then(Step::dependencies))
        {
            before.append(more);
            continue;
        }
        match step {
            Step::Rust(more) => match all.last_mut() {
                Some(Step::Rust(before)) => before.append(more),
                _ => all.push(Step::Rust(more)),
            },
            other => all.push(other),
        }
    }
    all
}

impl Step {
    /// The name of its magic, if it is one that is no code of the cell.
    pub fn magic(&self) -> Option<&'static str> {
        match self {
            Self::Magic(prepared) => Some(prepared.magic.name()),
            Self::Rust(_) | Self::Help(_) | Self::Inspect { .. } => None,
        }
    }

    /// The crates that it adds, if that is what it does.
    fn dependencies(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Magic(prepared) => match &mut prepared.plan {
                Plan::Session(SessionStep::Dependencies { specifications }) => Some(specifications),
                _ => None,
            },
            _ => None,
        }
    }
}

/// `cell` with spaces for every byte outside `range` (newlines stay), so that positions in it are the cell's own.
pub fn blank_but(cell: &str, range: &Range<usize>) -> String {
    blank(&cell[..range.start]) + &cell[range.clone()] + &blank(&cell[range.end..])
}

/// As many spaces as bytes; newlines stay.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}

/// `cell` with its magics blank, as an engine needs it to complete or to inspect: every position stays the cell's own.
pub fn rust_only(cell: &str) -> String {
    if let Some(magic) = cell_magic(cell) {
        let Reading::Call(invocation) = magic.read(cell) else {
            return blank_but(cell, &(0..0));
        };
        let found = table::find(invocation.sigil, invocation.name(cell));
        return match found.filter(|magic| magic.has_rust_body()) {
            Some(_) => rust_only(&blank_but(cell, &magic.body_span)),
            None => blank_but(cell, &(0..0)),
        };
    }
    scan(cell).escapes.iter().fold(cell.to_owned(), |rust, escape| {
        let start = escape.assigned.as_ref().map_or(escape.span.start, |assigned| assigned.start);
        let (before, after) = (&rust[..start], &rust[escape.end..]);
        let blank = blank_but(&rust[start..escape.end], &(0..0));
        format!("{before}{blank}{after}")
    })
}

/// A piece of a cell, not yet looked up in the table.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Rust(Range<usize>),
    Escape(Reading),
}

/// Every piece of `cell` that does something.
fn readings(cell: &str) -> Vec<Piece> {
    if let Some(magic) = cell_magic(cell) {
        return vec![Piece::Escape(magic.read(cell))];
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    for escape in scan(cell).escapes {
        let start = escape.assigned.as_ref().map_or(escape.span.start, |assigned| assigned.start);
        pieces.push(Piece::Rust(at..start));
        pieces.push(Piece::Escape(read(cell, &escape)));
        at = escape.end;
    }
    pieces.push(Piece::Rust(at..cell.len()));
    pieces.retain(|piece| !matches!(piece, Piece::Rust(range) if is_blank(&cell[range.clone()])));
    pieces
}

impl Piece {
    /// The step that it is; `is_last` if nothing follows that could be the cell's value.
    fn step(self, cell: &str, is_last: bool) -> Result<Step, Complaint> {
        match self {
            Self::Rust(range) => Ok(Step::Rust(Code { kept: vec![range], ..Code::default() })),
            Self::Escape(Reading::Call(invocation)) => {
                let is_value = is_last && !invocation.nested && invocation.assigned.is_none();
                Ok(prepare(&invocation, cell)?.step(is_value))
            }
            Self::Escape(Reading::Help(name)) => Ok(Step::Help(help::of_magic(find_named(cell, name)?))),
            Self::Escape(Reading::Inspect { path, detailed }) => Ok(Step::Inspect { path, detailed }),
        }
    }
}

fn prepare(invocation: &Invocation, cell: &str) -> Result<Prepared, Complaint> {
    let magic = find(invocation, cell)?;
    check_form(invocation, cell)?;
    let call = options::parse(magic, invocation, cell)?;
    let mut plan = magic.plan(&call)?;
    if let (Plan::Profile(step), Some(assigned)) = (&mut plan, &call.assigned)
        && let Some(result) = &mut step.result
    {
        *result = cell[assigned.clone()].trim_end().to_owned();
    }
    check_place(invocation, &plan, cell)?;
    Ok(Prepared { magic, call, plan })
}

impl Prepared {
    /// What is built with its cell is Rust of the cell. An expression that is not the cell's value is a statement.
    fn step(mut self, is_value: bool) -> Step {
        if let Plan::Code(step) = &mut self.plan
            && step.has_value
            && !is_value
        {
            let kept = step.kept.last().map_or(0, |kept| kept.end);
            let at = step.inserts.last().map_or(kept, |insert| insert.at.max(kept));
            step.inserts.push(Insert { at, text: ";".to_owned(), optional: false });
        }
        match &self.plan {
            Plan::Code(step) if step.builds.is_empty() => Step::Rust(Code::measure(self)),
            _ => Step::Magic(Box::new(self)),
        }
    }
}

/// The magic of that name and sign.
fn find(invocation: &Invocation, cell: &str) -> Result<&'static dyn Magic, Complaint> {
    let name = invocation.name(cell);
    let sigil = invocation.sigil;
    table::find(sigil, name).ok_or_else(|| unknown(sigil, name, invocation.name_span.clone()))
}

/// The magic whose help is asked for: `%name` finds a cell magic too.
fn find_named(cell: &str, span: Range<usize>) -> Result<&'static dyn Magic, Complaint> {
    let text = &cell[span.clone()];
    table::spelled(text).ok_or_else(|| {
        let (sigil, name) = table::split_sign(text);
        unknown(sigil, name, span)
    })
}

fn unknown(sigil: Sigil, name: &str, span: Range<usize>) -> Complaint {
    let sign = sigil.sign();
    if name.is_empty() {
        return Complaint::new(format!("`{sign}` needs the name of a magic"), span)
            .with_hint("`%lsmagic` lists them all");
    }
    let complaint = Complaint::new(format!("there is no magic `{sign}{name}`"), span);
    let other_form = table::all().find(|magic| magic.name() == name && sigil != Sigil::Colon);
    if let Some(magic) = other_form {
        return complaint.with_hint(format!("it is called as `{}`", options::spelling(magic)));
    }
    match nearest(name, table::names(sigil)) {
        Some(name) => complaint.with_hint(format!("did you mean `{sign}{name}`? `%lsmagic` lists them all")),
        None => complaint.with_hint("`%lsmagic` lists them all"),
    }
}

/// Whether a cell magic begins its cell.
fn check_form(invocation: &Invocation, cell: &str) -> Result<(), Complaint> {
    if invocation.sigil != Sigil::Cell || invocation.body.is_some() {
        return Ok(());
    }
    let name = &cell[invocation.name_span.clone()];
    Err(Complaint::new(format!("`{name}` is not on the cell's first line"), invocation.name_span.clone())
        .with_hint("a cell magic takes the whole cell: begin a cell with it"))
}

/// Whether a magic may stand where it does.
fn check_place(invocation: &Invocation, plan: &Plan, cell: &str) -> Result<(), Complaint> {
    let name = &cell[invocation.name_span.clone()];
    let refuse = |message: String, hint: &str| {
        Err(Complaint::new(message, invocation.name_span.clone()).with_hint(hint))
    };
    let (in_code, apart, has_value) = match plan {
        Plan::Code(step) => (step.builds.is_empty(), !step.builds.is_empty(), step.has_value),
        Plan::Profile(step) => (false, true, step.result.is_some()),
        _ => (false, false, false),
    };
    if invocation.nested && !in_code {
        let hint = if apart {
            "this code is built apart from its cell, so it cannot stand in the middle of it: put it on a line outside of every block"
        } else {
            "it works on the notebook and not in code: put it on a line outside of every block"
        };
        return refuse(format!("`{name}` stands inside braces"), hint);
    }
    if invocation.assigned.is_some() && !has_value {
        let message = format!("`{name}` gives no value that a variable could hold");
        let hint = match plan {
            Plan::Code(_) if !apart => "with `-o` it gives its result",
            Plan::Profile(_) if name.ends_with("memit") => "with `-o` it gives its result",
            Plan::Profile(_) => "with `-r` it gives its result",
            _ => "call it on a line of its own",
        };
        return refuse(message, hint);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Step, is_prose, rust_only, steps};
    use crate::completeness::completeness;
    use crate::completion::complete;
    use crate::help::tooltip;
    use crate::trial::complaint;

    /// Shows each step as `kind:text`.
    fn shape(cell: &str) -> String {
        let show = |step: Step| match step {
            Step::Rust(code) => format!("rust:{}", code.text(cell).trim()),
            Step::Magic(prepared) => format!("{}:{}", &cell[prepared.call.name_span], prepared.call.rest),
            Step::Help(bundle) => format!("help:{}", bundle.plain().split(": ").next().unwrap()),
            Step::Inspect { path, detailed } => format!("inspect {detailed}:{}", &cell[path]),
        };
        match steps(cell) {
            Ok(steps) => steps.into_iter().map(show).collect::<Vec<_>>().join(" / "),
            Err(complaint) => format!("{:?} {}", &cell[complaint.span], complaint.message),
        }
    }

    fn check(cell: &str, expected: &str) {
        assert_eq!(shape(cell), expected, "{cell:?}");
    }

    #[test]
    fn magics_and_rust_stand_in_order() {
        check("", "");
        check("// a comment\n/* and /* another */ */\n", "");
        check("1 + 1", "rust:1 + 1");
        check("%who", "%who:");
        check("let x = 1;\n%who i32\nx", "rust:let x = 1; / %who:i32 / rust:x");
        check("%pwd\n%cd ..\n!ls -l\n", "%pwd: / %cd:.. / !:ls -l");
        check("  %who\r\nlet x = 1;\r\n", "%who: / rust:let x = 1;");
        check("let x = 1; // why\n%who", "rust:let x = 1; // why / %who:");
        check("%who\n// the end", "%who:");
        check("x\n!ls\ny\n:vars", "rust:x / !:ls / rust:y / :vars:");
        check("%env \\\n  A=1\nf()", "%env:A=1 / rust:f()");
        check("%env A='\nlet s = \"%who\";", "%env:A=' / rust:let s = \"%who\";");
    }

    #[test]
    fn crates_that_follow_each_other_are_one_step() {
        let plans = |cell: &str| -> Vec<usize> {
            let mut steps = steps(cell).unwrap();
            steps.iter_mut().map(|step| step.dependencies().map_or(0, |all| all.len())).collect()
        };
        assert_eq!(plans(":dep a\n%dep b = \"1\"\n\n// why\n:dep c\nf()\n:dep d"), [3, 0, 1]);
        assert_eq!(plans(":dep a\n%who\n:dep b"), [1, 0, 1]);
    }

    /// `%` is an operator of Rust's: a line that begins with it belongs to an expression that is open before it.
    #[test]
    fn an_unfinished_expression_stays_arithmetic() {
        for cell in [
            "a\n% b",
            "a\n%b",
            "let c = a\n    %b;",
            "x\n%who",
            "(1\n%who)",
            "f(\n%who\n)",
            "[1,\n%who]",
            "let x = if a { 1 } else { 2 }\n%who;",
            "let x = Foo { a: 1 }\n%who;",
            "foo(a)\n%who",
            "\"text\n%who\n\"",
            "r#\"\n%who\n\"#",
            "/*\n%who\n*/ 1",
            "1 // a\n%who",
            "macro_rules! m {\n%who\n}",
            "quote! {\n%who\n}",
            "let a = vec![\n%who];",
            "#[derive(Debug)]\n%who",
            "return\n%who",
            "x = 5\n%who",
            "let f = !x;",
            "fn not(x: bool) -> bool {\n!x\n}",
            "    !x",
            "::std::mem::drop(x)",
            "struct A {\n    a\n    : u8\n}",
            "x?",
            "f()?;",
            "a\n?",
            "'a: loop { break 'a }",
            "a\n!= b",
            "println\n!(\"\")",
            "return\n!x",
            "a &&\n!b",
            "let b =\n!a;",
            "let a\n:u8 = 1;",
        ] {
            check(cell, &format!("rust:{}", cell.trim()));
        }
    }

    #[test]
    fn a_statement_that_has_ended_lets_a_magic_follow() {
        for statement in [
            "use std::fmt::{self, Debug};",
            "fn f() -> [u8; 2] { [1, 2] }",
            "pub(crate) struct A { a: u8 }",
            "struct A;",
            "struct A(u8);",
            "#[derive(Debug)] enum E { A, B }",
            "#![allow(unused)]",
            "impl<T> A<T> where T: Copy { fn f() {} }",
            "if a { 1 } else { 2 }",
            "if a {\n} else if b {\n}",
            "if let A { x } = y { }",
            "for A { x } in list { }",
            "match x { 1 => {} _ => {} }",
            "unsafe { f() }",
            "'a: loop { break 'a }",
            "{ 1 }",
            "const X: u8 = 1;",
            "const fn f() {}",
            "extern \"C\" { fn f(); }",
            "union U { a: u8 }",
            "macro_rules! m { () => { % } }",
            "thread_local! { static A: u8 = 1 }",
            "println!(\"{}\", 'a');",
            "/// doc\nmod m {}",
            "async fn f() {}",
            "let Some(x) = y else { return };",
            "match x {}.f();",
        ] {
            check(&format!("{statement}\n%pwd"), &format!("rust:{statement} / %pwd:"));
        }
    }

    #[test]
    fn cell_magics_take_the_whole_cell() {
        check("%%bash\nls\n%who", "%%bash:");
        check("%%capture out\nf()", "%%capture:out");
        check("\n// a note\n%%bash -e\nls", "%%bash:");
        check("%%writefile a.txt", "%%writefile:a.txt");
        check("let x = 1;\n%%bash\nls", "\"%%bash\" `%%bash` is not on the cell's first line");
        check("%%who\n", "\"%%who\" there is no magic `%%who`");
        check("%bash ls", "\"%bash\" there is no magic `%bash`");
    }

    #[test]
    fn help_and_inspection() {
        check("%who?", "help:%who");
        check("%who ??", "help:%who");
        check("?%who", "help:%who");
        check("%bash?", "help:%%bash");
        check("%%bash?\nls", "help:%%bash");
        check(":dep?", "help::dep");
        check("!?", "help:!");
        check("?Vec::new", "inspect false:Vec::new");
        check("??x", "inspect true:x");
        check("%whoo?", "\"%whoo\" there is no magic `%whoo`");
    }

    #[test]
    fn evcxr_commands() {
        check(":dep regex = \"1\"\nuse regex::Regex;", ":dep:regex = \"1\" / rust:use regex::Regex;");
        check("  :vars", ":vars:");
        check("let x = 1;\n:opt 2", "rust:let x = 1; / :opt:2");
        check(":", "\":\" `:` needs the name of a magic");
    }

    #[test]
    fn what_cannot_be_planned_is_pointed_at() {
        check("%whoo", "\"%whoo\" there is no magic `%whoo`");
        check("f();\n%", "\"%\" `%` needs the name of a magic");
        check("%pwd\n%del 1", "\"1\" `1` is no name of a variable");
        check("for x in y {\n    %who\n}", "\"%who\" `%who` stands inside braces");
        check("let files = %pwd;", "\"%pwd\" `%pwd` gives no value that a variable could hold");
        check("%who -z", "\"-z\" `%who` has no option `-z`");
        check("%load 'a b", "\"'a b\" this quote has no closing '");
    }

    #[test]
    fn the_nearest_magic_is_suggested() {
        let hint = |cell: &str| steps(cell).unwrap_err().hint.unwrap();
        assert_eq!(hint("%histroy"), "did you mean `%history`? `%lsmagic` lists them all");
        assert_eq!(hint("%zzz"), "`%lsmagic` lists them all");
        assert_eq!(hint("%bash"), "it is called as `%%bash`");
        assert_eq!(hint(":optt"), "did you mean `:opt`? `%lsmagic` lists them all");
        assert_eq!(hint("%%capture --no-stdot\n"), "did you mean `--no-stdout`?");
        assert_eq!(hint("%engine steam"), "it may be native, evcxr");
        assert_eq!(steps("%reset -x").unwrap_err().usage.unwrap(), "%reset [-f] [-s]");
    }

    /// The engine reports positions in the text that it is given: they are the cell's only if nothing moves.
    #[test]
    fn blanking_moves_nothing() {
        let cell = "%env A=ä\r\nf();\n%who";
        let Step::Rust(code) = steps(cell).unwrap().swap_remove(1) else { panic!("Rust is the second step") };
        let blanked = code.text(cell);
        assert_eq!(blanked.len(), cell.len());
        assert_eq!(blanked.find("f();"), cell.find("f();"));
        assert_eq!(blanked.matches('\n').count(), cell.matches('\n').count());
        assert_eq!(blanked.trim(), "f();");
    }

    #[test]
    fn only_rust_is_left_for_the_engine_to_look_at() {
        let check = |cell: &str, expected: &str| {
            let rust = rust_only(cell);
            assert_eq!(rust.len(), cell.len(), "{cell:?}");
            assert_eq!(rust.trim(), expected, "{cell:?}");
            assert_eq!(rust.find(expected), cell.find(expected), "{cell:?}");
        };
        check("x.len()", "x.len()");
        check("%env Ä='\nx.len()\n!ls", "x.len()");
        check("%%capture ü\nx.len()", "x.len()");
        check("%%capture\n%who\nx.len()", "x.len()");
        check("%%bash\nls", "");
        check("let a = %timeit -o f();\nx.", "x.");
    }

    #[test]
    fn names_mean_nothing_in_comments_and_strings() {
        // `|` is the cursor.
        let check = |cell: &str, expected: bool| {
            let cursor = cell.find('|').unwrap();
            assert_eq!(is_prose(&cell.replace('|', ""), cursor), expected, "{cell:?}");
        };
        for prose in ["\"a|b\"", "\"a|", "// a|", "/* a| */", "/* a|", "'|a'", "r#\"a|\"#", "b\"a|\""] {
            check(prose, true);
        }
        for code in ["a|", "|\"a\"", "\"a\"|", "/* a */|", "x.|", "'a'|", "&'a|", "7|", "\"ä\".|"] {
            check(code, false);
        }
    }

    /// Front ends ask at every key: whatever half of a cell they send, there is an answer and no panic.
    #[test]
    fn every_half_of_a_cell_has_an_answer() {
        let cells = [
            "// ä\n%%capture --no-stdout ö\nprintln!(\"ü\");\n%who\n",
            "let ä = %timeit -n 'é' -o f(\"ß\");\r\n%env \\\r\n Ä=\"ö\\\"\" --\n:dep x = \"1\"\n!ls 'ñ' \\\n x\n??%who\n?Vec",
            "fn f<'a>() { r#\"%\"#; /* /* %x */ '\\u{1F600}' b'a' } #[x] pub(crate) const X: u8 = { 1 }; )]}",
        ];
        for cell in cells {
            for (end, _) in cell.char_indices().chain([(cell.len(), ' ')]) {
                let half = &cell[..end];
                if let Err(complaint) = steps(half) {
                    assert!(half.get(complaint.span.clone()).is_some(), "{complaint:?} is not in {half:?}");
                }
                completeness(half);
                assert_eq!(rust_only(half).len(), half.len());
                for cursor in 0..=half.len() + 1 {
                    tooltip(half, cursor);
                    let span = complete(half, cursor).map(|completion| completion.span);
                    assert!(span.is_none_or(|span| half.get(span).is_some()), "{half:?} at {cursor}");
                }
            }
        }
    }

    /// A cell that would fail is found out at its first wrong magic, before the right ones have run.
    #[test]
    fn nothing_is_planned_when_one_magic_is_wrong() {
        assert_eq!(complaint("%pwd\n!ls\n%nosuch\n"), "9..16 there is no magic `%nosuch`");
    }
}
