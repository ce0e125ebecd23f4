//! evcxr's commands, `:name arguments`, so that its notebooks run unchanged: those with a meaning of Assay's own are the magic of
//! that meaning, the others go to the engine.

use crate::magic::{Call, Complaint, Form, Magic, Report, Wants};
use crate::options::{command, rest};
use crate::outcome::Outcome;
use crate::plan::{Plan, SessionStep};
use crate::render::Bundle;
use crate::{dep, env, help, version, whos};
use clap::{Arg, ArgAction};

/// A command of evcxr's.
pub(crate) struct Command {
    name: &'static str,
    summary: &'static str,
    example: &'static str,
    meaning: Meaning,
}

/// What a command does here.
enum Meaning {
    /// The same as a magic.
    Magic(&'static dyn Magic),
    /// `%reset -f`.
    Clear,
    /// `%lsmagic`.
    Help,
    /// evcxr's start-up files are run again.
    LoadConfig,
    /// It is the engine's. What it takes, for the usage line.
    Engine(Option<&'static str>),
    /// Nothing, and this is why.
    Refused(&'static str),
}

const fn engine(
    name: &'static str,
    takes: Option<&'static str>,
    summary: &'static str,
    example: &'static str,
) -> Command {
    Command { name, summary, example, meaning: Meaning::Engine(takes) }
}

const fn same(
    name: &'static str,
    magic: &'static dyn Magic,
    summary: &'static str,
    example: &'static str,
) -> Command {
    Command { name, summary, example, meaning: Meaning::Magic(magic) }
}

/// Every command of evcxr 0.22.
pub(crate) static COMMANDS: &[Command] = &[
    engine(
        "allow_static_linking",
        Some("0|1"),
        "whether crates may be linked statically",
        ":allow_static_linking 1",
    ),
    engine(
        "build_env",
        Some("KEY=VALUE"),
        "set an environment variable for builds",
        ":build_env RUSTFLAGS=-Cdebuginfo=0",
    ),
    engine(
        "cache",
        Some("MIB"),
        "show or set the size of the cache of compiled crates; 0 is none",
        ":cache 500",
    ),
    Command {
        name: "clear",
        summary: "forget every variable and item, as %reset -f",
        example: ":clear",
        meaning: Meaning::Clear,
    },
    engine("clear_cache", None, "empty the cache of compiled crates", ":clear_cache"),
    engine("codegen_backend", Some("NAME"), "show or set the code generator (nightly)", ":codegen_backend"),
    same("dep", &dep::Dep, "add a crate that cells can use, as %dep", r#":dep regex = "1""#),
    engine("doc", Some("NAME"), "show the documentation of a name", ":doc Vec"),
    engine("efmt", Some("FORMAT"), "how errors met by ? are formatted", ":efmt {:?}"),
    same("env", &env::Env, "set an environment variable, as %env", ":env RUST_BACKTRACE=1"),
    engine("explain", None, "explain the last error", ":explain"),
    engine("fmt", Some("FORMAT"), "how values are formatted", ":fmt {:?}"),
    Command {
        name: "help",
        summary: "list all magics, as %lsmagic",
        example: ":help",
        meaning: Meaning::Help,
    },
    engine("internal_debug", None, "toggle what helps to debug evcxr itself", ":internal_debug"),
    engine("last_compile_dir", None, "show the folder of the last compilation", ":last_compile_dir"),
    engine("last_error_json", None, "show the last error as JSON", ":last_error_json"),
    engine("linker", Some("NAME"), "show or set the linker: system, lld, mold", ":linker lld"),
    Command {
        name: "load_config",
        summary: "read evcxr's configuration files again",
        example: ":load_config --quiet",
        meaning: Meaning::LoadConfig,
    },
    engine("offline", Some("0|1"), "whether cargo works offline", ":offline 1"),
    engine("opt", Some("0|1|2|3|s|z"), "set the optimisation; toggle it without a level", ":opt 2"),
    engine(
        "preserve_vars_on_panic",
        Some("0|1"),
        "whether to keep variables when a cell panics",
        ":preserve_vars_on_panic 1",
    ),
    Command {
        name: "quit",
        summary: "tell how a notebook's kernel is ended",
        example: ":quit",
        meaning: Meaning::Refused(
            "A notebook's kernel is ended by its front end (in JupyterLab: Kernel, Shut Down Kernel).",
        ),
    },
    engine("restart", None, "start the process of the cells anew; variables are lost", ":restart"),
    engine("sccache", Some("0|1"), "whether to compile with sccache", ":sccache 1"),
    engine("show_deps", None, "list the crates that were added", ":show_deps"),
    engine("t", Some("NAME"), "show the type of a variable", ":t numbers"),
    engine("time_passes", None, "toggle showing how long each pass of rustc takes (nightly)", ":time_passes"),
    engine("timing", None, "toggle showing how long cells take", ":timing"),
    engine("toolchain", Some("NAME"), "show or set the toolchain", ":toolchain stable"),
    engine("type", Some("NAME"), "show the type of a variable", ":type numbers"),
    engine("types", None, "toggle showing the types of values", ":types"),
    same("vars", &whos::Whos, "list all variables with their types, as %whos", ":vars"),
    same("version", &version::Version, "show the versions, as %version", ":version"),
];

impl Magic for Command {
    fn name(&self) -> &'static str {
        self.name
    }

    fn form(&self) -> Form {
        Form::Colon
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn options(&self) -> clap::Command {
        match self.meaning {
            Meaning::Magic(magic) => magic.options(),
            Meaning::Engine(Some(takes)) => command().arg(rest(takes, "as evcxr takes it")),
            Meaning::LoadConfig => {
                let quiet = Arg::new("quiet").long("quiet").action(ArgAction::SetTrue);
                command().arg(quiet.help("do not show what the commands in them say"))
            }
            _ => command(),
        }
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn wants(&self) -> Wants {
        match self.meaning {
            Meaning::Magic(magic) => magic.wants(),
            Meaning::Engine(Some("NAME")) => Wants::Variable,
            _ => Wants::Nothing,
        }
    }

    fn plan(&self, call: &Call) -> Result<Plan, Complaint> {
        match self.meaning {
            Meaning::Magic(magic) => magic.plan(call),
            Meaning::Clear => Ok(Plan::Session(SessionStep::Reset { question: None })),
            Meaning::Engine(takes) => {
                self.check_choice(takes.unwrap_or_default(), call)?;
                Ok(Plan::Session(SessionStep::EngineCommand { line: self.line(call) }))
            }
            Meaning::LoadConfig => {
                Ok(Plan::Session(SessionStep::LoadConfig { quiet: call.matches.get_flag("quiet") }))
            }
            Meaning::Help | Meaning::Refused(_) => Ok(Plan::Nothing),
        }
    }

    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint> {
        match (&self.meaning, outcome) {
            (Meaning::Magic(magic), outcome) => magic.report(call, outcome),
            (Meaning::Help, _) => Ok(Report::shown(help::list())),
            (Meaning::Refused(why), _) => Ok(Report::shown(Bundle::text(*why))),
            (Meaning::Clear, Outcome::Done) => Ok(Report::default()),
            (Meaning::Engine(_) | Meaning::LoadConfig, Outcome::Text(text)) if text.trim().is_empty() => {
                Ok(Report::default())
            }
            (Meaning::Engine(_) | Meaning::LoadConfig, Outcome::Text(text)) => {
                Ok(Report::shown(Bundle::text(text)))
            }
            (_, other) => Err(Complaint::unexpected(call, &other)),
        }
    }
}

impl Command {
    /// evcxr takes what it is given (`:opt 9`) and fails at the next cell, and at every one after it.
    fn check_choice(&self, takes: &str, call: &Call) -> Result<(), Complaint> {
        let chosen = call.rest.trim();
        if chosen.is_empty() || !takes.contains('|') || takes.split('|').any(|choice| choice == chosen) {
            return Ok(());
        }
        let message = format!("`:{}` does not take `{chosen}`", self.name);
        let choices = takes.replace('|', ", ");
        Err(Complaint::new(message, call.rest_span.clone()).with_hint(format!("it takes one of {choices}")))
    }

    /// The command as the engine takes it.
    fn line(&self, call: &Call) -> String {
        format!(":{} {}", self.name, call.rest).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::outcome::Outcome;
    use crate::plan::{Plan, SessionStep};
    use crate::trial::{complaint, plan, report, shown};

    #[test]
    fn what_has_no_meaning_here_goes_to_the_engine() {
        let check = |cell: &str, line: &str| {
            let line = line.to_owned();
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::EngineCommand { line })), "{cell}");
        };
        check(":opt 2", ":opt 2");
        check(":opt", ":opt");
        check("  :fmt   {:?} ", ":fmt {:?}");
        check(":type x", ":type x");
        assert_eq!(shown(":opt 2", Outcome::Text("Optimization: 2".into())), "Optimization: 2");
        assert_eq!(report(":restart", Outcome::Text("\n".into())).unwrap().shown, None);
    }

    #[test]
    fn start_up_files_are_the_sessions() {
        let check = |cell: &str, quiet: bool| {
            assert_eq!(plan(cell), Ok(Plan::Session(SessionStep::LoadConfig { quiet })), "{cell}");
        };
        check(":load_config", false);
        check(":load_config --quiet", true);
    }

    #[test]
    fn a_choice_is_one_of_those_there_are() {
        assert_eq!(complaint(":opt 9"), "5..6 `:opt` does not take `9`");
        assert_eq!(complaint(":offline yes"), "9..12 `:offline` does not take `yes`");
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert_eq!(complaint(":optt 2"), "0..5 there is no magic `:optt`");
        assert_eq!(complaint(":timing 1"), "8..9 `:timing` takes no argument `1`");
        assert!(shown(":quit", Outcome::Done).contains("Shut Down"));
    }
}
