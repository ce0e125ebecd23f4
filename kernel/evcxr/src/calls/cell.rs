//! One cell: evcxr's answer and the relay's story put together into how it ended.

use super::Now;
use crate::place::{Cell, place};
use crate::story::{Story, Told, contents};
use crate::words::Panic;
use crate::{diagnostics, family, prelude};
use assay_link::evcxr::{Failure, Outcome};
use evcxr::{CommandContext, Error, EvalCallbacks, EvalOutputs};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// evcxr with what it was given to run.
pub(super) struct Cells {
    context: CommandContext,
    story: Story,
    now: Arc<Now>,
    /// Every cell so far, to find where a panic was written.
    cells: Vec<Cell>,
    /// Whether the prelude has been run.
    ready: bool,
}

/// Why a cell did not come to its end.
enum Ending {
    /// The process that runs cells died of this, and there is another by now.
    Died(String),
    /// evcxr says so.
    Told(Error),
}

/// Where a cell's value stands among what it showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// It ends in a statement.
    None,
    /// The last block is the value as `Debug` shows it.
    Debug,
    /// The last blocks are what the value's own `evcxr_display` showed.
    Display,
}

impl Cells {
    pub(super) fn new(context: CommandContext, story: Story, now: Arc<Now>) -> Self {
        Self { context, story, now, cells: Vec::new(), ready: false }
    }

    pub(super) fn context(&mut self) -> &mut CommandContext {
        &mut self.context
    }

    /// Runs the prelude unless that has been done.
    pub(super) fn ready(&mut self) -> Result<(), Error> {
        if !self.ready {
            let outputs = self.context.execute(prelude::SOURCE)?;
            self.told(&outputs)?;
            self.ready = true;
        }
        Ok(())
    }

    /// Runs a cell.
    pub(super) fn run(
        &mut self,
        number: u32,
        source: &str,
        ask: &mut dyn FnMut() -> String,
    ) -> Result<Outcome, Failure> {
        self.cells.push(Cell { number, source: source.to_owned() });
        self.execute(source, ask)
    }

    /// Runs a command of evcxr's.
    pub(super) fn own(&mut self, line: &str, ask: &mut dyn FnMut() -> String) -> Result<Outcome, Failure> {
        let name = line.split_whitespace().next().unwrap_or_default();
        if name == ":quit" {
            let remedy = Some("shut the kernel down from the front end".to_owned());
            return Err(Failure::Trouble {
                what: "`:quit` would end evcxr behind the kernel's back".to_owned(),
                remedy,
            });
        }
        if name == ":clear" || name == ":restart" {
            self.end_process();
        }
        let outcome = self.execute(line, ask)?;
        // The first forgets the prelude's items; the second brings another standard library.
        if name == ":clear" || name == ":toolchain" {
            self.hidden(prelude::SOURCE)?;
        }
        Ok(outcome)
    }

    /// Sets a variable for cargo, for the process that runs cells, and for those that follow it.
    pub(super) fn set_environment(&mut self, name: &str, value: &str) -> Result<Outcome, Failure> {
        if name.is_empty() || name.contains(['=', '\0', '\n']) || value.contains(['\0', '\n']) {
            let what = format!("`{name}` cannot be set: a name has no `=`, and neither has a line break");
            return Err(Failure::Trouble { what, remedy: None });
        }
        self.hidden(&format!(":env {name}={value}\nunsafe {{ std::env::set_var({name:?}, {value:?}) }};"))
    }

    /// Changes the folder of this process, of the one that runs cells, and of those that follow it.
    pub(super) fn set_folder(&mut self, path: &str) -> Result<Outcome, Failure> {
        std::env::set_current_dir(path).map_err(|error| {
            let what = format!("the folder {path} cannot be entered: {error}");
            Failure::Trouble { what, remedy: None }
        })?;
        self.hidden(&format!("std::env::set_current_dir({path:?}).unwrap();"))
    }

    /// Runs what is none of the user's business. What evcxr says about it is dropped, its failure is not.
    fn hidden(&mut self, source: &str) -> Result<Outcome, Failure> {
        let mut outcome = self.execute(source, &mut String::new)?;
        if let Outcome::Ran { value, .. } = &mut outcome {
            *value = None;
        }
        Ok(outcome)
    }

    /// Ends the process that runs cells, and what the cells started, before evcxr starts the next.
    fn end_process(&self) {
        if let Some(runtime) = self.story.runtime() {
            family::kill_cells(runtime);
            self.story.died();
        }
    }

    fn execute(&mut self, source: &str, ask: &mut dyn FnMut() -> String) -> Result<Outcome, Failure> {
        let before = self.names();
        self.story.begin();
        let ask = RefCell::new(ask);
        let mut callbacks = EvalCallbacks { input_reader: &|_| (ask.borrow_mut())() };
        let result = self.context.execute_with_callbacks(source, &mut callbacks);
        let result = result.and_then(|outputs| Ok((self.told(&outputs)?, outputs)));
        let turn = self.now.close();
        let result = match result {
            Err(Error::SubprocessTerminated(said)) => {
                Err(Ending::Died(self.story.died().died.unwrap_or(said)))
            }
            // It was killed when the cell had just ended, and evcxr would find out in the next.
            Ok(_) if turn.killed => Err(Ending::Died(self.restarted())),
            Ok((told, outputs)) => Ok((told, outputs)),
            Err(error) => Err(Ending::Told(error)),
        };
        let lost = self.lost(&before);
        match result {
            Ok((told, outputs)) => self.ran(told, &outputs, source, lost),
            Err(_) if turn.interrupted => Err(Failure::Interrupted { lost }),
            Err(Ending::Died(cause)) => Err(Failure::Died { cause, lost }),
            Err(Ending::Told(error)) => Err(Failure::Compile(diagnostics::of(&error))),
        }
    }

    /// Starts the process that runs cells again, and says what the last one died of.
    fn restarted(&mut self) -> String {
        let cause = self.story.died().died.unwrap_or_default();
        match self.context.execute(":restart") {
            Ok(_) => cause,
            Err(error) => format!("{cause}; evcxr does not start it again: {error}"),
        }
    }

    /// What the relay told, if anything was run.
    fn told(&self, outputs: &EvalOutputs) -> Result<Told, Error> {
        if outputs.phases.is_empty() {
            return Ok(Told::default());
        }
        let source = self.context.last_source()?;
        Ok(self.story.ended(entry(&source).unwrap_or_default()))
    }

    fn ran(
        &self,
        mut told: Told,
        outputs: &EvalOutputs,
        cell: &str,
        lost: Vec<String>,
    ) -> Result<Outcome, Failure> {
        if let Some(panic) = told.panic {
            self.story.display(told.last);
            let (place, message) = self.placed(panic);
            return Err(Failure::Panic { message, place, lost });
        }
        if let Some(message) = told.question {
            self.story.display(told.last);
            return Err(Failure::Question { message });
        }
        let said = said(&outputs.content_by_mime_type);
        let value = self.value(std::mem::take(&mut told.last), cell);
        // A command's words are the value of a cell that is nothing else.
        let value = match (value, said.is_empty()) {
            (None, false) => Some(said),
            (value, true) => value,
            (value, false) => {
                self.story.display(said);
                value
            }
        };
        let notes = told.redefined.iter().map(|name| format!("`{name}` is gone: its type was defined anew"));
        let (compile, run) = durations(outputs);
        Ok(Outcome::Ran { value: value.map(contents), notes: notes.collect(), compile, run })
    }

    /// Shows what is not the value, and gives the value.
    fn value(&self, mut last: Vec<(String, String)>, cell: &str) -> Option<Vec<(String, String)>> {
        let source = self.context.last_source().unwrap_or_default();
        let value = match kind(&source, cell) {
            Value::None => Vec::new(),
            Value::Display => std::mem::take(&mut last),
            Value::Debug => last.pop().into_iter().collect(),
        };
        self.story.display(last);
        let unit = matches!(value.as_slice(), [(_, text)] if text == "()");
        (!value.is_empty() && !unit).then_some(value)
    }

    /// The place of a panic in a cell, or its place elsewhere as a part of the message.
    fn placed(&self, panic: Panic) -> (Option<assay_link::evcxr::Place>, String) {
        let Panic { file, line, column, message } = panic;
        let source =
            if file == "src/lib.rs" { self.context.last_source().unwrap_or_default() } else { String::new() };
        match place(&source, line, column, &self.cells) {
            None if !file.is_empty() => (None, format!("{message}\n(at {file}:{line}:{column})")),
            found => (found, message),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.context.variables_and_types().map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    }

    fn lost(&self, before: &[String]) -> Vec<String> {
        let now = self.names();
        before.iter().filter(|name| now.binary_search(name).is_err()).cloned().collect()
    }
}

/// What commands said. evcxr has no order for the forms.
fn said(by_mime: &HashMap<String, String>) -> Vec<(String, String)> {
    let mut all: Vec<_> =
        by_mime.iter().map(|(mime, text)| (mime.clone(), text.trim_end().to_owned())).collect();
    all.sort();
    all
}

/// The name of the function that evcxr wrote around the cell.
fn entry(source: &str) -> Option<&str> {
    source.lines().rev().find_map(|line| line.strip_prefix("pub extern \"C\" fn ")?.split('(').next())
}

/// How evcxr shows the value is a line of its own in the function that it writes around the cell.
fn kind(source: &str, cell: &str) -> Value {
    let function = source.rfind("\npub extern \"C\" fn ").map_or("", |at| &source[at..]);
    let more = |wanted: &str| {
        let count = |text: &str| text.lines().filter(|line| line.starts_with(wanted)).count();
        count(function) > count(cell)
    };
    if more(").evcxr_display();") {
        Value::Display
    } else if more("evcxr_send_text_plain(&format!(") || more("); evcxr_send_text_plain(&format!(") {
        Value::Debug
    } else {
        Value::None
    }
}

/// How long it took to compile and to run.
fn durations(outputs: &EvalOutputs) -> (Duration, Duration) {
    let sum = |run: bool| {
        let phases = outputs.phases.iter().filter(|phase| (phase.name == "Execution") == run);
        phases.map(|phase| phase.duration).sum()
    };
    (sum(false), sum(true))
}

#[cfg(test)]
mod tests {
    use super::{Value, entry, kind};

    #[test]
    fn the_kind_of_value_is_read_from_the_source() {
        let check = |body: &str, cell: &str, expected: Value| {
            let source = format!("fn item() {{}}\npub extern \"C\" fn run_user_code_3(\n{body}\n}}\n");
            assert_eq!(kind(&source, cell), expected, "{body}");
            assert_eq!(entry(&source), Some("run_user_code_3"));
        };
        check("let x = 1;", "let x = 1;", Value::None);
        check("(\nx\n).evcxr_display();", "x", Value::Display);
        check("x\n).evcxr_display();", "x\n).evcxr_display();", Value::None);
        check(
            "fn evcxr_send_text_plain(text : & str) {}\nevcxr_send_text_plain(&format!(\"{:?}\",&(\n\nx\n)));",
            "x",
            Value::Debug,
        );
    }
}
