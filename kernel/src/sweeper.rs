//! Leaves nothing behind where the kernel has no chance to: a process of this program that ends what the kernel ran, when the kernel has been killed.
//!
//! It is started with the first program that the kernel runs, knows the process groups of those that run, and holds the other end of a pipe: when
//! that closes, the kernel is gone. The processes that run cells have a keeper of their own (`kernel/child`).

use crate::subprocess;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// This program. None outside of a kernel: nothing is swept then.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The process's ear; none if it could not be started.
static EAR: OnceLock<Option<ChildStdin>> = OnceLock::new();

/// A process group that is ended with the kernel, until this is dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    group: u32,
}

/// From now on groups are watched. `program` is this one.
pub(crate) fn prepare(program: &Path) {
    PROGRAM.get_or_init(|| program.to_owned());
}

/// Watches a process group.
pub(crate) fn watch(group: u32) -> Watched {
    tell('+', group);
    Watched { group }
}

impl Drop for Watched {
    fn drop(&mut self) {
        tell('-', self.group);
    }
}

/// A line is written whole: no other one gets in between.
fn tell(what: char, group: u32) {
    let Some(program) = PROGRAM.get() else { return };
    let started = || start(program).inspect_err(|error| tracing::warn!(%error, "nothing is swept")).ok();
    if let Some(mut ear) = EAR.get_or_init(started).as_ref()
        && let Err(error) = ear.write_all(format!("{what}{group}\n").as_bytes())
    {
        tracing::info!(%error, "nobody sweeps any more");
    }
}

fn start(program: &Path) -> std::io::Result<ChildStdin> {
    let mut command = Command::new(program);
    // In a group of its own, a terminal's signals do not reach it.
    command.arg("sweep").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn()?.stdin.ok_or_else(|| std::io::ErrorKind::BrokenPipe.into())
}

/// `assay sweep`: hears which groups there are, and ends them when nothing more comes.
pub(crate) fn run(told: impl BufRead) {
    groups(told).into_iter().for_each(subprocess::kill);
}

/// The groups that are left at the end.
fn groups(told: impl BufRead) -> BTreeSet<u32> {
    let mut groups = BTreeSet::new();
    for line in told.lines().map_while(Result::ok) {
        let number = |text: &str| text.parse::<u32>().ok().filter(|group| *group > 1);
        if let Some(group) = line.strip_prefix('+').and_then(number) {
            groups.insert(group);
        } else if let Some(group) = line.strip_prefix('-').and_then(number) {
            groups.remove(&group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn what_has_not_ended_is_left() {
        let left = groups("+7\n+8\n-7\n+9\n+0\n+1\n+x\n\n-10\n".as_bytes());
        assert_eq!(left.into_iter().collect::<Vec<_>>(), [8, 9]);
        assert!(groups("".as_bytes()).is_empty());
    }
}
