//! Which rows a profile shows, and in which order: `-s` and `-l`, with the meaning that Python's `pstats` gives them.

use super::figures::{Figures, Row};
use crate::nearest::nearest;
use crate::profiled::Function;
use regex::Regex;
use std::cmp::Ordering;

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Calls,
    Cumulative,
    File,
    Line,
    Name,
    NameFileLine,
    PrimitiveCalls,
    Standard,
    Time,
}

/// The names of the keys, as `pstats` has them.
const KEYS: [(&str, Key); 14] = [
    ("calls", Key::Calls),
    ("cumtime", Key::Cumulative),
    ("cumulative", Key::Cumulative),
    ("file", Key::File),
    ("filename", Key::File),
    ("line", Key::Line),
    ("module", Key::File),
    ("name", Key::Name),
    ("ncalls", Key::Calls),
    ("nfl", Key::NameFileLine),
    ("pcalls", Key::PrimitiveCalls),
    ("stdname", Key::Standard),
    ("time", Key::Time),
    ("tottime", Key::Time),
];

impl Key {
    /// The key of this name, or the one that the name begins.
    pub(super) fn named(text: &str) -> Result<Self, String> {
        if let Some((_, key)) = KEYS.iter().find(|(name, _)| *name == text) {
            return Ok(*key);
        }
        let begun: Vec<_> =
            KEYS.iter().filter(|(name, _)| !text.is_empty() && name.starts_with(text)).collect();
        let names = |all: &[&(&str, Self)]| all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match begun.as_slice() {
            [] => {
                let all = names(&KEYS.iter().collect::<Vec<_>>());
                let meant = nearest(text, KEYS.iter().map(|(name, _)| *name));
                let meant = meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
                Err(format!("it is one of {all}{meant}"))
            }
            [(_, first), rest @ ..] if rest.iter().all(|(_, key)| key == first) => Ok(*first),
            several => Err(format!("it may be {}", names(several))),
        }
    }

    /// What the rows are said to be ordered by.
    fn said(self) -> &'static str {
        match self {
            Self::Calls => "call count",
            Self::Cumulative => "cumulative time",
            Self::File => "file name",
            Self::Line => "line number",
            Self::Name => "function name",
            Self::NameFileLine => "name/file/line",
            Self::PrimitiveCalls => "primitive call count",
            Self::Standard => "standard name",
            Self::Time => "internal time",
        }
    }

    fn compare(self, (one, a): (&Row, &Function), (other, b): (&Row, &Function)) -> Ordering {
        let calls = |row: &Row| row.calls.map_or(0, |calls| calls.total);
        let primitive = |row: &Row| row.calls.map_or(0, |calls| calls.primitive.unwrap_or(calls.total));
        match self {
            Self::Calls => calls(other).cmp(&calls(one)),
            Self::Cumulative => other.total.cmp(&one.total),
            Self::File => a.file.cmp(&b.file),
            Self::Line => a.line.cmp(&b.line),
            Self::Name => a.name.cmp(&b.name),
            Self::NameFileLine => (&a.name, &a.file, a.line).cmp(&(&b.name, &b.file, b.line)),
            Self::PrimitiveCalls => primitive(other).cmp(&primitive(one)),
            Self::Standard => a.standard_name().cmp(&b.standard_name()),
            Self::Time => other.own.cmp(&one.own),
        }
    }
}

/// What is kept of the rows.
#[derive(Debug, Clone)]
pub(super) enum Limit {
    /// So many lines.
    Lines(usize),
    /// This part of the lines.
    Part(f64),
    /// Those whose `file:line(name)` has this in it.
    Named(Regex),
}

impl Limit {
    /// A whole number, a part, or a pattern.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if let Ok(lines) = text.parse() {
            return Ok(Self::Lines(lines));
        }
        match text.parse::<f64>() {
            Ok(part) if (0.0..=1.0).contains(&part) => return Ok(Self::Part(part)),
            Ok(_) => {
                return Err(
                    "a part of the lines is between 0 and 1, a number of lines is a whole one".to_owned()
                );
            }
            Err(_) => {}
        }
        let why = |error: regex::Error| {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!(
                "it is no number and no pattern ({last}); a backslash before a sign makes it an ordinary one"
            )
        };
        Regex::new(text).map(Self::Named).map_err(why)
    }

    /// As `pstats` shows it.
    fn said(&self) -> String {
        match self {
            Self::Lines(lines) => lines.to_string(),
            Self::Part(part) => format!("{part:?}"),
            Self::Named(pattern) => format!("'{}'", pattern.as_str()),
        }
    }
}

/// The rows to show, in their order.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) rows: Vec<Row>,
    /// What they are ordered by, and by which limits there are fewer.
    pub(super) said: Vec<String>,
    /// How many functions of libraries with little time of their own are not among them, and their samples.
    pub(super) left_out: Option<(usize, u64)>,
}

impl Chosen {
    /// `all` are shown, or those that tell something; a pattern that is asked for first is looked for in all.
    pub(super) fn of(figures: &Figures, keys: &[Key], limits: &[Limit], all: bool) -> Self {
        let is_named = matches!(limits.first(), Some(Limit::Named(_)));
        let (mut rows, left_out): (Vec<Row>, Vec<Row>) =
            figures.rows.iter().copied().partition(|row| all || is_named || figures.is_telling(row));
        let keys = if keys.is_empty() { &[Key::Time][..] } else { keys };
        let usual = [Key::Time, Key::Cumulative, Key::Standard];
        rows.sort_by(|one, other| {
            let of = |row| (row, figures.function(row));
            let mut orders = keys.iter().chain(&usual).map(|key| key.compare(of(one), of(other)));
            orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let mut said =
            vec![format!("Ordered by: {}", keys.iter().map(|key| key.said()).collect::<Vec<_>>().join(", "))];
        for limit in limits {
            let before = rows.len();
            match limit {
                Limit::Lines(lines) => rows.truncate(*lines),
                Limit::Part(part) => rows.truncate((before as f64 * part + 0.5) as usize),
                Limit::Named(pattern) => {
                    rows.retain(|row| pattern.is_match(&figures.function(row).standard_name()));
                }
            }
            if rows.len() < before {
                let after = rows.len();
                said.push(format!(
                    "List reduced from {before} to {after} due to restriction <{}>",
                    limit.said()
                ));
            }
        }
        let samples = left_out.iter().map(|row| row.own).sum();
        let left_out = (!left_out.is_empty()).then_some((left_out.len(), samples));
        Self { rows, said, left_out }
    }
}
