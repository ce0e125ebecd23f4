//! Runs cells in which something is measured.

use super::Session;
use super::event::ErrorReport;
use super::failure;
use super::interrupt::Stopped;
use super::measuring::{self, Measuring, Verdict};
use super::perform::{Context, Fault};
use crate::engine::{Cell, Child, Diagnostic, Failure, Level, Ran};
use assay_magics::cell::{Code, Prepared};
use assay_magics::magic::Complaint;
use assay_magics::outcome::Built;
use assay_magics::plan::{CodeStep, Plan};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Session {
    /// Runs a cell in which something is measured. What is measured is shown as it comes.
    pub(super) async fn measure(
        &self,
        cell: Cell,
        magics: Vec<Prepared>,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Result<Ran, Failure>, ErrorReport> {
        let measuring = Arc::new(self.measuring(magics, context)?);
        let cell = Cell { floor: measuring.share(&self.rust_version), ..cell };
        let ran = self.stoppable(self.engine().run(cell, measuring.clone()), stopped).await;
        let Verdict { refuted, complaint, .. } = measuring.end();
        if let (Ok(_) | Err(Failure::Refuted), Some(complaint)) = (&ran, complaint) {
            return Err(self.of_complaint(&complaint, context));
        }
        match (ran, refuted) {
            (Err(Failure::Refuted), Some(refuted)) => {
                Err(failure::of_claim(refuted.name, &refuted.message, self.state().pen()))
            }
            (ran, _) => Ok(ran),
        }
    }

    /// Measures the same code under several ways to build it, each in turn, and then shows them together.
    pub(super) async fn measure_builds(
        &self,
        text: &str,
        step: CodeStep,
        prepared: Prepared,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<(), ErrorReport> {
        let span = prepared.call.name_span.clone();
        let code = Code { kept: step.kept, ..Code::default() };
        let cell = Cell { inserts: step.inserts, ..Cell::new(context.number, code.text(text).trim_end()) };
        let measuring = Arc::new(self.measuring(vec![prepared], context)?.collecting());
        let mut builds = Vec::new();
        let mut failed = None;
        for build in step.builds {
            let floor = measuring.share(&self.rust_version);
            let cell = Cell { build: Some(build.clone()), floor, ..cell.clone() };
            let ran = self.stoppable(self.engine().run(cell, measuring.clone()), stopped).await;
            if let Some((measured, holding_code)) = measuring.collected() {
                builds.push(Built { build, measured, holding_code });
            }
            if let Err(failure) = ran {
                failed = Some(failure);
                break;
            }
        }
        if !builds.is_empty() {
            measuring.report(builds);
        }
        let complaint = measuring.end().complaint;
        if let Some(failure) = failed {
            return Err(self.word(Fault::Engine(failure), context.number, span));
        }
        complaint.map_or(Ok(()), |complaint| Err(self.of_complaint(&complaint, context)))
    }

    /// What hears of these magics' measurements. Nothing has run if there cannot be such.
    pub(super) fn measuring(
        &self,
        magics: Vec<Prepared>,
        context: &Context,
    ) -> Result<Measuring, ErrorReport> {
        let folder = self.state().surroundings.folder().to_owned();
        let (mut all, mut kept) = (Vec::new(), BTreeSet::new());
        for prepared in magics {
            let refused = |message, hint: &str| {
                let fault = Fault::Refused { message, hint: Some(hint.to_owned()) };
                Err(self.word(fault, context.number, prepared.call.name_span.clone()))
            };
            if !self.engine().measures() {
                let message = format!("the {} engine cannot measure", self.engine().name());
                return refused(message, "`%engine native` changes to the one that can");
            }
            // What the cell itself keeps is there by then.
            if let Some(name) = measuring::against(&prepared.plan).filter(|name| !kept.contains(*name))
                && let Err(error) = measuring::read(&folder, name)
            {
                return refused(error, "`--save NAME` keeps a result under a name");
            }
            if let Plan::Code(step) = &prepared.plan {
                kept.extend(step.keep.clone());
            }
            all.push(prepared);
        }
        let measuring = Measuring::new(
            Arc::clone(&self.stage),
            all,
            Arc::clone(&self.floor),
            self.processor.clone(),
            folder,
        );
        Ok(if context.on_page { measuring } else { measuring.quietly() })
    }

    /// The report of something that could not be reported.
    pub(super) fn of_complaint(&self, complaint: &Complaint, context: &Context) -> ErrorReport {
        let state = self.state();
        failure::of_magic(complaint, context.number, &state.sources, state.pen())
    }
}

/// What is measured runs often, so it cannot give away what is there once.
pub(super) fn explain_move(failure: &mut Failure) {
    let Failure::Compile(diagnostics) = failure else { return };
    let moves = |one: &&mut Diagnostic| {
        one.code.as_deref().is_some_and(|code| ["E0507", "E0382", "E0525"].contains(&code))
    };
    if let Some(first) = diagnostics.iter_mut().find(moves) {
        let message =
            "what is measured runs many times: with `--each 'let mut x = …;'` it has a fresh value each time";
        first.children.push(help(message.to_owned()));
    }
}

/// A help of ours.
pub(super) fn help(message: String) -> Child {
    Child { level: Level::Help, message, spans: Vec::new(), suggestions: Vec::new() }
}
