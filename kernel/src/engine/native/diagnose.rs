//! What rustc says, on the text that the user typed.

use super::dependencies::CRATES;
use super::notebook::Notebook;
use super::rustc::{Message, Span};
use super::source::Source;
use crate::engine::{self, Child, Diagnostic, Level};
use assay_link::native as link;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that were compiled, by the names that rustc gives them.
pub(super) struct Files<'a> {
    /// Those of the crate that was just compiled.
    pub(super) fresh: &'a BTreeMap<PathBuf, Arc<Source>>,
    /// Those of earlier cells.
    pub(super) earlier: &'a BTreeMap<PathBuf, Arc<Source>>,
    /// The cell that is being run: a declaration that rustc would add at the top of a file is added at the top of it.
    pub(super) cell: u32,
}

impl Files<'_> {
    fn source(&self, file: &Path) -> Option<&Source> {
        self.fresh.get(file).or_else(|| self.earlier.get(file)).map(AsRef::as_ref)
    }

    /// Where a span lies in a cell; that of a macro is where the macro was called, if what it made is nobody's text.
    fn place(&self, span: &Span) -> Option<(u32, Range<usize>)> {
        let mut span = span;
        loop {
            let here = self.source(&span.file_name).and_then(|source| source.origin(&span.bytes()));
            match (here, &span.expansion) {
                // What a macro of an earlier cell made is for its user where it was called.
                (Some((cell, _)), Some(expansion)) if cell != self.cell => span = &expansion.span,
                (Some(place), _) => return Some(place),
                (None, Some(expansion)) => span = &expansion.span,
                (None, None) => return None,
            }
        }
    }

    fn span(&self, span: &Span) -> Option<engine::Span> {
        let (cell, range) = self.place(span)?;
        let label = span.label.as_deref().map(plain);
        Some(engine::Span { cell, range, label, primary: span.is_primary })
    }

    fn spans(&self, spans: &[Span]) -> Vec<engine::Span> {
        let mut placed: Vec<engine::Span> = Vec::new();
        for span in spans.iter().filter_map(|span| self.span(span)) {
            if !placed.contains(&span) {
                placed.push(span);
            }
        }
        placed.sort_by_key(|span| !span.primary);
        placed
    }

    /// The replacements that a help suggests, if every one of them can be made in a cell.
    fn suggestions(&self, spans: &[Span]) -> Option<Vec<(engine::Span, String)>> {
        let all = spans.iter().filter_map(|span| Some((span, span.suggested_replacement.as_ref()?)));
        // Names that are there for the compiler's sake are no advice.
        let (ours, suggested): (Vec<_>, Vec<_>) = all.partition(|(_, text)| text.contains("assay_names"));
        if suggested.is_empty() && !ours.is_empty() {
            return None;
        }
        suggested
            .into_iter()
            .map(|(span, text)| match self.place(span) {
                Some((cell, range)) => {
                    Some((engine::Span { cell, range, label: None, primary: true }, plain(text)))
                }
                // A `use` goes to the top of the file, which for the user is that of the cell.
                None if text.trim_start().starts_with("use ") => {
                    let top = engine::Span { cell: self.cell, range: 0..0, label: None, primary: true };
                    Some((top, format!("{}\n", plain(text.trim()))))
                }
                None => None,
            })
            .collect()
    }

    fn child(&self, message: &Message) -> Option<Child> {
        let suggestions = self.suggestions(&message.spans)?;
        let spans = if suggestions.is_empty() { self.spans(&message.spans) } else { Vec::new() };
        // It points at text of ours alone, so it would explain nothing.
        let nowhere = spans.is_empty() && suggestions.is_empty() && !message.spans.is_empty();
        (!nowhere).then(|| Child {
            level: level(&message.level),
            message: plain(&message.message),
            spans,
            suggestions,
        })
    }

    /// A message of the compiler's. Nothing if it is only a remark on text that is not the user's.
    pub(super) fn diagnostic(&self, message: &Message) -> Option<Diagnostic> {
        let level = level(&message.level);
        let mut spans = self.spans(&message.spans);
        point_at_use(&mut spans);
        let users = spans.iter().any(|span| span.primary);
        if level != Level::Error && !users {
            return None;
        }
        let children = message.children.iter().filter_map(|child| self.child(child)).collect();
        let code = message.code.as_ref().map(|code| code.code.clone());
        let mut diagnostic = Diagnostic { level, code, message: plain(&message.message), spans, children };
        shorten(&mut diagnostic);
        Some(diagnostic)
    }
}

/// Where in a cell the running code was: the compiler's line is the user's, the column may be moved by text of ours.
pub(super) fn ran_at(place: &link::Place, notebook: &Notebook) -> Option<engine::Place> {
    let cell: u32 = place.file.strip_prefix("cell[")?.strip_suffix(']')?.parse().ok()?;
    let text = notebook.texts.get(&cell)?;
    let in_cell = notebook.files.values().filter_map(|source| {
        let byte = source.byte_at(place.line, place.column)?;
        source.origin(&(byte..byte)).filter(|(of, _)| *of == cell)
    });
    let line = text.split('\n').nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let byte = in_cell.map(|(_, range)| range.start).find(|byte| (start..=start + line.len()).contains(byte));
    let column = byte.map_or(1, |byte| text[start..byte].chars().count() + 1);
    Some(engine::Place { cell, line: place.line, column: u32::try_from(column).unwrap_or(1) })
}

/// A frame of the user's.
pub(super) fn frame(frame: &link::Frame, notebook: &Notebook) -> Option<engine::Frame> {
    let place = ran_at(&frame.place, notebook)?;
    let function = plain(&frame.function);
    Some(engine::Frame { function: (!are_statements(&function)).then_some(function), place })
}

/// Whether it is what a cell's statements are compiled to. They stand in closures of ours, and a closure of the user's among them has no better name.
fn are_statements(function: &str) -> bool {
    let mut segments = function.split("::");
    let closure = |segment: &str| segment.trim_matches(['{', '}']).starts_with("closure");
    segments.clone().any(|segment| segment.starts_with("assay_entry_")) || segments.all(closure)
}

/// Leaves out errors that have no place and say what another one says that has one.
pub(super) fn leave_out_repeated(all: &mut Vec<Diagnostic>) {
    let placed: Vec<String> =
        all.iter().filter(|one| !one.spans.is_empty()).map(|one| one.message.clone()).collect();
    all.retain(|one| !one.spans.is_empty() || !placed.contains(&one.message));
}

/// What is used after it was moved into a closure of ours is used where the closure uses it.
fn point_at_use(spans: &mut [engine::Span]) {
    if spans.iter().any(|span| span.primary) {
        return;
    }
    let used = |span: &&mut engine::Span| span.label.as_deref() == Some("use occurs due to use in closure");
    if let Some(span) = spans.iter_mut().find(used) {
        span.primary = true;
        span.label = Some("value used here after move".to_owned());
    }
    spans.sort_by_key(|span| !span.primary);
}

/// Because of the crate of colliding names, the compiler prints whole paths where it would print names. What the user typed is left as it is: the
/// errors of name resolution show nothing else.
fn shorten(diagnostic: &mut Diagnostic) {
    if diagnostic
        .code
        .as_deref()
        .is_some_and(|code| matches!(code, "E0432" | "E0433" | "E0603" | "E0659" | "E0364" | "E0365"))
    {
        return;
    }
    diagnostic.message = short(&diagnostic.message);
    let labels =
        diagnostic.spans.iter_mut().chain(diagnostic.children.iter_mut().flat_map(|child| &mut child.spans));
    labels.filter_map(|span| span.label.as_mut()).for_each(|label| *label = short(label));
    diagnostic.children.iter_mut().for_each(|child| child.message = short(&without_crate(&child.message)));
}

/// Adds to errors what only the notebook knows: what became of a variable, and where it was declared.
pub(super) fn explain(diagnostics: &mut [Diagnostic], notebook: &Notebook) {
    for diagnostic in diagnostics {
        let gone = missing(&diagnostic.message).and_then(|name| Some((name, notebook.gone.get(name)?)));
        if let Some((name, gone)) = gone {
            let story = gone.story(name);
            diagnostic.children.insert(0, note(Level::Note, story));
        }
        let words =
            diagnostic.spans.iter().filter_map(|span| lines(notebook.texts.get(&span.cell)?, &span.range));
        let words: BTreeSet<&str> =
            words.flat_map(|text| text.split(|c: char| c != '_' && !c.is_alphanumeric())).collect();
        let stories = notebook.variables.iter().filter(|(name, _)| words.contains(name.as_str()));
        let stories: Vec<String> = stories
            .filter_map(|(name, variable)| Some(notebook.older_type(&variable.type_name)?.story(name)))
            .collect();
        if diagnostic.level == Level::Error {
            diagnostic.children.extend(stories.into_iter().map(|story| note(Level::Help, story)));
        }
        let immutable =
            diagnostic.code.as_deref().is_some_and(|code| matches!(code, "E0384" | "E0594" | "E0596"));
        let name = diagnostic.message.split('`').nth(1).unwrap_or_default();
        if immutable && let Some(variable) = notebook.variables.get(name).filter(|variable| !variable.mutable)
        {
            let help = format!(
                "declare it as `let mut {name}` in cell[{}], or here: `let mut {name} = {name};`",
                variable.cell
            );
            diagnostic.children.push(note(Level::Help, help));
        }
    }
}

/// The whole lines of a text in which these bytes are.
fn lines<'t>(text: &'t str, range: &Range<usize>) -> Option<&'t str> {
    let start = text.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(range.end..)?.find('\n').map_or(text.len(), |at| range.end + at);
    text.get(start..end)
}

/// A note or a help of ours.
pub(super) fn note(level: Level, message: String) -> Child {
    Child { level, message, spans: Vec::new(), suggestions: Vec::new() }
}

/// The name in "cannot find value `x` in this scope", and in the messages of macros that mean the same.
fn missing(message: &str) -> Option<&str> {
    let rest = ["cannot find value `", "cannot find function `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next()
}

fn level(level: &str) -> Level {
    match level {
        "warning" => Level::Warning,
        "note" => Level::Note,
        "help" => Level::Help,
        _ => Level::Error,
    }
}

/// The compiler's text without the names of crates and modules that the user never wrote: `cell_3::Point` is `Point`.
pub(super) fn plain(text: &str) -> String {
    let text = closures(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find(|c: char| c == '_' || c.is_alphanumeric()) {
        let (before, word) = rest.split_at(start);
        out.push_str(before);
        let end = word.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(word.len());
        match word[end..].strip_prefix("::") {
            Some(after) if ours(&word[..end]) => {
                // A leading `::` goes with the name.
                if out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                rest = after;
            }
            _ => {
                out.push_str(&word[..end]);
                rest = &word[end..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// `std::vec::Vec::new` without the modules of the standard library: `Vec::new`. A function in a module keeps its path.
fn without_modules(path: &str) -> &str {
    let whole = path.trim_start_matches("::");
    if !["std::", "core::", "alloc::"].iter().any(|of| whole.starts_with(of)) {
        return path;
    }
    let mut rest = whole;
    while let Some((segment, after)) = rest.split_once("::") {
        if segment.starts_with(char::is_uppercase) {
            return rest;
        }
        rest = after;
    }
    if rest.starts_with(char::is_uppercase) { rest } else { path }
}

/// "`P` is defined in crate `cell_3`", below which the place is shown, without the crate that its user never named.
fn without_crate(message: &str) -> String {
    let of_ours = |name: &str| name.strip_suffix('`').is_some_and(ours);
    match message.split_once(" is defined in crate `") {
        Some((what, name)) if of_ours(name) => format!("{what} is this one"),
        _ => message.to_owned(),
    }
}

/// A closure's type without the file, which is one of ours: `{closure@run_3-3/statements.rs:1:2: 1:4}` is `{closure}`.
fn closures(text: &str) -> String {
    let mut pieces = text.split("{closure@");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("{closure");
        out.push_str(piece.find('}').map_or(piece, |end| &piece[end..]));
    }
    out
}

/// A type as its user would write it: the standard library's without their paths.
pub(super) fn short(type_name: &str) -> String {
    let mut out = String::with_capacity(type_name.len());
    let mut rest = type_name;
    let in_word = |c: char| c == '_' || c == ':' || c.is_alphanumeric();
    while let Some(start) = rest.find(in_word) {
        out.push_str(&rest[..start]);
        let end = rest[start..].find(|c| !in_word(c)).map_or(rest.len(), |end| start + end);
        let path = &rest[start..end];
        out.push_str(without_modules(path));
        rest = &rest[end..];
    }
    out.push_str(rest);
    plain(&out)
}

/// Whether a path segment is a name that the engine gave.
fn ours(segment: &str) -> bool {
    let digits =
        |text: &str| !text.is_empty() && text.chars().all(|c| c == '_' || c == 'v' || c.is_ascii_digit());
    segment == "assay_statements"
        || segment == CRATES
        || ["cell_", "run_", "assay_part_", "assay_entry_"]
            .iter()
            .any(|start| segment.strip_prefix(start).is_some_and(digits))
}

#[cfg(test)]
mod tests {
    use super::{are_statements, leave_out_repeated, lines, missing, plain, short, without_crate};
    use crate::engine::{self, Diagnostic, Level};

    #[test]
    fn statements_have_no_name() {
        let check = |function: &str, expected: bool| {
            assert_eq!(are_statements(function), expected, "{function}");
        };
        check("assay_entry_7", true);
        check("{{closure}}::{{closure}}", true);
        check("{closure#0}", true);
        check("f", false);
        check("f::{closure#0}", false);
    }

    #[test]
    fn names_of_ours_are_not_shown() {
        let check = |text: &str, shown: &str| assert_eq!(plain(text), shown);
        check(
            "expected `cell_3::Point`, found `Vec<cell_12_2::assay_part_1::P>`",
            "expected `Point`, found `Vec<P>`",
        );
        check("use ::cell_3::Point;", "use Point;");
        check("my_cell_3::x and cell_x::y and cell_3", "my_cell_3::x and cell_x::y and cell_3");
        check("é cell_1::é ü", "é é ü");
        check("type `{closure@run_3-3/statements.rs:1:2: 1:4}`", "type `{closure}`");
    }

    #[test]
    fn what_is_said_twice_is_said_where_it_is() {
        let one = |message: &str, placed: bool| Diagnostic {
            level: Level::Error,
            code: None,
            message: message.to_owned(),
            spans: placed
                .then_some(engine::Span { cell: 1, range: 0..1, label: None, primary: true })
                .into_iter()
                .collect(),
            children: Vec::new(),
        };
        let mut all = vec![one("a", true), one("a", false), one("b", false)];
        leave_out_repeated(&mut all);
        assert_eq!(all, [one("a", true), one("b", false)]);
    }

    #[test]
    fn lines_are_whole_and_crates_of_ours_are_not_named() {
        assert_eq!(lines("ab\ncd e\nf", &(6..7)), Some("cd e"));
        assert_eq!(lines("ab", &(0..2)), Some("ab"));
        assert_eq!(without_crate("`P` is defined in crate `cell_3_7`"), "`P` is this one");
        assert_eq!(without_crate("`P` is defined in crate `regex`"), "`P` is defined in crate `regex`");
    }

    #[test]
    fn types_are_short() {
        let check = |long: &str, expected: &str| assert_eq!(short(long), expected);
        check("std::vec::Vec<(u8, std::string::String)>", "Vec<(u8, String)>");
        check("::std::boxed::Box<dyn std::iter::Iterator<Item = cell_3::P>>", "Box<dyn Iterator<Item = P>>");
        check("std::collections::HashMap<&str, [u8; 3]>", "HashMap<&str, [u8; 3]>");
        check("fn(i32) -> i32", "fn(i32) -> i32");
        check(
            "calls to `std::mem::drop` and `std::vec::Vec::<u8>::new`",
            "calls to `std::mem::drop` and `Vec::<u8>::new`",
        );
    }

    #[test]
    fn what_is_missing_has_a_name() {
        assert_eq!(missing("cannot find value `x` in this scope"), Some("x"));
        assert_eq!(missing("mismatched types"), None);
    }
}
