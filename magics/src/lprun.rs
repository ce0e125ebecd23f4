//! `%lprun`: which lines of a function its time goes to.

mod doubts;
mod figures;
mod report;
#[cfg(test)]
mod tests;

use crate::lines::{asked, functions};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::is_set;
use crate::options::{command, file, flag, rest};
use crate::outcome::Outcome;
use crate::plan::{Ask, Plan, ProfileStep};
use crate::profiling::{BUDGET, FirstLine, Watched};
use clap::{Arg, ArgAction, Command};

/// `%lprun -f FUNCTION CODE`, `%%lprun`.
#[derive(Debug)]
pub(crate) struct Lprun;

impl Magic for Lprun {
    fn name(&self) -> &'static str {
        "lprun"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "run code and tell which lines of functions take its time"
    }

    fn options(&self) -> Command {
        command()
            .arg(functions())
            .arg(unit())
            .arg(flag("z", "leave out lines without a figure"))
            .arg(flag("s", "the same as -z, as line_profiler once had it"))
            .arg(file("T").help("write the text to this file, too"))
            .arg(file("D").help("write the figures to this file, as JSON"))
            .arg(flag("r", "give the result as a value"))
            .arg(long(
                "wall",
                "take samples of the time on the wall, so that waiting counts, and not of the processor's",
            ))
            .arg(long(
                "no-allocs",
                "do not find out which lines allocate, which takes another run in a copy of the process",
            ))
            .arg(rest("CODE", "what runs; behind %%lprun the first of it, and the cell is the rest"))
    }

    fn example(&self) -> &'static str {
        "%%lprun\nlet squares: Vec<u64> = (0..100_000).map(|n| n * n).collect();\nlet text: Vec<String> = squares.iter().map(|n| n.to_string()).collect();"
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
        let Some(watched) = watched else { return Ok(Plan::Nothing) };
        let functions = asked(call).map_err(|complaint| complaint.with_usage(self))?;
        let ask = Ask {
            time: true,
            wall: is_set(&call.matches, "wall"),
            counts: true,
            heap: None,
            sites: !is_set(&call.matches, "no-allocs"),
        };
        Ok(Plan::Profile(Box::new(ProfileStep {
            once: watched.once(call),
            again: Some(watched.again(call, BUDGET)),
            ask,
            functions,
            against: None,
            quiet: false,
            result: is_set(&call.matches, "r").then(String::new),
        })))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Profiled(profiled) => Ok(report::report(call, &profiled)),
            // A line without code.
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

fn unit() -> Arg {
    Arg::new("u")
        .short('u')
        .value_name("UNIT")
        .value_parser(|text: &str| {
            let unit: Option<f64> = text.parse().ok();
            let unit = unit.filter(|unit| unit.is_finite() && *unit >= 1e-12 && *unit <= 1e6);
            unit.ok_or("it is a number of seconds above zero, such as 1e-3")
        })
        .help("write times in units of UNIT seconds: 1e-6 without this, 1e-3 for milliseconds")
}

fn long(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}
