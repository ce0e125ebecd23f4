//! Real libraries, as the engine makes them, with addresses in them.

use super::frames;
use super::naming::{self, Named};
use super::outline::Outline;
use super::{Functions, Local, heap, time};
use crate::engine::Cell;
use crate::engine::native::build::{Program, Workshop, build};
use crate::engine::native::dependencies::{Dependencies, Site};
use crate::engine::native::entry::Style;
use crate::engine::native::notebook::Notebook;
use crate::engine::native::toolchain::Toolchain;
use assay_link::watch::{self, Module, Samples, Seen, Stack, Thread, Trace, Watched};
use assay_magics::profiled::{Frame, Function, Origin, Time};
use object::{Object, ObjectSymbol};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// A notebook whose cells are compiled, and not run.
struct Bench {
    folder: tempfile::TempDir,
    workshop: Workshop,
    notebook: Notebook,
    dependencies: Dependencies,
    cell: Cell,
    libraries: Vec<PathBuf>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let toolchain =
            Toolchain::prepare(&environment, folder.path(), &folder.path().join("cache")).await.unwrap();
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        let workshop =
            Workshop { toolchain, linked: Arc::default(), folder: work, made: 0, style: Style::default() };
        Self {
            folder,
            workshop,
            notebook: Notebook::default(),
            dependencies: Dependencies::default(),
            cell: Cell::new(0, ""),
            libraries: Vec::new(),
        }
    }

    async fn cell(&mut self, number: u32, text: &str) {
        self.cell = Cell::new(number, text);
        let Program { notebook, libraries, .. } =
            build(&mut self.workshop, &self.notebook, &self.cell).await.unwrap();
        (self.notebook, self.libraries) = (notebook, libraries);
    }

    async fn add(&mut self, crates: &[String]) {
        let environment = std::env::vars().collect();
        let shelf = self.folder.path().join("shelf");
        let site = Site {
            toolchain: &self.workshop.toolchain,
            folder: self.folder.path(),
            environment: &environment,
            shelf: &shelf,
        };
        self.dependencies.add(crates, site, &mut |_| ()).await.unwrap();
        self.workshop.linked = self.dependencies.linked();
    }

    fn outline(&self) -> Outline {
        Outline::of(&self.notebook, &self.cell, &self.dependencies.local())
    }

    /// The library whose path has this in it.
    fn library(&self, part: &str) -> String {
        let own = self.libraries.iter().chain([&self.workshop.toolchain.runtime]);
        let standard =
            fs::read_dir(&self.workshop.toolchain.libraries).unwrap().map(|entry| entry.unwrap().path());
        let standard = standard.filter(|path| path.extension().is_some_and(|extension| extension == "so"));
        let all: Vec<String> = own.cloned().chain(standard).map(|path| path.display().to_string()).collect();
        all.iter().find(|path| path.contains(part)).unwrap_or_else(|| panic!("{part}: {all:?}")).clone()
    }
}

/// All addresses of the functions of a library whose symbols, demangled, contain this.
fn addresses(library: &str, wanted: &str) -> BTreeSet<u64> {
    let bytes = fs::read(library).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    let mut found = BTreeSet::new();
    for symbol in object.symbols().filter(|symbol| symbol.size() > 0) {
        let name = symbol.name().unwrap_or_default();
        if format!("{:#}", rustc_demangle::demangle(name)).contains(wanted) {
            found.extend(symbol.address()..symbol.address() + symbol.size());
        }
    }
    assert!(!found.is_empty(), "no {wanted} in {library}");
    found
}

/// The stacks of functions at these addresses, the outermost first, as `name file:line@line`.
fn stacks(outline: &Outline, library: &str, addresses: BTreeSet<u64>) -> BTreeSet<String> {
    let named = naming::name(BTreeMap::from([(library, addresses)]), outline);
    named
        .values()
        .flat_map(|at| at.values())
        .map(|frames| frames.iter().rev().map(shown).collect::<Vec<_>>().join(" > "))
        .collect()
}

fn shown(named: &Named) -> String {
    let Function { name, file, line, .. } = &named.function;
    let number = |line: &Option<u32>| line.map(|line| line.to_string()).unwrap_or_default();
    format!("{name} {file}:{}@{}", number(line), number(&named.line))
}

fn has(stacks: &BTreeSet<String>, wanted: &str) {
    assert!(stacks.iter().any(|stack| stack.contains(wanted)), "no {wanted}\n{stacks:#?}");
}

const ITEMS: &str = "#[derive(Clone)] pub struct Grid { cells: Vec<u64> }
impl Grid {
    #[inline(never)]
    pub fn step(&mut self) -> u64 {
        self.cells.iter().map(|x| leaf(*x)).fold(0, |a, b| a ^ b)
    }
}
#[inline(always)] fn leaf(x: u64) -> u64 {
    std::hint::black_box(x) * 3
}
macro_rules! thrice { ($x:expr) => {{
    let x = std::hint::black_box($x);
    leaf(x) + leaf(x + 1)
}} }
#[inline(never)] fn by_macro(x: u64) -> u64 { let y = x + 1;
    thrice!(y)
}
#[inline(never)] pub fn generic<T: Into<u64> + Copy>(x: &[T]) -> u64 {
    x.iter().map(|x| std::hint::black_box((*x).into())).sum()
}
#[inline(never)] fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(std::hint::black_box(n) - 2) } }
pub async fn later(x: u64) -> u64 { leaf(x) }
";

#[tokio::test]
async fn functions_lines_and_files_of_cells() {
    let mut bench = Bench::new().await;
    bench.cell(3, ITEMS).await;
    bench.cell(4, "let mut g = Grid { cells: vec![1, 2, 3] };\nlet a = g.step() + by_macro(2) + fib(20);\nlet b = [3u32].iter().map(|x| std::hint::black_box(x + 1)).max();\ngeneric(&[1u32]) + generic(&[2u8]) + a").await;
    let outline = bench.outline();
    let cell = bench.library("cell_3");
    println!("{:#?}", stacks(&outline, &cell, addresses(&cell, "")));
    let run = bench.library("run_");
    println!("{:#?}", stacks(&outline, &run, addresses(&run, "")));
}
