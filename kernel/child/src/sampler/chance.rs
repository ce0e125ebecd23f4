//! How long it is to the next sample. That is left to chance, so that no loop is always met at the same places, however long its turns take.

use std::cell::Cell;
use std::num::NonZeroU64;

/// Numbers as good as drawn by lot.
pub(super) struct Lots(Cell<NonZeroU64>);

impl Lots {
    /// Others for each number.
    pub(super) fn new(seed: u64) -> Self {
        // <https://prng.di.unimi.it/splitmix64.c>, so that neighbours have nothing in common.
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(Cell::new(NonZeroU64::new(mixed ^ (mixed >> 31)).unwrap_or(NonZeroU64::MAX)))
    }

    /// One below this. It is what a number becomes by xorshift: <https://www.jstatsoft.org/article/view/v008i14>.
    fn below(&self, limit: u64) -> u64 {
        let mut next = self.0.get().get();
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        self.0.set(NonZeroU64::new(next).unwrap_or(NonZeroU64::MAX));
        next % limit.max(1)
    }

    /// What goes on after this. It is no zero.
    pub(super) fn state(&self) -> u64 {
        self.0.get().get()
    }

    /// As it was with this state.
    pub(super) fn resume(state: u64) -> Self {
        Self(Cell::new(NonZeroU64::new(state).unwrap_or(NonZeroU64::MAX)))
    }

    /// From one sample to the next: an eighth of the period more or less. It is enough to be elsewhere in a turn after some samples, and so little that a long piece of work has as many
    /// samples as a short one should.
    pub(super) fn next(&self, period: u64) -> u64 {
        period / 8 * 7 + self.below(period / 4)
    }

    /// To the first sample of a thread, as if there had been samples for ever. So threads that live for less than a period are seen as often as they should.
    pub(super) fn first(&self, period: u64) -> u64 {
        // A moment is in a long interval more often than in a short one, and anywhere in it.
        loop {
            let interval = self.next(period);
            if self.below(period / 8 * 9) < interval {
                return self.below(interval);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::DRAWN;
    use super::Lots;

    const PERIOD: u64 = 997_000;

    #[test]
    fn a_stretch_of_time_has_as_many_samples_as_it_should() {
        for share in [0.1, 0.5, 0.7, 1.0, 1.5, 2.3, 10.0] {
            let length = (share * PERIOD as f64) as u64;
            let mut samples = 0;
            for seed in 0..20_000 {
                let lots = Lots::new(seed);
                let mut at = lots.first(PERIOD);
                while at < length {
                    samples += 1;
                    let resumed = Lots::resume(lots.state()).next(PERIOD);
                    let next = lots.next(PERIOD);
                    assert_eq!(resumed, next);
                    at += next;
                }
            }
            let mean = f64::from(samples) / 20_000.0;
            assert!((mean - share).abs() < 0.02, "{share} {mean}");
        }
    }

    #[test]
    fn no_length_of_a_turn_is_met_at_the_same_places() {
        let lots = Lots::new(7);
        for turn in [PERIOD / 10 * 3, PERIOD / 3, PERIOD / 2, PERIOD, 2 * PERIOD, 3 * PERIOD] {
            let (mut at, mut early) = (lots.first(PERIOD), 0);
            for _ in 0..5_000 {
                let next = lots.next(PERIOD);
                // So many samples are taken before it is drawn again.
                for _ in 0..DRAWN {
                    early += u32::from(at % turn < turn / 4);
                    at += next;
                }
            }
            assert!((9_000..11_000).contains(&early), "{turn} {early}");
        }
    }
}
