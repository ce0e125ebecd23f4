//! C's `malloc` and its family, as this program exports them.
//!
//! Where nothing is looked at, each looks at one byte and goes on in glibc's own function, as if that had been called. Otherwise it goes on in [`super`], with the place that it was
//! called from. So they are written in the processor's language where that is known: there is no frame of theirs on the stack, and the place is in registers.

#![expect(unsafe_code, reason = "these stand in for functions of C")]

use super::{align_posix, libc_heap, reallocate_array};
use super::{seen_calloc, seen_free, seen_malloc, seen_memalign, seen_pvalloc, seen_realloc, seen_valloc};
use libc::{c_int, c_void, size_t};

/// A function of the family: which of glibc's does the work, and which of ours where something is looked at. That one gets the caller's stack and frame pointers as further
/// arguments, in these registers.
#[cfg(target_arch = "x86_64")]
macro_rules! export {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $of:ty),*) $(-> $gives:ty)?, $plain:ident, $seen:ident, $stack:literal, $frame:literal) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name($($argument: $of),*) $(-> $gives)? {
            std::arch::naked_asm!(
                "cmp byte ptr [rip + {looked_at}], 0",
                "jne 2f",
                "jmp qword ptr [rip + {plain}@GOTPCREL]",
                "2:",
                concat!("mov ", $stack, ", rsp"),
                concat!("mov ", $frame, ", rbp"),
                "jmp {seen}",
                looked_at = sym super::LOOKED_AT,
                plain = sym libc_heap::$plain,
                seen = sym $seen,
            )
        }
    };
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! export {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $of:ty),*) $(-> $gives:ty)?, $plain:ident, $seen:ident, $stack:literal, $frame:literal) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $name($($argument: $of),*) $(-> $gives)? {
            // SAFETY: the arguments are handed on.
            unsafe {
                if super::looked_at() == 0 { libc_heap::$plain($($argument),*) } else { $seen($($argument,)* 0, 0) }
            }
        }
    };
}

export! {
    /// `malloc(3)`.
    malloc(size: size_t) -> *mut c_void, __libc_malloc, seen_malloc, "rsi", "rdx"
}

export! {
    /// `calloc(3)`. A product that is too large is refused by the C library, and so not counted.
    calloc(count: size_t, size: size_t) -> *mut c_void, __libc_calloc, seen_calloc, "rdx", "rcx"
}

export! {
    /// `realloc(3)`.
    ///
    /// # Safety
    ///
    /// The block is one of this family's, or null; it is not used any more.
    realloc(block: *mut c_void, size: size_t) -> *mut c_void, __libc_realloc, seen_realloc, "rdx", "rcx"
}

export! {
    /// `free(3)`.
    ///
    /// # Safety
    ///
    /// As for [`realloc`].
    free(block: *mut c_void), __libc_free, seen_free, "rsi", "rdx"
}

export! {
    /// `memalign(3)`. The C library refuses alignments that there cannot be, or takes the next one.
    memalign(alignment: size_t, size: size_t) -> *mut c_void, __libc_memalign, seen_memalign, "rdx", "rcx"
}

export! {
    /// `aligned_alloc(3)`. An alignment that is no power of two is what it is to `memalign`, as in glibc before 2.38.
    aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void, __libc_memalign, seen_memalign, "rdx", "rcx"
}

export! {
    /// `valloc(3)`.
    valloc(size: size_t) -> *mut c_void, __libc_valloc, seen_valloc, "rsi", "rdx"
}

export! {
    /// `pvalloc(3)`. What it adds to fill its last page was not requested.
    pvalloc(size: size_t) -> *mut c_void, __libc_pvalloc, seen_pvalloc, "rsi", "rdx"
}

/// The same for functions that glibc has no other name for: ours does all of the work.
#[cfg(target_arch = "x86_64")]
macro_rules! hand_on {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $of:ty),*) -> $gives:ty, $to:ident, $stack:literal, $frame:literal) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name($($argument: $of),*) -> $gives {
            std::arch::naked_asm!(
                concat!("mov ", $stack, ", rsp"),
                concat!("mov ", $frame, ", rbp"),
                "jmp {to}",
                to = sym $to,
            )
        }
    };
}

#[cfg(not(target_arch = "x86_64"))]
macro_rules! hand_on {
    ($(#[$doc:meta])* $name:ident($($argument:ident: $of:ty),*) -> $gives:ty, $to:ident, $stack:literal, $frame:literal) => {
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub(super) unsafe extern "C" fn $name($($argument: $of),*) -> $gives {
            // SAFETY: the arguments are handed on.
            unsafe { $to($($argument,)* 0, 0) }
        }
    };
}

hand_on! {
    /// `reallocarray(3)`.
    ///
    /// # Safety
    ///
    /// As for [`realloc`].
    reallocarray(block: *mut c_void, count: size_t, size: size_t) -> *mut c_void, reallocate_array, "rcx", "r8"
}

hand_on! {
    /// `posix_memalign(3)`: it gives the number of its error, and leaves `errno` and, if it fails, the pointer alone.
    ///
    /// # Safety
    ///
    /// There is room for a pointer.
    posix_memalign(block: *mut *mut c_void, alignment: size_t, size: size_t) -> c_int, align_posix, "rcx", "r8"
}
