//! Results that are kept under a name, and what a later one says beside them.
//!
//! Both were measured in runs of their own, not in turns: whatever the machine did differently is in the ratio. So each median is taken with its whole
//! interval, which holds the noise floor of its own machine, and a change is claimed only where the two intervals do not meet.

use super::Figures;
use super::raw;
use crate::measured::Facts;
use crate::units::{ratio, ratio_range};
use assay_statistics::{Bootstrap, Estimate, Interval, Samples};
use serde::{Deserialize, Serialize};

/// The form of the file. Whoever changes what a field means counts up.
const VERSION: u64 = 1;

/// As many samples as give the same median and interval.
const SAMPLES: usize = 400;

/// A kept result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    /// What kind of file it is.
    assay: String,
    version: u64,
    /// The day that the session wrote.
    #[serde(default, skip_serializing)]
    date: Option<String>,
    code: String,
    /// `wall` or `processor`.
    clock: String,
    threads: u64,
    /// Seconds of a loop, block by block.
    blocks: Vec<Vec<f64>>,
    processor: String,
    compiler: String,
    optimisation: String,
    target_cpu: Option<String>,
    noise_floor: f64,
}

/// What a file must say before anything else of it is read.
#[derive(Deserialize)]
struct Kind {
    assay: String,
    version: u64,
}

/// Whether a kept file is of this kind, and of a form that is known here; `what` it should be, in words. Err says what is wrong with it.
pub(crate) fn check_kind(text: &str, kind: &str, version: u64, what: &str) -> Result<(), String> {
    let found: Kind = serde_json::from_str(text).map_err(|error| format!("is no {what}: {error}"))?;
    if found.assay != kind {
        return Err(format!("is a kept result of another kind (`{}`)", found.assay));
    }
    if found.version > version {
        return Err(format!(
            "was written by a newer Assay (its form is {}, this one reads {version})",
            found.version
        ));
    }
    Ok(())
}

/// How code is run, as far as that changes what its figure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// By the processor's time and not the wall's.
    pub(crate) cpu: bool,
    pub(crate) threads: u64,
}

impl Saved {
    /// The result to keep.
    pub(crate) fn new(code: &str, manner: Manner, figures: &Figures, facts: &Facts) -> Self {
        let rounded = |value: &f64| raw::number(*value).as_f64().unwrap_or_default();
        let blocks = raw::blocks(figures, SAMPLES);
        Self {
            assay: "timing".to_owned(),
            version: VERSION,
            date: None,
            code: code.to_owned(),
            clock: if manner.cpu { "processor" } else { "wall" }.to_owned(),
            threads: manner.threads,
            blocks: blocks.iter().map(|block| block.iter().map(rounded).collect()).collect(),
            processor: facts.processor.clone(),
            compiler: facts.compiler.clone(),
            optimisation: facts.optimisation.clone(),
            target_cpu: facts.target_cpu.clone(),
            noise_floor: facts.floor,
        }
    }

    /// What is written to the file.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a file; Err says what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        check_kind(text, "timing", VERSION, "kept result")?;
        let saved: Self =
            serde_json::from_str(text).map_err(|error| format!("is no kept result: {error}"))?;
        saved.samples().map(|_| saved)
    }

    fn samples(&self) -> Result<Samples, String> {
        Samples::new(&self.blocks).map_err(|error| format!("is no kept result: {error}"))
    }

    /// What `figures` are beside this result, called `name`: the verdict first, then what else differs.
    pub(crate) fn beside(
        &self,
        name: &str,
        manner: Manner,
        figures: &Figures,
        facts: &Facts,
    ) -> Result<Vec<String>, String> {
        let floor = self.noise_floor.max(0.0);
        let before = Bootstrap::default().median(&self.samples()?, floor);
        let mut said = vec![verdict(name, self.date.as_deref(), &before, &figures.median)];
        said.extend(self.differences(name, manner, facts));
        Ok(said)
    }

    /// What the two do not have in common, so that the ratio may not be the code's doing.
    fn differences(&self, name: &str, manner: Manner, facts: &Facts) -> Vec<String> {
        let target = |cpu: &Option<String>| cpu.as_ref().map_or(String::new(), |cpu| format!(" for {cpu}"));
        let built =
            |compiler: &str, level: &str, cpu| format!("{compiler} at opt-level {level}{}", target(cpu));
        let then = built(&self.compiler, &self.optimisation, &self.target_cpu);
        let now = built(&facts.compiler, &facts.optimisation, &facts.target_cpu);
        let clock = if manner.cpu { "processor" } else { "wall" };
        let pairs = [
            ("the processor", self.processor.clone(), facts.processor.clone()),
            ("the build", then, now),
            ("the clock", self.clock.clone(), clock.to_owned()),
            ("the number of threads", self.threads.to_string(), manner.threads.to_string()),
        ];
        let differ = pairs.into_iter().filter(|(_, then, now)| then != now);
        differ
            .map(|(what, then, now)| {
                format!("`{name}` was measured otherwise: {what} was {then} and is {now}. The difference may come from that.")
            })
            .collect()
    }
}

/// A change is claimed where the two intervals do not meet.
fn verdict(name: &str, date: Option<&str>, before: &Estimate, now: &Estimate) -> String {
    let name = date.map_or_else(|| format!("`{name}`"), |date| format!("`{name}` of {date}"));
    if before.value <= 0.0 || now.value <= 0.0 || before.interval.low() <= 0.0 || now.interval.low() <= 0.0 {
        return format!(
            "Beside {name} nothing can be said: one of the two takes no time that could be measured."
        );
    }
    let times = |one: &Estimate, other: &Estimate| {
        let (one, other) = (one.interval, other.interval);
        Interval::new(one.low() / other.high(), one.high() / other.low())
    };
    let (faster, slower) = (times(before, now), times(now, before));
    let said = |word: &str, value: f64, interval: Interval| {
        format!("{} {word} than {name} ({})", ratio(value), ratio_range(interval.low(), interval.high()))
    };
    let apart = "measured in two runs and not in turns, so the noise of both is allowed for";
    if faster.low() > 1.0 {
        format!("{}; {apart}.", said("faster", before.value / now.value, faster))
    } else if slower.low() > 1.0 {
        format!("{}; {apart}.", said("slower", now.value / before.value, slower))
    } else {
        let resolution = 100.0 * (faster.high().max(slower.high()) - 1.0);
        format!("No change to {name} that two runs on this machine can show (resolution ±{resolution:.1} %).")
    }
}
