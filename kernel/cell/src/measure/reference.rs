//! A workload that is always the same: what it takes tells how the machine is, and how much its figures differ from start to start.

use std::hint::black_box;
use std::time::Instant;

/// So much memory is read: half of a common second-level cache, so that neighbours show.
const WORDS: usize = 16 << 10;

/// It is run so often, and the median counts. A run takes about a tenth of a millisecond: all of it a few milliseconds.
const RUNS: usize = 31;

/// The median seconds of the workload, now.
pub(super) fn median() -> f64 {
    let mut words: Vec<u64> =
        (0..WORDS as u64).map(|word| word.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let mut times: Vec<f64> = (0..RUNS).map(|_| time(&mut words)).collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

fn time(words: &mut [u64]) -> f64 {
    let words = black_box(words);
    let start = Instant::now();
    work(words);
    start.elapsed().as_secs_f64()
}

/// Steps that wait for one another: arithmetic, a read that depends on it, and a write.
#[inline(never)]
fn work(words: &mut [u64]) {
    let mut state = 1_u64;
    for _ in 0..WORDS {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        let place = (state >> 32) as usize % WORDS;
        state ^= words[place];
        words[place] = state.rotate_left(7);
    }
    black_box(state);
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_takes_some_time() {
        assert!(super::median() > 0.0);
    }
}
