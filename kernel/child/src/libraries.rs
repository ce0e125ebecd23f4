//! The libraries that are open. None is ever closed: variables, statics and threads of the user's may be anywhere in them.

use crate::table::Entry;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

/// All of them, by path.
#[derive(Default)]
pub(crate) struct Libraries(HashMap<PathBuf, ManuallyDrop<Library>>);

impl Libraries {
    /// Opens a library unless that has been done. Its names are its own: two cells may define the same symbol.
    pub(crate) fn open(&mut self, path: &Path) -> Result<&Library, String> {
        if !self.0.contains_key(path) {
            let library = load(path)?;
            self.0.insert(path.to_owned(), ManuallyDrop::new(library));
        }
        self.0.get(path).map(|library| &**library).ok_or_else(|| path.display().to_string())
    }

    /// Opens what a cell needs, in order, and finds its entry in the last one.
    pub(crate) fn entry(&mut self, paths: &[String], name: Option<&str>) -> Result<Option<Entry>, String> {
        for path in paths {
            self.open(Path::new(path))?;
        }
        match (name, paths.last()) {
            (None, _) => Ok(None),
            (Some(name), None) => Err(format!("no library was named that has the entry {name}")),
            (Some(name), Some(last)) => self.symbol(last, name).map(Some),
        }
    }

    #[expect(unsafe_code, reason = "the type of a symbol is what its maker says")]
    fn symbol(&mut self, path: &str, name: &str) -> Result<Entry, String> {
        let library = self.open(Path::new(path))?;
        // SAFETY: the kernel generated the library, and an entry of this type in it.
        let entry = unsafe { library.get::<Entry>(name) };
        entry.map(|entry| *entry).map_err(|error| format!("{path} has no entry {name}: {error}"))
    }
}

#[expect(unsafe_code, reason = "opening a library runs what it does at its start")]
fn load(path: &Path) -> Result<Library, String> {
    // SAFETY: the kernel names libraries that rustc made from cells and the runtime. That they run is what this process is for.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    library.map_err(|error| format!("{} cannot be loaded: {error}", path.display()))
}
