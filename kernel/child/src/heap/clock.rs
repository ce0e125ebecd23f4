//! When something was allocated. The clock is read at each event, so it is the processor's own counter where the system trusts that one itself.

use std::time::Instant;

/// A clock that was started.
pub(super) struct Clock {
    began: Instant,
    ticks: u64,
    /// Whether ticks are the processor's; they are nanoseconds otherwise.
    counter: bool,
}

impl Clock {
    pub(super) fn start() -> Self {
        let counter = trusted();
        let mut clock = Self { began: Instant::now(), ticks: 0, counter };
        clock.ticks = counter_now();
        clock
    }

    /// Ticks since it was started.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        if self.counter {
            counter_now().wrapping_sub(self.ticks)
        } else {
            u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
        }
    }

    /// How to make nanoseconds of ticks up to now.
    pub(super) fn scale(&self) -> Scale {
        let (ticks, elapsed) = (self.now(), self.began.elapsed());
        Scale { ticks: u128::from(ticks.max(1)), nanoseconds: elapsed.as_nanos(), same: !self.counter }
    }
}

/// So many ticks are so many nanoseconds.
pub(super) struct Scale {
    ticks: u128,
    nanoseconds: u128,
    same: bool,
}

impl Scale {
    /// The tick at which it was made.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.ticks).unwrap_or(u64::MAX)
    }

    /// In nanoseconds, rounded down.
    pub(super) fn of(&self, ticks: u64) -> u64 {
        if self.same {
            return ticks;
        }
        u64::try_from(u128::from(ticks) * self.nanoseconds / self.ticks).unwrap_or(u64::MAX)
    }
}

/// Whether the processor's counter goes evenly, and the same on all processors: where it does, Linux tells the time by it.
/// <https://docs.kernel.org/virt/kvm/x86/timekeeping.html>
fn trusted() -> bool {
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(target_arch = "x86_64")
        && std::fs::read_to_string(source).is_ok_and(|source| ["tsc", "kvm-clock"].contains(&source.trim()))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(unsafe_code, reason = "an instruction is named")]
fn counter_now() -> u64 {
    // SAFETY: every processor of this kind has it.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn counter_now() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::{Duration, Instant};

    #[test]
    fn it_agrees_with_the_system_s() {
        for counter in [false, super::trusted()] {
            let mut clock = Clock::start();
            clock.counter = counter;
            let before = Instant::now();
            std::thread::sleep(Duration::from_millis(3));
            let (tick, slept) = (clock.now(), before.elapsed());
            std::thread::sleep(Duration::from_millis(3));
            let scale = clock.scale();
            let whole = u128::from(scale.of(clock.now()));
            assert!(whole >= scale.nanoseconds, "{whole}");
            let middle = u128::from(scale.of(tick));
            assert!((2_900_000..scale.nanoseconds).contains(&middle), "{middle}, {slept:?}");
        }
    }
}
