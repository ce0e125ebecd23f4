//! `%assert_allocs`: a check that code asks for memory no more often than this.

use crate::assert_time::alone;
use crate::claim::{Bound, Claimed, bound};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measuring::count;
use crate::options::{command, flag, rest};
use crate::outcome::{Measurement, Outcome};
use crate::plan::Plan;
use crate::race::one_line;
use crate::rust::{Snippet, Text};
use clap::Command;

/// `%assert_allocs CODE <= N`.
#[derive(Debug)]
pub(crate) struct AssertAllocs;

impl Magic for AssertAllocs {
    fn name(&self) -> &'static str {
        "assert_allocs"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "fail unless each run of code makes so few allocations"
    }

    fn options(&self) -> Command {
        let help = "CODE <= N, CODE < N or CODE == N, for instance v.clone() <= 1";
        command().arg(flag("q", "show nothing if it holds")).arg(rest("CLAIM", help))
    }

    fn example(&self) -> &'static str {
        "%assert_allocs Vec::<u8>::with_capacity(16) <= 1"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let claim = Claim::of(call).map_err(|complaint| complaint.with_usage(self))?;
        Ok(Plan::Code(alone(call, &claim.code, &claim.runtime())))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Measured(measurement) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Claim::of(call)?.beside(&measurement).report(call))
    }
}

struct Claim {
    code: Snippet,
    label: String,
    limit: Limit,
}

enum Limit {
    AtMost(u64),
    Exactly(u64),
}

impl Claim {
    fn of(call: &Call) -> Result<Self, Complaint> {
        let text = Text::new(&call.rest, call.rest_span.start);
        let missing =
            || Complaint::new("there is no claim: `CODE <= N`, for instance `f() <= 3`", call.about());
        let bound = bound(&text).ok_or_else(missing)?;
        let limit = limit(&bound)?;
        let code = text.part(bound.code).snippet()?;
        let code = code.ok_or_else(|| Complaint::new("no code stands before the claim", bound.at))?;
        let label = one_line(text.at(&code.span));
        Ok(Self { code, label, limit })
    }

    fn runtime(&self) -> String {
        match self.limit {
            Limit::AtMost(most) => format!("Allocates {{ most: {most} }}"),
            Limit::Exactly(count) => format!("AllocatesExactly {{ count: {count} }}"),
        }
    }

    fn beside<'a>(&self, measurement: &'a Measurement) -> Claimed<'a> {
        let counted = measurement.measured.lanes.first().and_then(|lane| lane.counted);
        let said =
            counted.map_or("was not counted".to_owned(), |counted| format!("makes {}", counted.phrase()));
        let claim = match self.limit {
            Limit::AtMost(most) => format!("at most {}", crate::units::count(most)),
            Limit::Exactly(count) => format!("exactly {}", crate::units::count(count)),
        };
        let figures = format!("`{}` {said}", self.label);
        Claimed { magic: "assert_allocs", measurement, figures, claim, undecided: Some("no run was counted") }
    }
}

fn limit(bound: &Bound) -> Result<Limit, Complaint> {
    let number = count(bound.limit).map_err(|_| {
        let at = if bound.limit_at.is_empty() { bound.at.clone() } else { bound.limit_at.clone() };
        Complaint::new(format!("behind `{}` stands a number of allocations, such as 3", bound.sign), at)
    })?;
    match (bound.sign, number.checked_sub(1)) {
        ("<=", _) => Ok(Limit::AtMost(number)),
        ("==", _) => Ok(Limit::Exactly(number)),
        ("<", Some(most)) => Ok(Limit::AtMost(most)),
        ("<", None) => Err(Complaint::new("no code makes fewer than no allocations", bound.limit_at.clone())),
        (sign, _) => Err(Complaint::new(format!("`{sign}` is no claim on allocations"), bound.at.clone())
            .with_hint("`<=`, `<` and `==` are")),
    }
}

#[cfg(test)]
mod tests {
    use crate::measured::{Counted, Decided, Lane};
    use crate::outcome::Outcome;
    use crate::trial::{complaint, measurement, report, shortened};

    fn check(cell: &str, expected: &str) {
        assert_eq!(shortened(cell), expected, "{cell:?}");
    }

    #[test]
    fn the_claim_goes_with_the_loop() {
        check(
            "%assert_allocs f() <= 3",
            "{ let meter = Meter::new(0, Options { claim: Claim::Allocates { most: 3 }, ..Options::USUAL }); while turn { meter.run(turn, || { f() }); } meter.end(); }",
        );
        check(
            "%assert_allocs -q f(a == b) < 3",
            "{ let meter = Meter::new(0, Options { silent: true, claim: Claim::Allocates { most: 2 }, ..Options::USUAL }); while turn { meter.run(turn, || { f(a == b) }); } meter.end(); }",
        );
        check(
            "%assert_allocs let v = f(); v.g() == 1_000",
            "{ let meter = Meter::new(0, Options { claim: Claim::AllocatesExactly { count: 1000 }, ..Options::USUAL }); while turn { meter.run(turn, || { let v = f(); v.g() }); } meter.end(); }",
        );
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let check = |cell: &str, expected: &str| {
            assert_eq!(complaint(cell), expected, "{cell:?}");
        };
        check("%assert_allocs f()", "15..18 there is no claim: `CODE <= N`, for instance `f() <= 3`");
        check("%assert_allocs f() < 0", "21..22 no code makes fewer than no allocations");
        check("%assert_allocs f() > 3", "19..20 `>` is no claim on allocations");
        check("%assert_allocs f() <= few", "22..25 behind `<=` stands a number of allocations, such as 3");
        check("%assert_allocs <= 3", "15..17 no code stands before the claim");
    }

    #[test]
    fn allocations_are_counted_and_told() {
        let check = |cell: &str, decision, counted: Option<Counted>, expected: &str| {
            let mut measurement = measurement(vec![Lane { counted, ..Lane::default() }]);
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
        let counted = |least, most| Some(Counted { iterations: 10, least, most });
        check(
            "%assert_allocs f() <= 3",
            Decided::Holds,
            counted((3, 240), (3, 240)),
            "ok: `f()` makes 3 allocations, 240 B; claimed: at most 3\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
        );
        check(
            "%assert_allocs f() == 0",
            Decided::Fails,
            counted((0, 0), (1, 64)),
            "AssertionError: `f()` makes 0 to 1 allocations, 0 B to 64 B; claimed: exactly 0",
        );
        check(
            "%assert_allocs f() <= 5",
            Decided::Undecided,
            None,
            "Undecided: `f()` was not counted; claimed: at most 5, which cannot be told: no run was counted",
        );
    }
}
