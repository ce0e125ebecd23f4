//! What stands where in a text: bodies of functions, closures and futures, and what has its line to itself.

use super::super::tokens;
use proc_macro2::{Span, TokenStream};
use std::ops::Range;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, AttrStyle, Attribute, BinOp, Block, Expr, ExprAsync, ExprAwait, ExprBinary, ExprClosure, ExprIf,
    ExprMatch, ExprMethodCall, ImplItemFn, ItemFn, ItemImpl, Local, Macro, PatGuard, Signature, Stmt, Token,
    TraitItemFn, Visibility,
};

/// All of them. Ranges are bytes of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// What holds another one stands before it.
    pub(super) bodies: Vec<Body>,
    /// Whatever has hits of its own where it begins: signatures, statements, the code of arms and of closures, further conditions, and calls that begin a line with
    /// a dot. The rest of a statement goes with its beginning.
    pub(super) points: Vec<Range<usize>>,
    /// Where each `match` begins, and the code of its arms, if none of them begins with a loop.
    pub(super) matches: Vec<(usize, Vec<Range<usize>>)>,
    /// The arguments of macros that are no expressions: nobody knows what is in them.
    pub(super) opaque: Vec<Range<usize>>,
}

/// Something that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) sort: Sort,
    /// From its first word to its end.
    pub(super) whole: Range<usize>,
    /// What is run when it is called: with its braces, if it has them.
    pub(super) code: Range<usize>,
    /// Where it is asked for by its place: its name, or the first bar of a closure.
    pub(super) at: usize,
    /// Whether `code` is a block. The code of a closure may be any expression.
    pub(super) block: bool,
    /// Whether its code may begin with what is run several times: a loop.
    pub(super) loops: bool,
    /// The attributes and comments with which its block begins.
    pub(super) inner: Option<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A function, and whether something of ours can run in it.
    Function {
        guarded: bool,
        asynchronous: bool,
    },
    Closure {
        asynchronous: bool,
    },
    /// What an `async` block makes.
    Future,
}

/// The places in a whole file. None if it is not understood.
pub(super) fn of_file(text: &str) -> Option<Places> {
    read(text, |input| input.parse().map(Parsed::File))
}

/// The places in statements and items.
pub(super) fn of_statements(text: &str) -> Option<Places> {
    read(text, |input| {
        // An expression may end them that is no statement: a block would be needed around it.
        let ahead = input.fork();
        if let Ok(statements) = Block::parse_within(&ahead) {
            input.advance_to(&ahead);
            return Ok(Parsed::Statements(statements));
        }
        input.parse().map(|expression| Parsed::Statements(vec![Stmt::Expr(expression, None)]))
    })
}

enum Parsed {
    File(syn::File),
    Statements(Vec<Stmt>),
}

fn read(text: &str, parse: impl FnOnce(ParseStream<'_>) -> syn::Result<Parsed> + Send) -> Option<Places> {
    tokens::read(text, |stream, _| {
        let parsed = parse.parse2(stream).ok()?;
        let mut search = Search { text, mark: tokens::uncounted(text), places: Places::default() };
        match &parsed {
            Parsed::File(file) => search.visit_file(file),
            Parsed::Statements(statements) => search.statements(statements, text.len()),
        }
        Some(search.places)
    })
}

struct Search<'t> {
    text: &'t str,
    /// Bytes that the lexer does not count.
    mark: usize,
    places: Places,
}

impl Search<'_> {
    fn bytes(&self, span: Span) -> Range<usize> {
        tokens::bytes(span, self.mark)
    }

    fn start(&self, span: Span) -> usize {
        self.bytes(span).start
    }

    /// From an opening brace to behind the closing one.
    fn block(&self, block: &Block) -> Range<usize> {
        self.start(block.brace_token.span.open())..self.bytes(block.brace_token.span.close()).end
    }

    fn statements(&mut self, statements: &[Stmt], end: usize) {
        let starts: Vec<Option<usize>> = statements.iter().map(|one| self.begins(one)).collect();
        let mut next = end;
        for start in starts.into_iter().rev() {
            let Some(start) = start else { continue };
            self.places.points.push(start..next.max(start));
            next = start;
        }
        statements.iter().for_each(|one| self.visit_stmt(one));
    }

    /// Where a statement begins that does something.
    fn begins(&self, statement: &Stmt) -> Option<usize> {
        match statement {
            Stmt::Local(Local { let_token, .. }) => Some(self.start(let_token.span)),
            Stmt::Item(_) => None,
            Stmt::Expr(expression, _) => Some(self.first(expression)),
            Stmt::Macro(called) => Some(self.start(called.mac.path.span())),
        }
    }

    /// Where an expression begins. Those that hold whole cells are not gone through for it.
    fn first(&self, expression: &Expr) -> usize {
        let label = |label: &Option<syn::Label>, span: Span| {
            label.as_ref().map_or(span, |label| label.name.apostrophe)
        };
        self.start(match expression {
            Expr::Block(one) => label(&one.label, one.block.brace_token.span.open()),
            Expr::If(one) => one.if_token.span,
            Expr::Match(one) => one.match_token.span,
            Expr::Loop(one) => label(&one.label, one.loop_token.span),
            Expr::While(one) => label(&one.label, one.while_token.span),
            Expr::ForLoop(one) => label(&one.label, one.for_token.span),
            Expr::Unsafe(one) => one.unsafe_token.span,
            Expr::Call(one) => return self.first(&one.func),
            Expr::MethodCall(one) => return self.first(&one.receiver),
            Expr::Try(one) => return self.first(&one.expr),
            Expr::Await(one) => return self.first(&one.base),
            Expr::Assign(one) => return self.first(&one.left),
            other => other.span(),
        })
    }

    /// Where an expression ends.
    fn last(&self, expression: &Expr) -> usize {
        match expression {
            Expr::Block(one) => self.block(&one.block).end,
            Expr::Async(one) => self.block(&one.block).end,
            Expr::Loop(one) => self.block(&one.body).end,
            other => self.bytes(other.span()).end,
        }
    }

    fn point(&mut self, expression: &Expr) {
        self.places.points.push(self.first(expression)..self.last(expression));
    }

    /// What follows a dot is a point where the dot begins a line.
    fn chained(&mut self, dot: Span, end: usize) {
        let start = self.start(dot);
        let before = self.text.get(..start).unwrap_or_default();
        if before.rsplit('\n').next().is_some_and(|line| line.trim_start().is_empty()) {
            self.places.points.push(start..end);
        }
    }

    fn function(
        &mut self,
        attributes: &[Attribute],
        visibility: Option<&Visibility>,
        signature: &Signature,
        block: &Block,
    ) {
        let visible = match visibility {
            Some(Visibility::Public(token)) => Some(token.span),
            Some(Visibility::Restricted(restricted)) => Some(restricted.pub_token.span),
            _ => None,
        };
        let first = visible.unwrap_or_else(|| signature.span());
        let code = self.block(block);
        let naked = attributes.iter().any(|attribute| names(attribute, "naked"));
        let asynchronous = signature.asyncness.is_some();
        let guarded = signature.constness.is_none() && !asynchronous && !naked;
        self.places.points.push(self.start(first)..code.start);
        self.places.bodies.push(Body {
            sort: Sort::Function { guarded, asynchronous },
            whole: self.start(first)..code.end,
            at: self.start(signature.ident.span()),
            block: true,
            loops: false,
            inner: self.inner(attributes, &code),
            code,
        });
    }

    /// The attributes with which a block begins.
    fn inner(&self, attributes: &[Attribute], code: &Range<usize>) -> Option<Range<usize>> {
        let inner = attributes.iter().filter(|attribute| matches!(attribute.style, AttrStyle::Inner(_)));
        let ranges =
            inner.map(|one| self.start(one.pound_token.span)..self.bytes(one.bracket_token.span.close()).end);
        ranges.filter(|range| code.contains(&range.start)).reduce(|first, last| first.start..last.end)
    }

    fn closure_at(&self, closure: &ExprClosure) -> usize {
        let words = [
            closure.lifetimes.as_ref().map(|one| one.for_token.span),
            closure.constness.as_ref().map(|one| one.span),
            closure.asyncness.as_ref().map(|one| one.span),
            closure.capture.as_ref().map(|one| one.span),
        ];
        self.start(words.into_iter().flatten().next().unwrap_or(closure.inputs_begin.span))
    }
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.attrs, Some(&item.vis), &item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.attrs, Some(&item.vis), &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, None, &item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let before = self.places.bodies.len();
        visit::visit_item_impl(self, item);
        // What counts may allocate, and an allocator may not count then.
        let of_trait = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
        if of_trait.is_some_and(|last| last.ident == "GlobalAlloc") {
            for body in self.places.bodies.iter_mut().skip(before) {
                if let Sort::Function { guarded, .. } = &mut body.sort {
                    *guarded = false;
                }
            }
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        let start = self.closure_at(closure);
        let code = self.first(&closure.body)..self.last(&closure.body);
        let (block, attributes) = match &*closure.body {
            Expr::Block(block) if block.label.is_none() => (true, block.attrs.as_slice()),
            _ => (false, [].as_slice()),
        };
        self.places.points.push(code.clone());
        self.places.bodies.push(Body {
            sort: Sort::Closure { asynchronous: closure.asyncness.is_some() },
            whole: start..code.end,
            at: self.start(closure.inputs_begin.span),
            block,
            loops: loops(&closure.body),
            inner: self.inner(attributes, &code),
            code,
        });
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_async(&mut self, future: &'ast ExprAsync) {
        let code = self.block(&future.block);
        let start = self.start(future.async_token.span);
        self.places.bodies.push(Body {
            sort: Sort::Future,
            whole: start..code.end,
            at: start,
            block: true,
            loops: false,
            inner: None,
            code,
        });
        visit::visit_expr_async(self, future);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.point(&arm.body);
        visit::visit_arm(self, arm);
    }

    fn visit_expr_match(&mut self, one: &'ast ExprMatch) {
        let bodies = || one.arms.iter().map(|arm| &*arm.body);
        if !bodies().any(loops) {
            let arms = bodies().map(|body| self.first(body)..self.last(body)).collect();
            self.places.matches.push((self.start(one.match_token.span), arms));
        }
        visit::visit_expr_match(self, one);
    }

    fn visit_pat_guard(&mut self, guarded: &'ast PatGuard) {
        self.point(&guarded.guard);
        visit::visit_pat_guard(self, guarded);
    }

    fn visit_expr_if(&mut self, one: &'ast ExprIf) {
        if let Some((_, other)) = &one.else_branch
            && let Expr::If(other) = &**other
        {
            self.point(&other.cond);
        }
        visit::visit_expr_if(self, one);
    }

    fn visit_expr_binary(&mut self, one: &'ast ExprBinary) {
        if matches!(one.op, BinOp::And(_) | BinOp::Or(_)) {
            self.point(&one.right);
        }
        visit::visit_expr_binary(self, one);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let end = self.bytes(call.paren_token.span.close()).end;
        self.chained(call.dot_token.span, end);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_await(&mut self, one: &'ast ExprAwait) {
        let end = self.bytes(one.await_token.span).end;
        self.chained(one.dot_token.span, end);
        visit::visit_expr_await(self, one);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let end = self.start(block.brace_token.span.close());
        self.statements(&block.stmts, end);
    }

    /// The arguments of most macros are expressions.
    fn visit_macro(&mut self, called: &'ast Macro) {
        match arguments(called.tokens.clone()) {
            Some(arguments) => arguments.iter().for_each(|one| self.visit_expr(one)),
            None => {
                let delimiters = match &called.delimiter {
                    syn::MacroDelimiter::Paren(one) => one.span,
                    syn::MacroDelimiter::Brace(one) => one.span,
                    syn::MacroDelimiter::Bracket(one) => one.span,
                };
                let inside = self.bytes(delimiters.open()).end..self.start(delimiters.close());
                self.places.opaque.push(inside);
            }
        }
    }
}

/// Whether an expression may begin with what is run several times.
fn loops(expression: &Expr) -> bool {
    match expression {
        Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => true,
        Expr::Block(one) => match one.block.stmts.first() {
            Some(Stmt::Expr(first, _)) => loops(first),
            _ => false,
        },
        Expr::Unsafe(one) => matches!(one.block.stmts.first(), Some(Stmt::Expr(first, _)) if loops(first)),
        _ => false,
    }
}

/// `a, b, c` or `a; b`.
fn arguments(tokens: TokenStream) -> Option<Vec<Expr>> {
    let parser = |input: ParseStream<'_>| {
        let ahead = input.fork();
        if let Ok(list) = Punctuated::<Expr, Token![,]>::parse_terminated(&ahead)
            && ahead.is_empty()
        {
            input.advance_to(&ahead);
            return Ok(list.into_iter().collect());
        }
        let value = input.parse()?;
        input.parse::<Token![;]>()?;
        Ok(vec![value, input.parse()?])
    };
    parser.parse2(tokens).ok()
}

/// Whether an attribute has this word in it.
fn names(attribute: &Attribute, word: &str) -> bool {
    match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident(word),
        syn::Meta::List(list) => list.tokens.to_string() == word,
        syn::Meta::NameValue(_) => false,
    }
}
