//! What is told to the kernel when a measurement is over.

use super::json::{Number, Object, list, or_null};
use super::{Claim, Options, reference};
use crate::outlet::{self, Told};
use crate::{cell, stop};
use assay_statistics::{Decision, RawBatch};
use assay_stopwatch::{Counted, Counts, Ending, Measurement};

/// Tells the kernel what was measured, and ends the cell if it is to end.
pub(super) fn tell(
    id: u64,
    options: &Options,
    measurements: &[Measurement],
    sizes: &[Option<u64>],
    left_out: &[u64],
    agree: &[Option<bool>],
) {
    let decision = decision(options.claim, measurements);
    let lanes = measurements.iter().enumerate();
    let lanes = lanes.map(|(index, measurement)| lane(measurement, sizes.get(index).copied().flatten()));
    let mut object = Object::default();
    object.raw("lanes", list(lanes)).raw("left_out", list(left_out));
    let agree = agree.iter().map(|whether| whether.map_or("null".to_owned(), |whether| whether.to_string()));
    object.raw("agree", list(agree)).number("computing", reference::computing());
    object.number("allocating", reference::allocating());
    if let Some(decision) = decision {
        object.raw("decision", word(decision));
    }
    outlet::measured(Told::Result, id, &object.end());
    if stop::requested() {
        stop::now();
    }
    if decision.is_some_and(|decision| decision != Decision::Holds) {
        cell::refute();
    }
}

/// What becomes of the claim; none if nothing is claimed.
fn decision(claim: Claim, measurements: &[Measurement]) -> Option<Decision> {
    let first = measurements.first();
    let counted = || first.and_then(|measurement| measurement.counted);
    let whether = |holds: bool| if holds { Decision::Holds } else { Decision::Fails };
    match claim {
        Claim::None => None,
        Claim::Faster { .. } | Claim::Takes { .. } => {
            let claimed = first.and_then(|measurement| measurement.claimed);
            Some(claimed.map_or(Decision::Undecided, |claimed| claimed.decision))
        }
        // Where nothing can be counted nothing is decided.
        Claim::Allocates { most } => {
            Some(counted().map_or(Decision::Undecided, |counted| whether(counted.most.allocations <= most)))
        }
        Claim::AllocatesExactly { count } => Some(counted().map_or(Decision::Undecided, |counted| {
            whether(counted.least.allocations == count && counted.most.allocations == count)
        })),
    }
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Holds => "\"holds\"",
        Decision::Fails => "\"fails\"",
        Decision::Undecided => "\"undecided\"",
    }
}

fn lane(measurement: &Measurement, size: Option<u64>) -> String {
    let batch = |batch: &RawBatch| format!("[{},{}]", batch.iterations, Number(batch.elapsed.as_secs_f64()));
    let blocks = |blocks: &[Vec<RawBatch>]| list(blocks.iter().map(|block| list(block.iter().map(batch))));
    let mut object = Object::default();
    object.raw("size", or_null(size)).raw("blocks", blocks(&measurement.blocks));
    object.raw("threads", blocks(&measurement.threads));
    object.maybe("first", measurement.first.map(|first| first.as_secs_f64()));
    object.number("empty_loop", measurement.empty_loop);
    object.number("clock_cost", measurement.clock.cost).number("clock_step", measurement.clock.step);
    if let Some(Counted { iterations, least, most }) = measurement.counted {
        let counts = |counts: Counts| format!("[{},{}]", counts.allocations, counts.bytes);
        let mut counted = Object::default();
        counted.raw("iterations", iterations).raw("least", counts(least)).raw("most", counts(most));
        object.raw("counted", counted.end());
    }
    object.raw("calls", measurement.calls).number("elapsed", measurement.elapsed.as_secs_f64());
    object.raw("ending", ending(measurement.ending));
    object.end()
}

fn ending(ending: Ending) -> &'static str {
    match ending {
        Ending::Sure | Ending::Decided => "\"sure\"",
        Ending::Spent => "\"spent\"",
        Ending::Complete => "\"complete\"",
        Ending::Plenty => "\"plenty\"",
        Ending::Stopped => "\"stopped\"",
    }
}
