//! Programs, and all figures of each.
//!
//! What is allocated passes a black box: compilers know what `malloc` and its family do, and leave out what nobody uses.

#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "each block is freed once, where it is: that is what is looked at"
)]

use crate::heap;
use assay_link::watch::Heap;
use libc::c_void;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

/// A program: what it finds when it begins, and what it does.
type Program = (&'static str, fn() -> usize, fn(usize), Figures);

/// Allocations, bytes, frees, bytes freed, peak, and what is live at the end.
type Figures = (u64, u64, u64, u64, u64, i64);

const NOTHING: fn() -> usize = || 0;

const PROGRAMS: &[Program] = &[
    ("nothing", NOTHING, |_| (), (0, 0, 0, 0, 0, 0)),
    // Room for 4, 8, …, 1024 numbers, each in the place of the one before.
    ("a vector grows", NOTHING, grow, (9, 8 * 2044, 9, 8 * 2044, 8 * 1024, 0)),
    ("a vector shrinks", NOTHING, shrink, (2, 101, 2, 101, 100, 0)),
    ("a string", NOTHING, string, (2, 5 + 12, 2, 5 + 12, 12, 0)),
    // 4, 8, …, 2048 buckets of 16 bytes, with a byte of control for each, and 16 more; the last two are there at once.
    ("a map", NOTHING, map, (10, 4092 * 17 + 160, 10, 4092 * 17 + 160, (1024 + 2048) * 17 + 32, 0)),
    // Two counters, the cell's flag, and what is in it.
    ("a cycle", NOTHING, cycle, (2, 64, 0, 0, 64, 64)),
    ("a leak", NOTHING, leak, (1, 8, 0, 0, 8, 8)),
    ("one and three megabytes", NOTHING, megabytes, (3, 6 << 20, 3, 6 << 20, 4 << 20, 0)),
    ("an alignment", NOTHING, |_| drop(black_box(Box::new(Line([0; 100])))), (1, 128, 1, 128, 128, 0)),
    ("threads, one after the other", threads, interleaved, (4, 2500, 4, 2500, 1900, 0)),
    ("threads, all at once", busy, together, (40_000, 960_000, 40_000, 960_000, 0, 0)),
    ("C: strdup", NOTHING, strdup, (1, 6, 1, 6, 6, 0)),
    ("C: calloc, realloc, reallocarray", NOTHING, reallocated, (3, 15 + 40 + 50, 3, 105, 50, 0)),
    ("C: realloc to nothing", NOTHING, nothing, (2, 15 + 40, 2, 55, 40, 0)),
    ("C: realloc of nothing", NOTHING, of_nothing, (1, 9, 1, 9, 9, 0)),
    ("C: alignments", NOTHING, aligned, (5, 10 + 64 + 20 + 7 + 9, 5, 110, 110, 0)),
    ("C: no bytes", NOTHING, |_| unsafe { libc::free(black_box(libc::malloc(0))) }, (1, 0, 1, 0, 0, 0)),
    ("C: refused", NOTHING, refused, (1, 10, 1, 10, 10, 0)),
    // What the C library holds for a hundred bytes, of which eight are its own.
    ("an older block is freed", hundred, |block| free(block), (0, 0, 1, 104, 0, -104)),
    ("an older block grows", hundred, |block| keep(again(block, 200)), (1, 200, 1, 104, 96, 96)),
    ("an older block cannot grow", hundred, |block| keep(again(block, usize::MAX / 4)), (0, 0, 0, 0, 0, 0)),
    ("an older block, then a new one", hundred, swap, (1, 50, 1, 104, 0, 50 - 104)),
    ("more blocks than there was room for", NOTHING, many, MANY),
    ("a handler of a signal", handler, raise, (1, 33, 1, 33, 33, 0)),
    ("processes that are forked meanwhile", allocating, forks, (1, 5, 1, 5, 0, 0)),
];

/// A table of 100,001 pointers, and what they point to, a word and sixteen bytes.
const MANY: Figures = (100_001, 800_000 + 2_400_000, 100_001, 800_000 + 2_400_000, 800_000 + 2_400_000, 0);

/// Whether all are seen as they are.
pub(crate) fn all() -> bool {
    // First: after a request that was refused glibc turns to another arena, of which `malloc_trim` leaves the end.
    let mut right = resident();
    for (name, prepare, run, expected) in PROGRAMS {
        let before = prepare();
        let seen = watched(|| run(before), false);
        let figures = figures(&seen);
        // Whatever else goes on in other threads has a part in these.
        let expected = match *name {
            "threads, all at once" => (expected.0, expected.1, expected.2, expected.3, figures.4, expected.5),
            "processes that are forked meanwhile" => figures,
            _ => *expected,
        };
        right &= check(name, &figures, &expected) & consistent(name, &seen);
    }
    right & a_thread() & errno()
}

/// What is seen of this.
pub(crate) fn watched(run: impl FnOnce(), stacks: bool) -> Heap {
    match heap::watch(stacks) {
        Ok(()) => run(),
        Err(why) => println!("not watched: {why}"),
    }
    heap::seen().unwrap_or_else(|why| {
        println!("not seen: {why}");
        Heap::default()
    })
}

/// Whether both are the same; says so if not.
pub(crate) fn check<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> bool {
    let same = seen == expected;
    println!("{} {what}: {seen:?}", if same { "ok   " } else { "WRONG" });
    if !same {
        println!("      expected {expected:?}");
    }
    same
}

fn figures(heap: &Heap) -> Figures {
    (heap.allocations, heap.bytes, heap.frees, heap.freed, heap.peak, heap.live)
}

/// Whether the course of it has the same peak and the same end, in order.
fn consistent(name: &str, heap: &Heap) -> bool {
    let line = &heap.timeline;
    let peak = line.iter().map(|point| point.1).max();
    let ordered = line.is_sorted_by_key(|point| point.0);
    let when = line.contains(&(heap.peak_at, heap.peak.cast_signed())) || heap.peak == 0;
    let end = line.last().map(|point| point.1);
    check(
        &format!("{name}: its course"),
        &(peak, ordered, when, end, heap.bytes.cast_signed() - heap.freed.cast_signed()),
        &(Some(heap.peak.cast_signed()), true, true, Some(heap.live), heap.live),
    )
}

#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "its size is what counts")] [u8; 100]);

struct Node(RefCell<Option<Rc<Node>>>);

fn grow(_: usize) {
    let mut numbers = Vec::new();
    for number in 0..1000_u64 {
        numbers.push(number);
    }
    black_box(numbers);
}

fn shrink(_: usize) {
    let mut bytes = Vec::<u8>::with_capacity(100);
    bytes.push(1);
    bytes.shrink_to_fit();
    black_box(bytes);
}

fn string(_: usize) {
    let mut text = String::from("hello");
    text.push_str(black_box(", world"));
    black_box(text);
}

fn map(_: usize) {
    let mut map = HashMap::new();
    for number in 0..1000_u64 {
        map.insert(number, number);
    }
    black_box(map);
}

fn cycle(_: usize) {
    let (one, other) = (Rc::new(Node(RefCell::default())), Rc::new(Node(RefCell::default())));
    *one.0.borrow_mut() = Some(Rc::clone(&other));
    *other.0.borrow_mut() = Some(Rc::clone(&one));
}

fn leak(_: usize) {
    black_box(Box::leak(Box::new(7_u64)));
}

fn megabytes(_: usize) {
    let one = black_box(vec![1_u8; 1 << 20]);
    drop(black_box(vec![1_u8; 3 << 20]));
    drop(black_box(vec![1_u8; 2 << 20]));
    drop(one);
}

fn many(_: usize) {
    let blocks: Vec<Box<[u8; 24]>> = {
        let mut blocks = Vec::with_capacity(100_000);
        blocks.extend((0..100_000).map(|number| Box::new([number as u8; 24])));
        blocks
    };
    black_box(blocks);
}

/// Where two threads and this one wait for each other.
static STEP: Barrier = Barrier::new(3);

/// Two threads. The first of them allocates 1000 bytes, then the other 500, then the first 400, which frees the thousand after that, then the other 600; then both free all.
fn threads() -> usize {
    for first in [true, false] {
        team(move || {
            let mut kept: [Option<Box<[u8]>>; 2] = [None, None];
            for step in 0..5 {
                match (step, first) {
                    (0, true) => kept[0] = Some(bytes(1000)),
                    (1, false) => kept[0] = Some(bytes(500)),
                    (2, true) => kept[1] = Some(bytes(400)),
                    (3, true) => kept[0] = None,
                    (4, false) => kept[1] = Some(bytes(600)),
                    _ => {}
                }
                STEP.wait();
            }
        });
    }
    0
}

/// Two threads that do not wait for each other.
fn busy() -> usize {
    for _ in 0..2 {
        team(|| (0..20_000).for_each(|_| drop(black_box(Box::new([0_u8; 24])))));
    }
    0
}

/// A thread that does this between one step and another, and never ends: its end is not to be seen.
fn team(work: impl FnOnce() + Send + 'static) {
    let ready = Arc::new(Barrier::new(2));
    let begun = Arc::clone(&ready);
    std::thread::spawn(move || {
        begun.wait();
        drop(begun);
        STEP.wait();
        work();
        STEP.wait();
        loop {
            std::thread::park();
        }
    });
    ready.wait();
    // Whoever of both is the last to give it up: then it is gone before anything is watched.
    while Arc::strong_count(&ready) > 1 {
        std::thread::yield_now();
    }
}

fn bytes(count: usize) -> Box<[u8]> {
    black_box(vec![1_u8; count].into_boxed_slice())
}

fn interleaved(_: usize) {
    for _ in 0..7 {
        STEP.wait();
    }
}

fn together(_: usize) {
    STEP.wait();
    STEP.wait();
}

fn strdup(_: usize) {
    unsafe { libc::free(black_box(libc::strdup(c"hello".as_ptr())).cast()) }
}

fn reallocated(_: usize) {
    unsafe {
        let block = black_box(libc::realloc(black_box(libc::calloc(3, 5)), 40));
        libc::free(black_box(libc::reallocarray(block, 5, 10)));
    }
}

fn nothing(_: usize) {
    unsafe {
        let block = black_box(libc::realloc(black_box(libc::calloc(3, 5)), 40));
        assert!(black_box(libc::realloc(block, 0)).is_null());
    }
}

fn of_nothing(_: usize) {
    unsafe { libc::free(black_box(libc::realloc(null_mut(), 9))) }
}

unsafe extern "C" {
    fn valloc(size: usize) -> *mut c_void;
    fn pvalloc(size: usize) -> *mut c_void;
}

fn aligned(_: usize) {
    unsafe {
        let mut block = null_mut();
        assert_eq!(libc::posix_memalign(&raw mut block, 64, 20), 0);
        for block in
            [libc::memalign(64, 10), libc::aligned_alloc(32, 64), block, valloc(7), pvalloc(9)].map(black_box)
        {
            libc::free(block);
        }
    }
}

fn refused(_: usize) {
    unsafe {
        let block = black_box(libc::malloc(10));
        assert!(black_box(libc::realloc(block, usize::MAX / 4)).is_null());
        assert!(black_box(libc::reallocarray(block, usize::MAX, 2)).is_null());
        assert!(black_box(libc::malloc(usize::MAX / 4)).is_null());
        assert!(black_box(libc::calloc(usize::MAX, 2)).is_null());
        libc::free(block);
        libc::free(null_mut());
    }
}

/// A block of a hundred bytes.
fn hundred() -> usize {
    unsafe { libc::malloc(100) }.expose_provenance()
}

fn block(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

fn free(address: usize) {
    unsafe { libc::free(block(address)) }
}

fn again(address: usize, size: usize) -> *const c_void {
    unsafe { libc::realloc(block(address), size) }
}

fn keep(block: *const c_void) {
    black_box(block);
}

fn swap(address: usize) {
    free(address);
    keep(unsafe { libc::malloc(50) });
}

fn handler() -> usize {
    extern "C" fn handle(_: libc::c_int) {
        unsafe { libc::free(black_box(libc::malloc(33))) }
    }
    unsafe { libc::signal(libc::SIGUSR1, handle as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    0
}

fn raise(_: usize) {
    assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
}

/// Whether the thread below goes on, and whether it does.
static ALLOCATES: [AtomicBool; 2] = [const { AtomicBool::new(true) }; 2];

/// A thread that allocates all the time, so that a process is forked while it does.
fn allocating() -> usize {
    std::thread::spawn(|| {
        while ALLOCATES[0].load(Ordering::Relaxed) {
            black_box(Box::new([0_u8; 24]));
        }
        ALLOCATES[1].store(false, Ordering::Relaxed);
        loop {
            std::thread::park();
        }
    });
    0
}

fn forks(_: usize) {
    for _ in 0..300 {
        unsafe {
            match libc::fork() {
                0 => {
                    drop(black_box(vec![1_u8; 5]));
                    libc::_exit(0)
                }
                child => {
                    let mut status = 1;
                    libc::waitpid(child, &raw mut status, 0);
                    assert_eq!(status, 0);
                }
            }
        }
    }
    ALLOCATES[0].store(false, Ordering::Relaxed);
    while ALLOCATES[1].load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
}

/// What a thread allocates is seen, whatever it takes to begin one.
fn a_thread() -> bool {
    let thread = |blocks: usize| {
        let body = move || (0..blocks).for_each(|_| drop(black_box(Box::new([0_u8; 100]))));
        figures(&watched(|| drop(std::thread::spawn(body).join()), false))
    };
    // The C library keeps a stack for the next thread.
    thread(0);
    let (empty, five) = (thread(0), thread(5));
    let more = (five.0 - empty.0, five.1 - empty.1, five.2 - empty.2, five.3 - empty.3, five.5 - empty.5);
    check("a thread that begins and ends", &more, &(5, 500, 5, 500, 0))
}

/// The resident set is that of the program, without what it takes to watch.
fn resident() -> bool {
    const MEGABYTE: u64 = 1 << 20;
    let within = |bytes: u64, expected: u64| bytes.abs_diff(expected) < MEGABYTE;
    let mut right = true;
    let large = watched(|| drop(black_box(vec![1_u8; 64 << 20])), false);
    let small = watched(
        || {
            // Of each block the C library keeps 32 bytes, and these are in a list without a table.
            let mut last: *mut *const c_void = null_mut();
            for _ in 0..1_000_000 {
                unsafe {
                    let next = black_box(libc::malloc(24)).cast::<*const c_void>();
                    next.write(last.cast());
                    last = next;
                }
            }
            while !last.is_null() {
                let before = unsafe { last.read() };
                unsafe { libc::free(last.cast()) };
                last = before.cast_mut().cast();
            }
            assert_eq!(last.cast_const(), null());
        },
        false,
    );
    for (what, heap, most) in
        [("64 MB", &large, 64 << 20), ("a million blocks of 32 bytes", &small, 32_000_000)]
    {
        let close = heap.resident.map(|[first, peak, last]| {
            (within(peak.saturating_sub(first), most), last.saturating_sub(first) < most + MEGABYTE)
        });
        println!("      {what}: {:?}", heap.resident);
        // Where the system does not say, there is nothing to check.
        right &= check(&format!("resident: {what}"), &close.unwrap_or((true, true)), &(true, true));
    }
    right
}

/// `errno` stays what it is.
fn errno() -> bool {
    let mut seen = 0;
    let watched = watched(
        || unsafe {
            *libc::__errno_location() = 77;
            for _ in 0..10_000 {
                black_box(libc::malloc(1));
            }
            libc::free(black_box(libc::malloc(5)));
            seen = *libc::__errno_location();
        },
        false,
    );
    check("errno", &(seen, watched.allocations), &(77, 10_001))
}
