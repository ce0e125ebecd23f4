//! The version of the link, and the check that both ends speak the same one.

use std::fmt;

/// Raised whenever a message changes its meaning or its form. Both ends are installed together, so an exact match is asked for.
pub const VERSION: u32 = 6;

/// The two ends come from different builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// The version that the other end said it speaks.
    pub theirs: u32,
}

/// Whether the other end, which said `theirs` in its hello, can be talked to.
pub fn check(theirs: u32) -> Result<(), Mismatch> {
    if theirs == VERSION { Ok(()) } else { Err(Mismatch { theirs }) }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the link's version is {VERSION} here and {} there: the programs come from different builds",
            self.theirs
        )
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::{Mismatch, VERSION, check};

    #[test]
    fn only_the_same_version_is_accepted() {
        assert_eq!(check(VERSION), Ok(()));
        assert_eq!(check(VERSION + 1), Err(Mismatch { theirs: VERSION + 1 }));
    }
}
