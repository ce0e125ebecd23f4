//! evcxr's commands (`:opt 2`) that are the engine's: what they do here, or why there is nothing to do.

use super::entry::FORMATS;
use super::toolchain::Toolchain;
use super::{Native, Notebook, State, diagnose, program};
use crate::engine::{Diagnostic, Failure, Trouble};
use assay_magics::render::Bundle;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The name by which rustup's programs are told which toolchain is meant.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

impl Native {
    /// Carries out a command line.
    pub(super) async fn carry_out(&self, line: &str) -> Result<Option<Bundle>, Failure> {
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        let said = match name {
            ":doc" => return self.documentation(argument).await.map(Some),
            ":efmt" => error_format(argument)?,
            ":fmt" => self.format(argument).await?,
            ":explain" => self.explain().await?,
            ":last_compile_dir" => self.last_folder().await,
            ":last_error_json" => self.last_error()?,
            ":linker" => self.linker().await?,
            ":offline" => self.offline(argument).await,
            ":opt" => self.optimise(argument).await,
            ":restart" => self.restart().await,
            ":show_deps" => self.crates().await,
            ":t" | ":type" => self.type_of(argument).await?,
            ":timing" => {
                let on = !self.timing.fetch_xor(true, Ordering::Relaxed);
                format!("Timing: {on}")
            }
            ":types" => {
                let mut state = self.state.lock().await;
                state.style.types = !state.style.types;
                format!("Types: {}", state.style.types)
            }
            ":toolchain" => self.toolchain(argument).await?,
            other => match idle(other) {
                Some(why) => why.to_owned(),
                None => return Err(foreign(line)),
            },
        };
        Ok(Some(Bundle::text(said)))
    }

    async fn documentation(&self, path: &str) -> Result<Bundle, Failure> {
        let surroundings = self.surroundings().clone();
        let found = self.assistant.inspect(path.to_owned(), path.len(), &surroundings).await.found;
        found.ok_or_else(|| trouble(format!("nothing is known about `{path}`"), None))
    }

    /// What rustc's book says of the errors of the last cell that did not compile.
    async fn explain(&self) -> Result<String, Failure> {
        let mut codes: Vec<String> = self.errors().iter().filter_map(|error| error.code.clone()).collect();
        codes.retain(|code| code.starts_with('E'));
        codes.dedup();
        if codes.is_empty() {
            return Ok("There is no error yet that rustc has an explanation for.".to_owned());
        }
        let mut state = self.state.lock().await;
        let toolchain = self.toolchain_of(&mut state).await?;
        let mut pages = Vec::new();
        for code in codes {
            let arguments = ["--explain", &code];
            let said =
                program::run(&toolchain.rustc, &arguments, Path::new("/"), &toolchain.environment).await;
            let said = said.map_err(|error| trouble(format!("rustc does not start: {error}"), None))?;
            pages.push(format!("{code}\n\n{}", String::from_utf8_lossy(&said.stdout).trim()));
        }
        Ok(pages.join("\n\n"))
    }

    fn last_error(&self) -> Result<String, Failure> {
        let errors = self.errors();
        serde_json::to_string_pretty(&*errors)
            .map_err(|error| trouble(format!("the error cannot be written as JSON: {error}"), None))
    }

    async fn last_folder(&self) -> String {
        match &self.state.lock().await.workshop {
            Some(workshop) => workshop.folder.display().to_string(),
            None => "Nothing has been compiled yet.".to_owned(),
        }
    }

    async fn linker(&self) -> Result<String, Failure> {
        let mut state = self.state.lock().await;
        let toolchain = self.toolchain_of(&mut state).await?;
        let named = toolchain.linker.iter().find_map(|argument| argument.strip_prefix("-Clinker="));
        Ok(format!(
            "Linker: {} (the fastest that passed a test; there is nothing to choose)",
            named.unwrap_or("the C compiler's")
        ))
    }

    async fn optimise(&self, level: &str) -> String {
        let mut state = self.state.lock().await;
        let level = match (level, state.optimisation.as_deref()) {
            ("", None | Some("3")) => "0",
            ("", Some(_)) => "3",
            (level, _) => level,
        };
        state.optimisation = Some(level.to_owned());
        format!(
            "Optimization: {level} (for cells that are compiled from now on; 3 is what a release build has)"
        )
    }

    /// Sets the form in which values are shown; without an argument, the usual one.
    async fn format(&self, format: &str) -> Result<String, Failure> {
        let wanted = if format.is_empty() { FORMATS[0] } else { format };
        let Some(known) = FORMATS.into_iter().find(|one| *one == wanted) else {
            return Err(trouble(
                format!("`{format}`: values of every type can be shown as {} alone", FORMATS.join(", ")),
                Some(
                    "`println!` prints one as you like; a type that implements `assay::Show` is shown as it says; `%engine evcxr` takes any format",
                ),
            ));
        };
        self.state.lock().await.style.format = known;
        Ok(format!("Output format: {known}"))
    }

    async fn crates(&self) -> String {
        let shown = self.state.lock().await.dependencies.shown();
        if shown.is_empty() { "no crate was added".to_owned() } else { shown }
    }

    /// Sets whether cargo works offline; without an argument, the opposite of what was.
    async fn offline(&self, argument: &str) -> String {
        let mut state = self.state.lock().await;
        state.dependencies.offline = match argument {
            "" => !state.dependencies.offline,
            chosen => chosen == "1",
        };
        format!("offline: {}", state.dependencies.offline)
    }

    /// Ends the process that runs cells. Its variables go with it; items are files.
    async fn restart(&self) -> String {
        let mut state = self.state.lock().await;
        let mut notebook = Notebook::clone(&state.notebook);
        notebook.variables.clear();
        self.settled(&mut state, Arc::new(notebook));
        self.end(&mut state).await;
        "Child process restarted".to_owned()
    }

    async fn type_of(&self, name: &str) -> Result<String, Failure> {
        let state = self.state.lock().await;
        let Some(variable) = state.notebook.variables.get(name) else {
            let gone = state.notebook.gone.get(name).map(|gone| gone.story(name));
            let what = gone.unwrap_or_else(|| format!("there is no variable `{name}`"));
            return Err(trouble(what, Some("%whos lists those there are")));
        };
        Ok(format!("{name}: {}", diagnose::short(&variable.type_name)))
    }

    /// Shows the toolchain, or changes to another one of rustup's: what the old one compiled is nothing to it, so the notebook begins anew.
    async fn toolchain(&self, name: &str) -> Result<String, Failure> {
        let mut state = self.state.lock().await;
        if name.is_empty() {
            return Ok(format!("Toolchain: {}", self.toolchain_of(&mut state).await?.version));
        }
        let mut surroundings = self.surroundings().clone();
        surroundings.environment.insert(TOOLCHAIN.to_owned(), name.to_owned());
        let prepared = Toolchain::prepare(&surroundings.environment, &surroundings.folder, &self.cache).await;
        let version = prepared.map_err(Failure::Trouble)?.version;
        *self.surroundings() = surroundings;
        self.end(&mut state).await;
        // What lies in its folder is of no use any more.
        let (optimisation, style) = (state.optimisation.take(), state.style);
        *state = State::default();
        (state.optimisation, state.style) = (optimisation, style);
        self.settled(&mut state, Arc::default());
        Ok(format!("Toolchain: {version} (the notebook begins anew: no variables, no items)"))
    }

    async fn toolchain_of<'s>(&self, state: &'s mut State) -> Result<&'s Toolchain, Failure> {
        let surroundings = self.surroundings().clone();
        let workshop = self.workshop(&mut state.workshop, &surroundings).await.map_err(Failure::Trouble)?;
        Ok(&workshop.toolchain)
    }

    /// The errors of the last cell that did not compile.
    pub(super) fn errors(&self) -> std::sync::MutexGuard<'_, Vec<Diagnostic>> {
        self.errors.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A `?` shows its error by `Debug`, which every error has.
fn error_format(format: &str) -> Result<String, Failure> {
    match format {
        "" | "{:?}" | "Debug" | "debug" => Ok("Error format: {:?} (errors must implement Debug)".to_owned()),
        other => Err(trouble(
            format!("`{other}`: the native engine shows what `?` meets by `{{:?}}` alone"),
            Some("`match` on the result and print it as you like, or `%engine evcxr`"),
        )),
    }
}

/// Why a command has nothing to do here, and does no harm.
fn idle(name: &str) -> Option<&'static str> {
    Some(match name {
        ":allow_static_linking" | ":cache" | ":clear_cache" | ":sccache" => {
            "Nothing to set: a cell is compiled alone, and what it is built on is compiled once."
        }
        ":preserve_vars_on_panic" => {
            "Nothing to set: a panic always leaves the variables, but for those that were moved into the cell."
        }
        _ => return None,
    })
}

fn foreign(line: &str) -> Failure {
    trouble(
        format!("`{line}` is a command of the evcxr engine, and the native engine has nothing like it"),
        Some(
            "`%engine evcxr` carries it out; its notebook begins without variables. %lsmagic lists what there is",
        ),
    )
}

fn trouble(what: String, remedy: Option<&str>) -> Failure {
    Failure::Trouble(Trouble { what, remedy: remedy.map(str::to_owned) })
}
