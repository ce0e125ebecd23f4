//! The variables that outlive their cell.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// Variables by name. They need not be `Send`: one thread runs all cells.
    static STORE: RefCell<HashMap<String, Box<dyn Any>>> = RefCell::default();
}

/// Why a variable cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is none of that name.
    Absent,
    /// It has another type. It is still there.
    OtherType,
}

/// Takes out the variable `name` of the type `wanted`.
pub(crate) fn take(name: &str, wanted: TypeId) -> Result<Box<dyn Any>, Missing> {
    STORE.with_borrow_mut(|store| match store.get(name) {
        None => Err(Missing::Absent),
        Some(value) if (**value).type_id() != wanted => Err(Missing::OtherType),
        Some(_) => store.remove(name).ok_or(Missing::Absent),
    })
}

/// Puts a variable in; gives back the one that had its name.
#[must_use = "what is dropped may run the user's code"]
pub(crate) fn put(name: &str, value: Box<dyn Any>) -> Option<Box<dyn Any>> {
    STORE.with_borrow_mut(|store| store.insert(name.to_owned(), value))
}

/// Takes a variable out, whatever it is.
#[must_use = "what is dropped may run the user's code"]
pub(crate) fn remove(name: &str) -> Option<Box<dyn Any>> {
    STORE.with_borrow_mut(|store| store.remove(name))
}

#[cfg(test)]
mod tests {
    use super::{Missing, put, remove, take};
    use std::any::{Any, TypeId};

    #[test]
    fn a_variable_is_taken_once_and_as_what_it_is() {
        assert!(put("x", Box::new(7u8)).is_none());
        let refused = take("x", TypeId::of::<i8>()).map(drop);
        assert_eq!(refused, Err(Missing::OtherType));
        let value: Box<dyn Any> = take("x", TypeId::of::<u8>()).unwrap();
        assert_eq!(value.downcast_ref::<u8>(), Some(&7));
        assert_eq!(take("x", TypeId::of::<u8>()).map(drop), Err(Missing::Absent));
    }

    #[test]
    fn the_one_before_comes_back() {
        assert!(put("x", Box::new(1u8)).is_none());
        assert!(put("x", Box::new("new")).is_some_and(|old| old.is::<u8>()));
        assert!(remove("x").is_some_and(|old| old.is::<&str>()));
        assert!(remove("x").is_none());
    }
}
