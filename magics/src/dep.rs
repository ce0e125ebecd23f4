//! `%dep`: add a crate.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::specification::specification;
use clap::Command;

/// `%dep SPECIFICATION`.
#[derive(Debug)]
pub(crate) struct Dep;

impl Magic for Dep {
    fn name(&self) -> &'static str {
        "dep"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "add a crate that cells can use"
    }

    fn options(&self) -> Command {
        let help = "as in Cargo.toml: serde = \"1\", tokio = { version = \"1\", features = [\"full\"] }; a name alone or a path works too";
        command().arg(rest("SPECIFICATION", help).required(true))
    }

    fn example(&self) -> &'static str {
        r#"%dep regex = "1""#
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        specification(&call.rest).map_err(|wrong| {
            let start = call.rest_span.start;
            Complaint::new(wrong.message, start + wrong.span.start..start + wrong.span.end)
                .with_hint(wrong.hint)
        })?;
        Ok(Plan::Session(SessionStep::Dependencies { specifications: vec![call.rest.clone()] }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Done => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{complaint, plan};

    #[test]
    fn the_specification_stays_as_it_is_typed() {
        let check = |cell: &str, specification: &str| {
            let specifications = vec![specification.to_owned()];
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::Dependencies { specifications })), "{cell}");
        };
        check("%dep regex = \"1\"", "regex = \"1\"");
        check(":dep regex = \"1\"", "regex = \"1\"");
        check("  :dep a = { path = \"../a\" }", "a = { path = \"../a\" }");
        assert_eq!(
            complaint("x;\n%dep a = 1 2"),
            "12..15 string values must be quoted, expected literal string"
        );
        assert_eq!(complaint("%dep"), "0..4 `%dep` needs SPECIFICATION");
        assert_eq!(complaint(":dep"), "0..4 `:dep` needs SPECIFICATION");
    }
}
