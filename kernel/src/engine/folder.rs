//! The folders in which engines build: a private one for each process, and none that outlives its kernel.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

/// Makes a fresh folder below `parent` for the kernel `pid`, and removes those of kernels that are gone. Its name begins with `prefix`, which the
/// engine's name is a part of; the process id follows.
pub(super) fn create(parent: &Path, prefix: &str, pid: u32) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    sweep(parent, prefix, |pid| {
        i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok())
    });
    let folder = parent.join(format!("{prefix}{pid}-{}", uuid::Uuid::new_v4().simple()));
    DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Removes a folder, which its process may have done before.
pub(super) fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(folder = %folder.display(), %error, "a build folder cannot be removed");
        }
        _ => {}
    }
}

/// Where the folders go: evcxr cannot run what lies at a path with white space in it.
pub(super) fn parent(cache: &Path, temporary: &Path) -> PathBuf {
    let spaced = cache.to_string_lossy().contains(char::is_whitespace);
    if spaced { temporary.to_owned() } else { cache.to_owned() }
}

fn sweep(parent: &Path, prefix: &str, alive: impl Fn(u32) -> bool) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(prefix)?.split('-').next()?.parse().ok());
        if pid.is_some_and(|pid| !alive(pid)) {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{create, parent, sweep};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    #[test]
    fn a_folder_is_private_and_the_stale_ones_go() {
        let cache = tempfile::tempdir().unwrap();
        let mine = create(cache.path(), "evcxr-", std::process::id()).unwrap();
        assert_eq!(mine.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        for name in ["evcxr-7-stale", "evcxr-8-alive", "evcxr-notes", "other-7"] {
            std::fs::create_dir(cache.path().join(name)).unwrap();
        }
        sweep(cache.path(), "evcxr-", |pid| pid != 7);
        let mut left: Vec<_> =
            std::fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        // Where our own folder stands among them depends on the number of this process.
        let mut expected =
            [mine.file_name().unwrap(), "evcxr-8-alive".as_ref(), "evcxr-notes".as_ref(), "other-7".as_ref()];
        expected.sort();
        assert_eq!(left, expected);
    }

    #[test]
    fn no_white_space_in_the_path() {
        let check = |cache: &str, expected: &str| {
            assert_eq!(parent(Path::new(cache), Path::new("/tmp")), Path::new(expected));
        };
        check("/home/a/.cache/assay", "/home/a/.cache/assay");
        check("/home/a b/.cache/assay", "/tmp");
    }
}
