//! `%del`: drop variables.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use clap::Command;
use ra_ap_rustc_lexer::is_ident;

/// `%del NAME …`.
#[derive(Debug)]
pub(crate) struct Del;

impl Magic for Del {
    fn name(&self) -> &'static str {
        "del"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "drop variables"
    }

    fn options(&self) -> Command {
        command().arg(rest("NAME …", "the variables to drop").required(true))
    }

    fn example(&self) -> &'static str {
        "%del numbers"
    }

    fn wants(&self) -> Wants {
        Wants::Variable
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Forget { names: names(call)? }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// The names, between spaces or commas.
fn names(call: &Call) -> Result<Vec<String>, Complaint> {
    let mut names = Vec::new();
    let mut at = call.rest_span.start;
    for word in call.rest.split([',', ' ', '\t']) {
        let span = at..at + word.len();
        at = span.end + 1;
        if is_ident(word.strip_prefix("r#").unwrap_or(word)) {
            names.push(word.to_owned());
        } else if !word.is_empty() {
            return Err(Complaint::new(format!("`{word}` is no name of a variable"), span).with_usage(&Del));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{complaint, plan};

    #[test]
    fn names_stand_between_spaces_or_commas() {
        let check = |cell: &str, expected: &[&str]| {
            let names = expected.iter().map(ToString::to_string).collect();
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::Forget { names })), "{cell}");
        };
        check("%del a", &["a"]);
        check("%del a, b", &["a", "b"]);
        check("%del a b,r#type", &["a", "b", "r#type"]);
        assert_eq!(complaint("%del a, 1b"), "8..10 `1b` is no name of a variable");
        assert_eq!(complaint("%del"), "0..4 `%del` needs NAME …");
    }
}
