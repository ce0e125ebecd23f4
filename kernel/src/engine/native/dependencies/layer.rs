//! Crates that cargo has built, linked into one library, so that later cells need not link them again and all of them share its statics.
//!
//! The library is a crate that loads the others and adds nothing to them but names. A later layer is built on the earlier ones. Every crate of a notebook
//! loads every layer: one that forgot it would swallow the crates themselves, with statics of their own.
//!
//! Crates of the user's own, and what stands on them, are in layers of their own: so what counts can take the place of those alone, on the same others.

use super::super::counts;
use super::super::rustc::{self, Compiled, FLAGS, Order};
use super::super::toolchain::{Toolchain, names};
use super::cargo::{Kind, Library, Native};
use super::shelf::Shelf;
use super::{hidden, runtime, symbols};
use crate::engine::Trouble;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// The name of its crate, which is that of nothing else in the world.
    pub(super) name: String,
    /// Where its library is, and the crates that were linked into it.
    pub(super) folder: PathBuf,
    /// The names of the files of those crates.
    pub(super) files: BTreeSet<String>,
    /// Whether it has an asynchronous runtime.
    pub(super) runtime: bool,
    /// Whether its crates are the user's own.
    pub(super) own: bool,
}

impl Layer {
    /// Links crates, which no layer of `base` has, unless that was done by this kernel or another one. `own` says whose they are.
    pub(super) async fn link(
        toolchain: &Toolchain,
        shelf: &Shelf,
        base: &[Self],
        crates: &[&Library],
        natives: &[Native],
        own: bool,
    ) -> Result<Self, Trouble> {
        let files = crates.iter().map(|one| one.file.as_path());
        let key = key(toolchain, base, files, false).map_err(|error| unwritable(shelf, &error))?;
        let layer = Self {
            name: format!("assay_deps_{key}"),
            folder: shelf.layer(&key),
            files: crates.iter().filter_map(|one| file_name(&one.file)).collect(),
            runtime: runtime::of(crates).is_some(),
            own,
        };
        if !layer.is_there() {
            layer.make(toolchain, shelf, base, crates, natives, false).await?;
        }
        Ok(layer)
    }

    /// The layer that has crates which count in the place of these, which are the user's own; it may not be there yet.
    pub(super) fn counting<'f>(
        toolchain: &Toolchain,
        shelf: &Shelf,
        base: &[Self],
        files: impl Iterator<Item = &'f Path> + Clone,
        runtime: bool,
    ) -> Result<Self, Trouble> {
        let key = key(toolchain, base, files.clone(), true).map_err(|error| unwritable(shelf, &error))?;
        let files = files.filter_map(file_name).collect();
        Ok(Self { name: format!("assay_deps_{key}"), folder: shelf.layer(&key), files, runtime, own: true })
    }

    /// Whether it was made.
    pub(super) fn is_there(&self) -> bool {
        self.library().is_file()
    }

    /// The library in the place of LLVM's runtime, in a layer that counts.
    pub(super) fn counters(&self) -> PathBuf {
        counts::counters(&self.folder)
    }

    /// Makes it of these crates.
    pub(super) async fn make(
        &self,
        toolchain: &Toolchain,
        shelf: &Shelf,
        base: &[Self],
        crates: &[&Library],
        natives: &[Native],
        counting: bool,
    ) -> Result<(), Trouble> {
        let broken = |error: io::Error| unwritable(shelf, &error);
        let layer = self;
        let draft = shelf.draft(&layer.folder).map_err(broken)?;
        let counters = match counting {
            true => Some(counts::make_counters(toolchain, draft.path()).await?),
            false => None,
        };
        let made = Made::of(crates, natives).await;
        for one in crates {
            let foreign = natives.iter().any(|native| native.package == one.package);
            let shown = if foreign { &made.symbols } else { &BTreeSet::new() };
            adopt(&one.file, draft.path(), shown).map_err(broken)?;
        }
        let mut text = source(base, crates, &made);
        if counting {
            text.push_str(&format!("extern crate {} as _;\n", counts::CRATE));
        }
        fs::write(draft.path().join("lib.rs"), text)
            .and_then(|()| fs::write(draft.path().join(EXPORTS), "!<arch>\n"))
            .map_err(broken)?;
        let mut order = layer.order(toolchain, base, crates, natives, draft.path());
        if let Some(counters) = counters {
            order.search.extend(counters.parent().map(Path::to_owned));
            order.externs.push((counts::CRATE.to_owned(), counters));
            order.extra.extend(counts::flags());
        }
        match rustc::compile(toolchain, draft.path(), &order).await? {
            Compiled { ok: true, .. } => shelf.publish(draft, &layer.folder).map_err(broken),
            Compiled { messages, .. } => Err(refused(&messages)),
        }
    }

    /// Its library.
    pub(super) fn library(&self) -> PathBuf {
        self.folder.join(self.file())
    }

    fn file(&self) -> String {
        format!("lib{}.so", self.name)
    }

    fn order(
        &self,
        toolchain: &Toolchain,
        base: &[Self],
        crates: &[&Library],
        natives: &[Native],
        draft: &Path,
    ) -> Order {
        let rlibs = crates.iter().filter(|one| one.kind == Kind::Rlib).enumerate();
        let own = rlibs.filter_map(|(at, one)| Some((alias(at), draft.join(file_name(&one.file)?))));
        let lower = base.iter().map(|layer| (layer.name.clone(), layer.library()));
        let folders: BTreeSet<&PathBuf> = natives.iter().flat_map(|native| &native.search).collect();
        let mut extra: Vec<OsString> = vec![rustc::joined("-Lnative=", draft)];
        for folder in folders {
            extra.push(rustc::joined("-Lnative=", folder));
            // What a build script made is found there again when the layer is opened.
            extra.extend(toolchain.search_at_run_time(folder));
        }
        Order {
            root: "lib.rs".into(),
            crate_name: self.name.clone(),
            identity: self.name.clone(),
            library: draft.join(self.file()),
            externs: own.chain(lower).chain(toolchain.externs()).collect(),
            search: base.iter().map(|layer| layer.folder.clone()).chain([draft.to_owned()]).collect(),
            linked: Vec::new(),
            mir: None,
            renames: Vec::new(),
            extra,
        }
    }
}

/// A library of nothing, in whose name symbols of other languages are exported.
const EXPORTS: &str = "libassay_exports.a";

/// What a crate is called in the layer's own text: two versions of one have the same name.
fn alias(at: usize) -> String {
    format!("assay_crate_{at}")
}

/// What is known of the crates of a layer from what they are made of.
#[derive(Debug, Clone, Default)]
struct Made {
    /// What their types may be called. Without it, types may be printed so that later cells cannot name them, and say so.
    names: BTreeSet<String>,
    /// What the libraries in other languages define that were linked into them.
    symbols: BTreeSet<String>,
}

impl Made {
    async fn of(crates: &[&Library], natives: &[Native]) -> Self {
        let rlibs = crates.iter().filter(|one| one.kind == Kind::Rlib).map(|one| one.file.clone());
        let (rlibs, natives): (Vec<PathBuf>, _) = (rlibs.collect(), natives.to_vec());
        let read = tokio::task::spawn_blocking(move || Self {
            names: rlibs.iter().flat_map(|rlib| names::of_crate(rlib)).collect(),
            symbols: symbols::of_archives(&natives),
        });
        read.await.unwrap_or_default()
    }
}

/// The text of a layer's crate. What else is to be compiled once for all cells, on top of these crates, belongs here.
fn source(base: &[Layer], crates: &[&Library], made: &Made) -> String {
    let mut text = String::from("#![allow(dead_code, nonstandard_style, clashing_extern_declarations)]\n");
    let mut line = |line: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    base.iter().for_each(|layer| line(&format!("extern crate {} as _;", layer.name)));
    let rlibs = crates.iter().filter(|one| one.kind == Kind::Rlib).count();
    (0..rlibs).for_each(|at| line(&format!("extern crate {} as _;", alias(at))));
    if let Some((at, tokio)) = runtime::of(crates).and_then(|at| Some((at, nth(crates, at)?))) {
        line(&format!("extern crate {};", alias(at)));
        line(&runtime::module(tokio, &alias(at)));
    }
    // What is hidden from documentation is hidden from whoever looks whether a name is the only one.
    line("pub mod assay_names {");
    made.names.iter().for_each(|name| line(&format!("pub struct {name};")));
    line("}");
    if !made.symbols.is_empty() {
        // A function that is inlined into a cell may call them; but only what a crate declares is exported.
        line("#[link(name = \"assay_exports\", kind = \"static\")] unsafe extern \"C\" {");
        for (at, symbol) in made.symbols.iter().enumerate() {
            line(&format!("#[link_name = \"{symbol}\"] pub fn assay_symbol_{at}();"));
        }
        line("}");
    }
    text
}

/// A crate by its number among those that are linked.
fn nth<'l>(crates: &[&'l Library], at: usize) -> Option<&'l Library> {
    crates.iter().copied().filter(|one| one.kind == Kind::Rlib).nth(at)
}

/// What a layer hangs on: the toolchain, with the cell runtime that it is built on, what it is built on, and which files of what size and from when are in it.
fn key<'f>(
    toolchain: &Toolchain,
    base: &[Layer],
    files: impl Iterator<Item = &'f Path>,
    counting: bool,
) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    add(toolchain.version.as_bytes());
    add(toolchain.runtime.as_os_str().as_bytes());
    // How a layer is made is in the kernel's own code.
    add(env!("CARGO_PKG_VERSION").as_bytes());
    FLAGS.iter().for_each(|flag| add(flag.as_bytes()));
    toolchain.linker.iter().for_each(|argument| add(argument.as_bytes()));
    base.iter().for_each(|layer| add(layer.name.as_bytes()));
    if counting {
        counts::flags().for_each(|flag| add(flag.as_bytes()));
    }
    for file in files {
        add(file.as_os_str().as_bytes());
        let metadata = fs::metadata(file)?;
        add(&metadata.size().to_le_bytes());
        add(&metadata.mtime().to_le_bytes());
        add(&metadata.mtime_nsec().to_le_bytes());
    }
    Ok(hex::encode(&hash.finalize()[..8]))
}

/// Gives a file a second name in a folder: whatever cargo makes of the first one later, it does that by putting another file in its place. Where it hides one of
/// these symbols, which are to be seen, the folder gets a copy that shows it.
fn adopt(file: &Path, folder: &Path, shown: &BTreeSet<String>) -> io::Result<()> {
    let own = folder.join(file.file_name().unwrap_or_default());
    if !shown.is_empty() {
        let mut bytes = fs::read(file)?;
        if hidden::show(&mut bytes, shown) > 0 {
            return fs::write(own, bytes);
        }
    }
    fs::hard_link(file, &own).or_else(|_| fs::copy(file, &own).map(drop))
}

pub(super) fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

fn refused(messages: &[rustc::Message]) -> Trouble {
    let errors = messages.iter().filter(|message| message.level == "error").map(|message| {
        let below: Vec<&str> = message
            .children
            .iter()
            .map(|child| child.message.as_str())
            .filter(|text| text.len() < 4096)
            .collect();
        format!("{}\n{}", message.message, below.join("\n"))
    });
    let all = errors.collect::<Vec<_>>().join("\n");
    Trouble {
        what: format!("the crates were built, but cannot be linked:\n{}", rustc::last_lines(&all)),
        remedy: Some("where a library of the system is missing, install its development package".to_owned()),
    }
}

fn unwritable(shelf: &Shelf, error: &io::Error) -> Trouble {
    super::unwritable(&shelf.target(), error)
}
