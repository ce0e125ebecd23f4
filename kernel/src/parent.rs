//! Whoever started the kernel. When it is gone without a word, nobody will ever ask the kernel to go.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, getppid};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::sync::oneshot;

/// How often it is looked where the system does not tell.
const LOOK: Duration = Duration::from_secs(1);

/// Returns when the process that started this one has ended. Never, if it did not name itself (`JPY_PARENT_PID`, as Jupyter's clients
/// do): a kernel may be started by a program that is meant to end before it.
pub(crate) async fn gone(named: Option<&str>) {
    let parent = named.and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    // A number from another container names somebody else.
    let Some(parent) = parent.filter(|parent| getppid() == Some(*parent)) else {
        return std::future::pending().await;
    };
    if let Some(handle) = handle(parent) {
        ended(handle).await;
    }
    // Where there is no handle, and where the parent ended before it was made, which is then somebody else's.
    while getppid() == Some(parent) {
        tokio::time::sleep(LOOK).await;
    }
}

/// A descriptor that is readable when the process has ended, where the system has such.
#[cfg(target_os = "linux")]
fn handle(process: Pid) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(process, PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn handle(_: Pid) -> Option<OwnedFd> {
    None
}

/// Waits in a thread of its own, which sleeps until then and keeps nothing from ending.
async fn ended(handle: OwnedFd) {
    let (told, wait) = oneshot::channel();
    let watch = move || {
        let mut fds = [PollFd::new(&handle, PollFlags::IN)];
        while poll(&mut fds, None) == Err(rustix::io::Errno::INTR) {}
        // Nobody listens any more when the kernel is ending anyway.
        told.send(()).ok();
    };
    if std::thread::Builder::new().name("parent".into()).spawn(watch).is_ok() {
        wait.await.ok();
    }
}
