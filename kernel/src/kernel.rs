//! `assay kernel`: puts the parts together. The sockets see the session as a `Notebook`; neither knows more of the other.

use crate::engine::evcxr::Evcxr;
use crate::engine::native::Native;
use crate::install::kernelspec::Environment;
use crate::parent;
use crate::session::Session;
use crate::session::engines::Engines;
use crate::session::event::FrontEnd;
use crate::session::folders::Folders;
use crate::session::reply::{
    CompleteReply, ExecuteReply, HistoryReply, InspectReply, IsCompleteReply, KernelInfo, Usage,
};
use crate::session::request::{CompleteRequest, ExecuteRequest, HistoryRequest, InspectRequest};
use crate::sockets::{Notebook, serve};
use crate::sweeper;
use crate::wire::connection::Connection;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

/// Runs as a kernel until a front end or a signal ends it.
pub(crate) fn run(
    connection_file: &Path,
    environment: &Environment,
    folders: &Folders,
) -> Result<(), Box<dyn Error>> {
    start_log(environment)?;
    let connection = Connection::read(connection_file)?;
    sweeper::prepare(&environment.program);
    let folder = std::env::current_dir()?;
    let variables = environment.variables.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let evcxr = || {
            Evcxr::new(engine_program(environment), folders.cache.clone(), folder.clone(), variables.clone())
        };
        let native = Native::new(
            child_program(environment),
            folders.cache.clone(),
            folder.clone(),
            variables.clone(),
            evcxr().modest(),
        );
        let engines = Engines::new(Arc::new(native), vec![Arc::new(evcxr())]);
        if let Some(name) = environment.variables.get("ASSAY_ENGINE") {
            engines.change(name).await.map_err(|error| format!("ASSAY_ENGINE: {error}"))?;
        }
        let session = Session::new(engines, folders, folder, variables).await;
        let parent = environment.variables.get("JPY_PARENT_PID").map(String::as_str);
        Ok(serve(&connection, Arc::new(Seat { session }), parent::gone(parent)).await?)
    })
}

/// The program of the evcxr engine: beside this one, unless `ASSAY_EVCXR` names another.
pub(crate) fn engine_program(environment: &Environment) -> PathBuf {
    match environment.variables.get("ASSAY_EVCXR") {
        Some(program) => PathBuf::from(program),
        None => environment.program.with_file_name("assay-evcxr"),
    }
}

/// The program that runs the native engine's cells: beside this one, unless `ASSAY_CHILD` names another.
pub(crate) fn child_program(environment: &Environment) -> PathBuf {
    match environment.variables.get("ASSAY_CHILD") {
        Some(program) => PathBuf::from(program),
        None => environment.program.with_file_name("assay-child"),
    }
}

/// The kernel's log goes to standard error, where Jupyter shows it. `ASSAY_LOG` sets how much: error, warn, info, debug, trace.
fn start_log(environment: &Environment) -> Result<(), Box<dyn Error>> {
    let level = match environment.variables.get("ASSAY_LOG") {
        Some(level) => level.parse().map_err(|_| {
            format!("ASSAY_LOG is `{level}`: it is one of off, error, warn, info, debug, trace")
        })?,
        None => LevelFilter::WARN,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false).init();
    Ok(())
}

/// The session's seat at the sockets.
struct Seat {
    session: Session,
}

impl Notebook for Seat {
    fn execute(&self, request: ExecuteRequest, front_end: Arc<dyn FrontEnd>) -> BoxFuture<'_, ExecuteReply> {
        self.session.execute(request, front_end).boxed()
    }

    fn complete(&self, request: CompleteRequest) -> BoxFuture<'_, CompleteReply> {
        self.session.complete(request).boxed()
    }

    fn inspect(&self, request: InspectRequest) -> BoxFuture<'_, InspectReply> {
        self.session.inspect(request).boxed()
    }

    fn history(&self, request: HistoryRequest) -> BoxFuture<'_, HistoryReply> {
        self.session.history(request).boxed()
    }

    fn is_complete(&self, code: String) -> BoxFuture<'_, IsCompleteReply> {
        ready(Session::is_complete(&code)).boxed()
    }

    fn info(&self) -> KernelInfo {
        self.session.info()
    }

    fn usage(&self) -> Usage {
        self.session.usage()
    }

    fn interrupt(&self) -> BoxFuture<'_, ()> {
        self.session.interrupt();
        ready(()).boxed()
    }

    fn shutdown(&self, _restart: bool) -> BoxFuture<'_, ()> {
        self.session.shutdown().boxed()
    }
}
