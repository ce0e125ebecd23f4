//! `assay-child`: loads the libraries that cells are compiled to, and runs them.
//!
//! The kernel starts it as `assay-child CHANNEL NOTES RUNTIME`: the numbers of two sockets that it inherits, and the path of the cell runtime. It forks at
//! once: the process that the kernel started keeps those that run cells (`keeper.rs`), and the rest of this is about these. Standard
//! input, output and error are the user's: nothing is printed here. It catches no panic of a cell's either, for those belong to
//! the standard library that cells use, which is another one than its own: both is the runtime's business (`kernel/cell`).
//!
//! The main thread listens to the kernel all the time, so that the process ends when the kernel is gone, whatever a cell is doing. Cells
//! run on one other thread, which owns their variables.

mod cells;
#[cfg(checkpoints)]
mod checkpoint;
#[cfg(not(checkpoints))]
#[path = "no_checkpoint.rs"]
mod checkpoint;
mod crash;
#[cfg(heap)]
mod heap;
#[cfg(not(heap))]
#[path = "no_heap.rs"]
mod heap;
mod input;
mod keeper;
mod kernel;
mod libraries;
mod processor;
mod runtime;
#[cfg(stacks)]
mod sampler;
#[cfg(not(stacks))]
#[path = "no_sampler.rs"]
mod sampler;
mod stdio;
#[path = "../../cell/src/table.rs"]
mod table;
#[cfg(stacks)]
mod unwind;
mod watch;

use assay_link::native::{Command, Event};
use assay_link::version;
use keeper::Role;
use kernel::{Commands, Kernel};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Pid, Signal, WaitOptions, getpgrp, getpid, kill_process, kill_process_group, waitpid};
use std::ffi::OsStr;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::Sender;

fn main() -> ExitCode {
    match start() {
        Ok(Started::Keeper(code)) => code,
        Ok(Started::Cells(kernel, commands, cells)) => {
            listen(kernel, commands, &cells);
            end()
        }
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

/// What the process has become.
enum Started {
    Keeper(ExitCode),
    Cells(&'static Kernel, Commands, Sender<Command>),
}

fn start() -> Result<Started, String> {
    let usage = "the Assay kernel starts this program: assay-child CHANNEL NOTES RUNTIME";
    let mut arguments = std::env::args_os().skip(1);
    let given = (arguments.next(), arguments.next(), arguments.next(), arguments.next());
    let (Some(channel), Some(notes), Some(runtime), None) = given else { return Err(usage.to_owned()) };
    let socket = inherited(&channel).ok_or(usage)?.map_err(|error| format!("the channel: {error}"))?;
    let notes = inherited(&notes).ok_or(usage)?.map_err(|error| format!("the notes: {error}"))?;
    let parted = keeper::part(socket, &notes);
    let socket = match parted.map_err(|error| format!("no process for the cells can be made: {error}"))? {
        Role::Keeper(code) => return Ok(Started::Keeper(code)),
        Role::Cells(channel) => channel,
    };
    restore_environment();
    stdio::write_lines();
    let (kernel, commands) = kernel::open(socket).map_err(|error| format!("the channel: {error}"))?;
    match cells::start(kernel, notes, Path::new(&runtime)) {
        Ok(cells) => {
            kernel.tell(&Event::Hello { version: version::VERSION, pid: std::process::id() });
            Ok(Started::Cells(kernel, commands, cells))
        }
        Err(why) => {
            kernel.tell(&Event::Refused { why: why.clone() });
            Err(why)
        }
    }
}

/// A socket that the kernel gave us by its number; none if that is no number. No process that a cell starts inherits it.
#[expect(unsafe_code, reason = "an inherited descriptor comes as a number")]
fn inherited(number: &OsStr) -> Option<std::io::Result<UnixStream>> {
    let number: RawFd = number.to_str()?.parse().ok().filter(|number| *number > 2)?;
    // SAFETY: whoever starts this program gives it the descriptor of that number, and nothing here has opened one yet.
    let socket = unsafe { UnixStream::from_raw_fd(number) };
    Some(set_apart(&socket))
}

/// The same socket under a number that no program expects: one that writes to descriptor 3 by mistake is not to reach the kernel. Where there are
/// not so many, it is any number.
fn set_apart(socket: &UnixStream) -> std::io::Result<UnixStream> {
    let apart = fcntl_dupfd_cloexec(socket, APART).or_else(|_| fcntl_dupfd_cloexec(socket, 3))?;
    Ok(apart.into())
}

/// The least number of a descriptor of ours.
const APART: RawFd = 200;

/// The kernel puts one folder in front of the search path for libraries, for the standard library of cells. The loader has read it by now,
/// and programs that cells start are not to find it.
#[expect(unsafe_code, reason = "changing the environment is unsafe once there are threads")]
fn restore_environment() {
    const NAME: &str = "LD_LIBRARY_PATH";
    let path = std::env::var_os(NAME).and_then(|path| path.into_string().ok());
    let rest = path.as_deref().and_then(|path| path.split_once(':')).map(|(_, rest)| rest);
    // SAFETY: there is no other thread yet.
    unsafe {
        match rest {
            Some(rest) => std::env::set_var(NAME, rest),
            None => std::env::remove_var(NAME),
        }
    }
}

/// Hands on what the kernel says, until it says no more.
fn listen(kernel: &Kernel, mut commands: Commands, cells: &Sender<Command>) {
    // A command that cannot be read is from another kernel than ours: there is nothing to be done for it.
    while let Ok(Some(command)) = commands.next() {
        match command {
            Command::Stop => return,
            Command::Input(line) => kernel.answer(line),
            Command::Interrupt { id } => kernel.tell(&Event::Stopping { id, here: runtime::interrupt(id) }),
            Command::Cut { id } => {
                runtime::cut(id);
                kernel.tell(&Event::Stopping { id, here: false });
            }
            Command::Proceed => kernel.proceed(),
            Command::Discarded { pid } => forget(pid),
            // They are for copies of this process, on channels of their own.
            Command::Wake | Command::Rehearse => {}
            Command::Checkpoint => kernel.while_copied(|| cells.send(Command::Checkpoint).is_ok()),
            other => {
                if cells.send(other).is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits for a copy of this process that has been killed, so that nothing of it is left.
fn forget(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // A cell that waits for any child of its own may have been faster.
        let _ = waitpid(Some(pid), WaitOptions::empty());
    }
}

/// Ends this process and what it started, without a word to anybody: destructors of the user's would run among running threads.
fn end() -> ! {
    let own = getpid();
    if getpgrp() == own {
        // If it fails, the next call does what is left.
        let _ = kill_process_group(own, Signal::KILL);
    }
    let _ = kill_process(own, Signal::KILL);
    std::process::abort()
}

#[expect(
    clippy::print_stderr,
    reason = "no code of the user's is here yet, and whoever started this wrongly reads why"
)]
fn complain(problem: &str) {
    eprintln!("assay-child: {problem}");
}
