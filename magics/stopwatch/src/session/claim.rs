//! What somebody claims of the figures, decided while they are measured.

use super::Session;
use crate::measurement::{Claimed, Ending};
use assay_statistics::{Bootstrap, Claim, Decision, Estimate, Interleaved, LEAST_SAMPLES, Samples};

/// How a claim is decided. The level is that of a check that runs every day; at half a per cent of so many resamples the ends of the interval are the fifth from either side.
const DECIDING: Bootstrap = Bootstrap { level: 0.99, resamples: 1000, seed: 0 };

/// So many looks in a row have to say the same before a measurement ends: who looks again and again until an interval decides comes to wrong decisions more often than its level says. Of two
/// equals with a floor of 1 % and a budget of 200 ms, one was said to be faster than the other in 9 of 300 simulated trials with one look, in 4 with two and in 1 with three; with a budget of 1 s in none.
pub(super) const LOOKS: usize = 3;

/// Of one sample nothing is known but the floor: a claim is not decided by it.
const LEAST_TO_DECIDE: usize = 2;

impl Session<'_, '_> {
    /// Looks at the claim.
    pub(super) fn judge_claim(&mut self, claim: Claim, samples: &[Samples]) {
        self.judged = self.claimed(claim, samples);
        let decision = self.judged.map_or(Decision::Undecided, |estimate| claim.decide(&estimate.interval));
        self.decisions.rotate_left(1);
        self.decisions[LOOKS - 1] = decision;
    }

    /// Whether there is a claim, and enough is measured to decide it.
    pub(super) fn is_decided(&self, batches: u64) -> bool {
        let [first, ..] = self.decisions;
        let agree = self.decisions.iter().all(|decision| *decision == first);
        batches >= LEAST_SAMPLES as u64 && agree && first != Decision::Undecided
    }

    /// What becomes of the claim in the end. One that was interrupted is open.
    pub(super) fn decide(&self, claim: Claim, ending: Ending) -> Claimed {
        let samples = self.samples();
        let enough = samples.first().is_some_and(|samples| samples.values().len() >= LEAST_TO_DECIDE);
        let estimate = if enough { self.claimed(claim, &samples) } else { None };
        let decision = match estimate {
            Some(estimate) if ending != Ending::Stopped => claim.decide(&estimate.interval),
            _ => Decision::Undecided,
        };
        Claimed { decision, estimate }
    }

    /// The figure that the claim is about. None where something takes no time.
    pub(super) fn claimed(&self, claim: Claim, samples: &[Samples]) -> Option<Estimate> {
        let bootstrap = Bootstrap { seed: self.settings.seed, ..DECIDING };
        match claim {
            Claim::FasterBy(_) => {
                let turns = Interleaved::new(samples.to_vec()).ok()?;
                turns.ratio(0, 1, &bootstrap, self.settings.floor)
            }
            Claim::Below(_) | Claim::Above(_) | Claim::AtMost(_) => {
                Some(bootstrap.median(samples.first()?, self.settings.floor))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::measurement::{Ending, Measurement};
    use crate::observer::Progress;
    use crate::routine::Routine;
    use crate::settings::Settings;
    use crate::simulation::{Simulated, Time, go_on, noise};
    use crate::stopwatch::Stopwatch;
    use assay_statistics::{Claim, Decision, Generator};
    use std::cell::Cell;
    use std::num::NonZeroU64;
    use std::ops::ControlFlow;
    use std::time::Duration;

    const BUDGET: Duration = Duration::from_millis(200);

    fn settings(claim: Claim) -> Settings {
        Settings { budget: BUDGET, floor: 0.03, claim: Some(claim), ..Settings::default() }
    }

    /// What is measured in turns of code that takes so many nanoseconds, with noise from this seed.
    fn measure(settings: Settings, costs: &[f64], seed: u64) -> Vec<Measurement> {
        let time = Time::default();
        let clock = time.clock();
        let mut all: Vec<_> = costs
            .iter()
            .zip(seed..)
            .map(|(cost, seed)| {
                let mut generator = Generator::new(seed);
                Simulated::new(&time, &clock, move |_, _| cost * noise(&mut generator))
            })
            .collect();
        let mut routines: Vec<&mut dyn Routine> = all.iter_mut().map(|one| one as _).collect();
        Stopwatch::new(settings, &clock, &mut go_on).compare(&mut routines)
    }

    fn check(claim: Claim, costs: &[f64], expected: Decision) {
        let measurements = measure(settings(claim), costs, 1);
        let Measurement { claimed, elapsed, ending, .. } = &measurements[0];
        let claimed = claimed.unwrap();
        assert_eq!(claimed.decision, expected, "{claim:?} of {costs:?}: {claimed:?}");
        assert_eq!(claim.decide(&claimed.estimate.unwrap().interval), expected);
        assert!(measurements.iter().all(|one| one.claimed == Some(claimed)));
        if expected == Decision::Undecided {
            // The latest block may be over by half a block after the limit.
            assert_eq!(*ending, Ending::Spent);
            assert!(*elapsed > 11 * BUDGET / 4 && *elapsed < 3 * BUDGET + BUDGET / 20, "{elapsed:?}");
        } else {
            assert_eq!(*ending, Ending::Decided);
            assert!(*elapsed < BUDGET, "{elapsed:?}");
        }
    }

    #[test]
    fn a_claim_of_a_time_ends_the_measurement_when_it_is_decided() {
        check(Claim::Below(1.2e-6), &[1000.0], Decision::Holds);
        check(Claim::Below(0.8e-6), &[1000.0], Decision::Fails);
        check(Claim::Above(0.8e-6), &[1000.0], Decision::Holds);
        check(Claim::Above(1.2e-6), &[1000.0], Decision::Fails);
        check(Claim::AtMost(1.2e-6), &[1000.0], Decision::Holds);
    }

    #[test]
    fn a_claim_of_a_ratio_is_about_the_first_two() {
        check(Claim::FasterBy(1.0), &[1000.0, 1200.0], Decision::Holds);
        check(Claim::FasterBy(1.5), &[1000.0, 1200.0], Decision::Fails);
        check(Claim::FasterBy(1.5), &[1000.0, 1800.0, 1.0], Decision::Holds);
        check(Claim::FasterBy(1.0), &[1200.0, 1000.0], Decision::Fails);
    }

    #[test]
    fn a_claim_within_the_floor_is_undecided_after_three_times_the_budget() {
        check(Claim::Below(1.01e-6), &[1000.0], Decision::Undecided);
        check(Claim::Above(1.01e-6), &[1000.0], Decision::Undecided);
        check(Claim::FasterBy(1.0), &[1000.0, 1010.0], Decision::Undecided);
    }

    #[test]
    fn neither_a_figure_that_is_sure_nor_the_usual_budget_ends_it() {
        let claim = settings(Claim::Below(1.01e-6));
        let without = measure(Settings { claim: None, ..claim }, &[1000.0], 1);
        assert_eq!((without[0].ending, without[0].claimed), (Ending::Sure, None));
        assert!(without[0].elapsed < BUDGET);
    }

    #[test]
    fn slow_code_is_judged_by_the_few_samples_that_there_are() {
        let limit = |cost: f64, limit: f64| {
            let measurement = measure(settings(Claim::Below(limit)), &[cost], 1).remove(0);
            assert!(measurement.elapsed.as_secs_f64() < 3.0 * 0.2 + 4.0 * cost / 1e9);
            let claimed = measurement.claimed.unwrap();
            (claimed.decision, claimed.estimate.is_some())
        };
        assert_eq!(limit(50e6, 0.1), (Decision::Holds, true));
        assert_eq!(limit(150e6, 0.001), (Decision::Fails, true));
        assert_eq!(limit(150e6, 0.149), (Decision::Undecided, true));
        // It ran once.
        assert_eq!(limit(90e9, 0.001), (Decision::Undecided, false));
    }

    #[test]
    fn prescribed_repeats_are_made_and_decide() {
        let [loops, repeats] = [1000, 30].map(NonZeroU64::new);
        for (limit, decision) in [(1.2e-6, Decision::Holds), (0.8e-6, Decision::Fails)] {
            let settings = Settings { loops, repeats, ..settings(Claim::Below(limit)) };
            let measurement = measure(settings, &[1000.0], 1).remove(0);
            assert_eq!((measurement.calls, measurement.ending), (30_000, Ending::Complete));
            assert_eq!(measurement.claimed.unwrap().decision, decision);
        }
    }

    #[test]
    fn an_interrupt_leaves_it_open() {
        let time = Time::default();
        let clock = time.clock();
        let looks = Cell::new(0);
        let mut observer = |progress: &Progress<'_>| {
            looks.set(looks.get() + 1);
            assert_eq!(progress.budget, 3 * BUDGET);
            if looks.get() == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut code = Simulated::new(&time, &clock, |_, _| 1000.0);
        let mut stopwatch = Stopwatch::new(settings(Claim::Below(1.01e-6)), &clock, &mut observer);
        let measurement = stopwatch.measure(&mut code);
        assert_eq!((measurement.ending, measurement.blocks.len()), (Ending::Stopped, 20));
        assert_eq!(measurement.claimed.unwrap().decision, Decision::Undecided);
    }

    /// The interval is looked at again and again until it decides, which is the usual way to a wrong decision. The floor is what stands against that: it is as wide as figures differ from run to run.
    #[test]
    fn what_is_about_equal_is_never_said_to_be_faster() {
        for seed in 0..40 {
            let settings = Settings { floor: 0.01, ..settings(Claim::FasterBy(1.0)) };
            let measurements = measure(settings, &[1000.0, 1000.0], 2 * seed);
            assert_eq!(measurements[0].claimed.unwrap().decision, Decision::Undecided, "{seed}");
        }
    }
}
