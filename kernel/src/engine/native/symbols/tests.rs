//! Real libraries, as the engine makes them, with addresses in them.

use super::frames::Raw;
use super::naming::{self, Named};
use super::outline::Outline;
use super::{Functions, heap, time};
use crate::engine::Cell;
use crate::engine::native::build::{Program, Workshop, build};
use crate::engine::native::dependencies::{Dependencies, Site};
use crate::engine::native::entry::Style;
use crate::engine::native::notebook::Notebook;
use crate::engine::native::toolchain::Toolchain;
use assay_link::watch::{self, Module, Samples, Seen, Stack, Thread, Trace, Watched};
use assay_magics::profiled::{self, Frame, Function, Origin, Time};
use object::{Object, ObjectSection, ObjectSymbol};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
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
        let workshop = Workshop {
            toolchain,
            linked: Arc::default(),
            folder: work,
            made: 0,
            style: Style::default(),
            counting: None,
        };
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

const CELL: &str = "let mut g = Grid { cells: vec![1, 2, 3] };
let a = g.step() + by_macro(2) + fib(20);
let b = [3u32].iter().map(|x| std::hint::black_box(x + 1)).max();
generic(&[1u32]) + generic(&[2u8]) + a";

#[tokio::test]
async fn profiles_of_cells() {
    let mut bench = Bench::new().await;
    bench.cell(3, ITEMS).await;
    bench.cell(4, CELL).await;
    functions_lines_and_files(&bench);
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    the_c_library(&bench);
    a_stack_begins_with_the_code_that_is_watched(&bench);
    threads_of_the_same_role_are_one(&bench);
    allocations_are_their_callers(&bench);
    what_is_damaged_has_poorer_names(&bench);
    many_addresses_take_little_time(&bench);
    another_body_is_in_another_cell(&mut bench).await;
    crates_of_the_users_own(&mut bench).await;
}

fn functions_lines_and_files(bench: &Bench) {
    let outline = bench.outline();
    let cell = bench.library("cell_3");
    let found = stacks(&outline, &cell, addresses(&cell, ""));
    has(&found, "Grid::step cell[3]:4@6");
    has(
        &found,
        "> Grid::step::{closure#0} cell[3]:5@5 > leaf cell[3]:8@9 > core::hint::black_box core/src/hint.rs:@",
    );
    has(&found, "> Grid::step::{closure#1} cell[3]:5@5");
    // What a macro expands to is its caller's.
    has(&found, "by_macro cell[3]:15@16 > leaf cell[3]:8@9 >");
    has(&found, "by_macro cell[3]:15@16 > core::hint::black_box");
    has(&found, "fib cell[3]:21@21");
    let run = bench.library("run_");
    let found = stacks(&outline, &run, addresses(&run, ""));
    has(&found, "<statements> cell[4]:1@2");
    has(&found, "> <statements>::{closure#0} cell[4]:3@3 >");
    // Where a symbol is all that is known, the text is asked for it.
    let raw = |whole: &str| Raw { whole: Some(whole.to_owned()), rust: true, ..Raw::default() };
    for (symbol, expected) in [
        ("fib", "fib cell[3]:21@"),
        ("Grid::step", "Grid::step cell[3]:4@"),
        ("core::cmp::max", "core::cmp::max core:@"),
    ] {
        assert_eq!(shown(&naming::by_symbol(&run, &outline, &raw(symbol))), expected);
    }
    // Generic code is compiled where it is called.
    has(&found, "generic cell[3]:18@20");
    has(&found, "> generic::{closure#0} cell[3]:19@19 > core::hint::black_box");
    has(&found, "core::ptr::drop_in_place<Grid> core/src/ptr/mod.rs:@");
    let ours = ["cell_3::", "assay_statements", "{impl", "{{", "_ZN", "assay_entry_"];
    for stack in &found {
        assert!(!ours.iter().any(|ours| stack.contains(ours)), "{stack}");
    }
}

/// The C library has no symbol for what it chooses at the start, and all exported functions have.
fn the_c_library(bench: &Bench) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps.lines().find(|line| line.ends_with("/libc.so.6")).unwrap();
    let library = &library[library.find('/').unwrap()..];
    let base = maps.lines().find(|line| line.ends_with(library)).unwrap().split('-').next().unwrap();
    let base = u64::from_str_radix(base, 16).unwrap();
    let at = |function: *const ()| function as u64 - base + 9;
    let functions = [libc::memcpy as *const (), libc::strlen as *const (), libc::getenv as *const ()];
    let addresses = BTreeSet::from(functions.map(at));
    let outline = bench.outline();
    let named = naming::name(BTreeMap::from([(library, addresses)]), &outline);
    let shown = functions.map(at).map(|address| shown(&named[library][&address][0]));
    assert_eq!(shown, ["memcpy", "strlen", "getenv"].map(|name| format!("{name} libc.so.6:@")));
}

/// The address of a stack that ends so, as [`stacks`] shows it.
fn address(outline: &Outline, library: &str, wanted: &str) -> u64 {
    let named = naming::name(BTreeMap::from([(library, addresses(library, ""))]), outline);
    let ends =
        |frames: &[Named]| frames.iter().rev().map(shown).collect::<Vec<_>>().join(" > ").ends_with(wanted);
    let found = named[library].iter().find(|(_, frames)| ends(frames));
    *found.unwrap_or_else(|| panic!("no {wanted}")).0
}

/// The thread of a stack, its frames, and whether it is complete.
type One = (u32, Vec<(u32, u64)>, bool);

/// What is seen of stacks, each of the addresses of modules, the outermost first.
struct Seeing {
    modules: Vec<String>,
    threads: Vec<Thread>,
    stacks: Vec<One>,
}

impl Seeing {
    fn watched(&self) -> Watched {
        let modules = self.modules.iter().map(|path| Module { path: path.clone() }).collect();
        let stack = |(thread, frames, complete): &One| Stack {
            thread: *thread,
            trace: Trace { frames: frames.iter().rev().copied().collect(), complete: *complete },
            samples: 2,
        };
        let samples = Samples {
            period: 1_000_000,
            modules,
            threads: self.threads.clone(),
            stacks: self.stacks.iter().map(stack).collect(),
            lost: 1,
            spent: 500_000,
            ..Samples::default()
        };
        watched(Seen::Samples(samples))
    }
}

fn watched(seen: Seen) -> Watched {
    Watched { wall: 2_000_000_000, user: 1, system: 1, runs: 3, finished: true, seen }
}

fn thread(id: u32, name: &str) -> Thread {
    Thread { id, name: name.to_owned() }
}

/// Stacks as `thread: name@line > [name]@line xsamples`, what was inlined in brackets.
fn timed(time: &Time, functions: &[Function]) -> Vec<String> {
    let frame = |frame: &Frame| {
        let name = &functions[frame.function].name;
        let line = frame.line.map(|line| line.to_string()).unwrap_or_default();
        if frame.inlined { format!("[{name}]@{line}") } else { format!("{name}@{line}") }
    };
    let stack = |stack: &profiled::Stack| {
        let frames: Vec<String> = stack.frames.iter().map(frame).collect();
        format!("{}: {} x{}", stack.thread, frames.join(" > "), stack.samples)
    };
    time.stacks.iter().map(stack).collect()
}

fn a_stack_begins_with_the_code_that_is_watched(bench: &Bench) {
    let outline = bench.outline();
    let [cell, run, runtime, standard] =
        ["cell_3", "run_", "libassay.so", "libstd-"].map(|part| bench.library(part));
    let catch = *addresses(&runtime, "assay::cell::catch").first().unwrap();
    let begin = *addresses(&runtime, "assay::measure::profile::begin").first().unwrap();
    let begun = *addresses(&standard, "thread_start").first().unwrap();
    let entry = *addresses(&run, "assay_entry_").first().unwrap();
    let statement = address(&outline, &run, "<statements> cell[4]:1@2");
    let step = address(&outline, &cell, "Grid::step cell[3]:4@6");
    let leaf = address(&outline, &cell, "leaf cell[3]:8@9");
    let fib = address(&outline, &cell, "fib cell[3]:21@21");
    let seeing = Seeing {
        modules: vec![cell, run, runtime, standard, String::new(), "/none/libnone.so".to_owned()],
        threads: vec![thread(7, "cells"), thread(8, "pool")],
        stacks: vec![
            (0, vec![(2, catch), (1, entry), (2, catch), (1, entry), (1, statement), (0, step)], true),
            (0, vec![(2, catch), (1, entry), (1, statement), (0, fib), (0, fib), (0, fib)], true),
            (0, vec![(1, statement), (0, fib), (5, 99)], true),
            // It goes on above.
            (0, vec![(3, begun), (0, fib)], false),
            (1, vec![(3, begun), (0, leaf)], true),
            (1, vec![(3, begun), (4, 16)], true),
            // What watches is nobody's.
            (0, vec![(1, entry), (1, statement), (2, begin)], true),
            (0, Vec::new(), false),
            (0, vec![(2, catch)], true),
        ],
    };
    let mut functions = Functions::default();
    let time = time(&[seeing.watched()], &outline, &mut functions);
    let functions = functions.into_vec();
    let shown = timed(&time, &functions);
    let expected = [
        "0: <statements>@2 > Grid::step@6 x2",
        "0: <statements>@2 > fib@21 > fib@21 > fib@21 x2",
        "0: <statements>@2 > fib@21 > libnone.so@ x2",
    ];
    assert_eq!(shown[..3], expected, "{shown:#?}");
    assert!(
        shown[3].ends_with("thread_start@ > fib@21 x2") || shown[3].contains("thread_start"),
        "{shown:#?}"
    );
    // The thread comes to the user's code where that was inlined into a function of the user's.
    assert!(shown[4].starts_with("1: Grid::step@5 > [") && shown[4].ends_with("> [leaf]@9 x2"), "{shown:#?}");
    assert_eq!(shown[5..], ["1: vdso@ x2"], "{shown:#?}");
    assert_eq!((time.period, time.lost, time.runs, time.wall_of_runs), (0.001, 1, 3, 2.0));
    assert_eq!(time.threads, ["cells", "pool"]);
    let statements = functions.iter().find(|function| function.name == "<statements>").unwrap();
    let expected =
        Function { name: "<statements>".into(), file: "cell[4]".into(), line: Some(1), origin: Origin::Cell };
    assert_eq!(*statements, expected);
}

fn threads_of_the_same_role_are_one(bench: &Bench) {
    let outline = bench.outline();
    let cell = bench.library("cell_3");
    let fib = address(&outline, &cell, "fib cell[3]:21@21");
    let seeing = |threads: &[&str]| Seeing {
        modules: vec![cell.clone()],
        threads: (1..).zip(threads).map(|(id, name)| thread(id, name)).collect(),
        stacks: (0..).zip(threads).map(|(thread, _)| (thread, vec![(0, fib)], true)).collect(),
    };
    let runs = [seeing(&["cells", "a", "b"]).watched(), seeing(&["cells", "b", "b"]).watched()];
    let mut functions = Functions::default();
    let time = time(&runs, &outline, &mut functions);
    assert_eq!(time.threads, ["cells", "a", "b 1", "b 2"]);
    let samples: Vec<(usize, u64)> = time.stacks.iter().map(|stack| (stack.thread, stack.samples)).collect();
    assert_eq!(samples, [(0, 4), (1, 2), (2, 4), (3, 2)]);
    assert_eq!((time.runs, time.lost, functions.into_vec().len()), (6, 2, 1));
    let nothing = watched(Seen::Nothing { why: "no".to_owned() });
    assert_eq!(super::time(&[nothing], &outline, &mut Functions::default()), Time::default());
}

fn allocations_are_their_callers(bench: &Bench) {
    let outline = bench.outline();
    let run = bench.library("run_");
    let within = naming::name(BTreeMap::from([(run.as_str(), addresses(&run, ""))]), &outline);
    let allocating = within[run.as_str()].iter().find(|(_, frames)| {
        frames.first().is_some_and(|frame| frame.function.name.starts_with("alloc::alloc::"))
            && frames.iter().any(|frame| frame.function.name == "<statements>")
    });
    let allocating = *allocating.unwrap().0;
    let trace =
        |frames: &[(u32, u64)]| Trace { frames: frames.iter().rev().copied().collect(), complete: true };
    let site = |frames: &[(u32, u64)]| watch::Site {
        trace: trace(frames),
        allocations: 3,
        bytes: 24,
        live: 8,
        live_blocks: 1,
        heap_after: -8,
        ..watch::Site::default()
    };
    let seen = watch::Heap {
        allocations: 6,
        bytes: 48,
        peak_at: 1_500_000_000,
        timeline: vec![(500_000_000, 24), (1_500_000_000, 48)],
        sites: vec![site(&[(0, allocating)])],
        modules: vec![Module { path: run.clone() }],
        ..watch::Heap::default()
    };
    let with_sites = watched(Seen::Heap(seen.clone()));
    let without = watched(Seen::Heap(watch::Heap { sites: Vec::new(), ..seen }));
    let mut functions = Functions::default();
    let heaps = [
        heap(&with_sites, None, &outline, &mut functions),
        heap(&without, Some(&with_sites), &outline, &mut functions),
    ];
    assert_eq!(heaps[0], heaps[1]);
    assert!(heap(&without, None, &outline, &mut functions).sites.is_empty());
    let functions = functions.into_vec();
    assert_eq!((heaps[0].peak_at, &heaps[0].timeline), (1.5, &vec![(0.5, 24), (1.5, 48)]));
    for site in &heaps[0].sites {
        let names: Vec<&str> =
            site.frames.iter().map(|frame| functions[frame.function].name.as_str()).collect();
        assert_eq!(names[0], "<statements>");
        assert!(!names.iter().any(|name| name.starts_with("alloc::alloc")), "{names:?}");
        assert_eq!((site.allocations, site.bytes, site.live, site.heap_after), (3, 24, 8, -8));
    }
}

fn what_is_damaged_has_poorer_names(bench: &Bench) {
    let outline = bench.outline();
    let cell = bench.library("cell_3");
    let bytes = fs::read(&cell).unwrap();
    let fib = address(&outline, &cell, "fib cell[3]:21@21");
    let place = bench.folder.path().join("damaged.so");
    let path = place.display().to_string();
    let names = |bytes: &[u8]| {
        fs::write(&place, bytes).unwrap();
        let found =
            naming::name(BTreeMap::from([(path.as_str(), BTreeSet::from([fib, 0, u64::MAX]))]), &outline);
        let frames = &found[path.as_str()];
        assert_eq!(frames.len(), 3);
        assert!(frames.values().all(|frames| !frames.is_empty()));
        frames[&fib].last().unwrap().function.name.clone()
    };
    assert_eq!(names(&bytes), "fib");
    assert_eq!(names(&[]), "damaged.so");
    assert_eq!(names(b"\x7fELF"), "damaged.so");
    assert_eq!(names(&bytes[..bytes.len() / 2]), "damaged.so");
    // Without lines there is the symbol.
    let sections: Vec<(String, u64, u64)> = {
        let object = object::File::parse(&*bytes).unwrap();
        let of = |section: object::Section<'_, '_>| {
            let (start, size) = section.file_range()?;
            Some((section.name().ok()?.to_owned(), start, size))
        };
        object.sections().filter_map(of).collect()
    };
    for damage in [0, 0xff, 0x5a] {
        for (name, start, size) in sections.iter().filter(|(name, ..)| name.starts_with(".debug_")) {
            let mut damaged = bytes.clone();
            damaged[*start as usize..(*start + *size) as usize].fill(damage);
            assert_eq!(names(&damaged), "fib", "{name} {damage}");
        }
    }
    // Any byte of it.
    let mut state = 7_u64;
    for _ in 0..200 {
        let mut damaged = bytes.clone();
        for _ in 0..20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % damaged.len();
            damaged[at] = (state >> 20) as u8;
        }
        names(&damaged);
    }
}

fn many_addresses_take_little_time(bench: &Bench) {
    let outline = bench.outline();
    let [cell, run, standard] = ["cell_3", "run_", "libstd-"].map(|part| bench.library(part));
    let all =
        |library: &str, step: usize| addresses(library, "").into_iter().step_by(step).take(400).collect();
    let addresses: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::from([
        (cell.as_str(), all(&cell, 1)),
        (run.as_str(), all(&run, 1)),
        (standard.as_str(), all(&standard, 997)),
    ]);
    let count: usize = addresses.values().map(BTreeSet::len).sum();
    let began = Instant::now();
    let named = naming::name(addresses, &outline);
    let took = began.elapsed();
    println!("{count} addresses in {took:?}");
    let named: Vec<&Vec<Named>> = named[standard.as_str()].values().collect();
    // Its functions have names and files.
    let known =
        named.iter().filter(|frames| frames.iter().all(|frame| frame.function.file.ends_with(".rs"))).count();
    assert!(known * 10 > named.len() * 8, "{known} of {}", named.len());
    for frame in named.iter().flat_map(|frames| frames.iter()) {
        assert!(!frame.function.name.contains("_R") && !frame.function.name.contains("{impl"), "{frame:?}");
    }
}

async fn another_body_is_in_another_cell(bench: &mut Bench) {
    bench.cell(5, "\n#[inline(never)] fn fib(n: u64) -> u64 {\n    std::hint::black_box(n) }\n").await;
    bench.cell(6, "fib(3)").await;
    let outline = bench.outline();
    let asked = outline.asked(&["fib".to_owned()], &mut Functions::default());
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].first_line, asked[0].lines.len()), (2, 2));
    let libraries: Vec<String> = bench.libraries.iter().map(|path| path.display().to_string()).collect();
    let newest = libraries.iter().rfind(|path| path.contains("cell_3")).unwrap();
    has(&stacks(&outline, newest, addresses(newest, "fib")), "fib cell[5]:2@3");
}

async fn crates_of_the_users_own(bench: &mut Bench) {
    let words = bench.folder.path().join("words");
    fs::create_dir_all(words.join("src")).unwrap();
    fs::write(
        words.join("Cargo.toml"),
        "[package]\nname = \"words\"\nversion = \"1.0.0\"\nedition = \"2024\"\n",
    )
    .unwrap();
    fs::write(words.join("src/lib.rs"), "pub mod text;\n").unwrap();
    fs::write(
        words.join("src/text.rs"),
        "#[inline(never)]\npub fn count(text: &str) -> usize {\n    text.split(' ').filter(|word| long(word)).count()\n}\n#[inline(always)] fn long(word: &str) -> bool {\n    std::hint::black_box(word).len() > 3\n}\npub fn all<T: AsRef<str>>(text: &[T]) -> usize {\n    text.iter().map(|one| std::hint::black_box(count(one.as_ref()))).sum()\n}\n",
    )
    .unwrap();
    bench.add(&[words.display().to_string()]).await;
    bench.cell(7, "words::text::all(&[\"a b\"])").await;
    let outline = bench.outline();
    assert_eq!(outline.named("count")[0].function.file, "words/src/text.rs");
    assert!(outline.names().contains(&"words::text::all".to_owned()));
    let layer = bench.library("assay_deps");
    let found = stacks(&outline, &layer, addresses(&layer, "words::text::count"));
    has(&found, "words::text::count words/src/text.rs:2@3");
    has(
        &found,
        "words::text::count::{closure#0} words/src/text.rs:3@3 > words::text::long words/src/text.rs:5@6",
    );
    let run = bench.library("run_");
    let found = stacks(&outline, &run, addresses(&run, ""));
    has(&found, "> words::text::all::{closure#0} words/src/text.rs:9@9");
}
