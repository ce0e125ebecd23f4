//! Crates of the user's own that count: what their files are called, what is in their types and statics.

use super::super::build::Program;
use super::super::dependencies::CRATES;
use super::super::generate::COLLIDING;
use super::super::source::Source;
use super::super::symbols::Outline;
use super::super::tokens::{self, Token};
use super::older;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use proc_macro2::Delimiter;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files have numbers as cells have: from this one on, which no cell reaches.
const FIRST: u32 = 1 << 31;

/// Where statics are that can change. Those that cannot are elsewhere (`.rodata`, `.data.rel.ro`).
const CHANGING: [&str; 4] = [".data", ".bss", ".tdata", ".tbss"];

/// The files of crates that count.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    all: Vec<File>,
    numbers: BTreeMap<PathBuf, u32>,
}

#[derive(Debug, Clone)]
struct File {
    /// What it is called in a profile.
    shown: String,
    source: Source,
}

impl Files {
    /// All that the outline knows.
    pub(super) fn of(outline: &Outline) -> Self {
        let mut files = Self::default();
        for (path, shown, text) in outline.own_files() {
            files.add(path, shown, text);
        }
        files
    }

    pub(super) fn add(&mut self, path: &Path, shown: &str, text: &str) {
        let number = FIRST + u32::try_from(self.all.len()).unwrap_or_default();
        let source = Source::of_cell(number, text, &[]);
        self.all.push(File { shown: shown.to_owned(), source });
        self.numbers.insert(path.to_owned(), number);
    }

    /// The text of the file with this path.
    pub(super) fn source(&self, path: &str) -> Option<&Source> {
        self.get(*self.numbers.get(Path::new(path))?).map(|file| &file.source)
    }

    /// What the file of this number is called.
    pub(super) fn shown(&self, number: u32) -> Option<&str> {
        self.get(number).map(|file| file.shown.as_str())
    }

    pub(super) fn text(&self, number: u32) -> Option<&str> {
        self.get(number).map(|file| file.source.text())
    }

    fn get(&self, number: u32) -> Option<&File> {
        self.all.get(usize::try_from(number.checked_sub(FIRST)?).ok()?)
    }

    /// The types in which code can be: trait objects or function pointers, and types that have such types in them.
    pub(super) fn holders(&self) -> BTreeSet<String> {
        let types = self.all.iter().filter_map(|file| types(file.source.text()));
        let types: Vec<(String, String)> = types.flatten().collect();
        let mut holders = BTreeSet::new();
        loop {
            let before = holders.len();
            for (name, written) in &types {
                if older::holds(written) || written.split(' ').any(|word| holders.contains(word)) {
                    holders.insert(name.clone());
                }
            }
            if holders.len() == before {
                return holders;
            }
        }
    }
}

/// The types that a text defines, each with what it is made of, in tokens.
fn types(text: &str) -> Option<Vec<(String, String)>> {
    tokens::read(text, |_, tokens| {
        let mut found = Vec::new();
        types_in(tokens, text, &mut found);
        Some(found)
    })
}

fn types_in(tokens: &[Token], text: &str, found: &mut Vec<(String, String)>) {
    for (at, token) in tokens.iter().enumerate() {
        if ["struct", "enum", "union", "type"].iter().any(|word| token.is_word(word))
            && let Some((name, rest)) = tokens[at + 1..].split_first()
            && let Some(name) = name.word()
        {
            let end = rest.iter().position(|one| one.is_punct(';') || one.group(Delimiter::Brace).is_some());
            let body = &rest[..end.map_or(rest.len(), |end| end + 1)];
            found.push((name.to_owned(), tokens::written(body, text)));
        }
        if let Some(inside) = token.group(Delimiter::Brace) {
            types_in(inside, text, found);
        }
    }
}

/// Whether the text of a cell, or of a unit that it is built on, has one of these names in it, or one of its variables is of a type that has.
pub(in super::super) fn mentions(program: &Program, names: &BTreeSet<String>) -> bool {
    let folders: BTreeSet<&Path> =
        program.libraries.iter().filter_map(|library| library.parent()?.file_name()).map(Path::new).collect();
    let files = program.notebook.files.iter();
    let reached = files.filter(|(path, _)| path.parent().is_some_and(|folder| folders.contains(folder)));
    let mut texts = reached.map(|(_, source)| source.text());
    texts.any(|text| says(text, names))
}

fn says(text: &str, names: &BTreeSet<String>) -> bool {
    // What every crate loads, and the names that keep types from being printed without their paths, say nothing.
    let ours = [format!("mod {CRATES} {{"), format!("mod {COLLIDING} ")];
    let lines = text.lines().filter(|line| !ours.iter().any(|ours| line.contains(ours.as_str())));
    let mut words = lines.flat_map(|line| line.split(|c: char| c != '_' && !c.is_alphanumeric()));
    words.any(|word| names.contains(word))
}

/// The statics of these crates that can change, and their thread-locals: of each crate, by the names that the user gave them.
pub(super) fn statics(library: &[u8], crates: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Ok(library) = object::File::parse(library) else { return found };
    // Thread-locals are no definitions to everybody.
    for symbol in library.symbols().filter(|symbol| !symbol.is_undefined()) {
        let section = symbol.section_index().and_then(|index| library.section_by_index(index).ok());
        let changing = section.is_some_and(|one| one.name().is_ok_and(|name| CHANGING.contains(&name)));
        let named = symbol.name().ok().filter(|_| changing).and_then(|name| static_of(name, crates));
        if let Some((of, name)) = named {
            found.entry(of).or_default().insert(name);
        }
    }
    found
}

/// The crate and the name in a symbol: `mine::inner::COUNT`, `<mine::CACHE as core::ops::deref::Deref>::deref::__stability::LAZY`.
fn static_of(symbol: &str, crates: &BTreeSet<String>) -> Option<(String, String)> {
    let path = format!("{:#}", rustc_demangle::try_demangle(symbol).ok()?);
    let mut words = path.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let of = words.next().filter(|first| crates.contains(*first))?;
    // What a macro has made besides has two bars before it.
    let is_static = |word: &&str| {
        !word.starts_with("__")
            && word.starts_with(|c: char| c == '_' || c.is_uppercase())
            && !word.contains(char::is_lowercase)
    };
    let name = words.find(is_static)?;
    Some((of.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Files, says, static_of};
    use std::collections::BTreeSet;
    use std::path::Path;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn code_may_be_deep_within_a_type() {
        let mut files = Files::default();
        let text = "pub struct A { f: fn(u8) -> u8 } struct B(u8, Box<dyn Fn()>); enum C { One(D), None } struct E; union F { x: u8 }";
        files.add(Path::new("/a/src/lib.rs"), "a/src/lib.rs", text);
        files.add(
            Path::new("/a/src/b.rs"),
            "a/src/b.rs",
            "mod inner { type D = Vec<super::A>; } fn f(x: fn()) { struct G; }",
        );
        assert_eq!(files.holders(), set(&["A", "B", "C", "D"]));
        assert_eq!(files.shown(super::FIRST + 1), Some("a/src/b.rs"));
        assert_eq!(files.shown(3), None);
        assert!(files.source("/a/src/b.rs").is_some() && files.source("src/b.rs").is_none());
    }

    #[test]
    fn what_stands_in_every_crate_is_no_mention() {
        let names = set(&["mine"]);
        let ours = "extern crate d as _; #[allow(x)] mod assay_crates { pub(crate) extern crate mine; }\nmod assay_names_here { pub struct mine; }\n";
        assert!(!says(ours, &names));
        assert!(says(&format!("{ours}let x: ::mine::T = y;"), &names));
        assert!(!says("mine_too + mines", &names));
    }

    #[test]
    fn statics_have_the_names_that_the_user_gave_them() {
        let crates = set(&["mine"]);
        let check = |symbol: &str, expected: Option<&str>| {
            let expected = expected.map(|name| ("mine".to_owned(), name.to_owned()));
            assert_eq!(static_of(symbol, &crates), expected, "{symbol}");
        };
        check("_ZN4mine5COUNT17h0123456789abcdefE", Some("COUNT"));
        check("_ZN4mine5inner1S17h0123456789abcdefE", Some("S"));
        check("_ZN5other5COUNT17h0123456789abcdefE", None);
        check("_ZN4mine1f10__CALLSITE17h0123456789abcdefE", None);
        check("COUNT", None);
    }
}
