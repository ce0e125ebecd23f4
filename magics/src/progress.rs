//! placeholder
use crate::measured::Progress;
use crate::render::Bundle;
/// line
pub fn line(name: &str, progress: &Progress) -> Bundle {
    Bundle::text(format!("%{name} {:.1} s", progress.elapsed))
}
/// stopped
pub fn stopped(name: &str, progress: &Progress) -> Bundle {
    Bundle::text(format!("%{name} stopped after {:.1} s", progress.elapsed))
}
