//! A machine that is not there: what a shared one does to measurements, with the truth known. For tests.

use crate::generator::Generator;
use crate::sample::Samples;
use std::f64::consts::TAU;

/// Noise with a heavy tail, moods that last, and a mood for each block.
pub(crate) struct Machine {
    pub(crate) generator: Generator,
    /// What all is slower by at this moment, as a logarithm: an autoregression, so that neighbours are alike.
    pub(crate) mood: f64,
    /// The standard deviation of the noise of one sample.
    pub(crate) noise: f64,
    /// The standard deviation of the mood.
    pub(crate) drift: f64,
    /// The share of samples that something interrupts, which costs them a third on average.
    pub(crate) interrupted: f64,
}

impl Machine {
    pub(crate) fn new(seed: u64) -> Self {
        Self { generator: Generator::new(seed), mood: 0.0, noise: 0.02, drift: 0.02, interrupted: 0.04 }
    }

    /// Between 0 and 1, neither of them.
    pub(crate) fn unit(&mut self) -> f64 {
        ((self.generator.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// A standard normal variable (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (TAU * self.unit()).cos()
    }

    /// What is measured of code that truly costs `cost`.
    pub(crate) fn sample(&mut self, cost: f64) -> f64 {
        let held: f64 = 0.98;
        self.mood = held * self.mood + (1.0 - held * held).sqrt() * self.drift * self.normal();
        let noise = (self.mood + self.noise * self.normal()).exp();
        let interrupted = self.unit() < self.interrupted;
        cost * noise * if interrupted { 1.0 - 0.33 * self.unit().ln() } else { 1.0 }
    }

    /// Blocks of samples of code that costs `cost`; the blocks differ by `between` besides.
    pub(crate) fn blocks(&mut self, cost: f64, blocks: usize, samples: usize, between: f64) -> Samples {
        let blocks: Vec<Vec<f64>> = (0..blocks)
            .map(|_| {
                let mood = (between * self.normal()).exp();
                (0..samples).map(|_| self.sample(cost * mood)).collect()
            })
            .collect();
        Samples::new(&blocks).unwrap()
    }

    /// Each code measured once a round, in a random order, in five blocks of rounds.
    pub(crate) fn interleaved(&mut self, costs: &[f64], rounds: usize) -> Vec<Samples> {
        let mut measured = vec![Vec::new(); costs.len()];
        for _ in 0..rounds {
            let mut order: Vec<usize> = (0..costs.len()).collect();
            self.generator.shuffle(&mut order);
            for code in order {
                let sample = self.sample(costs[code]);
                measured[code].push(sample);
            }
        }
        let in_blocks =
            |samples: &Vec<f64>| Samples::new(&samples.chunks(rounds.div_ceil(5)).collect::<Vec<_>>());
        measured.iter().map(|samples| in_blocks(samples).unwrap()).collect()
    }
}
