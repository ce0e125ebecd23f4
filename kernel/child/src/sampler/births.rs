//! Threads that begin while code is watched: this program exports `pthread_create`, through which the standard library of cells and C code start theirs. It changes nothing while
//! nothing is watched.

use super::threads::{are_watched, join, leave};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What a thread does.
type Routine = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

type Create = unsafe extern "C" fn(*mut pthread_t, *const pthread_attr_t, Routine, *mut c_void) -> c_int;

/// What a thread is to do, and with what.
struct Work {
    routine: Routine,
    argument: *mut c_void,
}

/// `pthread_create(3)`.
///
/// # Safety
///
/// As for the C library's own.
#[expect(unsafe_code, reason = "it stands in for a function of C")]
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    routine: Routine,
    argument: *mut c_void,
) -> c_int {
    let Some(create) = create() else { return libc::EAGAIN };
    if !are_watched() {
        // SAFETY: the caller promises it.
        return unsafe { create(thread, attributes, routine, argument) };
    }
    let work = Box::into_raw(Box::new(Work { routine, argument }));
    // SAFETY: the caller promises it, and the work is what is expected.
    let failed = unsafe { create(thread, attributes, work_watched, work.cast()) };
    if failed != 0 {
        // SAFETY: there is no thread that would have taken it.
        drop(unsafe { Box::from_raw(work) });
    }
    failed
}

/// The C library's own.
#[expect(unsafe_code, reason = "a function is looked up by name")]
fn create() -> Option<Create> {
    static FOUND: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
    let mut found = FOUND.load(Ordering::Relaxed);
    if found.is_null() {
        // SAFETY: the name ends with a zero.
        found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
        FOUND.store(found, Ordering::Relaxed);
    }
    // SAFETY: it is the function's type, and null is none.
    unsafe { transmute::<*mut c_void, Option<Create>>(found) }
}

/// What a thread does that is watched from the beginning. It may be left by way of its caller, as `pthread_exit` does: so nothing here has a destructor when the user's code runs.
/// Then its source is closed later.
#[expect(unsafe_code, reason = "a function of the user's is called")]
unsafe extern "C-unwind" fn work_watched(work: *mut c_void) -> *mut c_void {
    // SAFETY: whoever made the thread gave it this, and to nobody else.
    let Work { routine, argument } = *unsafe { Box::from_raw(work.cast::<Work>()) };
    join();
    // SAFETY: whoever wanted the thread promises it.
    let result = unsafe { routine(argument) };
    leave();
    result
}
