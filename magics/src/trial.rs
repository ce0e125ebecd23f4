//! For tests: what the one magic of a cell plans, reports and complains about.

use crate::cell::{Prepared, Step, steps};
use crate::magic::{Complaint, Report};
use crate::outcome::{Outcome, Variable};
use crate::plan::Plan;

fn prepared(cell: &str) -> Result<Prepared, Complaint> {
    let mut steps = steps(cell)?;
    match steps.pop() {
        Some(Step::Magic(prepared)) if steps.is_empty() => Ok(*prepared),
        last => panic!("{cell:?} is not one magic but {steps:?} and {last:?}"),
    }
}

/// The plan of the cell's one magic.
pub(crate) fn plan(cell: &str) -> Result<Plan, Complaint> {
    prepared(cell).map(|prepared| prepared.plan)
}

/// What the cell's one magic makes of `outcome`.
pub(crate) fn report(cell: &str, outcome: Outcome) -> Result<Report, Complaint> {
    let prepared = prepared(cell).unwrap();
    prepared.magic.report(&prepared.call, outcome)
}

/// The plain text that is shown under the cell.
pub(crate) fn shown(cell: &str, outcome: Outcome) -> String {
    let report = report(cell, outcome).unwrap();
    report.shown.unwrap().plain().to_owned()
}

/// The span and the message of what is wrong with the cell.
pub(crate) fn complaint(cell: &str) -> String {
    let complaint = steps(cell).unwrap_err();
    format!("{:?} {}", complaint.span, complaint.message)
}

/// Two variables.
pub(crate) fn some_variables() -> Outcome {
    let variable = |name: &str, type_name: &str, size| Variable {
        name: name.into(),
        type_name: type_name.into(),
        size: Some(size),
    };
    Outcome::Variables(vec![variable("count", "i32", 4), variable("names", "Vec<&'static str>", 24)])
}
