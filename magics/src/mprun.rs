//! `%mprun`: what the lines of a function do to the heap.

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
use crate::profiling::{FirstLine, Watched};
use clap::Command;

/// `%mprun -f FUNCTION CODE`, `%%mprun`.
#[derive(Debug)]
pub(crate) struct Mprun;

impl Magic for Mprun {
    fn name(&self) -> &'static str {
        "mprun"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "run code and tell which lines of functions allocate and free, to the byte"
    }

    fn options(&self) -> Command {
        command()
            .arg(functions())
            .arg(file("T").help("write the text to this file, too"))
            .arg(flag(
                "c",
                "count processes that the code starts, too: they have heaps of their own, so this says so",
            ))
            .arg(flag("r", "give the result as a value"))
            .arg(rest("CODE", "what runs; behind %%mprun the first of it, and the cell is the rest"))
    }

    fn example(&self) -> &'static str {
        "%%mprun\nlet squares: Vec<u64> = (0..100_000).map(|n| n * n).collect();\nlet text: Vec<String> = squares.iter().map(|n| n.to_string()).collect();"
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
        Ok(Plan::Profile(Box::new(ProfileStep {
            once: watched.once_and_dropped(call),
            again: None,
            ask: Ask { counts: true, heap: Some(1), sites: true, ..Ask::default() },
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
