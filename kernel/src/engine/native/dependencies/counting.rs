//! The crates of the user's own, built once more so that they count: cargo does it, in a folder of its own, with the very same packages.
//!
//! What is nobody's own is not built again: cargo finds it there as it left it elsewhere. A wrapper around rustc adds what makes a crate count, and changes nothing of
//! what its identity hangs on, so its types are the types of the variables that there are. The layer that they are linked into stands on the same layers as the one
//! whose place it takes: what other crates keep is there once.

use super::super::counts;
use super::cargo::{Built, Cargo, Kind, Library};
use super::layer::{Layer, file_name};
use super::linked::{Linked, Loaded};
use super::shelf::Shelf;
use super::{
    Dependencies, Resolved, Site, environment, natives_of, not_built, opened, package, placed, unwritable,
};
use crate::engine::Trouble;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What crates see that count.
#[derive(Debug, Clone)]
pub(in super::super) struct Counting {
    pub(in super::super) linked: Arc<Linked>,
    /// The library in which those crates are that count, and what their symbols call them.
    pub(in super::super) library: PathBuf,
    pub(in super::super) crates: BTreeSet<String>,
    /// What all that counts loads.
    pub(in super::super) counters: PathBuf,
}

/// What runs in rustc's place. Cargo names the machine for what cells are linked to, and for nothing else: build scripts and macros are what they are.
const WRAPPER: &str = "\
#!/bin/sh
case \"
$ASSAY_COUNTED
\" in
*\"
$CARGO_MANIFEST_DIR
\"*)
    case \" $* \" in
    *\" --target \"*) exec ${ASSAY_WRAPPED:+\"$ASSAY_WRAPPED\"} \"$@\" FLAGS ;;
    esac
    ;;
esac
exec ${ASSAY_WRAPPED:+\"$ASSAY_WRAPPED\"} \"$@\"
";

impl Dependencies {
    /// The names by which text can reach a crate of the user's own.
    pub(in super::super) fn own_names(&self) -> BTreeSet<String> {
        let own = self.now.linked.crates.iter().filter(|one| self.is_own(&one.file));
        let own = own.flat_map(|one| one.name.iter().chain([&one.alias])).cloned();
        let macros = self.now.linked.macros.iter().filter(|(_, file)| self.is_own(file));
        own.chain(macros.map(|(name, _)| name.clone())).collect()
    }

    fn is_own(&self, file: &Path) -> bool {
        self.now.linked.layers.iter().any(|layer| layer.own && file.starts_with(&layer.folder))
    }

    /// Builds the crates of the user's own so that they count, unless that was done before.
    pub(in super::super) async fn counting(&mut self, site: Site<'_>) -> Result<Counting, Trouble> {
        let shelf = opened(&mut self.shelf, site.shelf).await?;
        self.now.counting(site, shelf).await
    }
}

impl Resolved {
    async fn counting(&self, site: Site<'_>, shelf: &Shelf) -> Result<Counting, Trouble> {
        let Linked { layers, crates, macros, natives } = &*self.linked;
        let (own, base): (Vec<Layer>, Vec<Layer>) = layers.iter().cloned().partition(|layer| layer.own);
        let is_own = |file: &&Path| own.iter().any(|layer| file.starts_with(&layer.folder));
        let all = crates.iter().map(|one| &one.file).chain(macros.iter().map(|(_, file)| file));
        let files: Vec<&Path> = all.map(PathBuf::as_path).filter(is_own).collect();
        let runtime = own.iter().any(|layer| layer.runtime);
        let layer = Layer::counting(site.toolchain, shelf, &base, files.iter().copied(), runtime)?;
        if !layer.is_there() {
            self.unchanged()?;
            let built = self.build_counting(site, shelf, &layer.files).await?;
            self.unchanged()?;
            let packages = self.graph.own();
            let own = |one: &&Library| one.kind != Kind::Tool && packages.contains(one.package.as_str());
            let libraries: Vec<&Library> = built.libraries.iter().filter(own).collect();
            let made: BTreeSet<String> = libraries.iter().filter_map(|one| file_name(&one.file)).collect();
            if !layer.files.is_subset(&made) {
                return Err(Trouble {
                    what: "cargo would build other crates than those that are loaded".to_owned(),
                    remedy: None,
                });
            }
            let foreign = natives_of(&libraries, &built);
            layer.make(site.toolchain, shelf, &base, &libraries, &foreign, true).await?;
        }
        let rlibs = layer.files.iter().filter(|file| file.ends_with(".rlib"));
        let names = rlibs.filter_map(|file| stem(file).rsplit_once('-')).map(|(name, _)| name.to_owned());
        let (names, own) = (names.collect(), [layer]);
        let there = |file: &Path| is_own(&file).then(|| placed(&own, file)).flatten();
        let crates = crates.iter().map(|one| match there(&one.file) {
            Some(file) => Loaded { file, ..one.clone() },
            None => one.clone(),
        });
        let macros =
            macros.iter().map(|(name, file)| (name.clone(), there(file).unwrap_or_else(|| file.clone())));
        let (crates, macros, natives) = (crates.collect(), macros.collect(), natives.clone());
        let [layer] = own;
        let (library, counters) = (layer.library(), layer.counters());
        let layers = base.into_iter().chain([layer]).collect();
        let linked = Arc::new(Linked { layers, crates, macros, natives });
        Ok(Counting { linked, library, crates: names, counters })
    }

    /// What is built has to be what is loaded.
    fn unchanged(&self) -> Result<(), Trouble> {
        if self.sources.changed().is_empty() {
            return Ok(());
        }
        Err(Trouble { what: "their source has changed meanwhile".to_owned(), remedy: None })
    }

    async fn build_counting(
        &self,
        site: Site<'_>,
        shelf: &Shelf,
        again: &BTreeSet<String>,
    ) -> Result<Built, Trouble> {
        let target = shelf.counting();
        let broken = |error: io::Error| unwritable(&target, &error);
        let own = self.graph.own();
        let packages = self.graph.packages.iter();
        let packages =
            packages.map(|(id, package)| (package.name.clone(), own.contains(id.as_str()))).collect();
        let (from, to, machine) = (shelf.target(), target.clone(), site.toolchain.machine().to_owned());
        let stems = again.iter().map(|file| stem(file).to_owned()).collect();
        let adopted = move || adopt(&from, &to, &machine, &packages, &stems);
        tokio::task::spawn_blocking(adopted).await.map_err(io::Error::other).flatten().map_err(broken)?;
        let wrapper = wrapper(&target).map_err(broken)?;
        let package = self.package(shelf).map_err(broken)?;
        let mut environment = environment(site.environment, &site.toolchain.rustc);
        let before = environment.insert("RUSTC_WRAPPER".to_owned(), wrapper.to_string_lossy().into_owned());
        environment.insert("ASSAY_WRAPPED".to_owned(), before.unwrap_or_default());
        environment.insert("ASSAY_COUNTED".to_owned(), self.folders().join("\n"));
        let program = site.toolchain.cargo();
        let cargo = Cargo {
            program: &program,
            target: site.toolchain.machine(),
            folder: site.folder,
            environment,
            // All of it has been built before.
            offline: true,
        };
        cargo.build(&package, &target, &mut |_| ()).await?.map_err(|failed| not_built(&failed))
    }

    /// The folder of the package that depends on everything, resolved to what is loaded: others may have resolved it anew.
    fn package(&self, shelf: &Shelf) -> io::Result<PathBuf> {
        let lock = self.lock.as_deref();
        if fs::read_to_string(self.package.join(package::LOCK)).ok().as_deref() == lock {
            return Ok(self.package.clone());
        }
        let manifest = self.wanted.manifest(&self.editions).map_err(io::Error::other)?;
        Ok(package::prepare(shelf, &manifest, lock, SystemTime::now())?.folder)
    }

    /// Where the packages are that are to count.
    fn folders(&self) -> Vec<String> {
        let own = self.graph.packages.values().filter_map(|package| package.local.as_ref()?.parent());
        own.map(|folder| folder.to_string_lossy().into_owned()).collect()
    }
}

/// Writes the wrapper.
fn wrapper(target: &Path) -> io::Result<PathBuf> {
    let flags: Vec<String> = counts::flags().map(|flag| flag.to_string_lossy().into_owned()).collect();
    let text = WRAPPER.replace("FLAGS", &flags.join(" "));
    let path = target.join("wrapper.sh");
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(path);
    }
    // Another kernel may be running it.
    let draft = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempfile_in(target)?;
    fs::write(draft.path(), text)?;
    draft.persist(&path)?;
    Ok(path)
}

/// Lets cargo find in the folder `to` what it has built in `from` of these packages, each of which may be the user's own, but for these libraries (by their
/// [`stem`]s) for the machine that cells run on. Where cargo lays out its folder otherwise than here, it builds everything once more.
fn adopt(
    from: &Path,
    to: &Path,
    machine: &str,
    packages: &BTreeMap<String, bool>,
    again: &BTreeSet<String>,
) -> io::Result<()> {
    for (below, cells) in [(Path::new(machine).join("release"), true), ("release".into(), false)] {
        let (from, to) = (from.join(&below), to.join(&below));
        for name in ["deps", ".fingerprint", "build"] {
            fs::create_dir_all(to.join(name))?;
        }
        for (name, path) in entries(&from.join("deps")) {
            if !(cells && again.contains(stem(&name))) {
                link(&path, &to.join("deps").join(name))?;
            }
        }
        let named = |name: &str| packages.get(name.rsplit_once('-').map_or(name, |(name, _)| name)).copied();
        for (name, path) in entries(&from.join(".fingerprint")) {
            let Some(own) = named(&name) else { continue };
            let files = entries(&path);
            let is_library = files.iter().any(|(name, _)| name.starts_with("lib-"));
            if !(cells && own && is_library) {
                let place = to.join(".fingerprint").join(name);
                fs::create_dir_all(&place)?;
                files.iter().try_for_each(|(name, file)| copy(file, &place.join(name)))?;
            }
        }
        for (name, path) in entries(&from.join("build")) {
            if named(&name).is_some() {
                match symlink(path, to.join("build").join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

/// `a-1` of `liba-1.rlib`, `liba-1.rmeta`, `a-1.d` and the like.
fn stem(file: &str) -> &str {
    let stem = file.split('.').next().unwrap_or(file);
    stem.strip_prefix("lib").unwrap_or(stem)
}

/// What is in a folder: names and paths.
fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let all = fs::read_dir(folder).into_iter().flatten().flatten();
    all.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
}

/// Gives a file a second name, if it has not got it.
fn link(file: &Path, name: &Path) -> io::Result<()> {
    let same =
        |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    match (fs::metadata(file), fs::metadata(name)) {
        (Ok(file), Ok(there)) if same(&file, &there) => return Ok(()),
        (_, Ok(_)) => fs::remove_file(name)?,
        // Cargo has just removed it.
        (Err(_), _) => return Ok(()),
        _ => {}
    }
    fs::hard_link(file, name).or_else(|_| copy(file, name))
}

/// Copies a file with its time, by which cargo tells what is older than what it was made of.
fn copy(file: &Path, to: &Path) -> io::Result<()> {
    let seen =
        |path: &Path| fs::metadata(path).and_then(|metadata| Ok((metadata.modified()?, metadata.len())));
    let Ok((changed, size)) = seen(file) else { return Ok(()) };
    if seen(to).is_ok_and(|there| there == (changed, size)) {
        return Ok(());
    }
    fs::copy(file, to)?;
    File::options().write(true).open(to)?.set_modified(changed)
}

#[cfg(test)]
mod tests {
    use super::{adopt, wrapper};
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn only_crates_of_the_users_own_that_cells_are_linked_to_count() {
        let folder = tempfile::tempdir().unwrap();
        let wrapper = wrapper(folder.path()).unwrap();
        let counts = |own: &str, wrapped: &str, arguments: &[&str]| {
            let output = Command::new(&wrapper)
                .args(arguments)
                .env("ASSAY_COUNTED", "/a b\n/c*")
                .env("CARGO_MANIFEST_DIR", own)
                .env("ASSAY_WRAPPED", wrapped)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap().contains("-Cinstrument-coverage")
        };
        let call = ["echo", "--crate-name", "x y", "--target", "machine"];
        assert!(counts("/a b", "", &call) && counts("/c*", "", &call));
        assert!(counts("/a b", "echo", &call));
        assert!(
            !counts("/a", "", &call)
                && !counts("b", "", &call)
                && !counts("/cd", "", &call)
                && !counts("", "", &call)
        );
        assert!(!counts("/a b", "", &call[..3]));
    }

    #[test]
    fn what_was_built_is_found_but_for_what_is_to_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = [
            "a/m/release/deps/libmine-1.rlib",
            "a/m/release/deps/mine-1.d",
            "a/m/release/deps/libother-2.rlib",
            "a/m/release/.fingerprint/mine-1/lib-mine",
            "a/m/release/.fingerprint/mine-3/run-build-script-build-script-build",
            "a/m/release/.fingerprint/other-2/lib-other",
            "a/m/release/.fingerprint/foreign-2/lib-foreign",
            "a/m/release/build/mine-3/output",
            "a/release/.fingerprint/mine-4/lib-mine",
            "a/release/deps/libmine-1.so",
        ];
        for file in files {
            fs::create_dir_all(path(file).parent().unwrap()).unwrap();
            fs::write(path(file), file).unwrap();
        }
        let packages = BTreeMap::from([("mine".to_owned(), true), ("other".to_owned(), false)]);
        let again = BTreeSet::from(["mine-1".to_owned()]);
        for _ in 0..2 {
            adopt(&path("a"), &path("b"), "m", &packages, &again).unwrap();
            let there: Vec<bool> =
                files.iter().map(|file| path(&file.replacen('a', "b", 1)).exists()).collect();
            assert_eq!(there, [false, false, true, false, true, true, false, true, true, true]);
        }
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let copied = "m/release/.fingerprint/other-2/lib-other";
        assert_eq!(time(&path("a").join(copied)), time(&path("b").join(copied)));
    }
}
