//! What is measured in a cell arrives as the magics read it.

use super::{Bench, Ended, Page, fine};
use crate::engine::Output;
use assay_link::native::{self, Told as What};
use assay_magics::measured::{Counted, Decided, Ending, Measured, Timed};

/// Everything that was told of measurements: the magic, what, and the JSON.
fn told(page: &Page) -> Vec<(u64, What, String)> {
    let shown = page.shown.borrow();
    let told = shown.iter().filter_map(|output| match output {
        Output::Measured(told) => Some((told.id, told.what, told.data.clone())),
        _ => None,
    });
    told.collect()
}

/// The only measurement of a cell that ends like this.
async fn measured(bench: &mut Bench, body: &str, ending: Ended) -> Measured {
    let page = Page::new([]);
    assert_eq!((bench.run(&page, body).await, page.stderr().as_str()), (ending, ""));
    match told(&page).as_slice() {
        [(7, What::Result, data)] => serde_json::from_str(data).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn meter(make: &str, turn: &str) -> String {
    format!(
        "use ::assay::measure::{{Claim, Inputs, Meter, Options}};
        let mut meter = {make};
        while let Some(turn) = meter.turn() {{ {turn} }}
        meter.end();"
    )
}

#[tokio::test]
async fn what_the_runtime_tells_is_what_magics_read() {
    let mut bench = Bench::new().await;
    let options = "Options { loops: 10, repeats: 3, ..Options::USUAL }";
    let plain = meter(&format!("Meter::new(7, {options})"), "meter.run(turn, || vec![1, 2, 3]);");
    let measured_ = measured(&mut bench, &plain, fine()).await;
    let [lane] = measured_.lanes.as_slice() else { panic!("{measured_:?}") };
    assert_eq!(lane.blocks.iter().flatten().map(|(loops, _)| *loops).collect::<Vec<_>>(), [10, 10, 10]);
    assert_eq!((lane.calls, lane.ending, lane.counted, lane.first), (30, Ending::Complete, None, None));
    assert!(lane.samples().is_ok() && lane.empty_loop > 0.0 && lane.clock_cost > 0.0);

    let short = "Options { budget: 0.05, ..Options::USUAL }";
    let counted = meter(&format!("Meter::new(7, {short})"), "meter.run(turn, || vec![1_u8, 2, 3]);");
    let lane = measured(&mut bench, &counted, fine()).await.lanes.remove(0);
    let one = (1, 3);
    assert!(
        matches!(lane.counted, Some(Counted { least, most, .. }) if least == one && most == one),
        "{lane:?}"
    );
    assert!(lane.first.is_some() && lane.calls > 10);

    let each = format!(
        "use ::assay::measure::{{Inputs, Meter, Options}};
        let (mut meter, mut inputs, mut made) = (Meter::new(7, {options}), Inputs::new(), 0);
        while let Some(turn) = meter.turn() {{
            meter.run_each(turn, &mut inputs, || {{ made += 1; String::from(\"x\") }}, |text| text + \"y\");
        }}
        assert_eq!((meter.end().calls, made), (30, 30));"
    );
    assert_eq!(measured(&mut bench, &each, fine()).await.lanes[0].calls, 30);

    let sweep = "use ::assay::measure::{Meter, Options};
        let mut meter = Meter::sweep(7, Options { memory: true, ..Options::USUAL }, &[4, 8]);
        while let Some(n) = meter.size() {
            while let Some(turn) = meter.turn() { meter.run(turn, || vec![0_u8; n]); }
        }
        meter.end();";
    let sizes = measured(&mut bench, sweep, fine()).await;
    let bytes: Vec<_> =
        sizes.lanes.iter().map(|lane| (lane.size, lane.counted.map(|counted| counted.most))).collect();
    assert_eq!(bytes, [(Some(4), Some((1, 4))), (Some(8), Some((1, 8)))]);
}

#[tokio::test]
async fn claims_end_the_cell_and_results_are_compared() {
    let mut bench = Bench::new().await;
    let claim = |claim: &str| {
        let options = format!("Options {{ claim: {claim}, ..Options::USUAL }}");
        meter(&format!("Meter::new(7, {options})"), "meter.run(turn, || vec![vec![1], vec![2]]);")
    };
    let holds = measured(&mut bench, &claim("Claim::Allocates { most: 3 }"), fine()).await;
    assert_eq!((holds.decision, holds.lanes[0].blocks.len()), (Some(Decided::Holds), 0));
    let refuted = || Ended::Done { ending: native::Ending::Refuted, kept: Vec::new(), value: None };
    let fails = measured(&mut bench, &claim("Claim::Allocates { most: 2 }"), refuted()).await;
    assert_eq!(fails.decision, Some(Decided::Fails));

    let compare = "use ::assay::measure::{Meter, Options, agree::*};
        let mut meter = Meter::compare(7, Options { loops: 5, repeats: 4, ..Options::USUAL }, 3);
        let (mut first, mut second, mut third) = (None, None, None);
        while let Some(turn) = meter.turn() {
            match turn.lane() {
                0 => meter.run_keeping(turn, &mut first, || 1 + 1),
                1 => meter.run_keeping(turn, &mut second, || 2),
                _ => meter.run_keeping(turn, &mut third, || \"2\"),
            }
        }
        meter.agrees((&&Both(&first, &second)).agree());
        meter.agrees((&&Both(&first, &third)).agree());
        meter.end_all();";
    let both = measured(&mut bench, compare, fine()).await;
    assert_eq!((both.lanes.len(), both.agree), (3, vec![Some(true), None]));
}

#[tokio::test]
async fn one_run_is_timed_however_it_ends() {
    let mut bench = Bench::new().await;
    let timed = async |bench: &mut Bench, body: &str| -> Timed {
        let page = Page::new([]);
        bench.run(&page, body).await;
        match told(&page).as_slice() {
            [(9, What::Time, data)] => serde_json::from_str(data).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let slept = "use ::assay::measure::time::{begin, ended};
        ended(begin(9), std::thread::sleep(std::time::Duration::from_millis(20)));";
    let slept = timed(&mut bench, slept).await;
    assert!(slept.finished && slept.wall >= 0.02 && slept.user + slept.system < slept.wall, "{slept:?}");
    let failed = timed(&mut bench, "::assay::measure::time::begin(9); \"x\".parse::<u8>()?;").await;
    assert!(!failed.finished, "{failed:?}");
}
