//! The heap: what is allocated in this process is counted, or watched block by block, while somebody wants to know.
//!
//! This program exports C's `malloc` and its family, so the libraries that it loads use these: what cells allocate, the standard library for them, and C code, the C
//! library itself included. Each hands on to glibc's own, and costs one look at a byte more while nothing is looked at.
//!
//! They are called from the first moment of the process, before `main`, and wherever a thread may be interrupted by a signal, or held for a checkpoint. So nothing here
//! allocates, panics, or looks at what a thread has to set up first.
//!
//! - Counting ([`start`]) is two additions, for measurements: how often, and how much.
//! - Watching ([`watch`]) knows each block: how much was live, when, and where it came from. It has one lock, so that there is one order of all events, and all figures are exact in it
//!   (`heap/lock.rs` says why nobody waits for ever). Of very many blocks the places are estimated (`heap/chance.rs`). Its memory is its own (`heap/mapped.rs`).
//!
//! A block that grows or shrinks is allocated once more in its new size, and its old size is given back; both are not live at once. So does DHAT count (Valgrind's and the crate). Unlike there, it belongs
//! from then on to the place that made it grow: that line is to be found.
//!
//! What this program's own Rust code allocates goes past them (`heap/own.rs`). A message that the kernel sends while a cell counts is none of the cell's doing.

mod blocks;
mod book;
mod chance;
mod clock;
mod family;
#[cfg(all(stacks, target_arch = "x86_64"))]
mod grown;
mod lock;
mod mapped;
mod resident;
#[cfg(all(stacks, target_arch = "x86_64"))]
mod sites;
#[cfg(all(stacks, target_arch = "x86_64"))]
mod stacks;
#[cfg(not(all(stacks, target_arch = "x86_64")))]
#[path = "heap/no_stacks.rs"]
mod stacks;
mod timeline;
mod watch;

use crate::table::Counts;
use libc::{c_int, c_void, size_t};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
pub(crate) use watch::{seen, watch};

/// Who looks at what is allocated: [`COUNTED`] and [`WATCHED`]. On a cache line of its own, so that no other variable's writes slow down the look at it.
#[repr(align(64))]
struct LookedAt(AtomicU8);

static LOOKED_AT: LookedAt = LookedAt(AtomicU8::new(0));

const COUNTED: u8 = 1;

const WATCHED: u8 = 2;

fn looked_at() -> u8 {
    LOOKED_AT.0.load(Ordering::Relaxed)
}

/// The count that is under way, or was last.
struct Count {
    allocations: AtomicU64,
    bytes: AtomicU64,
}

static COUNT: Count = Count { allocations: AtomicU64::new(0), bytes: AtomicU64::new(0) };

/// Counts from zero; false where it cannot.
pub(crate) fn start() -> bool {
    // No stronger order is needed: a thread sees what it has stored itself, and whoever waits for another thread sees what that has stored.
    COUNT.allocations.store(0, Ordering::Relaxed);
    COUNT.bytes.store(0, Ordering::Relaxed);
    LOOKED_AT.0.fetch_or(COUNTED, Ordering::Relaxed);
    true
}

/// Stops counting. What was allocated by all threads since the start; none where it cannot be known.
///
/// It is exact for the calling thread, and for others as far as they have begun after the start and have been joined, or otherwise waited for, before
/// this. What others do allocate at the very moment of the start or of this may be counted or not.
pub(crate) fn stop() -> Option<Counts> {
    LOOKED_AT.0.fetch_and(!COUNTED, Ordering::Relaxed);
    Some(Counts {
        allocations: COUNT.allocations.load(Ordering::Relaxed),
        bytes: COUNT.bytes.load(Ordering::Relaxed),
    })
}

/// Counts one, if that is wanted.
fn count(looked_at: u8, bytes: usize) {
    if looked_at & COUNTED != 0 {
        COUNT.allocations.fetch_add(1, Ordering::Relaxed);
        COUNT.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Where one of the family was called: the stack pointer then, at the return address, and the frame pointer. Zero where they are not known.
#[derive(Debug, Clone, Copy)]
struct Caller {
    #[cfg_attr(not(all(stacks, target_arch = "x86_64")), expect(dead_code, reason = "no stack is walked"))]
    stack: usize,
    #[cfg_attr(not(all(stacks, target_arch = "x86_64")), expect(dead_code, reason = "no stack is walked"))]
    frame: usize,
}

/// What was not allocated is neither counted nor watched: memory was short.
fn allocated(bytes: usize, caller: Caller, allocate: impl FnOnce() -> *mut c_void) -> *mut c_void {
    let block = allocate();
    if !block.is_null() {
        let looked_at = looked_at();
        count(looked_at, bytes);
        if looked_at & WATCHED != 0 {
            watch::allocated(block.addr(), bytes, caller);
        }
    }
    block
}

/// glibc's own functions, under the names that it has for those who stand in for them.
#[expect(unsafe_code, reason = "the C library's functions are declared")]
pub(crate) mod libc_heap {
    use libc::{c_void, size_t};

    // SAFETY: these are the functions' types: <https://sourceware.org/git/?p=glibc.git;a=blob;f=malloc/malloc.c>.
    unsafe extern "C" {
        pub(crate) fn __libc_malloc(size: size_t) -> *mut c_void;
        pub(crate) fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
        pub(crate) fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
        pub(crate) fn __libc_free(block: *mut c_void);
        pub(crate) fn __libc_memalign(alignment: size_t, size: size_t) -> *mut c_void;
        pub(crate) fn __libc_valloc(size: size_t) -> *mut c_void;
        pub(crate) fn __libc_pvalloc(size: size_t) -> *mut c_void;
    }
}

#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_malloc(size: size_t, stack: usize, frame: usize) -> *mut c_void {
    // SAFETY: it may be called with any size.
    allocated(size, Caller { stack, frame }, || unsafe { libc_heap::__libc_malloc(size) })
}

#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_calloc(count: size_t, size: size_t, stack: usize, frame: usize) -> *mut c_void {
    let bytes = count.wrapping_mul(size);
    // SAFETY: it may be called with any size.
    allocated(bytes, Caller { stack, frame }, || unsafe { libc_heap::__libc_calloc(count, size) })
}

#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_memalign(
    alignment: size_t,
    size: size_t,
    stack: usize,
    frame: usize,
) -> *mut c_void {
    // SAFETY: it may be called with any alignment and any size.
    allocated(size, Caller { stack, frame }, || unsafe { libc_heap::__libc_memalign(alignment, size) })
}

#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_valloc(size: size_t, stack: usize, frame: usize) -> *mut c_void {
    // SAFETY: it may be called with any size.
    allocated(size, Caller { stack, frame }, || unsafe { libc_heap::__libc_valloc(size) })
}

#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_pvalloc(size: size_t, stack: usize, frame: usize) -> *mut c_void {
    // SAFETY: it may be called with any size.
    allocated(size, Caller { stack, frame }, || unsafe { libc_heap::__libc_pvalloc(size) })
}

/// The block is forgotten before it is free: another thread may get the same address at once.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_free(block: *mut c_void, stack: usize, frame: usize) {
    if looked_at() & WATCHED != 0 && !block.is_null() {
        watch::freed(block, Caller { stack, frame });
    }
    // SAFETY: all blocks of this family are the C library's own, and the caller promises that this is one.
    unsafe { libc_heap::__libc_free(block) }
}

/// One allocation of the new size, whatever was there before.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[cold]
unsafe extern "C" fn seen_realloc(
    block: *mut c_void,
    size: size_t,
    stack: usize,
    frame: usize,
) -> *mut c_void {
    let caller = Caller { stack, frame };
    // SAFETY: all blocks of this family are the C library's own, and the caller promises that this is one.
    let reallocate = || unsafe { libc_heap::__libc_realloc(block, size) };
    if block.is_null() {
        return allocated(size, caller, reallocate);
    }
    let looked_at = looked_at();
    let held = if looked_at & WATCHED != 0 { watch::held(block) } else { None };
    let moved = reallocate();
    if !moved.is_null() {
        count(looked_at, size);
    }
    if let Some(held) = held {
        match (moved.is_null(), size) {
            (false, _) => watch::moved(held, moved.addr(), size, caller),
            // Asked for nothing, it has freed.
            (true, 0) => watch::gone(held, caller),
            (true, _) => watch::stays(held, block.addr()),
        }
    }
    moved
}

/// `reallocarray(3)`.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
unsafe extern "C" fn reallocate_array(
    block: *mut c_void,
    count: size_t,
    size: size_t,
    stack: usize,
    frame: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the caller promises that the block is one of the family's.
        Some(bytes) => unsafe { seen_realloc(block, bytes, stack, frame) },
        None => {
            set_errno(libc::ENOMEM);
            std::ptr::null_mut()
        }
    }
}

/// `posix_memalign(3)`.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
unsafe extern "C" fn align_posix(
    block: *mut *mut c_void,
    alignment: size_t,
    size: size_t,
    stack: usize,
    frame: usize,
) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    // SAFETY: it may be called with any alignment and any size.
    let made = with_errno(|| unsafe { seen_memalign(alignment, size, stack, frame) });
    if made.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller promises that there is room.
    unsafe { block.write(made) };
    0
}

/// Does something, and leaves `errno` as it was.
fn with_errno<T>(act: impl FnOnce() -> T) -> T {
    let before = errno();
    let result = act();
    set_errno(before);
    result
}

#[expect(unsafe_code, reason = "the variable is the C library's")]
fn errno() -> c_int {
    // SAFETY: it is the calling thread's own, and always there.
    unsafe { *libc::__errno_location() }
}

#[expect(unsafe_code, reason = "the variable is the C library's")]
fn set_errno(number: c_int) {
    // SAFETY: it is the calling thread's own, and always there.
    unsafe { *libc::__errno_location() = number }
}

#[cfg(test)]
mod tests;
