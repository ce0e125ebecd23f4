//! What `%timeit` says of one measurement.

use super::{Timeit, code_of};
use crate::magic::{Call, Complaint, Report};
use crate::measured::{Ending, Lane};
use crate::measuring::{digits, is_set, repeats_are_prescribed, value};
use crate::outcome::Measurement;
use crate::render::{Bundle, Side, Table, chart};
use crate::result::figures::counted;
use crate::result::saved::{Manner, Saved};
use crate::result::{Figures, NOTHING, PARTIAL, PROCESSOR_TIME, Page, context, raw, title};
use crate::units::{bytes_per_second, duration_range, duration_to, items_per_second};
use assay_statistics::Sorted;
use serde_json::json;

/// What all threads together take longer than the slowest of them, where they had to wait for each other: with two on one processor it is twice.
const ONE_AFTER_ANOTHER: f64 = 1.4;

/// More threads than these are told by their slowest and their fastest.
const THREADS: usize = 8;

/// The report of code that was built with its cell.
pub(super) fn report(call: &Call, measurement: &Measurement) -> Result<Report, Complaint> {
    let code = code_of(call)?;
    let Some((lane, figures)) = measurement.first() else {
        return Ok(Report::shown(Bundle::text(NOTHING)));
    };
    let timing = Timing { call, measurement, lane, figures: &figures };
    let against = timing.against()?;
    let saved = || Saved::new(&code, timing.manner(), &figures, &measurement.facts).json();
    let keep = value::<String>(&call.matches, "save").map(|name| (name, saved()));
    if is_set(&call.matches, "q") {
        return Ok(Report { keep, ..Report::default() });
    }
    let shown = Some(timing.page(&against).bundle(timing.raw(&code)));
    Ok(Report { shown, also: timing.chart(&code), keep, ..Report::default() })
}

impl Measurement {
    /// The first piece of code with its figures, if there are any.
    pub(crate) fn first(&self) -> Option<(&Lane, Figures)> {
        let lane = self.measured.lanes.first()?;
        Some((lane, Figures::of(lane, &self.facts).ok()?))
    }
}

struct Timing<'a> {
    call: &'a Call,
    measurement: &'a Measurement,
    lane: &'a Lane,
    figures: &'a Figures,
}

impl Timing<'_> {
    fn manner(&self) -> Manner {
        let threads = value::<u64>(&self.call.matches, "threads").unwrap_or(1);
        Manner { cpu: is_set(&self.call.matches, "c"), threads }
    }

    /// What is said beside the result that was kept before.
    fn against(&self) -> Result<Vec<String>, Complaint> {
        let name = value::<String>(&self.call.matches, "against");
        let Some((name, text)) = name.zip(self.measurement.against.as_ref()) else { return Ok(Vec::new()) };
        let facts = &self.measurement.facts;
        let saved = Saved::read(text);
        let said = saved.and_then(|saved| saved.beside(&name, self.manner(), self.figures, facts));
        said.map_err(|wrong| {
            let span = self.call.span_of("against").unwrap_or_else(|| self.call.about());
            Complaint::new(format!("`.assay/{name}.json` {wrong}"), span)
                .with_hint(format!("`--save {name}` writes it anew"))
                .with_usage(&Timeit)
        })
    }

    fn page(&self, against: &[String]) -> Page {
        let digits = digits(&self.call.matches);
        let figures = self.figures;
        let rest = format!(" per loop {}", figures.made_of());
        let mut page = Page::default().headline(&figures.mean(digits), &rest);
        page = page.table_or_lines(&self.table(digits), self.lines(digits));
        page = against.iter().fold(page, |page, said| page.line(said));
        page = page.doubts(self.doubts());
        page = self.notes().iter().fold(page, |page, note| page.quiet(note));
        context::close(page, &self.measurement.facts)
    }

    /// The figures below the headline, as text.
    fn lines(&self, digits: usize) -> Vec<String> {
        let figures = self.figures;
        let median = format!("median {}", duration_to(figures.median.value, digits));
        let mut first = vec![format!("{median}, 95 % interval {}", figures.interval(digits))];
        first.push(format!("min {}", duration_to(figures.summary.min, digits)));
        first.extend(figures.outliers());
        let heap = figures.counted.map(|counted| format!("{} per loop", counted.phrase()));
        let threads = self.threads(digits).map(|(name, said)| format!("{name}: {said}"));
        [Some(first.join(" · ")), heap, self.throughput(), threads].into_iter().flatten().collect()
    }

    /// The same as a table.
    fn table(&self, digits: usize) -> Table {
        let figures = self.figures;
        let mut table = Table::new([("Figure", Side::Left), ("Per loop", Side::Right)]);
        let mut row = |name: &str, said: String| table.row([name.to_owned(), said]);
        row("Median", duration_to(figures.median.value, digits));
        row("95 % interval", figures.interval(digits));
        row("Minimum", duration_to(figures.summary.min, digits));
        figures.outlying().into_iter().for_each(|said| row("Outliers", said));
        if let Some(counted) = figures.counted {
            row("Allocations", counted.allocations());
            row("Bytes allocated", counted.bytes());
        }
        self.throughput().into_iter().for_each(|said| row("Throughput", said));
        if let Some((name, said)) = self.threads(digits) {
            row(&name, said);
        }
        table
    }

    /// Items or bytes in a second, on all threads.
    fn throughput(&self) -> Option<String> {
        let Manner { cpu, threads } = self.manner();
        let seconds = self.figures.median.value;
        let of_all = |work: u64| work as f64 * threads as f64 / seconds;
        // The processor's time of all threads together is no time in which something is done.
        if self.figures.is_nothing() || seconds <= 0.0 || (cpu && threads > 1) {
            return None;
        }
        let items = value::<u64>(&self.call.matches, "items").map(|items| items_per_second(of_all(items)));
        items.or_else(|| {
            value::<u64>(&self.call.matches, "bytes").map(|bytes| bytes_per_second(of_all(bytes)))
        })
    }

    /// What each thread took for a loop while all of them ran.
    fn threads(&self, digits: usize) -> Option<(String, String)> {
        let medians: Vec<f64> =
            self.lane.threads.iter().filter_map(|batches| self.of_a_thread(batches)).collect();
        let sorted = Sorted::new(&medians)?;
        let name = counted(medians.len() as u64, "thread");
        let said = if medians.len() > THREADS {
            duration_range(sorted.min(), sorted.max(), digits)
        } else {
            medians.iter().map(|median| duration_to(*median, digits)).collect::<Vec<_>>().join(", ")
        };
        Some((name, said))
    }

    fn of_a_thread(&self, batches: &[(u64, f64)]) -> Option<f64> {
        let seconds = |(iterations, seconds): &(u64, f64)| {
            (seconds / (*iterations).max(1) as f64 - self.lane.empty_loop).max(0.0)
        };
        Some(Sorted::new(&batches.iter().map(seconds).collect::<Vec<_>>())?.median())
    }

    fn doubts(&self) -> Vec<String> {
        let prescribed = repeats_are_prescribed(&self.call.matches);
        let partial = (self.figures.ending == Ending::Stopped).then(|| PARTIAL.to_owned());
        let slow = context::doubts(&self.measurement.facts);
        partial
            .into_iter()
            .chain(slow)
            .chain(self.one_after_another())
            .chain(self.figures.doubts(prescribed))
            .collect()
    }

    /// Threads that have to share a processor are not at work at the same time, so each of them is faster than all together.
    fn one_after_another(&self) -> Option<String> {
        let medians = self.lane.threads.iter().filter_map(|batches| self.of_a_thread(batches));
        let slowest = medians.fold(0.0, f64::max);
        let median = self.figures.summary.median;
        (slowest > 0.0 && median > ONE_AFTER_ANOTHER * slowest).then(|| {
            format!(
                "The threads were not all at work at the same time: a loop takes {} from the first one's beginning to the last one's end, and {} in the slowest thread. \
                 Take no more threads than there are free processors.",
                duration_to(median, 3),
                duration_to(slowest, 3)
            )
        })
    }

    fn notes(&self) -> Vec<String> {
        let each =
            self.call.matches.contains_id("each").then_some(
                "Not timed: the setup of each loop, and dropping the result and what the setup made.",
            );
        let cpu = is_set(&self.call.matches, "c").then_some(PROCESSOR_TIME);
        each.into_iter().chain(cpu).map(str::to_owned).collect()
    }

    fn raw(&self, code: &str) -> serde_json::Value {
        let lane = raw::lane(&title(code), self.lane, self.figures);
        let fields = json!({
            "code": code,
            "lanes": [lane],
            "samples": [raw::samples(self.figures)],
            "warnings": self.doubts(),
        });
        raw::result("timeit", fields, &self.measurement.facts)
    }

    /// The distribution, where there is one.
    fn chart(&self, code: &str) -> Vec<Bundle> {
        if self.figures.is_nothing() || self.figures.runs() < 3 {
            return Vec::new();
        }
        chart::distribution(&self.figures.chart(&title(code))).into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
