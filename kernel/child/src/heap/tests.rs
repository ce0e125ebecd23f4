//! The functions as C code calls them. What libraries allocate through them is counted in the kernel's tests, with the program itself.

use super::{Count, Own, aligned_alloc, calloc, errno, free, malloc, posix_memalign, pvalloc, valloc};
use super::{realloc, reallocarray, set_errno};
use std::alloc::{GlobalAlloc, Layout};
use std::ptr::{NonNull, null_mut};

#[test]
fn what_is_counted_is_what_was_made_while_it_was_on() {
    let count = Count::new();
    let some = || NonNull::dangling().as_ptr();
    count.watch(1, some);
    count.start();
    count.watch(5, some);
    count.watch(7, null_mut);
    count.watch(0, some);
    let counts = count.stop();
    assert_eq!((counts.allocations, counts.bytes), (2, 5));
    count.watch(9, some);
    let counts = count.stop();
    assert_eq!((counts.allocations, counts.bytes), (2, 5));
    count.start();
    let counts = count.stop();
    assert_eq!((counts.allocations, counts.bytes), (0, 0));
}

#[test]
#[expect(unsafe_code, reason = "functions of C are called")]
fn blocks_are_aligned_and_hold_what_they_held() {
    let page = rustix::param::page_size();
    for (block, alignment) in [
        (malloc(10), 16),
        (calloc(2, 5), 16),
        (aligned_alloc(256, 10), 256),
        (valloc(10), page),
        (pvalloc(10), page),
    ] {
        assert_eq!(block.addr() % alignment, 0);
        assert!(!block.is_null());
        // SAFETY: the block has ten bytes, and then more.
        unsafe {
            block.cast::<[u8; 10]>().write([7; 10]);
            let block = reallocarray(realloc(block, 5000), 10, 1000).cast::<[u8; 10]>();
            assert_eq!(*block, [7; 10]);
            free(block.cast());
        }
    }
    // SAFETY: null is freed by nobody.
    unsafe { free(null_mut()) };
}

#[test]
#[expect(unsafe_code, reason = "functions of C are called")]
fn what_cannot_be_is_refused_as_the_manual_has_it() {
    const HERE: libc::c_int = 77;
    let mut block = null_mut();
    let mut ask = |alignment, size| {
        set_errno(HERE);
        // SAFETY: there is room for the pointer.
        (unsafe { posix_memalign(&raw mut block, alignment, size) }, errno(), block.is_null())
    };
    for alignment in [0, 1, 4, 24] {
        assert_eq!(ask(alignment, 8), (libc::EINVAL, HERE, true), "{alignment}");
    }
    assert_eq!(ask(64, usize::MAX / 2), (libc::ENOMEM, HERE, true));
    assert_eq!(ask(4096, 8), (0, HERE, false));
    assert_eq!(block.addr() % 4096, 0);
    // SAFETY: it is a block of the family, and stays one when more is refused.
    unsafe {
        assert!(reallocarray(block, usize::MAX, 2).is_null());
        assert_eq!(errno(), libc::ENOMEM);
        free(block);
    }
    assert!(calloc(usize::MAX, 2).is_null());
}

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
