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
mod counts;
mod dependencies;
mod diagnose;
mod entry;
mod generate;
mod identity;
mod idle;
mod inserts;
mod items;
mod macros;
mod mentions;
mod notebook;
mod past;
mod place;
mod prelude;
mod profile;
mod program;
mod publish;
mod relink;
mod run;
mod rustc;
mod settle;
mod source;
mod split;
mod statics;
mod supersede;
mod symbols;
#[cfg(test)]
mod tests;
mod tokens;
mod toolchain;
#[cfg(test)]
pub(crate) use toolchain::sources;
mod types;
mod units;

use super::evcxr::Evcxr;
use super::surroundings::Surroundings;
use super::{Cell, Diagnostic, Engine, Failure, Host, Profiling, Ran, Trouble, Undone, folder};
use crate::child::{Child, Setup};
use crate::session::reply::{CompleteReply, InspectReply};
use assay_magics::outcome::Variable;
use assay_magics::profiled::Profiled;
use assay_magics::render::Bundle;
use assist::Assistant;
use build::{Program, Workshop};
use dependencies::Dependencies;
use entry::Style;
use futures::FutureExt;
use futures::future::BoxFuture;
use notebook::Notebook;
use past::{Moment, Past};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use symbols::Outline;
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
    /// Whether there are to be checkpoints.
    checkpoints: AtomicBool,
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
    past: Past,
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
            checkpoints: AtomicBool::new(true),
            assistant: Assistant::new(analyzer),
        }
    }

    async fn begin(&self, cell: u32) -> Vec<String> {
        let mut state = self.state.lock().await;
        let notes = self.notice(&mut state, cell).await.into_iter().collect();
        let moment = Moment::new(
            cell,
            Arc::clone(&state.notebook),
            state.dependencies.resolved(),
            self.surroundings().clone(),
        );
        state.past.begin(moment, self.child().as_ref());
        notes
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

    async fn forget(&self, names: Vec<String>) -> Result<(), Trouble> {
        let mut state = self.state.lock().await;
        let mut notebook = Notebook::clone(&state.notebook);
        notebook.variables.retain(|name, _| !names.contains(name));
        self.settled(&mut state, Arc::new(notebook));
        state.past.changed();
        self.drop_variables(&mut state.past, names).await
    }

    /// Drops variables in the process that runs cells, if there is one.
    async fn drop_variables(&self, past: &mut Past, names: Vec<String>) -> Result<(), Trouble> {
        let child = self.child().clone().filter(Child::alive);
        let Some(child) = child else { return Ok(()) };
        past.stand(&child, self.checkpoints.load(Ordering::Relaxed)).await;
        child.drop_variables(names).await
    }

    async fn reset(&self) {
        let mut state = self.state.lock().await;
        self.settled(&mut state, Arc::default());
        state.dependencies.clear();
        self.end(&mut state).await;
    }

    /// Ends the process that runs cells, and with it all that there was to return to.
    async fn end(&self, state: &mut State) {
        state.past = Past::default();
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

/// The variables that a cell takes and that hold code.
fn holding_code(program: &Program) -> Vec<String> {
    let holds = |name: &&String| {
        let variable = program.notebook.variables.get(*name);
        variable.is_some_and(|variable| ["dyn ", "fn("].iter().any(|code| variable.type_name.contains(code)))
    };
    program.taken.iter().filter(holds).cloned().collect()
}

impl Engine for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn measures(&self) -> bool {
        true
    }

    fn begin(&self, cell: u32) -> BoxFuture<'_, Vec<String>> {
        self.begin(cell).boxed()
    }

    fn run(&self, cell: Cell, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Ran, Failure>> {
        self.run(cell, host).boxed()
    }

    fn profile(
        &self,
        what: Profiling,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, (Option<Profiled>, Result<Ran, Failure>)> {
        self.profile(what, host).boxed()
    }

    fn undo(&self) -> BoxFuture<'_, Result<Undone, Failure>> {
        async { self.undo().await.map_err(Failure::Trouble) }.boxed()
    }

    fn keep_checkpoints(&self, wanted: bool) {
        self.checkpoints.store(wanted, Ordering::Relaxed);
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

    fn functions(&self, cell: Cell) -> BoxFuture<'_, Vec<String>> {
        async move {
            let state = self.state.lock().await;
            let (notebook, local) = (Arc::clone(&state.notebook), state.dependencies.local());
            drop(state);
            // The files of crates are read.
            let names =
                tokio::task::spawn_blocking(move || Outline::of(&notebook, &cell, &local).names()).await;
            names.unwrap_or_default()
        }
        .boxed()
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
