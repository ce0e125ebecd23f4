//! What `%compare` makes of a call, and what it says.

use crate::measured::{Ending, Lane};
use crate::outcome::{Measurement, Outcome};
use crate::trial::{complaint, expanded, lane, measurement, report, shortened, shown};

fn check(cell: &str, expected: &str) {
    assert_eq!(shortened(cell), expected, "{cell:?}");
}

#[test]
fn the_text_is_the_runtimes() {
    let expected = "{ let mut assay_meter = ::assay::measure::Meter::compare(0, ::assay::measure::Options::USUAL, 2); \
        let (mut assay_first_0, mut assay_first_1) = (::core::option::Option::None, ::core::option::Option::None); \
        while let ::core::option::Option::Some(assay_turn) = assay_meter.turn() { match assay_turn.lane() { \
        0 => assay_meter.run_keeping(assay_turn, &mut assay_first_0, || { a() }), \
        _ => assay_meter.run_keeping(assay_turn, &mut assay_first_1, || { b() }), } } \
        { use ::assay::measure::agree::*; assay_meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } \
        assay_meter.end_all(); }";
    assert_eq!(expanded("%compare a() vs b()"), expected);
}

#[test]
fn a_line_has_vs_between_its_pieces() {
    check(
        "%compare -q a(1)? vs b().await vs c().await?;",
        "{ let meter = Meter::compare(0, Options { silent: true, ..Options::USUAL }, 3); let (mut assay_first_0, mut assay_first_1, mut assay_first_2) = (None, None, None); while turn { match assay_turn.lane() { 0 => meter.try_run_keeping(turn, &mut assay_first_0, || Ok({ a(black_box(1))? }))?, 1 => meter.run_keeping_async(turn, &mut assay_first_1, async || { b().await }).await, _ => meter.try_run_keeping_async(turn, &mut assay_first_2, async || Ok({ c().await? })).await?, } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); meter.agrees((&&Both(&assay_first_0, &assay_first_2)).agree()); } meter.end_all(); }",
    );
    check(
        "%compare f(vs) vs &vs vs { vs } // vs d()",
        "{ let meter = Meter::compare(0, Options::USUAL, 3); let (mut assay_first_0, mut assay_first_1, mut assay_first_2) = (None, None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { f(vs) }), 1 => meter.run_keeping(turn, &mut assay_first_1, || { &vs }), _ => meter.run_keeping(turn, &mut assay_first_2, || { { vs } }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); meter.agrees((&&Both(&assay_first_0, &assay_first_2)).agree()); } meter.end_all(); }",
    );
    check(
        "let r = %compare -o a() vs b();",
        "let r = { let meter = Meter::compare(8, Options::USUAL, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a() }), _ => meter.run_keeping(turn, &mut assay_first_1, || { b() }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } meter.end_all() };",
    );
    check(
        "%compare -v r a() vs b()",
        "let r = { let meter = Meter::compare(0, Options::USUAL, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a() }), _ => meter.run_keeping(turn, &mut assay_first_1, || { b() }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } meter.end_all() };",
    );
}

#[test]
fn a_cell_has_labelled_blocks() {
    check(
        "%%compare\nlet v = f();\n'a: { g(1) }\n\n'b: {\n    // why\n    let w = v;\n    w.h()\n}\n",
        "{ let v = f(); let meter = Meter::compare(0, Options::USUAL, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { g(black_box(1)) }), _ => meter.run_keeping(turn, &mut assay_first_1, || { let w = v; w.h() }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } meter.end_all(); }",
    );
    check(
        "%%compare --budget 2s let v = f()\nlet w = v;\n'a: { if w { break 'a 1; } 2 }\n'b: { 2 };",
        "{ let v = f(); let w = v; let meter = Meter::compare(0, Options { budget: 2.0, ..Options::USUAL }, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { 'a: { if w { break 'a 1; } 2 } }), _ => meter.run_keeping(turn, &mut assay_first_1, || { 2 }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } meter.end_all(); }",
    );
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let check = |cell: &str, expected: &str| {
        assert_eq!(complaint(cell), expected, "{cell:?}");
    };
    check("%compare", "0..8 there is nothing to compare: `vs` stands between two pieces of code");
    check("%compare a()", "9..12 there is nothing to compare: `vs` stands between two pieces of code");
    check("%compare a() vs", "13..15 nothing stands behind `vs`");
    check("%compare vs b()", "9..15 there is nothing to compare: `vs` stands between two pieces of code");
    check("%compare a() vs b( vs c()", "17..18 this is no Rust: a bracket or a comment is not closed");
    check("%compare a() vs b c", "18..19 this is no Rust: unexpected token, expected `;`");
    check("%compare --save x a() vs b()", "9..15 `%compare` has no option `--save`");
    check("let r = %compare a() vs b();", "8..16 `%compare` gives no value that a variable could hold");
    check("%%compare\nf();", "0..9 there are no blocks with labels to compare");
    check(
        "%%compare\n'a: { f() }",
        "16..19 there is only one block with a label, `'a`: nothing to compare it with",
    );
    check("%%compare\n'a: { f() }\ng();\n'b: { g() }", "22..26 this stands behind a labelled block");
    check("%%compare\n'a: { f() }\n'a: { g() }", "22..33 there are two blocks with the label `'a`");
    check("%%compare\n'a: { f() }\n'b: { }", "22..29 the block `'b` is empty");
    check(
        "%%compare\n'a: { f( }\n",
        "19..20 this is no Rust: a bracket closes nothing, or a sign has no meaning in Rust",
    );
}

fn raced(lanes: Vec<Lane>, agree: Vec<Option<bool>>) -> Outcome {
    let mut measurement = measurement(lanes);
    measurement.measured.agree = agree;
    Outcome::Measured(Box::new(measurement))
}

fn check_report(cell: &str, outcome: Outcome, expected: &str) {
    let said = shown(cell, outcome);
    assert_eq!(said, expected, "{cell:?}");
}

#[test]
fn the_faster_one_is_named_or_nobody() {
    check_report(
        "%compare a() vs b()",
        raced(vec![lane(1.2e-3), lane(1e-6)], vec![Some(true)]),
        "`b()` is 1,200× faster than `a()` (1,200–1,200).\nThe results are equal.\nCode  Rank   Median     95 % interval  By the fastest  Runs\n-----------------------------------------------------------\nb()      1     1 µs  979 ns … 1.03 µs              1×   100\na()      2  1.21 ms    1.18 … 1.24 ms          1,200×   100\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check_report(
        "%compare a() vs c()",
        raced(vec![lane(1e-6), lane(1.5e-6)], vec![Some(false)]),
        "`a()` is 1.5× faster than `c()` (1.5–1.5).\nThe results differ: `c()` does not give what `a()` gives.\nCode  Rank   Median     95 % interval  By the fastest  Runs\n-----------------------------------------------------------\na()      1     1 µs  979 ns … 1.03 µs              1×   100\nc()      2  1.51 µs    1.47 … 1.54 µs            1.5×   100\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check_report(
        "%compare a() vs a()",
        raced(vec![lane(1e-6), lane(1.001e-6)], vec![None]),
        "No difference between `a()` and `a() (2)` that this machine can show (resolution ±1.0 %).\nNot checked: whether `a() (2)` and `a()` give the same; their results cannot be compared.\nCode     Rank   Median     95 % interval  By the fastest  Runs\n--------------------------------------------------------------\na()         1     1 µs  979 ns … 1.03 µs              1×   100\na() (2)     1  1.01 µs  980 ns … 1.03 µs              1×   100\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    let stopped = Lane { ending: Ending::Stopped, ..lane(3e-6) };
    check_report(
        "%compare a() vs b() vs c()",
        raced(vec![stopped, lane(1e-6), lane(1.001e-6)], vec![Some(true), Some(false)]),
        "No difference between `b()` and `c()` that this machine can show (resolution ±1.0 %).\n`b()` is 3× faster than `a()` (3–3).\nThe results differ: `c()` does not give what `a()` gives.\nCode  Rank   Median     95 % interval  By the fastest  Runs\n-----------------------------------------------------------\nb()      1     1 µs  979 ns … 1.03 µs              1×   100\nc()      1  1.01 µs  980 ns … 1.03 µs              1×   100\na()      3  3.01 µs    2.94 … 3.09 µs              3×   100\nPartial: it was interrupted, and these are the figures up to then.\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
}

#[test]
fn a_few_samples_are_no_verdict_and_that_is_said() {
    let few = |seconds, samples| Lane { blocks: vec![vec![(1, seconds); samples]], ..lane(seconds) };
    let verdict = |first: Lane, second: Lane| {
        shown("%compare a() vs b()", raced(vec![first, second], vec![Some(true)]))
            .lines()
            .next()
            .map(str::to_owned)
    };
    assert_eq!(
        verdict(few(0.02, 1), few(1.5, 1)).as_deref(),
        Some(
            "`a()` and `b()` ran too seldom to be told apart: 1 sample of each, where 5 are needed (`--budget` gives more time)."
        )
    );
    assert_eq!(
        verdict(few(0.02, 5), few(1.5, 5)).as_deref(),
        Some("`a()` is 75× faster than `b()` (75–75).")
    );
    // Figures all over the place show only what is larger than they are.
    let wild = |shift: usize| Lane {
        blocks: vec![(0..8).map(|n| (1, [0.001, 0.1][(n + shift) % 2] * (1.0 + n as f64 / 100.0))).collect()],
        ..lane(0.01)
    };
    let said = verdict(wild(0), wild(1)).unwrap();
    assert!(
        said.starts_with(
            "No difference between `a()` and `b()` that these figures can show: it would have to be "
        ),
        "{said}"
    );
}

#[test]
fn where_there_is_no_ratio_the_figures_are_there_all_the_same() {
    let nothing = Lane { empty_loop: 2e-9, ..lane(1e-9) };
    check_report(
        "%compare a() vs d()",
        raced(vec![lane(1e-6), nothing], vec![Some(true)]),
        "No ratio: `d()` takes no time that could be measured.\nThe results are equal.\nCode  Median     95 % interval  Runs\n------------------------------------\na()     1 µs  979 ns … 1.03 µs   100\nd()     0 ns          0 … 0 ns   100\n`d()`: An iteration takes 0 ns, an empty loop 2 ns: the compiler probably removed the code or worked it out beforehand. Use its result, and pass its inputs through black_box.\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    let fewer = Lane { blocks: vec![vec![(1000, 1e-3); 10]; 5], ..lane(1e-6) };
    check_report(
        "%compare a() vs e()",
        raced(vec![lane(1e-6), fewer], vec![]),
        "No ratio: what is compared was not measured in the same rounds.\nCode  Median     95 % interval  Runs\n------------------------------------\na()     1 µs  979 ns … 1.03 µs   100\ne()     1 µs  975 ns … 1.02 µs    50\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)",
    );
    check_report(
        "%compare a() vs f()",
        raced(vec![lane(1e-6)], vec![]),
        "Nothing was measured: it was interrupted before the first run was over.",
    );
}

#[test]
fn the_chart_shows_all_of_them() {
    let outcome = || raced(vec![lane(1e-6), lane(2e-6)], vec![Some(true)]);
    let report = |cell: &str| report(cell, outcome()).unwrap();
    assert_eq!(report("%compare a() vs b()").also.len(), 1);
    assert_eq!(report("%compare -q a() vs b()"), crate::magic::Report::default());
    let raw = report("%compare a() vs b()").shown.unwrap().metadata["assay"].clone();
    assert_eq!(raw["pairs"][0]["verdict"], "first is faster");
    assert_eq!(raw["lanes"][1]["label"], "b()");
}

/// What is not the cell's value is a statement, also where `?` and `.await` stand in it.
#[test]
fn it_stands_in_the_middle_of_a_cell() {
    let _: Measurement = measurement(vec![]);
    check(
        "%compare -o a() vs b()\nf()",
        "{ let meter = Meter::compare(0, Options::USUAL, 2); let (mut assay_first_0, mut assay_first_1) = (None, None); while turn { match assay_turn.lane() { 0 => meter.run_keeping(turn, &mut assay_first_0, || { a() }), _ => meter.run_keeping(turn, &mut assay_first_1, || { b() }), } } { use agree::*; meter.agrees((&&Both(&assay_first_0, &assay_first_1)).agree()); } meter.end_all() }; f()",
    );
}
