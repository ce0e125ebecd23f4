//! The processor time of this process: of all of its threads, those that cells have left behind too.

use crate::table::Times;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::mem::zeroed;

/// Nanoseconds so far.
pub(crate) fn time() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// The same by where it was spent; none if the system does not say. On Linux the split is an estimate, for the kernel looks only at each of its ticks where a thread
/// is: <https://github.com/torvalds/linux/blob/v6.12/kernel/sched/cputime.c>, `cputime_adjust`. The sum is exact.
#[expect(unsafe_code, reason = "no crate that is here has this call")]
pub(crate) fn times() -> Option<Times> {
    // SAFETY: all zeros are a value of this type, and the system writes no more than one.
    let used = unsafe {
        let mut used: libc::rusage = zeroed();
        if libc::getrusage(libc::RUSAGE_SELF, &raw mut used) != 0 {
            return None;
        }
        used
    };
    Some(split(time(), microseconds(used.ru_utime), microseconds(used.ru_stime)))
}

/// The total in the ratio of the parts, which are of a moment before it and in another unit. What cannot be told apart is the user's.
fn split(total: u64, user: u64, system: u64) -> Times {
    let sum = u128::from(user) + u128::from(system);
    let part = (u128::from(total) * u128::from(system)).checked_div(sum).unwrap_or(0);
    let system = u64::try_from(part).unwrap_or(total);
    Times { user: total.saturating_sub(system), system }
}

fn nanoseconds(time: Timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0))
}

fn microseconds(time: libc::timeval) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(time.tv_usec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{split, time, times};

    #[test]
    fn the_parts_are_the_total() {
        let parts = |total, user, system| {
            let times = split(total, user, system);
            (times.user, times.system)
        };
        assert_eq!(parts(1_000, 3, 1), (750, 250));
        assert_eq!(parts(1_001, 3, 1), (751, 250));
        assert_eq!(parts(5, 0, 0), (5, 0));
        assert_eq!(parts(0, 3, 1), (0, 0));
        assert_eq!(parts(u64::MAX, u64::MAX, 0), (u64::MAX, 0));
        assert_eq!(parts(u64::MAX, 0, u64::MAX), (0, u64::MAX));
    }

    #[test]
    fn work_takes_time() {
        let before = time();
        while time() - before < 20_000_000 {}
        let parts = times().unwrap();
        assert!(parts.user + parts.system >= before + 20_000_000);
        assert!(parts.user + parts.system <= time());
    }
}
