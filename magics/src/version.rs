//! `%version`: the versions of everything involved.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::{Side, Table};
use clap::Command;

/// `%version`.
#[derive(Debug)]
pub(crate) struct Version;

impl Magic for Version {
    fn name(&self) -> &'static str {
        "version"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "show the versions of the kernel, the compiler and their kin"
    }

    fn options(&self) -> Command {
        command()
    }

    fn example(&self) -> &'static str {
        "%version"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Versions))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Versions(versions) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        let mut table = Table::new([("Part", Side::Left), ("Version", Side::Left)]);
        for (part, version) in versions {
            table.row([part, version]);
        }
        Ok(Report::shown(table.bundle()))
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::trial::shown;

    #[test]
    fn parts_are_aligned() {
        let versions =
            vec![("assay".to_owned(), "0.1.0".to_owned()), ("rustc".to_owned(), "1.95.0".to_owned())];
        let expected = "Part   Version\n--------------\nassay  0.1.0\nrustc  1.95.0";
        assert_eq!(shown("%version", Outcome::Versions(versions)), expected);
    }
}
