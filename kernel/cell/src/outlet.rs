//! Where all that a cell shows and asks goes: to the process that runs it, or, in a program of its own, to standard output.

use crate::content::Bundle;
use crate::flusher;
use crate::table::{self, Content, Display, Table, Text};
use std::ffi::c_void;
use std::io::Write;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// See [`table()`].
static TABLE: OnceLock<Table> = OnceLock::new();

/// What a bundle is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The value of the cell.
    Value,
    /// Something on the page.
    Page,
    /// Something on the page that can be replaced under this id.
    Named(&'a str),
    /// What replaces it.
    Instead(&'a str),
}

/// Goes to the process from now on; false if it did before.
pub(crate) fn connect(table: Table) -> bool {
    TABLE.set(table).is_ok()
}

/// Whether there is a page.
pub(crate) fn connected() -> bool {
    table().is_some()
}

/// The process's functions; none in a program of the user's own.
pub(crate) fn table() -> Option<&'static Table> {
    TABLE.get()
}

/// The value is about to be shown.
pub(crate) fn showing() {
    tell(|table| (table.showing)());
}

/// The value has shown itself.
pub(crate) fn shown() {
    tell(|table| (table.shown)());
}

/// The run is over.
pub(crate) fn ended(report: &table::Report) {
    tell(|table| (table.ended)(report));
}

/// These frames are under way.
pub(crate) fn traced(frames: &[table::Frame]) {
    if let Some(table) = table() {
        (table.traced)(frames.as_ptr(), frames.len());
    }
}

/// Shows a bundle behind all that was printed before. One of nothing ends what was printed as blocks of content, so that it stands for itself.
pub(crate) fn show(place: Place<'_>, bundle: &Bundle) {
    if matches!(place, Place::Value) && bundle.contents().is_empty() {
        return;
    }
    match tell(|table| give(table, place, bundle)) {
        Some(true) => {}
        Some(false) => complain(place, bundle),
        None if bundle.contents().is_empty() => {}
        // Nobody reads any more: then nobody misses it.
        None => drop(writeln!(std::io::stdout(), "{}", bundle.plain())),
    }
}

/// What there is to tell of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// How far it is.
    Progress,
    /// What was measured.
    Result,
    /// How long one run took.
    Time,
}

/// Tells of the measurement that the magic of this number asked for, in JSON. False in a program of its own, and where it is too long.
pub(crate) fn measured(what: Told, id: u64, json: &str) -> bool {
    let what = match what {
        Told::Progress => table::PROGRESS,
        Told::Result => table::RESULT,
        Told::Time => table::TIME,
    };
    tell(|table| (table.measured)(what, id, Text::of(json))).unwrap_or(false)
}

/// The noise floor of the machine, as a share; none where nobody has said.
pub(crate) fn floor() -> Option<f64> {
    TABLE.get().map(|table| (table.floor)()).filter(|floor| *floor > 0.0)
}

/// The code of the magic of this number is watched from now on; false if nobody watches.
pub(crate) fn watch_begins(id: u64) -> bool {
    // What was printed before is none of it, nor is what this library's thread does when it begins.
    flusher::settle();
    table().is_some_and(|table| (table.watch)(true, id, false, 0, NonNull::dangling().as_ptr(), 0))
}

/// It has ended: by itself or not, after so many runs, with these calls.
pub(crate) fn watch_ends(id: u64, finished: bool, runs: u64, calls: &[table::Calls]) {
    // At once: to write out what was printed is none of it.
    if let Some(table) = table() {
        (table.watch)(false, id, finished, runs, calls.as_ptr(), calls.len());
    }
}

/// Takes away what was shown.
pub(crate) fn clear(wait: bool) {
    tell(|table| (table.clear)(wait));
}

/// Asks the user. None in a program of its own; none within if nobody can be asked.
pub(crate) fn ask(prompt: &str, password: bool) -> Option<Option<String>> {
    tell(|table| {
        let mut answer: Option<String> = None;
        let asked = (table.ask)(Text::of(prompt), password, (&raw mut answer).cast(), answered);
        answer.filter(|_| asked)
    })
}

/// What was printed before comes first.
fn tell<T>(call: impl FnOnce(&Table) -> T) -> Option<T> {
    flusher::flush();
    table().map(call)
}

/// Whether it is small enough to be shown.
fn give(table: &Table, place: Place<'_>, bundle: &Bundle) -> bool {
    let (kind, id) = match place {
        Place::Value => (table::VALUE, ""),
        Place::Page => (table::PAGE, ""),
        Place::Named(id) => (table::PAGE, id),
        Place::Instead(id) => (table::INSTEAD, id),
    };
    let metadata = bundle.all_metadata();
    let (contents, metadata) = (lend(bundle.contents()), lend(&metadata));
    let display = Display {
        kind,
        id: Text::of(id),
        contents: contents.as_ptr(),
        content_count: contents.len(),
        metadata: metadata.as_ptr(),
        metadata_count: metadata.len(),
    };
    (table.display)(&raw const display)
}

fn lend(pairs: &[(String, String)]) -> Vec<Content> {
    pairs.iter().map(|(key, text)| Content { key: Text::of(key), text: Text::of(text) }).collect()
}

fn complain(place: Place<'_>, bundle: &Bundle) {
    let bytes: usize = bundle.contents().iter().map(|(_, content)| content.len()).sum();
    let why = format!("{} MB are more than a page can be given at once", bytes >> 20);
    match place {
        Place::Value => show(place, &Bundle::new().text(format!("not shown: {why}"))),
        // Without standard error there is nowhere to say it.
        _ => drop(writeln!(std::io::stderr(), "not shown: {why}")),
    }
}

/// Takes the user's answer.
///
/// # Safety
///
/// The pointer is the one that [`ask`] gave, and the text is as [`Text`] has it.
#[expect(unsafe_code, reason = "the process hands back a pointer of ours")]
unsafe extern "C" fn answered(answer: *mut c_void, line: Text) {
    // SAFETY: it points to the variable in `ask`, which waits.
    let answer = unsafe { &mut *answer.cast::<Option<String>>() };
    // SAFETY: the caller promises it.
    *answer = unsafe { line.get() }.map(str::to_owned);
}

impl Text {
    /// Lends text.
    pub(crate) fn of(text: &str) -> Self {
        Self { data: text.as_ptr(), len: text.len() }
    }

    /// The text, if it is UTF-8.
    ///
    /// # Safety
    ///
    /// It is lent for longer than what this gives is used.
    #[expect(unsafe_code, reason = "text from the other side of the table comes as a pointer")]
    pub(crate) unsafe fn get<'a>(self) -> Option<&'a str> {
        // SAFETY: a text's pointer and length are those of bytes that live as long as the caller promises.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.data, self.len) }).ok()
    }
}
