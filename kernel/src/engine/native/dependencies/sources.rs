//! The files of crates whose source is the user's own: whether one has changed is looked at before each cell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files, each with its package and what it was like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sources(BTreeMap<PathBuf, Source>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    package: String,
    /// None if it is not there, or was written while it was being compiled.
    seen: Option<(SystemTime, u64)>,
}

impl Sources {
    /// Notes the files of a package whose build began at some time: those that rustc read for `library`, and its manifest.
    pub(super) fn note(&mut self, package: &str, manifest: &Path, library: &Path, began: SystemTime) {
        let beside = [manifest.to_owned(), manifest.with_file_name("build.rs")];
        let beside = beside.into_iter().filter(|path| path.is_file());
        for path in read(library).into_iter().chain(beside) {
            let seen = look(&path).filter(|(changed, _)| *changed < began);
            self.0.insert(path, Source { package: package.to_owned(), seen });
        }
    }

    /// The packages that have changed since.
    pub(super) fn changed(&self) -> BTreeSet<String> {
        let changed =
            self.0.iter().filter(|(path, source)| source.seen.is_none() || look(path) != source.seen);
        changed.map(|(_, source)| source.package.clone()).collect()
    }
}

fn look(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// What rustc read to make a library: it says so in a file beside it.
fn read(library: &Path) -> Vec<PathBuf> {
    let stem = library.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let list = library.with_file_name(format!("{}.d", stem.strip_prefix("lib").unwrap_or(&stem)));
    match fs::read_to_string(&list) {
        Ok(text) => prerequisites(&text).map(PathBuf::from).filter(|path| path.is_absolute()).collect(),
        Err(error) => {
            tracing::debug!(file = %list.display(), %error, "it is not known what a crate was made of");
            Vec::new()
        }
    }
}

/// The files behind the colon of the first rule, in make's notation.
fn prerequisites(text: &str) -> impl Iterator<Item = String> {
    let rule = text.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, files)| files);
    let mut files = vec![String::new()];
    let mut escaped = false;
    for one in rule.chars() {
        match (one, escaped, files.last_mut()) {
            ('\\', false, _) => escaped = true,
            (' ', false, _) => files.push(String::new()),
            (_, _, Some(last)) => {
                last.push(one);
                escaped = false;
            }
            (_, _, None) => {}
        }
    }
    files.into_iter().filter(|file| !file.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Sources, prerequisites};
    use std::fs;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_list_of_files_is_read() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(prerequisites(text).collect::<Vec<_>>(), expected);
        };
        check("/t/a.d: /s/lib.rs /s/a\\ b.rs\n\n/t/liba.rlib: /s/lib.rs\n", &["/s/lib.rs", "/s/a b.rs"]);
        check("", &[]);
        check("/t/a.d:\n", &[]);
    }

    #[test]
    fn a_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("lib.rs"), "1").unwrap();
        fs::write(path("Cargo.toml"), "1").unwrap();
        fs::write(path("a-1.d"), format!("x: {}\n", path("lib.rs").display())).unwrap();
        let began = SystemTime::now() + Duration::from_secs(9);
        let noted = |began| {
            let mut sources = Sources::default();
            sources.note("p", &path("Cargo.toml"), &path("liba-1.rlib"), began);
            sources
        };
        let sources = noted(began);
        assert!(sources.changed().is_empty());
        fs::write(path("lib.rs"), "22").unwrap();
        assert!(sources.changed().contains("p"));
        assert!(noted(began).changed().is_empty());
        fs::remove_file(path("Cargo.toml")).unwrap();
        assert!(sources.changed().contains("p"));
        // It was written while it was compiled.
        assert!(noted(SystemTime::UNIX_EPOCH).changed().contains("p"));
    }
}
