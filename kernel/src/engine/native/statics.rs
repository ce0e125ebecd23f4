//! The statics of an item. A crate that is built again under its identity must not have them a second time: the first library that has one defines it under a
//! symbol of ours, and every later one declares it. So code changes and state stays.

use super::items::{self, Element, Item, Keyword, Variables};
use super::source::Edit;
use super::tokens::{Token, What, written};
use proc_macro2::Delimiter;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A static, or a key of `thread_local!`, wherever in an item it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Static {
    /// The functions and modules around it, and its name: the same in every version of the item.
    pub(super) key: String,
    /// Its type and its initialiser.
    pub(super) value: String,
    /// The identifiers in its type.
    pub(super) mentions: BTreeSet<String>,
    name: String,
    mutable: bool,
    /// Its type, on one line, with the lifetimes that a static may leave out and a declaration may not.
    of_type: String,
    /// From its attributes to its semicolon.
    whole: Range<usize>,
    place: Place,
}

/// Where text of ours can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Before the visibility of a static.
    Before(usize),
    /// Behind the `thread_local!` in which it is.
    Behind(usize),
}

/// The statics of the item that these tokens of a text are.
pub(super) fn statics(tokens: &[Token], text: &str) -> Vec<Static> {
    let mut search = Search { text, found: Vec::new() };
    search.all(tokens, "");
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for found in &mut search.found {
        let count = seen.entry(found.key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            found.key = format!("{} {count}", found.key);
        }
    }
    search.found
}

struct Search<'a> {
    text: &'a str,
    found: Vec<Static>,
}

impl Search<'_> {
    fn all(&mut self, tokens: &[Token], path: &str) {
        // What the next braces belong to.
        let mut head = String::new();
        for (at, token) in tokens.iter().enumerate() {
            let before = &tokens[..at];
            // `'static` is a lifetime.
            if token.is_word("static") && !before.last().is_some_and(|before| before.is_punct('\'')) {
                self.plain(tokens, at, path);
            }
            match &token.what {
                What::Group { .. } if defines_macro(before) => {}
                What::Group { tokens: inner, .. } if matches!(before, [.., name, bang] if bang.is_punct('!') && name.is_word("thread_local")) =>
                {
                    self.thread_local(inner, token, tokens.get(at + 1), path);
                }
                What::Group { .. } if is_called(before) => {}
                What::Group { delimiter, tokens: inner } => {
                    self.all(inner, &format!("{path}{head}/"));
                    if *delimiter == Delimiter::Brace {
                        head.clear();
                    }
                }
                What::Word { name, raw: false }
                    if matches!(name.as_str(), "fn" | "mod" | "trait" | "impl") =>
                {
                    let rest = &tokens[at..];
                    let end = rest.iter().position(|token| matches!(token.what, What::Group { .. }));
                    head = written(&rest[..end.unwrap_or(rest.len())], self.text);
                }
                _ => {}
            }
        }
    }

    /// `static NAME: TYPE = …;` whose keyword is at `at`.
    fn plain(&mut self, tokens: &[Token], at: usize, path: &str) {
        let start = start(tokens, at);
        let Some((item, _)) = items::item(&tokens[start..], &Variables::new()) else { return };
        let is_own = item.attributes.iter().any(|token| {
            contains(token, &["no_mangle", "export_name", "link_section", "thread_local", "used"])
        });
        let Some(visible) = tokens[start + item.attributes.len()..].first() else { return };
        if item.keyword == Keyword::Static && !is_own {
            self.push(&item, path, Place::Before(visible.range.start));
        }
    }

    fn thread_local(&mut self, inner: &[Token], group: &Token, next: Option<&Token>, path: &str) {
        let end = next.filter(|next| next.is_punct(';')).unwrap_or(group).range.end;
        for element in items::elements(inner, &Variables::new()) {
            if let Element::Item(item) = element
                && item.keyword == Keyword::Static
            {
                self.push(&item, path, Place::Behind(end));
            }
        }
    }

    fn push(&mut self, item: &Item<'_>, path: &str, place: Place) {
        let tokens = item.tokens;
        let colon = tokens.iter().position(|token| token.is_punct(':'));
        let equals = tokens.iter().position(|token| token.is_punct('='));
        let (Some(colon), Some(name)) = (colon, item.name.and_then(Token::word)) else { return };
        let end = equals.unwrap_or(tokens.len());
        let (Some(of_type), Some(last)) = (tokens.get(colon + 1..end), tokens.last()) else { return };
        let (Some(first), Some(before)) = (of_type.first(), of_type.last()) else { return };
        let begin = match (item.attributes.first(), &place) {
            (Some(attribute), _) => attribute.range.start,
            (None, Place::Before(visible)) => *visible,
            (None, Place::Behind(_)) => match item.visibility {
                items::Visibility::Restricted(written, _) => {
                    written.first().map_or(0, |token| token.range.start)
                }
                _ => self.visible(tokens.first().map_or(0, |token| token.range.start)),
            },
        };
        self.found.push(Static {
            key: format!("{path}{name}"),
            value: written(&tokens[colon..], self.text),
            mentions: super::mentions::mentions(of_type),
            name: name.to_owned(),
            mutable: tokens.get(1).is_some_and(|word| word.is_word("mut")),
            of_type: one_line(&self.with_lifetimes(of_type, first.range.start..before.range.end)),
            whole: begin..last.range.end,
            place,
        });
    }

    /// A type with `'static` behind each `&` that has no lifetime, but for those of a function's parameters.
    fn with_lifetimes(&self, tokens: &[Token], range: Range<usize>) -> String {
        let mut places = Vec::new();
        references(tokens, &mut places);
        let mut text = self.text[range.clone()].to_owned();
        places.iter().rev().for_each(|place| text.insert_str(place - range.start, "'static "));
        text
    }

    /// Where `pub` stands before this byte, or the byte.
    fn visible(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or_default().trim_end();
        if before.ends_with("pub") { before.len() - "pub".len() } else { byte }
    }
}

/// The index at which an item begins whose keyword is at `at`: visibility and attributes stand before.
fn start(tokens: &[Token], at: usize) -> usize {
    let mut start = match &tokens[..at] {
        [.., word, group] if word.is_word("pub") && group.group(Delimiter::Parenthesis).is_some() => at - 2,
        [.., word] if word.is_word("pub") => at - 1,
        _ => at,
    };
    loop {
        start -= match &tokens[..start] {
            [.., comment] if matches!(comment.what, What::Comment { inner: false }) => 1,
            [.., hash, group] if hash.is_punct('#') && group.group(Delimiter::Bracket).is_some() => 2,
            _ => return start,
        };
    }
}

/// Where a lifetime is left out behind `&`.
fn references(tokens: &[Token], places: &mut Vec<usize>) {
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        // What a function returns by reference comes from its parameters.
        let returned =
            matches!(&tokens[..at], [.., dash, arrow] if dash.is_punct('-') && arrow.is_punct('>'));
        if token.is_punct('&') && !returned && next.is_none_or(|next| !next.is_punct('\'')) {
            places.push(token.range.end);
        }
        let of_function = at > 0 && tokens[at - 1].word().is_some();
        match &token.what {
            What::Group { delimiter: Delimiter::Parenthesis, .. } if of_function => {}
            What::Group { tokens, .. } => references(tokens, places),
            _ => {}
        }
    }
}

fn contains(token: &Token, words: &[&str]) -> bool {
    match &token.what {
        What::Word { name, .. } => words.contains(&name.as_str()),
        What::Group { tokens, .. } => tokens.iter().any(|token| contains(token, words)),
        _ => false,
    }
}

/// Whether the group behind these tokens holds the arguments of a macro.
fn is_called(before: &[Token]) -> bool {
    matches!(before, [.., name, bang] if bang.is_punct('!') && name.word().is_some_and(|word| !super::mentions::is_keyword(word)))
}

/// Whether it holds the rules of one.
fn defines_macro(before: &[Token]) -> bool {
    matches!(before, [.., rules, bang, _] if bang.is_punct('!') && rules.is_word("macro_rules"))
}

impl Static {
    /// What makes the item define it under this symbol.
    pub(super) fn define(&self, symbol: &str) -> Vec<Edit> {
        let export = format!("#[unsafe(export_name = \"{symbol}\")] ");
        vec![match self.place {
            Place::Before(at) => Edit { range: at..at, text: export },
            Place::Behind(at) => {
                let (name, of_type) = (&self.name, &self.of_type);
                let own = format!(
                    " #[doc(hidden)] {export}pub static ASSAY_KEY_{name}: ::std::thread::LocalKey<{of_type}> = {name};"
                );
                Edit { range: at..at, text: own }
            }
        }]
    }

    /// What makes the item use the one that has this symbol.
    pub(super) fn declare(&self, text: &str, symbol: &str) -> Vec<Edit> {
        let (name, of_type) = (super::mentions::spelled(&self.name), &self.of_type);
        let breaks: String = text[self.whole.clone()].chars().filter(|&c| c == '\n').collect();
        let link = format!("unsafe extern \"Rust\" {{ #[link_name = \"{symbol}\"] pub");
        match self.place {
            Place::Before(_) => {
                let sort = if self.mutable { "static mut" } else { "safe static" };
                let text = format!("{link} {sort} {name}: {of_type}; }}{breaks}");
                vec![Edit { range: self.whole.clone(), text }]
            }
            Place::Behind(at) => {
                let text = format!(" {link} safe static {name}: ::std::thread::LocalKey<{of_type}>; }}");
                vec![Edit { range: self.whole.clone(), text: breaks }, Edit { range: at..at, text }]
            }
        }
    }
}

/// What stands within our own text may not move the lines of the user's.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Puts edits together: those within what another one takes away go with it.
pub(super) fn merged(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    // What makes something public takes nothing away.
    let takes = |edit: &&Edit| !edit.range.is_empty() && !edit.text.starts_with("pub");
    let taken: Vec<Range<usize>> = edits.iter().filter(takes).map(|edit| edit.range.clone()).collect();
    edits.retain(|edit| {
        !taken.iter().any(|range| {
            *range != edit.range
                && range.start <= edit.range.start
                && edit.range.end <= range.end
                && edit.range.start < range.end
        })
    });
    edits
}

#[cfg(test)]
mod tests {
    use super::{Static, merged, statics};
    use crate::engine::native::source::{Edit, Source};
    use crate::engine::native::tokens;

    fn of(text: &str) -> Vec<Static> {
        tokens::read(text, |_, tokens| Some(statics(tokens, text))).unwrap()
    }

    fn edited(text: &str, edit: impl Fn(&Static) -> Vec<Edit>) -> String {
        let mut source = Source::default();
        let edits = merged(of(text).iter().flat_map(edit).collect());
        source.edited(&Source::of_cell(1, text, &[]), 0..text.len(), &edits);
        source.text().to_owned()
    }

    #[test]
    fn every_static_has_a_key() {
        let keys = |text: &str| of(text).into_iter().map(|one| one.key).collect::<Vec<_>>();
        assert_eq!(keys("static A: u8 = 1;"), ["A"]);
        assert_eq!(keys("fn f() -> &'static u8 { static A: u8 = 1; &A }"), ["fn f /A"]);
        assert_eq!(
            keys(
                "mod m { pub static mut A: u8 = 1; impl P { fn f() { { static A: u8 = 1; } static A: u8 = 2; } } }"
            ),
            ["mod m /A", "mod m /impl P /fn f //A", "mod m /impl P /fn f /A"]
        );
        assert_eq!(
            keys("fn f() { { static A: u8 = 1; } { static A: u8 = 2; } }"),
            ["fn f //A", "fn f //A 2"]
        );
        assert_eq!(keys("thread_local! { pub static A: u8 = 1; static B: u8 = const { 2 }; }"), ["A", "B"]);
        assert!(keys("struct P { a: &'static str, b: u8 } fn f(a: &'static str, b: u8) { let c: &'static str = a; }").is_empty());
        assert!(keys("macro_rules! m { () => { static A: u8 = 1; } }").is_empty());
        assert!(keys("m! { static A: u8 = 1; }").is_empty());
        assert!(keys("extern \"C\" { static A: u8; }").len() <= 1);
        assert!(keys("#[unsafe(no_mangle)] static A: u8 = 1;").is_empty());
    }

    #[test]
    fn the_first_library_defines_and_the_next_declare() {
        let define = |text: &str| edited(text, |one| one.define("s"));
        let declare = |text: &str| edited(text, |one| one.declare(text, "s"));
        let text = "/// d\npub static A: Mutex<u8> =\n Mutex::new(1);";
        assert_eq!(
            define(text),
            "/// d\n#[unsafe(export_name = \"s\")] pub static A: Mutex<u8> =\n Mutex::new(1);"
        );
        assert_eq!(
            declare(text),
            "unsafe extern \"Rust\" { #[link_name = \"s\"] pub safe static A: Mutex<u8>; }\n\n"
        );
        assert_eq!(
            declare("static A: (&str, &'static [&u8], fn(&u8) -> &u8) = x;"),
            "unsafe extern \"Rust\" { #[link_name = \"s\"] pub safe static A: (&'static str, &'static [&'static u8], fn(&u8) -> &u8); }"
        );
        let text = "thread_local! {\n pub static A: u8 = 1;\n}";
        assert_eq!(
            define(text),
            "thread_local! {\n pub static A: u8 = 1;\n} #[doc(hidden)] #[unsafe(export_name = \"s\")] pub static ASSAY_KEY_A: ::std::thread::LocalKey<u8> = A;"
        );
        assert_eq!(
            declare(text),
            "thread_local! {\n \n} unsafe extern \"Rust\" { #[link_name = \"s\"] pub safe static A: ::std::thread::LocalKey<u8>; }"
        );
        assert_eq!(
            declare("static mut A: u8 = 1;"),
            "unsafe extern \"Rust\" { #[link_name = \"s\"] pub static mut A: u8; }"
        );
    }
}
