//! `%compare`: which of several pieces of code is faster, if that can be told.

mod blocks;
mod report;
#[cfg(test)]
mod tests;

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{clocks, common, counts, results};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::race::Race;
use crate::rust::Text;
use clap::Command;

/// `%compare A vs B`, `%%compare` with labelled blocks.
#[derive(Debug)]
pub(crate) struct Compare;

impl Magic for Compare {
    fn name(&self) -> &'static str {
        "compare"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "measure pieces of code in turns, compare their results, and tell which is faster"
    }

    fn options(&self) -> Command {
        let help = "A vs B [vs C]; behind %%compare setup, and the cell has blocks with labels: 'one: { … }";
        command().args(counts()).args(clocks()).args(common()).args(results()).arg(rest("CODE", help))
    }

    fn example(&self) -> &'static str {
        "%%compare\nlet numbers: Vec<u64> = (0..1000).collect();\n\
         'iterator: { numbers.iter().sum::<u64>() }\n\
         'index: { let mut sum = 0; for i in 0..numbers.len() { sum += numbers[i]; } sum }"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let race = race(call).map_err(|complaint| complaint.with_usage(self))?;
        Ok(Plan::Code(race.expand(call, None, true)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Measured(measurement) => report::report(call, &race(call)?, &measurement),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

fn race(call: &Call) -> Result<Race, Complaint> {
    let text = Text::new(&call.rest, call.rest_span.start);
    if call.body.is_some() {
        return blocks::race(call);
    }
    Race::of_line(&text, "vs")?.ok_or_else(|| {
        Complaint::new("there is nothing to compare: `vs` stands between two pieces of code", call.about())
            .with_hint("`%compare a() vs b()`; longer code goes into the labelled blocks of `%%compare`")
    })
}
