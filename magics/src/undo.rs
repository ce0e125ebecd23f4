//! `%undo`: take back the last cell.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::Command;

/// `%undo`.
#[derive(Debug)]
pub(crate) struct Undo;

impl Magic for Undo {
    fn name(&self) -> &'static str {
        "undo"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "take back the last cell that changed anything: variables and names"
    }

    fn options(&self) -> Command {
        command()
    }

    fn example(&self) -> &'static str {
        "%undo"
    }

    fn plan(&self, _: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Undo))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Undone { cell, without } = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        let mut told = format!(
            "Variables and names are as they were before cell[{cell}].\nWhat it printed, and did to files and elsewhere, stays."
        );
        if !without.is_empty() {
            told.push_str(&format!("\nThese threads did not come back: {}.", without.join(", ")));
        }
        Ok(Report::shown(Bundle::text(told)))
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{plan, shown};

    #[test]
    fn what_stays_is_said() {
        assert_eq!(plan("%undo"), Ok(Plan::Session(SessionStep::Undo)));
        let undone = |without: &[&str]| Outcome::Undone {
            cell: 4,
            without: without.iter().map(|name| (*name).to_owned()).collect(),
        };
        let told = shown("%undo", undone(&[]));
        assert!(told.contains("before cell[4]") && told.contains("files"), "{told}");
        assert!(shown("%undo", undone(&["deaf"])).ends_with("did not come back: deaf."));
    }
}
