//! `%%complexity`: how the cost of code grows with the size of its input.

mod report;
mod sizes;
#[cfg(test)]
mod tests;
mod verdict;

use crate::expansion::{Expansion, WHILE_TURNS, id, running};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{clocks, common, literal};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{CodeStep, Plan};
use crate::rust::{self, Snippet, Text};
use clap::{Arg, ArgAction, Command};
use sizes::Sizes;

/// `%%complexity n=16..65536 [SETUP]`.
#[derive(Debug)]
pub(crate) struct Complexity;

impl Magic for Complexity {
    fn name(&self) -> &'static str {
        "complexity"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn summary(&self) -> &'static str {
        "measure code at growing sizes and tell how its cost grows: O(n), O(n log n), …"
    }

    fn options(&self) -> Command {
        let memory = Arg::new("memory").long("memory").action(ArgAction::SetTrue);
        let help = "n=16..65536 (doubling, one less than powers of two), n=1000..10000 by 1000, or n=10,20,50; then untimed setup, which may use n";
        command()
            .args(clocks())
            .args(common())
            .arg(memory.help("count the bytes that are allocated, instead of the time"))
            .arg(rest("SIZES [SETUP]", help))
    }

    fn example(&self) -> &'static str {
        "%%complexity n=16..65536 let v: Vec<usize> = (0..n).collect();\nv.iter().filter(|x| *x % 3 == 0).count()"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let sweep = Sweep::of(call).map_err(|complaint| complaint.with_usage(self))?;
        Ok(Plan::Code(sweep.expand(call)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Measured(measurement) => Ok(report::report(call, &Sweep::of(call)?, &measurement)),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// The pieces of a call.
struct Sweep {
    sizes: Sizes,
    setup: Option<Snippet>,
    body: Snippet,
}

impl Sweep {
    fn of(call: &Call) -> Result<Self, Complaint> {
        let text = Text::new(&call.rest, call.rest_span.start);
        let sizes = Sizes::of(&text, call)?;
        let setup = text.part(sizes.end..text.span().end).setup()?;
        let body = rust::body(call)?.ok_or_else(|| {
            Complaint::new("there is nothing to measure below the first line", call.name_span.clone())
        })?;
        Ok(Self { sizes, setup, body })
    }

    fn expand(&self, call: &Call) -> CodeStep {
        let mut code = Expansion::default();
        let (id, options) = (id(call), literal(&call.matches, None));
        let sizes = self.sizes.all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let start = self.setup.as_ref().map_or(self.body.span.start, |setup| setup.span.start);
        code.insert(
            start,
            format!(
                "{{ let mut assay_meter = ::assay::measure::Meter::sweep({id}, {options}, &[{sizes}]); \
                 while let ::core::option::Option::Some(assay_size) = assay_meter.size() {{ \
                 let {}: usize = assay_size; ",
                self.sizes.name
            ),
        );
        if let Some(setup) = &self.setup {
            code.keep_as_statements(setup);
        }
        let (before, after) = running(self.body.flow, "run", "");
        code.insert(self.body.span.start, format!("{WHILE_TURNS}{before}"));
        code.keep_measured(&self.body);
        code.insert(self.body.span.end, format!("{after}; }} }} assay_meter.end(); }}"));
        code.finish(false)
    }
}
