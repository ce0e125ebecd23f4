//! `!command`: a line for the shell.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{Plan, ProcessStep};
use crate::render::Bundle;
use clap::Command;

/// What a shell ends with when there is no such command.
const NOT_FOUND: i32 = 127;

/// `!command`.
#[derive(Debug)]
pub(crate) struct Shell;

impl Magic for Shell {
    fn name(&self) -> &'static str {
        "!"
    }

    fn form(&self) -> Form {
        Form::Shell
    }

    fn summary(&self) -> &'static str {
        "run a command with the shell"
    }

    fn options(&self) -> Command {
        command().arg(rest("command", "a command for sh; it runs in the current folder").required(true))
    }

    fn example(&self) -> &'static str {
        "!ls -l"
    }

    fn wants(&self) -> Wants {
        Wants::File
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let command = ["sh", "-c", &call.rest].map(str::to_owned).to_vec();
        Ok(Plan::Process(ProcessStep { command, input: String::new() }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Exit { code: Some(0) } => Ok(Report::default()),
            Outcome::Exit { code: Some(NOT_FOUND) } => {
                let hint =
                    "a line that begins with ! goes to the shell; Rust's own stands in parentheses: (!x)";
                Ok(Report::shown(Bundle::text(format!("exit status {NOT_FOUND} ({hint})"))))
            }
            Outcome::Exit { code: Some(code) } => {
                Ok(Report::shown(Bundle::text(format!("exit status {code}"))))
            }
            Outcome::Exit { code: None } => Ok(Report::shown(Bundle::text("ended by a signal"))),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, ProcessStep};
    use crate::trial::{plan, report, shown};

    #[test]
    fn the_line_goes_to_the_shell_as_it_stands() {
        let check = |cell: &str, line: &str| {
            let command = vec!["sh".into(), "-c".into(), line.into()];
            assert_eq!(
                plan(cell),
                Ok(Plan::Process(ProcessStep { command, input: String::new() })),
                "{cell}"
            );
        };
        check("!ls -l", "ls -l");
        check("! echo 'it; \"x\" -- y'  ", "echo 'it; \"x\" -- y'");
        check("!-x", "-x");
        check("!-- x", "-- x");
        check("!echo a \\\n  b", "echo a \\\n  b");
    }

    /// `!` at a line's start is Rust's too: where the shell knows no such command, the way out is told.
    #[test]
    fn a_failure_is_shown_and_does_not_fail_the_cell() {
        let exit = |code| Outcome::Exit { code };
        assert_eq!(report("!true", exit(Some(0))).unwrap().shown, None);
        assert_eq!(shown("!false", exit(Some(1))), "exit status 1");
        assert!(shown("!flag", exit(Some(127))).contains("(!x)"));
        assert_eq!(shown("!kill $$", exit(None)), "ended by a signal");
    }
}
