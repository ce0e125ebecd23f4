//! The sizes that are swept: `n=16..65536`, `n=1000..10000 by 1000`, `n=10,20,50`.

use crate::magic::{Call, Complaint};
use crate::measuring::at_least_one;
use crate::rust::Text;
use assay_statistics::LEAST_SIZES;
use ra_ap_rustc_lexer::TokenKind;
use std::ops::Range;

/// A range of fewer sizes tells nothing.
const FEWEST: usize = 5;

/// Where doubling gives too few sizes for a verdict, so many are chosen in equal ratios.
const CHOSEN: u32 = 8;

/// More sizes take their time and tell no more.
const MOST: usize = 100;

/// The sizes, and the name that the code has for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) name: String,
    /// In ascending order.
    pub(super) all: Vec<u64>,
    /// Where they end in the cell.
    pub(super) end: usize,
}

impl Sizes {
    /// Reads them from the beginning of the text.
    pub(super) fn of(text: &Text, call: &Call) -> Result<Self, Complaint> {
        let mut reader = Reader { text, tokens: text.open_tokens(), next: 0 };
        let missing = || Complaint::new("the sizes are missing", call.about()).with_hint(HINT);
        let name = reader.name().ok_or_else(missing)?;
        reader.sign(&[TokenKind::Eq]).ok_or_else(missing)?;
        let first = reader.number().ok_or_else(|| reader.wrong("a size is a whole number from 1 on"))??;
        let start = reader.last().start;
        let dots = reader.sign(&[TokenKind::Dot, TokenKind::Dot]);
        let all = if dots.is_some() { reader.range(first, start)? } else { reader.list(first)? };
        Ok(Self { name, all, end: reader.last().end })
    }
}

const HINT: &str = "for instance `%%complexity n=16..65536`, then setup, and the code below";

struct Reader<'a> {
    text: &'a Text,
    tokens: Vec<(TokenKind, Range<usize>)>,
    next: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<(&TokenKind, &Range<usize>)> {
        self.tokens.get(self.next).map(|(kind, span)| (kind, span))
    }

    /// The token that was read last.
    fn last(&self) -> Range<usize> {
        let before = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        before.map_or(self.text.span(), |(_, span)| span.clone())
    }

    fn name(&mut self) -> Option<String> {
        let (_, span) = self.peek().filter(|(kind, _)| **kind == TokenKind::Ident)?;
        let name = self.text.at(span);
        let is_free = syn::parse_str::<syn::Ident>(name).is_ok();
        let name = is_free.then(|| name.to_owned());
        self.next += 1;
        name
    }

    fn sign(&mut self, kinds: &[TokenKind]) -> Option<()> {
        let tokens = self.tokens.get(self.next..self.next + kinds.len())?;
        let same = tokens.iter().zip(kinds).all(|((kind, _), wanted)| kind == wanted);
        self.next += if same { kinds.len() } else { 0 };
        same.then_some(())
    }

    /// A size; None if no number stands there.
    fn number(&mut self) -> Option<Result<u64, Complaint>> {
        let (_, span) = self.peek().filter(|(kind, _)| matches!(kind, TokenKind::Literal { .. }))?;
        let span = span.clone();
        let number = at_least_one(self.text.at(&span));
        self.next += 1;
        Some(number.map_err(|_| Complaint::new("a size is a whole number from 1 on", span)))
    }

    /// Points at what stands here instead.
    fn wrong(&self, message: &str) -> Complaint {
        let at = self.peek().map_or_else(|| self.last(), |(_, span)| span.clone());
        Complaint::new(message, at).with_hint(HINT)
    }

    /// `first..last`, perhaps with a step.
    fn range(&mut self, first: u64, start: usize) -> Result<Vec<u64>, Complaint> {
        self.sign(&[TokenKind::Eq]);
        let last = self.number().ok_or_else(|| self.wrong("the largest size is missing"))??;
        let has_step =
            self.peek().is_some_and(|(kind, span)| *kind == TokenKind::Ident && self.text.at(span) == "by");
        let all = if has_step {
            self.next += 1;
            let step = self.number().ok_or_else(|| self.wrong("the step is missing"))??;
            stepped(first, last, step)
        } else {
            doubled(first, last).into_iter().map(uneven).collect()
        };
        let span = start..self.last().end;
        if all.len() < FEWEST {
            let message =
                format!("this range has {} of the {FEWEST} sizes that it takes to see growth", all.len());
            return Err(Complaint::new(message, span));
        }
        within_limit(all, span)
    }

    /// `first, second, …`
    fn list(&mut self, first: u64) -> Result<Vec<u64>, Complaint> {
        let start = self.last().start;
        let mut all = vec![first];
        while self.sign(&[TokenKind::Comma]).is_some() {
            all.push(self.number().ok_or_else(|| self.wrong("behind a comma stands another size"))??);
        }
        all.sort_unstable();
        all.dedup();
        let span = start..self.last().end;
        if all.len() < 2 {
            return Err(Complaint::new("one size alone shows no growth", span).with_hint(HINT));
        }
        within_limit(all, span)
    }
}

fn within_limit(all: Vec<u64>, span: Range<usize>) -> Result<Vec<u64>, Complaint> {
    if all.len() > MOST {
        return Err(Complaint::new(format!("these are more than {MOST} sizes"), span));
    }
    Ok(all)
}

/// No more than one too many, however far the range goes.
fn stepped(first: u64, last: u64, step: u64) -> Vec<u64> {
    let following = |size: &u64| size.checked_add(step).filter(|next| *next <= last);
    let start = Some(first).filter(|first| *first <= last);
    std::iter::successors(start, following).take(MOST + 1).collect()
}

/// The size itself, or one less if it is a multiple of 32. Rows, or elements of a search, that are so far apart fall on few lines of a cache: at such sizes, and at hardly any other, code may cost a
/// multiple of what its class says (a product of 256 x 256 matrices half as much again as one of 255 x 255).
fn uneven(size: u64) -> u64 {
    if size.is_multiple_of(32) { size.saturating_sub(1) } else { size }
}

/// Each twice the one before; where that gives too few, in smaller equal ratios.
fn doubled(first: u64, last: u64) -> Vec<u64> {
    let following = |size: &u64| size.checked_mul(2).filter(|next| *next <= last);
    let start = Some(first).filter(|first| *first <= last);
    let doubled: Vec<u64> = std::iter::successors(start, following).collect();
    if doubled.is_empty() || doubled.len() >= LEAST_SIZES {
        return doubled;
    }
    let ratio = last as f64 / first as f64;
    let steps = CHOSEN - 1;
    let mut all: Vec<u64> = (0..=steps)
        .map(|step| (first as f64 * ratio.powf(f64::from(step) / f64::from(steps))).round() as u64)
        .collect();
    all.dedup();
    all
}
