//! `-r`: the profile as Rust that makes it, a value of the crate `assay`.

use super::figures::Figures;
use super::order::Chosen;
use crate::profiled::Ending;
use std::fmt::Write;

/// More functions than these are no list that somebody goes through.
const FUNCTIONS: usize = 300;

/// An expression of type `assay::measure::ProfileResult`.
pub(super) fn expression(code: &str, figures: &Figures, chosen: &Chosen) -> String {
    let (calls, primitive) =
        figures.calls().map_or((None, None), |(all, primitive, _)| (Some(all), primitive));
    let profiled = figures.profiled;
    let mut rust = format!(
        "::assay::measure::ProfileResult {{ code: ::std::string::String::from({code:?}), total_calls: {}, prim_calls: {}, total_tt: {:?}, wall: {:?}, user: {:?}, \
         system: {:?}, samples: {}, runs: {}, partial: {}, functions: ::std::vec![",
        optional(calls),
        optional(primitive),
        finite(figures.seconds_of_run()),
        finite(profiled.run.wall),
        finite(profiled.run.user),
        finite(profiled.run.system),
        figures.samples,
        figures.runs(),
        profiled.run.ending != Ending::Finished,
    );
    for row in chosen.rows.iter().take(FUNCTIONS) {
        let function = figures.function(row);
        let (own, total) = (figures.seconds(row.own), figures.seconds(row.total));
        let _ = write!(
            rust,
            "::assay::measure::ProfiledFunction {{ name: ::std::string::String::from({:?}), file: ::std::string::String::from({:?}), line: {}, ncalls: {}, primitive: {}, \
             tottime: {:?}, tottime_error: {:?}, cumtime: {:?}, cumtime_error: {:?}, samples: {}, hottest_line: {} }}, ",
            function.name,
            function.file,
            optional(function.line),
            optional(row.calls.map(|calls| calls.total)),
            optional(row.calls.and_then(|calls| calls.primitive)),
            finite(own.value),
            finite(own.error),
            finite(total.value),
            finite(total.error),
            row.own,
            optional(row.hottest.map(|line| line.line)),
        );
    }
    rust.push_str("] }");
    rust
}

fn optional(number: Option<impl std::fmt::Display>) -> String {
    number.map_or_else(
        || "::core::option::Option::None".to_owned(),
        |number| format!("::core::option::Option::Some({number})"),
    )
}

/// Rust has no literal for what is not a number.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}
