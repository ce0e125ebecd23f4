//! `--each 'SETUP'`: what runs before each loop, untimed, and gives the loop what it may use up.

use crate::expansion::{Expansion, WHILE_TURNS};
use crate::magic::{Call, Complaint};
use crate::measuring::value;
use crate::rust::{Binding, Snippet, Text};

/// The setup of each loop.
pub(super) struct Each {
    snippet: Snippet,
    /// Its text, where it cannot be kept in its place: behind the first line's setup, or where a backslash had to stand before a quote.
    text: Option<String>,
}

impl Each {
    /// None without the option.
    pub(super) fn of(call: &Call) -> Result<Option<Self>, Complaint> {
        let Some(given) = value::<String>(&call.matches, "each") else { return Ok(None) };
        let span = call.span_of("each").unwrap_or_else(|| call.about());
        // A backslash that was taken out makes places in the text other than those in the cell.
        let is_verbatim = span.len() == given.len();
        let offset = if is_verbatim { span.start } else { 0 };
        let is_before_setup = call.body.is_some() && !call.rest.is_empty();
        let snippet = Text::new(&given, offset).setup();
        let snippet = snippet.map_err(|complaint| match is_verbatim {
            true => complaint,
            false => Complaint { span: span.clone(), ..complaint },
        })?;
        let Some(snippet) = snippet else {
            return Err(Complaint::new("the setup of `--each` is empty", call.name_span.clone()));
        };
        if snippet.flow.question || snippet.flow.awaits {
            let sign = if snippet.flow.awaits { ".await" } else { "?" };
            return Err(Complaint::new(format!("the setup of `--each` cannot hold `{sign}`"), span)
                .with_hint("put it on a line before, or call `.unwrap()`"));
        }
        let text = (!is_verbatim || is_before_setup).then(|| on_one_line(&given, &snippet, offset));
        Ok(Some(Self { snippet, text }))
    }

    /// Where it begins, if it is kept in its place.
    pub(super) fn kept_from(&self) -> Option<usize> {
        self.text.is_none().then_some(self.snippet.span.start)
    }

    /// The loop around the body, with `meter` before it, up to the end of the call of `run_each`.
    pub(super) fn surround(&self, body: &Snippet, meter: &str, code: &mut Expansion) {
        let method = if body.flow.question { "try_run_each" } else { "run_each" };
        let opening = format!(
            "{meter}let mut assay_inputs = ::assay::measure::Inputs::new(); {WHILE_TURNS}\
             assay_meter.{method}(assay_turn, &mut assay_inputs, || {{ "
        );
        match &self.text {
            Some(text) => code.insert(body.span.start, format!("{opening}{text}")),
            None => {
                code.insert(self.snippet.span.start, opening);
                self.keep(code);
            }
        }
        let at = if self.text.is_some() { body.span.start } else { self.snippet.span.end };
        let (given, taken) = (self.names(|one| one.name.clone()), self.names(pattern));
        let semicolon = if self.snippet.needs_semicolon { "; " } else { " " };
        code.insert(at, format!("{semicolon}({given}) }}, |({taken})| {{ let assay_result = {{ "));
        code.keep_measured(body);
        self.give_back(body, code);
    }

    /// A `mut` that only the code has use for is no reason for a warning.
    fn keep(&self, code: &mut Expansion) {
        code.keep(&self.snippet);
        let mut lets: Vec<usize> = self.bindings().filter(|one| one.mutable).map(|one| one.at).collect();
        lets.sort_unstable();
        lets.dedup();
        for at in lets {
            code.insert(at, "#[allow(unused_mut)] ");
        }
    }

    /// The result and the inputs leave the code, so that dropping them is not timed. An input that the code uses up cannot.
    fn give_back(&self, body: &Snippet, code: &mut Expansion) {
        let (end, question) = (body.span.end, body.flow.question);
        code.insert(
            end,
            if question { " }; ::core::result::Result::Ok((assay_result" } else { " }; (assay_result" },
        );
        for binding in self.bindings() {
            code.insert_if_it_compiles(end, format!(", {}", binding.name));
        }
        code.insert(end, if question { ",)) })?" } else { ",) })" });
    }

    fn bindings(&self) -> impl Iterator<Item = &Binding> {
        self.snippet.bindings.iter()
    }

    /// A tuple's inside: of one it needs its comma.
    fn names(&self, shown: impl Fn(&Binding) -> String) -> String {
        self.bindings().map(|one| shown(one) + ",").collect::<Vec<_>>().join(" ")
    }
}

fn pattern(binding: &Binding) -> String {
    let mutable = if binding.mutable { "mut " } else { "" };
    format!("{mutable}{}", binding.name)
}

/// The kept parts of the text, which inserts have on one line.
fn on_one_line(text: &str, snippet: &Snippet, offset: usize) -> String {
    let parts = snippet.kept.iter().map(|kept| &text[kept.start - offset..kept.end - offset]);
    parts.collect::<Vec<_>>().join(" ").replace(['\n', '\r'], " ")
}
