//! A stand-in, of which nothing stays: the module of this name that is made elsewhere takes its place.

/// A call that is under way.
#[must_use = "the call ends when this is dropped"]
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {}
}

/// The function of this number is called.
pub fn enter(_number: u32) -> Guard {
    Guard
}
