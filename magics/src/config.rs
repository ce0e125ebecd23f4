//! `%config`: the settings of the session.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, rest};
use crate::outcome::{Outcome, Setting};
use crate::plan::{ConfigStep, Plan, SessionStep};
use crate::render::{Bundle, Side, Table};
use clap::Command;

/// `%config [KEY[=VALUE]]`.
#[derive(Debug)]
pub(crate) struct Config;

impl Magic for Config {
    fn name(&self) -> &'static str {
        "config"
    }

    fn form(&self) -> Form {
        Form::Line
    }

    fn summary(&self) -> &'static str {
        "list, show or change settings"
    }

    fn options(&self) -> Command {
        command().arg(rest("KEY[=VALUE]", "the setting to show or to change; without it, all are listed"))
    }

    fn example(&self) -> &'static str {
        "%config"
    }

    fn wants(&self) -> Wants {
        Wants::Setting
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        let step = match call.rest.split_once('=') {
            None if call.rest.is_empty() => ConfigStep::List,
            None => ConfigStep::Get { key: call.rest.clone() },
            Some((key, value)) => {
                ConfigStep::Set { key: key.trim().to_owned(), value: value.trim().to_owned() }
            }
        };
        Ok(Plan::Session(SessionStep::Config(step)))
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        let Outcome::Config(settings) = outcome else {
            return Err(Complaint::unexpected(call, &outcome));
        };
        Ok(Report::shown(match (call.rest.is_empty(), settings.as_slice()) {
            (false, [Setting { key, value, help }]) => Bundle::text(format!("{key} = {value}\n{help}")),
            _ => list(&settings),
        }))
    }
}

fn list(settings: &[Setting]) -> Bundle {
    let mut table = Table::new([("Setting", Side::Left), ("Value", Side::Left), ("Meaning", Side::Left)]);
    for setting in settings {
        table.row([setting.key.clone(), setting.value.clone(), setting.help.clone()]);
    }
    table.bundle()
}

#[cfg(test)]
mod tests {
    use crate::outcome::{Outcome, Setting};
    use crate::plan::{ConfigStep, Plan, SessionStep};
    use crate::trial::{plan, shown};

    #[test]
    fn every_spelling_is_understood() {
        let check = |cell: &str, step: ConfigStep| {
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::Config(step))), "{cell}");
        };
        check("%config", ConfigStep::List);
        check("%config opt", ConfigStep::Get { key: "opt".into() });
        check("%config opt=3", ConfigStep::Set { key: "opt".into(), value: "3".into() });
        check("%config opt = 3", ConfigStep::Set { key: "opt".into(), value: "3".into() });
    }

    #[test]
    fn one_setting_is_a_line_and_all_are_a_table() {
        let settings =
            || Outcome::Config(vec![Setting { key: "opt".into(), value: "3".into(), help: "0 to 3".into() }]);
        assert_eq!(shown("%config opt=3", settings()), "opt = 3\n0 to 3");
        assert_eq!(
            shown("%config", settings()),
            "Setting  Value  Meaning\n-----------------------\nopt      3      0 to 3"
        );
    }
}
