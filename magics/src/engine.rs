//! `%engine`: what compiles and runs the cells.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use clap::{Arg, Command};

/// The engines that there are.
const ENGINES: [&str; 2] = ["native", "evcxr"];

/// `%engine [NAME]`.
#[derive(Debug)]
pub(crate) struct Engine;

impl Magic for Engine {
    fn name(&self) -> &'static str {
        "engine"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "show or change what compiles and runs the cells"
    }

    fn options(&self) -> Command {
        let name = Arg::new("name").value_name("NAME").value_parser(ENGINES);
        command().arg(name.help("the engine to change to; its notebook begins without variables"))
    }

    fn example(&self) -> &'static str {
        "%engine evcxr"
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let change_to = call.matches.get_one::<String>("name").cloned();
        Ok(Plan::Session(SessionStep::Engine { change_to }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Engine { current, available } = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Report::shown(Bundle::text(format!("{current} (there are: {})", available.join(", ")))))
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{complaint, plan, shown};

    #[test]
    fn only_engines_that_there_are_can_be_chosen() {
        let check = |cell: &str, change_to: Option<&str>| {
            let change_to = change_to.map(Into::into);
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::Engine { change_to })), "{cell}");
        };
        check("%engine", None);
        check("%engine evcxr", Some("evcxr"));
        check("%engine native", Some("native"));
        assert_eq!(complaint("%engine steam"), "8..13 `steam` is no value for `NAME`");
    }

    #[test]
    fn the_one_in_use_comes_first() {
        let outcome =
            Outcome::Engine { current: "native".into(), available: vec!["native".into(), "evcxr".into()] };
        assert_eq!(shown("%engine", outcome), "native (there are: native, evcxr)");
    }
}
