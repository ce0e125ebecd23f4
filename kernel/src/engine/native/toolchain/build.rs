//! Our own crates, compiled with the user's rustc: once for each toolchain.

use super::super::rustc::{self, Compiled, Message, NO_LINKER, Order};
use super::cache::{Built, Place};
use super::probe::{self, Installed};
use super::sources::{self, Crate};
use super::{Toolchain, allocator, linker, names, self_test};
use crate::engine::Trouble;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

/// The file name of the cell runtime.
pub(super) const RUNTIME: &str = "libassay.so";

/// The file name of the crate of names.
pub(super) const NAMES: &str = "libassay_names.rlib";

/// What is added to the runtime: the crate of names is linked into it, and so into no other library. If two libraries had it, rustc would refuse to use both.
pub(super) const LAST_LINE: &str = "\nextern crate assay_names;\n";

/// Makes the folder of a toolchain, and tries whether cells compiled with it are understood.
pub(super) async fn build(place: &Place, installed: &Installed) -> Result<Built, Trouble> {
    let unwritable = |error: io::Error| unwritable(place, &error);
    let draft = place.draft().map_err(unwritable)?;
    place.sweep(SystemTime::now());
    let folder = draft.path();
    let mut toolchain = Toolchain {
        rustc: installed.rustc.clone(),
        version: probe::version(installed).await?,
        libraries: installed.libraries.clone(),
        linker: Vec::new(),
        runtime: folder.join(RUNTIME),
        optimisation: None,
        target_cpu: None,
        names: folder.join(NAMES),
        allocator: None,
        environment: installed.environment.clone(),
    };
    let sources = folder.join("src");
    let trial = folder.join("trial");
    write_sources(&sources).and_then(|()| fs::create_dir(&trial)).map_err(unwritable)?;
    names(&toolchain, folder).await?;
    for (index, one) in sources::BELOW.into_iter().enumerate() {
        below(&toolchain, folder, one, &sources::BELOW[..index]).await?;
    }
    let linker = runtime(&mut toolchain, installed, folder).await?;
    if allocator::make(&toolchain, folder).await {
        toolchain.allocator = Some(folder.join(allocator::OBJECT));
    }
    self_test::run(&toolchain, &trial).await?;
    fs::remove_dir_all(&sources).and_then(|()| fs::remove_dir_all(&trial)).map_err(unwritable)?;
    let built = Built { version: toolchain.version, linker: linker.arguments, needs: linker.needs };
    place.publish(draft, built).map_err(unwritable)
}

/// Compiles the runtime with the first linker that can.
async fn runtime(
    toolchain: &mut Toolchain,
    installed: &Installed,
    folder: &Path,
) -> Result<linker::Linker, Trouble> {
    let order = Order {
        root: Path::new("src").join("assay").join("lib.rs"),
        crate_name: "assay".to_owned(),
        identity: "assay".to_owned(),
        library: toolchain.runtime.clone(),
        externs: [("assay_names".to_owned(), toolchain.names.clone())]
            .into_iter()
            .chain(sources::BELOW.map(|one| (one.name.to_owned(), folder.join(rlib(one.name)))))
            .collect(),
        search: Vec::new(),
        linked: Vec::new(),
        mir: None,
        renames: vec![("src/assay".to_owned(), "assay".to_owned())],
        extra: Vec::new(),
    };
    let mut last = None;
    for linker in linker::candidates(installed).await {
        toolchain.linker.clone_from(&linker.arguments);
        match rustc::compile(toolchain, folder, &order).await {
            Ok(Compiled { ok: true, .. }) => return Ok(linker),
            Ok(Compiled { messages, .. }) => last = Some(refused(toolchain, "the cell runtime", &messages)),
            Err(trouble) => last = Some(trouble),
        }
        tracing::info!(?linker, trouble = ?last, "a linker that does not work here");
    }
    Err(last.unwrap_or_else(|| refused(toolchain, "the cell runtime", &[])))
}

/// Compiles a crate that is linked into the runtime, and into nothing else. It may use those before it.
async fn below(toolchain: &Toolchain, folder: &Path, one: Crate, before: &[Crate]) -> Result<(), Trouble> {
    let root = Path::new("src").join(one.name).join("lib.rs");
    let mut arguments: Vec<OsString> = vec![root.into()];
    arguments.extend(rustc::FLAGS.map(OsString::from));
    arguments.extend(["--crate-type=rlib", "-Cprefer-dynamic", "-Ldependency=."].map(OsString::from));
    arguments
        .extend(before.iter().map(|other| format!("--extern={}={}", other.name, rlib(other.name)).into()));
    arguments.push(format!("--crate-name={}", one.name).into());
    arguments.push(format!("--remap-path-prefix=src/{0}={0}", one.name).into());
    arguments.extend([OsString::from("-o"), rlib(one.name).into()]);
    match rustc::call(toolchain, folder, &arguments).await? {
        (true, _) => Ok(()),
        (false, messages) => Err(refused(toolchain, &format!("the crate {}", one.name), &messages)),
    }
}

/// The file of a crate.
fn rlib(name: &str) -> String {
    format!("lib{name}.rlib")
}

/// Compiles the crate of names.
async fn names(toolchain: &Toolchain, folder: &Path) -> Result<(), Trouble> {
    let libraries = toolchain.libraries.clone();
    let found = tokio::task::spawn_blocking(move || names::of_the_standard_library(&libraries)).await;
    // Without names the self-test fails, and says so.
    let mut found = found.unwrap_or_default();
    let texts = sources::all().flat_map(|one| one.files);
    found.extend(texts.flat_map(|(_, text)| names::of_source(text)));
    let text = names::source(&found);
    fs::write(folder.join("src").join("names.rs"), text).map_err(|error| Trouble {
        what: format!("{} cannot be written: {error}", folder.join("src").display()),
        remedy: Some("make room there".to_owned()),
    })?;
    let mut emit = OsString::from("-o");
    emit.push(NAMES);
    let arguments: Vec<OsString> = [
        "src/names.rs",
        "--edition=2024",
        "--crate-name=assay_names",
        "--crate-type=rlib",
        "--error-format=json",
    ]
    .into_iter()
    .map(OsString::from)
    .chain([emit])
    .collect();
    match rustc::call(toolchain, folder, &arguments).await? {
        (true, _) => Ok(()),
        (false, messages) => Err(refused(toolchain, "the crate of names", &messages)),
    }
}

fn write_sources(folder: &Path) -> io::Result<()> {
    for one in sources::all() {
        for (path, text) in one.files {
            let path = folder.join(one.name).join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
    }
    let mut root = fs::OpenOptions::new().append(true).open(folder.join("assay").join("lib.rs"))?;
    root.write_all(LAST_LINE.as_bytes())
}

fn refused(toolchain: &Toolchain, what: &str, messages: &[Message]) -> Trouble {
    let first = messages.iter().find(|message| message.level == "error");
    let why = first.map_or_else(String::new, |message| {
        let notes: Vec<_> = message.children.iter().map(|child| child.message.as_str()).collect();
        format!(": {}\n{}", message.message, rustc::last_lines(&notes.join("\n")))
    });
    // A linker that finds no libc says so here.
    let remedy = if why.contains("linking with") { NO_LINKER } else { UNKNOWN };
    Trouble {
        what: format!("{what} does not compile with {}{why}", toolchain.version),
        remedy: Some(remedy.to_owned()),
    }
}

/// What to do with a toolchain that is not understood.
pub(super) const UNKNOWN: &str =
    "`%engine evcxr` works with every toolchain; `rustup update stable` may bring one that this kernel knows";

fn unwritable(place: &Place, error: &io::Error) -> Trouble {
    Trouble {
        what: format!("the cache folder {} cannot be used: {error}", place.path().display()),
        remedy: Some(
            "make room there or make it writable, or set XDG_CACHE_HOME to another folder and restart the kernel"
                .to_owned(),
        ),
    }
}
