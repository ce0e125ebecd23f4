//! Why the counters of a library cannot be read.

use std::fmt;

/// What is not as this kernel knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is no library that the system could load either.
    NoLibrary(String),
    /// Something ends before it should.
    CutShort,
    /// A table of the coverage map has a version that nobody here has read about.
    MapVersion(u32),
    /// The same of the counters.
    CountersVersion(u64),
    /// Something is said that cannot be.
    Contradiction(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLibrary(why) => write!(f, "it is no library: {why}"),
            Self::CutShort => f.write_str("its coverage map ends too soon"),
            Self::MapVersion(version) => {
                write!(f, "its coverage map has the format {version}, which this kernel does not know")
            }
            Self::CountersVersion(version) => {
                write!(f, "its counters have the format {version}, which this kernel does not know")
            }
            Self::Contradiction(what) => write!(f, "its coverage map contradicts itself: {what}"),
        }
    }
}
