//! `%%writefile`: the cell into a file.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, flag};
use crate::outcome::Outcome;
use crate::plan::{FileStep, Plan};
use crate::render::Bundle;
use clap::{Arg, Command, ValueHint, value_parser};
use std::path::PathBuf;

/// `%%writefile [-a] FILE`.
#[derive(Debug)]
pub(crate) struct Writefile;

impl Magic for Writefile {
    fn name(&self) -> &'static str {
        "writefile"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn summary(&self) -> &'static str {
        "write the cell to a file"
    }

    fn options(&self) -> Command {
        let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
        let file = file.value_hint(ValueHint::FilePath).help("the file to write");
        command().arg(flag("a", "add to the file instead of replacing it")).arg(file)
    }

    fn example(&self) -> &'static str {
        "%%writefile notes.txt\nThe text of the file."
    }

    fn wants(&self) -> Wants {
        Wants::File
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::File(FileStep::Write {
            path: call.matches.get_one::<PathBuf>("file").cloned().unwrap_or_default(),
            content: call.body.clone().unwrap_or_default(),
            append: call.matches.get_flag("a"),
        }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Written { path, existed } = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        let verb = match (existed, call.matches.get_flag("a")) {
            (true, true) => "Appending to",
            (true, false) => "Overwriting",
            (false, _) => "Writing",
        };
        Ok(Report::shown(Bundle::text(format!("{verb} {}", path.display()))))
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{FileStep, Plan};
    use crate::trial::{complaint, plan, shown};

    #[test]
    fn the_body_is_the_file() {
        let check = |cell: &str, content: &str, append: bool| {
            let step = FileStep::Write { path: "a.txt".into(), content: content.into(), append };
            assert_eq!(plan(cell), Ok(Plan::File(step)), "{cell}");
        };
        check("%%writefile a.txt\none\n%two\n", "one\n%two\n", false);
        check("%%writefile -a a.txt\nit's", "it's", true);
        check("// a note\n\n%%writefile a.txt", "", false);
        assert_eq!(complaint("%%writefile\nx"), "0..11 `%%writefile` needs FILE");
    }

    #[test]
    fn it_says_what_became_of_the_file_before() {
        let written = |existed| Outcome::Written { path: "a.txt".into(), existed };
        assert_eq!(shown("%%writefile a.txt\n", written(false)), "Writing a.txt");
        assert_eq!(shown("%%writefile a.txt\n", written(true)), "Overwriting a.txt");
        assert_eq!(shown("%%writefile -a a.txt\n", written(true)), "Appending to a.txt");
    }
}
