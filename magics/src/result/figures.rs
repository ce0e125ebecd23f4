//! The figures of one piece of code: what was measured of it, judged, and in words.

use crate::measured::{Counted, Ending, Facts, Lane};
use crate::render::chart;
use crate::units::{bytes, count, duration_range, duration_to};
use assay_statistics::{
    Bootstrap, Circumstances, Estimate, NotSamples, Outliers, Samples, Sorted, Summary, Warning, warnings,
};

/// So many samples draw a distribution as well as all.
const DRAWN: usize = 1000;

/// The figures of one piece of code.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) samples: Samples,
    pub(crate) summary: Summary,
    /// The median, with an interval that is no narrower than the noise of the machine allows.
    pub(crate) median: Estimate,
    pub(crate) outliers: Outliers,
    pub(crate) doubts: Vec<Warning>,
    /// The fewest and the most iterations of a batch.
    pub(crate) loops: (u64, u64),
    pub(crate) counted: Option<Counted>,
    pub(crate) ending: Ending,
}

impl Figures {
    pub(crate) fn of(lane: &Lane, facts: &Facts) -> Result<Self, NotSamples> {
        let samples = lane.samples()?;
        let median = Bootstrap::default().median(&samples, facts.floor);
        let doubts = warnings(&samples, &median, &circumstances(lane, facts));
        let loops = || lane.blocks.iter().flatten().map(|(iterations, _)| *iterations);
        Ok(Self {
            summary: samples.summary(),
            outliers: Outliers::of(&samples.sorted()),
            loops: (loops().min().unwrap_or_default(), loops().max().unwrap_or_default()),
            counted: lane.counted,
            ending: lane.ending,
            samples,
            median,
            doubts,
        })
    }

    /// Whether the code costs what nothing costs.
    pub(crate) fn is_nothing(&self) -> bool {
        self.doubts.iter().any(|doubt| matches!(doubt, Warning::OptimisedAway { .. }))
    }

    /// `1.23 µs ± 45 ns`: the mean and the standard deviation, as IPython has them.
    pub(crate) fn mean(&self, digits: usize) -> String {
        let Summary { mean, standard_deviation, .. } = self.summary;
        format!("{} ± {}", duration_to(mean, digits), duration_to(standard_deviation, digits))
    }

    /// `(mean ± std. dev. of 7 runs, 1,000,000 loops each)`.
    pub(crate) fn made_of(&self) -> String {
        let (least, most) = self.loops;
        let runs = self.runs();
        let loops = if least == most {
            counted(most, "loop")
        } else {
            format!("{} to {} loops", count(least), count(most))
        };
        format!("(mean ± std. dev. of {}, {loops} each)", counted(runs, "run"))
    }

    /// How many batches there are.
    pub(crate) fn runs(&self) -> u64 {
        self.summary.count as u64
    }

    /// `1.18 … 1.24 µs`.
    pub(crate) fn interval(&self, digits: usize) -> String {
        duration_range(self.median.interval.low(), self.median.interval.high(), digits)
    }

    /// `3 outliers of 640`, if there are any.
    pub(crate) fn outliers(&self) -> Option<String> {
        let outliers = self.outliers.total() as u64;
        (outliers > 0).then(|| format!("{} of {}", counted(outliers, "outlier"), count(self.runs())))
    }

    /// The same where it is headed as what it is: `3 of 640`.
    pub(crate) fn outlying(&self) -> Option<String> {
        let outliers = self.outliers.total() as u64;
        (outliers > 0).then(|| format!("{} of {}", count(outliers), count(self.runs())))
    }

    /// What makes the figures doubtful, in sentences. With `-r` it is not the budget that ends a measurement.
    pub(crate) fn doubts(&self, repeats_are_prescribed: bool) -> Vec<String> {
        let word = |doubt: &Warning| match doubt {
            Warning::TooFew { samples, blocks } if repeats_are_prescribed => format!(
                "There {} only {} in {}, so the interval is rough. Without -r there are as many as it takes.",
                if *samples == 1 { "is" } else { "are" },
                counted(*samples as u64, "sample"),
                counted(*blocks as u64, "block"),
            ),
            Warning::TooFew { samples, blocks } => format!(
                "There {} only {} in {}, so the interval is rough. Give it more time (--budget), or less work.",
                if *samples == 1 { "is" } else { "are" },
                counted(*samples as u64, "sample"),
                counted(*blocks as u64, "block"),
            ),
            other => other.to_string(),
        };
        self.doubts.iter().map(word).collect()
    }

    /// The same for a chart. Many samples are thinned out evenly, the extremes kept.
    pub(crate) fn chart(&self, label: &str) -> chart::Measured {
        let ends = |interval: assay_statistics::Interval| (interval.low(), interval.high());
        chart::Measured {
            label: label.to_owned(),
            samples: thinned(&self.samples.sorted(), DRAWN),
            median: self.median.value,
            interval: Some(ends(self.median.interval)),
            fences: Some(ends(self.outliers.inner)),
        }
    }
}

fn circumstances(lane: &Lane, facts: &Facts) -> Circumstances {
    let batches: Vec<f64> = lane.blocks.iter().flatten().map(|(_, seconds)| *seconds).collect();
    Circumstances {
        empty_loop: lane.empty_loop,
        clock: lane.clock_step,
        batch: Sorted::new(&batches).map_or(0.0, |batches| batches.median()),
        first_run: lane.first,
        floor: facts.floor,
    }
}

/// So many quantiles of the values, or all of them if there are no more.
pub(crate) fn thinned(sorted: &Sorted, most: usize) -> Vec<f64> {
    if sorted.values().len() <= most {
        return sorted.values().to_vec();
    }
    if most < 2 {
        return vec![sorted.median()];
    }
    let last = (most - 1) as f64;
    (0..most).map(|place| sorted.quantile(place as f64 / last)).collect()
}

/// `3 allocations`, `1 allocation`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

impl Counted {
    /// `3 allocations`, `2 to 4 allocations`, `no allocations`.
    pub(crate) fn allocations(&self) -> String {
        match (self.least.0, self.most.0) {
            (0, 0) => "no allocations".to_owned(),
            (least, most) if least == most => counted(most, "allocation"),
            (least, most) => format!("{} to {} allocations", count(least), count(most)),
        }
    }

    /// `120 B`, `96 B to 120 B`.
    pub(crate) fn bytes(&self) -> String {
        let (least, most) = (bytes(self.least.1 as f64), bytes(self.most.1 as f64));
        if least == most { most } else { format!("{least} to {most}") }
    }

    /// Both in one phrase.
    pub(crate) fn phrase(&self) -> String {
        if self.most == (0, 0) {
            self.allocations()
        } else {
            format!("{}, {}", self.allocations(), self.bytes())
        }
    }
}
