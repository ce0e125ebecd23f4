//! `%timeit`: how long code takes, run as often as it takes to be sure.

mod builds;
mod each;
mod report;
#[cfg(test)]
mod tests;

use crate::expansion::{Expansion, WHILE_TURNS, id, running};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{
    at_least_one, clocks, common, counts, literal, name_of_result, processor, results, value,
};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{Build, CodeStep, Plan};
use crate::rust::{self, Snippet};
use clap::{Arg, ArgAction, Command};
use each::Each;

/// `%timeit [options] CODE`, `%%timeit [options] [SETUP]`.
#[derive(Debug)]
pub(crate) struct Timeit;

impl Magic for Timeit {
    fn name(&self) -> &'static str {
        "timeit"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "measure how long code takes, running it many times"
    }

    fn options(&self) -> Command {
        let code =
            rest("CODE", "what is timed; behind %%timeit what runs once before it, and the cell is timed");
        command()
            .args(counts())
            .args(clocks())
            .args(common())
            .args(results())
            .args(units_of_work())
            .arg(each())
            .arg(threads())
            .args(options_of_builds())
            .args(kept_results())
            .arg(code)
    }

    fn example(&self) -> &'static str {
        "%timeit (1..=20u64).product::<u64>()"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let Some(parts) = Parts::of(call).map_err(|complaint| complaint.with_usage(self))? else {
            return Ok(Plan::Nothing);
        };
        let builds = chosen_builds(call);
        let against = value::<String>(&call.matches, "against");
        let keep = value::<String>(&call.matches, "save");
        Ok(Plan::Code(CodeStep { builds, against, keep, ..parts.expand(call) }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Measured(measurement) if measurement.builds.is_empty() => {
                report::report(call, &measurement)
            }
            Outcome::Measured(measurement) => builds::report(call, &measurement),
            // A line without code.
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// `--items`, `--bytes`.
fn units_of_work() -> [Arg; 2] {
    let work = |name: &'static str| Arg::new(name).long(name).value_name("N").value_parser(at_least_one);
    [
        work("items")
            .conflicts_with("bytes")
            .help("each loop handles N items: show how many that are in a second"),
        work("bytes").help("each loop handles N bytes: show how many that are in a second"),
    ]
}

fn each() -> Arg {
    let help = "run SETUP before each loop, untimed; the code may change or use up what its lets bind";
    Arg::new("each").long("each").value_name("'SETUP'").help(help)
}

fn threads() -> Arg {
    let help = "run the code on N threads at once";
    let threads = Arg::new("threads").long("threads").value_name("N").conflicts_with("each");
    threads
        .value_parser(|text: &str| match at_least_one(text) {
            Ok(count) if count <= 1024 => Ok(count),
            _ => Err("it is a whole number from 1 to 1024"),
        })
        .help(help)
}

/// `--opt`, `--target-cpu`.
fn options_of_builds() -> [Arg; 2] {
    let several = |name: &'static str, value: &'static str| {
        let argument = Arg::new(name).long(name).value_name(value).action(ArgAction::Append);
        argument.value_delimiter(',').conflicts_with_all(["o", "v", "save", "against"])
    };
    [
        several("opt", "LEVEL")
            .value_parser(["0", "1", "2", "3", "s", "z"])
            .help("build it at this level of optimisation; several (--opt 0,3) make a table"),
        several("target-cpu", "CPU")
            .value_parser(processor)
            .help("build it for this processor, for instance native; several make a table"),
    ]
}

/// `--save`, `--against`.
fn kept_results() -> [Arg; 2] {
    let named =
        |name: &'static str| Arg::new(name).long(name).value_name("NAME").value_parser(name_of_result);
    [
        named("save").help("keep the result under this name, in .assay/NAME.json"),
        named("against").help("compare with the result that was kept under this name"),
    ]
}

/// Each combination of a level and a processor.
fn chosen_builds(call: &Call) -> Vec<Build> {
    let chosen = |id| -> Vec<Option<String>> {
        let all: Vec<Option<String>> =
            call.matches.get_many::<String>(id).into_iter().flatten().cloned().map(Some).collect();
        if all.is_empty() { vec![None] } else { all }
    };
    let mut builds = Vec::new();
    for optimisation in chosen("opt") {
        for target_cpu in chosen("target-cpu") {
            let build = Build { optimisation: optimisation.clone(), target_cpu };
            if build != Build::default() && !builds.contains(&build) {
                builds.push(build);
            }
        }
    }
    builds
}

/// The pieces of Rust in a call.
struct Parts {
    /// Runs once, before everything.
    setup: Option<Snippet>,
    /// Runs before each loop.
    each: Option<Each>,
    /// Is timed.
    body: Snippet,
}

impl Parts {
    /// None for a line without code.
    fn of(call: &Call) -> Result<Option<Self>, Complaint> {
        let (setup, body) = match &call.body {
            None => (None, rust::argument(call)?),
            Some(_) => (rust::setup(call)?, Some(rust::body(call)?.ok_or_else(|| nothing_to_time(call))?)),
        };
        let Some(body) = body else { return Ok(None) };
        let parts = Self { setup, each: Each::of(call)?, body };
        parts.check(call)?;
        Ok(Some(parts))
    }

    /// What cannot be together.
    fn check(&self, call: &Call) -> Result<(), Complaint> {
        let option = if self.each.is_some() {
            "each"
        } else if call.matches.contains_id("threads") {
            "threads"
        } else {
            return Ok(());
        };
        let flow = self.body.flow;
        let place = call.span_of(option).unwrap_or_else(|| call.about());
        let refuse = |sign: &str, hint: &str| {
            let message = format!("code with `{sign}` cannot be timed with `--{option}`");
            Err(Complaint::new(message, place.clone()).with_hint(hint))
        };
        if flow.awaits {
            return refuse(".await", "time it without the option, or block on the future within the code");
        }
        if flow.question && option == "threads" {
            return refuse("?", "use `.unwrap()` there");
        }
        Ok(())
    }

    fn expand(&self, call: &Call) -> CodeStep {
        let has_value = call.matches.get_flag("o");
        let name = value::<String>(&call.matches, "v");
        let is_wanted = has_value || name.is_some();
        // As in IPython, a semicolon at the end keeps a value from being shown.
        let is_hidden = has_value && self.body.ended && call.body.is_none();
        let open = name.as_ref().map_or_else(String::new, |name| format!("let {name} = "));
        let close = if name.is_some() || is_hidden { ";" } else { "" };
        let mut code = Expansion::default();
        code.insert(self.start(), format!("{open}{{ "));
        if let Some(setup) = &self.setup {
            code.keep_as_statements(setup);
        }
        let end = self.measure(call, &mut code);
        let discard = if is_wanted { "" } else { ";" };
        code.insert(self.body.span.end, format!("{end}{discard} }}{close}"));
        code.finish(has_value)
    }

    /// Where the first of the pieces begins.
    fn start(&self) -> usize {
        let setup = self.setup.as_ref().map(|setup| setup.span.start);
        let each = self.each.as_ref().and_then(Each::kept_from);
        each.or(setup).unwrap_or(self.body.span.start)
    }

    /// Everything up to the code that is timed, and that; what comes out ends it and gives the result.
    fn measure(&self, call: &Call, code: &mut Expansion) -> &'static str {
        let options = literal(&call.matches, None);
        let (id, at) = (id(call), self.body.span.start);
        if let Some(threads) = value::<u64>(&call.matches, "threads") {
            code.insert(at, format!("::assay::measure::on_threads({id}, {options}, {threads}, &|| {{ "));
            code.keep_measured(&self.body);
            return " })";
        }
        let meter = format!("let mut assay_meter = ::assay::measure::Meter::new({id}, {options}); ");
        if let Some(each) = &self.each {
            each.surround(&self.body, &meter, code);
        } else {
            let (before, after) = running(self.body.flow, "run", "");
            code.insert(at, format!("{meter}{WHILE_TURNS}{before}"));
            code.keep_measured(&self.body);
            code.insert(self.body.span.end, after);
        }
        "; } assay_meter.end()"
    }
}

/// The code that is timed, as it stands in the cell.
fn code_of(call: &Call) -> Result<String, Complaint> {
    let parts = Parts::of(call)?;
    Ok(parts.map_or_else(String::new, |parts| rust::source(call, &parts.body.span)))
}

fn nothing_to_time(call: &Call) -> Complaint {
    Complaint::new("there is nothing to time below the first line", call.name_span.clone())
        .with_hint("what stands behind `%%timeit` is its setup; `%timeit` times a line")
}
