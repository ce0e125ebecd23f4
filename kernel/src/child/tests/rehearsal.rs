//! Runs of which nothing is left.

use super::{Bench, Ended, PUT, Page, TAKE, ended, fine};
use crate::child::Errand;
use crate::child::rehearsal::Rehearsed;
use crate::engine::Output;
use assay_link::native::Ending;
use assay_link::watch::{Clock, Lens, Watched};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Some lens. What it sees is another matter.
const LENS: Lens = Lens::Samples { clock: Clock::Processor, period: 1_000_000 };

/// Longer than any test.
const PATIENCE: Duration = Duration::from_secs(3600);

impl Bench {
    /// With the variable `v`, a vector with 1 in it.
    async fn with_v() -> Self {
        let mut bench = Self::new().await;
        let page = Page::new([]);
        bench.run_with(&page, "", "let v = vec![1u64];", "", PUT).await;
        bench
    }

    /// What is to be run by a cell on `v`.
    fn errand(&mut self, body: &str) -> Errand {
        let (library, entry) = self.compile("", TAKE, body, PUT);
        Errand { lens: LENS, ..Errand::new(&[library], Some(&entry)) }
    }

    async fn rehearse(&mut self, body: &str) -> Rehearsed {
        let errand = self.errand(body);
        self.child.rehearsal().await.unwrap().run(errand, PATIENCE).await
    }

    /// Returns when the process has no child any more, not even one that has ended.
    async fn is_alone(&self) {
        let pid = self.child.pid();
        let children = format!("/proc/{pid}/task/{pid}/children");
        let list = || std::fs::read_to_string(&children).is_ok_and(|children| !children.trim().is_empty());
        while list() {
            tokio::task::yield_now().await;
        }
    }

    fn sign(&self) -> std::path::PathBuf {
        self.folder.path().join("sign")
    }
}

/// Waits until there is something in this file.
async fn written(path: &Path) -> String {
    loop {
        match std::fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn nothing_of_it_is_left() {
    let mut bench = Bench::with_v().await;
    let page = Page::new(["a line"]);
    bench.run(&page, "println!(\"before\");").await;
    let pid = bench.child.pid();
    let before = bench.child.rehearsal().await.unwrap();
    assert_eq!(before.standing().without, [""; 0]);
    bench.run_with(&page, "", TAKE, "v.push(9);", PUT).await;
    let body = "assert_eq!(v, [1]); v.push(2); println!(\"seen\"); eprintln!(\"seen\");
        let mut line = String::new(); assert_eq!(std::io::stdin().read_line(&mut line)?, 0);
        assert!(assay::input(\"name?\").is_err());
        assay::display!(v);
        std::fs::write(\"sign\", format!(\"{} {}\\n\", std::process::id(), v.len()))?;";
    let errand = bench.errand(body);
    let rehearsed = before.run(errand, PATIENCE).await;
    assert_eq!(rehearsed, Rehearsed { ended: Ok(Ending::Ok), watched: Vec::new() });
    let said = written(&bench.sign()).await;
    let (own, count) = said.split_once(' ').unwrap();
    assert!(own != pid.to_string() && count == "2", "{said}");
    bench.is_alone().await;
    ended(own).await;
    assert_eq!(bench.look().await, "[1, 9]\n");
    assert_eq!((page.stdout().as_str(), page.stderr().as_str()), ("before\n", ""));
    assert!(!page.shown.borrow().iter().any(|output| matches!(output, Output::Display { .. })));
    assert_eq!(bench.child.pid(), pid);
    assert_eq!(bench.child.fallen(), None);
}

#[tokio::test]
async fn it_prints_nowhere_by_whatever_descriptor() {
    let mut bench = Bench::with_v().await;
    let page = Page::new([]);
    let take = "let mut kept = ::assay::cell::take::<std::fs::File>(\"kept\");";
    let put = "::assay::cell::put(kept, 0, \"kept\");";
    let keep = "use std::os::fd::AsFd; let kept = std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned().unwrap());";
    bench.run_with(&page, "", keep, "", put).await;
    let body = "use std::io::Write; writeln!(kept, \"kept\")?; std::process::Command::new(\"echo\").arg(\"started\").status()?;";
    let (library, entry) = bench.compile("", take, body, put);
    let errand = Errand::new(&[library], Some(&entry));
    let rehearsal = bench.child.rehearsal().await.unwrap();
    assert_eq!(rehearsal.run(errand.clone(), PATIENCE).await.ended, Ok(Ending::Ok));
    assert_eq!(page.stdout(), "");
    // The process itself has it still.
    let ended = bench.child.run(errand, page.clone()).await;
    assert!(matches!(ended, Ended::Done { ending: Ending::Ok, .. }), "{ended:?}");
    assert_eq!(page.stdout(), "kept\nstarted\n");
}

#[tokio::test]
async fn its_threads_live() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let make = "let (ask, asked) = std::sync::mpsc::channel::<(u64, std::sync::mpsc::Sender<u64>)>();
        std::thread::spawn(move || { let mut sum = 0; for (number, answer) in asked { sum += number; answer.send(sum).unwrap() } });";
    let put = "::assay::cell::put(ask, 0, \"ask\");";
    bench.run_with(&page, "", make, "", put).await;
    let take = "let ask = ::assay::cell::take::<std::sync::mpsc::Sender<(u64, std::sync::mpsc::Sender<u64>)>>(\"ask\");";
    let add = "let (answer, sum) = std::sync::mpsc::channel(); ask.send((5, answer)).unwrap(); let sum = sum.recv().unwrap();";
    for round in 1..=3 {
        let rehearsal = bench.child.rehearsal().await.unwrap();
        let (library, entry) = bench.compile("", take, &format!("{add} assert_eq!(sum, {round} * 5);"), put);
        let errand = Errand::new(&[library], Some(&entry));
        assert_eq!(rehearsal.run(errand.clone(), PATIENCE).await.ended, Ok(Ending::Ok));
        assert!(matches!(
            bench.child.run(errand, page.clone()).await,
            Ended::Done { ending: Ending::Ok, .. }
        ));
    }
}

#[tokio::test]
async fn however_it_ends_the_process_lives() {
    let mut bench = Bench::with_v().await;
    let pid = bench.child.pid();
    let panicked = bench.rehearse("v.clear(); panic!(\"on purpose\");").await;
    assert!(
        matches!(&panicked.ended, Ok(Ending::Panic { message, .. }) if message == "on purpose"),
        "{panicked:?}"
    );
    for way in [
        "std::process::abort()",
        "std::process::exit(7)",
        "unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }",
    ] {
        let died = bench.rehearse(&format!("v.clear(); {way};")).await;
        assert_eq!(died.ended, Err("the copy of the process ended".to_owned()), "{way}");
        bench.is_alone().await;
    }
    assert_eq!((bench.child.pid(), bench.look().await.as_str()), (pid, "[1]\n"));
}

#[tokio::test]
async fn it_ends_when_nobody_waits_and_so_does_what_it_started() {
    let mut bench = Bench::with_v().await;
    let sign = bench.sign();
    let body = "let sleeper = std::process::Command::new(\"sleep\").arg(\"1000\").spawn()?;
        std::fs::write(\"sign\", format!(\"{} {}\\n\", std::process::id(), sleeper.id()))?; loop { std::hint::spin_loop() }";
    let errand = bench.errand(body);
    let rehearsal = bench.child.rehearsal().await.unwrap();
    let said = tokio::select! {
        rehearsed = rehearsal.run(errand, PATIENCE) => panic!("{rehearsed:?}"),
        said = written(&sign) => said,
    };
    for pid in said.split(' ') {
        ended(pid).await;
    }
    bench.is_alone().await;
    assert_eq!(bench.look().await, "[1]\n");
}

#[tokio::test]
async fn one_that_is_not_used_leaves_nothing() {
    let mut bench = Bench::with_v().await;
    let descriptors = |pid: u32| std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let before = descriptors(bench.child.pid());
    for _ in 0..10 {
        drop(bench.child.rehearsal().await.unwrap());
        // Nor does one that nobody waits for any more.
        let given_up = tokio::time::timeout(Duration::ZERO, bench.child.rehearsal()).await;
        drop(given_up);
    }
    assert_eq!(bench.look().await, "[1]\n");
    bench.is_alone().await;
    assert_eq!(descriptors(bench.child.pid()), before);
    // And while a cell runs.
    let rehearsal = bench.child.rehearsal().await.unwrap();
    let pid = rehearsal.standing().pid.to_string();
    let sign = bench.sign();
    let page = Page::new([]);
    let wait =
        "println!(\"here\"); while !std::path::Path::new(\"sign\").exists() { std::thread::yield_now() }";
    let dropped = async {
        page.wait("here").await;
        drop(rehearsal);
        ended(&pid).await;
        std::fs::write(&sign, "").unwrap();
    };
    let shared = Arc::clone(&page);
    assert_eq!(tokio::join!(bench.run(&shared, wait), dropped).0, fine());
}

#[tokio::test]
async fn it_does_not_outlive_the_process_that_it_is_a_copy_of() {
    for checkpoint in [true, false] {
        let mut bench = Bench::with_v().await;
        if checkpoint {
            bench.child.stand().await.unwrap();
        }
        let sign = bench.sign();
        let idle = bench.child.rehearsal().await.unwrap();
        let busy = bench.child.rehearsal().await.unwrap();
        let pids = [idle.standing().pid, busy.standing().pid];
        let errand = bench.errand("std::fs::write(\"sign\", \"here\\n\")?; loop { std::hint::spin_loop() }");
        let page = Page::new([]);
        let die = async {
            written(&sign).await;
            bench.run(&page, "std::process::abort();").await
        };
        let (rehearsed, died) = tokio::join!(busy.run(errand, PATIENCE), die);
        assert_eq!(rehearsed.ended, Err("the copy of the process ended".to_owned()));
        assert_eq!(matches!(died, Ended::Restored(_)), checkpoint, "{died:?}");
        for pid in pids {
            ended(&pid.to_string()).await;
        }
        let late = bench.errand("");
        assert!(idle.run(late, PATIENCE).await.ended.is_err());
        if checkpoint {
            assert_eq!(bench.look().await, "[1]\n");
        } else {
            assert!(bench.child.rehearsal().await.unwrap_err().contains("abort"));
        }
    }
}

#[tokio::test]
async fn it_is_no_checkpoint() {
    let mut bench = Bench::with_v().await;
    let standing = bench.child.stand().await.unwrap();
    let page = Page::new([]);
    bench.run_with(&page, "", TAKE, "v.push(2);", PUT).await;
    let rehearsal = bench.child.rehearsal().await.unwrap();
    let died = bench.run(&page, "std::process::abort();").await;
    assert!(matches!(&died, Ended::Restored(fallen) if fallen.to == standing.pid), "{died:?}");
    assert_eq!(bench.look().await, "[1]\n");
    drop(rehearsal);
}

/// What was seen of each run, as it is told on the page.
fn seen(page: &Page) -> Vec<(u64, Watched)> {
    let shown = page.shown.borrow();
    let seen = shown.iter().filter_map(|output| match output {
        Output::Watched { id, what } => Some((*id, Watched::clone(what))),
        _ => None,
    });
    seen.collect()
}

const BEGIN: &str = "::assay::measure::profile::begin(7);";
const END: &str = "::assay::measure::profile::end();";

#[tokio::test]
async fn what_is_watched_is_told() {
    let mut bench = Bench::with_v().await;
    let mut check = async |body: &str, expected: &[(u64, u64, bool)]| {
        let errand = bench.errand(body);
        let page = Page::new([]);
        let rehearsed = bench.child.rehearsal().await.unwrap().run(errand.clone(), PATIENCE).await;
        bench.child.run(errand, page.clone()).await;
        for seen in [rehearsed.watched, seen(&page)] {
            let seen: Vec<_> = seen.iter().map(|(id, seen)| (*id, seen.runs, seen.finished)).collect();
            assert_eq!(seen, expected, "{body}");
        }
    };
    check("", &[]).await;
    check(&format!("{BEGIN} v.push(1); {END}"), &[(7, 1, true)]).await;
    check(&format!("{BEGIN} {END} {BEGIN} {END} {END}"), &[(7, 1, true), (7, 1, true)]).await;
    check(&format!("{BEGIN} v[1_000_000] = 1; {END}"), &[(7, 0, false)]).await;
    check(&format!("{BEGIN} \"x\".parse::<u8>()?; {END}"), &[(7, 0, false)]).await;
    let turns = "let mut turns = ::assay::measure::profile::turns(7, 0.0); while turns.again() { v.push(1) }";
    check(turns, &[(7, 1, true)]).await;
}

#[tokio::test]
async fn what_is_seen_of_a_run_that_is_interrupted_is_told() {
    let mut bench = Bench::with_v().await;
    let stuck = "println!(\"here\"); loop { std::hint::spin_loop() }";
    let waits = "println!(\"here\"); let mut line = String::new(); std::io::stdin().read_line(&mut line)?;";
    let stops = "for n in assay::progress(0..u64::MAX) { if n == 3 { println!(\"here\"); } }";
    let late = "for _ in assay::progress(0..9) { println!(\"here\"); loop { std::hint::spin_loop() } }";
    for (way, taken_back) in [(stuck, true), (waits, true), (late, true), (stops, false)] {
        let standing = bench.child.stand().await.unwrap();
        let page = Asked::new();
        let errand = bench.errand(&format!("{BEGIN} v.clear(); {way} {END}"));
        let child = bench.child.clone();
        let stop = async {
            page.page.wait("here").await;
            if way == waits {
                page.asked.notified().await;
            }
            child.interrupt();
        };
        let (died, ()) = tokio::join!(bench.child.run(errand, page.clone()), stop);
        match &died {
            Ended::Restored(fallen) => assert_eq!((fallen.to, taken_back), (standing.pid, true)),
            Ended::Done { ending: Ending::Interrupted, .. } => assert!(!taken_back),
            other => panic!("{way}: {other:?}"),
        }
        let seen: Vec<_> = seen(&page.page).iter().map(|(id, seen)| (*id, seen.finished)).collect();
        assert_eq!(seen, [(7, false)], "{way}");
    }
}

/// A page whose user does not answer.
struct Asked {
    page: Arc<Page>,
    asked: tokio::sync::Notify,
}

impl Asked {
    fn new() -> Arc<Self> {
        Arc::new(Self { page: Page::new([]), asked: tokio::sync::Notify::new() })
    }
}

impl crate::engine::Host for Asked {
    fn output(&self, output: Output) {
        self.page.output(output);
    }

    fn ask(
        &self,
        _: String,
        _: bool,
    ) -> futures::future::BoxFuture<'_, Result<String, crate::session::event::NoInput>> {
        self.asked.notify_one();
        Box::pin(std::future::pending())
    }
}

/// What cells know of epoll.
const EPOLL: &str = r#"
    #[repr(C, packed)] #[derive(Clone, Copy)] struct Told { events: u32, data: u64 }
    unsafe extern "C" {
        fn epoll_create1(flags: i32) -> i32;
        fn epoll_ctl(epoll: i32, what: i32, file: i32, told: *mut Told) -> i32;
        fn epoll_wait(epoll: i32, told: *mut Told, most: i32, patience: i32) -> i32;
        fn eventfd(count: u32, flags: i32) -> i32;
        fn dup(file: i32) -> i32;
        fn write(file: i32, bytes: *const u64, count: usize) -> isize;
    }
    fn add(epoll: i32, file: i32, data: u64) {
        let mut told = Told { events: 1 | 1 << 31, data };
        assert_eq!(unsafe { epoll_ctl(epoll, 1, file, &mut told) }, 0);
    }
    fn wake(file: i32) { assert_eq!(unsafe { write(file, &1, 8) }, 8); }
    fn told(epoll: i32) -> Vec<u64> {
        let mut told = [Told { events: 0, data: 0 }; 8];
        let count = unsafe { epoll_wait(epoll, told.as_mut_ptr(), 8, 0) };
        let mut all: Vec<u64> = told[..usize::try_from(count).unwrap()].iter().map(|one| one.data).collect();
        all.sort();
        all
    }
"#;

/// tokio gives an address with what it asks: whoever is told of one that another process has given reads what is not there.
#[tokio::test]
async fn an_epoll_instance_is_the_copys_own() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let make = format!(
        "{EPOLL} let (epoll, event) = unsafe {{ (epoll_create1(0), eventfd(0, 0)) }};
         add(epoll, event, 7); let other = unsafe {{ dup(epoll) }};
         let v: Vec<u64> = [epoll, other, event].map(|number| number as u64).to_vec();"
    );
    bench.run_with(&page, "", &make, "", PUT).await;
    let numbers = "let [epoll, other, event] = [0, 1, 2].map(|at| v[at] as i32);";
    // What was asked before holds under both numbers; what is asked now is the copy's alone.
    let body = format!(
        "{EPOLL} {numbers} wake(event); assert_eq!(told(other), [7]); assert_eq!(told(epoll), [0; 0]);
         let own = unsafe {{ eventfd(0, 0) }}; add(epoll, own, 99); wake(own);
         std::fs::write(\"sign\", \"here\\n\")?;
         while !std::path::Path::new(\"go\").exists() {{ std::thread::yield_now(); }}
         assert_eq!(told(other), [99]);"
    );
    let errand = bench.errand(&body);
    let (sign, go) = (bench.sign(), bench.folder.path().join("go"));
    let rehearsal = bench.child.rehearsal().await.unwrap();
    let look = async {
        written(&sign).await;
        let page = Page::new([]);
        let look =
            format!("{EPOLL} {numbers} assert_eq!(told(epoll), [7]); assert_eq!(told(other), [0; 0]);");
        let ended = bench.run_with(&page, "", TAKE, &look, PUT).await;
        std::fs::write(&go, "").unwrap();
        ended
    };
    let (rehearsed, ended) = tokio::join!(rehearsal.run(errand, PATIENCE), look);
    assert_eq!(rehearsed.ended, Ok(Ending::Ok));
    assert!(matches!(ended, Ended::Done { ending: Ending::Ok, .. }), "{ended:?}");
}

/// As for what the process itself has taken from a socket.
#[tokio::test]
async fn a_copy_that_waits_for_what_does_not_come_is_ended() {
    let mut bench = Bench::with_v().await;
    let errand = bench.errand("loop { std::thread::park(); }");
    let rehearsed = bench.child.rehearsal().await.unwrap().run(errand, Duration::ZERO).await;
    assert_eq!(
        rehearsed.ended,
        Err("the copy of the process waited for what did not come to it, and was ended".to_owned())
    );
    bench.is_alone().await;
}

/// Each thread is woken a thousand times in a second, and finds that nothing has come.
#[tokio::test]
async fn a_copy_that_is_sampled_while_it_waits_is_ended_too() {
    let mut bench = Bench::with_v().await;
    let lens = Lens::Samples { clock: Clock::Wall, period: 1_000_000 };
    let body = "assay::measure::profile::begin(0); loop { std::thread::park(); }";
    let errand = Errand { lens, ..bench.errand(body) };
    let rehearsed = bench.child.rehearsal().await.unwrap().run(errand, Duration::ZERO).await;
    assert!(rehearsed.ended.unwrap_err().contains("waited for what did not come"));
    bench.is_alone().await;
}

#[tokio::test]
async fn a_copy_that_works_is_not_ended_for_being_slow() {
    let mut bench = Bench::with_v().await;
    let body = "let begun = std::time::Instant::now(); while begun.elapsed().as_secs() < 11 { std::hint::spin_loop() }";
    let errand = bench.errand(body);
    let rehearsed = bench.child.rehearsal().await.unwrap().run(errand, Duration::ZERO).await;
    assert_eq!(rehearsed.ended, Ok(Ending::Ok));
}
