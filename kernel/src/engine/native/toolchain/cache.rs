//! What is kept of a toolchain between starts: our own crates, compiled with it, in a private folder that is made at once or not at all.
//!
//! Its name is a hash of the toolchain's files, of our sources and of the flags: whatever changes, another folder is used.

use super::super::rustc::FLAGS;
use super::probe::Installed;
use super::{allocator, build, names, sources};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A folder that no kernel has used for so long is not needed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is written down when a folder is complete.
const STAMP: &str = "toolchain.json";

/// A folder for one toolchain, which need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    parent: PathBuf,
    name: String,
}

/// What was found out when the folder was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Built {
    pub(super) version: String,
    /// Arguments that choose the linker.
    pub(super) linker: Vec<String>,
    /// What those arguments name: where one is gone, the linker has to be found again.
    pub(super) needs: Vec<PathBuf>,
}

impl Place {
    /// The folder below `cache` for this toolchain.
    pub(super) fn new(cache: &Path, installed: &Installed) -> Self {
        Self { parent: cache.join("native"), name: key(installed) }
    }

    /// What is there, if it is complete.
    pub(super) fn built(&self) -> Option<Built> {
        let built: Built = serde_json::from_slice(&fs::read(self.path().join(STAMP)).ok()?).ok()?;
        let complete = [self.runtime(), self.names()].iter().all(|file| file.is_file());
        (complete && built.needs.iter().all(|path| path.exists())).then_some(built)
    }

    /// The cell runtime.
    pub(super) fn runtime(&self) -> PathBuf {
        self.path().join(build::RUNTIME)
    }

    /// The crate of names.
    pub(super) fn names(&self) -> PathBuf {
        self.path().join(build::NAMES)
    }

    /// The object with the way to the heap, if one could be made.
    pub(super) fn allocator(&self) -> Option<PathBuf> {
        Some(self.path().join(allocator::OBJECT)).filter(|object| object.is_file())
    }

    /// Notes that it is used.
    pub(super) fn touch(&self) {
        let touched =
            File::open(self.path().join(STAMP)).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            tracing::debug!(%error, "the use of a toolchain's folder cannot be noted");
        }
    }

    /// A private folder to build in, beside it.
    pub(super) fn draft(&self) -> io::Result<TempDir> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.parent)?;
        tempfile::Builder::new()
            .prefix(&format!("{}.draft-", self.name))
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&self.parent)
    }

    /// Puts a draft in its place. If another kernel was faster, what it made is used.
    pub(super) fn publish(&self, draft: TempDir, built: Built) -> io::Result<Built> {
        fs::write(draft.path().join(STAMP), serde_json::to_vec(&built)?)?;
        if fs::rename(draft.path(), self.path()).is_ok() {
            // There is nothing left to remove.
            let _ = draft.keep();
            return Ok(built);
        }
        if let Some(theirs) = self.built() {
            return Ok(theirs);
        }
        // What stands there is not complete: somebody removed files.
        let aside =
            tempfile::Builder::new().prefix(&format!("{}.draft-", self.name)).tempdir_in(&self.parent)?;
        fs::rename(self.path(), aside.path().join("old"))?;
        fs::rename(draft.path(), self.path())?;
        let _ = draft.keep();
        Ok(built)
    }

    /// Removes the folders of other toolchains that have not been used for long, and drafts that nobody finished.
    pub(super) fn sweep(&self, now: SystemTime) {
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let path = entry.path();
            let stamp = path.join(STAMP);
            let used = fs::metadata(if stamp.exists() { &stamp } else { &path })
                .and_then(|metadata| metadata.modified());
            let unused =
                used.ok().and_then(|used| now.duration_since(used).ok()).is_some_and(|time| time > UNUSED);
            if unused
                && path != self.path()
                && let Err(error) = fs::remove_dir_all(&path)
            {
                tracing::warn!(folder = %path.display(), %error, "an unused toolchain's folder cannot be removed");
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.parent.join(&self.name)
    }
}

/// What the folder hangs on: which files the toolchain is made of, of what size and from when; and all that we compile, and how.
fn key(installed: &Installed) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    for file in files(installed) {
        add(file.as_os_str().as_bytes());
        if let Ok(metadata) = fs::metadata(&file) {
            add(&metadata.size().to_le_bytes());
            add(&metadata.mtime().to_le_bytes());
            add(&metadata.mtime_nsec().to_le_bytes());
        }
    }
    add(build::LAST_LINE.as_bytes());
    for (path, text) in sources::all().flat_map(|one| one.files) {
        add(path.as_bytes());
        add(text.as_bytes());
    }
    FLAGS.iter().for_each(|flag| add(flag.as_bytes()));
    add(names::KNOWN.as_bytes());
    add(allocator::TEXT.as_bytes());
    // How the crates are built is in the kernel's own code.
    add(env!("CARGO_PKG_VERSION").as_bytes());
    hex::encode(&hash.finalize()[..12])
}

/// The files that make a toolchain what it is, in a fixed order.
fn files(installed: &Installed) -> Vec<PathBuf> {
    let mut files = vec![installed.rustc.clone()];
    let folders = [
        (installed.sysroot.join("lib"), ["librustc_driver-"].as_slice()),
        (installed.libraries.clone(), ["libcore-", "liballoc-", "libstd-"].as_slice()),
    ];
    for (folder, prefixes) in folders {
        let mut found: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| begins_with_one_of(path.file_name(), prefixes))
            .collect();
        found.sort();
        files.extend(found);
    }
    files
}

fn begins_with_one_of(name: Option<&OsStr>, prefixes: &[&str]) -> bool {
    name.is_some_and(|name| prefixes.iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::{Built, Place, STAMP, UNUSED, key};
    use crate::engine::native::toolchain::build;
    use crate::engine::native::toolchain::probe::Installed;
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime};

    fn installed(sysroot: &Path) -> Installed {
        let libraries = sysroot.join("lib/rustlib/host/lib");
        fs::create_dir_all(&libraries).unwrap();
        fs::create_dir_all(sysroot.join("bin")).unwrap();
        for file in ["bin/rustc", "lib/librustc_driver-1.so", "lib/rustlib/host/lib/libstd-1.rlib"] {
            fs::write(sysroot.join(file), "x").unwrap();
        }
        let environment = BTreeMap::new();
        Installed { rustc: sysroot.join("bin/rustc"), sysroot: sysroot.to_owned(), libraries, environment }
    }

    fn built(version: &str, needs: Vec<PathBuf>) -> Built {
        Built { version: version.to_owned(), linker: Vec::new(), needs }
    }

    /// Publishes a folder of two files.
    fn publish(place: &Place, built: Built) -> Built {
        let draft = place.draft().unwrap();
        fs::write(draft.path().join(build::RUNTIME), "").unwrap();
        fs::write(draft.path().join(build::NAMES), "").unwrap();
        place.publish(draft, built).unwrap()
    }

    fn entries(place: &Place) -> usize {
        fs::read_dir(&place.parent).unwrap().count()
    }

    #[test]
    fn another_file_of_the_toolchain_is_another_key() {
        let folder = tempfile::tempdir().unwrap();
        let installed = installed(folder.path());
        let mut seen = vec![key(&installed)];
        assert_eq!(key(&installed), seen[0]);
        let mut check = |change: &dyn Fn()| {
            change();
            let key = key(&installed);
            assert!(!seen.contains(&key));
            seen.push(key);
        };
        let driver = folder.path().join("lib/librustc_driver-1.so");
        check(&|| fs::write(&driver, "longer").unwrap());
        let earlier = SystemTime::UNIX_EPOCH + Duration::from_secs(7);
        check(&|| fs::File::options().write(true).open(&driver).unwrap().set_modified(earlier).unwrap());
        check(&|| fs::rename(&driver, folder.path().join("lib/librustc_driver-2.so")).unwrap());
        check(&|| fs::write(installed.libraries.join("libcore-1.rmeta"), "x").unwrap());
    }

    #[test]
    fn a_folder_is_there_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("cache"), &installed(folder.path()));
        assert_eq!(place.built(), None);
        let needed = folder.path().join("needed");
        fs::create_dir(&needed).unwrap();
        let made = publish(&place, built("1", vec![needed.clone()]));
        assert_eq!(place.built(), Some(made));
        assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o700);
        fs::remove_dir(&needed).unwrap();
        assert_eq!(place.built(), None);
    }

    #[test]
    fn the_fastest_kernel_wins_and_what_is_broken_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("cache"), &installed(folder.path()));
        publish(&place, built("1", Vec::new()));
        assert_eq!(publish(&place, built("2", Vec::new())).version, "1");
        fs::remove_file(place.runtime()).unwrap();
        assert_eq!(publish(&place, built("3", Vec::new())).version, "3");
        assert_eq!(place.built().unwrap().version, "3");
        assert_eq!(entries(&place), 1);
    }

    #[test]
    fn what_nobody_has_used_for_long_goes() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("cache"), &installed(folder.path()));
        publish(&place, built("1", Vec::new()));
        let other = Place { name: "other".to_owned(), ..place.clone() };
        publish(&other, built("1", Vec::new()));
        std::mem::forget(other.draft().unwrap());
        let now = SystemTime::now();
        place.sweep(now);
        assert_eq!(entries(&place), 3);
        fs::File::open(place.path().join(STAMP)).unwrap().set_modified(now).unwrap();
        place.sweep(now + UNUSED + Duration::from_secs(60));
        assert_eq!(entries(&place), 1);
        assert!(place.built().is_some());
    }
}
