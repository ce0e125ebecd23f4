//! What `%%complexity` makes of a call, and what it says.

use crate::measured::{Counted, Ending, Lane};
use crate::outcome::{Measurement, Outcome};
use crate::trial::{complaint, expanded, lane, measurement, report, shortened, shown};

#[test]
fn the_text_is_the_runtimes() {
    let expected = "{ let mut assay_meter = ::assay::measure::Meter::sweep(0, ::assay::measure::Options { memory: true, \
        ..::assay::measure::Options::USUAL }, &[16, 32]); \
        while let ::core::option::Option::Some(assay_size) = assay_meter.size() { let n: usize = assay_size; let v = f(n); \
        while let ::core::option::Option::Some(assay_turn) = assay_meter.turn() { assay_meter.run(assay_turn, || { v.g() }); } \
        } assay_meter.end(); }";
    assert_eq!(expanded("%%complexity --memory n=16,32 let v = f(n);\nv.g()"), expected);
}

#[test]
fn code_runs_at_each_size() {
    let check = |cell: &str, expected: &str| {
        assert_eq!(shortened(cell), expected, "{cell:?}");
    };
    check(
        "%%complexity -q --budget 5s size = 1..32\nf(size)?",
        "{ let meter = Meter::sweep(0, Options { budget: 5.0, silent: true, ..Options::USUAL }, &[1, 2, 4, 8, 16, 31]); while let Some(assay_size) = meter.size() { let size: usize = assay_size; while turn { meter.try_run(turn, || Ok({ f(size)? }))?; } } meter.end(); }",
    );
    check(
        "%%complexity n=8..16 let a = f(n)?; let b = a // why\ng(a).await",
        "{ let meter = Meter::sweep(0, Options::USUAL, &[8, 9, 10, 11, 12, 13, 14, 16]); while let Some(assay_size) = meter.size() { let n: usize = assay_size; let a = f(n)?; let b = a; while turn { meter.run_async(turn, async || { g(a).await }).await; } } meter.end(); }",
    );
}

#[test]
fn sizes_are_a_range_or_a_list() {
    let check = |sizes: &str, expected: &str| {
        let text = shortened(&format!("%%complexity {sizes}\nf(n)"));
        let list = text.split("&[").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
        assert_eq!(list, expected, "{sizes}");
    };
    check("n=16..1024", "16, 31, 63, 127, 255, 511, 1023");
    check("n=16..=1000", "16, 31, 63, 127, 255, 511");
    check("n=10..100", "10, 14, 19, 27, 37, 52, 72, 100");
    check("n=1..5", "1, 2, 3, 4, 5");
    check("n=1_000..5_000 by 1_000", "1000, 2000, 3000, 4000, 5000");
    check("n=64,16, 32", "16, 32, 64");
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let check = |cell: &str, expected: &str| {
        assert_eq!(complaint(cell), expected, "{cell:?}");
    };
    check("%%complexity\nf()", "0..12 the sizes are missing");
    check("%%complexity n\nf()", "13..14 the sizes are missing");
    check("%%complexity n=\nf()", "14..15 a size is a whole number from 1 on");
    check("%%complexity n=x\nf()", "15..16 a size is a whole number from 1 on");
    check("%%complexity n=16\nf()", "15..17 one size alone shows no growth");
    check("%%complexity n=16..\nf()", "18..19 the largest size is missing");
    check("%%complexity n=0..64\nf()", "15..16 a size is a whole number from 1 on");
    check("%%complexity n=64..16\nf()", "15..21 this range has 0 of the 5 sizes that it takes to see growth");
    check("%%complexity n=1..3\nf()", "15..19 this range has 3 of the 5 sizes that it takes to see growth");
    check("%%complexity n=1..1000 by 1\nf()", "15..27 these are more than 100 sizes");
    check("%%complexity n=1..1000 by\nf()", "23..25 the step is missing");
    check("%%complexity n=1.5..3\nf()", "15..18 a size is a whole number from 1 on");
    check("%%complexity n=16,\nf()", "17..18 behind a comma stands another size");
    check("%%complexity fn=16..64\nf()", "13..22 the sizes are missing");
    check(
        "%%complexity n=16..1024 let v = \nf()",
        "30..31 this is no Rust: unexpected end of input, expected an expression",
    );
    check("%%complexity n=16..1024\n", "0..12 there is nothing to measure below the first line");
    check("%%complexity n=16..1024\nf(\n", "25..26 this is no Rust: a bracket or a comment is not closed");
    check("%%complexity -v x n=16..1024\nf()", "13..15 `%%complexity` has no option `-v`");
}

/// A sweep over code that takes so many seconds at each size.
fn swept(seconds: impl Fn(f64) -> f64) -> Measurement {
    let at = |power: u32| {
        let n = f64::from(16 << power);
        Lane { size: Some(16 << power), ..lane(seconds(n)) }
    };
    measurement((0..10).map(at).collect())
}

fn said(cell: &str, measurement: Measurement) -> String {
    let text = shown(cell, Outcome::Measured(Box::new(measurement)));
    text.lines().filter(|line| !line.starts_with(' ')).collect::<Vec<_>>().join("\n")
}

#[test]
fn growth_is_named_or_not() {
    let check = |cell: &str, measurement: Measurement, expected: &str| {
        let said = said(cell, measurement);
        assert_eq!(said, expected, "{cell:?}");
    };
    check(
        "%%complexity n=1,2\na(n)",
        swept(|n| 1e-7 + 2e-9 * n),
        "O(n) from n = 16 to 8,192 (confidence 100 %)\n2.01 ns for each unit of n, and 100 ns besides.\n---------------------------------------\n1,024  2.16 µs  2.10 … 2.21 µs  2.11 ns\n2,048  4.21 µs  4.11 … 4.32 µs  2.06 ns\n4,096  8.33 µs  8.12 … 8.54 µs  2.03 ns\n8,192  16.6 µs  16.1 … 17.0 µs  2.02 ns\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check(
        "%%complexity n=1,2\nb(n)",
        swept(|n| 2e-9 * n * n.log2()),
        "O(n log n) from n = 16 to 8,192 (confidence 100 %)\n2.01 ns for each unit of n·log₂ n.\n---------------------------------------\n1,024  20.6 µs  20.1 … 21.1 µs  20.1 ns\n2,048  45.3 µs  44.1 … 46.4 µs  22.1 ns\n4,096  98.7 µs   96.3 … 101 µs  24.1 ns\n8,192   214 µs    209 … 219 µs  26.1 ns\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check(
        "%%complexity n=1,2\nc(n)",
        swept(|_| 1e-6),
        "O(1) from n = 16 to 8,192 (confidence 100 %)\n1 µs at each size.\n-----------------------------------------\n1,024    1 µs  979 ns … 1.03 µs  0.981 ns\n2,048    1 µs  979 ns … 1.03 µs   0.49 ns\n4,096    1 µs  979 ns … 1.03 µs  0.245 ns\n8,192    1 µs  979 ns … 1.03 µs  0.123 ns\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check(
        "%%complexity n=1,2\nd(n)",
        swept(|n| 1e-9 * n * n.sqrt()),
        "No class fits: the best one is wrong by 34 %\nOn average it grows as n^1.50.\n---------------------------------------\n1,024  32.9 µs  32.1 … 33.7 µs  32.1 ns\n2,048  93.1 µs  90.8 … 95.4 µs  45.5 ns\n4,096   263 µs    257 … 270 µs  64.3 ns\n8,192   745 µs    726 … 763 µs  90.9 ns\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check(
        "%%complexity n=1,2\ne(n)",
        swept(|n| if n > 500.0 { 3e-6 } else { 1e-6 }),
        "A jump and no growth: from n = 512 on it costs 3×, and hardly grows otherwise\nOn average it grows as n^0.24.\n------------------------------------------\n1,024  3.01 µs    2.94 … 3.09 µs   2.94 ns\n2,048  3.01 µs    2.94 … 3.09 µs   1.47 ns\n4,096  3.01 µs    2.94 … 3.09 µs  0.736 ns\n8,192  3.01 µs    2.94 … 3.09 µs  0.368 ns\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    let few = Measurement {
        measured: crate::measured::Measured {
            lanes: swept(|n| n).measured.lanes[..3].to_vec(),
            left_out: vec![128, 256, 512],
            ..Default::default()
        },
        ..measurement(vec![])
    };
    check(
        "%%complexity n=1,2\nf(n)",
        few,
        "Too few sizes to name a class: 3 could be used, and it takes 6, the largest at least 2 times the smallest\n-------------------------------------\n16   16.1 s      15.7 … 16.5 s    1 s\n32   32.1 s      31.3 … 32.9 s    1 s\n64  1min 4s  1min 3s … 1min 6s    1 s\nLeft out: n = 128, 256 and 512; one run would have ended after the budget (--budget).\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    let mut stopped = swept(|n| 1e-9 * n);
    stopped.measured.lanes[9].ending = Ending::Stopped;
    stopped.measured.left_out = vec![1 << 20];
    check(
        "%%complexity n=1,2\ng(n)",
        stopped,
        "O(n) from n = 16 to 8,192 (confidence 100 %)\n1 ns for each unit of n.\n-------------------------------------\n1,024  1.03 µs  1.00 … 1.05 µs   1 ns\n2,048  2.06 µs  2.01 … 2.11 µs   1 ns\n4,096  4.11 µs  4.01 … 4.22 µs   1 ns\n8,192  8.23 µs  8.02 … 8.43 µs   1 ns\nPartial: it was interrupted, and these are the figures up to then.\nLeft out: n = 1,048,576; it was interrupted before.\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    let away = Measurement { ..swept(|n| if n < 60.0 { 1e-10 } else { 1e-9 * n }) };
    let lanes = away.measured.lanes.into_iter().map(|lane| Lane { empty_loop: 0.9e-10, ..lane }).collect();
    check(
        "%%complexity n=1,2\nh(n)",
        measurement(lanes),
        "O(n) from n = 64 to 8,192 (confidence 100 %)\n1 ns for each unit of n.\n-----------------------------------------------\n1,024  1.03 µs        1.00 … 1.05 µs       1 ns\n2,048  2.06 µs        2.01 … 2.11 µs       1 ns\n4,096  4.11 µs        4.01 … 4.22 µs       1 ns\n8,192  8.23 µs        8.02 … 8.43 µs       1 ns\nAt n = 16 and 32 the code costs no more than an empty loop: the compiler probably removed it or worked it out beforehand. Use its result.\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check(
        "%%complexity n=1,2\ni(n)",
        measurement(vec![]),
        "Nothing was measured: it was interrupted before the first run was over.",
    );
}

#[test]
fn memory_is_counted() {
    let lane = |n: u64| Lane {
        size: Some(n),
        counted: Some(Counted { iterations: 1, least: (1, 8 * n), most: (1, 8 * n) }),
        ..Lane::default()
    };
    let lanes = (0..8).map(|power| lane(16 << power)).collect();
    let text = shown("%%complexity --memory n=1,2\nf(n)", Outcome::Measured(Box::new(measurement(lanes))));
    let expected = "O(n) from n = 16 to 2,048 (confidence 100 %)\n8 B for each unit of n.\n    n   Bytes  Per n   Allocations\n----------------------------------\n   16   128 B    8 B  1 allocation\n   32   256 B    8 B  1 allocation\n   64   512 B    8 B  1 allocation\n  128   1 KiB    8 B  1 allocation\n  256   2 KiB    8 B  1 allocation\n  512   4 KiB    8 B  1 allocation\n1,024   8 KiB    8 B  1 allocation\n2,048  16 KiB    8 B  1 allocation\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)";
    assert_eq!(text, expected);
    let none = |n: u64| Lane {
        size: Some(n),
        counted: Some(Counted { iterations: 1, ..Counted::default() }),
        ..Lane::default()
    };
    let lanes = (0..8).map(|power| none(16 << power)).collect();
    let report =
        report("%%complexity --memory n=1,2\nf(n)", Outcome::Measured(Box::new(measurement(lanes)))).unwrap();
    assert!(report.also.is_empty());
    assert!(report.shown.unwrap().plain().starts_with("O(1) from n = 16"));
}

#[test]
fn the_chart_has_the_fit_and_the_figures_are_beside_it() {
    let outcome = Outcome::Measured(Box::new(swept(|n| 2e-9 * n)));
    let report = report("%%complexity n=1,2\nf(n)", outcome).unwrap();
    assert!(report.also[0].plain().contains("O(n) fits best"), "{}", report.also[0].plain());
    let raw = &report.shown.unwrap().metadata["assay"];
    assert_eq!(raw["verdict"], "O(n)");
    assert_eq!(raw["lanes"].as_array().unwrap().len(), 10);
}
