//! The crates that a notebook asks for (`:dep`): resolved and built by cargo, linked once, seen by every cell.
//!
//! They belong to the engine and not to a cell: a cell that fails after its `:dep` keeps the crate. Cargo decides what is resolved to what. A crate that
//! comes out otherwise than before (other features, a newer version, a changed source) is another crate from then on: new cells see it alone, and
//! what was made of the old one is named to the caller, who takes it away.

mod cargo;
mod counting;
mod graph;
mod hidden;
mod layer;
mod linked;
mod manifest;
mod package;
mod reading;
mod runtime;
mod said;
mod shelf;
mod sources;
mod symbols;

pub(super) use counting::Counting;
pub(super) use linked::{CRATES, Linked};
pub(super) use reading::Reading;

use super::symbols::Local;
use super::toolchain::Toolchain;
use crate::engine::Trouble;
use cargo::{Built, Cargo, Failed, Kind, Library, Native};
use graph::Graph;
use layer::{Layer, file_name};
use linked::Loaded;
use manifest::Wanted;
use shelf::Shelf;
use sources::Sources;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What a notebook depends on.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// Whether cargo may use the network.
    pub(super) offline: bool,
    shelf: Option<Shelf>,
    now: Arc<Resolved>,
}

/// What was resolved and linked. A new one takes its place when it is whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Resolved {
    wanted: Wanted,
    /// Cargo.lock: what is loaded does not move when something is added.
    lock: Option<String>,
    /// The folder of the package that depends on everything.
    package: PathBuf,
    graph: Graph,
    sources: Sources,
    /// Packages of the user's own that have changed since they were first built, each with how often.
    editions: BTreeMap<String, u32>,
    /// Every crate that was ever loaded, by the name of its file.
    known: BTreeMap<String, Known>,
    linked: Arc<Linked>,
}

/// A crate that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    alias: String,
    /// What code calls it.
    name: String,
    package: String,
    version: String,
}

/// Where and with what crates are built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) toolchain: &'a Toolchain,
    /// The notebook's folder: paths are relative to it, and cargo's configuration is looked for there.
    pub(super) folder: &'a Path,
    pub(super) environment: &'a BTreeMap<String, String>,
    /// Where built crates are kept.
    pub(super) shelf: &'a Path,
}

/// What has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// What was asked for, with the versions that it was resolved to: `regex 1.12.2`.
    pub(super) added: Vec<String>,
    /// How many crates had to be built, and how long everything took.
    pub(super) built: usize,
    pub(super) took: Duration,
    pub(super) replaced: Vec<Replaced>,
    /// Whether the network was not there, and what had been downloaded before was used.
    pub(super) unreachable: bool,
}

/// A crate that cells saw, and see no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replaced {
    /// How types of variables call it.
    pub(super) alias: String,
    /// How code calls it.
    pub(super) name: String,
    /// `serde_json 1.0.149`.
    pub(super) was: String,
    /// What cells see instead, if it is another version.
    pub(super) by: Option<String>,
}

/// More rounds than a change could need: one that finds out which sources have changed, and one that builds them as others.
const ROUNDS: usize = 4;

impl Dependencies {
    /// What crates see.
    pub(super) fn linked(&self) -> Arc<Linked> {
        Arc::clone(&self.now.linked)
    }

    /// What there is now, for [`go_back`](Self::go_back).
    pub(super) fn resolved(&self) -> Arc<Resolved> {
        Arc::clone(&self.now)
    }

    /// From now on there is what was then. False if it is the same.
    pub(super) fn go_back(&mut self, then: &Arc<Resolved>) -> bool {
        let same = Arc::ptr_eq(&self.now, then);
        self.now = Arc::clone(then);
        !same
    }

    /// The crates whose source is the user's own.
    pub(super) fn local(&self) -> Vec<Local> {
        let Graph { direct, packages } = &self.now.graph;
        let local = packages.iter().filter_map(|(id, package)| {
            let named = direct.iter().find(|(_, other)| *other == id).map(|(name, _)| name.clone());
            Some(Local {
                name: named.unwrap_or_else(|| package.name.replace('-', "_")),
                folder: package.local.as_ref()?.parent()?.to_owned(),
            })
        });
        local.collect()
    }

    /// Forgets all of them. What was built stays on the shelf.
    pub(super) fn clear(&mut self) {
        self.now = Arc::default();
    }

    /// Adds crates. `told` hears how far that is.
    pub(super) async fn add(
        &mut self,
        specifications: &[String],
        site: Site<'_>,
        told: &mut (dyn FnMut(String) + Send),
    ) -> Result<Change, Trouble> {
        let mut wanted = self.now.wanted.clone();
        let mut names = BTreeSet::new();
        let home = site.environment.get("HOME").map(Path::new);
        for specification in specifications {
            names.insert(wanted.add(specification, site.folder, home)?);
        }
        let mut change = if wanted == self.now.wanted && self.is_current() {
            Change::default()
        } else {
            self.change(wanted, site, told).await?
        };
        change.added = names.iter().map(|name| self.now.version_of(name)).collect();
        Ok(change)
    }

    /// Builds again what has changed since: the sources of crates of the user's own, or a shelf that somebody emptied.
    pub(super) async fn refresh(
        &mut self,
        site: Site<'_>,
        told: &mut (dyn FnMut(String) + Send),
    ) -> Result<Change, Trouble> {
        if self.now.wanted.is_empty() || self.is_current() {
            return Ok(Change::default());
        }
        self.change(self.now.wanted.clone(), site, told).await
    }

    /// Whether nothing has to be built again.
    pub(super) fn is_current(&self) -> bool {
        self.now.sources.changed().is_empty() && self.now.linked.is_there()
    }

    /// The crates, for whoever reads their sources.
    pub(super) fn reading(&self, site: Site<'_>) -> Reading {
        Reading {
            lines: self.now.wanted.lines_with(|name| Some(self.now.package_of(name)?.version.clone())),
            cargo: site.toolchain.cargo(),
            package: self.now.package.clone(),
            environment: environment(site.environment, &site.toolchain.rustc),
            offline: self.offline,
        }
    }

    /// What was asked for, and what it was resolved to; a line for each.
    pub(super) fn shown(&self) -> String {
        let lines = self.now.wanted.lines().map(|(name, line)| {
            let package = self.now.package_of(name);
            let version = package.map_or_else(String::new, |package| format!("  → {}", package.version));
            let features = package.map_or_else(String::new, |package| match package.features.as_slice() {
                [] => String::new(),
                features => format!(" [{}]", features.join(", ")),
            });
            format!("{line}{version}{features}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    async fn change(
        &mut self,
        wanted: Wanted,
        site: Site<'_>,
        told: &mut (dyn FnMut(String) + Send),
    ) -> Result<Change, Trouble> {
        let start = Instant::now();
        let shelf = opened(&mut self.shelf, site.shelf).await?;
        let mut next = Resolved { wanted, ..Resolved::clone(&self.now) };
        next.sources
            .changed()
            .into_iter()
            .for_each(|package| *next.editions.entry(package).or_default() += 1);
        let mut building = Building { site, shelf, offline: self.offline, unreachable: false, told };
        let mut count = 0;
        for _ in 0..ROUNDS {
            let built = building.build(&mut next).await?;
            count += built.libraries.iter().filter(|one| !one.fresh && next.knows(one)).count();
            let overwritten = next.overwritten(&built);
            if overwritten.is_empty() {
                building.link(&mut next, &built).await?;
                let replaced = next.replaced(&self.now);
                let unreachable = building.unreachable;
                self.now = Arc::new(next);
                return Ok(Change {
                    built: count,
                    took: start.elapsed(),
                    replaced,
                    unreachable,
                    ..Change::default()
                });
            }
            overwritten.into_iter().for_each(|package| *next.editions.entry(package).or_default() += 1);
        }
        Err(Trouble {
            what: "a crate's source changes faster than it can be built".to_owned(),
            remedy: Some("run the cell again when the files have been written".to_owned()),
        })
    }
}

/// Building is under way.
struct Building<'a> {
    site: Site<'a>,
    shelf: &'a Shelf,
    offline: bool,
    unreachable: bool,
    told: &'a mut (dyn FnMut(String) + Send),
}

impl Building<'_> {
    /// Resolves and builds what is wanted.
    async fn build(&mut self, next: &mut Resolved) -> Result<Built, Trouble> {
        let began = SystemTime::now();
        let manifest = next.wanted.manifest(&next.editions).map_err(|error| Trouble {
            what: format!("no manifest can be written: {error}"),
            remedy: Some("please report the `:dep` lines of the notebook".to_owned()),
        })?;
        let package = package::prepare(self.shelf, &manifest, next.lock.as_deref(), began)
            .map_err(|error| unwritable(&self.shelf.target(), &error))?;
        let program = self.site.toolchain.cargo();
        let mut cargo = Cargo {
            program: &program,
            target: self.site.toolchain.machine(),
            folder: self.site.folder,
            environment: environment(self.site.environment, &self.site.toolchain.rustc),
            offline: self.offline,
        };
        let target = self.shelf.target();
        let mut built = cargo.build(&package.folder, &target, self.told).await?;
        if let Err(failed) = &built
            && failed.unreachable
            && !cargo.offline
        {
            package.restore_lock();
            cargo.offline = true;
            // What the network's silence means is known already: an error from this try would be about its being forbidden.
            if let Ok(second) = cargo.build(&package.folder, &target, self.told).await? {
                self.unreachable = true;
                built = Ok(second);
            }
        }
        let built = built.map_err(|failed| not_built(&failed))?;
        let described = cargo.describe(&package.folder).await?.map_err(|failed| not_built(&failed))?;
        next.graph = Graph::read(&described).map_err(|error| Trouble {
            what: format!("what cargo says of the packages is not understood: {error}"),
            remedy: Some("`cargo --version` may be too old or too new for this kernel".to_owned()),
        })?;
        next.lock = package.lock();
        next.package = package.folder;
        next.sources = Sources::default();
        for library in &built.libraries {
            if let Some(manifest) =
                next.graph.packages.get(&library.package).and_then(|one| one.local.as_ref())
            {
                next.sources.note(&library.package, manifest, &library.file, began);
            }
        }
        Ok(built)
    }

    /// Links what is not linked yet, and says what crates see from now on.
    async fn link(&mut self, next: &mut Resolved, built: &Built) -> Result<(), Trouble> {
        let needed =
            |one: &&Library| one.kind != Kind::Tool && next.graph.packages.contains_key(&one.package);
        let needed: Vec<&Library> = built.libraries.iter().filter(needed).collect();
        let mut layers = if next.linked.is_there() { next.linked.layers.clone() } else { Vec::new() };
        let has = |layers: &[Layer], one: &Library| {
            file_name(&one.file).is_some_and(|name| layers.iter().any(|layer| layer.files.contains(&name)))
        };
        let fresh = needed.iter().copied().filter(|one| !has(&layers, one));
        let packages = next.graph.own();
        let (own, others): (Vec<&Library>, Vec<&Library>) =
            fresh.partition(|one| packages.contains(one.package.as_str()));
        for (fresh, own) in [(others, false), (own, true)] {
            if fresh.is_empty() {
                continue;
            }
            (self.told)("Linking".to_owned());
            let natives = natives_of(&fresh, built);
            // What is nobody's own stands on nothing that is.
            let base: Vec<Layer> = layers.iter().filter(|layer| own || !layer.own).cloned().collect();
            let layer = Layer::link(self.site.toolchain, self.shelf, &base, &fresh, &natives, own).await?;
            layers.push(layer);
        }
        next.see(layers, &needed, built)
    }
}

impl Resolved {
    /// Enters what crates see: each of these libraries is in one of the layers.
    fn see(&mut self, layers: Vec<Layer>, libraries: &[&Library], built: &Built) -> Result<(), Trouble> {
        let (mut crates, mut macros) = (Vec::new(), Vec::new());
        let mut unnamed = self.graph.direct.clone();
        for one in libraries {
            let name =
                unnamed.iter().find(|(_, package)| **package == one.package).map(|(name, _)| name.clone());
            if let Some(name) = &name {
                unnamed.remove(name);
            }
            let Some(file) = placed(&layers, &one.file) else { continue };
            match (one.kind, name) {
                (Kind::Macros, Some(name)) => macros.push((name, file)),
                (Kind::Rlib, name) => {
                    let alias = self.alias(one, name.as_deref());
                    crates.push(Loaded { name, alias, file });
                }
                (Kind::Macros | Kind::Tool, _) => {}
            }
        }
        if let Some((name, _)) = unnamed.first_key_value() {
            return Err(Trouble {
                what: format!("`{name}` has no library that code could use"),
                remedy: Some("`!cargo install` is for programs".to_owned()),
            });
        }
        let natives: BTreeSet<&PathBuf> = built.natives.iter().flat_map(|native| &native.search).collect();
        let natives = natives.into_iter().cloned().collect();
        self.linked = Arc::new(Linked { layers, crates, macros, natives });
        Ok(())
    }

    /// What types call a crate: what they called it before, or else its name, if no other crate was ever called so.
    fn alias(&mut self, library: &Library, name: Option<&str>) -> String {
        let file = file_name(&library.file).unwrap_or_default();
        if let Some(known) = self.known.get(&file) {
            return known.alias.clone();
        }
        let name = name.unwrap_or(&library.name);
        let taken: BTreeSet<&str> = self.known.values().map(|known| known.alias.as_str()).collect();
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut free =
            std::iter::once(name.to_owned()).chain(numbered).filter(|alias| !taken.contains(alias.as_str()));
        let alias = free.next().unwrap_or_default();
        let package = self.graph.packages.get(&library.package);
        let known = Known {
            alias: alias.clone(),
            name: name.to_owned(),
            package: package.map(|package| package.name.clone()).unwrap_or_default(),
            version: package.map(|package| package.version.clone()).unwrap_or_default(),
        };
        self.known.insert(file, known);
        alias
    }

    /// The packages of the user's own that were built anew in the place of what is loaded: they have to be other crates.
    fn overwritten(&self, built: &Built) -> BTreeSet<String> {
        let loaded = |library: &&Library| {
            let name = file_name(&library.file).unwrap_or_default();
            self.linked.layers.iter().any(|layer| layer.files.contains(&name))
        };
        let local = |library: &&Library| {
            self.graph.packages.get(&library.package).is_some_and(|package| package.local.is_some())
        };
        let new = built.libraries.iter().filter(|library| !library.fresh);
        new.filter(local).filter(loaded).map(|library| library.package.clone()).collect()
    }

    /// Whether a library is of a package that the notebook depends on, and not of the one that was made for it.
    fn knows(&self, library: &Library) -> bool {
        self.graph.packages.contains_key(&library.package)
    }

    /// The crates that were seen before and are seen no more.
    fn replaced(&self, before: &Self) -> Vec<Replaced> {
        let still: BTreeSet<&str> = self.linked.crates.iter().map(|one| one.alias.as_str()).collect();
        let gone = before.linked.crates.iter().filter(|one| !still.contains(one.alias.as_str()));
        let replaced = gone.filter_map(|one| {
            let known = before.known.get(&file_name(&one.file)?)?;
            let mut others = self.graph.packages.values().filter(|package| package.name == known.package);
            let by = others.next().filter(|package| package.version != known.version);
            Some(Replaced {
                alias: one.alias.clone(),
                name: one.name.clone().unwrap_or_else(|| known.name.clone()),
                was: format!("{} {}", known.package, known.version),
                by: by.map(|package| format!("{} {}", package.name, package.version)),
            })
        });
        replaced.collect()
    }

    fn package_of(&self, name: &str) -> Option<&graph::Package> {
        let direct = &self.graph.direct;
        // A library may be called otherwise than its package.
        let by_name = direct.get(&name.replace('-', "_")).and_then(|id| self.graph.packages.get(id));
        by_name.or_else(|| {
            let mut all = direct.values().filter_map(|id| self.graph.packages.get(id));
            all.find(|package| package.name == name)
        })
    }

    fn version_of(&self, name: &str) -> String {
        self.package_of(name).map_or_else(|| name.to_owned(), |package| format!("{name} {}", package.version))
    }
}

/// The libraries in other languages that are linked to these crates.
fn natives_of(crates: &[&Library], built: &Built) -> Vec<Native> {
    let natives = built.natives.iter().filter(|one| crates.iter().any(|other| other.package == one.package));
    natives.cloned().collect()
}

/// Where a layer keeps a file of cargo's.
fn placed(layers: &[Layer], file: &Path) -> Option<PathBuf> {
    let name = file_name(file)?;
    let layer = layers.iter().find(|layer| layer.files.contains(&name))?;
    Some(layer.folder.join(name))
}

/// What cargo runs with: everything that the user has set, our rustc, and progress that can be read.
fn environment(users: &BTreeMap<String, String>, rustc: &Path) -> BTreeMap<String, String> {
    let mut all = users.clone();
    // It would unlock a language that cells do not have.
    all.remove("RUSTC_BOOTSTRAP");
    let ours = [
        ("RUSTC", rustc.to_string_lossy().into_owned()),
        ("CARGO_INCREMENTAL", "0".to_owned()),
        ("CARGO_TERM_COLOR", "never".to_owned()),
        ("CARGO_TERM_QUIET", "false".to_owned()),
        ("CARGO_TERM_PROGRESS_WHEN", "always".to_owned()),
        ("CARGO_TERM_PROGRESS_WIDTH", "100".to_owned()),
    ];
    all.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    all
}

fn not_built(failed: &Failed) -> Trouble {
    let remedy = if failed.unreachable {
        "a registry or a repository cannot be reached, and what was downloaded before is not enough: connect to the network, and run the cell again"
    } else if failed.offline {
        "cargo is kept offline (`:offline 1`, CARGO_NET_OFFLINE or its configuration), and what was downloaded before is not enough"
    } else {
        "nothing has changed: the crates that were there before stay"
    };
    Trouble { what: failed.error.clone(), remedy: Some(remedy.to_owned()) }
}

/// The shelf, opened if it is not, or is not there any more.
async fn opened<'s>(place: &'s mut Option<Shelf>, folder: &Path) -> Result<&'s Shelf, Trouble> {
    let shelf = match place.take().filter(Shelf::is_there) {
        Some(shelf) => shelf,
        None => Shelf::open(folder.to_owned()).await.map_err(|error| unwritable(folder, &error))?,
    };
    Ok(place.insert(shelf))
}

fn unwritable(folder: &Path, error: &io::Error) -> Trouble {
    Trouble {
        what: format!("crates cannot be built in {}: {error}", folder.display()),
        remedy: Some("make room there, or make it writable; XDG_CACHE_HOME names another place".to_owned()),
    }
}
