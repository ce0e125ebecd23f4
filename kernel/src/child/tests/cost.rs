//! What cells allocate is counted exactly: each program here was counted by hand.

use super::{Bench, Errand, Page, fine, program, restored};
use crate::engine::Host;
use object::{Object, ObjectSymbol};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// What the runtime has for its own use, opened for cells.
const OPENED: &str = "
    pub fn start_counting() { cost::start_counting() }
    pub fn stop_counting() -> Option<(u64, u64)> { cost::stop_counting() }
    pub fn times() -> Option<(std::time::Duration, std::time::Duration)> { cost::times() }
    pub fn processor_time() -> Option<std::time::Duration> { cost::processor_time() }
";

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (source, copy) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("cell/src"), folder.path().join("assay"));
    assert!(Command::new("cp").arg("-R").args([&source, &copy]).status().unwrap().success());
    let root = copy.join("lib.rs");
    let text = std::fs::read_to_string(&root).unwrap();
    std::fs::write(&root, text + OPENED).unwrap();
    Bench::of(folder, &root).await
}

/// Runs each program, and expects so many allocations and bytes of it.
async fn check(items: &str, programs: &[(&str, u64, u64)]) {
    let mut bench = bench().await;
    std::fs::write(bench.folder.path().join("hundred"), [0; 100]).unwrap();
    let body: String = programs
        .iter()
        .map(|(program, ..)| {
            format!("{{ ::assay::start_counting(); {{ {program} }} println!(\"{{:?}}\", ::assay::stop_counting()); }}\n")
        })
        .collect();
    let page = Page::new([]);
    let ended = bench.run_with(&page, items, "", &body, "").await;
    assert_eq!((ended, page.stderr().as_str()), (fine(), ""));
    let printed = page.stdout();
    let counted: Vec<_> = programs.iter().map(|(program, ..)| *program).zip(printed.lines()).collect();
    let expected: Vec<_> = programs
        .iter()
        .map(|(program, count, bytes)| (*program, format!("Some(({count}, {bytes}))")))
        .collect();
    assert_eq!(counted, expected.iter().map(|(program, line)| (*program, line.as_str())).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_rust_code_allocates_is_counted() {
    let items = "
        #[repr(align(64))] pub struct Line(pub [u8; 100]);
        pub struct Node { next: std::cell::RefCell<Option<std::rc::Rc<Node>>> }
        fn node() -> std::rc::Rc<Node> { std::rc::Rc::new(Node { next: Default::default() }) }
    ";
    check(
        items,
        &[
            ("", 0, 0),
            // Room for 4, 8, …, 1024 numbers.
            ("let mut v = Vec::new(); for i in 0..1000u64 { v.push(i); }", 9, 8 * 2044),
            ("let mut v = Vec::<u8>::with_capacity(100); v.push(1); v.shrink_to_fit();", 2, 101),
            ("let _ = vec![0u8; 1000];", 1, 1000),
            ("let mut s = String::from(\"hello\"); s.push_str(\", world\");", 2, 5 + 12),
            // 4, 8, …, 2048 buckets of 16 bytes, with a byte of control for each, and 16 more.
            (
                "let mut m = std::collections::HashMap::new(); for i in 0..1000u64 { m.insert(i, i); }",
                10,
                4092 * 17 + 10 * 16,
            ),
            ("Box::leak(Box::new(7u64));", 1, 8),
            // Two counters, the cell's flag, and what is in it.
            (
                "let (a, b) = (node(), node()); *a.next.borrow_mut() = Some(b.clone()); *b.next.borrow_mut() = Some(a.clone());",
                2,
                64,
            ),
            ("let _ = Box::new(Line([0; 100]));", 1, 128),
            // The standard library reads it into one buffer of the file's length.
            ("let _ = std::fs::read(\"hundred\")?;", 1, 100),
            ("print!(\"\");", 0, 0),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_c_code_allocates_is_counted() {
    let items = "
        use std::ffi::{c_char, c_void, CStr};
        unsafe extern \"C\" {
            fn strdup(text: *const c_char) -> *mut c_char;
            fn malloc(size: usize) -> *mut c_void;
            fn calloc(count: usize, size: usize) -> *mut c_void;
            fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
            fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void;
            fn free(block: *mut c_void);
            fn memalign(alignment: usize, size: usize) -> *mut c_void;
            fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void;
            fn posix_memalign(block: *mut *mut c_void, alignment: usize, size: usize) -> i32;
            fn valloc(size: usize) -> *mut c_void;
            fn pvalloc(size: usize) -> *mut c_void;
        }
    ";
    check(
        items,
        &[
            ("unsafe { free(strdup(c\"hello\".as_ptr()).cast()) }", 1, 6),
            ("unsafe { free(reallocarray(realloc(calloc(3, 5), 40), 5, 10)) }", 3, 15 + 40 + 50),
            ("unsafe { free(memalign(64, 10)); free(aligned_alloc(32, 64)); }", 2, 10 + 64),
            (
                "unsafe { let mut p = std::ptr::null_mut(); assert_eq!(posix_memalign(&mut p, 64, 20), 0); free(p); }",
                1,
                20,
            ),
            ("unsafe { free(valloc(7)); free(pvalloc(9)); free(malloc(0)); }", 3, 16),
            ("unsafe { realloc(malloc(8), 0); malloc(usize::MAX / 2); calloc(usize::MAX, 2); }", 1, 8),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_all_threads_allocate_is_counted() {
    let items = "
        use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
        static STEP: AtomicU32 = AtomicU32::new(0);
        static ARRIVED: AtomicU32 = AtomicU32::new(0);
        fn wait(of: &AtomicU32, value: u32) { while of.load(SeqCst) < value { std::thread::yield_now() } }
    ";
    let mut bench = bench().await;
    let page = Page::new([]);
    let body = "
        let threads = [(); 2].map(|()| std::thread::spawn(|| {
            drop(Box::new(0u8));
            ARRIVED.fetch_add(1, SeqCst);
            wait(&STEP, 1);
            for _ in 0..10_000 { std::hint::black_box(Box::new([0u8; 24])); }
            ARRIVED.fetch_add(1, SeqCst);
            wait(&STEP, 2);
        }));
        wait(&ARRIVED, 2);
        ::assay::start_counting();
        STEP.store(1, SeqCst);
        wait(&ARRIVED, 4);
        println!(\"{:?}\", ::assay::stop_counting());
        STEP.store(2, SeqCst);
        threads.map(|thread| thread.join());";
    assert_eq!(bench.run_with(&page, items, "", body, "").await, fine());
    assert_eq!(page.stdout(), "Some((20000, 480000))\n");
}

#[tokio::test]
async fn the_process_s_own_part_is_not_counted() {
    let mut bench = bench().await;
    let page = Page::new([]);
    // The process makes a message of it, and the kernel's answer is read meanwhile.
    let body = "let text = \"x\".repeat(1_000_000);
        ::assay::start_counting();
        ::assay::display(&::assay::Html(&text));
        let (_, bytes) = ::assay::stop_counting().unwrap();
        println!(\"{}\", bytes / 1_000_000);";
    assert_eq!(bench.run(&page, body).await, fine());
    assert_eq!(page.stdout(), "1\n");
}

#[tokio::test]
async fn a_cell_that_has_just_begun_counts_only_what_is_its_own() {
    let mut bench = bench().await;
    // The thread that writes out what is printed begins with each cell.
    let body = "use std::time::{Duration, Instant};
        ::assay::start_counting();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2) {}
        println!(\"{:?}\", ::assay::stop_counting());";
    let (library, entry) = bench.compile("", "", body, "");
    let page = Page::new([]);
    for _ in 0..50 {
        let host = Arc::clone(&page) as Arc<dyn Host>;
        assert_eq!(
            bench.child.run(Errand::new(std::slice::from_ref(&library), Some(&entry)), host).await,
            fine()
        );
    }
    assert_eq!(page.stdout(), "Some((0, 0))\n".repeat(50));
}

#[tokio::test]
async fn counting_goes_on_in_a_checkpoint() {
    let mut bench = bench().await;
    let page = Page::new([]);
    let body = "std::thread::spawn(|| loop { std::hint::black_box(Box::new([0u8; 24])); }); ::assay::start_counting();";
    assert_eq!(bench.run(&page, body).await, fine());
    for _ in 0..10 {
        let standing = bench.child.stand().await.unwrap();
        let page = Page::new([]);
        let ended = bench.run(&page, "std::process::abort();").await;
        assert_eq!(restored(ended), ("abort".to_owned(), standing.pid));
        let body = "let before = ::assay::stop_counting().unwrap(); assert!(before.0 > 0 && before.1 >= 24 * (before.0 / 2));
            // The thread may have been in the middle of one.
            let later = ::assay::stop_counting().unwrap(); assert!(later.0 - before.0 <= 1, \"{before:?} {later:?}\");
            ::assay::start_counting();";
        assert_eq!(bench.run(&page, body).await, fine());
    }
}

#[tokio::test]
async fn processor_time_is_that_of_the_work() {
    let mut bench = bench().await;
    let page = Page::new([]);
    let body = "
        use std::time::Duration;
        let now = || ::assay::processor_time().unwrap();
        let start = now();
        std::thread::sleep(Duration::from_millis(300));
        let slept = now();
        assert!(slept - start < Duration::from_millis(150), \"{:?}\", slept - start);
        while now() - slept < Duration::from_millis(50) {}
        let before = now();
        let (user, system) = ::assay::times().unwrap();
        assert!(before <= user + system && user + system <= now());
        let thread = std::thread::spawn(|| { let start = ::assay::processor_time().unwrap(); while ::assay::processor_time().unwrap() - start < Duration::from_millis(50) {} });
        thread.join().unwrap();
        assert!(now() - before >= Duration::from_millis(50));";
    assert_eq!(bench.run(&page, body).await, fine());
}

#[test]
fn cells_see_the_functions_that_are_meant_for_them_and_no_other() {
    let bytes = std::fs::read(program()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mut seen: Vec<_> = file
        .dynamic_symbols()
        .filter(ObjectSymbol::is_definition)
        .map(|symbol| symbol.name().unwrap())
        .collect();
    seen.sort_unstable();
    let expected = [
        "aligned_alloc",
        "calloc",
        "free",
        "malloc",
        "memalign",
        "posix_memalign",
        "pthread_create",
        "pvalloc",
        "read",
        "realloc",
        "reallocarray",
        "valloc",
    ];
    assert_eq!(seen, expected);
}
