//! `%%bash`: the cell as a script of bash.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{Plan, ProcessStep};
use clap::{Arg, Command};

/// `%%bash [ARGUMENT …]`.
#[derive(Debug)]
pub(crate) struct Bash;

impl Magic for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn summary(&self) -> &'static str {
        "run the cell with bash"
    }

    fn options(&self) -> Command {
        let arguments = Arg::new("argument").value_name("ARGUMENT").num_args(0..).allow_hyphen_values(true);
        command().arg(arguments.help("what bash itself is called with, for instance -e"))
    }

    fn example(&self) -> &'static str {
        "%%bash\necho hello"
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let arguments = call.matches.get_many::<String>("argument").unwrap_or_default();
        let command = std::iter::once("bash".to_owned()).chain(arguments.cloned()).collect();
        Ok(Plan::Process(ProcessStep { command, input: call.body.clone().unwrap_or_default() }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Exit { code: Some(0) } => Ok(Report::default()),
            Outcome::Exit { code: Some(code) } => Err(ended(call, &format!("bash ended with status {code}"))),
            Outcome::Exit { code: None } => Err(ended(call, "bash was ended by a signal")),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// A script that fails fails the cell, as in IPython.
fn ended(call: &Call, message: &str) -> Complaint {
    Complaint::new(message, call.name_span.clone()).with_hint("what it wrote stands above")
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, ProcessStep};
    use crate::trial::{plan, report};

    #[test]
    fn the_body_is_the_script() {
        let check = |cell: &str, command: &[&str], input: &str| {
            let command = command.iter().map(ToString::to_string).collect();
            assert_eq!(plan(cell), Ok(Plan::Process(ProcessStep { command, input: input.into() })), "{cell}");
        };
        check("%%bash\necho 'a\n", &["bash"], "echo 'a\n");
        check("%%bash -e -x\nls", &["bash", "-e", "-x"], "ls");
    }

    #[test]
    fn a_script_that_fails_fails_the_cell() {
        let end =
            |code| report("%%bash\nls", Outcome::Exit { code }).err().map(|complaint| complaint.message);
        assert_eq!(end(Some(0)), None);
        assert_eq!(end(Some(2)), Some("bash ended with status 2".into()));
        assert_eq!(end(None), Some("bash was ended by a signal".into()));
    }
}
