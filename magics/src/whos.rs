//! `%whos`: the variables with type and size.

use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::{Outcome, Variable};
use crate::plan::{Plan, SessionStep};
use crate::render::{Bundle, Side, Table};
use crate::who::{none, types, wanted};
use clap::Command;

/// `%whos [TYPE …]`.
#[derive(Debug)]
pub(crate) struct Whos;

impl Magic for Whos {
    fn name(&self) -> &'static str {
        "whos"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "list all variables with their types and sizes"
    }

    fn options(&self) -> Command {
        command().arg(types())
    }

    fn example(&self) -> &'static str {
        "%whos"
    }

    fn plan(&self, _call: &Call) -> Result<Plan, Complaint> {
        Ok(Plan::Session(SessionStep::Variables))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let variables = wanted(call, outcome)?;
        let bundle = if variables.is_empty() { Bundle::text(none(call)) } else { table(&variables).bundle() };
        Ok(Report::shown(bundle))
    }
}

/// One row for each variable. Sizes are a column only where the engine knows any.
pub(crate) fn table(variables: &[Variable]) -> Table {
    let sized = variables.iter().any(|variable| variable.size.is_some());
    let mut columns = vec![("Variable", Side::Left), ("Type", Side::Left)];
    columns.extend(sized.then_some(("Size (bytes)", Side::Right)));
    let mut table = Table::new(columns);
    for variable in variables {
        let size = variable.size.map_or_else(|| "not known".to_owned(), |size| size.to_string());
        let cells = [variable.name.clone(), variable.type_name.clone()];
        table.row(cells.into_iter().chain(sized.then_some(size)));
    }
    table
}

#[cfg(test)]
mod tests {
    use crate::outcome::{Outcome, Variable};
    use crate::trial::{report, shown, some_variables};

    #[test]
    fn name_type_and_size_are_aligned() {
        let expected = "\
Variable  Type               Size (bytes)
-----------------------------------------
count     i32                           4
names     Vec<&'static str>            24";
        assert_eq!(shown("%whos", some_variables()), expected);
        assert_eq!(shown(":vars", some_variables()), expected);
    }

    #[test]
    fn a_size_that_nobody_knows_is_not_claimed() {
        let variable = |size| Variable { name: "x".into(), type_name: "T".into(), size };
        let none = shown("%whos", Outcome::Variables(vec![variable(None)]));
        assert_eq!(none, "Variable  Type\n--------------\nx         T");
        let some = shown("%whos", Outcome::Variables(vec![variable(None), variable(Some(1))]));
        assert!(some.contains("not known"), "{some}");
    }

    #[test]
    fn types_are_escaped_in_html() {
        let report = report("%whos", some_variables()).unwrap();
        let html = report.shown.unwrap().data["text/html"].as_str().unwrap().to_owned();
        assert!(html.contains("Vec&lt;&amp;&#39;static str&gt;"), "{html}");
        assert!(html.contains("<th scope=\"col\"") && html.contains("<th scope=\"row\""), "{html}");
    }
}
