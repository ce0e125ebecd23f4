//! What the code that is generated around a cell calls. Nobody else has a reason to.

pub mod show;
mod wait;

pub use wait::{Caught, Drive, block_on, catch_async, use_runtime};

use crate::run::{self, Failure};
use crate::store::{self, Missing};
use crate::table::Kept;
use crate::{hook, stop, trace};
use std::any::{Any, TypeId, type_name};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A cell's body, or a part of it.
pub type Flow = Result<(), Failed>;

/// The error that a `?` met, as text. It is not `Debug` itself: then it could be made from every error that is.
pub struct Failed(String);

impl<E: Debug> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(format!("{error:?}"))
    }
}

/// What ends a run that was promised a variable which is not there.
struct Broken(String);

/// What ends a run in which a claim does not hold.
struct Refuted;

/// Ends the run, because a claim does not hold.
pub(crate) fn refute() -> ! {
    // Not a panic: nobody's hook has to hear of it.
    resume_unwind(Box::new(Refuted))
}

/// Runs a part of a cell. A panic ends here, and so does a failed `?` and a stop: the run remembers the first of them.
pub fn catch(body: &mut dyn FnMut() -> Flow) {
    // What the body may have left half-done is the user's, who sees it as after any panic that is caught.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => {}
        Ok(Err(Failed(message))) => {
            run::fail(Failure::Question(message));
        }
        Err(payload) => panicked(payload),
    }
}

fn panicked(payload: Box<dyn Any + Send>) {
    let payload = match payload.downcast::<Broken>() {
        Ok(broken) => {
            run::fail(Failure::Trouble(broken.0));
            return;
        }
        Err(payload) => payload,
    };
    if payload.is::<Refuted>() {
        run::fail(Failure::Refuted);
        return;
    }
    if stop::is_stop(payload.as_ref()) {
        run::fail(Failure::Interrupted);
        return;
    }
    let seen = hook::seen(payload.as_ref());
    let later = seen.text();
    if !run::fail(Failure::Panic(seen)) {
        hook::say(&later);
    }
    // A payload is the user's, too.
    discard(payload);
}

/// Moves a variable out of the store. If it is not there as a `T`, the run ends in trouble.
#[inline(never)]
pub fn take<T: 'static>(name: &str) -> T {
    let taken = store::take(name, TypeId::of::<T>()).map(Box::<dyn Any>::downcast::<T>);
    match taken {
        Ok(Ok(value)) => *value,
        Ok(Err(_)) => broken(name, type_name::<T>(), &Missing::OtherType),
        Err(missing) => broken(name, type_name::<T>(), &missing),
    }
}

/// Ends the run, because something of ours went wrong.
pub(crate) fn trouble(what: String) -> ! {
    resume_unwind(Box::new(Broken(what)))
}

fn broken(name: &str, type_name: &str, missing: &Missing) -> ! {
    let type_name = trace::without_crates(type_name);
    let what = match missing {
        Missing::Absent => {
            format!("the variable `{name}` of type `{type_name}` is not among those that are kept")
        }
        Missing::OtherType => {
            format!("the variable `{name}` is kept, but it is not of the type `{type_name}`")
        }
    };
    // Not a panic: nobody's hook has to hear of it.
    trouble(what)
}

/// Keeps a variable of the cell's slot `slot`. Inner bindings come first: if the run has kept one of this name, this one has been shadowed, and is dropped.
#[inline(never)]
pub fn put<T: 'static>(value: T, slot: usize, name: &'static str) {
    keep(Box::new(value), slot, size_of::<T>(), name);
}

/// The same for an iterator whose type has no name, as what it is behind a pointer.
#[inline(never)]
pub fn put_iterator<I: Iterator<Item = T> + 'static, T: 'static>(value: I, slot: usize, name: &'static str) {
    let value: Box<dyn Iterator<Item = T>> = Box::new(value);
    keep(Box::new(value), slot, size_of::<I>(), name);
}

fn keep(value: Box<dyn Any>, slot: usize, bytes: usize, name: &'static str) {
    if run::has(name) {
        return discard(value);
    }
    let before = store::put(name, value);
    // No cell has 2^32 slots, and no type is larger than the address space.
    run::keep(name, Kept { slot: u32::try_from(slot).unwrap_or(u32::MAX), bytes: bytes as u64 });
    if let Some(before) = before {
        discard(before);
    }
}

/// Drops a value of the user's. If that panics, what is left to do for the cell is done all the same.
pub(crate) fn discard<T: ?Sized>(value: Box<T>) {
    let mut value = Some(value);
    catch(&mut || {
        drop(value.take());
        Ok(())
    });
}

#[cfg(test)]
mod tests;
