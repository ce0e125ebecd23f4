//! The thread that runs cells, and owns what they keep.

use crate::kernel::Kernel;
use crate::libraries::Libraries;
use crate::runtime::{self, Runtime};
use crate::{checkpoint, crash, watch};
use assay_link::native::{Command, Ending, Event};
use assay_link::version;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::id;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Sizes of the stack to try, in bytes. A main thread's is 8 MB as a rule, which a recursion over a long list exceeds; a stack of our own
/// costs only what is used of it. A system that does not give that much room gets by with less.
const STACKS: [usize; 3] = [256 << 20, 64 << 20, 8 << 20];

/// What became of the wish for a checkpoint.
#[cfg_attr(not(checkpoints), expect(dead_code, reason = "there are none on this system"))]
pub(crate) enum Taken {
    /// There is one, and the kernel has been told of it.
    Made {
        /// The size of what was copied, in bytes.
        bytes: u64,
        /// The names of threads that it does not have.
        without: Vec<String>,
    },
    /// There is none.
    Refused(String),
    /// This is the copy, and it has been woken.
    Woken,
}

/// Starts the thread, which loads the runtime. What is sent to it is done in order.
pub(crate) fn start(
    kernel: &'static Kernel,
    notes: UnixStream,
    runtime: &Path,
) -> Result<Sender<Command>, String> {
    let notes = Arc::new(notes);
    let mut why = String::new();
    for size in STACKS {
        match spawn(kernel, Arc::clone(&notes), runtime.to_owned(), size) {
            Ok((commands, loaded)) => {
                return loaded.recv().unwrap_or_else(|gone| Err(gone.to_string())).map(|()| commands);
            }
            Err(error) => why = format!("no thread for the cells can be made: {error}"),
        }
    }
    Err(why)
}

/// The thread's commands, and whether it could load the runtime.
type Started = (Sender<Command>, Receiver<Result<(), String>>);

fn spawn(
    kernel: &'static Kernel,
    notes: Arc<UnixStream>,
    runtime: PathBuf,
    stack: usize,
) -> io::Result<Started> {
    let (commands, work) = channel();
    let (loaded, outcome) = channel();
    let thread = move || {
        let opened = open(&runtime);
        let (opened, told) = match opened {
            Ok(opened) => (Some(opened), Ok(())),
            Err(why) => (None, Err(why)),
        };
        // Whoever started the thread waits for this.
        let _ = loaded.send(told);
        if let Some((runtime, libraries)) = opened {
            serve(&work, kernel, &notes, &runtime, libraries);
        }
    };
    // For the user it is the main thread, and where the system says its name, it says so.
    std::thread::Builder::new().name("main".to_owned()).stack_size(stack).spawn(thread)?;
    Ok((commands, outcome))
}

fn open(runtime: &Path) -> Result<(Runtime, Libraries), String> {
    let mut libraries = Libraries::default();
    let runtime = Runtime::open(&mut libraries, runtime)?;
    Ok((runtime, libraries))
}

/// Does what is asked for, in order; also as the copy of this process that takes over from it.
fn serve(
    work: &Receiver<Command>,
    kernel: &'static Kernel,
    notes: &UnixStream,
    runtime: &Runtime,
    mut libraries: Libraries,
) {
    checkpoint::prepare();
    crash::watch(notes);
    while let Ok(command) = work.recv() {
        if command != Command::Checkpoint {
            obey(command, kernel, runtime, &mut libraries);
            continue;
        }
        let taken = checkpoint::take(kernel, notes);
        kernel.copied();
        match taken {
            Taken::Made { bytes, without } => kernel.tell(&Event::Checkpointed { bytes, without }),
            Taken::Refused(why) => kernel.tell(&Event::Refused { why }),
            Taken::Woken => kernel.tell(&Event::Hello { version: version::VERSION, pid: id() }),
        }
    }
}

fn obey(command: Command, kernel: &Kernel, runtime: &Runtime, libraries: &mut Libraries) {
    match command {
        Command::Run { id, libraries: paths, entry, floor, lens } => {
            runtime::set_floor(floor);
            watch::through(lens);
            let outcome = libraries.entry(&paths, entry.as_deref()).map(|entry| runtime.run(id, entry));
            let (ending, kept) = outcome.unwrap_or_else(|what| (Ending::Trouble { what }, Vec::new()));
            kernel.tell(&Event::Done { id, ending, kept });
        }
        Command::Drop { names } => kernel.tell(&answer(drop_all(runtime, &names))),
        Command::Environment { name, value } => {
            let set = runtime.set_variable(&name, &value);
            let why = || format!("the environment can have no variable `{name}` with such a value");
            kernel.tell(&answer(set.then_some(()).ok_or_else(why)));
        }
        Command::Folder { path } => {
            let changed = std::env::set_current_dir(&path);
            kernel.tell(&answer(changed.map_err(|error| format!("{path}: {error}"))));
        }
        // The main thread has taken care of these.
        Command::Input(_)
        | Command::Interrupt { .. }
        | Command::Cut { .. }
        | Command::Proceed
        | Command::Discarded { .. }
        | Command::Wake
        | Command::Rehearse
        | Command::Stop => {}
        // The loop has taken care of this.
        Command::Checkpoint => {}
    }
}

fn answer(outcome: Result<(), String>) -> Event {
    match outcome {
        Ok(()) => Event::Obeyed,
        Err(why) => Event::Refused { why },
    }
}

/// Drops all of them, whatever one of them does.
fn drop_all(runtime: &Runtime, names: &[String]) -> Result<(), String> {
    let bad: Vec<_> = names.iter().filter(|name| !runtime.drop_variable(name)).map(String::as_str).collect();
    if bad.is_empty() { Ok(()) } else { Err(format!("the destructor of {} panicked", bad.join(", "))) }
}
