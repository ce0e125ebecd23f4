//! What every crate of a notebook sees of the crates that were added.

use super::layer::Layer;
use super::runtime;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The crates, as they are loaded. Nothing, as long as none was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Linked {
    /// Every layer that was ever loaded, the lowest first: values that live may need it.
    pub(super) layers: Vec<Layer>,
    pub(super) crates: Vec<Loaded>,
    /// Macros that code may name.
    pub(super) macros: Vec<(String, PathBuf)>,
    /// Folders of libraries in other languages.
    pub(super) natives: Vec<PathBuf>,
}

/// A crate that is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loaded {
    /// What code calls it, if it may be named.
    pub(super) name: Option<String>,
    /// What it is called where a variable's type is written down. No two crates are ever called the same.
    pub(super) alias: String,
    pub(super) file: PathBuf,
}

/// The module that loads every crate. So each of them has a path that can be printed and written, those too that only other crates depend on.
pub(in super::super) const CRATES: &str = "assay_crates";

impl Loaded {
    /// The name under which rustc is told of it. One that the user did not ask for cannot be named by accident.
    fn told(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("assay_of_{}", self.alias))
    }
}

impl Linked {
    /// Crates that may be named, each with its file.
    pub(in super::super) fn externs(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let layers = self.layers.iter().map(|layer| (layer.name.clone(), layer.library()));
        let crates = self.crates.iter().map(|one| (one.told(), one.file.clone()));
        layers.chain(crates).chain(self.macros.iter().cloned())
    }

    /// Where the crates are that those need.
    pub(in super::super) fn search(&self) -> impl Iterator<Item = PathBuf> {
        self.layers.iter().map(|layer| layer.folder.clone())
    }

    /// Folders of libraries in other languages, which a cell may have to be linked to itself.
    pub(in super::super) fn natives(&self) -> &[PathBuf] {
        &self.natives
    }

    /// The libraries to open before any that was built on them, in order.
    pub(in super::super) fn libraries(&self) -> impl Iterator<Item = PathBuf> {
        self.layers.iter().map(Layer::library)
    }

    /// What stands at the root of every crate.
    pub(in super::super) fn declarations(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        for layer in &self.layers {
            let _ = write!(text, "extern crate {} as _; ", layer.name);
        }
        if !self.crates.is_empty() {
            let _ = write!(text, "#[allow(unused_extern_crates, nonstandard_style)] mod {CRATES} {{");
            for one in &self.crates {
                let (told, alias) = (one.told(), &one.alias);
                let renamed = if told == *alias { String::new() } else { format!(" as {alias}") };
                let _ = write!(text, " pub(crate) extern crate {told}{renamed};");
            }
            text.push_str(" }");
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    /// The statement that starts the asynchronous runtime, if there is one: that of the layer that came last.
    pub(in super::super) fn runtime(&self) -> Option<String> {
        let layer = self.layers.iter().rev().find(|layer| layer.runtime)?;
        Some(format!("::{}::{}::start(); ", layer.name, runtime::MODULE))
    }

    /// What the crates are called in types: names that must not be the only ones, or rustc would leave out the module that they are in.
    pub(in super::super) fn aliases(&self) -> impl Iterator<Item = &String> {
        self.crates.iter().map(|one| &one.alias)
    }

    /// Whether all of it is still there.
    pub(super) fn is_there(&self) -> bool {
        self.layers.iter().all(|layer| layer.library().is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer::Layer;
    use super::{Linked, Loaded};
    use std::collections::BTreeSet;

    #[test]
    fn every_crate_is_loaded_under_a_name_of_its_own() {
        assert_eq!(Linked::default().declarations(), "");
        let loaded = |name: Option<&str>, alias: &str| Loaded {
            name: name.map(str::to_owned),
            alias: alias.to_owned(),
            file: format!("/l/lib{alias}.rlib").into(),
        };
        let linked = Linked {
            layers: vec![Layer {
                name: "d".to_owned(),
                folder: "/l".into(),
                files: BTreeSet::new(),
                runtime: true,
                own: false,
            }],
            crates: vec![
                loaded(Some("regex"), "regex"),
                loaded(Some("rand"), "rand_2"),
                loaded(None, "rand"),
            ],
            macros: vec![("m".to_owned(), "/l/libm.so".into())],
            natives: Vec::new(),
        };
        let expected = "extern crate d as _; #[allow(unused_extern_crates, nonstandard_style)] mod assay_crates { pub(crate) extern crate regex; \
                        pub(crate) extern crate rand as rand_2; pub(crate) extern crate assay_of_rand as rand; }\n";
        assert_eq!(linked.declarations(), expected);
        assert_eq!(linked.runtime().as_deref(), Some("::d::assay_runtime::start(); "));
        let externs: Vec<_> =
            linked.externs().map(|(name, file)| format!("{name}={}", file.display())).collect();
        let expected = [
            "d=/l/libd.so",
            "regex=/l/libregex.rlib",
            "rand=/l/librand_2.rlib",
            "assay_of_rand=/l/librand.rlib",
            "m=/l/libm.so",
        ];
        assert_eq!(externs, expected);
    }
}
