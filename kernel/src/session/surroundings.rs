//! The folder and the environment variables of everything that the session runs. The kernel's own never change.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Where the notebook is, and what its programs see.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    folder: PathBuf,
    before: Option<PathBuf>,
    variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Begins in `folder` with `variables`.
    pub(crate) fn new(folder: PathBuf, variables: BTreeMap<String, String>) -> Self {
        Self { folder, before: None, variables }
    }

    /// The current folder, absolute.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The environment variables, sorted.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Where `to` leads: `~` is the home folder, `-` the folder before this one, all else is relative to this one.
    pub(crate) fn resolve(&self, to: &str) -> io::Result<PathBuf> {
        let target = match to {
            "-" => {
                self.before.clone().ok_or_else(|| io::Error::other("there is no folder before this one"))?
            }
            _ => self.folder.join(self.expand(to)?),
        };
        let target = target.canonicalize()?;
        if target.is_dir() { Ok(target) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// A path as the user writes it, absolute.
    pub(crate) fn path(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(match path.to_str() {
            Some(text) => self.folder.join(self.expand(text)?),
            None => self.folder.join(path),
        })
    }

    /// Goes to a folder that [`resolve`](Self::resolve) gave.
    pub(crate) fn go(&mut self, folder: PathBuf) {
        self.before = Some(std::mem::replace(&mut self.folder, folder));
    }

    fn expand(&self, text: &str) -> io::Result<PathBuf> {
        let Some(below) = text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'))
        else {
            return Ok(PathBuf::from(text));
        };
        let home = self
            .variables
            .get("HOME")
            .ok_or_else(|| io::Error::other("HOME is not set, so `~` leads nowhere"))?;
        Ok(Path::new(home).join(below.trim_start_matches('/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_followed_as_a_shell_does() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        std::fs::create_dir_all(top.join("home/course")).unwrap();
        std::fs::write(top.join("file"), "").unwrap();
        let home = ("HOME".to_owned(), top.join("home").to_str().unwrap().to_owned());
        let mut here = Surroundings::new(top.clone(), BTreeMap::from([home]));

        assert!(here.resolve("-").is_err());
        assert_eq!(here.resolve("file").unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert_eq!(here.resolve("nowhere").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(here.resolve("~").unwrap(), top.join("home"));
        assert_eq!(here.resolve("~/course").unwrap(), top.join("home/course"));
        here.go(here.resolve("home").unwrap());
        assert_eq!(here.resolve("course/..").unwrap(), top.join("home"));
        assert_eq!(here.resolve("-").unwrap(), top);
        assert_eq!(here.path(Path::new("a.rs")).unwrap(), top.join("home/a.rs"));
        assert_eq!(here.path(Path::new("~/b.rs")).unwrap(), top.join("home/b.rs"));
        assert_eq!(here.path(Path::new("~b.rs")).unwrap(), top.join("home/~b.rs"));
    }

    #[test]
    fn without_a_home_a_tilde_is_an_error_that_says_so() {
        let here = Surroundings::new(PathBuf::from("/"), BTreeMap::new());
        assert!(here.resolve("~").unwrap_err().to_string().contains("HOME"));
    }
}
