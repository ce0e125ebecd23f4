//! Two pieces of code beside each other, in words.

use super::raw::number;
use crate::units::{ratio, ratio_range};
use assay_statistics::{Comparison, NotInterleaved, Pair, Verdict};
use serde_json::{Value, json};

/// Who is faster, by how much; or what could have been told.
pub(crate) fn verdict(first: &str, second: &str, comparison: &Comparison) -> String {
    let (value, interval) = (comparison.ratio.value, comparison.ratio.interval);
    match comparison.verdict {
        Verdict::FirstIsFaster => {
            faster(first, second, 1.0 / value, (1.0 / interval.high(), 1.0 / interval.low()))
        }
        Verdict::SecondIsFaster => faster(second, first, value, (interval.low(), interval.high())),
        // As a share it would be no figure that anybody reads: ±2669 %.
        Verdict::NoDifference { resolution } if resolution >= 1.0 => format!(
            "No difference between `{first}` and `{second}` that these figures can show: it would have to be {} or more (`--budget` gives more time, and an idle machine better figures).",
            ratio(1.0 + resolution)
        ),
        Verdict::NoDifference { resolution } => format!(
            "No difference between `{first}` and `{second}` that this machine can show (resolution ±{:.1} %).",
            100.0 * resolution
        ),
        Verdict::TooFewRounds { rounds, needed } => format!(
            "`{first}` and `{second}` ran too seldom to be told apart: {rounds} {} of each, where {needed} are needed (`--budget` gives more time).",
            if rounds == 1 { "sample" } else { "samples" }
        ),
    }
}

fn faster(winner: &str, loser: &str, times: f64, (low, high): (f64, f64)) -> String {
    format!("`{winner}` is {} faster than `{loser}` ({}).", ratio(times), ratio_range(low, high))
}

/// Why there is no ratio.
pub(crate) fn no_ratio(why: NotInterleaved, labels: &[&str]) -> String {
    match why {
        NotInterleaved::Zero { index } => {
            let label = labels.get(index).copied().unwrap_or_default();
            format!("No ratio: `{label}` takes no time that could be measured.")
        }
        other => format!("No ratio: {other}."),
    }
}

/// The figures of a verdict.
pub(crate) fn raw(pair: &Pair) -> Value {
    let Comparison { ratio, p, verdict } = pair.comparison;
    let verdict = match verdict {
        Verdict::FirstIsFaster => "first is faster",
        Verdict::SecondIsFaster => "second is faster",
        Verdict::NoDifference { .. } => "no difference",
        Verdict::TooFewRounds { .. } => "too few samples",
    };
    json!({
        "first": pair.first,
        "second": pair.second,
        "ratio": number(ratio.value),
        "interval": [number(ratio.interval.low()), number(ratio.interval.high())],
        "p": number(p),
        "verdict": verdict,
    })
}
