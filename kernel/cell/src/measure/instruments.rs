//! What a meter measures with: settings, the clock, who counts allocations, and who looks on.

use super::json::{Number, Object, list, or_null};
use super::{Claim, Options};
use crate::outlet::{self, Told};
use crate::{cost, flusher, run, stop};
use assay_statistics::{self as statistics, UNKNOWN_FLOOR};
use assay_stopwatch::{Clock, Counter, Counts, Instruments, Progress, Settings, Wall};
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A measurement that takes less shows no progress: it would be gone before it is read.
const SILENCE: Duration = Duration::from_secs(1);

/// How often progress is told: whoever draws it is busy for a while, on the other processor at best.
const PERIOD: Duration = Duration::from_millis(500);

/// So many iterations are counted where nothing but allocations is claimed.
const COUNTED: NonZeroU64 = NonZeroU64::new(10).unwrap();

/// The number of iterations of which the allocated bytes are counted at each size: what a collection grows by differs with what is random in it.
const COUNTED_IN_SWEEP: NonZeroU64 = NonZeroU64::new(5).unwrap();

pub(super) fn settings(options: &Options) -> Settings {
    let usual = Settings::default();
    let (claim, floor) = claimed(options.claim);
    let counts_only = match (options.claim, options.memory) {
        (Claim::Allocates { .. } | Claim::AllocatesExactly { .. }, _) => Some(COUNTED),
        (_, true) => Some(COUNTED_IN_SWEEP),
        _ => None,
    };
    Settings {
        loops: NonZeroU64::new(options.loops),
        repeats: NonZeroU64::new(options.repeats),
        budget: Duration::try_from_secs_f64(options.budget).unwrap_or(usual.budget),
        target: self::floor(),
        // Another order in each run of a cell and in each process; it need not be more random than that.
        seed: u64::from(std::process::id()) << 32 | run::number(),
        claim,
        floor,
        counts_only,
        ..usual
    }
}

/// What is claimed of times, and what the interval that decides is to be as wide as at least.
fn claimed(claim: Claim) -> (Option<statistics::Claim>, f64) {
    match claim {
        Claim::Faster { by } => (Some(statistics::Claim::FasterBy(by)), statistics::MARGIN),
        Claim::Takes { less: true, seconds } => (Some(statistics::Claim::Below(seconds)), floor()),
        Claim::Takes { less: false, seconds } => (Some(statistics::Claim::Above(seconds)), floor()),
        Claim::None | Claim::Allocates { .. } | Claim::AllocatesExactly { .. } => (None, floor()),
    }
}

pub(super) fn floor() -> f64 {
    outlet::floor().unwrap_or(UNKNOWN_FLOOR)
}

pub(super) fn instruments(id: u64, options: &Options) -> Instruments<'static> {
    let mut observer = Observer::new(id, options);
    let instruments = Instruments::new(move |progress: &Progress<'_>| observer.look(progress));
    let clock = Rc::new(Timer::new(options.cpu));
    let counter = counts().then(|| Box::new(Allocations) as Box<dyn Counter>);
    Instruments { clock, counter, ..instruments }
}

/// The time on the wall, or that of the processor.
pub(super) struct Timer {
    wall: Wall,
    cpu: bool,
}

impl Timer {
    pub(super) fn new(cpu: bool) -> Self {
        Self { wall: Wall::new(), cpu: cpu && cost::processor_time().is_some() }
    }
}

impl Clock for Timer {
    #[inline]
    fn now(&self) -> Duration {
        if self.cpu { cost::processor_time().unwrap_or_default() } else { self.wall.now() }
    }
}

/// Whether allocations can be counted here.
pub(super) fn counts() -> bool {
    cost::start_counting();
    cost::stop_counting().is_some()
}

/// Counts allocations.
pub(super) struct Allocations;

impl Counter for Allocations {
    fn start(&mut self) {
        cost::start_counting();
    }

    fn stop(&mut self) -> Counts {
        let (allocations, bytes) = cost::stop_counting().unwrap_or_default();
        Counts { allocations, bytes }
    }
}

/// Tells the kernel how far it is, and hears whether the cell is to stop.
pub(super) struct Observer {
    id: u64,
    silent: bool,
    /// What all of it may take, in seconds.
    budget: f64,
    /// When progress was last told, since the beginning.
    told: Duration,
    begun: Instant,
}

impl Observer {
    pub(super) fn new(id: u64, options: &Options) -> Self {
        Self {
            id,
            silent: options.silent,
            budget: options.budget,
            told: SILENCE.saturating_sub(PERIOD),
            begun: Instant::now(),
        }
    }

    pub(super) fn look(&mut self, progress: &Progress<'_>) -> ControlFlow<()> {
        if stop::requested() {
            return ControlFlow::Break(());
        }
        // The thread that does it is quiet meanwhile.
        flusher::flush();
        // In a sweep each size begins at zero, and has a share of the budget.
        let elapsed = self.begun.elapsed();
        let budget = if progress.size.is_some() { self.budget } else { progress.budget.as_secs_f64() };
        if !self.silent && elapsed >= self.told + PERIOD {
            self.told = elapsed;
            let mut object = Object::default();
            object.number("elapsed", elapsed.as_secs_f64()).number("budget", budget);
            object
                .raw("batches", progress.batches)
                .raw("medians", list(progress.medians.iter().copied().map(Number)));
            object.raw("repeats", or_null(progress.repeats)).maybe("half_width", progress.half_width);
            object.raw("size", or_null(progress.size));
            outlet::measured(Told::Progress, self.id, &object.end());
        }
        ControlFlow::Continue(())
    }
}
