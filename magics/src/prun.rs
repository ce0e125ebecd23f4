//! `%prun`: where the time of code goes, by function.

mod export;
mod figures;
mod firefox;
mod operators;
mod order;
mod report;
mod saved;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod value;

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{is_set, name_of_result, value as option};
use crate::options::{command, file, flag, rest};
use crate::outcome::Outcome;
use crate::plan::{Ask, Plan, ProfileStep};
use crate::profiling::{BUDGET, FirstLine, Watched};
use clap::{Arg, ArgAction, Command};
use order::{Key, Limit};

/// `%prun [options] CODE`, `%%prun [options] [STATEMENT]`.
#[derive(Debug)]
pub(crate) struct Prun;

impl Magic for Prun {
    fn name(&self) -> &'static str {
        "prun"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "profile code: how often functions are called, and where the time goes"
    }

    fn options(&self) -> Command {
        let code = rest("CODE", "what is profiled; behind %%prun a statement that the cell follows");
        command().args(of_the_table()).args(of_files()).args(of_the_run()).args(kept_profiles()).arg(code)
    }

    fn example(&self) -> &'static str {
        "%prun (1..=2_000_000u64).map(|n| n.wrapping_mul(n) % 7).sum::<u64>()"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let watched =
            Watched::of(call, FirstLine::Watched).map_err(|complaint| complaint.with_usage(self))?;
        check_files(call).map_err(|complaint| complaint.with_usage(self))?;
        let Some(watched) = watched else {
            if call.body.is_none() {
                return Ok(Plan::Nothing);
            }
            let nothing =
                Complaint::new("there is nothing to profile below the first line", call.name_span.clone());
            return Err(nothing.with_hint("`%prun` profiles a line").with_usage(self));
        };
        let ask = Ask { time: true, wall: is_set(&call.matches, "wall"), counts: true, ..Ask::default() };
        Ok(Plan::Profile(Box::new(ProfileStep {
            once: watched.once(call),
            again: Some(watched.again(call, BUDGET)),
            ask,
            functions: Vec::new(),
            against: option::<String>(&call.matches, "diff"),
            quiet: is_set(&call.matches, "q"),
            result: is_set(&call.matches, "r").then(String::new),
        })))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Profiled(profiled) => match Watched::of(call, FirstLine::Watched)? {
                Some(watched) => report::report(call, &watched, &profiled),
                None => Ok(Report::default()),
            },
            // A line without code.
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// `-l`, `-s`, `-a`.
fn of_the_table() -> [Arg; 3] {
    [
        Arg::new("l")
            .short('l')
            .value_name("LIMIT")
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .value_parser(Limit::read)
            .help("show no more than so many lines (10), this part of them (0.25), or those that match a pattern (fib); several apply in order"),
        Arg::new("s")
            .short('s')
            .value_name("KEY")
            .action(ArgAction::Append)
            .value_parser(Key::named)
            .help("sort by calls, cumulative, file, line, module, name, nfl, pcalls, stdname or time; it is time without this"),
        flag("a", "show every function that was seen, also those of libraries with little time of their own"),
    ]
}

/// `-T`, `-D`, `--format`.
fn of_files() -> [Arg; 3] {
    [
        file("T").help("write what is shown to a text file"),
        file("D").help("write the profile to a file: .json for profiler.firefox.com, .folded, .collapsed or .txt for flame graph tools"),
        Arg::new("format")
            .long("format")
            .value_name("FORMAT")
            .value_parser(["firefox", "collapsed"])
            .requires("D")
            .help("the form of the file of -D, where its name does not say it"),
    ]
}

/// `-q`, `-r`, `--wall`.
fn of_the_run() -> [Arg; 3] {
    [
        flag("q", "show nothing"),
        flag("r", "give the profile as a value"),
        Arg::new("wall")
            .long("wall")
            .action(ArgAction::SetTrue)
            .help("follow the time on the wall: threads that sleep or wait are seen where they do"),
    ]
}

/// `--save`, `--diff`.
fn kept_profiles() -> [Arg; 2] {
    let named =
        |name: &'static str| Arg::new(name).long(name).value_name("NAME").value_parser(name_of_result);
    [
        named("save").help("keep the profile under this name, in .assay/NAME.json"),
        named("diff").help("compare with the profile that was kept under this name"),
    ]
}

/// The form of a file is known before anything runs.
fn check_files(call: &Call) -> Result<(), Complaint> {
    let Some(path) = option::<String>(&call.matches, "D") else { return Ok(()) };
    if call.matches.contains_id("format") || export::format_of(&path).is_some() {
        return Ok(());
    }
    let span = call.span_of("D").unwrap_or_else(|| call.about());
    Err(Complaint::new(format!("the name of `{path}` does not say in which form it is to be"), span)
        .with_hint(
            "`.json` is for profiler.firefox.com, `.folded` is collapsed stacks; or say `--format firefox`",
        ))
}
