//! `%assert_time`: a check that code takes less time than a limit.

use crate::claim::{Claimed, bound};
use crate::expansion::{Expansion, WHILE_TURNS, id, running};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{clocks, common, digits, literal};
use crate::options::{command, rest};
use crate::outcome::{Measurement, Outcome};
use crate::plan::{CodeStep, Plan};
use crate::race::one_line;
use crate::result::Figures;
use crate::rust::{Snippet, Text};
use crate::units::{duration, duration_to, seconds_in};
use clap::Command;

/// `%assert_time CODE < TIME`.
#[derive(Debug)]
pub(crate) struct AssertTime;

impl Magic for AssertTime {
    fn name(&self) -> &'static str {
        "assert_time"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "fail unless code takes less time than this"
    }

    fn options(&self) -> Command {
        let help = "CODE < TIME, for instance f() < 2ms; > claims that it takes more";
        command().args(clocks()).args(common()).arg(rest("CLAIM", help))
    }

    fn example(&self) -> &'static str {
        "%assert_time (1..=20u64).product::<u64>() < 1ms"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let claim = Claim::of(call).map_err(|complaint| complaint.with_usage(self))?;
        let runtime = format!("Takes {{ less: {}, seconds: {:?} }}", claim.less, claim.seconds);
        Ok(Plan::Code(alone(call, &claim.code, &runtime)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Measured(measurement) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Claim::of(call)?.beside(call, &measurement).report(call))
    }
}

/// Code that is measured alone, with one of the runtime's claims.
pub(crate) fn alone(call: &Call, code: &Snippet, claim: &str) -> CodeStep {
    let mut expansion = Expansion::default();
    let (before, after) = running(code.flow, "run", "");
    let (id, options) = (id(call), literal(&call.matches, Some(claim)));
    let meter = format!("{{ let mut assay_meter = ::assay::measure::Meter::new({id}, {options}); ");
    expansion.insert(code.span.start, format!("{meter}{WHILE_TURNS}{before}"));
    expansion.keep_measured(code);
    expansion.insert(code.span.end, format!("{after}; }} assay_meter.end(); }}"));
    expansion.finish(false)
}

struct Claim {
    code: Snippet,
    label: String,
    less: bool,
    seconds: f64,
}

impl Claim {
    fn of(call: &Call) -> Result<Self, Complaint> {
        let text = Text::new(&call.rest, call.rest_span.start);
        let missing = |at| Complaint::new("there is no claim: `CODE < TIME`, for instance `f() < 2ms`", at);
        let bound = bound(&text).filter(|bound| bound.sign != "==").ok_or_else(|| missing(call.about()))?;
        let seconds = seconds_in(bound.limit).filter(|seconds| *seconds > 0.0).ok_or_else(|| {
            let at = if bound.limit_at.is_empty() { bound.at.clone() } else { bound.limit_at.clone() };
            let message =
                format!("behind `{}` stands a duration above zero with its unit, such as 2ms", bound.sign);
            Complaint::new(message, at)
        })?;
        let code = text.part(bound.code).snippet()?;
        let code = code.ok_or_else(|| Complaint::new("no code stands before the claim", bound.at))?;
        let label = one_line(text.at(&code.span));
        Ok(Self { code, label, less: bound.sign.starts_with('<'), seconds })
    }

    fn beside<'a>(&self, call: &Call, measurement: &'a Measurement) -> Claimed<'a> {
        let digits = digits(&call.matches);
        let figures = measurement.first().map(|(_, figures)| said(&self.label, &figures, digits));
        let than = if self.less { "less" } else { "more" };
        Claimed {
            magic: "assert_time",
            measurement,
            figures: figures.unwrap_or_else(|| format!("`{}` was not measured", self.label)),
            claim: format!("{than} than {}", duration(self.seconds)),
            undecided: None,
        }
    }
}

fn said(label: &str, figures: &Figures, digits: usize) -> String {
    let median = duration_to(figures.median.value, digits);
    format!("`{label}` takes {median} (95 % interval {})", figures.interval(digits))
}

#[cfg(test)]
mod tests {
    use crate::measured::{Decided, Ending, Lane};
    use crate::outcome::Outcome;
    use crate::trial::{complaint, lane, measurement, report, shortened};

    fn check(cell: &str, expected: &str) {
        assert_eq!(shortened(cell), expected, "{cell:?}");
    }

    #[test]
    fn the_claim_goes_with_the_loop() {
        check(
            "%assert_time f(1) < 2ms",
            "{ let meter = Meter::new(0, Options { claim: Claim::Takes { less: true, seconds: 0.002 }, ..Options::USUAL }); while turn { meter.run(turn, || { f(black_box(1)) }); } meter.end(); }",
        );
        check(
            "%assert_time -q --budget 3s f::<u8>()? > 1.5 s // slow",
            "{ let meter = Meter::new(0, Options { budget: 3.0, silent: true, claim: Claim::Takes { less: false, seconds: 1.5 }, ..Options::USUAL }); while turn { meter.try_run(turn, || Ok({ f::<u8>()? }))?; } meter.end(); }",
        );
        check(
            "%assert_time g(a < b).await <= 20 µs",
            "{ let meter = Meter::new(0, Options { claim: Claim::Takes { less: true, seconds: 2e-5 }, ..Options::USUAL }); while turn { meter.run_async(turn, async || { g(a < b).await }).await; } meter.end(); }",
        );
        check(
            "for x in y {\n%assert_time f(x) < 1s\n}",
            "for x in y { { let meter = Meter::new(13, Options { claim: Claim::Takes { less: true, seconds: 1.0 }, ..Options::USUAL }); while turn { meter.run(turn, || { f(x) }); } meter.end(); } }",
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let check = |cell: &str, expected: &str| {
            assert_eq!(complaint(cell), expected, "{cell:?}");
        };
        check("%assert_time", "0..12 there is no claim: `CODE < TIME`, for instance `f() < 2ms`");
        check("%assert_time f()", "13..16 there is no claim: `CODE < TIME`, for instance `f() < 2ms`");
        check("%assert_time f() == 2ms", "13..23 there is no claim: `CODE < TIME`, for instance `f() < 2ms`");
        check(
            "%assert_time f() < 2",
            "19..20 behind `<` stands a duration above zero with its unit, such as 2ms",
        );
        check(
            "%assert_time f() <",
            "17..18 behind `<` stands a duration above zero with its unit, such as 2ms",
        );
        check(
            "%assert_time f() < 0ms",
            "19..22 behind `<` stands a duration above zero with its unit, such as 2ms",
        );
        check("%assert_time < 2ms", "13..14 no code stands before the claim");
        check("%assert_time f( < 2ms", "13..21 there is no claim: `CODE < TIME`, for instance `f() < 2ms`");
        check("%assert_time f g < 2ms", "15..16 this is no Rust: unexpected token, expected `;`");
        check("%assert_time -o f() < 2ms", "13..15 `%assert_time` has no option `-o`");
        check(
            "let a = %assert_time f() < 2ms;",
            "8..20 `%assert_time` gives no value that a variable could hold",
        );
    }

    #[test]
    fn a_claim_holds_or_fails_or_cannot_be_told() {
        let check = |cell: &str, decision: Option<Decided>, lane: Lane, expected: &str| {
            let mut measurement = measurement(vec![lane]);
            measurement.measured.decision = decision;
            let report = report(cell, Outcome::Measured(Box::new(measurement))).unwrap();
            let shown = report.shown.map(|bundle| bundle.plain().to_owned());
            let failure = report.failure.map(|failure| format!("{}: {}", failure.name, failure.message));
            // An error has its figures on the page, too, with their context.
            let page = shown.clone().unwrap_or_default();
            assert!(
                failure.is_none() || (page.contains("; claimed: ") && page.ends_with("(4 starts)")),
                "{page}"
            );
            let said = failure.or(shown).unwrap_or_default();
            assert_eq!(said, expected, "{cell:?}");
        };
        check(
            "%assert_time f() < 2ms",
            Some(Decided::Holds),
            lane(1e-3),
            "ok: `f()` takes 1 ms (95 % interval 979 µs … 1.03 ms); claimed: less than 2 ms\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
        );
        check("%assert_time -q f() < 2ms", Some(Decided::Holds), lane(1e-3), "");
        check(
            "%assert_time f() < 1ms",
            Some(Decided::Fails),
            lane(2e-3),
            "AssertionError: `f()` takes 2.01 ms (95 % interval 1.96 … 2.06 ms); claimed: less than 1 ms",
        );
        check(
            "%assert_time f() > 1ms",
            Some(Decided::Undecided),
            lane(1e-3),
            "Undecided: `f()` takes 1 ms (95 % interval 979 µs … 1.03 ms); claimed: more than 1 ms, which cannot be told: the interval holds both, after three times the budget",
        );
        check(
            "%assert_time f() < 3ms",
            None,
            Lane { ending: Ending::Stopped, ..Lane::default() },
            "Undecided: `f()` was not measured; claimed: less than 3 ms, which cannot be told: it was interrupted",
        );
    }
}
