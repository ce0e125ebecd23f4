//! What makes a figure doubtful, as data that hold the numbers; the words are in `Display`, and end in advice.

mod modes;
mod trend;

use crate::interval::Estimate;
use crate::outliers::Outliers;
use crate::sample::Samples;
use crate::stopping::{LEAST_BLOCKS, LEAST_SAMPLES};
use crate::units::duration;
use modes::Modes;
use std::fmt;

/// What costs less than this share of the empty loop cannot be told from nothing: the loop itself differs by a tenth.
const LIKE_EMPTY: f64 = 0.2;

/// A batch that is so many steps of the clock is known to a hundredth; divan chooses its batches by the same measure.
const STEPS_OF_CLOCK: f64 = 100.0;

/// An interval is wide when it is twice the floor, and above this.
const WIDE: f64 = 0.05;

/// Above this share outliers are no accidents: of normal noise 0.7 % lie so far out, of a shared machine's 4 %.
const MANY_OUTLIERS: f64 = 0.1;

/// IPython's rule for `%timeit`: the worst is more than four times the best ("an intermediate result is being cached").
const FAR_SLOWER: f64 = 4.0;

/// A first run that is slower by less than so many seconds met cold caches and the linker's first call, and nothing to speak of.
const COLD: f64 = 20e-6;

/// From the first block to the last, a change below this is no drift, however steady.
const DRIFT: f64 = 0.03;

/// Why a figure may not mean what it seems to. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// The code costs no more than nothing does.
    OptimisedAway {
        /// What an iteration took, the loop's own cost taken off.
        figure: f64,
        /// What an iteration of the empty loop takes.
        empty_loop: f64,
    },
    /// A batch is so short that the steps of the clock show.
    BelowClock {
        /// What a batch took.
        batch: f64,
        /// The smallest step of the clock.
        clock: f64,
    },
    /// There is too little to tell how sure the figure is.
    TooFew {
        /// How many samples there are.
        samples: usize,
        /// In how many blocks.
        blocks: usize,
    },
    /// The interval is wide.
    TooNoisy {
        /// Its half-width, as a share of the figure.
        half_width: f64,
        /// What this machine is thought capable of.
        floor: f64,
    },
    /// Many samples lie far out.
    Outliers(Outliers),
    /// The first run took far longer than the others.
    SlowFirstRun {
        /// What it took.
        first: f64,
        /// The median of the others.
        typical: f64,
    },
    /// The figure changed while it was measured.
    Drift {
        /// By what share, from the first block to the last: negative when it became faster.
        change: f64,
    },
    /// There are two speeds, and the median is one of them by chance.
    Bimodal {
        /// The middle of the faster samples.
        fast: f64,
        /// The middle of the slower ones.
        slow: f64,
        /// The share of the slower ones.
        share: f64,
    },
}

/// What is known of a measurement besides its samples. All times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circumstances {
    /// What an iteration of the empty loop takes.
    pub empty_loop: f64,
    /// The smallest step of the clock.
    pub clock: f64,
    /// What a batch took, all of its iterations: the median.
    pub batch: f64,
    /// What the very first run took, before the warm-up, if it was measured.
    pub first_run: Option<f64>,
    /// The noise floor of the machine, as a share.
    pub floor: f64,
}

/// All that makes a measurement doubtful, the gravest first. `estimate` is the figure with the interval that is printed.
pub fn warnings(samples: &Samples, estimate: &Estimate, circumstances: &Circumstances) -> Vec<Warning> {
    // Of nothing there is nothing more to say: its noise is the loop's.
    if let Some(warning) = optimised_away(estimate, circumstances) {
        return vec![warning];
    }
    let all = [
        below_clock(circumstances),
        too_few(samples),
        bimodal(samples),
        drift(samples, circumstances),
        too_noisy(samples, estimate, circumstances),
        slow_first_run(estimate, circumstances),
        many_outliers(samples),
    ];
    all.into_iter().flatten().collect()
}

fn optimised_away(estimate: &Estimate, circumstances: &Circumstances) -> Option<Warning> {
    let empty_loop = circumstances.empty_loop;
    let figure = estimate.value;
    (empty_loop > 0.0 && figure < LIKE_EMPTY * empty_loop)
        .then_some(Warning::OptimisedAway { figure, empty_loop })
}

fn below_clock(circumstances: &Circumstances) -> Option<Warning> {
    let Circumstances { batch, clock, .. } = *circumstances;
    (batch < STEPS_OF_CLOCK * clock).then_some(Warning::BelowClock { batch, clock })
}

fn too_few(samples: &Samples) -> Option<Warning> {
    let (count, blocks) = (samples.len(), samples.shape().len());
    (count < LEAST_SAMPLES || blocks < LEAST_BLOCKS).then_some(Warning::TooFew { samples: count, blocks })
}

/// Of few samples the interval is wide because they are few, and that is said.
fn too_noisy(samples: &Samples, estimate: &Estimate, circumstances: &Circumstances) -> Option<Warning> {
    let floor = circumstances.floor;
    let half_width = estimate.relative_half_width()?;
    let wide = half_width > WIDE.max(2.0 * floor) && too_few(samples).is_none();
    wide.then_some(Warning::TooNoisy { half_width, floor })
}

fn slow_first_run(estimate: &Estimate, circumstances: &Circumstances) -> Option<Warning> {
    let first = circumstances.first_run?;
    let typical = estimate.value;
    (first > FAR_SLOWER * typical && first - typical > COLD)
        .then_some(Warning::SlowFirstRun { first, typical })
}

fn many_outliers(samples: &Samples) -> Option<Warning> {
    let outliers = Outliers::of(&samples.sorted());
    let many =
        samples.len() >= LEAST_SAMPLES && outliers.total() as f64 > MANY_OUTLIERS * samples.len() as f64;
    many.then_some(Warning::Outliers(outliers))
}

fn drift(samples: &Samples, circumstances: &Circumstances) -> Option<Warning> {
    let change = trend::steady_change(&samples.block_medians())?;
    (change.abs() > DRIFT.max(circumstances.floor)).then_some(Warning::Drift { change })
}

fn bimodal(samples: &Samples) -> Option<Warning> {
    let Modes { fast, slow, share } = Modes::of(&samples.sorted())?;
    Some(Warning::Bimodal { fast, slow, share })
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OptimisedAway { figure, empty_loop } => write!(
                f,
                "An iteration takes {}, an empty loop {}: the compiler probably removed the code or worked it out beforehand. \
                 Use its result, and pass its inputs through black_box.",
                duration(figure),
                duration(empty_loop)
            ),
            Self::BelowClock { batch, clock } => write!(
                f,
                "A sample takes {}, and the clock has steps of {}. Let each sample run the code more often (-n).",
                duration(batch),
                duration(clock)
            ),
            Self::TooFew { samples, blocks } => write!(
                f,
                "There are only {samples} samples in {blocks} blocks, so the interval is rough. Give it more time (--budget), or less work.",
            ),
            Self::TooNoisy { half_width, floor } => write!(
                f,
                "The figure is known to ±{:.0} % only, where ±{:.1} % are usual here. Measure again when the machine is idle.",
                100.0 * half_width,
                100.0 * floor
            ),
            Self::Outliers(outliers) => write!(
                f,
                "{} of {} samples are outliers{}: something else ran at times. Trust the median rather than the mean, or measure again \
                 when the machine is idle.",
                outliers.total(),
                outliers.samples,
                match outliers.severe() {
                    0 => String::new(),
                    severe => format!(" ({severe} of them severe)"),
                }
            ),
            Self::SlowFirstRun { first, typical } => write!(
                f,
                "The first run took {}, {:.0} times the usual {}: a result may be kept from run to run, or memory was touched for the first time. If every \
                 run is to begin afresh, prepare it anew (--each).",
                duration(first),
                first / typical,
                duration(typical)
            ),
            Self::Drift { change } => write!(
                f,
                "It became {:.0} % {} while it was measured: the code may grow its own data, or the processor changed its speed. Prepare the data \
                 anew for each run (--each), or measure longer.",
                100.0 * change.abs(),
                if change > 0.0 { "slower" } else { "faster" }
            ),
            Self::Bimodal { fast, slow, share } => write!(
                f,
                "There are two speeds: {} for {:.0} % of the samples, and {} for the others. The median is one of them; look at the distribution \
                 and find out what they depend on (threads, alignment, the state of the data).",
                duration(slow),
                100.0 * share,
                duration(fast)
            ),
        }
    }
}

#[cfg(test)]
mod tests;
