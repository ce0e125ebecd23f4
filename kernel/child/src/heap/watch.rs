//! The heap, watched block by block.

use super::book::{Book, Old};
use super::lock::Guarded;
use super::{Caller, LOOKED_AT, WATCHED};
use assay_link::watch::Heap;
use libc::c_void;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// The watch that is under way.
static BOOK: Guarded<Option<Book>> = Guarded::new(None);

/// How many there were.
static WATCHES: AtomicU32 = AtomicU32::new(0);

/// Watches the heap from now on, for the calling thread; with the stack of each event or without. Why not, if it cannot.
pub(crate) fn watch(stacks: bool) -> Result<(), String> {
    static FORKS: Once = Once::new();
    FORKS.call_once(|| {
        #[expect(unsafe_code, reason = "the C library calls back")]
        // SAFETY: the function may be called in a copy of this process. Where it cannot be registered, there is no memory.
        unsafe {
            libc::pthread_atfork(None, None, Some(forked));
        }
    });
    let number = WATCHES.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let book = Book::begin(number, stacks)?;
    drop(BOOK.with(|place| place.replace(book)));
    LOOKED_AT.0.fetch_or(WATCHED, Ordering::Relaxed);
    Ok(())
}

/// Watches no more: what was seen. Why nothing was, if nothing was.
///
/// What other threads allocate at the very moment of the beginning or of this may be seen or not.
pub(crate) fn seen() -> Result<Heap, String> {
    LOOKED_AT.0.fetch_and(!WATCHED, Ordering::Relaxed);
    let book = BOOK.with(Option::take).flatten();
    book.ok_or("this process is a copy of the one that was watched")?.end()
}

/// In a process that the user's code has forked. It is another one than is watched; and some thread, which is not there any more, may have had the lock.
#[expect(unsafe_code, reason = "a lock is taken from threads that are not there")]
unsafe extern "C" fn forked() {
    LOOKED_AT.0.store(0, Ordering::Relaxed);
    // SAFETY: a process that was just forked has one thread.
    unsafe { BOOK.abandon(None) };
}

/// Does something with the book, unless this thread is doing so already, or nothing is watched any more. None as well if there is no memory for it: then the watch is over.
fn with<T>(change: impl FnOnce(&mut Book) -> Option<T>) -> Option<T> {
    let in_book = |place: &mut Option<Book>| {
        let book = place.as_mut()?;
        let done = change(book);
        if book.is_full() {
            LOOKED_AT.0.fetch_and(!WATCHED, Ordering::Relaxed);
        }
        done
    };
    BOOK.with(in_book).flatten()
}

/// A block was allocated.
pub(super) fn allocated(address: usize, size: usize, caller: Caller) {
    with(|book| book.allocated(address, size, caller));
}

/// A block is about to be given back.
pub(super) fn freed(block: *mut c_void, caller: Caller) {
    with(|book| {
        let old = book.take(block.addr(), || usable(block));
        book.gone(old, caller)
    });
}

/// What is known of a block that is about to be moved, or to grow or shrink where it is. Nobody else gets at it until it is said what became of it.
pub(super) fn held(block: *mut c_void) -> Option<Old> {
    with(|book| Some(book.take(block.addr(), || usable(block))))
}

/// It is there now, in this size.
pub(super) fn moved(old: Old, address: usize, size: usize, caller: Caller) {
    with(|book| book.moved(old, address, size, caller));
}

/// It is gone.
pub(super) fn gone(old: Old, caller: Caller) {
    with(|book| book.gone(old, caller));
}

/// It is where and what it was.
pub(super) fn stays(old: Old, address: usize) {
    with(|book| book.stays(old, address));
}

/// What the C library holds for a block.
#[expect(unsafe_code, reason = "a function of C is called")]
fn usable(block: *mut c_void) -> usize {
    // SAFETY: the caller of `free` or `realloc` promises that it is a block of the family's.
    unsafe { libc::malloc_usable_size(block) }
}
