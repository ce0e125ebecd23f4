//! What this process uses of the memory that there is, and whether a checkpoint would use too much of it.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::OnceLock;

/// State above which there is no checkpoint, in bytes: the copy of the page tables alone takes a tenth of a second.
const LARGEST: u64 = 4 << 30;

/// How much rather than others the process that runs cells is ended when memory runs out, out of 1000: <https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html>. What it runs is the
/// likeliest cause, and its checkpoint is what helps.
const EXPENDABLE: i32 = 500;

/// Why a process of this size is not copied, if it is not.
pub(super) fn refusal(size: u64) -> Option<String> {
    if size > LARGEST {
        return Some(format!("{:.1} GB are in use, and up to {} are copied", gigabytes(size), LARGEST >> 30));
    }
    // A cell that writes to all of it needs as much again, and what it makes anew comes on top.
    let free = available().filter(|free| *free < 2 * size)?;
    let (size, free) = (gigabytes(size), gigabytes(free));
    Some(format!("memory is short: {size:.1} GB are in use, and {free:.1} are free"))
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit")]
fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// The resident set of this process in bytes; none if that is not known. <https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html>
pub(super) fn resident() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// What could be used without swapping, in bytes, by the system and by the groups that this process is in; none if neither is known.
fn available() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    info.and_then(|info| free(&info)).into_iter().chain(left(&groups, Path::new("/sys/fs/cgroup"))).min()
}

/// <https://man7.org/linux/man-pages/man5/proc_meminfo.5.html>
fn free(info: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// What the groups' limits leave: of the unified hierarchy (<https://docs.kernel.org/admin-guide/cgroup-v2.html>, `memory.max`), and of the older one
/// (<https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>). In a container the group may be the root of what can be seen.
fn left(groups: &str, root: &Path) -> Option<u64> {
    let group = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        let (folder, names) = match controllers {
            "" => (root.to_owned(), ["memory.max", "memory.current"]),
            "memory" => (root.join("memory"), ["memory.limit_in_bytes", "memory.usage_in_bytes"]),
            _ => return None,
        };
        let own = folder.join(path);
        own.ancestors()
            .take_while(|group| group.starts_with(&folder))
            .filter_map(|group| {
                let [limit, used] =
                    names.map(|name| fs::read_to_string(group.join(name)).ok()?.trim().parse().ok());
                let (limit, used): (u64, u64) = (limit?, used?);
                // What the group's files fill of the cache is given back first.
                let cache =
                    fs::read_to_string(group.join("memory.stat")).ok().and_then(|stat| inactive(&stat));
                Some(limit.saturating_sub(used) + cache.unwrap_or(0).min(used))
            })
            .min()
    };
    groups.lines().filter_map(group).min()
}

fn inactive(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("inactive_file "))?.parse().ok()
}

/// The score of this process before it became expendable.
static BEFORE: OnceLock<i32> = OnceLock::new();

const SCORE: &str = "/proc/self/oom_score_adj";

/// From now on this process is one of the first to be ended when memory runs out.
pub(super) fn be_expendable() {
    let before = || fs::read_to_string(SCORE).ok()?.trim().parse::<i32>().ok();
    if let Some(before) = BEFORE.get().copied().or_else(before) {
        let before = *BEFORE.get_or_init(|| before);
        score(before.saturating_add(EXPENDABLE).min(1000));
    }
}

/// From now on it is not. Nothing is allocated.
pub(super) fn be_kept() {
    if let Some(before) = BEFORE.get() {
        score(*before);
    }
}

/// Where it is refused, the process is as likely to be ended as the others.
fn score(score: i32) {
    let mut text = Cursor::new([0; 16]);
    if write!(text, "{score}").is_ok() {
        let length = text.position() as usize;
        let _ = fs::write(SCORE, &text.into_inner()[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::{free, left, refusal};
    use std::fs;

    #[test]
    fn what_is_free_is_read() {
        assert_eq!(free("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), Some(2 << 20));
        assert_eq!(free("MemTotal: 9 kB\n"), None);
    }

    #[test]
    fn every_group_above_counts() {
        let root = std::env::temp_dir().join(format!("assay-groups-{}", std::process::id()));
        let (outer, inner) = (root.join("outer"), root.join("outer/inner"));
        fs::create_dir_all(&inner).unwrap();
        let put =
            |folder: &std::path::Path, name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        put(&inner, "memory.max", "max\n");
        put(&inner, "memory.current", "10\n");
        assert_eq!(left("0::/outer/inner\n", &root), None);
        put(&outer, "memory.max", "1000\n");
        put(&outer, "memory.current", "400\n");
        assert_eq!(left("0::/outer/inner\n", &root), Some(600));
        put(&outer, "memory.stat", "anon 5\ninactive_file 100\n");
        assert_eq!(left("0::/outer/inner\n", &root), Some(700));
        assert_eq!(left("3:cpu:/outer\n0::/\n", &root), None);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_is_too_large_is_said() {
        assert_eq!(refusal(1 << 20), None);
        assert_eq!(refusal(9 << 30).unwrap(), "9.0 GB are in use, and up to 4 are copied");
    }
}
