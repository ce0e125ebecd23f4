//! What an item is as far as its own text tells: its kind, signature, documentation, and what it holds.

use super::super::items::{self, Element, Item, Keyword, Variables, Visibility};
use super::super::tokens::{self, Angles, Token, What};
use proc_macro2::Delimiter;
use std::ops::Range;

/// Something with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What its user has to know: all but the body of a function, a trait or a module.
    pub(super) signature: String,
    /// Its documentation comments.
    pub(super) docs: String,
    /// The last segment of its type: of a field, a constant, or what a function returns.
    pub(super) of: Option<String>,
    /// Fields, variants, methods, and the items of a module.
    pub(super) inside: Vec<Thing>,
}

/// What sort of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Constant,
    Enum,
    Field,
    Function,
    Macro,
    Method,
    Module,
    Static,
    Struct,
    Trait,
    Type,
    Union,
    Variant,
}

/// What an item's text makes known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) things: Vec<Thing>,
    /// What is implemented, by the last segment of the type.
    pub(super) implemented: Vec<(String, Vec<Thing>)>,
}

impl Kind {
    /// The words that front ends draw icons for are rust-analyzer's, as evcxr gives them.
    pub(super) fn badge(self) -> &'static str {
        match self {
            Self::Function | Self::Method | Self::Macro => "function",
            Self::Struct | Self::Enum | Self::Union | Self::Trait | Self::Type => "class",
            Self::Module => "module",
            Self::Constant | Self::Static | Self::Variant | Self::Field => "instance",
        }
    }

    /// Whether a value has it: `x.name`.
    pub(super) fn is_member(self) -> bool {
        matches!(self, Self::Field | Self::Method)
    }
}

impl Outline {
    /// Reads the text of items. Nothing is known of what is no row of tokens.
    pub(super) fn of(text: &str) -> Self {
        tokens::read(text, |_, tokens| Some(Reader { text }.items(tokens))).unwrap_or_default()
    }

    /// Adds another one's; what is implemented goes to its type.
    pub(super) fn join(&mut self, other: Self) {
        self.things.extend(other.things);
        self.implemented.extend(other.implemented);
    }

    /// Puts what is implemented where its type is.
    pub(super) fn settle(&mut self) {
        for (of, things) in std::mem::take(&mut self.implemented) {
            if let Some(thing) = find(&mut self.things, &of) {
                thing.inside.extend(things);
            }
        }
    }
}

/// The type of that name, in modules too.
fn find<'t>(things: &'t mut [Thing], name: &str) -> Option<&'t mut Thing> {
    let is_type = |kind| matches!(kind, Kind::Struct | Kind::Enum | Kind::Union | Kind::Trait | Kind::Type);
    things.iter_mut().rev().find_map(|thing| match thing {
        thing if thing.name == name && is_type(thing.kind) => Some(thing),
        thing if thing.kind == Kind::Module => find(&mut thing.inside, name),
        _ => None,
    })
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn items(&self, tokens: &[Token]) -> Outline {
        let mut outline = Outline::default();
        for element in items::elements(tokens, &Variables::new()) {
            let Element::Item(item) = element else { continue };
            if let Keyword::Impl { .. } = item.keyword {
                let of = self.implemented_for(&item);
                let inside = self.inside(&item).things;
                outline.implemented.extend(of.map(|of| (of, inside)));
                continue;
            }
            let Some((name, kind)) = item.name.and_then(Token::word).zip(kind(&item)) else { continue };
            let Outline { things, implemented } = self.inside(&item);
            outline.implemented.extend(implemented);
            outline.things.push(Thing {
                name: name.to_owned(),
                kind,
                signature: self.signature(&item, kind),
                docs: self.docs(item.attributes),
                of: self.result(&item, kind),
                inside: things,
            });
        }
        outline
    }

    /// What stands in an item's braces.
    fn inside(&self, item: &Item<'_>) -> Outline {
        let Some(What::Group { delimiter, tokens }) = item.body.map(|body| &body.what) else {
            return Outline::default();
        };
        let things = match item.keyword {
            Keyword::Mod | Keyword::Trait | Keyword::Impl { .. } | Keyword::ExternBlock => {
                return self.items(tokens);
            }
            Keyword::Struct | Keyword::Union if *delimiter == Delimiter::Parenthesis => self.tuple(tokens),
            Keyword::Struct | Keyword::Union => self.fields(tokens),
            Keyword::Enum => self.variants(tokens),
            _ => Vec::new(),
        };
        Outline { things, implemented: Vec::new() }
    }

    fn fields(&self, tokens: &[Token]) -> Vec<Thing> {
        let field = |row: &[Token]| {
            let (attributes, rest) = row.split_at(items::attributes(row));
            let (_, rest) = items::visibility(rest, &Variables::new());
            let name = rest.first()?.word()?.to_owned();
            let signature = self.slice(rest);
            let docs = self.docs(attributes);
            Some(Thing {
                name,
                kind: Kind::Field,
                signature,
                docs,
                of: head(rest.get(2..)?),
                inside: Vec::new(),
            })
        };
        rows(tokens).into_iter().filter_map(field).collect()
    }

    fn tuple(&self, tokens: &[Token]) -> Vec<Thing> {
        let field = |(index, row): (usize, &[Token])| {
            let (attributes, rest) = row.split_at(items::attributes(row));
            let (_, rest) = items::visibility(rest, &Variables::new());
            Thing {
                name: index.to_string(),
                kind: Kind::Field,
                signature: format!("{index}: {}", self.slice(rest)),
                docs: self.docs(attributes),
                of: head(rest),
                inside: Vec::new(),
            }
        };
        rows(tokens).into_iter().enumerate().map(field).collect()
    }

    fn variants(&self, tokens: &[Token]) -> Vec<Thing> {
        let variant = |row: &[Token]| {
            let (attributes, rest) = row.split_at(items::attributes(row));
            let name = rest.first()?.word()?.to_owned();
            let (signature, docs) = (self.slice(rest), self.docs(attributes));
            Some(Thing { name, kind: Kind::Variant, signature, docs, of: None, inside: Vec::new() })
        };
        rows(tokens).into_iter().filter_map(variant).collect()
    }

    /// An item without the body that its user need not see.
    fn signature(&self, item: &Item<'_>, kind: Kind) -> String {
        let visibility = match item.visibility {
            Visibility::Public => "pub ",
            _ => "",
        };
        let open = matches!(kind, Kind::Struct | Kind::Enum | Kind::Union | Kind::Constant | Kind::Type);
        let end = match item.body {
            Some(body) if !open => body.range.start,
            _ => item.tokens.last().map_or(0, |last| last.range.end),
        };
        let start = item.tokens.first().map_or(end, |first| first.range.start);
        let text = self.text.get(start..end).unwrap_or_default();
        // What a static begins with is its own business.
        let text = if kind == Kind::Static { text.split(" = ").next().unwrap_or_default() } else { text };
        format!("{visibility}{}", unindented(text.trim_end().trim_end_matches(';')))
    }

    /// The type that an `impl` is for.
    fn implemented_for(&self, item: &Item<'_>) -> Option<String> {
        let end = item.tokens.iter().position(|token| {
            token.is_word("where") || Some(token.range.start) == item.body.map(|body| body.range.start)
        });
        let mut header = &item.tokens[..end.unwrap_or(item.tokens.len())];
        let mut angles = Angles::default();
        let outside: Vec<bool> = header.iter().map(|token| angles.outside(token)).collect();
        if let Some(at) = (0..header.len()).rev().find(|&at| outside[at] && header[at].is_word("for")) {
            header = &header[at + 1..];
        } else {
            let implied = header.iter().position(|token| token.is_word("impl"))? + 1;
            header = &header[implied..];
            if header.first().is_some_and(|token| token.is_punct('<')) {
                let mut angles = Angles::default();
                // The parameters end where what follows stands outside again.
                let outside: Vec<bool> = header.iter().map(|token| angles.outside(token)).collect();
                let end = (1..header.len()).find(|&at| outside[at])?;
                header = &header[end..];
            }
        }
        head(header)
    }

    /// The type of a constant, or what a function returns.
    fn result(&self, item: &Item<'_>, kind: Kind) -> Option<String> {
        let at = match kind {
            Kind::Constant | Kind::Static => item.tokens.iter().position(|token| token.is_punct(':'))? + 1,
            Kind::Function | Kind::Method => {
                item.tokens.windows(2).rposition(|pair| pair[0].is_punct('-') && pair[1].is_punct('>'))? + 2
            }
            _ => return None,
        };
        head(item.tokens.get(at..)?)
    }

    fn docs(&self, attributes: &[Token]) -> String {
        let comments = attributes.iter().filter(|token| matches!(token.what, What::Comment { inner: false }));
        let lines = comments.filter_map(|token| self.text.get(token.range.clone())).flat_map(str::lines).map(
            |line| {
                let line = line.trim_start().trim_start_matches("///").trim_start_matches("/**");
                let line = line.trim_end_matches("*/");
                line.strip_prefix(' ').unwrap_or(line).trim_end()
            },
        );
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    fn slice(&self, tokens: &[Token]) -> String {
        match tokens {
            [first, .., last] => self.text.get(first.range.start..last.range.end),
            [one] => self.text.get::<Range<usize>>(one.range.clone()),
            [] => None,
        }
        .unwrap_or_default()
        .to_owned()
    }
}

fn kind(item: &Item<'_>) -> Option<Kind> {
    Some(match item.keyword {
        Keyword::Const => Kind::Constant,
        Keyword::Enum => Kind::Enum,
        Keyword::Fn if takes_self(item) => Kind::Method,
        Keyword::Fn => Kind::Function,
        Keyword::MacroRules => Kind::Macro,
        Keyword::Mod => Kind::Module,
        Keyword::Static => Kind::Static,
        Keyword::Struct => Kind::Struct,
        Keyword::Trait => Kind::Trait,
        Keyword::Type => Kind::Type,
        Keyword::Union => Kind::Union,
        Keyword::ExternBlock | Keyword::ExternCrate | Keyword::Impl { .. } | Keyword::Use => return None,
    })
}

/// Whether `self` is the first of a function's parameters.
fn takes_self(item: &Item<'_>) -> bool {
    let parameters = item.tokens.iter().find_map(|token| token.group(Delimiter::Parenthesis));
    let first = parameters.and_then(|parameters| rows(parameters).first().copied()).unwrap_or_default();
    let colon = first.iter().position(|token| token.is_punct(':')).unwrap_or(first.len());
    first.iter().take(colon).any(|token| token.is_word("self"))
}

/// What commas part.
fn rows(tokens: &[Token]) -> Vec<&[Token]> {
    let mut angles = Angles::default();
    let mut parts = tokens.split(|token| angles.outside(token) && token.is_punct(',')).collect::<Vec<_>>();
    parts.retain(|part| !part.is_empty());
    parts
}

/// The last segment of the path with which a type begins; references, and the pointers that give their methods to whoever holds them, do not count.
fn head(tokens: &[Token]) -> Option<String> {
    let mut found: Option<&str> = None;
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match &first.what {
            What::Word { name, raw: false } if matches!(name.as_str(), "mut" | "dyn" | "impl" | "const") => {}
            What::Word { name, .. } if found.is_none() || !first.is_word("where") => found = Some(name),
            What::Punct { character: '&' | ':' | '*', .. } => {}
            // A lifetime's name follows.
            What::Punct { character: '\'', .. } => rest = rest.get(1..).unwrap_or_default(),
            What::Punct { character: '<', .. } if matches!(found, Some("Box" | "Rc" | "Arc")) => {
                found = None;
            }
            _ => break,
        }
    }
    found.map(str::to_owned)
}

/// Without the indentation that all lines but the first share.
fn unindented(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let shared = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = text
        .lines()
        .enumerate()
        .map(|(at, line)| if at == 0 { line } else { line.get(shared..).unwrap_or_default() })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Outline, Thing};

    /// Each thing as `Kind name(of): what is inside`.
    fn shape(things: &[Thing]) -> String {
        let show = |thing: &Thing| {
            let of = thing.of.as_ref().map(|of| format!("({of})")).unwrap_or_default();
            let inside =
                if thing.inside.is_empty() { String::new() } else { format!("[{}]", shape(&thing.inside)) };
            format!("{:?} {}{of}{inside}", thing.kind, thing.name)
        };
        things.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn check(text: &str, expected: &str) {
        let mut outline = Outline::of(text);
        outline.settle();
        assert_eq!(shape(&outline.things), expected, "{text}");
    }

    #[test]
    fn what_items_hold() {
        check(
            "struct P { pub x: f64, y: Vec<(u8, u8)>, z: Box<Q> }",
            "Struct P[Field x(f64), Field y(Vec), Field z(Q)]",
        );
        check("pub struct W(pub &'static str, shapes::Circle);", "Struct W[Field 0(str), Field 1(Circle)]");
        check(
            "enum E { A, B(u8, u8), C { x: u8 }, D = 4 }",
            "Enum E[Variant A, Variant B, Variant C, Variant D]",
        );
        check("fn f<T: Fn(u8) -> u8>(self_: T) -> Option<u8> { }", "Function f(Option)");
        check("const A: &str = \"\"; static B: u8 = 1;", "Constant A(str), Static B(u8)");
        check("macro_rules! m { () => {} }", "Macro m");
        check("trait T { fn a(&self); fn b() -> Self; }", "Trait T[Method a, Function b(Self)]");
        check("#[repr(C)] union U { a: u8 }", "Union U[Field a(u8)]");
    }

    #[test]
    fn what_is_implemented_goes_to_its_type() {
        check(
            "struct P<T>(T); impl<T: Into<Vec<u8>>> P<T> { pub fn new() -> Self {} fn x(self: Box<Self>) -> f64 {} const N: u8 = 1; }",
            "Struct P[Field 0(T), Function new(Self), Method x(f64), Constant N(u8)]",
        );
        check(
            "mod m { pub struct P; impl super::T for P { fn a(&self) {} } }",
            "Module m[Struct P[Method a]]",
        );
        check(
            "struct P; impl<'a> From<&'a str> for P where u8: Copy { fn from(s: &'a str) -> P {} }",
            "Struct P[Function from(P)]",
        );
    }

    #[test]
    fn a_signature_and_its_documentation() {
        let check = |text: &str, signature: &str, docs: &str| {
            let outline = Outline::of(text);
            let thing = &outline.things[0];
            assert_eq!((thing.signature.as_str(), thing.docs.as_str()), (signature, docs), "{text}");
        };
        check(
            "/// Adds.\n///\n///   code\n#[inline] pub fn add(a: u8) -> u8 { a }",
            "pub fn add(a: u8) -> u8",
            "Adds.\n\n  code",
        );
        check("struct P {\n        x: u8,\n    }", "struct P {\n    x: u8,\n}", "");
        check("static A: u8 = 1;", "static A: u8", "");
        check("/** One */ const B: u8 = 1;", "const B: u8 = 1", "One");
        check("pub trait T: Copy { fn f(); }", "pub trait T: Copy", "");
    }
}
