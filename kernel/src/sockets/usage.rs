//! What usage_request wants to know and the session does not: the machine, and processor time as a share.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::session::reply::Usage;
use crate::wire::message::Content;
use crate::wire::reply::{self, Machine, Memory};

/// Remembers the last answer, so that the next can say what was used since.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    last: Mutex<Option<(Instant, Duration)>>,
}

impl Meter {
    /// The answer to a usage_request. The first has no share of the processor: nothing was measured yet.
    pub(crate) fn answer(&self, usage: &Usage) -> Content {
        reply::usage(usage, self.share(Instant::now(), reply::processor_time(usage)), &machine())
    }

    /// Percent of one processor since the last call.
    fn share(&self, now: Instant, used: Duration) -> Option<f64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (before, used_before) = last.replace((now, used))?;
        let elapsed = now.duration_since(before).as_secs_f64();
        // A process that ended takes its time with it: never less than nothing.
        let used = used.saturating_sub(used_before).as_secs_f64();
        (elapsed > 0.0).then(|| used / elapsed * 100.0)
    }
}

fn machine() -> Machine {
    Machine {
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        processors: thread::available_parallelism().map_or(1, Into::into),
        // Only Linux has this file; elsewhere nothing is claimed.
        memory: fs::read_to_string("/proc/meminfo").ok().and_then(|text| memory(&text)),
    }
}

fn memory(meminfo: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()?;
        kibibytes.checked_mul(1024)
    };
    Some(Memory { total: bytes("MemTotal")?, available: bytes("MemAvailable")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_the_time_since_the_last_question() {
        let meter = Meter::default();
        let start = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(meter.share(start, second), None);
        assert_eq!(meter.share(start + 2 * second, 2 * second), Some(50.0));
        // A process has ended since.
        assert_eq!(meter.share(start + 3 * second, second), Some(0.0));
        assert_eq!(meter.share(start + 3 * second, second), None);
    }

    #[test]
    fn memory_is_read_in_bytes_or_not_claimed() {
        let text = "MemTotal:       16384 kB\nMemFree:  1 kB\nMemAvailable:    8 kB\n";
        assert_eq!(memory(text), Some(Memory { total: 16384 * 1024, available: 8192 }));
        assert_eq!(memory("MemTotal: 1 kB\n"), None);
        assert_eq!(memory("MemTotal: many\nMemAvailable: few\n"), None);
    }
}
