//! What a compiler or a magic has to say, drawn on the text that the user typed.

use crate::engine::{Child, Diagnostic, Level, Place, Span};
use annotate_snippets::{self as snippets, Annotation, AnnotationKind, Group, Patch, Renderer, Snippet};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// The text of every cell that was run, by its number.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    cells: BTreeMap<u32, String>,
}

impl Sources {
    /// Remembers the text of a cell; a cell run under the same number replaces it.
    pub(crate) fn remember(&mut self, number: u32, text: &str) {
        self.cells.insert(number, text.to_owned());
    }

    /// The text of a cell, empty if there is no such cell.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.cells.get(&number).map_or("", String::as_str)
    }
}

/// Draws text with or without ANSI colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) colour: bool,
}

impl Pen {
    /// A diagnostic as rustc would print it, on the cells' own text.
    pub(crate) fn diagnostic(self, diagnostic: &Diagnostic, sources: &Sources) -> String {
        let mut title = level(diagnostic.level).primary_title(diagnostic.message.as_str());
        if let Some(code) = &diagnostic.code {
            title = title.id(code.as_str());
        }
        let mut main = Group::with_title(title).elements(annotated(&diagnostic.spans, sources));
        let mut suggestions = Vec::new();
        for child in &diagnostic.children {
            if child.suggestions.is_empty() {
                main = main.element(level(child.level).message(plain(&child.message)));
                main = main.elements(annotated(&child.spans, sources));
            } else {
                suggestions.push(suggestion(child, sources));
            }
        }
        let mut report = vec![main];
        report.extend(suggestions);
        self.renderer().render(&report)
    }

    /// A message of the kernel's own that points at bytes of a cell.
    pub(crate) fn pointing(
        self,
        message: &str,
        cell: u32,
        bytes: Range<usize>,
        sources: &Sources,
        notes: &[String],
    ) -> String {
        let span = Span { cell, range: bytes, label: None, primary: true };
        let notes = notes.iter().map(|note| Child {
            level: Level::Help,
            message: note.clone(),
            spans: vec![],
            suggestions: vec![],
        });
        let diagnostic = Diagnostic {
            level: Level::Error,
            code: None,
            message: message.to_owned(),
            spans: vec![span],
            children: notes.collect(),
        };
        self.diagnostic(&diagnostic, sources)
    }

    /// The same for a place given by line and column.
    pub(crate) fn at(self, message: &str, place: Place, sources: &Sources) -> String {
        let bytes = bytes_at(sources.text(place.cell), place.line, place.column);
        self.pointing(message, place.cell, bytes, sources, &[])
    }

    /// A heading in the colour of errors.
    pub(crate) fn error(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn renderer(self) -> Renderer {
        if self.colour { Renderer::styled() } else { Renderer::plain() }
    }
}

/// `cell[3]:2:14` for a byte of a cell.
pub(crate) fn position(cell: u32, byte: usize, sources: &Sources) -> String {
    let text = sources.text(cell);
    let before = &text[..boundary(text, byte)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("cell[{cell}]:{line}:{column}")
}

/// One snippet for each cell that the spans touch, primary first.
fn annotated<'a>(spans: &'a [Span], sources: &'a Sources) -> Vec<Snippet<'a, Annotation<'a>>> {
    cells(spans)
        .into_iter()
        .map(|cell| {
            let text = sources.text(cell);
            Snippet::source(text)
                .path(format!("cell[{cell}]"))
                .annotations(spans.iter().filter(|span| span.cell == cell).map(|span| annotation(span, text)))
        })
        .collect()
}

/// The cells of spans, in the order in which they come up.
fn cells<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Vec<u32> {
    let mut cells = Vec::new();
    for span in spans {
        if !cells.contains(&span.cell) {
            cells.push(span.cell);
        }
    }
    cells
}

fn annotation<'a>(span: &'a Span, text: &str) -> Annotation<'a> {
    let kind = if span.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    kind.span(within(text, &span.range)).label(span.label.as_deref())
}

fn suggestion<'a>(child: &'a Child, sources: &'a Sources) -> Group<'a> {
    let mut group = Group::with_title(level(child.level).secondary_title(plain(&child.message)));
    // The parts of one suggestion are drawn on one text: together they are what the compiler means.
    for cell in cells(child.suggestions.iter().map(|(span, _)| span)) {
        let source = sources.text(cell);
        let patches = child.suggestions.iter().filter(|(span, _)| span.cell == cell);
        let patches = patches.map(|(span, text)| Patch::new(within(source, &span.range), text.as_str()));
        group = group.element(Snippet::source(source).path(format!("cell[{cell}]")).patches(patches));
    }
    group
}

/// Text from outside may hold escape sequences; the renderer trusts messages, so they are cleaned here.
fn plain(text: &str) -> Cow<'_, str> {
    Cow::Owned(snippets::normalize_untrusted_str(text))
}

fn level(level: Level) -> snippets::Level<'static> {
    match level {
        Level::Error => snippets::Level::ERROR,
        Level::Warning => snippets::Level::WARNING,
        Level::Note => snippets::Level::NOTE,
        Level::Help => snippets::Level::HELP,
    }
}

/// The range cut to the text and to whole characters: the renderer panics on any other.
fn within(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = boundary(text, range.start);
    start..boundary(text, range.end).max(start)
}

fn boundary(text: &str, byte: usize) -> usize {
    text.floor_char_boundary(byte.min(text.len()))
}

/// The bytes of the character at a line and column (both from 1); the end of the line where there is none.
fn bytes_at(text: &str, line: u32, column: u32) -> Range<usize> {
    let mut start = 0;
    for (number, content) in (1..).zip(text.split('\n')) {
        if number == line {
            let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
            let mut rest = content.char_indices().skip(skipped);
            return match rest.next() {
                Some((at, character)) => start + at..start + at + character.len_utf8(),
                None => start + content.len()..start + content.len(),
            };
        }
        start += content.len() + 1;
    }
    text.len()..text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.remember(3, "let é = 1;\nlet x: i32 = \"a\";");
        sources.remember(2, "fn f() {}");
        sources
    }

    fn span(cell: u32, range: Range<usize>, label: &str, primary: bool) -> Span {
        Span { cell, range, label: Some(label.into()), primary }
    }

    #[test]
    fn a_diagnostic_stands_on_the_cells_text() {
        let diagnostic = Diagnostic {
            level: Level::Error,
            code: Some("E0308".into()),
            message: "mismatched types".into(),
            spans: vec![span(3, 25..28, "expected `i32`", true), span(2, 3..4, "defined here", false)],
            children: vec![Child {
                level: Level::Help,
                message: "try".into(),
                spans: vec![],
                suggestions: vec![(span(3, 25..28, "", true), "1".into())],
            }],
        };
        let drawn = Pen { colour: false }.diagnostic(&diagnostic, &sources());
        for part in [
            "error[E0308]: mismatched types",
            "cell[3]:2:14",
            "expected `i32`",
            "cell[2]:1:4",
            "help: try",
            "let x: i32 = 1;",
        ] {
            assert!(drawn.contains(part), "{part} is missing in\n{drawn}");
        }
        assert!(Pen { colour: true }.diagnostic(&diagnostic, &sources()).contains("\u{1b}["));
    }

    /// Positions come from other programs: none of them may panic the kernel.
    #[test]
    fn spans_outside_the_text_are_cut() {
        // A range that ends before it begins is what another program may send too.
        for (start, end) in [(0, 999), (900, 999), (5, 6), (6, 5), (3, 3)] {
            let range = start..end;
            let drawn = Pen { colour: false }.pointing("m", 3, range, &sources(), &["h".into()]);
            assert!(drawn.contains("error: m") && drawn.contains("help: h"), "{start}..{end} {drawn}");
        }
        assert!(Pen { colour: false }.pointing("m", 99, 4..9, &sources(), &[]).contains("error: m"));
    }

    #[track_caller]
    fn check(line: u32, column: u32, expected: Range<usize>) {
        assert_eq!(bytes_at("aé\nxy\n", line, column), expected, "{line}:{column}");
    }

    #[test]
    fn a_line_and_column_is_a_character() {
        check(1, 1, 0..1);
        check(1, 2, 1..3);
        check(1, 3, 3..3);
        check(2, 2, 5..6);
        check(2, 9, 6..6);
        check(9, 1, 7..7);
        assert_eq!(position(3, 12, &sources()), "cell[3]:2:1");
        assert_eq!(position(3, 5, &sources()), "cell[3]:1:5");
    }
}
