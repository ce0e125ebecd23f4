//! The edits that make public what a cell defines, so that later cells, which are crates of their own, can use it.

use super::items::{self, Element, Item, Keyword, Variables, Visibility};
use super::macros;
use super::source::Edit;
use super::tokens::{Angles, Token};
use proc_macro2::Delimiter;

/// Makes the item with which these tokens begin public, and all of it that later cells may use. The edits are in order.
pub(super) fn item(item: &Item<'_>) -> Vec<Edit> {
    let mut publisher = Publisher::default();
    publisher.item(item, Place::Cell);
    publisher.edits
}

/// Makes the statics or types public that a well-known macro defines with these arguments: `thread_local!`, `bitflags!`.
pub(super) fn arguments(tokens: &[Token]) -> Vec<Edit> {
    let mut publisher = Publisher::default();
    for element in items::elements(tokens, &Variables::new()) {
        // `struct Flags: u32 { const A = 1; }` has no fields, so nothing within it is touched.
        if let Element::Item(Item {
            keyword: Keyword::Static | Keyword::Struct, visibility, tokens, ..
        }) = element
        {
            publisher.visibility(visibility, tokens, Place::Cell);
        }
    }
    publisher.edits
}

/// Where an item stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the cell or in what a macro expands to there: everything becomes public.
    Cell,
    /// In so many modules of the user's: they keep their privacy, but what reaches the whole notebook reaches all of its crates.
    Module(usize),
}

#[derive(Debug, Default)]
struct Publisher {
    /// In order, since the tokens are gone through in order.
    edits: Vec<Edit>,
    /// Of the macro's rule that is gone through.
    variables: Variables,
}

impl Publisher {
    fn items(&mut self, tokens: &[Token], place: Place) {
        let elements = items::elements(tokens, &self.variables);
        let local_macros: Vec<&str> = elements.iter().filter_map(defined_macro).collect();
        for element in &elements {
            match element {
                // A macro without `#[macro_export]` can be shared within its crate, and not beyond.
                Element::Item(Item { keyword: Keyword::Use, tokens, .. })
                    if tokens_name(tokens, &local_macros) => {}
                Element::Item(item) => self.item(item, place),
                Element::Repetition(inner) => self.items(inner, place),
                Element::Variable(_) | Element::Call { .. } | Element::Other => {}
            }
        }
    }

    fn item(&mut self, item: &Item<'_>, place: Place) {
        match (item.keyword, place) {
            (Keyword::MacroRules, Place::Cell) => return self.macro_rules(item),
            (Keyword::MacroRules, Place::Module(_)) => return,
            // A `use` binds a name for its own cell: the engine declares it again where it is needed.
            (Keyword::Use, Place::Cell) => return,
            // `pub const _` is a warning.
            (Keyword::Const, _) if item.tokens.get(1).is_some_and(|name| name.is_word("_")) => return,
            (Keyword::Impl { .. } | Keyword::ExternBlock, _) => {}
            _ => self.visibility(item.visibility, item.tokens, place),
        }
        self.body(item, place);
    }

    fn body(&mut self, item: &Item<'_>, place: Place) {
        let Some(body) = item.body else { return };
        let braces = body.group(Delimiter::Brace).unwrap_or_default();
        match (item.keyword, place) {
            (Keyword::Struct | Keyword::Union, _) => match body.group(Delimiter::Parenthesis) {
                Some(fields) => self.tuple_fields(fields, place),
                None => self.named_fields(braces, place),
            },
            (Keyword::Impl { of_trait: false } | Keyword::ExternBlock, _) => self.items(braces, place),
            (Keyword::Mod, Place::Cell) => self.items(braces, Place::Module(1)),
            (Keyword::Mod, Place::Module(depth)) => self.items(braces, Place::Module(depth + 1)),
            _ => {}
        }
    }

    /// `#[macro_export]` in front of it, and what it expands to.
    fn macro_rules(&mut self, item: &Item<'_>) {
        if !tokens_name(item.attributes, &["macro_export"]) {
            self.insert(item.tokens, "#[macro_export] ");
        }
        for rule in item.body.map(macros::rules).unwrap_or_default() {
            self.variables = rule.variables;
            self.items(rule.transcriber, Place::Cell);
        }
        self.variables = Variables::new();
    }

    /// `name: type` and what stands before, separated by commas.
    fn named_fields(&mut self, tokens: &[Token], place: Place) {
        for field in fields(tokens) {
            let rest = &field[items::attributes(field)..];
            if let Some((inner, _)) = items::repetition(rest) {
                self.named_fields(inner, place);
                continue;
            }
            let (visibility, rest) = items::visibility(rest, &self.variables);
            let name = usize::from(rest.first().is_some_and(|token| token.is_punct('$'))) + 1;
            // Without a colon it is no field but something that only the call of a macro knows.
            if rest.get(name).is_some_and(|token| token.is_punct(':')) {
                self.visibility(visibility, rest, place);
            }
        }
    }

    /// Types and what stands before, separated by commas.
    fn tuple_fields(&mut self, tokens: &[Token], place: Place) {
        for field in fields(tokens) {
            let rest = &field[items::attributes(field)..];
            if let Some((inner, length)) = items::repetition(rest) {
                // `$($token)*` makes up one field or more, nobody knows where each begins.
                if rest[..length].iter().any(|token| token.is_punct(',')) || fields(inner).len() > 1 {
                    self.tuple_fields(inner, place);
                }
                continue;
            }
            let (visibility, rest) = items::visibility(rest, &self.variables);
            if !rest.is_empty() {
                self.visibility(visibility, rest, place);
            }
        }
    }

    /// What makes something public that is declared so visible; `tokens` are what follows its visibility.
    fn visibility(&mut self, visibility: Visibility<'_>, tokens: &[Token], place: Place) {
        match (visibility, place) {
            (Visibility::Inherited, Place::Cell) => self.insert(tokens, "pub "),
            (Visibility::Restricted(written, _) | Visibility::Variable(written), Place::Cell) => {
                self.replace(written, tokens);
            }
            (Visibility::Restricted(written, to), Place::Module(depth)) if reaches_cell(to, depth) => {
                self.replace(written, tokens);
            }
            _ => {}
        }
    }

    fn insert(&mut self, before: &[Token], text: &str) {
        if let Some(first) = before.first() {
            let at = first.range.start;
            self.edits.push(Edit { range: at..at, text: text.to_owned() });
        }
    }

    /// Puts `pub` in the place of a visibility.
    fn replace(&mut self, written: &[Token], after: &[Token]) {
        let (Some(first), Some(last)) = (written.first(), written.last()) else { return };
        let range = first.range.start..last.range.end;
        let touches = after.first().is_some_and(|next| next.range.start == range.end);
        self.edits.push(Edit { range, text: if touches { "pub " } else { "pub" }.to_owned() });
    }
}

/// Whether what is visible in `pub(…)` in so many modules is visible in the whole cell.
fn reaches_cell(to: &[Token], depth: usize) -> bool {
    let path: Vec<&Token> = to.iter().filter(|token| !token.is_punct(':') && !token.is_word("in")).collect();
    match path.as_slice() {
        [root] if root.is_word("crate") => true,
        path => path.len() == depth && path.iter().all(|token| token.is_word("super")),
    }
}

fn defined_macro<'t>(element: &Element<'t>) -> Option<&'t str> {
    match element {
        Element::Item(Item { keyword: Keyword::MacroRules, name, .. }) => (*name)?.word(),
        _ => None,
    }
}

/// Whether one of these words is among the tokens or in their groups.
fn tokens_name(tokens: &[Token], words: &[&str]) -> bool {
    super::mentions::mentions(tokens).iter().any(|word| words.contains(&word.as_str()))
}

/// What is separated by commas outside of angle brackets, a repetition whose separator the comma is being one piece.
fn fields(tokens: &[Token]) -> Vec<&[Token]> {
    let mut found = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let attributes = items::attributes(rest);
        let repeated = items::repetition(&rest[attributes..]).map_or(0, |(_, length)| length);
        let begun = attributes + repeated;
        let mut angles = Angles::default();
        let comma = rest[begun..].iter().position(|token| angles.outside(token) && token.is_punct(','));
        let end = match comma {
            // What follows a repetition directly is a field of its own.
            _ if repeated > 0 => begun,
            Some(comma) => begun + comma,
            None => rest.len(),
        };
        found.push(&rest[..end]);
        rest = &rest[end..];
        if rest.first().is_some_and(|token| token.is_punct(',')) {
            rest = &rest[1..];
        }
    }
    found
}
