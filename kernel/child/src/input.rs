//! Standard input: the user's lines, asked for when code wants them.
//!
//! This program exports the C function `read`, so the libraries that it loads use this one (not so the C library itself: its own `stdio` sees an empty
//! input). A read of descriptor 0 asks the kernel. On systems other than Linux nothing is exported, and standard input is
//! what the kernel opened it as: empty.

/// What is left of a line that did not fit into the buffer of whoever read.
#[derive(Debug, Default)]
struct Rest(Vec<u8>);

impl Rest {
    /// Fills `buffer` as far as the line goes, and tells how far; a new line is asked for when nothing is left. 0 is the end of the input, or an empty buffer.
    fn read(&mut self, buffer: &mut [u8], ask: impl FnOnce() -> Option<String>) -> usize {
        if self.0.is_empty() && !buffer.is_empty() {
            self.0 = ask().map(|line| (line + "\n").into_bytes()).unwrap_or_default();
        }
        let count = self.0.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        count
    }
}

#[cfg(target_os = "linux")]
mod exported {
    use super::Rest;
    use crate::{kernel, runtime};
    use libc::{SYS_read, c_int, c_void, size_t, ssize_t, syscall};
    use std::sync::{Mutex, PoisonError};

    /// Whoever reads keeps it until the user has answered: others wait, as they would at a terminal.
    static REST: Mutex<Rest> = Mutex::new(Rest(Vec::new()));

    /// `read(2)`, but for descriptor 0.
    ///
    /// # Safety
    ///
    /// The buffer has room for `count` bytes.
    #[expect(unsafe_code, reason = "it stands in for a function of C")]
    #[unsafe(no_mangle)]
    unsafe extern "C" fn read(descriptor: c_int, buffer: *mut c_void, count: size_t) -> ssize_t {
        match kernel::get() {
            Some(kernel) if descriptor == 0 && !buffer.is_null() => {
                // SAFETY: the caller promises so many bytes. Only written to, they need not have a value; `u8` has no invalid one.
                let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), count) };
                let mut rest = REST.lock().unwrap_or_else(PoisonError::into_inner);
                let ask = || {
                    runtime::flush();
                    kernel.ask(String::new(), false)
                };
                // A line is shorter than the address space.
                ssize_t::try_from(rest.read(buffer, ask)).unwrap_or(ssize_t::MAX)
            }
            // SAFETY: the caller's promises are those that the system asks for. It is a number of bytes, thus of the size of a pointer.
            _ => unsafe { syscall(SYS_read, descriptor, buffer, count) as ssize_t },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rest;

    #[test]
    fn a_line_is_read_in_pieces_of_any_size() {
        for size in 1..8 {
            let mut lines = ["ab", "", "cdé"].into_iter();
            let (mut rest, mut got) = (Rest::default(), Vec::new());
            loop {
                let mut buffer = vec![0; size];
                match rest.read(&mut buffer, || lines.next().map(str::to_owned)) {
                    0 => break,
                    count => got.extend_from_slice(&buffer[..count]),
                }
            }
            assert_eq!(String::from_utf8(got).unwrap(), "ab\n\ncdé\n", "in pieces of {size}");
        }
    }

    #[test]
    fn nobody_is_asked_for_what_is_there_or_not_wanted() {
        let mut rest = Rest(b"x\n".to_vec());
        assert_eq!(rest.read(&mut [], || unreachable!()), 0);
        assert_eq!(rest.read(&mut [0; 2], || unreachable!()), 2);
        assert_eq!(rest.read(&mut [], || unreachable!()), 0);
    }

    #[test]
    fn the_end_of_the_input_can_be_met_again() {
        let mut rest = Rest::default();
        assert_eq!(rest.read(&mut [0; 9], || None), 0);
        assert_eq!(rest.read(&mut [0; 9], || Some("a".to_owned())), 2);
    }
}
