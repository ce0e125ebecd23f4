//! `assay-evcxr`: the evcxr crate in a process of its own, spoken to over the link.
//!
//! The kernel starts it with a socket as its standard input. It starts this same program twice more: as the relay (see
//! `relay.rs`), and below that as the process that loads and runs cells.

mod calls;
mod diagnostics;
mod family;
mod link;
mod place;
mod prelude;
mod relay;
mod standard_library;
mod story;
mod words;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::path::PathBuf;
use std::process::ExitCode;

/// evcxr sets it for the process that runs cells, and so for the relay.
const IS_RUNTIME: &str = "EVCXR_IS_RUNTIME";

/// The folder in which evcxr builds. The kernel names it, and evcxr reads the same variable.
const FOLDER: &str = "EVCXR_TMPDIR";

fn main() -> ExitCode {
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let result = match std::env::args().nth(1) {
        Some(argument) if argument == relay::ARGUMENT => {
            relay::run(folder).map_err(|error| error.to_string())
        }
        _ => {
            if std::env::var_os(IS_RUNTIME).is_some() {
                end_with_parent();
            }
            evcxr::runtime_hook();
            calls::serve(folder)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// The process that runs cells dies with its relay, whatever ends that.
fn end_with_parent() {
    let parent = getppid();
    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    // The parent may have died before it was asked for: then somebody else is the parent by now.
    if asked.is_err() || getppid() != parent {
        report("cannot be bound to the relay's life");
        std::process::exit(1);
    }
}

/// Standard error is the kernel's log.
#[expect(
    clippy::print_stderr,
    reason = "standard error is the kernel's log, and there is no other way to reach it here"
)]
fn report(problem: &str) {
    eprintln!("assay-evcxr: {problem}");
}
