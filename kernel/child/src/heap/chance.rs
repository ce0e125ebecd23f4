//! Whose stack is taken: everyone's at first ([`ALL_STACKS`]), and of what comes then a random part's, each of which stands for several.
//!
//! A stack takes microseconds, and there is code that allocates fifty million times in a second. The part gets smaller the more stacks were taken, so that there are never many more. It is chosen at
//! random, as what is chosen evenly goes in step with programs that do the same again and again. A block that is larger than others is chosen more often, in proportion to its size, and stands for fewer: one that
//! has most of all bytes would otherwise be missed, or stand for many of its kind. So do profilers that sample by the byte (gperftools, jemalloc); here the small ones have their part as well, for they are counted, too.

use assay_link::watch::ALL_STACKS;

/// So many stacks more are taken before the next ones stand for twice as many: a place that has half of these is known to within half a point (1.96 · √(¼ / 50,000)).
const STEP: u32 = 50_000;

/// No block stands for more.
const MOST: u32 = 1 << 30;

pub(super) struct Chance {
    random: u64,
    /// Blocks of usual size stand for so many.
    each: u32,
    /// How many stacks are taken until they stand for more.
    left: u32,
    /// How many blocks there were after all stacks were taken, and their bytes.
    blocks: u64,
    bytes: u64,
    /// The usual size: blocks of more stand for fewer.
    usual: u64,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        // Any number but zero: the state of the generator never becomes what it never was.
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self { random, each: 2, left: STEP, blocks: 0, bytes: 0, usual: 0 }
    }

    /// For how many a block stands, of this size, that comes after so many others; 0 if its stack is not to be taken. The mean over all blocks of one size is one.
    pub(super) fn weight(&mut self, size: u64, before: u64) -> u32 {
        if before < ALL_STACKS {
            return 1;
        }
        self.blocks += 1;
        self.bytes = self.bytes.saturating_add(size);
        if self.blocks == 1 {
            self.usual = size;
        }
        let weight = self.stands_for(size);
        if weight > 1 && self.number(weight) != 0 {
            return 0;
        }
        self.left -= 1;
        if self.left == 0 {
            self.left = STEP;
            self.each = (self.each * 2).min(MOST);
            self.usual = self.bytes / self.blocks;
        }
        weight
    }

    fn stands_for(&self, size: u64) -> u32 {
        if size <= self.usual {
            return self.each;
        }
        let fewer = u64::from(self.each).saturating_mul(self.usual) / size;
        u32::try_from(fewer).unwrap_or(self.each).max(1)
    }

    /// A random number below this one.
    fn number(&mut self, below: u32) -> u32 {
        // Marsaglia, Xorshift RNGs, <https://doi.org/10.18637/jss.v008.i14>, with the multiplication of Vigna's xorshift64*.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let high = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        ((high * u64::from(below)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL_STACKS, Chance};

    /// Blocks and bytes as they are estimated, and how many stacks are taken for that.
    fn estimated(sizes: impl Iterator<Item = u64>) -> (u64, u64, u64) {
        let mut chance = Chance::new(1);
        let (mut blocks, mut bytes, mut taken) = (0, 0, 0);
        for (before, size) in sizes.enumerate() {
            let weight = u64::from(chance.weight(size, before as u64));
            blocks += weight;
            bytes += weight * size;
            taken += u64::from(weight > 0);
        }
        (blocks, bytes, taken)
    }

    fn about(estimate: u64, exact: u64) -> bool {
        (estimate as f64 / exact as f64 - 1.0).abs() < 0.01
    }

    #[test]
    fn of_few_all_stacks_are_taken() {
        assert_eq!(estimated((0..ALL_STACKS).map(|at| at % 100)), (ALL_STACKS, 24_750_000, ALL_STACKS));
    }

    #[test]
    fn of_many_there_are_estimates_and_a_bound() {
        let many = 30_000_000;
        let (blocks, bytes, taken) = estimated((0..many).map(|_| 8));
        assert!(about(blocks, many) && about(bytes, 8 * many), "{blocks} {bytes}");
        assert!((600_000..1_200_000).contains(&taken), "{taken}");
    }

    #[test]
    fn what_comes_again_and_again_keeps_its_share() {
        let period = |of: u64| (0..8_000_000_u64).filter(move |at| at % 16 == of);
        let mut chance = Chance::new(2);
        let weights: Vec<u64> = (0..8_000_000).map(|at| u64::from(chance.weight(24, at))).collect();
        for of in [0, 7] {
            let seen: u64 = period(of).map(|at| weights[at as usize]).sum();
            assert!((seen as f64 / 500_000.0 - 1.0).abs() < 0.05, "{of}: {seen}");
        }
    }

    #[test]
    fn large_blocks_are_not_missed() {
        let mut chance = Chance::new(3);
        for before in 0..4_000_000 {
            if before % 1_000_000 == 999_999 {
                assert_eq!(chance.weight(1 << 30, before), 1);
            } else {
                chance.weight(16, before);
            }
        }
        let mixed = |at: u64| if at.is_multiple_of(1000) { 100_000 } else { 16 + at % 64 };
        let exact: u64 = (0..5_000_000).map(mixed).sum();
        let (blocks, bytes, taken) = estimated((0..5_000_000).map(mixed));
        assert!(about(blocks, 5_000_000) && about(bytes, exact), "{blocks} {bytes} {exact}");
        assert!(taken < 1_500_000, "{taken}");
    }

    #[test]
    fn sizes_that_grow_do_not_lift_the_bound() {
        let (blocks, bytes, taken) = estimated((0..20_000_000_u64).map(|at| 1 + at / 1000));
        let exact: u64 = (0..20_000_000_u64).map(|at| 1 + at / 1000).sum();
        assert!(about(blocks, 20_000_000) && about(bytes, exact), "{blocks} {bytes} {exact}");
        assert!(taken < 1_700_000, "{taken}");
        // Blocks of no bytes.
        assert!(about(estimated((0..5_000_000).map(|_| 0)).0, 5_000_000));
    }
}
