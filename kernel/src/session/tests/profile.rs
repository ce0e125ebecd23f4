//! Code that is watched: what the session does with what the engine found out.

use super::{Recorder, Stand, request, shown};
use crate::session::perform::Context;
use assay_magics::cell::Prepared;
use assay_magics::magic::{Call, Complaint, Form, Magic, Report};
use assay_magics::outcome::Outcome;
use assay_magics::plan::{CodeStep, Plan, ProfileStep};
use assay_magics::profiled::FileToWrite;
use assay_magics::render::Bundle;
use std::path::PathBuf;
use std::sync::Arc;

/// A profiler whose report is what it was told.
struct Probe;

impl Magic for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "tell what was found out"
    }

    fn options(&self) -> clap::Command {
        clap::Command::new("probe")
    }

    fn example(&self) -> &'static str {
        "%probe f()"
    }

    fn plan(&self, _: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Nothing)
    }

    /// The rest of the line names files to write.
    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Profiled(profiled) = outcome else { panic!("{outcome:?}") };
        let against = profiled.against.as_deref().unwrap_or("nothing");
        let text = format!("{:?} at O{} against {against}", profiled.run.ending, profiled.facts.optimisation);
        let file = |name: &str| FileToWrite {
            path: PathBuf::from(name),
            content: "all of it".to_owned(),
            said: format!("saved to `{name}`"),
        };
        Ok(Report {
            shown: Some(Bundle::text(text)),
            also: vec![Bundle::text("a chart")],
            keep: Some(("kept".to_owned(), "{}".to_owned())),
            files: call.rest.split_whitespace().map(file).collect(),
            value: Some("the_result()".to_owned()),
            ..Report::default()
        })
    }
}

/// Runs `%probe` over the text behind it as a step of its own: what is shown.
async fn probe(stand: &Stand, step: ProfileStep, files: &str, code: &str, on_page: bool) -> Vec<String> {
    let text = format!("%probe {code}");
    let span = 7..text.len();
    let call = Call {
        matches: clap::Command::new("probe").get_matches_from(["probe"]),
        rest: files.to_owned(),
        rest_span: span.clone(),
        body: None,
        body_span: 0..0,
        name_span: 0..6,
        assigned: None,
        given: Vec::new(),
    };
    let once = CodeStep { kept: vec![span], ..CodeStep::default() };
    let step = ProfileStep { once, ..step };
    let plan = Plan::Profile(Box::new(step.clone()));
    let prepared = Prepared { magic: &Probe, call, plan };
    let front = Arc::new(Recorder::default());
    stand.session.stage.enter(front.clone());
    let (count, number) = stand.session.begin(&request(&text));
    let context = Context { number, count, on_page };
    let stopped = stand.session.stop.watch();
    let ran = stand.session.profile(&text, step, prepared, &context, &stopped).await;
    let mut events: Vec<String> = front.events.lock().unwrap().iter().map(shown).collect();
    events.push(match ran {
        Ok(value) => format!("value {:?}", value.as_ref().map(Bundle::plain)),
        Err(report) => format!("{}: {}", report.name, report.value),
    });
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_found_out_is_shown_kept_and_written() {
    let stand = Stand::new();
    let shown = probe(&stand, ProfileStep::default(), "a.txt b.txt", "print x;", true).await;
    let expected = [
        "Stdout x",
        "display %probe: counting, in a copy of the process …",
        "update %probe: looking up names and lines …",
        "update Finished at O3 against nothing",
        "display a chart",
        "Stdout saved to `a.txt`\n",
        "Stdout saved to `b.txt`\n",
        "value None",
    ];
    assert_eq!(shown, expected);
    let read = |name: &str| std::fs::read_to_string(stand.folder.path().join(name)).unwrap();
    assert_eq!((read("a.txt"), read("b.txt")), ("all of it".to_owned(), "all of it".to_owned()));
    // A later one is compared with what was kept.
    assert_eq!(read(".assay/kept.json"), "{}");
    let later = ProfileStep { against: Some("kept".to_owned()), ..ProfileStep::default() };
    let shown = probe(&stand, later, "", "1", false).await;
    assert_eq!(shown, ["display Finished at O3 against {}", "display a chart", "value None"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_runs_when_something_that_is_named_is_not_there() {
    let stand = Stand::new();
    let step = ProfileStep { against: Some("never".to_owned()), ..ProfileStep::default() };
    let shown = probe(&stand, step, "", "print x", true).await;
    assert!(matches!(shown.as_slice(), [only] if only.contains("never.json cannot be read")), "{shown:?}");
    let names =
        |name: &str| ProfileStep { functions: vec![(name.to_owned(), 8..9)], ..ProfileStep::default() };
    let shown = probe(&stand, names("fibb"), "", "print x", true).await;
    assert_eq!(shown, ["MagicError: there is no function `fibb`"]);
    assert!(stand.engine.ran.lock().unwrap().is_empty());
    let shown = probe(&stand, names("step"), "", "print x", true).await;
    assert_eq!(shown.first().unwrap(), "Stdout x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_failure_stands_below_what_was_seen_and_does_not_hide_it() {
    let stand = Stand::new();
    let shown = probe(&stand, ProfileStep::default(), "", "panic", true).await;
    let expected = ["display Failed at O3 against nothing", "display a chart", "Panic: on purpose"];
    assert_eq!(shown, expected);
    let shown = probe(&stand, ProfileStep::default(), "", "fail", true).await;
    assert!(matches!(shown.as_slice(), [only] if only.starts_with("E0001: bad")), "{shown:?}");
    let shown = probe(&stand, ProfileStep::default(), "", "nothing", true).await;
    assert_eq!(shown, ["MagicError: nothing of it was watched: it ended before it began"]);
    // Nothing is lost when a file cannot be written.
    let shown = probe(&stand, ProfileStep::default(), "none/a.txt b.txt", "1", false).await;
    assert_eq!(
        shown[..3],
        ["display Finished at O3 against nothing", "display a chart", "Stdout saved to `b.txt`\n"]
    );
    assert!(
        shown[3].starts_with("MagicError: cannot write ") && shown[3].contains("none/a.txt"),
        "{shown:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_result_becomes_a_value_or_a_variable() {
    let stand = Stand::new();
    let value = ProfileStep { result: Some(String::new()), ..ProfileStep::default() };
    let shown = probe(&stand, value, "", "1", false).await;
    assert_eq!(shown.last().unwrap(), "value Some(\"the_result()\")");
    let variable = ProfileStep { result: Some("let mut r =".to_owned()), ..ProfileStep::default() };
    let shown = probe(&stand, variable.clone(), "", "1", false).await;
    assert_eq!(shown.last().unwrap(), "value None");
    let last = || stand.engine.ran.lock().unwrap().last().unwrap().source.clone();
    assert_eq!(last(), "let mut r = the_result();");
    // A failed run has none.
    probe(&stand, variable, "", "panic", false).await;
    assert!(last().contains("panic"));
}
