//! `assay`: a Jupyter kernel for Rust that measures. Arguments become one call; the environment is read here and nowhere else.

mod arguments;
mod child;
mod engine;
mod install;
mod kernel;
mod parent;
mod session;
mod sockets;
mod subprocess;
mod sweeper;
mod wire;

use arguments::{Arguments, Command};
use clap::Parser;
use install::doctor;
use install::kernelspec::{self, Environment};
use session::folders::Folders;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.command) {
        Ok(code) => code,
        Err(error) => {
            say_error(&format!("assay: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, Box<dyn Error>> {
    let environment = environment()?;
    match command {
        Command::Install(place) => {
            let folder = kernelspec::install(&place.target(), &place.name, &environment)?;
            say(&format!("installed the kernel `{}` in {}", place.name, folder.display()));
        }
        Command::Uninstall(place) => {
            let folder = kernelspec::uninstall(&place.target(), &place.name, &environment)?;
            say(&format!("removed {}", folder.display()));
        }
        Command::Doctor => {
            let findings = doctor::examine(
                &environment,
                &folders()?,
                &kernel::engine_program(&environment),
                &kernel::child_program(&environment),
            );
            findings.iter().for_each(|finding| say(&finding.to_string()));
            if findings.iter().any(doctor::Finding::is_bad) {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Kernel { connection_file, .. } => kernel::run(connection_file, &environment, &folders()?)?,
        Command::Sweep => sweeper::run(std::io::stdin().lock()),
    }
    Ok(ExitCode::SUCCESS)
}

fn environment() -> Result<Environment, Box<dyn Error>> {
    Ok(Environment {
        // A variable that is not UTF-8 cannot be shown or set by `%env`; the programs that cells run do without it.
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        home: dirs::home_dir(),
        data: dirs::data_dir(),
        program: std::env::current_exe()?,
    })
}

fn folders() -> Result<Folders, Box<dyn Error>> {
    let below = |folder: Option<PathBuf>| {
        folder.map(|folder| folder.join("assay")).ok_or("there is no home folder: set HOME")
    };
    // As evcxr finds it.
    let startup = std::env::var_os("EVCXR_CONFIG_DIR").map(PathBuf::from);
    let startup =
        startup.or_else(|| dirs::config_dir().map(|folder| folder.join("evcxr"))).unwrap_or_default();
    Ok(Folders { cache: below(dirs::cache_dir())?, data: below(dirs::data_dir())?, startup })
}

#[expect(clippy::print_stdout, reason = "a person runs the commands and reads what they did")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a person, or Jupyter's log, reads why a command failed")]
fn say_error(text: &str) {
    eprintln!("{text}");
}
