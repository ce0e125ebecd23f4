//! The library in the place of LLVM's profiling runtime.
//!
//! Code that counts is linked to a runtime which writes a file when the process ends (`default.profraw`), wherever that is. LLVM's way out of it is a symbol: who
//! defines `__llvm_profile_runtime` starts no runtime. It is defined here once, in a library that all crates which count load, for rustc wants what they have in
//! common to be in one of them. The version of the counters, a constant of that runtime, is kept in it.

use super::map;
use crate::engine::Trouble;
use crate::engine::native::build::unwritable;
use crate::engine::native::rustc::{self, Compiled, Order};
use crate::engine::native::toolchain::Toolchain;
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

/// Where it is in a folder in which it was made.
pub(in super::super) fn counters(folder: &Path) -> PathBuf {
    folder.join(CRATE).join(format!("lib{CRATE}.so"))
}

/// Makes it in a folder, once.
pub(in super::super) async fn make_counters(
    toolchain: &Toolchain,
    folder: &Path,
) -> Result<PathBuf, Trouble> {
    let library = counters(folder);
    if !library.is_file() {
        compile(toolchain, folder, &library).await?;
    }
    let bytes = fs::read(&library).map_err(|error| unwritable(&library, &error))?;
    match map::check_version(&bytes) {
        Ok(()) => Ok(library),
        Err(why) => Err(refused(&why.to_string())),
    }
}

async fn compile(toolchain: &Toolchain, folder: &Path, library: &Path) -> Result<(), Trouble> {
    let root = Path::new(CRATE).join("lib.rs");
    fs::create_dir_all(folder.join(CRATE))
        .and_then(|()| fs::write(folder.join(&root), TEXT))
        .map_err(|error| unwritable(folder, &error))?;
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
    match rustc::compile(toolchain, folder, &order).await? {
        Compiled { ok: true, .. } => Ok(()),
        Compiled { messages, .. } => {
            let first = messages.iter().find(|message| message.level == "error");
            let why = first.map_or("rustc does not say why", |message| message.message.as_str());
            Err(refused(why))
        }
    }
}

fn refused(why: &str) -> Trouble {
    Trouble {
        what: format!("this toolchain compiles no code that counts: {why}"),
        remedy: Some("those of https://rustup.rs do: they have the crate `profiler_builtins`".to_owned()),
    }
}
