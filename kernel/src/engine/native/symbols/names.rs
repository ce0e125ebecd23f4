//! Names of functions and files as a person would write them.

use super::super::toolchain::sources;
use assay_magics::profiled::Origin;
use std::path::Path;

/// A symbol of Rust's, without its hash and its generic parameters; none if it is no such symbol.
pub(super) fn demangled(symbol: &str) -> Option<String> {
    let name = rustc_demangle::try_demangle(symbol).ok()?;
    Some(tidy(&format!("{name:#}"))).filter(|name| !name.is_empty())
}

/// A name of debug information's, without its generic arguments; but what is dropped says more than that something is.
pub(super) fn bare(name: &str) -> String {
    match name.find('<') {
        None | Some(0) => name.to_owned(),
        Some(at) if &name[..at] == DROP => tidy(name),
        Some(at) => name[..at].to_owned(),
    }
}

/// What calls the `drop` of a value and of all that is in it.
const DROP: &str = "drop_in_place";

/// The last segment of a path.
pub(super) fn last(path: &str) -> &str {
    let mut depth = 0_usize;
    let bytes = path.as_bytes();
    for at in (0..bytes.len()).rev() {
        match bytes[at] {
            b'>' if at == 0 || bytes[at - 1] != b'-' => depth += 1,
            b'<' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return &path[at + 1..],
            _ => {}
        }
    }
    path
}

/// A path without generic parameters and what compilers put into it: `<alloc::vec::Vec<u8> as core::fmt::Debug>::fmt` is `alloc::vec::Vec::fmt`.
pub(super) fn tidy(path: &str) -> String {
    let path = path.trim();
    let mut tidied = String::new();
    let mut rest = path;
    if let Some((inner, after)) = path.strip_prefix('<').and_then(|_| angles(path)) {
        let (own, of_trait) = of_trait(inner);
        tidied = match of_trait {
            Some(of_trait) if is_parameter(own) => tidy(of_trait),
            _ => type_name(own),
        };
        rest = after;
    }
    while let Some(at) = rest.find('<') {
        tidied.push_str(&rest[..at]);
        let Some((inner, after)) = angles(&rest[at..]) else {
            rest = "";
            break;
        };
        if tidied.ends_with("::") {
            tidied.truncate(tidied.len() - 2);
        }
        if tidied.ends_with(DROP) {
            tidied.push_str(&format!("<{}>", short(inner)));
        }
        rest = after;
    }
    tidied.push_str(rest);
    segments(&tidied)
}

/// What stands in the angle brackets with which a text begins, and what follows them.
pub(super) fn angles(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut before) = (0_usize, ' ');
    for (at, one) in text.char_indices() {
        match one {
            '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            '>' if depth == 1 => return Some((&text[1..at], &text[at + 1..])),
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = one;
    }
    None
}

/// `A as B`.
fn of_trait(inner: &str) -> (&str, Option<&str>) {
    let mut depth = 0_usize;
    for (at, one) in inner.char_indices() {
        match one {
            '<' | '(' | '[' => depth += 1,
            '>' if !inner[..at].ends_with('-') => depth = depth.saturating_sub(1),
            ')' | ']' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && inner[at..].starts_with(" as ") => {
                return (&inner[..at], Some(&inner[at + 4..]));
            }
            _ => {}
        }
    }
    (inner, None)
}

/// `T`, `&T`.
pub(super) fn is_parameter(name: &str) -> bool {
    let name = name.trim_start_matches('&').trim_start_matches("mut ");
    name.len() <= 2 && name.starts_with(|one: char| one.is_ascii_uppercase())
}

pub(super) fn type_name(written: &str) -> String {
    let mut name = written.trim();
    while let Some(rest) =
        ["&", "mut ", "dyn ", "*const ", "*mut "].iter().find_map(|start| name.strip_prefix(start))
    {
        name = rest.trim_start();
    }
    let name = name.split(" + ").next().unwrap_or(name);
    if name.starts_with(['[', '(', '!']) || name.starts_with("fn(") || name.starts_with("for<") {
        return short(name);
    }
    tidy(name)
}

/// A type with the last segments of its paths.
fn short(written: &str) -> String {
    let (mut short, mut word) = (String::new(), String::new());
    for one in written.chars().chain(std::iter::once(' ')) {
        if one == '_' || one == ':' || one.is_alphanumeric() {
            word.push(one);
            continue;
        }
        short.push_str(word.rsplit("::").next().unwrap_or_default());
        word.clear();
        short.push(one);
    }
    short.pop();
    short
}

/// Leaves out of a path what is nobody's: crates and modules of ours, numbers of `impl`s, shims.
fn segments(path: &str) -> String {
    let ours = |segment: &str| {
        let numbered = |start: &str| {
            segment.strip_prefix(start).is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|one| one == '_' || one.is_ascii_digit())
            })
        };
        segment.is_empty()
            || segment == "assay_statements"
            || ["cell_", "run_", "assay_part_"].iter().any(|start| numbered(start))
            || ["{impl#", "{shim:"].iter().any(|start| segment.starts_with(start))
    };
    let without_shim = |segment: &str| {
        let shims = ["{{vtable.shim}}", "{{reify.shim}}", "{{constructor}}"];
        let plain = shims.iter().find_map(|shim| segment.strip_suffix(shim)).unwrap_or(segment);
        plain.replace("{{", "{").replace("}}", "}")
    };
    let all = split(path).into_iter().filter(|segment| !ours(segment)).map(without_shim);
    all.filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("::")
}

/// The segments of a path; what is in brackets stays together.
fn split(path: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'<' | b'(' | b'[' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' | b')' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && bytes.get(at + 1) == Some(&b':') => {
                found.push(&path[start..at]);
                at += 1;
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    found.push(path.get(start..).unwrap_or_default());
    found
}

/// The cell that a file is: `cell[3]`.
pub(super) fn cell(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let number = name.strip_prefix("cell[")?.strip_suffix(']')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

/// Whether a file is of what we link to cells: its path below the folder of its crate.
pub(super) fn ours(path: &str) -> Option<String> {
    let of = |one: sources::Crate| {
        one.files.iter().find_map(|(file, _)| {
            let below = format!("{}/{file}", one.name);
            let before = path.strip_suffix(&below)?;
            (before.is_empty() || before.ends_with('/')).then_some(below)
        })
    };
    // A crate of the user's may have such a folder: ours have nothing but it in theirs.
    path.contains("assay").then(|| sources::all().find_map(of)).flatten()
}

/// What a file of somebody else's is called, and whose it is; none if that cannot be told from its path.
pub(super) fn file(path: &str) -> Option<(String, Origin)> {
    let normal = normal(path);
    let after = |marker: &str| normal.find(marker).map(|at| &normal[at + marker.len()..]);
    if normal.starts_with("/rustc/") || normal.contains("/rustlib/src/rust/") {
        return after("/library/").map(|rest| (rest.to_owned(), Origin::Standard));
    }
    if let Some(rest) = normal.strip_prefix("/rust/deps/") {
        return Some((rest.to_owned(), Origin::Standard));
    }
    if let Some((_, rest)) = after("/registry/src/").and_then(|rest| rest.split_once('/')) {
        return Some((rest.to_owned(), Origin::Dependency));
    }
    if let Some((name, rest)) = after("/git/checkouts/").and_then(|rest| rest.split_once('/')) {
        // `name-0123456789abcdef/0123456/src/lib.rs`.
        let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
        let rest = rest.split_once('/').map_or(rest, |(_, rest)| rest);
        return Some((format!("{name}/{rest}"), Origin::Dependency));
    }
    if !normal.ends_with(".rs") {
        return None;
    }
    // `…/name/src/lib.rs`.
    let segments: Vec<&str> = normal.split('/').collect();
    let source = segments.iter().rposition(|segment| *segment == "src").unwrap_or(segments.len() - 1);
    Some((segments[source.saturating_sub(1)..].join("/"), Origin::Dependency))
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    if !path.contains("/.") {
        return path.to_owned();
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// The module that a file is, as [`file`] calls it: `alloc/src/vec/mod.rs` is `alloc::vec`.
pub(super) fn module(file: &str) -> String {
    let (crate_name, below) = file.split_once("/src/").or_else(|| file.split_once('/')).unwrap_or((file, ""));
    let crate_name = crate_name.rsplit('/').next().unwrap_or(crate_name);
    // `regex-automata-0.4.9`.
    let version = crate_name
        .match_indices('-')
        .find(|(at, _)| crate_name[at + 1..].starts_with(|one: char| one.is_ascii_digit()));
    let name = version.map_or(crate_name, |(at, _)| &crate_name[..at]).replace('-', "_");
    let below = below.strip_suffix(".rs").unwrap_or(below);
    let mut segments: Vec<&str> = below.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.last() == Some(&"mod") || segments == ["lib"] || segments == ["main"] {
        segments.pop();
    }
    // Where macros of the standard library make its functions is nothing that is known by a name.
    segments.retain(|segment| !segment.ends_with("macros"));
    segments.insert(0, &name);
    segments.join("::")
}

/// Whose a function of Rust's is, by its whole name.
pub(super) fn origin(whole: &str) -> Origin {
    match whole.split("::").next().unwrap_or_default() {
        "core" | "alloc" | "std" | "hashbrown" | "proc_macro" | "test" | "std_detect" | "panic_unwind"
        | "__rustc" | "gimli" | "addr2line" | "object" | "miniz_oxide" | "rustc_demangle" => Origin::Standard,
        _ => Origin::Dependency,
    }
}

/// The name of a library's file.
pub(super) fn library(path: &str) -> &str {
    Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{bare, cell, demangled, file, last, module, tidy};
    use assay_magics::profiled::Origin;

    #[test]
    fn names_are_as_a_person_writes_them() {
        let check = |long: &str, expected: &str| assert_eq!(tidy(long), expected, "{long}");
        check("cell_3::fib", "fib");
        check("cell_1_4::assay_part_2::Grid::step", "Grid::step");
        check("run_7::assay_statements::assay_entry_7", "assay_entry_7");
        check("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push");
        check("<alloc::vec::Vec<u32>>::push", "alloc::vec::Vec::push");
        check("<alloc::vec::Vec<u8> as core::fmt::Debug>::fmt", "alloc::vec::Vec::fmt");
        check("<cell_3::Grid as core::fmt::Display>::fmt", "Grid::fmt");
        check("<T as core::convert::Into<U>>::into", "core::convert::Into::into");
        check("<&T as core::fmt::Debug>::fmt", "core::fmt::Debug::fmt");
        check("<[T] as alloc::slice::Join<V>>::join", "[T]::join");
        check(
            "core::ptr::drop_in_place<alloc::vec::Vec<cell_3::Grid>>",
            "core::ptr::drop_in_place<Vec<Grid>>",
        );
        check(
            "core::ptr::drop_in_place::<alloc::boxed::Box<dyn core::ops::function::Fn() -> u8>>",
            "core::ptr::drop_in_place<Box<dyn Fn() -> u8>>",
        );
        check(
            "core::iter::adapters::map::map_fold::<u32, fn(u32) -> u64>::{closure#0}",
            "core::iter::adapters::map::map_fold::{closure#0}",
        );
        check(
            "core::ops::function::FnOnce::call_once{{vtable.shim}}",
            "core::ops::function::FnOnce::call_once",
        );
        check("words::{impl#3}::count", "words::count");
        check("cell_2::f::{{closure}}", "f::{closure}");
        check("a<b", "a");
        check("", "");
    }

    #[test]
    fn symbols_of_both_kinds_are_read() {
        let check = |symbol: &str, expected: Option<&str>| {
            assert_eq!(demangled(symbol).as_deref(), expected, "{symbol}");
        };
        check("_ZN6cell_33fib17h0123456789abcdefE", Some("fib"));
        check("_ZN5alloc3vec16Vec$LT$T$C$A$GT$4push17h0123456789abcdefE", Some("alloc::vec::Vec::push"));
        check(
            "_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt17hed69b9d590799049E",
            Some("core::fmt::Debug::fmt"),
        );
        check("_RNvNtCs1234_7mycrate3foo3bar", Some("mycrate::foo::bar"));
        check("malloc", None);
        check("_Znwm", None);
        check("", None);
    }

    #[test]
    fn parts_of_names() {
        assert_eq!(
            [bare("fold<u8, f<g>>"), bare("{closure#0}<u8>"), bare("fib"), bare("drop_in_place<[a::B]>")],
            ["fold", "{closure#0}", "fib", "drop_in_place<[B]>"]
        );
        assert_eq!(
            [last("a::b"), last("a::b<c::d>"), last("fib"), last("x::f<fn() -> a::b>")],
            ["b", "b<c::d>", "fib", "f<fn() -> a::b>"]
        );
    }

    #[test]
    fn files_are_short() {
        let check = |path: &str, expected: Option<(&str, Origin)>, in_module: &str| {
            let found = file(path);
            assert_eq!(found.as_ref().map(|(file, origin)| (file.as_str(), *origin)), expected, "{path}");
            if let Some((file, _)) = found {
                assert_eq!(module(&file), in_module, "{path}");
            }
        };
        check(
            "/rustc/59807616e1fa/library/alloc/src/vec/mod.rs",
            Some(("alloc/src/vec/mod.rs", Origin::Standard)),
            "alloc::vec",
        );
        check(
            "/r/toolchains/stable/lib/rustlib/src/rust/library/core/src/iter/range.rs",
            Some(("core/src/iter/range.rs", Origin::Standard)),
            "core::iter::range",
        );
        check(
            "/rustc/5980/library/core/src/../../stdarch/crates/core_arch/src/x86/avx2.rs",
            Some(("stdarch/crates/core_arch/src/x86/avx2.rs", Origin::Standard)),
            "core_arch::x86::avx2",
        );
        check(
            "/rust/deps/hashbrown-0.16.1/src/map.rs",
            Some(("hashbrown-0.16.1/src/map.rs", Origin::Standard)),
            "hashbrown::map",
        );
        check(
            "/c/registry/src/index.crates.io-1949/regex-automata-0.4.9/src/meta/mod.rs",
            Some(("regex-automata-0.4.9/src/meta/mod.rs", Origin::Dependency)),
            "regex_automata::meta",
        );
        check(
            "/c/git/checkouts/words-0123abcd/89ab/src/lib.rs",
            Some(("words/src/lib.rs", Origin::Dependency)),
            "words",
        );
        check("/v/vendor/serde/src/de.rs", Some(("serde/src/de.rs", Origin::Dependency)), "serde::de");
        check("./nptl/pthread_create.c", None, "");
        assert_eq!(module("core/src/slice/iter/macros.rs"), "core::slice::iter");
        assert_eq!(module("assay/cell/show.rs"), "assay::cell::show");
        assert_eq!(cell("/a/b/cell[12]"), Some("cell[12]"));
        assert_eq!([cell("cell[]x"), cell("cell[a]"), cell("/a/lib.rs")], [None; 3]);
    }
}
