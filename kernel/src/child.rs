//! The process that runs cells, seen from the kernel: started, told what to run, read, and ended.
//!
//! It knows libraries and entries, and nothing of what is in them. `kernel/child` is the program.

mod blocks;
mod channel;
mod driver;
mod generation;
mod notes;
mod output;
mod process;
mod rehearsal;
mod screen;

use crate::engine::{Host, Trouble};
use crate::subprocess;
use assay_link::native::{Command, Ending, Event, Frame, Kept};
use assay_link::version;
use assay_link::watch::Lens;
use assay_magics::render::Bundle;
use driver::{Driver, Order, Seen};
use process::Process;
pub(crate) use rehearsal::Rehearsal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

/// It loads one library before it says hello.
const HELLO: Duration = Duration::from_secs(30);

/// What a process is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The program, `assay-child`.
    pub(crate) program: PathBuf,
    /// The cell runtime.
    pub(crate) runtime: PathBuf,
    /// The folder with the standard library that the runtime and all cells are linked to.
    pub(crate) libraries: PathBuf,
    /// The whole environment that cells see.
    pub(crate) environment: BTreeMap<String, String>,
    /// The folder that cells begin in.
    pub(crate) folder: PathBuf,
}

/// A process that is, or was, alive. All copies speak to the same one; it is killed when the last is dropped.
#[derive(Clone)]
pub(crate) struct Child {
    /// The id of the process that runs cells now.
    pid: Arc<AtomicU32>,
    orders: UnboundedSender<Order>,
    fallen: Arc<Mutex<Option<Fallen>>>,
    /// What it died of.
    gone: watch::Receiver<Option<String>>,
}

/// What is to be run.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    /// Absolute paths, in the order in which they depend on each other.
    pub(crate) libraries: Vec<String>,
    /// The symbol of the entry in the last of them, if it has one.
    pub(crate) entry: Option<String>,
    /// The noise floor of the machine, as a share.
    pub(crate) floor: f64,
    /// What is watched of it.
    pub(crate) lens: Lens,
}

impl Errand {
    /// The entry of the last of these libraries, if it has one.
    pub(crate) fn new(libraries: &[PathBuf], entry: Option<&str>) -> Self {
        let libraries = libraries.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        Self { libraries, entry: entry.map(str::to_owned), floor: 0.0, lens: Lens::Clear }
    }
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    /// It ran, and the process lives.
    Done {
        ending: Ending,
        /// The variables that it put into the store.
        kept: Vec<Kept>,
        /// The value of its last expression.
        value: Option<Bundle>,
    },
    /// The process died, and a checkpoint has taken over.
    Restored(Fallen),
    /// It was interrupted before it began, or the process had died before: see [`Child::fallen`].
    NotBegun,
    /// The process died, and its variables with it.
    Died {
        /// Of what, in the user's words: `segmentation fault`, `exit status 7`.
        cause: String,
        /// What was under way in cells, the innermost first, if it could be found out.
        frames: Vec<Frame>,
    },
}

/// A checkpoint that stands by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its id.
    pub(crate) pid: u32,
    /// The size of what was copied, in bytes.
    pub(crate) bytes: u64,
    /// The names of threads that it does not have.
    pub(crate) without: Vec<String>,
}

/// A checkpoint that has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fallen {
    /// What the process before died of, in the user's words: `segmentation fault`, `exit status 7`.
    pub(crate) cause: String,
    /// What was under way in cells, the innermost first, if it could be found out.
    pub(crate) frames: Vec<Frame>,
    /// Its id.
    pub(crate) to: u32,
}

impl Child {
    /// Starts a process.
    pub(crate) async fn start(setup: &Setup) -> Result<Self, Trouble> {
        let mut process = process::spawn(setup)?;
        let hello = tokio::time::timeout(HELLO, hello(&mut process)).await;
        if let Err(why) = hello.unwrap_or_else(|_| Err("it says nothing".to_owned())) {
            return Err(given_up(process, &setup.program, &why).await);
        }
        let (orders, given) = unbounded_channel();
        let (died, gone) = watch::channel(None);
        let pid = Arc::new(AtomicU32::new(process.pid));
        let fallen = Arc::default();
        let seen = Seen { pid: Arc::clone(&pid), fallen: Arc::clone(&fallen), gone: died };
        tokio::spawn(Driver::new(process, given, seen).drive());
        Ok(Self { pid, orders, fallen, gone })
    }

    /// Opens libraries, and runs the entry of the last one, if there is one.
    /// All that the cell printed has been given to `host` when this returns; so is, from then on, what its threads print.
    /// Cells wait for each other. Dropping the future does not end the cell; [`interrupt`](Self::interrupt) does.
    pub(crate) async fn run(&self, what: Errand, host: Arc<dyn Host>) -> Ended {
        let (answer, ended) = oneshot::channel();
        let order = Order::Run { what, host, answer };
        // Where there is nobody to take the order, there is nobody to answer it either.
        let _ = self.orders.send(order);
        match ended.await {
            Ok(ended) => ended,
            Err(_) => Ended::Died { cause: self.gone().await, frames: Vec::new() },
        }
    }

    /// Makes a checkpoint. It takes over if the process dies, until there is another or this one is discarded. The reason if there is none.
    pub(crate) async fn stand(&self) -> Result<Standing, String> {
        let (answer, outcome) = oneshot::channel();
        let _ = self.orders.send(Order::Stand { answer });
        match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("the process that runs cells has died: {}", self.gone().await)),
        }
    }

    /// Makes a copy of the process for a run of which nothing is left. It takes over from nobody. Waits for a running cell. The reason if there is none.
    pub(crate) async fn rehearsal(&self) -> Result<Rehearsal, String> {
        let (answer, outcome) = oneshot::channel();
        let _ = self.orders.send(Order::Rehearse { orders: self.orders.downgrade(), answer });
        match outcome.await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("the process that runs cells has died: {}", self.gone().await)),
        }
    }

    /// Ends a checkpoint.
    pub(crate) fn discard(&self, pid: u32) {
        // Where nobody takes the order, there is no checkpoint either.
        let _ = self.orders.send(Order::Discard { pid });
    }

    /// Leaves the process for a checkpoint. Waits for a running cell.
    pub(crate) async fn go_back(&self, pid: u32) -> Result<(), Trouble> {
        self.answered(|answer| Order::Return { pid, answer }).await
    }

    /// The checkpoint that has taken over while no cell ran, if one has since this was asked last.
    pub(crate) fn fallen(&self) -> Option<Fallen> {
        self.fallen.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends the cell that runs or is to run, if it has not ended yet: [`run`](Self::run) tells how.
    pub(crate) fn interrupt(&self) {
        // Where nobody takes the order, no cell runs.
        let _ = self.orders.send(Order::Interrupt);
    }

    /// Sets a variable of the environment. Waits for a running cell.
    pub(crate) async fn set_variable(&self, name: String, value: String) -> Result<(), Trouble> {
        self.obey(Command::Environment { name, value }).await
    }

    /// Changes the current folder. Waits for a running cell.
    pub(crate) async fn set_folder(&self, folder: &Path) -> Result<(), Trouble> {
        self.obey(Command::Folder { path: folder.to_string_lossy().into_owned() }).await
    }

    /// Drops variables; those that are not there are passed over. Waits for a running cell. In trouble if a destructor panicked: they are gone all the same.
    pub(crate) async fn drop_variables(&self, names: Vec<String>) -> Result<(), Trouble> {
        self.obey(Command::Drop { names }).await
    }

    /// Ends the process and all that it started, whatever it is doing.
    pub(crate) async fn kill(&self) {
        let _ = self.orders.send(Order::End);
        self.gone().await;
    }

    /// Its id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// Whether it lives.
    pub(crate) fn alive(&self) -> bool {
        self.gone.borrow().is_none()
    }

    async fn obey(&self, command: Command) -> Result<(), Trouble> {
        self.answered(|answer| Order::Obey { command, answer }).await
    }

    async fn answered(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Order,
    ) -> Result<(), Trouble> {
        let (answer, outcome) = oneshot::channel();
        let _ = self.orders.send(order(answer));
        match outcome.await {
            Ok(outcome) => outcome.map_err(|what| Trouble { what, remedy: None }),
            Err(_) => Err(Trouble {
                what: format!("the process that runs cells has died: {}", self.gone().await),
                remedy: Some("run the cell again: it starts anew".to_owned()),
            }),
        }
    }

    /// Waits for its end, and says what it died of.
    pub(crate) async fn gone(&self) -> String {
        let mut gone = self.gone.clone();
        match gone.wait_for(Option::is_some).await {
            Ok(cause) => cause.clone().unwrap_or_default(),
            // The task that watched is gone, thus the whole runtime.
            Err(_) => "unknown".to_owned(),
        }
    }
}

/// The first word of the process; why it is none of ours otherwise.
async fn hello(process: &mut Process) -> Result<(), String> {
    match subprocess::receive(&mut process.channel).await {
        Ok(Some(Event::Hello { version, pid })) => {
            process.pid = pid;
            version::check(version).map_err(|error| error.to_string())
        }
        Ok(Some(Event::Refused { why })) => Err(why),
        Ok(_) => Err("it ended at once".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Ends a process that did not begin as it should.
async fn given_up(mut process: Process, program: &Path, why: &str) -> Trouble {
    // The others die with it.
    process.keeper.id().into_iter().for_each(subprocess::kill);
    let cause = process::cause(process.keeper.wait().await);
    let printed = process.stderr.drain();
    tracing::warn!(%cause, printed = %String::from_utf8_lossy(&printed), "a process that runs cells did not start");
    Trouble {
        what: format!("{} cannot run cells: {why}", program.display()),
        remedy: Some(
            "install `assay` and `assay-child` from the same build; the kernel's log has the details"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
pub(crate) mod tests;
