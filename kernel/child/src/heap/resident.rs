//! The resident set of the process while the heap is watched, without the memory that watching takes.
//!
//! The kernel keeps the most that there was, and begins anew when it is told to: <https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html>. What the watch maps is in it;
//! so, whenever that becomes more, what there was by then is noted, and the kernel begins anew.

use super::mapped;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;

pub(super) struct Resident {
    status: File,
    clear: File,
    /// What was mapped for the watch at the beginning, which is in all figures.
    mapped: u64,
    first: u64,
    most: u64,
}

impl Resident {
    /// From now on. None where the system does not say.
    pub(super) fn begin() -> Option<Self> {
        let status = File::open("/proc/self/status").ok()?;
        let clear = OpenOptions::new().write(true).open("/proc/self/clear_refs").ok()?;
        let mut resident = Self { status, clear, mapped: mapped::bytes(), first: 0, most: 0 };
        (resident.first, _) = resident.now()?;
        resident.most = resident.first;
        resident.begin_anew().then_some(resident)
    }

    /// What is mapped for the watch is about to become more, or less.
    pub(super) fn before_change(&mut self) {
        if let Some((_, most)) = self.now() {
            self.most = self.most.max(self.without_ours(most));
        }
    }

    /// It has.
    pub(super) fn after_change(&self) {
        // It was possible at the beginning. If it is not any more, the figure is too large by what was mapped.
        self.begin_anew();
    }

    /// At the beginning, at most, and now, in bytes.
    pub(super) fn end(mut self) -> Option<[u64; 3]> {
        self.before_change();
        let (now, _) = self.now()?;
        Some([self.first, self.most, self.without_ours(now)])
    }

    fn without_ours(&self, bytes: u64) -> u64 {
        bytes.saturating_sub(mapped::bytes().saturating_sub(self.mapped))
    }

    fn begin_anew(&self) -> bool {
        self.clear.write_at(b"5", 0).is_ok()
    }

    /// Now, and the most since the kernel began anew.
    fn now(&self) -> Option<(u64, u64)> {
        let mut text = [0; 2048];
        let count = self.status.read_at(&mut text, 0).ok()?;
        let text = &text[..count];
        Some((bytes(text, b"VmRSS:")?, bytes(text, b"VmHWM:")?))
    }
}

/// A figure of the status, which is in kB: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn bytes(status: &[u8], name: &[u8]) -> Option<u64> {
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))?;
    let digits = std::str::from_utf8(line).ok()?.trim().strip_suffix("kB")?;
    Some(digits.trim().parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn the_status_is_read() {
        let status = b"Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t       2 kB\n";
        assert_eq!((bytes(status, b"VmRSS:"), bytes(status, b"VmHWM:")), (Some(2048), Some(4096 << 10)));
        assert_eq!(bytes(b"Name:\tx\n", b"VmRSS:"), None);
    }
}
