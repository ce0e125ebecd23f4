//! What the notebook asks for, as the manifest of a package.

use crate::engine::Trouble;
use assay_magics::specification::{Specification, specification};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The package that depends on everything that the notebook asks for.
pub(super) const PACKAGE: &str = "assay_notebook";

/// The crates that are asked for, by the names that code has for them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wanted(BTreeMap<String, Table>);

impl Wanted {
    /// Asks for one more, or for one otherwise than before. Paths are relative to `folder`. Gives its name.
    pub(super) fn add(&mut self, text: &str, folder: &Path, home: Option<&Path>) -> Result<String, Trouble> {
        let read = specification(text).map_err(|wrong| Trouble {
            what: format!("`{text}`: {}", wrong.message),
            remedy: Some(wrong.hint),
        })?;
        let (name, mut table) = match read {
            Specification::Named { name, table } => (name, table),
            Specification::Folder(path) => {
                let name = name_in(&resolved(folder, home, &path))?;
                (name, Table::from_iter([("path".to_owned(), Value::String(path))]))
            }
        };
        if let Some(Value::String(path)) = table.get_mut("path") {
            *path = resolved(folder, home, path).to_string_lossy().into_owned();
        }
        // `a-b` and `a_b` are one name in code.
        self.0.retain(|other, _| *other == name || other.replace('-', "_") != name.replace('-', "_"));
        self.0.insert(name.clone(), table);
        Ok(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every crate as a line of a manifest.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, table)| (name.as_str(), line(name, table)))
    }

    /// The same, with the versions that they were resolved to.
    pub(super) fn lines_with(&self, resolved: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let exact = |(name, table): (&String, &Table)| {
            let mut table = table.clone();
            if let (Some(version), Some(resolved)) = (table.get_mut("version"), resolved(name)) {
                *version = Value::String(format!("={resolved}"));
            }
            line(name, &table)
        };
        self.0.iter().map(exact).collect()
    }

    /// The manifest. `editions` are the packages on this machine that have changed since they were first built, each with how often.
    pub(super) fn manifest(&self, editions: &BTreeMap<String, u32>) -> Result<String, toml::ser::Error> {
        let table = |entries: Vec<(&str, Value)>| {
            Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        };
        let dependencies =
            self.0.iter().map(|(name, entry)| (name.clone(), Value::Table(entry.clone()))).collect();
        // What is compiled from a changed source has to be another crate than before: its types are not those of the values that are
        // in the notebook. Cargo makes it one if its profile is another, and how many units a crate is compiled in is what changes least.
        let overrides = editions.iter().map(|(package, edition)| {
            let units = i64::from(USUAL_UNITS + edition);
            (package.clone(), table(vec![("codegen-units", units.into())]))
        });
        let release = table(vec![
            // Profiles have lines in crates too.
            ("debug", "line-tables-only".into()),
            ("debug-assertions", false.into()),
            ("opt-level", 3.into()),
            ("overflow-checks", false.into()),
            ("panic", "unwind".into()),
            ("package", Value::Table(overrides.collect())),
        ]);
        let all = [
            (
                "package",
                table(vec![
                    ("name", PACKAGE.into()),
                    ("version", "0.0.0".into()),
                    ("edition", "2024".into()),
                    ("publish", false.into()),
                ]),
            ),
            ("lib", table(vec![("path", "lib.rs".into())])),
            // It is nobody's member, wherever it lies.
            ("workspace", table(Vec::new())),
            ("dependencies", Value::Table(dependencies)),
            ("profile", table(vec![("release", release)])),
        ];
        toml::to_string(&Table::from_iter(all.map(|(key, value)| (key.to_owned(), value))))
    }
}

/// In how many units cargo compiles a crate if nobody says anything.
const USUAL_UNITS: u32 = 16;

/// A path as cargo finds it from anywhere.
fn resolved(folder: &Path, home: Option<&Path>, path: &str) -> PathBuf {
    let whole = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    };
    // Where there is nothing, cargo says so.
    whole.canonicalize().unwrap_or(whole)
}

/// The name of the package in a folder.
fn name_in(folder: &Path) -> Result<String, Trouble> {
    let path = folder.join("Cargo.toml");
    let trouble = |why: String| Trouble {
        what: format!("there is no crate in {}: {why}", folder.display()),
        remedy: Some("name the folder that holds its Cargo.toml".to_owned()),
    };
    let text = std::fs::read_to_string(&path).map_err(|error| trouble(format!("Cargo.toml: {error}")))?;
    let manifest: Table = text.parse().map_err(|error: toml::de::Error| trouble(error.to_string()))?;
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
    name.map(str::to_owned).ok_or_else(|| trouble("its Cargo.toml has no package".to_owned()))
}

/// `regex = "1"`, `serde = { features = ["derive"], version = "1" }`.
fn line(name: &str, table: &Table) -> String {
    match (table.len(), table.get("version")) {
        (1, Some(version)) => format!("{name} = {version}"),
        _ => format!("{name} = {}", Value::Table(table.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_last_word_on_a_crate_holds() {
        let mut wanted = Wanted::default();
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().canonicalize().unwrap();
        fs::create_dir(here.join("mine")).unwrap();
        fs::write(here.join("mine/Cargo.toml"), "[package]\nname = \"my-crate\"\n").unwrap();
        let mut add =
            |text: &str| wanted.add(text, &here, Some(Path::new("/home/me"))).map_err(|trouble| trouble.what);
        assert_eq!(add("regex").as_deref(), Ok("regex"));
        assert_eq!(add("regex = \"1\"").as_deref(), Ok("regex"));
        assert_eq!(add("serde_json = \"1\"").as_deref(), Ok("serde_json"));
        assert_eq!(add("serde-json = { version = \"1\", features = [\"a\"] }").as_deref(), Ok("serde-json"));
        assert_eq!(add("./mine").as_deref(), Ok("my-crate"));
        assert_eq!(add("other = { path = \"~/other\" }").as_deref(), Ok("other"));
        assert!(add("./none").unwrap_err().contains("/none: Cargo.toml: No such file"));
        assert!(add("a = 1").unwrap_err().starts_with("`a = 1`: `a` is given integer"));
        let lines: Vec<_> = wanted.lines().map(|(_, line)| line).collect();
        let expected = [
            format!("my-crate = {{ path = \"{}/mine\" }}", here.display()),
            "other = { path = \"/home/me/other\" }".to_owned(),
            "regex = \"1\"".to_owned(),
            "serde-json = { features = [\"a\"], version = \"1\" }".to_owned(),
        ];
        assert_eq!(lines, expected);
        let exact = wanted.lines_with(|name| (name != "regex").then(|| "1.2.3".to_owned()));
        let expected = [
            expected[0].as_str(),
            &expected[1],
            "regex = \"1\"",
            "serde-json = { features = [\"a\"], version = \"=1.2.3\" }",
        ];
        assert_eq!(exact, expected);
    }

    #[test]
    fn a_changed_package_is_compiled_otherwise() {
        let mut wanted = Wanted::default();
        wanted.add("a = \"1\"", Path::new("/"), None).unwrap();
        let same = wanted.manifest(&BTreeMap::new()).unwrap();
        assert!(same.contains("[dependencies.a]\nversion = \"1\"\n"), "{same}");
        assert!(!same.contains("codegen-units"), "{same}");
        let changed = wanted.manifest(&BTreeMap::from([("path+file:///a#1.0.0".to_owned(), 2)])).unwrap();
        assert!(changed.contains("[profile.release.package.\"path+file:///a#1.0.0\"]\ncodegen-units = 18\n"));
    }
}
