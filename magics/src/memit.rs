//! `%memit`: what code does to the memory.

mod places;
mod report;
#[cfg(test)]
mod tests;

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{at_least_one, is_set, value};
use crate::options::{command, flag, rest};
use crate::outcome::Outcome;
use crate::plan::{Ask, Plan, ProfileStep};
use crate::profiling::{FirstLine, Watched};
use clap::{Arg, Command};

/// More runs than these are a slip of the finger: each has all its effects.
const MOST_RUNS: u64 = 1000;

/// `%memit CODE`, `%%memit [SETUP]`.
#[derive(Debug)]
pub(crate) struct Memit;

impl Magic for Memit {
    fn name(&self) -> &'static str {
        "memit"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "run code and tell what memory it takes, to the byte"
    }

    fn options(&self) -> Command {
        command()
            .arg(runs())
            .arg(seconds(
                "t",
                "T",
                "stop looking after T seconds: exact figures need no sampling, so this says so",
            ))
            .arg(seconds(
                "i",
                "INTERVAL",
                "look every INTERVAL seconds: exact figures need no sampling, so this says so",
            ))
            .arg(flag(
                "c",
                "count processes that the code starts, too: they have heaps of their own, so this says so",
            ))
            .arg(flag("o", "give the result as a value"))
            .arg(flag("q", "show nothing"))
            .arg(rest("CODE", "what runs; behind %%memit what runs before it and is not measured"))
    }

    fn example(&self) -> &'static str {
        "%memit (0..100_000u64).map(|n| n * n).collect::<Vec<_>>()"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let watched = Watched::of(call, FirstLine::Setup).map_err(|complaint| complaint.with_usage(self))?;
        let Some(watched) = watched else {
            return if call.body.is_some() { Err(nothing(call).with_usage(self)) } else { Ok(Plan::Nothing) };
        };
        let runs = value::<u64>(&call.matches, "r").unwrap_or(1);
        Ok(Plan::Profile(Box::new(ProfileStep {
            once: watched.once_and_dropped(call),
            again: None,
            ask: Ask { heap: Some(usize::try_from(runs).unwrap_or(1)), sites: true, ..Ask::default() },
            functions: Vec::new(),
            against: None,
            quiet: is_set(&call.matches, "q"),
            result: is_set(&call.matches, "o").then(String::new),
        })))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Profiled(profiled) => report::report(call, &profiled),
            // A line without code.
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

fn nothing(call: &Call) -> Complaint {
    Complaint::new("there is nothing to measure below the first line", call.name_span.clone())
        .with_hint("what stands behind `%%memit` is its setup; `%memit` measures a line")
}

fn runs() -> Arg {
    Arg::new("r")
        .short('r')
        .value_name("R")
        .value_parser(|text: &str| match at_least_one(text) {
            Ok(runs) if runs <= MOST_RUNS => Ok(runs),
            _ => Err("it is a whole number from 1 to 1000"),
        })
        .help("run the code R times, each with all its effects, and tell the largest peak; once without this")
}

/// A number of seconds.
fn seconds(letter: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(letter)
        .short(letter.chars().next())
        .value_name(name)
        .value_parser(|text: &str| {
            let seconds: Option<f64> = text.parse().ok();
            let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
            seconds.ok_or("it is a number of seconds, such as 0.1")
        })
        .help(help)
}
