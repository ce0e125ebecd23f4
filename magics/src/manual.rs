//! `%magic`: the manual of all magics.

use crate::help;
use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::Plan;
use clap::Command;

/// `%magic`.
#[derive(Debug)]
pub(crate) struct Manual;

impl Magic for Manual {
    fn name(&self) -> &'static str {
        "magic"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "explain what magics are, and each one"
    }

    fn options(&self) -> Command {
        command()
    }

    fn example(&self) -> &'static str {
        "%magic"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Nothing)
    }

    fn report(&self, _call: &Call, _outcome: Outcome) -> Result<Report, Complaint> {
        Ok(Report { paged: Some(help::manual()), ..Report::default() })
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::table;
    use crate::trial::report;

    #[test]
    fn the_manual_goes_to_the_pager_and_knows_every_magic() {
        let report = report("%magic", Outcome::Done).unwrap();
        assert_eq!(report.shown, None);
        let text = report.paged.unwrap().plain().to_owned();
        for magic in table::all() {
            assert!(text.contains(magic.summary()), "{} is missing", magic.name());
        }
    }
}
