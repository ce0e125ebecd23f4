//! What stands at the cursor: a word, and the way to it. The text may be half a cell, so it is read backwards from there.

use assay_magics::cell::is_prose;
use std::ops::Range;

/// A word in a text, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes of the text.
    pub(super) word: Range<usize>,
    pub(super) way: Way,
}

/// What stands before a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Nothing that it belongs to.
    Plain,
    /// `a.b.`: names with dots between them.
    Members(Vec<String>),
    /// `shapes::Circle::`: the segments, without generic arguments.
    Path(Vec<String>),
    /// A dot or a path after something that only a compiler understands.
    Unclear,
}

impl Place {
    /// The word that byte `cursor` of `text` touches. None in comments and in strings.
    pub(super) fn of(text: &str, cursor: usize) -> Option<Self> {
        let cursor = text.floor_char_boundary(cursor);
        if is_prose(text, cursor) {
            return None;
        }
        let start = word_start(text, cursor);
        let end = text[cursor..].find(|c| !in_word(c)).map_or(text.len(), |length| cursor + length);
        Some(Self { word: start..end, way: way(text[..start].trim_end()) })
    }
}

fn way(before: &str) -> Way {
    if let Some(rest) = before.strip_suffix("::") {
        return segments(rest).map_or(Way::Unclear, Way::Path);
    }
    match before.strip_suffix('.') {
        // `0..x` is a range.
        Some(rest) if !rest.ends_with('.') => members(rest).map_or(Way::Unclear, Way::Members),
        _ => Way::Plain,
    }
}

/// The segments of a path that ends here.
fn segments(mut before: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    loop {
        before = without_arguments(before.trim_end())?;
        let word = last_word(before)?;
        found.insert(0, word.to_owned());
        match before[..before.len() - word.len()].trim_end().strip_suffix("::") {
            Some(rest) if last_word(rest.trim_end()).is_some() || rest.ends_with('>') => before = rest,
            _ => return Some(found),
        }
    }
}

/// The names of a chain that ends here.
fn members(mut before: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    loop {
        before = before.trim_end();
        let word = last_word(before)?;
        found.insert(0, word.to_owned());
        before = before[..before.len() - word.len()].trim_end();
        if before.ends_with("::") {
            return None;
        }
        match before.strip_suffix('.') {
            Some(rest) if !rest.ends_with('.') => before = rest,
            _ => return Some(found),
        }
    }
}

/// Without the `<…>` or `::<…>` at its end.
fn without_arguments(text: &str) -> Option<&str> {
    if !text.ends_with('>') {
        return Some(text);
    }
    let mut depth = 0_usize;
    for (at, sign) in text.char_indices().rev() {
        match sign {
            '>' => depth += 1,
            '<' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            let rest = text[..at].trim_end();
            return Some(rest.strip_suffix("::").unwrap_or(rest).trim_end());
        }
    }
    None
}

fn last_word(text: &str) -> Option<&str> {
    let word = &text[word_start(text, text.len())..];
    word.starts_with(|c: char| c == '_' || c.is_alphabetic()).then_some(word)
}

fn word_start(text: &str, end: usize) -> usize {
    text[..end]
        .char_indices()
        .rev()
        .take_while(|(_, sign)| in_word(*sign))
        .last()
        .map_or(end, |(start, _)| start)
}

fn in_word(sign: char) -> bool {
    sign == '_' || sign.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::{Place, Way};

    #[test]
    fn the_word_and_the_way_to_it() {
        // `|` is the cursor.
        let check = |text: &str, expected: &str| {
            let cursor = text.find('|').unwrap();
            let text = text.replace('|', "");
            let shown = Place::of(&text, cursor).map(|place| {
                let way = match place.way {
                    Way::Plain => String::new(),
                    Way::Members(names) => format!("{}.", names.join(".")),
                    Way::Path(segments) => format!("{}::", segments.join("::")),
                    Way::Unclear => "?".to_owned(),
                };
                way + &text[place.word]
            });
            assert_eq!(shown.as_deref().unwrap_or("nothing"), expected, "{text:?} at {cursor}");
        };
        check("|", "");
        check("acc|ount", "account");
        check("let é = zäh|l;", "zähl");
        check("account.ow|", "account.ow");
        check("a.b\n    .c|", "a.b.c");
        check("f(x).y|", "?y");
        check("v[0].y|", "?y");
        check("std::f().y|", "?y");
        check("shapes::Cir|", "shapes::Cir");
        check("Vec::<Vec<u8>>::ne|", "Vec::ne");
        check("a::b :: c|", "a::b::c");
        check("0..le|", "le");
        check("::std::io|", "std::io");
        check("<T as Trait>::f|", "?f");
        check("\"a.b|\"", "nothing");
        check("// a|", "nothing");
        check("x < y::|", "y::");
        check("😀.|", "?");
    }
}
