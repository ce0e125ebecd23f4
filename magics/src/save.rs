//! `%save`: cells into a file.

use crate::history::{chosen_ranges, range_argument};
use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, flag};
use crate::outcome::Outcome;
use crate::plan::{HistoryStep, Plan, SessionStep};
use crate::render::Bundle;
use clap::{Arg, Command, ValueHint, value_parser};
use std::path::PathBuf;

/// `%save [-a] [-f] FILE [RANGE …]`.
#[derive(Debug)]
pub(crate) struct Save;

impl Magic for Save {
    fn name(&self) -> &'static str {
        "save"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "write cells to a file"
    }

    fn options(&self) -> Command {
        let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
        let file =
            file.value_hint(ValueHint::FilePath).help("the file; .rs is added to a name without an ending");
        let append = flag("a", "add to the file instead of replacing it");
        let force = flag("f", "replace an existing file without asking");
        command().args([append, force, file, range_argument()])
    }

    fn example(&self) -> &'static str {
        "%save -f session.rs 1-4"
    }

    fn wants(&self) -> Wants {
        Wants::File
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let mut path = call.matches.get_one::<PathBuf>("file").cloned().unwrap_or_default();
        if path.extension().is_none() {
            path.set_extension("rs");
        }
        Ok(Plan::Session(SessionStep::SaveCells {
            from: HistoryStep { ranges: chosen_ranges(&call.matches), ..HistoryStep::default() },
            path,
            append: call.matches.get_flag("a"),
            force: call.matches.get_flag("f"),
        }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Written { path, .. } => {
                Ok(Report::shown(Bundle::text(format!("Wrote {}", path.display()))))
            }
            Outcome::Declined => Ok(Report::shown(Bundle::text("Nothing was written."))),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{complaint, plan};

    #[test]
    fn the_file_gets_an_ending() {
        let check = |cell: &str, expected: (&str, bool, bool, usize)| match plan(cell).unwrap() {
            Plan::Session(SessionStep::SaveCells { from, path, append, force }) => {
                assert_eq!((path.to_str().unwrap(), append, force, from.ranges.len()), expected, "{cell}");
            }
            other => panic!("{other:?}"),
        };
        check("%save work", ("work.rs", false, false, 0));
        check("%save -f work.txt 1-3 7", ("work.txt", false, true, 2));
        check("%save work 1 -a", ("work.rs", true, false, 1));
        check("%save 'my work' 1", ("my work.rs", false, false, 1));
        assert_eq!(complaint("%save -f"), "0..8 `%save` needs FILE");
    }
}
