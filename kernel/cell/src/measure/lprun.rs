//! What `%lprun -r` gives to the notebook.

use crate::content::{Bundle, Show};
use std::fmt;

/// Which lines of functions took the time: `let r = %lprun -r -f fib fib(20);`. Times are in seconds, of one run.
#[derive(Clone, PartialEq)]
pub struct LprunResult {
    /// Every function that was asked for.
    pub functions: Vec<LprunFunction>,
    /// Whether the code did not come to its end: it panicked, a `?` left it, or it was interrupted.
    pub partial: bool,
}

/// A function, line by line.
#[derive(Clone, PartialEq)]
pub struct LprunFunction {
    /// Its name; `<statements>` for those of a cell.
    pub name: String,
    /// Its file, such as `cell[3]`.
    pub file: String,
    /// Its first line in that.
    pub first_line: u32,
    /// The time that it took with all that it called.
    pub total_time: f64,
    /// The number of samples that this is estimated from.
    pub samples: u64,
    /// The lines that have figures.
    pub lines: Vec<LprunLine>,
}

/// A line of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct LprunLine {
    /// Its number in the file.
    pub line: u32,
    /// How often it ran; none where that was not counted.
    pub hits: Option<u64>,
    /// The time that it took with all that it called.
    pub time: f64,
    /// How often it, or what it called, asked for memory.
    pub allocations: u64,
    /// How many bytes were asked for.
    pub bytes: u64,
    /// Its text.
    pub contents: String,
}

impl LprunFunction {
    /// The line that took most of the time.
    pub fn slowest(&self) -> Option<&LprunLine> {
        self.lines.iter().max_by(|one, other| one.time.total_cmp(&other.time))
    }
}

impl fmt::Display for LprunFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, file, first_line, total_time, .. } = self;
        write!(f, "{name} at {file}:{first_line}: {total_time} s")
    }
}

impl fmt::Debug for LprunFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<LprunFunction : {self}>")
    }
}

impl fmt::Display for LprunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, function) in self.functions.iter().enumerate() {
            write!(f, "{}{function}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for LprunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<LprunResult : {self}>")
    }
}

impl Show for LprunResult {
    fn mime_bundle(&self) -> Bundle {
        Bundle::new().text(format!("{self:?}"))
    }
}
