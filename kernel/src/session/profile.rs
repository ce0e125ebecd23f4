//! Runs code that is watched while it runs, and shows what was found out about it.

use super::Session;
use super::event::ErrorReport;
use super::interrupt::Stopped;
use super::measuring::Verdict;
use super::perform::{Context, Fault};
use crate::engine::{Cell, Failure, Profiling};
use assay_magics::cell::{Code, Prepared};
use assay_magics::magic::Complaint;
use assay_magics::nearest::nearest;
use assay_magics::plan::{CodeStep, ProfileStep};
use assay_magics::profiled::STATEMENTS;
use assay_magics::render::Bundle;
use std::ops::Range;
use std::sync::Arc;

impl Session {
    /// Runs code that is watched, and shows its profile; then, if it failed, why. Gives the value that was asked for, if it is to be the cell's.
    pub(super) async fn profile(
        &self,
        text: &str,
        step: ProfileStep,
        prepared: Prepared,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Option<Bundle>, ErrorReport> {
        let span = prepared.call.name_span.clone();
        let measuring = self.measuring(vec![prepared], context)?;
        let measuring = Arc::new(if step.quiet { measuring.quietly() } else { measuring });
        let cell = |step: CodeStep| {
            let code = Code { kept: step.kept, ..Code::default() };
            Cell { inserts: step.inserts, ..Cell::new(context.number, code.text(text).trim_end()) }
        };
        let (once, again) = (cell(step.once), step.again.map(cell));
        self.check_functions(&step.functions, &once, context).await?;
        let functions = step.functions.into_iter().map(|(name, _)| name).collect();
        let what = Profiling { once, again, ask: step.ask, functions };
        let (profiled, ran) = self.stoppable(self.engine().profile(what, measuring.clone()), stopped).await;
        let begun = profiled.is_some();
        if let Some(profiled) = profiled {
            measuring.profiled(profiled);
        }
        let Verdict { complaint, value, .. } = measuring.end();
        if let Ok(ran) = &ran {
            self.tell_remarks(ran);
        }
        let word = |failure| self.word(Fault::Engine(failure), context.number, span.clone());
        ran.map_err(word)?;
        if let Some(complaint) = complaint {
            return Err(self.of_complaint(&complaint, context));
        }
        if !begun {
            let complaint = Complaint::new("nothing of it was watched: it ended before it began", span);
            return Err(self.of_complaint(&complaint, context));
        }
        self.make_value(step.result, value, stopped).await.map_err(word)
    }

    /// Makes the value that was asked for, behind what stands before it: a variable, or the cell's value, which it gives.
    async fn make_value(
        &self,
        result: Option<String>,
        value: Option<String>,
        stopped: &Stopped,
    ) -> Result<Option<Bundle>, Failure> {
        let (Some(before), Some(value)) = (result, value) else { return Ok(None) };
        let end = if before.is_empty() { "" } else { ";" };
        Ok(self.run_hidden(format!("{before} {value}{end}"), stopped).await?.value)
    }

    /// Refuses the first name that no function has, before anything runs.
    async fn check_functions(
        &self,
        names: &[(String, Range<usize>)],
        cell: &Cell,
        context: &Context,
    ) -> Result<(), ErrorReport> {
        if names.is_empty() {
            return Ok(());
        }
        let known = self.engine().functions(cell.clone()).await;
        // The statements of a cell have no name, and are always there.
        let mut asked = names.iter().filter(|(name, _)| name != STATEMENTS);
        match asked.find(|(name, _)| !known.iter().any(|function| is_called(function, name))) {
            Some((name, span)) => Err(self.of_complaint(&unknown(name, span.clone(), &known), context)),
            None => Ok(()),
        }
    }
}

/// Whether a function is meant by this name: its own, or the end of it.
fn is_called(function: &str, name: &str) -> bool {
    function.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

fn unknown(name: &str, span: Range<usize>, known: &[String]) -> Complaint {
    let last = |function: &str| function.rsplit("::").next().unwrap_or_default().to_owned();
    let by_its_end = || {
        let ends: Vec<String> = known.iter().map(|function| last(function)).collect();
        let end = nearest(&last(name), ends.iter().map(String::as_str))?.to_owned();
        known.iter().find(|function| last(function) == end)
    };
    let near = nearest(name, known.iter().map(String::as_str)).or_else(|| by_its_end().map(String::as_str));
    let complaint = Complaint::new(format!("there is no function `{name}`"), span);
    complaint.with_hint(match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "functions of cells and of crates on this machine can be asked for, as they are written where they are defined: `fib`, `Grid::step`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{is_called, unknown};

    #[test]
    fn a_function_is_called_by_the_end_of_its_path() {
        let check = |function: &str, name: &str, expected: bool| {
            assert_eq!(is_called(function, name), expected, "{function} {name}");
        };
        check("fib", "fib", true);
        check("Grid::step", "step", true);
        check("Grid::step", "Grid::step", true);
        check("a::Grid::step", "Grid::step", true);
        check("misstep", "step", false);
        check("fib", "Grid::fib", false);
    }

    #[test]
    fn the_nearest_name_is_offered() {
        let known = ["fib", "Grid::step"].map(str::to_owned);
        let check = |name: &str, expected: &str| {
            let complaint = unknown(name, 3..5, &known);
            assert_eq!(complaint.message, format!("there is no function `{name}`"));
            assert!(complaint.hint.unwrap().contains(expected), "{name}");
        };
        check("fibb", "`fib`?");
        check("stpe", "`Grid::step`?");
        check("Grid::stop", "`Grid::step`?");
        check("unlike", "can be asked for");
    }
}
