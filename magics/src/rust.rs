//! Rust in the arguments and the body of a magic: whether it is Rust, where it stands in the cell, and what matters to whoever wraps a loop around it.
//!
//! syn reads it; what comes out are byte ranges of the cell and a few facts. Whether the code compiles is rustc's to say, who sees it in its place.

mod bindings;
mod flow;
mod inputs;
mod text;

pub(crate) use bindings::Binding;
pub(crate) use flow::Flow;
pub(crate) use text::Text;

use crate::magic::{Call, Complaint};
use std::ops::Range;
use syn::spanned::Spanned;
use syn::{Expr, Stmt};

/// One or more statements, or an expression, as they stand in the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snippet {
    /// From the first token to the last, in bytes of the cell. The `;` behind a single expression is not a part of it: at the end of a magic's line it is a habit.
    pub(crate) span: Range<usize>,
    /// The same without the backslashes that continue a magic's line.
    pub(crate) kept: Vec<Range<usize>>,
    /// Whether a `;` ends it.
    pub(crate) ended: bool,
    /// Whether a `;` has to be put behind what is kept before other statements can follow.
    pub(crate) needs_semicolon: bool,
    /// Whether it is one expression.
    pub(crate) single: bool,
    /// What leaves it before its end.
    pub(crate) flow: Flow,
    /// The literals of a single expression that are arguments of functions, so that the compiler would know them.
    pub(crate) inputs: Vec<Range<usize>>,
    /// The names that its `let`s bind, and where each `let` begins.
    pub(crate) bindings: Vec<Binding>,
    /// The expression at its end that is its value.
    pub(crate) tail: Option<Tail>,
}

/// The expression that is the value of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Where it stands in the cell.
    pub(crate) span: Range<usize>,
    /// Whether it computes nothing and only names a place (`v`, `v.len`, `&v[0]`) or a constant, so that a function around it would move what it names.
    pub(crate) is_place: bool,
}

impl Snippet {
    /// None if there are no statements.
    pub(crate) fn of(statements: &[Stmt], text: &Text) -> Option<Self> {
        let (first, last) = (statements.first()?, statements.last()?);
        let single = if let [only] = statements { as_expression(only) } else { None };
        let (start, whole) = (text.span_of(first).start, text.span_of(last).end);
        let is_open = matches!(last, Stmt::Local(_)) && whole > text.span().end;
        let end = match (&single, last) {
            (Some(expression), _) => expression.end(text),
            (None, Stmt::Local(local)) if is_open => end_of_let(local, text),
            _ => whole,
        };
        let span = start..end;
        let expression = single.as_ref().and_then(Single::expression);
        let tail = tail(last, text);
        Some(Self {
            kept: text.without_continuations(&span),
            ended: ends_with_semicolon(last),
            needs_semicolon: single.is_some() || tail.is_some() || is_open,
            single: single.is_some(),
            flow: Flow::of(statements),
            inputs: expression.map(|expression| inputs::of(expression, text)).unwrap_or_default(),
            bindings: bindings::of(statements, text),
            tail,
            span,
        })
    }
}

/// What stands behind the options of a magic; none if there is nothing.
pub(crate) fn argument(call: &Call) -> Result<Option<Snippet>, Complaint> {
    Text::new(&call.rest, call.rest_span.start).snippet()
}

/// What stands behind the options of a cell magic, to run before its body; none if there is nothing.
pub(crate) fn setup(call: &Call) -> Result<Option<Snippet>, Complaint> {
    Text::new(&call.rest, call.rest_span.start).setup()
}

/// The body of a cell magic; none if there is nothing in it.
pub(crate) fn body(call: &Call) -> Result<Option<Snippet>, Complaint> {
    Text::new(call.body.as_deref().unwrap_or_default(), call.body_span.start).snippet()
}

/// What stands at bytes of the cell that are in the arguments or the body of the call.
pub(crate) fn source(call: &Call, span: &Range<usize>) -> String {
    let body = call.body.as_deref().filter(|_| span.start >= call.body_span.start);
    let (text, offset) = match body {
        Some(body) => (body, call.body_span.start),
        None => (call.rest.as_str(), call.rest_span.start),
    };
    text.get(span.start - offset..span.end - offset).unwrap_or_default().to_owned()
}

/// A statement that is an expression.
enum Single<'a> {
    Expression(&'a Expr),
    Macro(&'a syn::Macro),
}

impl<'a> Single<'a> {
    fn expression(&self) -> Option<&'a Expr> {
        match self {
            Self::Expression(expression) => Some(expression),
            Self::Macro(_) => None,
        }
    }

    fn end(&self, text: &Text) -> usize {
        match self {
            Self::Expression(expression) => text.span_of(*expression).end,
            Self::Macro(called) => text.span_of(*called).end,
        }
    }
}

/// The end of a `let` without its `;`.
fn end_of_let(local: &syn::Local, text: &Text) -> usize {
    let pattern = text.span_of(&local.pat).end;
    let init = local.init.as_ref().map(|init| match &init.diverge {
        Some((_, diverging)) => text.span_of(diverging.as_ref()).end,
        None => text.span_of(init.expr.as_ref()).end,
    });
    init.unwrap_or(pattern)
}

fn as_expression(statement: &Stmt) -> Option<Single<'_>> {
    match statement {
        Stmt::Expr(expression, _) => Some(Single::Expression(expression)),
        Stmt::Macro(statement) => Some(Single::Macro(&statement.mac)),
        _ => None,
    }
}

fn ends_with_semicolon(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(_, semicolon) => semicolon.is_some(),
        Stmt::Macro(statement) => statement.semi_token.is_some(),
        Stmt::Local(_) => true,
        Stmt::Item(_) => false,
    }
}

fn tail(statement: &Stmt, text: &Text) -> Option<Tail> {
    match statement {
        Stmt::Expr(expression, None) => {
            Some(Tail { span: text.span_of(expression), is_place: is_place(expression) })
        }
        Stmt::Macro(called) if called.semi_token.is_none() => {
            Some(Tail { span: text.span_of(called), is_place: false })
        }
        _ => None,
    }
}

fn is_place(expression: &Expr) -> bool {
    match expression {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => is_place(&index.expr),
        Expr::Reference(reference) => is_place(&reference.expr),
        Expr::Paren(parenthesised) => is_place(&parenthesised.expr),
        Expr::Unary(unary) => matches!(unary.op, syn::UnOp::Deref(_)) && is_place(&unary.expr),
        _ => false,
    }
}

/// Where syntax stands in the text that was read.
fn bytes(syntax: &(impl Spanned + ?Sized)) -> Range<usize> {
    syntax.span().byte_range()
}

#[cfg(test)]
mod tests;
