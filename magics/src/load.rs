//! `%load`: a file into the cell.

use crate::magic::{Call, Complaint, Form, Magic, NextInput, Report, Wants};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{FileStep, Plan};
use clap::{Arg, Command, ValueHint, value_parser};
use std::path::PathBuf;

/// `%load FILE`.
#[derive(Debug)]
pub(crate) struct Load;

impl Magic for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "replace this cell by the text of a file"
    }

    fn options(&self) -> Command {
        let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
        command().arg(file.value_hint(ValueHint::FilePath).help("the file to read"))
    }

    fn example(&self) -> &'static str {
        "%load src/main.rs"
    }

    fn wants(&self) -> Wants {
        Wants::File
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let path = call.matches.get_one::<PathBuf>("file").cloned().unwrap_or_default();
        Ok(Plan::File(FileStep::Read { path }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Text(text) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        // The call stays as a comment, as in IPython: where the text is from can be seen, and the cell runs as it stands.
        let text = format!("// %load {}\n{text}", call.rest);
        Ok(Report { next_input: Some(NextInput { text, replace: true }), ..Report::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::magic::NextInput;
    use crate::outcome::Outcome;
    use crate::plan::{FileStep, Plan};
    use crate::trial::{plan, report};

    #[test]
    fn the_cell_becomes_the_file_below_a_comment() {
        assert_eq!(plan("%load 'a b.rs'"), Ok(Plan::File(FileStep::Read { path: "a b.rs".into() })));
        let report = report("%load a.rs", Outcome::Text("fn f() {}\n".into())).unwrap();
        let text = "// %load a.rs\nfn f() {}\n".to_owned();
        assert_eq!(report.next_input, Some(NextInput { text, replace: true }));
    }
}
