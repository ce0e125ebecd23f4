//! `%reset`: forget everything.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::{command, flag};
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::Command;

/// `%reset [-f] [-s]`.
#[derive(Debug)]
pub(crate) struct Reset;

impl Magic for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "forget every variable and item, after asking"
    }

    fn options(&self) -> Command {
        let force = flag("f", "do not ask first");
        let soft = flag("s", "keep the history, as this always does");
        command().args([force, soft])
    }

    fn example(&self) -> &'static str {
        "%reset -f"
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let ask = !call.matches.get_flag("f");
        let question =
            ask.then(|| "Every variable and item will be forgotten for good. Go on? (y/[n]) ".to_owned());
        Ok(Plan::Session(SessionStep::Reset { question }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Declined => Ok(Report::shown(Bundle::text("Nothing was forgotten."))),
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{plan, shown};

    #[test]
    fn it_asks_unless_told_not_to() {
        let asks = |cell: &str| match plan(cell).unwrap() {
            Plan::Session(SessionStep::Reset { question }) => question.is_some(),
            other => panic!("{other:?}"),
        };
        assert!(asks("%reset"));
        assert!(asks("%reset -s"));
        assert!(!asks("%reset -f"));
        assert!(!asks("%reset -sf"));
        assert!(!asks(":clear"));
        assert_eq!(shown("%reset", Outcome::Declined), "Nothing was forgotten.");
    }
}
