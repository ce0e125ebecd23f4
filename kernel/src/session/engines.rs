//! The engines that there are, and the one in use.

use crate::engine::{Engine, Trouble};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// At least one engine; one of them runs the cells.
pub(crate) struct Engines {
    first: Arc<dyn Engine>,
    others: Vec<Arc<dyn Engine>>,
    current: AtomicUsize,
}

impl Engines {
    /// Begins with `first`.
    pub(crate) fn new(first: Arc<dyn Engine>, others: Vec<Arc<dyn Engine>>) -> Self {
        Self { first, others, current: AtomicUsize::new(0) }
    }

    /// The one in use.
    pub(crate) fn current(&self) -> Arc<dyn Engine> {
        self.all().nth(self.current.load(Ordering::Relaxed)).unwrap_or(&self.first).clone()
    }

    /// Their names, the one in use first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let current = self.current().name();
        std::iter::once(current)
            .chain(self.all().map(|engine| engine.name()).filter(move |name| *name != current))
    }

    /// Changes to another one, which begins anew; the one in use ends with all that it holds. An error names those that there are.
    pub(crate) async fn change(&self, name: &str) -> Result<&'static str, String> {
        let before = self.current();
        let found = self.all().position(|engine| engine.name() == name);
        let position = found.ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            format!("there is no engine `{name}`; there are: {}", names.join(", "))
        })?;
        if before.name() != name {
            before.stop().await;
            self.current.store(position, Ordering::Relaxed);
        }
        Ok(self.current().name())
    }

    /// From now on cells run in `folder`, whichever engine runs them.
    pub(crate) async fn set_folder(&self, folder: &Path) -> Result<(), Trouble> {
        for engine in self.all() {
            engine.set_folder(folder.to_owned()).await?;
        }
        Ok(())
    }

    /// From now on cells see this environment variable, whichever engine runs them.
    pub(crate) async fn set_variable(&self, name: &str, value: &str) -> Result<(), Trouble> {
        for engine in self.all() {
            engine.set_variable(name.to_owned(), value.to_owned()).await?;
        }
        Ok(())
    }

    /// From now on there are checkpoints, or none, whichever engine runs the cells.
    pub(crate) fn keep_checkpoints(&self, wanted: bool) {
        self.all().for_each(|engine| engine.keep_checkpoints(wanted));
    }

    /// Ends every process of every engine.
    pub(crate) async fn stop(&self) {
        for engine in self.all() {
            engine.stop().await;
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn Engine>> {
        std::iter::once(&self.first).chain(&self.others)
    }
}
