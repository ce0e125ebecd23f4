//! The labelled blocks of `%%compare`, and the setup above them.

use crate::magic::{Call, Complaint};
use crate::race::{Contender, Race};
use crate::rust::{self, Snippet, Text};
use std::slice;
use syn::visit::{self, Visit};
use syn::{Expr, ExprBlock, ExprBreak, Label, Stmt};

/// What a cell compares.
pub(super) fn race(call: &Call) -> Result<Race, Complaint> {
    let text = Text::new(call.body.as_deref().unwrap_or_default(), call.body_span.start);
    let statements = text.statements()?;
    let first = statements.iter().position(|statement| labelled(statement).is_some());
    let (setup, blocks) = statements.split_at(first.unwrap_or(statements.len()));
    let setups = rust::setup(call)?.into_iter().chain(Snippet::of(setup, &text)).collect();
    let mut contenders: Vec<Contender> = Vec::new();
    for statement in blocks {
        let contender = contender(statement, &text)?;
        if contenders.iter().any(|other| other.label == contender.label) {
            let message = format!("there are two blocks with the label `'{}`", contender.label);
            return Err(Complaint::new(message, text.span_of(statement)));
        }
        contenders.push(contender);
    }
    match contenders.as_slice() {
        [] => Err(Complaint::new("there are no blocks with labels to compare", call.name_span.clone())
            .with_hint(LABELS)),
        [only] => {
            let message = format!(
                "there is only one block with a label, `'{}`: nothing to compare it with",
                only.label
            );
            Err(Complaint::new(message, only.code.span.clone()).with_hint(LABELS))
        }
        _ => Ok(Race { setups, contenders }),
    }
}

const LABELS: &str = "write `'one: { … }` and `'other: { … }` below the setup";

fn labelled(statement: &Stmt) -> Option<(&ExprBlock, &Label)> {
    match statement {
        Stmt::Expr(Expr::Block(block), _) => Some((block, block.label.as_ref()?)),
        _ => None,
    }
}

/// The block's inside is what runs; the label goes with it where the code breaks out of it by its name.
fn contender(statement: &Stmt, text: &Text) -> Result<Contender, Complaint> {
    let Some((block, label)) = labelled(statement) else {
        return Err(Complaint::new("this stands behind a labelled block", text.span_of(statement))
            .with_hint("setup stands above the first label, and every block has a label"));
    };
    let name = label.name.ident.to_string();
    let breaks = Breaks::of(block, &name);
    let code = match breaks {
        true => Snippet::of(slice::from_ref(statement), text),
        false => Snippet::of(&block.block.stmts, text),
    };
    let code =
        code.ok_or_else(|| Complaint::new(format!("the block `'{name}` is empty"), text.span_of(statement)))?;
    Ok(Contender { label: name, code })
}

/// Looks for a `break` with a label.
struct Breaks<'a> {
    label: &'a str,
    found: bool,
}

impl Breaks<'_> {
    fn of(block: &ExprBlock, label: &str) -> bool {
        let mut breaks = Breaks { label, found: false };
        breaks.visit_block(&block.block);
        breaks.found
    }
}

impl<'ast> Visit<'ast> for Breaks<'_> {
    fn visit_expr_break(&mut self, expression: &'ast ExprBreak) {
        self.found |= expression.label.as_ref().is_some_and(|label| label.ident == self.label);
        visit::visit_expr_break(self, expression);
    }
}
