//! The crates, for whoever only reads their sources.

use super::super::program;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// What an analyzer needs to know of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Reading {
    /// What was asked for, as lines of a manifest that are resolved to what is loaded.
    pub(in super::super) lines: Vec<String>,
    pub(super) cargo: PathBuf,
    /// The package that depends on them.
    pub(super) package: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) offline: bool,
}

impl Reading {
    /// Downloads what only other machines need. Nothing is built of it, but an analyzer's cargo resolves for all machines at once,
    /// and knows no crate at all if it lacks one.
    pub(in super::super) async fn complete(&self) -> Result<(), String> {
        let mut arguments: Vec<OsString> = vec!["fetch".into(), "--manifest-path".into()];
        arguments.push(self.package.join("Cargo.toml").into());
        arguments.extend(self.offline.then(|| "--offline".into()));
        let output = program::run(&self.cargo, &arguments, &self.package, &self.environment).await;
        let output = output.map_err(|error| format!("{}: {error}", self.cargo.display()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}
