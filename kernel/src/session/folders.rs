//! Where the session may write: the user's cache, data and runtime folders, with private permissions.

use std::io;
use std::path::{Path, PathBuf};

/// The folders of one kernel. `main` finds them; nothing else reads the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folders {
    /// What can be made again: compiled code.
    pub(crate) cache: PathBuf,
    /// What should last: the history, and what was learnt of the machine's noise.
    pub(crate) data: PathBuf,
    /// What the user wrote for evcxr: its start-up files. Only read.
    pub(crate) startup: PathBuf,
}

impl Folders {
    /// The history that all kernels of the user share.
    pub(crate) fn history(&self) -> PathBuf {
        self.data.join("history.sqlite")
    }

    /// What was learnt of the machine's noise.
    pub(crate) fn noise(&self) -> PathBuf {
        self.data.join("noise.json")
    }
}

/// Makes a folder, and those above it, that only the user can read.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file, if there is none, and sees to it that only the user can read it, whatever made its folder.
pub(crate) fn make_private_file(file: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(file)?;
    #[cfg(unix)]
    opened.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_private_whether_it_is_new_or_not() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        let mode = || file.metadata().unwrap().permissions().mode() & 0o777;
        make_private_file(&file).unwrap();
        assert_eq!(mode(), 0o600);
        std::fs::write(&file, "kept").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        make_private_file(&file).unwrap();
        assert_eq!((mode(), std::fs::read_to_string(&file).unwrap().as_str()), (0o600, "kept"));
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("a").join("b");
        make_private(&folder).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}
