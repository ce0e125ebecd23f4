//! The magics: what to measure, what it means, how to show it.
//!
//! Nothing here knows of Jupyter, of processes or of sockets. A magic is two pure functions, a plan and a report; whoever calls
//! them does the work in between. [`cell::steps`] is the way in: it cuts a cell into Rust and planned magics.

pub mod cell;
pub mod completeness;
pub mod completion;
pub mod help;
pub mod invocation;
pub mod magic;
pub mod measured;
pub mod nearest;
pub mod options;
pub mod outcome;
pub mod plan;
pub mod profiled;
pub mod progress;
pub mod render;
pub mod specification;
pub mod table;
pub use assay_statistics::units;

mod claim;
mod expansion;
mod measuring;
mod race;
mod ranges;
mod result;
mod rust;
mod source;
#[cfg(test)]
mod trial;

mod assert_allocs;
mod assert_faster;
mod assert_time;
mod bash;
mod capture;
mod cd;
mod colon;
mod compare;
mod complexity;
mod config;
mod del;
mod dep;
mod engine;
mod env;
mod history;
mod load;
mod lsmagic;
mod manual;
mod pwd;
mod reset;
mod save;
mod shell;
mod time;
mod timeit;
mod undo;
mod version;
mod who;
mod whos;
mod writefile;
