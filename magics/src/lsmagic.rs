//! `%lsmagic`: what magics there are.

use crate::help;
use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::Plan;
use clap::Command;

/// `%lsmagic`.
#[derive(Debug)]
pub(crate) struct Lsmagic;

impl Magic for Lsmagic {
    fn name(&self) -> &'static str {
        "lsmagic"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "list all magics and what they do"
    }

    fn options(&self) -> Command {
        command()
    }

    fn example(&self) -> &'static str {
        "%lsmagic"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Nothing)
    }

    fn report(&self, _call: &Call, _outcome: Outcome) -> Result<Report, Complaint> {
        Ok(Report::shown(help::list()))
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::trial::shown;

    #[test]
    fn every_form_is_listed_with_its_sign() {
        let list = shown("%lsmagic", Outcome::Done);
        for spelling in ["%who ", "%%bash ", ":dep ", "\n! "] {
            assert!(list.contains(spelling), "{spelling:?} is missing from\n{list}");
        }
    }
}
