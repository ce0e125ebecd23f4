//! A cell, taken apart: items, `use` declarations and statements, with what each one binds and mentions.

mod bindings;
mod imports;
#[cfg(test)]
mod tests;

use super::anatomy::{Anatomy, anatomy};
use super::items::{self, Element, Keyword, Variables};
use super::mentions::mentions;
use super::source::Edit;
use super::statics::{Static, statics};
use super::tokens::{self, Token};
use super::{macros, publish};
use proc_macro2::{Delimiter, Ident, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{
    Attribute, Block, Expr, ExprMacro, GenericArgument, ItemImpl, ItemMacro, Local, Macro, Path,
    PathArguments, Stmt, StmtMacro, Token, Type, TypeParamBound, TypePath,
};

/// A cell in parts. All ranges are bytes of its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// The inner attributes (`#![allow(dead_code)]`) that it begins with.
    pub(super) inner: Vec<Range<usize>>,
    /// Everything else, in the order of the text.
    pub(super) parts: Vec<Part>,
}

/// A part of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Something that later cells see by its name.
    Item(Item),
    /// Something that runs.
    Statement(Statement),
}

/// An item with its attributes and documentation comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) range: Range<usize>,
    pub(super) what: What,
    /// What makes it, and all that later cells may use of it, public.
    pub(super) edits: Vec<Edit>,
    /// Every identifier in it.
    pub(super) mentions: BTreeSet<String>,
    pub(super) anatomy: Arc<Anatomy>,
    pub(super) statics: Vec<Static>,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// It defines names: a function, a type, a trait, a constant, a static, a module, an `extern` block.
    Definition(Vec<Name>),
    /// `macro_rules!`.
    Macro {
        name: String,
        /// Whether what it expands to is items: `mk!(Point);` stands for items then.
        items: bool,
    },
    /// `use`, one for each name that it binds.
    Import(Vec<Import>),
    /// `impl`.
    Implementation(Implementation),
    /// A macro that stands for items. Which names it defines is not known, but they are among the identifiers that it and the
    /// definition of the macro mention.
    Invocation {
        /// The last segment of the macro's path.
        name: String,
    },
    /// An item that binds nothing: `const _: () = …;`, `global_asm!`.
    Nameless,
}

/// A name that an item defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) name: String,
    /// Whether it is a trait: then its methods can be called wherever it is in scope, without its name.
    pub(super) is_trait: bool,
}

/// One leaf of a `use` declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// What it binds: none for a glob, and none for `as _`.
    pub(super) name: Option<String>,
    /// Its path from the first segment to the last, without leaf `self`: `["std", "fmt"]` for `use std::fmt::{self}`; `crate`, `self` and `super`
    /// stand in it as they were typed. A glob's last segment is the module's.
    pub(super) path: Vec<String>,
    pub(super) glob: bool,
    /// A whole declaration for this leaf alone, without visibility: `use std::io::Read as _;`.
    pub(super) declaration: String,
}

/// An `impl` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Implementation {
    /// The path of the trait as it was typed, without generic arguments; none for an inherent one.
    pub(super) of_trait: Option<Vec<String>>,
    /// The path of the type that it is for, without generic arguments and without references and boxes of `#[fundamental]` types; none where
    /// that is no path (a tuple, a slice).
    pub(super) for_type: Option<Vec<String>>,
    /// Every identifier in the trait's generic arguments and in the type, which may make it local.
    pub(super) arguments: BTreeSet<String>,
}

/// A statement, or the expression that the cell ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// With attributes and the semicolon.
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
    /// Every identifier in it, those in format strings (`{x:?}`) and in macros included.
    pub(super) mentions: BTreeSet<String>,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Let {
        /// What it binds, in the order of the text.
        bindings: Vec<Binding>,
        /// The initialiser, if there is one.
        initialiser: Option<Range<usize>>,
        /// Every identifier in the initialiser.
        needs: BTreeSet<String>,
    },
    /// Anything else that ends in a semicolon or a brace, a macro in statement position among them.
    Run,
    /// An expression without a semicolon at the end of the cell, other than a block-like one of type `()`, which nobody can know: so `if`,
    /// `match`, `for` and blocks at the end are values too.
    Value {
        /// The expression without its attributes.
        expression: Range<usize>,
    },
}

/// A name that a `let` binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) name: String,
    /// Whether it was declared `mut`.
    pub(super) mutable: bool,
    /// Where the name stands.
    pub(super) range: Range<usize>,
}

impl Split {
    /// Its items, in the order of the text.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.parts.iter().filter_map(|part| match part {
            Part::Item(item) => Some(item),
            Part::Statement(_) => None,
        })
    }

    /// Its statements, in the order of the text.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.parts.iter().filter_map(|part| match part {
            Part::Statement(statement) => Some(statement),
            Part::Item(_) => None,
        })
    }

    /// Every identifier in its statements.
    pub(super) fn mentions(&self) -> impl Iterator<Item = &String> {
        self.statements().flat_map(|statement| &statement.mentions)
    }
}
/// Macros of the standard library and of well-known crates that stand for items.
const ITEM_MACROS: [&str; 4] = ["bitflags", "lazy_static", "task_local", "thread_local"];

/// Takes a cell apart. Nothing if it is no Rust that we understand: then rustc says what is wrong with it.
///
/// `stands_for_items` knows the macros of earlier cells that expand to items.
pub(super) fn split(source: &str, stands_for_items: &(dyn Fn(&str) -> bool + Sync)) -> Option<Split> {
    tokens::read(source, |stream, tokens| {
        let cell = Cell { source, mark: tokens::uncounted(source), tokens, stands_for_items };
        let begun = inner(tokens);
        let inner = begun.iter().map(|attribute| range(attribute)).collect();
        let statements = (|input: ParseStream<'_>| cell.parse(input)).parse2(stream).ok()?;
        Some(Split { inner, parts: cell.parts(&statements)? })
    })
}

/// The inner attributes and inner documentation comments with which these tokens begin.
fn inner(tokens: &[Token]) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut rest = tokens;
    loop {
        let length = match rest {
            [comment, ..] if matches!(comment.what, tokens::What::Comment { inner: true }) => 1,
            [hash, bang, _, ..] if hash.is_punct('#') && bang.is_punct('!') => 3,
            _ => return found,
        };
        let (attribute, after) = rest.split_at(length);
        found.push(attribute);
        rest = after;
    }
}

/// Where tokens stand, which are not none.
fn range(tokens: &[Token]) -> Range<usize> {
    let start = tokens.first().map_or(0, |first| first.range.start);
    start..tokens.last().map_or(start, |last| last.range.end)
}

/// A statement or an item as the parser sees it, with its tokens.
struct Parsed<'t> {
    tokens: &'t [Token],
    statement: Stmt,
}

/// A cell that is taken apart.
struct Cell<'t> {
    source: &'t str,
    /// Bytes that the lexer does not count.
    mark: usize,
    tokens: &'t [Token],
    stands_for_items: &'t (dyn Fn(&str) -> bool + Sync),
}

impl<'t> Cell<'t> {
    fn parse(&self, input: ParseStream<'_>) -> syn::Result<Vec<Parsed<'t>>> {
        Attribute::parse_inner(input)?;
        let mut statements = Vec::new();
        loop {
            while input.parse::<Option<Token![;]>>()?.is_some() {}
            if input.is_empty() {
                return Ok(statements);
            }
            let start = self.at(input);
            let statement = statement(input)?;
            statements.push(Parsed { tokens: &self.tokens[start..self.at(input)], statement });
        }
    }

    /// The index of the token that is parsed next.
    fn at(&self, input: ParseStream<'_>) -> usize {
        if input.is_empty() {
            return self.tokens.len();
        }
        let byte = tokens::bytes(input.span(), self.mark).start;
        self.tokens.partition_point(|token| token.range.start < byte)
    }

    fn parts(&self, statements: &[Parsed<'t>]) -> Option<Vec<Part>> {
        let mut macros = BTreeMap::new();
        let mut parts = Vec::new();
        for (index, parsed) in statements.iter().enumerate() {
            let stands_for_items = |name: &str| match macros.get(name) {
                Some(items) => *items,
                None => ITEM_MACROS.contains(&name) || (self.stands_for_items)(name),
            };
            let last = index + 1 == statements.len();
            let part = self.part(parsed, last, &stands_for_items)?;
            if let Part::Item(Item { what: What::Macro { name, items }, .. }) = &part {
                macros.insert(name.clone(), *items);
            }
            parts.push(part);
        }
        Some(parts)
    }

    fn part(&self, parsed: &Parsed<'t>, last: bool, stands_for_items: &dyn Fn(&str) -> bool) -> Option<Part> {
        let tokens = parsed.tokens;
        let (what, edits) = match &parsed.statement {
            Stmt::Item(item) => self.item(item, tokens, stands_for_items)?,
            Stmt::Macro(StmtMacro { mac, .. }) | Stmt::Expr(Expr::Macro(ExprMacro { mac, .. }), _) => {
                match invocation(mac, tokens, stands_for_items) {
                    Some(item) => item,
                    None => return Some(Part::Statement(self.statement(parsed, last))),
                }
            }
            _ => return Some(Part::Statement(self.statement(parsed, last))),
        };
        Some(Part::Item(Item {
            range: range(tokens),
            what,
            edits,
            mentions: mentions(tokens),
            anatomy: Arc::new(anatomy(tokens, self.source)),
            statics: statics(tokens, self.source),
        }))
    }

    fn item(
        &self,
        item: &syn::Item,
        tokens: &'t [Token],
        stands_for_items: &dyn Fn(&str) -> bool,
    ) -> Option<(What, Vec<Edit>)> {
        if let syn::Item::Macro(ItemMacro { mac, .. }) = item
            && !mac.path.is_ident("macro_rules")
        {
            return Some((What::Invocation { name: last_segment(mac) }, Vec::new()));
        }
        let (found, _) = items::item(tokens, &Variables::new())?;
        let what = match item {
            syn::Item::Use(declaration) => {
                What::Import(imports::imports(declaration, found.attributes, self.source))
            }
            syn::Item::Impl(item) => What::Implementation(self.implementation(item, found.tokens)),
            _ => defined(&found, stands_for_items)?,
        };
        Some((what, publish::item(&found)))
    }

    fn implementation(&self, item: &ItemImpl, tokens: &[Token]) -> Implementation {
        let start = |span: Span| tokens::bytes(span, self.mark).start;
        let end = item.generics.where_clause.as_ref().map(|clause| clause.where_token.span);
        let end = start(end.unwrap_or(item.brace_token.span.open()));
        // The last segment of the trait's path is no argument of the trait; without a trait everything before the braces is the type.
        let begin = match item.trait_.as_ref().and_then(|(path, _)| path.segments.last()) {
            Some(last) => start(last.ident.span()) + 1,
            None => item.generics.gt_token.as_ref().map_or(start(item.impl_token.span), |gt| start(gt.span)),
        };
        let arguments = tokens
            .iter()
            .filter(|token| token.range.start >= begin && token.range.start < end)
            .cloned()
            .collect::<Vec<_>>();
        Implementation {
            of_trait: item.trait_.as_ref().map(|(path, _)| segments(path)),
            for_type: named(&item.self_ty),
            arguments: mentions(&arguments),
        }
    }

    fn statement(&self, parsed: &Parsed<'t>, last: bool) -> Statement {
        let tokens = parsed.tokens;
        let kind = match &parsed.statement {
            Stmt::Local(local) => self.binding(local, tokens),
            Stmt::Expr(_, None) | Stmt::Macro(StmtMacro { semi_token: None, .. }) if last => {
                Kind::Value { expression: range(&tokens[items::attributes(tokens)..]) }
            }
            _ => Kind::Run,
        };
        Statement { range: range(tokens), kind, mentions: mentions(tokens) }
    }

    fn binding(&self, local: &Local, tokens: &[Token]) -> Kind {
        let bindings = bindings::bindings(local, self.mark);
        let Some(init) = &local.init else {
            return Kind::Let { bindings, initialiser: None, needs: BTreeSet::new() };
        };
        let index = |span: Span| {
            let byte = tokens::bytes(span, self.mark).start;
            tokens.partition_point(|token| token.range.start < byte)
        };
        let end = init.diverge.as_ref().map_or(local.semi_token.span, |(otherwise, _)| otherwise.span);
        let initialiser = &tokens[index(init.eq_token.span) + 1..index(end)];
        Kind::Let { bindings, initialiser: Some(range(initialiser)), needs: mentions(initialiser) }
    }
}

/// Parses a statement; or an expression without a semicolon, if nothing stands behind it.
fn statement(input: ParseStream<'_>) -> syn::Result<Stmt> {
    let ahead = input.fork();
    if let Ok(statement) = ahead.parse() {
        input.advance_to(&ahead);
        return Ok(statement);
    }
    let mut rest = Block::parse_within(input)?;
    match (rest.pop(), rest.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => Err(input.error("expected one expression")),
    }
}

/// What a call of a macro is, if it is an item.
fn invocation(
    called: &Macro,
    tokens: &[Token],
    stands_for_items: &dyn Fn(&str) -> bool,
) -> Option<(What, Vec<Edit>)> {
    let name = last_segment(called);
    if name == "global_asm" {
        return Some((What::Nameless, Vec::new()));
    }
    if !stands_for_items(&name) {
        return None;
    }
    let arguments = tokens.iter().rev().find_map(|token| match &token.what {
        tokens::What::Group { tokens, .. } => Some(tokens),
        _ => None,
    });
    let edits = match arguments {
        Some(arguments) if ITEM_MACROS.contains(&name.as_str()) => publish::arguments(arguments),
        _ => Vec::new(),
    };
    Some((What::Invocation { name }, edits))
}

fn last_segment(called: &Macro) -> String {
    called.path.segments.last().map(|segment| plain(&segment.ident)).unwrap_or_default()
}

/// What an item defines that is no `use` and no `impl`.
fn defined(item: &items::Item<'_>, stands_for_items: &dyn Fn(&str) -> bool) -> Option<What> {
    let name = item.name.and_then(Token::word).map(str::to_owned);
    match item.keyword {
        Keyword::MacroRules => {
            let (name, body) = (name?, item.body?);
            let items = macros::expands_to_items(&name, body, stands_for_items);
            Some(What::Macro { name, items })
        }
        Keyword::ExternBlock => Some(What::Definition(foreign(item))),
        Keyword::Impl { .. } | Keyword::Use => None,
        keyword => Some(name.map_or(What::Nameless, |name| {
            What::Definition(vec![Name { name, is_trait: keyword == Keyword::Trait }])
        })),
    }
}

/// The names in an `extern` block.
fn foreign(item: &items::Item<'_>) -> Vec<Name> {
    let body = item.body.and_then(|body| body.group(Delimiter::Brace)).unwrap_or_default();
    let name = |element| match element {
        Element::Item(item) => item.name.and_then(Token::word).map(str::to_owned),
        _ => None,
    };
    let names = items::elements(body, &Variables::new()).into_iter().filter_map(name);
    names.map(|name| Name { name, is_trait: false }).collect()
}

/// The path of a type, or of the first trait of a `dyn`, behind references, `Box` and `Pin`, through which a type stays as local as it is.
fn named(of: &Type) -> Option<Vec<String>> {
    match of {
        Type::Reference(inner) => named(&inner.elem),
        Type::Paren(inner) => named(&inner.elem),
        Type::Group(inner) => named(&inner.elem),
        Type::Path(TypePath { qself: None, path, .. }) => match fundamental(path) {
            Some(inner) => named(inner),
            None => Some(segments(path)),
        },
        Type::TraitObject(object) => object.bounds.iter().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(segments(&bound.path)),
            _ => None,
        }),
        _ => None,
    }
}

/// The type in `Box<…>` and `Pin<…>`.
fn fundamental(path: &Path) -> Option<&Type> {
    let last = path.segments.last().filter(|last| last.ident == "Box" || last.ident == "Pin")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

fn segments(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| plain(&segment.ident)).collect()
}

/// An identifier without `r#`.
fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
