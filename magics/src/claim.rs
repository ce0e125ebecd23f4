//! What the `%assert_…` magics have in common: a claim that holds, fails, or cannot be decided.
//!
//! The loop beside the code decides, by intervals, and goes on to three times its budget before it gives up. What is left to do here is to say so: `ok` with the
//! figures, or an error with the figures, under a name that a test runner can tell from a failure.

use crate::magic::{Call, Refuted, Report};
use crate::measured::{Decided, Ending};
use crate::measuring::is_set;
use crate::outcome::Measurement;
use crate::result::{Page, context, raw};
use crate::rust::Text;
use assay_statistics::LEAST_BLOCKS;
use ra_ap_rustc_lexer::TokenKind;
use serde_json::json;
use std::ops::Range;

/// A claim beside what was measured, both in words.
pub(crate) struct Claimed<'a> {
    pub(crate) magic: &'static str,
    pub(crate) measurement: &'a Measurement,
    /// `f() takes 1.2 ms`.
    pub(crate) figures: String,
    /// `less than 2 ms`.
    pub(crate) claim: String,
    /// Why nothing can be told, where that is so and nobody interrupted it; none for a claim on times.
    pub(crate) undecided: Option<&'static str>,
}

/// Why a claim on times cannot be decided.
const BOTH: &str = "the interval holds both, after three times the budget";

/// The same where nobody has looked at an interval, for there were too few figures.
const SELDOM: &str =
    "it ran too seldom for a decision in three times the budget (`--budget` gives more time)";

impl Claimed<'_> {
    /// Ok, or an error.
    pub(crate) fn report(&self, call: &Call) -> Report {
        let failure = self.failure();
        let (word, decision) = match &failure {
            None => ("ok", "holds"),
            Some(Refuted { name: "Undecided", .. }) => ("undecided", "undecided"),
            Some(_) => ("not so", "fails"),
        };
        let shown = (!is_set(&call.matches, "q")).then(|| {
            let page =
                Page::default().headline(word, &format!(": {}; claimed: {}", self.figures, self.claim));
            let page = page.doubts(context::doubts(&self.measurement.facts));
            let fields = json!({ "decision": decision, "figures": self.figures, "claim": self.claim });
            let facts = &self.measurement.facts;
            context::close(page, facts).bundle(raw::result(self.magic, fields, facts))
        });
        Report { shown, failure, ..Report::default() }
    }

    fn failure(&self) -> Option<Refuted> {
        let Self { figures, claim, .. } = self;
        match self.measurement.measured.decision.unwrap_or(Decided::Undecided) {
            Decided::Holds => None,
            Decided::Fails => {
                Some(Refuted { name: "AssertionError", message: format!("{figures}; claimed: {claim}") })
            }
            Decided::Undecided => {
                let stopped =
                    self.measurement.measured.lanes.iter().any(|lane| lane.ending == Ending::Stopped);
                let why = match self.undecided {
                    _ if stopped => "it was interrupted",
                    Some(why) => why,
                    None if self.ran_seldom() => SELDOM,
                    None => BOTH,
                };
                let message = format!("{figures}; claimed: {claim}, which cannot be told: {why}");
                Some(Refuted { name: "Undecided", message })
            }
        }
    }

    /// Whether there were so few blocks that none was decided by.
    fn ran_seldom(&self) -> bool {
        let lanes = &self.measurement.measured.lanes;
        lanes.is_empty() || lanes.iter().any(|lane| lane.blocks.len() < LEAST_BLOCKS)
    }
}

/// A comparison at the end of a line: `CODE < LIMIT`.
pub(crate) struct Bound<'a> {
    /// Where the code before it stands.
    pub(crate) code: Range<usize>,
    /// `<`, `<=`, `==`, `>=`, `>`.
    pub(crate) sign: &'static str,
    /// Where the sign stands.
    pub(crate) at: Range<usize>,
    /// What stands behind it.
    pub(crate) limit: &'a str,
    /// Where that stands.
    pub(crate) limit_at: Range<usize>,
}

/// The last comparison outside of all brackets: what stands behind it is the limit.
pub(crate) fn bound(text: &Text) -> Option<Bound<'_>> {
    let tokens = text.open_tokens();
    let last = (0..tokens.len()).rev().find_map(|index| Some((index, sign_at(&tokens, index)?)));
    let (index, (sign, length)) = last?;
    let at = tokens[index].1.start..tokens[index + length - 1].1.end;
    let behind = tokens.get(index + length);
    let limit_at =
        behind.zip(tokens.last()).map_or(at.end..at.end, |(first, last)| first.1.start..last.1.end);
    Some(Bound { code: text.span().start..at.start, sign, limit: text.at(&limit_at), limit_at, at })
}

/// The sign that begins at a token, and of how many tokens it consists. Arrows are none, nor is the second half of one.
fn sign_at(tokens: &[(TokenKind, Range<usize>)], index: usize) -> Option<(&'static str, usize)> {
    use TokenKind::{Eq, Gt, Lt, Minus};
    let joined = |index: usize| {
        tokens.get(index).zip(tokens.get(index + 1)).is_some_and(|(one, other)| one.1.end == other.1.start)
    };
    let kind = |index: usize| tokens.get(index).map(|token| &token.0);
    let before = index.checked_sub(1).filter(|before| joined(*before)).and_then(kind);
    let after = if joined(index) { kind(index + 1) } else { None };
    match (before, kind(index)?, after) {
        (Some(Minus | Eq | Lt | Gt), ..) => None,
        (_, Lt, Some(Eq)) => Some(("<=", 2)),
        (_, Gt, Some(Eq)) => Some((">=", 2)),
        (_, Eq, Some(Eq)) => Some(("==", 2)),
        (_, Lt, _) => Some(("<", 1)),
        (_, Gt, _) => Some((">", 1)),
        _ => None,
    }
}
