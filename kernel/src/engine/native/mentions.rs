//! Which identifiers a piece of Rust mentions.

use super::tokens::{Token, What};
use proc_macro2::Literal;
use std::collections::BTreeSet;
use syn::Lit;

/// Words that name nothing that anybody could define, but as raw identifiers.
const KEYWORDS: [&str; 53] = [
    "Self", "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
    "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// Every identifier among these tokens, without `r#`: in groups, in macros, and in what may be a format string, which is any string among the
/// arguments of a macro.
pub(super) fn mentions(tokens: &[Token]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(tokens, false, &mut found);
    found
}

/// A name as it is to be written: `r#type` for `type`.
pub(super) fn spelled(name: &str) -> String {
    let never_raw = ["Self", "_", "crate", "self", "super"];
    if is_keyword(name) && !never_raw.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

/// Whether it is a keyword of this edition, or reserved.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.binary_search(&word).is_ok()
}

fn collect(tokens: &[Token], in_macro: bool, found: &mut BTreeSet<String>) {
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        match &token.what {
            What::Word { .. } if before.is_some_and(|before| before.is_punct('\'')) => {}
            What::Word { name, raw } => {
                if *raw || !is_keyword(name) {
                    found.insert(name.clone());
                }
            }
            What::Group { tokens: inner, .. } => {
                collect(inner, in_macro || is_invoked(&tokens[..at]), found);
            }
            What::Literal(literal) if in_macro => captured(literal, found),
            What::Literal(_) | What::Punct { .. } | What::Comment { .. } => {}
        }
    }
}

/// Whether the group that follows these tokens holds the arguments of a macro or its rules.
fn is_invoked(before: &[Token]) -> bool {
    match before {
        [.., name, bang] if bang.is_punct('!') => name.word().is_some(),
        [.., rules, bang, _] => rules.is_word("macro_rules") && bang.is_punct('!'),
        _ => false,
    }
}

/// The identifiers that a format string captures.
fn captured(literal: &Literal, found: &mut BTreeSet<String>) {
    let Lit::Str(string) = Lit::new(literal.clone()) else { return };
    let value = string.value();
    let mut rest = value.as_str();
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(close) = rest.find('}') else { return };
        placeholder(&rest[..close], found);
        rest = &rest[close + 1..];
    }
}

/// `name:spec`, where width and precision in the specification may be names with a dollar sign.
fn placeholder(text: &str, found: &mut BTreeSet<String>) {
    let (argument, spec) = text.split_once(':').unwrap_or((text, ""));
    let parts = spec.split('$').rev().skip(1);
    let names = parts.map(|part| part.rsplit(|c: char| !is_continued(c)).next().unwrap_or_default());
    // `{:08$}` is no name; `{:0width$}` has the flag before it.
    let names = names.map(|name| name.trim_start_matches(|c: char| c.is_ascii_digit()));
    for word in names.chain([argument.trim()]) {
        let name = word.strip_prefix("r#").unwrap_or(word);
        let raw = name.len() < word.len();
        if name.starts_with(is_begun) && name.chars().all(is_continued) && (raw || !is_keyword(name)) {
            found.insert(name.to_owned());
        }
    }
}

fn is_begun(c: char) -> bool {
    is_continued(c) && !c.is_ascii_digit()
}

/// More than identifiers have: a name too many does no harm, a name that is missed does.
fn is_continued(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || !(c.is_ascii() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::{KEYWORDS, is_keyword, spelled};

    #[test]
    fn a_name_is_spelled_raw_only_where_it_must_be() {
        assert!(KEYWORDS.is_sorted());
        assert!(KEYWORDS.iter().all(|word| is_keyword(word)));
        let check = |name: &str, expected: &str| assert_eq!(spelled(name), expected);
        check("type", "r#type");
        check("gen", "r#gen");
        check("union", "union");
        check("größe", "größe");
        check("self", "self");
    }
}
