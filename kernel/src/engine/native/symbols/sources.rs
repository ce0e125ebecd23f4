//! The type or trait in whose braces a line of somebody's source stands. Debug information does not have it for what was inlined; where the source is on this
//! machine, as that of crates is, its indentation tells: what stands at the left margin opens and closes it.

use super::names;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;

/// No file that a person writes is longer, in bytes.
const LONGEST: u64 = 4 << 20;

/// Files that were looked at.
#[derive(Debug, Default)]
pub(super) struct Sources(RefCell<HashMap<String, Option<String>>>);

impl Sources {
    /// The name of the type or trait around a line, if the file is here.
    pub(super) fn holder(&self, path: &str, line: u32) -> Option<String> {
        let mut files = self.0.borrow_mut();
        let text = files.entry(path.to_owned()).or_insert_with(|| {
            let short =
                fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() < LONGEST);
            short.then(|| fs::read_to_string(path).ok()).flatten()
        });
        holder(text.as_deref()?, line)
    }
}

fn holder(text: &str, line: u32) -> Option<String> {
    let mut at = 0;
    let mut opened = None;
    for text in text.split_inclusive('\n').take(line as usize) {
        if starts(text) {
            opened = Some(at);
        } else if text.starts_with('}') {
            opened = None;
        }
        at += text.len();
    }
    let header = text[opened?..].split('{').next()?;
    name(&header.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether a line opens an `impl` or a trait.
fn starts(line: &str) -> bool {
    let words = line.split(|one: char| !one.is_alphanumeric() && one != '_').take(5);
    let known = ["pub", "unsafe", "const", "auto", "crate", "default"];
    let word = words.filter(|word| !word.is_empty()).find(|word| !known.contains(word));
    line.starts_with(|one: char| one.is_ascii_lowercase()) && matches!(word, Some("impl" | "trait"))
}

/// The name in a header: `impl<T> Iterator for Map<T>`, `pub trait Show: Debug`.
fn name(header: &str) -> Option<String> {
    let word = |name: &str| {
        let end = name.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(name.len());
        Some(name[..end].to_owned()).filter(|name| !name.is_empty())
    };
    if let Some((_, after)) = header.split_once("trait ")
        && !header.contains("impl")
    {
        return word(after);
    }
    let mut rest = header.split_once("impl")?.1.trim_start();
    if rest.starts_with('<') {
        rest = names::angles(rest)?.1.trim_start();
    }
    let rest = rest.split(" where ").next().unwrap_or(rest).trim();
    let last = |path: &str| word(names::last(&names::type_name(path)));
    match rest.rsplit_once(" for ") {
        // `for<'a>` is none, and has no space behind it.
        Some((of_trait, own)) if names::is_parameter(own) => last(of_trait.trim_start_matches("const ")),
        Some((_, own)) => last(own),
        None => last(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sources, holder, name};

    #[test]
    fn headers_have_names() {
        let check =
            |header: &str, expected: Option<&str>| assert_eq!(name(header).as_deref(), expected, "{header}");
        check("impl Grid", Some("Grid"));
        check("impl<T, A: Allocator> Vec<T, A>", Some("Vec"));
        check("unsafe impl<T: Fn() -> u8> a::Iter for b::Map<T> where T: X", Some("Map"));
        check("impl<T> const Into<U> for T", Some("Into"));
        check("impl fmt::Debug for &mut Meta", Some("Meta"));
        check("pub trait Show: Debug", Some("Show"));
        check("pub unsafe trait Searcher<'a>", Some("Searcher"));
        check("impl", None);
    }

    #[test]
    fn what_stands_around_a_line() {
        let text = "use a;\nimpl<T> A<T>\nwhere\n    T: B,\n{\n    fn f() {\n    }\n}\nfn g() {\n}\npub trait C {\n    fn h() {}\n}\n";
        let found: Vec<_> = [1, 6, 7, 9, 12, 13, 99].map(|line| holder(text, line)).into();
        let expected = [None, Some("A"), Some("A"), None, Some("C"), None, None];
        assert_eq!(found, expected.map(|one| one.map(str::to_owned)));
        assert_eq!(Sources::default().holder("/none/of/this.rs", 1), None);
    }
}
