//! `%%capture`: the cell with its output kept back.

use crate::cell::steps;
use crate::magic::{Call, Complaint, Form, Magic, Report};
use crate::options::command;
use crate::outcome::Outcome;
use crate::plan::{CaptureStep, Plan};
use clap::{Arg, ArgAction, Command};
use ra_ap_rustc_lexer::is_ident;

/// `%%capture [--no-stdout] [--no-stderr] [--no-display] [VARIABLE]`.
#[derive(Debug)]
pub(crate) struct Capture;

impl Magic for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn form(&self) -> Form {
        Form::Cell
    }

    fn summary(&self) -> &'static str {
        "run the cell and keep back its output"
    }

    fn options(&self) -> Command {
        let no = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        command()
            .arg(no("no-stdout", "let standard output through"))
            .arg(no("no-stderr", "let standard error through"))
            .arg(no("no-display", "let displays and the value through"))
            .arg(
                Arg::new("variable")
                    .value_name("VARIABLE")
                    .help("the variable that receives what was kept back"),
            )
    }

    fn example(&self) -> &'static str {
        "%%capture output\nprintln!(\"hello\");"
    }

    fn has_rust_body(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        check_body(call)?;
        let variable = call.matches.get_one::<String>("variable").cloned();
        if let Some(name) = variable.as_ref().filter(|name| !is_ident(name)) {
            let message = format!("`{name}` is no name for a variable");
            return Err(Complaint::new(message, call.rest_span.clone()).with_usage(self));
        }
        Ok(Plan::Capture(CaptureStep {
            body: call.body.clone().unwrap_or_default(),
            offset: call.body_span.start,
            stdout: !call.matches.get_flag("no-stdout"),
            stderr: !call.matches.get_flag("no-stderr"),
            display: !call.matches.get_flag("no-display"),
            variable,
        }))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match outcome {
            Outcome::Captured { .. } => Ok(Report::default()),
            other => Err(Complaint::unexpected(call, &other)),
        }
    }
}

/// The body is a cell of its own: what is wrong with its magics is told before any of it runs.
fn check_body(call: &Call) -> Result<(), Complaint> {
    let offset = call.body_span.start;
    match steps(call.body.as_deref().unwrap_or_default()) {
        Ok(_) => Ok(()),
        Err(complaint) => {
            let span = complaint.span.start + offset..complaint.span.end + offset;
            Err(Complaint { span, ..complaint })
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{CaptureStep, Plan};
    use crate::trial::{complaint, plan};

    #[test]
    fn everything_is_kept_back_but_what_is_let_through() {
        let check = |cell: &str, kept: (bool, bool, bool), variable: Option<&str>, offset: usize| {
            let (stdout, stderr, display) = kept;
            let variable = variable.map(Into::into);
            let step = CaptureStep { body: "f()".into(), offset, stdout, stderr, display, variable };
            assert_eq!(plan(cell), Ok(Plan::Capture(step)), "{cell}");
        };
        check("%%capture\nf()", (true, true, true), None, 10);
        check("%%capture out\nf()", (true, true, true), Some("out"), 14);
        check("%%capture --no-stderr out\nf()", (true, false, true), Some("out"), 26);
        assert_eq!(complaint("%%capture 1x\nf()"), "10..12 `1x` is no name for a variable");
    }

    /// Nothing of a cell has run when one of its magics is wrong, and the body of `%%capture` is such a cell.
    #[test]
    fn a_wrong_magic_in_the_body_is_pointed_at() {
        assert_eq!(complaint("%%capture\nf();\n%whoo\n"), "15..20 there is no magic `%whoo`");
    }
}
