//! The same code under several options of the compiler.

use super::code_of;
use crate::magic::{Call, Complaint, Report};
use crate::measured::{Ending, Facts};
use crate::measuring::{digits, is_set};
use crate::outcome::{Built, Measurement};
use crate::plan::Build;
use crate::render::chart::{Bar, Bars, bars};
use crate::render::{Bundle, Side, Table};
use crate::result::{Figures, Page, context, raw, title};
use crate::units::{Quantity, duration_to, ratio};
use serde_json::json;
use std::fmt;

/// The report of code that was built apart, once or several times.
pub(super) fn report(call: &Call, measurement: &Measurement) -> Result<Report, Complaint> {
    if is_set(&call.matches, "q") {
        return Ok(Report::default());
    }
    let code = code_of(call)?;
    let rows: Vec<Row> = measurement.builds.iter().map(|built| Row::of(built, measurement)).collect();
    let digits = digits(&call.matches);
    let page = Page::default().line(&title(&code)).table(&table(&rows, digits)).doubts(doubts(&rows));
    let page = context::close(page, &shared(measurement));
    let lanes: Vec<_> = rows.iter().filter_map(Row::raw).collect();
    let fields = json!({ "code": code, "lanes": lanes, "warnings": doubts(&rows) });
    let shown = Some(page.bundle(raw::result("timeit", fields, &measurement.facts)));
    Ok(Report { shown, also: chart(&code, &rows), ..Report::default() })
}

/// What all builds have in common: at which level each was built is told by its row.
fn shared(measurement: &Measurement) -> Facts {
    let levels = measurement.builds.iter().any(|built| built.build.optimisation.is_some());
    let optimisation = if levels { String::new() } else { measurement.facts.optimisation.clone() };
    Facts { optimisation, ..measurement.facts.clone() }
}

/// One build, with its figures if there are any.
struct Row<'a> {
    built: &'a Built,
    figures: Option<Figures>,
}

impl<'a> Row<'a> {
    fn of(built: &'a Built, measurement: &Measurement) -> Self {
        let lane = built.measured.lanes.first();
        Self { built, figures: lane.and_then(|lane| Figures::of(lane, &measurement.facts).ok()) }
    }

    fn label(&self) -> String {
        self.built.build.to_string()
    }

    fn median(&self) -> Option<f64> {
        self.figures.as_ref().map(|figures| figures.median.value)
    }

    fn raw(&self) -> Option<serde_json::Value> {
        let (lane, figures) = (self.built.measured.lanes.first()?, self.figures.as_ref()?);
        Some(raw::lane(&self.label(), lane, figures))
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.optimisation.as_ref().map(|level| format!("opt-level {level}"));
        let cpu = self.target_cpu.as_ref().map(|cpu| format!("target-cpu {cpu}"));
        f.write_str(&level.into_iter().chain(cpu).collect::<Vec<_>>().join(", "))
    }
}

fn table(rows: &[Row], digits: usize) -> Table {
    let columns = [
        ("Build", Side::Left),
        ("Median", Side::Right),
        ("95 % interval", Side::Right),
        ("By the first", Side::Right),
        ("Allocations", Side::Right),
        ("Runs", Side::Right),
    ];
    let mut table = Table::new(columns);
    let first = rows.first().and_then(Row::median).filter(|first| *first > 0.0);
    for row in rows {
        let Some(figures) = &row.figures else {
            table.row(
                [row.label(), "not measured".to_owned()].into_iter().chain((0..4).map(|_| String::new())),
            );
            continue;
        };
        let times = first.map_or(String::new(), |first| ratio(figures.median.value / first));
        table.row([
            row.label(),
            duration_to(figures.median.value, digits),
            figures.interval(digits),
            times,
            figures.counted.map_or(String::new(), |counted| counted.phrase()),
            crate::units::count(figures.runs()),
        ]);
    }
    table.without_empty_columns()
}

/// What makes a row doubtful, with the name of the row.
fn doubts(rows: &[Row]) -> Vec<String> {
    let of_row = |row: &Row| -> Vec<String> {
        let partial = row.figures.as_ref().is_some_and(|figures| figures.ending == Ending::Stopped);
        let partial = partial.then(|| "Partial: it was interrupted.".to_owned());
        let figures = row.figures.iter().flat_map(|figures| figures.doubts(false));
        let held = row.built.holding_code.iter().map(|name| {
            format!("`{name}` holds code that was built when it was made, and is called as it is.")
        });
        let all = held.chain(partial).chain(figures);
        all.map(|doubt| format!("{}: {doubt}", row.label())).collect()
    };
    rows.iter().flat_map(of_row).collect()
}

fn chart(code: &str, rows: &[Row]) -> Vec<Bundle> {
    let bar = |row: &Row| {
        let median = row.figures.as_ref()?.median;
        let interval = Some((median.interval.low(), median.interval.high()));
        Some(Bar { label: row.label(), value: median.value, interval })
    };
    let drawn: Vec<Bar> = rows.iter().filter_map(bar).collect();
    if drawn.len() < 2 {
        return Vec::new();
    }
    let title = title(code);
    bars(&Bars { title, quantity: Quantity::Seconds, bars: drawn }).into_iter().collect()
}
