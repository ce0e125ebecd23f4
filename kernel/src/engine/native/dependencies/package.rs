//! The generated package that depends on what a notebook asks for: one folder for each manifest, used by every notebook that has it.

use super::shelf::Shelf;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How long what a manifest was resolved to is used by notebooks that begin: they start at once, without asking the registry. Later, newer versions
/// are looked for.
const RESOLVED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) folder: PathBuf,
}

/// Makes the package with this manifest. Where a notebook has a Cargo.lock already, that is what it begins with.
pub(super) fn prepare(
    shelf: &Shelf,
    manifest: &str,
    lock: Option<&str>,
    now: SystemTime,
) -> io::Result<Package> {
    let package = Package { folder: shelf.package(&key(manifest, lock)) };
    if !package.folder.is_dir() {
        let draft = shelf.draft(&package.folder)?;
        fs::write(draft.path().join("Cargo.toml"), manifest)?;
        fs::write(draft.path().join("lib.rs"), "")?;
        if let Some(lock) = lock {
            fs::write(draft.path().join(LOCK), lock)?;
        }
        shelf.publish(draft, &package.folder)?;
    }
    let resolved = fs::metadata(package.folder.join(LOCK)).and_then(|metadata| metadata.modified());
    let age = resolved.ok().and_then(|resolved| now.duration_since(resolved).ok());
    if lock.is_none() && age.is_some_and(|age| age > RESOLVED) {
        fs::rename(package.folder.join(LOCK), package.folder.join(OLD))?;
    }
    Ok(package)
}

pub(super) const LOCK: &str = "Cargo.lock";

/// A Cargo.lock that was put aside.
const OLD: &str = "Cargo.lock.old";

impl Package {
    /// What it was resolved to.
    pub(super) fn lock(&self) -> Option<String> {
        fs::read_to_string(self.folder.join(LOCK)).ok()
    }

    /// Takes what it was resolved to before, if newer versions were to be looked for: without a network there are none.
    pub(super) fn restore_lock(&self) {
        // Mostly there is none.
        let _ = fs::rename(self.folder.join(OLD), self.folder.join(LOCK));
    }
}

fn key(manifest: &str, lock: Option<&str>) -> String {
    let mut hash = Sha256::new();
    for text in [manifest, lock.unwrap_or_default()] {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    hex::encode(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::super::shelf::Shelf;
    use super::{RESOLVED, prepare};
    use std::fs;
    use std::time::{Duration, SystemTime};

    #[tokio::test]
    async fn a_notebook_begins_with_what_was_resolved_not_long_ago() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().to_owned()).await.unwrap();
        let now = SystemTime::now();
        let first = prepare(&shelf, "a", None, now).unwrap();
        assert_eq!(first.lock(), None);
        fs::write(first.folder.join("Cargo.lock"), "resolved").unwrap();
        assert_eq!(prepare(&shelf, "a", None, now).unwrap().lock().as_deref(), Some("resolved"));
        let later = now + RESOLVED + Duration::from_secs(9);
        let other = prepare(&shelf, "a", Some("mine"), later).unwrap();
        assert_eq!(other.lock().as_deref(), Some("mine"));
        let stale = prepare(&shelf, "a", None, later).unwrap();
        assert_eq!(stale.lock(), None);
        stale.restore_lock();
        assert_eq!(stale.lock().as_deref(), Some("resolved"));
    }
}
