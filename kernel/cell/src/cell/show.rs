//! How the value of a cell's last expression is shown, and what `display!` is given. The generated code is
//!
//! ```text
//! match &(EXPRESSION) { value => {
//!     use ::assay::cell::show::*;
//!     begin();
//!     let shown = value.evcxr_display();
//!     (&&&&Shown(shown, value)).show(Where::Value);
//! } }
//! ```
//!
//! Which `evcxr_display` and which `show` that calls is decided by the order in which the compiler looks for methods: what takes fewer
//! references off, or puts fewer on, comes first; and a type's own method comes before a trait's.

use crate::content::{Bundle, Show};
use crate::outlet::{self, Place};
use crate::trace;
use std::any::type_name;
use std::fmt::{self, Debug, Write};

/// Where a value is shown.
#[derive(Debug, Clone, Copy)]
pub enum Where {
    /// As the value of its cell.
    Value,
    /// The same, for a user who wants this form of `Debug`, or to see types.
    Styled(&'static str, bool),
    /// On the page.
    Page,
}

impl Where {
    fn show(self, bundle: &Bundle) {
        let place = match self {
            Self::Value | Self::Styled(..) => Place::Value,
            Self::Page => Place::Page,
        };
        outlet::show(place, bundle);
    }
}

/// The type has no `evcxr_display` of its own.
pub struct NotShown;

/// Stands in for the `evcxr_display` that most types do not have. It is found only after the compiler has taken a reference to
/// the receiver, thus after any that the type or a trait of the user's has.
pub trait Fallback {
    /// Shows nothing.
    fn evcxr_display(&self) -> NotShown {
        NotShown
    }
}

impl<T: ?Sized> Fallback for &T {}

/// What `evcxr_display` gave, and the value.
pub struct Shown<'a, S, T: ?Sized>(pub S, pub &'a T);

/// `()`: there is nothing to show.
pub trait ShowNothing {
    /// Shows nothing.
    fn show(&self, _: Where) {}
}

impl ShowNothing for &&&Shown<'_, NotShown, ()> {}

/// What says how it is shown.
pub trait ShowBundle {
    /// Shows the value.
    fn show(&self, place: Where);
}

impl<T: Show + ?Sized> ShowBundle for &&Shown<'_, NotShown, T> {
    fn show(&self, place: Where) {
        place.show(&self.1.mime_bundle());
    }
}

/// What is `Debug` is shown by that.
pub trait ShowDebug {
    /// Shows the value.
    fn show(&self, place: Where);
}

impl<T: Debug + ?Sized> ShowDebug for &Shown<'_, NotShown, T> {
    fn show(&self, place: Where) {
        debug(&self.1, type_name::<T>(), place);
    }
}

/// Not generic, so that a cell holds none of the machinery of formatting: it would be compiled again with each.
fn debug(value: &dyn Debug, type_name: &str, place: Where) {
    let (format, types) = match place {
        Where::Styled(format, types) => (format, types),
        Where::Value | Where::Page => ("{:?}", false),
    };
    let mut text = Cut::text(value, format);
    if types {
        text.insert_str(0, &format!(": {} = ", trace::without_crates(type_name)));
    }
    place.show(&Bundle::new().text(text));
}

/// As much of a value's text as a page can hold, in bytes. A browser that is given the numbers of a whole image stands still.
const ENOUGH: usize = 100_000;

/// A text that ends where it is long enough.
#[derive(Default)]
struct Cut {
    text: String,
    full: bool,
}

impl Cut {
    fn text(value: &dyn Debug, format: &str) -> String {
        let mut cut = Self::default();
        let whole = match format {
            "{:#?}" => write!(cut, "{value:#?}"),
            "{:x?}" => write!(cut, "{value:x?}"),
            "{:X?}" => write!(cut, "{value:X?}"),
            _ => write!(cut, "{value:?}"),
        };
        if cut.full {
            let why = "… (cut after 100 kB: `println!(\"{:?}\", …)` prints all of it)";
            cut.text.push_str(why);
        } else if whole.is_err() {
            cut.text.push_str("… (its `Debug` failed)");
        }
        cut.text
    }
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = ENOUGH - self.text.len();
        self.full |= text.len() > room;
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        // The value need not go on.
        if self.full { Err(fmt::Error) } else { Ok(()) }
    }
}

impl<T: ?Sized> Shown<'_, NotShown, T> {
    /// Says what it is, because nobody said how to show it.
    pub fn show(&self, place: Where) {
        nothing(type_name::<T>(), place);
    }
}

fn nothing(type_name: &str, place: Where) {
    let name = trace::without_crates(type_name);
    let what = format!("a value of type `{name}`, which has no Debug: `#[derive(Debug)]` lets it be shown");
    place.show(&Bundle::new().text(what));
}

/// The user's `evcxr_display` was called, and has shown the value.
pub trait ShowOwn {
    /// Tells that it has.
    fn show(&self, place: Where);
}

impl<S, T: ?Sized> ShowOwn for Shown<'_, S, T> {
    fn show(&self, place: Where) {
        match place {
            Where::Value | Where::Styled(..) => outlet::shown(),
            Where::Page => place.show(&Bundle::new()),
        }
    }
}

/// A value is about to be shown.
pub fn begin() {
    outlet::showing();
}

#[cfg(test)]
mod tests {
    use super::{Cut, ENOUGH};
    use std::fmt::{self, Debug};

    fn text(value: &dyn Debug) -> String {
        Cut::text(value, "{:?}")
    }

    #[test]
    fn debug_has_more_than_one_form() {
        assert_eq!(text(&Some(255)), "Some(255)");
        assert_eq!(Cut::text(&Some(255), "{:#?}"), "Some(\n    255,\n)");
        assert_eq!(Cut::text(&Some(255), "{:x?}"), "Some(ff)");
        assert_eq!(Cut::text(&Some(255), "{:X?}"), "Some(FF)");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(text(&[1, 2]), "[1, 2]");
        let just = "x".repeat(ENOUGH - 2);
        assert_eq!(text(&just).len(), ENOUGH);
        let long = text(&"ä".repeat(ENOUGH));
        let (kept, why) = long.split_once('…').unwrap();
        assert_eq!(kept.len(), ENOUGH - 1);
        assert!(why.contains("println!"));
        // Nothing more is formatted than is shown.
        assert!(text(&std::iter::repeat_n(7, ENOUGH).collect::<Vec<_>>()).len() < ENOUGH + 100);
    }

    #[test]
    fn a_debug_that_fails_is_told() {
        struct Bad;
        impl Debug for Bad {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(text(&Bad), "a… (its `Debug` failed)");
    }
}
