//! How long threads were ready to run and had no processor, because others had them. Linux says so; elsewhere it is not known.

use std::collections::BTreeMap;

/// Nanoseconds so far of each thread of a process, by its id; none where the system does not say.
#[derive(Debug, Default)]
pub(super) struct Queue(BTreeMap<u32, u64>);

impl Queue {
    pub(super) fn of(pid: u32) -> Self {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let time = |thread: std::fs::DirEntry| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            Some((thread.file_name().to_str()?.parse().ok()?, waited(&text)?))
        };
        Self(threads.filter_map(time).collect())
    }

    /// How long the thread waited since then that waited longest. Those that have ended meanwhile are not known.
    pub(super) fn since(&self, before: &Self) -> Option<u64> {
        let since = |(id, now): (&u32, &u64)| now.saturating_sub(before.0.get(id).copied().unwrap_or(0));
        self.0.iter().map(since).max()
    }
}

/// Time on the processor, time in its queue, and how often it had one: <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>.
fn waited(text: &str) -> Option<u64> {
    text.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Queue, waited};

    fn queue(of: &[(u32, u64)]) -> Queue {
        Queue(of.iter().copied().collect())
    }

    #[test]
    fn the_longest_wait_counts() {
        let before = queue(&[(1, 100), (2, 5), (4, 900)]);
        assert_eq!(queue(&[(1, 130), (2, 75), (3, 50)]).since(&before), Some(70));
        assert_eq!(queue(&[(1, 100), (3, 50)]).since(&before), Some(50));
        assert_eq!(queue(&[]).since(&before), None);
    }

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(waited("38166 1541040 2\n"), Some(1_541_040));
        assert_eq!(waited(""), None);
        let own = Queue::of(std::process::id());
        assert_eq!(own.0.is_empty(), !std::path::Path::new("/proc/self/schedstat").exists());
    }
}
