//! What the process that loads this library calls, and what it is told. No panic crosses, in either direction.

use crate::cell;
use crate::run::{self, Failure, Run};
use crate::table::{self, Entry, Report, Table, Text};
use crate::trace;
use crate::{flusher, hook, measure, outlet, stop, store};
use std::backtrace::Backtrace;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// See [`table::Start`].
///
/// # Safety
///
/// The pointer is to a table that begins with its version, and that is whole if its version is [`table::VERSION`].
#[expect(unsafe_code, reason = "the process finds it by its name, and gives a table by pointer")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn assay_start(given: *const Table) -> u32 {
    // SAFETY: the caller promises that the version can be read.
    let version = unsafe { (&raw const (*given).version).read() };
    if version == table::VERSION {
        // SAFETY: the caller promises that a table of this version is a table of this type.
        let table = unsafe { given.read() };
        if outlet::connect(table) {
            hook::install();
        }
    }
    table::VERSION
}

/// See [`table::Run`].
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn assay_run(entry: Option<Entry>) {
    run::begin();
    flusher::start();
    if let Some(entry) = entry {
        cell::catch(&mut || {
            entry();
            Ok(())
        });
    }
    measure::profile::give_up();
    measure::time::give_up();
    flusher::stop();
    let run = run::end();
    hook::tell_caught();
    flusher::flush();
    report(&run);
}

/// See [`table::DropVariable`].
///
/// # Safety
///
/// The text is as [`Text`] has it.
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn assay_drop(name: Text) -> bool {
    // SAFETY: the caller promises it.
    let variable = unsafe { name.get() }.and_then(store::remove);
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(variable)));
    flusher::flush();
    // What a payload's own destructor does is not worth dying for.
    dropped.map_err(std::mem::forget).is_ok()
}

/// See [`table::Environment`].
///
/// # Safety
///
/// The texts are as [`Text`] has them.
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn assay_environment(name: Text, value: Text) -> bool {
    // SAFETY: the caller promises it.
    let (Some(name), Some(value)) = (unsafe { name.get() }, unsafe { value.get() }) else {
        return false;
    };
    if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
        return false;
    }
    // SAFETY: this is the standard library of all Rust code that cells run, and it has a lock for this. C code that reads the environment
    // in another thread at this moment would be at risk, as it is in every Rust program that calls this.
    unsafe { std::env::set_var(name, value) };
    true
}

/// See [`table::Flush`].
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn assay_flush() {
    if run::is_here() {
        flusher::flush();
    }
}

/// See [`table::Trace`].
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn assay_trace() {
    let frames = trace::frames(&Backtrace::force_capture().to_string());
    outlet::traced(&frames.iter().map(lend_frame).collect::<Vec<_>>());
}

/// See [`table::Interrupt`].
#[expect(unsafe_code, reason = "the process finds it by its name")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn assay_interrupt() -> bool {
    stop::request()
}

/// The functions are what the process takes them for.
const _: (table::Start, table::Run, table::DropVariable, table::Environment, table::Flush, table::Trace) =
    (assay_start, assay_run, assay_drop, assay_environment, assay_flush, assay_trace);
const _: table::Interrupt = assay_interrupt;

fn report(run: &Run) {
    let nowhere = table::Place { file: Text::of(""), line: 0, column: 0 };
    let (ending, message, place, frames) = match &run.failure {
        None => (table::OK, "", nowhere, Vec::new()),
        Some(Failure::Question(message)) => (table::QUESTION, message.as_str(), nowhere, Vec::new()),
        Some(Failure::Refuted) => (table::REFUTED, "", nowhere, Vec::new()),
        Some(Failure::Interrupted) => (table::INTERRUPTED, "", nowhere, Vec::new()),
        Some(Failure::Trouble(what)) => (table::TROUBLE, what.as_str(), nowhere, Vec::new()),
        Some(Failure::Panic(seen)) => {
            let place = seen.place.as_ref().map_or(nowhere, lend_place);
            (table::PANIC, seen.message.as_str(), place, seen.frames())
        }
    };
    let lent: Vec<_> = frames.iter().map(lend_frame).collect();
    let report = Report {
        ending,
        message: Text::of(message),
        place,
        frames: lent.as_ptr(),
        frame_count: lent.len(),
        kept: run.kept.as_ptr(),
        kept_count: run.kept.len(),
    };
    outlet::ended(&report);
}

fn lend_frame(frame: &trace::Frame) -> table::Frame {
    table::Frame { function: Text::of(&frame.function), place: lend_place(&frame.place) }
}

fn lend_place(place: &trace::Place) -> table::Place {
    table::Place { file: Text::of(&place.file), line: place.line, column: place.column }
}
