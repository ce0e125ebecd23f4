//! Several pieces of code that are measured in turns, so that whatever the machine does hits all of them.

use crate::expansion::{Expansion, WHILE_TURNS, id, running};
use crate::magic::{Call, Complaint};
use crate::measuring::{literal, value};
use crate::plan::CodeStep;
use crate::rust::{Snippet, Text};
use ra_ap_rustc_lexer::TokenKind;
use std::fmt::Write;
use std::ops::Range;

/// A piece of code with the name that it has in the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contender {
    pub(crate) label: String,
    pub(crate) code: Snippet,
}

/// All that runs in turns, and what runs once before.
#[derive(Debug)]
pub(crate) struct Race {
    pub(crate) setups: Vec<Snippet>,
    pub(crate) contenders: Vec<Contender>,
}

impl Race {
    /// The contenders of a line, with a word between them; none if there is only one.
    pub(crate) fn of_line(text: &Text, word: &str) -> Result<Option<Self>, Complaint> {
        let words = separators(text, word);
        let Some(first) = words.first() else { return Ok(None) };
        let mut contenders = vec![contender(text, text.span().start..first.start, first)?];
        for (index, separator) in words.iter().enumerate() {
            let end = words.get(index + 1).map_or(text.span().end, |next| next.start);
            contenders.push(contender(text, separator.end..end, separator)?);
        }
        let mut race = Self { setups: Vec::new(), contenders };
        race.number_namesakes();
        Ok(Some(race))
    }

    /// What runs twice under one name has numbers behind it.
    fn number_namesakes(&mut self) {
        let labels: Vec<String> = self.contenders.iter().map(|one| one.label.clone()).collect();
        for (index, contender) in self.contenders.iter_mut().enumerate() {
            let earlier = labels[..index].iter().filter(|label| **label == labels[index]).count();
            if earlier > 0 {
                contender.label = format!("{} ({})", contender.label, earlier + 1);
            }
        }
    }

    /// The loop. `claim` is one of the runtime's; with `agree` the results are compared.
    pub(crate) fn expand(&self, call: &Call, claim: Option<&str>, agree: bool) -> CodeStep {
        let has_value = value::<bool>(&call.matches, "o").unwrap_or_default();
        let name = value::<String>(&call.matches, "v");
        let open = name.as_ref().map_or_else(String::new, |name| format!("let {name} = "));
        let close = if name.is_some() { ";" } else { "" };
        let discard = if has_value || name.is_some() { "" } else { ";" };
        let mut code = Expansion::default();
        code.insert(self.start(), format!("{open}{{ "));
        for setup in &self.setups {
            code.keep_as_statements(setup);
        }
        self.expand_turns(&self.meter(call, claim), &mut code);
        let agreements = if agree { self.agreements() } else { String::new() };
        code.insert(self.end(), format!(" }} }} {agreements}assay_meter.end_all(){discard} }}{close}"));
        code.finish(has_value)
    }

    fn start(&self) -> usize {
        let first = self.contenders.first().map_or(0, |first| first.code.span.start);
        self.setups.first().map_or(first, |setup| setup.span.start)
    }

    fn end(&self) -> usize {
        self.contenders.last().map_or(0, |last| last.code.span.end)
    }

    /// The meter, a place for the first result of each, and the loop with its turns.
    fn meter(&self, call: &Call, claim: Option<&str>) -> String {
        let options = literal(&call.matches, claim);
        let count = self.contenders.len();
        let all = |part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(", ");
        let firsts = all(&|index| format!("mut assay_first_{index}"));
        let nones = all(&|_| "::core::option::Option::None".to_owned());
        format!(
            "let mut assay_meter = ::assay::measure::Meter::compare({}, {options}, {count}); \
             let ({firsts}) = ({nones}); {WHILE_TURNS}match assay_turn.lane() {{ ",
            id(call)
        )
    }

    fn expand_turns(&self, meter: &str, code: &mut Expansion) {
        let last = self.contenders.len().saturating_sub(1);
        for (index, contender) in self.contenders.iter().enumerate() {
            let snippet = &contender.code;
            let (before, after) =
                running(snippet.flow, "run_keeping", &format!("&mut assay_first_{index}, "));
            let lane = if index == last { "_".to_owned() } else { index.to_string() };
            let meter = if index == 0 { meter } else { "" };
            code.insert(snippet.span.start, format!("{meter}{lane} => {before}"));
            code.keep_measured(snippet);
            code.insert(snippet.span.end, format!("{after}, "));
        }
    }

    /// Each result against the first.
    fn agreements(&self) -> String {
        let mut text = "{ use ::assay::measure::agree::*; ".to_owned();
        for index in 1..self.contenders.len() {
            // Writing to a string does not fail.
            let _ =
                write!(text, "assay_meter.agrees((&&Both(&assay_first_0, &assay_first_{index})).agree()); ");
        }
        text + "} "
    }
}

fn contender(text: &Text, range: Range<usize>, separator: &Range<usize>) -> Result<Contender, Complaint> {
    let side = if range.start >= separator.end { "behind" } else { "before" };
    let word = text.at(separator);
    let missing = || Complaint::new(format!("nothing stands {side} `{word}`"), separator.clone());
    let code = text.part(range).snippet()?.ok_or_else(missing)?;
    Ok(Contender { label: one_line(text.at(&code.span)), code })
}

/// White space of any kind becomes a space.
pub(crate) fn one_line(code: &str) -> String {
    code.split_whitespace().filter(|word| *word != "\\").collect::<Vec<_>>().join(" ")
}

/// Where `word` stands between two expressions: outside of all brackets, and behind something that ends one. No Rust has a name there.
pub(crate) fn separators(text: &Text, word: &str) -> Vec<Range<usize>> {
    let tokens = text.open_tokens();
    let between = tokens.windows(2).filter(|pair| {
        let [(before, _), (kind, span)] = pair else { return false };
        *kind == TokenKind::Ident && text.at(span) == word && ends_expression(before)
    });
    between.map(|pair| pair[1].1.clone()).collect()
}

fn ends_expression(kind: &TokenKind) -> bool {
    use TokenKind::{CloseBrace, CloseBracket, CloseParen, Ident, Literal, Question, RawIdent, Semi};
    matches!(
        kind,
        CloseBrace | CloseBracket | CloseParen | Ident | Literal { .. } | Question | RawIdent | Semi
    )
}
