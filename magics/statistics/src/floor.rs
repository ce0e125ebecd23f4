//! The noise floor of a machine: what figures differ by from run to run, whatever a single run says of itself.

use crate::quantiles::Sorted;

/// The floor of a machine of which nothing is known. Fresh processes on a quiet shared machine gave medians whose distance from their common median
/// was 0.7 to 1.5 % in half of the cases, for which 2 to 3 % are about a 95 % interval.
pub const UNKNOWN_FLOOR: f64 = 0.025;

/// The supposition of [`UNKNOWN_FLOOR`] counts as much as this many starts.
const SUPPOSED_STARTS: f64 = 4.0;

/// Starts longer ago say little about the machine as it is.
const RECENT_STARTS: usize = 30;

/// Fewer blocks say nothing about how this start is.
const ENOUGH_BLOCKS: usize = 5;

/// No machine that was tried is better than the first, and above the second an interval says nothing any more.
const BOUNDS: (f64, f64) = (0.01, 0.5);

/// A 95 % interval of normal noise by the median of its absolute deviations: 1.96 · 1.4826.
const FROM_DEVIATION: f64 = 2.906;

/// The share of a figure below which this machine cannot tell two figures apart: the floor of [`Bootstrap::median`](crate::Bootstrap::median).
///
/// Both arguments hold medians of one and the same reference workload, in any unit: `earlier` one for each earlier start of the kernel on
/// this machine, oldest first, `now` one for each block of this start, spread over time. Values that are no positive number are passed over.
///
/// What starts differ by is taken together with [`UNKNOWN_FLOOR`], each by its weight, so that two starts that happen to agree
/// promise nothing. What the blocks of this start differ by only raises the floor: the machine may be busier than usual.
pub fn noise_floor(earlier: &[f64], now: &[f64]) -> f64 {
    let now = usable(now);
    let mut starts = usable(earlier);
    starts.extend(Sorted::new(&now).map(|blocks| blocks.median()));
    let recent = &starts[starts.len().saturating_sub(RECENT_STARTS)..];
    let known = recent.len().saturating_sub(1) as f64;
    let supposed = SUPPOSED_STARTS * UNKNOWN_FLOOR.powi(2);
    let usual = ((supposed + known * deviation(recent).powi(2)) / (SUPPOSED_STARTS + known)).sqrt();
    let busy = if now.len() < ENOUGH_BLOCKS { 0.0 } else { deviation(&now) };
    usual.max(busy).clamp(BOUNDS.0, BOUNDS.1)
}

fn usable(medians: &[f64]) -> Vec<f64> {
    medians.iter().copied().filter(|median| median.is_finite() && *median > 0.0).collect()
}

/// What the values differ by from their median, as the half-width of a 95 % interval and a share. By the median of the deviations, because a
/// machine that was once ten times slower is not that noisy otherwise.
fn deviation(medians: &[f64]) -> f64 {
    let logarithms: Vec<f64> = medians.iter().map(|median| median.ln()).collect();
    Sorted::new(&logarithms).map_or(0.0, |sorted| FROM_DEVIATION * sorted.mad())
}

#[cfg(test)]
mod tests {
    use super::{UNKNOWN_FLOOR, noise_floor};
    use crate::simulation::Machine;

    #[test]
    fn a_machine_of_which_nothing_is_known_is_supposed_to_be_ordinary() {
        for earlier in [&[] as &[f64], &[1e-6], &[f64::NAN, 0.0, -1.0, f64::INFINITY]] {
            assert!((noise_floor(earlier, &[]) - UNKNOWN_FLOOR).abs() < 1e-12, "{earlier:?}");
        }
    }

    #[test]
    fn agreement_is_believed_little_by_little() {
        let floors = [2, 5, 30, 1000].map(|starts| noise_floor(&vec![1e-6; starts], &[]));
        assert!(floors.windows(2).all(|pair| pair[0] >= pair[1]), "{floors:?}");
        assert!(floors[0] > 0.02, "two starts that agree promise nothing: {floors:?}");
        assert_eq!(floors[3], 0.01, "nothing is better than the best that was seen");
        assert_eq!(floors[2], floors[3], "old starts say nothing");
    }

    #[test]
    fn the_floor_is_what_starts_differ_by() {
        let mut machine = Machine::new(3);
        let starts: Vec<f64> = (0..30).map(|_| 1e-6 * (0.03 * machine.normal()).exp()).collect();
        let floor = noise_floor(&starts, &[]);
        assert!((0.04..0.08).contains(&floor), "1.96 standard deviations are 5.9 %, not {floor}");
        let mut once_slow = starts.clone();
        once_slow[20] = 1e-5;
        assert!((noise_floor(&once_slow, &[]) - floor).abs() < 0.01);
    }

    #[test]
    fn a_busy_moment_raises_the_floor_and_a_quiet_one_does_not_lower_it() {
        let starts = [1.00, 1.01, 0.99, 1.02, 0.98, 1.0];
        let usual = noise_floor(&starts, &[1.0]);
        assert!(noise_floor(&starts, &[0.9, 1.0, 1.1, 1.3, 1.0]) > 0.2);
        assert!((noise_floor(&starts, &[1.0; 5]) - usual).abs() < 1e-12);
        assert_eq!(noise_floor(&starts, &[1.0, 20.0, 0.1, 7.0, 90.0]), 0.5);
    }
}
