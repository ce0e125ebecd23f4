//! Types as rustc prints them in MIR, and as a later cell has to write them.

use super::super::dependencies::CRATES;
use std::collections::BTreeSet;

/// What paths in a printed type begin with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'a> {
    /// The crate in which it was printed: its own paths have no crate in front.
    pub(super) crate_name: &'a str,
    /// Other crates, besides those of the standard library.
    pub(super) externs: &'a BTreeSet<String>,
}

/// The crates that every crate may name.
const STANDARD: [&str; 3] = ["std", "core", "alloc"];

/// Words that can stand in a type where a path could begin, and are none.
const WORDS: [&str; 37] = [
    "_", "as", "async", "bool", "char", "const", "crate", "dyn", "extern", "f128", "f16", "f32", "f64",
    "false", "fn", "for", "i128", "i16", "i32", "i64", "i8", "impl", "isize", "mut", "safe", "self",
    "static", "str", "true", "u128", "u16", "u32", "u64", "u8", "unsafe", "usize", "where",
];

impl Paths<'_> {
    /// The type as another crate can write it: with whole paths, and brackets around `dyn A + B` behind a pointer.
    pub(super) fn rewrite(&self, printed: &str) -> String {
        let mut text = String::with_capacity(printed.len() + 32);
        let mut rest = printed;
        while let Some(first) = rest.chars().next() {
            let length = token(rest);
            let (piece, after) = rest.split_at(length);
            if is_start(first) && piece != CRATES && self.is_local(&text, piece, after) {
                text.push_str(self.crate_name);
                text.push_str("::");
            }
            text.push_str(piece);
            rest = after;
        }
        atomics(&bracketed(&text))
    }

    /// Whether an identifier begins a path of the crate's own.
    fn is_local(&self, before: &str, name: &str, after: &str) -> bool {
        let begins = !before.ends_with("::") && !after.starts_with(" = ");
        let is_crate = after.starts_with("::") && (STANDARD.contains(&name) || self.externs.contains(name));
        begins && !is_crate && !WORDS.contains(&name)
    }
}

/// The length of what a text begins with: an identifier, a lifetime, a number, a string, a character or a single sign.
fn token(text: &str) -> usize {
    let Some(first) = text.chars().next() else { return 0 };
    let word = |text: &str| text.find(|next| !is_inside(next)).unwrap_or(text.len());
    match first {
        '"' => string(text),
        '\'' => match character(text) {
            Some(length) => length,
            None => 1 + word(&text[1..]),
        },
        'r' if text.starts_with("r#") => 2 + word(&text[2..]),
        _ if is_inside(first) => word(text),
        _ => first.len_utf8(),
    }
}

fn is_start(first: char) -> bool {
    is_inside(first) && !first.is_ascii_digit()
}

fn is_inside(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}

/// The length of the string that a text begins with.
fn string(text: &str) -> usize {
    let mut escaped = true;
    for (at, one) in text.char_indices() {
        if one == '"' && !escaped {
            return at + 1;
        }
        // The opening mark counts as escaped.
        escaped = one == '\\' && !escaped;
    }
    text.len()
}

/// The length of the character that a text with a `'` in front begins with, if it is not a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut inside = text[1..].char_indices();
    let (_, one) = inside.next()?;
    if one == '\\' {
        let (_, _) = inside.next()?;
        return inside.find(|(_, one)| *one == '\'').map(|(at, _)| at + 2);
    }
    inside.next().filter(|(_, next)| *next == '\'').map(|(at, _)| at + 2)
}

/// The end of the group of brackets, of any kind, that a text begins with.
pub(super) fn closing(text: &str) -> Option<usize> {
    text.starts_with(['<', '(', '[', '{']).then_some(())?;
    let mut depth = 0_usize;
    for (at, piece) in pieces(text) {
        match piece {
            "<" | "(" | "[" | "{" => depth += 1,
            ">" | ")" | "]" | "}" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + piece.len());
        }
    }
    None
}

/// What commas outside of all brackets separate.
pub(super) fn arguments(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = until(rest, &[","]);
        all.push(rest[..end].trim());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    all
}

/// Where the first of `signs` outside of all brackets stands, or a bracket that was opened before; else the end.
pub(super) fn until(text: &str, signs: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (at, piece) in pieces(text) {
        match piece {
            sign if depth == 0 && signs.contains(&sign) => return at,
            "<" | "(" | "[" | "{" => depth += 1,
            ">" | ")" | "]" | "}" if depth == 0 => return at,
            ">" | ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The tokens of a text with their places; `->` is one.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let length = if rest.starts_with("->") { 2 } else { token(rest) };
        let piece = (at, &rest[..length]);
        at += length;
        (length > 0).then_some(piece)
    })
}

/// Whether there is something in a type that has no name: `{closure@…}`, `{async block@…}`, a function item, `impl Trait`.
pub(super) fn nameless(printed: &str) -> bool {
    pieces(printed).any(|(_, piece)| piece == "{" || piece == "impl")
}

/// Whether `!` is in a type elsewhere than as what a function returns: nobody may write it there.
pub(super) fn has_never(printed: &str) -> bool {
    pieces(printed).any(|(at, piece)| piece == "!" && !printed[..at].trim_end().ends_with("->"))
}

/// The type of the pointer that holds a function item: `fn(i32) -> i32` of `fn(i32) -> i32 {add}`.
pub(super) fn function_item(printed: &str) -> Option<&str> {
    let (pointer, name) = printed.split_at(until(printed, &["{"]));
    // `for<'a>`, `unsafe`, `extern "C"`.
    let begins = pieces(pointer).find(|(_, piece)| {
        !matches!(*piece, "for" | "<" | ">" | "," | " " | "unsafe" | "extern")
            && !piece.starts_with(['\'', '"'])
    });
    let is_function = begins.is_some_and(|(_, piece)| piece == "fn");
    (is_function && closing(name) == Some(name.len())).then_some(pointer.trim_end())
}

/// In rustc 1.97 the atomics are one generic type, whose name is not stable: `AtomicU8` for `Atomic<u8>`.
fn atomics(text: &str) -> String {
    const GENERIC: &str = "std::sync::atomic::Atomic<";
    let mut all = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(GENERIC) {
        let end = until(after, &[]);
        let inside = &after[..end];
        all.push_str(before);
        all.push_str("std::sync::atomic::Atomic");
        match inside.strip_prefix("*mut ") {
            Some(pointed) => all.push_str(&format!("Ptr<{}>", atomics(pointed))),
            None => {
                let mut name = inside.chars();
                all.extend(name.next().map(|first| first.to_ascii_uppercase()));
                all.push_str(name.as_str());
            }
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    all + rest
}

/// `&dyn A + B` is not understood where it is written: `&(dyn A + B)`.
fn bracketed(text: &str) -> String {
    let mut all = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(start) = object(rest) {
        let end = start + until(&rest[start..], &[",", ";"]);
        let bounds = &rest[start..end];
        all.push_str(&rest[..start]);
        if until(bounds, &["+"]) < bounds.len() {
            all.push_str(&format!("({})", bracketed(bounds)));
        } else {
            all.push_str(&bracketed(bounds));
        }
        rest = &rest[end..];
    }
    all + rest
}

/// Where the first `dyn` right behind a pointer stands.
fn object(text: &str) -> Option<usize> {
    text.match_indices("dyn ").map(|(at, _)| at).find(|at| {
        let before = &text[..*at];
        if before.ends_with("*const ") || before.ends_with("*mut ") {
            return true;
        }
        let before = before.strip_suffix("mut ").unwrap_or(before);
        let lifetime = before.rsplit_once('&').map(|(_, lifetime)| lifetime);
        lifetime.is_some_and(|lifetime| lifetime.is_empty() || token(lifetime) + 1 == lifetime.len())
    })
}

#[cfg(test)]
mod tests {
    use super::{Paths, arguments, closing, function_item, nameless};
    use std::collections::BTreeSet;

    #[test]
    fn own_paths_get_their_crate() {
        let externs = BTreeSet::from(["regex".to_owned(), "cell_1".to_owned()]);
        let paths = Paths { crate_name: "cell_3", externs: &externs };
        let check = |printed: &str, expected: &str| assert_eq!(paths.rewrite(printed), expected);
        check("u8", "u8");
        check("P", "cell_3::P");
        check("shapes::deep::P<u8>", "cell_3::shapes::deep::P<u8>");
        check("std::vec::Vec<P>", "std::vec::Vec<cell_3::P>");
        check("(u8, P, &str, ())", "(u8, cell_3::P, &str, ())");
        check("[[P; 3]; 2]", "[[cell_3::P; 3]; 2]");
        check("Flag<true, 'x', '\\'', -3, 4_usize>", "cell_3::Flag<true, 'x', '\\'', -3, 4_usize>");
        check("regex::Regex", "regex::Regex");
        check("cell_1::P<'_, P>", "cell_1::P<'_, cell_3::P>");
        check("regex", "cell_3::regex");
        check("r#type::r#Match", "cell_3::r#type::r#Match");
        check("größe::Länge", "cell_3::größe::Länge");
        check(
            "Box<dyn Tr<Item = P, Other = u8>>",
            "cell_3::Box<dyn cell_3::Tr<Item = cell_3::P, Other = u8>>",
        );
        check(
            "for<'a> unsafe extern \"C\" fn(&'a P, ...) -> *const P",
            "for<'a> unsafe extern \"C\" fn(&'a cell_3::P, ...) -> *const cell_3::P",
        );
        check(
            "dyn for<'a> std::ops::Fn(&'a mut P) -> P + std::marker::Send",
            "dyn for<'a> std::ops::Fn(&'a mut cell_3::P) -> cell_3::P + std::marker::Send",
        );
        check("fn() -> !", "fn() -> !");
    }

    #[test]
    fn several_bounds_behind_a_pointer_get_brackets() {
        let externs = BTreeSet::new();
        let paths = Paths { crate_name: "c", externs: &externs };
        let check = |printed: &str, expected: &str| assert_eq!(paths.rewrite(printed), expected);
        check("&dyn A", "&dyn c::A");
        check("&dyn A + B", "&(dyn c::A + c::B)");
        check("&'a mut dyn A + B", "&'a mut (dyn c::A + c::B)");
        check("*const dyn A + B", "*const (dyn c::A + c::B)");
        check("*mut dyn A + B", "*mut (dyn c::A + c::B)");
        check("X<dyn A + B>", "c::X<dyn c::A + c::B>");
        check("(&dyn A + B, u8)", "(&(dyn c::A + c::B), u8)");
        check("fn(&dyn A<&dyn C + D> + B) -> u8", "fn(&(dyn c::A<&(dyn c::C + c::D)> + c::B)) -> u8");
        check("[&dyn A + B; 2]", "[&(dyn c::A + c::B); 2]");
        check("&dyn A<u8>", "&dyn c::A<u8>");
        check("&(dyn A + B)", "&(dyn c::A + c::B)");
    }

    #[test]
    fn atomics_have_their_stable_names() {
        let externs = BTreeSet::new();
        let paths = Paths { crate_name: "c", externs: &externs };
        let check = |printed: &str, expected: &str| assert_eq!(paths.rewrite(printed), expected);
        check("[std::sync::atomic::Atomic<u8>; 2]", "[std::sync::atomic::AtomicU8; 2]");
        check("std::sync::atomic::Atomic<isize>", "std::sync::atomic::AtomicIsize");
        check(
            "(std::sync::atomic::Atomic<*mut V<std::sync::atomic::Atomic<bool>>>, P)",
            "(std::sync::atomic::AtomicPtr<c::V<std::sync::atomic::AtomicBool>>, c::P)",
        );
        check("std::sync::atomic::AtomicU8", "std::sync::atomic::AtomicU8");
    }

    #[test]
    fn brackets_of_all_kinds_close() {
        let check = |text: &str, expected: &str| assert_eq!(&text[..closing(text).unwrap()], expected);
        check("<fn(u8) -> u8>(a)", "<fn(u8) -> u8>");
        check("<{closure@a.rs:1:2: 3:4}>(b", "<{closure@a.rs:1:2: 3:4}>");
        check("<F<'>', ']'>>>", "<F<'>', ']'>>");
        check("<extern \"C>\" fn()>()", "<extern \"C>\" fn()>");
        assert_eq!(closing("<u8"), None);
        assert_eq!(closing("é<u8>"), None);
        assert_eq!(closing(""), None);
        assert_eq!(arguments("A<u8, u9>, fn(a, b) -> c, d"), ["A<u8, u9>", "fn(a, b) -> c", "d"]);
        assert!(arguments("").is_empty());
    }

    #[test]
    fn function_items_are_pointers_with_a_name() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(function_item(text), expected);
        check("fn(i32) -> i32 {add}", Some("fn(i32) -> i32"));
        check("fn(P) {drop::<P>}", Some("fn(P)"));
        check(
            "for<'a, 'b> unsafe extern \"C\" fn(&'a u8, &'b u8) {<u8 as T>::f::<{x}>}",
            Some("for<'a, 'b> unsafe extern \"C\" fn(&'a u8, &'b u8)"),
        );
        check("fn(i32) -> i32", None);
        check("{closure@a.rs:1:2: 3:4}", None);
        check("std::iter::Map<u8, fn(i32) -> i32 {add}>", None);
        check("(fn(i32) -> i32 {add}, u8)", None);
    }

    #[test]
    fn what_has_no_name() {
        assert!(nameless("Map<{closure@a.rs:1:2: 3:4}>"));
        assert!(nameless("Box<impl std::fmt::Display>"));
        assert!(!nameless("Simplified<'{'>"));
    }
}
