//! Where this program's own Rust code allocates: glibc's heap as well, but past what is counted.

use crate::heap::libc_heap;
use std::alloc::{GlobalAlloc, Layout};

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
                libc_heap::__libc_malloc(layout.size())
            } else {
                libc_heap::__libc_memalign(layout.align(), layout.size())
            }
        };
        block.cast()
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGNED {
            // SAFETY: it may be called with any size.
            return unsafe { libc_heap::__libc_calloc(1, layout.size()) }.cast();
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
            return unsafe { libc_heap::__libc_realloc(block.cast(), size) }.cast();
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
        unsafe { libc_heap::__libc_free(block.cast()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Own;
    use std::alloc::{GlobalAlloc, Layout};

    #[test]
    #[expect(unsafe_code, reason = "an allocator is called by hand")]
    fn our_own_blocks_keep_their_alignment() {
        for alignment in [1, 16, 128, 4096] {
            let layout = Layout::from_size_align(100, alignment).unwrap();
            // SAFETY: the blocks have the layouts that are said.
            unsafe {
                let block = Own.alloc_zeroed(layout);
                assert_eq!(std::slice::from_raw_parts(block, 100), [0; 100]);
                block.write_bytes(5, 100);
                let block = Own.realloc(block, layout, 10_000);
                assert_eq!(block.addr() % alignment, 0);
                assert_eq!(std::slice::from_raw_parts(block, 100), [5; 100]);
                Own.dealloc(block, Layout::from_size_align(10_000, alignment).unwrap());
            }
        }
    }
}
