//! What `%timeit` makes of a call.

use crate::magic::Report;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::trial::{complaint, expanded, plan, report, shortened};

fn check(cell: &str, expected: &str) {
    assert_eq!(shortened(cell), expected, "{cell:?}");
}

/// To the letter, once: the crate `assay` is on the other side.
#[test]
fn the_text_is_the_runtimes() {
    let expected = "{ let mut assay_meter = ::assay::measure::Meter::new(0, ::assay::measure::Options { loops: 1000, \
        ..::assay::measure::Options::USUAL }); \
        while let ::core::option::Option::Some(assay_turn) = assay_meter.turn() { \
        assay_meter.try_run(assay_turn, || ::core::result::Result::Ok({ f(::core::hint::black_box(1))? }))?; } \
        assay_meter.end(); }";
    assert_eq!(expanded("%timeit -n 1000 f(1)?"), expected);
}

#[test]
fn a_line_is_timed_where_it_stands() {
    check(
        "%timeit f()",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end(); }",
    );
    check(
        "%timeit -n 10 -r 3 -cq --budget 500ms f();",
        "{ let meter = Meter::new(0, Options { loops: 10, repeats: 3, budget: 0.5, cpu: true, silent: true, ..Options::USUAL }); while turn { meter.run(turn, || { f() }); } meter.end(); }",
    );
    check(
        "%timeit fib(20) + g(a, -1).h(2)",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { fib(black_box(20)) + g(a, black_box(-1)).h(2) }); } meter.end(); }",
    );
    check(
        "%timeit let a = 1; f(a)",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { let a = 1; f(a) }); } meter.end(); }",
    );
    check(
        "%timeit f()?",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.try_run(turn, || Ok({ f()? }))?; } meter.end(); }",
    );
    check(
        "%timeit f().await",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run_async(turn, async || { f().await }).await; } meter.end(); }",
    );
    check(
        "%timeit f().await?",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.try_run_async(turn, async || Ok({ f().await? })).await?; } meter.end(); }",
    );
    check(
        "%timeit -n1000 -r7 -- -x",
        "{ let meter = Meter::new(0, Options { loops: 1000, repeats: 7, ..Options::USUAL }); while turn { meter.run(turn, || { -x }); } meter.end(); }",
    );
    check("%timeit --threads 4 f()", "{ on_threads(0, Options::USUAL, 4, &|| { f() }); }");
    check(
        "%timeit f(a, \\\n  b) // why",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f(a, b) }); } meter.end(); }",
    );
}

#[test]
fn the_result_is_a_value_or_has_a_name() {
    check(
        "%timeit -o f()",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() }",
    );
    check(
        "%timeit -o f();",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() };",
    );
    check(
        "let r = %timeit -o f();",
        "let r = { let meter = Meter::new(8, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() };",
    );
    check(
        "%timeit -o f()\ng()",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() }; g()",
    );
    check(
        "for x in y {\n    %timeit -o f()\n}",
        "for x in y { { let meter = Meter::new(17, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() }; }",
    );
    check(
        "%timeit -v r f()",
        "let r = { let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() };",
    );
    check(
        "%%timeit -o\nf()",
        "{ let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { f() }); } meter.end() }",
    );
    check("%timeit -o --threads 2 f()", "{ on_threads(0, Options::USUAL, 2, &|| { f() }) }");
}

#[test]
fn a_cell_has_a_setup() {
    check(
        "%%timeit let v = g(1); // why\nlet w = v;\nw.f() // end",
        "{ let v = g(1); let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { let w = v; w.f() }); } meter.end(); }",
    );
    check(
        "%%timeit f()\ng();",
        "{ f(); let meter = Meter::new(0, Options::USUAL); while turn { meter.run(turn, || { g() }); } meter.end(); }",
    );
    check(
        "%%timeit --threads 2 let v = 1 // without its semicolon\ng(v)",
        "{ let v = 1; on_threads(0, Options::USUAL, 2, &|| { g(v) }); }",
    );
}

#[test]
fn each_loop_has_a_setup_of_its_own() {
    check(
        "%timeit --each 'let mut w = v.clone();' w.sort()",
        "{ let meter = Meter::new(0, Options::USUAL); let mut assay_inputs = Inputs::new(); while turn { meter.run_each(turn, &mut assay_inputs, || { #[allow(unused_mut)] let mut w = v.clone(); (w,) }, |(mut w,)| { let assay_result = { w.sort() }; (assay_result, w,) }); } meter.end(); }",
    );
    check(
        "%timeit --each \"let (mut a, b) = f(); g()\" a.h(b)?",
        "{ let meter = Meter::new(0, Options::USUAL); let mut assay_inputs = Inputs::new(); while turn { meter.try_run_each(turn, &mut assay_inputs, || { #[allow(unused_mut)] let (mut a, b) = f(); g(); (a, b,) }, |(mut a, b,)| { let assay_result = { a.h(b)? }; Ok((assay_result, a, b,)) })?; } meter.end(); }",
    );
    check(
        "%timeit --each 'f()' g()",
        "{ let meter = Meter::new(0, Options::USUAL); let mut assay_inputs = Inputs::new(); while turn { meter.run_each(turn, &mut assay_inputs, || { f(); () }, |()| { let assay_result = { g() }; (assay_result,) }); } meter.end(); }",
    );
    check(
        "%timeit --each 'let c = \\'c\\';' g(c)",
        "{ let meter = Meter::new(0, Options::USUAL); let mut assay_inputs = Inputs::new(); while turn { meter.run_each(turn, &mut assay_inputs, || { let c = 'c'; (c,) }, |(c,)| { let assay_result = { g(c) }; (assay_result, c,) }); } meter.end(); }",
    );
    check(
        "%%timeit --each 'let mut w = v.clone()' let v = f();\nw.sort();\nw",
        "{ let v = f(); let meter = Meter::new(0, Options::USUAL); let mut assay_inputs = Inputs::new(); while turn { meter.run_each(turn, &mut assay_inputs, || { let mut w = v.clone(); (w,) }, |(mut w,)| { let assay_result = { w.sort(); w }; (assay_result, w,) }); } meter.end(); }",
    );
}

#[test]
fn what_is_wrong_is_pointed_at() {
    assert_eq!(complaint("%timeit -n x f()"), "11..12 `x` is no value for `-n N`: it is a whole number");
    let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
    check("%timeit -n", "8..10 `-n N` needs a value");
    check("%timeit -z f()", "8..10 `%timeit` has no option `-z`");
    check(
        "%timeit --budget soon f()",
        "17..21 `soon` is no value for `--budget TIME`: it is a duration above zero and up to a day, such as 500ms or 2s",
    );
    check(
        "%timeit --budget 0s f()",
        "17..19 `0s` is no value for `--budget TIME`: it is a duration above zero and up to a day, such as 500ms or 2s",
    );
    check("%timeit --opt 9 f()", "14..15 `9` is no value for `--opt LEVEL`");
    check("%timeit --opt 2 -o f()", "16..18 `--opt` and `-o` exclude each other");
    check("%timeit --opt 2 --save a f()", "23..24 `--opt` and `--save` exclude each other");
    check("let r = %timeit --opt 2 f();", "8..15 `%timeit` gives no value that a variable could hold");
    check("let r = %timeit f();", "8..15 `%timeit` gives no value that a variable could hold");
    check(
        "%timeit -v 1x f()",
        "11..13 `1x` is no value for `-v NAME`: it is no name that a variable can have",
    );
    check(
        "%timeit -v fn f()",
        "11..13 `fn` is no value for `-v NAME`: it is no name that a variable can have",
    );
    check("%timeit -o -v a f()", "14..15 `-o` and `-v` exclude each other");
    check(
        "%timeit --save ../a f()",
        "15..19 `../a` is no value for `--save NAME`: it is made of letters, digits, `_`, `.` and `-`, and begins with no `.`",
    );
    check(
        "%timeit --against .a f()",
        "18..20 `.a` is no value for `--against NAME`: it is made of letters, digits, `_`, `.` and `-`, and begins with no `.`",
    );
    check("%timeit --items 0 f()", "16..17 `0` is no value for `--items N`: it is a whole number from 1 on");
    check("%timeit --items 1 --bytes 2 f()", "26..27 `--items` and `--bytes` exclude each other");
    check(
        "%timeit --threads 0 f()",
        "18..19 `0` is no value for `--threads N`: it is a whole number from 1 to 1024",
    );
    check("%timeit --threads 2 --each 'f()' f()", "27..32 `--threads` and `--each` exclude each other");
    check("%timeit --threads 2 f().await", "18..19 code with `.await` cannot be timed with `--threads`");
    check("%timeit --threads 2 f()?", "18..19 code with `?` cannot be timed with `--threads`");
    check("%timeit --each 'f()' f().await", "16..19 code with `.await` cannot be timed with `--each`");
    check("%timeit --each 'f()?' g()", "16..20 the setup of `--each` cannot hold `?`");
    check("%timeit --each '' g()", "0..7 the setup of `--each` is empty");
    check(
        "%timeit --each 'let' g()",
        "18..19 this is no Rust: unexpected end of input, expected one of: identifier, `::`, `<`, `_`, literal, `const`, `ref`, `mut`, `&`, parentheses, square brackets, `..`, `const`",
    );
    check("%timeit --each 'f(\\'a)' g()", "16..22 this is no Rust: expected `:`");
    check("%timeit f(", "9..10 this is no Rust: a bracket or a comment is not closed");
    check("%timeit a b", "10..11 this is no Rust: unexpected token, expected `;`");
    check("%%timeit f()", "0..8 there is nothing to time below the first line");
    check("%%timeit\n// nothing\n", "0..8 there is nothing to time below the first line");
    check("%%timeit\nf();\n%who", "14..15 this is no Rust: expected an expression");
    check("for x in y {\n%timeit --opt 2 f()\n}", "13..20 `%timeit` stands inside braces");
}

#[test]
fn what_is_built_apart_is_a_step_of_its_own() {
    let builds = |cell: &str| match plan(cell) {
        Ok(Plan::Code(step)) => step.builds.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        other => panic!("{other:?}"),
    };
    assert_eq!(builds("%timeit f()"), "");
    assert_eq!(builds("%timeit --opt 0 --opt 3 f()"), "opt-level 0; opt-level 3");
    assert_eq!(
        builds("%timeit --opt 2,s --target-cpu native --target-cpu x86-64-v3 f()"),
        "opt-level 2, target-cpu native; opt-level 2, target-cpu x86-64-v3; \
         opt-level s, target-cpu native; opt-level s, target-cpu x86-64-v3"
    );
    assert_eq!(builds("%timeit --opt 2,2 f()"), "opt-level 2");
}

#[test]
fn an_earlier_result_is_asked_for_by_its_name() {
    let against = |cell: &str| match plan(cell) {
        Ok(Plan::Code(step)) => step.against,
        other => panic!("{other:?}"),
    };
    assert_eq!(against("%timeit --against before f()"), Some("before".to_owned()));
    assert_eq!(against("%timeit --save before f()"), None);
}

#[test]
fn a_line_without_code_does_nothing() {
    for cell in ["%timeit", "%timeit // f()", "%timeit -n 10"] {
        assert_eq!(plan(cell), Ok(Plan::Nothing), "{cell}");
        assert_eq!(report(cell, Outcome::Done), Ok(Report::default()), "{cell}");
    }
}

/// Whatever is combined, what comes out is Rust (`expanded` parses it) or one complaint.
#[test]
fn every_combination_of_options_is_rust() {
    let bodies =
        ["f(1)", "f(1)?;", "f().await?", "let a = f(2); a", "fn g() {}\ng(\"//\")", "'a: loop { break 'a }"];
    let firsts = ["", "-n 10 -r 7 -p 4 -t", "-cq --budget 2s --items 3", "--save a --against b"];
    let seconds =
        ["", "-o", "-v r", "--threads 3", "--each 'let (mut a, b) = g()'", "-v r --each \"h(\\\"x\\\")\""];
    let mut planned = 0;
    for (body, options) in bodies.iter().flat_map(|body| {
        firsts.iter().flat_map(move |first| seconds.map(|second| (*body, format!("{first} {second}"))))
    }) {
        let line = format!("%timeit {options} {}", body.replace('\n', " "));
        let cells = [
            line.clone(),
            format!("{line}\nafter()"),
            format!("%%timeit {options} let s = 1\n{body} // why"),
        ];
        for cell in cells.iter().filter(|cell| plan(cell).is_ok()) {
            expanded(cell);
            planned += 1;
        }
    }
    assert!(planned > 300, "{planned}");
}
