//! The library in the place of LLVM's profiling runtime.
//!
//! Code that counts is linked to a runtime which writes a file when the process ends (`default.profraw`), wherever that is. LLVM's way out of it is a symbol: who
//! defines `__llvm_profile_runtime` starts no runtime. It is defined here once, in a library that all crates which count load, for rustc wants what they have in
//! common to be in one of them. The version of the counters, a constant of that runtime, is kept in it.

use super::map;
use crate::engine::native::build::{Workshop, unwritable};
use crate::engine::native::rustc::{self, Compiled, Order};
use crate::engine::{Failure, Trouble};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Its crate.
pub(in super::super) const CRATE: &str = "assay_counters";

pub(super) const TEXT: &str = "#![allow(nonstandard_style, dead_code)]
#[unsafe(no_mangle)] pub static __llvm_profile_runtime: core::ffi::c_int = 0;
unsafe extern \"C\" { static __llvm_profile_raw_version: u64; }
pub struct Kept(*const u64);
unsafe impl Sync for Kept {}
#[used] static VERSION: Kept = Kept(&raw const __llvm_profile_raw_version);
";

/// How code is compiled that counts. Threads count together: a counter that is not changed at once would lose some.
pub(in super::super) fn flags() -> impl Iterator<Item = OsString> {
    ["-Cinstrument-coverage", "-Cllvm-args=-instrprof-atomic-counter-update-all"]
        .into_iter()
        .map(OsString::from)
}

/// Makes it, once for each workshop.
pub(super) async fn make(workshop: &Workshop) -> Result<PathBuf, Failure> {
    let folder = workshop.folder.join(CRATE);
    let library = folder.join(format!("lib{CRATE}.so"));
    if !library.is_file() {
        compile(workshop, &folder, &library).await?;
    }
    let bytes = fs::read(&library).map_err(|error| Failure::Trouble(unwritable(&library, &error)))?;
    match map::check_version(&bytes) {
        Ok(()) => Ok(library),
        Err(why) => Err(Failure::Trouble(refused(&why.to_string()))),
    }
}

async fn compile(workshop: &Workshop, folder: &Path, library: &Path) -> Result<(), Failure> {
    let root = Path::new(CRATE).join("lib.rs");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(workshop.folder.join(&root), TEXT))
        .map_err(|error| Failure::Trouble(unwritable(&workshop.folder, &error)))?;
    let order = Order {
        root,
        crate_name: CRATE.to_owned(),
        identity: CRATE.to_owned(),
        library: library.to_owned(),
        externs: Vec::new(),
        search: Vec::new(),
        linked: Vec::new(),
        mir: None,
        renames: Vec::new(),
        extra: flags().collect(),
    };
    let compiled = rustc::compile(&workshop.toolchain, &workshop.folder, &order).await;
    match compiled.map_err(Failure::Trouble)? {
        Compiled { ok: true, .. } => Ok(()),
        Compiled { messages, .. } => {
            let first = messages.iter().find(|message| message.level == "error");
            let why = first.map_or("rustc does not say why", |message| message.message.as_str());
            Err(Failure::Trouble(refused(why)))
        }
    }
}

fn refused(why: &str) -> Trouble {
    Trouble {
        what: format!("this toolchain compiles no code that counts: {why}"),
        remedy: Some("those of https://rustup.rs do: they have the crate `profiler_builtins`".to_owned()),
    }
}
