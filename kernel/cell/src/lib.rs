//! What is linked into every cell: the store of variables, what catches a cell's panic, how a value is shown.
//!
//! The kernel carries this source, and the user's rustc compiles it to a dynamic library that all cells share. The process that loads
//! cells was compiled by another rustc, perhaps, and has a standard library of its own: the two meet in `table` alone, in C types.

#[doc(hidden)]
pub mod cell;
mod entry;
mod flusher;
mod hook;
mod run;
mod store;
mod table;
mod trace;
