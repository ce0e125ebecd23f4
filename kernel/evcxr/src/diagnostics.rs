//! evcxr's compile errors as the link carries them.
//!
//! evcxr maps rustc's spans to the cell. Of notes and helps it does not say which span belongs to which, so they come without a place,
//! with the suggested text in their message.

use assay_link::evcxr::{Child, Diagnostic, Level, Span};
use evcxr::{CompilationError, Error};
use serde_json::Value;

/// All that evcxr says about a cell that does not compile.
pub(crate) fn all(errors: &[CompilationError]) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    for diagnostic in errors.iter().map(one) {
        // rustc says some things once for each of evcxr's uses of the user's text.
        if !all.contains(&diagnostic) {
            all.push(diagnostic);
        }
    }
    all.sort_by_key(|one| one.level != Level::Error);
    if all.is_empty() {
        all.push(plain(
            "the cell does not compile, and the compiler's message is about code that evcxr wrote around it",
        ));
    }
    all
}

/// A message without a place.
pub(crate) fn plain(message: &str) -> Diagnostic {
    let message = message.trim().to_owned();
    Diagnostic { level: Level::Error, code: None, message, spans: Vec::new(), children: Vec::new() }
}

/// What evcxr says, whatever its kind.
pub(crate) fn of(error: &Error) -> Vec<Diagnostic> {
    match error {
        Error::CompilationErrors(errors) => all(errors),
        other => vec![plain(cargo_error(&other.to_string()))],
    }
}

/// What cargo says from its `error: ` on, without what it did before.
fn cargo_error(said: &str) -> &str {
    let start = said.find("error: ").filter(|&at| at == 0 || said[..at].ends_with('\n'));
    start.map_or(said, |at| &said[at + "error: ".len()..])
}

fn one(error: &CompilationError) -> Diagnostic {
    // Where rustc has no label, evcxr repeats the level and the message.
    let repeated = format!("{}: ", error.level());
    let spans = error.spanned_messages().iter().filter_map(|message| {
        let (span, label) = (message.span?, Some(message.label.clone()));
        Some(Span {
            start: (span.start_line, span.start_column),
            end: (span.end_line, span.end_column),
            label: label.filter(|label| !label.is_empty() && !label.starts_with(&repeated)),
            primary: message.is_primary,
        })
    });
    let mut spans: Vec<Span> = spans.collect();
    spans.sort_by_key(|span| !span.primary);
    let mut children: Vec<Child> =
        error.json["children"].as_array().into_iter().flatten().filter_map(child).collect();
    let hints = error.evcxr_extra_hint().into_iter().map(|hint| note(Level::Help, hint));
    children.extend(hints);
    Diagnostic {
        level: level(error.level()),
        code: error.code().map(str::to_owned),
        message: cargo_error(&error.message()).to_owned(),
        spans,
        children,
    }
}

fn child(json: &Value) -> Option<Child> {
    let message = json["message"].as_str()?;
    let replacement =
        json["spans"][0]["suggested_replacement"].as_str().map(str::trim).filter(|text| !text.is_empty());
    let message = replacement.map_or_else(|| message.to_owned(), |text| format!("{message}: `{text}`"));
    Some(note(level(json["level"].as_str().unwrap_or_default()), &message))
}

fn note(level: Level, message: &str) -> Child {
    Child { level, message: message.to_owned(), spans: Vec::new(), suggestions: Vec::new() }
}

fn level(name: &str) -> Level {
    match name {
        "warning" => Level::Warning,
        "note" => Level::Note,
        "help" => Level::Help,
        _ => Level::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::cargo_error;

    #[test]
    fn cargo_speaks_from_its_error_on() {
        let check = |said: &str, expected: &str| assert_eq!(cargo_error(said), expected);
        check("    Updating crates.io index\nerror: no `x` found\nsearched: y", "no `x` found\nsearched: y");
        check("error: no `x` found", "no `x` found");
        check("an error: not cargo's", "an error: not cargo's");
        check("mismatched types", "mismatched types");
    }
}
