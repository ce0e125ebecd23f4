//! Memory that comes from the system at once, and not from the heap that is looked at. All of it is in memory from the beginning, so that its part in the resident set is known.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of it there is, in bytes.
static MAPPED: AtomicU64 = AtomicU64::new(0);

/// What all of it takes, in bytes.
pub(super) fn bytes() -> u64 {
    MAPPED.load(Ordering::Relaxed)
}

/// What may be all zeros, and needs nothing done when it is left.
///
/// # Safety
///
/// Zero bytes are a value of the type.
#[expect(unsafe_code, reason = "whoever says so vouches for it")]
pub(super) unsafe trait Plain: Copy {}

// SAFETY: zero is a number.
#[expect(unsafe_code, reason = "see above")]
unsafe impl Plain for u32 {}

// SAFETY: zero is a number.
#[expect(unsafe_code, reason = "see above")]
unsafe impl Plain for u64 {}

/// A fixed number of values, which are zero at first.
pub(super) struct Mapped<T: Plain> {
    start: NonNull<T>,
    count: usize,
    of: PhantomData<T>,
}

// SAFETY: the memory is this value's alone.
#[expect(unsafe_code, reason = "a pointer is what this has")]
unsafe impl<T: Plain + Send> Send for Mapped<T> {}

impl<T: Plain> Mapped<T> {
    /// None if there is no such memory.
    #[expect(unsafe_code, reason = "the system is asked for memory")]
    pub(super) fn of(count: usize) -> Option<Self> {
        let bytes = count.max(1).checked_mul(size_of::<T>())?;
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
        );
        // SAFETY: nothing that is mapped is replaced.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        MAPPED.fetch_add(bytes as u64, Ordering::Relaxed);
        Some(Self { start: NonNull::new(start.cast())?, count: count.max(1), of: PhantomData })
    }
}

impl<T: Plain> Drop for Mapped<T> {
    #[expect(unsafe_code, reason = "memory is given back by address")]
    fn drop(&mut self) {
        let bytes = self.count * size_of::<T>();
        MAPPED.fetch_sub(bytes as u64, Ordering::Relaxed);
        // SAFETY: it was mapped with this length, and nobody has a reference to it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), bytes) };
    }
}

impl<T: Plain> Deref for Mapped<T> {
    type Target = [T];

    #[expect(unsafe_code, reason = "a pointer is what this has")]
    fn deref(&self) -> &[T] {
        // SAFETY: so many values are there, page-aligned, and were zero before anything was written.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl<T: Plain> DerefMut for Mapped<T> {
    #[expect(unsafe_code, reason = "a pointer is what this has")]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above; and the memory is this value's alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

#[cfg(test)]
mod tests {
    use super::Mapped;

    #[test]
    fn it_is_zero_at_first() {
        assert!(Mapped::<u64>::of(5000).unwrap().iter().all(|value| *value == 0));
        assert!(Mapped::<u64>::of(usize::MAX / 8).is_none());
    }
}
