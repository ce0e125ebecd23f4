//! `%time`: what one run of code takes.

use crate::expansion::{Expansion, id};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::measured::{Facts, Timed};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{CodeStep, Plan};
use crate::render::{Side, Table};
use crate::result::{Page, context, raw};
use crate::rust::{self, Snippet};
use crate::units::duration;
use clap::Command;
use serde_json::json;

/// `%time CODE`, `%%time`.
#[derive(Debug)]
pub(crate) struct Time;

impl Magic for Time {
    fn name(&self) -> &'static str {
        "time"
    }

    fn form(&self) -> Form {
        Form::LineAndCell
    }

    fn summary(&self) -> &'static str {
        "run code once and tell how long it took, compiling apart"
    }

    fn options(&self) -> Command {
        command().arg(rest("CODE", "what is timed; its value stays the value, its variables stay variables"))
    }

    fn example(&self) -> &'static str {
        "%time (1..=1_000_000u64).filter(|n| n % 3 == 0).sum::<u64>()"
    }

    fn wants(&self) -> Wants {
        Wants::Rust
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let step = match call.body {
            Some(_) => cell(call),
            None => line(call),
        };
        let step = step.map_err(|complaint| complaint.with_usage(self))?;
        Ok(step.map_or(Plan::Nothing, Plan::Code))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Timed { timed, facts } => Ok(shown(&timed, &facts)),
            // A line without code.
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// None if there is no code.
fn line(call: &Call) -> Result<Option<CodeStep>, Complaint> {
    let Some(code) = rust::argument(call)? else { return Ok(None) };
    let begin = begin(call);
    let mut expansion = Expansion::default();
    let computes = code.tail.as_ref().is_some_and(|tail| !tail.is_place) || call.assigned.is_some();
    if code.single && !code.ended && computes {
        expansion.insert(code.span.start, format!("::assay::measure::time::ended({begin}, "));
        expansion.keep(&code);
        expansion.insert(code.span.end, ")");
        return Ok(Some(expansion.finish(true)));
    }
    expansion.insert(code.span.start, format!("{begin}; "));
    let has_value = keep_and_end(&code, &mut expansion);
    // What is assigned is one expression, or there is nothing to assign.
    Ok(Some(expansion.finish(has_value && call.assigned.is_none())))
}

fn cell(call: &Call) -> Result<Option<CodeStep>, Complaint> {
    if !call.rest.is_empty() {
        return Err(Complaint::new("`%%time` takes nothing on its own line", call.rest_span.clone())
            .with_hint("the code stands below it; `%time` times a line"));
    }
    let code = rust::body(call)?.ok_or_else(|| {
        Complaint::new("there is nothing to time below the first line", call.name_span.clone())
    })?;
    let mut expansion = Expansion::default();
    expansion.insert(code.span.start, format!("{}; ", begin(call)));
    let has_value = keep_and_end(&code, &mut expansion);
    Ok(Some(expansion.finish(has_value)))
}

fn begin(call: &Call) -> String {
    format!("::assay::measure::time::begin({})", id(call))
}

/// Keeps the code and stops the clock: around the expression at its end, which is the value, or before it where a function around it would move a
/// variable, or behind everything. Whether there is a value.
fn keep_and_end(code: &Snippet, expansion: &mut Expansion) -> bool {
    const END: &str = "::assay::measure::time::end();";
    expansion.keep(code);
    match &code.tail {
        Some(tail) if tail.is_place => expansion.insert(tail.span.start, format!("{END} ")),
        Some(tail) => {
            expansion.insert(tail.span.start, "::assay::measure::time::ended((), ");
            expansion.insert(tail.span.end, ")");
        }
        None => {
            let semicolon = if code.needs_semicolon { ";" } else { "" };
            expansion.insert(code.span.end, format!("{semicolon} {END}"));
        }
    }
    code.tail.is_some()
}

fn shown(timed: &Timed, facts: &Facts) -> Report {
    let total = timed.user + timed.system;
    let mut table = Table::new([("Time", Side::Left), ("One run", Side::Right)]);
    let figures = [
        ("CPU time, user", timed.user),
        ("CPU time, system", timed.system),
        ("CPU time, total", total),
        ("Wall time", timed.wall),
        ("Compiler", facts.compile),
    ];
    for (name, seconds) in figures {
        table.row([name.to_owned(), duration(seconds)]);
    }
    let lines = [
        format!(
            "CPU times: user {}, sys: {}, total: {}",
            duration(timed.user),
            duration(timed.system),
            duration(total)
        ),
        format!("Wall time: {}", duration(timed.wall)),
        format!("Compiler: {:.2} s", facts.compile),
    ];
    let unfinished = (!timed.finished)
        .then(|| "It did not end by itself: a panic, a `?` or an interrupt ended it, and these are the times up to then.".to_owned());
    let page = Page::default().table_or_lines(&table, lines);
    let page = page.doubts(unfinished.into_iter().chain(context::doubts(facts)));
    let raw = json!({
        "wall": raw::number(timed.wall),
        "user": raw::number(timed.user),
        "system": raw::number(timed.system),
        "finished": timed.finished,
    });
    Report::shown(page.bundle(raw::result("time", raw, facts)))
}

#[cfg(test)]
mod tests {
    use crate::measured::{Facts, Timed};
    use crate::outcome::Outcome;
    use crate::trial::{complaint, facts, plan, report, shortened};

    fn check(cell: &str, expected: &str) {
        assert_eq!(shortened(cell), expected, "{cell:?}");
    }

    #[test]
    fn an_expression_stays_what_it_is() {
        check("%time f(1)?", "time::ended(time::begin(0), f(1)?)");
        check("let x = %time f();", "let x = time::ended(time::begin(8), f());");
        check("let x = %time y;", "let x = time::ended(time::begin(8), y);");
        check("%time f()\ng()", "time::ended(time::begin(0), f()); g()");
        check("%time -x + f().await", "time::ended(time::begin(0), -x + f().await)");
        check("for x in y {\n%time f(x)\n}", "for x in y { time::ended(time::begin(13), f(x)); }");
        check("%time &v[0]", "time::begin(0); time::end(); &v[0]");
    }

    #[test]
    fn statements_leave_their_variables() {
        check("%time let x = f();", "time::begin(0); let x = f(); time::end();");
        check("%time f();", "time::begin(0); f(); time::end();");
        check("%time let x = f(); x + 1", "time::begin(0); let x = f(); time::ended((), x + 1)");
        check("%time let x = f(); x\ng()", "time::begin(0); let x = f(); time::end(); x; g()");
    }

    #[test]
    fn a_cell_is_timed_as_it_stands() {
        check(
            "%%time\nlet x = f();\nx.len() // why",
            "time::begin(0); let x = f(); time::ended((), x.len())",
        );
        check("%%time\nlet x = f();\nx", "time::begin(0); let x = f(); time::end(); x");
        check("%%time\nlet x = f();\n", "time::begin(0); let x = f(); time::end();");
        check("%%time\nfn f() {}", "time::begin(0); fn f() {} time::end();");
        check("%%time\nf();", "time::begin(0); f(); time::end();");
        check("%%time\nfor x in y {}", "time::begin(0); time::ended((), for x in y {})");
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
        check("%%time f()\ng()", "7..10 `%%time` takes nothing on its own line");
        check("%%time\n// nothing", "0..6 there is nothing to time below the first line");
        check("%time f(", "7..8 this is no Rust: a bracket or a comment is not closed");
        check("let x = %time let y = 1;", "22..23 this is no Rust: expected `;`");
        assert_eq!(plan("%time"), Ok(crate::plan::Plan::Nothing));
    }

    #[test]
    fn times_are_told_as_in_ipython() {
        let timed = Timed { wall: 1.25e-3, user: 1.2e-3, system: 0.0, finished: true };
        let bundle = report("%time f()", Outcome::Timed { timed, facts: facts() }).unwrap().shown.unwrap();
        let expected =
            "CPU times: user 1.2 ms, sys: 0 ns, total: 1.2 ms\nWall time: 1.25 ms\nCompiler: 0.05 s";
        assert_eq!(bundle.plain(), expected);
        assert_eq!(bundle.metadata["assay"]["wall"], 1.25e-3);
    }

    #[test]
    fn what_did_not_end_says_so() {
        let timed = Timed { wall: 2.0, user: 1.9, system: 0.1, finished: false };
        let facts = Facts { optimisation: "0".to_owned(), ..facts() };
        let bundle = report("%time f()", Outcome::Timed { timed, facts }).unwrap().shown.unwrap();
        let expected = "CPU times: user 1.9 s, sys: 100 ms, total: 2 s\nWall time: 2 s\nCompiler: 0.05 s\n\
            It did not end by itself: a panic, a `?` or an interrupt ended it, and these are the times up to then.\n\
            The cell was compiled at opt-level 0, where a release build has 3: `:opt 3` changes it.";
        assert_eq!(bundle.plain(), expected);
    }
}
