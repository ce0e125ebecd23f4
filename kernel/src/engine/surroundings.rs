//! What the user's code sees of the world, as an engine tells it to the processes that it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment and the current folder. They may change.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    /// The whole environment.
    pub(super) environment: BTreeMap<String, String>,
    /// The current folder.
    pub(super) folder: PathBuf,
}

impl Surroundings {
    /// The folders in which programs are looked for.
    pub(super) fn path(&self) -> &str {
        self.environment.get("PATH").map_or("", String::as_str)
    }

    /// Where temporary files go.
    pub(super) fn temporary(&self) -> &Path {
        Path::new(self.environment.get("TMPDIR").map_or("/tmp", String::as_str))
    }
}
