//! Reads of a stack that touch nothing which is not there.

use std::cell::Cell;
use std::ops::Range;

/// No page is smaller.
const PAGE: usize = 4096;

/// Below the stack pointer a function may keep this many bytes: <https://gitlab.com/x86-psABIs/x86-64-ABI>, section 3.2.2.
const RED_ZONE: usize = 128;

/// What is further away than this is on another stack: few frames are larger.
const FRAME: usize = 256 << 10;

thread_local! {
    /// What is there, around the place where this thread's stack pointer was last. A stack stays where it is while somebody is on it.
    ///
    /// It needs no set-up and no destructor, and lies where the thread pointer says: so handlers may look at it.
    static KNOWN: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The calling thread's stack.
pub(super) struct Stack {
    known: Range<usize>,
    lowest: usize,
}

impl Stack {
    /// With this stack pointer.
    pub(super) fn at(pointer: u64) -> Self {
        let pointer = usize::try_from(pointer).unwrap_or(usize::MAX);
        Self { known: around(pointer), lowest: pointer.saturating_sub(RED_ZONE) }
    }

    /// The word at this address.
    #[expect(unsafe_code, reason = "memory is read that is known by its address alone")]
    pub(super) fn read(&mut self, address: u64) -> Result<u64, ()> {
        let address = usize::try_from(address).map_err(|_| ())?;
        if address % size_of::<u64>() != 0 || address < self.lowest {
            return Err(());
        }
        if !self.known.contains(&address) {
            self.learn(address)?;
        }
        // SAFETY: the page is there, and the word does not reach beyond it. It is of this thread's stack, or at least nothing that a read changes.
        Ok(unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() })
    }

    fn learn(&mut self, address: usize) -> Result<(), ()> {
        let page = address & !(PAGE - 1);
        if page >= self.known.end && page - self.known.end < FRAME {
            while self.known.end <= page {
                if !is_there(self.known.end) {
                    return Err(());
                }
                self.known.end += PAGE;
            }
            KNOWN.set((self.known.start, self.known.end));
        } else if is_there(page) {
            // Another stack, from which this one is called: what is known of this one is known no more in this walk.
            self.known = page..page + PAGE;
        } else {
            return Err(());
        }
        Ok(())
    }
}

/// What is known to be there around this stack pointer. If nothing is, or it has moved to another stack, it is nothing.
fn around(pointer: usize) -> Range<usize> {
    let (start, end) = KNOWN.get();
    if (start..=end).contains(&pointer) { start..end } else { pointer & !(PAGE - 1)..pointer & !(PAGE - 1) }
}

/// Whether the calling thread's stack goes on for so many bytes below this stack pointer.
pub(crate) fn has_room(pointer: u64, bytes: usize) -> bool {
    let Ok(pointer) = usize::try_from(pointer) else { return false };
    let mut known = around(pointer);
    let lowest = pointer.saturating_sub(bytes);
    while known.start > lowest {
        let below = known.start.saturating_sub(PAGE);
        if below == 0 || !is_there(below) {
            return false;
        }
        known.start = below;
        KNOWN.set((known.start, known.end));
    }
    true
}

/// A number that differs between threads as a rule.
pub(super) fn hint() -> usize {
    // Threads lie as far apart as their stacks do.
    KNOWN.with(|known| std::ptr::from_ref(known).addr() >> 12).wrapping_mul(0x9E37_79B1) >> 8
}

/// Whether the page of this address can be read. The kernel reads the set of signals before it finds that nobody can do with it what it is asked to:
/// <https://github.com/torvalds/linux/blob/v6.12/kernel/signal.c>, `rt_sigprocmask`.
#[expect(unsafe_code, reason = "the kernel is asked to read memory that may not be there")]
pub(super) fn is_there(address: usize) -> bool {
    const NOTHING: i32 = i32::MAX;
    let set = std::ptr::with_exposed_provenance::<u64>(address);
    // SAFETY: `errno` is the thread's own. The call changes nothing, for there is no such operation.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        libc::syscall(libc::SYS_rt_sigprocmask, NOTHING, set, std::ptr::null_mut::<u64>(), size_of::<u64>());
        let there = *errno == libc::EINVAL;
        *errno = before;
        there
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, PAGE, Stack, has_room, is_there};
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    use std::ptr::null_mut;

    #[test]
    #[expect(unsafe_code, reason = "memory is mapped")]
    fn what_is_not_there_is_not_read() {
        // SAFETY: three pages of nobody else's.
        let pages = unsafe {
            let pages =
                mmap_anonymous(null_mut(), 3 * PAGE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
                    .unwrap();
            mprotect(pages.byte_add(2 * PAGE), PAGE, MprotectFlags::empty()).unwrap();
            pages.cast::<u64>().add(3).write(7);
            pages
        };
        let start = pages.expose_provenance();
        assert_eq!([0, 1, 2].map(|page| is_there(start + page * PAGE)), [true, true, false]);
        let mut stack = Stack::at(start as u64 + 8);
        assert_eq!(stack.read(start as u64 + 24), Ok(7));
        assert_eq!(stack.read(start as u64 + PAGE as u64), Ok(0));
        assert_eq!(stack.read(start as u64 + 2 * PAGE as u64), Err(()));
        assert_eq!(KNOWN.get(), (start, start + 2 * PAGE));
        for nothing in [0, 8, u64::MAX, u64::MAX - 7, 1 << 47, start as u64 + 25, start as u64 - 512] {
            assert_eq!(stack.read(nothing), Err(()), "{nothing:x}");
        }
        assert!(has_room(start as u64 + PAGE as u64 + 64, PAGE));
        // SAFETY: nobody uses them.
        unsafe { munmap(pages, 3 * PAGE).unwrap() };
        let here = 0_u64;
        let here = std::ptr::from_ref(&here).addr() as u64;
        assert!(has_room(here, 64 << 10));
        assert!(!has_room(here, 1 << 40));
        assert!(Stack::at(here & !7).read(here & !7).is_ok());
    }
}
