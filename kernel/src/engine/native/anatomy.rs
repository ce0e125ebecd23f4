//! What an item is made of, as far as a later version of it is concerned: what its types hang on, and what is only code.
//!
//! A crate that keeps its identity keeps its types: to the compiler two types of one path are the same, whatever is in them. So everything that a type can hang
//! on is a *fact*, which may not change under one identity, and what is left may: the body of a function. Some bodies are facts themselves, because something
//! that has a type without hanging on a signature lives in them.

use super::items::{self, Element, Item, Keyword, Variables};
use super::mentions::{is_keyword, mentions};
use super::tokens::{Token, What, written};
use proc_macro2::Delimiter;
use std::collections::BTreeSet;
use std::ops::Range;

/// An item, analysed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Anatomy {
    pub(super) facts: Vec<Fact>,
    /// The item without what stands in its braces.
    pub(super) head: String,
    /// Whether it is an `impl` in which a type is made that is told from others by the number of the `impl`: then the order of items is a fact.
    pub(super) numbered: bool,
    /// What a later `impl` of the same would take the place of.
    pub(super) implementation: Option<Implementation>,
}

/// Something that a type may hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is: `struct P`.
    pub(super) key: String,
    /// All of it.
    pub(super) value: String,
    /// Its identifiers: what they stand for belongs to it.
    pub(super) mentions: BTreeSet<String>,
}

/// An `impl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Implementation {
    pub(super) of_trait: bool,
    /// What an inherent one has, each with the place where it stands.
    pub(super) members: Vec<(String, Range<usize>)>,
}

/// Words in the body of a function that make types, or may, and of which the signature knows nothing.
const MAKERS: [&str; 8] = ["async", "enum", "extern", "impl", "macro_rules", "mod", "struct", "trait"];

/// Macros that are known to make no types.
const HARMLESS: [&str; 43] = [
    "anyhow",
    "array",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "cfg",
    "column",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "hashmap",
    "include_str",
    "iproduct",
    "izip",
    "json",
    "line",
    "matches",
    "module_path",
    "panic",
    "print",
    "println",
    "s",
    "stringify",
    "thread_local",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
    "addr_of",
    "addr_of_mut",
    "ready",
];

/// Macros that stand for something outside of the notebook, which may change.
const FROM_OUTSIDE: [&str; 5] = ["env", "include", "include_bytes", "include_str", "option_env"];

/// Analyses the item that these tokens of a text are.
pub(super) fn anatomy(tokens: &[Token], text: &str) -> Anatomy {
    let mut analysis = Analysis { text, anatomy: Anatomy::default(), calls: 0 };
    let elements = items::elements(tokens, &Variables::new());
    for element in &elements {
        analysis.element(element, "", tokens);
    }
    if let [Element::Item(item)] = elements.as_slice() {
        analysis.anatomy.head = analysis.written(item.attributes) + &analysis.head(item);
        if let Keyword::Impl { of_trait } = item.keyword {
            let members = if of_trait { Vec::new() } else { members(item) };
            analysis.anatomy.implementation = Some(Implementation { of_trait, members });
        }
    }
    analysis.anatomy
}

struct Analysis<'a> {
    text: &'a str,
    anatomy: Anatomy,
    /// How many macros were called that may stand for items.
    calls: usize,
}

impl Analysis<'_> {
    fn element(&mut self, element: &Element<'_>, path: &str, of: &[Token]) {
        match element {
            Element::Item(item) => self.item(item, path),
            Element::Call { name } => {
                self.calls += 1;
                let key = format!("{path}{}! {}", name.word().unwrap_or_default(), self.calls);
                self.fact(key, of);
            }
            Element::Repetition(_) | Element::Variable(_) | Element::Other => {
                self.fact(format!("{path}something"), of);
            }
        }
    }

    fn item(&mut self, item: &Item<'_>, path: &str) {
        let head = self.head(item);
        let braces = item.body.and_then(|body| body.group(Delimiter::Brace)).unwrap_or_default();
        match item.keyword {
            Keyword::Fn => {
                self.function(item, path);
            }
            Keyword::Impl { .. } => self.implementation(item, &format!("{path}{head}"), braces),
            Keyword::Trait => {
                // The order of what it declares is that of its objects' tables.
                let declared = Self::declared(item, braces);
                let key = format!("{path}{}", name(item));
                let value: String = declared.iter().map(|tokens| self.written(tokens) + "; ").collect();
                let all = declared.iter().flat_map(|tokens| mentions(tokens)).collect();
                self.push(key, value, &declared.concat(), all);
                self.functions(&format!("{path}{head} / "), braces);
            }
            Keyword::Mod if item.body.is_some() => {
                let inner = format!("{path}{} / ", name(item));
                let elements = items::elements(braces, &Variables::new());
                elements.iter().for_each(|element| self.element(element, &inner, braces));
            }
            Keyword::Use => {
                let whole = self.written(item.attributes) + &self.written(item.tokens);
                self.anatomy.facts.push(Fact {
                    key: format!("{path}{head}"),
                    value: whole,
                    mentions: BTreeSet::new(),
                });
            }
            _ => {
                let whole = self.written(item.attributes) + &self.written(item.tokens);
                self.fact_of(format!("{path}{}", name(item)), item, &whole, item.tokens);
            }
        }
    }

    fn implementation(&mut self, item: &Item<'_>, head: &str, braces: &[Token]) {
        let elements = items::elements(braces, &Variables::new());
        for element in &elements {
            match element {
                Element::Item(inner) if inner.keyword == Keyword::Fn => {
                    if self.function(inner, &format!("{head} / ")) {
                        self.anatomy.numbered = true;
                    }
                }
                Element::Item(inner) => {
                    let whole = self.written(inner.tokens);
                    self.fact_of(format!("{head} / {}", name(inner)), item, &whole, inner.tokens);
                }
                other => {
                    self.anatomy.numbered = true;
                    self.element(other, &format!("{head} / "), braces);
                }
            }
        }
    }

    fn functions(&mut self, path: &str, braces: &[Token]) {
        for element in items::elements(braces, &Variables::new()) {
            if let Element::Item(item) = element
                && item.keyword == Keyword::Fn
            {
                self.function(&item, path);
            }
        }
    }

    /// A function is a fact if its value is one, or if it makes a type. Gives whether it is.
    fn function(&mut self, item: &Item<'_>, path: &str) -> bool {
        let before = item.tokens.iter().take_while(|token| token.group(Delimiter::Brace).is_none());
        let signature: Vec<&Token> = before.collect();
        let returned = signature.windows(2).position(|pair| pair[0].is_punct('-') && pair[1].is_punct('>'));
        let opaque = returned.is_some_and(|at| signature[at..].iter().any(|token| names(token, &["impl"])));
        let modifiers = signature.iter().take_while(|token| !token.is_word("fn"));
        let evaluated = modifiers.clone().any(|token| token.is_word("const") || token.is_word("async"));
        let body = item.body.and_then(|body| body.group(Delimiter::Brace)).unwrap_or_default();
        let is_fact = opaque || evaluated || makes_types(body);
        if is_fact {
            let whole = self.written(item.attributes) + &self.written(item.tokens);
            self.fact_of(format!("{path}{}", name(item)), item, &whole, item.tokens);
        }
        is_fact
    }

    /// A trait without the bodies of its functions.
    fn declared<'t>(item: &Item<'t>, braces: &'t [Token]) -> Vec<&'t [Token]> {
        let mut all = vec![item.attributes, Self::without_body(item)];
        for element in items::elements(braces, &Variables::new()) {
            all.push(match element {
                Element::Item(item) if item.keyword == Keyword::Fn => Self::without_body(&item),
                Element::Item(item) => item.tokens,
                _ => braces,
            });
        }
        all
    }

    fn without_body<'t>(item: &Item<'t>) -> &'t [Token] {
        let body = item.body.and_then(|body| item.tokens.iter().position(|token| token.range == body.range));
        &item.tokens[..body.unwrap_or(item.tokens.len())]
    }

    fn head(&self, item: &Item<'_>) -> String {
        self.written(match item.keyword {
            Keyword::Fn | Keyword::Impl { .. } | Keyword::Mod | Keyword::Trait => Self::without_body(item),
            _ => item.tokens,
        })
    }

    fn fact(&mut self, key: String, tokens: &[Token]) {
        let value = self.written(tokens);
        self.push(key, value, tokens, mentions(tokens));
    }

    fn fact_of(&mut self, key: String, item: &Item<'_>, value: &str, looked_at: &[Token]) {
        let mut all = mentions(looked_at);
        all.extend(mentions(item.attributes));
        self.push(key, value.to_owned(), looked_at, all);
    }

    fn push(&mut self, key: String, mut value: String, tokens: &[Token], mentions: BTreeSet<String>) {
        if calls(tokens, &|name| FROM_OUTSIDE.contains(&name)) {
            // Nobody knows whether it is still the same: so it never is.
            value = format!("{value} {}", uuid::Uuid::new_v4());
        }
        self.anatomy.facts.push(Fact { key, value, mentions });
    }

    fn written(&self, tokens: &[Token]) -> String {
        written(tokens, self.text)
    }
}

/// `struct P`: an item's keyword and its name.
fn name(item: &Item<'_>) -> String {
    let keyword = match item.keyword {
        Keyword::Const => "const",
        Keyword::Enum | Keyword::Struct | Keyword::Trait | Keyword::Type | Keyword::Union => "type",
        Keyword::ExternBlock | Keyword::ExternCrate => "extern",
        Keyword::Fn => "fn",
        Keyword::Impl { .. } => "impl",
        Keyword::MacroRules => "macro",
        Keyword::Mod => "mod",
        Keyword::Static => "static",
        Keyword::Use => "use",
    };
    format!("{keyword} {}", item.name.and_then(Token::word).unwrap_or("_"))
}

/// What an inherent `impl` has, with the places.
fn members(item: &Item<'_>) -> Vec<(String, Range<usize>)> {
    let braces = item.body.and_then(|body| body.group(Delimiter::Brace)).unwrap_or_default();
    let mut found = Vec::new();
    for element in items::elements(braces, &Variables::new()) {
        let Element::Item(member) = element else { continue };
        let first = member.attributes.first().or(match member.visibility {
            items::Visibility::Restricted(written, _) => written.first(),
            _ => None,
        });
        let (Some(name), Some(last)) = (member.name.and_then(Token::word), member.tokens.last()) else {
            continue;
        };
        let behind = member.tokens.first().map_or(last.range.start, |first| first.range.start);
        // `pub` is not among the tokens of an item.
        let public = braces.iter().rev().find(|token| token.range.end <= behind);
        let public = public.filter(|token| token.is_word("pub")).map_or(behind, |token| token.range.start);
        let start = first.map_or(public, |first| first.range.start.min(public));
        found.push((name.to_owned(), start..last.range.end));
    }
    found
}

/// Whether a body makes types of its own, or calls a macro that might.
fn makes_types(body: &[Token]) -> bool {
    body.iter().any(|token| names(token, &MAKERS)) || calls(body, &|name| !HARMLESS.contains(&name))
}

/// Whether one of these keywords is in a token.
fn names(token: &Token, words: &[&str]) -> bool {
    match &token.what {
        What::Word { name, raw } => !raw && words.contains(&name.as_str()),
        What::Group { tokens, .. } => tokens.iter().any(|token| names(token, words)),
        _ => false,
    }
}

/// Whether a macro is called whose name is of this sort.
fn calls(tokens: &[Token], wanted: &dyn Fn(&str) -> bool) -> bool {
    let here = tokens.windows(3).any(|three| match three {
        [name, bang, Token { what: What::Group { .. }, .. }] if bang.is_punct('!') => {
            name.word().is_some_and(|name| !is_keyword(name) && wanted(name))
        }
        _ => false,
    });
    here || tokens.iter().any(|token| match &token.what {
        What::Group { tokens, .. } => calls(tokens, wanted),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::{Anatomy, anatomy};
    use crate::engine::native::tokens;

    fn of(text: &str) -> Anatomy {
        tokens::read(text, |_, tokens| Some(anatomy(tokens, text))).unwrap()
    }

    /// Whether a second version of an item has the facts of the first.
    fn same(first: &str, second: &str) -> bool {
        of(first).facts == of(second).facts
    }

    #[test]
    fn a_body_is_no_fact() {
        for (first, second) in [
            ("fn f() -> u8 { 1 }", "fn f() -> u8 { 2 }"),
            ("fn f(x: u8) {}", "fn f(x: u16, y: u8) -> u8 { y }"),
            ("fn f() { let a = |x: u8| x; }", "fn f() { let a = |x: u16| { println!(\"{x}\"); x + 1 }; }"),
            ("impl P { fn f(&self) -> u8 { 1 } }", "impl P { fn f(&self) -> u8 { 2 } fn g() {} }"),
            ("trait T { fn f(&self) { one() } }", "trait T { fn f(&self) { two() } }"),
            ("mod m { pub fn f() {} }", "mod m { pub fn f() { g() } fn g() {} }"),
            ("unsafe extern \"C\" fn f() { a() }", "unsafe extern \"C\" fn f() { b() }"),
        ] {
            assert!(same(first, second), "{first} / {second}: {:?}", of(second).facts);
        }
    }

    #[test]
    fn all_that_a_type_may_hang_on_is_a_fact() {
        for (first, second) in [
            ("struct P { x: u8 }", "struct P { x: u16 }"),
            ("#[repr(C)] struct P(u8);", "struct P(u8);"),
            ("enum E { A, B }", "enum E { B, A }"),
            ("type A = u8;", "type A = u16;"),
            ("const N: usize = 1;", "const N: usize = 2;"),
            ("const fn n() -> usize { 1 }", "const fn n() -> usize { 2 }"),
            ("static S: u8 = 1;", "static S: u16 = 1;"),
            ("trait T { fn f(&self); fn g(&self); }", "trait T { fn g(&self); fn f(&self); }"),
            ("trait T { fn f(&self); }", "trait T { fn f(&self, x: u8); }"),
            ("impl Iterator for P { type Item = u8; }", "impl Iterator for P { type Item = u16; }"),
            ("impl P { const N: usize = 1; }", "impl P { const N: usize = 2; }"),
            ("impl P { fn f() { struct L(u8); } }", "impl P { fn f() { struct L(u16); } }"),
            ("fn f() { enum L { A } }", "fn f() { enum L { A, B } }"),
            ("fn f() -> impl Fn() { || () }", "fn f() -> impl Fn() { let a = 1; move || drop(a) }"),
            ("fn f() -> Box<impl Fn()> { a() }", "fn f() -> Box<impl Fn()> { b() }"),
            ("async fn f() { a().await }", "async fn f() { b().await }"),
            ("fn f() { spawn(async { a }) }", "fn f() { spawn(async { b }) }"),
            ("fn f() { unknown!(1) }", "fn f() { unknown!(2) }"),
            ("fn f() { if a { if b { unknown!(1) } } }", "fn f() { if a { if b { unknown!(2) } } }"),
            ("macro_rules! m { () => { u8 } }", "macro_rules! m { () => { u16 } }"),
            ("mod m { pub struct P(u8); }", "mod m { pub struct P(u16); }"),
            ("mod m { use a::X; }", "mod m { use b::X; }"),
            ("bitflags! { struct F: u8 { } }", "bitflags! { struct F: u16 { } }"),
            ("const A: [u8; 1] = *include_bytes!(\"a\");", "const A: [u8; 1] = *include_bytes!(\"a\");"),
        ] {
            assert!(!same(first, second), "{first} / {second}");
        }
    }

    #[test]
    fn an_impl_with_a_type_of_its_own_is_numbered() {
        assert!(of("impl P { fn f() { struct L; } }").numbered);
        assert!(!of("impl P { fn f() { let x = 1; } }").numbered);
    }

    #[test]
    fn members_know_where_they_stand() {
        let text =
            "impl P { /// d\n #[inline] pub(crate) fn a() {} pub const N: u8 = 1; fn b() {} pub fn c() {} }";
        let members = of(text).implementation.unwrap().members;
        let found: Vec<(&str, &str)> =
            members.iter().map(|(name, range)| (name.as_str(), &text[range.clone()])).collect();
        let expected = [
            ("a", "/// d\n #[inline] pub(crate) fn a() {}"),
            ("N", "pub const N: u8 = 1;"),
            ("b", "fn b() {}"),
            ("c", "pub fn c() {}"),
        ];
        assert_eq!(found, expected);
    }
}
