//! What `%%complexity` says: the class, or why none is named; the figures at each size; the curve.

use super::verdict::{class_of, details, headline};
use super::{Complexity, Sweep};
use crate::magic::{Call, Magic, Report};
use crate::measured::{Counted, Ending, Lane};
use crate::measuring::{digits, is_set};
use crate::outcome::Measurement;
use crate::render::{Bundle, Side, Table, chart};
use crate::result::{Figures, NOTHING, PARTIAL, PROCESSOR_TIME, Page, context, raw, title};
use crate::rust;
use crate::units::{Quantity, bytes, count, duration_to};
use assay_statistics::{Fit, Growth, GrowthVerdict, Warning, growth};
use serde_json::{Value, json};

/// Points of a curve: enough for a smooth line.
const POINTS: u32 = 60;

/// The report of a sweep.
pub(super) fn report(call: &Call, sweep: &Sweep, measurement: &Measurement) -> Report {
    if is_set(&call.matches, "q") {
        return Report::default();
    }
    let is_memory = is_set(&call.matches, "memory");
    let rows: Vec<Row> =
        measurement.measured.lanes.iter().filter_map(|lane| Row::of(lane, measurement, is_memory)).collect();
    if rows.is_empty() {
        return Report::shown(Bundle::text(NOTHING));
    }
    let growth = growth_of(&rows, measurement);
    let code = rust::source(call, &sweep.body.span);
    let swept = Swept {
        name: &sweep.sizes.name,
        code,
        rows,
        growth,
        measurement,
        digits: digits(&call.matches),
        is_memory,
        is_cpu: is_set(&call.matches, "c") && !is_memory,
    };
    Report { shown: Some(swept.page().bundle(swept.raw())), also: swept.chart(), ..Report::default() }
}

/// One size with what was measured there.
struct Row<'a> {
    size: u64,
    lane: &'a Lane,
    cost: Cost,
}

enum Cost {
    Time(Box<Figures>),
    Memory(Counted),
}

impl<'a> Row<'a> {
    fn of(lane: &'a Lane, measurement: &Measurement, is_memory: bool) -> Option<Self> {
        let cost = if is_memory {
            Cost::Memory(lane.counted?)
        } else {
            Cost::Time(Box::new(Figures::of(lane, &measurement.facts).ok()?))
        };
        Some(Self { size: lane.size?, lane, cost })
    }

    /// What is fitted: the least of the medians of the passes over the sizes, for whatever disturbs a machine makes it slower; or the bytes.
    fn point(&self) -> Option<(f64, f64)> {
        let n = self.size as f64;
        match &self.cost {
            Cost::Time(figures) => Some((n, figures.samples.least_disturbed())),
            Cost::Memory(counted) => Some((n, counted.most.1 as f64)),
        }
    }

    fn time(&self) -> Option<&Figures> {
        match &self.cost {
            Cost::Time(figures) => Some(figures),
            Cost::Memory(_) => None,
        }
    }

    /// The figure and the ends of its interval.
    fn value(&self) -> (f64, (f64, f64)) {
        match &self.cost {
            Cost::Time(figures) => {
                let interval = figures.median.interval;
                (figures.median.value, (interval.low(), interval.high()))
            }
            Cost::Memory(counted) => {
                let (least, most) = (counted.least.1 as f64, counted.most.1 as f64);
                (most, (least, most))
            }
        }
    }
}

fn growth_of(rows: &[Row], measurement: &Measurement) -> Growth {
    let usable = rows.iter().filter(|row| !row.time().is_some_and(Figures::is_nothing));
    let points: Vec<(f64, f64)> = usable.filter_map(Row::point).collect();
    // Counts are exact.
    let is_time = rows.iter().any(|row| row.time().is_some());
    growth(&points, if is_time { measurement.facts.floor } else { 0.0 }, 0)
}

struct Swept<'a> {
    name: &'a str,
    code: String,
    rows: Vec<Row<'a>>,
    growth: Growth,
    measurement: &'a Measurement,
    digits: usize,
    is_memory: bool,
    is_cpu: bool,
}

impl Swept<'_> {
    fn quantity(&self) -> Quantity {
        if self.is_memory { Quantity::Bytes } else { Quantity::Seconds }
    }

    fn page(&self) -> Page {
        let (named, rest) = headline(&self.growth, self.name);
        let mut page = Page::default().headline(&named, &rest);
        for line in details(&self.growth, self.name, self.quantity()) {
            page = page.line(&line);
        }
        page = page.table(&if self.is_memory { self.table_of_memory() } else { self.table_of_times() });
        let page = page.doubts(self.doubts());
        let page = if self.is_cpu { page.quiet(PROCESSOR_TIME) } else { page };
        context::close(page, &self.measurement.facts)
    }

    fn table_of_times(&self) -> Table {
        let per_size = self.per_size();
        let columns = [
            (self.name, Side::Right),
            ("Median", Side::Right),
            ("95 % interval", Side::Right),
            (per_size.as_str(), Side::Right),
            ("Allocations", Side::Right),
        ];
        let mut table = Table::new(columns);
        for row in &self.rows {
            let Some(figures) = row.time() else { continue };
            table.row([
                count(row.size),
                duration_to(figures.median.value, self.digits),
                figures.interval(self.digits),
                duration_to(figures.median.value / row.size as f64, self.digits),
                figures.counted.map_or(String::new(), |counted| counted.phrase()),
            ]);
        }
        table.without_empty_columns()
    }

    fn per_size(&self) -> String {
        format!("Per {}", self.name)
    }

    fn table_of_memory(&self) -> Table {
        let per_size = self.per_size();
        let columns = [
            (self.name, Side::Right),
            ("Bytes", Side::Right),
            (per_size.as_str(), Side::Right),
            ("Allocations", Side::Right),
        ];
        let mut table = Table::new(columns);
        for row in &self.rows {
            let Cost::Memory(counted) = &row.cost else { continue };
            let per_size = bytes(counted.most.1 as f64 / row.size as f64);
            table.row([count(row.size), counted.bytes(), per_size, counted.allocations()]);
        }
        table
    }

    fn doubts(&self) -> Vec<String> {
        let measured = &self.measurement.measured;
        let stopped = measured.lanes.iter().any(|lane| lane.ending == Ending::Stopped);
        let partial = stopped.then(|| PARTIAL.to_owned());
        let left_out = (!measured.left_out.is_empty()).then(|| {
            let why = if stopped {
                "it was interrupted before"
            } else {
                "one run would have ended after the budget (--budget)"
            };
            format!("Left out: {} = {}; {why}.", self.name, listed(&measured.left_out))
        });
        let slow = context::doubts(&self.measurement.facts);
        let of_sweep = [self.nothing(), self.noise()];
        [partial, left_out].into_iter().flatten().chain(slow).chain(of_sweep.into_iter().flatten()).collect()
    }

    /// The sizes at which a doubt of this kind stands.
    fn sizes_with(&self, is_meant: impl Fn(&Warning) -> bool) -> Vec<u64> {
        let doubtful = |row: &&Row| row.time().is_some_and(|figures| figures.doubts.iter().any(&is_meant));
        self.rows.iter().filter(doubtful).map(|row| row.size).collect()
    }

    fn nothing(&self) -> Option<String> {
        let sizes = self.sizes_with(|doubt| matches!(doubt, Warning::OptimisedAway { .. }));
        (!sizes.is_empty()).then(|| {
            format!(
                "At {} = {} the code costs no more than an empty loop: the compiler probably removed it or worked it out beforehand. Use its result.",
                self.name,
                listed(&sizes)
            )
        })
    }

    fn noise(&self) -> Option<String> {
        let sizes = self.sizes_with(|doubt| {
            matches!(doubt, Warning::TooNoisy { .. } | Warning::Drift { .. } | Warning::Bimodal { .. })
        });
        (!sizes.is_empty()).then(|| {
            format!(
                "At {} of {} sizes the figure is noisy. Measure again when the machine is idle, or longer (--budget).",
                sizes.len(),
                self.rows.len()
            )
        })
    }

    fn raw(&self) -> Value {
        let lane = |row: &Row| match &row.cost {
            Cost::Time(figures) => raw::lane(&row.size.to_string(), row.lane, figures),
            Cost::Memory(counted) => json!({
                "size": row.size,
                "allocations": [counted.least.0, counted.most.0],
                "bytes": [counted.least.1, counted.most.1],
            }),
        };
        let confidence = match self.growth.verdict {
            GrowthVerdict::Named { confidence, .. } => raw::number(confidence),
            _ => Value::Null,
        };
        let fields = json!({
            "code": self.code,
            "variable": self.name,
            "memory": self.is_memory,
            "verdict": headline(&self.growth, self.name).0,
            "confidence": confidence,
            "exponent": raw::number(self.growth.exponent),
            "fits": self.growth.fits.iter().map(fit).collect::<Vec<_>>(),
            "left_out": self.measurement.measured.left_out,
            "lanes": self.rows.iter().map(lane).collect::<Vec<_>>(),
            "warnings": self.doubts(),
        });
        raw::result(Complexity.name(), fields, &self.measurement.facts)
    }

    /// What takes no time has no place on a logarithmic axis.
    fn chart(&self) -> Vec<Bundle> {
        let size = |row: &Row| {
            let (value, interval) = row.value();
            chart::Size { n: row.size as f64, value, interval }
        };
        let sizes: Vec<chart::Size> = self.rows.iter().map(size).filter(|size| size.value > 0.0).collect();
        if sizes.len() < 2 {
            return Vec::new();
        }
        let is_fitted = matches!(self.growth.verdict, GrowthVerdict::Named { .. } | GrowthVerdict::Alike(_));
        let mut curves =
            self.growth.fits.iter().filter(|_| is_fitted).map(|fit| curve(fit, self.growth.from));
        let drawn = chart::Complexity {
            title: title(&self.code),
            quantity: self.quantity(),
            sizes,
            best: curves.next(),
            runner_up: curves.next(),
        };
        chart::complexity(&drawn).into_iter().collect()
    }
}

fn fit(fit: &Fit) -> Value {
    json!({
        "class": fit.class.to_string(),
        "intercept": raw::number(fit.intercept),
        "coefficient": raw::number(fit.coefficient()),
        "base": fit.base.map(raw::number),
        "knee": fit.knee.map(|knee| json!({ "from": knee.from, "factor": raw::number(knee.factor) })),
        "error": raw::number(fit.error),
    })
}

fn curve(fit: &Fit, from: f64) -> chart::Curve {
    let ratio = fit.most / from;
    let n = |place: u32| from * ratio.powf(f64::from(place) / f64::from(POINTS));
    let points = (0..=POINTS).map(|place| (n(place), fit.at(n(place)))).collect();
    chart::Curve { name: class_of(fit.class, Some(fit)), points }
}

/// `16, 32 and 64`.
fn listed(sizes: &[u64]) -> String {
    let all: Vec<String> = sizes.iter().map(|size| count(*size)).collect();
    match all.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => all.concat(),
    }
}
