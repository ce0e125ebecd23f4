//! `%cd`: go to another folder.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, flag, rest};
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::Command;

/// `%cd [-q] [FOLDER]`.
#[derive(Debug)]
pub(crate) struct Cd;

impl Magic for Cd {
    fn name(&self) -> &'static str {
        "cd"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "change the current folder"
    }

    fn options(&self) -> Command {
        let folder = rest("FOLDER", "where to: - is the folder before, ~ or nothing is home");
        command().arg(flag("q", "do not show the new folder")).arg(folder)
    }

    fn example(&self) -> &'static str {
        "%cd .."
    }

    fn wants(&self) -> Wants {
        Wants::Folder
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let typed = unquoted(&call.rest);
        let to = if typed.is_empty() { "~" } else { typed };
        Ok(Plan::Session(SessionStep::ChangeFolder { to: to.to_owned() }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Folder(folder) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        let quiet = call.matches.get_flag("q");
        let shown = (!quiet).then(|| Bundle::text(folder.display().to_string()));
        Ok(Report { shown, ..Report::default() })
    }
}

/// A folder's name may hold spaces; quotes around all of it are not a part of it.
fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{plan, report, shown};

    #[test]
    fn where_to() {
        let check = |cell: &str, to: &str| {
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::ChangeFolder { to: to.into() })), "{cell}");
        };
        check("%cd", "~");
        check("%cd -", "-");
        check("%cd -q ..", "..");
        check("%cd my notes", "my notes");
        check("%cd \"my notes\"", "my notes");
        check("%cd -- -odd", "-odd");
    }

    #[test]
    fn it_shows_where_it_is_unless_told_not_to() {
        let folder = || Outcome::Folder("/tmp/x".into());
        assert_eq!(shown("%cd /tmp/x", folder()), "/tmp/x");
        assert_eq!(report("%cd -q /tmp/x", folder()).unwrap().shown, None);
    }
}
