//! evcxr's commands, as far as they mean something to this engine.

use super::{Native, diagnose};
use crate::engine::Trouble;
use assay_magics::render::Bundle;

impl Native {
    /// Carries out a command, `:name arguments`.
    pub(super) async fn command(&self, line: &str) -> Result<Option<Bundle>, Trouble> {
        let (name, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim();
        match name {
            ":show_deps" => {
                let shown = self.state.lock().await.dependencies.shown();
                Ok(Some(Bundle::text(if shown.is_empty() { "no crate was added".to_owned() } else { shown })))
            }
            ":offline" => Ok(Some(self.offline(argument).await)),
            ":t" | ":type" => self.type_of(argument).await.map(Some),
            _ => Err(Trouble {
                what: format!("`{line}` is a command of evcxr's that means nothing to the native engine"),
                remedy: Some(
                    "%lsmagic lists what there is; `%engine evcxr` has all of its commands".to_owned(),
                ),
            }),
        }
    }

    /// Sets whether cargo works offline; without an argument, the opposite of what was.
    async fn offline(&self, argument: &str) -> Bundle {
        let mut state = self.state.lock().await;
        let offline = match argument {
            "" => !state.dependencies.offline,
            chosen => chosen == "1",
        };
        state.dependencies.offline = offline;
        Bundle::text(format!("offline: {offline}"))
    }

    async fn type_of(&self, name: &str) -> Result<Bundle, Trouble> {
        let state = self.state.lock().await;
        match state.notebook.variables.get(name) {
            Some(variable) => Ok(Bundle::text(format!("{name}: {}", diagnose::short(&variable.type_name)))),
            None => Err(Trouble {
                what: format!("there is no variable `{name}`"),
                remedy: Some("%who lists those there are".to_owned()),
            }),
        }
    }
}
