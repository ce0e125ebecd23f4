//! The way from a cell to the heap, as short as in a program of its own.
//!
//! A program has Rust's four functions that allocate within itself, and they lead straight to C's. A cell would find them in the standard library's own library: for each
//! block one jump through a table more, a tenth of what a small block costs. So an object is linked into every library of ours in which they stand. They do what the standard library's own do
//! (<https://doc.rust-lang.org/std/alloc/struct.System.html>), so that what one of them gives another may take back. They are weak: a cell with a `#[global_allocator]` has its own.

use super::super::rustc;
use super::Toolchain;
use object::{Object, ObjectSymbol};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

/// The file name of the object.
pub(super) const OBJECT: &str = "allocator.o";

const SOURCE: &str = "allocator.rs";

/// The functions, as the compiler calls them, and as the object does.
const FUNCTIONS: [(&str, &str); 4] = [
    ("___rust_alloc", "assay_alloc"),
    ("___rust_alloc_zeroed", "assay_alloc_zeroed"),
    ("___rust_realloc", "assay_realloc"),
    ("___rust_dealloc", "assay_dealloc"),
];

/// What the names lead to. What every block of C's is aligned to is what the standard library knows of it, too.
pub(super) const TEXT: &str = r#"
#![no_std]
use core::ffi::c_void;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    fn posix_memalign(block: *mut *mut c_void, alignment: usize, size: usize) -> i32;
}

#[inline(always)]
fn is_usual(alignment: usize, size: usize) -> bool {
    alignment <= 2 * size_of::<usize>() && alignment <= size
}

#[cold]
unsafe fn aligned(size: usize, alignment: usize) -> *mut u8 {
    let mut block = core::ptr::null_mut();
    let failed = unsafe { posix_memalign(&mut block, alignment.max(size_of::<usize>()), size) };
    if failed == 0 { block.cast() } else { core::ptr::null_mut() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn assay_alloc(size: usize, alignment: usize) -> *mut u8 {
    if is_usual(alignment, size) { unsafe { malloc(size).cast() } } else { unsafe { aligned(size, alignment) } }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn assay_alloc_zeroed(size: usize, alignment: usize) -> *mut u8 {
    if is_usual(alignment, size) {
        return unsafe { calloc(size, 1).cast() };
    }
    let block = unsafe { aligned(size, alignment) };
    if !block.is_null() {
        unsafe { block.write_bytes(0, size) };
    }
    block
}

#[unsafe(no_mangle)]
unsafe extern "C" fn assay_realloc(block: *mut u8, old: usize, alignment: usize, size: usize) -> *mut u8 {
    if is_usual(alignment, size) {
        return unsafe { realloc(block.cast(), size).cast() };
    }
    let moved = unsafe { aligned(size, alignment) };
    if !moved.is_null() {
        unsafe {
            moved.copy_from_nonoverlapping(block, old.min(size));
            free(block.cast());
        }
    }
    moved
}

#[unsafe(no_mangle)]
unsafe extern "C" fn assay_dealloc(block: *mut u8, _: usize, _: usize) {
    unsafe { free(block.cast()) }
}
"#;

/// Makes the object in `folder`. False where there is none: the names are others, or the system has no such objects. Then cells take the longer way.
pub(super) async fn make(toolchain: &Toolchain, folder: &Path) -> bool {
    let Some(jump) = jump(toolchain.machine()) else { return false };
    let libraries = toolchain.libraries.clone();
    let found = tokio::task::spawn_blocking(move || names(&libraries)).await;
    let Some(names) = found.ok().flatten() else { return false };
    if fs::write(folder.join("src").join(SOURCE), source(&names, jump)).is_err() {
        return false;
    }
    let mut arguments: Vec<OsString> = vec![Path::new("src").join(SOURCE).into()];
    arguments.extend(rustc::FLAGS.map(OsString::from));
    arguments.extend(
        ["-Ccodegen-units=1", "-Cpanic=abort", "--crate-type=lib", "--crate-name=assay_allocator"]
            .map(OsString::from),
    );
    arguments.push(format!("--emit=obj={OBJECT}").into());
    let made = rustc::call(toolchain, folder, &arguments).await;
    if !matches!(made, Ok((true, _))) {
        tracing::info!(?made, "cells take the longer way to the heap");
    }
    matches!(made, Ok((true, _)))
}

/// The instruction that goes on elsewhere, on machines whose objects are ELF.
fn jump(machine: &str) -> Option<&'static str> {
    let (processor, rest) = machine.split_once('-')?;
    match processor {
        _ if !rest.contains("linux-gnu") => None,
        "x86_64" => Some("jmp"),
        "aarch64" => Some("b"),
        _ => None,
    }
}

/// What the standard library's functions are called in the library that has them.
fn names(libraries: &Path) -> Option<[String; 4]> {
    let entries = fs::read_dir(libraries).ok()?.flatten();
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".so");
    let path = entries
        .map(|entry| entry.path())
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_std))?;
    let bytes = fs::read(path).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let all: Vec<&str> = file.dynamic_symbols().filter_map(|symbol| symbol.name().ok()).collect();
    let find = |suffix: &str| all.iter().find(|name| name.ends_with(suffix)).map(|name| (*name).to_owned());
    let [a, b, c, d] = FUNCTIONS.map(|(suffix, _)| find(suffix));
    Some([a?, b?, c?, d?])
}

fn source(names: &[String; 4], jump: &str) -> String {
    let mut text = TEXT.to_owned();
    for (name, (_, to)) in names.iter().zip(FUNCTIONS) {
        text += &format!(
            "core::arch::global_asm!(\".text\", \".p2align 4\", \".weak {name}\", \".hidden {name}\", \".type {name}, @function\", \"{name}: {jump} {to}\", \".size {name}, . - {name}\");\n"
        );
    }
    text
}
