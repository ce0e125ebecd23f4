//! A stand-in, of which nothing stays: the module of this name that is made elsewhere takes its place.

use assay_magics::profiled::Function;

/// Gives every function one number.
#[derive(Debug, Clone, Default)]
pub(super) struct Functions {
    all: Vec<Function>,
}

impl Functions {
    /// The number of a function.
    pub(super) fn index(&mut self, function: Function) -> usize {
        self.all.iter().position(|known| *known == function).unwrap_or_else(|| {
            self.all.push(function);
            self.all.len() - 1
        })
    }
}

/// The functions that the user has written.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline {
    nothing: Option<Function>,
}

impl Outline {
    /// The innermost function or closure at a place.
    pub(super) fn at(&self, _file: &str, _line: u32, _column: u32) -> Option<Function> {
        self.nothing.clone()
    }
}
