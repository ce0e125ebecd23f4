//! What the notebook knows. The session emits its own events and never sees a message of Jupyter's.

pub(crate) mod event;
pub(crate) mod folders;
pub(crate) mod reply;
pub(crate) mod request;

mod assist;
mod cap;
mod diagnostics;
pub(crate) mod engines;
mod execute;
mod failure;
mod floor;
mod history;
mod interrupt;
mod measure;
mod measuring;
mod perform;
mod process;
mod profile;
mod selection;
mod settings;
mod stage;
mod startup;
mod surroundings;
#[cfg(test)]
mod tests;
mod usage;

use self::diagnostics::{Pen, Sources};
use self::engines::Engines;
use self::floor::Floor;
use self::folders::Folders;
use self::history::History;
use self::interrupt::{StopButton, Stopped};
use self::process::Processes;
use self::reply::{HistoryReply, KernelInfo};
use self::request::HistoryRequest;
use self::settings::Settings;
use self::stage::Stage;
use self::surroundings::Surroundings;
use crate::engine::Engine;
use futures::future::{Either, select};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One notebook's session: from the kernel's start to its end.
pub(crate) struct Session {
    engines: Engines,
    stage: Arc<Stage>,
    stop: StopButton,
    processes: Processes,
    state: Mutex<State>,
    history: Arc<Mutex<History>>,
    rust_version: String,
    /// The processor, as the system names it.
    processor: String,
    /// How noisy this machine is.
    floor: Arc<Mutex<Floor>>,
    /// Where start-up files may lie, and whether they have been run.
    startup: PathBuf,
    started: AtomicBool,
}

/// What changes from cell to cell. Never held across an await.
struct State {
    /// The count of the last cell that was counted.
    count: u32,
    sources: Sources,
    surroundings: Surroundings,
    settings: Settings,
}

impl State {
    fn pen(&self) -> Pen {
        Pen { colour: self.settings.colour }
    }
}

impl Session {
    /// A session that begins in `folder` with `variables`, and has run nothing. Asks rustc who it is.
    pub(crate) async fn new(
        engines: Engines,
        folders: &Folders,
        folder: PathBuf,
        variables: BTreeMap<String, String>,
    ) -> Self {
        let surroundings = Surroundings::new(folder, variables);
        let rust_version = rust_version(&surroundings).await;
        Self {
            engines,
            stage: Arc::default(),
            stop: StopButton::new(),
            processes: Processes::default(),
            state: Mutex::new(State {
                count: 0,
                sources: Sources::default(),
                surroundings,
                settings: Settings::default(),
            }),
            history: Arc::new(Mutex::new(History::new(folders.history()))),
            rust_version,
            processor: usage::processor(),
            floor: Arc::new(Mutex::new(Floor::new(folders.noise()))),
            startup: folders.startup.clone(),
            started: AtomicBool::new(false),
        }
    }

    /// What the kernel is.
    pub(crate) fn info(&self) -> KernelInfo {
        let rust_version = self.rust_version.clone();
        let banner = format!(
            "Assay {}: a Rust kernel that measures (rustc {rust_version})\n%lsmagic lists what it can do",
            env!("CARGO_PKG_VERSION")
        );
        KernelInfo { rust_version, banner }
    }

    /// Cells of the history.
    pub(crate) async fn history(&self, request: HistoryRequest) -> HistoryReply {
        let mut lines =
            self.with_history(move |history| history.find(&request.access)).await.unwrap_or_default();
        if !request.output {
            lines.iter_mut().for_each(|line| line.output = None);
        }
        HistoryReply { lines }
    }

    /// Stops what runs now; nothing if nothing runs.
    pub(crate) fn interrupt(&self) {
        self.stop.press();
    }

    /// Ends every process that the session started.
    pub(crate) async fn shutdown(&self) {
        self.stop.press();
        self.processes.stop();
        self.engines.stop().await;
    }

    /// The engine in use.
    fn engine(&self) -> Arc<dyn Engine> {
        self.engines.current()
    }

    /// Waits for work of the engine's, which is told to stop whenever the button is pressed meanwhile.
    async fn stoppable<T>(&self, work: impl Future<Output = T>, stopped: &Stopped) -> T {
        tokio::pin!(work);
        let mut presses = stopped.presses();
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = presses.next() => {}
            }
            let engine = self.engine();
            if let Either::Right((done, interrupt)) = select(engine.interrupt(), &mut work).await {
                interrupt.await;
                return done;
            }
        }
    }

    /// Works on the history where waiting for the disk holds up nobody. Nothing comes back if the work panicked, which is logged.
    async fn with_history<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut History) -> T + Send + 'static,
    ) -> Option<T> {
        let history = Arc::clone(&self.history);
        let done = tokio::task::spawn_blocking(move || {
            work(&mut history.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.inspect_err(|error| tracing::error!("work on the history failed: {error}")).ok()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long rustc may take to say its version. A toolchain on a sleeping disk must not keep the kernel from answering.
const PATIENCE: Duration = Duration::from_secs(2);

async fn rust_version(surroundings: &Surroundings) -> String {
    let mut rustc = tokio::process::Command::new("rustc");
    rustc.arg("--version").current_dir(surroundings.folder()).env_clear().envs(surroundings.variables());
    let output = tokio::time::timeout(PATIENCE, rustc.kill_on_drop(true).output()).await;
    let version = output.ok().and_then(Result::ok).and_then(|output| String::from_utf8(output.stdout).ok());
    version.as_deref().and_then(|line| line.split_whitespace().nth(1)).unwrap_or("unknown").to_owned()
}
