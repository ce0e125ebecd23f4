//! The process that keeps those that run cells: their parent, which tells the kernel how each of them ended, and leaves nothing behind when the
//! kernel is gone.
//!
//! It is made before there is any thread, by a fork: it goes on as the keeper, and what it makes goes on to run cells. Where the system can (Linux), whatever
//! loses its parent below it becomes its child, a checkpoint that takes over as well as a program that a cell put into the background. Elsewhere such
//! programs are out of reach.

use assay_link::keeper::Note;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, getppid, kill_process, wait};
use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Who this process is from now on.
pub(crate) enum Role {
    /// It runs cells, and this is its channel.
    Cells(UnixStream),
    /// It kept those that did, until the last was gone.
    Keeper(ExitCode),
}

/// Forks. There must be no other thread. The channel is for the process that runs cells alone: when that ends, it is closed.
#[expect(unsafe_code, reason = "a fork is unsafe where there are threads")]
pub(crate) fn part(channel: UnixStream, notes: &UnixStream) -> std::io::Result<Role> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid()))?;
    let keeper = getpid();
    // SAFETY: there is one thread, so the copy is whole.
    match unsafe { libc::fork() } {
        -1 => Err(std::io::Error::last_os_error()),
        0 => {
            follow(keeper);
            Ok(Role::Cells(channel))
        }
        _ => {
            drop(channel);
            Ok(Role::Keeper(keep(notes)))
        }
    }
}

/// The process dies with its keeper, and leads a group: it and what cells start are ended together, and nobody else.
fn follow(keeper: Pid) {
    #[cfg(target_os = "linux")]
    {
        // If it is refused, the end of the channel still ends this process.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
        if getppid() != Some(keeper) {
            exit(1);
        }
    }
    lead(None);
}

/// Makes this process, or a child of it, the leader of a group of its own. Both do it: whoever is killed with its group before the other has had its turn takes
/// nobody along.
pub(crate) fn lead(child: Option<Pid>) {
    // It is a new process, and so leads no session: nothing speaks against it.
    let _ = rustix::process::setpgid(child, child);
}

fn keep(notes: &UnixStream) -> ExitCode {
    let Ok(told) = notes.try_clone().map(Arc::new) else { return ExitCode::FAILURE };
    // The user's output ends when those who write it have ended.
    silence();
    let ear = Arc::clone(&told);
    // Without this thread, background programs of a cell outlive a kernel that was killed.
    let _ = thread::Builder::new().name("sweeper".to_owned()).spawn(move || sweep_after(&ear));
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) => {
                let pid = pid.as_raw_nonzero().get().unsigned_abs();
                let note = Note::Ended { pid, status: status.as_raw() };
                // If the kernel has gone, the other thread knows.
                let _ = (&*told).write_all(&note.encode());
            }
            Ok(None) | Err(Errno::INTR) => {}
            // There is nobody left.
            Err(_) => return ExitCode::SUCCESS,
        }
    }
}

#[expect(unsafe_code, reason = "there is no safe way to replace a descriptor by number")]
fn silence() {
    let Ok(nothing) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") else { return };
    for standard in 0..3 {
        // SAFETY: whoever uses these descriptors in this process finds one there.
        unsafe { libc::dup2(nothing.as_raw_fd(), standard) };
    }
}

/// Waits until the kernel is gone, then ends everything below this process.
fn sweep_after(mut notes: &UnixStream) {
    // The kernel says nothing here: what comes is the end.
    while notes.read(&mut [0; 16]).is_ok_and(|count| count > 0) {}
    loop {
        for child in children() {
            // It may have ended just now.
            let _ = kill_process(child, Signal::KILL);
        }
        // The other thread ends this process when the last of them is gone; what lost its parent meanwhile is a child by then.
        thread::sleep(Duration::from_millis(5));
    }
}

/// The children of this process; none where the system does not list them.
fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let all: Vec<String> =
        lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    all.iter().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}
