//! The raw figures that go beside a result, as JSON: complete enough to be judged anew, small enough for a notebook.

use super::Figures;
use super::figures::thinned;
use crate::measured::{Ending, Facts, Lane};
use assay_statistics::Sorted;
use serde_json::{Map, Value, json};

/// More samples than these are told by so many of their quantiles.
const SAMPLES: usize = 300;

/// Digits of a figure: a clock has no more.
const DIGITS: usize = 6;

/// What one piece of code was measured to cost.
pub(crate) fn lane(label: &str, lane: &Lane, figures: &Figures) -> Value {
    let summary = figures.summary;
    let interval = figures.median.interval;
    let mut raw = json!({
        "label": label,
        "runs": figures.runs(),
        "loops": [figures.loops.0, figures.loops.1],
        "mean": number(summary.mean),
        "standard_deviation": number(summary.standard_deviation),
        "median": number(summary.median),
        "interval": [number(interval.low()), number(interval.high())],
        "min": number(summary.min),
        "max": number(summary.max),
        "quartiles": [number(summary.lower_quartile), number(summary.upper_quartile)],
        "outliers": figures.outliers.total(),
        "empty_loop": number(lane.empty_loop),
        "clock_step": number(lane.clock_step),
        "first_run": lane.first.map(number),
        "calls": lane.calls,
        "elapsed": number(lane.elapsed),
        "ending": ending(lane.ending),
        "block_medians": numbers(&figures.samples.block_medians()),
    });
    if let Value::Object(fields) = &mut raw {
        fields.extend(lane.size.map(|size| ("size".to_owned(), json!(size))));
        fields.extend(figures.counted.map(|counted| {
            let heap = json!({
                "iterations": counted.iterations,
                "allocations": [counted.least.0, counted.most.0],
                "bytes": [counted.least.1, counted.most.1],
            });
            ("heap".to_owned(), heap)
        }));
    }
    raw
}

/// The samples of one piece of code: all of them in their order, or quantiles where they are many.
pub(crate) fn samples(figures: &Figures) -> Value {
    let values = figures.samples.values();
    if values.len() <= SAMPLES {
        return json!({ "seconds": numbers(values) });
    }
    json!({ "seconds": numbers(&thinned(&figures.samples.sorted(), SAMPLES)), "quantiles_of": values.len() })
}

/// Where and how it was measured.
pub(crate) fn facts(facts: &Facts) -> Value {
    json!({
        "processor": facts.processor,
        "compiler": facts.compiler,
        "optimisation": facts.optimisation,
        "target_cpu": facts.target_cpu,
        "noise_floor": number(facts.floor),
        "starts": facts.starts,
        "compile": number(facts.compile),
    })
}

/// The whole: what kind of result it is, its fields, and the circumstances.
pub(crate) fn result(kind: &str, fields: Value, about: &Facts) -> Value {
    let mut all = Map::new();
    all.insert("kind".to_owned(), json!(kind));
    all.insert("version".to_owned(), json!(1));
    if let Value::Object(fields) = fields {
        all.extend(fields);
    }
    all.insert("facts".to_owned(), facts(about));
    Value::Object(all)
}

/// A figure in six digits; null if it is none.
pub(crate) fn number(value: f64) -> Value {
    let short: Option<f64> = format!("{value:.*e}", DIGITS - 1).parse().ok();
    short.and_then(serde_json::Number::from_f64).map_or(Value::Null, Value::Number)
}

/// Figures in a row.
pub(crate) fn numbers(values: &[f64]) -> Value {
    Value::Array(values.iter().copied().map(number).collect())
}

/// The quantiles of each block, so that at most `most` samples are left in all.
pub(crate) fn blocks(figures: &Figures, most: usize) -> Vec<Vec<f64>> {
    let blocks = figures.samples.blocks();
    let each = (most / blocks.len().max(1)).max(1);
    blocks.filter_map(|block| Some(thinned(&Sorted::new(block)?, each))).collect()
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Sure => "sure",
        Ending::Spent => "spent",
        Ending::Complete => "complete",
        Ending::Plenty => "plenty",
        Ending::Stopped => "stopped",
    }
}
