//! The program, the runtime and cells, all real: compiled by rustc and run in a process of their own. What nobody has compiled from a notebook is
//! written by hand in the form in which it would be.

use super::{Child, Ended, Errand, Fallen, Setup, Standing};
use crate::engine::native::sources;
use crate::engine::{Host, Output, Trouble};
use crate::session::event::{NoInput, StreamName};
use assay_link::native::{Ending, Kept};
use futures::FutureExt;
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod cost;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod heap;
mod measure;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod rehearsal;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod samples;

/// A page that remembers what is shown on it, and a user who answers.
struct Page {
    shown: watch::Sender<Vec<Output>>,
    answers: Mutex<VecDeque<&'static str>>,
}

impl Page {
    fn new(answers: impl IntoIterator<Item = &'static str>) -> Arc<Self> {
        Arc::new(Self {
            shown: watch::Sender::new(Vec::new()),
            answers: Mutex::new(answers.into_iter().collect()),
        })
    }

    fn stream(&self, wanted: StreamName) -> String {
        let shown = self.shown.borrow();
        let texts = shown.iter().filter_map(|output| match output {
            Output::Stream { name, text } if *name == wanted => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn stdout(&self) -> String {
        self.stream(StreamName::Stdout)
    }

    fn stderr(&self) -> String {
        self.stream(StreamName::Stderr)
    }

    /// Returns when standard output has this text, however long that takes.
    async fn wait(&self, text: &str) {
        self.shown.subscribe().wait_for(|_| self.stdout().contains(text)).await.unwrap();
    }
}

impl Host for Page {
    fn output(&self, output: Output) {
        self.shown.send_modify(|shown| shown.push(output));
    }

    fn ask(&self, _: String, _: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        let answer = self.answers.lock().unwrap().pop_front();
        std::future::ready(answer.map(str::to_owned).ok_or(NoInput::NotAllowed)).boxed()
    }
}

/// A process, and a folder in which its cells are compiled.
struct Bench {
    folder: tempfile::TempDir,
    child: Child,
    count: u32,
}

impl Bench {
    async fn new() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("cell/src/lib.rs");
        Self::of(tempfile::tempdir().unwrap(), &source).await
    }

    /// With this runtime.
    async fn of(folder: tempfile::TempDir, source: &Path) -> Self {
        let runtime = folder.path().join("libassay.so");
        let compiled = rustc(folder.path())
            .args(["--crate-name", "assay", "-o"])
            .args([&runtime, source])
            .args(["-Awarnings", "--extern", "assay_statistics", "--extern", "assay_stopwatch", "-L"])
            .arg(below())
            .status();
        assert!(compiled.unwrap().success());
        let child = Child::start(&setup(folder.path())).await.unwrap();
        Self { folder, child, count: 0 }
    }

    /// Compiles a cell: `items`, then an entry that takes `before`, runs `body` and puts `after`.
    fn compile(&mut self, items: &str, before: &str, body: &str, after: &str) -> (PathBuf, String) {
        self.count += 1;
        let (number, folder) = (self.count, self.folder.path());
        let name = format!("cell_{number}.rs");
        let source = format!(
            "{items}\n#[unsafe(no_mangle)] pub extern \"C-unwind\" fn assay_entry_{number}() {{ {before}
            {{ let mut f = Some(|| -> ::assay::cell::Flow {{
{body}
            Ok(()) }}); ::assay::cell::catch(&mut || match f.take() {{ Some(mut f) => f(), None => Ok(()) }}); }}
            {after} }}\n"
        );
        std::fs::write(folder.join(&name), source).unwrap();
        let library = folder.join(format!("libcell_{number}.so"));
        let compiled = rustc(folder)
            .args([
                "-Awarnings",
                "-Cdebuginfo=line-tables-only",
                "--extern",
                "assay=libassay.so",
                "-L.",
                "-L",
            ])
            .arg(below())
            .arg(format!("--remap-path-prefix={name}=cell[{number}]"))
            .arg("-o")
            .arg(&library)
            .arg(&name)
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        (library, format!("assay_entry_{number}"))
    }

    async fn run(&mut self, page: &Arc<Page>, body: &str) -> Ended {
        self.run_with(page, "", "", body, "").await
    }

    async fn run_with(
        &mut self,
        page: &Arc<Page>,
        items: &str,
        before: &str,
        body: &str,
        after: &str,
    ) -> Ended {
        let (library, entry) = self.compile(items, before, body, after);
        self.child.run(Errand::new(&[library], Some(&entry)), Arc::clone(page) as Arc<dyn Host>).await
    }

    /// Runs a cell that ends well, and gives what it printed.
    async fn printed(&mut self, body: &str) -> String {
        let page = Page::new([]);
        let ended = self.run(&page, body).await;
        assert_eq!((ended, page.stderr().as_str()), (fine(), ""));
        page.stdout()
    }

    /// What a cell dies of.
    async fn cause(&mut self, page: &Arc<Page>, body: &str) -> String {
        match self.run(page, body).await {
            Ended::Died { cause, .. } => cause,
            other => panic!("{other:?}"),
        }
    }
}

/// A cell that keeps nothing and has no value.
fn fine() -> Ended {
    Ended::Done { ending: Ending::Ok, kept: Vec::new(), value: None }
}

/// The folder with the crates below the runtime. Each test is a process of its own, and they take seconds: so they are compiled once, for this text of them.
fn below() -> PathBuf {
    let kept = std::env::current_exe().unwrap().parent().unwrap().with_file_name("below-the-runtime");
    let mut hash = Sha256::new();
    sources::BELOW.iter().flat_map(|one| one.files).for_each(|(_, text)| hash.update(text));
    let folder = kept.join(hex::encode(&hash.finalize()[..12]));
    if !folder.is_dir() {
        std::fs::create_dir_all(&kept).unwrap();
        let draft = tempfile::tempdir_in(&kept).unwrap();
        for (index, one) in sources::BELOW.into_iter().enumerate() {
            let name = one.name.strip_prefix("assay_").unwrap();
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../magics").join(name).join("src/lib.rs");
            let mut rustc = Command::new("rustc");
            rustc.current_dir(draft.path()).arg(format!("--crate-name={}", one.name)).arg(root);
            rustc.args(["--edition=2024", "--crate-type=rlib", "-Cprefer-dynamic", "-Awarnings", "-L."]);
            rustc.args(sources::BELOW[..index].iter().map(|before| format!("--extern={}", before.name)));
            assert!(rustc.status().unwrap().success());
        }
        // Another test may have been faster.
        let _ = std::fs::rename(draft.path(), &folder);
    }
    folder
}

fn rustc(folder: &Path) -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder).args(["--edition", "2024", "--crate-type", "dylib", "-Cprefer-dynamic"]);
    rustc
}

fn setup(folder: &Path) -> Setup {
    let libraries = rustc(folder).args(["--print", "target-libdir"]).output().unwrap().stdout;
    let environment = BTreeMap::from([
        ("PATH".to_owned(), std::env::var("PATH").unwrap()),
        ("LD_LIBRARY_PATH".to_owned(), "/users/own".to_owned()),
    ]);
    Setup {
        program: program(),
        runtime: folder.join("libassay.so"),
        libraries: PathBuf::from(String::from_utf8(libraries).unwrap().trim()),
        environment,
        folder: folder.to_owned(),
    }
}

/// The program as cargo has built it beside these tests.
pub(crate) fn program() -> PathBuf {
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("assay-child");
    if !program.is_file() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "assay-child"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        if program.parent().unwrap().ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success());
    }
    program
}

/// How a value is shown, as it is generated.
fn show(expression: &str) -> String {
    format!(
        "match &({expression}) {{ value => {{ use ::assay::cell::show::*; begin(); let shown = value.evcxr_display(); (&&&&Shown(shown, value)).show(Where::Value); }} }}"
    )
}

#[tokio::test]
async fn variables_go_from_cell_to_cell() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let made = bench.run_with(&page, "", "let x = vec![1u64];", "", "::assay::cell::put(x, 4, \"x\");").await;
    let kept = vec![Kept { slot: 4, bytes: 24 }];
    assert_eq!(made, Ended::Done { ending: Ending::Ok, kept: kept.clone(), value: None });
    let take = "let mut x = ::assay::cell::take::<Vec<u64>>(\"x\");";
    let put = "::assay::cell::put(x, 4, \"x\");";
    let used = bench.run_with(&page, "", take, "x.push(2); println!(\"{x:?}\"); panic!();", put).await;
    assert!(matches!(used, Ended::Done { ending: Ending::Panic { .. }, kept: of, .. } if of == kept));
    assert_eq!(page.stdout(), "[1, 2]\n");
    bench.child.drop_variables(vec!["x".to_owned(), "nothing".to_owned()]).await.unwrap();
    let gone = bench.run_with(&page, "", take, "x.push(2);", put).await;
    assert!(
        matches!(&gone, Ended::Done { ending: Ending::Trouble { what }, .. } if what.contains("`x`")),
        "{gone:?}"
    );
}

#[tokio::test]
async fn values_are_shown_by_what_they_are() {
    const ITEMS: &str = r#"
        pub struct Plain; #[derive(Debug)] pub struct Both; pub struct Own; pub struct Silent; pub struct Traited;
        impl Both { pub fn evcxr_display(&self) { println!("EVCXR_BEGIN_CONTENT text/html\n<i>\nEVCXR_END_CONTENT"); } }
        impl Own { pub fn evcxr_display(&self) {
            println!("EVCXR_BEGIN_CONTENT text/plain\nown\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/html\n<b>\nEVCXR_END_CONTENT"); } }
        impl Silent { pub fn evcxr_display(&self) -> u8 { 1 } }
        pub trait Display { fn evcxr_display(&self); }
        impl Display for Traited { fn evcxr_display(&self) { print!("EVCXR_BEGIN_CONTENT text/plain\ntrait\nEVCXR_END_CONTENT"); } }
    "#;
    let mut bench = Bench::new().await;
    let mut check = async |before: &str, expression: &str, expected: Option<&str>| {
        let page = Page::new([]);
        let ended = bench.run_with(&page, ITEMS, before, &show(expression), "").await;
        let Ended::Done { ending: Ending::Ok, value, .. } = ended else { panic!("{expression}: {ended:?}") };
        assert_eq!(value.as_ref().map(assay_magics::render::Bundle::plain), expected, "{expression}");
        assert_eq!(*page.shown.borrow(), [], "{expression}");
    };
    check("", "1 + 1", Some("2")).await;
    check("", "\"a\"", Some("\"a\"")).await;
    check("", "vec![1.5]", Some("[1.5]")).await;
    check("let s = String::from(\"x\");", "s", Some("\"x\"")).await;
    check("let s = [1u8, 2];", "&s[..]", Some("[1, 2]")).await;
    check("", "*\"str\"", Some("\"str\"")).await;
    check("", "()", None).await;
    check("", "Own", Some("own")).await;
    check("", "Both", Some("<text/html>")).await;
    check("", "Silent", None).await;
    check("", "Traited", Some("trait")).await;
    check(
        "",
        "Plain",
        Some("a value of type `Plain`, which has no Debug: `#[derive(Debug)]` lets it be shown"),
    )
    .await;
}

#[tokio::test]
async fn what_stands_before_the_value_is_not_the_value() {
    let mut bench = Bench::new().await;
    let items = "pub struct Own; impl Own { pub fn evcxr_display(&self) { println!(\"EVCXR_BEGIN_CONTENT text/html\\nvalue\\nEVCXR_END_CONTENT\"); } }";
    let body =
        format!("println!(\"EVCXR_BEGIN_CONTENT text/plain\\nbefore\\nEVCXR_END_CONTENT\"); {}", show("Own"));
    let page = Page::new([]);
    let ended = bench.run_with(&page, items, "", &body, "").await;
    assert!(matches!(&ended, Ended::Done { value: Some(value), .. } if value.data["text/html"] == "value"));
    let shown = page.shown.borrow().clone();
    assert!(
        matches!(&shown[..], [Output::Display { bundle, .. }] if bundle.plain() == "before"),
        "{shown:?}"
    );
}

#[tokio::test]
async fn an_expression_that_never_has_a_value_has_none() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let ended = bench.run(&page, &show("panic!(\"no value\")")).await;
    assert!(
        matches!(&ended, Ended::Done { ending: Ending::Panic { message, .. }, value: None, .. } if message == "no value")
    );
    assert_eq!(bench.run(&page, &show("return Ok(())")).await, fine());
}

#[tokio::test]
async fn content_is_shown_in_its_place() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body = "println!(\"a\"); println!(\"EVCXR_BEGIN_CONTENT text/html\\n<b>\\nEVCXR_END_CONTENT\"); println!(\"b\"); println!(\"EVCXR_BEGIN_CONTENT x/y\\nc\");";
    assert_eq!(bench.run(&page, body).await, fine());
    let shown = page.shown.borrow().clone();
    let displays = |output: &Output| matches!(output, Output::Display { bundle, .. } if bundle.data["text/html"] == "<b>");
    assert_eq!(shown.iter().position(displays), Some(1), "{shown:?}");
    assert_eq!(page.stdout(), "a\nb\nEVCXR_BEGIN_CONTENT x/y\nc\n");
}

#[tokio::test]
async fn a_panic_is_told_with_its_place_and_the_way_to_it() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let items = "#[inline(never)] pub fn inner(x: u8) -> u8 { if x > 0 { panic!(\"é {x}\") } x }";
    let ended = bench.run_with(&page, items, "", "print!(\"before\"); inner(1);", "").await;
    let Ended::Done { ending: Ending::Panic { message, place, frames }, .. } = ended else {
        panic!("{ended:?}")
    };
    let place = place.unwrap();
    assert_eq!(message, "é 1");
    assert_eq!((place.file.as_str(), place.line, place.column), ("cell[1]", 1, 57));
    assert_eq!((frames[0].function.as_str(), frames[0].place.line), ("cell_1::inner", 1));
    assert_eq!((frames[1].place.file.as_str(), frames[1].place.line), ("cell[1]", 4));
    assert_eq!((page.stdout().as_str(), page.stderr().as_str()), ("before", ""));
}

#[tokio::test]
async fn a_panic_that_the_user_caught_is_text() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body = "let _ = std::panic::catch_unwind(|| panic!(\"one\")); let _ = std::panic::catch_unwind(|| panic!(\"two\"));";
    assert_eq!(bench.run(&page, body).await, fine());
    let stderr = page.stderr();
    assert!(stderr.starts_with("thread 'main' panicked at cell[1]:4:"), "{stderr}");
    assert!(stderr.contains("one\nthread 'main' panicked at") && stderr.ends_with("two\n"), "{stderr}");
}

#[tokio::test]
async fn a_panic_of_another_thread_is_text_and_may_become_the_cells() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body =
        "if let Err(e) = std::thread::spawn(|| panic!(\"there\")).join() { std::panic::resume_unwind(e) }";
    let ended = bench.run(&page, body).await;
    assert!(
        matches!(&ended, Ended::Done { ending: Ending::Panic { message, place: None, .. }, .. } if message == "there"),
        "{ended:?}"
    );
    assert!(page.stderr().contains("panicked at cell[1]:4:"), "{}", page.stderr());
}

#[tokio::test]
async fn a_question_mark_ends_the_cell_with_its_error() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let ended = bench.run(&page, "\"x\".parse::<u8>()?; println!(\"not reached\");").await;
    let expected = Ending::Question { message: "ParseIntError { kind: InvalidDigit }".to_owned() };
    assert_eq!(ended, Ended::Done { ending: expected, kept: Vec::new(), value: None });
    assert_eq!(page.stdout(), "");
}

#[tokio::test]
async fn text_without_a_newline_appears_while_the_cell_goes_on() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let sign = bench.folder.path().join("sign");
    let body =
        "print!(\"50 %\"); while !std::path::Path::new(\"sign\").exists() { std::thread::yield_now() }";
    let seen = async {
        page.wait("50 %").await;
        std::fs::write(sign, "").unwrap();
    };
    let shared = Arc::clone(&page);
    let (ended, ()) = tokio::join!(bench.run(&shared, body), seen);
    assert_eq!(ended, fine());
}

#[tokio::test]
async fn a_cell_may_keep_the_lock_of_standard_output() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let wait = "while !std::path::Path::new(\"sign\").exists() { std::thread::yield_now() }";
    let sign = bench.folder.path().join("sign");
    let before = "use std::io::Write; let mut out = std::io::stdout().lock();";
    let body = format!("writeln!(out, \"a\")?; write!(out, \"b\")?; {wait}");
    let after = "::assay::cell::put(out, 0, \"out\");";
    let seen = async {
        page.wait("a").await;
        std::fs::write(sign, "").unwrap();
    };
    let shared = Arc::clone(&page);
    let (ended, ()) = tokio::join!(bench.run_with(&shared, "", before, &body, after), seen);
    assert!(matches!(ended, Ended::Done { ending: Ending::Ok, .. }), "{ended:?}");
    let before =
        "use std::io::Write; let mut out = ::assay::cell::take::<std::io::StdoutLock<'static>>(\"out\");";
    let ended = bench.run_with(&page, "", before, "writeln!(out, \"c\")?;", after).await;
    assert!(matches!(ended, Ended::Done { ending: Ending::Ok, .. }), "{ended:?}");
    assert_eq!(page.stdout(), "a\nbc\n");
}

#[tokio::test]
async fn input_is_asked_for_when_it_is_read() {
    let mut bench = Bench::new().await;
    let page = Page::new(["Ada", "rest é", "of it"]);
    let body = "print!(\"name? \"); let mut line = String::new(); std::io::stdin().read_line(&mut line)?; print!(\"{line}\");
        let mut rest = String::new(); std::io::Read::read_to_string(&mut std::io::stdin(), &mut rest)?; print!(\"{rest}\");
        println!(\"{}\", std::fs::read_to_string(\"cell_1.rs\")?.len() > 100);";
    assert_eq!(bench.run(&page, body).await, fine());
    assert_eq!(page.stdout(), "name? Ada\nrest é\nof it\ntrue\n");
}

#[tokio::test]
async fn a_thread_may_print_after_the_cell() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body = "std::thread::spawn(|| { while !std::path::Path::new(\"sign\").exists() { std::thread::yield_now() } println!(\"late\"); });";
    assert_eq!(bench.run(&page, body).await, fine());
    std::fs::write(bench.folder.path().join("sign"), "").unwrap();
    page.wait("late\n").await;
}

#[tokio::test]
async fn a_thread_that_floods_does_not_hold_up_the_end() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body = "std::thread::spawn(|| loop { println!(\"flood\") });";
    assert_eq!(bench.run(&page, body).await, fine());
    assert_eq!(bench.run(&page, "eprintln!(\"second\");").await, fine());
    assert!(page.stderr().contains("second"));
}

#[tokio::test]
async fn all_of_a_long_output_is_there_when_the_cell_ends() {
    let mut bench = Bench::new().await;
    let printed = bench.printed("for i in 0..100_000 { println!(\"{i}\"); } print!(\"end\");").await;
    assert_eq!(printed.lines().count(), 100_001);
    assert!(printed.ends_with("99999\nend"));
}

#[tokio::test]
async fn the_cause_of_a_death_and_the_last_words_are_told() {
    #[track_caller]
    fn check(died: &(String, Arc<Page>), cause: &str, stdout: &str) {
        assert_eq!((died.0.as_str(), died.1.stdout().as_str()), (cause, stdout));
    }
    async fn die(body: &str) -> (String, Arc<Page>) {
        let mut bench = Bench::new().await;
        let page = Page::new([]);
        let cause = bench.cause(&page, body).await;
        assert!(!bench.child.alive());
        let again = bench.child.run(Errand::new(&[], None), page.clone()).await;
        assert_eq!(again, Ended::Died { cause: cause.clone(), frames: Vec::new() });
        (cause, page)
    }
    check(
        &die("println!(\"a\"); unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }").await,
        "segmentation fault",
        "a\n",
    );
    check(&die("print!(\"b\"); std::process::exit(7);").await, "exit status 7", "b");
    check(&die("println!(\"c\"); std::process::abort();").await, "abort", "c\n");
    let overflow = die("#[allow(unconditional_recursion)] fn f(x: &mut [u8; 999]) { f(&mut std::hint::black_box(*x)); std::hint::black_box(x); } f(&mut [0; 999]);").await;
    check(&overflow, "stack overflow", "");
    assert!(
        overflow.1.stderr().contains("'main'") && overflow.1.stderr().contains("has overflowed its stack"),
        "{}",
        overflow.1.stderr()
    );
}

#[tokio::test]
async fn a_deep_recursion_has_room() {
    let mut bench = Bench::new().await;
    let body = "fn f(n: u32) -> u32 { let a = std::hint::black_box([n; 64]); if n == 0 { 0 } else { 1 + f(n - 1) + a[1] - n } } println!(\"{}\", f(200_000));";
    assert_eq!(bench.printed(body).await, "200000\n");
}

#[tokio::test]
async fn a_kill_ends_the_cell_and_what_it_started() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let child = bench.child.clone();
    let body = "let sleeper = std::process::Command::new(\"sleep\").arg(\"1000\").spawn()?; println!(\"{}\", sleeper.id()); loop { std::thread::yield_now() }";
    let kill = async {
        page.wait("\n").await;
        child.kill().await;
    };
    let shared = Arc::clone(&page);
    let (cause, ()) = tokio::join!(bench.cause(&shared, body), kill);
    assert_eq!(cause, "killed");
    ended(page.stdout().trim()).await;
    child.kill().await;
}

#[tokio::test]
async fn the_process_ends_with_its_kernel_in_the_middle_of_a_cell() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let (library, entry) = bench.compile("", "", "println!(\"here\"); loop { std::thread::yield_now() }", "");
    let (pid, child) = (bench.child.pid(), bench.child.clone());
    let shared = Arc::clone(&page);
    let running = tokio::spawn(async move { child.run(Errand::new(&[library], Some(&entry)), shared).await });
    page.wait("here").await;
    drop(bench);
    running.abort();
    ended(&pid.to_string()).await;
}

/// The statement that shows what the variable `v` is.
const LOOK: &str = "println!(\"{v:?}\");";
const TAKE: &str = "let mut v = ::assay::cell::take::<Vec<u64>>(\"v\");";
const PUT: &str = "::assay::cell::put(v, 0, \"v\");";

impl Bench {
    /// What the variable `v` is, seen by a cell.
    async fn look(&mut self) -> String {
        let page = Page::new([]);
        let seen = self.run_with(&page, "", TAKE, LOOK, PUT).await;
        assert!(matches!(seen, Ended::Done { ending: Ending::Ok, .. }), "{seen:?}");
        page.stdout()
    }
}

#[tokio::test]
async fn a_cell_that_ends_its_process_is_as_if_it_had_never_begun() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v = vec![1u64, 2];", "", PUT).await;
    let first = bench.child.pid();
    let ways = [
        ("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }", "segmentation fault"),
        ("std::process::exit(7)", "exit status 7"),
        ("std::process::abort()", "abort"),
        (
            "#[allow(unconditional_recursion)] fn f(x: &mut [u8; 999]) { f(&mut std::hint::black_box(*x)); std::hint::black_box(x); } f(&mut [0; 999])",
            "stack overflow",
        ),
    ];
    for (number, (way, expected)) in ways.into_iter().cycle().take(12).enumerate() {
        let Standing { pid, .. } = bench.child.stand().await.unwrap();
        let page = Page::new([]);
        let body = format!("v.push(9); println!(\"said {number}\"); {way};");
        let ended = bench.run_with(&page, "", TAKE, &body, PUT).await;
        assert_eq!(restored(ended), (expected.to_owned(), pid), "{way}");
        // What it said has been said, and once.
        assert_eq!(page.stdout(), format!("said {number}\n"));
        assert_eq!(bench.look().await, "[1, 2]\n");
    }
    assert_ne!(bench.child.pid(), first);
}

/// Of what, and to which checkpoint.
fn restored(ended: Ended) -> (String, u32) {
    match ended {
        Ended::Restored(Fallen { cause, to, .. }) => (cause, to),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_interrupt_leads_back_to_the_checkpoint() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v = vec![1u64, 2];", "", PUT).await;
    // Nothing runs.
    bench.child.interrupt();
    for stuck in ["loop { std::hint::spin_loop() }", "std::thread::sleep(std::time::Duration::MAX)"] {
        let Standing { pid, .. } = bench.child.stand().await.unwrap();
        let page = Page::new([]);
        let child = bench.child.clone();
        let body = format!("v.clear(); println!(\"stuck\"); {stuck};");
        let stop = async {
            page.wait("stuck").await;
            child.interrupt();
        };
        let shared = Arc::clone(&page);
        let (ended, ()) = tokio::join!(bench.run_with(&shared, "", TAKE, &body, PUT), stop);
        assert_eq!(restored(ended), ("killed".to_owned(), pid));
        bench.child.interrupt();
        assert_eq!(bench.look().await, "[1, 2]\n");
    }
}

/// Runs a cell on `v` that prints `here`, and presses the button then so many times.
async fn stopped(bench: &mut Bench, presses: usize, body: &str) -> Ended {
    let page = Page::new([]);
    let child = bench.child.clone();
    let stop = async {
        page.wait("here").await;
        for _ in 0..presses {
            child.interrupt();
        }
    };
    let shared = Arc::clone(&page);
    tokio::join!(bench.run_with(&shared, "", TAKE, body, PUT), stop).0
}

#[tokio::test]
async fn a_cell_that_stands_where_it_can_stop_keeps_what_it_did() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v: Vec<u64> = Vec::new();", "", PUT).await;
    let pid = bench.child.pid();
    let looping = "for n in assay::progress(0..u64::MAX) { v = vec![n]; if n == 3 { println!(\"here\"); } }";
    let waiting = "v.push(0); assay::cell::block_on(std::pin::pin!(async {
        assay::cell::catch_async(std::pin::pin!(async { println!(\"here\"); std::future::pending::<()>().await; Ok(()) })).await; }));";
    for body in [looping, waiting] {
        let ended = stopped(&mut bench, 1, body).await;
        let kept = vec![Kept { slot: 0, bytes: 24 }];
        assert_eq!(ended, Ended::Done { ending: Ending::Interrupted, kept, value: None }, "{body}");
        assert_eq!(bench.child.pid(), pid);
        // The button was meant for that cell alone.
        let next = bench.run_with(&page, "", TAKE, "v = assay::progress(0..2).collect();", PUT).await;
        assert!(matches!(next, Ended::Done { ending: Ending::Ok, .. }), "{next:?}");
        assert_eq!(bench.look().await, "[0, 1]\n");
    }
}

#[tokio::test]
async fn a_cell_that_does_not_come_to_where_it_can_stop_is_ended() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v = vec![1u64, 2];", "", PUT).await;
    let endless =
        "for _ in assay::progress(0..9) { v.clear(); println!(\"here\"); loop { std::hint::spin_loop() } }";
    // The second press does not wait.
    for (presses, waits) in [(1, true), (2, false)] {
        let Standing { pid, .. } = bench.child.stand().await.unwrap();
        let began = std::time::Instant::now();
        let ended = stopped(&mut bench, presses, endless).await;
        assert_eq!(restored(ended), ("killed".to_owned(), pid));
        assert!(!waits || began.elapsed() >= super::driver::LEISURE);
        assert_eq!(bench.look().await, "[1, 2]\n");
    }
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_ended() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v = vec![1u64, 2];", "", PUT).await;
    let Standing { pid, .. } = bench.child.stand().await.unwrap();
    let frozen = "v.clear(); println!(\"here\"); for _ in assay::progress(0..9) {
        std::process::Command::new(\"kill\").args([\"-STOP\", &std::process::id().to_string()]).status()?; }";
    assert_eq!(restored(stopped(&mut bench, 1, frozen).await), ("killed".to_owned(), pid));
    assert_eq!(bench.look().await, "[1, 2]\n");
}

#[tokio::test]
async fn what_has_ended_well_is_kept_and_leaves_no_checkpoint() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v: Vec<u64> = Vec::new();", "", PUT).await;
    let pid = bench.child.pid();
    let children = format!("/proc/{pid}/task/{pid}/children");
    for _ in 0..20 {
        let standing = bench.child.stand().await.unwrap();
        let ended = bench.run_with(&page, "", TAKE, "v.push(v.len() as u64);", PUT).await;
        assert!(matches!(ended, Ended::Done { ending: Ending::Ok, .. }), "{ended:?}");
        bench.child.discard(standing.pid);
    }
    assert_eq!(bench.look().await, format!("{:?}\n", (0..20).collect::<Vec<u64>>()));
    assert_eq!(bench.child.pid(), pid);
    // Nor does one that nobody waits for any more.
    assert_eq!(bench.child.stand().now_or_never(), None);
    while std::fs::read_to_string(&children).is_ok_and(|children| !children.trim().is_empty()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_process_can_be_left_for_any_of_its_checkpoints() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v: Vec<u64> = Vec::new();", "", PUT).await;
    let mut standing = Vec::new();
    for _ in 0..3 {
        standing.push(bench.child.stand().await.unwrap());
        bench.run_with(&page, "", TAKE, "v.push(v.len() as u64);", PUT).await;
    }
    bench.child.go_back(standing[1].pid).await.unwrap();
    assert_eq!(bench.look().await, "[0]\n");
    assert_eq!(bench.child.pid(), standing[1].pid);
    bench.child.go_back(standing[0].pid).await.unwrap();
    assert_eq!(bench.look().await, "[]\n");
    assert!(bench.child.go_back(standing[1].pid).await.unwrap_err().what.contains("gone"));
    bench.child.go_back(standing[2].pid).await.unwrap();
    assert_eq!(bench.look().await, "[0, 1]\n");
}

#[tokio::test]
async fn threads_come_back_with_the_checkpoint() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let make = "let (ask, asked) = std::sync::mpsc::channel::<(u64, std::sync::mpsc::Sender<u64>)>();
        std::thread::Builder::new().name(\"adder\".into()).spawn(move || {
            let mut sum = 0;
            for (number, answer) in asked { sum += number; answer.send(sum).unwrap() }
        }).unwrap();";
    bench.run_with(&page, "", make, "", "::assay::cell::put(ask, 0, \"ask\");").await;
    let take = "let ask = ::assay::cell::take::<std::sync::mpsc::Sender<(u64, std::sync::mpsc::Sender<u64>)>>(\"ask\");";
    let add = "let (answer, sum) = std::sync::mpsc::channel(); ask.send((5, answer)).unwrap(); println!(\"{}\", sum.recv().unwrap());";
    for round in 1..=5 {
        let standing = bench.child.stand().await.unwrap();
        assert_eq!(standing.without, [""; 0]);
        let page = Page::new([]);
        let body = format!("{add} std::process::abort();");
        let ended = bench.run_with(&page, "", take, &body, "").await;
        assert!(matches!(ended, Ended::Restored(_)), "{ended:?}");
        assert_eq!(page.stdout(), format!("{}\n", round * 5));
        let page = Page::new([]);
        bench.run_with(&page, "", take, add, "::assay::cell::put(ask, 0, \"ask\");").await;
        assert_eq!(page.stdout(), format!("{}\n", round * 5));
    }
}

#[tokio::test]
async fn a_process_that_ends_between_cells_returns_too() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    bench.run_with(&page, "", "let v = vec![1u64];", "", PUT).await;
    let standing = bench.child.stand().await.unwrap();
    let pid = bench.child.pid();
    let sign = bench.folder.path().join("sign");
    let quit = format!(
        "v.push(2); std::thread::spawn(|| {{ while !std::path::Path::new({sign:?}).exists() {{ std::thread::yield_now() }} std::process::exit(5) }});"
    );
    bench.run_with(&page, "", TAKE, &quit, PUT).await;
    std::fs::write(&sign, "").unwrap();
    while bench.child.pid() == pid {
        tokio::task::yield_now().await;
    }
    // What was compiled meanwhile is not run.
    assert_eq!(bench.run(&page, "println!(\"never\");").await, Ended::NotBegun);
    let fallen = Fallen { cause: "exit status 5".to_owned(), frames: Vec::new(), to: standing.pid };
    assert_eq!(bench.child.fallen(), Some(fallen));
    assert_eq!(bench.child.fallen(), None);
    assert_eq!(bench.look().await, "[1]\n");
}

#[tokio::test]
async fn nothing_that_a_cell_put_into_the_background_outlives_the_kernel() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body = "let sleeper = std::process::Command::new(\"setsid\").args([\"sleep\", \"1000\"]).spawn()?; println!(\"{}\", sleeper.id());";
    assert_eq!(bench.run(&page, body).await, fine());
    let pid = bench.child.pid().to_string();
    drop(bench);
    ended(&pid).await;
    ended(page.stdout().trim()).await;
}

/// Returns when the process has ended, however long that takes.
async fn ended(pid: &str) {
    let stat = format!("/proc/{pid}/stat");
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn surroundings_can_be_changed() {
    let mut bench = Bench::new().await;
    let look = "println!(\"{:?} {:?} {:?}\", std::env::var(\"A\").ok(), std::env::var(\"LD_LIBRARY_PATH\").ok(), std::env::current_dir()?);";
    let here = bench.folder.path().to_owned();
    assert_eq!(bench.printed(look).await, format!("None Some(\"/users/own\") {here:?}\n"));
    bench.child.set_variable("A".to_owned(), "é".to_owned()).await.unwrap();
    bench.child.set_folder(Path::new("/")).await.unwrap();
    assert_eq!(bench.printed(look).await, "Some(\"é\") Some(\"/users/own\") \"/\"\n");
    let refused = |outcome: Result<(), Trouble>| outcome.unwrap_err().what;
    assert!(refused(bench.child.set_folder(Path::new("/nowhere")).await).contains("/nowhere"));
    assert!(refused(bench.child.set_variable("A=".to_owned(), String::new()).await).contains("`A=`"));
}

#[tokio::test]
async fn what_cannot_be_loaded_is_trouble_of_one_cell() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let missing = PathBuf::from("/nowhere/libcell_9.so");
    let ended = bench.child.run(Errand::new(&[missing], Some("assay_entry_9")), page.clone()).await;
    assert!(
        matches!(&ended, Ended::Done { ending: Ending::Trouble { what }, .. } if what.contains("/nowhere/libcell_9.so")),
        "{ended:?}"
    );
    let (library, _) = bench.compile("", "", "", "");
    let ended =
        bench.child.run(Errand::new(std::slice::from_ref(&library), Some("other")), page.clone()).await;
    assert!(matches!(&ended, Ended::Done { ending: Ending::Trouble { what }, .. } if what.contains("other")));
    assert_eq!(bench.child.run(Errand::new(&[library], None), page).await, fine());
}

#[tokio::test]
async fn a_process_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    #[track_caller]
    fn check(started: Result<Child, Trouble>, what: &str, remedy: &str) {
        let trouble = started.err().unwrap();
        assert!(trouble.what.contains(what), "{trouble:?}");
        assert!(trouble.remedy.as_ref().is_some_and(|text| text.contains(remedy)), "{trouble:?}");
    }
    let good = setup(folder.path());
    let program = Setup { program: folder.path().join("none"), ..good.clone() };
    check(Child::start(&program).await, "there is no", "cargo build --release -p assay-child");
    let place = Setup { folder: folder.path().join("none"), ..good.clone() };
    check(Child::start(&place).await, "there is no folder", "%cd");
    check(Child::start(&good).await, "libassay.so cannot be loaded", "same build");
    let other = Setup { program: "/bin/true".into(), ..good };
    check(Child::start(&other).await, "it ended at once", "same build");
}
