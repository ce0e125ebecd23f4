//! Random numbers that are the same for the same seed, so that every figure can be worked out again.

/// xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021), its state filled
/// from a seed by SplitMix64, as its authors advise. Not for secrets.
#[derive(Debug, Clone)]
pub struct Generator([u64; 4]);

impl Generator {
    /// The generator that a seed stands for. Any seed will do, 0 too.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| splitmix(&mut state)))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number from 0 up to, and without, `bound`; 0 for a bound of 0.
    ///
    /// The high half of a product (Lemire, "Fast random integer generation in an interval", 2019) without his rejection: the
    /// bias is below `bound` / 2⁶⁴, and no sample has that many values.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Puts the items into a random order (Fisher and Yates): the order in which a round of interleaved runs goes.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = *state;
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Generator, splitmix};

    /// What the authors' `xoshiro256plusplus.c` gives for the state 1, 2, 3, 4, and `splitmix64.c` for the seed 1234567.
    #[test]
    fn the_reference_implementations_give_the_same() {
        let mut generator = Generator([1, 2, 3, 4]);
        let expected =
            [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386, 9_228_616_714_210_784_205];
        assert_eq!([(); 5].map(|()| generator.bits()), expected);

        let mut state = 1_234_567;
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([(); 3].map(|()| splitmix(&mut state)), expected);
    }

    #[test]
    fn every_number_below_the_bound_comes_about_equally_often() {
        let mut generator = Generator::new(7);
        let mut counts = [0_i32; 6];
        for _ in 0..60_000 {
            counts[generator.below(6)] += 1;
        }
        // Five standard deviations of a binomial count are 456.
        assert!(counts.iter().all(|count| (count - 10_000).abs() < 456), "{counts:?}");
        assert_eq!(generator.below(0), 0);
    }

    #[test]
    fn every_order_comes_about_equally_often() {
        let mut generator = Generator::new(8);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..12_000 {
            let mut items = ['a', 'b', 'c'];
            generator.shuffle(&mut items);
            *counts.entry(items).or_insert(0_i32) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (count - 2000).abs() < 205), "{counts:?}");
    }
}
