//! The native engine: an incremental compiler for notebooks, straight to rustc.
//!
//! A cell passes through stages, each a module with one type in and one out:
//! [`split`] takes it apart, [`place`] finds the crate of its items, [`prelude`] brings what it mentions into scope, [`entry`] and [`generate`] write the crate,
//! [`rustc`] compiles it, [`types`] reads what the variables are, [`adjust`] learns from what the compiler says about text of ours, [`diagnose`] puts the rest on the
//! user's own text. [`build`] is the way through them. What has compiled runs in a process of its own ([`crate::child`]), and [`notebook`] is what stays.

mod addition;
mod adjust;
mod anatomy;
mod assist;
mod awaits;
mod build;
mod calls;
mod commands;
mod dependencies;
mod diagnose;
mod entry;
mod generate;
mod identity;
mod idle;
mod items;
mod macros;
mod mentions;
mod notebook;
mod place;
mod prelude;
mod program;
mod publish;
mod relink;
mod rustc;
mod source;
mod split;
mod statics;
mod supersede;
#[cfg(test)]
mod tests;
mod tokens;
mod toolchain;
mod types;
mod units;

use super::evcxr::Evcxr;
use super::surroundings::Surroundings;
use super::{Cell, Diagnostic, Engine, Failure, Host, Lost, Ran, Trouble, folder};
use crate::child::{Child, Ended, Setup};
use crate::session::reply::{CompleteReply, InspectReply};
use assay_link::native::{Ending, Kept};
use assay_magics::outcome::Variable;
use assay_magics::render::Bundle;
use assist::Assistant;
use build::{Program, Workshop, build};
use dependencies::Dependencies;
use entry::Style;
use futures::FutureExt;
use futures::future::BoxFuture;
use notebook::{Gone, Notebook};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;
use toolchain::Toolchain;

/// The engine.
pub(crate) struct Native {
    /// The program that runs cells.
    program: PathBuf,
    cache: PathBuf,
    surroundings: Mutex<Surroundings>,
    /// Whoever holds it works on the notebook.
    state: tokio::sync::Mutex<State>,
    /// The process that runs cells, for those who do not wait for the notebook.
    child: Mutex<Option<Child>>,
    /// Ends what is under way.
    interrupted: Notify,
    /// The errors of the last cell that did not compile, for those who ask about them.
    errors: Mutex<Vec<Diagnostic>>,
    /// Whether each cell tells how long it took.
    timing: AtomicBool,
    /// Completes and explains, also while a cell runs.
    assistant: Assistant,
}

#[derive(Default)]
struct State {
    notebook: Arc<Notebook>,
    workshop: Option<Workshop>,
    dependencies: Dependencies,
    /// The level at which cells are optimised, if the user chose one.
    optimisation: Option<String>,
    /// How values are shown.
    style: Style,
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(workshop) = &self.workshop {
            folder::remove(&workshop.folder);
        }
    }
}

impl Native {
    /// An engine that starts nothing yet: then it starts `program`, compiles below `cache`, and its cells begin in `folder` with this whole
    /// environment. It asks `analyzer`, which is its own, about text.
    pub(crate) fn new(
        program: PathBuf,
        cache: PathBuf,
        folder: PathBuf,
        environment: BTreeMap<String, String>,
        analyzer: Evcxr,
    ) -> Self {
        Self {
            program,
            cache,
            surroundings: Mutex::new(Surroundings { environment, folder }),
            state: tokio::sync::Mutex::default(),
            child: Mutex::default(),
            interrupted: Notify::new(),
            errors: Mutex::default(),
            timing: AtomicBool::new(false),
            assistant: Assistant::new(analyzer),
        }
    }

    async fn run(&self, cell: Cell, host: Arc<dyn Host>) -> Result<Ran, Failure> {
        let mut state = self.state.lock().await;
        // Registered before anything is begun, so that no press of the button is missed.
        let stop = self.interrupted.notified();
        tokio::pin!(stop);
        stop.as_mut().enable();
        let began = Instant::now();
        let surroundings = self.surroundings().clone();
        let built = async {
            let mut renewed = Vec::from_iter(self.bury(&mut state, cell.number).await);
            renewed.extend(self.renew(&mut state, &surroundings, &*host).await.map_err(Failure::Trouble)?);
            let State { notebook, workshop, optimisation, style, .. } = &mut *state;
            let workshop = self.workshop(workshop, &surroundings).await.map_err(Failure::Trouble)?;
            workshop.toolchain.optimisation.clone_from(optimisation);
            workshop.style = *style;
            let runtime = workshop.toolchain.clone();
            // The process starts, and makes its checkpoint, while rustc works.
            let (program, child) =
                tokio::join!(build(workshop, notebook, &cell), self.with_checkpoint(&runtime, &surroundings));
            let mut program = program?;
            program.notes.splice(0..0, renewed);
            let (child, unsaved) = child.map_err(Failure::Trouble)?;
            Ok::<_, Failure>((program, child, unsaved))
        };
        let (program, child, unsaved) = tokio::select! {
            built = built => built.inspect_err(|failure| self.remember(failure))?,
            () = &mut stop => return Err(Failure::Interrupted { lost: Lost::default() }),
        };
        let compile = began.elapsed();
        let settling = Settling { before: Arc::clone(&state.notebook), program };
        let libraries = settling.program.libraries.clone();
        let began = Instant::now();
        let mut interrupted = false;
        let ended = match settling.program.entry.clone() {
            // Items are there for those who call them.
            None => Ended::Done { ending: Ending::Ok, kept: Vec::new(), value: None },
            Some(entry) => {
                let running = child.run(&libraries, Some(&entry), host);
                tokio::pin!(running);
                tokio::select! {
                    ended = &mut running => ended,
                    () = &mut stop => {
                        interrupted = true;
                        child.interrupt();
                        running.await
                    }
                }
            }
        };
        let run = began.elapsed();
        if !child.alive() {
            self.child().take();
        }
        let (notebook, ran) = settling.settle(cell.number, ended, interrupted, unsaved);
        self.settled(&mut state, Arc::new(notebook));
        ran.map(|mut ran| {
            if self.timing.load(Ordering::Relaxed) {
                ran.notes
                    .push(format!("took {:.1?}: {compile:.1?} to compile, {run:.1?} to run", compile + run));
            }
            Ran { compile, run, ..ran }
        })
    }

    fn remember(&self, failure: &Failure) {
        if let Failure::Compile(errors) = failure {
            self.errors().clone_from(errors);
        }
    }

    /// The workshop, made if there is none.
    async fn workshop<'a>(
        &self,
        workshop: &'a mut Option<Workshop>,
        surroundings: &Surroundings,
    ) -> Result<&'a mut Workshop, Trouble> {
        let made = match workshop.take() {
            // Somebody may have emptied the cache.
            Some(made) if made.folder.is_dir() && made.toolchain.is_there() => made,
            _ => {
                let toolchain =
                    Toolchain::prepare(&surroundings.environment, &surroundings.folder, &self.cache).await?;
                let folder =
                    folder::create(&self.cache, "native-", std::process::id()).map_err(|error| Trouble {
                        what: format!("no folder for cells can be made in {}: {error}", self.cache.display()),
                        remedy: Some(
                            "make room there, or make it writable; XDG_CACHE_HOME names another place"
                                .to_owned(),
                        ),
                    })?;
                Workshop { toolchain, linked: Arc::default(), folder, made: 0, style: Style::default() }
            }
        };
        Ok(workshop.insert(made))
    }

    /// The process that runs cells, started if there is none.
    async fn started(&self, toolchain: &Toolchain, surroundings: &Surroundings) -> Result<Child, Trouble> {
        if let Some(child) = self.child().clone().filter(Child::alive) {
            return Ok(child);
        }
        let setup = Setup {
            program: self.program.clone(),
            runtime: toolchain.runtime.clone(),
            libraries: toolchain.libraries.clone(),
            environment: surroundings.environment.clone(),
            folder: surroundings.folder.clone(),
        };
        let child = Child::start(&setup).await?;
        self.child().replace(child.clone());
        Ok(child)
    }

    /// Takes note of a process that has ended since the last cell, as a thread of the user's can do: what there is to say about it.
    async fn bury(&self, state: &mut State, cell: u32) -> Option<String> {
        let dead = self.child().take_if(|child| !child.alive())?;
        let cause = dead.gone().await;
        let mut notebook = Notebook::clone(&state.notebook);
        let lost = lose_all(&mut notebook, &state.notebook, cell);
        self.settled(state, Arc::new(notebook));
        let names = lost.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let gone = if names.is_empty() { String::new() } else { format!("; gone with it: {names}") };
        Some(format!("the process that runs the cells ended after the last one: {cause}{gone}"))
    }

    /// The same, with a checkpoint to return to; or the reason why there is none.
    async fn with_checkpoint(
        &self,
        toolchain: &Toolchain,
        surroundings: &Surroundings,
    ) -> Result<(Child, Option<String>), Trouble> {
        let child = self.started(toolchain, surroundings).await?;
        let unsaved = child.checkpoint().await.err();
        Ok((child, unsaved))
    }

    async fn forget(&self, names: Vec<String>) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        let mut notebook = Notebook::clone(&state.notebook);
        notebook.variables.retain(|name, _| !names.contains(name));
        self.settled(&mut state, Arc::new(notebook));
        let child = self.child().clone();
        match child {
            Some(child) => child.drop_variables(names).await,
            None => Ok(()),
        }
    }

    async fn reset(&self) {
        let mut state = self.state.lock().await;
        self.settled(&mut state, Arc::default());
        state.dependencies.clear();
        let child = self.child().take();
        if let Some(child) = child {
            child.kill().await;
        }
    }

    async fn variables(&self) -> Vec<Variable> {
        let state = self.state.lock().await;
        let variable = |(name, variable): (&String, &notebook::Variable)| Variable {
            name: name.clone(),
            type_name: diagnose::short(&variable.type_name),
            size: usize::try_from(variable.bytes).ok(),
        };
        state.notebook.variables.iter().map(variable).collect()
    }

    /// The notebook is now this one.
    fn settled(&self, state: &mut State, notebook: Arc<Notebook>) {
        state.notebook = Arc::clone(&notebook);
        self.assistant.learn(notebook);
    }

    fn surroundings(&self) -> MutexGuard<'_, Surroundings> {
        self.surroundings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cell that has ended, and the notebook before it.
struct Settling {
    before: Arc<Notebook>,
    program: Program,
}

impl Settling {
    /// The notebook after the cell, and what there is to say about it. `unsaved` is why there was no checkpoint, if there was none.
    fn settle(
        self,
        cell: u32,
        ended: Ended,
        interrupted: bool,
        unsaved: Option<String>,
    ) -> (Notebook, Result<Ran, Failure>) {
        let Self { before, program } = self;
        let mut notebook = program.notebook;
        match ended {
            Ended::Done { ending, kept, value } => {
                let mut lost = take_away(&mut notebook, &program.taken, &program.gone, cell);
                put_back(&mut notebook, &program.slots, &kept);
                for (name, gone) in &program.gone {
                    if !notebook.variables.contains_key(name) {
                        notebook.gone.insert(name.clone(), gone.clone());
                    }
                }
                lost.retain(|name| !notebook.variables.contains_key(name));
                let ran = match ending {
                    Ending::Ok => {
                        Ok(Ran { value, warnings: program.warnings, notes: program.notes, ..Ran::default() })
                    }
                    ending => Err(failure(ending, &notebook, lost)),
                };
                (notebook, ran)
            }
            // As if it had never begun.
            Ended::Restored { cause } => {
                (Notebook::clone(&before), Err(stopped(interrupted, cause, Lost::default())))
            }
            Ended::Died { cause } => {
                let names = lose_all(&mut notebook, &before, cell);
                (notebook, Err(stopped(interrupted, cause, Lost { names, why: unsaved })))
            }
        }
    }
}

fn stopped(interrupted: bool, cause: String, lost: Lost) -> Failure {
    if interrupted { Failure::Interrupted { lost } } else { Failure::Died { cause, lost } }
}

/// Takes the variables that a cell took out of the notebook. Gives those that are not known to have been moved.
fn take_away(
    notebook: &mut Notebook,
    taken: &[String],
    gone: &BTreeMap<String, Gone>,
    cell: u32,
) -> Vec<String> {
    for name in taken {
        notebook.variables.remove(name);
        notebook.gone.insert(name.clone(), Gone::Lost { cell });
    }
    taken.iter().filter(|name| !gone.contains_key(*name)).cloned().collect()
}

fn put_back(notebook: &mut Notebook, slots: &BTreeMap<u32, (String, notebook::Variable)>, kept: &[Kept]) {
    for kept in kept {
        if let Some((name, variable)) = slots.get(&kept.slot) {
            notebook.gone.remove(name);
            notebook
                .variables
                .insert(name.clone(), notebook::Variable { bytes: kept.bytes, ..variable.clone() });
        }
    }
}

fn lose_all(notebook: &mut Notebook, before: &Notebook, cell: u32) -> Vec<String> {
    let lost: Vec<String> = before.variables.keys().cloned().collect();
    notebook.variables.clear();
    notebook.gone.extend(lost.iter().map(|name| (name.clone(), Gone::Lost { cell })));
    lost
}

fn failure(ending: Ending, notebook: &Notebook, lost: Vec<String>) -> Failure {
    match ending {
        Ending::Panic { message, place, frames } => {
            let place = place.and_then(|place| diagnose::ran_at(&place, notebook));
            let frames = frames.iter().filter_map(|frame| diagnose::frame(frame, notebook)).collect();
            Failure::Panic { message, place, frames, lost }
        }
        Ending::Question { message } => Failure::Question { message },
        Ending::Trouble { what } => {
            let remedy = "this is a fault of Assay's: please report it with the cell".to_owned();
            Failure::Trouble(Trouble { what, remedy: Some(remedy) })
        }
        Ending::Ok => Failure::Trouble(Trouble { what: "the cell ended well".to_owned(), remedy: None }),
    }
}

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn run(&self, cell: Cell, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Ran, Failure>> {
        self.run(cell, host).boxed()
    }

    fn add_dependencies(
        &self,
        specifications: Vec<String>,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        async move { self.add(&specifications, &*host).await }.boxed()
    }

    fn command(&self, line: String, _: Arc<dyn Host>) -> BoxFuture<'_, Result<Option<Bundle>, Failure>> {
        async move { self.carry_out(&line).await }.boxed()
    }

    fn complete(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<CompleteReply, Trouble>> {
        async move { Ok(self.assistant.complete(source, cursor).await) }.boxed()
    }

    fn inspect(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<InspectReply, Trouble>> {
        let surroundings = self.surroundings().clone();
        async move { Ok(self.assistant.inspect(source, cursor, &surroundings).await) }.boxed()
    }

    fn variables(&self) -> BoxFuture<'_, Result<Vec<Variable>, Trouble>> {
        async { Ok(self.variables().await) }.boxed()
    }

    fn forget(&self, names: Vec<String>) -> BoxFuture<'_, Result<(), Failure>> {
        async { self.forget(names).await.map_err(Failure::Trouble) }.boxed()
    }

    fn interrupt(&self) -> BoxFuture<'_, ()> {
        async { self.interrupted.notify_waiters() }.boxed()
    }

    fn reset(&self) -> BoxFuture<'_, Result<(), Trouble>> {
        async {
            self.reset().await;
            Ok(())
        }
        .boxed()
    }

    fn set_variable(&self, name: String, value: String) -> BoxFuture<'_, Result<(), Trouble>> {
        self.surroundings().environment.insert(name.clone(), value.clone());
        async move {
            let child = self.child().clone();
            match child {
                Some(child) => child.set_variable(name, value).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn set_folder(&self, folder: PathBuf) -> BoxFuture<'_, Result<(), Trouble>> {
        self.surroundings().folder.clone_from(&folder);
        async move {
            let child = self.child().clone();
            match child {
                Some(child) => child.set_folder(&folder).await,
                None => Ok(()),
            }
        }
        .boxed()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async {
            self.interrupted.notify_waiters();
            let child = self.child().take();
            if let Some(child) = child {
                child.kill().await;
            }
            self.assistant.stop().await;
            let mut state = self.state.lock().await;
            *state = State::default();
        }
        .boxed()
    }

    fn processes(&self) -> Vec<(u32, String)> {
        let child = self.child().clone().filter(Child::alive).map(|child| (child.pid(), "cells".to_owned()));
        child.into_iter().chain(self.assistant.processes()).collect()
    }
}
