//! The functions of a notebook and of the user's own crates, each with the text that it is.
//!
//! A profile calls a function of the user's what its text calls it, and not what debug information does: that has closures without a parent there, and functions
//! whose crate is one of ours. So the place in the text decides: file, line and column.

mod query;
mod reader;

use super::super::generate::shown;
use super::super::notebook::Notebook;
use super::super::source::Source;
use crate::engine::Cell;
use assay_magics::profiled::{Asked, Function, Origin};
use reader::{Form, Kind, Region};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the entries of cells are called, with a number behind it.
pub(super) const ENTRY: &str = reader::ENTRY;

/// No crate of a person's has more files.
const MOST_FILES: usize = 4_000;

/// A crate whose source is the user's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Local {
    /// What code calls it.
    pub(in super::super) name: String,
    /// The folder of its manifest.
    pub(in super::super) folder: PathBuf,
}

/// The functions that the user has written.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Outline {
    /// The texts of each file, by what it is called in a profile. A cell has several where it ran in several steps: each is blank where the others are not.
    files: BTreeMap<String, Vec<Text>>,
    /// What the files of the user's own crates are called, by their absolute paths.
    paths: BTreeMap<PathBuf, String>,
    /// The files that were given to rustc, below the folder in which it ran.
    generated: BTreeMap<PathBuf, Arc<Source>>,
    /// The names that two functions would share, which are told apart by their traits and types.
    shared: BTreeSet<String>,
}

/// A text with the functions in it.
#[derive(Debug, Clone)]
struct Text {
    text: Arc<str>,
    /// Where each line begins.
    starts: Vec<usize>,
    /// What holds another one stands before it.
    regions: Vec<Region>,
    origin: Origin,
    /// The higher, the newer.
    rank: u32,
}

/// A function with its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Defined {
    pub(in super::super) function: Function,
    /// The number of its first line.
    pub(in super::super) first_line: u32,
    /// Its lines, from its signature to its end.
    pub(in super::super) lines: Vec<String>,
}

/// Where code is, as debug information says it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct At<'a> {
    /// The library in which it is: that of a crate of ours lies beside the text that was compiled.
    pub(super) library: Option<&'a Path>,
    /// `cell[3]`, or the absolute path of a file.
    pub(super) file: &'a str,
    /// From 1.
    pub(super) line: u32,
    /// In bytes, from 1; 0 if it is not known.
    pub(super) column: u32,
    /// What debug information calls the function, without its path: `step`, `{closure#0}`.
    pub(super) called: Option<&'a str>,
}

impl Outline {
    /// Of all cells of a notebook, of one that may not have run yet, and of these crates.
    pub(in super::super) fn of(notebook: &Notebook, cell: &Cell, crates: &[Local]) -> Self {
        let mut outline = Self::default();
        for (number, text) in texts(notebook) {
            outline.add(shown(number), &text, Form::Cell, "", Origin::Cell, number);
        }
        outline.settle_items(notebook);
        // What has not run yet has its items still to come.
        if notebook.texts.get(&cell.number).is_none_or(|text| **text != *cell.source) {
            outline.add(shown(cell.number), &cell.source, Form::Cell, "", Origin::Cell, cell.number);
        }
        crates.iter().for_each(|one| outline.add_crate(one));
        outline.learn(notebook);
        outline.settle_names();
        outline
    }

    /// Knows the places in what was compiled for another version of the notebook too.
    pub(in super::super) fn learn(&mut self, notebook: &Notebook) {
        self.generated.extend(notebook.files.iter().map(|(path, source)| (path.clone(), Arc::clone(source))));
    }

    /// The innermost function or closure at a place of the user's text. Lines and columns (bytes) are from 1; without a column (0) it is where the line begins.
    pub(in super::super) fn at(&self, file: &str, line: u32, column: u32) -> Option<Function> {
        self.find(&At { file, line, column, ..At::default() })
    }

    /// The functions that this name means: the newest of each.
    pub(in super::super) fn named(&self, name: &str) -> Vec<Defined> {
        let found = query::find(name, self.functions());
        found.into_iter().map(|(file, text, region)| self.defined(file, text, region)).collect()
    }

    /// What was asked for by name.
    pub(in super::super) fn asked(&self, names: &[String], functions: &mut super::Functions) -> Vec<Asked> {
        let all = names.iter().flat_map(|name| self.named(name).into_iter().map(move |one| (name, one)));
        let asked = all.map(|(name, Defined { function, first_line, lines })| Asked {
            name: name.clone(),
            function: functions.index(function),
            first_line,
            lines,
        });
        asked.collect()
    }

    /// What can be asked for by name.
    pub(in super::super) fn names(&self) -> Vec<String> {
        let live = self.functions().filter(|(_, _, region)| region.live && region.kind == Kind::Function);
        let names: BTreeSet<String> = live.map(|(_, _, region)| self.name(region).to_owned()).collect();
        names.into_iter().collect()
    }

    /// The files of the user's own crates: each with its path, what it is called in a profile, and its text.
    pub(in super::super) fn own_files(&self) -> impl Iterator<Item = (&Path, &str, &str)> {
        self.paths.iter().filter_map(|(path, shown)| {
            let text = self.files.get(shown)?.first()?;
            Some((path.as_path(), shown.as_str(), &*text.text))
        })
    }

    /// What a file is called in a profile, if it is one of the user's own crates'.
    pub(super) fn shown(&self, path: &str) -> Option<&str> {
        self.paths.get(Path::new(path)).map(String::as_str)
    }

    /// Whether anything of the user's stands on a line.
    pub(super) fn has(&self, file: &str, line: u32) -> bool {
        self.files.get(file).is_some_and(|texts| texts.iter().any(|text| !text.blank(line)))
    }

    /// The function of the user's that stands there.
    pub(super) fn find(&self, at: &At<'_>) -> Option<Function> {
        let file = self.paths.get(Path::new(at.file)).map_or(at.file, String::as_str);
        let (file, texts) = self.files.get_key_value(file)?;
        let (text, region) = self.region(at, file, texts)?;
        let function = self.function(file, text, region);
        Some(match (region.kind, at.called) {
            (Kind::Type, Some(derived)) => {
                Function { name: format!("{}::{derived}", function.name), ..function }
            }
            _ => function,
        })
    }

    /// The function of a cell that has this whole name, where nothing is known but that; if several have, the newest.
    pub(super) fn of_a_cell(&self, name: &str) -> Option<Function> {
        let is_it = |(_, text, region): &(&str, &Text, &Region)| {
            let named = region.plain == name || region.exact == name;
            named && text.origin == Origin::Cell && matches!(region.kind, Kind::Function | Kind::Closure)
        };
        let newest = self.functions().filter(is_it).max_by_key(|(_, text, region)| (region.live, text.rank));
        newest.map(|(file, text, region)| self.function(file, text, region))
    }

    fn region<'t>(&self, at: &At<'_>, file: &str, texts: &'t [Text]) -> Option<(&'t Text, &'t Region)> {
        let by_name = || named(texts, at.called?);
        let statements = || {
            let found = texts.iter().find_map(Text::statements)?;
            at.called.is_none_or(|called| found.1.may_be(called)).then_some(found)
        };
        if at.line == 0 {
            // Every function may have a closure: only what is ours has a name of ours.
            let entry = at.called.filter(|called| called.starts_with(ENTRY));
            return by_name().or_else(|| entry.and_then(|_| statements()));
        }
        let users = self.users(at, file);
        let theirs = match &users {
            Some(users) => {
                users.iter().find_map(|byte| texts.iter().find_map(|text| text.region(*byte, at.called)))
            }
            None => texts.iter().find_map(|text| text.near(at)),
        };
        // What is ours stands around statements.
        let blank = || at.library.is_some() && texts.iter().all(|text| text.blank(at.line));
        let ours = users.map_or_else(blank, |users| users.is_empty());
        theirs.or_else(|| if ours { statements() } else { None }).or_else(by_name)
    }

    /// The bytes of a cell's text that stand at a place of what was compiled; none if that is not known, no bytes if it is text of ours.
    fn users(&self, at: &At<'_>, file: &str) -> Option<Vec<usize>> {
        let folder = Path::new(at.library?.parent()?.file_name()?);
        let column = (at.column as usize).checked_sub(1)?;
        let of_cell = |source: &&Arc<Source>| source.cells().any(|cell| shown(cell) == file);
        let below =
            self.generated.range(folder.to_owned()..).take_while(|(path, _)| path.starts_with(folder));
        let mut sources: Vec<&Arc<Source>> = below.map(|(_, source)| source).filter(of_cell).collect();
        if sources.is_empty() {
            // Generic code is compiled where it is used.
            sources = self.generated.values().filter(of_cell).collect();
        }
        if sources.is_empty() {
            return None;
        }
        let (mut found, mut behind) = (Vec::new(), Vec::new());
        for source in sources {
            let Some(line) = line(source.text(), at.line) else { continue };
            let byte = line.start + column;
            if byte >= line.end {
                continue;
            }
            let origin = |bytes| source.origin(&bytes).filter(|(cell, _)| shown(*cell) == file);
            found.extend(origin(byte..byte + 1).map(|(_, range)| range.start));
            // A function begins with the `pub` that is ours.
            behind.extend(origin(byte..line.end).map(|(_, range)| range.start));
        }
        Some(if found.is_empty() { behind } else { found })
    }

    fn functions(&self) -> impl Iterator<Item = (&str, &Text, &Region)> {
        let texts =
            self.files.iter().flat_map(|(file, texts)| texts.iter().map(move |text| (file.as_str(), text)));
        texts.flat_map(|(file, text)| text.regions.iter().map(move |region| (file, text, region)))
    }

    fn function(&self, file: &str, text: &Text, region: &Region) -> Function {
        let line = match region.kind {
            Kind::Statements => self.first_statement(file),
            _ => Some(text.line(region.range.start)),
        };
        Function { name: self.name(region).to_owned(), file: file.to_owned(), line, origin: text.origin }
    }

    /// The line on which the statements of a cell begin, whatever the step that they are of.
    fn first_statement(&self, file: &str) -> Option<u32> {
        let texts = self.files.get(file)?.iter();
        let firsts = texts.filter_map(|text| {
            let first = text.regions.iter().find(|region| region.kind == Kind::Statements)?;
            Some(text.line(first.range.start))
        });
        firsts.min()
    }

    fn name<'r>(&self, region: &'r Region) -> &'r str {
        if self.shared.contains(&region.plain) { &region.exact } else { &region.plain }
    }

    fn defined(&self, file: &str, text: &Text, region: &Region) -> Defined {
        let mut range = region.range.clone();
        if region.kind == Kind::Statements {
            // They are one function, whatever stands between them.
            let all = text.regions.iter().filter(|region| region.kind == Kind::Statements);
            range.end = all.map(|region| region.range.end).max().unwrap_or(range.end);
        }
        let (first, last) = (text.line(range.start), text.line(range.end.saturating_sub(1)));
        let lines = text.text.lines().skip(first as usize - 1).take((last - first) as usize + 1);
        Defined {
            function: self.function(file, text, region),
            first_line: first,
            lines: lines.map(str::to_owned).collect(),
        }
    }

    fn add(&mut self, file: String, text: &str, form: Form, within: &str, origin: Origin, rank: u32) {
        let regions = reader::read(text, form, within);
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let text = Text { text: Arc::from(text), starts, regions, origin, rank };
        self.files.entry(file).or_default().push(text);
    }

    fn add_crate(&mut self, one: &Local) {
        let source = one.folder.join("src");
        for path in rust_files(&source) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let Ok(below) = path.strip_prefix(&source) else { continue };
            let within = module(&one.name, below);
            let file = format!("{}/src/{}", one.name, below.display());
            self.paths.insert(path, file.clone());
            self.add(file, &text, Form::File, &within, Origin::Local, 0);
        }
    }

    /// Items that a newer one has taken the place of are not there any more, though older code may still run.
    fn settle_items(&mut self, notebook: &Notebook) {
        let mut there: BTreeSet<(u32, usize, usize)> = BTreeSet::new();
        for (_, unit) in notebook.units.all() {
            let named = |name: &String| {
                notebook.definitions.get(name).is_none_or(|definition| {
                    notebook
                        .units
                        .get(definition.unit)
                        .is_some_and(|other| other.crate_name == unit.crate_name)
                })
            };
            for part in &unit.parts {
                for item in &part.items {
                    let current = match &item.what {
                        super::super::split::What::Definition(names) => {
                            names.iter().all(|one| named(&one.name))
                        }
                        _ => true,
                    };
                    if let (true, Some((cell, range))) = (current, part.text.origin(&item.range)) {
                        there.insert((cell, range.start, range.end));
                    }
                }
            }
        }
        for (file, texts) in &mut self.files {
            for text in texts {
                for region in &mut text.regions {
                    region.live = there.iter().any(|(cell, start, end)| {
                        shown(*cell) == *file && *start <= region.range.start && region.range.end <= *end
                    });
                }
            }
        }
    }

    /// Finds the names that functions share which are there at the same time.
    fn settle_names(&mut self) {
        let mut exact: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, _, region) in self.functions().filter(|(_, _, region)| region.live) {
            exact.entry(&region.plain).or_default().insert(&region.exact);
        }
        let shared = exact.into_iter().filter(|(_, exact)| exact.len() > 1);
        self.shared = shared.map(|(plain, _)| plain.to_owned()).collect();
    }
}

impl Text {
    /// The innermost region that has this byte and may be called so.
    fn region(&self, byte: usize, called: Option<&str>) -> Option<(&Self, &Region)> {
        let holding = self.regions.iter().rev().filter(|region| region.range.contains(&byte));
        let found = match called {
            // What a macro has made on the spot is none of them.
            Some(called) => holding.clone().find(|region| region.may_be(called)),
            None => holding.clone().next().filter(|region| region.is_code()),
        };
        found.map(|region| (self, region))
    }

    /// The same where only the line is sure.
    fn near(&self, at: &At<'_>) -> Option<(&Self, &Region)> {
        let start = *self.starts.get((at.line as usize).checked_sub(1)?)?;
        let end = self.starts.get(at.line as usize).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end)?;
        let blank = line.len() - line.trim_start().len();
        if blank == line.len() {
            return None;
        }
        if at.library.is_some()
            && let Some(called) = at.called
        {
            // Something of ours stands before it on its line: its name says more than its column.
            let on_line = |region: &&Region| region.range.start < end && region.range.end > start;
            let mut same = self.regions.iter().rev().filter(on_line).filter(|region| region.bare() == called);
            if let (Some(one), None) = (same.next(), same.next()) {
                return Some((self, one));
            }
        }
        let column = (at.column as usize).saturating_sub(1).clamp(blank, line.len() - 1);
        self.region(start + column, at.called)
    }

    /// Whether nothing stands on a line.
    fn blank(&self, number: u32) -> bool {
        line(&self.text, number).is_none_or(|line| self.text[line].trim().is_empty())
    }

    /// The first of its statements, if it has any.
    fn statements(&self) -> Option<(&Self, &Region)> {
        self.regions.iter().find(|region| region.kind == Kind::Statements).map(|region| (self, region))
    }

    /// The number of the line at a byte.
    fn line(&self, byte: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= byte)).unwrap_or(u32::MAX)
    }
}

/// The one function of these texts that is called so, with its path or without.
fn named<'t>(texts: &'t [Text], called: &str) -> Option<(&'t Text, &'t Region)> {
    let all = texts.iter().flat_map(|text| text.regions.iter().map(move |region| (text, region)));
    let mut same = all.filter(|(_, region)| match region.kind {
        Kind::Function => region.plain == called || region.bare() == called,
        // Each function has a first closure.
        Kind::Closure => region.plain == called,
        _ => false,
    });
    same.next().filter(|_| same.next().is_none())
}

/// The texts of cells, each with the cell's number. A step of a cell that made items is remembered with them, the last one by itself.
fn texts(notebook: &Notebook) -> Vec<(u32, String)> {
    let parts = notebook.units.all().flat_map(|(_, unit)| &unit.parts);
    let mut all: BTreeSet<(u32, String)> =
        parts.map(|part| (part.cell, part.text.users(part.cell))).collect();
    all.extend(notebook.texts.iter().map(|(cell, text)| (*cell, text.to_string())));
    all.into_iter().collect()
}

/// The bytes of a line, from 1, without its break.
fn line(text: &str, line: u32) -> Option<Range<usize>> {
    let start = match line {
        0 => return None,
        1 => 0,
        _ => text.match_indices('\n').nth(line as usize - 2)?.0 + 1,
    };
    Some(start..text[start..].find('\n').map_or(text.len(), |length| start + length))
}

/// The Rust files in a folder and below.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            // What a link leads to may lead back.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
                _ => {}
            }
            if found.len() >= MOST_FILES {
                return found;
            }
        }
    }
    found.sort();
    found
}

/// The module that a file is, by where it lies below `src`.
fn module(name: &str, below: &Path) -> String {
    let below = below.with_extension("");
    let mut segments: Vec<String> =
        below.components().map(|one| one.as_os_str().to_string_lossy().into_owned()).collect();
    let last = segments.last().map(String::as_str);
    if matches!(last, Some("mod")) || (segments.len() == 1 && matches!(last, Some("lib" | "main"))) {
        segments.pop();
    }
    segments.insert(0, name.to_owned());
    segments.join("::")
}

#[cfg(test)]
mod tests;
