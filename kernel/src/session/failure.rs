//! How a failure is worded: its name, its one line, and the text to show.

use super::diagnostics::{Pen, Sources, position};
use super::event::ErrorReport;
use crate::engine::{Diagnostic, Failure, Frame, Level, Lost, Place, Trouble};
use assay_magics::magic::Complaint;

/// The report of a cell that an engine could not run to its end.
pub(crate) fn of_engine(failure: &Failure, sources: &Sources, pen: Pen) -> ErrorReport {
    match failure {
        Failure::Compile(diagnostics) => compile(diagnostics, sources, pen),
        Failure::Panic { message, place, frames, lost } => {
            let drawn = match place {
                Some(place) => pen.at(&format!("the cell panicked: {message}"), *place, sources),
                None => pen.error(&format!("the cell panicked: {message}")),
            };
            let place =
                place.map(|p| format!(" at cell[{}]:{}:{}", p.cell, p.line, p.column)).unwrap_or_default();
            ended("Panic", &format!("{message}{place}"), &(drawn + &under_way(frames)), lost)
        }
        Failure::Question { message } => {
            ended("Error", message, &pen.error(&format!("`?` met an error: {message}")), &[])
        }
        // Whoever was told the measurement words it.
        Failure::Refuted => {
            let value = "a claim about what was measured does not hold";
            ended("AssertionError", value, &pen.error(value), &[])
        }
        Failure::Interrupted { lost } => {
            let value = "the cell was interrupted";
            stopped("Interrupted", value, &pen.error(value), lost)
        }
        Failure::Died { cause, frames, lost } => {
            let value = format!("the process that runs the cells ended: {cause}");
            let drawn = match frames.first() {
                Some(frame) => pen.at(&value, frame.place, sources),
                None => pen.error(&value),
            };
            stopped("Died", &value, &(drawn + &under_way(frames)), lost)
        }
        Failure::Trouble(trouble) => of_trouble(trouble, pen),
    }
}

/// The report of a claim that does not hold. The figures are on the page.
pub(crate) fn of_claim(name: &str, message: &str, pen: Pen) -> ErrorReport {
    // The name alone is red: the rest is to be read.
    let line = format!("{}: {message}", pen.error(name));
    ErrorReport { name: name.into(), value: message.into(), traceback: vec![line] }
}

/// The report of something that is wrong with an engine.
pub(crate) fn of_trouble(trouble: &Trouble, pen: Pen) -> ErrorReport {
    let mut traceback = vec![pen.error(&trouble.what)];
    traceback.extend(trouble.remedy.iter().map(|remedy| format!("help: {remedy}")));
    ErrorReport { name: "EngineError".into(), value: trouble.what.clone(), traceback }
}

/// The report of a magic that was called wrongly: nothing of the cell has run.
pub(crate) fn of_usage(complaint: &Complaint, cell: u32, sources: &Sources, pen: Pen) -> ErrorReport {
    of_complaint("UsageError", complaint, cell, sources, pen)
}

/// The report of a magic that could not do what it was asked.
pub(crate) fn of_magic(complaint: &Complaint, cell: u32, sources: &Sources, pen: Pen) -> ErrorReport {
    of_complaint("MagicError", complaint, cell, sources, pen)
}

fn of_complaint(name: &str, complaint: &Complaint, cell: u32, sources: &Sources, pen: Pen) -> ErrorReport {
    let usage = complaint.usage.iter().map(|usage| format!("usage: {usage}"));
    let notes: Vec<String> = complaint.hint.iter().cloned().chain(usage).collect();
    let drawn = pen.pointing(&complaint.message, cell, complaint.span.clone(), sources, &notes);
    ErrorReport { name: name.into(), value: complaint.message.clone(), traceback: lines(&drawn) }
}

/// The report of a program that ended with a status other than 0, or could not be started.
pub(crate) fn of_process(value: &str, pen: Pen) -> ErrorReport {
    ErrorReport { name: "ProcessError".into(), value: value.into(), traceback: vec![pen.error(value)] }
}

fn compile(diagnostics: &[Diagnostic], sources: &Sources, pen: Pen) -> ErrorReport {
    let drawn: Vec<String> = diagnostics.iter().map(|d| pen.diagnostic(d, sources)).collect();
    let first = diagnostics.iter().find(|d| d.level == Level::Error).or(diagnostics.first());
    let place = first
        .and_then(|d| d.spans.iter().find(|s| s.primary).or(d.spans.first()))
        .map(|span| format!(" at {}", position(span.cell, span.range.start, sources)))
        .unwrap_or_default();
    ErrorReport {
        name: first.and_then(|d| d.code.clone()).unwrap_or_else(|| "CompileError".into()),
        value: first.map(|d| format!("{}{place}", first_line(&d.message))).unwrap_or_default(),
        traceback: lines(&drawn.join("\n\n")),
    }
}

/// Of a cell that was stopped, or whose process did not live on.
fn stopped(name: &str, value: &str, drawn: &str, lost: &Lost) -> ErrorReport {
    let mut report = ended(name, value, drawn, &lost.names);
    report.traceback.extend(left(lost).into_iter().map(|note| format!("note: {note}")));
    report
}

/// What is left after a cell that did not come to its end.
fn left(lost: &Lost) -> Vec<String> {
    if lost.happened {
        return vec!["what ran until then has happened, and the variables are as they are now".to_owned()];
    }
    if lost.names.is_empty() {
        let kept = match (lost.back_to, &lost.why) {
            (None, _) => "the variables are as they were before the cell".to_owned(),
            (Some(cell), None) => format!("the variables are as they were before cell[{cell}]"),
            (Some(cell), Some(why)) => {
                format!("the variables are as they were before cell[{cell}]; there was no later copy: {why}")
            }
        };
        let threads = lost.threads.join(", ");
        let gone =
            format!("these threads did not come back, and what waits for them does so for ever: {threads}");
        return std::iter::once(kept).chain((!lost.threads.is_empty()).then_some(gone)).collect();
    }
    let why = lost.why.as_ref().map(|why| format!("they could not be kept: {why}"));
    let cells: Vec<String> = lost.cells.iter().map(|cell| format!("cell[{cell}]")).collect();
    let again = format!(
        "functions, types and crates are there, and statics begin anew; {} made the variables: run what you need of that again",
        cells.join(", ")
    );
    why.into_iter().chain((!cells.is_empty()).then_some(again)).collect()
}

fn ended(name: &str, value: &str, drawn: &str, lost: &[String]) -> ErrorReport {
    let mut traceback = lines(drawn);
    traceback.extend(lost_variables(lost));
    ErrorReport { name: name.into(), value: value.into(), traceback }
}

/// The user's functions that were under way, as rustc would name their places. The place of the panic itself has been drawn.
fn under_way(frames: &[Frame]) -> String {
    let line = |frame: &Frame| {
        let Place { cell, line, column } = frame.place;
        let function = frame.function.as_deref().unwrap_or("the statements of the cell");
        format!("\n  in {function} at cell[{cell}]:{line}:{column}")
    };
    // What the statements are compiled to may be several functions, of which the innermost says where they are.
    let mut shown: Vec<&Frame> = frames.iter().collect();
    shown.dedup_by(|outer, inner| outer.function.is_none() && inner.function.is_none());
    // One frame says no more than the place does.
    if shown.len() < 2 { String::new() } else { shown.into_iter().map(line).collect() }
}

fn lost_variables(lost: &[String]) -> Option<String> {
    let names = lost.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match lost.len() {
        0 => None,
        1 => Some(format!("note: this variable is gone: {names}")),
        _ => Some(format!("note: these variables are gone: {names}")),
    }
}

/// A message of cargo's goes on below; a name and one line are what lists of errors show.
fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Place, Span};

    #[track_caller]
    fn check(failure: &Failure, name: &str, value: &str, parts: &[&str]) {
        let mut sources = Sources::default();
        sources.remember(2, "let x = f()?;\nx");
        let report = of_engine(failure, &sources, Pen { colour: false });
        assert_eq!((report.name.as_str(), report.value.as_str()), (name, value));
        let shown = report.traceback.join("\n");
        for part in parts {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }

    #[test]
    fn every_ending_has_a_name_a_line_and_a_text() {
        let span = Span { cell: 2, range: 8..11, label: None, primary: true };
        let diagnostic = |code: Option<&str>| Diagnostic {
            level: Level::Error,
            code: code.map(str::to_owned),
            message: "bad".into(),
            spans: vec![span.clone()],
            children: vec![],
        };
        check(
            &Failure::Compile(vec![diagnostic(Some("E0425")), diagnostic(None)]),
            "E0425",
            "bad at cell[2]:1:9",
            &["error[E0425]: bad", "error: bad", "cell[2]:1:9"],
        );
        check(
            &Failure::Compile(vec![diagnostic(None)]),
            "CompileError",
            "bad at cell[2]:1:9",
            &["error: bad"],
        );
        let place = Some(Place { cell: 2, line: 2, column: 1 });
        check(
            &Failure::Panic {
                message: "boom".into(),
                place,
                frames: vec![],
                lost: vec!["a".into(), "b".into()],
            },
            "Panic",
            "boom at cell[2]:2:1",
            &["the cell panicked: boom", "cell[2]:2:1", "these variables are gone: `a`, `b`"],
        );
        check(
            &Failure::Panic { message: "boom".into(), place: None, frames: vec![], lost: vec![] },
            "Panic",
            "boom",
            &["boom"],
        );
        check(
            &Failure::Question { message: "NotFound".into() },
            "Error",
            "NotFound",
            &["`?` met an error: NotFound"],
        );
        check(
            &Failure::Interrupted {
                lost: Box::new(Lost {
                    names: vec!["v".into()],
                    cells: [3, 5].into(),
                    why: Some("w".into()),
                    ..Lost::default()
                }),
            },
            "Interrupted",
            "the cell was interrupted",
            &["this variable is gone: `v`", "could not be kept: w", "cell[3], cell[5] made the variables"],
        );
        let moved = Lost { names: vec!["v".into()], happened: true, ..Lost::default() };
        check(
            &Failure::Interrupted { lost: Box::new(moved) },
            "Interrupted",
            "the cell was interrupted",
            &["this variable is gone: `v`", "has happened, and the variables are as they are now"],
        );
        let earlier = Lost { back_to: Some(4), why: Some("w".into()), ..Lost::default() };
        check(
            &Failure::Interrupted { lost: Box::new(earlier) },
            "Interrupted",
            "the cell was interrupted",
            &["as they were before cell[4]; there was no later copy: w"],
        );
        let threads = Lost { threads: vec!["deaf".into()], ..Lost::default() };
        check(
            &Failure::Died { cause: "abort".into(), frames: vec![], lost: Box::new(threads) },
            "Died",
            "the process that runs the cells ended: abort",
            &["as they were before the cell", "did not come back", "deaf"],
        );
        check(
            &Failure::Died { cause: "segmentation fault".into(), frames: vec![], lost: Box::default() },
            "Died",
            "the process that runs the cells ended: segmentation fault",
            &["segmentation fault", "as they were before the cell"],
        );
        let trouble = Trouble { what: "no rustc".into(), remedy: Some("install it".into()) };
        check(&Failure::Trouble(trouble), "EngineError", "no rustc", &["no rustc", "help: install it"]);
    }

    #[test]
    fn a_complaint_points_at_its_bytes() {
        let mut sources = Sources::default();
        sources.remember(4, "%who --what");
        let complaint = Complaint {
            message: "no option --what".into(),
            span: 5..11,
            hint: Some("look".into()),
            usage: Some("%who [TYPE]".into()),
        };
        let report = of_usage(&complaint, 4, &sources, Pen { colour: false });
        let shown = report.traceback.join("\n");
        for part in ["cell[4]:1:6", "^^^^^^", "help: look", "help: usage: %who [TYPE]"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }
}
