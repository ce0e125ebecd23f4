//! `%history`: earlier cells.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::{command, flag};
use crate::outcome::{HistoryLine, Outcome};
use crate::plan::{HistoryRange, HistoryStep, Plan, SessionStep};
use crate::ranges;
use crate::render::Bundle;
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use std::path::PathBuf;

/// `%history [-n] [-o] [-u] [-g PATTERN] [-l [N]] [-f FILE] [RANGE …]`.
#[derive(Debug)]
pub(crate) struct History;

impl Magic for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "show earlier cells, of this session or of all"
    }

    fn options(&self) -> Command {
        command().args(choices()).args(forms()).arg(range_argument())
    }

    fn example(&self) -> &'static str {
        "%history -n -l 5"
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let from = HistoryStep {
            ranges: chosen_ranges(&call.matches),
            pattern: call.matches.get_one::<String>("g").map(|pattern| glob(pattern)),
            last: call.matches.get_one::<usize>("l").copied(),
            unique: call.matches.get_flag("u"),
        };
        let step = match call.matches.get_one::<PathBuf>("f") {
            Some(path) => SessionStep::SaveCells { from, path: path.clone(), append: false, force: false },
            None => SessionStep::History(from),
        };
        Ok(Plan::Session(step))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::History(lines) if lines.is_empty() => {
                Ok(Report::shown(Bundle::text("No cell was found.")))
            }
            Outcome::History(lines) => Ok(Report::shown(Bundle::text(text(&lines, &call.matches)))),
            Outcome::Written { path, .. } => {
                Ok(Report::shown(Bundle::text(format!("Wrote {}", path.display()))))
            }
            Outcome::Declined => Ok(Report::shown(Bundle::text("Nothing was written."))),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// Options that choose cells.
fn choices() -> [Arg; 3] {
    let pattern = Arg::new("g")
        .short('g')
        .value_name("PATTERN")
        .help("only cells with this in them, from every session; * and ? stand for any text and any sign");
    let last = Arg::new("l").short('l').value_name("N").num_args(0..=1).default_missing_value("10");
    let last = last.value_parser(value_parser!(usize)).help("only the last N cells; 10 without a number");
    [pattern, last, flag("u", "equal cells only once")]
}

/// Options that say how they are shown.
fn forms() -> [Arg; 3] {
    let file = Arg::new("f").short('f').value_name("FILE").value_parser(value_parser!(PathBuf));
    let file = file.value_hint(ValueHint::FilePath).conflicts_with_all(["n", "o"]);
    let file = file.help("write the cells to this file instead of showing them");
    [flag("n", "with the number of each cell"), flag("o", "with the value of each cell"), file]
}

/// The argument that names cells, for every magic that takes it.
pub(crate) fn range_argument() -> Arg {
    let help =
        "cells: 4, 4-6, 2/1-3 (of session 2), ~1/ (of the session before); without it, all of this session";
    Arg::new("range").value_name("RANGE").num_args(0..).value_parser(ranges::parse).help(help)
}

/// The ranges that were given to [`range_argument`].
pub(crate) fn chosen_ranges(matches: &ArgMatches) -> Vec<HistoryRange> {
    matches.get_many::<Vec<HistoryRange>>("range").unwrap_or_default().flatten().copied().collect()
}

/// A pattern without a wildcard is looked for anywhere in a cell, as in IPython.
fn glob(pattern: &str) -> String {
    if pattern.contains(['*', '?']) { pattern.to_owned() } else { format!("*{pattern}*") }
}

fn text(lines: &[HistoryLine], matches: &ArgMatches) -> String {
    let labels = if matches.get_flag("n") { labels(lines) } else { vec![String::new(); lines.len()] };
    let mut text = Vec::new();
    for (line, label) in lines.iter().zip(labels) {
        let margin = format!("\n{}", " ".repeat(label.len()));
        text.push(label + &line.input.trim_end().replace('\n', &margin));
        let output = line.output.iter().filter(|_| matches.get_flag("o"));
        text.extend(output.map(|output| format!("=> {output}")));
    }
    text.join("\n")
}

/// The number of each cell, aligned; with its session where there are several.
fn labels(lines: &[HistoryLine]) -> Vec<String> {
    let several = lines.windows(2).any(|pair| pair[0].session != pair[1].session);
    let session = |line: &HistoryLine| {
        if several { format!("{}/", line.session) } else { String::new() }
    };
    let labels: Vec<String> = lines.iter().map(|line| format!("{}{}", session(line), line.line)).collect();
    let width = labels.iter().map(String::len).max().unwrap_or_default();
    labels.into_iter().map(|label| format!("{label:>width$}: ")).collect()
}

#[cfg(test)]
mod tests {
    use crate::outcome::{HistoryLine, Outcome};
    use crate::plan::{HistoryRange, HistoryStep, Plan, SessionStep};
    use crate::trial::{complaint, plan, shown};

    fn lines(sessions: [i64; 2]) -> Outcome {
        let line = |session: i64, line: i64, input: &str, output: Option<&str>| HistoryLine {
            session,
            line,
            input: input.into(),
            output: output.map(Into::into),
        };
        Outcome::History(vec![
            line(sessions[0], 9, "1 + 1", Some("2")),
            line(sessions[1], 10, "fn f() {\n}", None),
        ])
    }

    #[test]
    fn cells_are_chosen_as_in_ipython() {
        let check = |cell: &str, step: HistoryStep| {
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::History(step))), "{cell}");
        };
        let none = HistoryStep::default;
        check("%history", none());
        check("%history -l", HistoryStep { last: Some(10), ..none() });
        check("%history -l 3 -u", HistoryStep { last: Some(3), unique: true, ..none() });
        check("%history -g vec", HistoryStep { pattern: Some("*vec*".into()), ..none() });
        check("%history -g 'let *'", HistoryStep { pattern: Some("let *".into()), ..none() });
        let range = |session, start, stop| HistoryRange { session, start, stop };
        let ranges = vec![range(0, 4, Some(7)), range(-1, 1, None)];
        check("%history -no 4-6 ~1/", HistoryStep { ranges, ..none() });
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        assert_eq!(
            complaint("%history 1-3 x"),
            "13..14 `x` is no value for `RANGE`: `x` is no number of a line or a session"
        );
        assert_eq!(
            complaint("%history -l many"),
            "12..16 `many` is no value for `-l N`: invalid digit found in string"
        );
        assert_eq!(complaint("%history -n -f a.rs"), "15..19 `-n` and `-f` exclude each other");
    }

    #[test]
    fn cells_are_shown_as_asked() {
        assert_eq!(shown("%history", lines([3, 3])), "1 + 1\nfn f() {\n}");
        assert_eq!(shown("%history -no", lines([3, 3])), " 9: 1 + 1\n=> 2\n10: fn f() {\n    }");
        assert_eq!(shown("%history -n", lines([2, 3])), " 2/9: 1 + 1\n3/10: fn f() {\n      }");
        assert_eq!(shown("%history", Outcome::History(Vec::new())), "No cell was found.");
    }
}
