//! The evcxr process as the kernel meets it: over the link, with nothing in between.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use assay_link::evcxr::{Call, Command, Event, Failure, Outcome, Place, Stream};
use assay_link::{frame, version};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

/// A process with the kernel's end of its link.
struct Driver {
    child: Child,
    link: UnixStream,
    next: u64,
    folder: tempfile::TempDir,
    /// The answer to whatever the cell asks.
    answer: Option<String>,
}

/// What a call showed, and how it ended.
#[derive(Debug)]
struct Told {
    stdout: String,
    stderr: String,
    displays: Vec<serde_json::Value>,
    outcome: Result<Outcome, Failure>,
}

impl Driver {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let build = folder.path().join("build");
        std::fs::create_dir(&build).unwrap();
        let (link, theirs) = UnixStream::pair().unwrap();
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_assay-evcxr"))
            .stdin(OwnedFd::from(theirs))
            .env("EVCXR_TMPDIR", &build)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut driver = Self { child, link, next: 0, folder, answer: None };
        assert_eq!(driver.event(), Event::Hello { version: version::VERSION });
        driver
    }

    fn event(&mut self) -> Event {
        frame::read(&mut self.link).unwrap().expect("the process is alive")
    }

    fn say(&mut self, command: &Command) {
        frame::write(&mut self.link, command).unwrap();
    }

    fn send(&mut self, call: Call) -> u64 {
        self.next += 1;
        let id = self.next;
        self.say(&Command::Call { id, call });
        id
    }

    fn call(&mut self, call: Call) -> Told {
        let id = self.send(call);
        self.finish(id, |_| None)
    }

    fn run(&mut self, source: &str) -> Told {
        let number = u32::try_from(self.next + 1).unwrap();
        self.call(Call::Run { number, source: source.to_owned() })
    }

    /// Collects what is told until the call is done; `then` may say something to each event.
    fn finish(&mut self, id: u64, then: impl Fn(&Event) -> Option<Command>) -> Told {
        let (mut stdout, mut stderr, mut displays) = (String::new(), String::new(), Vec::new());
        loop {
            let event = self.event();
            if let Some(command) = then(&event) {
                self.say(&command);
            }
            match event {
                Event::Stream { stream: Stream::Stdout, text } => stdout.push_str(&text),
                Event::Stream { stream: Stream::Stderr, text } => stderr.push_str(&text),
                Event::Display(contents) => displays.push(contents.into()),
                Event::Ask { .. } => self.say(&Command::Input(self.answer.clone())),
                Event::Done { id: done, outcome } if done == id => {
                    return Told { stdout, stderr, displays, outcome };
                }
                Event::Processes(_) => {}
                other => panic!("{other:?} is not expected"),
            }
        }
    }

    /// Everything that runs with the build folder in its environment: the process and all that it started.
    fn family(&self) -> Vec<String> {
        let wanted = format!("EVCXR_TMPDIR={}", self.folder.path().display());
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let of_family = entries.filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(&wanted)
        });
        of_family
            .map(|entry| std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default())
            .collect()
    }
}

/// Waits until `done`; only a test that fails waits to the end.
fn eventually(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn value(told: &Told) -> Option<&str> {
    match &told.outcome {
        Ok(Outcome::Ran { value, .. }) => value.as_ref().map(|value| value["text/plain"].as_str().unwrap()),
        other => panic!("{other:?} with {}", told.stderr),
    }
}

fn check_value(driver: &mut Driver, source: &str, expected: Option<&str>) {
    let told = driver.run(source);
    assert_eq!(value(&told), expected, "{source}");
}

#[test]
fn cells_run() {
    let mut driver = Driver::start();
    let told = driver.run("1 + 1");
    assert_eq!((value(&told), told.displays.len()), (Some("2"), 0));
    check_value(&mut driver, "let mut x = vec![1, 2];", None);
    check_value(&mut driver, "x.push(3); x", Some("[1, 2, 3]"));
    check_value(&mut driver, "// nothing", None);
    check_value(&mut driver, "println!(\"a\")", None);

    let told = driver.run("print!(\"no \"); eprint!(\"err\"); eprintln!(\"or {}\", 1); print!(\"newline\");");
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("no newline", "error 1\n"));

    let show = "fn show(mime: &str, text: &str) { println!(\"EVCXR_BEGIN_CONTENT {mime}\\n{text}\\nEVCXR_END_CONTENT\"); }";
    check_value(&mut driver, show, None);
    let told = driver
        .run("show(\"text/html\", \"<b>\"); show(\"text/plain\", \"b\"); show(\"text/plain\", \"c\"); 5");
    let expected =
        [serde_json::json!({"text/html": "<b>", "text/plain": "b"}), serde_json::json!({"text/plain": "c"})];
    assert_eq!((told.displays.as_slice(), value(&told)), (expected.as_slice(), Some("5")));

    let own = "struct S; impl S { fn evcxr_display(&self) { show(\"text/plain\", \"an S\"); show(\"text/html\", \"<s>\"); } }\nS";
    let told = driver.run(own);
    assert_eq!((value(&told), told.displays.len()), (Some("an S"), 0));

    let Ok(Outcome::Variables(variables)) = driver.call(Call::Variables).outcome else { panic!("variables") };
    assert_eq!(
        variables.iter().map(|of| (of.name.as_str(), of.type_name.as_str())).collect::<Vec<_>>(),
        [("x", "Vec<i32>")]
    );

    check_value(
        &mut driver,
        "std::io::Write::write_all(&mut std::io::stdout(), b\"\\xff\\n\").unwrap();",
        None,
    );
}

#[test]
fn failures_say_what_and_where() {
    let mut driver = Driver::start();
    let told = driver.run("let a = 1;\nlet b: u8 = \"ü\"; let c = nothing;");
    let Err(Failure::Compile(diagnostics)) = &told.outcome else { panic!("{told:?}") };
    let mismatch = diagnostics.iter().find(|one| one.code.as_deref() == Some("E0308")).unwrap();
    let span = &mismatch.spans[0];
    assert_eq!((span.start, span.end, span.primary), ((2, 13), (2, 16), true), "{mismatch:?}");

    check_value(&mut driver, "let kept = String::from(\"k\"); let gone = vec![1];", None);
    let told = driver.run("let early = 1;\ndrop(gone); panic!(\"too {}\", \"bad\");");
    let place = Place { cell: 3, line: 2, column: 13 };
    let expected =
        Failure::Panic { message: "too bad".into(), place: Some(place), lost: vec!["gone".into()] };
    assert_eq!((told.outcome, told.stderr.as_str()), (Err(expected), ""));
    check_value(&mut driver, "kept.clone()", Some("\"k\""));

    check_value(&mut driver, "fn deep(n: usize) -> usize {\n    [1, 2][n]\n}", None);
    let told = driver.run("deep(7)");
    let Err(Failure::Panic { place, message, .. }) = told.outcome else { panic!("{told:?}") };
    assert_eq!(place, Some(Place { cell: 5, line: 2, column: 5 }), "{message}");

    let told = driver.run("let _ = std::panic::catch_unwind(|| panic!(\"caught\")); 1");
    assert!(told.stderr.contains("thread 'main' panicked at") && told.stderr.contains("caught"), "{told:?}");
    assert_eq!(value(&told), Some("1"));

    let told = driver.run("std::thread::spawn(|| panic!(\"elsewhere\")).join().is_err()");
    assert!(told.stderr.contains("elsewhere") && !told.stderr.contains("backtrace:"), "{told:?}");
    assert_eq!(value(&told), Some("true"));

    let told = driver.run("eprintln!(\"before\"); \"x\".parse::<i32>()?;");
    let message = "invalid digit found in string".to_owned();
    assert_eq!((told.outcome, told.stderr.as_str()), (Err(Failure::Question { message }), "before\n"));

    check_value(&mut driver, "struct P { a: u8 } let p = P { a: 1 };", None);
    let told = driver.run("struct P { a: u8, b: u8 } 1");
    let Ok(Outcome::Ran { notes, .. }) = &told.outcome else { panic!("{told:?}") };
    assert!(notes.len() == 1 && notes[0].contains("`p`") && told.stderr.is_empty(), "{told:?}");
}

#[test]
fn the_process_that_runs_cells_may_die() {
    let mut driver = Driver::start();
    check_value(&mut driver, "fn one() -> i32 { 1 } let x = one();", None);
    let died = |driver: &mut Driver, source: &str, expected: &str, lost: &[&str]| {
        let told = driver.run(source);
        let Err(Failure::Died { cause, lost: gone }) = &told.outcome else { panic!("{told:?}") };
        assert!(cause.contains(expected) && gone == lost, "{told:?}");
        told
    };
    let told = died(
        &mut driver,
        "print!(\"last words\"); std::io::Write::flush(&mut std::io::stdout()); std::process::exit(7);",
        "exit status 7",
        &["x"],
    );
    assert_eq!(told.stdout, "last words");
    died(&mut driver, "std::process::abort();", "abort", &[]);
    died(&mut driver, "unsafe { *(8 as *mut u8) = 1 };", "", &[]);
    died(
        &mut driver,
        "fn f(n: u64) -> u64 { if n == 0 { 0 } else { 1 + std::hint::black_box(f(std::hint::black_box(n + 1))) } } f(1)",
        "segmentation fault",
        &[],
    );
    // What was said to the first process holds for the next, the prelude and all.
    let told = driver.run("print!(\"whole\"); panic!(\"again\")");
    assert!(matches!(&told.outcome, Err(Failure::Panic { message, .. }) if message == "again"), "{told:?}");
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("whole", ""));
    check_value(&mut driver, "one()", Some("1"));
}

/// A cell that read its standard input hung for ever, because nobody knew that it was waiting.
#[test]
fn input_is_asked_for() {
    let mut driver = Driver::start();
    driver.answer = Some("typed".to_owned());
    let read = "{ let mut line = String::new(); std::io::stdin().read_line(&mut line).unwrap(); line.trim_end().to_owned() }";
    check_value(&mut driver, &format!("let two = ({read}, {read}); two"), Some("(\"typed\", \"typed\")"));
    let told = driver.run(&format!("println!(\"EVCXR_INPUT_REQUEST:Name: \"); {read}"));
    assert_eq!((value(&told), told.stdout.as_str()), (Some("\"typed\""), ""));

    driver.answer = None;
    let id = driver.send(Call::Run { number: 3, source: format!("loop {{ {read}; }}") });
    let told = driver.finish(id, |event| matches!(event, Event::Ask { .. }).then_some(Command::Interrupt));
    assert!(matches!(told.outcome, Err(Failure::Interrupted { .. })), "{told:?}");
    check_value(&mut driver, "1", Some("1"));
}

#[test]
fn an_interrupt_ends_what_runs() {
    let mut driver = Driver::start();
    check_value(&mut driver, "let x = 1;", None);
    let source =
        "println!(\"on\"); loop { std::thread::sleep(std::time::Duration::from_secs(1)); }".to_owned();
    let id = driver.send(Call::Run { number: 2, source });
    let told = driver.finish(id, |event| matches!(event, Event::Stream { .. }).then_some(Command::Interrupt));
    assert_eq!(
        (told.outcome, told.stdout.as_str()),
        (Err(Failure::Interrupted { lost: vec!["x".into()] }), "on\n")
    );
    check_value(&mut driver, "let y = 2; y + 1", Some("3"));

    // While it compiles nothing runs, so nothing is lost.
    let id = driver.send(Call::Run { number: 3, source: "y + 2".to_owned() });
    std::thread::sleep(Duration::from_millis(100));
    driver.say(&Command::Interrupt);
    let told = driver.finish(id, |_| None);
    let ended = matches!(&told.outcome, Err(Failure::Interrupted { .. }) | Ok(Outcome::Ran { .. }));
    assert!(ended, "{told:?}");
    check_value(&mut driver, "7", Some("7"));

    driver.say(&Command::Interrupt);
    check_value(&mut driver, "8", Some("8"));
}

#[test]
fn the_analyzer_answers() {
    let mut driver = Driver::start();
    check_value(&mut driver, "let words = vec![String::new()];\n/// Doc of it.\nfn documented() {}", None);
    let told = driver.call(Call::Complete { source: "words.it".to_owned(), cursor: 8 });
    let Ok(Outcome::Completions { matches, start, end }) = told.outcome else { panic!("{told:?}") };
    assert!(matches.iter().any(|one| one.text.starts_with("iter(")) && (start, end) == (6, 8), "{matches:?}");
    let told = driver.call(Call::Inspect { source: "documented()".to_owned(), cursor: 3 });
    let Ok(Outcome::Found(Some(found))) = told.outcome else { panic!("{told:?}") };
    assert!(found["text/plain"].as_str().unwrap().contains("Doc of it."), "{found:?}");
    let told = driver.call(Call::Inspect { source: "  ".to_owned(), cursor: 1 });
    assert!(matches!(told.outcome, Ok(Outcome::Found(None))), "{told:?}");
}

#[test]
fn commands_and_surroundings() {
    let mut driver = Driver::start();
    let told = driver.call(Call::Own { line: ":opt 0".to_owned() });
    assert_eq!(value(&told), Some("Optimization: 0"));
    let told = driver.call(Call::Own { line: ":nonsense".to_owned() });
    assert!(
        matches!(&told.outcome, Err(Failure::Compile(all)) if all[0].message.contains(":nonsense")),
        "{told:?}"
    );

    let folder = driver.folder.path().join("a \"b\"");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.to_str().unwrap().to_owned();
    assert_eq!(value(&driver.call(Call::Folder { path: path.clone() })), None);
    let told = driver.call(Call::Environment { name: "WHO".to_owned(), value: "you \"there\"".to_owned() });
    assert_eq!(value(&told), None, "{told:?}");
    let told = driver.call(Call::Folder { path: "/nowhere".to_owned() });
    assert!(
        matches!(&told.outcome, Err(Failure::Trouble { what, .. }) if what.contains("/nowhere")),
        "{told:?}"
    );
    let ask = "(std::env::current_dir().unwrap(), std::env::var(\"WHO\").unwrap())";
    let expected = format!("({path:?}, \"you \\\"there\\\"\")");
    check_value(&mut driver, ask, Some(&expected));
    assert!(driver.run("std::process::abort();").outcome.is_err());
    check_value(&mut driver, ask, Some(&expected));

    check_value(&mut driver, "fn item() {} let x = 1;", None);
    assert_eq!(value(&driver.call(Call::Reset)), None);
    assert!(matches!(driver.run("item()").outcome, Err(Failure::Compile(_))));
    let told = driver.run("panic!(\"after\")");
    assert!(matches!(&told.outcome, Err(Failure::Panic { place: Some(_), .. })), "{told:?}");
}

/// A process whose cell has started a program of its own and goes on for ever.
fn busy() -> Driver {
    let mut driver = Driver::start();
    let source =
        "std::process::Command::new(\"sleep\").arg(\"1000\").spawn().unwrap(); println!(\"on\"); loop {}"
            .to_owned();
    driver.send(Call::Run { number: 1, source });
    while !matches!(driver.event(), Event::Stream { .. }) {}
    driver
}

#[test]
fn nothing_is_left_when_the_kernel_goes() {
    let mut driver = busy();
    eventually("the user's own process is not there", || driver.family().len() >= 4);
    driver.link.shutdown(std::net::Shutdown::Both).unwrap();
    driver.child.wait().unwrap();
    eventually("a process is left", || driver.family().is_empty());
    assert!(!Path::new(&driver.folder.path().join("build")).exists());
}

#[test]
fn nothing_is_left_when_the_process_is_killed() {
    let mut driver = busy();
    driver.child.kill().unwrap();
    driver.child.wait().unwrap();
    eventually("a process is left", || driver.family().is_empty());
}
