//! Crates that are added to a notebook, and what that does to what is in it.

use super::build::Workshop;
use super::dependencies::{Change, Replaced, Site};
use super::notebook::Notebook;
use super::past::Past;
use super::{Native, State};
use crate::engine::surroundings::Surroundings;
use crate::engine::{Failure, Host, Output, Trouble};
use assay_magics::render::Bundle;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

impl Native {
    /// Adds crates, as `:dep` has them. What was there before stays if that fails or is interrupted.
    pub(super) async fn add(&self, specifications: &[String], host: &dyn Host) -> Result<(), Failure> {
        let mut state = self.state.lock().await;
        // Registered before anything is begun, so that no press of the button is missed.
        let stop = self.interrupted.notified();
        tokio::pin!(stop);
        stop.as_mut().enable();
        let surroundings = self.surroundings().clone();
        let progress = Progress::new(host);
        let added = async {
            let State { workshop, dependencies, .. } = &mut *state;
            let workshop = self.workshop(workshop, &surroundings).await?;
            let shelf = self.cache.join(SHELF);
            let site = site(workshop, &surroundings, &shelf);
            let change = dependencies.add(specifications, site, &mut |step| progress.tell(step)).await?;
            self.assistant.see(dependencies.reading(site));
            let lost = self.replace(&mut state, &change.replaced);
            Ok((change, lost))
        };
        let added = tokio::select! {
            added = progress.follow(added) => Some(added),
            () = &mut stop => None,
        };
        let (change, lost) = match added {
            Some(Ok(done)) => done,
            Some(Err(trouble)) => {
                progress.give_up();
                return Err(Failure::Trouble(trouble));
            }
            None => {
                progress.give_up();
                return Err(Failure::Interrupted { lost: Box::default() });
            }
        };
        let lines = std::iter::once(added_line(&change)).chain(remarks(&change, &lost));
        progress.end(&lines.collect::<Vec<_>>().join("\n"));
        state.past.changed();
        self.drop_replaced(&mut state.past, lost.variables).await.map_err(Failure::Trouble)
    }

    /// The crates are others now than those that the analyzer knows.
    pub(super) fn read_again(&self, state: &State) {
        if let Some(workshop) = &state.workshop {
            let (surroundings, shelf) = (self.surroundings().clone(), self.cache.join(SHELF));
            self.assistant.see(state.dependencies.reading(site(workshop, &surroundings, &shelf)));
        }
    }

    /// Sees to it that cells are compiled with what the crates are now: one whose source has changed is built again. Gives what there is to say about it.
    pub(super) async fn renew(
        &self,
        state: &mut State,
        surroundings: &Surroundings,
        host: &dyn Host,
    ) -> Result<Vec<String>, Trouble> {
        let State { workshop, dependencies, .. } = state;
        let workshop = self.workshop(workshop, surroundings).await?;
        let mut notes = Vec::new();
        if !dependencies.is_current() {
            let shelf = self.cache.join(SHELF);
            let site = site(workshop, surroundings, &shelf);
            let progress = Progress::new(host);
            let mut told = |step| progress.tell(step);
            let change = progress.follow(dependencies.refresh(site, &mut told)).await?;
            progress.finish(&change);
            self.assistant.see(dependencies.reading(site));
            let lost = self.replace(state, &change.replaced);
            notes = remarks(&change, &lost);
            self.drop_replaced(&mut state.past, lost.variables).await?;
        }
        if let Some(workshop) = &mut state.workshop {
            workshop.linked = state.dependencies.linked();
        }
        Ok(notes)
    }

    /// Forgets what was made of crates that are other ones now.
    fn replace(&self, state: &mut State, replaced: &[Replaced]) -> Lost {
        if replaced.is_empty() {
            return Lost::default();
        }
        let mut notebook = Notebook::clone(&state.notebook);
        let variables = notebook.replace(replaced);
        let left_behind = notebook.left_behind(&state.notebook);
        self.settled(state, Arc::new(notebook));
        Lost { variables, left_behind }
    }

    /// Variables that no cell can name any more.
    async fn drop_replaced(&self, past: &mut Past, lost: Vec<String>) -> Result<(), Trouble> {
        if lost.is_empty() { Ok(()) } else { self.drop_variables(past, lost).await }
    }
}

/// What a notebook loses with crates that are replaced.
#[derive(Default)]
struct Lost {
    /// Variables that no cell can name any more.
    variables: Vec<String>,
    /// The stories of those that have an older type now.
    left_behind: Vec<String>,
}

/// Where and with what crates are built.
pub(super) fn site<'a>(workshop: &'a Workshop, surroundings: &'a Surroundings, shelf: &'a Path) -> Site<'a> {
    Site {
        toolchain: &workshop.toolchain,
        folder: &surroundings.folder,
        environment: &surroundings.environment,
        shelf,
    }
}

/// The folder of built crates in the kernel's cache.
pub(super) const SHELF: &str = "dependencies";

/// `added regex 1.12.2, hex 0.4.3 · 4 crates built in 8.1 s`.
fn added_line(change: &Change) -> String {
    let mut line = format!("added {}", change.added.join(", "));
    if change.built > 0 {
        line.push_str(" · ");
        line.push_str(&built(change));
    }
    line
}

fn built(change: &Change) -> String {
    let crates = if change.built == 1 { "crate" } else { "crates" };
    format!("{} {crates} built in {:.1} s", change.built, change.took.as_secs_f64())
}

/// What the user should know of a change.
fn remarks(change: &Change, lost: &Lost) -> Vec<String> {
    let mut all = Vec::new();
    if change.unreachable {
        all.push(
            "a registry or a repository cannot be reached: what had been downloaded before was used"
                .to_owned(),
        );
    }
    let named = |one: &Replaced| match &one.by {
        Some(by) => format!("{} by {by}", one.was),
        None => one.was.clone(),
    };
    if !change.replaced.is_empty() {
        let mut line = format!(
            "built anew: {}; items that use it are compiled anew",
            change.replaced.iter().map(named).collect::<Vec<_>>().join(", ")
        );
        if !lost.variables.is_empty() {
            let names: Vec<String> = lost.variables.iter().map(|name| format!("`{name}`")).collect();
            line.push_str(&format!("; gone, since their types were its: {}", names.join(", ")));
        }
        all.push(line);
    }
    all.extend(lost.left_behind.iter().cloned());
    all
}

/// What is shown while cargo works: one display, which is replaced in its place.
struct Progress<'a> {
    host: &'a dyn Host,
    id: String,
    began: Instant,
    state: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// Whether there is a display.
    begun: bool,
    /// What is to be shown next.
    next: Option<String>,
}

/// What is done sooner is not worth a word.
const AT_ONCE: Duration = Duration::from_millis(300);

/// More often nobody can read it.
const PACE: Duration = Duration::from_millis(200);

impl<'a> Progress<'a> {
    fn new(host: &'a dyn Host) -> Self {
        let id = format!("assay-crates-{}", uuid::Uuid::new_v4().simple());
        Self { host, id, began: Instant::now(), state: Mutex::default() }
    }

    /// Waits for something to be done, and shows now and then how far it is.
    async fn follow<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(PACE) => {}
            }
            let next = self.state().next.take_if(|_| self.began.elapsed() > AT_ONCE);
            next.into_iter().for_each(|text| self.show(&text));
        }
    }

    /// Notes how far it is.
    fn tell(&self, step: String) {
        self.state().next = Some(step);
    }

    fn show(&self, text: &str) {
        let (bundle, display_id) = (Bundle::text(text), self.id.clone());
        let begun = std::mem::replace(&mut self.state().begun, true);
        self.host.output(if begun {
            Output::UpdateDisplay { bundle, display_id }
        } else {
            Output::Display { bundle, display_id: Some(display_id) }
        });
    }

    /// The last word, which stays.
    fn end(&self, text: &str) {
        self.show(text);
    }

    /// The last word on what nobody asked for: if anything was told of it, how long it took.
    fn finish(&self, change: &Change) {
        if self.state().begun {
            self.show(&built(change));
        }
    }

    /// What was begun, if anything was told of it, has come to nothing.
    fn give_up(&self) {
        if self.state().begun {
            self.show("no crate was added");
        }
    }

    /// What is behind this lock is whole whenever it is free.
    fn state(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
