//! What may follow `:dep`: a line of a manifest's `[dependencies]`, a name alone, or a path.

use std::ops::Range;
use toml::{Table, Value};

/// A crate that the user asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Specification {
    /// A crate by the name that the code has for it, and how a manifest describes it.
    Named {
        /// Its key in the manifest.
        name: String,
        /// Everything else: `version`, `features`, `path`, `package`.
        table: Table,
    },
    /// The folder of a crate, whose manifest says its name.
    Folder(String),
}

/// What is wrong with a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misspelt {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the specification.
    pub span: Range<usize>,
    /// What to write instead.
    pub hint: String,
}

/// Reads a specification. Whether there is such a crate is cargo's to say.
pub fn specification(text: &str) -> Result<Specification, Misspelt> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let wrong = |message: String, span: Range<usize>, hint: &str| Misspelt {
        message,
        span: start + span.start..start + span.end,
        hint: hint.to_owned(),
    };
    if trimmed.starts_with(['.', '/', '~']) {
        return Ok(Specification::Folder(trimmed.to_owned()));
    }
    let bare = trimmed.split('#').next().unwrap_or_default().trim_end();
    if is_name(bare) {
        return Ok(named(bare, Table::from_iter([("version".to_owned(), Value::from("*"))])));
    }
    let table: Table = trimmed.parse().map_err(|error: toml::de::Error| {
        let span = visible(trimmed, error.span().unwrap_or(0..trimmed.len()));
        wrong(error.message().trim_end().to_owned(), span, AS_IN_A_MANIFEST)
    })?;
    let whole = 0..trimmed.len();
    let mut entries = table.into_iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(wrong("this is not one crate".to_owned(), whole, "each crate has a line of its own"));
    };
    if !is_name(&name) {
        return Err(wrong(
            format!("`{name}` cannot be the name of a crate"),
            whole,
            "names have letters, digits, `-` and `_`",
        ));
    }
    match value {
        Value::String(version) => {
            Ok(named(&name, Table::from_iter([("version".to_owned(), Value::String(version))])))
        }
        Value::Table(table) => Ok(named(&name, table)),
        other => {
            let message = format!("`{name}` is given {} instead of a version", other.type_str());
            Err(wrong(message, whole, AS_IN_A_MANIFEST))
        }
    }
}

const AS_IN_A_MANIFEST: &str =
    "write it as Cargo.toml has it: `regex = \"1\"`, `regex = { version = \"1\", features = […] }`";

/// A place with something in it: an error may be between two characters, or behind the last one.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len().saturating_sub(1)));
    start..text.ceil_char_boundary(span.end.max(start + 1))
}

fn named(name: &str, table: Table) -> Specification {
    Specification::Named { name: name.to_owned(), table }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|one| one.is_alphanumeric() || one == '-' || one == '_')
}

#[cfg(test)]
mod tests {
    use super::{Specification, specification};

    #[test]
    fn every_form_is_read() {
        let check = |text: &str, expected: &str| {
            let shown = match specification(text) {
                Ok(Specification::Named { name, table }) => {
                    format!("{name}: {}", toml::to_string(&table).unwrap().trim().replace('\n', ", "))
                }
                Ok(Specification::Folder(path)) => format!("in {path}"),
                Err(wrong) => format!("{:?} {}", &text[wrong.span], wrong.message),
            };
            assert_eq!(shown, expected, "{text}");
        };
        check("regex", "regex: version = \"*\"");
        check(" regex # why ", "regex: version = \"*\"");
        check("regex = \"1\"", "regex: version = \"1\"");
        check("regex=\"1\" # why", "regex: version = \"1\"");
        check("serde-json_2 = \"1\"", "serde-json_2: version = \"1\"");
        check(
            "serde = { version = \"1\", features = [\"derive\"] }",
            "serde: features = [\"derive\"], version = \"1\"",
        );
        check("serde.version = \"1\"", "serde: version = \"1\"");
        check("a = { path = \"../a\" }", "a: path = \"../a\"");
        check("../a b/c", "in ../a b/c");
        check("regex = 1", "\"regex = 1\" `regex` is given integer instead of a version");
        check("a = \"1\"\nb = \"2\"", "\"a = \\\"1\\\"\\nb = \\\"2\\\"\" this is not one crate");
        check("regex = \"1\";", "\";\" unexpected key or value, expected newline, `#`");
        check("regex 1", "\"1\" key with no value, expected `=`");
        check("regex = ", "\"=\" string values must be quoted, expected literal string");
    }
}
