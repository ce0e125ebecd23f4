//! What a notebook is after a cell has ended, however it did; and after `%undo`.

use super::build::Program;
use super::notebook::{self, Gone, Notebook};
use super::past::Moment;
use super::{Native, State, diagnose};
use crate::child::{Child, Ended, Fallen};
use crate::engine::surroundings::Surroundings;
use crate::engine::{Failure, Lost, Ran, Trouble, Undone};
use assay_link::native::{Ending, Kept};
use assay_magics::render::Bundle;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Native {
    /// A cell has ended: the notebook after it, and what there is to say about it.
    pub(super) async fn settle(
        &self,
        state: &mut State,
        program: Program,
        cell: u32,
        ended: Ended,
        interrupted: bool,
    ) -> Result<Ran, Failure> {
        let (cause, frames, lost) = match ended {
            Ended::Done { ending, kept, value } => {
                let (notebook, ran) = done(program, cell, ending, &kept, value);
                self.settled(state, Arc::new(notebook));
                return ran;
            }
            Ended::Restored(Fallen { cause, frames, to }) => {
                let unsaved = state.past.unsaved();
                let moment = self.return_to(state, to).await;
                (cause, frames, returned(moment.as_ref(), cell, unsaved))
            }
            Ended::NotBegun => {
                let fallen = self.child().as_ref().and_then(Child::fallen);
                match fallen {
                    Some(Fallen { cause, frames, to }) => {
                        let moment = self.return_to(state, to).await;
                        (cause, frames, returned(moment.as_ref(), cell, None))
                    }
                    None => (String::new(), Vec::new(), Lost::default()),
                }
            }
            Ended::Died { cause, frames } => {
                let why = state.past.unsaved();
                (cause, frames, Lost { why, ..self.bury(state, cell) })
            }
        };
        let lost = Box::new(lost);
        if interrupted {
            return Err(Failure::Interrupted { lost });
        }
        // The texts of its cell are there, and not in the notebook that the process returned to.
        let frames = frames.iter().filter_map(|frame| diagnose::frame(frame, &program.notebook)).collect();
        Err(Failure::Died { cause, frames, lost })
    }

    /// Takes note of a process that has ended since the last cell, as a thread of the user's can do: what there is to say about it.
    pub(super) async fn notice(&self, state: &mut State, cell: u32) -> Option<String> {
        let child = self.child().clone()?;
        if let Some(fallen) = child.fallen() {
            let told = format!("the process that runs the cells ended after the last one: {}", fallen.cause);
            let moment = self.return_to(state, fallen.to).await?;
            return Some(format!("{told}; the variables are as they were before cell[{}]", moment.cell));
        }
        if child.alive() {
            return None;
        }
        let cause = child.gone().await;
        let lost = self.bury(state, cell);
        let gone =
            if lost.names.is_empty() { String::new() } else { format!("; gone with it: {}", lost.named()) };
        Some(format!("the process that runs the cells ended after the last one: {cause}{gone}"))
    }

    /// Takes back the last cell that changed anything.
    pub(super) async fn undo(&self) -> Result<Undone, Trouble> {
        let mut state = self.state.lock().await;
        let trouble = |what: String| Trouble { what, remedy: None };
        let Some(moment) = state.past.last() else {
            return Err(trouble("there is no cell to take back".to_owned()));
        };
        let child = self.child().clone();
        match (moment.copy(), &child) {
            (Some(Err(why)), _) => {
                return Err(trouble(format!("cell[{}] cannot be taken back: {why}", moment.cell)));
            }
            (Some(Ok(standing)), Some(child)) => child.go_back(standing.pid).await?,
            // Nothing has happened in the process since, or there is none.
            _ => {}
        }
        let Some(moment) = state.past.take_last(child.as_ref()) else {
            return Err(trouble("there is no cell to take back".to_owned()));
        };
        self.be_as(&mut state, &moment).await;
        Ok(Undone { cell: moment.cell, without: without(Some(&moment)) })
    }

    /// The copy of the process has taken over: the notebook goes back with it.
    async fn return_to(&self, state: &mut State, pid: u32) -> Option<Moment> {
        let child = self.child().clone();
        let moment = state.past.take(pid, child.as_ref())?;
        self.be_as(state, &moment).await;
        let Moment { cell, notebook, dependencies, surroundings, .. } = &moment;
        let again = Moment::new(*cell, notebook.clone(), dependencies.clone(), surroundings.clone());
        state.past.begin(again, child.as_ref());
        Some(moment)
    }

    /// The notebook is what it was at this moment.
    async fn be_as(&self, state: &mut State, moment: &Moment) {
        self.settled(state, Arc::clone(&moment.notebook));
        if state.dependencies.go_back(&moment.dependencies) {
            self.read_again(state);
        }
        let now = self.surroundings().clone();
        let child = self.child().clone();
        if let Some(child) = child {
            // What is refused was refused before, and said.
            let _ = catch_up(&child, &moment.surroundings, &now).await;
        }
    }

    /// The process has died, and its variables with it.
    fn bury(&self, state: &mut State, cell: u32) -> Lost {
        self.child().take_if(|child| !child.alive());
        let mut notebook = Notebook::clone(&state.notebook);
        let mut lost = Lost::default();
        for (name, variable) in std::mem::take(&mut notebook.variables) {
            lost.cells.insert(variable.cell);
            notebook.gone.insert(name.clone(), Gone::Lost { cell });
            lost.names.push(name);
        }
        state.past.forget();
        self.settled(state, Arc::new(notebook));
        lost
    }
}

/// Tells the process what has changed since around it.
async fn catch_up(child: &Child, then: &Surroundings, now: &Surroundings) -> Result<(), Trouble> {
    for (name, value) in &now.environment {
        if then.environment.get(name) != Some(value) {
            child.set_variable(name.clone(), value.clone()).await?;
        }
    }
    if then.folder == now.folder { Ok(()) } else { child.set_folder(&now.folder).await }
}

/// What is not as it was before the cell, after a return to this moment.
fn returned(moment: Option<&Moment>, cell: u32, unsaved: Option<String>) -> Lost {
    let back_to = moment.map(|moment| moment.cell).filter(|before| *before != cell);
    Lost { back_to, why: unsaved, threads: without(moment), ..Lost::default() }
}

/// The threads that did not come back.
fn without(moment: Option<&Moment>) -> Vec<String> {
    match moment.and_then(Moment::copy) {
        Some(Ok(standing)) => standing.without.clone(),
        _ => Vec::new(),
    }
}

/// A cell has come to an end by itself: the notebook after it.
fn done(
    program: Program,
    cell: u32,
    ending: Ending,
    kept: &[Kept],
    value: Option<Bundle>,
) -> (Notebook, Result<Ran, Failure>) {
    let mut notebook = program.notebook;
    let mut lost = take_away(&mut notebook, &program.taken, &program.gone, cell);
    put_back(&mut notebook, &program.slots, kept);
    for (name, gone) in &program.gone {
        if !notebook.variables.contains_key(name) {
            notebook.gone.insert(name.clone(), gone.clone());
        }
    }
    lost.retain(|name| !notebook.variables.contains_key(name));
    let ran = match ending {
        Ending::Ok => Ok(Ran { value, warnings: program.warnings, notes: program.notes, ..Ran::default() }),
        ending => Err(failure(ending, &notebook, lost)),
    };
    (notebook, ran)
}

/// Takes the variables that a cell took out of the notebook. Gives those that are not known to have been moved.
fn take_away(
    notebook: &mut Notebook,
    taken: &[String],
    gone: &BTreeMap<String, Gone>,
    cell: u32,
) -> Vec<String> {
    for name in taken {
        notebook.variables.remove(name);
        notebook.gone.insert(name.clone(), Gone::Lost { cell });
    }
    taken.iter().filter(|name| !gone.contains_key(*name)).cloned().collect()
}

fn put_back(notebook: &mut Notebook, slots: &BTreeMap<u32, (String, notebook::Variable)>, kept: &[Kept]) {
    for kept in kept {
        if let Some((name, variable)) = slots.get(&kept.slot) {
            notebook.gone.remove(name);
            notebook
                .variables
                .insert(name.clone(), notebook::Variable { bytes: kept.bytes, ..variable.clone() });
        }
    }
}

fn failure(ending: Ending, notebook: &Notebook, lost: Vec<String>) -> Failure {
    match ending {
        Ending::Panic { message, place, frames } => {
            let place = place.and_then(|place| diagnose::ran_at(&place, notebook));
            let frames = frames.iter().filter_map(|frame| diagnose::frame(frame, notebook)).collect();
            Failure::Panic { message, place, frames, lost }
        }
        Ending::Question { message } => Failure::Question { message },
        Ending::Refuted => Failure::Refuted,
        Ending::Interrupted => {
            Failure::Interrupted { lost: Box::new(Lost { names: lost, happened: true, ..Lost::default() }) }
        }
        Ending::Trouble { what } => {
            let remedy = "this is a fault of Assay's: please report it with the cell".to_owned();
            Failure::Trouble(Trouble { what, remedy: Some(remedy) })
        }
        Ending::Ok => Failure::Trouble(Trouble { what: "the cell ended well".to_owned(), remedy: None }),
    }
}
