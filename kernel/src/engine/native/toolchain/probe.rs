//! Which rustc is meant.
//!
//! rustup's proxy is asked at every start, which takes 20 ms: what it answers hangs on RUSTUP_TOOLCHAIN, on overrides and toolchain files for
//! the folder and all above it, and on its settings, so an answer kept from an earlier start could be stale without anyone noticing.

use super::super::program;
use super::super::rustc::last_lines;
use crate::engine::Trouble;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A toolchain as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) rustc: PathBuf,
    pub(super) sysroot: PathBuf,
    /// The folder of the standard library for this machine.
    pub(super) libraries: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
}

/// The environment that rustc runs with, given the user's.
pub(super) fn environment(users: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut environment = users.clone();
    // RUSTC_BOOTSTRAP unlocks another language, RUSTC_LOG and its like print; none of them is meant for cells.
    environment.retain(|name, _| !name.starts_with("RUSTC_"));
    // A crash is reported to the user; it leaves no file behind in the cell's folder.
    environment.insert("RUSTC_ICE".to_owned(), "0".to_owned());
    environment
}

/// Finds the rustc that an environment means in a folder; one that is gone means nothing.
pub(super) async fn probe(
    environment: BTreeMap<String, String>,
    folder: &Path,
) -> Result<Installed, Trouble> {
    let arguments = ["--print=sysroot", "--print=target-libdir"];
    let folder = if folder.is_dir() { folder } else { Path::new("/") };
    let said = ask(Path::new("rustc"), &arguments, folder, &environment).await?;
    let mut lines = said.lines().map(PathBuf::from);
    let (Some(sysroot), Some(libraries)) = (lines.next(), lines.next()) else {
        return Err(Trouble {
            what: format!("rustc does not say where its libraries are, but: {said}"),
            remedy: Some(INSTALL.to_owned()),
        });
    };
    let direct = sysroot.join("bin").join("rustc");
    // A distribution may keep it elsewhere.
    let rustc = if direct.is_file() { direct } else { PathBuf::from("rustc") };
    Ok(Installed { rustc, sysroot, libraries, environment })
}

/// `rustc 1.95.0 (59807616e 2026-04-14)`.
pub(super) async fn version(installed: &Installed) -> Result<String, Trouble> {
    let said = ask(&installed.rustc, &["--version"], &installed.sysroot, &installed.environment).await?;
    Ok(said.trim().to_owned())
}

/// What to do where there is no Rust.
const INSTALL: &str = "install Rust as https://rustup.rs says, then restart the kernel";

async fn ask(
    rustc: &Path,
    arguments: &[&str],
    folder: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<String, Trouble> {
    let output = program::run(rustc, arguments, folder, environment).await.map_err(|error| {
        let path = environment.get("PATH").map_or("(not set)", String::as_str);
        Trouble {
            what: format!("`{}` does not start: {error} (PATH is {path})", rustc.display()),
            remedy: Some(INSTALL.to_owned()),
        }
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // rustup says here which toolchain is missing, and how to install it.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Trouble {
        what: format!(
            "`{} {}` ended with {}:\n{}",
            rustc.display(),
            arguments.join(" "),
            output.status,
            last_lines(&said)
        ),
        remedy: Some("`rustc --version`, typed in the notebook's folder, has to work".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::environment;
    use std::collections::BTreeMap;

    #[test]
    fn what_changes_the_language_is_not_passed_on() {
        let users = ["RUSTC_BOOTSTRAP", "RUSTC_LOG", "PATH", "LANG", "RUST_MIN_STACK"];
        let users: BTreeMap<_, _> = users.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
        let ours = environment(&users);
        let left: Vec<_> = ours.keys().map(String::as_str).collect();
        assert_eq!(left, ["LANG", "PATH", "RUSTC_ICE", "RUST_MIN_STACK"]);
    }
}
