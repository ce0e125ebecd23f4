//! What `%mprun -r` gives to the notebook.

use crate::content::{Bundle, Show};
use std::fmt;

/// What the lines of functions did to the heap: `let r = %mprun -r -f build build(20);`. Sizes are in bytes, exact, as they were asked for.
#[derive(Clone, PartialEq)]
pub struct MprunResult {
    /// Every function that was asked for.
    pub functions: Vec<MprunFunction>,
    /// Whether the code did not come to its end: it panicked, a `?` left it, or it was interrupted.
    pub partial: bool,
}

/// A function, line by line.
#[derive(Clone, PartialEq)]
pub struct MprunFunction {
    /// Its name; `<statements>` for those of a cell.
    pub name: String,
    /// Its file, such as `cell[3]`.
    pub file: String,
    /// Its first line in that.
    pub first_line: u32,
    /// The lines that have figures.
    pub lines: Vec<MprunLine>,
}

/// A line of a function: what it did, with all that it called.
#[derive(Debug, Clone, PartialEq)]
pub struct MprunLine {
    /// Its number in the file.
    pub line: u32,
    /// What was live of the whole heap, above the beginning: the most after the line allocated; of a line that only frees, what it left. None if it did nothing to the heap.
    pub usage: Option<i64>,
    /// What it asked for less what it gave back.
    pub increment: i64,
    /// How often it ran; none where that was not counted.
    pub occurrences: Option<u64>,
    /// How often it asked for memory.
    pub allocations: u64,
    /// How much it asked for.
    pub bytes: u64,
    /// How often it gave back a block.
    pub frees: u64,
    /// How much it gave back.
    pub freed: u64,
    /// Its text.
    pub contents: String,
}

impl MprunFunction {
    /// What its lines asked for.
    pub fn bytes(&self) -> u64 {
        self.lines.iter().map(|line| line.bytes).sum()
    }

    /// How often its lines asked.
    pub fn allocations(&self) -> u64 {
        self.lines.iter().map(|line| line.allocations).sum()
    }

    /// The line that asked for most.
    pub fn largest(&self) -> Option<&MprunLine> {
        self.lines.iter().max_by_key(|line| line.bytes)
    }
}

impl fmt::Display for MprunFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, file, first_line, .. } = self;
        write!(
            f,
            "{name} at {file}:{first_line}: {} bytes in {} allocations",
            self.bytes(),
            self.allocations()
        )
    }
}

impl fmt::Debug for MprunFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<MprunFunction : {self}>")
    }
}

impl fmt::Display for MprunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, function) in self.functions.iter().enumerate() {
            write!(f, "{}{function}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for MprunResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<MprunResult : {self}>")
    }
}

impl Show for MprunResult {
    fn mime_bundle(&self) -> Bundle {
        Bundle::new().text(format!("{self:?}"))
    }
}
