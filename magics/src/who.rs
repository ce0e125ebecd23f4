//! `%who`: the names of the variables.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::{Outcome, Variable};
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::{Arg, Command};

/// `%who [TYPE …]`.
#[derive(Debug)]
pub(crate) struct Who;

impl Magic for Who {
    fn name(&self) -> &'static str {
        "who"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "list the names of all variables"
    }

    fn options(&self) -> Command {
        command().arg(types())
    }

    fn example(&self) -> &'static str {
        "%who"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Variables))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let variables = wanted(call, outcome)?;
        let names: Vec<&str> = variables.iter().map(|variable| variable.name.as_str()).collect();
        let text = if names.is_empty() { none(call).to_owned() } else { names.join("   ") };
        Ok(Report::shown(Bundle::text(text)))
    }
}

/// The argument that narrows variables down by their types.
pub(crate) fn types() -> Arg {
    let help = "only variables of this type, with or without its path and its generics";
    Arg::new("type").value_name("TYPE").num_args(0..).help(help)
}

/// The variables that the call asks for.
pub(crate) fn wanted(call: &Call, outcome: Outcome) -> Result<Vec<Variable>, Complaint> {
    let Outcome::Variables(mut variables) = outcome else {
        return Err(Complaint::unexpected(call, &outcome));
    };
    if let Some(types) = call.matches.get_many::<String>("type") {
        let types: Vec<&String> = types.collect();
        variables.retain(|variable| types.iter().any(|wanted| is_type(&variable.type_name, wanted)));
    }
    Ok(variables)
}

/// What is said when there are none.
pub(crate) fn none(call: &Call) -> &'static str {
    if call.matches.contains_id("type") { "No variable is of that type." } else { "There are no variables." }
}

/// Whether `wanted` names the type: `Vec`, `Vec<i32>` and `alloc::vec::Vec` all name `alloc::vec::Vec<i32>`.
fn is_type(name: &str, wanted: &str) -> bool {
    let (path, generics) = name.find('<').map_or((name, ""), |at| name.split_at(at));
    let last = path.rsplit("::").next().unwrap_or(path);
    [name, path, last].contains(&wanted) || wanted.strip_suffix(generics).is_some_and(|base| base == last)
}

#[cfg(test)]
mod tests {
    use super::is_type;
    use crate::outcome::Outcome;
    use crate::trial::{shown, some_variables};

    #[test]
    fn names_stand_on_one_line() {
        assert_eq!(shown("%who", some_variables()), "count   names");
        assert_eq!(shown("%who i32 f64", some_variables()), "count");
        assert_eq!(shown("%who f64", some_variables()), "No variable is of that type.");
        assert_eq!(shown("%who", Outcome::Variables(Vec::new())), "There are no variables.");
    }

    #[test]
    fn a_type_may_be_named_without_path_and_generics() {
        let check = |wanted: &str, expected: bool| {
            assert_eq!(is_type("alloc::vec::Vec<i32>", wanted), expected, "{wanted}");
        };
        check("Vec", true);
        check("Vec<i32>", true);
        check("alloc::vec::Vec", true);
        check("alloc::vec::Vec<i32>", true);
        check("Vec<u8>", false);
        check("vec", false);
        check("i32", false);
    }
}
