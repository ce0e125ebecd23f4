//! The standard output of C: a buffer that is nobody's but the C library's, and which code in C fills that cells call.

use libc::FILE;

#[expect(unsafe_code, reason = "a variable of the C library")]
unsafe extern "C" {
    #[cfg_attr(target_os = "macos", link_name = "__stdoutp")]
    static mut stdout: *mut FILE;
}

/// From now on a line is written out at its end, as at a terminal. There must be no other thread.
#[expect(unsafe_code, reason = "a function of the C library is called")]
pub(crate) fn write_lines() {
    // SAFETY: the C library has set it before any of this program ran, and nothing has been printed yet.
    unsafe { libc::setvbuf(stdout, std::ptr::null_mut(), libc::_IOLBF, 0) };
}

/// Writes out what was printed.
#[expect(unsafe_code, reason = "a function of the C library is called")]
pub(crate) fn flush() {
    // SAFETY: as above; it has a lock of its own.
    unsafe { libc::fflush(stdout) };
}
