//! The evcxr engine: [`Engine`] spoken to the evcxr process.
//!
//! The process is started when it is first needed. When it dies, or hangs, the call that met it ends in trouble, the kernel goes
//! on, and the next call starts another one.

mod builds;
mod convert;
mod process;

use super::surroundings::Surroundings;
use super::{Cell, Engine, Failure, Host, Ran, Trouble, Undone};
use crate::session::event::NoInput;
use crate::session::reply::{CompleteReply, Completion, InspectReply};
use assay_link::evcxr::{Call, Command, Outcome};
use assay_magics::outcome::Variable;
use assay_magics::render::Bundle;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use process::{Process, Said};
use rustix::process::{Pid, test_kill_process};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// rust-analyzer takes seconds for its first answer on a slow machine; a minute without one is a hang.
const ANALYSIS: Duration = Duration::from_secs(60);

/// An interrupt ends cells and builds at once; only evcxr's own analysis cannot be interrupted.
const INTERRUPT: Duration = Duration::from_secs(15);

/// The engine.
pub(crate) struct Evcxr {
    program: PathBuf,
    cache: PathBuf,
    surroundings: Mutex<Surroundings>,
    /// Whoever holds it makes the one call that is under way.
    turn: tokio::sync::Mutex<()>,
    process: Mutex<Option<Process>>,
    /// Wakes the call that is to end.
    interrupted: Notify,
    calls: AtomicU64,
    /// Whether the user has to be told that a process died with all that it held.
    lost: Mutex<bool>,
    /// Whether the processors are somebody else's first.
    modest: bool,
}

impl Evcxr {
    /// An engine that starts nothing yet: then it starts `program`, which builds below `cache`, and whose cells begin in `folder` with
    /// this whole environment.
    pub(crate) fn new(
        program: PathBuf,
        cache: PathBuf,
        folder: PathBuf,
        environment: BTreeMap<String, String>,
    ) -> Self {
        Self {
            program,
            cache,
            surroundings: Mutex::new(Surroundings { environment, folder }),
            turn: tokio::sync::Mutex::default(),
            process: Mutex::default(),
            interrupted: Notify::new(),
            calls: AtomicU64::new(0),
            lost: Mutex::default(),
            modest: false,
        }
    }

    /// The same, where it is to run behind everything else: what reads text for completion must not slow a cell.
    pub(crate) fn modest(self) -> Self {
        Self { modest: true, ..self }
    }

    /// Makes one call, of `cell` with the text `source`, and waits for its end.
    async fn call(
        &self,
        call: Call,
        host: Option<Arc<dyn Host>>,
        cell: u32,
        source: &str,
    ) -> Result<Outcome, Failure> {
        let _turn = self.turn.lock().await;
        let process = self.process().await.map_err(Failure::Trouble)?;
        let id = self.calls.fetch_add(1, Ordering::Relaxed);
        let limit = matches!(call, Call::Complete { .. } | Call::Inspect { .. }).then_some(ANALYSIS);
        let calling = Calling { process: &process, interrupted: &self.interrupted };
        process.host(host);
        match calling.make(id, call, limit).await {
            Ok(outcome) => outcome.map_err(|failure| convert::failure(failure, cell, source)),
            Err(given_up) => {
                process.kill().await;
                *lock(&self.process) = None;
                *lock(&self.lost) = true;
                Err(Failure::Trouble(given_up.trouble()))
            }
        }
    }

    /// The process, started if there is none.
    async fn process(&self) -> Result<Process, Trouble> {
        if let Some(process) = lock(&self.process).clone().filter(Process::alive) {
            return Ok(process);
        }
        let mut surroundings = lock(&self.surroundings).clone();
        if self.modest {
            // What it reads is there: a cell has been built with it.
            surroundings.environment.insert("CARGO_NET_OFFLINE".to_owned(), "true".to_owned());
        }
        check(&self.program, surroundings.path())?;
        let process = Process::start(&self.program, &self.cache, &surroundings).await?;
        if self.modest {
            process.give_way();
        }
        let before = lock(&self.process).replace(process.clone());
        // It died when nobody looked.
        *lock(&self.lost) |= before.is_some();
        Ok(process)
    }

    async fn ran(
        &self,
        call: Call,
        host: Option<Arc<dyn Host>>,
        cell: u32,
        source: &str,
    ) -> Result<Ran, Failure> {
        let mut ran = convert::ran(self.call(call, host, cell, source).await?).map_err(Failure::Trouble)?;
        if std::mem::take(&mut *lock(&self.lost)) {
            ran.notes.insert(
                0,
                "evcxr had to be started anew: all earlier variables and items are gone".to_owned(),
            );
        }
        Ok(ran)
    }

    /// A call that is no cell.
    async fn ask(&self, call: Call) -> Result<Outcome, Trouble> {
        self.call(call, None, 0, "").await.map_err(convert::trouble)
    }

    /// Tells the process, if there is one, about new surroundings; one that is started later begins with them.
    async fn surround(&self, call: Call) -> Result<(), Trouble> {
        if lock(&self.process).as_ref().is_some_and(Process::alive) {
            self.ask(call).await?;
        }
        Ok(())
    }

    async fn complete(&self, source: String, cursor: usize) -> Result<CompleteReply, Trouble> {
        match self.ask(Call::Complete { source, cursor }).await? {
            Outcome::Completions { matches, start, end } => {
                let matches =
                    matches.into_iter().map(|one| Completion { text: one.text, kind: one.kind }).collect();
                Ok(CompleteReply { matches, start, end })
            }
            other => Err(convert::unexpected(&other)),
        }
    }

    async fn inspect(&self, source: String, cursor: usize) -> Result<InspectReply, Trouble> {
        match self.ask(Call::Inspect { source, cursor }).await? {
            Outcome::Found(found) => Ok(InspectReply { found: found.map(convert::bundle) }),
            other => Err(convert::unexpected(&other)),
        }
    }

    async fn variables(&self) -> Result<Vec<Variable>, Trouble> {
        if lock(&self.process).is_none() {
            return Ok(Vec::new());
        }
        match self.ask(Call::Variables).await? {
            Outcome::Variables(all) => {
                let variable = |one: assay_link::evcxr::Variable| Variable {
                    name: one.name,
                    type_name: one.type_name,
                    size: None,
                };
                Ok(all.into_iter().map(variable).collect())
            }
            other => Err(convert::unexpected(&other)),
        }
    }
}

impl Engine for Evcxr {
    fn name(&self) -> &'static str {
        "evcxr"
    }

    fn measures(&self) -> bool {
        false
    }

    fn begin(&self, _: u32) -> BoxFuture<'_, Vec<String>> {
        async { Vec::new() }.boxed()
    }

    fn run(&self, cell: Cell, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Ran, Failure>> {
        async move {
            let call = Call::Run { number: cell.number, source: cell.source.clone() };
            self.ran(call, Some(host), cell.number, &cell.source).await
        }
        .boxed()
    }

    fn add_dependencies(
        &self,
        specifications: Vec<String>,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, Result<(), Failure>> {
        let added = async move {
            for specification in specifications {
                self.ran(Call::Dependency { specification }, Some(Arc::clone(&host)), 0, "").await?;
            }
            Ok(())
        };
        added.map_err(without_places).boxed()
    }

    fn command(&self, line: String, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Option<Bundle>, Failure>> {
        let said = async move { self.ran(Call::Own { line }, Some(host), 0, "").await };
        said.map_ok(|ran| ran.value).map_err(without_places).boxed()
    }

    fn complete(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<CompleteReply, Trouble>> {
        self.complete(source, cursor).boxed()
    }

    fn inspect(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<InspectReply, Trouble>> {
        self.inspect(source, cursor).boxed()
    }

    fn variables(&self) -> BoxFuture<'_, Result<Vec<Variable>, Trouble>> {
        self.variables().boxed()
    }

    fn interrupt(&self) -> BoxFuture<'_, ()> {
        async move {
            let process = lock(&self.process).clone();
            if let Some(process) = process {
                self.interrupted.notify_waiters();
                process.tell(&Command::Interrupt).await;
            }
        }
        .boxed()
    }

    fn undo(&self) -> BoxFuture<'_, Result<Undone, Failure>> {
        let what = "the evcxr engine cannot take a cell back".to_owned();
        let remedy = Some("`%engine native` can".to_owned());
        async { Err(Failure::Trouble(Trouble { what, remedy })) }.boxed()
    }

    fn keep_checkpoints(&self, _: bool) {}

    fn forget(&self, names: Vec<String>) -> BoxFuture<'_, Result<(), Failure>> {
        let call = Call::Run { number: 0, source: names.iter().map(|name| dropping(name)).collect() };
        self.call(call, None, 0, "").map_ok(drop).boxed()
    }

    fn reset(&self) -> BoxFuture<'_, Result<(), Trouble>> {
        async move {
            if lock(&self.process).is_some() {
                self.ask(Call::Reset).await?;
                *lock(&self.lost) = false;
            }
            Ok(())
        }
        .boxed()
    }

    fn set_variable(&self, name: String, value: String) -> BoxFuture<'_, Result<(), Trouble>> {
        lock(&self.surroundings).environment.insert(name.clone(), value.clone());
        self.surround(Call::Environment { name, value }).boxed()
    }

    fn set_folder(&self, folder: PathBuf) -> BoxFuture<'_, Result<(), Trouble>> {
        let call = Call::Folder { path: folder.to_string_lossy().into_owned() };
        lock(&self.surroundings).folder = folder;
        self.surround(call).boxed()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async move {
            let process = lock(&self.process).take();
            if let Some(process) = process {
                process.stop().await;
            }
        }
        .boxed()
    }

    fn processes(&self) -> Vec<(u32, String)> {
        let process = lock(&self.process).clone().filter(Process::alive);
        process.map(|process| process.processes()).unwrap_or_default()
    }
}

/// One call under way.
struct Calling<'a> {
    process: &'a Process,
    interrupted: &'a Notify,
}

/// Why a call is given up, and the process with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    /// The process has ended.
    Ended,
    /// It does not answer.
    Hangs,
    /// It does not end what it was told to end.
    Stuck,
}

impl Calling<'_> {
    async fn make(
        self,
        id: u64,
        call: Call,
        limit: Option<Duration>,
    ) -> Result<Result<Outcome, Failed>, GivenUp> {
        let mut said = self.process.expect(id);
        if !self.process.tell(&Command::Call { id, call }).await {
            return Err(GivenUp::Ended);
        }
        // Whichever comes first; without one, a call may take for ever.
        let mut patience = limit.map(|limit| (Box::pin(tokio::time::sleep(limit)), GivenUp::Hangs));
        let mut question: Option<BoxFuture<'static, Result<String, NoInput>>> = None;
        loop {
            let out_of_patience = async {
                match &mut patience {
                    Some((sleep, given_up)) => {
                        sleep.await;
                        *given_up
                    }
                    None => std::future::pending().await,
                }
            };
            let answer = async {
                match &mut question {
                    Some(question) => question.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                said = said.recv() => match said.ok_or(GivenUp::Ended)? {
                    Said::Done(outcome) => return Ok(outcome),
                    Said::Ask { prompt, password } => question = Some(self.process.ask(prompt, password)),
                },
                line = answer => {
                    question = None;
                    self.process.tell(&Command::Input(line.ok())).await;
                }
                given_up = out_of_patience => return Err(given_up),
                () = self.interrupted.notified() => {
                    patience = Some((Box::pin(tokio::time::sleep(INTERRUPT)), GivenUp::Stuck));
                }
            }
        }
    }
}

type Failed = assay_link::evcxr::Failure;

impl GivenUp {
    fn trouble(self) -> Trouble {
        let what = match self {
            Self::Ended => "the evcxr process ended unexpectedly",
            Self::Hangs => "rust-analyzer did not answer within a minute, so the evcxr process was ended",
            Self::Stuck => "evcxr did not heed the interrupt, so its process was ended",
        };
        let remedy =
            "all variables and items are gone; run your cells again, and evcxr starts anew".to_owned();
        Trouble { what: what.to_owned(), remedy: Some(remedy) }
    }
}

/// The caller's line is not what evcxr was given, so places in it mean nothing.
fn without_places(failure: Failure) -> Failure {
    match failure {
        Failure::Compile(mut all) => {
            all.iter_mut().for_each(|one| one.spans.clear());
            Failure::Compile(all)
        }
        other => other,
    }
}

/// Rust that ends a variable. A value that is `Copy` survives being dropped, so another one takes its name and is moved away.
fn dropping(name: &str) -> String {
    format!("drop({name}); let {name} = String::new(); drop({name});")
}

/// What has to be there before anything is started.
fn check(program: &Path, path: &str) -> Result<(), Trouble> {
    if !program.is_file()
        && let Some(log) = being_built(program)
    {
        let what = "the evcxr engine is still being built in the background".to_owned();
        let remedy = format!("try again in some minutes; {} tells how far it is", log.display());
        return Err(Trouble { what, remedy: Some(remedy) });
    }
    if !program.is_file() {
        let what = format!("the evcxr engine is not installed: there is no {}", program.display());
        let remedy = "`cargo build --release -p assay-evcxr` builds it; ASSAY_EVCXR may name it elsewhere";
        return Err(Trouble { what, remedy: Some(remedy.to_owned()) });
    }
    for tool in ["cargo", "rustc"] {
        if !std::env::split_paths(path).any(|folder| folder.join(tool).is_file()) {
            let what = format!("`{tool}` is not on the PATH, and cells are compiled with it");
            let remedy = "install Rust from https://rustup.rs, then restart the kernel".to_owned();
            return Err(Trouble { what, remedy: Some(remedy) });
        }
    }
    Ok(())
}

/// The log of the build of the program, if somebody is building it: `install/engine.sh` leaves the number of its process beside it.
pub(crate) fn being_built(program: &Path) -> Option<PathBuf> {
    let pid = std::fs::read_to_string(program.with_extension("building")).ok()?;
    let pid = Pid::from_raw(pid.trim().parse().ok()?)?;
    test_kill_process(pid).is_ok().then(|| program.with_extension("log"))
}

/// What is behind these locks is whole whenever they are free.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Engine, Evcxr};
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// A folder with these programs, each a shell script.
    fn programs(scripts: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, script) in scripts {
            let path = folder.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn engine(programs: &Path) -> Evcxr {
        let environment = BTreeMap::from([("PATH".to_owned(), programs.display().to_string())]);
        Evcxr::new(programs.join("assay-evcxr"), programs.join("cache"), programs.to_owned(), environment)
    }

    /// The first call of an engine among these programs meets this trouble, with this remedy, and leaves no folder behind.
    async fn check(scripts: &[(&str, &str)], what: &str, remedy: &str) {
        let programs = programs(scripts);
        let trouble = engine(programs.path()).complete("x".to_owned(), 1).await.unwrap_err();
        assert!(trouble.what.contains(what), "{trouble:?}");
        assert!(trouble.remedy.as_ref().is_some_and(|text| text.contains(remedy)), "{trouble:?}");
        let left = std::fs::read_dir(programs.path().join("cache")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{what}");
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        check(&[], "assay-evcxr", "cargo build --release -p assay-evcxr").await;
        check(&[("assay-evcxr", "exit")], "`cargo`", "https://rustup.rs").await;
        check(&[("assay-evcxr", "exit"), ("cargo", "exit")], "`rustc`", "https://rustup.rs").await;
        let rust = [("cargo", "exit"), ("rustc", "exit")];
        check(&[rust[0], rust[1], ("assay-evcxr", "exit 1")], "ended, or said nothing", "log").await;
        // It says something, but not what a process of ours would.
        check(
            &[rust[0], rust[1], ("assay-evcxr", "echo nonsense >&0; exec sleep 1000")],
            "ended, or said nothing",
            "log",
        )
        .await;
    }

    #[tokio::test]
    async fn a_program_that_is_being_built_is_waited_for() {
        let programs = tempfile::tempdir().unwrap();
        let mark = programs.path().join("assay-evcxr.building");
        let trouble = async || engine(programs.path()).complete("x".to_owned(), 1).await.unwrap_err();
        std::fs::write(&mark, std::process::id().to_string()).unwrap();
        let building = trouble().await;
        assert!(building.what.contains("still being built"), "{building:?}");
        assert!(building.remedy.unwrap().contains("assay-evcxr.log"));
        // Who built it is gone.
        std::fs::write(&mark, "4194305").unwrap();
        assert!(trouble().await.what.contains("not installed"));
    }

    #[tokio::test]
    async fn an_engine_that_was_never_needed_starts_nothing() {
        let programs = programs(&[("assay-evcxr", "exit 1")]);
        let engine = engine(programs.path());
        assert_eq!(engine.variables().await, Ok(Vec::new()));
        assert_eq!(engine.set_folder("/".into()).await, Ok(()));
        assert_eq!(engine.set_variable("A".to_owned(), "b".to_owned()).await, Ok(()));
        assert_eq!(engine.reset().await, Ok(()));
        engine.interrupt().await;
        engine.stop().await;
        assert_eq!(engine.processes(), []);
        assert!(!programs.path().join("cache").exists());
    }
}
