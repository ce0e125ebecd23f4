//! A cell's way from its text to its end: compiled while its process starts and is copied, run, and settled.

use super::build::{Program, build};
use super::notebook::Notebook;
use super::{Native, State, holding_code, rustc};
use crate::child::{Child, Ended, Errand};
use crate::engine::surroundings::Surroundings;
use crate::engine::{Cell, Compilation, Failure, Host, Output, Ran};
use crate::session::event::StreamName;
use assay_link::native::Ending;
use assay_link::watch::Lens;
use assay_magics::plan::Build;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A cell that has been compiled, and the process that is to run it.
pub(super) struct Ready {
    pub(super) program: Program,
    pub(super) child: Child,
    /// How long it took.
    compile: Duration,
}

/// What becomes of the stop button from now on.
pub(super) struct Presses<'a> {
    button: &'a Notify,
    next: Pin<Box<Notified<'a>>>,
}

impl<'a> Presses<'a> {
    /// Made before anything is begun, no press is missed.
    pub(super) fn of(button: &'a Notify) -> Self {
        Self { button, next: registered(button) }
    }

    /// Returns when it has been pressed since this returned last.
    pub(super) async fn next(&mut self) {
        self.next.as_mut().await;
        self.next = registered(self.button);
    }
}

fn registered(button: &Notify) -> Pin<Box<Notified<'_>>> {
    let mut next = Box::pin(button.notified());
    next.as_mut().enable();
    next
}

impl Native {
    pub(super) async fn run(&self, cell: Cell, host: Arc<dyn Host>) -> Result<Ran, Failure> {
        let mut state = self.state.lock().await;
        let mut stop = Presses::of(&self.interrupted);
        let ready = self.ready(&mut state, &cell, &*host, &mut stop).await?;
        self.perform(&mut state, ready, &cell, Lens::Clear, host, &mut stop).await
    }

    /// Compiles a cell, unless that is stopped.
    pub(super) async fn ready(
        &self,
        state: &mut State,
        cell: &Cell,
        host: &dyn Host,
        stop: &mut Presses<'_>,
    ) -> Result<Ready, Failure> {
        let began = Instant::now();
        let surroundings = self.surroundings().clone();
        let built = self.built(state, cell, &surroundings, host);
        let built = tokio::select! {
            built = built => built,
            () = stop.next() => Err(Failure::Interrupted { lost: Box::default() }),
        };
        let (program, child) = built.inspect_err(|failure| self.remember(failure))?;
        let compile = began.elapsed();
        host.output(Output::Compiled(compilation(state, &program, compile)));
        let program = match cell.build {
            // What was built apart is nobody else's.
            Some(_) => Program { notebook: Notebook::clone(&state.notebook), ..program },
            None => program,
        };
        Ok(Ready { program, child, compile })
    }

    /// Runs what has been compiled, watched through this lens; the notebook is what it is afterwards.
    pub(super) async fn perform(
        &self,
        state: &mut State,
        ready: Ready,
        cell: &Cell,
        lens: Lens,
        host: Arc<dyn Host>,
        stop: &mut Presses<'_>,
    ) -> Result<Ran, Failure> {
        let Ready { program, child, compile } = ready;
        state.past.changed();
        let began = Instant::now();
        let mut interrupted = false;
        let ended = match errand(&program, cell, lens) {
            // Items are there for those who call them.
            None => Ended::Done { ending: Ending::Ok, kept: Vec::new(), value: None },
            Some(errand) => {
                let running = child.run(errand, host);
                tokio::pin!(running);
                loop {
                    tokio::select! {
                        ended = &mut running => break ended,
                        // Pressed again, the cell is not waited for.
                        () = stop.next() => {
                            interrupted = true;
                            child.interrupt();
                        }
                    }
                }
            }
        };
        let run = began.elapsed();
        let ran = self.settle(state, program, cell.number, ended, interrupted).await;
        ran.map(|mut ran| {
            if self.timing.load(Ordering::Relaxed) {
                ran.notes
                    .push(format!("took {:.1?}: {compile:.1?} to compile, {run:.1?} to run", compile + run));
            }
            Ran { compile, run, ..ran }
        })
    }

    /// Compiles a cell, while the process that is to run it starts, and makes its checkpoint.
    async fn built(
        &self,
        state: &mut State,
        cell: &Cell,
        surroundings: &Surroundings,
        host: &dyn Host,
    ) -> Result<(Program, Child), Failure> {
        let mut renewed = Vec::from_iter(self.notice(state, cell.number).await);
        renewed.extend(self.renew(state, surroundings, host).await.map_err(Failure::Trouble)?);
        let State { notebook, workshop, optimisation, style, past, .. } = state;
        let workshop = self.workshop(workshop, surroundings).await.map_err(Failure::Trouble)?;
        let apart = cell.build.clone();
        let Build { optimisation: level, target_cpu } = apart.clone().unwrap_or_default();
        workshop.toolchain.optimisation = level.or_else(|| optimisation.clone());
        workshop.toolchain.target_cpu = target_cpu;
        let notebook = match apart {
            Some(_) => {
                let mut again = Notebook::clone(notebook);
                again.units.build_again();
                Arc::new(again)
            }
            None => Arc::clone(notebook),
        };
        workshop.style = *style;
        let runtime = workshop.toolchain.clone();
        let started = async {
            let child = self.started(&runtime, surroundings).await?;
            past.stand(&child, self.checkpoints.load(Ordering::Relaxed)).await;
            if let Some(why) = past.news() {
                let text = format!(
                    "note: there is no copy of the variables to return to: {why}; a crash would lose them, and so may an interrupt\n"
                );
                host.output(Output::Stream { name: StreamName::Stderr, text });
            }
            Ok(child)
        };
        let (program, child) = tokio::join!(build(workshop, &notebook, cell), started);
        let mut program = program?;
        program.notes.splice(0..0, renewed);
        Ok((program, child.map_err(Failure::Trouble)?))
    }

    fn remember(&self, failure: &Failure) {
        if let Failure::Compile(errors) = failure {
            self.errors().clone_from(errors);
        }
    }
}

/// What the process is asked to run; none if there are only items.
pub(super) fn errand(program: &Program, cell: &Cell, lens: Lens) -> Option<Errand> {
    let entry = program.entry.as_deref()?;
    Some(Errand { floor: cell.floor, lens, ..Errand::new(&program.libraries, Some(entry)) })
}

/// How a cell was compiled, in so long.
fn compilation(state: &State, program: &Program, took: Duration) -> Compilation {
    let toolchain = state.workshop.as_ref().map(|workshop| &workshop.toolchain);
    let version = toolchain.map_or("", |toolchain| toolchain.version.as_str());
    let level = toolchain.and_then(|toolchain| toolchain.optimisation.as_deref());
    Compilation {
        took,
        compiler: version.split(" (").next().unwrap_or_default().to_owned(),
        optimisation: level.unwrap_or(rustc::USUAL_LEVEL).to_owned(),
        target_cpu: toolchain.and_then(|toolchain| toolchain.target_cpu.clone()),
        holding_code: holding_code(program),
    }
}
