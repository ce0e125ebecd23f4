//! Real cells, compiled so that they count, and run in a real process, whose memory is read from outside.
//!
//! What is expected stands in the cells: `//= 3` at the end of a line is its hits; a line without it has none.

use super::{Counted, Crates, Reached, build_counted};
use crate::child::{Child, Ended, Errand, Setup};
use crate::engine::native::build::{Workshop, build};
use crate::engine::native::dependencies::{Dependencies, Site};
use crate::engine::native::entry::Style;
use crate::engine::native::notebook::Notebook;
use crate::engine::native::symbols::{Functions, Outline};
use crate::engine::native::toolchain::Toolchain;
use crate::engine::{Cell, Host, Output};
use crate::session::event::NoInput;
use assay_link::native::{Ending, Kept};
use assay_link::watch::{Counts, Lens, Seen as Through, Watched};
use assay_magics::plan::Insert;
use assay_magics::profiled::{Calls, Function, Hits};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

mod damaged;
mod lines;

/// Hears what is printed.
#[derive(Default)]
struct Page(Mutex<String>);

impl Host for Page {
    fn output(&self, output: Output) {
        if let Output::Stream { text, .. } = output {
            self.0.lock().unwrap().push_str(&text);
        }
    }

    fn ask(&self, _: String, _: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        std::future::ready(Err(NoInput::NotAllowed)).boxed()
    }
}

/// A notebook without a session.
struct Bench {
    folder: tempfile::TempDir,
    workshop: Workshop,
    notebook: Notebook,
    child: Child,
    dependencies: Dependencies,
    cells: Vec<String>,
}

/// What was counted in a cell.
struct Seen {
    counted: Counted,
    ending: Ending,
    printed: String,
    calls: Vec<Calls>,
    hits: Vec<Hits>,
    functions: Vec<Function>,
}

/// Where the crates of a test are built.
fn site<'a>(toolchain: &'a Toolchain, folder: &'a Path, shelf: &'a Path) -> Site<'a> {
    Site { toolchain, folder, environment: &toolchain.environment, shelf }
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let beside = std::env::current_exe().unwrap().parent().unwrap().to_owned();
        // Each test is a process of its own, and it takes seconds to make.
        let cache = beside.with_file_name("toolchain-of-tests");
        std::fs::create_dir_all(&cache).unwrap();
        let first = std::fs::File::create(cache.join("lock")).unwrap();
        first.lock().unwrap();
        let toolchain = Toolchain::prepare(&environment, folder.path(), &cache).await.unwrap();
        drop(first);
        let program = beside.with_file_name("assay-child");
        assert!(program.is_file(), "`cargo build -p assay-child` comes first");
        let setup = Setup {
            program,
            runtime: toolchain.runtime.clone(),
            libraries: toolchain.libraries.clone(),
            environment,
            folder: folder.path().to_owned(),
        };
        let child = Child::start(&setup).await.unwrap();
        let workshop = Workshop {
            toolchain,
            linked: Arc::default(),
            folder: folder.path().canonicalize().unwrap(),
            made: 0,
            style: Style::default(),
            counting: None,
        };
        Self {
            folder,
            workshop,
            notebook: Notebook::default(),
            child,
            dependencies: Dependencies::default(),
            cells: Vec::new(),
        }
    }

    fn next(&mut self, text: &str) -> Cell {
        self.cells.push(text.to_owned());
        Cell::new(u32::try_from(self.cells.len()).unwrap(), text)
    }

    /// Runs a cell.
    async fn run(&mut self, text: &str) {
        let cell = self.next(text);
        let program = build(&mut self.workshop, &self.notebook, &cell).await.unwrap();
        self.notebook = program.notebook;
        let Some(entry) = &program.entry else { return };
        let errand = Errand::new(&program.libraries, Some(entry));
        match self.child.run(errand, Arc::new(Page::default())).await {
            Ended::Done { ending: Ending::Ok, kept, .. } => {
                for Kept { slot, .. } in kept {
                    let (name, variable) = program.slots[&slot].clone();
                    self.notebook.variables.insert(name, variable);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Runs a cell that counts.
    async fn count(&mut self, text: &str) -> Seen {
        let cell = self.next(text);
        self.count_cell(&cell).await
    }

    async fn count_cell(&mut self, cell: &Cell) -> Seen {
        self.count_with(cell, None, &[]).await
    }

    /// The same with crates that count, whose files these are, each with what it is called.
    async fn count_with(&mut self, cell: &Cell, crates: Reached, files: &[(&Path, &str)]) -> Seen {
        let mut counted = build_counted(&mut self.workshop, &self.notebook, cell, crates).await.unwrap();
        for (path, shown) in files {
            counted.own.add(path, shown, &std::fs::read_to_string(path).unwrap());
        }
        assert!(self.workshop.counting.is_none());
        let page = Arc::new(Page::default());
        let errand = Errand::new(&counted.program.libraries, counted.program.entry.as_deref());
        let ended = self.child.run(errand, Arc::clone(&page) as Arc<dyn Host>).await;
        let Ended::Done { ending, .. } = ended else { panic!("{ended:?}") };
        let Lens::Counts { counters } = counted.lens() else { panic!() };
        let libraries = counters.iter().map(|one| {
            let base = self.base(&one.library);
            let mut bytes = vec![0; one.count as usize * 8];
            self.memory().read_exact_at(&mut bytes, base + one.address).unwrap();
            bytes.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
        });
        let counts = Counts { libraries: libraries.collect(), calls: Vec::new() };
        let mut functions: Vec<Function> = Vec::new();
        let (calls, hits) =
            counted.read_with(&counts, &|file, line, column| self.named(file, line, column), &mut |one| {
                functions.push(one);
                functions.len() - 1
            });
        let printed = page.0.lock().unwrap().clone();
        Seen { counted, ending, printed, calls, hits, functions }
    }

    /// Writes a crate.
    fn write(&self, name: &str, text: &str, dependencies: &str) -> PathBuf {
        let folder = self.folder.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n{dependencies}"
        );
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("src/lib.rs"), text).unwrap();
        folder.join("src/lib.rs")
    }

    async fn depend(&mut self, line: &str) {
        let (toolchain, folder) = (self.workshop.toolchain.clone(), self.folder.path().to_owned());
        let shelf = folder.join("shelf");
        let site = site(&toolchain, &folder, &shelf);
        self.dependencies.offline = true;
        self.dependencies.add(&[line.to_owned()], site, &mut |_| ()).await.unwrap();
        self.workshop.linked = self.dependencies.linked();
    }

    async fn crates(&mut self) -> Reached {
        let (toolchain, folder) = (self.workshop.toolchain.clone(), self.folder.path().to_owned());
        let shelf = folder.join("shelf");
        let site = site(&toolchain, &folder, &shelf);
        Some(Ok(self.dependencies.counting(site).await.unwrap()))
    }

    fn memory(&self) -> std::fs::File {
        std::fs::File::open(format!("/proc/{}/mem", self.child.pid())).unwrap()
    }

    /// Where a library is in the memory of the process.
    fn base(&self, library: &str) -> u64 {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.child.pid())).unwrap();
        let line = maps
            .lines()
            .find(|line| line.ends_with(library))
            .unwrap_or_else(|| panic!("{library} in {maps}"));
        u64::from_str_radix(line.split('-').next().unwrap(), 16).unwrap()
    }

    /// The function at a place, called by the word there, or the bars of its parameters.
    fn named(&self, file: &str, line: u32, column: u32) -> Option<Function> {
        let text = match file.strip_prefix("cell[") {
            Some(cell) => self.cells[cell.strip_suffix(']')?.parse::<usize>().ok()? - 1].clone(),
            None => std::fs::read_to_string(self.folder.path().join(file)).unwrap(),
        };
        let text = text.lines().nth(line as usize - 1)?.get(column as usize - 1..)?;
        let name = match text.strip_prefix('|') {
            Some(rest) => format!("|{}|{{closure}}", rest.split('|').next()?),
            None => text.split(|c: char| c != '_' && !c.is_alphanumeric()).next()?.to_owned(),
        };
        Some(Function { name, file: file.to_owned(), line: Some(line), ..Function::default() })
    }

    /// Runs cells, of which the last one counts, and compares hits with what stands in them, and calls with these.
    async fn check(cells: &[&str], calls: &[(&str, u64)]) -> (Self, Seen) {
        let mut bench = Self::new().await;
        let (last, before) = cells.split_last().unwrap();
        for cell in before {
            bench.run(cell).await;
        }
        let seen = bench.count(last).await;
        bench.compare(&seen, calls);
        (bench, seen)
    }

    #[track_caller]
    fn compare(&self, seen: &Seen, calls: &[(&str, u64)]) {
        let cells = (1..).zip(&self.cells).map(|(number, text)| (format!("cell[{number}]"), text.clone()));
        let files = seen.hits.iter().map(|hits| &hits.file).filter(|file| file.contains('/'));
        let files =
            files.map(|file| (file.clone(), std::fs::read_to_string(self.folder.path().join(file)).unwrap()));
        for (file, text) in cells.chain(files) {
            let lines = seen.hits.iter().find(|hits| hits.file == file).map(|hits| hits.lines.clone());
            let lines = lines.unwrap_or_default();
            let shown: Vec<String> = (1..)
                .zip(text.lines())
                .map(|(line, text)| {
                    let hits = lines
                        .iter()
                        .find(|(of, _)| *of == line)
                        .map_or_else(String::new, |(_, hits)| hits.to_string());
                    format!("{hits:>8} {text}")
                })
                .collect();
            assert_eq!(lines, expected(&text), "{file}:\n{}", shown.join("\n"));
        }
        let mut counted: Vec<(String, u64)> = seen
            .calls
            .iter()
            .map(|calls| (seen.functions[calls.function].name.replace("{closure}", ""), calls.total))
            .collect();
        let mut calls: Vec<(String, u64)> =
            calls.iter().map(|(name, total)| ((*name).to_owned(), *total)).collect();
        counted.sort();
        calls.sort();
        assert_eq!(counted, calls);
        // Whatever the user's code did, nothing was written.
        let left = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("prof")));
    }
}

/// The hits that are expected of a text.
fn expected(text: &str) -> Vec<(u32, u64)> {
    let lines = (1..).zip(text.lines());
    let hits = |text: &str| Some(text.rsplit_once("//= ")?.1.trim().parse().unwrap());
    lines.filter_map(|(line, text)| Some((line, hits(text)?))).collect()
}

const FIB: &str = "\
fn fib(n: u64) -> u64 { //= 242785
    if n < 2 { //= 242785
        n //= 121393
    } else {
        fib(n - 1) + fib(n - 2) //= 121392
    }
} //= 242785
fn never() -> u64 { //= 0
    1 //= 0
} //= 0";

#[tokio::test]
async fn threads_count_together() {
    let cell = "\
use std::sync::atomic::{AtomicU64, Ordering};
static SUM: AtomicU64 = AtomicU64::new(0);
fn step(n: u64) { //= 1000000
    SUM.fetch_add(n, Ordering::Relaxed); //= 1000000
} //= 1000000";
    let last = "\
let handles: Vec<_> = (0..4) //= 1
    .map(|_| std::thread::spawn(|| { //= 4
        for n in 0..250_000 { //= 1000000
            step(n); //= 1000000
        }
    }))
    .collect(); //= 1
for handle in handles { //= 4
    handle.join().unwrap(); //= 4
}
println!(\"{}\", SUM.load(Ordering::Relaxed)); //= 1";
    let calls = [("step", 1_000_000), ("|_|", 4), ("||", 4), ("let", 1)];
    let (_, seen) = Bench::check(&[cell, last], &calls).await;
    assert_eq!(seen.printed, "124999500000\n");
}

#[tokio::test]
async fn a_unit_of_several_cells_has_the_lines_of_each() {
    let cells = [
        "#[derive(Debug, Clone)]\nstruct P { x: u64 }\nimpl P {\n    fn new() -> Self { P { x: 1 } } //= 2\n}\nstatic MADE: std::sync::Mutex<Vec<u64>> = std::sync::Mutex::new(Vec::new());",
        "impl P {\n    fn next(&self) -> Self { //= 2\n        MADE.lock().unwrap().push(self.x); //= 2\n        P { x: self.x + 1 } //= 2\n    } //= 2\n}",
        "let p = P::new().next();\nlet f: Box<dyn Fn(u64) -> u64> = Box::new(|x| x + 1);",
        "let q = P::new().clone().next(); //= 1\nlet r = p.next(); //= 1\nP::new(); //= 1\nprintln!(\"{} {} {} {:?}\", q.x, r.x, f(1), MADE.lock().unwrap()); //= 1",
    ];
    let (_, seen) = Bench::check(&cells, &[("new", 2), ("next", 2), ("let", 1)]).await;
    // State is that of the notebook.
    assert_eq!(seen.printed, "2 3 2 [1, 1, 2]\n");
    assert_eq!(seen.counted.older, ["f"]);
    let at_least = |name: &str| {
        let calls = seen.calls.iter().find(|calls| seen.functions[calls.function].name == name).unwrap();
        calls.at_least
    };
    assert!(at_least("new") && !at_least("let"));
}

#[tokio::test]
async fn what_is_inserted_around_the_code_counts_nothing() {
    let mut bench = Bench::new().await;
    bench.run(FIB).await;
    let source = "\n\n  fib(10) + fib(10)";
    let insert = |at, text: &str| Insert { at, text: text.to_owned(), optional: false };
    let inserts = vec![
        insert(4, "::assay::measure::profile::ended(::assay::measure::profile::begin(0), "),
        insert(source.len(), ")"),
    ];
    let cell = Cell { inserts, ..bench.next(source) };
    let seen = bench.count_cell(&cell).await;
    assert_eq!(seen.hits.last().unwrap().lines, [(3, 1)]);
    let fib = seen.calls.iter().find(|calls| seen.functions[calls.function].name == "fib").unwrap();
    assert_eq!(fib.total, 2 * 177);
}

#[tokio::test]
async fn nothing_is_written_when_the_code_ends_the_process() {
    let mut bench = Bench::new().await;
    bench.run(FIB).await;
    let cell = bench.next("fib(5); std::process::exit(0)");
    let counted = build_counted(&mut bench.workshop, &bench.notebook, &cell, None).await.unwrap();
    let errand = Errand::new(&counted.program.libraries, counted.program.entry.as_deref());
    let ended = bench.child.run(errand, Arc::new(Page::default())).await;
    assert!(matches!(&ended, Ended::Died { cause, .. } if cause == "exit status 0"), "{ended:?}");
    for folder in [bench.folder.path(), &std::env::current_dir().unwrap()] {
        let left = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        assert!(left.into_iter().all(|path| path.extension().is_none_or(|extension| extension != "profraw")));
    }
}

#[tokio::test]
async fn what_does_not_compile_says_so_and_the_next_cell_does_not_count() {
    let mut bench = Bench::new().await;
    bench.run(FIB).await;
    let cell = bench.next("fib(\"text\")");
    let failure = build_counted(&mut bench.workshop, &bench.notebook, &cell, None).await.unwrap_err();
    assert!(matches!(failure, crate::engine::Failure::Compile(_)), "{failure:?}");
    assert!(bench.workshop.counting.is_none());
    let seen = bench.count("fib(3) //= 1").await;
    assert_eq!(seen.calls.len(), 3);
}

#[tokio::test]
async fn variables_and_statics_may_lead_to_older_code() {
    let mut bench = Bench::new().await;
    bench.run("struct Game { plays: Vec<Box<dyn Fn(u64) -> u64>>, rule: u64 } struct Plain(fn() -> u64); struct No { x: u64 } trait T { fn f(&self); }").await;
    bench.run("static HOOKS: std::sync::Mutex<Vec<fn()>> = std::sync::Mutex::new(Vec::new()); fn hook() { HOOKS.lock().unwrap().clear() } static N: u8 = 1;").await;
    bench.run("let a = vec![Game { plays: vec![Box::new(|x| x)], rule: 1 }]; let b = Plain(|| 1); let c = No { x: 1 }; let d: Box<dyn Fn()> = Box::new(|| ());").await;
    let mut older = async |text: &str| bench.count(text).await.counted.older;
    assert!(older("c.x").await.is_empty());
    assert_eq!(older("a.len() + b.0() as usize").await, ["a", "b"]);
    assert_eq!(older("d(); hook()").await, ["d", "HOOKS"]);
}

#[tokio::test]
async fn what_a_body_begins_with_does_not_disturb_what_is_put_into_it() {
    let cell = "\
fn next() -> u64 {static N: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0); //= 3
    N.fetch_add(1, std::sync::atomic::Ordering::Relaxed) //= 3
} //= 3
fn allowed() -> u64 { //= 1
    #![allow(unused)]
    let x = 1; //= 1
    return x; //= 1
} //= 1
thread_local! { static LOCAL: std::cell::Cell<u64> = std::cell::Cell::new({ fn two() -> u64 { 2 } two() }); }
static LAZY: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
    let x = 3;
    x
});
extern \"C\" fn foreign(x: u64) -> u64 { x } //= 1
impl Drop for P { fn drop(&mut self) { next(); } } //= 1
struct P;
mod inner { pub fn deep() -> u64 { 1 } } //= 1";
    let mut bench = Bench::new().await;
    bench.run(cell).await;
    bench.run("next() + *LAZY").await;
    let seen = bench.count("println!(\"{} {} {} {} {}\", next(), allowed(), LOCAL.get(), *LAZY, foreign(4) + inner::deep()); //= 1\nnext(); drop(P); //= 1").await;
    // The static and its function are what they were.
    assert_eq!(seen.printed, "1 1 2 3 5\n");
    let calls = [("next", 3), ("allowed", 1), ("foreign", 1), ("drop", 1), ("deep", 1), ("println", 1)];
    bench.compare(&seen, &calls);
}

#[tokio::test]
async fn crates_that_were_added_are_those_of_the_notebook() {
    let text = "use std::sync::atomic::{AtomicU64, Ordering};
        static CALLS: AtomicU64 = AtomicU64::new(0);
        pub fn count() -> u64 { CALLS.fetch_add(1, Ordering::Relaxed) }
        pub fn apply<T>(times: u64, mut f: impl FnMut(u64) -> T) -> Vec<T> { (0..times).map(|x| f(x)).collect() }
        #[inline] pub fn one() -> u64 { 1 }";
    let mut bench = Bench::new().await;
    bench.write("words", text, "");
    bench.depend("words = { path = \"words\" }").await;
    bench.run("fn f(n: u64) -> u64 { words::one() + words::count() + n } //= 5").await;
    bench.run("f(1); f(2)").await;
    let seen =
        bench.count("println!(\"{:?}\", words::apply(4, |x| f(x))); //= 4\nf(0) + words::one() //= 1").await;
    assert_eq!(seen.printed, "[3, 5, 7, 9]\n");
    bench.compare(&seen, &[("f", 5), ("|x|", 4), ("println", 1)]);
}

#[tokio::test]
async fn what_is_not_exact_is_said() {
    let mut bench = Bench::new().await;
    bench.run("let f: Box<dyn Fn()> = Box::new(|| ()); let g = 1;").await;
    let watched = |calls: &[(u64, u64, u64)]| Watched {
        wall: 0,
        user: 0,
        system: 0,
        runs: 1,
        finished: true,
        seen: Through::Counts(Counts { calls: calls.to_vec(), ..Counts::default() }),
    };
    let seen = bench.count("f(); g").await;
    let doubts = seen.counted.doubts(&watched(&[]), &[]);
    assert!(doubts[0].starts_with("What is in `f` may call code that was compiled before"), "{doubts:?}");
    let seen = bench.count("g").await;
    assert!(seen.counted.doubts(&watched(&[(1, 2, 3)]), &[]).is_empty());
    let doubts = seen.counted.doubts(&watched(&[(0, 2, 2)]), &[]);
    assert!(doubts[0].starts_with("It panicked 2 times"), "{doubts:?}");
    let nothing = seen.counted.read(&Counts::default(), &Outline::default(), &mut Functions::default());
    let cell = bench.next("g");
    let seen = bench.count_with(&cell, Some(Err("no reason".to_owned())), &[]).await;
    let doubts = seen.counted.doubts(&watched(&[]), &[]);
    assert!(doubts[0].ends_with("cannot be built so that they count (no reason)."), "{doubts:?}");
    // What was never counted never ran.
    assert_eq!(nothing, (Vec::new(), vec![Hits { file: "cell[3]".to_owned(), lines: vec![(1, 0)] }]));
}

const MINE: &str = "\
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
static CALLS: AtomicU64 = AtomicU64::new(100);
static TABLE: [&str; 2] = [\"a\", \"b\"];
thread_local! { static LAST: Cell<u64> = const { Cell::new(0) }; }
pub struct Rule(pub Box<dyn Fn(u64) -> u64>);
pub struct Holder { pub rule: Rule }
pub fn fib(n: u64) -> u64 { //= 354
    LAST.set(n); //= 354
    if n < 2 { //= 354
        n //= 178
    } else {
        fib(n - 1) + fib(n - 2) //= 176
    }
} //= 354
pub fn each<T: Copy>(all: &[T], mut f: impl FnMut(T)) { //= 3
    for one in all { //= 7
        f(*one); //= 7
    }
} //= 3
#[inline]
pub fn twice(n: u64) -> u64 { CALLS.fetch_add(1, Ordering::Relaxed); 2 * n } //= 2
pub fn never() -> &'static str { TABLE[1] } //= 0
pub fn apply(rule: &Rule) -> u64 { (rule.0)(1) } //= 1
pub fn calls() -> u64 { if LAST.get() == 77 { 0 } else { CALLS.load(Ordering::Relaxed) } } //= 1
";

const OTHER: &str = "\
pub fn total(all: &[u64]) -> u64 { //= 2
    let mut sum = 0; //= 2
    mine::each(all, |x| { //= 4
        sum += x; //= 4
    });
    sum //= 2
} //= 2
";

#[tokio::test]
async fn crates_of_ones_own_count_when_they_are_built_so() {
    let mut bench = Bench::new().await;
    let mine = bench.write("mine", MINE, "");
    let other = bench.write("other", OTHER, "mine = { path = \"../mine\" }");
    bench.depend("mine = { path = \"mine\" }").await;
    bench.depend("other = { path = \"other\" }").await;
    bench.run("fn f(n: u64) -> u64 { mine::fib(n) + other::total(&[n, 1]) } //= 2").await;
    bench.run("let rule = mine::Rule(Box::new(|x| x)); let holder = mine::Holder { rule: mine::Rule(Box::new(|x| x)) }; let n = mine::twice(1); other::total(&[1]); f(3)").await;
    let crates = bench.crates().await;
    let files = [(mine.as_path(), "mine/src/lib.rs"), (other.as_path(), "other/src/lib.rs")];
    let text = "let a = f(10) + f(10) + n; //= 1
mine::each(&[1, 2, 3], |x| { mine::twice(x); }); //= 3
println!(\"{a} {} {}\", mine::apply(&rule), mine::calls()); //= 1";
    let text = text.replace("mine::twice(x);", "if x > 1 { mine::twice(x); }");
    let cell = bench.next(&text);
    let seen = bench.count_with(&cell, crates, &files).await;
    assert_eq!(seen.printed, "134 1 102\n");
    let calls = [
        ("f", 2),
        ("fib", 354),
        ("total", 2),
        ("|x|", 4),
        ("each", 3),
        ("twice", 2),
        ("apply", 1),
        ("calls", 1),
        ("let", 1),
        ("|x|", 3),
    ];
    bench.compare(&seen, &calls);
    let Crates::All { statics } = &seen.counted.crates else { panic!() };
    let names: Vec<_> = statics["mine"].iter().map(String::as_str).collect();
    assert_eq!((names, statics.len()), (vec!["CALLS", "LAST"], 1));
    let holders: Vec<_> = seen.counted.own.holders().into_iter().collect();
    assert_eq!(holders, ["Holder", "Rule"]);
    assert_eq!(super::older::reached(&seen.counted.program, &seen.counted.own.holders()), ["rule"]);
    // What was made for the first one is there for the second.
    let cell = bench.next("holder.rule.0(1) + mine::fib(1)");
    let built = bench.folder.path().join("shelf/counting");
    std::fs::remove_dir_all(&built).unwrap();
    let crates = bench.crates().await;
    assert!(!built.exists());
    let seen = bench.count_with(&cell, crates, &files).await;
    let fib = seen.calls.iter().find(|one| seen.functions[one.function].name == "fib").unwrap();
    // Here it is the same process, and its counters go on.
    assert_eq!(fib.total, 354 + 1);
    let older = super::older::reached(&seen.counted.program, &seen.counted.own.holders());
    assert_eq!(older, ["holder", "rule"]);
    // In cells that do not count, all is as it was.
    bench.run("assert_eq!((mine::calls(), mine::fib(5)), (101, 5));").await;
}
