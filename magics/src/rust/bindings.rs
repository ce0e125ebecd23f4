//! The names that `let`s bind.

use super::Text;
use syn::visit::{self, Visit};
use syn::{Expr, PatIdent, Stmt};

/// A name that a `let` binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The name.
    pub(crate) name: String,
    /// Whether it is bound as `mut`.
    pub(crate) mutable: bool,
    /// Where its `let` begins in the cell.
    pub(crate) at: usize,
}

/// The names that are bound behind the statements, in order; of names that are bound again the last.
pub(super) fn of(statements: &[Stmt], text: &Text) -> Vec<Binding> {
    let mut names = Names { at: 0, found: Vec::new() };
    for statement in statements {
        if let Stmt::Local(local) = statement {
            names.at = text.span_of(local).start;
            names.visit_pat(&local.pat);
        }
    }
    names.found
}

struct Names {
    at: usize,
    found: Vec<Binding>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = pattern.ident.to_string();
        // A pattern that begins with a capital letter is a constant or a variant by everybody's habit.
        let is_constant = name.chars().next().is_some_and(char::is_uppercase) && pattern.subpat.is_none();
        if !is_constant {
            self.found.retain(|binding| binding.name != name);
            self.found.push(Binding { name, mutable: pattern.mutability.is_some(), at: self.at });
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}
