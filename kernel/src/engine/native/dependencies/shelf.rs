//! Where built crates are kept between kernels: one folder for the user, of bounded size.
//!
//! ```text
//! lock        whoever uses the folder holds it shared; whoever empties it holds it alone
//! target/     cargo's: every crate is built once, for all notebooks
//! packages/   a generated package for each set of crates that somebody asked for, with its Cargo.lock
//! layers/     linked crates
//! ```

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// What nobody has used for so long is not needed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often the size is looked at: that takes a tenth of a second.
const LOOK: Duration = Duration::from_secs(24 * 60 * 60);

/// How much may be kept, in bytes. A large data frame library takes a tenth of it.
const BOUND: u64 = 4 << 30;

/// The name of cargo's folder for crates that count.
const COUNTING: &str = "counting";

/// The folder, held by this kernel: as long as this lives, nobody empties it.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    _held: File,
}

impl Shelf {
    /// Opens it, and makes it if there is none. If nobody else uses it and it is too large, or has not been used for long, it is emptied first.
    pub(super) async fn open(folder: PathBuf) -> io::Result<Self> {
        // Somebody may be emptying it, which takes a while.
        tokio::task::spawn_blocking(move || Self::open_now(folder, SystemTime::now(), BOUND))
            .await
            .map_err(io::Error::other)?
    }

    fn open_now(folder: PathBuf, now: SystemTime, bound: u64) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(folder.join("lock"))?;
        if lock.try_lock().is_ok() {
            let age = lock.metadata()?.modified().ok().and_then(|used| now.duration_since(used).ok());
            let long_unused = age.is_some_and(|age| age > UNUSED);
            if long_unused || looked(&folder, now) && size(&folder) > bound {
                tracing::info!(folder = %folder.display(), long_unused, "the crates that were built are removed");
                empty(&folder);
            }
            lock.unlock()?;
        }
        lock.lock_shared()?;
        lock.set_modified(now)?;
        Ok(Self { folder, _held: lock })
    }

    /// Cargo's folder.
    pub(super) fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Cargo's folder for crates that count.
    pub(super) fn counting(&self) -> PathBuf {
        self.folder.join(COUNTING)
    }

    /// Whether it is still there: somebody may have removed it by hand.
    pub(super) fn is_there(&self) -> bool {
        self.folder.join("lock").is_file()
    }

    /// The folder of a package.
    pub(super) fn package(&self, key: &str) -> PathBuf {
        self.folder.join("packages").join(key)
    }

    /// The folder of a layer.
    pub(super) fn layer(&self, key: &str) -> PathBuf {
        self.folder.join("layers").join(key)
    }

    /// A private folder in which something for `place`, a folder of the shelf, can be made.
    pub(super) fn draft(&self, place: &Path) -> io::Result<TempDir> {
        let parent = place.parent().unwrap_or(&self.folder);
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        tempfile::Builder::new()
            .prefix("draft-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
    }

    /// Puts a draft in its place. If another kernel was faster, what it made stays.
    pub(super) fn publish(&self, draft: TempDir, place: &Path) -> io::Result<()> {
        match fs::rename(draft.path(), place) {
            Ok(()) => {
                // There is nothing left to remove.
                let _ = draft.keep();
                Ok(())
            }
            Err(_) if place.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Notes that the size is looked at now, unless that was done not long ago.
fn looked(folder: &Path, now: SystemTime) -> bool {
    let stamp = folder.join("looked");
    let last = fs::metadata(&stamp).and_then(|metadata| metadata.modified());
    let due = last.map_or(true, |last| now.duration_since(last).is_ok_and(|age| age > LOOK));
    if due && let Err(error) = File::create(&stamp).and_then(|file| file.set_modified(now)) {
        tracing::debug!(%error, "it cannot be noted that the size was looked at");
    }
    due
}

/// What a folder takes on the disk. A file with several names counts once.
fn size(folder: &Path) -> u64 {
    let mut seen = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if seen.insert((metadata.dev(), metadata.ino())) {
                bytes += metadata.blocks() * 512;
            }
        }
    }
    bytes
}

/// Removes everything but the lock, which others may be waiting for.
fn empty(folder: &Path) {
    for name in ["target", COUNTING, "packages", "layers"] {
        match fs::remove_dir_all(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(folder = %folder.display(), name, %error, "built crates cannot be removed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOK, Shelf, UNUSED, size};
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    const LARGE: u64 = 1 << 40;

    fn filled(folder: &Path) {
        for name in ["target", "layers"] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("file"), vec![1; 100_000]).unwrap();
        }
    }

    #[test]
    fn what_is_too_large_or_too_old_goes_when_nobody_uses_it() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("dependencies");
        let now = SystemTime::now();
        let open = |now: SystemTime, bound| Shelf::open_now(folder.clone(), now, bound).unwrap();
        let there = || folder.join("target/file").exists();
        filled(&folder);
        drop(open(now, LARGE));
        assert!(there());
        // It was looked at just now.
        drop(open(now, 1000));
        assert!(there());
        let later = now + LOOK + Duration::from_secs(1);
        let user = open(later, LARGE);
        drop(open(later + LOOK * 2, 1000));
        assert!(there());
        drop(user);
        drop(open(later + LOOK * 4, 1000));
        assert!(!there());
        filled(&folder);
        drop(open(later + LOOK * 4 + UNUSED - Duration::from_secs(9), LARGE));
        assert!(there());
        drop(open(later + LOOK * 4 + UNUSED * 3, LARGE));
        assert!(!there());
    }

    #[test]
    fn a_file_with_two_names_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), vec![1; 100_000]).unwrap();
        let one = size(folder.path());
        assert!(one >= 100_000);
        fs::hard_link(folder.path().join("a"), folder.path().join("b")).unwrap();
        assert_eq!(size(folder.path()), one);
    }

    #[test]
    fn the_first_of_two_drafts_stays() {
        let parent = tempfile::tempdir().unwrap();
        let shelf = Shelf::open_now(parent.path().join("x"), SystemTime::now(), LARGE).unwrap();
        let place = shelf.layer("a");
        for text in ["first", "second"] {
            let draft = shelf.draft(&place).unwrap();
            fs::write(draft.path().join("file"), text).unwrap();
            shelf.publish(draft, &place).unwrap();
        }
        assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "first");
        assert_eq!(fs::read_dir(parent.path().join("x/layers")).unwrap().count(), 1);
    }
}
