//! The measurement inside out: code stands in a loop of its own and asks what to do next.

use crate::routine::Size;

/// What code is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Tell what kind of code it is. Nothing runs.
    Introduce,
    /// Run as often as the size says, and tell what the clock counted meanwhile.
    Run(Size),
    /// Run once, untimed, with the counter on.
    Count,
    /// Run once, untimed, and keep the result.
    Once,
}
