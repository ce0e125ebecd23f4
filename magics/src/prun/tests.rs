//! `%prun` on profiles that were made by hand.

mod files;
mod text;

use super::figures::{Figures, Inlined};
use super::order::{Chosen, Key, Limit};
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::profiled::{Calls, Frame, Function, Origin, Profiled, Run, Stack, Time};
use crate::trial::{complaint, facts, plan, report};

/// `name file:line`, and whose.
pub(super) fn function(name: &str, file: &str, line: Option<u32>, origin: Origin) -> Function {
    Function { name: name.to_owned(), file: file.to_owned(), line, origin }
}

/// A stack of the first thread, with `function:line` for each frame, and `!` behind an inlined one.
pub(super) fn stack(frames: &str, samples: u64) -> Stack {
    let frame = |text: &str| {
        let (function, line) = text.trim_end_matches('!').split_once(':').unwrap();
        Frame { function: function.parse().unwrap(), line: line.parse().ok(), inlined: text.ends_with('!') }
    };
    Stack { thread: 0, frames: frames.split_whitespace().map(frame).collect(), samples, complete: true }
}

/// A program that counts words: statements, a function, a closure, and a hash map that grows.
pub(super) fn words() -> Profiled {
    Profiled {
        facts: facts(),
        run: Run { wall: 1.02, user: 0.99, system: 0.01, ..Run::default() },
        time: Some(Time {
            period: 1e-3,
            threads: vec!["main".to_owned()],
            stacks: vec![
                stack("0:2 1:14 3:300 4:900 5:", 550),
                stack("0:2 1:14 3:300", 100),
                stack("0:2 1:13 2:13!", 250),
                stack("0:2 1:12", 95),
                stack("0:2", 5),
            ],
            spent: 0.006,
            runs: 1,
            wall_of_runs: 1.02,
            ..Time::default()
        }),
        calls: vec![
            Calls { function: 1, total: 1, primitive: Some(1), at_least: false },
            Calls { function: 2, total: 120_000, primitive: Some(120_000), at_least: false },
        ],
        functions: vec![
            function("<statements>", "cell[4]", Some(1), Origin::Cell),
            function("count_words", "cell[3]", Some(10), Origin::Cell),
            function("count_words::{closure#0}", "cell[3]", Some(13), Origin::Cell),
            function("HashMap::entry", "std/src/collections/hash/map.rs", Some(290), Origin::Standard),
            function("RawTable::reserve_rehash", "hashbrown/src/raw/mod.rs", Some(880), Origin::Standard),
            function("memcpy", "libc.so.6", None, Origin::System),
        ],
        ..Profiled::default()
    }
}

/// Recursion: `fib` calls itself, and so many calls of it lie within each other.
pub(super) fn fib(depths: &[usize]) -> Profiled {
    let deep = |depth: &usize| stack(&format!("0:1{}", " 1:2".repeat(*depth)), 100);
    Profiled {
        facts: facts(),
        run: Run { wall: 1.2, user: 1.2, ..Run::default() },
        time: Some(Time {
            period: 1e-3,
            threads: vec!["main".to_owned()],
            stacks: depths.iter().map(deep).collect(),
            runs: 10,
            processor_of_runs: 12.0,
            ..Time::default()
        }),
        calls: vec![Calls { function: 1, total: 242_785, primitive: Some(1), at_least: false }],
        functions: vec![
            function("<statements>", "cell[2]", Some(1), Origin::Cell),
            function("fib", "cell[1]", Some(1), Origin::Cell),
        ],
        ..Profiled::default()
    }
}

pub(super) fn outcome(profiled: Profiled) -> Outcome {
    Outcome::Profiled(Box::new(profiled))
}

#[test]
fn own_and_cumulative_time_are_counted_once_a_stack() {
    let profiled = words();
    let figures = Figures::of(&profiled);
    let shown: Vec<(u64, u64)> = figures.rows.iter().map(|row| (row.own, row.total)).collect();
    assert_eq!(shown, [(5, 1000), (95, 995), (250, 250), (100, 650), (0, 550), (550, 550)]);
    let lines: Vec<_> = figures
        .rows
        .iter()
        .map(|row| row.hottest.map(|line| (line.function, line.line, line.samples)))
        .collect();
    // The user's own line above what is called, whoever's that is.
    let in_count = Some((1, 14, 650));
    assert_eq!(lines[..4], [Some((0, 2, 1000)), in_count, Some((2, 13, 250)), in_count]);
    assert_eq!(lines[5], Some((1, 14, 550)));
    assert_eq!(figures.rows[2].inlined, Inlined::Everywhere);
    assert_eq!(figures.calls(), Some((120_001, Some(120_001), false)));

    let profiled = fib(&[1, 5, 27]);
    let figures = Figures::of(&profiled);
    let shown: Vec<(u64, u64)> = figures.rows.iter().map(|row| (row.own, row.total)).collect();
    assert_eq!(shown, [(0, 300), (300, 300)], "a recursion counts once");
}

#[test]
fn times_are_of_one_run_and_their_errors_are_binomial() {
    let profiled = fib(&[1, 5, 27]);
    let figures = Figures::of(&profiled);
    assert!((figures.seconds_of_run() - 0.03).abs() < 1e-12);
    let profiled = words();
    let figures = Figures::of(&profiled);
    let check = |samples: u64, value: f64, error: f64| {
        let estimate = figures.seconds(samples);
        let close = |one: f64, other: f64| (one - other).abs() < 1e-4;
        assert!(close(estimate.value, value) && close(estimate.error, error), "{samples}: {estimate:?}");
    };
    check(0, 0.0, 0.0028);
    check(250, 0.25, 1.96 * (0.25_f64 * 0.75 / 1000.0).sqrt());
    check(1000, 1.0, 0.0028);
}

#[test]
fn calls_alone_are_a_profile_too() {
    let profiled = Profiled { time: None, ..fib(&[]) };
    let figures = Figures::of(&profiled);
    assert_eq!((figures.samples, figures.rows.len(), figures.runs()), (0, 1, 1));
    assert_eq!(figures.seconds_of_run(), 1.2);
}

/// The names of the rows that these options show.
fn names(profiled: &Profiled, keys: &[&str], limits: &[&str], all: bool) -> String {
    let figures = Figures::of(profiled);
    let keys: Vec<Key> = keys.iter().map(|key| Key::named(key).unwrap()).collect();
    let limits: Vec<Limit> = limits.iter().map(|limit| Limit::read(limit).unwrap()).collect();
    let chosen = Chosen::of(&figures, &keys, &limits, all);
    chosen.rows.iter().map(|row| figures.function(row).name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn rows_are_sorted_as_in_pstats() {
    let check = |keys: &[&str], expected: &str| {
        assert_eq!(names(&words(), keys, &[], false), expected, "{keys:?}");
    };
    let by_time = "memcpy count_words::{closure#0} HashMap::entry count_words <statements>";
    check(&[], by_time);
    check(&["time"], by_time);
    check(&["tott"], by_time);
    let by_cumulative = "<statements> count_words HashMap::entry memcpy count_words::{closure#0}";
    check(&["cumulative"], by_cumulative);
    check(&["cum"], by_cumulative);
    let by_calls = "count_words::{closure#0} count_words memcpy HashMap::entry <statements>";
    check(&["calls"], by_calls);
    check(&["ncalls"], by_calls);
    check(&["pcalls"], by_calls);
    check(&["name"], "<statements> HashMap::entry count_words count_words::{closure#0} memcpy");
    check(&["nfl"], "<statements> HashMap::entry count_words count_words::{closure#0} memcpy");
    check(&["file", "line"], "count_words count_words::{closure#0} <statements> memcpy HashMap::entry");
    check(&["module"], "count_words::{closure#0} count_words <statements> memcpy HashMap::entry");
    check(&["line"], "memcpy <statements> count_words count_words::{closure#0} HashMap::entry");
    check(&["stdname"], "count_words count_words::{closure#0} <statements> memcpy HashMap::entry");
}

#[test]
fn limits_apply_in_order() {
    let check = |limits: &[&str], all: bool, expected: &str| {
        assert_eq!(names(&words(), &[], limits, all), expected, "{limits:?}");
    };
    check(&["2"], false, "memcpy count_words::{closure#0}");
    check(&["0.5"], false, "memcpy count_words::{closure#0} HashMap::entry");
    check(&["1.0"], false, "memcpy count_words::{closure#0} HashMap::entry count_words <statements>");
    check(&["cell", "1"], false, "count_words::{closure#0}");
    check(&["3", "cell"], false, "count_words::{closure#0}");
    check(&["^hashbrown"], false, "RawTable::reserve_rehash");
    check(&["nowhere"], false, "");
    check(
        &[],
        true,
        "memcpy count_words::{closure#0} HashMap::entry count_words <statements> RawTable::reserve_rehash",
    );
}

#[test]
fn bad_options_are_pointed_at() {
    let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
    check(
        "%prun -l 1.5 f()",
        "9..12 `1.5` is no value for `-l LIMIT`: a part of the lines is between 0 and 1, a number of lines is a whole one",
    );
    check(
        "%prun -l -3 f()",
        "9..11 `-3` is no value for `-l LIMIT`: a part of the lines is between 0 and 1, a number of lines is a whole one",
    );
    check(
        "%prun -l 5 -l 'f(' f()",
        "14..18 `f(` is no value for `-l LIMIT`: it is no number and no pattern (unclosed group); a backslash before a sign makes it an ordinary one",
    );
    check("%prun -s c f()", "9..10 `c` is no value for `-s KEY`: it may be calls, cumtime, cumulative");
    check(
        "%prun -s tme f()",
        "9..12 `tme` is no value for `-s KEY`: it is one of calls, cumtime, cumulative, file, filename, line, module, name, ncalls, nfl, pcalls, stdname, time, tottime; did you mean time?",
    );
    check("%prun -D p.prof f()", "9..15 the name of `p.prof` does not say in which form it is to be");
    check("%prun -D p.json.gz f()", "9..18 the name of `p.json.gz` does not say in which form it is to be");
    check("%prun --format svg -D p f()", "15..18 `svg` is no value for `--format FORMAT`");
    check(
        "%prun --save a/b f()",
        "13..16 `a/b` is no value for `--save NAME`: it is made of letters, digits, `_`, `.` and `-`, and begins with no `.`",
    );
    check("%prun -x f()", "6..8 `%prun` has no option `-x`");
    check("%prun -T", "6..8 `-T FILE` needs a value");
    check("%prun f(", "7..8 this is no Rust: a bracket or a comment is not closed");
    check("%%prun\n// nothing", "0..6 there is nothing to profile below the first line");
    check("let p = %prun f();", "8..13 `%prun` gives no value that a variable could hold");
    check("if a {\n%prun f()\n}", "7..12 `%prun` stands inside braces");
}

#[test]
fn what_is_asked_is_planned() {
    let step = |cell: &str| match plan(cell).unwrap() {
        Plan::Profile(step) => *step,
        other => panic!("{cell} is {other:?}"),
    };
    let usual = step("%prun f()");
    assert!(usual.ask.time && usual.ask.counts && !usual.ask.wall && usual.ask.heap.is_none());
    assert!(usual.again.is_some());
    assert_eq!((usual.against, usual.result), (None, None));
    assert!(step("%prun --wall f()").ask.wall);
    assert_eq!(step("%prun --diff before f()").against.as_deref(), Some("before"));
    assert_eq!(step("%prun -r f()").result.as_deref(), Some(""));
    assert_eq!(step("let p = %prun -r f();").result.as_deref(), Some("let p ="));
    assert_eq!(plan("%prun"), Ok(Plan::Nothing));
    assert_eq!(plan("%prun -l 5"), Ok(Plan::Nothing));
}

#[test]
fn a_value_is_an_expression() {
    let made = report("%prun -r -q fib(25)", outcome(fib(&[3]))).unwrap();
    assert_eq!((made.shown, made.also.len()), (None, 0));
    let value = made.value.unwrap();
    syn::parse_str::<syn::Expr>(&value).unwrap();
    let parts = [
        "ProfileResult { code: ::std::string::String::from(\"fib(25)\"), total_calls: ::core::option::Option::Some(242785), ",
        "total_tt: 0.01, ",
        "name: ::std::string::String::from(\"fib\"), ",
        "tottime: 0.01, ",
        "hottest_line: ::core::option::Option::Some(2)",
    ];
    parts.iter().for_each(|part| assert!(value.contains(part), "{part} is not in {value}"));
}
