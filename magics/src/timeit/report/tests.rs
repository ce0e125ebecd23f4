//! What `%timeit` says of measurements that were made by hand.

use crate::measured::{Counted, Ending, Facts, Lane, Measured};
use crate::outcome::{Built, Measurement, Outcome};
use crate::plan::Build;
use crate::trial::{facts, lane, measured, measurement, report, shown};

fn check(cell: &str, outcome: Outcome, expected: &str) {
    let text = shown(cell, outcome);
    let context = "\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)";
    let said = text.strip_suffix(context).unwrap_or(&text);
    assert_eq!(said, expected, "{cell:?}");
}

#[test]
fn the_line_is_ipythons_and_more_follows() {
    let counted = Some(Counted { iterations: 10, least: (3, 120), most: (3, 120) });
    check(
        "%timeit f()",
        measured(vec![Lane { counted, ..lane(1.23e-6) }]),
        "1.24 µs ± 3.53 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1.24 µs, 95 % interval 1.20 … 1.27 µs · min 1.23 µs\n3 allocations, 120 B per loop",
    );
    let counted = Some(Counted { iterations: 10, least: (0, 0), most: (2, 2048) });
    check(
        "%timeit -p 5 f()",
        measured(vec![Lane { counted, ..lane(1.23e-6) }]),
        "1.2355 µs ± 3.5329 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1.2355 µs, 95 % interval 1.2046 … 1.2664 µs · min 1.23 µs\n0 to 2 allocations, 0 B to 2 KiB per loop",
    );
    check(
        "%timeit -n 1 -r 1 f()",
        measured(vec![Lane { blocks: vec![vec![(1, 1.5)]], ..lane(1.0) }]),
        "1.5 s ± 0 ns per loop (mean ± std. dev. of 1 run, 1 loop each)\nmedian 1.5 s, 95 % interval 1.46 … 1.54 s · min 1.5 s\nThere is only 1 sample in 1 block, so the interval is rough. Without -r there are as many as it takes.",
    );
    let blocks = vec![vec![(1000, 1e-3), (2000, 2e-3), (1000, 1.1e-3)]; 5];
    check(
        "%timeit -c f()",
        measured(vec![Lane { blocks, ..lane(1.0) }]),
        "1.03 µs ± 47.1 ns per loop (mean ± std. dev. of 15 runs, 1,000 to 2,000 loops each)\nmedian 1 µs, 95 % interval 975 ns … 1.16 µs · min 1 µs\nThe figure is known to ±16 % only, where ±2.5 % are usual here. Measure again when the machine is idle.\nTimes are the processor's, of all threads together, not the wall's.",
    );
}

#[test]
fn throughput_and_threads_have_a_line() {
    check(
        "%timeit --items 1000 f()",
        measured(vec![lane(1e-6)]),
        "1 µs ± 2.87 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1 µs, 95 % interval 979 ns … 1.03 µs · min 1 µs\n996 M items/s",
    );
    check(
        "%timeit --bytes 4096 f()",
        measured(vec![lane(1e-6)]),
        "1 µs ± 2.87 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1 µs, 95 % interval 979 ns … 1.03 µs · min 1 µs\n4.08 GB/s",
    );
    let threads = vec![vec![(1000, 1.0e-3), (1000, 1.1e-3)], vec![(1000, 1.2e-3)]];
    check(
        "%timeit --threads 2 --items 10 f()",
        measured(vec![Lane { threads, ..lane(1.1e-6) }]),
        "1.1 µs ± 3.16 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1.1 µs, 95 % interval 1.08 … 1.13 µs · min 1.1 µs\n18.1 M items/s\n2 threads: 1.05 µs, 1.2 µs",
    );
    let threads = (1..=12).map(|thread| vec![(1000, 1e-3 * f64::from(thread))]).collect();
    check(
        "%timeit --threads 12 f()",
        measured(vec![Lane { threads, ..lane(1.1e-6) }]),
        "1.1 µs ± 3.16 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1.1 µs, 95 % interval 1.08 … 1.13 µs · min 1.1 µs\n12 threads: 1 … 12 µs",
    );
}

#[test]
fn what_makes_figures_doubtful_is_said() {
    let away = Lane { empty_loop: 1e-9, ..lane(1.001e-9) };
    check(
        "%timeit --items 5 f()",
        measured(vec![away]),
        "0.0055 ns ± 0.00287 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 0.0055 ns, 95 % interval 0.00431 … 0.00674 ns · min <0.001 ns\nAn iteration takes 0.0055 ns, an empty loop 1 ns: the compiler probably removed the code or worked it out beforehand. Use its result, and pass its inputs through black_box.",
    );
    check(
        "%timeit  f()",
        measured(vec![Lane { first: Some(1e-3), ending: Ending::Stopped, ..lane(1e-6) }]),
        "1 µs ± 2.87 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1 µs, 95 % interval 979 ns … 1.03 µs · min 1 µs\nPartial: it was interrupted, and these are the figures up to then.\nThe first run took 1 ms, 996 times the usual 1 µs: a result may be kept from run to run, or memory was touched for the first time. If every run is to begin afresh, prepare it anew (--each).",
    );
    check(
        "%timeit -r 4 f()",
        measured(vec![Lane { blocks: vec![vec![(10, 1e-3)]; 4], ..lane(1.0) }]),
        "100 µs ± 0 ns per loop (mean ± std. dev. of 4 runs, 10 loops each)\nmedian 100 µs, 95 % interval 97.5 … 102 µs · min 100 µs\nThere are only 4 samples in 4 blocks, so the interval is rough. Without -r there are as many as it takes.",
    );
    check(
        "%timeit --each 'f()' g()",
        measured(vec![lane(1e-6)]),
        "1 µs ± 2.87 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1 µs, 95 % interval 979 ns … 1.03 µs · min 1 µs\nNot timed: the setup of each loop, and dropping the result and what the setup made.",
    );
    let facts = Facts {
        optimisation: "0".into(),
        starts: 0,
        compile: 0.25,
        target_cpu: Some("native".into()),
        ..facts()
    };
    let outcome = Measurement { facts, ..measurement(vec![lane(1e-6)]) };
    check(
        "%timeit g()",
        Outcome::Measured(Box::new(outcome)),
        "1 µs ± 2.87 ns per loop (mean ± std. dev. of 100 runs, 1,000 loops each)\nmedian 1 µs, 95 % interval 979 ns … 1.03 µs · min 1 µs\nThe cell was compiled at opt-level 0, where a release build has 3: `:opt 3` changes it.\nCompiler time: 0.25 s\nZen · rustc 1.95.0 · opt-level 0 · target-cpu native · noise floor ±2.5 % (supposed)",
    );
    check(
        "%timeit h()",
        measured(vec![]),
        "Nothing was measured: it was interrupted before the first run was over.",
    );
    check(
        "%timeit i()",
        measured(vec![Lane::default()]),
        "Nothing was measured: it was interrupted before the first run was over.",
    );
}

#[test]
fn nothing_is_shown_when_it_is_to_be_quiet() {
    let report = report("%timeit -q --save a f()", measured(vec![lane(1e-6)])).unwrap();
    assert!(report.shown.is_none() && report.also.is_empty());
    assert_eq!(report.keep.unwrap().0, "a");
}

fn builds(rows: Vec<(&str, Lane, &str)>) -> Outcome {
    let built = |(level, lane, holding_code): (&str, Lane, &str)| Built {
        build: Build { optimisation: Some(level.to_owned()), target_cpu: None },
        measured: Measured { lanes: vec![lane], ..Measured::default() },
        holding_code: Some(holding_code.to_owned()).filter(|said| !said.is_empty()).into_iter().collect(),
    };
    let builds = rows.into_iter().map(built).collect();
    Outcome::Measured(Box::new(Measurement { builds, ..measurement(vec![]) }))
}

#[test]
fn several_builds_are_a_table() {
    let rows = vec![("0", lane(1e-5), "g"), ("3", lane(1e-6), "")];
    check(
        "%timeit --opt 0,3 f()",
        builds(rows),
        "f()\nBuild        Median     95 % interval  By the first  Runs\n---------------------------------------------------------\nopt-level 0   10 µs    9.79 … 10.3 µs            1×   100\nopt-level 3    1 µs  979 ns … 1.03 µs          0.1×   100\nopt-level 0: `g` holds code that was built when it was made, and is called as it is.\nZen · rustc 1.95.0 · noise floor ±2.5 % (4 starts)",
    );
    let rows = vec![("2", lane(1e-6), ""), ("3", Lane::default(), "")];
    check(
        "%timeit --opt 2,3 f()",
        builds(rows),
        "f()\nBuild              Median     95 % interval  By the first  Runs\n---------------------------------------------------------------\nopt-level 2          1 µs  979 ns … 1.03 µs            1×   100\nopt-level 3  not measured\nZen · rustc 1.95.0 · noise floor ±2.5 % (4 starts)",
    );
    let charts = |cell: &str, outcome| report(cell, outcome).unwrap().also.len();
    assert_eq!(charts("%timeit --opt 0,3 f()", builds(vec![("0", lane(1.0), ""), ("3", lane(2.0), "")])), 1);
    assert_eq!(charts("%timeit --opt 0 f()", builds(vec![("0", lane(1.0), "")])), 0);
}

/// What is kept of code that takes so many seconds.
fn kept(seconds: f64) -> String {
    report("%timeit --save before f()", measured(vec![lane(seconds)])).unwrap().keep.unwrap().1
}

fn against(seconds: f64, file: String) -> Outcome {
    Outcome::Measured(Box::new(Measurement { against: Some(file), ..measurement(vec![lane(seconds)]) }))
}

fn verdict(seconds: f64, file: String) -> String {
    let text = shown("%timeit --against before f()", against(seconds, file));
    text.lines().skip(2).take_while(|line| !line.starts_with("Zen")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_kept_result_is_compared_with_care() {
    let check = |cell: f64, file: String, expected: &str| {
        let said = verdict(cell, file);
        assert_eq!(said, expected, "{cell:?}");
    };
    check(
        1e-6,
        kept(1.8e-6),
        "1.8× faster than `before` (1.71–1.89); measured in two runs and not in turns, so the noise of both is allowed for.",
    );
    check(
        2e-6,
        kept(1.0e-6),
        "2× slower than `before` (1.9–2.1); measured in two runs and not in turns, so the noise of both is allowed for.",
    );
    check(
        1.04e-6,
        kept(1.0e-6),
        "No change to `before` that two runs on this machine can show (resolution ±9.3 %).",
    );
    let dated = kept(1.8e-6).replacen('{', "{\"date\": \"2026-10-01\",", 1);
    check(
        1.01e-6,
        dated,
        "1.78× faster than `before` of 2026-10-01 (1.70–1.87); measured in two runs and not in turns, so the noise of both is allowed for.",
    );
    let other =
        kept(1.8e-6).replace("Zen", "M1").replace("1.95.0", "1.80.0").replace("\"wall\"", "\"processor\"");
    check(
        1.02e-6,
        other,
        "1.76× faster than `before` (1.68–1.86); measured in two runs and not in turns, so the noise of both is allowed for.\n`before` was measured otherwise: the processor was M1 and is Zen. The difference may come from that.\n`before` was measured otherwise: the build was rustc 1.80.0 at opt-level 3 and is rustc 1.95.0 at opt-level 3. The difference may come from that.\n`before` was measured otherwise: the clock was processor and is wall. The difference may come from that.",
    );
}

#[test]
fn a_file_that_is_no_kept_result_is_pointed_at() {
    let check = |file: String, expected: &str| {
        let complaint = report("%timeit --against before f()", against(1e-6, file)).unwrap_err();
        assert_eq!(format!("{:?} {}", complaint.span, complaint.message), expected);
    };
    check(
        "{".into(),
        "18..24 `.assay/before.json` is no kept result: EOF while parsing an object at line 1 column 1",
    );
    check(
        "[]".into(),
        "18..24 `.assay/before.json` is no kept result: invalid length 0, expected struct Kind with 2 elements at line 1 column 2",
    );
    let newer = kept(1e-6).replace("\"version\": 1", "\"version\": 2");
    check(
        newer,
        "18..24 `.assay/before.json` was written by a newer Assay (its form is 2, this one reads 1)",
    );
    let other = kept(1e-6).replace("\"timing\"", "\"profile\"");
    check(other, "18..24 `.assay/before.json` is a kept result of another kind (`profile`)");
    let less = kept(1e-6).replace("\"blocks\"", "\"block\"");
    assert!(report("%timeit --against before f()", against(1e-6, less)).is_err());
}

#[test]
fn a_notebook_stays_small() {
    let many = Lane {
        blocks: (0..20)
            .map(|block| (0..200).map(|i| (10, 1e-6 + 1e-9 * f64::from(block * 7 + i))).collect())
            .collect(),
        ..lane(1e-6)
    };
    let report = report("%timeit --save a f()", measured(vec![many])).unwrap();
    let bundle = report.shown.unwrap();
    let raw = &bundle.metadata["assay"];
    assert_eq!(raw["samples"][0]["quantiles_of"], 4000);
    assert_eq!(raw["samples"][0]["seconds"].as_array().unwrap().len(), 300);
    assert_eq!([&raw["kind"], &raw["code"], &raw["facts"]["compiler"]], ["timeit", "f()", "rustc 1.95.0"]);
    assert!(raw.to_string().len() < 8_000, "{}", raw.to_string().len());
    assert!(report.keep.unwrap().1.len() < 16_000);
    let chart: usize = report.also[0].data.values().map(|content| content.as_str().unwrap().len()).sum();
    assert!(chart < 100_000, "{chart}");
}
