//! A cell's code is watched: its run, which happens once, and whatever has to run again to answer what is asked.
//!
//! What runs again does so in rehearsals: copies of the process from right before the run, of which nothing is left (`child/rehearsal.rs`). Short code is repeated, so that enough is seen of it; another
//! build of it counts; and the stack of each allocation is taken, which takes long. What cannot be found out so is said, and the rest holds.

mod queue;
mod told;
mod watching;

use super::addition::{SHELF, site};
use super::build::{Workshop, build};
use super::counts::{self, Counted, build_counted};
use super::dependencies::Dependencies;
use super::notebook::Notebook;
use super::run::{Presses, errand};
use super::symbols::Outline;
use super::{Native, State};
use crate::child::{Child, Errand, Rehearsal};
use crate::engine::surroundings::Surroundings;
use crate::engine::{Cell, Failure, Host, Level, Output, Pass, Profiling, Ran, Trouble};
use assay_link::native::Ending;
use assay_link::watch::{Clock, Lens, Samples, Seen, Watched};
use assay_magics::plan::Ask;
use assay_magics::profiled::{self, Profiled};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use told::told;
use watching::{Quiet, Watching};

/// Time between two samples of a thread, in nanoseconds: 1 kHz, where an interval of a millisecond would go in step with what happens at each.
const PERIOD: u64 = 997_000;

/// Code of which so much was sampled, in nanoseconds, is not repeated: 300 samples tell a share of a half to within 6 points, and who wants more can repeat it himself.
const ENOUGH: u64 = 300_000_000;

/// Nor is code that took so long on the wall: what waits is not seen better the second time.
const LONG: u64 = 1_000_000_000;

/// How often it is said that something is still being done.
const ALIVE: Duration = Duration::from_secs(1);

/// What a rehearsal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Repeats,
    Counts,
    Sites,
}

/// The copies of the process, each until it is used: or why there is none. None if it is not needed.
#[derive(Default)]
struct Copies {
    repeats: Option<Result<Rehearsal, String>>,
    counts: Option<Result<Rehearsal, String>>,
    sites: Option<Result<Rehearsal, String>>,
    /// The files that were open when they were made.
    files: Vec<String>,
}

/// What was seen.
#[derive(Default)]
struct Found {
    /// Of the runs that have happened.
    runs: Vec<Watched>,
    /// How long a thread was ready to run in the first of them, and had no processor, in nanoseconds; none where the system does not say.
    ready: Option<u64>,
    /// Of the repeats, with the notebook that they were compiled in.
    repeats: Option<(Notebook, Watched)>,
    counts: Option<(Counted, Watched)>,
    sites: Option<Watched>,
    doubts: Vec<String>,
}

/// What happens after the run.
struct Passes<'a, 'b> {
    host: &'a dyn Host,
    stop: &'a mut Presses<'b>,
    /// Whether the button has been pressed.
    stopped: bool,
    /// What is being done.
    pass: Option<Pass>,
    /// Whether anything ran in a copy of the process.
    ran_again: bool,
    /// What the run took, or the longest of several.
    longest: Duration,
    doubts: Vec<String>,
}

impl Native {
    pub(super) async fn profile(
        &self,
        what: Profiling,
        host: Arc<dyn Host>,
    ) -> (Option<Profiled>, Result<Ran, Failure>) {
        let mut state = self.state.lock().await;
        let mut stop = Presses::of(&self.interrupted);
        let Profiling { once, again, ask, functions } = what;
        let ready = match self.ready(&mut state, &once, &*host, &mut stop).await {
            Ok(ready) => ready,
            Err(failure) => return (None, Err(failure)),
        };
        let (before, with) = (Arc::clone(&state.notebook), ready.program.notebook.clone());
        let plain = errand(&ready.program, &once, Lens::Clear);
        let own = state.dependencies.own_names();
        let reaches = ask.counts && !own.is_empty() && counts::mentions(&ready.program, &own);
        let allowed = self.checkpoints.load(Ordering::Relaxed);
        let copies = Copies::make(&ready.child, &ask, again.is_some(), allowed).await;
        let watching = Arc::new(Watching::new(Arc::clone(&host), ready.child.pid()));
        let ran = self.perform(&mut state, ready, &once, lens(&ask), watching.clone(), &mut stop).await;
        let mut passes = Passes {
            host: &*host,
            stop: &mut stop,
            stopped: false,
            pass: None,
            ran_again: false,
            longest: Duration::ZERO,
            doubts: Vec::new(),
        };
        let ran = match (ran, ask.heap.unwrap_or(1)) {
            (Ok(ran), times) if times > 1 => {
                self.run_more(&mut state, &once, &ask, ran, times, &watching, &mut passes).await
            }
            (ran, _) => ran,
        };
        let (runs, ready) = watching.take();
        if runs.is_empty() {
            return (None, ran);
        }
        passes.longest = Duration::from_nanos(runs.iter().map(|run| run.wall).max().unwrap_or(0));
        let mut found = Found { runs, ready, ..Found::default() };
        let State { workshop, dependencies, .. } = &mut *state;
        if lives(&ran)
            && let Some(workshop) = workshop
        {
            let (surroundings, shelf) = (self.surroundings().clone(), self.cache.join(SHELF));
            let own = reaches.then_some(Own { dependencies, surroundings, shelf });
            let source = Sources { before: &before, once: &once, again: again.as_ref(), plain, own };
            passes.carry_out(copies, &ask, source, workshop, ran.is_ok(), &mut found).await;
        }
        host.output(Output::Pass(Pass::Names));
        found.doubts = passes.doubts;
        let ending = ending(&ran);
        let local = state.dependencies.local();
        // It reads texts, libraries and their debug information.
        let told = tokio::task::spawn_blocking(move || {
            let mut outline = Outline::of(&with, &once, &local);
            found.repeats.iter().for_each(|(notebook, _)| outline.learn(notebook));
            found.counts.iter_mut().for_each(|(counted, _)| counted.learn(&outline));
            told(&found, &ask, &functions, &outline, ending)
        });
        (told.await.inspect_err(|error| tracing::error!("a profile could not be made: {error}")).ok(), ran)
    }

    /// Runs it again, in the process, as often as was asked, each time with its effects. What it leaves are the value and the variables of the last time.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the same run")]
    async fn run_more(
        &self,
        state: &mut State,
        once: &Cell,
        ask: &Ask,
        first: Ran,
        times: usize,
        watching: &Arc<Watching>,
        passes: &mut Passes<'_, '_>,
    ) -> Result<Ran, Failure> {
        let mut ran = first;
        for done in 1..times {
            let ready = match self.ready(state, once, &Quiet(watching.clone()), passes.stop).await {
                Ok(ready) => ready,
                Err(Failure::Compile(errors)) => {
                    let first = errors.iter().find(|one| one.level == Level::Error);
                    let why = first.map_or("", |one| one.message.as_str());
                    passes.doubts.push(format!(
                        "It ran {done} of {times} times: after that it does not compile any more, for it consumes what it needs ({why})."
                    ));
                    break;
                }
                Err(failure) => return Err(failure),
            };
            let again = self.perform(state, ready, once, lens(ask), watching.clone(), passes.stop).await?;
            ran = Ran { value: again.value, ..ran };
        }
        Ok(ran)
    }
}

/// Through what its run is watched.
fn lens(ask: &Ask) -> Lens {
    match ask.heap {
        Some(_) if !ask.time => Lens::Heap { sites: false },
        _ => samples(ask),
    }
}

fn samples(ask: &Ask) -> Lens {
    let clock = if ask.wall { Clock::Wall } else { Clock::Processor };
    Lens::Samples { clock, period: PERIOD }
}

/// Whether there is a process still of which the copies are, and the user wants to know more: a panic leaves all.
fn lives(ran: &Result<Ran, Failure>) -> bool {
    !matches!(ran, Err(Failure::Interrupted { .. } | Failure::Died { .. } | Failure::Trouble(_)))
}

fn ending(ran: &Result<Ran, Failure>) -> profiled::Ending {
    match ran {
        Ok(_) => profiled::Ending::Finished,
        Err(Failure::Interrupted { .. }) => profiled::Ending::Interrupted,
        Err(_) => profiled::Ending::Failed,
    }
}

impl Copies {
    /// Makes those that will be needed, if the user allows copies.
    async fn make(child: &Child, ask: &Ask, again: bool, allowed: bool) -> Self {
        let mut copies = Self::default();
        let wanted = [
            (ask.time && again, &mut copies.repeats),
            (ask.counts, &mut copies.counts),
            (ask.sites, &mut copies.sites),
        ];
        for (wanted, place) in wanted {
            if wanted {
                let made = match allowed {
                    true => child.rehearsal().await,
                    false => Err("copies are off (`%config checkpoint=on`)".to_owned()),
                };
                *place = Some(made.map_err(|why| format!("no copy of the process can be made: {why}")));
            }
        }
        copies.files = open_files(child.pid());
        copies
    }
}

/// The names of files that a process has open, and where it would read on; none where the system does not say.
fn open_files(pid: u32) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let files = open.filter(|entry| std::fs::metadata(entry.path()).is_ok_and(|file| file.is_file()));
    let mut names: Vec<String> = files
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter(|path| !path.starts_with("/memfd:"))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// What the passes compile and run.
struct Sources<'a> {
    /// The notebook as it was before the run.
    before: &'a Notebook,
    once: &'a Cell,
    again: Option<&'a Cell>,
    /// The program that ran; none if it has no statements.
    plain: Option<Errand>,
    /// None if it reaches no crate of the user's own.
    own: Option<Own<'a>>,
}

/// The crates of the user's own, and where and with what they are built.
struct Own<'a> {
    dependencies: &'a mut Dependencies,
    surroundings: Surroundings,
    shelf: PathBuf,
}

impl Passes<'_, '_> {
    /// Finds out what is asked, one after the other, until it is stopped.
    async fn carry_out(
        &mut self,
        copies: Copies,
        ask: &Ask,
        source: Sources<'_>,
        workshop: &mut Workshop,
        ran_well: bool,
        found: &mut Found,
    ) {
        let Copies { repeats, counts, sites, files } = copies;
        if let (Some(copy), Some(again)) = (repeats, source.again)
            && ran_well
            && is_short(&found.runs)
        {
            found.repeats = self.repeat(copy, workshop, source.before, again, samples(ask)).await;
        }
        if let Some(copy) = counts {
            found.counts = self.count(copy, workshop, source.before, source.once, source.own).await;
        }
        if let (Some(copy), Some(plain)) = (sites, source.plain) {
            self.begins(Pass::Sites);
            let errand = Errand { lens: Lens::Heap { sites: true }, ..plain };
            found.sites = self.rehearse(Aim::Sites, copy, errand).await;
        }
        if self.ran_again && !files.is_empty() {
            self.doubts.push(format!(
                "It ran again in copies of the process, which share with it what is open: {}. What they read or wrote there is not taken back.",
                files.join(", ")
            ));
        }
    }

    async fn repeat(
        &mut self,
        copy: Result<Rehearsal, String>,
        workshop: &mut Workshop,
        before: &Notebook,
        again: &Cell,
        lens: Lens,
    ) -> Option<(Notebook, Watched)> {
        self.begins(Pass::Repeats);
        let program = match self.unless_stopped(build(workshop, before, again)).await? {
            Ok(program) => program,
            Err(failure) => {
                self.doubts.push(once_only(&failure));
                return None;
            }
        };
        let watched = self.rehearse(Aim::Repeats, copy, errand(&program, again, lens)?).await?;
        Some((program.notebook, watched))
    }

    async fn count(
        &mut self,
        copy: Result<Rehearsal, String>,
        workshop: &mut Workshop,
        before: &Notebook,
        once: &Cell,
        own: Option<Own<'_>>,
    ) -> Option<(Counted, Watched)> {
        if let Err(why) = &copy {
            // Nothing is compiled in vain.
            self.lacks(Aim::Counts, why);
            return None;
        }
        let crates = match own {
            Some(Own { dependencies, surroundings, shelf }) => {
                self.begins(Pass::Crates);
                let built = dependencies.counting(site(workshop, &surroundings, &shelf));
                let built = self.unless_stopped(built).await;
                // What cargo says of an error has many lines.
                let why = |trouble: Trouble| trouble.what.lines().next().unwrap_or_default().to_owned();
                built.map(|built| built.map_err(why))
            }
            None => None,
        };
        self.begins(Pass::Counting);
        let Some(built) = self.unless_stopped(build_counted(workshop, before, once, crates)).await else {
            self.lacks(Aim::Counts, "it was interrupted");
            return None;
        };
        let counted = match built {
            Ok(counted) => counted,
            Err(failure) => {
                let why = format!("it cannot be built so that it counts ({})", message(&failure));
                self.lacks(Aim::Counts, &why);
                return None;
            }
        };
        self.begins(Pass::Counts);
        let errand = errand(&counted.program, once, counted.lens())?;
        let watched = self.rehearse(Aim::Counts, copy, errand).await?;
        Some((counted, watched))
    }

    /// Runs something in a copy of the process. What was seen, unless it was stopped.
    async fn rehearse(
        &mut self,
        aim: Aim,
        copy: Result<Rehearsal, String>,
        errand: Errand,
    ) -> Option<Watched> {
        let copy = match copy {
            Ok(copy) => copy,
            Err(why) => {
                self.lacks(aim, &why);
                return None;
            }
        };
        let without = copy.standing().without.join(", ");
        self.ran_again |= !self.stopped;
        let Some(rehearsed) = self.unless_stopped(copy.run(errand, aim.patience(self.longest))).await else {
            self.lacks(aim, "it was interrupted");
            return None;
        };
        if !without.is_empty() {
            self.doubts
                .push(format!("{} without these threads, which could not be copied: {without}.", aim.ran()));
        }
        let watched = rehearsed.watched.into_iter().next().map(|(_, watched)| watched);
        match (rehearsed.ended, &watched) {
            (Ok(Ending::Ok), Some(_)) => {}
            (Ok(_), Some(_)) => self.doubts.push(format!(
                "{} and did not come to the same end: a copy of the process has no input, and shares open files with it.",
                aim.ran()
            )),
            (Err(why), Some(_)) => self.doubts.push(format!("{}, but {why}.", aim.ran())),
            (Ok(_), None) => self.lacks(aim, "the copy of the process did not come to it"),
            (Err(why), None) => self.lacks(aim, &why),
        }
        watched
    }

    fn begins(&mut self, pass: Pass) {
        if !self.stopped {
            self.pass = Some(pass);
            self.host.output(Output::Pass(pass));
        }
    }

    /// Does it, unless the button is pressed meanwhile, or was before; and says again and again what is being done.
    async fn unless_stopped<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        if self.stopped {
            return None;
        }
        tokio::pin!(work);
        let mut alive = tokio::time::interval_at(Instant::now() + ALIVE, ALIVE);
        loop {
            tokio::select! {
                biased;
                () = self.stop.next() => {
                    self.stopped = true;
                    return None;
                }
                done = &mut work => return Some(done),
                _ = alive.tick() => self.pass.into_iter().for_each(|pass| self.host.output(Output::Pass(pass))),
            }
        }
    }

    fn lacks(&mut self, aim: Aim, why: &str) {
        let lack = match aim {
            Aim::Repeats => "It was short, and was not repeated so that more of it is seen",
            Aim::Counts => "It was not counted how often functions and lines ran",
            Aim::Sites => "It was not found out where it allocates",
        };
        self.doubts.push(format!("{lack}: {why}."));
    }
}

impl Aim {
    /// How long a copy may wait for what happens outside of it. The other build and the lens make it slower, and what it waits for may be late; repeats end when they have taken a second.
    fn patience(self, run: Duration) -> Duration {
        match self {
            Self::Repeats => 20 * run,
            Self::Counts | Self::Sites => 2 * run,
        }
    }

    /// The beginning of a sentence.
    fn ran(self) -> &'static str {
        match self {
            Self::Repeats => "It was repeated",
            Self::Counts => "It was run again so that it was counted",
            Self::Sites => "It was run again to find out where it allocates",
        }
    }
}

/// Whether too little was seen of code that was sampled.
fn is_short(runs: &[Watched]) -> bool {
    runs.iter().all(|run| match &run.seen {
        Seen::Samples(samples) => run.wall < LONG && sampled(samples) < ENOUGH,
        _ => false,
    })
}

/// Nanoseconds that its samples stand for.
fn sampled(samples: &Samples) -> u64 {
    samples.stacks.iter().map(|stack| stack.samples * samples.period).sum()
}

/// Why code that was to be repeated was not.
fn once_only(failure: &Failure) -> String {
    let consumes = |code: &str| ["E0382", "E0505", "E0507"].contains(&code);
    match failure {
        Failure::Compile(errors) if errors.iter().any(|one| one.code.as_deref().is_some_and(consumes)) => {
            "It ran once, and was too short to see much of it: it consumes a value, so it cannot be repeated."
                .to_owned()
        }
        other => format!(
            "It ran once, and was too short to see much of it: it cannot be repeated ({}).",
            message(other)
        ),
    }
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::Compile(errors) => {
            let first = errors.iter().find(|one| one.level == Level::Error);
            first.map_or("it does not compile".to_owned(), |one| one.message.clone())
        }
        Failure::Trouble(trouble) => trouble.what.clone(),
        _ => "it could not be compiled".to_owned(),
    }
}

#[cfg(test)]
mod tests;
