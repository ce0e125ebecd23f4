//! How a measurement becomes Rust: what is kept of the cell, and what is inserted around it.
//!
//! The text on the other side, the crate `assay`, is `assay::measure`; nothing inserted has a line break, so that every line of the cell stays where it is.

use crate::magic::Call;
use crate::plan::{CodeStep, Insert};
use crate::rust::{Flow, Snippet};

/// Code that grows from the first byte of the call to the last.
#[derive(Debug, Default)]
pub(crate) struct Expansion(CodeStep);

impl Expansion {
    /// Ours, before byte `at` of the cell.
    pub(crate) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.0.inserts.push(Insert { at, text: text.into(), optional: false });
    }

    /// Ours, left out where rustc finds that it is wrong.
    pub(crate) fn insert_if_it_compiles(&mut self, at: usize, text: impl Into<String>) {
        self.0.inserts.push(Insert { at, text: text.into(), optional: true });
    }

    /// The user's, as it stands.
    pub(crate) fn keep(&mut self, snippet: &Snippet) {
        self.0.kept.extend(snippet.kept.iter().cloned());
    }

    /// The user's, followed by the `;` that makes it statements.
    pub(crate) fn keep_as_statements(&mut self, snippet: &Snippet) {
        self.keep(snippet);
        if snippet.needs_semicolon {
            self.insert(snippet.span.end, ";");
        }
    }

    /// The user's, which is measured: its inputs are hidden from the compiler.
    pub(crate) fn keep_measured(&mut self, snippet: &Snippet) {
        self.keep(snippet);
        for input in &snippet.inputs {
            self.insert(input.start, "::core::hint::black_box(");
            self.insert(input.end, ")");
        }
    }

    /// All of it; `has_value` if it ends as an expression.
    pub(crate) fn finish(self, has_value: bool) -> CodeStep {
        CodeStep { has_value, ..self.0 }
    }
}

/// The number by which the session knows this call: where it stands in the cell.
pub(crate) fn id(call: &Call) -> usize {
    call.name_span.start
}

/// The loop around what is measured: it asks for a turn as long as there are any.
pub(crate) const WHILE_TURNS: &str =
    "while let ::core::option::Option::Some(assay_turn) = assay_meter.turn() { ";

/// What stands before and behind measured code in a call of the meter's method `run` or `run_keeping`. `arguments` precede the closure, each with its comma.
pub(crate) fn running(flow: Flow, method: &str, arguments: &str) -> (String, &'static str) {
    let begin =
        |method: String, closure: &str| format!("assay_meter.{method}(assay_turn, {arguments}{closure}{{ ");
    let fallible = "::core::result::Result::Ok(";
    match (flow.question, flow.awaits) {
        (false, false) => (begin(method.to_owned(), "|| "), " })"),
        (true, false) => (begin(format!("try_{method}"), &format!("|| {fallible}")), " }))?"),
        (false, true) => (begin(format!("{method}_async"), "async || "), " }).await"),
        (true, true) => {
            (begin(format!("try_{method}_async"), &format!("async || {fallible}")), " })).await?")
        }
    }
}
