//! What leaves a piece of code before its end: a `?` or an `.await` of its own level, which a closure around it would catch.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprAwait, ExprClosure, ExprTry, Item, Macro, Stmt, Token};

/// Macros whose tokens are no code that runs.
const QUOTING: [&str; 4] = ["quote", "quote_spanned", "stringify", "parse_quote"];

/// Whether there is a `?` and an `.await` at the level of the code itself, not within closures, async blocks and functions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// `f()?`
    pub(crate) question: bool,
    /// `f().await`
    pub(crate) awaits: bool,
}

impl Flow {
    pub(super) fn of(statements: &[Stmt]) -> Self {
        let mut flow = Self::default();
        statements.iter().for_each(|statement| flow.visit_stmt(statement));
        flow
    }

    /// The arguments of a macro are expressions as a rule; where they are not, the signs alone tell.
    fn visit_tokens(&mut self, tokens: &TokenStream) {
        let commas = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(list) = commas.parse2(tokens.clone()) {
            list.iter().for_each(|expression| self.visit_expr(expression));
        } else if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
            statements.iter().for_each(|statement| self.visit_stmt(statement));
        } else {
            self.look_at(tokens);
        }
    }

    fn look_at(&mut self, tokens: &TokenStream) {
        let mut before: Option<TokenTree> = None;
        for token in tokens.clone() {
            match &token {
                TokenTree::Group(group) => self.look_at(&group.stream()),
                TokenTree::Punct(sign) if sign.as_char() == '?' => {
                    self.question |= before.as_ref().is_some_and(|token| !is_sign(token, None));
                }
                TokenTree::Ident(word) if word == "await" => {
                    self.awaits |= before.as_ref().is_some_and(|token| is_sign(token, Some('.')));
                }
                _ => {}
            }
            before = Some(token);
        }
    }
}

/// Whether the token is a sign, and this one if one is given.
fn is_sign(token: &TokenTree, wanted: Option<char>) -> bool {
    matches!(token, TokenTree::Punct(sign) if wanted.is_none_or(|wanted| sign.as_char() == wanted))
}

impl<'ast> Visit<'ast> for Flow {
    fn visit_expr_try(&mut self, expression: &'ast ExprTry) {
        self.question = true;
        visit::visit_expr_try(self, expression);
    }

    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        self.awaits = true;
        visit::visit_expr_await(self, expression);
    }

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}

    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_macro(&mut self, called: &'ast Macro) {
        let name = called.path.segments.last().map(|segment| segment.ident.to_string());
        if !name.is_some_and(|name| QUOTING.contains(&name.as_str())) {
            self.visit_tokens(&called.tokens);
        }
    }
}
