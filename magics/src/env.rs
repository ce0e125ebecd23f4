//! `%env`: the environment of everything that the notebook runs.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{EnvironmentStep, Plan, SessionStep};
use crate::render::{Bundle, Side, Table};
use clap::Command;

/// A value under a name with one of these in it is not listed, as in IPython: notebooks are shared with their outputs.
const SECRET: [&str; 4] = ["key", "token", "secret", "password"];

/// `%env [NAME[=VALUE] | NAME VALUE]`.
#[derive(Debug)]
pub(crate) struct Env;

impl Magic for Env {
    fn name(&self) -> &'static str {
        "env"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "list, show or set environment variables"
    }

    fn options(&self) -> Command {
        command().arg(rest(
            "NAME[=VALUE] | NAME VALUE",
            "the variable to show or to set; without it, all are listed",
        ))
    }

    fn example(&self) -> &'static str {
        "%env RUST_BACKTRACE=1"
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let (name, value) = name_and_value(&call.rest);
        let step = match (name, value) {
            ("", None) => EnvironmentStep::List,
            (name, None) => EnvironmentStep::Get { name: name.to_owned() },
            (name, Some(value)) => EnvironmentStep::Set { name: name.to_owned(), value: value.to_owned() },
        };
        if name.contains(char::is_whitespace)
            || (name.is_empty() && value.is_some())
            || call.rest.contains('\0')
        {
            let message = format!("`{name}` is no name of an environment variable");
            return Err(Complaint::new(message, call.rest_span.clone()).with_usage(self));
        }
        Ok(Plan::Session(SessionStep::Environment(step)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Environment(variables) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Report::shown(match (name_and_value(&call.rest), variables.first()) {
            (("", None), _) => list(&variables),
            ((_, None), Some((_, value))) => Bundle::text(value.as_str()),
            ((_, Some(_)), Some((name, value))) => Bundle::text(format!("env: {name}={value}")),
            ((name, _), None) => Bundle::text(format!("There is no environment variable {name}.")),
        }))
    }
}

/// `NAME=VALUE` or `NAME VALUE`, whichever sign comes first.
fn name_and_value(text: &str) -> (&str, Option<&str>) {
    match text.find(|sign: char| sign == '=' || sign.is_whitespace()) {
        None => (text, None),
        Some(at) => {
            let value = text[at..].trim_start();
            (&text[..at], Some(value.strip_prefix('=').unwrap_or(value).trim()))
        }
    }
}

fn list(variables: &[(String, String)]) -> Bundle {
    let mut table = Table::new([("Name", Side::Left), ("Value", Side::Left)]);
    for (name, value) in variables {
        let lower = name.to_lowercase();
        let hidden = SECRET.iter().any(|word| lower.contains(word));
        let value = if hidden { "<hidden>".to_owned() } else { value.replace('\n', "\\n") };
        table.row([name.clone(), value]);
    }
    table.bundle()
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{EnvironmentStep, Plan, SessionStep};
    use crate::trial::{complaint, plan, shown};

    #[test]
    fn every_spelling_is_understood() {
        let check = |cell: &str, step: EnvironmentStep| {
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::Environment(step))), "{cell}");
        };
        let set = |name: &str, value: &str| EnvironmentStep::Set { name: name.into(), value: value.into() };
        check("%env", EnvironmentStep::List);
        check("%env HOME", EnvironmentStep::Get { name: "HOME".into() });
        check("%env A=1", set("A", "1"));
        check("%env A 1", set("A", "1"));
        check("%env A = 1", set("A", "1"));
        check("%env A=b c=d", set("A", "b c=d"));
        check("%env A=", set("A", ""));
        check(":env A=1", set("A", "1"));
        assert_eq!(complaint("%env =1"), "5..7 `` is no name of an environment variable");
    }

    #[test]
    fn values_that_look_secret_are_not_listed() {
        let variables = |names: &[&str]| {
            Outcome::Environment(names.iter().map(|name| (name.to_string(), "x".to_owned())).collect())
        };
        let list = shown("%env", variables(&["API_TOKEN", "PATH"]));
        assert!(list.contains("API_TOKEN  <hidden>") && list.contains("PATH       x"), "{list}");
        assert_eq!(shown("%env PATH", variables(&["PATH"])), "x");
        assert_eq!(shown("%env PATH=x", variables(&["PATH"])), "env: PATH=x");
        assert_eq!(shown("%env PATH", variables(&[])), "There is no environment variable PATH.");
    }
}
