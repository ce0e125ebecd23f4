//! The heap: what is allocated in this process is counted while somebody wants to know.
//!
//! This program exports C's `malloc` and its family, so the libraries that it loads use these: what cells allocate, the standard library for them, and C code, the C
//! library itself included. Each hands on to glibc's own, and costs one load of a flag more while nothing is counted.
//!
//! They are called from the first moment of the process, before `main`, and wherever a thread may be interrupted by a signal, or held for a checkpoint. So nothing here
//! allocates, locks, panics or looks at a thread's own data: a thread that is held between two additions makes the second one when it is brought back.
//!
//! What this program's own Rust code allocates goes past them ([`Own`]). A message that the kernel sends while a cell counts is none of the cell's doing.

use crate::table::Counts;
use libc::{c_int, c_void, size_t};
use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The count that is under way, or was last. On a cache line of its own, so that no other variable's writes slow down the load of the flag.
#[repr(align(64))]
struct Count {
    on: AtomicBool,
    allocations: AtomicU64,
    bytes: AtomicU64,
}

static COUNT: Count = Count::new();

/// Counts from zero; false where it cannot.
pub(crate) fn start() -> bool {
    COUNT.start();
    true
}

/// Stops counting. What was allocated by all threads since the start; none where it cannot be known.
///
/// It is exact for the calling thread, and for others as far as they have begun after the start and have been joined, or otherwise waited for, before
/// this. What others do allocate at the very moment of the start or of this may be counted or not.
pub(crate) fn stop() -> Option<Counts> {
    Some(COUNT.stop())
}

impl Count {
    const fn new() -> Self {
        Self { on: AtomicBool::new(false), allocations: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// No stronger order is needed: a thread sees what it has stored itself, and whoever waits for another thread sees what that has stored.
    fn start(&self) {
        self.allocations.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.on.store(true, Ordering::Relaxed);
    }

    fn stop(&self) -> Counts {
        self.on.store(false, Ordering::Relaxed);
        Counts {
            allocations: self.allocations.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    /// Allocates so many bytes. The call is the last thing that is done where nothing is counted, so it becomes a jump.
    #[inline(always)]
    fn watch(&self, bytes: usize, allocate: impl FnOnce() -> *mut c_void) -> *mut c_void {
        if self.on.load(Ordering::Relaxed) { self.counted(bytes, allocate) } else { allocate() }
    }

    /// What was not allocated is not counted: memory was short, or `realloc` was asked for nothing, and has freed.
    ///
    /// The call stands here once more and not behind a condition: otherwise the compiler makes one of both, and of the jump a call.
    #[cold]
    #[inline(never)]
    fn counted(&self, bytes: usize, allocate: impl FnOnce() -> *mut c_void) -> *mut c_void {
        let block = allocate();
        if !block.is_null() {
            self.allocations.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        block
    }
}

/// glibc's own functions, under the names that it has for those who stand in for them.
#[expect(unsafe_code, reason = "the C library's functions are declared")]
mod own {
    use libc::{c_void, size_t};

    // SAFETY: these are the functions' types: <https://sourceware.org/git/?p=glibc.git;a=blob;f=malloc/malloc.c>.
    unsafe extern "C" {
        pub(super) fn __libc_malloc(size: size_t) -> *mut c_void;
        pub(super) fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
        pub(super) fn __libc_realloc(block: *mut c_void, size: size_t) -> *mut c_void;
        pub(super) fn __libc_free(block: *mut c_void);
        pub(super) fn __libc_memalign(alignment: size_t, size: size_t) -> *mut c_void;
        pub(super) fn __libc_valloc(size: size_t) -> *mut c_void;
        pub(super) fn __libc_pvalloc(size: size_t) -> *mut c_void;
    }
}

/// `malloc(3)`.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn malloc(size: size_t) -> *mut c_void {
    // SAFETY: it may be called with any size.
    COUNT.watch(size, || unsafe { own::__libc_malloc(size) })
}

/// `calloc(3)`. A product that is too large is refused by the C library, and so not counted.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: it may be called with any size.
    COUNT.watch(count.wrapping_mul(size), || unsafe { own::__libc_calloc(count, size) })
}

/// `realloc(3)`: one allocation of the new size, whatever was there before.
///
/// # Safety
///
/// The block is one of this family's, or null; it is not used any more.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    // SAFETY: all blocks of this family are the C library's own, and the caller promises that this is one.
    COUNT.watch(size, || unsafe { own::__libc_realloc(block, size) })
}

/// `reallocarray(3)`.
///
/// # Safety
///
/// As for [`realloc`].
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
unsafe extern "C" fn reallocarray(block: *mut c_void, count: size_t, size: size_t) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the caller promises it.
        Some(bytes) => unsafe { realloc(block, bytes) },
        None => {
            set_errno(libc::ENOMEM);
            std::ptr::null_mut()
        }
    }
}

/// `free(3)`.
///
/// # Safety
///
/// As for [`realloc`].
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: all blocks of this family are the C library's own, and the caller promises that this is one.
    unsafe { own::__libc_free(block) }
}

/// `memalign(3)`.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn memalign(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: the C library refuses alignments that there cannot be, or takes the next one.
    COUNT.watch(size, || unsafe { own::__libc_memalign(alignment, size) })
}

/// `aligned_alloc(3)`. An alignment that is no power of two is what it is to `memalign`, as in glibc before 2.38.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void {
    memalign(alignment, size)
}

/// `posix_memalign(3)`: it gives the number of its error, and leaves `errno` and, if it fails, the pointer alone.
///
/// # Safety
///
/// There is room for a pointer.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(block: *mut *mut c_void, alignment: size_t, size: size_t) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    let before = errno();
    let made = memalign(alignment, size);
    if made.is_null() {
        set_errno(before);
        return libc::ENOMEM;
    }
    // SAFETY: the caller promises it.
    unsafe { block.write(made) };
    0
}

/// `valloc(3)`.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn valloc(size: size_t) -> *mut c_void {
    // SAFETY: it may be called with any size.
    COUNT.watch(size, || unsafe { own::__libc_valloc(size) })
}

/// `pvalloc(3)`. What it adds to fill its last page was not requested.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
extern "C" fn pvalloc(size: size_t) -> *mut c_void {
    // SAFETY: it may be called with any size.
    COUNT.watch(size, || unsafe { own::__libc_pvalloc(size) })
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

/// Where this program's own Rust code allocates: glibc's heap as well, but past what is counted.
struct Own;

#[global_allocator]
static OWN: Own = Own;

/// What every block of glibc's is aligned to: <https://www.gnu.org/software/libc/manual/html_node/Malloc-Examples.html>.
const ALIGNED: usize = 2 * size_of::<usize>();

// SAFETY: the blocks are those of a C library, of at least the size and the alignment that are asked for. Nothing here panics.
#[expect(unsafe_code, reason = "whoever allocates vouches for the memory")]
unsafe impl GlobalAlloc for Own {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: both may be called with any size, and a layout's alignment is a power of two.
        let block = unsafe {
            if layout.align() <= ALIGNED {
                own::__libc_malloc(layout.size())
            } else {
                own::__libc_memalign(layout.align(), layout.size())
            }
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNED {
            // SAFETY: it may be called with any size.
            return unsafe { own::__libc_calloc(1, layout.size()) }.cast();
        }
        // SAFETY: the caller's promises are those that are asked for here.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: the block has this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= ALIGNED {
            // SAFETY: the caller promises that the block is from here, where all blocks are the C library's.
            return unsafe { own::__libc_realloc(block.cast(), size) }.cast();
        }
        // SAFETY: the caller promises that there is such a layout, and that the block is from here and has the old one.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller promises that the block is from here, where all blocks are the C library's.
        unsafe { own::__libc_free(block.cast()) }
    }
}

#[cfg(test)]
#[path = "heap/tests.rs"]
mod tests;
