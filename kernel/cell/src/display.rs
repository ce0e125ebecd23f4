//! Showing things on the page.

use crate::content::{Bundle, Show};
use crate::outlet::{self, Place};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Shows a value that says how it is shown, at this point of the output. Any number of times, from any thread.
///
/// ```
/// println!("before");
/// assay::display(&assay::Markdown("**bold**"));
/// println!("after");
/// ```
///
/// The macro [`display!`](crate::display!) shows any value that is `Debug`.
pub fn display<T: Show + ?Sized>(value: &T) {
    outlet::show(Place::Page, &value.mime_bundle());
}

/// Shows values as a cell's last expression is shown: by [`Show`], by a method `evcxr_display` of the type's own, or by `Debug`.
///
/// ```
/// let words = vec!["touchstone", "cupel"];
/// assay::display!(words, words.len());
/// ```
#[macro_export]
macro_rules! display {
    ($($value:expr),+ $(,)?) => { $(
        match &($value) { value => {
            #[allow(unused_imports)]
            use $crate::cell::show::*;
            let shown = value.evcxr_display();
            (&&&&Shown(shown, value)).show(Where::Page);
        } }
    )+ };
}

/// Shows a value as [`display`] does, and gives a handle by which something else can be put in its place.
///
/// ```
/// let status = assay::display_handle(&assay::Text("working …"));
/// // …
/// status.update(&assay::Text("done"));
/// ```
pub fn display_handle<T: Show + ?Sized>(value: &T) -> Handle {
    let handle = Handle::new();
    outlet::show(Place::Named(&handle.id), &value.mime_bundle());
    handle
}

/// Something that is shown and can be replaced in place, from any thread, also when another cell runs. Copies mean the same thing. Dropping
/// it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handle {
    id: String,
}

impl Handle {
    /// A handle to what has not been shown yet.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // A page keeps what an earlier process showed: its handles have other ids.
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { id: format!("assay-{}-{began:x}-{count}", std::process::id()) }
    }

    /// Puts `value` in the place of what was shown.
    pub fn update<T: Show + ?Sized>(&self, value: &T) {
        self.replace(&value.mime_bundle());
    }

    pub(crate) fn show(&self, bundle: &Bundle) {
        outlet::show(Place::Named(&self.id), bundle);
    }

    pub(crate) fn replace(&self, bundle: &Bundle) {
        outlet::show(Place::Instead(&self.id), bundle);
    }
}

/// Takes away all that the cell has shown so far: at once, or, if `wait`, when the next output comes, so that nothing flickers.
///
/// ```
/// for frame in 0..3 {
///     assay::clear_output(true);
///     println!("frame {frame}");
/// }
/// ```
///
/// Outside of a notebook it does nothing.
pub fn clear_output(wait: bool) {
    outlet::clear(wait);
}

#[cfg(test)]
mod tests {
    use super::Handle;

    #[test]
    fn no_two_handles_are_one() {
        let (one, other) = (Handle::new(), Handle::new());
        assert_eq!(one, one.clone());
        assert_ne!(one, other);
    }
}
