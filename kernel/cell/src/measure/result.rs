//! What a measurement gives to the notebook: `let r = %timeit -o …`.

use crate::content::{Bundle, Show};
use assay_statistics::{Bootstrap, Samples, units};
use assay_stopwatch::{Ending, Measurement};
use std::fmt;

/// What `%timeit` measured: the fields of IPython's `TimeitResult`, and more. All times are in seconds.
///
/// A *batch* is a number of iterations that were timed together, so that the clock does not show; IPython calls it a run. What an empty loop costs is taken off the times of
/// iterations, and not off those of batches.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TimeitResult {
    /// The iterations of a batch. Where batches were made anew because the code became faster or slower, those of the middle one.
    pub loops: u64,
    /// How many batches there are.
    pub repeat: usize,
    /// The least seconds of an iteration, by the batch.
    pub best: f64,
    /// The most seconds of an iteration, by the batch.
    pub worst: f64,
    /// The mean seconds of an iteration.
    pub average: f64,
    /// The standard deviation of the seconds of an iteration, of the batches as they are (divided by their number, as IPython has it).
    pub stdev: f64,
    /// The median seconds of an iteration.
    pub median: f64,
    /// The 95 % interval of the median, no narrower than the noise floor of the machine.
    pub interval: (f64, f64),
    /// The seconds of each batch.
    pub all_runs: Vec<f64>,
    /// The seconds of an iteration, for each batch.
    pub timings: Vec<f64>,
    /// The allocations of an iteration: the most that one made. None where that was not counted.
    pub allocations: Option<u64>,
    /// The bytes that these allocations asked for.
    pub bytes: Option<u64>,
    /// How often the code ran in all, warm-up included.
    pub calls: u64,
    /// Whether it was interrupted.
    pub partial: bool,
}

impl TimeitResult {
    pub(super) fn of(measurement: &Measurement, floor: f64) -> Self {
        let batches = || measurement.blocks.iter().flatten();
        let mut iterations: Vec<u64> = batches().map(|batch| batch.iterations).collect();
        iterations.sort_unstable();
        let samples = measurement.samples().ok();
        let summary = samples.as_ref().map(Samples::summary);
        let median = samples.as_ref().map(|samples| Bootstrap::default().median(samples, floor));
        let of_summary =
            |figure: fn(&assay_statistics::Summary) -> f64| summary.as_ref().map_or(f64::NAN, figure);
        let timings = samples.as_ref().map_or_else(Vec::new, |samples| samples.values().to_vec());
        let average = of_summary(|summary| summary.mean);
        Self {
            loops: iterations.get(iterations.len() / 2).copied().unwrap_or(0),
            repeat: iterations.len(),
            best: of_summary(|summary| summary.min),
            worst: of_summary(|summary| summary.max),
            average,
            stdev: deviation(&timings, average),
            median: of_summary(|summary| summary.median),
            interval: median.map_or((f64::NAN, f64::NAN), |one| (one.interval.low(), one.interval.high())),
            all_runs: batches().map(|batch| batch.elapsed.as_secs_f64()).collect(),
            timings,
            allocations: measurement.counted.map(|counted| counted.most.allocations),
            bytes: measurement.counted.map(|counted| counted.most.bytes),
            calls: measurement.calls,
            partial: measurement.ending == Ending::Stopped,
        }
    }

    /// IPython's line.
    fn line(&self) -> String {
        if self.repeat == 0 {
            return match self.allocations {
                Some(count) => format!("{} allocations per loop", units::count(count)),
                None => "nothing was measured".to_owned(),
            };
        }
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        format!(
            "{} ± {} per loop (mean ± std. dev. of {} run{}, {} loop{} each)",
            units::duration(self.average),
            units::duration(self.stdev),
            units::count(self.repeat as u64),
            plural(self.repeat as u64),
            units::count(self.loops),
            plural(self.loops)
        )
    }
}

/// The standard deviation as IPython has it.
fn deviation(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if values.is_empty() { f64::NAN } else { (squares / values.len() as f64).sqrt() }
}

impl fmt::Display for TimeitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

impl fmt::Debug for TimeitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<TimeitResult : {}>", self.line())
    }
}

impl Show for TimeitResult {
    fn mime_bundle(&self) -> Bundle {
        Bundle::new().text(format!("{self:?}"))
    }
}
