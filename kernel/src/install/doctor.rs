//! `assay doctor`: looks at everything that the kernel needs and says what to do about what is missing.

use super::kernelspec::Environment;
use crate::engine::evcxr::being_built;
use crate::session::folders::{Folders, make_private};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at.
    what: &'static str,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It is there: which.
    Good(String),
    /// The kernel works without it; what does not, and what to do.
    Wanting { lacks: String, remedy: String },
    /// The kernel cannot work; why, and what to do.
    Bad { why: String, remedy: String },
}

impl Finding {
    /// Whether the kernel cannot work because of it.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.state, State::Bad { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Good(found) => write!(f, "ok       {:<18} {found}", self.what),
            State::Wanting { lacks, remedy } => {
                write!(f, "missing  {:<18} {lacks}\n{:28}{remedy}", self.what, "")
            }
            State::Bad { why, remedy } => write!(f, "broken   {:<18} {why}\n{:28}{remedy}", self.what, ""),
        }
    }
}

/// Looks at everything, in the order in which things are needed.
pub(crate) fn examine(
    environment: &Environment,
    folders: &Folders,
    engine: &Path,
    child: &Path,
) -> Vec<Finding> {
    vec![
        tool("rustc", environment),
        tool("cargo", environment),
        linker(environment),
        rust_source(environment),
        native(child),
        evcxr(engine),
        jupyter(environment),
        writable("cache folder", &folders.cache),
        writable("data folder", &folders.data),
    ]
}

fn tool(name: &'static str, environment: &Environment) -> Finding {
    let state = match first_line(name, &["--version"], environment) {
        Ok(version) => State::Good(version),
        Err(why) => {
            State::Bad { why, remedy: "install Rust from https://rustup.rs, then open a new terminal".into() }
        }
    };
    Finding { what: name, state }
}

/// Rust links through the C compiler, so that is what must be there.
fn linker(environment: &Environment) -> Finding {
    let state = match first_line("cc", &["--version"], environment) {
        Ok(version) => State::Good(version),
        Err(why) => State::Bad {
            why,
            remedy:
                "install a C compiler (Debian, Ubuntu: `apt install gcc`; macOS: `xcode-select --install`)"
                    .into(),
        },
    };
    Finding { what: "linker (cc)", state }
}

fn rust_source(environment: &Environment) -> Finding {
    let library = first_line("rustc", &["--print", "sysroot"], environment)
        .map(|sysroot| PathBuf::from(sysroot).join("lib/rustlib/src/rust/library"));
    let state = match library {
        Ok(library) if library.join("core").is_dir() => State::Good(library.display().to_string()),
        _ => State::Wanting {
            lacks: "completion and documentation of the standard library".into(),
            remedy: "run `rustup component add rust-src`".into(),
        },
    };
    Finding { what: "rust-src", state }
}

fn native(child: &Path) -> Finding {
    let state = if child.is_file() {
        State::Good(child.display().to_string())
    } else {
        State::Bad {
            why: format!("{} is not there, so no cell can run", child.display()),
            remedy: "build it: `cargo build --release -p assay-child` (install/lab.sh does)".into(),
        }
    };
    Finding { what: "engine native", state }
}

/// Cells run without it.
fn evcxr(engine: &Path) -> Finding {
    let lacks = "`%engine evcxr`, and completion and documentation of names that are not the notebook's";
    let state = match being_built(engine) {
        _ if engine.is_file() => State::Good(engine.display().to_string()),
        Some(log) => State::Wanting {
            lacks: lacks.into(),
            remedy: format!("wait: it is being built in the background ({})", log.display()),
        },
        None => State::Wanting {
            lacks: format!("{lacks}: {} is not there", engine.display()),
            remedy: "build it: `cargo build --release -p assay-evcxr` (install/lab.sh does)".into(),
        },
    };
    Finding { what: "engine evcxr", state }
}

fn jupyter(environment: &Environment) -> Finding {
    let state = match first_line("jupyter", &["--version"], environment) {
        Ok(_) => State::Good("found on the path".into()),
        Err(why) => State::Wanting {
            lacks: why,
            remedy: "install/lab.sh brings a JupyterLab of its own, or `pip install jupyterlab`".into(),
        },
    };
    Finding { what: "jupyter", state }
}

fn writable(what: &'static str, folder: &Path) -> Finding {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    let tried = make_private(folder)
        .and_then(|()| std::fs::write(&probe, "probe"))
        .and_then(|()| std::fs::remove_file(&probe));
    let state = match tried {
        Ok(()) => State::Good(folder.display().to_string()),
        Err(error) => State::Bad {
            why: format!("cannot write in {}: {error}", folder.display()),
            remedy: "free space or mend the permissions, or name another by XDG_CACHE_HOME or XDG_DATA_HOME"
                .into(),
        },
    };
    Finding { what, state }
}

fn first_line(program: &str, arguments: &[&str], environment: &Environment) -> Result<String, String> {
    let output = Command::new(program).args(arguments).env_clear().envs(&environment.variables).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
            Err(format!("`{program}` fails ({}): {said}", output.status))
        }
        Err(error) => Err(format!("`{program}` cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(path: &str) -> Environment {
        Environment { variables: [("PATH".to_owned(), path.to_owned())].into(), ..Environment::default() }
    }

    #[test]
    fn an_empty_machine_is_told_what_to_do() {
        let top = tempfile::tempdir().unwrap();
        let obstacle = top.path().join("file");
        std::fs::write(&obstacle, "").unwrap();
        let folders = Folders {
            cache: obstacle.join("cache"),
            data: top.path().join("data"),
            startup: top.path().join("config"),
        };
        let program = |name: &str| top.path().join(name);
        let environment = environment("/nonexistent");
        let findings = examine(&environment, &folders, &program("assay-evcxr"), &program("assay-child"));
        let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        for remedy in [
            "rustup.rs",
            "apt install gcc",
            "rustup component add rust-src",
            "-p assay-evcxr",
            "-p assay-child",
            "install/lab.sh",
            "XDG_CACHE_HOME",
        ] {
            assert!(text.contains(remedy), "{remedy} is missing in\n{text}");
        }
        let bad: Vec<_> = findings.iter().filter(|f| f.is_bad()).map(|f| f.what).collect();
        assert_eq!(bad, ["rustc", "cargo", "linker (cc)", "engine native", "cache folder"]);
        assert!(top.path().join("data").is_dir());
        assert_eq!(std::fs::read_dir(top.path().join("data")).unwrap().count(), 0, "the probe stayed");
    }

    #[cfg(unix)]
    #[test]
    fn a_tool_that_answers_is_good_and_one_that_fails_is_quoted() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        for (name, script) in [("rustc", "echo rustc 9.9"), ("cargo", "echo no toolchain >&2; exit 1")] {
            let path = top.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let environment = environment(top.path().to_str().unwrap());
        assert_eq!(tool("rustc", &environment).state, State::Good("rustc 9.9".into()));
        let State::Bad { why, .. } = tool("cargo", &environment).state else { panic!("cargo is broken") };
        assert!(why.contains("no toolchain"), "{why}");
    }
}
