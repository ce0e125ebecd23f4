//! Hears of measurements while their cell runs: has their magics word them, shows what they say, and keeps what is to be kept.

use super::event::{Event, StreamName};
use super::floor::Floor;
use super::folders::make_private;
use super::stage::Stage;
use crate::engine::{Compilation, Host, Output, Pass, Told};
use crate::session::event::NoInput;
use assay_link::native::Told as What;
use assay_magics::cell::Prepared;
use assay_magics::magic::{Complaint, Refuted, Report};
use assay_magics::measured::{Facts, Measured, Progress, Timed};
use assay_magics::outcome::{Built, Measurement, Outcome};
use assay_magics::plan::Plan;
use assay_magics::profiled::{FileToWrite, Profiled};
use assay_magics::progress;
use assay_magics::render::Bundle;
use futures::future::BoxFuture;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The folder beside the notebook in which results are kept under names.
const KEPT: &str = ".assay";

/// Displays of progress so far: each has an id of its own.
static DISPLAYS: AtomicU64 = AtomicU64::new(0);

/// The host of a cell in which something is measured.
pub(super) struct Measuring {
    stage: Arc<Stage>,
    magics: Vec<Prepared>,
    floor: Arc<Mutex<Floor>>,
    processor: String,
    folder: PathBuf,
    /// Whether progress is shown.
    on_page: bool,
    /// Whether results are kept until all are there, instead of being shown.
    collects: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    facts: Facts,
    /// Whether the code that was measured last asks for memory.
    allocates: bool,
    collected: Option<Measured>,
    /// The displays of progress that are on the page, by the magic.
    under_way: BTreeMap<u64, UnderWay>,
    /// What is found out about code that has run, and since when.
    pass: Option<(Pass, Instant)>,
    verdict: Verdict,
}

/// A measurement that is not over.
struct UnderWay {
    /// Where it is shown, if it is.
    display_id: Option<String>,
    /// What is left of it if it ends now.
    left: Bundle,
}

/// Why a cell fails whose code ran to its end.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// A claim that does not hold.
    pub(super) refuted: Option<Refuted>,
    /// What was measured could not be reported.
    pub(super) complaint: Option<Complaint>,
    /// Rust that makes the value which was asked for: an expression.
    pub(super) value: Option<String>,
}

/// What else the runtime tells with a result.
#[derive(Deserialize)]
struct Beside {
    /// The median seconds of the reference workload that asks for no memory.
    computing: Option<f64>,
    /// Of the one that does.
    allocating: Option<f64>,
}

impl Measuring {
    pub(super) fn new(
        stage: Arc<Stage>,
        magics: Vec<Prepared>,
        floor: Arc<Mutex<Floor>>,
        processor: String,
        folder: PathBuf,
    ) -> Self {
        Self {
            stage,
            magics,
            floor,
            processor,
            folder,
            on_page: true,
            collects: false,
            state: Mutex::default(),
        }
    }

    /// The same where nothing that was shown can be replaced, or nothing is to be shown: progress is not.
    pub(super) fn quietly(self) -> Self {
        Self { on_page: false, ..self }
    }

    /// The same, for code that is measured several times before there is anything to show: see [`collected`](Self::collected).
    pub(super) fn collecting(self) -> Self {
        Self { collects: true, ..self }
    }

    /// What was measured since this was asked last, with the variables that hold code. None if nothing was.
    pub(super) fn collected(&self) -> Option<(Measured, Vec<String>)> {
        let mut state = self.state();
        let measured = state.collected.take()?;
        Some((measured, state.facts.holding_code.clone()))
    }

    /// Reports what has been measured in all of these ways.
    pub(super) fn report(&self, builds: Vec<Built>) {
        let [prepared, ..] = self.magics.as_slice() else { return };
        let measurement = Measurement { facts: self.facts(prepared), builds, ..Measurement::default() };
        let id = prepared.call.name_span.start as u64;
        self.worded(id, prepared, Outcome::Measured(Box::new(measurement)));
    }

    /// Reports what was found out about code while it ran.
    pub(super) fn profiled(&self, profiled: Profiled) {
        let [prepared, ..] = self.magics.as_slice() else { return };
        match self.against(prepared) {
            Ok(against) => {
                let profiled = Profiled { facts: self.facts(prepared), against, ..profiled };
                let id = prepared.call.name_span.start as u64;
                self.worded(id, prepared, Outcome::Profiled(Box::new(profiled)));
            }
            Err(what) => self.complain(Complaint::new(what, prepared.call.name_span.clone())),
        }
    }

    /// The noise floor, as far as it is known before the cell is compiled.
    pub(super) fn share(&self, rust_version: &str) -> f64 {
        self.floor().on(&machine(&self.processor, &format!("rustc {rust_version}")), false)
    }

    /// What is to be said of the cell, once it has ended. What was not over by then has what was measured so far.
    pub(super) fn end(&self) -> Verdict {
        let mut state = self.state();
        for UnderWay { display_id, left } in std::mem::take(&mut state.under_way).into_values() {
            self.stage.tell(in_the_place_of(display_id, left));
        }
        std::mem::take(&mut state.verdict)
    }

    fn compiled(&self, compilation: Compilation) {
        let Compilation { took, compiler, optimisation, target_cpu, holding_code } = compilation;
        let mut state = self.state();
        state.facts = Facts {
            processor: self.processor.clone(),
            compiler,
            optimisation,
            target_cpu,
            compile: took.as_secs_f64(),
            holding_code,
            ..Facts::default()
        };
    }

    fn measured(&self, told: &Told) {
        let Some(prepared) = self.asked(told.id) else { return };
        let outcome = match told.what {
            What::Progress => return self.progress(told, prepared),
            What::Time => self.timed(&told.data, prepared),
            What::Result => match self.result(&told.data) {
                Ok(measured) if self.collects => {
                    self.state().collected = Some(measured);
                    return;
                }
                Ok(measured) => {
                    return match self.against(prepared) {
                        Ok(against) => {
                            let facts = self.facts(prepared);
                            let measurement =
                                Measurement { measured, facts, against, ..Measurement::default() };
                            self.worded(told.id, prepared, Outcome::Measured(Box::new(measurement)));
                        }
                        Err(what) => self.complain(Complaint::new(what, prepared.call.name_span.clone())),
                    };
                }
                Err(error) => Err(error),
            },
        };
        match outcome {
            Ok(outcome) => self.worded(told.id, prepared, outcome),
            Err(error) => self.complain(unreadable(&error, prepared)),
        }
    }

    /// Has the magic word an outcome, and shows what it says.
    fn worded(&self, id: u64, prepared: &Prepared, outcome: Outcome) {
        match prepared.magic.report(&prepared.call, outcome) {
            Ok(report) => self.show(id, report, prepared),
            Err(complaint) => self.complain(complaint),
        }
    }

    /// The content of the file of the earlier result that this is compared with.
    fn against(&self, prepared: &Prepared) -> Result<Option<String>, String> {
        against(&prepared.plan).map(|name| read(&self.folder, name)).transpose()
    }

    fn progress(&self, told: &Told, prepared: &Prepared) {
        let latest: Progress = match serde_json::from_str(&told.data) {
            Ok(latest) => latest,
            Err(error) => return self.complain(unreadable(&error, prepared)),
        };
        let name = called(prepared);
        self.under_way(told.id, progress::line(&name, &latest), progress::stopped(&name, &latest));
    }

    /// More is found out about code that has run, or still is.
    fn pass(&self, pass: Pass) {
        let [prepared, ..] = self.magics.as_slice() else { return };
        let (name, doing) = (called(prepared), doing(pass));
        let id = prepared.call.name_span.start as u64;
        let elapsed = {
            let mut state = self.state();
            let before = state.pass.filter(|(before, _)| *before == pass);
            let (_, since) = *state.pass.insert(before.unwrap_or_else(|| (pass, Instant::now())));
            since.elapsed().as_secs()
        };
        self.under_way(id, progress::pass(&name, doing, elapsed), progress::pass_stopped(&name, doing));
    }

    /// Shows how far it is, where that can be replaced.
    fn under_way(&self, id: u64, line: Bundle, left: Bundle) {
        let mut state = self.state();
        let under_way = state.under_way.entry(id);
        let under_way = match under_way {
            Entry::Vacant(place) => {
                let display_id = self.on_page.then(|| {
                    let number = DISPLAYS.fetch_add(1, Ordering::Relaxed);
                    format!("assay-measuring-{}-{number}", std::process::id())
                });
                if display_id.is_some() {
                    self.stage.tell(Event::Display { bundle: line, display_id: display_id.clone() });
                }
                place.insert(UnderWay { display_id, left });
                return;
            }
            Entry::Occupied(there) => there.into_mut(),
        };
        under_way.left = left;
        if let Some(display_id) = under_way.display_id.clone() {
            self.stage.tell(Event::UpdateDisplay { bundle: line, display_id });
        }
    }

    fn timed(&self, data: &str, prepared: &Prepared) -> serde_json::Result<Outcome> {
        let timed: Timed = serde_json::from_str(data)?;
        Ok(Outcome::Timed { timed, facts: self.facts(prepared) })
    }

    /// What was measured. The noise of the machine is learnt from it.
    fn result(&self, data: &str) -> serde_json::Result<Measured> {
        let measured: Measured = serde_json::from_str(data)?;
        let Beside { computing, allocating } = serde_json::from_str(data)?;
        if let (Some(computing), Some(allocating)) = (computing, allocating) {
            let facts = self.state().facts.clone();
            self.floor().learn(&machine(&facts.processor, &facts.compiler), [computing, allocating]);
        }
        self.state().allocates =
            measured.lanes.iter().filter_map(|lane| lane.counted).any(|counted| counted.most.0 > 0);
        Ok(measured)
    }

    /// How the cell was compiled, and what the noise is by now. Of the variables that hold code those are named that this magic mentions.
    fn facts(&self, prepared: &Prepared) -> Facts {
        let (mut facts, allocates) = {
            let state = self.state();
            (state.facts.clone(), state.allocates)
        };
        facts.holding_code.retain(|name| mentions(prepared, name));
        let mut floor = self.floor();
        let share = floor.on(&machine(&facts.processor, &facts.compiler), allocates);
        Facts { floor: share, starts: floor.starts(), ..facts }
    }

    /// Shows a result in the place of its progress, if that is on the page.
    fn show(&self, id: u64, report: Report, prepared: &Prepared) {
        let under_way = self.state().under_way.remove(&id);
        let place = under_way.and_then(|under_way| under_way.display_id);
        // What shows nothing measures silently, and has shown no progress.
        if let Some(bundle) = report.shown {
            self.stage.tell(in_the_place_of(place, bundle));
        }
        for bundle in report.also {
            self.stage.tell(Event::Display { bundle, display_id: None });
        }
        if let Some((name, content)) = report.keep
            && let Err(error) = keep(&self.folder, &name, &content)
        {
            let file = file(&self.folder, &name);
            let message = format!("the result cannot be kept in {}: {error}", file.display());
            self.complain(Complaint::new(message, prepared.call.name_span.clone()));
        }
        for file in report.files {
            self.write(&file, prepared);
        }
        let mut state = self.state();
        state.verdict.refuted = state.verdict.refuted.take().or(report.failure);
        state.verdict.value = state.verdict.value.take().or(report.value);
    }

    /// Writes a file beside the notebook, and says so.
    fn write(&self, file: &FileToWrite, prepared: &Prepared) {
        let path = self.folder.join(&file.path);
        match std::fs::write(&path, &file.content) {
            Ok(()) => {
                let text = format!("{}\n", file.said);
                self.stage.tell(Event::Stream { name: StreamName::Stdout, text });
            }
            Err(error) => {
                let message = format!("cannot write {}: {error}", path.display());
                self.complain(Complaint::new(message, prepared.call.name_span.clone()));
            }
        }
    }

    fn complain(&self, complaint: Complaint) {
        self.state().verdict.complaint.get_or_insert(complaint);
    }

    fn asked(&self, id: u64) -> Option<&Prepared> {
        self.magics.iter().find(|prepared| prepared.call.name_span.start as u64 == id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn floor(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host for Measuring {
    fn output(&self, output: Output) {
        match output {
            Output::Compiled(compilation) => self.compiled(compilation),
            Output::Measured(told) => self.measured(&told),
            Output::Pass(pass) => self.pass(pass),
            other => self.stage.output(other),
        }
    }

    fn ask(&self, prompt: String, password: bool) -> BoxFuture<'_, Result<String, NoInput>> {
        self.stage.ask(prompt, password)
    }
}

/// Whether the code of a magic has this word in it.
fn mentions(prepared: &Prepared, name: &str) -> bool {
    let call = &prepared.call;
    let texts = [call.rest.as_str(), call.body.as_deref().unwrap_or_default()];
    let mut words =
        texts.iter().flat_map(|text| text.split(|sign: char| sign != '_' && !sign.is_alphanumeric()));
    words.any(|word| word == name)
}

/// A result in the place of its progress, if that was shown.
fn in_the_place_of(display_id: Option<String>, bundle: Bundle) -> Event {
    match display_id {
        Some(display_id) => Event::UpdateDisplay { bundle, display_id },
        None => Event::Display { bundle, display_id: None },
    }
}

/// The name of the earlier result that the one of this plan is compared with.
pub(super) fn against(plan: &Plan) -> Option<&String> {
    match plan {
        Plan::Code(step) => step.against.as_ref(),
        Plan::Profile(step) => step.against.as_ref(),
        _ => None,
    }
}

/// What is done meanwhile, in words.
fn doing(pass: Pass) -> &'static str {
    match pass {
        Pass::Repeats => "it was short, and is repeated in a copy of the process",
        Pass::Crates => "building crates of your own so that they count",
        Pass::Counting => "compiling it so that it counts",
        Pass::Counts => "counting, in a copy of the process",
        Pass::Sites => {
            "finding out where it allocates: the stacks of its allocations are taken, in a copy of the process"
        }
        Pass::Names => "looking up names and lines",
    }
}

/// How the magic was called: `%timeit`, `%%timeit`.
fn called(prepared: &Prepared) -> String {
    let sign = if prepared.call.body.is_some() { "%%" } else { "%" };
    format!("{sign}{}", prepared.magic.name())
}

/// What the noise is learnt for.
pub(super) fn machine(processor: &str, compiler: &str) -> String {
    format!("{processor} / {compiler}")
}

/// Where a result is kept under a name.
fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(KEPT).join(format!("{name}.json"))
}

/// What is kept under a name; in words why it cannot be read.
pub(super) fn read(folder: &Path, name: &str) -> Result<String, String> {
    let file = file(folder, name);
    std::fs::read_to_string(&file)
        .map_err(|error| format!("the earlier result {} cannot be read: {error}", file.display()))
}

fn keep(folder: &Path, name: &str, content: &str) -> std::io::Result<()> {
    make_private(&folder.join(KEPT))?;
    let file = file(folder, name);
    // Whoever is interrupted has the older result still.
    let draft = file.with_extension(format!("draft-{}", std::process::id()));
    std::fs::write(&draft, content)?;
    std::fs::rename(&draft, &file)
}

/// The runtime and the kernel are of one build: this is a fault of ours.
fn unreadable(error: &serde_json::Error, prepared: &Prepared) -> Complaint {
    Complaint::new(format!("what was measured cannot be read: {error}"), prepared.call.name_span.clone())
        .with_hint("this is a mistake in Assay: please report it")
}
