//! The kernelspec: the folder by which Jupyter knows the kernel.

use serde_json::json;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The name unless `--name` gives another: fixed, so that notebooks find the kernel.
pub(crate) const NAME: &str = "assay";

const FILES: &[(&str, &[u8])] = &[
    ("logo-32x32.png", include_bytes!("../../../install/logo-32x32.png")),
    ("logo-64x64.png", include_bytes!("../../../install/logo-64x64.png")),
    ("logo-svg.svg", include_bytes!("../../../install/logo-svg.svg")),
];

/// Where a kernelspec goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The user's own Jupyter data folder.
    User,
    /// The Python environment that is active.
    SysPrefix,
    /// Below a folder, in `share/jupyter`.
    Prefix(PathBuf),
}

/// What the commands need to know of the environment. Only `main` reads it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) home: Option<PathBuf>,
    /// The user's data folder: `~/.local/share` on Linux.
    pub(crate) data: Option<PathBuf>,
    /// This program.
    pub(crate) program: PathBuf,
}

/// Why a kernelspec could not be installed or removed.
#[derive(Debug)]
pub(crate) enum Refusal {
    Name(String),
    NoFolder { what: &'static str, remedy: &'static str },
    File { doing: &'static str, path: PathBuf, error: io::Error },
    NotInstalled(PathBuf),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "`{name}` is no name for a kernel: use letters, digits, `.`, `_` and `-` (Jupyter makes a folder of it)"
            ),
            Self::NoFolder { what, remedy } => write!(f, "{what}: {remedy}"),
            Self::File { doing, path, error } => {
                write!(
                    f,
                    "cannot {doing} {}: {error}; check its permissions or choose another place with --prefix",
                    path.display()
                )
            }
            Self::NotInstalled(path) => {
                write!(
                    f,
                    "there is no kernel to uninstall at {}; `jupyter kernelspec list` shows those there are",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// Writes the kernelspec and says where.
pub(crate) fn install(target: &Target, name: &str, environment: &Environment) -> Result<PathBuf, Refusal> {
    let folder = folder(target, name, environment)?;
    let wrote = |doing, path: &Path| {
        let path = path.to_owned();
        move |error| Refusal::File { doing, path, error }
    };
    std::fs::create_dir_all(&folder).map_err(wrote("make the folder", &folder))?;
    for (file, content) in FILES {
        let path = folder.join(file);
        std::fs::write(&path, content).map_err(wrote("write", &path))?;
    }
    // Last, because a folder without it is no kernel yet.
    let path = folder.join("kernel.json");
    std::fs::write(&path, specification(&environment.program)).map_err(wrote("write", &path))?;
    Ok(folder)
}

/// Removes the kernelspec and says from where.
pub(crate) fn uninstall(target: &Target, name: &str, environment: &Environment) -> Result<PathBuf, Refusal> {
    let folder = folder(target, name, environment)?;
    if !folder.join("kernel.json").is_file() {
        return Err(Refusal::NotInstalled(folder));
    }
    std::fs::remove_dir_all(&folder).map_err(|error| Refusal::File {
        doing: "remove",
        path: folder.clone(),
        error,
    })?;
    Ok(folder)
}

/// The text of `kernel.json`.
fn specification(program: &Path) -> String {
    let content = json!({
        "argv": [program, "kernel", "-f", "{connection_file}"],
        "display_name": "Rust (assay)",
        "language": "rust",
        "interrupt_mode": "message",
        "kernel_protocol_version": "5.5",
        "metadata": { "assay": { "version": env!("CARGO_PKG_VERSION") } },
    });
    format!("{content:#}\n")
}

fn folder(target: &Target, name: &str, environment: &Environment) -> Result<PathBuf, Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(Refusal::Name(name.to_owned()));
    }
    let data = match target {
        Target::User => user_data(environment)?,
        Target::SysPrefix => sys_prefix(environment)?.join("share").join("jupyter"),
        Target::Prefix(prefix) => prefix.join("share").join("jupyter"),
    };
    // Jupyter compares names in lower case.
    Ok(data.join("kernels").join(name.to_ascii_lowercase()))
}

/// Where jupyter_core looks for a user's kernels.
fn user_data(environment: &Environment) -> Result<PathBuf, Refusal> {
    if let Some(folder) = environment.variables.get("JUPYTER_DATA_DIR") {
        return Ok(PathBuf::from(folder));
    }
    let jupyter = if cfg!(target_os = "macos") {
        environment.home.as_ref().map(|home| home.join("Library").join("Jupyter"))
    } else {
        environment.data.as_ref().map(|data| data.join("jupyter"))
    };
    jupyter
        .ok_or(Refusal::NoFolder { what: "there is no home folder", remedy: "set HOME, or use --prefix DIR" })
}

fn sys_prefix(environment: &Environment) -> Result<PathBuf, Refusal> {
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().find_map(|name| environment.variables.get(*name));
    active.map(PathBuf::from).ok_or(Refusal::NoFolder {
        what: "no Python environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set)",
        remedy: "activate one, or use --prefix with the environment's folder",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            home: Some(PathBuf::from("/home/u")),
            data: Some(PathBuf::from("/home/u/.local/share")),
            program: PathBuf::from("/opt/assay"),
        }
    }

    #[track_caller]
    fn check(target: &Target, name: &str, variables: &[(&str, &str)], expected: &str) {
        let found = match folder(target, name, &environment(variables)) {
            Ok(path) => path.display().to_string(),
            Err(refusal) => refusal.to_string(),
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn every_target_has_its_folder() {
        check(&Target::User, "assay", &[("JUPYTER_DATA_DIR", "/d")], "/d/kernels/assay");
        #[cfg(not(target_os = "macos"))]
        check(&Target::User, "assay", &[], "/home/u/.local/share/jupyter/kernels/assay");
        check(&Target::SysPrefix, "A.b-1", &[("VIRTUAL_ENV", "/v")], "/v/share/jupyter/kernels/a.b-1");
        check(&Target::SysPrefix, "assay", &[], "no Python environment is active");
        check(&Target::Prefix("/p".into()), "assay", &[], "/p/share/jupyter/kernels/assay");
        for name in ["", "a/b", "..", "a b", "é"] {
            check(&Target::User, name, &[], &format!("`{name}` is no name"));
        }
    }

    #[test]
    fn what_is_installed_can_be_uninstalled_once() {
        let top = tempfile::tempdir().unwrap();
        let target = Target::Prefix(top.path().to_owned());
        let environment = environment(&[]);
        let folder = install(&target, NAME, &environment).unwrap();
        install(&target, NAME, &environment).unwrap();
        let content = std::fs::read_to_string(folder.join("kernel.json")).unwrap();
        let content: serde_json::Value = serde_json::from_str(&content).unwrap();
        assert_eq!(content["argv"], json!(["/opt/assay", "kernel", "-f", "{connection_file}"]));
        assert_eq!(content["interrupt_mode"], "message");
        for (file, bytes) in FILES {
            assert_eq!(std::fs::read(folder.join(file)).unwrap(), *bytes);
        }
        assert_eq!(uninstall(&target, NAME, &environment).unwrap(), folder);
        assert!(!folder.exists());
        assert!(matches!(uninstall(&target, NAME, &environment), Err(Refusal::NotInstalled(_))));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refusal = install(&Target::Prefix(file), NAME, &environment(&[])).unwrap_err().to_string();
        assert!(refusal.contains("cannot make the folder") && refusal.contains("--prefix"), "{refusal}");
    }
}
