//! The session through its own words: a front end that records, an engine that plays a part.

use super::Session;
use super::engines::Engines;
use super::event::{Event, FrontEnd, NoInput, StreamName};
use super::folders::Folders;
use super::reply::{CompleteReply, ExecuteReply, InspectReply};
use super::request::{CompleteRequest, ExecuteRequest, HistoryAccess, HistoryRequest};
use crate::engine::{
    Cell, Compilation, Diagnostic, Engine, Failure, Host, Level, Lost, Output, Pass, Profiling, Ran, Span,
    Trouble, Undone,
};
use assay_magics::outcome::Variable;
use assay_magics::profiled::{self, Profiled};
use assay_magics::render::Bundle;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Notify;

mod profile;

/// Plays an engine: `print X` prints, `let X` defines, `fail` does not compile, `panic` panics, `wait` runs until it is interrupted, anything else is a value. It finds out something about
/// whatever runs, but for `nothing`.
#[derive(Default)]
struct Actor {
    ran: Mutex<Vec<Cell>>,
    stop: Notify,
}

impl Actor {
    fn names(&self) -> Vec<String> {
        let ran = self.ran.lock().unwrap();
        ran.iter()
            .filter_map(|cell| Some(cell.source.trim().strip_prefix("let ")?.split(' ').next()?.to_owned()))
            .collect()
    }
}

impl Engine for Actor {
    fn name(&self) -> &'static str {
        "actor"
    }

    fn measures(&self) -> bool {
        true
    }

    fn begin(&self, _: u32) -> BoxFuture<'_, Vec<String>> {
        async { Vec::new() }.boxed()
    }

    fn undo(&self) -> BoxFuture<'_, Result<Undone, Failure>> {
        async { Ok(Undone { cell: 1, without: Vec::new() }) }.boxed()
    }

    fn keep_checkpoints(&self, _: bool) {}

    fn run(&self, cell: Cell, host: Arc<dyn Host>) -> BoxFuture<'_, Result<Ran, Failure>> {
        self.ran.lock().unwrap().push(cell.clone());
        async move {
            let text = cell.source.trim().trim_end_matches(';');
            if let Some(text) = text.strip_prefix("print ") {
                host.output(Output::Stream { name: StreamName::Stdout, text: text.to_owned() });
                return Ok(Ran::default());
            }
            match text {
                _ if text.starts_with("fail") => {
                    let start = cell.source.find(text).unwrap();
                    let span = Span {
                        cell: cell.number,
                        range: start..start + text.len(),
                        label: None,
                        primary: true,
                    };
                    Err(Failure::Compile(vec![Diagnostic {
                        level: Level::Error,
                        code: Some("E0001".into()),
                        message: "bad".into(),
                        spans: vec![span],
                        children: vec![],
                    }]))
                }
                "panic" => Err(Failure::Panic {
                    message: "on purpose".into(),
                    place: None,
                    frames: Vec::new(),
                    lost: Vec::new(),
                }),
                "wait" => {
                    self.stop.notified().await;
                    Err(Failure::Interrupted {
                        lost: Box::new(Lost { names: vec!["x".into()], ..Lost::default() }),
                    })
                }
                _ if text.starts_with("let ") || text.starts_with("drop(") => Ok(Ran::default()),
                _ => Ok(Ran { value: Some(Bundle::text(text)), ..Ran::default() }),
            }
        }
        .boxed()
    }

    fn profile(
        &self,
        what: Profiling,
        host: Arc<dyn Host>,
    ) -> BoxFuture<'_, (Option<Profiled>, Result<Ran, Failure>)> {
        async move {
            let compiled = Compilation {
                took: Duration::from_millis(50),
                compiler: "rustc 1.95.0".into(),
                optimisation: "3".into(),
                target_cpu: None,
                holding_code: Vec::new(),
            };
            host.output(Output::Compiled(compiled));
            let nothing = what.once.source.contains("nothing");
            let ran = self.run(what.once, host.clone()).await;
            let ending = match &ran {
                Ok(_) => profiled::Ending::Finished,
                Err(Failure::Interrupted { .. }) => profiled::Ending::Interrupted,
                Err(Failure::Compile(_)) => return (None, ran),
                Err(_) => profiled::Ending::Failed,
            };
            if ran.is_ok() && !nothing {
                host.output(Output::Pass(Pass::Counts));
                host.output(Output::Pass(Pass::Names));
            }
            let run = profiled::Run { ending, ..profiled::Run::default() };
            ((!nothing).then(|| Profiled { run, ..Profiled::default() }), ran)
        }
        .boxed()
    }

    fn functions(&self, _: Cell) -> BoxFuture<'_, Vec<String>> {
        async { vec!["fib".to_owned(), "Grid::step".to_owned()] }.boxed()
    }

    fn add_dependencies(&self, _: Vec<String>, _: Arc<dyn Host>) -> BoxFuture<'_, Result<(), Failure>> {
        async { Err(Failure::Trouble(Trouble { what: "no network".into(), remedy: None })) }.boxed()
    }

    fn command(&self, line: String, _: Arc<dyn Host>) -> BoxFuture<'_, Result<Option<Bundle>, Failure>> {
        async move { Ok(Some(Bundle::text(format!("said {line}")))) }.boxed()
    }

    fn complete(&self, source: String, cursor: usize) -> BoxFuture<'_, Result<CompleteReply, Trouble>> {
        assert!(cursor <= source.len());
        async move { Ok(CompleteReply { matches: vec![], start: cursor, end: cursor }) }.boxed()
    }

    fn inspect(&self, source: String, _: usize) -> BoxFuture<'_, Result<InspectReply, Trouble>> {
        async move { Ok(InspectReply { found: Some(Bundle::text(source)) }) }.boxed()
    }

    fn variables(&self) -> BoxFuture<'_, Result<Vec<Variable>, Trouble>> {
        let names = self.names().into_iter();
        let all = names.map(|name| Variable { name, type_name: "i32".into(), size: None }).collect();
        async move { Ok(all) }.boxed()
    }

    fn forget(&self, names: Vec<String>) -> BoxFuture<'_, Result<(), Failure>> {
        let defines = |cell: &Cell, name: &String| cell.source.trim().starts_with(&format!("let {name} "));
        self.ran.lock().unwrap().retain(|cell| !names.iter().any(|name| defines(cell, name)));
        async { Ok(()) }.boxed()
    }

    fn interrupt(&self) -> BoxFuture<'_, ()> {
        async { self.stop.notify_waiters() }.boxed()
    }

    fn set_folder(&self, _: PathBuf) -> BoxFuture<'_, Result<(), Trouble>> {
        async { Ok(()) }.boxed()
    }

    fn set_variable(&self, _: String, _: String) -> BoxFuture<'_, Result<(), Trouble>> {
        async { Ok(()) }.boxed()
    }

    fn reset(&self) -> BoxFuture<'_, Result<(), Trouble>> {
        self.ran.lock().unwrap().clear();
        async { Ok(()) }.boxed()
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }

    fn processes(&self) -> Vec<(u32, String)> {
        Vec::new()
    }
}

/// Records what it is told, and answers what it was given.
#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<Event>>,
    answer: Option<String>,
}

impl FrontEnd for Recorder {
    fn tell(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    fn ask(&self, _: String, _: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        let answer = self.answer.clone().ok_or(NoInput::NotAllowed);
        async move { answer }.boxed()
    }
}

struct Stand {
    session: Arc<Session>,
    engine: Arc<Actor>,
    folder: TempDir,
}

impl Stand {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Actor::default());
        let folders = Folders {
            cache: folder.path().join("cache"),
            data: folder.path().join("data"),
            startup: folder.path().join("config"),
        };
        let variables = BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]);
        let session = std::thread::scope(|scope| {
            // Half of the tests are in a runtime already, which would not wait in another.
            let make = Session::new(
                Engines::new(engine.clone(), Vec::new()),
                &folders,
                folder.path().to_owned(),
                variables,
            );
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime().block_on(make)).join().unwrap()
        });
        Self { session: Arc::new(session), engine, folder }
    }

    async fn run(&self, code: &str) -> (Vec<String>, ExecuteReply) {
        self.send(request(code), Recorder::default()).await
    }

    async fn send(&self, request: ExecuteRequest, front: Recorder) -> (Vec<String>, ExecuteReply) {
        let front = Arc::new(front);
        let reply = self.session.execute(request, front.clone()).await;
        let events = front.events.lock().unwrap().iter().map(shown).collect();
        (events, reply)
    }

    /// What a cell shows.
    fn shows(&self, code: &str) -> Vec<String> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(self.run(code)).0
    }

    #[track_caller]
    fn check(&self, code: &str, expected: &[&str]) {
        assert_eq!(self.shows(code), expected, "{code}");
    }
}

fn request(code: &str) -> ExecuteRequest {
    ExecuteRequest {
        code: code.into(),
        silent: false,
        store_history: true,
        user_expressions: vec![],
        on_page: true,
    }
}

fn shown(event: &Event) -> String {
    match event {
        Event::Input { count, .. } => format!("[{count}]"),
        Event::Stream { name, text } => format!("{name:?} {text}"),
        Event::Display { bundle, .. } => format!("display {}", bundle.plain()),
        Event::UpdateDisplay { bundle, .. } => format!("update {}", bundle.plain()),
        Event::ClearOutput { wait } => format!("clear {wait}"),
        Event::Value { bundle, count } => format!("[{count}] = {}", bundle.plain()),
        Event::Error(report) => format!("{}: {}", report.name, report.value),
    }
}

#[test]
fn a_cells_pieces_run_in_their_order() {
    let stand = Stand::new();
    stand.check("1 + 1", &["[1]", "[1] = 1 + 1"]);
    stand.check("print a;\n!echo b\nprint c;", &["[2]", "Stdout a", "Stdout b\n", "Stdout c"]);
    stand.check("{x}\n!echo b\ny", &["[3]", "display {x}", "Stdout b\n", "[3] = y"]);
    stand.check("", &["[4]"]);
    let ran = stand.engine.ran.lock().unwrap();
    let last = ran.last().unwrap();
    assert_eq!(
        (last.number, last.source.as_str()),
        (3, "   \n       \ny"),
        "Rust stands where the user wrote it"
    );
}

/// Nothing has run when a magic of the cell is wrong, wherever it stands.
#[test]
fn a_wrong_magic_stops_the_cell_before_it_begins() {
    let stand = Stand::new();
    stand.check("print a;\n%whoo", &["[1]", "UsageError: there is no magic `%whoo`"]);
    assert!(stand.engine.ran.lock().unwrap().is_empty());
}

#[test]
fn a_failure_is_told_once_and_stops_the_cell() {
    let stand = Stand::new();
    stand.check("print a;\n%pwd -x\nfail", &["[1]", "UsageError: `%pwd` has no option `-x`"]);
    stand.check("!echo a\nfail;\n!echo b", &["[2]", "Stdout a\n", "E0001: bad at cell[2]:2:1"]);
    stand.check("!echo a >&2; exit 3", &["[3]", "Stderr a\n", "display exit status 3"]);
    stand.check("%dep nothing", &["[4]", "EngineError: no network"]);
}

/// `x` newline `%who` is a remainder to Rust: whoever forgot the `;` is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_magic_that_was_read_as_arithmetic_is_explained() {
    let stand = Stand::new();
    let hint = async |code: &str| {
        let (_, reply) = stand.run(code).await;
        reply.error.unwrap().traceback.join("\n").contains("where a statement can begin")
    };
    assert!(hint("fail\n%who").await);
    assert!(!hint("fail\n%whomever").await);
    assert!(!hint("fail;\n// %who").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn silent_cells_show_and_count_nothing() {
    let stand = Stand::new();
    let silent = ExecuteRequest { silent: true, store_history: false, ..request("print a\n1") };
    let (events, reply) = stand.send(silent, Recorder::default()).await;
    assert_eq!((events.len(), reply.count), (0, 0));
    let uncounted = ExecuteRequest { store_history: false, ..request("1") };
    let (events, _) = stand.send(uncounted, Recorder::default()).await;
    assert_eq!(events, ["[0]", "[0] = 1"]);
    let (events, reply) = stand.run("2").await;
    assert_eq!((events, reply.count), (vec!["[1]".to_owned(), "[1] = 2".to_owned()], 1));
    let access = HistoryAccess::Tail { n: 9 };
    let kept = stand.session.history(HistoryRequest { output: true, access }).await.lines;
    let kept: Vec<_> =
        kept.iter().map(|line| (line.line, line.input.as_str(), line.output.as_deref())).collect();
    assert_eq!(kept, [(1, "2", Some("2"))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn expressions_are_answered_key_by_key_and_show_nothing() {
    let stand = Stand::new();
    let expressions = [("a", "x"), ("b", "fail"), ("c", "print hidden")];
    let user_expressions = expressions.iter().map(|(k, e)| ((*k).to_owned(), (*e).to_owned())).collect();
    let (events, reply) =
        stand.send(ExecuteRequest { user_expressions, ..request("print a") }, Recorder::default()).await;
    assert_eq!(events, ["[1]", "Stdout a"]);
    let answers = reply.user_expressions.iter().map(|(key, answer)| match answer {
        Ok(bundle) => format!("{key} {}", bundle.plain()),
        Err(report) => format!("{key} {}", report.name),
    });
    assert_eq!(answers.collect::<Vec<_>>(), ["a x", "b E0001", "c ()"]);
    let (_, failed) = stand
        .send(
            ExecuteRequest { user_expressions: vec![("a".into(), "x".into())], ..request("fail") },
            Recorder::default(),
        )
        .await;
    assert!(failed.user_expressions.is_empty() && failed.error.is_some());
}

#[test]
fn captured_output_is_bound_and_not_shown() {
    let stand = Stand::new();
    stand.check("%%capture kept\nprint a;\n!echo b\n1", &["[1]"]);
    let bound = stand.engine.ran.lock().unwrap().last().unwrap().source.clone();
    assert!(bound.contains(r#"let kept = AssayCaptured { stdout: "ab\n".to_string()"#), "{bound}");
    stand.check("%%capture --no-stderr\n!echo b\n!echo c >&2", &["[2]", "Stderr c\n"]);
    stand.check("%%capture\nfail", &["[3]", "E0001: bad at cell[3]:2:1"]);
    stand.check("print seen", &["[4]", "Stdout seen"]);
}

/// The end of what is too long stands before whatever ends the cell.
#[test]
fn the_last_lines_of_a_long_output_come_before_the_cells_end() {
    let stand = Stand::new();
    let check = |rest: &str, last: &[&str]| {
        let events = stand.shows(&format!("!printf 'abc\\nde\\nf\\n'{rest}"));
        let notices =
            ["Stderr [assay: the output is longer than 4 B", "Stderr [assay: 1 line (3 B) was left out"];
        assert!(events[2].starts_with(notices[0]) && events[3].starts_with(notices[1]), "{events:?}");
        assert_eq!((&*events[1], &*events[4]), ("Stdout abc\n", "Stdout f\n"));
        assert_eq!(&events[5..], last, "{rest}");
    };
    stand.shows("%config output_limit=4B");
    check("", &[]);
    check("\n5", &["[3] = 5"]);
    check("\nfail", &["E0001: bad at cell[4]:2:1"]);
    check("\n%pwd", &[&format!("display {}", stand.folder.path().canonicalize().unwrap().display())]);
    stand.check("%%capture\n!echo too long", &["[6]"]);
    stand.shows("%config output_limit=off");
    stand.check("!printf 'abc\\nde\\nf\\n'", &["[8]", "Stdout abc\nde\nf\n"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_question_is_asked_unless_it_cannot_be() {
    let stand = Stand::new();
    stand.run("let x = 1;").await;
    let (events, _) = stand.run("%reset").await;
    assert!(events[1].contains("cannot ask"), "{events:?}");
    stand.send(request("%reset"), Recorder { answer: Some("no".into()), ..Recorder::default() }).await;
    assert_eq!(stand.engine.names(), ["x"]);
    stand.send(request("%reset"), Recorder { answer: Some("Y".into()), ..Recorder::default() }).await;
    assert!(stand.engine.names().is_empty());
}

/// Pressing stop ends what runs, whatever it is, and nothing that runs later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_ends_a_cell_a_process_and_nothing_else() {
    let stand = Stand::new();
    for code in ["wait", "!sleep 600", "!yes", "%%bash\nsleep 600", "wait;\n!echo never"] {
        let session = Arc::clone(&stand.session);
        stand.session.interrupt();
        let front = Arc::new(Recorder::default());
        let running = tokio::spawn({
            let front = front.clone();
            async move { session.execute(request(code), front).await }
        });
        // Pressed until it is seen: a press before the cell began counts for nothing, and it must not.
        while !running.is_finished() {
            if !front.events.lock().unwrap().is_empty() {
                stand.session.interrupt();
            }
            tokio::task::yield_now().await;
        }
        let reply = running.await.unwrap();
        assert_eq!(reply.error.unwrap().name, "Interrupted", "{code}");
    }
    let (events, _) = stand.run("print on").await;
    assert_eq!(events.last().unwrap(), "Stdout on");
}

/// Its output is in the pipe whenever somebody looks: what ends the cell must not wait for an empty one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_background_program_that_never_stops_writing_keeps_no_cell_from_ending() {
    let stand = Stand::new();
    let (events, reply) = stand.run("!yes & sleep 0.1; echo done >&2").await;
    stand.session.shutdown().await;
    assert_eq!(reply.error, None);
    assert!(events.iter().any(|event| event == "Stderr done\n"));
}

#[test]
fn folders_variables_files_and_history_are_the_sessions() {
    let stand = Stand::new();
    let here = stand.folder.path().canonicalize().unwrap();
    std::fs::create_dir(here.join("sub")).unwrap();
    stand.check("%env GREETING=hello there", &["[1]", "display env: GREETING=hello there"]);
    stand.check("!echo $GREETING", &["[2]", "Stdout hello there\n"]);
    stand.check("%cd sub", &["[3]", &format!("display {}", here.join("sub").display())]);
    stand.check("!pwd", &["[4]", &format!("Stdout {}\n", here.join("sub").display())]);
    stand.check(
        "%%writefile a.rs\nlet y = 2;\n",
        &["[5]", &format!("display Writing {}", here.join("sub/a.rs").display())],
    );
    assert_eq!(std::fs::read_to_string(here.join("sub/a.rs")).unwrap(), "let y = 2;\n");
    stand.check(
        "%save -f kept 2 4",
        &["[6]", &format!("display Wrote {}", here.join("sub/kept.rs").display())],
    );
    assert_eq!(std::fs::read_to_string(here.join("sub/kept.rs")).unwrap(), "!echo $GREETING\n\n!pwd\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn paths_are_completed_where_a_magic_takes_one() {
    let stand = Stand::new();
    std::fs::create_dir(stand.folder.path().join("notes")).unwrap();
    std::fs::write(stand.folder.path().join("note.rs"), "").unwrap();
    let complete = async |code: &str| {
        let request = CompleteRequest { code: code.into(), cursor: code.len() };
        let reply = stand.session.complete(request).await;
        reply.matches.into_iter().map(|one| one.text).collect::<Vec<_>>()
    };
    assert_eq!(complete("%load no").await, ["note.rs", "notes/"]);
    assert_eq!(complete("%cd no").await, ["notes/"]);
    assert_eq!(complete("%config col").await, ["colour"]);
    assert_eq!(complete("%load nothing/at/all").await, Vec::<String>::new());
    stand.run("let xyz = 1;").await;
    assert_eq!(complete("%del x").await, ["xyz"]);
}
