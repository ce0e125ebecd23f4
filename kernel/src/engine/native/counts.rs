//! How often functions are called and lines are run: counted by code that is built again so that it counts.
//!
//! The cell and all units that it reaches are compiled with `-Cinstrument-coverage` ([`library`]), and with guards in their functions ([`guards`]); they run where
//! nothing of it is left. What a counter counts is written in the library itself ([`coverage`], [`map`]), by place in what the compiler was given; which function or line
//! of the user's that is says the text ([`places`], [`tally`]).

mod bytes;
mod coverage;
mod guards;
mod library;
mod map;
mod older;
mod own;
mod places;
mod tally;
#[cfg(test)]
mod tests;
mod unreadable;

pub(super) use library::{CRATE, counters, flags, make_counters};
pub(super) use own::mentions;

use super::build::{Program, Workshop, build, unwritable};
use super::dependencies::{self, Linked};
use super::generate::shown;
use super::notebook::Notebook;
use super::source::{Edit, Source};
use super::split::Split;
use super::symbols::{Functions, Outline};
use crate::engine::{Cell, Failure, Trouble};
use assay_link::watch::{Counts, Lens, Seen, Watched};
use assay_magics::profiled::{Calls, Function, Hits};
use guards::Numbers;
use map::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tally::What;

/// A cell that counts.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) program: Program,
    /// Of each of its libraries that counts.
    maps: Vec<Map>,
    numbers: Numbers,
    /// What may lead it to code that was made before and counts nothing: variables and statics.
    older: Vec<String>,
    /// The cell that runs.
    cell: u32,
    /// The crates of the user's own.
    crates: Crates,
    /// Their files, if they count.
    own: own::Files,
}

/// What counts of the crates of the user's own.
#[derive(Debug)]
enum Crates {
    /// The cell reaches none.
    None,
    /// All of them. Their statics begin anew, of each crate those that can change.
    All { statics: BTreeMap<String, BTreeSet<String>> },
    /// They run as they were compiled: why.
    Nothing(String),
}

/// The crates of the user's own that a cell reaches, built so that they count, or why they were not; none if it reaches none.
pub(super) type Reached = Option<Result<dependencies::Counting, String>>;

/// Compiles a cell and all that it reaches so that it counts. The notebook stays as it is.
pub(super) async fn build_counted(
    workshop: &mut Workshop,
    before: &Notebook,
    cell: &Cell,
    crates: Reached,
) -> Result<Counted, Failure> {
    let (own, lack) = match crates.transpose() {
        Ok(own) => (own, None),
        Err(why) => (None, Some(why)),
    };
    let library = match &own {
        Some(own) => own.counters.clone(),
        None => {
            make_counters(&workshop.toolchain, &workshop.folder.clone()).await.map_err(Failure::Trouble)?
        }
    };
    let mut notebook = before.clone();
    notebook.units.build_again();
    let mut bench = Bench::with(workshop, library, own.as_ref().map(|own| Arc::clone(&own.linked)));
    let program = build(bench.workshop, &notebook, cell).await?;
    let numbers = bench.numbers();
    drop(bench);
    let libraries = program.libraries.clone();
    let read = tokio::task::spawn_blocking(move || {
        let statics = own.map(|own| statics(&own)).transpose()?;
        Ok((maps(&libraries)?, statics))
    });
    let read = read.await.unwrap_or_else(|_| Ok((Vec::new(), None)));
    let (maps, statics) = read.map_err(Failure::Trouble)?;
    let older = older::reached(&program, &BTreeSet::new());
    let crates = match (lack, statics) {
        (Some(why), _) => Crates::Nothing(why),
        (None, Some(statics)) => Crates::All { statics },
        (None, None) => Crates::None,
    };
    Ok(Counted { program, maps, numbers, older, cell: cell.number, crates, own: own::Files::default() })
}

/// What code that counts is built with.
#[derive(Debug)]
pub(super) struct Counting {
    /// What all such code loads.
    pub(super) library: PathBuf,
    numbers: Numbers,
}

impl Counting {
    /// What stands before everything in the cell.
    pub(super) fn start(&self) -> String {
        guards::start()
    }

    /// Puts guards into all units of a notebook. Gives those for the statements of the cell.
    pub(super) fn guard(&mut self, notebook: &mut Notebook, text: &Source, split: &Split) -> Vec<Edit> {
        guards::into_units(notebook, &mut self.numbers);
        split.statements().flat_map(|one| guards::of(text, &one.range, &mut self.numbers)).collect()
    }
}

/// A workshop in which code is built that counts, as long as this is there: whoever waits for it may give up.
struct Bench<'w> {
    workshop: &'w mut Workshop,
    /// What it has else.
    usual: Arc<Linked>,
}

impl<'w> Bench<'w> {
    /// On these crates, or on those that it has.
    fn with(workshop: &'w mut Workshop, library: PathBuf, linked: Option<Arc<Linked>>) -> Self {
        workshop.counting = Some(Counting { library, numbers: Numbers::default() });
        let usual = Arc::clone(&workshop.linked);
        workshop.linked = linked.unwrap_or_else(|| Arc::clone(&usual));
        Self { workshop, usual }
    }

    fn numbers(&mut self) -> Numbers {
        self.workshop.counting.take().map(|counting| counting.numbers).unwrap_or_default()
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        self.workshop.counting = None;
        self.workshop.linked = Arc::clone(&self.usual);
    }
}

/// The statics of crates that count that can change.
fn statics(own: &dependencies::Counting) -> Result<BTreeMap<String, BTreeSet<String>>, Trouble> {
    let bytes = std::fs::read(&own.library).map_err(|error| unwritable(&own.library, &error))?;
    Ok(own::statics(&bytes, &own.crates))
}

/// The maps of those of these libraries that count.
fn maps(libraries: &[PathBuf]) -> Result<Vec<Map>, Trouble> {
    let map = |library: &PathBuf| map(library).transpose();
    libraries.iter().filter_map(map).collect()
}

fn map(library: &Path) -> Result<Option<Map>, Trouble> {
    let bytes = std::fs::read(library).map_err(|error| unwritable(library, &error))?;
    Map::of(library, &bytes).map_err(|error| Trouble {
        what: format!("what {} counts cannot be read: {error}", library.display()),
        remedy: Some("please report it, with the version of rustc".to_owned()),
    })
}

/// How often it panicked.
fn panics(watched: &Watched) -> u64 {
    let Seen::Counts(Counts { calls, .. }) = &watched.seen else { return 0 };
    calls.iter().find(|(number, ..)| *number == u64::from(guards::PANICS)).map_or(0, |(_, total, _)| *total)
}

/// That statics have begun anew, if any of them are of crates in which something ran.
fn anew(statics: &BTreeMap<String, BTreeSet<String>>, hits: &[Hits]) -> Option<String> {
    let ran = |name: &str| {
        let source = format!("{name}/src/");
        let mut of_it = hits.iter().filter(|hits| hits.file.starts_with(&source)).peekable();
        // A crate that the notebook calls otherwise has its files under that name.
        of_it.peek().is_none() || of_it.any(|hits| hits.lines.iter().any(|(_, count)| *count > 0))
    };
    let of_crates = statics.iter().filter(|(name, statics)| !statics.is_empty() && ran(name));
    let all: Vec<String> = of_crates
        .map(|(name, statics)| {
            let mut names: Vec<String> = statics.iter().map(|one| format!("{name}::{one}")).collect();
            let more = names.len().saturating_sub(MOST_NAMED);
            names.truncate(MOST_NAMED);
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            named(&names) + &more
        })
        .collect();
    (!all.is_empty()).then(|| {
        format!(
            "Where it was counted, statics of crates of your own began anew: {}. Code that goes by what they hold may have taken another way there.",
            all.join("; ")
        )
    })
}

/// So many statics of a crate are named.
const MOST_NAMED: usize = 6;

/// `a`, `b` and `c`.
fn named(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

impl Counted {
    /// What its counters are seen through.
    pub(super) fn lens(&self) -> Lens {
        Lens::Counts { counters: self.maps.iter().map(Map::counters).collect() }
    }

    /// Knows the texts of the crates that count: to be asked for before what was counted is read.
    pub(super) fn learn(&mut self, outline: &Outline) {
        if let Crates::All { .. } = self.crates {
            self.own = own::Files::of(outline);
            self.older = older::reached(&self.program, &self.own.holders());
        }
    }

    /// What was counted, in the user's terms.
    pub(super) fn read(
        &self,
        counts: &Counts,
        outline: &Outline,
        functions: &mut Functions,
    ) -> (Vec<Calls>, Vec<Hits>) {
        let at = |file: &str, line: u32, column: u32| outline.at(file, line, column);
        self.read_with(counts, &at, &mut |function| functions.index(function))
    }

    /// What is not exact about it, a sentence each. These hits were counted.
    pub(super) fn doubts(&self, watched: &Watched, hits: &[Hits]) -> Vec<String> {
        let mut doubts = Vec::new();
        let own = match &self.crates {
            Crates::None => "",
            Crates::All { statics } => {
                doubts.extend(anew(statics, hits));
                " and of crates of your own"
            }
            Crates::Nothing(why) => {
                doubts.push(format!(
                    "Calls and hits are counted in cells alone: crates of your own run as they were compiled, for they cannot be built so that they count ({why})."
                ));
                ""
            }
        };
        if !self.older.is_empty() {
            doubts.push(format!(
                "What is in {} may call code that was compiled before and counts nothing: functions and lines of earlier cells{own} ran at least so often.",
                named(&self.older)
            ));
        }
        // The compiler counts blocks, and a call that panics does not end one.
        match panics(watched) {
            0 => {}
            1 => doubts.push(
                "It panicked once: in each function that this ended, what follows the call was counted with it."
                    .to_owned(),
            ),
            times => doubts.push(format!(
                "It panicked {times} times: in each function that this ended, what follows the call was counted with it."
            )),
        }
        doubts
    }

    /// The same. `at` knows what function stands at a line and a column, and `index` numbers functions.
    fn read_with(
        &self,
        counts: &Counts,
        at: &dyn Fn(&str, u32, u32) -> Option<Function>,
        index: &mut dyn FnMut(Function) -> usize,
    ) -> (Vec<Calls>, Vec<Hits>) {
        let notebook = &self.program.notebook;
        let tally = tally::tally(&self.maps, &counts.libraries, &notebook.files, &self.own);
        let guarded: BTreeMap<u64, (u64, u64)> =
            counts.calls.iter().map(|(number, total, primitive)| (*number, (*total, *primitive))).collect();
        let mut calls: BTreeMap<usize, Calls> = BTreeMap::new();
        for ((cell, byte), (what, total)) in tally.calls {
            let Some((line, column)) = self.place(cell, byte) else { continue };
            // A crate has many functions.
            if total == 0 && self.own.shown(cell).is_some() {
                continue;
            }
            let Some(function) = at(&self.shown(cell), line, column) else { continue };
            if what == What::Unknown && !function.name.contains("{closure") {
                continue;
            }
            let number = self.numbers.get(cell, byte).map(u64::from);
            let primitive = match (what, number.and_then(|number| guarded.get(&number))) {
                (What::Statements, _) => Some(total),
                (_, Some((_, primitive))) => Some(*primitive),
                // What was never called says nothing.
                (_, None) => (total == 0).then_some(0),
            };
            let function = index(function);
            let at_least = !self.older.is_empty() && cell != self.cell;
            let called = Calls { function, total, primitive, at_least };
            let sum = |one: Calls| Calls {
                total: one.total.saturating_add(total),
                primitive: one.primitive.zip(primitive).map(|(one, other)| one + other),
                ..one
            };
            calls.entry(function).and_modify(|one| *one = sum(*one)).or_insert(called);
        }
        let hits = tally.lines.into_iter();
        let hits =
            hits.map(|(cell, lines)| Hits { file: self.shown(cell), lines: lines.into_iter().collect() });
        (calls.into_values().collect(), hits.collect())
    }

    /// What a cell, or a file of a crate, is called.
    fn shown(&self, cell: u32) -> String {
        self.own.shown(cell).map_or_else(|| shown(cell), str::to_owned)
    }

    /// Line and column, in bytes from 1, of a byte of a cell, or of a file of a crate.
    fn place(&self, cell: u32, byte: usize) -> Option<(u32, u32)> {
        let text = || self.program.notebook.texts.get(&cell).map(|text| &**text);
        let before = self.own.text(cell).or_else(text)?.get(..byte)?;
        let line = before.matches('\n').count() + 1;
        let column = byte - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
    }
}
