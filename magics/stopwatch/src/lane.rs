//! One piece of code on its way through a measurement: alone, or one of several that are measured in turns.

use crate::clock::{Clock, Precision};
use crate::desk::{Desk, Introduction};
use crate::gauge::{Aim, Gauge};
use crate::measurement::{Counted, End, Measurement};
use crate::routine::Size;
use crate::settings::Settings;
use assay_statistics::{NotSamples, RawBatch, Samples, Sorted};
use std::time::Duration;

/// A batch is at most so many times as large as the one before it, so that what was wrongly thought short does not run for long.
const GROWTH: u64 = 8;

/// Calibration ends when so many trials of about the final size agree.
const TRIALS: u32 = 3;

/// Batches that take half or twice of what they should are made anew; a smaller difference is none.
const TOLERANCE: u64 = 2;

/// The iterations of an empty loop: a tenth of a millisecond at a cycle each.
const EMPTY_ITERATIONS: u64 = 400_000;

/// Where the clock is read for every few inputs: so many readings.
const EMPTY_READINGS: u64 = 1000;

/// All that is known of the code.
pub(crate) struct Lane<'s> {
    desk: &'s Desk,
    /// Which it is, counted from 0.
    number: usize,
    wall: &'s dyn Clock,
    clock: Precision,
    gauge: Gauge,
    aim: Aim,
    size: Size,
    /// By the clock of the code, and on the wall.
    first: Option<(Duration, Duration)>,
    /// The first run took so long that it stands for calibration and warm-up, unless the next one shows that it was no measure.
    is_provisional: bool,
    blocks: Vec<Vec<RawBatch>>,
    block: Vec<RawBatch>,
    threads: Vec<Vec<RawBatch>>,
    /// What each thread took in the latest run.
    latest: Vec<Duration>,
    empty: Vec<f64>,
    counted: Option<Counted>,
    calls: u64,
}

impl<'s> Lane<'s> {
    /// Nothing has run yet.
    pub(crate) async fn new(desk: &'s Desk, number: usize, wall: &'s dyn Clock, settings: &Settings) -> Self {
        let Introduction { clock, most_inputs, threads } = desk.introduction(number).await;
        let aim = Aim { batch: settings.batch_time().as_secs_f64(), step: clock.step, most_inputs };
        Self {
            desk,
            number,
            wall,
            clock,
            gauge: Gauge::default(),
            aim,
            size: Size::ONE,
            first: None,
            is_provisional: false,
            blocks: Vec::new(),
            block: Vec::new(),
            threads: vec![Vec::new(); threads],
            latest: Vec::with_capacity(threads),
            empty: Vec::new(),
            counted: None,
            calls: 0,
        }
    }

    /// The number of iterations is prescribed.
    pub(crate) fn fix(&mut self, loops: u64) {
        self.size = Size { iterations: loops, at_once: 1 };
    }

    /// A run before everything else, whose result is kept.
    pub(crate) async fn keep(&mut self) {
        self.desk.keep(self.number).await;
        self.calls += 1;
    }

    /// The very first run that is timed.
    pub(crate) async fn run_first(&mut self) {
        let before = self.wall.now();
        let timed = self.lap(Size::ONE).await;
        self.first = Some((timed, self.wall.now().saturating_sub(before)));
    }

    /// The first run was all there was time for: it is the measurement.
    pub(crate) async fn keep_first(&mut self) {
        self.begin_block(1);
        self.block.extend(self.first.map(|(elapsed, _)| RawBatch { iterations: 1, elapsed }));
        self.keep_threads(1);
        self.end_block().await;
    }

    /// Warms up, and finds the size of a batch meanwhile. A first run that took as long as the warm-up is both.
    pub(crate) async fn calibrate(&mut self, warm_up: Duration, limit: Duration) {
        let first = self.first.map_or(Duration::ZERO, |(_, wall)| wall);
        self.is_provisional = first >= warm_up;
        if !self.is_provisional {
            self.grow(warm_up - first, limit).await;
        }
    }

    /// Runs larger and larger batches, until they take as long as they should and the time of the warm-up is over. Ends at `limit` in any case.
    async fn grow(&mut self, warm_up: Duration, limit: Duration) {
        let begun = self.wall.now();
        let (mut last, mut agreeing) = (Size::ONE, 0);
        loop {
            let wanted = self.gauge.size(self.aim);
            let size = at_most(wanted, GROWTH * last.iterations);
            agreeing = if size == wanted { agreeing + 1 } else { 0 };
            let enough = if wanted.iterations == 1 { 1 } else { TRIALS };
            let elapsed = self.wall.now().saturating_sub(begun);
            if elapsed >= limit || (elapsed >= warm_up && agreeing > enough) {
                self.size = size;
                return;
            }
            self.lap(size).await;
            last = size;
        }
    }

    /// Whether the first run was so much slower than the next that nothing is calibrated. Then this is done now, and what was measured is forgotten.
    pub(crate) async fn recalibrate(&mut self, warm_up: Duration, limit: Duration) {
        if self.is_misjudged() {
            self.grow(warm_up, limit).await;
        }
        self.confirm();
        self.blocks.clear();
        self.empty.clear();
        self.threads.iter_mut().for_each(Vec::clear);
    }

    /// Whether the first run took so much longer than the second that it was no measure.
    pub(crate) fn is_misjudged(&self) -> bool {
        self.is_provisional && self.round() < self.aim.batch / TOLERANCE as f64
    }

    /// Whether the size of a batch is a guess after the first run.
    pub(crate) fn is_provisional(&self) -> bool {
        self.is_provisional
    }

    /// The first run was a measure after all.
    pub(crate) fn confirm(&mut self) {
        self.is_provisional = false;
    }

    /// From now on a batch is to take so many seconds.
    pub(crate) fn set_batch(&mut self, batch: f64) {
        self.aim.batch = batch;
        if !self.is_provisional {
            self.size = self.gauge.size(self.aim);
        }
    }

    /// Makes batches anew that have become too short or too long, because the code takes another time than before.
    pub(crate) fn adjust(&mut self) {
        let wanted = self.gauge.size(self.aim);
        let (now, then) = (self.size.iterations, wanted.iterations);
        if then > TOLERANCE * now || now > TOLERANCE * then {
            self.size = at_most(wanted, GROWTH * now);
        }
    }

    /// The seconds that a batch takes on the wall; zero as long as nothing is known.
    pub(crate) fn round(&self) -> f64 {
        self.gauge.wall().unwrap_or(0.0) * self.size.iterations as f64
    }

    /// Makes room, so that nothing has to be made within the block.
    pub(crate) fn begin_block(&mut self, batches: usize) {
        self.block = Vec::with_capacity(batches);
        for thread in &mut self.threads {
            thread.reserve(batches);
        }
    }

    /// A batch. It may be called as often as there is room for.
    pub(crate) async fn batch(&mut self) {
        let iterations = self.size.iterations;
        let elapsed = match (self.gauge.wall(), self.aim.most_inputs) {
            (None, Some(_)) => self.first_of_prescribed().await,
            _ => self.lap(self.size).await,
        };
        self.block.push(RawBatch { iterations, elapsed });
        self.keep_threads(iterations);
    }

    /// What each thread took in the latest run of so many iterations is a batch of its own.
    fn keep_threads(&mut self, iterations: u64) {
        for (batches, elapsed) in self.threads.iter_mut().zip(&self.latest) {
            batches.push(RawBatch { iterations, elapsed: *elapsed });
        }
    }

    /// The empty loop has its turn beside the block, and the block is kept.
    pub(crate) async fn end_block(&mut self) {
        let Size { at_once, .. } = self.size;
        let iterations = match self.aim.most_inputs {
            Some(_) => EMPTY_ITERATIONS.min(EMPTY_READINGS.saturating_mul(at_once)),
            None => EMPTY_ITERATIONS,
        };
        let elapsed = self.desk.empty(self.number, Size { iterations, at_once }).await;
        self.empty.push(elapsed.as_secs_f64() / iterations as f64);
        self.blocks.push(std::mem::take(&mut self.block));
    }

    /// A prescribed number of iterations of which nothing is known: in growing parts, so that there are never many inputs of which nobody knows how large they are.
    async fn first_of_prescribed(&mut self) -> Duration {
        let loops = self.size.iterations;
        let (mut done, mut part, mut elapsed) = (0, 1, Duration::ZERO);
        while done < loops {
            let iterations = part.min(loops - done);
            let size = Size { iterations, ..at_most(self.gauge.size(self.aim), iterations) };
            elapsed += self.lap(size).await;
            done += iterations;
            part = iterations * GROWTH;
        }
        self.size.at_once = self.gauge.size(self.aim).at_once.min(loops);
        elapsed
    }

    /// Runs the code, and learns from it.
    async fn lap(&mut self, size: Size) -> Duration {
        let before = self.wall.now();
        let timed = self.desk.run(self.number, size, &mut self.latest).await;
        self.gauge.record(size.iterations, timed, self.wall.now().saturating_sub(before));
        self.calls += size.iterations * self.threads.len().max(1) as u64;
        timed
    }

    /// Counts in one more iteration.
    pub(crate) async fn count(&mut self) {
        let counts = self.desk.count(self.number).await;
        self.counted = Some(self.counted.map_or_else(|| Counted::once(counts), |all| all.and(counts)));
        self.calls += 1;
    }

    /// The seconds of an iteration by the clock on the wall; zero as long as nothing is known.
    pub(crate) fn iteration(&self) -> f64 {
        self.gauge.wall().unwrap_or(0.0)
    }

    /// How many blocks and batches are kept.
    pub(crate) fn measured(&self) -> (usize, u64) {
        (self.blocks.len(), self.blocks.iter().map(|block| block.len() as u64).sum())
    }

    /// The samples so far.
    pub(crate) fn samples(&self) -> Result<Samples, NotSamples> {
        Samples::from_batches(&self.blocks, self.empty_loop())
    }

    fn empty_loop(&self) -> f64 {
        Sorted::new(&self.empty).map_or(0.0, |sorted| sorted.median())
    }

    /// It is over.
    pub(crate) fn finish(self, end: End) -> Measurement {
        Measurement {
            empty_loop: self.empty_loop(),
            blocks: self.blocks,
            threads: self.threads,
            first: self.first.map(|(timed, _)| timed),
            clock: self.clock,
            counted: self.counted,
            calls: self.calls,
            elapsed: end.elapsed,
            ending: end.ending,
            claimed: end.claimed,
        }
    }
}

/// The same, but no larger.
fn at_most(size: Size, iterations: u64) -> Size {
    let iterations = size.iterations.min(iterations);
    Size { iterations, at_once: size.at_once.min(iterations) }
}
