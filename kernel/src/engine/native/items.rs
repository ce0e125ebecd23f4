//! Finds the items in a row of tokens: in a cell, a module, an `impl`, or what a macro expands to, which is no Rust yet but has its shape.

use super::tokens::{Angles, Token, What};
use proc_macro2::Delimiter;
use std::collections::BTreeMap;

/// The variables of a macro's rule, each with its fragment specifier: `name` is `ident`. Empty outside of macros.
pub(super) type Variables = BTreeMap<String, String>;

/// What stands in a row of tokens, one after the other.
#[derive(Debug, Clone)]
pub(super) enum Element<'t> {
    Item(Item<'t>),
    /// The tokens within `$( … )*`.
    Repetition(&'t [Token]),
    /// The variable of a macro that stands alone; its name.
    Variable(&'t str),
    /// A macro that is called.
    Call {
        name: &'t Token,
    },
    /// Something else: a statement.
    Other,
}

/// An item.
#[derive(Debug, Clone)]
pub(super) struct Item<'t> {
    pub(super) keyword: Keyword,
    pub(super) attributes: &'t [Token],
    pub(super) visibility: Visibility<'t>,
    /// From behind the visibility to the end, a semicolon included.
    pub(super) tokens: &'t [Token],
    /// Its name, where that is a word.
    pub(super) name: Option<&'t Token>,
    /// What stands in its braces, or, for a tuple struct, in its parentheses.
    pub(super) body: Option<&'t Token>,
}

/// What sort of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Const,
    Enum,
    ExternBlock,
    ExternCrate,
    Fn,
    /// An `impl`, and whether it is that of a trait.
    Impl {
        of_trait: bool,
    },
    MacroRules,
    Mod,
    Static,
    Struct,
    Trait,
    Type,
    Union,
    Use,
}

/// How visible something is declared to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Visibility<'t> {
    Inherited,
    Public,
    /// `pub(…)`: its tokens, and those in the parentheses.
    Restricted(&'t [Token], &'t [Token]),
    /// The variable of a macro.
    Variable(&'t [Token]),
}

/// All that stands in a row of tokens.
pub(super) fn elements<'t>(tokens: &'t [Token], variables: &Variables) -> Vec<Element<'t>> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while let Some(first) = rest.first() {
        if first.is_punct(';') {
            rest = &rest[1..];
            continue;
        }
        let (element, after) = element(rest, variables);
        found.push(element);
        rest = after;
    }
    found
}

/// The item with which these tokens begin, and what follows it.
pub(super) fn item<'t>(tokens: &'t [Token], variables: &Variables) -> Option<(Item<'t>, &'t [Token])> {
    let (attributes, rest) = tokens.split_at(attributes(tokens));
    let (visibility, rest) = visibility(rest, variables);
    let (keyword, at) = keyword(rest)?;
    let name = name(keyword, &rest[at..]);
    let (length, body) = extent(keyword, rest, at)?;
    let (tokens, after) = rest.split_at(length);
    let keyword = match keyword {
        Keyword::Impl { .. } => Keyword::Impl { of_trait: is_of_trait(tokens) },
        other => other,
    };
    Some((Item { keyword, attributes, visibility, tokens, name, body }, after))
}

/// How many tokens the attributes take with which these begin, documentation comments and `$(#[$attribute])*` included.
pub(super) fn attributes(tokens: &[Token]) -> usize {
    let mut at = 0;
    loop {
        at += match &tokens[at..] {
            [comment, ..] if matches!(comment.what, What::Comment { .. }) => 1,
            [hash, group, ..] if hash.is_punct('#') && group.group(Delimiter::Bracket).is_some() => 2,
            [hash, bang, group, ..]
                if hash.is_punct('#') && bang.is_punct('!') && group.group(Delimiter::Bracket).is_some() =>
            {
                3
            }
            rest => match repetition(rest) {
                Some((inner, length)) if !inner.is_empty() && attributes(inner) == inner.len() => length,
                _ => return at,
            },
        };
    }
}

/// The visibility with which these tokens begin, and what follows it.
pub(super) fn visibility<'t>(tokens: &'t [Token], variables: &Variables) -> (Visibility<'t>, &'t [Token]) {
    match tokens {
        [word, rest @ ..] if word.is_word("pub") => {
            match rest.first().and_then(|group| group.group(Delimiter::Parenthesis)) {
                Some(inner) if is_restriction(inner) => {
                    (Visibility::Restricted(&tokens[..2], inner), &tokens[2..])
                }
                _ => (Visibility::Public, rest),
            }
        }
        [_, _, rest @ ..] if specifier(tokens, variables) == Some("vis") => {
            (Visibility::Variable(&tokens[..2]), rest)
        }
        _ => (Visibility::Inherited, tokens),
    }
}

/// What is within `$( … )*` and how many tokens that takes, if these tokens begin with it.
pub(super) fn repetition(tokens: &[Token]) -> Option<(&[Token], usize)> {
    let [dollar, group, rest @ ..] = tokens else { return None };
    let inner = group.group(Delimiter::Parenthesis).filter(|_| dollar.is_punct('$'))?;
    // One separator may stand before the operator: a token, which is up to three characters here.
    let operator = rest.iter().take(4).position(|token| "*+?".chars().any(|c| token.is_punct(c)))?;
    Some((inner, 2 + operator + 1))
}

/// The fragment specifier of the variable with which these tokens begin.
pub(super) fn specifier<'v>(tokens: &[Token], variables: &'v Variables) -> Option<&'v str> {
    match tokens {
        [dollar, name, ..] if dollar.is_punct('$') => variables.get(name.word()?).map(String::as_str),
        _ => None,
    }
}

fn is_restriction(inner: &[Token]) -> bool {
    match inner {
        [word] => ["crate", "self", "super"].iter().any(|known| word.is_word(known)),
        [word, ..] => word.is_word("in"),
        [] => false,
    }
}

fn element<'t>(tokens: &'t [Token], variables: &Variables) -> (Element<'t>, &'t [Token]) {
    if let Some((item, after)) = item(tokens, variables) {
        return (Element::Item(item), after);
    }
    let rest = &tokens[attributes(tokens)..];
    if let Some((inner, length)) = repetition(rest) {
        return (Element::Repetition(inner), &rest[length..]);
    }
    if let Some((name, _, after)) = call(rest) {
        return (Element::Call { name }, after);
    }
    match rest {
        [_, name, after @ ..] if specifier(rest, variables).is_some() => {
            let name = name.word().unwrap_or_default();
            let alone = after.first().is_none_or(|next| next.is_punct('$') || next.is_punct(';'))
                || specifier(rest, variables) == Some("item");
            if alone { (Element::Variable(name), after) } else { (Element::Other, statement(rest)) }
        }
        _ => (Element::Other, statement(rest)),
    }
}

/// What follows the statement with which these tokens begin.
fn statement(tokens: &[Token]) -> &[Token] {
    let end = tokens
        .iter()
        .position(|token| token.is_punct(';') || token.group(Delimiter::Brace).is_some())
        .map_or(tokens.len(), |at| at + 1);
    &tokens[end..]
}

/// The name and the arguments of the macro that is called here as a statement or an item of its own, and what follows.
fn call(tokens: &[Token]) -> Option<(&Token, &[Token], &[Token])> {
    let path = |token: &&Token| token.word().is_some() || token.is_punct(':') || token.is_punct('$');
    let (before, after) = tokens.split_at(tokens.iter().take_while(path).count());
    let name = before.last().filter(|name| name.word().is_some())?;
    let [bang, Token { what: What::Group { delimiter, tokens: arguments }, .. }, rest @ ..] = after else {
        return None;
    };
    if !bang.is_punct('!') {
        return None;
    }
    let ended = *delimiter == Delimiter::Brace || rest.first().is_none_or(|next| next.is_punct(';'));
    ended.then_some((name, arguments.as_slice(), rest))
}

/// The keyword of the item that begins here, with its index. Modifiers stand before it.
fn keyword(tokens: &[Token]) -> Option<(Keyword, usize)> {
    let mut at = 0;
    loop {
        let (word, next) = (tokens.get(at)?, tokens.get(at + 1)?);
        // The name of an item may be the variable of a macro.
        let named = next.word().is_some() || next.is_punct('$');
        let What::Word { name: word, raw: false } = &word.what else { return None };
        let keyword = match word.as_str() {
            "fn" if named => Keyword::Fn,
            "struct" if named => Keyword::Struct,
            "enum" if named => Keyword::Enum,
            "union" if named => Keyword::Union,
            "trait" if named => Keyword::Trait,
            "type" if named => Keyword::Type,
            "mod" if named => Keyword::Mod,
            "use" => Keyword::Use,
            "impl" => Keyword::Impl { of_trait: false },
            "static" if named && !is_any(next, &["move", "async"]) => Keyword::Static,
            "macro_rules" if next.is_punct('!') => Keyword::MacroRules,
            "extern" if next.is_word("crate") => Keyword::ExternCrate,
            "extern" if next.group(Delimiter::Brace).is_some() => Keyword::ExternBlock,
            "extern" if matches!(next.what, What::Literal(_)) => {
                if tokens.get(at + 2)?.group(Delimiter::Brace).is_some() {
                    Keyword::ExternBlock
                } else {
                    at += 2;
                    continue;
                }
            }
            "const"
                if named && !is_any(next, &["fn", "unsafe", "async", "extern", "move", "impl", "trait"]) =>
            {
                Keyword::Const
            }
            "default" | "const" | "async" | "unsafe" | "safe" | "extern" | "auto" | "gen" => {
                at += 1;
                continue;
            }
            _ => return None,
        };
        return Some((keyword, at));
    }
}

fn is_any(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| token.is_word(word))
}

/// The name of the item whose keyword is the first of these tokens.
fn name(keyword: Keyword, tokens: &[Token]) -> Option<&Token> {
    let at = match keyword {
        Keyword::Impl { .. } | Keyword::ExternBlock | Keyword::Use => return None,
        Keyword::ExternCrate => match tokens {
            [_, _, _, word, ..] if word.is_word("as") => 4,
            _ => 2,
        },
        Keyword::MacroRules => 2,
        Keyword::Static if tokens.get(1)?.is_word("mut") => 2,
        _ => 1,
    };
    tokens.get(at).filter(|name| name.word().is_some_and(|word| word != "_"))
}

/// How many tokens an item takes, and its body. The keyword is at `at`.
fn extent(keyword: Keyword, tokens: &[Token], at: usize) -> Option<(usize, Option<&Token>)> {
    match keyword {
        Keyword::Const | Keyword::Static | Keyword::Type | Keyword::Use | Keyword::ExternCrate => {
            let semicolon = tokens.iter().position(|token| token.is_punct(';'));
            Some((semicolon.map_or(tokens.len(), |at| at + 1), None))
        }
        Keyword::MacroRules => {
            let group = tokens.get(at + 3)?;
            let semicolon = tokens.get(at + 4).is_some_and(|token| token.is_punct(';'));
            matches!(group.what, What::Group { .. }).then_some((at + 4 + usize::from(semicolon), Some(group)))
        }
        Keyword::Struct => Some(structure(tokens)),
        _ => braced(tokens),
    }
}

/// An item that ends with its braces, or with a semicolon before any.
fn braced(tokens: &[Token]) -> Option<(usize, Option<&Token>)> {
    let mut angles = Angles::default();
    for (at, token) in tokens.iter().enumerate() {
        let outside = angles.outside(token);
        if outside && token.group(Delimiter::Brace).is_some() {
            return Some((at + 1, Some(token)));
        }
        if outside && token.is_punct(';') {
            return Some((at + 1, None));
        }
    }
    None
}

/// A struct. Parentheses after `where` are those of a bound.
fn structure(tokens: &[Token]) -> (usize, Option<&Token>) {
    let mut angles = Angles::default();
    let mut fields = None;
    let mut bounds = false;
    for (at, token) in tokens.iter().enumerate() {
        if !angles.outside(token) {
            continue;
        }
        if token.is_punct(';') {
            return (at + 1, fields);
        }
        if token.group(Delimiter::Brace).is_some() && fields.is_none() {
            return (at + 1, Some(token));
        }
        bounds |= token.is_word("where");
        if token.group(Delimiter::Parenthesis).is_some() && !bounds {
            fields = Some(token);
        }
    }
    (tokens.len(), fields)
}

/// Whether an `impl` is that of a trait. `for<'a>` follows `dyn` or `+` where it is no trait's.
fn is_of_trait(tokens: &[Token]) -> bool {
    let mut angles = Angles::default();
    let mut before: Option<&Token> = None;
    for token in tokens {
        let outside = angles.outside(token);
        if outside && token.is_word("where") {
            return false;
        }
        let bound = before.is_some_and(|before| before.is_word("dyn") || before.is_punct('+'));
        if outside && token.is_word("for") && !bound {
            return true;
        }
        before = Some(token);
    }
    false
}
