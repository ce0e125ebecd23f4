//! Profiles that are kept under a name, and what a later one says beside them.
//!
//! Both were taken in runs of their own: the error of each is that of its samples and the noise floor of its machine, and a change is claimed only where the two intervals do not meet.

use super::figures::{Estimate, Figures};
use crate::profiled::Origin;
use crate::render::{Side, Table};
use crate::result::saved::check_kind;
use crate::result::{Page, raw};
use crate::units::{duration, duration_to};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of the file. Whoever changes what a field means counts up.
const VERSION: u64 = 1;

/// So many functions have a row.
const ROWS: usize = 20;
/// A function that has less than this part of the time in both is not compared.
const SMALL: f64 = 0.005;

/// A kept profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// What kind of file it is.
    assay: String,
    version: u64,
    /// The day that the session wrote.
    #[serde(default, skip_serializing)]
    date: Option<String>,
    code: String,
    /// `wall` or `processor`.
    clock: String,
    /// Seconds of one run.
    seconds: f64,
    /// All samples, of all runs.
    samples: u64,
    runs: u64,
    functions: Vec<Kept>,
    processor: String,
    compiler: String,
    optimisation: String,
    target_cpu: Option<String>,
    noise_floor: f64,
}

/// A function of a kept profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    name: String,
    file: String,
    line: Option<u32>,
    /// Whether it is a cell's: then a later cell may hold it.
    cell: bool,
    /// Samples in the function itself.
    own: u64,
    /// Samples in it and what it calls.
    total: u64,
    calls: Option<u64>,
}

impl Saved {
    /// The profile to keep.
    pub(super) fn new(code: &str, figures: &Figures) -> Self {
        let facts = &figures.profiled.facts;
        let kept = |row: &super::figures::Row| {
            let function = figures.function(row);
            Kept {
                name: function.name.clone(),
                file: function.file.clone(),
                line: function.line,
                cell: function.origin == Origin::Cell,
                own: row.own,
                total: row.total,
                calls: row.calls.map(|calls| calls.total),
            }
        };
        let is_wall = figures.time().is_some_and(|time| time.wall);
        Self {
            assay: "profile".to_owned(),
            version: VERSION,
            date: None,
            code: code.to_owned(),
            clock: if is_wall { "wall" } else { "processor" }.to_owned(),
            seconds: raw::number(figures.seconds_of_run()).as_f64().unwrap_or_default(),
            samples: figures.samples,
            runs: figures.runs(),
            functions: figures.rows.iter().map(kept).collect(),
            processor: facts.processor.clone(),
            compiler: facts.compiler.clone(),
            optimisation: facts.optimisation.clone(),
            target_cpu: facts.target_cpu.clone(),
            noise_floor: facts.floor,
        }
    }

    /// What is written to the file.
    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads a file; Err says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        check_kind(text, "profile", VERSION, "kept profile")?;
        serde_json::from_str(text).map_err(|error| format!("is no kept profile: {error}"))
    }

    /// Own samples by function. A cell that runs again has another number, and its functions stay the same ones.
    fn by_function(&self) -> BTreeMap<(String, String), u64> {
        let mut all = BTreeMap::new();
        for kept in &self.functions {
            let file = if kept.cell { "cell".to_owned() } else { kept.file.clone() };
            *all.entry((file, kept.name.clone())).or_default() += kept.own;
        }
        all
    }

    /// Seconds of one run that so many samples stand for, and how far that may be off: by the chance of sampling, and by the noise of the machine.
    fn seconds(&self, samples: u64) -> (f64, f64) {
        let share = Estimate::share(samples, self.samples);
        let (value, chance) = (share.value * self.seconds, share.error * self.seconds);
        (value, chance + value * self.noise_floor.max(0.0))
    }
}

/// Two profiles beside each other.
#[derive(Debug)]
pub(super) struct Compared {
    table: Table,
    said: Vec<String>,
    differ: Vec<String>,
}

impl Compared {
    /// `now` beside `before`, which is called `name`.
    pub(super) fn of(name: &str, before: &Saved, now: &Saved) -> Self {
        let (then, this) = (before.by_function(), now.by_function());
        let mut keys: Vec<_> = then.keys().chain(this.keys()).collect();
        keys.sort();
        keys.dedup();
        let change = |key: &&(String, String)| {
            let of = |saved: &Saved, all: &BTreeMap<(String, String), u64>| {
                let samples = all.get(*key).copied();
                Change::side(saved, samples)
            };
            Change { before: of(before, &then), now: of(now, &this) }
        };
        let mut changes: Vec<(&(String, String), Change)> =
            keys.iter().map(|key| (*key, change(key))).collect();
        let least = SMALL * before.seconds.max(now.seconds);
        changes.retain(|(_, change)| change.before.value.max(change.now.value) >= least);
        changes.sort_by(|one, other| {
            let size = |change: &Change| (change.now.value - change.before.value).abs();
            size(&other.1).total_cmp(&size(&one.1)).then_with(|| one.0.cmp(other.0))
        });
        let whole = Change { before: Change::whole(before), now: Change::whole(now) };
        let mut table = Table::new([
            ("Own time of", Side::Left),
            ("before", Side::Right),
            ("now", Side::Right),
            ("change", Side::Right),
            ("", Side::Left),
        ]);
        table.row(whole.row("all"));
        for ((file, function), change) in changes.iter().take(ROWS) {
            let place = if file == "cell" { String::new() } else { format!(" ({file})") };
            table.row(change.row(&format!("{function}{place}")));
        }
        let more = changes.len().saturating_sub(ROWS);
        let named =
            before.date.as_ref().map_or_else(|| format!("`{name}`"), |date| format!("`{name}` of {date}"));
        let mut said = vec![format!("Beside {named}: {}.", whole.sentence())];
        if changes.iter().any(|(_, change)| !change.is_shown()) {
            said.push("Behind a change that may be chance there is no word.".to_owned());
        }
        if more > 0 {
            said.push(format!("{more} functions whose time changed less are not listed."));
        }
        Self { table, said, differ: before.differences(name, now) }
    }

    /// Adds it to a page.
    pub(super) fn show(&self, page: Page) -> Page {
        let page = self.said.iter().fold(page, |page, said| page.line(said));
        let page = page.block(format!("{}\n", self.table.text()), self.table.html());
        page.doubts(self.differ.iter().cloned())
    }
}

/// The time of a function in two profiles.
#[derive(Debug, Clone, Copy)]
struct Change {
    before: Amount,
    now: Amount,
}

#[derive(Debug, Clone, Copy)]
struct Amount {
    value: f64,
    error: f64,
    /// Whether the function was seen at all.
    seen: bool,
}

impl Change {
    fn side(saved: &Saved, samples: Option<u64>) -> Amount {
        let (value, error) = saved.seconds(samples.unwrap_or_default());
        Amount { value, error, seen: samples.is_some_and(|samples| samples > 0) }
    }

    /// All of a run: chance has no part in which samples are of it.
    fn whole(saved: &Saved) -> Amount {
        Amount {
            value: saved.seconds,
            error: saved.seconds * saved.noise_floor.max(0.0),
            seen: saved.samples > 0,
        }
    }

    /// Whether the two intervals are apart.
    fn is_shown(&self) -> bool {
        (self.now.value - self.before.value).abs() > self.now.error + self.before.error
    }

    fn verdict(&self) -> &'static str {
        match (self.is_shown(), self.before.seen, self.now.seen) {
            (false, ..) => "",
            (true, false, _) => "new",
            (true, _, false) => "gone",
            _ if self.now.value < self.before.value => "less",
            _ => "more",
        }
    }

    fn row(&self, name: &str) -> [String; 5] {
        let amount = |amount: &Amount| {
            if amount.seen {
                format!("{} ± {}", duration(amount.value), duration_to(amount.error, 2))
            } else {
                String::new()
            }
        };
        let change = self.now.value - self.before.value;
        let sign = match change.total_cmp(&0.0) {
            std::cmp::Ordering::Less => "−",
            std::cmp::Ordering::Equal => "",
            std::cmp::Ordering::Greater => "+",
        };
        let error = self.now.error + self.before.error;
        let change = format!("{sign}{} ± {}", duration(change.abs()), duration_to(error, 2));
        [name.to_owned(), amount(&self.before), amount(&self.now), change, self.verdict().to_owned()]
    }

    /// Of the whole, in words.
    fn sentence(&self) -> String {
        let (before, now) = (duration(self.before.value), duration(self.now.value));
        let times = |one: f64, other: f64| crate::units::ratio(one / other.max(f64::MIN_POSITIVE));
        if !self.is_shown() {
            return format!("{before} then and {now} now, which is no difference that two runs can show");
        }
        if self.now.value < self.before.value {
            format!("{} less time, {now} instead of {before}", times(self.before.value, self.now.value))
        } else {
            format!("{} the time, {now} instead of {before}", times(self.now.value, self.before.value))
        }
    }
}

impl Saved {
    /// What the two do not have in common, so that a change may not be the code's doing.
    fn differences(&self, name: &str, now: &Self) -> Vec<String> {
        let target =
            |saved: &Self| saved.target_cpu.as_ref().map_or(String::new(), |cpu| format!(" for {cpu}"));
        let built =
            |saved: &Self| format!("{} at opt-level {}{}", saved.compiler, saved.optimisation, target(saved));
        let pairs = [
            ("the processor", self.processor.clone(), now.processor.clone()),
            ("the build", built(self), built(now)),
            ("the clock", self.clock.clone(), now.clock.clone()),
        ];
        let differ = pairs.into_iter().filter(|(_, then, now)| then != now);
        differ
            .map(|(what, then, now)| {
                format!("`{name}` was profiled otherwise: {what} was {then} and is {now}. The difference may come from that.")
            })
            .collect()
    }
}
