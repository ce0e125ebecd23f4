//! Workloads that are always the same: what they take tells how the machine is, and how much its figures differ from start to start.
//!
//! There are two, for code differs: what asks the heap for memory hangs on where that lies, which every start decides anew. Its figures differ more.

use std::hint::black_box;
use std::time::Instant;

/// So much memory is read: half of a common second-level cache, so that neighbours show.
const WORDS: usize = 16 << 10;

/// Each is run so often, and the median counts. A run takes about a tenth of a millisecond: all of it a few milliseconds.
const RUNS: usize = 31;

/// So many times a run makes its strings and sorts its numbers.
const REPEATS: usize = 100;

/// The numbers that are sorted.
const NUMBERS: usize = 100;

/// The median seconds, now, of code that asks for no memory.
pub(super) fn computing() -> f64 {
    let mut words: Vec<u64> = scattered(WORDS).collect();
    median(|| work(black_box(&mut words)))
}

/// The same of code that asks for memory.
pub(super) fn allocating() -> f64 {
    let numbers: Vec<u64> = scattered(NUMBERS).collect();
    median(|| {
        for _ in 0..REPEATS {
            allocate(black_box("the quick brown fox jumps over the lazy dog"), black_box(&numbers));
        }
    })
}

fn scattered(count: usize) -> impl Iterator<Item = u64> {
    (0..count as u64).map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
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

/// A few strings, and a sorted copy.
#[inline(never)]
fn allocate(text: &str, numbers: &[u64]) {
    black_box(text.split(' ').map(str::to_owned).collect::<Vec<String>>());
    let mut sorted = numbers.to_vec();
    sorted.sort();
    black_box(sorted);
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_take_some_time() {
        assert!(super::computing() > 0.0);
        assert!(super::allocating() > 0.0);
    }
}
