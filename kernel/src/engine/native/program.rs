//! A program that is run to its end: in a process group of its own, so that nothing of it goes on when nobody waits any more.

use crate::subprocess;
use crate::sweeper::{self, Watched};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// What to do where a program that is there does not start.
pub(super) const SHORT: &str =
    "the machine may be short of memory, or this user of processes or open files (`ulimit -a`)";

/// Runs `program` in `folder` with exactly this environment. Dropping the future ends it and whatever it started.
///
/// An error means that it could not be started or waited for; how it ended is in the output.
pub(super) async fn run(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    folder: &Path,
    environment: &BTreeMap<String, String>,
) -> io::Result<Output> {
    watch(program, arguments, folder, environment, &mut |_| ()).await
}

/// As [`run`]; `heard` is given what comes on standard error, as it comes.
pub(super) async fn watch(
    program: &Path,
    arguments: &[impl AsRef<OsStr>],
    folder: &Path,
    environment: &BTreeMap<String, String>,
    heard: &mut (dyn FnMut(&[u8]) + Send),
) -> io::Result<Output> {
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut group = Group::of(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut unheard = |_: &[u8]| ();
    let (stdout, stderr) = tokio::try_join!(read(stdout, &mut unheard), read(stderr, heard))?;
    let status = child.wait().await?;
    // A group that ended well has left nobody behind, and its number may soon be another's.
    if status.success() {
        group.pid = None;
    }
    Ok(Output { status, stdout, stderr })
}

/// Reads to the end.
async fn read(
    pipe: Option<impl AsyncRead + Unpin>,
    heard: &mut (dyn FnMut(&[u8]) + Send),
) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if let Some(mut pipe) = pipe {
        let mut before = 0;
        while pipe.read_buf(&mut all).await? > 0 {
            heard(&all[before..]);
            before = all.len();
        }
    }
    Ok(all)
}

/// Ends a process group when it is dropped, and when the kernel is gone.
struct Group {
    pid: Option<u32>,
    _watched: Option<Watched>,
}

impl Group {
    fn of(pid: Option<u32>) -> Self {
        Self { pid, _watched: pid.map(sweeper::watch) }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.pid.into_iter().for_each(subprocess::kill);
    }
}

#[cfg(test)]
mod tests {
    use super::run;
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::time::Duration;

    #[tokio::test]
    async fn what_it_started_ends_with_it_when_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 300 & echo $! > started.tmp; mv started.tmp started; wait";
        let environment = BTreeMap::new();
        let arguments = ["-c", script];
        let running = run(Path::new("/bin/sh"), &arguments, folder.path(), &environment);
        let started = folder.path().join("started");
        let seen = async {
            while !started.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            output = running => panic!("{output:?}"),
            () = seen => {}
        }
        let pid: i32 = std::fs::read_to_string(&started).unwrap().trim().parse().unwrap();
        let alive = || {
            // A killed process stays a zombie until whoever inherited it looks at it.
            let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !status.is_empty() && !status.contains(") Z ")
        };
        while alive() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn it_sees_its_folder_and_its_environment_only() {
        let folder = tempfile::tempdir().unwrap();
        let environment = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
        let script = "pwd -P; echo $A-$HOME; echo problem >&2; exit 3";
        let output = run(Path::new("/bin/sh"), &["-c", script], folder.path(), &environment).await.unwrap();
        let path = folder.path().canonicalize().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\nb-\n", path.display()));
        assert_eq!(output.stderr, b"problem\n");
        assert_eq!(output.status.code(), Some(3));
    }
}
