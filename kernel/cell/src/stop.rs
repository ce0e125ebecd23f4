//! placeholder
pub(crate) struct Region;
impl Region {
    pub(crate) fn enter() -> Self {
        Self
    }
}
pub(crate) fn requested() -> bool {
    false
}
pub(crate) fn now() -> ! {
    std::process::abort()
}
