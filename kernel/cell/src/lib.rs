//! What the cells of an Assay notebook can call: it is in scope of every cell that the native engine compiles, as `assay`.
//!
//! | call | what it does |
//! | --- | --- |
//! | [`display()`] | shows html, markdown, an image, or whatever says by [`Show`] how it is shown |
//! | [`display!`] | shows any value as the cell's last expression would be |
//! | [`display_handle`] | the same as `display`, to be replaced in place later: [`Handle::update`] |
//! | [`clear_output`] | takes away what the cell has shown |
//! | [`progress`] | a bar over any iterator |
//! | [`input()`], [`password`] | ask the user for a line |
//! | [`TimeitResult`] | what `%timeit -o` gives |
//! | [`LprunResult`], [`MemitResult`], [`MprunResult`] | what `%lprun -r`, `%memit -o` and `%mprun -r` give |
//! | [`black_box`] | keeps the compiler from computing a result that nobody uses |
//!
//! ```
//! assay::display(&assay::Html("<b>bold</b>"));
//! let sum: u64 = assay::progress(0..1000u64).sum();
//! assert_eq!(sum, 499_500);
//! ```
//!
//! What is shown and what is printed stand in the order of the calls. All of it may be called from any thread. Outside of a notebook, in a program that was a cell
//! once, the calls print to standard output and error, and read from standard input.

// The kernel carries this source, and the user's rustc compiles it to a dynamic library that all cells share. The process that loads cells was
// compiled by another rustc, perhaps, and has a standard library of its own: the two meet in `table` alone, in C types.

#[doc(hidden)]
pub mod cell;
mod content;
mod cost;
mod display;
mod entry;
mod flusher;
mod hook;
mod input;
#[doc(hidden)]
pub mod measure;
mod outlet;
mod progress;
mod run;
mod stop;
mod store;
mod table;
mod trace;

pub use content::{Bundle, Html, Jpeg, Json, Latex, Markdown, Png, Show, Svg, Text};
pub use display::{Handle, clear_output, display, display_handle};
pub use input::{input, password};
pub use measure::{
    LprunFunction, LprunLine, LprunResult, MemitResult, MprunFunction, MprunLine, MprunResult, TimeitResult,
};
pub use progress::{Progress, progress};
pub use std::hint::black_box;
