//! `%assert_faster`: a check that one piece of code is faster than another.

use crate::claim::Claimed;
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::{clocks, common};
use crate::options::{command, rest};
use crate::outcome::{Measurement, Outcome};
use crate::plan::Plan;
use crate::race::{Race, separators};
use crate::result::versus;
use crate::rust::Text;
use crate::units::ratio;
use assay_statistics::{Bootstrap, Interleaved, NotInterleaved};
use clap::Command;

/// `%assert_faster A than B [by 1.5x]`.
#[derive(Debug)]
pub(crate) struct AssertFaster;

impl Magic for AssertFaster {
    fn name(&self) -> &'static str {
        "assert_faster"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "fail unless one piece of code is faster than another"
    }

    fn options(&self) -> Command {
        let help = "A than B [by 1.5x]: with by, that many times at least";
        command().args(clocks()).args(common()).arg(rest("CLAIM", help))
    }

    fn example(&self) -> &'static str {
        "%assert_faster (1..=20u64).product::<u64>() than (1..=2000u64).map(|n| n % 7).sum::<u64>() by 1.5x"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let claim = Claim::of(call).map_err(|complaint| complaint.with_usage(self))?;
        let runtime = format!("Faster {{ by: {:?} }}", claim.by.unwrap_or(1.0));
        Ok(Plan::Code(claim.race.expand(call, Some(&runtime), false)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Measured(measurement) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Claim::of(call)?.beside(&measurement).report(call))
    }
}

struct Claim {
    race: Race,
    /// How many times faster, if that is claimed.
    by: Option<f64>,
}

impl Claim {
    fn of(call: &Call) -> Result<Self, Complaint> {
        let text = Text::new(&call.rest, call.rest_span.start);
        let by = separators(&text, "by").pop();
        let end = by.as_ref().map_or(text.span().end, |by| by.start);
        let race = Race::of_line(&text.part(text.span().start..end), "than")?;
        let race = race.filter(|race| race.contenders.len() == 2).ok_or_else(|| {
            Complaint::new("there is no claim: `A than B`, for instance `f() than g() by 1.5x`", call.about())
        })?;
        let by = by.map(|by| {
            let behind = text.part(by.end..text.span().end);
            let tokens = behind.open_tokens();
            let limit = tokens.first().zip(tokens.last()).map(|(first, last)| first.1.start..last.1.end);
            let said = limit.as_ref().map_or("", |limit| behind.at(limit));
            factor(said).ok_or_else(|| {
                Complaint::new(
                    "behind `by` stands how many times faster, 1 or more, such as 1.5x",
                    limit.unwrap_or(by),
                )
            })
        });
        Ok(Self { race, by: by.transpose()? })
    }

    fn beside<'a>(&self, measurement: &'a Measurement) -> Claimed<'a> {
        let labels: Vec<&str> = self.race.contenders.iter().map(|one| one.label.as_str()).collect();
        let label = |index: usize| labels.get(index).copied().unwrap_or_default();
        let samples: Vec<_> =
            measurement.measured.lanes.iter().filter_map(|lane| lane.samples().ok()).collect();
        let figures = match Interleaved::new(samples) {
            Err(NotInterleaved::TooFew) => "nothing was measured".to_owned(),
            Ok(both) => versus::verdict(label(0), label(1), &both.compare(&Bootstrap::default())),
            Err(why) => versus::no_ratio(why, &labels),
        };
        let than = format!("`{}` is faster than `{}`", label(0), label(1));
        let claim = match self.by {
            Some(by) => format!("{than} by {} or more", ratio(by)),
            None => than,
        };
        Claimed {
            magic: "assert_faster",
            measurement,
            figures: figures.trim_end_matches('.').to_owned(),
            claim,
            undecided: None,
        }
    }
}

/// `1.5x`, `1.5 x`, `1.5×`, `2`.
fn factor(text: &str) -> Option<f64> {
    let number = text.strip_suffix(['x', '×']).unwrap_or(text).trim_end();
    let factor: f64 = number.parse().ok()?;
    (factor.is_finite() && factor >= 1.0).then_some(factor)
}

#[cfg(test)]
mod tests {
    use crate::measured::{Decided, Lane};
    use crate::outcome::Outcome;
    use crate::trial::{complaint, lane, measurement, report, shortened};

    fn check(cell: &str, expected: &str) {
        assert_eq!(shortened(cell), expected, "{cell:?}");
    }

    #[test]
    fn the_claim_goes_with_the_loop() {
        check(
            "%assert_faster a() than b()",
            "{ let meter = Meter::compare(0, Options { claim: Claim::Faster { by: 1.0 }, ..Options::USUAL }, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a() }), _ => meter.run_keeping(turn, &mut assay_first_1, || { b() }), } } meter.end_all(); }",
        );
        check(
            "%assert_faster --budget 2s a(by) than b(1)? by 1.5x",
            "{ let meter = Meter::compare(0, Options { budget: 2.0, claim: Claim::Faster { by: 1.5 }, ..Options::USUAL }, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a(by) }), _ => meter.try_run_keeping(turn, &mut assay_first_1, || Ok({ b(black_box(1))? }))?, } } meter.end_all(); }",
        );
        check(
            "%assert_faster a.than than b.by by 2 × // why",
            "{ let meter = Meter::compare(0, Options { claim: Claim::Faster { by: 2.0 }, ..Options::USUAL }, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a.than }), _ => meter.run_keeping(turn, &mut assay_first_1, || { b.by }), } } meter.end_all(); }",
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let check = |cell: &str, expected: &str| {
            assert_eq!(complaint(cell), expected, "{cell:?}");
        };
        check("%assert_faster", "0..14 there is no claim: `A than B`, for instance `f() than g() by 1.5x`");
        check(
            "%assert_faster a()",
            "15..18 there is no claim: `A than B`, for instance `f() than g() by 1.5x`",
        );
        check("%assert_faster a() than", "19..23 nothing stands behind `than`");
        check(
            "%assert_faster a() than b() than c()",
            "15..36 there is no claim: `A than B`, for instance `f() than g() by 1.5x`",
        );
        check(
            "%assert_faster a() than b() by",
            "28..30 behind `by` stands how many times faster, 1 or more, such as 1.5x",
        );
        check(
            "%assert_faster a() than b() by half",
            "31..35 behind `by` stands how many times faster, 1 or more, such as 1.5x",
        );
        check(
            "%assert_faster a() than b() by 0.5x",
            "31..35 behind `by` stands how many times faster, 1 or more, such as 1.5x",
        );
        check(
            "%assert_faster a() than b( by 2x",
            "25..26 this is no Rust: a bracket or a comment is not closed",
        );
    }

    #[test]
    fn a_claim_holds_or_fails_or_cannot_be_told() {
        let check = |cell: &str, decision, lanes: Vec<Lane>, expected: &str| {
            let mut measurement = measurement(lanes);
            measurement.measured.decision = Some(decision);
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
            "%assert_faster a() than b()",
            Decided::Holds,
            vec![lane(1e-6), lane(2e-6)],
            "ok: `a()` is 2× faster than `b()` (2–2); claimed: `a()` is faster than `b()`\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
        );
        check(
            "%assert_faster a() than c() by 3x",
            Decided::Fails,
            vec![lane(1e-6), lane(2e-6)],
            "AssertionError: `a()` is 2× faster than `c()` (2–2); claimed: `a()` is faster than `c()` by 3× or more",
        );
        check(
            "%assert_faster a() than d()",
            Decided::Undecided,
            vec![lane(1e-6), lane(1e-6)],
            "Undecided: No difference between `a()` and `d()` that this machine can show (resolution ±1.0 %); claimed: `a()` is faster than `d()`, which cannot be told: the interval holds both, after three times the budget",
        );
        check(
            "%assert_faster a() than e()",
            Decided::Undecided,
            vec![],
            "Undecided: nothing was measured; claimed: `a()` is faster than `e()`, which cannot be told: it ran too seldom for a decision in three times the budget (`--budget` gives more time)",
        );
        let slow = |seconds| Lane { blocks: vec![vec![(1, seconds)]; 3], ..lane(seconds) };
        check(
            "%assert_faster a() than f()",
            Decided::Undecided,
            vec![slow(0.02), slow(1.5)],
            "Undecided: `a()` and `f()` ran too seldom to be told apart: 3 samples of each, where 5 are needed (`--budget` gives more time); claimed: `a()` is faster than `f()`, which cannot be told: it ran too seldom for a decision in three times the budget (`--budget` gives more time)",
        );
    }
}
