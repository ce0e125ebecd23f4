//! The stack of each event: where in the user's code it is.

use super::Caller;
use super::mapped::Mapped;
pub(super) use super::sites::Number;
use super::sites::{Frames, Sites};
use crate::unwind::{DEEPEST, Registers, Unwinder, has_room};
use assay_link::watch::{Module, Site, Thread};

/// What a walk needs of the stack at most, in bytes: where there is less, the stack is not walked.
const ROOM: usize = 8 << 10;

/// Frames that are kept of all sites together before stacks are shortened, each time more: a message to the kernel has a limit, and whoever reads it some patience. Code that calls itself in two places
/// has as many stacks as it has calls; without those frames that are there already, it has a few.
const STEP: usize = 500_000;

/// To how many frames, when the ones that are there already are left out and it is not enough: first to these, then to those. Some are the collections' own, before the user's come.
const SHORT: [usize; 2] = [32, 8];

pub(super) struct Stacks {
    unwinder: Unwinder,
    sites: Sites,
    /// The frames of the latest walk.
    frames: Mapped<u64>,
}

/// How many frames a walk has found, and whether they are all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walked {
    frames: usize,
    complete: bool,
}

impl Stacks {
    /// For the watch of this number, which the calling thread begins.
    pub(super) fn prepare(watch: u32) -> Result<Self, String> {
        let none = "there is no memory to keep stacks in";
        let sites = Sites::new(watch).ok_or(none)?;
        let frames = Mapped::of(DEEPEST).ok_or(none)?;
        Ok(Self { unwinder: Unwinder::prepare(), sites, frames })
    }

    /// Walks the stack from the caller on. What is on it below that is ours.
    #[expect(unsafe_code, reason = "a return address is read")]
    pub(super) fn walk(&mut self, caller: Caller) -> Walked {
        if !has_room(caller.stack as u64, ROOM) {
            return Walked { frames: 0, complete: false };
        }
        // SAFETY: the stack pointer is that of a function that was just called, so the return address is there.
        let back = unsafe { std::ptr::with_exposed_provenance::<u64>(caller.stack).read() };
        // As it will be after the return; but at the last byte of the call, which lies within the line that calls.
        let stack = (caller.stack + size_of::<u64>()) as u64;
        let registers = Registers::at(back.wrapping_sub(1), stack, caller.frame as u64);
        let walked = self.unwinder.walk(&registers, &mut self.frames);
        self.shorten(Walked { frames: walked.frames, complete: walked.complete })
    }

    /// Leaves out frames if there are too many by now.
    fn shorten(&mut self, Walked { frames, complete }: Walked) -> Walked {
        let steps = self.sites.frames() / STEP;
        if steps == 0 {
            return Walked { frames, complete };
        }
        let distinct = distinct(&mut self.frames[..frames]);
        let most = match steps {
            1 => distinct,
            2 => SHORT[0],
            3 => SHORT[1],
            _ => 0,
        };
        Walked { frames: distinct.min(most), complete: complete && distinct <= most }
    }

    /// Whether there is room for one more site.
    pub(super) fn has_room(&self, walked: Walked) -> bool {
        self.sites.has_room(walked.frames)
    }

    /// Makes it. False if there is no memory.
    pub(super) fn grow(&mut self, walked: Walked) -> bool {
        self.sites.grow(walked.frames)
    }

    /// The site of the stack that was just walked, for which there is room.
    pub(super) fn site(&mut self, walked: Walked) -> Number {
        let Walked { frames, complete } = walked;
        self.sites.of(Frames { frames: &self.frames[..frames], complete })
    }

    /// See [`Sites::allocated`].
    pub(super) fn allocated(&mut self, site: Number, bytes: u64, weight: u32) {
        self.sites.allocated(site, bytes, weight);
    }

    /// See [`Sites::freed`].
    pub(super) fn freed(&mut self, site: Option<Number>, owner: Option<Number>, bytes: u64, weight: u32) {
        self.sites.freed(site, owner, bytes, weight);
    }

    /// See [`Sites::peak`].
    pub(super) fn peak(&mut self) {
        self.sites.peak();
    }

    /// See [`Sites::after`].
    pub(super) fn after(&mut self, site: Number, live: i64) {
        self.sites.after(site, live);
    }

    /// All that was seen.
    pub(super) fn end(self) -> (Vec<Site>, Vec<Thread>, Vec<Module>) {
        let mut places = self.unwinder.places();
        let (sites, threads) = self.sites.end(&mut |address| places.place(address));
        (sites, threads, places.into_modules())
    }
}

/// Moves those to the front that differ from all before them. How many there are: not many where a stack is deep, for then something calls itself.
fn distinct(frames: &mut [u64]) -> usize {
    let mut count = 0;
    for index in 0..frames.len() {
        let frame = frames[index];
        if !frames[..count].contains(&frame) {
            frames[count] = frame;
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::distinct;

    #[test]
    fn what_calls_itself_is_there_once() {
        for (frames, expected) in [
            (&[][..], &[][..]),
            (&[7], &[7]),
            (&[1, 2, 3, 2, 3, 3, 4], &[1, 2, 3, 4]),
            (&[5, 5, 5, 5], &[5]),
            (&[1, 2, 3], &[1, 2, 3]),
        ] {
            let mut shortened = frames.to_vec();
            let count = distinct(&mut shortened);
            assert_eq!(&shortened[..count], expected);
        }
    }
}
