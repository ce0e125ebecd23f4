//! What there was before the cell that runs, and before the last ones: a cell that ends its process is as if it had never begun, and `%undo` takes back one that
//! has ended. The names are kept here, the variables by a copy of the process.

use super::dependencies::Resolved;
use super::notebook::Notebook;
use crate::child::{Child, Standing};
use crate::engine::surroundings::Surroundings;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many cells can be taken back. A copy costs what has changed since, and a process.
const CELLS: usize = 5;

/// How much state is copied for cells that have ended, in bytes, all copies together: what the user changes is there twice then.
const KEPT: u64 = 1 << 30;

/// The moments that can be returned to.
#[derive(Default)]
pub(super) struct Past {
    /// Before the cell that runs, or that ran last.
    now: Option<Moment>,
    /// Before each of those before it that changed anything, the latest last.
    before: VecDeque<Moment>,
    /// Why there is no copy, until it has been said; that is so once, until there is one again.
    news: News,
}

/// What is to be said of copies.
#[derive(Default)]
enum News {
    /// Nothing, and there are copies, as far as that is known.
    #[default]
    Good,
    /// There is none, for this reason.
    Bad(String),
    /// That has been said.
    Told,
}

/// A moment to return to.
pub(super) struct Moment {
    /// The cell that came after it.
    pub(super) cell: u32,
    pub(super) notebook: Arc<Notebook>,
    pub(super) dependencies: Arc<Resolved>,
    pub(super) surroundings: Surroundings,
    /// Whether the cell has changed anything.
    pub(super) changed: bool,
    /// The copy of the process, or why there is none; none as long as nobody has asked for it.
    copy: Option<Result<Standing, String>>,
}

impl Moment {
    pub(super) fn new(
        cell: u32,
        notebook: Arc<Notebook>,
        dependencies: Arc<Resolved>,
        surroundings: Surroundings,
    ) -> Self {
        Self { cell, notebook, dependencies, surroundings, changed: false, copy: None }
    }

    /// The copy of the process, or why there is none; none if nothing has happened in the process since.
    pub(super) fn copy(&self) -> Option<Result<&Standing, &str>> {
        self.copy.as_ref().map(|copy| copy.as_ref().map_err(String::as_str))
    }

    fn standing(&self) -> Option<&Standing> {
        self.copy()?.ok()
    }

    fn pid(&self) -> Option<u32> {
        self.standing().map(|standing| standing.pid)
    }

    fn bytes(&self) -> u64 {
        self.standing().map_or(0, |standing| standing.bytes)
    }

    /// Ends the copy, if there is one, for this reason.
    fn lose(&mut self, child: Option<&Child>, why: impl FnOnce() -> String) {
        if let (Some(pid), Some(child)) = (self.pid(), child) {
            child.discard(pid);
            self.copy = Some(Err(why()));
        }
    }

    fn discard(mut self, child: Option<&Child>) {
        self.lose(child, String::new);
    }
}

impl News {
    /// A copy was to be made; it was not, for this reason.
    fn hear(&mut self, refused: Option<&String>) {
        *self = match (refused, std::mem::take(self)) {
            (None, _) => Self::Good,
            (Some(_), Self::Told) => Self::Told,
            (Some(why), _) => Self::Bad(why.clone()),
        };
    }

    /// The reason, if it has not been said.
    fn tell(&mut self) -> Option<String> {
        match self {
            Self::Bad(why) => {
                let why = std::mem::take(why);
                *self = Self::Told;
                Some(why)
            }
            Self::Good | Self::Told => None,
        }
    }
}

impl Past {
    /// A cell begins. Copies that are of no use any more are discarded.
    pub(super) fn begin(&mut self, moment: Moment, child: Option<&Child>) {
        match self.now.replace(moment) {
            Some(ended) if ended.changed => self.before.push_back(ended),
            unchanged => unchanged.into_iter().for_each(|moment| moment.discard(child)),
        }
        if self.before.len() > CELLS {
            self.before.pop_front().into_iter().for_each(|moment| moment.discard(child));
        }
        let mut bytes = 0;
        for moment in self.before.iter_mut().rev() {
            bytes += moment.bytes();
            if bytes > KEPT {
                moment.lose(child, || {
                    "what is in use is too large for copies of cells that have ended".to_owned()
                });
            }
        }
    }

    /// Sees to it that there is a copy of the process from before the cell that runs, or a reason why there is none.
    pub(super) async fn stand(&mut self, child: &Child, wanted: bool) {
        let Some(now) = self.now.as_mut().filter(|now| now.copy.is_none()) else { return };
        if !wanted {
            let off = || "checkpoints are off (`%config checkpoint=on`)".to_owned();
            self.before.iter_mut().for_each(|moment| moment.lose(Some(child), off));
            now.copy = Some(Err(off()));
            return;
        }
        let mut copy = child.stand().await;
        if copy.is_err() && self.before.iter().any(|moment| moment.pid().is_some()) {
            // They may be what takes the memory.
            let room = || "its copy had to make room".to_owned();
            self.before.iter_mut().for_each(|moment| moment.lose(Some(child), room));
            copy = child.stand().await;
        }
        self.news.hear(copy.as_ref().err());
        now.copy = Some(copy);
    }

    /// Why there is no copy, if that is so and has not been said. Whoever wants none knows it.
    pub(super) fn news(&mut self) -> Option<String> {
        self.news.tell()
    }

    /// The process has ended, and with it all that there was to return to.
    pub(super) fn forget(&mut self) {
        *self = Self { news: std::mem::take(&mut self.news), ..Self::default() };
    }

    /// The cell that runs has changed something.
    pub(super) fn changed(&mut self) {
        if let Some(now) = &mut self.now {
            now.changed = true;
        }
    }

    /// Why the variables could not be kept if the process died now, if that is known.
    pub(super) fn unsaved(&self) -> Option<String> {
        self.now.as_ref()?.copy.as_ref()?.as_ref().err().cloned()
    }

    /// The moment whose copy has taken over. What came later is gone.
    pub(super) fn take(&mut self, pid: u32, child: Option<&Child>) -> Option<Moment> {
        if let Some(moment) = self.now.take_if(|moment| moment.pid() == Some(pid)) {
            return Some(moment);
        }
        let place = self.before.iter().position(|moment| moment.pid() == Some(pid))?;
        let later = self.before.split_off(place + 1);
        later.into_iter().chain(self.now.take()).for_each(|moment| moment.discard(child));
        self.before.pop_back()
    }

    /// The moment before the last cell that changed anything.
    pub(super) fn last(&self) -> Option<&Moment> {
        self.before.back()
    }

    /// The process is as it was then: takes that moment. What came later is gone.
    pub(super) fn take_last(&mut self, child: Option<&Child>) -> Option<Moment> {
        self.now.take().into_iter().for_each(|moment| moment.discard(child));
        self.before.pop_back()
    }
}

#[cfg(test)]
mod tests {
    use super::News;

    #[test]
    fn that_there_is_no_copy_is_said_once_until_there_is_one_again() {
        let mut news = News::default();
        let mut check = |refused: Option<&str>, expected: Option<&str>| {
            news.hear(refused.map(str::to_owned).as_ref());
            assert_eq!(news.tell().as_deref(), expected, "{refused:?}");
            assert_eq!(news.tell(), None);
        };
        check(None, None);
        check(Some("short"), Some("short"));
        check(Some("shorter"), None);
        check(None, None);
        check(Some("large"), Some("large"));
    }
}
