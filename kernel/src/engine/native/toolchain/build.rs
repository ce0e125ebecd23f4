//! Our own crates, compiled with the user's rustc: once for each toolchain.

use super::super::rustc::{self, Compiled, Message, NO_LINKER, Order};
use super::cache::{Built, Place};
use super::probe::{self, Installed};
use super::{Toolchain, linker, names, self_test};
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

/// The files of the cell runtime.
pub(in super::super) const SOURCES: [(&str, &str); 20] = [
    ("cell.rs", include_str!("../../../../cell/src/cell.rs")),
    ("cell/show.rs", include_str!("../../../../cell/src/cell/show.rs")),
    ("cell/wait.rs", include_str!("../../../../cell/src/cell/wait.rs")),
    ("content.rs", include_str!("../../../../cell/src/content.rs")),
    ("content/base64.rs", include_str!("../../../../cell/src/content/base64.rs")),
    ("display.rs", include_str!("../../../../cell/src/display.rs")),
    ("entry.rs", include_str!("../../../../cell/src/entry.rs")),
    ("flusher.rs", include_str!("../../../../cell/src/flusher.rs")),
    ("hook.rs", include_str!("../../../../cell/src/hook.rs")),
    ("input.rs", include_str!("../../../../cell/src/input.rs")),
    ("lib.rs", include_str!("../../../../cell/src/lib.rs")),
    ("outlet.rs", include_str!("../../../../cell/src/outlet.rs")),
    ("progress.rs", include_str!("../../../../cell/src/progress.rs")),
    ("progress/board.rs", include_str!("../../../../cell/src/progress/board.rs")),
    ("progress/words.rs", include_str!("../../../../cell/src/progress/words.rs")),
    ("run.rs", include_str!("../../../../cell/src/run.rs")),
    ("stop.rs", include_str!("../../../../cell/src/stop.rs")),
    ("store.rs", include_str!("../../../../cell/src/store.rs")),
    ("table.rs", include_str!("../../../../cell/src/table.rs")),
    ("trace.rs", include_str!("../../../../cell/src/trace.rs")),
];

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
        names: folder.join(NAMES),
        environment: installed.environment.clone(),
    };
    let sources = folder.join("src");
    let trial = folder.join("trial");
    write_sources(&sources).and_then(|()| fs::create_dir(&trial)).map_err(unwritable)?;
    names(&toolchain, folder).await?;
    let linker = runtime(&mut toolchain, installed, folder).await?;
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
        root: Path::new("src").join("lib.rs"),
        crate_name: "assay".to_owned(),
        identity: "assay".to_owned(),
        library: toolchain.runtime.clone(),
        externs: vec![("assay_names".to_owned(), toolchain.names.clone())],
        search: Vec::new(),
        linked: Vec::new(),
        mir: None,
        renames: vec![("src".to_owned(), "assay".to_owned())],
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

/// Compiles the crate of names.
async fn names(toolchain: &Toolchain, folder: &Path) -> Result<(), Trouble> {
    let libraries = toolchain.libraries.clone();
    let found = tokio::task::spawn_blocking(move || names::of_the_standard_library(&libraries)).await;
    // Without names the self-test fails, and says so.
    let mut found = found.unwrap_or_default();
    found.extend(SOURCES.iter().flat_map(|(_, text)| names::of_source(text)));
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
    for (path, text) in SOURCES {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    let mut root = fs::OpenOptions::new().append(true).open(folder.join("lib.rs"))?;
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

#[cfg(test)]
mod tests {
    use super::SOURCES;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn every_file_of_the_runtime_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cell/src");
        let mut expected = BTreeSet::new();
        files(&root, &mut expected);
        // Its own tests are none of it.
        expected.retain(|path| !path.ends_with("tests.rs"));
        let embedded: BTreeSet<_> = SOURCES.iter().map(|(path, _)| root.join(path)).collect();
        assert_eq!(embedded, expected);
    }
}
