//! The processes below this one: how to find them, interrupt them and leave none behind.
//!
//! Cargo and rustc stay in this process's group; the relay and the process that runs cells have groups of their own.

use rustix::process::{Pid, Signal, getpgrp, getpid, kill_process, kill_process_group};
use std::fs;
use std::path::Path;

/// Kills the process that runs cells, with all that it started. Its relay tells what it had to say and ends.
pub(crate) fn kill_cells(runtime: u32) {
    if let Some(pid) = i32::try_from(runtime).ok().and_then(Pid::from_raw) {
        // It may have died just now.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Kills cargo and everything that it started.
pub(crate) fn kill_builds() {
    // Once more as long as there was something: a process may start another while it is looked for.
    while kill_group_once() {}
}

/// Ends this process and everything below it, and removes what it wrote.
pub(crate) fn end(runtime: Option<u32>, folder: Option<&Path>) -> ! {
    if let Some(runtime) = runtime {
        kill_cells(runtime);
    }
    kill_builds();
    if let Some(Err(error)) = folder.map(fs::remove_dir_all) {
        crate::report(&format!("cannot remove the build folder: {error}"));
    }
    std::process::exit(0);
}

fn kill_group_once() -> bool {
    let (own, group) = (getpid(), getpgrp());
    let others = processes().filter(|(pid, of)| *of == group && *pid != own);
    others.map(|(pid, _)| kill_process(pid, Signal::KILL).is_ok()).fold(false, |any, killed| any | killed)
}

/// All processes that run, and their groups.
fn processes() -> impl Iterator<Item = (Pid, Pid)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        Some((pid, group(&stat)?))
    })
}

/// The process group in a line of `/proc/*/stat`, unless the process is dead and only waits to be looked at.
fn group(stat: &str) -> Option<Pid> {
    // The name in parentheses may contain anything, parentheses too.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok().and_then(Pid::from_raw)?;
    (state != "Z" && state != "X").then_some(group)
}

#[cfg(test)]
mod tests {
    use super::group;
    use rustix::process::Pid;

    #[test]
    fn the_group_is_read_whatever_the_name() {
        let check = |stat: &str, expected: i32| assert_eq!(group(stat), Pid::from_raw(expected), "{stat}");
        check("12 (cargo) S 1 7 7 0", 7);
        check("12 (a) b (c) R 1 8 8 0", 8);
        check("12 (rustc) Z 1 9 9 0", 0);
        check("nonsense", 0);
    }
}
