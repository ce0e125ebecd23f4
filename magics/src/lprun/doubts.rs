//! What makes the figures of `%lprun` doubtful, in sentences.

use super::figures::Figures;
use super::report::Shown;
use crate::lines::{Called, unfinished};
use crate::profiled::Time;
use crate::result::context;
use crate::units::{count, duration, duration_to};

/// Fewer samples than these leave a half of them uncertain by more than a tenth.
const FEW: u64 = 100;
/// What share of the samples may be of no use without a word.
const LOST: f64 = 0.01;
/// Waiting is worth a word from this share of the wall's time on.
const WAITING: f64 = 0.3;
/// And from so many seconds on.
const WAITED: f64 = 0.05;

impl Shown<'_> {
    pub(super) fn doubts(&self) -> Vec<String> {
        let unfinished = unfinished(self.profiled.run.ending);
        let found = self.profiled.doubts.iter().cloned();
        let time = self.profiled.time.iter().flat_map(|time| self.doubts_of_time(time));
        let estimated = self.profiled.estimated_places();
        let all = unfinished.into_iter().chain(found).chain(time).chain(estimated).chain(self.uncounted());
        all.chain(context::doubts(&self.profiled.facts)).collect()
    }

    fn doubts_of_time(&self, time: &Time) -> Vec<String> {
        let few = self
            .figures
            .iter()
            .filter(|figures| figures.listing.called() == Called::Yes && figures.samples < FEW);
        let system = self.profiled.unseen_system_time();
        let (most, system) = if self.profiled.is_mostly_unseen() { (system, None) } else { (None, system) };
        let mut all: Vec<String> = most.into_iter().chain(few.map(|figures| self.few(figures))).collect();
        let incomplete: u64 =
            time.stacks.iter().filter(|stack| !stack.complete).map(|stack| stack.samples).sum();
        let share = |part: u64| part as f64 / (self.scale.samples + time.lost).max(1) as f64;
        if share(incomplete) > LOST {
            all.push(format!(
                "Of {:.0} % of the samples the stack is not whole: they count for no line if the function lies in what is missing.",
                100.0 * share(incomplete)
            ));
        }
        if share(time.lost) > LOST {
            all.push(format!(
                "{:.0} % of the samples were lost: there was no room for them.",
                100.0 * share(time.lost)
            ));
        }
        all.extend(self.waiting(time));
        all.extend(self.profiled.unlike_runs());
        all.extend(system);
        all
    }

    fn few(&self, figures: &Figures<'_>) -> String {
        let name = &figures.listing.function.name;
        match figures.samples {
            0 => format!(
                "No sample met `{name}`: it takes less than {} of one run.",
                duration_to(self.scale.error(0), 1)
            ),
            samples => format!(
                "Only {} of {} samples met `{name}`, so its times are rough: give it more to do.",
                count(samples),
                count(self.scale.samples)
            ),
        }
    }

    /// Most of the time went by without the processor.
    fn waiting(&self, time: &Time) -> Option<String> {
        let run = &self.profiled.run;
        let busy = run.user + run.system;
        let waited = run.wall - busy;
        let is_much = busy > 0.0 && waited > WAITED && waited > WAITING * run.wall;
        self.profiled.waiting(time, is_much, || {
            format!(
                "Of {} on the wall the processor worked {}; waiting is in none of these times: `--wall` counts it.",
                duration(run.wall),
                duration(busy)
            )
        })
    }

    /// Functions whose lines nobody counts.
    fn uncounted(&self) -> Option<String> {
        let of_a_cell = |figures: &&Figures<'_>| figures.listing.function.file.starts_with("cell[");
        let file =
            self.figures.iter().find(|figures| !of_a_cell(figures) && !figures.listing.is_counted())?;
        Some(format!("How often lines of `{}` ran was not counted.", file.listing.function.file))
    }
}
