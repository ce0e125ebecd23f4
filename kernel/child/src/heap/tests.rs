//! The functions as C code calls them, and as they are called where nothing else goes on: in the example, whose own allocations are looked at too. What libraries allocate through them is
//! counted in the kernel's tests, with the program itself.

use super::family::{
    aligned_alloc, calloc, free, malloc, posix_memalign, pvalloc, realloc, reallocarray, valloc,
};
use super::{errno, set_errno};
use std::path::PathBuf;
use std::process::Command;
use std::ptr::null_mut;

/// The example as cargo has built it beside these tests.
fn example(name: &str) -> PathBuf {
    let folder = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples");
    let program = folder.join(name);
    if !program.is_file() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--package", "assay-child", "--example", name]);
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    }
    program
}

#[test]
fn what_programs_do_that_were_counted_by_hand_is_seen() {
    let output = Command::new(example("heap_exact")).output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[expect(unsafe_code, reason = "functions of C are called")]
fn blocks_are_aligned_and_hold_what_they_held() {
    let page = rustix::param::page_size();
    // SAFETY: they may be called with any sizes.
    let blocks = unsafe {
        [
            (malloc(10), 16),
            (calloc(2, 5), 16),
            (aligned_alloc(256, 10), 256),
            (valloc(10), page),
            (pvalloc(10), page),
        ]
    };
    for (block, alignment) in blocks {
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
        assert!(std::hint::black_box(calloc(usize::MAX, 2)).is_null());
    }
}
