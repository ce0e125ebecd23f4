//! `macro_rules!`: its rules, and whether it stands for items.

use super::items::{self, Element, Variables};
use super::tokens::{Token, What};

/// A rule of a macro.
#[derive(Debug)]
pub(super) struct Rule<'t> {
    pub(super) matcher: &'t [Token],
    pub(super) variables: Variables,
    /// What it expands to.
    pub(super) transcriber: &'t [Token],
}

/// The rules in the body of a `macro_rules!`. Those behind something that is no rule are left out.
pub(super) fn rules(body: &Token) -> Vec<Rule<'_>> {
    let What::Group { tokens, .. } = &body.what else { return Vec::new() };
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let [matcher, equals, greater, transcriber, after @ ..] = rest {
        let (What::Group { tokens: matcher, .. }, What::Group { tokens: transcriber, .. }) =
            (&matcher.what, &transcriber.what)
        else {
            break;
        };
        if !equals.is_punct('=') || !greater.is_punct('>') {
            break;
        }
        let mut variables = Variables::new();
        declared(matcher, &mut variables);
        found.push(Rule { matcher, variables, transcriber });
        rest = match after {
            [semicolon, after @ ..] if semicolon.is_punct(';') => after,
            after => after,
        };
    }
    found
}

/// Whether the macro `name` with this body expands to items and to nothing else. `stands_for_items` knows other macros.
///
/// A rule that calls only the macro itself, or expands to nothing, says neither. A rule that begins with `@` is called by other rules: it counts
/// only where it has items.
pub(super) fn expands_to_items(name: &str, body: &Token, stands_for_items: &dyn Fn(&str) -> bool) -> bool {
    let mut found = Shape::Nothing;
    for rule in rules(body) {
        let shape = shape(rule.transcriber, &rule.variables, name, stands_for_items);
        let internal = rule.matcher.first().is_some_and(|token| token.is_punct('@'));
        found = match (found, shape) {
            (found, Shape::Other) if internal => found,
            (found, shape) => found.and(shape),
        };
    }
    found == Shape::Items
}

/// What a row of tokens expands to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing, or something that is not known here.
    Nothing,
    Items,
    Other,
}

impl Shape {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Other, _) | (_, Self::Other) => Self::Other,
            (Self::Items, _) | (_, Self::Items) => Self::Items,
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }
}

fn shape(
    tokens: &[Token],
    variables: &Variables,
    itself: &str,
    stands_for_items: &dyn Fn(&str) -> bool,
) -> Shape {
    let of = |element: &Element<'_>| match element {
        Element::Item(_) => Shape::Items,
        Element::Repetition(inner) => shape(inner, variables, itself, stands_for_items),
        Element::Variable(name) => match variables.get(*name).map(String::as_str) {
            Some("item") => Shape::Items,
            Some("tt") => Shape::Nothing,
            _ => Shape::Other,
        },
        Element::Call { name } => match name.word() {
            Some(name) if name == itself => Shape::Nothing,
            Some(name) if stands_for_items(name) => Shape::Items,
            _ => Shape::Other,
        },
        Element::Other => Shape::Other,
    };
    items::elements(tokens, variables).iter().map(of).fold(Shape::Nothing, Shape::and)
}

/// `$name:specifier`, in repetitions as well.
fn declared(matcher: &[Token], variables: &mut Variables) {
    for (at, token) in matcher.iter().enumerate() {
        if let What::Group { tokens, .. } = &token.what {
            declared(tokens, variables);
        }
        let [dollar, name, colon, specifier, ..] = &matcher[at..] else { continue };
        if let (true, Some(name), true, Some(specifier)) =
            (dollar.is_punct('$'), name.word(), colon.is_punct(':'), specifier.word())
        {
            variables.insert(name.to_owned(), specifier.to_owned());
        }
    }
}
