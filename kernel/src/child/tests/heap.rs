//! What is seen of the heap while cells run. Programs are counted by hand; more of them stand beside the watch itself (`kernel/child/examples/heap_exact`).

use super::{Bench, Ended, Errand, Page, fine};
use crate::engine::Output;
use assay_link::native::Ending;
use assay_link::watch::{Heap, Lens, Seen, Site, Watched};
use object::{Object, ObjectSymbol};
use std::path::Path;
use std::time::Duration;

/// What is watched: by the number of the magic.
fn seen(page: &Page) -> Vec<(u64, Watched)> {
    let shown = page.shown.borrow();
    let watched = shown.iter().filter_map(|output| match output {
        Output::Watched { id, what } => Some((*id, Watched::clone(what))),
        _ => None,
    });
    watched.collect()
}

fn heap((_, watched): (u64, Watched)) -> Heap {
    match watched.seen {
        Seen::Heap(heap) => heap,
        other => panic!("{other:?}"),
    }
}

/// Text that watches this while it runs.
fn watch(id: usize, body: &str) -> String {
    format!("::assay::measure::profile::begin({id}); {{ {body} }} ::assay::measure::profile::end();\n")
}

async fn run(bench: &mut Bench, items: &str, body: &str, lens: Lens) -> (Ended, Vec<(u64, Watched)>) {
    let (library, entry) = bench.compile(items, "", body, "");
    let page = Page::new([]);
    let errand = Errand { lens, ..Errand::new(&[library], Some(&entry)) };
    let ended = bench.child.run(errand, page.clone()).await;
    assert_eq!(page.stderr(), "");
    (ended, seen(&page))
}

#[tokio::test]
async fn all_figures_of_programs_are_exact() {
    let items = "
        use std::rc::Rc; use std::cell::RefCell;
        pub struct Node { next: RefCell<Option<Rc<Node>>> }
        fn node() -> Rc<Node> { Rc::new(Node { next: Default::default() }) }
        unsafe extern \"C\" {
            fn strdup(text: *const std::ffi::c_char) -> *mut std::ffi::c_void;
            fn free(block: *mut std::ffi::c_void);
        }
    ";
    // Allocations, bytes, frees, bytes given back, peak, live.
    let programs = [
        ("", (0, 0, 0, 0, 0, 0)),
        ("let mut v = Vec::new(); for i in 0..1000u64 { v.push(i); }", (9, 16_352, 9, 16_352, 8192, 0)),
        ("let mut s = String::from(\"hello\"); s.push_str(\", world\");", (2, 17, 2, 17, 12, 0)),
        (
            "let mut m = std::collections::HashMap::new(); for i in 0..1000u64 { m.insert(i, i); }",
            (10, 69_724, 10, 69_724, 52_256, 0),
        ),
        (
            "let (a, b) = (node(), node()); *a.next.borrow_mut() = Some(b.clone()); *b.next.borrow_mut() = Some(a.clone());",
            (2, 64, 0, 0, 64, 64),
        ),
        ("Box::leak(Box::new(7u64));", (1, 8, 0, 0, 8, 8)),
        (
            "let a = std::hint::black_box(vec![1u8; 1 << 20]); std::hint::black_box(vec![1u8; 3 << 20]); std::hint::black_box(vec![1u8; 2 << 20]); drop(a);",
            (3, 6 << 20, 3, 6 << 20, 4 << 20, 0),
        ),
        ("unsafe { free(strdup(c\"hello\".as_ptr())) }", (1, 6, 1, 6, 6, 0)),
        // A line that is printed is in the buffer of standard output, which is there.
        ("println!(\"{}\", 5);", (0, 0, 0, 0, 0, 0)),
    ];
    let body: String = programs.iter().enumerate().map(|(id, (program, _))| watch(id, program)).collect();
    let mut bench = Bench::new().await;
    let (ended, seen) = run(&mut bench, items, &body, Lens::Heap { sites: false }).await;
    assert_eq!(ended, fine());
    let figures: Vec<_> = seen
        .into_iter()
        .map(|watched| {
            let (id, heap) = (watched.0 as usize, heap(watched));
            let figures = (heap.allocations, heap.bytes, heap.frees, heap.freed, heap.peak, heap.live);
            assert!(heap.timeline.is_sorted_by_key(|point| point.0) && heap.sites.is_empty());
            (programs[id].0, figures)
        })
        .collect();
    assert_eq!(figures, programs);
}

/// The name of the function that an address of a library is in.
fn function(library: &Path, address: u64) -> String {
    let bytes = std::fs::read(library).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let is_in =
        |symbol: &object::Symbol| (symbol.address()..symbol.address() + symbol.size()).contains(&address);
    let found = file.symbols().find(is_in);
    found.map(|symbol| symbol.name().unwrap().to_owned()).unwrap_or_default()
}

/// The functions of the cell's library that a site's stack goes through, the innermost first.
fn functions(heap: &Heap, site: &Site) -> Vec<String> {
    let path = |module: u32| Path::new(&heap.modules[module as usize].path);
    let cell = |module: &u32| {
        path(*module).file_name().is_some_and(|name| name.to_str().unwrap().starts_with("libcell_"))
    };
    site.trace
        .frames
        .iter()
        .filter(|(module, _)| cell(module))
        .map(|(module, address)| function(path(*module), *address))
        .collect()
}

#[tokio::test]
#[cfg(target_arch = "x86_64")]
async fn who_leaks_is_found() {
    let items = "
        #[inline(never)] pub fn leaks() { std::hint::black_box(Box::leak(Box::new([1u8; 123]))); }
        #[inline(never)] pub fn keeps_nothing() { std::hint::black_box(Box::new([1u8; 1000])); }
        #[inline(never)] pub fn both() { leaks(); keeps_nothing(); leaks(); }
    ";
    let mut bench = Bench::new().await;
    let body = watch(0, "both(); std::thread::spawn(leaks).join().unwrap();");
    let (ended, mut seen) = run(&mut bench, items, &body, Lens::Heap { sites: true }).await;
    assert_eq!(ended, fine());
    let heap = heap(seen.remove(0));
    let leaks: Vec<_> = heap.sites.iter().filter(|site| site.live % 123 == 0 && site.live > 0).collect();
    let mut found: Vec<_> = leaks
        .iter()
        .map(|site| {
            let functions = functions(&heap, site);
            assert!(site.trace.complete, "{site:?}");
            assert!(functions.iter().any(|name| name.contains("leaks")), "{functions:?}");
            // The allocator's own functions are none of it.
            assert!(!heap.modules[site.trace.frames[0].0 as usize].path.ends_with("assay-child"), "{heap:?}");
            (site.thread, site.live, site.live_blocks, functions.iter().any(|name| name.contains("both")))
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[..2], [(0, 123, 1, true), (0, 123, 1, true)]);
    assert!(found[2].0 > 0 && (found[2].1, found[2].3) == (123, false), "{found:?}");
    let sum = |of: fn(&Site) -> u64| heap.sites.iter().map(of).sum::<u64>();
    assert_eq!(
        (sum(|site| site.bytes), sum(|site| site.freed), sum(|site| site.frees)),
        (heap.bytes, heap.freed, heap.frees)
    );
}

#[tokio::test]
async fn a_run_that_fails_is_seen_up_to_there() {
    let mut bench = Bench::new().await;
    let body = watch(5, "std::mem::forget(std::hint::black_box(vec![1u8; 77])); let _: u8 = \"x\".parse()?;");
    let (ended, seen) = run(&mut bench, "", &body, Lens::Heap { sites: false }).await;
    assert!(matches!(ended, Ended::Done { ending: Ending::Question { .. }, .. }), "{ended:?}");
    assert!(matches!(&seen[..], [(5, watched)] if !watched.finished), "{seen:?}");
    assert!(seen.into_iter().map(heap).all(|heap| heap.live >= 77));
}

#[tokio::test]
async fn processes_that_the_code_starts_are_not_watched() {
    let mut bench = Bench::new().await;
    let items = "unsafe extern \"C\" { fn fork() -> i32; fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32; fn _exit(code: i32) -> !; }";
    let fork = "
        let thread = std::thread::spawn(|| while !std::path::Path::new(\"sign\").exists() { std::hint::black_box(vec![0u8; 24]); });
        for _ in 0..100 {
            match unsafe { fork() } {
                0 => { std::hint::black_box(vec![1u8; 1000]); unsafe { _exit(0) } }
                child => { let mut status = 1; unsafe { waitpid(child, &mut status, 0) }; assert_eq!(status, 0); }
            }
            assert!(std::process::Command::new(\"true\").status()?.success());
        }
        std::fs::write(\"sign\", \"\")?;
        thread.join().unwrap();";
    let (ended, seen) = run(&mut bench, items, &watch(0, fork), Lens::Heap { sites: true }).await;
    assert_eq!(ended, fine());
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn copies_of_a_process_whose_threads_allocate_are_watched_too() {
    let mut bench = Bench::new().await;
    let page = Page::new([]);
    let body =
        "for _ in 0..2 { std::thread::spawn(|| loop { std::hint::black_box(Box::new([0u8; 24])); }); }";
    assert_eq!(bench.run(&page, body).await, fine());
    for sites in [false, true, false, true] {
        let lens = Lens::Heap { sites };
        let (library, entry) = bench.compile("", "", &watch(1, "std::hint::black_box(vec![1u8; 1000]);"), "");
        let errand = Errand { lens: lens.clone(), ..Errand::new(&[library], Some(&entry)) };
        let rehearsal = bench.child.rehearsal().await.unwrap();
        assert_eq!(bench.child.run(errand.clone(), page.clone()).await, fine());
        let rehearsed = rehearsal.run(errand, Duration::from_secs(60)).await;
        assert_eq!(rehearsed.ended, Ok(Ending::Ok));
        for watched in rehearsed.watched.into_iter().chain(seen(&page).pop()) {
            let heap = heap(watched);
            // Each of the two threads may give back a block of before.
            assert!(heap.bytes >= 1000 && heap.freed >= 1000 && heap.peak >= 1000 - 2 * 24, "{heap:?}");
        }
    }
}

#[tokio::test]
async fn calls_are_counted_between_beginning_and_end() {
    let mut bench = Bench::new().await;
    let items = "
        fn fib(n: u32) -> u32 { let _call = ::assay::measure::calls::enter(3); if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
    ";
    let body = format!(
        "fib(5); {} fib(5);",
        watch(0, "fib(25); for t in [(); 2].map(|()| std::thread::spawn(|| fib(10))) { t.join().unwrap(); }")
    );
    let (ended, seen) = run(&mut bench, items, &body, Lens::Counts { counters: Vec::new() }).await;
    assert_eq!(ended, fine());
    let [(0, Watched { seen: Seen::Counts(counts), .. })] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(counts.calls, [(3, 242_785 + 2 * 177, 3)]);
    assert!(counts.libraries.is_empty());
}
