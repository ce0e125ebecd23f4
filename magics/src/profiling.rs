//! How code that is watched becomes Rust: `%prun`, `%lprun`, `%memit`, `%mprun`. It runs once where it stands, and again in a loop where once is too short to be seen.
//!
//! The text on the other side, the crate `assay`, is `assay::measure::profile`. The result of the code is hidden from the compiler and dropped: what nobody uses would not be
//! worked out. What the code does is all there: its variables stay variables.

use crate::expansion::{Expansion, id};
use crate::magic::{Call, Complaint};
use crate::plan::CodeStep;
use crate::rust::{self, Snippet};

/// What repeats of short code may take, in seconds.
pub(crate) const BUDGET: f64 = 1.0;

const HIDE: &str = "::core::hint::black_box(";
const BEGIN: &str = "::assay::measure::profile::begin";
const END: &str = "::assay::measure::profile::end();";
const ENDED: &str = "::assay::measure::profile::ended(";

/// What a statement on the first line of a cell magic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstLine {
    /// The beginning of what is watched, as IPython's `%%prun` has it.
    Watched,
    /// What runs before it, as IPython's `%%memit` has it.
    Setup,
}

/// The Rust of a call that is watched.
#[derive(Debug)]
pub(crate) struct Watched {
    /// Statements on the first line of a cell magic.
    first: Option<Snippet>,
    first_line: FirstLine,
    /// The line, or the body.
    code: Option<Snippet>,
}

impl Watched {
    /// None for a line, or a cell, without code.
    pub(crate) fn of(call: &Call, first_line: FirstLine) -> Result<Option<Self>, Complaint> {
        let (first, code) = match call.body {
            None => (None, rust::argument(call)?),
            Some(_) => (rust::setup(call)?, rust::body(call)?),
        };
        let is_empty = code.is_none() && (first.is_none() || first_line == FirstLine::Setup);
        Ok((!is_empty).then_some(Self { first, first_line, code }))
    }

    /// The code as it runs once.
    pub(crate) fn once(&self, call: &Call) -> CodeStep {
        let begin = format!("{BEGIN}({})", id(call));
        let mut code = Expansion::default();
        if let (None, Some(only)) = (&self.first, &self.code)
            && only.single
            && only.tail.as_ref().is_none_or(|tail| !tail.is_place)
        {
            code.insert(only.span.start, format!("{ENDED}{begin}, {HIDE}"));
            code.keep_measured(only);
            code.insert(only.span.end, "));");
            return code.finish(false);
        }
        self.open(&mut code, &format!("{begin}; "));
        match &self.code {
            Some(snippet) => keep_and_end(snippet, &mut code),
            None => code.insert(self.end(), format!(" {END}")),
        }
        code.finish(false)
    }

    /// The same in a loop that takes so many seconds, or a single turn longer. Its variables end with each turn.
    pub(crate) fn again(&self, call: &Call, seconds: f64) -> CodeStep {
        let mut code = Expansion::default();
        let turns =
            format!("let mut assay_turns = ::assay::measure::profile::turns({}, {seconds:?});", id(call));
        self.open(&mut code, &format!("{turns} while assay_turns.again() {{ {HIDE}{{ "));
        if let Some(snippet) = &self.code {
            keep_in_turn(snippet, &mut code);
        }
        code.insert(self.end(), " }); }");
        code.finish(false)
    }

    /// The code as it stands in the cell, for a title.
    pub(crate) fn source(&self, call: &Call) -> String {
        let watched = self.first.as_ref().filter(|_| self.first_line == FirstLine::Watched);
        let parts = watched.into_iter().chain(&self.code);
        parts.map(|snippet| rust::source(call, &snippet.span)).collect::<Vec<_>>().join("\n")
    }

    /// What stands before all of it: `opening` before what is watched, the setup before that.
    fn open(&self, code: &mut Expansion, opening: &str) {
        match (&self.first, self.first_line) {
            (Some(first), FirstLine::Watched) => {
                code.insert(first.span.start, opening);
                keep_hidden(first, code);
            }
            (Some(first), FirstLine::Setup) => {
                code.keep_as_statements(first);
                code.insert(
                    self.code.as_ref().map_or(first.span.end, |code| code.span.start),
                    format!(" {opening}"),
                );
            }
            (None, _) => code.insert(self.code.as_ref().map_or(0, |code| code.span.start), opening),
        }
    }

    fn end(&self) -> usize {
        self.code.iter().chain(&self.first).map(|snippet| snippet.span.end).next().unwrap_or_default()
    }
}

/// Statements that others follow: what they come to is worked out all the same.
fn keep_hidden(first: &Snippet, code: &mut Expansion) {
    match first.tail.as_ref().filter(|tail| !tail.is_place) {
        Some(tail) => {
            code.insert(tail.span.start, HIDE);
            code.keep(first);
            code.insert(tail.span.end, ");");
        }
        None => code.keep_as_statements(first),
    }
}

/// Keeps the code and ends the watch: around the expression at its end, or before it where that is a place, or behind everything.
fn keep_and_end(snippet: &Snippet, code: &mut Expansion) {
    code.keep(snippet);
    let place = snippet.tail.as_ref().filter(|tail| tail.is_place).map(|tail| tail.span.clone());
    let computed = snippet.tail.as_ref().map(|tail| tail.span.clone());
    // Of a single expression the result is hidden, whether a semicolon follows it or not.
    let computed = computed.or_else(|| snippet.single.then(|| snippet.span.clone()));
    if let Some(place) = place {
        code.insert(place.start, format!("{END} let _ = "));
        code.insert(place.end, ";");
    } else if let Some(computed) = computed {
        code.insert(computed.start, format!("{ENDED}(), {HIDE}"));
        code.insert(computed.end, "));");
    } else {
        let semicolon = if snippet.needs_semicolon { ";" } else { "" };
        code.insert(snippet.span.end, format!("{semicolon} {END}"));
    }
}

/// Keeps the code as the inside of a block. Outside of the loop its variables would be used; here the compiler has to be told so, where they are still there.
fn keep_in_turn(snippet: &Snippet, code: &mut Expansion) {
    code.keep_measured(snippet);
    let is_place = snippet.tail.as_ref().is_some_and(|tail| tail.is_place);
    let at = snippet.tail.as_ref().map_or(snippet.span.end, |tail| tail.span.start);
    // Of a single expression the result is hidden, whether a semicolon follows it or not.
    if snippet.tail.is_none() && snippet.needs_semicolon && !snippet.single {
        code.insert(at, ";");
    }
    for binding in &snippet.bindings {
        code.insert_if_it_compiles(at, format!(" {HIDE}&{}); ", binding.name));
    }
    if is_place {
        code.insert(at, "let _ = ");
        code.insert(snippet.span.end, ";");
    }
}

#[cfg(test)]
mod tests {
    use super::{FirstLine, Watched};
    use crate::cell::{Code, expanded};
    use crate::invocation::{Invocation, Sigil};
    use crate::magic::Call;
    use crate::plan::CodeStep;
    use crate::rust::Text;

    /// The call of a magic without options.
    fn call(cell: &str) -> Call {
        let name = cell.find([' ', '\n']).unwrap_or(cell.len());
        let line = cell.find('\n').unwrap_or(cell.len());
        let is_cell = cell.starts_with("%%");
        let arguments = (name + 1).min(line)..line;
        let invocation = Invocation {
            sigil: if is_cell { Sigil::Cell } else { Sigil::Line },
            name_span: 0..name,
            arguments,
            body: is_cell.then(|| (line + 1).min(cell.len())..cell.len()),
            assigned: None,
            nested: false,
        };
        crate::options::parse(&crate::time::Time, &invocation, cell).unwrap()
    }

    fn text(cell: &str, step: &CodeStep) -> String {
        let code = Code { kept: step.kept.clone(), inserts: step.inserts.clone(), magics: Vec::new() };
        assert!(code.inserts.is_sorted_by_key(|insert| insert.at), "{:?}", code.inserts);
        let text = expanded(cell, &code);
        assert_eq!(text.matches('\n').count(), cell.matches('\n').count(), "no line moves: {text:?}");
        let parsed = Text::new(&text, 0).statements();
        assert!(parsed.is_ok(), "{cell:?} becomes {text:?}: {:?}", parsed.err());
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.replace("::assay::measure::profile::", "").replace("::core::hint::black_box", "hide")
    }

    fn check(cell: &str, first: FirstLine, once: &str, again: &str) {
        let call = call(cell);
        let watched = Watched::of(&call, first).unwrap().unwrap();
        assert_eq!(text(cell, &watched.once(&call)), once, "{cell:?}");
        let turn = text(cell, &watched.again(&call, 1.0));
        let inner = turn.replace("let mut assay_turns = turns(0, 1.0); while assay_turns.again() ", "");
        assert_eq!(inner, again, "{cell:?}");
    }

    #[test]
    fn code_runs_once_and_again() {
        let check = |cell: &str, once: &str, again: &str| check(cell, FirstLine::Watched, once, again);
        check("%x f()", "ended(begin(0), hide(f()));", "{ hide({ f() }); }");
        check("%x f(20);", "ended(begin(0), hide(f(hide(20))));", "{ hide({ f(hide(20)) }); }");
        check("%x let v = f();", "begin(0); let v = f(); end();", "{ hide({ let v = f(); hide(&v); }); }");
        check("%x v", "begin(0); end(); let _ = v;", "{ hide({ let _ = v; }); }");
        check(
            "%x let v = f(); v.len()",
            "begin(0); let v = f(); ended((), hide(v.len()));",
            "{ hide({ let v = f(); hide(&v); v.len() }); }",
        );
        check("%x print!(\"\")", "ended(begin(0), hide(print!(\"\")));", "{ hide({ print!(\"\") }); }");
        check(
            "%x f(a)?.b().await",
            "ended(begin(0), hide(f(a)?.b().await));",
            "{ hide({ f(a)?.b().await }); }",
        );
        check(
            "%%x\nlet v = f();\ng(&v); // why\n",
            "begin(0); let v = f(); g(&v); end();",
            "{ hide({ let v = f(); g(&v); hide(&v); }); }",
        );
        check("%%x\nfor a in b {}", "ended(begin(0), hide(for a in b {}));", "{ hide({ for a in b {} }); }");
        check("%%x\nfn f() {}", "begin(0); fn f() {} end();", "{ hide({ fn f() {} }); }");
    }

    #[test]
    fn the_first_line_is_watched_or_goes_before() {
        check(
            "%%x let a = f()\ng(a)",
            FirstLine::Watched,
            "begin(0); let a = f(); ended((), hide(g(a)));",
            "{ hide({ let a = f(); g(a) }); }",
        );
        check(
            "%%x f()\ng();",
            FirstLine::Watched,
            "begin(0); hide(f()); ended((), hide(g()));",
            "{ hide({ hide(f()); g() }); }",
        );
        check("%%x f()\n", FirstLine::Watched, "begin(0); hide(f()); end();", "{ hide({ hide(f()); }); }");
        let call = call("%%x let a = f()\ng(a)");
        let watched = Watched::of(&call, FirstLine::Setup).unwrap().unwrap();
        let cell = "%%x let a = f()\ng(a)";
        assert_eq!(text(cell, &watched.once(&call)), "let a = f(); begin(0); ended((), hide(g(a)));");
        let again =
            "let a = f(); let mut assay_turns = turns(0, 1.0); while assay_turns.again() { hide({ g(a) }); }";
        assert_eq!(text(cell, &watched.again(&call, 1.0)), again);
    }

    #[test]
    fn without_code_there_is_nothing_to_watch() {
        let none = |cell: &str, first| Watched::of(&call(cell), first).unwrap().is_none();
        assert!(none("%x", FirstLine::Watched));
        assert!(none("%%x\n// nothing", FirstLine::Watched));
        assert!(none("%%x f()\n// nothing", FirstLine::Setup));
    }

    #[test]
    fn the_source_is_what_is_watched() {
        let source = |cell: &str, first| {
            let call = call(cell);
            Watched::of(&call, first).unwrap().unwrap().source(&call)
        };
        assert_eq!(source("%x f();", FirstLine::Watched), "f()");
        assert_eq!(source("%%x a()\nb();\nc()", FirstLine::Watched), "a()\nb();\nc()");
        assert_eq!(source("%%x a()\nb()", FirstLine::Setup), "b()");
    }
}
