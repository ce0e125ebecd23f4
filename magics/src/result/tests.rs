//! What holds of every result: the html is what an untrusted page keeps, charts are small, the raw figures are there.

use crate::lines::trial::{Scene, allocates, words};
use crate::measured::{Counted, Decided, Lane, Measured, Timed};
use crate::outcome::{Built, Measurement, Outcome};
use crate::plan::Build;
use crate::profiled::{Heap, Profiled};
use crate::trial::{check_html, facts, lane, measurement, report};

/// One call of every magic that measures, with code and names that are no html, and what was measured.
fn results() -> Vec<(&'static str, Outcome)> {
    let counted = Some(Counted { iterations: 3, least: (1, 8), most: (2, 9000) });
    let lane = |seconds: f64| Lane { counted, first: Some(1.0), ..lane(seconds) };
    let all = |lanes: Vec<Lane>| Outcome::Measured(Box::new(measurement(lanes)));
    let claimed = |lanes: Vec<Lane>| {
        let mut measurement = measurement(lanes);
        measurement.measured.decision = Some(Decided::Holds);
        Outcome::Measured(Box::new(measurement))
    };
    let built = |level: &str| Built {
        build: Build { optimisation: Some(level.to_owned()), target_cpu: Some("native".to_owned()) },
        measured: Measured { lanes: vec![lane(1e-6)], ..Measured::default() },
        holding_code: vec!["<b>".to_owned()],
    };
    let builds = Measurement { builds: vec![built("0"), built("3")], ..measurement(vec![]) };
    let mut differ = measurement(vec![lane(1e-6), lane(2e-6), lane(3e-6)]);
    differ.measured.agree = vec![Some(false), None];
    let sweep = (0..8).map(|power| Lane { size: Some(16 << power), ..lane(1e-6 * f64::from(1 << power)) });
    let sweep: Vec<Lane> = sweep.collect();
    let timed = Timed { wall: 1.0, user: 0.5, system: 0.1, finished: false };
    let profiled = |profiled: Profiled| Outcome::Profiled(Box::new(profiled));
    let odd = Scene::new()
        .asked("f::<'a>", 1, "fn f<'a>(a: &'a str) {\n    \"<script>\" & a\n}")
        .samples("f::<'a>:2 <b>", 900)
        .site("f::<'a>:2 <b>", allocates(1, 1 << 40, 1 << 40));
    let used = Heap {
        allocations: 3,
        bytes: 1 << 20,
        peak: 1 << 20,
        live: 12,
        timeline: (0..3000_i64).map(|at| (at as f64 * 1e-3, (at * 7919) % 1000 * 1024)).collect(),
        ..odd.0.heaps[0].clone()
    };
    let used = Profiled { heaps: vec![used], ..odd.0.clone() };
    vec![
        ("%lprun -f f f(\"<b>\")", profiled(odd.0.clone())),
        ("%lprun -f count count()", profiled(words().0)),
        ("%mprun -f f f(\"<b>\")", profiled(odd.0)),
        ("%mprun -f count count()", profiled(words().0)),
        ("%memit let a = f(\"<b>\");", profiled(used)),
        ("%timeit --items 4 --each 'g()' f(\"<script>&'\")", all(vec![lane(1e-6)])),
        ("%timeit --save a f(x < y)", all(vec![lane(1e-6)])),
        ("%timeit --opt 0,3 f(x < y)", Outcome::Measured(Box::new(builds))),
        ("%time f(x < y)", Outcome::Timed { timed, facts: facts() }),
        ("%compare a(\"<svg>\") vs b(x > y) vs c", Outcome::Measured(Box::new(differ))),
        ("%%complexity n=1,2\nf(n < 3)", all(sweep.clone())),
        ("%%complexity --memory n=1,2\nf(n < 3)", all(sweep)),
        ("%assert_time f(\"<b>\") < 2ms", claimed(vec![lane(1e-6)])),
        ("%assert_faster a(\"<b>\") than b", claimed(vec![lane(1e-6), lane(2e-6)])),
        ("%assert_allocs f(\"<b>\") <= 3", claimed(vec![lane(1e-6)])),
    ]
}

#[test]
fn html_is_made_of_what_an_untrusted_page_keeps() {
    for (cell, outcome) in results() {
        let shown = report(cell, outcome).unwrap().shown.unwrap();
        check_html(shown.data["text/html"].as_str().unwrap());
    }
}

#[test]
fn text_is_complete_on_its_own() {
    for (cell, outcome) in results() {
        let shown = report(cell, outcome).unwrap().shown.unwrap();
        let html = shown.data["text/html"].as_str().unwrap();
        let figures = shown.plain().lines().count();
        assert!(figures >= 2 && html.contains("<p"), "{cell}: {}", shown.plain());
        let says = |text: &str| shown.plain().contains(text);
        assert!(says("Zen · rustc") || says("Wall time"), "{cell}: {}", shown.plain());
    }
}

#[test]
fn raw_figures_are_beside_it_and_charts_are_small() {
    for (cell, outcome) in results() {
        let report = report(cell, outcome).unwrap();
        let raw = &report.shown.unwrap().metadata["assay"];
        assert!(cell.contains(raw["kind"].as_str().unwrap()), "{cell}: {raw}");
        assert_eq!(raw["version"], 1);
        assert_eq!(raw["facts"]["processor"], "Zen");
        assert!(raw.to_string().len() < 20_000, "{cell}");
        for chart in report.also {
            let bytes: usize = chart.data.values().map(|content| content.as_str().unwrap().len()).sum();
            assert!(bytes < 100_000, "{cell}: {bytes}");
        }
    }
}
