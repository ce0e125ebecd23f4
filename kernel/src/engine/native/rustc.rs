//! One call of rustc: what goes in, what comes out. It knows nothing of cells.

mod judge;

pub(super) use judge::{NO_LINKER, last_lines};

use super::program;
use super::toolchain::Toolchain;
use crate::engine::Trouble;
use serde::Deserialize;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What rustc is asked to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// The crate's root, relative to the folder in which rustc runs.
    pub(super) root: PathBuf,
    pub(super) crate_name: String,
    /// What the identity of its types hangs on (`-Cmetadata`).
    pub(super) identity: String,
    /// The library to make, an absolute path on the file system of the folder in which rustc runs; its file name becomes its SONAME. It is
    /// there when it is complete, and not before.
    pub(super) library: PathBuf,
    /// Crates that it may name, each with its library.
    pub(super) externs: Vec<(String, PathBuf)>,
    /// Where the libraries are that those need; the toolchain's own folder is added.
    pub(super) search: Vec<PathBuf>,
    /// Libraries in which symbols are that it or the crates that it uses declare.
    pub(super) linked: Vec<PathBuf>,
    /// Where to put the MIR, if it is wanted.
    pub(super) mir: Option<PathBuf>,
    /// Prefixes of file names (as given by `root`) and what the code shall call them (`file!`, panics, debug information); what rustc
    /// itself says keeps the real names. The new name may not contain `=`.
    pub(super) renames: Vec<(String, String)>,
    /// Arguments besides.
    pub(super) extra: Vec<OsString>,
}

/// How a call of rustc ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compiled {
    /// Whether the library was made.
    pub(super) ok: bool,
    /// What it said about the code: how many errors there were, and how to read more about them, is left out.
    pub(super) messages: Vec<Message>,
    pub(super) time: Duration,
}

/// A diagnostic of rustc's, as `--error-format=json` has it: <https://doc.rust-lang.org/rustc/json.html>.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Message {
    pub(super) message: String,
    pub(super) code: Option<Code>,
    /// `error`, `warning`, `note`, `help`, `failure-note`, `error: internal compiler error`.
    pub(super) level: String,
    pub(super) spans: Vec<Span>,
    pub(super) children: Vec<Message>,
}

/// `E0308`, or the name of a lint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Code {
    pub(super) code: String,
}

/// A place that a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Span {
    pub(super) file_name: PathBuf,
    pub(super) byte_start: usize,
    pub(super) byte_end: usize,
    pub(super) is_primary: bool,
    pub(super) label: Option<String>,
    pub(super) suggested_replacement: Option<String>,
    /// The macro whose expansion this is, if it is one: the place where it was called is in there.
    pub(super) expansion: Option<Box<Expansion>>,
}

/// Where a macro was called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Expansion {
    pub(super) span: Span,
}

impl Span {
    /// Bytes of the file.
    pub(super) fn bytes(&self) -> Range<usize> {
        self.byte_start..self.byte_end
    }
}

/// The level of optimisation where the user chose none. It is in [`FLAGS`].
pub(super) const USUAL_LEVEL: &str = "3";

/// How every crate of ours and of the user's is compiled: what `cargo build --release` gives, and the line tables that panics need. Two
/// code generation units without link-time optimisation between them use the second core: 234 ms for a heavy cell instead of 319.
pub(super) const FLAGS: [&str; 10] = [
    "--edition=2024",
    "-Copt-level=3",
    "-Ccodegen-units=2",
    "-Clto=off",
    "-Cdebug-assertions=off",
    "-Coverflow-checks=off",
    "-Cdebuginfo=line-tables-only",
    // What a macro of the user's expands to stands, for debuggers and profiles, where the macro is called: it is a part of the function there.
    "-Ccollapse-macro-debuginfo=yes",
    // With full protection a function is called through a table, also from its own library: a recursive one takes a tenth longer than in a binary. Like this
    // the linker (`-Bsymbolic-functions`) can make a direct call of it.
    "-Crelro-level=partial",
    "--error-format=json",
];

/// The name that the MIR has until rustc has succeeded.
const MIR: &str = "mir";

/// Compiles. Dropping the future ends rustc and its linker. An error is nothing that the user's code could be blamed for: rustc is missing, crashed, was
/// killed, or the disk is full.
pub(super) async fn compile(
    toolchain: &Toolchain,
    folder: &Path,
    order: &Order,
) -> Result<Compiled, Trouble> {
    let start = Instant::now();
    let unwritable = |error: io::Error| no_place(folder, &error);
    // rustc would give the library the name of the file that it writes: so that is the name it is going to have, in another folder. It
    // lies in rustc's own because the argument that names it is split at commas, which a whole path may have.
    let unfinished = tempfile::Builder::new().prefix("rustc-").tempdir_in(folder).map_err(unwritable)?;
    let name = order.library.file_name().unwrap_or_default();
    let arguments = arguments(toolchain, order, unfinished.path().file_name().unwrap_or_default(), name);
    let (ok, messages) = call(toolchain, folder, &arguments).await?;
    if ok {
        std::fs::rename(unfinished.path().join(name), &order.library).map_err(unwritable)?;
        if let Some(mir) = &order.mir {
            std::fs::rename(unfinished.path().join(MIR), mir).map_err(unwritable)?;
        }
    }
    Ok(Compiled { ok, messages, time: start.elapsed() })
}

/// Calls rustc: whether it did what it should, and what it said about the code.
pub(super) async fn call(
    toolchain: &Toolchain,
    folder: &Path,
    arguments: &[OsString],
) -> Result<(bool, Vec<Message>), Trouble> {
    let output = program::run(&toolchain.rustc, arguments, folder, &toolchain.environment)
        .await
        .map_err(|error| judge::not_started(toolchain, &error))?;
    judge::judge(toolchain, output.status, &String::from_utf8_lossy(&output.stderr))
}

fn arguments(toolchain: &Toolchain, order: &Order, unfinished: &OsStr, name: &OsStr) -> Vec<OsString> {
    let mut emit: OsString = "--emit=link=".into();
    emit.push(Path::new(unfinished).join(name));
    if order.mir.is_some() {
        emit.push(",mir=");
        emit.push(Path::new(unfinished).join(MIR));
    }
    let mut all: Vec<OsString> = vec![order.root.clone().into()];
    all.extend(FLAGS.map(OsString::from));
    // The last one holds.
    all.extend(toolchain.optimisation.iter().map(|level| format!("-Copt-level={level}").into()));
    all.extend(toolchain.target_cpu.iter().map(|cpu| format!("-Ctarget-cpu={cpu}").into()));
    all.extend(
        ["--crate-type=dylib", "-Cprefer-dynamic", "--remap-path-scope=macro,debuginfo"].map(Into::into),
    );
    all.push(format!("--crate-name={}", order.crate_name).into());
    all.push(format!("-Cmetadata={}", order.identity).into());
    all.push(emit);
    for (name, library) in &order.externs {
        all.push("--extern".into());
        all.push(joined(&format!("{name}="), library));
    }
    // What the crates need that it names, the runtime among them, is looked for there only.
    let own = toolchain.runtime.parent();
    all.extend(
        order.search.iter().map(PathBuf::as_path).chain(own).map(|folder| joined("-Ldependency=", folder)),
    );
    let allocator = toolchain.allocator.iter();
    all.extend(order.linked.iter().chain(allocator).map(|linked| joined("-Clink-arg=", linked)));
    all.extend(order.renames.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}").into()));
    all.extend(toolchain.linker.iter().map(Into::into));
    all.extend(order.extra.iter().cloned());
    all
}

/// An argument with a path at its end.
pub(super) fn joined(start: &str, path: &Path) -> OsString {
    let mut text = OsString::from(start);
    text.push(path);
    text
}

fn no_place(folder: &Path, error: &io::Error) -> Trouble {
    Trouble {
        what: format!("what rustc makes cannot be written to {}: {error}", folder.display()),
        remedy: Some("make room there, or make it writable".to_owned()),
    }
}
