//! The cell runtime, as this process sees it: what it is asked to do, and what it tells.

use crate::kernel;
use crate::libraries::Libraries;
use crate::stdio;
use crate::table::{self, Answered, Counts, Display, Entry, Report, Table, Text, Times};
use crate::{heap, processor, watch};
use assay_link::native::{Content, Ending, Event, Frame, Kept, Place, Told};
use assay_link::watch::Watched;
use libloading::os::unix::{Library, Symbol};
use std::cell::Cell;
use std::ffi::c_void;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// What the runtime calls.
static TABLE: Table = Table {
    version: table::VERSION,
    showing,
    shown,
    display,
    clear,
    ask,
    measured,
    floor,
    ended,
    traced,
    count,
    watch: watched,
    times,
    processor: processor_time,
};

/// See [`floor`]: the bits of a number.
static FLOOR: AtomicU64 = AtomicU64::new(0);

/// See [`flush`].
static FLUSH: OnceLock<table::Flush> = OnceLock::new();

/// See [`trace`].
static TRACE: OnceLock<table::Trace> = OnceLock::new();

/// See [`interrupt`].
static INTERRUPT: OnceLock<table::Interrupt> = OnceLock::new();

/// The cell that runs or ran last. Whoever stops it keeps this until it has been told, so that no other one is.
static LATEST: Mutex<Latest> = Mutex::new(Latest { id: 0, runs: false });

struct Latest {
    /// Its id.
    id: u64,
    /// Whether it runs.
    runs: bool,
}

thread_local! {
    /// How the run ended that is just over.
    static OUTCOME: Cell<Option<Outcome>> = const { Cell::new(None) };
}

/// How a run ended, and what it kept.
pub(crate) type Outcome = (Ending, Vec<Kept>);

/// The runtime's functions, for the thread that runs cells.
pub(crate) struct Runtime {
    run: table::Run,
    drop_variable: table::DropVariable,
    environment: table::Environment,
}

impl Runtime {
    /// Loads and starts it.
    #[expect(unsafe_code, reason = "functions of a library are called")]
    pub(crate) fn open(libraries: &mut Libraries, path: &Path) -> Result<Self, String> {
        let library = libraries.open(path)?;
        // SAFETY: these are the types of the functions, which the runtime checks against the same file.
        let (start, flush, trace, interrupt, runtime) = unsafe {
            let start: table::Start = function(library, path, "assay_start")?;
            let flush: table::Flush = function(library, path, "assay_flush")?;
            let trace: table::Trace = function(library, path, "assay_trace")?;
            let interrupt: table::Interrupt = function(library, path, "assay_interrupt")?;
            let runtime = Self {
                run: function(library, path, "assay_run")?,
                drop_variable: function(library, path, "assay_drop")?,
                environment: function(library, path, "assay_environment")?,
            };
            (start, flush, trace, interrupt, runtime)
        };
        // SAFETY: the table lives for ever, and is what its version says.
        let version = unsafe { start(&raw const TABLE) };
        if version != table::VERSION {
            let (ours, path) = (table::VERSION, path.display());
            return Err(format!("{path} is from another build: its version is {version}, not {ours}"));
        }
        FLUSH.get_or_init(|| flush);
        TRACE.get_or_init(|| trace);
        INTERRUPT.get_or_init(|| interrupt);
        Ok(runtime)
    }

    /// Runs the cell of this id.
    pub(crate) fn run(&self, id: u64, entry: Option<Entry>) -> Outcome {
        *latest() = Latest { id, runs: true };
        (self.run)(entry);
        latest().runs = false;
        stdio::flush();
        let silent =
            || (Ending::Trouble { what: "the runtime did not tell how it ended".into() }, Vec::new());
        OUTCOME.take().unwrap_or_else(silent)
    }

    /// Drops a variable; false if its destructor panicked.
    #[expect(unsafe_code, reason = "a function of a library is called")]
    pub(crate) fn drop_variable(&self, name: &str) -> bool {
        // SAFETY: the text outlives the call.
        unsafe { (self.drop_variable)(lend(name)) }
    }

    /// Sets a variable of the environment; false if there can be no such.
    #[expect(unsafe_code, reason = "a function of a library is called")]
    pub(crate) fn set_variable(&self, name: &str, value: &str) -> bool {
        // SAFETY: the texts outlive the call.
        unsafe { (self.environment)(lend(name), lend(value)) }
    }
}

/// Writes out what the calling thread has printed, if it is the one that runs cells.
pub(crate) fn flush() {
    if let Some(flush) = FLUSH.get() {
        flush();
    }
}

/// Tells the kernel which frames are under way in cells on the calling thread.
pub(crate) fn trace() {
    if let Some(trace) = TRACE.get() {
        trace();
    }
}

/// Tells the cell of this id to stop, on the thread that listens. Whether it ends by itself soon, or has ended. If not, it is about to be ended, and what was seen of it is told.
pub(crate) fn interrupt(id: u64) -> bool {
    let latest = latest();
    if latest.id != id {
        return false;
    }
    let here = !latest.runs || INTERRUPT.get().is_some_and(|interrupt| interrupt());
    if !here {
        tell_watched(watch::cut());
    }
    here
}

/// Tells what has been seen so far of the cell of this id, if it runs and is watched, on the thread that listens.
pub(crate) fn cut(id: u64) {
    let latest = latest();
    if latest.id == id && latest.runs {
        tell_watched(watch::cut());
    }
}

fn latest() -> MutexGuard<'static, Latest> {
    LATEST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function of the library's.
///
/// # Safety
///
/// `T` is the type of the function of that name.
#[expect(unsafe_code, reason = "the type of a symbol is what its maker says")]
unsafe fn function<T: Copy>(library: &Library, path: &Path, name: &str) -> Result<T, String> {
    // SAFETY: the caller promises it.
    let symbol: Result<Symbol<T>, _> = unsafe { library.get(name) };
    symbol.map(|symbol| *symbol).map_err(|error| format!("{} is no cell runtime: {error}", path.display()))
}

extern "C" fn showing() {
    tell_in_order(&Event::Showing);
}

extern "C" fn shown() {
    tell(&Event::Shown);
}

#[expect(unsafe_code, reason = "the runtime gives what it shows by pointer")]
extern "C" fn display(display: *const Display) -> bool {
    // SAFETY: the runtime lends it for the time of the call.
    let display = unsafe { &*display };
    // SAFETY: pointer and number are those of one slice each.
    let (contents, metadata) = unsafe {
        (
            std::slice::from_raw_parts(display.contents, display.content_count),
            std::slice::from_raw_parts(display.metadata, display.metadata_count),
        )
    };
    let content = Content { data: pairs(contents), metadata: pairs(metadata) };
    let id = owned(display.id);
    match display.kind {
        // Nothing is printed before the next event that could be taken for something printed before.
        table::VALUE => kernel::get().is_none_or(|kernel| kernel.tell_if_short(&Event::Value { content })),
        table::INSTEAD => tell_in_order(&Event::Update { content, display_id: id }),
        table::PAGE => {
            tell_in_order(&Event::Display { content, display_id: Some(id).filter(|id| !id.is_empty()) })
        }
        // The version has been checked: there is no other.
        _ => false,
    }
}

extern "C" fn measured(what: u32, id: u64, data: Text) -> bool {
    let what = match what {
        table::PROGRESS => Told::Progress,
        table::RESULT => Told::Result,
        table::TIME => Told::Time,
        // The version has been checked: there is no other.
        _ => return false,
    };
    tell_in_order(&Event::Measured { id, what, data: owned(data) })
}

extern "C" fn floor() -> f64 {
    f64::from_bits(FLOOR.load(Ordering::Relaxed))
}

/// From now on this is the noise floor.
pub(crate) fn set_floor(floor: f64) {
    FLOOR.store(floor.to_bits(), Ordering::Relaxed);
}

extern "C" fn clear(wait: bool) {
    tell_in_order(&Event::Clear { wait });
}

#[expect(unsafe_code, reason = "a function of the runtime's is called")]
extern "C" fn ask(prompt: Text, password: bool, answer: *mut c_void, give: Answered) -> bool {
    let line = kernel::get().and_then(|kernel| kernel.ask(owned(prompt), password));
    // SAFETY: the pointer is the one that the runtime gave with the function, and the text outlives the call.
    line.is_some_and(|line| unsafe {
        give(answer, lend(&line));
        true
    })
}

fn pairs(contents: &[table::Content]) -> Vec<(String, String)> {
    contents.iter().map(|content| (owned(content.key), owned(content.text))).collect()
}

/// False if it is too long to be told.
fn tell_in_order(event: &Event) -> bool {
    kernel::get().is_none_or(|kernel| kernel.tell_in_order(event))
}

fn tell(event: &Event) {
    if let Some(kernel) = kernel::get() {
        kernel.tell(event);
    }
}

#[expect(unsafe_code, reason = "the runtime gives a report by pointer")]
extern "C" fn ended(report: *const Report) {
    // SAFETY: the runtime lends its report for the time of the call.
    let report = unsafe { &*report };
    // SAFETY: pointer and number are those of one slice each.
    let (frames, kept) = unsafe {
        (
            std::slice::from_raw_parts(report.frames, report.frame_count),
            std::slice::from_raw_parts(report.kept, report.kept_count),
        )
    };
    let kept = kept.iter().map(|one| Kept { slot: one.slot, bytes: one.bytes }).collect();
    OUTCOME.set(Some((ending(report, frames), kept)));
}

#[expect(unsafe_code, reason = "the runtime gives frames by pointer")]
extern "C" fn traced(frames: *const table::Frame, count: usize) {
    // SAFETY: pointer and number are those of one slice, which is lent for the time of the call.
    let frames = unsafe { std::slice::from_raw_parts(frames, count) };
    tell(&Event::Crashed { frames: frames.iter().map(frame).collect() });
}

#[expect(unsafe_code, reason = "the runtime takes counts by pointer")]
extern "C" fn count(on: bool, counts: *mut Counts) -> bool {
    if on {
        return heap::start();
    }
    let Some(counted) = heap::stop() else { return false };
    // SAFETY: the runtime has room for them.
    unsafe { counts.write(counted) };
    true
}

extern "C" fn watched(begins: bool, id: u64, finished: bool, runs: u64) -> bool {
    if begins { watch::begin(id) } else { tell_watched(watch::end(id, finished, runs)) }
}

/// Tells what was seen of the code of a magic, if anything was.
fn tell_watched(seen: Option<(u64, Watched)>) -> bool {
    let Some((id, what)) = seen else { return false };
    tell(&Event::Watched { id, what: Box::new(what) });
    true
}

#[expect(unsafe_code, reason = "the runtime takes times by pointer")]
extern "C" fn times(times: *mut Times) -> bool {
    let Some(spent) = processor::times() else { return false };
    // SAFETY: the runtime has room for them.
    unsafe { times.write(spent) };
    true
}

extern "C" fn processor_time() -> u64 {
    processor::time()
}

fn ending(report: &Report, frames: &[table::Frame]) -> Ending {
    let message = owned(report.message);
    match report.ending {
        table::OK => Ending::Ok,
        table::QUESTION => Ending::Question { message },
        table::PANIC => Ending::Panic {
            message,
            place: (report.place.line > 0).then(|| place(report.place)),
            frames: frames.iter().map(frame).collect(),
        },
        table::TROUBLE => Ending::Trouble { what: message },
        table::REFUTED => Ending::Refuted,
        table::INTERRUPTED => Ending::Interrupted,
        other => Ending::Trouble { what: format!("the runtime told an unknown ending, {other}: {message}") },
    }
}

fn frame(frame: &table::Frame) -> Frame {
    Frame { function: owned(frame.function), place: place(frame.place) }
}

fn place(place: table::Place) -> Place {
    Place { file: owned(place.file), line: place.line, column: place.column }
}

fn lend(text: &str) -> Text {
    Text { data: text.as_ptr(), len: text.len() }
}

#[expect(unsafe_code, reason = "text from the other side of the table comes as a pointer")]
fn owned(text: Text) -> String {
    // SAFETY: the runtime lends texts for the time of the call that has them.
    let bytes = unsafe { std::slice::from_raw_parts(text.data, text.len) };
    String::from_utf8_lossy(bytes).into_owned()
}
