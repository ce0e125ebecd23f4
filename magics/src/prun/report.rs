//! What `%prun` shows of a profile.

use super::figures::Figures;
use super::order::{Chosen, Key, Limit};
use super::saved::{Compared, Saved};
use super::{Prun, export, operators, table, tree, value};
use crate::magic::{Call, Complaint, Report};
use crate::measuring::{is_set, value as option};
use crate::profiled::{Ending, Origin, Profiled, Time};
use crate::profiling::Watched;
use crate::render::{Bundle, chart};
use crate::result::figures::counted;
use crate::result::{Page, context, raw, title};
use crate::units::{count, duration, duration_to, significant};
use serde_json::{Value, json};

/// Fewer samples than these are too few: half of them is known to ±7 points then.
const FEW: u64 = 200;
/// From this share on it is said that stacks are not whole, or that samples were lost.
const MANY: f64 = 0.01;
/// From this share of the time on, sampling itself makes a profile doubtful.
const HEAVY: f64 = 0.05;
/// A run that takes so much longer on the wall than on the processor is one that waits.
const WAITS: f64 = 2.0;
/// Nobody waits for less, in seconds.
const NOTICED: f64 = 0.02;
/// So many functions are told in the raw figures.
const RAW: usize = 60;

/// The report of a run that was watched.
pub(super) fn report(call: &Call, watched: &Watched, profiled: &Profiled) -> Result<Report, Complaint> {
    let all = is_set(&call.matches, "a");
    let folded = if all { None } else { operators::folded(profiled) };
    let figures = Figures::of(folded.as_ref().unwrap_or(profiled));
    let values = |id| call.matches.get_many::<Key>(id).into_iter().flatten().copied().collect::<Vec<_>>();
    let limits: Vec<Limit> = call.matches.get_many("l").into_iter().flatten().cloned().collect();
    let chosen = Chosen::of(&figures, &values("s"), &limits, all);
    let is_folded = folded.is_some();
    let shown = Shown { call, code: watched.source(call), figures: &figures, chosen: &chosen, is_folded };
    let compared = shown.compared()?;
    let page = shown.page(compared.as_ref());
    let bundle = page.bundle(shown.raw());
    let kept = || Saved::new(&shown.code, &figures).json();
    let report = Report {
        keep: option::<String>(&call.matches, "save").map(|name| (name, kept())),
        files: export::files(call, &title(&shown.code), profiled, bundle.plain()),
        value: is_set(&call.matches, "r").then(|| value::expression(&shown.code, &figures, &chosen)),
        ..Report::default()
    };
    if is_set(&call.matches, "q") {
        return Ok(report);
    }
    Ok(Report { shown: Some(bundle), also: shown.graph(all), ..report })
}

struct Shown<'a> {
    call: &'a Call,
    code: String,
    figures: &'a Figures<'a>,
    chosen: &'a Chosen,
    /// Whether operators are parts of their callers.
    is_folded: bool,
}

impl Shown<'_> {
    fn page(&self, compared: Option<&Compared>) -> Page {
        let (figures, chosen) = (self.figures, self.chosen);
        let (head, rest) = self.head();
        let mut page = Page::default().headline(&head, &rest);
        page = chosen.said.iter().fold(page, |page, said| page.line(said));
        if !chosen.rows.is_empty() {
            page = page.block(format!("\n{}\n", table::text(figures, chosen)), table::html(figures, chosen));
        }
        for more in table::hottest_lines(figures).into_iter().chain(table::threads(figures)) {
            page = page.block(format!("{}\n", more.text()), more.html());
        }
        page = compared.into_iter().fold(page, |page, compared| compared.show(page));
        page = page.doubts(self.doubts());
        page = self.notes().iter().fold(page, |page, note| page.quiet(note));
        context::close(page, &figures.profiled.facts)
    }

    /// `242785 function calls (1 primitive call) in 0.812 seconds`, and of which time.
    fn head(&self) -> (String, String) {
        let figures = self.figures;
        let seconds = figures.seconds_of_run();
        let seconds = format!("{seconds:.*} seconds", table::decimals(seconds));
        let clock = if figures.time().is_some_and(|time| time.wall) {
            " of wall time, of all threads"
        } else {
            " of processor time"
        };
        let Some((total, primitive, at_least)) = figures.calls() else {
            return (seconds, clock.to_owned());
        };
        let least = if at_least { "at least " } else { "" };
        let calls = format!("{least}{total} function call{}", if total == 1 { "" } else { "s" });
        let primitive =
            primitive.filter(|primitive| *primitive != total).map_or_else(String::new, |primitive| {
                format!(" ({primitive} primitive call{})", if primitive == 1 { "" } else { "s" })
            });
        (format!("{calls}{primitive} in {seconds}"), clock.to_owned())
    }

    /// What makes the figures doubtful, the worst first.
    fn doubts(&self) -> Vec<String> {
        let profiled = self.figures.profiled;
        let ending = match profiled.run.ending {
            Ending::Finished => None,
            Ending::Failed => Some("Partial: a panic or a `?` ended it, and this is the profile up to then."),
            Ending::Interrupted => Some("Partial: it was interrupted, and this is the profile up to then."),
        };
        let ending = ending.map(str::to_owned);
        let slow = context::doubts(&profiled.facts);
        let of_time = profiled.time.as_ref().map(|time| self.doubts_of_time(time)).unwrap_or_default();
        ending.into_iter().chain(slow).chain(of_time).chain(profiled.doubts.iter().cloned()).collect()
    }

    fn doubts_of_time(&self, time: &Time) -> Vec<String> {
        let figures = self.figures;
        let samples = figures.samples;
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let lost = share(time.lost, samples + time.lost);
        let lost = (lost >= MANY).then(|| {
            format!(
                "{} ({} %) could not be kept, so times are too small by as much, and parts may be out of proportion.",
                counted(time.lost, "sample"),
                significant(100.0 * lost, 2)
            )
        });
        let incomplete = share(figures.incomplete, samples);
        let incomplete = (incomplete >= MANY).then(|| {
            format!(
                "{} % of the stacks are not whole: what called their functions is not known, and its cumtime is too small by up to as much.",
                significant(100.0 * incomplete, 2)
            )
        });
        let heavy = self
            .overhead(time)
            .filter(|share| *share >= HEAVY)
            .map(|share| format!("Taking samples took {} % of the time.", significant(100.0 * share, 2)));
        // Samples of the wall's time are always taken by timers.
        let timers = (time.timers && !time.wall).then(|| {
            "The system gave no events of its own (perf_event_open), so timers took the samples: they come less evenly, and calls of the system that wait may end early.".to_owned()
        });
        let profiled = figures.profiled;
        let system = profiled.unseen_system_time();
        let (most, system) = if profiled.is_mostly_unseen() { (system, None) } else { (None, system) };
        let unlike = profiled.unlike_runs();
        let parts =
            [most, self.few(time), self.waited(time), unlike, system, lost, incomplete, heavy, timers];
        parts.into_iter().flatten().collect()
    }

    /// Too few samples to say much.
    fn few(&self, time: &Time) -> Option<String> {
        let samples = self.figures.samples;
        let run = &self.figures.profiled.run;
        if samples == 0 {
            return Some(format!(
                "No sample was taken: it ran for {} of the processor's time, and a sample is taken every {}. Nothing can be said of where its time goes: give it more to do.",
                duration(run.user + run.system),
                duration(time.period)
            ));
        }
        (samples < FEW).then(|| {
            let points = 100.0 * 1.96 * (0.25 / samples as f64).sqrt();
            format!(
                "There {} only {}: a share of half the time is known to ±{} points. Give it more to do: a longer input, or a loop around it.",
                if samples == 1 { "is" } else { "are" },
                counted(samples, "sample"),
                significant(points, 2)
            )
        })
    }

    /// A thread that waits has no part in the processor's time.
    fn waited(&self, time: &Time) -> Option<String> {
        let run = &self.figures.profiled.run;
        let busy = run.user + run.system;
        let waited = run.wall > WAITS * busy && run.wall - busy > NOTICED;
        self.figures.profiled.waiting(time, waited, || {
            format!(
                "It waited for most of the time: {} of the processor's in {} on the wall, and only the former is in the table. `--wall` shows where it waits.",
                duration(busy),
                duration(run.wall)
            )
        })
    }

    /// The part of the time that sampling took.
    fn overhead(&self, time: &Time) -> Option<f64> {
        let all = self.figures.samples as f64 * time.period;
        (all > 0.0 && time.spent > 0.0).then(|| time.spent / all)
    }

    /// How the figures came about.
    fn notes(&self) -> Vec<String> {
        let figures = self.figures;
        let of_crates = figures
            .rows
            .iter()
            .any(|row| row.calls.is_some() && figures.function(row).origin == Origin::Local);
        let own = if of_crates { " and in crates of your own" } else { "" };
        let calls = (!figures.profiled.calls.is_empty()).then(|| {
            format!(
                "ncalls is exact, of functions in cells{own}; it was counted in another run, in a copy of the process of which nothing is left."
            )
        });
        let left_out = self.chosen.left_out.map(|(functions, samples)| {
            format!(
                "Not listed: {} of libraries that {} little time of {} own ({:.1} % in all); -a lists all.",
                counted(functions as u64, "function"),
                if functions == 1 { "has" } else { "have" },
                if functions == 1 { "its" } else { "their" },
                100.0 * figures.share(samples).value
            )
        });
        let folded = self.is_folded.then(|| {
            "What the library has functions for and the compiler has put into the code (operators, numbers, pointers) is part of the function that uses it; `%prun -a` shows it apart.".to_owned()
        });
        let time = figures.time().filter(|_| figures.samples > 0).map(|time| self.sampled(time));
        let runs = figures.runs();
        let repeated = (runs > 1).then(|| {
            format!(
                "It ran {} times: once with all its effects, the others in a copy of the process of which nothing is left. Times are for one run.",
                count(runs)
            )
        });
        let parts = [time, repeated, calls, folded, left_out];
        parts.into_iter().flatten().collect()
    }

    /// `tottime and cumtime are sampled: 812 samples, one each 1 ms of …`
    fn sampled(&self, time: &Time) -> String {
        let overhead = self.overhead(time).map_or(String::new(), |share| {
            format!("; taking them took {} % of the time", significant(100.0 * share, 2))
        });
        format!(
            "tottime and cumtime are sampled: {}, one every {} of {} time; ± is the half of a 95 % interval{overhead}.",
            counted(self.figures.samples, "sample"),
            duration_to(time.period, 3),
            if time.wall { "wall" } else { "processor" }
        )
    }

    /// What is said beside the profile that was kept before.
    fn compared(&self) -> Result<Option<Compared>, Complaint> {
        let name = option::<String>(&self.call.matches, "diff");
        let Some((name, text)) = name.zip(self.figures.profiled.against.as_ref()) else { return Ok(None) };
        let compared =
            Saved::read(text).map(|saved| Compared::of(&name, &saved, &Saved::new(&self.code, self.figures)));
        compared.map(Some).map_err(|wrong| {
            let span = self.call.span_of("diff").unwrap_or_else(|| self.call.about());
            Complaint::new(format!("`.assay/{name}.json` {wrong}"), span)
                .with_hint(format!("`--save {name}` writes it anew"))
                .with_usage(&Prun)
        })
    }

    fn graph(&self, all: bool) -> Vec<Bundle> {
        if self.figures.samples == 0 {
            return Vec::new();
        }
        let title = format!("Where the time of {} goes", title(&self.code));
        chart::flame(&tree::flame(self.figures, &title, all)).into_iter().collect()
    }

    fn raw(&self) -> Value {
        let figures = self.figures;
        let profiled = figures.profiled;
        let function = |row: &super::figures::Row| {
            let function = figures.function(row);
            json!({
                "name": function.name,
                "file": function.file,
                "line": function.line,
                "own": row.own,
                "total": row.total,
                "calls": row.calls.map(|calls| calls.total),
                "primitive": row.calls.and_then(|calls| calls.primitive),
            })
        };
        let time = figures.time();
        let fields = json!({
            "code": self.code,
            "samples": figures.samples,
            "period": time.map(|time| raw::number(time.period)),
            "clock": if time.is_some_and(|time| time.wall) { "wall" } else { "processor" },
            "runs": figures.runs(),
            "lost": time.map(|time| time.lost),
            "incomplete": figures.incomplete,
            "spent": time.map(|time| raw::number(time.spent)),
            "wall": raw::number(profiled.run.wall),
            "ready": profiled.run.ready.map(raw::number),
            "user": raw::number(profiled.run.user),
            "system": raw::number(profiled.run.system),
            "functions": self.chosen.rows.iter().take(RAW).map(function).collect::<Vec<_>>(),
            "warnings": self.doubts(),
        });
        raw::result("prun", fields, &profiled.facts)
    }
}
