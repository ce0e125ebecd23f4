//! Carries out what magics plan: every plan has one answer or one fault.

use super::Session;
use super::event::{ErrorReport, NoInput};
use super::failure;
use super::interrupt::Stopped;
use super::process::Ending;
use super::selection::select;
use super::stage::Keep;
use crate::engine::{Cell, Failure, Host, Ran, Trouble, Undone};
use assay_magics::outcome::{HistoryLine, Outcome};
use assay_magics::plan::{
    CaptureStep, ConfigStep, EnvironmentStep, FileStep, HistoryStep, Plan, ProcessStep, SessionStep,
};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why a plan could not be carried out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// What was asked cannot be; the caller knows where in the cell it stands.
    Refused { message: String, hint: Option<String> },
    /// The engine failed.
    Engine(Failure),
    /// The process could not be run.
    Process(String),
    /// Something below it failed and was already worded.
    Reported(ErrorReport),
}

impl Fault {
    fn refused(message: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: None }
    }

    fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::refused(format!("cannot {doing} {}: {error}", path.display()))
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        Self::Engine(Failure::Trouble(trouble))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Engine(failure)
    }
}

/// The cell in which a plan stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// The number that errors name.
    pub(crate) number: u32,
    /// The count that it is shown under.
    pub(crate) count: u32,
    /// Whether it stands on a page, where what was shown can be replaced.
    pub(crate) on_page: bool,
}

impl Session {
    /// Carries out a plan. What it shows while it runs has been told when this returns.
    pub(crate) async fn perform(
        &self,
        plan: Plan,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Outcome, Fault> {
        match plan {
            Plan::Nothing => Ok(Outcome::Done),
            Plan::Session(step) => self.perform_step(step, context, stopped).await,
            Plan::File(step) => self.perform_file(step),
            Plan::Process(step) => self.perform_process(&step, stopped).await,
            Plan::Capture(step) => self.perform_capture(&step, context, stopped).await,
            // It is run with its cell, or by `measure_builds`, or by `profile`.
            Plan::Code(_) | Plan::Profile(_) => {
                Err(Fault::refused("what measures is no work of the session's alone"))
            }
        }
    }

    async fn perform_step(
        &self,
        step: SessionStep,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Outcome, Fault> {
        match step {
            SessionStep::Variables => Ok(Outcome::Variables(self.engine().variables().await?)),
            SessionStep::Reset { question } => self.reset(question).await,
            SessionStep::Forget { names } => self.forget(&names, stopped).await,
            SessionStep::Undo => {
                let Undone { cell, without } = self.stoppable(self.engine().undo(), stopped).await?;
                Ok(Outcome::Undone { cell, without })
            }
            SessionStep::History(step) => Ok(Outcome::History(self.select(step).await?)),
            SessionStep::SaveCells { from, path, append, force } => {
                self.save(from, &path, append, force).await
            }
            SessionStep::Folder => Ok(Outcome::Folder(self.state().surroundings.folder().to_owned())),
            SessionStep::ChangeFolder { to } => self.change_folder(&to).await,
            SessionStep::Environment(step) => self.environment(step).await,
            SessionStep::Config(step) => self.configure(&step),
            SessionStep::Engine { change_to } => self.change_engine(change_to.as_deref()).await,
            SessionStep::Dependencies { specifications } => {
                self.stoppable(self.engine().add_dependencies(specifications, self.host()), stopped).await?;
                Ok(Outcome::Done)
            }
            SessionStep::EngineCommand { line } => {
                let said = self.stoppable(self.engine().command(line, self.host()), stopped).await?;
                Ok(Outcome::Text(said.map(|bundle| bundle.plain().to_owned()).unwrap_or_default()))
            }
            SessionStep::LoadConfig { quiet } => {
                let loaded = self.load_startup(quiet, context, stopped).await;
                Ok(Outcome::Text(match loaded.as_slice() {
                    _ if quiet => String::new(),
                    [] => format!("no start-up file in {}", self.startup.display()),
                    files => format!("loaded {}", files.join(", ")),
                }))
            }
            SessionStep::Versions => Ok(Outcome::Versions(self.versions())),
        }
    }

    async fn reset(&self, question: Option<String>) -> Result<Outcome, Fault> {
        if let Some(question) = question
            && !self.confirmed(question).await?
        {
            return Ok(Outcome::Declined);
        }
        self.engine().reset().await?;
        Ok(Outcome::Done)
    }

    async fn confirmed(&self, question: String) -> Result<bool, Fault> {
        match self.stage.ask(question, false).await {
            Ok(answer) => Ok(answer.trim_start().to_ascii_lowercase().starts_with('y')),
            Err(NoInput::NotAllowed) => Err(Fault::Refused {
                message: "this asks before it does it, and this front end cannot ask".into(),
                hint: Some("add -f to do it without asking".into()),
            }),
            Err(NoInput::Ended) => Ok(false),
            Err(NoInput::Interrupted) => Err(Fault::Engine(Failure::stopped())),
        }
    }

    async fn forget(&self, names: &[String], stopped: &Stopped) -> Result<Outcome, Fault> {
        let alive = self.engine().variables().await?;
        if let Some(name) = names.iter().find(|name| !alive.iter().any(|variable| variable.name == **name)) {
            return Err(Fault::Refused {
                message: format!("there is no variable `{name}`"),
                hint: Some("%who lists those there are".into()),
            });
        }
        self.stoppable(self.engine().forget(names.to_vec()), stopped).await?;
        Ok(Outcome::Done)
    }

    async fn select(&self, step: HistoryStep) -> Result<Vec<HistoryLine>, Fault> {
        let found = self.with_history(move |history| select(&step, history)).await;
        found.ok_or_else(|| Fault::refused("the history cannot be read; the kernel's log says why"))
    }

    async fn save(
        &self,
        from: HistoryStep,
        path: &Path,
        append: bool,
        force: bool,
    ) -> Result<Outcome, Fault> {
        let lines = self.select(from).await?;
        if lines.is_empty() {
            return Err(Fault::refused("there are no such cells in the history, so nothing was written"));
        }
        let path = self.absolute(path)?;
        if path.exists() && !append && !force {
            let question = format!("{} exists. Overwrite it (y/[N])? ", path.display());
            if !self.confirmed(question).await? {
                return Ok(Outcome::Declined);
            }
        }
        let cells: Vec<&str> = lines.iter().map(|line| line.input.trim_end()).collect();
        write(&path, &(cells.join("\n\n") + "\n"), append)
    }

    async fn change_folder(&self, to: &str) -> Result<Outcome, Fault> {
        let folder = self
            .state()
            .surroundings
            .resolve(to)
            .map_err(|error| Fault::refused(format!("cannot go to {to}: {error}")))?;
        // The engine compiles code of its own for this: not for nothing.
        if folder != self.state().surroundings.folder() {
            self.engines.set_folder(&folder).await?;
        }
        self.state().surroundings.go(folder.clone());
        Ok(Outcome::Folder(folder))
    }

    async fn environment(&self, step: EnvironmentStep) -> Result<Outcome, Fault> {
        if let EnvironmentStep::Set { name, value } = &step {
            let named = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
            if !named {
                return Err(Fault::refused(format!(
                    "`{name}` cannot be the name of an environment variable"
                )));
            }
            self.engines.set_variable(name, value).await?;
            self.state().surroundings.set(name, value);
        }
        let state = self.state();
        let variables = state.surroundings.variables();
        let found = match &step {
            EnvironmentStep::List => {
                variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            EnvironmentStep::Get { name } | EnvironmentStep::Set { name, .. } => {
                let value = variables.get(name).ok_or_else(|| Fault::Refused {
                    message: format!("there is no environment variable `{name}`"),
                    hint: Some("%env lists those there are; %env NAME=VALUE sets one".into()),
                })?;
                vec![(name.clone(), value.clone())]
            }
        };
        Ok(Outcome::Environment(found))
    }

    fn configure(&self, step: &ConfigStep) -> Result<Outcome, Fault> {
        let settings = &mut self.state().settings;
        let found = match step {
            ConfigStep::List => Ok(settings.all()),
            ConfigStep::Get { key } => settings.get(key).map(|setting| vec![setting]),
            ConfigStep::Set { key, value } => settings.set(key, value).map(|setting| vec![setting]),
        };
        if let ConfigStep::Set { .. } = step {
            self.engines.keep_checkpoints(settings.checkpoint);
            self.stage.limit(settings.output_limit);
        }
        found.map(Outcome::Config).map_err(Fault::refused)
    }

    async fn change_engine(&self, change_to: Option<&str>) -> Result<Outcome, Fault> {
        let before = self.engine().name();
        let current = match change_to {
            Some(name) => self.engines.change(name).await.map_err(Fault::refused)?,
            None => self.engine().name(),
        };
        if current != before {
            // The start-up files are for every engine.
            self.started.store(false, Ordering::Relaxed);
        }
        let available = self.engines.names().map(str::to_owned).collect();
        Ok(Outcome::Engine { current: current.to_owned(), available })
    }

    fn versions(&self) -> Vec<(String, String)> {
        let info = self.info();
        [
            ("assay", env!("CARGO_PKG_VERSION").to_owned()),
            ("rustc", info.rust_version),
            ("engine", self.engine().name().to_owned()),
            ("protocol", "5.5".to_owned()),
            ("system", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ]
        .map(|(name, version)| (name.to_owned(), version))
        .into()
    }

    fn perform_file(&self, step: FileStep) -> Result<Outcome, Fault> {
        match step {
            FileStep::Read { path } => {
                let path = self.absolute(&path)?;
                std::fs::read_to_string(&path)
                    .map(Outcome::Text)
                    .map_err(|error| Fault::file("read", &path, &error))
            }
            FileStep::Write { path, content, append } => write(&self.absolute(&path)?, &content, append),
        }
    }

    fn absolute(&self, path: &Path) -> Result<PathBuf, Fault> {
        self.state().surroundings.path(path).map_err(|error| Fault::refused(error.to_string()))
    }

    async fn perform_process(&self, step: &ProcessStep, stopped: &Stopped) -> Result<Outcome, Fault> {
        let surroundings = self.state().surroundings.clone();
        let run =
            self.processes.run(step, surroundings.folder(), surroundings.variables(), &self.stage, stopped);
        match run.await {
            Ok(Ending::Exit(status)) => Ok(Outcome::Exit { code: status.code() }),
            Ok(Ending::Interrupted) => Err(Fault::Engine(Failure::stopped())),
            Err(error) => {
                let program = step.command.first().map(String::as_str).unwrap_or_default();
                Err(Fault::Process(format!("`{program}` cannot be run: {error}")))
            }
        }
    }

    async fn perform_capture(
        &self,
        step: &CaptureStep,
        context: &Context,
        stopped: &Stopped,
    ) -> Result<Outcome, Fault> {
        let CaptureStep { stdout, stderr, display, .. } = *step;
        self.stage.start_capture(Keep { stdout, stderr, display });
        // Boxed, because a captured body is a cell that may hold magics again.
        let ran =
            Box::pin(self.run_piece(step.offset..step.offset + step.body.len(), context, stopped)).await;
        let captured = self.stage.end_capture();
        if let Err(report) = ran {
            return Err(Fault::Reported(report));
        }
        if let Some(variable) = &step.variable {
            let source = binding(variable, &captured.stdout, &captured.stderr);
            self.run_hidden(source, stopped).await?;
        }
        Ok(Outcome::Captured {
            stdout: captured.stdout,
            stderr: captured.stderr,
            displays: captured.displays,
        })
    }

    /// Runs Rust of the kernel's own.
    pub(super) async fn run_hidden(&self, source: String, stopped: &Stopped) -> Result<Ran, Failure> {
        let engine = self.engine();
        let run = engine.run(Cell::new(0, source), self.host());
        self.stoppable(run, stopped).await
    }

    /// Words a fault of a magic that stands at `span`.
    pub(crate) fn word(&self, fault: Fault, cell: u32, span: std::ops::Range<usize>) -> ErrorReport {
        let state = self.state();
        let pen = state.pen();
        match fault {
            Fault::Refused { message, hint } => {
                let complaint = assay_magics::magic::Complaint { message, span, hint, usage: None };
                failure::of_magic(&complaint, cell, &state.sources, pen)
            }
            Fault::Engine(failure) => failure::of_engine(&failure, &state.sources, pen),
            Fault::Process(value) => failure::of_process(&value, pen),
            Fault::Reported(report) => report,
        }
    }

    pub(crate) fn host(&self) -> Arc<dyn Host> {
        self.stage.clone()
    }
}

/// Rust that binds what was captured. The type is written out in each such cell, so that it is one type for all of them.
fn binding(variable: &str, stdout: &str, stderr: &str) -> String {
    format!(
        "/// Output that %%capture kept back.\n#[derive(Debug, Clone)]\npub struct AssayCaptured {{ pub stdout: String, pub stderr: String }}\n\
         let {variable} = AssayCaptured {{ stdout: {stdout:?}.to_string(), stderr: {stderr:?}.to_string() }};"
    )
}

fn write(path: &Path, content: &str, append: bool) -> Result<Outcome, Fault> {
    let existed = path.exists();
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).append(append).truncate(!append);
    options
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(|error| Fault::file("write", path, &error))?;
    Ok(Outcome::Written { path: path.to_owned(), existed })
}
