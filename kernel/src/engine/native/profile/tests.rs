//! The engine as a whole, with the compiler and the process that there are.

use super::{Found, is_short, once_only, told};
use crate::engine::evcxr::Evcxr;
use crate::engine::native::Native;
use crate::engine::native::notebook::Notebook;
use crate::engine::native::symbols::Outline;
use crate::engine::{Cell, Diagnostic, Engine, Failure, Host, Level, Output, Pass, Profiling, Ran};
use crate::session::event::NoInput;
use assay_link::watch::{Samples, Seen, Stack, Trace, Watched};
use assay_magics::plan::Ask;
use assay_magics::profiled::{Ending, Profiled};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// Remembers what it is told, and tells when a pass begins.
#[derive(Default)]
struct Page {
    outputs: Mutex<Vec<Output>>,
    pass: Notify,
}

impl Page {
    fn text(&self) -> String {
        let outputs = self.outputs.lock().unwrap();
        let text = |output: &Output| match output {
            Output::Stream { text, .. } => text.clone(),
            _ => String::new(),
        };
        outputs.iter().map(text).collect()
    }

    fn passes(&self) -> Vec<Pass> {
        let outputs = self.outputs.lock().unwrap();
        let pass = |output: &Output| match output {
            Output::Pass(pass) => Some(*pass),
            _ => None,
        };
        outputs.iter().filter_map(pass).collect()
    }
}

impl Host for Page {
    fn output(&self, output: Output) {
        let pass = matches!(output, Output::Pass(_));
        self.outputs.lock().unwrap().push(output);
        if pass {
            self.pass.notify_one();
        }
    }

    fn ask(&self, _: String, _: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        async { Err(NoInput::NotAllowed) }.boxed()
    }
}

/// An engine with a folder for its cells.
struct Stand {
    folder: tempfile::TempDir,
    engine: Native,
    cells: u32,
}

impl Stand {
    async fn after(cell: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // What is compiled for the toolchain is so once.
        let cache = std::env::current_exe().unwrap().parent().unwrap().with_file_name("native-engine");
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let analyzer =
            Evcxr::new("/nowhere".into(), folder.path().into(), folder.path().into(), environment.clone());
        let program = crate::child::tests::program();
        let engine = Native::new(program, cache, folder.path().into(), environment, analyzer);
        let mut stand = Self { folder, engine, cells: 0 };
        let (page, ran) = stand.run(cell).await;
        assert!(ran.is_ok(), "{ran:?} {}", page.text());
        stand
    }

    async fn run(&mut self, text: &str) -> (Arc<Page>, Result<Ran, Failure>) {
        self.cells += 1;
        self.engine.begin(self.cells).await;
        let page = Arc::new(Page::default());
        let ran = self.engine.run(Cell::new(self.cells, text), page.clone()).await;
        (page, ran)
    }

    /// What a cell prints.
    async fn prints(&mut self, text: &str) -> String {
        let (page, ran) = self.run(text).await;
        assert!(ran.is_ok(), "{ran:?}");
        page.text()
    }

    async fn profile(
        &mut self,
        code: &str,
        ask: Ask,
        page: &Arc<Page>,
    ) -> (Option<Profiled>, Result<Ran, Failure>) {
        self.cells += 1;
        self.engine.begin(self.cells).await;
        let cell = |text: String| Cell::new(self.cells, text);
        let once =
            cell(format!("::assay::measure::profile::begin(0); {code} ::assay::measure::profile::end();"));
        let again = cell(format!(
            "let mut turns = ::assay::measure::profile::turns(0, 0.01); while turns.again() {{ {code} }}"
        ));
        let what = Profiling { once, again: Some(again), ask, functions: Vec::new() };
        self.engine.profile(what, page.clone()).await
    }
}

fn everything() -> Ask {
    Ask { time: true, counts: true, sites: true, ..Ask::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_happens_once_and_the_rest_leaves_nothing() {
    let mut stand = Stand::after("let mut v = vec![1u64]; println!(\"{}\", std::process::id());").await;
    let page = Arc::new(Page::default());
    let code = "v.push(2); println!(\"here\"); let bound = v.len();";
    let (profiled, ran) = stand.profile(code, everything(), &page).await;
    let (profiled, ran) = (profiled.unwrap(), ran.unwrap());
    assert_eq!((profiled.run.ending, ran.value), (Ending::Finished, None));
    assert_eq!(page.text(), "here\n");
    let passes = page.passes();
    assert!(passes.contains(&Pass::Counting) && passes.contains(&Pass::Sites), "{passes:?}");
    assert_eq!(passes.last(), Some(&Pass::Names));
    assert_eq!(stand.prints("println!(\"{v:?} {bound}\");").await, "[1, 2] 2\n");
    let pid = stand.engine.processes()[0].0;
    // All copies are gone but the checkpoints.
    let children = || std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    while children().split_whitespace().count() > 3 {
        tokio::task::yield_now().await;
    }
    // As often as is asked, each time with its effects.
    let ask = Ask { heap: Some(3), ..Ask::default() };
    let (profiled, ran) = stand.profile("v.push(3);", ask.clone(), &page).await;
    assert!(ran.is_ok() && profiled.unwrap().doubts.iter().all(|doubt| !doubt.contains("times")));
    assert_eq!(stand.prints("println!(\"{v:?}\");").await, "[1, 2, 3, 3, 3]\n");
    let (profiled, ran) = stand.profile("drop(v);", ask, &page).await;
    let doubts = profiled.unwrap().doubts;
    assert!(ran.is_ok() && doubts.iter().any(|doubt| doubt.starts_with("It ran 1 of 3 times")), "{doubts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_fails_is_told_and_shown() {
    let mut stand = Stand::after("let mut v = vec![1u64];").await;
    let page = Arc::new(Page::default());
    let (profiled, ran) = stand.profile("v.push(2); panic!(\"on purpose\");", everything(), &page).await;
    assert!(matches!(ran, Err(Failure::Panic { .. })), "{ran:?}");
    assert_eq!(profiled.unwrap().run.ending, Ending::Failed);
    assert!(!page.passes().contains(&Pass::Repeats));
    let (profiled, ran) = stand.profile("nothing_of_this_name();", everything(), &page).await;
    assert!(profiled.is_none() && matches!(ran, Err(Failure::Compile(_))), "{ran:?}");
    let (profiled, ran) = stand.profile("std::process::exit(3);", everything(), &page).await;
    assert!(profiled.is_none() && matches!(ran, Err(Failure::Died { .. })), "{ran:?}");
    assert_eq!(stand.prints("println!(\"{v:?}\");").await, "[1, 2]\n");
}

/// Code that ends the first time that it runs, and never again.
const ENDLESS: &str = "v.push(2); if std::path::Path::new(\"ran\").exists() { loop { std::hint::spin_loop() } } else { std::fs::write(\"ran\", \"\").unwrap() }";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_rehearsal_that_does_not_end_can_be_interrupted() {
    let mut stand = Stand::after("let mut v = vec![1u64];").await;
    let page = Arc::new(Page::default());
    let ask = Ask { heap: Some(1), sites: true, ..Ask::default() };
    stand.cells += 1;
    stand.engine.begin(stand.cells).await;
    let once = format!("::assay::measure::profile::begin(0); {ENDLESS} ::assay::measure::profile::end();");
    let what = Profiling { once: Cell::new(stand.cells, once), again: None, ask, functions: Vec::new() };
    let press = async {
        page.pass.notified().await;
        stand.engine.interrupt().await;
    };
    let ((profiled, ran), ()) = tokio::join!(Engine::profile(&stand.engine, what, page.clone()), press);
    let profiled = profiled.unwrap();
    assert!(ran.is_ok(), "{ran:?}");
    assert_eq!(profiled.run.ending, Ending::Finished);
    assert!(
        profiled.doubts.contains(&"It was not found out where it allocates: it was interrupted.".to_owned()),
        "{:?}",
        profiled.doubts
    );
    assert_eq!(stand.prints("println!(\"{v:?}\");").await, "[1, 2]\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_interrupt_keeps_what_was_seen() {
    let mut stand = Stand::after("let mut v = vec![1u64];").await;
    let page = Arc::new(Page::default());
    stand.cells += 1;
    stand.engine.begin(stand.cells).await;
    let once = "::assay::measure::profile::begin(0); v.push(2); std::fs::write(\"here\", \"\").unwrap(); loop { std::hint::spin_loop() }";
    let once = Cell::new(stand.cells, once);
    let what = Profiling { once, again: None, ask: everything(), functions: Vec::new() };
    let here = stand.folder.path().join("here");
    let press = async {
        while !Path::new(&here).exists() {
            tokio::task::yield_now().await;
        }
        stand.engine.interrupt().await;
    };
    let ((profiled, ran), ()) = tokio::join!(Engine::profile(&stand.engine, what, page.clone()), press);
    assert!(matches!(ran, Err(Failure::Interrupted { .. })), "{ran:?}");
    assert_eq!(profiled.unwrap().run.ending, Ending::Interrupted);
    assert_eq!(page.passes(), [Pass::Names]);
    assert_eq!(stand.prints("println!(\"{v:?}\");").await, "[1]\n");
}

fn watched(wall: u64, samples: u64) -> Watched {
    let stack = Stack { thread: 0, trace: Trace::default(), samples };
    let samples = Samples { period: super::PERIOD, stacks: vec![stack], ..Samples::default() };
    Watched { wall, user: wall, system: 0, runs: 1, finished: true, seen: Seen::Samples(samples) }
}

#[test]
fn short_code_is_repeated() {
    let check = |wall: u64, samples: u64, expected: bool| {
        assert_eq!(is_short(&[watched(wall, samples)]), expected, "{wall} {samples}");
    };
    check(1_000, 0, true);
    check(290_000_000, 290, true);
    check(310_000_000, 310, false);
    check(2_000_000_000, 3, false);
    let blind = Watched { seen: Seen::Nothing { why: "why".to_owned() }, ..watched(1, 0) };
    assert!(!is_short(&[blind]));
}

#[test]
fn why_it_was_not_repeated_is_said() {
    let failure = |code: &str, message: &str| {
        Failure::Compile(vec![Diagnostic {
            level: Level::Error,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            spans: Vec::new(),
            children: Vec::new(),
        }])
    };
    assert!(once_only(&failure("E0382", "use of moved value: `v`")).contains("consumes a value"));
    assert!(once_only(&failure("E0308", "mismatched types")).ends_with("(mismatched types)."));
}

#[test]
fn what_was_not_seen_is_said() {
    let outline = Outline::of(&Notebook::default(), &Cell::new(1, ""), &[]);
    let blind = |why: &str| Watched { seen: Seen::Nothing { why: why.to_owned() }, ..watched(5, 0) };
    let found = Found {
        runs: vec![blind("this system lets no program take samples")],
        sites: Some(blind("the heap cannot be seen here")),
        ..Found::default()
    };
    let profiled = told(&found, &everything(), &[], &outline, Ending::Finished);
    assert_eq!(
        profiled.doubts,
        [
            "Where its time goes was not seen: this system lets no program take samples.",
            "Where it allocates was not seen: the heap cannot be seen here."
        ]
    );
    assert_eq!((profiled.time, profiled.heaps.len()), (None, 0));
    let seen = Found { runs: vec![watched(5_000_000, 5)], ..Found::default() };
    let profiled = told(&seen, &everything(), &[], &outline, Ending::Failed);
    assert_eq!((profiled.run.wall, profiled.run.ending), (0.005, Ending::Failed));
    assert!(profiled.time.is_some() && profiled.doubts.is_empty());
}
