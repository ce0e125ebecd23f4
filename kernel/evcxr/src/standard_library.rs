//! Where the cells' standard library is.
//!
//! Cells are linked to `libstd-….so`. evcxr lets rustc write its place into them relative to the folder that they are compiled in, and then
//! moves them one folder up: they find it only where that path leads beyond the root, which is to say not from a cache folder
//! in the home of a toolchain. So the loader is told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

const VARIABLE: &str = if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// The loader's variable and its new value: the standard library's folder before those that are in it already.
pub(crate) fn search_path() -> Result<(&'static str, OsString), String> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .map_err(|error| format!("rustc cannot be run: {error}"))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || folder.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("rustc does not tell where its library is ({}): {said}", output.status));
    }
    let before = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    let folders = std::iter::once(PathBuf::from(folder)).chain(before.iter().flat_map(std::env::split_paths));
    let joined = std::env::join_paths(folders).map_err(|error| format!("{VARIABLE}: {error}"))?;
    Ok((VARIABLE, joined))
}
