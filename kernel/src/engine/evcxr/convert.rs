//! From the link's words to the engine's.

pub(super) use super::super::content::{bundle, order};
use super::super::{Child, Diagnostic, Failure, Level, Lost, Output, Place, Ran, Span, Trouble};
use crate::session::event::StreamName;
use assay_link::evcxr as link;
use std::ops::Range;

/// Text, as output.
pub(super) fn stream(stream: link::Stream, text: String) -> Output {
    let name = match stream {
        link::Stream::Stdout => StreamName::Stdout,
        link::Stream::Stderr => StreamName::Stderr,
    };
    Output::Stream { name, text }
}

/// A call that answered with something else than what it was asked: the two programs do not fit.
pub(super) fn unexpected(outcome: &link::Outcome) -> Trouble {
    Trouble {
        what: format!("the evcxr process answered something else than it was asked: {outcome:?}"),
        remedy: Some("install `assay` and `assay-evcxr` from the same build".to_owned()),
    }
}

/// A cell that ran.
pub(super) fn ran(outcome: link::Outcome) -> Result<Ran, Trouble> {
    match outcome {
        link::Outcome::Ran { value, notes, compile, run } => {
            Ok(Ran { value: value.map(bundle), warnings: Vec::new(), notes, compile, run })
        }
        other => Err(unexpected(&other)),
    }
}

/// A failure of `cell`, whose text is `source`.
pub(super) fn failure(failure: link::Failure, cell: u32, source: &str) -> Failure {
    match failure {
        link::Failure::Compile(all) => {
            Failure::Compile(all.into_iter().map(|one| diagnostic(one, cell, source)).collect())
        }
        link::Failure::Panic { message, place, lost } => {
            Failure::Panic { message, place: place.map(self::place), frames: Vec::new(), lost }
        }
        link::Failure::Question { message } => Failure::Question { message },
        link::Failure::Interrupted { lost } => Failure::Interrupted { lost: gone(lost) },
        link::Failure::Died { cause, lost } => Failure::Died { cause, frames: Vec::new(), lost: gone(lost) },
        link::Failure::Trouble { what, remedy } => Failure::Trouble(Trouble { what, remedy }),
    }
}

/// A failure of something that is no cell, in one sentence.
pub(super) fn trouble(failure: Failure) -> Trouble {
    let what = match failure {
        Failure::Trouble(trouble) => return trouble,
        Failure::Compile(all) => all.into_iter().map(|one| one.message).collect::<Vec<_>>().join("\n"),
        Failure::Panic { message, .. } | Failure::Question { message } => message,
        Failure::Interrupted { .. } => "interrupted".to_owned(),
        Failure::Refuted => "a claim about what was measured does not hold".to_owned(),
        Failure::Died { cause, .. } => format!("the process that runs cells died: {cause}"),
    };
    Trouble { what, remedy: None }
}

fn place(place: link::Place) -> Place {
    Place { cell: place.cell, line: place.line, column: place.column }
}

fn diagnostic(from: link::Diagnostic, cell: u32, source: &str) -> Diagnostic {
    let spans = |all: Vec<link::Span>| all.into_iter().map(|one| span(one, cell, source)).collect();
    let child = |child: link::Child| Child {
        level: level(child.level),
        message: child.message,
        spans: spans(child.spans),
        suggestions: child.suggestions.into_iter().map(|(at, text)| (span(at, cell, source), text)).collect(),
    };
    Diagnostic {
        level: level(from.level),
        code: from.code,
        message: from.message,
        spans: spans(from.spans),
        children: from.children.into_iter().map(child).collect(),
    }
}

fn level(level: link::Level) -> Level {
    match level {
        link::Level::Error => Level::Error,
        link::Level::Warning => Level::Warning,
        link::Level::Note => Level::Note,
        link::Level::Help => Level::Help,
    }
}

fn span(from: link::Span, cell: u32, source: &str) -> Span {
    Span { cell, range: range(source, from.start, from.end), label: from.label, primary: from.primary }
}

/// The bytes between two positions in lines and columns (characters) from 1. A position outside is moved to the nearest inside.
fn range(source: &str, start: (usize, usize), end: (usize, usize)) -> Range<usize> {
    let start = byte(source, start);
    start..byte(source, end).max(start)
}

fn byte(source: &str, (line, column): (usize, usize)) -> usize {
    let mut lines = source.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    let text = lines.next().unwrap_or_default().trim_end_matches(['\n', '\r']);
    let within = text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    before + within
}

/// This engine has no checkpoints.
fn gone(names: Vec<String>) -> Box<Lost> {
    Box::new(Lost { names, ..Lost::default() })
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn lines_and_columns_become_bytes() {
        let source = "let a = 1;\nlet ü = \"ä\";\r\nx";
        let check = |start, end, expected: &str| assert_eq!(&source[range(source, start, end)], expected);
        check((1, 5), (1, 6), "a");
        check((2, 5), (2, 6), "ü");
        check((2, 9), (2, 12), "\"ä\"");
        check((1, 9), (2, 4), "1;\nlet");
        check((2, 13), (2, 99), "");
        check((3, 1), (3, 2), "x");
        check((9, 1), (9, 9), "");
        check((1, 5), (1, 1), "");
    }
}
