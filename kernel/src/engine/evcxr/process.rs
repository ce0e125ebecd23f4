//! The evcxr process seen from the kernel: started, spoken to, watched and ended. What is said is none of this file's business.

use super::super::surroundings::Surroundings;
use super::super::{Host, Output, Trouble, folder};
use super::builds::Builds;
use super::convert;
use crate::session::event::NoInput;
use crate::subprocess;
use assay_link::evcxr::{Command, Event, Failure, Outcome, Process as Below};
use assay_link::{frame, version};
use futures::FutureExt;
use futures::future::BoxFuture;
use rustix::process::{Pid, setpriority_process};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, ChildStderr};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// The process says hello before it does anything that takes time.
const HELLO: Duration = Duration::from_secs(30);

/// What `nice` does to a program.
const NICE: i32 = 10;

/// How long a process that was asked to end may take.
const STOP: Duration = Duration::from_secs(3);

/// A process that is, or was, alive. All copies speak to the same one.
#[derive(Clone)]
pub(super) struct Process(Arc<Inner>);

struct Inner {
    pid: u32,
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    /// Turns true when it has ended and left nothing behind.
    gone: watch::Receiver<bool>,
    heard: Mutex<Heard>,
}

/// What the process says to the call that is under way.
pub(super) enum Said {
    /// The cell asks the user.
    Ask { prompt: String, password: bool },
    /// The call is done.
    Done(Result<Outcome, Failure>),
}

/// Where to take what the process says.
#[derive(Default)]
struct Heard {
    /// The call that is under way, and who waits for it.
    call: Option<(u64, UnboundedSender<Said>)>,
    /// Who sees output: the host of the last cell, also after it.
    host: Option<Arc<dyn Host>>,
    below: Vec<Below>,
    builds: Builds,
    closed: bool,
}

impl Process {
    /// Starts the process.
    pub(super) async fn start(
        program: &Path,
        cache: &Path,
        surroundings: &Surroundings,
    ) -> Result<Self, Trouble> {
        let parent = folder::parent(cache, surroundings.temporary());
        let folder = folder::create(&parent, "evcxr-", std::process::id())
            .map_err(|error| no_folder(&parent, &error))?;
        let started = spawn(program, surroundings, &folder).inspect_err(|_| folder::remove(&folder));
        let (mut child, link) = started?;
        let pid = child.id().unwrap_or_default();
        let (mut reader, writer) = link.into_split();
        let stderr = child.stderr.take();
        let (gone, gone_seen) = watch::channel(false);
        tokio::spawn(watch_over(child, pid, folder, gone));
        let writer = tokio::sync::Mutex::new(writer);
        let process = Self(Arc::new(Inner { pid, writer, gone: gone_seen, heard: Mutex::default() }));
        if let Some(stderr) = stderr {
            tokio::spawn(process.clone().log(stderr));
        }
        let hello = tokio::time::timeout(HELLO, hello(&mut reader)).await;
        if let Err(trouble) = hello.unwrap_or_else(|_| Err(silent())) {
            process.kill().await;
            return Err(trouble);
        }
        tokio::spawn(process.clone().listen(reader));
        Ok(process)
    }

    /// Lets everything else have the processors first. The threads that do its work are started later, and take that over.
    pub(super) fn give_way(&self) {
        let pid = i32::try_from(self.0.pid).ok().and_then(Pid::from_raw);
        if let Err(error) = setpriority_process(pid, NICE) {
            tracing::info!(%error, "evcxr runs at the kernel's own priority");
        }
    }

    /// Shows output to this host from now on. A call that has none leaves the last.
    pub(super) fn host(&self, host: Option<Arc<dyn Host>>) {
        if host.is_some() {
            self.heard().host = host;
        }
    }

    /// Asks the user.
    pub(super) fn ask(&self, prompt: String, password: bool) -> BoxFuture<'static, Result<String, NoInput>> {
        let host = self.heard().host.clone();
        async move {
            match host {
                Some(host) => host.ask(prompt, password).await,
                None => Err(NoInput::NotAllowed),
            }
        }
        .boxed()
    }

    /// What the process says to the call `id`, until it is done.
    pub(super) fn expect(&self, id: u64) -> UnboundedReceiver<Said> {
        let (sender, receiver) = unbounded_channel();
        let mut heard = self.heard();
        // A process that is gone says nothing: the receiver is at its end then.
        heard.call = (!heard.closed).then_some((id, sender));
        receiver
    }

    /// Tells the process; false if it does not listen any more.
    pub(super) async fn tell(&self, command: &Command) -> bool {
        let Ok(bytes) =
            frame::encode(command).inspect_err(|error| tracing::error!(%error, "a command cannot be sent"))
        else {
            return false;
        };
        self.0.writer.lock().await.write_all(&bytes).await.is_ok()
    }

    /// Whether it can still be spoken to.
    pub(super) fn alive(&self) -> bool {
        !self.heard().closed && !*self.0.gone.borrow()
    }

    /// Ends the process and all below it: asks first.
    pub(super) async fn stop(&self) {
        let asked = async {
            self.tell(&Command::Stop).await;
            self.gone().await;
        };
        if tokio::time::timeout(STOP, asked).await.is_err() {
            self.kill().await;
        }
    }

    /// Ends the process and all below it at once.
    pub(super) async fn kill(&self) {
        if !*self.0.gone.borrow() {
            subprocess::kill(self.0.pid);
        }
        self.gone().await;
    }

    /// The processes: this one, and those that it named.
    pub(super) fn processes(&self) -> Vec<(u32, String)> {
        let below = self.heard().below.clone();
        let own = (self.0.pid, "evcxr".to_owned());
        std::iter::once(own).chain(below.into_iter().map(|one| (one.pid, one.name))).collect()
    }

    async fn gone(&self) {
        // An error means that whoever watches has gone: then there is nothing to wait for.
        let _ = self.0.gone.clone().wait_for(|gone| *gone).await;
    }

    async fn listen(self, mut reader: OwnedReadHalf) {
        loop {
            match subprocess::receive(&mut reader).await {
                Ok(Some(event)) => self.hear(event),
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "the link to evcxr");
                    subprocess::kill(self.0.pid);
                    break;
                }
            }
        }
        let mut heard = self.heard();
        if let Some(progress) = heard.builds.end() {
            heard.show(progress);
        }
        *heard = Heard { closed: true, ..Heard::default() };
    }

    fn hear(&self, event: Event) {
        let mut heard = self.heard();
        // Where nobody waits for an answer, its call was given up.
        match event {
            Event::Processes(below) => heard.below = below,
            Event::Stream { stream, text } => heard.show(convert::stream(stream, text)),
            Event::Display(contents) => {
                heard.show(Output::Display { bundle: convert::bundle(contents), display_id: None });
            }
            Event::Order(order) => heard.show(convert::order(order)),
            Event::Ask { prompt, password } => {
                if let Some((_, call)) = &heard.call {
                    let _ = call.send(Said::Ask { prompt, password });
                }
            }
            Event::Done { id, outcome } => {
                if let Some(progress) = heard.builds.end() {
                    heard.show(progress);
                }
                if let Some((_, call)) = heard.call.take_if(|(of, _)| *of == id) {
                    let _ = call.send(Said::Done(outcome));
                }
            }
            Event::Hello { .. } => tracing::warn!("evcxr said hello twice"),
        }
    }

    /// The process's log is the kernel's, but for what evcxr says about crates that are built: the user waits for those.
    async fn log(self, stderr: ChildStderr) {
        let mut lines = BufReader::new(stderr).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).into_owned();
            match line.trim_start().strip_prefix("Compiling ") {
                Some(package) => self.heard().building(package),
                None => tracing::info!(target: "evcxr", "{line}"),
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// The log is a channel of its own: what it says after the call that built is over is not shown any more.
    fn building(&mut self, package: &str) {
        if self.call.is_some() {
            let progress = self.builds.next(package);
            self.show(progress);
        }
    }

    fn show(&self, output: Output) {
        match &self.host {
            Some(host) => host.output(output),
            None => tracing::info!(?output, "nobody sees output of evcxr's"),
        }
    }
}

fn spawn(program: &Path, surroundings: &Surroundings, folder: &Path) -> Result<(Child, UnixStream), Trouble> {
    let unable = |error: std::io::Error| Trouble {
        what: format!("{} does not start: {error}", program.display()),
        remedy: Some("`assay doctor` looks at the installation".to_owned()),
    };
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(unable)?;
    ours.set_nonblocking(true).map_err(unable)?;
    let link = UnixStream::from_std(ours).map_err(unable)?;
    let child = tokio::process::Command::new(program)
        .env_clear()
        .envs(&surroundings.environment)
        .env("EVCXR_TMPDIR", folder)
        .current_dir(&surroundings.folder)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(unable)?;
    Ok((child, link))
}

/// Waits for the end of the process, and leaves nothing behind.
async fn watch_over(mut child: Child, pid: u32, folder: PathBuf, gone: watch::Sender<bool>) {
    match child.wait().await {
        Ok(status) => tracing::debug!(%status, "evcxr ended"),
        Err(error) => tracing::error!(%error, "evcxr cannot be waited for"),
    }
    // Cargo and rustc are in its group.
    subprocess::kill(pid);
    folder::remove(&folder);
    gone.send_replace(true);
}

async fn hello(reader: &mut OwnedReadHalf) -> Result<(), Trouble> {
    match subprocess::receive(reader).await {
        Ok(Some(Event::Hello { version })) => version::check(version).map_err(|mismatch| Trouble {
            what: format!("the evcxr process: {mismatch}"),
            remedy: Some("install `assay` and `assay-evcxr` from the same build".to_owned()),
        }),
        _ => Err(silent()),
    }
}

fn silent() -> Trouble {
    Trouble {
        what: "the evcxr process ended, or said nothing, when it was started".to_owned(),
        remedy: Some("the kernel's log has the details; `assay doctor` looks at the installation".to_owned()),
    }
}

fn no_folder(parent: &Path, error: &std::io::Error) -> Trouble {
    Trouble {
        what: format!("no folder for evcxr's builds can be made in {}: {error}", parent.display()),
        remedy: Some("make room there, or make it writable".to_owned()),
    }
}
