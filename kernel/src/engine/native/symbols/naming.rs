//! From what debug information says to what the user knows: the function at each address, whose it is, and what it is to the code that is watched.

use super::frames::{self, Raw};
use super::names;
use super::outline::{At, ENTRY, Outline};
use super::sources::Sources;
use super::variants;
use assay_magics::profiled::STATEMENTS;
use assay_magics::profiled::{Function, Origin};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// The program that runs cells.
const PROGRAM: &str = "assay-child";

/// What that program has in the place of the C library's.
const OF_C: [&str; 11] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "read",
];

/// Whether a function of the C library's allocates or frees.
pub(super) fn is_allocator(name: &str) -> bool {
    name != "read" && OF_C.contains(&name)
}

/// A function under way, as the user knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) function: Function,
    pub(super) line: Option<u32>,
    pub(super) inlined: bool,
    pub(super) role: Role,
    /// Whether it is a closure to the compiler, and to the user a part of the function: the body of an `async fn`, a closure that a macro has made or this engine.
    pub(super) part: bool,
}

/// What a function is to the code that is watched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// It may be a part of it.
    #[default]
    Code,
    /// The statements of a cell, where it begins.
    Statements,
    /// What runs cells.
    Ours,
    /// What watches.
    Watching,
}

impl Named {
    /// Whether it is the user's own.
    pub(super) fn users(&self) -> bool {
        matches!(self.function.origin, Origin::Cell | Origin::Local)
    }
}

/// The functions at addresses of files, the innermost first.
pub(super) fn name<'m>(
    addresses: BTreeMap<&'m str, BTreeSet<u64>>,
    outline: &Outline,
) -> HashMap<&'m str, HashMap<u64, Vec<Named>>> {
    let raw: Vec<(&str, BTreeMap<u64, Vec<Raw>>)> = addresses
        .into_iter()
        .map(|(module, addresses)| (module, frames::read(Path::new(module), &addresses)))
        .collect();
    let whole = Whole::of(raw.iter().flat_map(|(_, addresses)| addresses.values()));
    let sources = Sources::default();
    let named = raw.iter().map(|(module, addresses)| {
        let naming = Naming { module, outline, whole: &whole, sources: &sources };
        (*module, addresses.iter().map(|(address, frames)| (*address, naming.all(frames))).collect())
    });
    named.collect()
}

/// The function of a symbol of this file, where that is all that is known.
#[cfg(test)]
pub(super) fn by_symbol(module: &str, outline: &Outline, raw: &Raw) -> Named {
    let (whole, sources) = (Whole(HashMap::new()), Sources::default());
    Naming { module, outline, whole: &whole, sources: &sources }.by_symbol(raw)
}

/// The whole names of functions, by their files and their own names. Debug information has no more than those of a function that was inlined.
struct Whole<'r>(HashMap<(&'r str, &'r str), Option<&'r str>>);

impl<'r> Whole<'r> {
    fn of(all: impl Iterator<Item = &'r Vec<Raw>>) -> Self {
        let mut whole = HashMap::new();
        for raw in all.filter_map(|frames| frames.last()) {
            let (Some(file), Some(called), Some(name)) = (&raw.file, &raw.called, &raw.whole) else {
                continue;
            };
            if !raw.rust || names::last(name) != called {
                continue;
            }
            let known = whole.entry((file.as_str(), called.as_str())).or_insert(Some(name.as_str()));
            // Two types of a file have a function of this name.
            if *known != Some(name.as_str()) {
                *known = None;
            }
        }
        Self(whole)
    }

    fn get(&self, file: &str, called: &str) -> Option<&'r str> {
        self.0.get(&(file, called)).copied().flatten()
    }
}

/// Names the functions of one file.
struct Naming<'a> {
    module: &'a str,
    outline: &'a Outline,
    whole: &'a Whole<'a>,
    sources: &'a Sources,
}

impl Naming<'_> {
    /// The innermost first, as they come.
    fn all(&self, frames: &[Raw]) -> Vec<Named> {
        let last = frames.len().saturating_sub(1);
        let mut named: Vec<Named> = Vec::with_capacity(frames.len());
        for (at, raw) in frames.iter().enumerate().rev() {
            let inlined = at < last;
            // Of what was inlined nothing is known but by its file: it is a part of what it was inlined into.
            if inlined && raw.file.is_none() {
                continue;
            }
            let mut one = Named { inlined, ..self.one(raw) };
            let nameless = one.users() && one.function.line.is_none() && one.function.name.starts_with('{');
            if let (Some(before), true) = (named.last(), nameless)
                && before.function.file == one.function.file
            {
                (one.function, one.role, one.part) = (before.function.clone(), before.role, true);
            }
            named.push(one);
        }
        named.reverse();
        named
    }

    fn one(&self, raw: &Raw) -> Named {
        if names::library(self.module) == PROGRAM || is_way_to_heap(raw) {
            return program(raw);
        }
        match raw.file.as_deref() {
            Some(file) => self.users(raw, file).unwrap_or_else(|| self.others(raw, file)),
            None => self.by_symbol(raw),
        }
    }

    /// A function of a cell or of a crate of the user's.
    fn users(&self, raw: &Raw, file: &str) -> Option<Named> {
        let cell = names::cell(file);
        let shown = match cell {
            Some(cell) => cell,
            None => self.outline.shown(file)?,
        };
        // Where no line is known, the whole name tells more.
        let whole = raw.line.is_none().then(|| raw.rust.then(|| self.numbered(raw))).flatten();
        let called = whole.as_deref().or(raw.called.as_deref());
        let at = At {
            library: cell.map(|_| Path::new(self.module)),
            file: shown,
            line: raw.line.unwrap_or_default(),
            column: raw.column,
            called,
        };
        let found = self.outline.find(&at);
        let part = called.is_some_and(|called| called.starts_with('{'))
            && found.as_ref().is_some_and(|found| !found.name.ends_with('}'));
        let role = match &found {
            Some(found) if found.name == STATEMENTS => Role::Statements,
            None if [called, raw.whole.as_deref()].iter().flatten().any(|name| name.starts_with(ENTRY)) => {
                Role::Statements
            }
            _ => Role::Code,
        };
        let function = found.unwrap_or_else(|| Function {
            name: match role {
                Role::Statements => STATEMENTS.to_owned(),
                _ => raw.whole.as_deref().or(called).unwrap_or(shown).to_owned(),
            },
            file: shown.to_owned(),
            line: None,
            origin: if cell.is_some() { Origin::Cell } else { Origin::Local },
        });
        // What is ours stands behind the last line of a cell too.
        let line = raw.line.filter(|line| self.outline.has(shown, *line));
        Some(Named { function, line, role, part, inlined: false })
    }

    fn others(&self, raw: &Raw, file: &str) -> Named {
        if let Some(below) = names::ours(file) {
            let role = if below == "assay/measure/profile.rs" { Role::Watching } else { Role::Ours };
            let function = Function {
                name: self.path(raw, file, &below),
                file: below,
                line: None,
                origin: Origin::Dependency,
            };
            return Named { function, line: raw.line, role, ..Named::default() };
        }
        let Some((shown, origin)) = names::file(file) else { return self.by_symbol(raw) };
        let function = Function { name: self.path(raw, file, &shown), file: shown, line: None, origin };
        Named { function, line: raw.line, ..Named::default() }
    }

    /// The whole name of a function of a Rust file.
    fn path(&self, raw: &Raw, file: &str, shown: &str) -> String {
        let called = raw.called.as_deref().unwrap_or_default();
        if raw.whole.is_some() {
            return self.numbered(raw);
        }
        match self.whole.get(file, called) {
            Some(whole) => whole.to_owned(),
            None if called.is_empty() => names::module(shown),
            None => {
                let holder = raw.line.and_then(|line| self.sources.holder(file, line));
                let holder = holder.map(|holder| format!("::{holder}")).unwrap_or_default();
                format!("{}{holder}::{called}", names::module(shown))
            }
        }
    }

    /// The whole name. Symbols of one kind have no numbers for closures, but debug information has.
    fn numbered(&self, raw: &Raw) -> String {
        let whole = raw.whole.as_deref().unwrap_or_default();
        match (whole.strip_suffix("{closure}"), raw.called.as_deref()) {
            (Some(before), Some(called)) if called.starts_with('{') => format!("{before}{called}"),
            _ => whole.to_owned(),
        }
    }

    /// A function of which no line is known.
    fn by_symbol(&self, raw: &Raw) -> Named {
        let library = names::library(self.module);
        let library = if library.is_empty() { "vdso" } else { library };
        let chosen = raw.start.and_then(|start| variants::name(self.module, start));
        let name = raw.whole.as_deref().or(raw.called.as_deref()).or(chosen);
        if let Some(name) = name.filter(|_| raw.rust && is_of_a_cell(library))
            && let Some(function) =
                self.outline.of_a_cell(&self.numbered(raw)).or_else(|| self.outline.of_a_cell(name))
        {
            return Named { function, ..Named::default() };
        }
        let (file, origin) = match name {
            Some(name) if raw.rust => {
                let first = name.split("::").next().unwrap_or_default();
                (first.to_owned(), names::origin(name))
            }
            _ => (library.to_owned(), Origin::System),
        };
        let ours = raw.rust && ["assay", "assay_stopwatch", "assay_statistics"].contains(&file.as_str());
        let role = match name {
            Some(name) if name.starts_with("assay::measure::profile") => Role::Watching,
            Some(name) if name.starts_with(ENTRY) => Role::Ours,
            _ if ours => Role::Ours,
            // What the linker adds, through which functions of other libraries are called, is part of who calls.
            None if is_of_a_cell(library) => Role::Ours,
            _ => Role::Code,
        };
        let name = name.unwrap_or(library).to_owned();
        Named { function: Function { name, file, line: None, origin }, line: None, role, ..Named::default() }
    }
}

/// Whether a library was made of a cell: its items, or its statements.
fn is_of_a_cell(library: &str) -> bool {
    ["libcell_", "librun_"].iter().any(|start| library.starts_with(start))
}

/// Whether it is of the object through which a cell asks the heap (`toolchain/allocator.rs`): malloc, below it, is what is asked.
fn is_way_to_heap(raw: &Raw) -> bool {
    let called = raw.called.as_deref().unwrap_or_default();
    let file = raw.file.as_deref().unwrap_or_default();
    file.ends_with("/allocator.rs")
        && ["assay_alloc", "assay_alloc_zeroed", "assay_realloc", "assay_dealloc"].contains(&called)
}

/// A function of the program that runs cells: it is ours, but for what others call in the belief that it is C's.
fn program(raw: &Raw) -> Named {
    let of_c = raw.whole.as_deref().filter(|name| OF_C.contains(name));
    let function = Function {
        name: of_c.or(raw.whole.as_deref()).unwrap_or(PROGRAM).to_owned(),
        file: if of_c.is_some() { "libc.so.6" } else { PROGRAM }.to_owned(),
        line: None,
        origin: Origin::System,
    };
    let role = if of_c.is_some() { Role::Code } else { Role::Ours };
    Named { function, role, ..Named::default() }
}

#[cfg(test)]
mod tests {
    use super::{Raw, is_of_a_cell, is_way_to_heap};

    #[test]
    fn libraries_of_cells_are_known_by_their_names() {
        let check = |library: &str, expected: bool| assert_eq!(is_of_a_cell(library), expected, "{library}");
        check("librun_16-16.so", true);
        check("libcell_3-5.so", true);
        check("libc.so.6", false);
        check("libassay.so", false);
    }

    #[test]
    fn the_way_to_the_heap_is_ours() {
        let raw = |called: &str, file: &str| Raw {
            called: Some(called.to_owned()),
            file: Some(file.to_owned()),
            ..Raw::default()
        };
        assert!(is_way_to_heap(&raw(
            "assay_alloc",
            "/home/u/.cache/assay/native/048f.draft-1/src/allocator.rs"
        )));
        assert!(is_way_to_heap(&raw("assay_dealloc", "/x/src/allocator.rs")));
        assert!(!is_way_to_heap(&raw("assay_alloc", "/home/u/mine/src/lib.rs")));
        assert!(!is_way_to_heap(&raw("grow", "/home/u/mine/src/allocator.rs")));
        assert!(!is_way_to_heap(&Raw::default()));
    }
}
