//! One call of cargo: what it is asked to build, and what it made.

use super::super::program;
use super::said::Said;
use crate::engine::Trouble;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What to do where there is no cargo.
const NO_CARGO: &str =
    "crates are built with cargo: install Rust as https://rustup.rs says, then restart the kernel";

/// Cargo, as it builds for the cells of one toolchain.
#[derive(Debug, Clone)]
pub(super) struct Cargo<'a> {
    pub(super) program: &'a Path,
    /// The machine that cells run on: named, so that what they are linked to is kept apart from what build scripts and macros need.
    pub(super) target: &'a str,
    /// Where it looks for its configuration: the notebook's folder.
    pub(super) folder: &'a Path,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) offline: bool,
}

/// What was built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Built {
    pub(super) libraries: Vec<Library>,
    /// What build scripts said about libraries in other languages.
    pub(super) natives: Vec<Native>,
}

/// A crate that was built, now or earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Library {
    /// The package, as cargo calls it.
    pub(super) package: String,
    /// What code calls it.
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) kind: Kind,
    pub(super) features: Vec<String>,
    /// Whether it was built by an earlier call.
    pub(super) fresh: bool,
}

/// What a crate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// For code that runs in cells.
    Rlib,
    /// For the compiler.
    Macros,
    /// For build scripts and macros.
    Tool,
}

/// Libraries in other languages that a package is linked to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Native {
    /// The package, as cargo calls it.
    pub(super) package: String,
    /// `sqlite3`, of those that are linked statically.
    pub(super) archives: Vec<String>,
    /// Folders to look in.
    pub(super) search: Vec<PathBuf>,
}

/// Why there is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) error: String,
    pub(super) unreachable: bool,
    pub(super) offline: bool,
}

impl Cargo<'_> {
    /// Builds the package in a folder, and all that it depends on. `told` hears how far that is.
    pub(super) async fn build(
        &self,
        package: &Path,
        target: &Path,
        told: &mut (dyn FnMut(String) + Send),
    ) -> Result<Result<Built, Failed>, Trouble> {
        let mut arguments = arguments(package, "build");
        arguments.extend(self.offline.then(|| "--offline".into()));
        arguments.extend(["--release", "--lib", "--message-format=json-render-diagnostics"].map(Into::into));
        arguments.extend([OsString::from("--target"), self.target.into()]);
        arguments.extend([OsString::from("--target-dir"), target.into()]);
        let printed = self.call(&arguments, told).await?;
        Ok(printed.map(|printed| self.made(&printed, target)))
    }

    /// What the packages of a manifest are, and how they depend on each other.
    pub(super) async fn describe(&self, package: &Path) -> Result<Result<Vec<u8>, Failed>, Trouble> {
        let mut arguments = arguments(package, "metadata");
        // They have been built: all that can be said of them is here.
        arguments.extend(["--format-version=1", "--offline", "--filter-platform"].map(Into::into));
        arguments.push(self.target.into());
        self.call(&arguments, &mut |_| ()).await
    }

    /// What it prints on its standard output.
    async fn call(
        &self,
        arguments: &[OsString],
        told: &mut (dyn FnMut(String) + Send),
    ) -> Result<Result<Vec<u8>, Failed>, Trouble> {
        let mut said = Said::default();
        let mut heard = |bytes: &[u8]| said.push(bytes).into_iter().for_each(&mut *told);
        let output =
            program::watch(self.program, arguments, self.folder, &self.environment, &mut heard).await;
        let output = output.map_err(|error| Trouble {
            what: format!("`{}` does not start: {error}", self.program.display()),
            remedy: Some(
                if error.kind() == ErrorKind::NotFound { NO_CARGO } else { program::SHORT }.to_owned(),
            ),
        })?;
        // The last line may have no end.
        said.push(b"\n");
        if output.status.success() {
            return Ok(Ok(output.stdout));
        }
        let mut error = said.error();
        if error.is_empty() {
            error = format!("cargo ended with {}", output.status);
        }
        let offline = said.kept_offline();
        Ok(Err(Failed { error, unreachable: said.unreachable(), offline }))
    }

    fn made(&self, printed: &[u8], target: &Path) -> Built {
        let ours = target.join(self.target);
        let mut built = Built::default();
        for line in printed.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Message::CompilerArtifact(artifact)) => built.libraries.extend(artifact.library(&ours)),
                Ok(Message::BuildScriptExecuted(script)) => built.natives.extend(script.native()),
                Ok(Message::Other) => {}
                Err(error) if !line.is_empty() => tracing::debug!(%error, "a message of cargo's"),
                Err(_) => {}
            }
        }
        built
    }
}

/// Cargo's messages: <https://doc.rust-lang.org/cargo/reference/external-tools.html>.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact(Artifact),
    BuildScriptExecuted(Script),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    features: Vec<String>,
    filenames: Vec<PathBuf>,
    fresh: bool,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Script {
    package_id: String,
    linked_libs: Vec<String>,
    linked_paths: Vec<String>,
}

impl Artifact {
    /// The library. `ours` is the folder of what is for cells.
    fn library(self, ours: &Path) -> Option<Library> {
        let macros = self.target.kind.iter().any(|kind| kind == "proc-macro");
        let wanted = |file: &&PathBuf| match file.extension().and_then(|extension| extension.to_str()) {
            Some("rlib") => !macros,
            Some("so" | "dylib" | "dll") => macros,
            _ => false,
        };
        let file = self.filenames.iter().find(wanted)?.clone();
        let kind = match (macros, file.starts_with(ours)) {
            (true, _) => Kind::Macros,
            (false, true) => Kind::Rlib,
            (false, false) => Kind::Tool,
        };
        Some(Library {
            package: self.package_id,
            name: self.target.name.replace('-', "_"),
            file,
            kind,
            features: self.features,
            fresh: self.fresh,
        })
    }
}

impl Script {
    fn native(self) -> Option<Native> {
        // `static=sqlite3`, `static:+whole-archive=x`, `dylib=z`, `z`.
        let archive = |library: &String| {
            let (kind, name) = library.split_once('=')?;
            // A library may be renamed where it is linked: `static=real:alias`.
            let name = name.split(':').next().unwrap_or(name);
            (kind.split(':').next() == Some("static")).then(|| name.to_owned())
        };
        // `native=/a`, `/a`.
        let path = |path: &String| {
            let (kind, rest) = path.split_once('=').unwrap_or(("native", path));
            matches!(kind, "native" | "all").then(|| PathBuf::from(rest))
        };
        let native = Native {
            package: self.package_id,
            archives: self.linked_libs.iter().filter_map(archive).collect(),
            search: self.linked_paths.iter().filter_map(path).collect(),
        };
        (!native.archives.is_empty() || !native.search.is_empty()).then_some(native)
    }
}

fn arguments(package: &Path, command: &str) -> Vec<OsString> {
    vec![command.into(), "--manifest-path".into(), package.join("Cargo.toml").into()]
}

#[cfg(test)]
mod tests {
    use super::{Cargo, Kind, Library, Native};
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    fn cargo(program: &Path) -> Cargo<'_> {
        Cargo {
            program,
            target: "host",
            folder: Path::new("/"),
            environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            offline: false,
        }
    }

    fn artifact(kind: &str, name: &str, files: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|file| format!("\"{file}\"")).collect();
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"p#{name}","manifest_path":"/x","target":{{"kind":["{kind}"],"crate_types":["{kind}"],"name":"{name}","src_path":"/x"}},"profile":{{}},"features":["a"],"filenames":[{}],"executable":null,"fresh":true}}"#,
            files.join(",")
        )
    }

    #[test]
    fn what_is_for_cells_is_told_from_what_is_for_tools() {
        let printed = [
            artifact("lib", "a-b", &["/t/host/release/deps/liba_b-1.rmeta", "/t/host/release/deps/liba_b-1.rlib"]),
            artifact("lib", "c", &["/t/release/deps/libc-1.rlib", "/t/release/deps/libc-1.rmeta"]),
            artifact("proc-macro", "d", &["/t/release/deps/libd-1.so"]),
            artifact("custom-build", "build-script-build", &["/t/release/build/x/build-script-build"]),
            r#"{"reason":"build-script-executed","package_id":"p","linked_libs":["static=sqlite3","z","static:+bundle=x:y","framework=F"],"linked_paths":["native=/o","/p","framework=/f","dependency=/d"],"cfgs":[],"env":[],"out_dir":"/o"}"#.to_owned(),
            r#"{"reason":"build-script-executed","package_id":"p","linked_libs":[],"linked_paths":[],"cfgs":[],"env":[],"out_dir":"/o"}"#.to_owned(),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let built = cargo(Path::new("/")).made(printed.join("\n").as_bytes(), Path::new("/t"));
        let shown: Vec<_> = built
            .libraries
            .iter()
            .map(|Library { name, kind, file, .. }| format!("{name} {kind:?} {}", file.display()))
            .collect();
        let expected = [
            "a_b Rlib /t/host/release/deps/liba_b-1.rlib",
            "c Tool /t/release/deps/libc-1.rlib",
            "d Macros /t/release/deps/libd-1.so",
        ];
        assert_eq!(shown, expected);
        assert_eq!(built.libraries[0].kind, Kind::Rlib);
        let native = Native {
            package: "p".to_owned(),
            archives: vec!["sqlite3".to_owned(), "x".to_owned()],
            search: vec![PathBuf::from("/o"), PathBuf::from("/p")],
        };
        assert_eq!(built.natives, [native]);
    }

    #[tokio::test]
    async fn how_it_failed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("cargo");
        let script = "#!/bin/sh\nprintf '    Updating x\\nerror: no `%s` here' $1 >&2; exit 101\n";
        std::fs::write(&program, script).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        let mut told = Vec::new();
        let mut tell = |text| told.push(text);
        let failed =
            cargo(&program).build(folder.path(), folder.path(), &mut tell).await.unwrap().unwrap_err();
        assert_eq!(failed.error, "no `build` here");
        assert_eq!(told, ["Updating x"]);
        let missing = folder.path().join("none");
        let trouble = cargo(&missing).describe(folder.path()).await.unwrap_err();
        assert!(trouble.what.contains("none` does not start"), "{trouble:?}");
    }
}
