//! What code costs beside its time on the clock: allocations, and the processor's time. The process knows both; a program of the user's own knows neither.
//!
//! Both are of all threads: what others of the user's do at the same time is in them, a pool's workers as well as a thread that an earlier cell has left behind. The
//! process's own part is not counted, and its threads sleep while a cell runs.

use crate::table::{Counts, Table, Times};
use crate::{flusher, outlet};
use std::time::Duration;

/// Counts allocations from now on, from zero. Each measurement is one start and one stop: there is one count for all.
///
/// Whoever may unwind in between stops in a destructor, or the rest of the cell runs slower.
pub(crate) fn start_counting() {
    if let Some(table) = outlet::table() {
        flusher::settle();
        (table.count)(true, std::ptr::null_mut());
    }
}

/// Stops. How many allocations there were since the start, and how many bytes were asked for in them; none where they cannot be counted.
pub(crate) fn stop_counting() -> Option<(u64, u64)> {
    let mut counts = Counts::default();
    let counted = outlet::table().is_some_and(|table| (table.count)(false, &raw mut counts));
    counted.then_some((counts.allocations, counts.bytes))
}

/// The processor time so far that was spent in the program, and in the system for it. The sum is exact, the parts are estimates: one of them may be some microseconds
/// less than it was before.
pub(crate) fn times() -> Option<(Duration, Duration)> {
    let mut times = Times::default();
    let known = outlet::table().is_some_and(|table| (table.times)(&raw mut times));
    known.then_some((Duration::from_nanos(times.user), Duration::from_nanos(times.system)))
}

/// All of the processor time so far. It takes one call of the system.
pub(crate) fn processor_time() -> Option<Duration> {
    let now = |table: &Table| Duration::from_nanos((table.processor)());
    outlet::table().map(now)
}

#[cfg(test)]
mod tests {
    use super::{processor_time, start_counting, stop_counting, times};

    #[test]
    fn a_program_of_its_own_knows_nothing() {
        start_counting();
        assert_eq!((stop_counting(), times(), processor_time()), (None, None, None));
    }
}
