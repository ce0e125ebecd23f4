//! The user's Rust: which rustc, where its libraries and its linker are, and our own crates compiled with it.

mod allocator;
mod build;
mod cache;
mod linker;
pub(super) mod names;
mod probe;
mod self_test;
pub(crate) mod sources;

pub(super) use sources::RUNTIME;

use super::rustc;
use crate::engine::Trouble;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A toolchain that cells can be compiled with, its self-test passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// The compiler itself, not rustup's proxy: that saves 7 ms a call.
    pub(super) rustc: PathBuf,
    /// `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub(super) version: String,
    /// The folder of the standard library for this machine; it goes into LD_LIBRARY_PATH of the process that runs cells.
    pub(super) libraries: PathBuf,
    /// Arguments that choose the linker.
    pub(super) linker: Vec<String>,
    /// The cell runtime, crate `assay`: a dylib.
    pub(super) runtime: PathBuf,
    /// The crate of names that make rustc print full paths: an rlib, crate `assay_names`.
    pub(super) names: PathBuf,
    /// The object with the way to the heap that every library of ours is linked to, if there is one.
    pub(super) allocator: Option<PathBuf>,
    /// The level at which cells are optimised, if that is another than [`FLAGS`](super::rustc::FLAGS) say.
    pub(super) optimisation: Option<String>,
    /// What the processor's features are chosen for, if not for every processor of this kind.
    pub(super) target_cpu: Option<String>,
    /// What rustc runs with: the user's environment, without what changes the language or litters.
    pub(super) environment: BTreeMap<String, String>,
}

impl Toolchain {
    /// Finds the rustc that `environment` means in `folder`, and compiles our crates with it below `cache` unless that has been done. It takes
    /// 30 ms, the first time some seconds.
    pub(super) async fn prepare(
        environment: &BTreeMap<String, String>,
        folder: &Path,
        cache: &Path,
    ) -> Result<Self, Trouble> {
        let environment = probe::environment(environment);
        let installed = probe::probe(environment.clone(), folder).await?;
        let place = cache::Place::new(cache, &installed);
        let built = match place.built() {
            Some(built) => built,
            None => build::build(&place, &installed).await?,
        };
        place.touch();
        Ok(Self {
            rustc: installed.rustc,
            version: built.version,
            libraries: installed.libraries,
            linker: built.linker,
            runtime: place.runtime(),
            names: place.names(),
            allocator: place.allocator(),
            optimisation: None,
            target_cpu: None,
            environment,
        })
    }
}

/// Whether the source of the standard library is installed beside the rustc that `environment` means in `folder`.
pub(super) async fn has_source(environment: &BTreeMap<String, String>, folder: &Path) -> bool {
    let installed = probe::probe(probe::environment(environment), folder).await;
    installed.is_ok_and(|installed| installed.sysroot.join("lib/rustlib/src/rust/library/core").is_dir())
}

impl Toolchain {
    /// Our own crates, by their names.
    pub(super) fn externs(&self) -> [(String, PathBuf); 2] {
        [("assay".to_owned(), self.runtime.clone()), ("assay_names".to_owned(), self.names.clone())]
    }

    /// The cargo that belongs to it, or else the one in PATH.
    pub(super) fn cargo(&self) -> PathBuf {
        let beside = self.rustc.with_file_name("cargo");
        if beside.is_file() { beside } else { PathBuf::from("cargo") }
    }

    /// What rustc calls this machine: `x86_64-unknown-linux-gnu`.
    pub(super) fn machine(&self) -> &str {
        let folder = self.libraries.parent().and_then(Path::file_name);
        folder.and_then(OsStr::to_str).unwrap_or_default()
    }

    /// The argument that makes the loader look for libraries in a folder.
    pub(super) fn search_at_run_time(&self, folder: &Path) -> Option<OsString> {
        let direct = self.linker.iter().any(|argument| argument == "-Clinker-flavor=ld.lld");
        let start = if direct { "-Clink-arg=-rpath=" } else { "-Clink-arg=-Wl,-rpath," };
        // The C compiler takes its argument apart at commas.
        let safe = direct || !folder.to_string_lossy().contains(',');
        safe.then(|| rustc::joined(start, folder))
    }

    /// Whether they are still there.
    pub(super) fn is_there(&self) -> bool {
        self.runtime.is_file() && self.names.is_file()
    }
}

#[cfg(test)]
mod tests;
