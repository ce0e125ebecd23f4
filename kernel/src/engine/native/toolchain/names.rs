//! A crate of colliding names.
//!
//! In MIR rustc shortens a path to its last segment whenever that is unique among the crates that are loaded: `Filter`, which nobody can write. A crate that
//! defines the same names, really loaded by `extern crate`, stops that. So it has to define the name of every type and trait of the standard
//! library, under all its names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The public types and traits of the standard library of Rust 1.95, with those that macros make. Some are names that rustc knows before it reads any crate
/// (`Vec`, `Layout`): those are not in metadata, and which they are changes with each release.
pub(super) const KNOWN: &str = include_str!("names.txt");

/// What follows every string in metadata (`STR_SENTINEL` in rustc).
const SENTINEL: u8 = 0xC1;

/// No name is longer.
const LONGEST: usize = 127;

/// The names of all types and traits, and of much else, of the standard library in a folder.
pub(super) fn of_the_standard_library(libraries: &Path) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = KNOWN.split_whitespace().map(str::to_owned).collect();
    for library in ["libcore-", "liballoc-", "libstd-"] {
        let Some(path) = metadata(libraries, library) else { continue };
        match fs::read(&path) {
            Ok(bytes) => names.extend(of_metadata(&bytes)),
            Err(error) => tracing::warn!(file = %path.display(), %error, "no names can be read"),
        }
    }
    names
}

/// What could be the names of types and traits in a source of ours.
pub(super) fn of_source(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|one: char| one != '_' && !one.is_alphanumeric());
    words.filter(|word| is_type_name(word)).map(str::to_owned)
}

/// The file with the metadata of a library: beside it, or in it.
fn metadata(libraries: &Path, library: &str) -> Option<PathBuf> {
    let files = || fs::read_dir(libraries).into_iter().flatten().flatten().map(|entry| entry.path());
    let find = |extension: &str| {
        files().find(|path| {
            let is_library = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(library));
            is_library && path.extension().is_some_and(|found| found == extension)
        })
    };
    find("rmeta").or_else(|| find("rlib"))
}

/// A crate that defines them.
pub(super) fn source(names: &BTreeSet<String>) -> String {
    let mut text = "#![no_std]\n#![allow(nonstandard_style)]\n".to_owned();
    for name in names {
        text.push_str("pub struct ");
        text.push_str(name);
        text.push_str(";\n");
    }
    text
}

/// The names of all types and traits of a crate in the form of an rlib, and of much else: whatever begins with a capital. Its own metadata file beside it
/// is shorter to read.
pub(in super::super) fn of_crate(rlib: &Path) -> BTreeSet<String> {
    match fs::read(rlib.with_extension("rmeta")).or_else(|_| fs::read(rlib)) {
        Ok(bytes) => names_in(&bytes, is_capital),
        Err(error) => {
            tracing::warn!(file = %rlib.display(), %error, "no names can be read");
            BTreeSet::new()
        }
    }
}

/// What could be the names of types and traits in metadata, where a string is its length, its bytes and a sentinel.
fn of_metadata(bytes: &[u8]) -> BTreeSet<String> {
    names_in(bytes, is_type_name)
}

fn names_in(bytes: &[u8], wanted: fn(&str) -> bool) -> BTreeSet<String> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == SENTINEL).map(|(at, _)| at);
    ends.filter_map(|end| name_before(&bytes[..end], wanted)).map(str::to_owned).collect()
}

/// The name that bytes end with, if its length stands before it.
fn name_before(bytes: &[u8], wanted: fn(&str) -> bool) -> Option<&str> {
    let inside = bytes.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    // A length can look like a letter of the name: the longest name with a fitting length is it.
    (1..=inside.min(LONGEST)).rev().find_map(|length| {
        let start = bytes.len() - length;
        let fits = start > 0 && usize::from(bytes[start - 1]) == length;
        let name = fits.then(|| std::str::from_utf8(&bytes[start..]).ok())??;
        wanted(name).then_some(name)
    })
}

/// `Vec`, `__m128i`, `int8x16_t`; but no constant, and no `T`.
fn is_type_name(name: &str) -> bool {
    let camel = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains(|one: char| one.is_ascii_lowercase());
    let vector = name.starts_with("__m")
        || name.ends_with("_t") && name.contains('x') && name.contains(|one: char| one.is_ascii_digit());
    camel && name != "Self" || vector
}

/// `SVD`, `U256`: types of crates have such names, and a constant too many does no harm.
fn is_capital(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && name != "Self"
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, is_type_name, of_metadata, of_source, source};
    use std::collections::BTreeSet;

    #[test]
    fn strings_are_found_in_metadata() {
        let check = |bytes: &[u8], expected: &[&str]| {
            assert_eq!(of_metadata(bytes).iter().map(String::as_str).collect::<Vec<_>>(), expected);
        };
        check(b"\x00\x03Vec\xC1\x04item\xC1\x06Filter\xC1", &["Filter", "Vec"]);
        check(b"\x03VecX\xC1 Vec\xC1", &[]);
        check(b"\x03MAX\xC1\x01T\xC1\x04Self\xC1", &[]);
        // 0x41 is `A` and 65.
        check(b"\x02AB\xC1\x03ABc\xC1", &["ABc"]);
        check(b"\xC1\xC1\x7F\xC1", &[]);
        check(b"\x07__m128i\xC1", &["__m128i"]);
        // A crate may have a type `V`.
        let all = super::names_in(b"\x01V\xC1\x03SVD\xC1\x01v\xC1", super::is_capital);
        assert_eq!(all, ["SVD", "V"].map(str::to_owned).into());
    }

    #[test]
    fn the_types_of_a_source_are_among_its_names() {
        let names: Vec<_> = of_source("pub struct Html<T>(pub T); text! { Svg = svg; } MAX Self").collect();
        assert_eq!(names, ["Html", "Svg"]);
    }

    #[test]
    fn known_names_are_sorted_and_types() {
        let names: Vec<_> = KNOWN.split_whitespace().collect();
        assert!(names.is_sorted_by(|one, other| one < other));
        assert_eq!(names.iter().filter(|name| !is_type_name(name)).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn each_name_is_a_type() {
        let names = BTreeSet::from(["Vec".to_owned(), "Arc".to_owned()]);
        assert!(source(&names).ends_with("\npub struct Arc;\npub struct Vec;\n"));
    }
}
