//! `%memit`: what it plans, where memory is asked for, and how it is told.

use super::places::places;
use crate::lines::trial::{Scene, allocates, said, step, text};
use crate::plan::Plan;
use crate::profiled::{Ending, Heap, Origin, Profiled, Site};
use crate::trial::{complaint, facts, plan};

const MIB: u64 = 1024 * 1024;

/// What code did that built three vectors and kept one.
fn heap() -> Heap {
    Heap {
        allocations: 116,
        bytes: 6 * MIB,
        frees: 115,
        freed: 5 * MIB,
        peak: 4 * MIB + 8160,
        peak_at: 1.2e-3,
        live: MIB as i64,
        timeline: vec![(0.0, 0), (1e-3, MIB as i64), (1.2e-3, 4 * MIB as i64), (2e-3, MIB as i64)],
        resident: Some([100 * MIB, 104 * MIB, 101 * MIB]),
        ..Heap::default()
    }
}

fn of(heaps: Vec<Heap>) -> Profiled {
    Profiled { facts: facts(), heaps, ..Profiled::default() }
}

/// Three places in a cell, one in a thread of the system's.
fn placed() -> Profiled {
    let site = |allocations, bytes, at_peak, live| Site {
        at_peak,
        live,
        live_blocks: u64::from(live > 0),
        ..allocates(allocations, bytes, 0)
    };
    let mut scene = Scene::new();
    scene.function("build", 12);
    scene.function("<statements>", 1);
    let mut profiled = scene
        .site("<statements>:3 build:14 Vec::push RawVec::grow", site(10, 3 * MIB, 3 * MIB, 0))
        .site("<statements>:3 build:14 Vec::push RawVec::first", site(1, 64, 0, 0))
        .site("<statements>:3 build:15 Vec::with_capacity", site(1, MIB, MIB, MIB))
        .site("<statements>:4", site(1, 100, 0, 100))
        .site("start_thread getaddrinfo", site(2, 2048, 0, 0))
        .0;
    for function in &mut profiled.functions {
        if function.name == "getaddrinfo" {
            function.file = "libc.so.6".to_owned();
            function.origin = Origin::System;
        }
    }
    let sites = std::mem::take(&mut profiled.heaps[0].sites);
    of(vec![Heap { sites, ..heap() }]).with(profiled)
}

impl Profiled {
    fn with(self, other: Self) -> Self {
        Self { functions: other.functions, ..self }
    }
}

#[test]
fn what_is_asked_is_planned() {
    let step_of = step("let m = %memit -o -r 3 -t 1 -i 0.01 -c f()");
    assert_eq!(
        (step_of.ask.heap, step_of.ask.sites, step_of.ask.time, step_of.ask.counts),
        (Some(3), true, false, false)
    );
    assert_eq!((step_of.result.as_deref(), step_of.again), (Some("let m ="), None));
    assert_eq!(step("%memit f()").ask.heap, Some(1));
    assert_eq!(step("%%memit let v = f()\ng(&v)").result, None);
    assert_eq!(plan("%memit"), Ok(Plan::Nothing));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
    check("%memit -r 0 f()", "10..11 `0` is no value for `-r R`: it is a whole number from 1 to 1000");
    check("%memit -r2000 f()", "7..13 `2000` is no value for `-r R`: it is a whole number from 1 to 1000");
    check(
        "%memit -t soon f()",
        "10..14 `soon` is no value for `-t T`: it is a number of seconds, such as 0.1",
    );
    check("%memit -r 2 -i", "12..14 `-i INTERVAL` needs a value");
    check("%memit -z f()", "7..9 `%memit` has no option `-z`");
    check("%%memit let v = f();\n// nothing", "0..7 there is nothing to measure below the first line");
    check("let m = %memit f()", "8..14 `%memit` gives no value that a variable could hold");
}

#[test]
fn the_line_is_memory_profilers() {
    let text = text("%memit build()", of(vec![heap()]));
    let expected = "\
peak memory: 104.00 MiB, increment: 4.00 MiB
peak heap: 4.01 MiB (4,202,464 B), 1.2 ms after the beginning
116 allocations, 6 MiB (6,291,456 B) in all · 115 frees · still live: 1 MiB (1,048,576 B)
The code left no variable: what is still live is held by one from before, a static, a cache, a thread, or by nobody. What grows again with each run is leaked.
Zen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)";
    assert_eq!(text, expected);
}

#[test]
fn of_several_runs_the_largest_peak_counts() {
    let second =
        Heap { peak: 5 * MIB, allocations: 120, resident: Some([101 * MIB, 107 * MIB, 102 * MIB]), ..heap() };
    let report = said("%memit -o -r 3 build()", of(vec![heap(), second, heap()]));
    let text = report.shown.unwrap().plain().to_owned();
    assert!(text.starts_with("peak memory: 107.00 MiB, increment: 7.00 MiB\npeak heap: 5 MiB"), "{text}");
    assert!(text.contains("\n3 runs, with 116 to 120 allocations, peaks of 4.01 MiB to 5 MiB\n"), "{text}");
    let value = report.value.unwrap();
    assert!(syn::parse_str::<syn::Expr>(&value).is_ok(), "{value}");
    let begins = "::assay::MemitResult { peak: ::core::option::Option::Some(112197632), increment: ::core::option::Option::Some(7340032), peaks: ::std::vec::Vec::from([109051904, 112197632, 109051904]), repeat: 3, heap_peak: 5242880,";
    assert!(value.starts_with(begins), "{value}");
    let alike = said("%memit -r 2 build()", of(vec![heap(), heap()])).shown.unwrap();
    assert!(alike.plain().contains("\n2 runs, all alike\n"));
}

#[test]
fn what_is_still_live_is_asked_about() {
    let check = |cell: &str, live: i64, expected: &str| {
        let text = text(cell, of(vec![Heap { live, ..heap() }]));
        assert!(text.contains(expected), "{text}");
    };
    check(
        "%memit let v = build();",
        1000,
        "\nWhat is still live may be in `v`: what is left after `%del v` is leaked, or held by something else.\n",
    );
    check(
        "%%memit let text = read();\nlet a = f(&text); let b = g(&a);",
        1000,
        "may be in `a`, `b`: what is left after `%del a, b` is leaked",
    );
    check("%memit build()", -2048, "\n2 KiB of what was there before is freed.\n");
    let text = text("%memit build()", of(vec![Heap { live: 0, ..heap() }]));
    assert!(text.contains("still live: nothing\nZen"), "{text}");
}

#[test]
fn a_place_is_the_users_own_line_and_what_it_called() {
    let profiled = placed();
    let places = places(&profiled, &profiled.heaps[0]);
    let shown: Vec<String> =
        places.largest.iter().map(|place| format!("{} {}", place.name(), place.bytes)).collect();
    let expected = [
        format!("cell[3]:14 in build -> Vec::push {}", 3 * MIB + 64),
        format!("cell[3]:15 in build -> Vec::with_capacity {MIB}"),
        "cell[3]:4 in <statements> 100".to_owned(),
        "libc.so.6 in getaddrinfo 2048".to_owned(),
    ];
    assert_eq!(shown, expected);
    let text = text("%memit build()", profiled);
    let expected = "\
Where it was asked for, the most at the peak first:
Where                                      At the peak  Still live  Bytes  Allocs
---------------------------------------------------------------------------------
cell[3]:14 in build -> Vec::push                 3 MiB              3 MiB      11
cell[3]:15 in build -> Vec::with_capacity        1 MiB       1 MiB  1 MiB       1
cell[3]:4 in <statements>                                    100 B  100 B       1
libc.so.6 in getaddrinfo                                            2 KiB       2
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn many_places_are_told_together() {
    let mut scene = Scene::new();
    scene.function("f", 1);
    for line in 1..=20_u64 {
        let live = if line == 20 { 7 } else { 0 };
        scene =
            scene.site(&format!("f:{line} alloc"), Site { at_peak: 100 - line, live, ..allocates(1, 10, 0) });
    }
    let places = places(&scene.0, &scene.0.heaps[0]);
    let lines: Vec<&str> = places.largest.iter().map(|place| place.at.as_str()).collect();
    assert_eq!(lines.last(), Some(&"cell[3]:20"), "what is still live is told, however small");
    assert_eq!((lines.len(), places.others, places.rest.allocations), (9, 11, 11));
    assert!(text("%memit f()", scene.0).contains("\n11 other places "));
}

#[test]
fn what_has_no_meaning_here_is_said() {
    let text = text("%memit -t 1 -i 0.1 -c f()", of(vec![heap()]));
    for said in [
        "\n-t: nothing is sampled",
        "\n-i: the peak is exact",
        "\n-c: other processes have heaps of their own",
    ] {
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    let none = text("%memit f()", of(Vec::new()));
    assert!(none.starts_with("Nothing was measured.\n"), "{none}");
    let mut why = of(Vec::new());
    why.doubts.push("The heap was not watched: why.".to_owned());
    assert!(text("%memit f()", why).starts_with("The heap was not watched: why.\n"));
    let silent = text("%memit f()", of(vec![Heap { resident: None, ..heap() }]));
    assert!(silent.starts_with("peak memory: not told by this system\npeak heap: 4.01 MiB"), "{silent}");
    let mut partial = of(vec![heap()]);
    partial.run.ending = Ending::Failed;
    assert!(text("%memit f()", partial).contains("\nPartial: a panic or a `?` ended the code"));
}

#[test]
fn quiet_shows_nothing_and_gives_the_value() {
    let report = said("%memit -q -o f()", of(vec![heap()]));
    assert!(report.shown.is_none() && report.also.is_empty() && report.value.is_some());
}

#[test]
fn the_heap_is_drawn_where_it_has_a_course() {
    let charts = |heap: Heap| said("%memit f()", of(vec![heap])).also;
    assert!(
        charts(heap())[0].plain().starts_with("f()\npeak 4.01 MiB at 1.2 ms"),
        "{}",
        charts(heap())[0].plain()
    );
    assert!(charts(Heap { timeline: vec![(0.0, 0)], ..heap() }).is_empty());
    // It may go below its beginning.
    assert_eq!(charts(Heap { timeline: vec![(0.0, 0), (1.0, -5000)], ..heap() }).len(), 1);
}
