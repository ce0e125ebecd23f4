//! A measurement from its first run to its end: of one piece of code, or of several in turns.

use crate::clock::Clock;
use crate::course::Job;
use crate::lane::Lane;
use crate::measurement::{End, Ending};
use crate::observer::{Observer, Progress};
use crate::settings::{MOST_BATCHES, Settings};
use assay_statistics::{
    Bootstrap, Decision, Estimate, Generator, Interleaved, Interval, LEAST_BLOCKS, Next, Samples, Stopping,
};
use claim::LOOKS;
use std::time::Duration;

/// A block takes no longer than this, if it is more than one batch: whoever looks on is asked as often.
const MOST_BLOCK: Duration = Duration::from_millis(250);

/// A block has no more batches than this.
const MOST_IN_BLOCK: u64 = 1000;

/// Allocations are counted in so many iterations, if they take less than this share of the budget.
const COUNTED: (u64, f64) = (10, 0.1);

/// They are counted in one iteration that takes less than this share of the budget, and not at all in longer ones.
const COUNTED_ONCE: f64 = 0.25;

/// Where several are measured in turns and one takes longer than a batch should, the others' batches are as long: up to this share of the budget for all of them.
const MOST_ROUND: f64 = 0.05;

/// Between blocks a rough interval will do, since it decides only when to stop. The median of so many batches is drawn again in a millisecond or two.
const RESAMPLES: usize = 200;

/// Many blocks are judged every few blocks: a twentieth more of them says little more.
const BLOCKS_TO_JUDGE: usize = 20;

/// All that a measurement needs while it lasts.
pub(crate) struct Session<'s, 'd> {
    job: Job,
    settings: Settings,
    wall: &'s dyn Clock,
    observer: &'s mut dyn Observer,
    begun: Duration,
    /// What a block takes.
    share: Duration,
    /// What is measured, in turns if it is several.
    lanes: &'s mut [Lane<'d>],
    /// What is to become sure, as it was last judged.
    judged: Option<Estimate>,
    /// What the claim was at the latest looks, the last one last.
    decisions: [Decision; LOOKS],
    /// The lanes in the order of a round.
    order: Vec<usize>,
    generator: Generator,
}

impl<'s, 'd> Session<'s, 'd> {
    /// A session that begins now.
    pub(crate) fn new(
        job: Job,
        wall: &'s dyn Clock,
        observer: &'s mut dyn Observer,
        lanes: &'s mut [Lane<'d>],
    ) -> Self {
        let begun = wall.now();
        let order = (0..lanes.len()).collect();
        let generator = Generator::new(job.settings.seed);
        Self {
            job,
            settings: job.settings,
            wall,
            observer,
            begun,
            share: Duration::ZERO,
            lanes,
            judged: None,
            decisions: [Decision::Undecided; LOOKS],
            order,
            generator,
        }
    }

    /// Measures all of it, and tells how long that took and why it ended.
    pub(crate) async fn run(mut self) -> End {
        let ending = if self.lanes.is_empty() { Ending::Complete } else { self.proceed().await };
        let elapsed = self.elapsed();
        End { elapsed, ending, claimed: self.settings.claim.map(|claim| self.decide(claim, ending)) }
    }

    async fn proceed(&mut self) -> Ending {
        if self.job.keeps {
            for lane in self.lanes.iter_mut() {
                lane.keep().await;
            }
        }
        if let Some(iterations) = self.settings.counts_only {
            return self.only_count(iterations.get()).await;
        }
        if !self.prepare().await {
            for lane in self.lanes.iter_mut() {
                lane.keep_first().await;
            }
            return Ending::Spent;
        }
        self.share = self.share_of_block();
        self.block().await;
        if self.lanes.iter().any(Lane::is_misjudged) {
            self.begin_again().await;
        }
        self.lanes.iter_mut().for_each(Lane::confirm);
        self.count().await;
        loop {
            if let Some(ending) = self.ending() {
                return ending;
            }
            if self.settings.loops.is_none() {
                self.lanes.iter_mut().for_each(Lane::adjust);
            }
            self.block().await;
        }
    }

    /// Everything before the first batch. False if the budget is spent by then: one run each was all there was time for.
    async fn prepare(&mut self) -> bool {
        if let Some(loops) = self.settings.loops {
            self.lanes.iter_mut().for_each(|lane| lane.fix(loops.get()));
            return true;
        }
        for lane in self.lanes.iter_mut() {
            lane.run_first().await;
        }
        if self.settings.repeats.is_none() && self.remaining().is_zero() {
            return false;
        }
        let (warm_up, limit) = self.warm_up();
        for lane in self.lanes.iter_mut() {
            lane.calibrate(warm_up, limit).await;
        }
        self.equalise();
        true
    }

    /// What the warm-up of each takes, and what its calibration may take with it.
    fn warm_up(&self) -> (Duration, Duration) {
        let each = self.settings.budget / self.lanes.len() as u32;
        (self.settings.warm_up.min(each / 4), each / 2)
    }

    /// Batches of what is measured in turns take the same time.
    fn equalise(&mut self) {
        if self.lanes.len() < 2 {
            return;
        }
        let least = self.settings.batch_time().as_secs_f64();
        let most = least.max(MOST_ROUND * self.settings.budget.as_secs_f64() / self.lanes.len() as f64);
        let batch = self.lanes.iter().map(Lane::iteration).fold(least, f64::max).min(most);
        self.lanes.iter_mut().for_each(|lane| lane.set_batch(batch));
    }

    /// First runs misled: what is measured so far is forgotten.
    async fn begin_again(&mut self) {
        let (warm_up, limit) = self.warm_up();
        for lane in self.lanes.iter_mut() {
            lane.recalibrate(warm_up, limit).await;
        }
        self.equalise();
        self.share = self.share_of_block();
        self.block().await;
    }

    /// Rounds without anything in between but readings of the clock. In a round each has its turn once, in a random order.
    async fn block(&mut self) {
        let (batches, limit) = self.plan();
        self.lanes.iter_mut().for_each(|lane| lane.begin_block(batches));
        let begun = self.wall.now();
        for _ in 0..batches {
            self.generator.shuffle(&mut self.order);
            for lane in &self.order {
                self.lanes[*lane].batch().await;
            }
            if self.wall.now().saturating_sub(begun) >= limit {
                break;
            }
        }
        for lane in self.lanes.iter_mut() {
            lane.end_block().await;
        }
    }

    /// How many rounds the next block has, and after what time it ends if they take longer than is thought.
    fn plan(&self) -> (usize, Duration) {
        if let Some(repeats) = self.settings.repeats {
            let left = repeats.get() - self.measured().1;
            let batches = repeats.get().div_ceil(self.settings.blocks().into());
            return (batches.min(left).min(MOST_IN_BLOCK) as usize, MOST_BLOCK);
        }
        let limit = self.share.min(self.remaining());
        let round = self.round();
        let is_guess = round == 0.0 || self.lanes.iter().any(Lane::is_provisional);
        let batches = if is_guess { 1 } else { (limit.as_secs_f64() / round) as u64 };
        (batches.clamp(1, MOST_IN_BLOCK) as usize, limit)
    }

    /// Counts allocations, if somebody can and there is time.
    async fn count(&mut self) {
        if !self.job.counts || self.settings.loops.is_some() {
            return;
        }
        let budget = self.settings.budget.as_secs_f64() / self.lanes.len() as f64;
        for lane in self.lanes.iter_mut() {
            let fitting = (COUNTED.1 * budget / lane.iteration()) as u64;
            let once = u64::from(lane.iteration() <= COUNTED_ONCE * budget);
            for _ in 0..fitting.clamp(once, COUNTED.0) {
                lane.count().await;
            }
        }
    }

    /// Counts, and does nothing else.
    async fn only_count(&mut self, iterations: u64) -> Ending {
        if !self.job.counts {
            return Ending::Complete;
        }
        for counted in 1..=iterations {
            for lane in self.lanes.iter_mut() {
                lane.count().await;
            }
            if counted == iterations {
                break;
            }
            if self.remaining().is_zero() {
                return Ending::Spent;
            }
            if self.is_stopped(&[], counted) {
                return Ending::Stopped;
            }
        }
        Ending::Complete
    }

    fn samples(&self) -> Vec<Samples> {
        self.lanes.iter().filter_map(|lane| lane.samples().ok()).collect()
    }

    /// Why it ends after this block, if it does.
    fn ending(&mut self) -> Option<Ending> {
        let samples = self.samples();
        let (blocks, batches) = self.measured();
        if blocks >= LEAST_BLOCKS && blocks % (1 + blocks / BLOCKS_TO_JUDGE) == 0 {
            self.judge(&samples);
        }
        let planned = match self.settings.repeats {
            Some(repeats) => (batches >= repeats.get()).then_some(Ending::Complete),
            None if self.is_decided(batches) => Some(Ending::Decided),
            None if batches >= u64::from(MOST_BATCHES) => Some(Ending::Plenty),
            None => self.next(&samples),
        };
        planned.or_else(|| self.is_stopped(&samples, batches).then_some(Ending::Stopped))
    }

    /// What is known of the figure, or of the claim if there is one.
    fn judge(&mut self, samples: &[Samples]) {
        match self.settings.claim {
            Some(claim) => self.judge_claim(claim, samples),
            None => self.judged = self.estimate(samples),
        }
    }

    fn next(&self, samples: &[Samples]) -> Option<Ending> {
        let target = if self.settings.claim.is_some() { 0.0 } else { self.settings.target };
        let stopping = Stopping { target, budget: self.settings.limit() };
        let unknown = Estimate { value: 1.0, interval: Interval::new(0.0, f64::MAX) };
        // Of what never varies the interval is zero, and so may be the target.
        let estimate = self.judged.filter(|_| target > 0.0).unwrap_or(unknown);
        // What would be over by more than half after the budget is not begun.
        let half = self.share.max(seconds(self.round())) / 2;
        match stopping.next(samples.first()?, &estimate, self.elapsed(), half) {
            Next::Measure => None,
            Next::Sure => Some(Ending::Sure),
            Next::Spent => Some(Ending::Spent),
        }
    }

    /// What is to become sure: the figure, or the ratio to the first that is least sure. None where something takes no time.
    fn estimate(&self, samples: &[Samples]) -> Option<Estimate> {
        let bootstrap = Bootstrap { resamples: RESAMPLES, seed: self.settings.seed, ..Bootstrap::default() };
        if let [alone] = samples {
            return Some(bootstrap.median(alone, 0.0));
        }
        let turns = Interleaved::new(samples.to_vec()).ok()?;
        let width = |ratio: &Estimate| ratio.relative_half_width().unwrap_or(0.0);
        (1..samples.len())
            .filter_map(|index| turns.ratio(index, 0, &bootstrap, 0.0))
            .max_by(|one, other| width(one).total_cmp(&width(other)))
    }

    /// Asks whoever looks on.
    fn is_stopped(&mut self, samples: &[Samples], batches: u64) -> bool {
        let medians: Vec<f64> = samples.iter().map(|samples| samples.sorted().median()).collect();
        let progress = Progress {
            elapsed: self.elapsed(),
            budget: self.settings.limit(),
            batches,
            repeats: self.settings.repeats.map(Into::into),
            medians: &medians,
            half_width: self.judged.and_then(|estimate| estimate.relative_half_width()),
            size: self.job.size,
        };
        self.observer.between(&progress).is_break()
    }

    /// The seconds of a round; zero as long as nothing is known.
    fn round(&self) -> f64 {
        self.lanes.iter().map(Lane::round).sum()
    }

    /// How many blocks and rounds are measured.
    fn measured(&self) -> (usize, u64) {
        self.lanes.first().map_or((0, 0), Lane::measured)
    }

    /// What a block is to take of what is left of the budget.
    fn share_of_block(&self) -> Duration {
        let left = self.settings.budget.saturating_sub(self.elapsed());
        (left / self.settings.blocks()).min(MOST_BLOCK)
    }

    fn elapsed(&self) -> Duration {
        self.wall.now().saturating_sub(self.begun)
    }

    fn remaining(&self) -> Duration {
        self.settings.limit().saturating_sub(self.elapsed())
    }
}

/// Seconds as a duration; the longest there is for more than that.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

mod claim;
#[cfg(test)]
mod tests;
