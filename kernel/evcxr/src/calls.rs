//! The process's work: a thread reads commands, this one carries calls out one after the other, and interrupts come in between.

mod cell;

use crate::link::{self, Commands, Link};
use crate::story::{PATIENCE, Story};
use crate::{family, relay};
use assay_link::evcxr::{Call, Command, Completion, Contents, Event, Failure, Outcome, Variable};
use assay_link::version::VERSION;
use cell::Cells;
use evcxr::{CommandContext, Completions, EvalContext, EvalContextOutputs};
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long nothing must have come before the analyzer is woken: cells of a notebook that runs as a whole follow within a few ms.
const LULL: Duration = Duration::from_millis(300);

/// How long an interrupt waits before it looks again whether the call has ended.
const AGAIN: Duration = Duration::from_millis(20);

/// Serves the kernel until it says stop or is gone.
pub(crate) fn serve(folder: Option<PathBuf>) -> Result<(), String> {
    let folder =
        folder.ok_or("this program is started by the assay kernel, which names a folder in EVCXR_TMPDIR")?;
    let (link, commands) =
        link::open().map_err(|error| format!("standard input is not the link to a kernel: {error}"))?;
    link.tell(&Event::Hello { version: VERSION });
    let story = Story::new(link.clone());
    let (calls, queue) = channel();
    let (inputs, answers) = channel();
    let now = Arc::new(Now::default());
    let reader = Reader { calls, inputs, now: Arc::clone(&now), story: story.clone(), folder };
    thread::spawn(move || reader.read(commands));
    Worker { link, story, now, answers, cells: None, awake: false }.work(&queue);
    // The reader's end of the queue is gone: it is ending this process.
    thread::park();
    Ok(())
}

/// The call that is under way, as interrupts see it.
#[derive(Debug, Default)]
struct Now(Mutex<Turn>);

/// One call's turn.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    number: u64,
    /// Whether it can still be interrupted.
    open: bool,
    /// Whether it was.
    interrupted: bool,
    /// Whether the process that runs cells was killed for it.
    killed: bool,
}

impl Now {
    fn open(&self) {
        let mut turn = self.turn();
        *turn = Turn { number: turn.number + 1, open: true, ..Turn::default() };
    }

    /// From here on nothing is killed any more, and what has been is known.
    fn close(&self) -> Turn {
        let mut turn = self.turn();
        turn.open = false;
        *turn
    }

    /// Interrupts the call, if there is one: its number.
    fn interrupt(&self) -> Option<u64> {
        let mut turn = self.turn();
        turn.interrupted |= turn.open;
        turn.open.then_some(turn.number)
    }

    /// Ends what runs for the call; false if it is over.
    fn kill(&self, number: u64, story: &Story) -> bool {
        let mut turn = self.turn();
        if !turn.open || turn.number != number {
            return false;
        }
        match story.running() {
            Some(runtime) => {
                turn.killed = true;
                family::kill_cells(runtime);
            }
            // evcxr starts the next one by itself, which is in the group of the builds for its first moments.
            None if turn.killed => {}
            None => family::kill_builds(),
        }
        true
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that listens to the kernel.
struct Reader {
    calls: Sender<(u64, Call)>,
    inputs: Sender<Option<String>>,
    now: Arc<Now>,
    story: Story,
    folder: PathBuf,
}

impl Reader {
    fn read(self, mut commands: Commands) {
        loop {
            match commands.next() {
                Ok(Some(Command::Call { id, call })) => self.send(&self.calls, (id, call)),
                Ok(Some(Command::Input(line))) => self.send(&self.inputs, line),
                Ok(Some(Command::Interrupt)) => self.interrupt(),
                Ok(Some(Command::Stop) | None) => break,
                Err(error) => {
                    crate::report(&format!("the link to the kernel: {error}"));
                    break;
                }
            }
        }
        family::end(self.story.runtime(), Some(&self.folder));
    }

    /// The other thread lives as long as this process, unless evcxr brought it down.
    fn send<T>(&self, to: &Sender<T>, message: T) {
        if to.send(message).is_err() {
            family::end(self.story.runtime(), Some(&self.folder));
        }
    }

    fn interrupt(&self) {
        let Some(number) = self.now.interrupt() else {
            return;
        };
        // Whoever waits for the user's answer waits no more.
        self.send(&self.inputs, None);
        let (now, story) = (Arc::clone(&self.now), self.story.clone());
        // evcxr may be between two compilations: what it starts next is ended, too.
        thread::spawn(move || {
            while now.kill(number, &story) {
                thread::sleep(AGAIN);
            }
        });
    }
}

/// The thread that owns evcxr.
struct Worker {
    link: Link,
    story: Story,
    now: Arc<Now>,
    answers: Receiver<Option<String>>,
    /// evcxr, once it is needed.
    cells: Option<Cells>,
    /// Whether the analyzer has answered once.
    awake: bool,
}

impl Worker {
    fn work(&mut self, queue: &Receiver<(u64, Call)>) {
        while let Some((id, call)) = self.next(queue) {
            // An answer that nobody waits for any more.
            while self.answers.try_recv().is_ok() {}
            self.now.open();
            let outcome = self.guarded(call);
            self.now.close();
            self.link.tell(&Event::Done { id, outcome });
        }
    }

    /// The next call. In the first lull the analyzer is woken: its first answer takes seconds, and front ends wait only one for
    /// a completion.
    fn next(&mut self, queue: &Receiver<(u64, Call)>) -> Option<(u64, Call)> {
        if let Some(cells) = self.cells.as_mut().filter(|_| !self.awake) {
            match queue.recv_timeout(LULL) {
                Ok(call) => return Some(call),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.awake = true,
            }
            let source = "String::new().le";
            if catch_unwind(AssertUnwindSafe(|| complete(cells.context(), source, source.len()))).is_err() {
                crate::report("the analyzer panicked when it was woken");
            }
        }
        queue.recv().ok()
    }

    /// evcxr and the analyzer in it can panic. That ends the call, and nothing else.
    fn guarded(&mut self, call: Call) -> Result<Outcome, Failure> {
        let result = catch_unwind(AssertUnwindSafe(|| self.call(call)));
        result.unwrap_or_else(|_| {
            let remedy = Some("try it again; if it stays like this, restart the kernel".to_owned());
            Err(Failure::Trouble {
                what: "evcxr itself panicked; the kernel's log has the details".to_owned(),
                remedy,
            })
        })
    }

    fn call(&mut self, call: Call) -> Result<Outcome, Failure> {
        let (story, now, answers, link) = (&self.story, &self.now, &self.answers, &self.link);
        let cells = match &mut self.cells {
            Some(cells) => cells,
            none => none.insert(start(story, now)?),
        };
        // What only looks at text need not wait for a cell of ours to be compiled.
        match call {
            Call::Complete { .. } | Call::Inspect { .. } => self.awake = true,
            _ => cells
                .ready()
                .map_err(|error| trouble(now, format!("evcxr does not run the prelude: {error}")))?,
        }
        let mut ask = || {
            let (prompt, password) = story.asked();
            link.tell(&Event::Ask { prompt, password });
            answers.recv().ok().flatten().unwrap_or_default()
        };
        match call {
            Call::Run { number, source } => cells.run(number, &source, &mut ask),
            Call::Dependency { specification } => {
                cells.own(&format!(":dep {}", specification.trim()), &mut ask)
            }
            Call::Own { line } => cells.own(&line, &mut ask),
            Call::Complete { source, cursor } => Ok(complete(cells.context(), &source, cursor)),
            Call::Inspect { source, cursor } => Ok(inspect(cells.context(), &source, cursor)),
            Call::Variables => Ok(Outcome::Variables(variables(cells.context()))),
            Call::Environment { name, value } => cells.set_environment(&name, &value),
            Call::Folder { path } => cells.set_folder(&path),
            Call::Reset => cells.own(":clear", &mut ask),
        }
    }
}

/// Starts evcxr, and through it the relay and the process that runs cells.
fn start(story: &Story, now: &Arc<Now>) -> Result<Cells, Failure> {
    let trouble = |what: String| trouble(now, what);
    let program = std::env::current_exe()
        .map_err(|error| trouble(format!("cannot find the program itself: {error}")))?;
    let mut command = std::process::Command::new(program);
    command.arg(relay::ARGUMENT).process_group(0);
    let (variable, folders) = crate::standard_library::search_path().map_err(trouble)?;
    command.env(variable, folders);
    let (context, outputs) = EvalContext::with_subprocess_command(command)
        .map_err(|error| trouble(format!("evcxr does not start: {error}")))?;
    listen(outputs, story.clone());
    Ok(Cells::new(CommandContext::with_eval_context(context), story.clone(), Arc::clone(now)))
}

/// Why evcxr does not begin: because it was told to stop, or because of this.
fn trouble(now: &Now, what: String) -> Failure {
    let remedy = Some("`assay doctor` checks what evcxr needs; Rust comes from https://rustup.rs".to_owned());
    if now.close().interrupted {
        Failure::Interrupted { lost: Vec::new() }
    } else {
        Failure::Trouble { what, remedy }
    }
}

/// Hands what the relay says to the story.
fn listen(outputs: EvalContextOutputs, story: Story) {
    let EvalContextOutputs { stdout, stderr } = outputs;
    // The relay leaves nothing for evcxr to pass on, but evcxr waits until somebody took it.
    thread::spawn(move || stdout.iter().for_each(|line| crate::report(&line)));
    thread::spawn(move || {
        loop {
            match stderr.recv_timeout(PATIENCE) {
                Ok(line) => story.hear(&line),
                Err(error) if error.is_timeout() => story.pause(),
                Err(_) => break,
            }
        }
    });
}

fn complete(context: &mut CommandContext, source: &str, cursor: usize) -> Outcome {
    let found = context.completions(source, cursor).unwrap_or_else(|error| {
        crate::report(&format!("no completions: {error}"));
        Completions { start_offset: cursor, end_offset: cursor, ..Completions::default() }
    });
    let matches =
        found.completions.into_iter().map(|one| Completion { text: one.code, kind: one.kind.to_owned() });
    Outcome::Completions { matches: matches.collect(), start: found.start_offset, end: found.end_offset }
}

fn inspect(context: &mut CommandContext, source: &str, cursor: usize) -> Outcome {
    // evcxr looks at what stands before the position, so the rest of a name is taken along.
    let cursor = source.floor_char_boundary(cursor);
    let rest = source[cursor..].chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '!');
    let end = cursor + rest.map(char::len_utf8).sum::<usize>();
    // Between words evcxr has nothing to look at, and says so by an error.
    let (plain, html) = context.hover_at(source, end).unwrap_or_else(|error| {
        crate::report(&format!("nothing to inspect: {error}"));
        <(String, String)>::default()
    });
    // evcxr's words for nothing.
    if plain.trim().is_empty() || plain == "No documentation found" {
        return Outcome::Found(None);
    }
    let mut contents = Contents::new();
    contents.insert("text/plain".to_owned(), plain.into());
    contents.insert("text/html".to_owned(), html.into());
    Outcome::Found(Some(contents))
}

fn variables(context: &CommandContext) -> Vec<Variable> {
    let pairs = context.variables_and_types();
    let mut all: Vec<Variable> =
        pairs.map(|(name, of)| Variable { name: name.to_owned(), type_name: of.to_owned() }).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}
