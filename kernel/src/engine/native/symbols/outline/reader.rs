//! Reads which functions and closures a text has, and where.

use super::super::super::tokens;
use assay_magics::profiled::STATEMENTS;
use proc_macro2::{Span, TokenStream, TokenTree};
use std::ops::Range;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprClosure, Generics, Ident, ImplItemFn, Item, ItemConst, ItemFn,
    ItemImpl, ItemMacro, ItemMod, ItemStatic, ItemTrait, Macro, Signature, Stmt, Token, TraitItemFn, Type,
    Visibility,
};

/// What the entries of cells are called, with a number behind it.
pub(super) const ENTRY: &str = "assay_entry_";

/// The arguments of a macro are looked at if they have no more tokens: nobody has bounded how deep a parser goes in them.
const ARGUMENTS: usize = 2_000;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Items and statements.
    Cell,
    /// Items.
    File,
}

/// A piece of a text that is a function, or that is known to be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    /// From its signature to its end.
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// `physics::Grid::fmt`.
    pub(super) plain: String,
    /// `<physics::Grid as Display>::fmt`.
    pub(super) exact: String,
    /// Whether it is what its name means now.
    pub(super) live: bool,
}

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    /// A closure or an `async` block.
    Closure,
    /// A statement of a cell.
    Statements,
    /// A type, whose `derive`s are functions.
    Type,
    /// Something without code of its own.
    Other,
}

impl Region {
    /// Its own name, without its path.
    pub(super) fn bare(&self) -> &str {
        self.plain.rsplit("::").next().unwrap_or_default()
    }

    pub(super) fn is_code(&self) -> bool {
        matches!(self.kind, Kind::Function | Kind::Closure | Kind::Statements)
    }

    /// Whether code in it may be what debug information calls so. Closures have a place there, and a number that only the compiler knows: it counts
    /// those that macros make, and ours.
    pub(super) fn may_be(&self, called: &str) -> bool {
        let closure = called.starts_with('{');
        match self.kind {
            // The body of an `async fn` is a closure, and so is what a macro of the user's may have made of its arguments.
            Kind::Function => closure || called == self.bare(),
            Kind::Closure => closure,
            Kind::Statements => closure || called.starts_with(ENTRY),
            // Of what is derived only the compiler knows.
            Kind::Type => !closure && !called.starts_with(ENTRY),
            Kind::Other => false,
        }
    }
}

/// Reads a text, whose items are in a module. What is no Rust has nothing in it.
pub(super) fn read(text: &str, form: Form, module: &str) -> Vec<Region> {
    let found = tokens::read(text, |stream, _| {
        let mut reader = Reader {
            text,
            mark: tokens::uncounted(text),
            regions: Vec::new(),
            plain: module.to_owned(),
            exact: module.to_owned(),
            closures: 0,
        };
        match form {
            Form::Cell => reader.cell(&statements.parse2(stream).ok()?),
            Form::File => reader.visit_file(&syn::parse2(stream).ok()?),
        }
        Some(reader.regions)
    });
    found.unwrap_or_default()
}

fn statements(input: ParseStream<'_>) -> syn::Result<Vec<Stmt>> {
    Attribute::parse_inner(input)?;
    Block::parse_within(input)
}

struct Reader<'t> {
    text: &'t str,
    /// Bytes that the lexer does not count.
    mark: usize,
    regions: Vec<Region>,
    /// The path of what is being read.
    plain: String,
    /// The same, with traits and types.
    exact: String,
    /// How many closures it has had.
    closures: usize,
}

impl Reader<'_> {
    fn cell(&mut self, statements: &[Stmt]) {
        let mut closures = 0;
        for statement in statements {
            if let Stmt::Item(item) = statement {
                self.visit_item(item);
                continue;
            }
            let range = self.range(statement.span());
            // `;` alone is nothing.
            if range.is_empty() {
                continue;
            }
            self.region(range, Kind::Statements, STATEMENTS, STATEMENTS);
            self.within(STATEMENTS, STATEMENTS, |reader| {
                reader.closures = closures;
                reader.visit_stmt(statement);
                closures = reader.closures;
            });
        }
    }

    fn region(&mut self, range: Range<usize>, kind: Kind, name: &str, exact: &str) {
        let (plain, exact) = (self.path(&self.plain, name), self.path(&self.exact, exact));
        self.regions.push(Region { range, kind, plain, exact, live: true });
    }

    /// What is called so where this is read. What stands among statements has the name that it has there.
    fn path(&self, before: &str, name: &str) -> String {
        if before.is_empty() || (before == STATEMENTS && !name.starts_with('{')) {
            return name.to_owned();
        }
        match name.strip_prefix('<').filter(|_| name != STATEMENTS) {
            Some(rest) => format!("<{before}::{rest}"),
            None => format!("{before}::{name}"),
        }
    }

    /// Reads what is in something of this name.
    fn within(&mut self, name: &str, exact: &str, read: impl FnOnce(&mut Self)) {
        let inner = (self.path(&self.plain, name), self.path(&self.exact, exact), 0);
        let outer = self.swap(inner);
        read(self);
        self.swap(outer);
    }

    fn swap(&mut self, (plain, exact, closures): (String, String, usize)) -> (String, String, usize) {
        (
            std::mem::replace(&mut self.plain, plain),
            std::mem::replace(&mut self.exact, exact),
            std::mem::replace(&mut self.closures, closures),
        )
    }

    fn range(&self, span: Span) -> Range<usize> {
        tokens::bytes(span, self.mark)
    }

    /// A piece of the text with one space where there is white space.
    fn slice(&self, span: Span) -> String {
        let text = self.text.get(self.range(span)).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn function(&mut self, visibility: &Visibility, signature: &Signature, block: &Block) {
        let start = match visibility {
            Visibility::Inherited => self.range(signature.span()).start,
            visible => self.range(visible.span()).start,
        };
        let end = self.range(block.brace_token.span.close()).end;
        let name = signature.ident.unraw().to_string();
        self.region(start..end, Kind::Function, &name, &name);
        self.within(&name, &name, |reader| reader.visit_block(block));
    }

    fn closure(&mut self, span: Span, what: &str, read: impl FnOnce(&mut Self)) {
        let name = format!("{{{what}#{}}}", self.closures);
        self.closures += 1;
        self.region(self.range(span), Kind::Closure, &name, &name);
        self.within(&name, &name, read);
    }

    fn named(&mut self, ident: &Ident, read: impl FnOnce(&mut Self)) {
        let name = ident.unraw().to_string();
        self.within(&name, &name, read);
    }

    /// The name of a type, and whether that is a parameter's.
    fn type_name(&self, of: &Type, generics: &Generics) -> (String, bool) {
        match of {
            Type::Path(path) => {
                let last = path.path.segments.last().map(|last| last.ident.unraw().to_string());
                let name = last.unwrap_or_default();
                let parameter = path.path.segments.len() == 1
                    && generics.type_params().any(|parameter| parameter.ident.unraw() == name);
                (name, parameter)
            }
            Type::Reference(reference) => self.type_name(&reference.elem, generics),
            Type::Paren(inner) => self.type_name(&inner.elem, generics),
            Type::Group(inner) => self.type_name(&inner.elem, generics),
            other => (self.slice(other.span()), false),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let name = match item {
            Item::Fn(item) => return self.visit_item_fn(item),
            Item::Struct(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Union(item) => Some(&item.ident),
            _ => None,
        };
        let kind = if name.is_some() { Kind::Type } else { Kind::Other };
        let name = name.map(|name| name.unraw().to_string()).unwrap_or_default();
        self.region(self.range(item.span()), kind, &name, &name);
        visit::visit_item(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.vis, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.vis, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&Visibility::Inherited, &item.sig, block);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let (name, parameter) = self.type_name(&item.self_ty, &item.generics);
        let written = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| self.slice(last.span())),
            other => Some(self.slice(other.span())),
        };
        let written = written.unwrap_or_default();
        let last = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
        let (plain, exact) = match last {
            // What is implemented for all types is the trait's.
            Some(last) if parameter => {
                (last.ident.unraw().to_string(), format!("<{written} as {}>", self.slice(last.span())))
            }
            Some(last) => (name, format!("<{written} as {}>", self.slice(last.span()))),
            None => (name, written),
        };
        self.within(&plain, &exact, |reader| item.items.iter().for_each(|item| reader.visit_impl_item(item)));
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.named(&item.ident, |reader| item.items.iter().for_each(|item| reader.visit_trait_item(item)));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        // Tests are not there where a profile is taken.
        let tests = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && self.slice(attribute.span()).contains("test")
        });
        if let (Some((_, items)), false) = (&item.content, tests) {
            self.named(&item.ident, |reader| items.iter().for_each(|item| reader.visit_item(item)));
        }
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.named(&item.ident, |reader| reader.visit_expr(&item.expr));
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        self.named(&item.ident, |reader| reader.visit_expr(&item.expr));
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if !item.mac.path.is_ident("macro_rules") {
            self.visit_macro(&item.mac);
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.closure(closure.span(), "closure", |reader| reader.visit_expr(&closure.body));
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.closure(block.span(), "async_block", |reader| reader.visit_block(&block.block));
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        if count(&called.tokens) > ARGUMENTS {
            return;
        }
        let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
        if let Ok(arguments) = expressions.parse2(called.tokens.clone()) {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
        } else if let Ok(statements) = Block::parse_within.parse2(called.tokens.clone()) {
            statements.iter().for_each(|statement| self.visit_stmt(statement));
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

/// How many tokens there are, those in groups included.
fn count(stream: &TokenStream) -> usize {
    let of = |tree: TokenTree| match tree {
        TokenTree::Group(group) => 1 + count(&group.stream()),
        _ => 1,
    };
    stream.clone().into_iter().map(of).sum()
}
