//! What `%compare` says: whether the results are equal, who is faster by how much, or that nothing can be said.

use crate::magic::{Call, Complaint, Report};
use crate::measured::{Ending, Lane};
use crate::measuring::{digits, is_set, repeats_are_prescribed};
use crate::outcome::Measurement;
use crate::race::{Contender, Race};
use crate::render::{Bundle, Side, Table, chart};
use crate::result::{Figures, NOTHING, PARTIAL, PROCESSOR_TIME, Page, context, raw, versus};
use crate::units::{count, duration_to, ratio};
use assay_statistics::{Bootstrap, Interleaved, Ranking};
use serde_json::json;

/// The report of what was measured in turns.
pub(super) fn report(call: &Call, race: &Race, measurement: &Measurement) -> Result<Report, Complaint> {
    if is_set(&call.matches, "q") {
        return Ok(Report::default());
    }
    let Some(entries) = entries(race, measurement) else {
        return Ok(Report::shown(Bundle::text(NOTHING)));
    };
    let comparison = Comparison::of(call, entries, measurement);
    let shown = Some(comparison.page().bundle(comparison.raw()));
    Ok(Report { shown, also: comparison.chart(), ..Report::default() })
}

/// One piece of code with its figures.
struct Entry<'a> {
    label: &'a str,
    lane: &'a Lane,
    figures: Figures,
}

/// None if something was not measured at all.
fn entries<'a>(race: &'a Race, measurement: &'a Measurement) -> Option<Vec<Entry<'a>>> {
    let lanes = &measurement.measured.lanes;
    let entry = |(index, contender): (usize, &'a Contender)| {
        let lane = lanes.get(index)?;
        Some(Entry { label: &contender.label, lane, figures: Figures::of(lane, &measurement.facts).ok()? })
    };
    race.contenders.iter().enumerate().map(entry).collect()
}

struct Comparison<'a> {
    entries: Vec<Entry<'a>>,
    measurement: &'a Measurement,
    /// The order, or why there is none.
    ranking: Result<Ranking, String>,
    digits: usize,
    repeats_are_prescribed: bool,
    is_cpu: bool,
}

impl<'a> Comparison<'a> {
    fn of(call: &Call, entries: Vec<Entry<'a>>, measurement: &'a Measurement) -> Self {
        let samples = entries.iter().map(|entry| entry.figures.samples.clone()).collect();
        let ranking = Interleaved::new(samples).map(|all| all.rank(&Bootstrap::default()));
        let labels: Vec<&str> = entries.iter().map(|entry| entry.label).collect();
        let ranking = ranking.map_err(|why| versus::no_ratio(why, &labels));
        Self {
            entries,
            measurement,
            ranking,
            digits: digits(&call.matches),
            repeats_are_prescribed: repeats_are_prescribed(&call.matches),
            is_cpu: is_set(&call.matches, "c"),
        }
    }

    fn page(&self) -> Page {
        let mut page = Page::default();
        for sentence in self.verdicts() {
            page = page.headline(&sentence, "");
        }
        page = self.agreement(page).table(&self.table());
        let page = page.doubts(self.doubts());
        let page = if self.is_cpu { page.quiet(PROCESSOR_TIME) } else { page };
        context::close(page, &self.measurement.facts)
    }

    /// Each of the others beside the fastest.
    fn verdicts(&self) -> Vec<String> {
        let ranking = match &self.ranking {
            Ok(ranking) => ranking,
            Err(why) => return vec![why.clone()],
        };
        let mut order = ranking.places.iter().map(|place| place.index);
        let Some(best) = order.next() else { return Vec::new() };
        let label = |index: usize| self.entries.get(index).map_or("", |entry| entry.label);
        let said = order.filter_map(|other| {
            let pair = ranking
                .pairs
                .iter()
                .find(|pair| [(best, other), (other, best)].contains(&(pair.first, pair.second)))?;
            Some(versus::verdict(label(pair.first), label(pair.second), &pair.comparison))
        });
        said.collect()
    }

    /// Code that gives something else is no faster way to the same.
    fn agreement(&self, page: Page) -> Page {
        let agree = &self.measurement.measured.agree;
        let with = |wanted: Option<bool>| -> Vec<String> {
            let others = self.entries.iter().skip(1).zip(agree).filter(|(_, agree)| **agree == wanted);
            others.map(|(entry, _)| format!("`{}`", entry.label)).collect()
        };
        let first = self.entries.first().map_or("", |entry| entry.label);
        let (differ, unknown) = (with(Some(false)), with(None));
        let mut page = page;
        if !differ.is_empty() {
            let does = if differ.len() == 1 { "does" } else { "do" };
            page = page.loud(&format!(
                "The results differ: {} {does} not give what `{first}` gives.",
                differ.join(", ")
            ));
        }
        if !unknown.is_empty() {
            page = page.quiet(&format!(
                "Not checked: whether {} and `{first}` give the same; their results cannot be compared.",
                unknown.join(", ")
            ));
        }
        if !agree.is_empty() && differ.is_empty() && unknown.is_empty() {
            page = page.line("The results are equal.");
        }
        page
    }

    /// The entries with their rank, the fastest first; in the order of the cell if there is no ranking.
    fn in_order(&self) -> Vec<(&Entry<'a>, Option<usize>)> {
        match &self.ranking {
            Ok(ranking) => {
                let places = ranking.places.iter();
                places.filter_map(|place| Some((self.entries.get(place.index)?, Some(place.rank)))).collect()
            }
            Err(_) => self.entries.iter().map(|entry| (entry, None)).collect(),
        }
    }

    fn table(&self) -> Table {
        let columns = [
            ("Code", Side::Left),
            ("Rank", Side::Right),
            ("Median", Side::Right),
            ("95 % interval", Side::Right),
            ("By the fastest", Side::Right),
            ("Allocations", Side::Right),
            ("Runs", Side::Right),
        ];
        let mut table = Table::new(columns);
        let rows = self.in_order();
        let fastest =
            rows.first().filter(|(_, rank)| rank.is_some()).map(|(entry, _)| entry.figures.median.value);
        for (entry, rank) in rows {
            let figures = &entry.figures;
            table.row([
                entry.label.to_owned(),
                rank.map_or(String::new(), |rank| rank.to_string()),
                duration_to(figures.median.value, self.digits),
                figures.interval(self.digits),
                fastest.map_or(String::new(), |fastest| ratio(figures.median.value / fastest)),
                figures.counted.map_or(String::new(), |counted| counted.phrase()),
                count(figures.runs()),
            ]);
        }
        table.without_empty_columns()
    }

    fn doubts(&self) -> Vec<String> {
        let stopped = self.entries.iter().any(|entry| entry.figures.ending == Ending::Stopped);
        let partial = stopped.then(|| PARTIAL.to_owned());
        let of_entry = |entry: &Entry| -> Vec<String> {
            let doubts = entry.figures.doubts(self.repeats_are_prescribed);
            doubts.into_iter().map(|doubt| format!("`{}`: {doubt}", entry.label)).collect()
        };
        let slow = context::doubts(&self.measurement.facts);
        partial.into_iter().chain(slow).chain(self.entries.iter().flat_map(of_entry)).collect()
    }

    fn raw(&self) -> serde_json::Value {
        let lanes: Vec<_> =
            self.entries.iter().map(|entry| raw::lane(entry.label, entry.lane, &entry.figures)).collect();
        let samples: Vec<_> = self.entries.iter().map(|entry| raw::samples(&entry.figures)).collect();
        let pairs: Vec<_> = self.ranking.iter().flat_map(|ranking| &ranking.pairs).map(versus::raw).collect();
        let fields = json!({
            "lanes": lanes,
            "samples": samples,
            "pairs": pairs,
            "agree": self.measurement.measured.agree,
            "warnings": self.doubts(),
        });
        raw::result("compare", fields, &self.measurement.facts)
    }

    fn chart(&self) -> Vec<Bundle> {
        let few = |entry: &Entry| entry.figures.runs() < 3;
        if self.entries.iter().any(|entry| few(entry) || entry.figures.is_nothing()) {
            return Vec::new();
        }
        let labels: Vec<&str> = self.entries.iter().map(|entry| entry.label).collect();
        let rows = self.entries.iter().map(|entry| entry.figures.chart(entry.label)).collect();
        chart::comparison(&chart::Comparison { title: labels.join(" vs "), rows }).into_iter().collect()
    }
}
