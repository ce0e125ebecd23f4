//! The literals that a function is called with, `20` in `fib(20)`: the compiler knows them and may work the result out beforehand, unless they are hidden from it.

use super::Text;
use std::ops::Range;
use syn::{Expr, UnOp};

/// Literals that are direct arguments of functions. Methods, macros and whatever has a body of its own are left alone.
pub(super) fn of(expression: &Expr, text: &Text) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    collect(expression, text, &mut found);
    found
}

fn collect(expression: &Expr, text: &Text, found: &mut Vec<Range<usize>>) {
    if let Expr::Call(call) = expression {
        if hides(&call.func) {
            return;
        }
        for argument in &call.args {
            if is_literal(argument) {
                found.push(text.span_of(argument));
            } else {
                collect(argument, text, found);
            }
        }
        return;
    }
    for part in parts(expression) {
        collect(part, text, found);
    }
}

/// Whether a function hides its argument already. Hidden twice it would be written to memory twice, which takes as long as a few additions.
fn hides(function: &Expr) -> bool {
    let Expr::Path(path) = function else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "black_box")
}

fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(literal) => literal.attrs.is_empty(),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && is_literal(&unary.expr),
        Expr::Reference(reference) => reference.mutability.is_none() && is_literal(&reference.expr),
        _ => false,
    }
}

/// The operands of an expression that is evaluated once, from left to right.
fn parts(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::MethodCall(call) => [call.receiver.as_ref()].into_iter().chain(&call.args).collect(),
        Expr::Binary(binary) => vec![&binary.left, &binary.right],
        Expr::Assign(assign) => vec![&assign.left, &assign.right],
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Reference(reference) => vec![&reference.expr],
        Expr::Paren(parenthesised) => vec![&parenthesised.expr],
        Expr::Cast(cast) => vec![&cast.expr],
        Expr::Field(field) => vec![&field.base],
        Expr::Index(index) => vec![&index.expr, &index.index],
        Expr::Try(question) => vec![&question.expr],
        Expr::Await(awaited) => vec![&awaited.base],
        Expr::Tuple(tuple) => tuple.elems.iter().collect(),
        Expr::Array(array) => array.elems.iter().collect(),
        Expr::Struct(built) => built.fields.iter().map(|field| &field.expr).collect(),
        Expr::Range(range) => range.start.iter().chain(&range.end).map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}
