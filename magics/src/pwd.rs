//! `%pwd`: the current folder.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::Command;

/// `%pwd`.
#[derive(Debug)]
pub(crate) struct Pwd;

impl Magic for Pwd {
    fn name(&self) -> &'static str {
        "pwd"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "show the current folder"
    }

    fn options(&self) -> Command {
        command()
    }

    fn example(&self) -> &'static str {
        "%pwd"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Folder))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Folder(folder) => Ok(Report::shown(Bundle::text(folder.display().to_string()))),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::trial::{complaint, shown};

    #[test]
    fn it_shows_the_folder_and_takes_nothing() {
        assert_eq!(shown("%pwd", Outcome::Folder("/tmp".into())), "/tmp");
        assert_eq!(complaint("%pwd x"), "5..6 `%pwd` takes no argument `x`");
    }
}
