//! What each stack allocated and gave back, by thread.

use super::grown::Grown;
use super::mapped::{Mapped, Plain};
use assay_link::watch;
use std::cell::Cell;

thread_local! {
    /// The watch that this thread has last done something in, and its number in that. It is where the thread begins, without a first time and without an end.
    static THREAD: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// The number of a stack of a thread.
pub(super) type Number = u32;

/// What is known of a stack.
#[derive(Clone, Copy)]
struct Record {
    hash: u64,
    /// Where its frames begin, and how many there are.
    first: usize,
    length: usize,
    complete: bool,
    thread: u32,
    allocations: u64,
    bytes: u64,
    frees: u64,
    freed: u64,
    live: u64,
    live_blocks: u64,
    at_peak: u64,
    /// The peak that `at_peak` is of: see [`Sites::touch`].
    peak: u64,
    after: i64,
    most: i64,
}

// SAFETY: numbers and a flag may be zero.
#[expect(unsafe_code, reason = "see `Plain`")]
unsafe impl Plain for Record {}

/// A thread: its id, and its name as it was when its latest stack was new.
#[derive(Clone, Copy)]
struct Thread {
    id: u32,
    name: [u8; NAME],
}

/// The length of a thread's name with its end: <https://man7.org/linux/man-pages/man2/PR_SET_NAME.2const.html>.
const NAME: usize = 16;

// SAFETY: numbers may be zero.
#[expect(unsafe_code, reason = "see `Plain`")]
unsafe impl Plain for Thread {}

pub(super) struct Sites {
    /// The number of the watch.
    watch: u32,
    /// By hash: 0, or the number of a site and one more.
    index: Mapped<u32>,
    records: Grown<Record>,
    frames: Grown<u64>,
    threads: Grown<Thread>,
    /// How many peaks there were: each is higher than all before.
    peaks: u64,
}

/// A stack: an address in each frame, the innermost first, and whether these are all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames<'a> {
    pub(super) frames: &'a [u64],
    pub(super) complete: bool,
}

/// Gives an address its place in a file: index of the module, and address.
pub(super) type Place<'a> = &'a mut dyn FnMut(u64) -> (u32, u64);

impl Sites {
    /// For the watch of this number, which the calling thread begins. None if there is no memory.
    pub(super) fn new(watch: u32) -> Option<Self> {
        let mut sites = Self {
            watch,
            index: Mapped::of(4096)?,
            records: Grown::of(1024)?,
            frames: Grown::of(1 << 15)?,
            threads: Grown::of(64)?,
            peaks: 0,
        };
        sites.thread();
        Some(sites)
    }

    /// How many frames all of them have.
    pub(super) fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is room for one more, with a stack of so many frames.
    pub(super) fn has_room(&self, frames: usize) -> bool {
        self.records.has_room(1)
            && self.threads.has_room(1)
            && self.frames.has_room(frames)
            && self.records.len() < self.index.len() / 2
    }

    /// Makes it. False if there is no memory.
    pub(super) fn grow(&mut self, frames: usize) -> bool {
        (self.records.has_room(1) || self.records.grow(1))
            && (self.threads.has_room(1) || self.threads.grow(1))
            && (self.frames.has_room(frames) || self.frames.grow(frames))
            && (self.records.len() < self.index.len() / 2 || self.widen())
    }

    fn widen(&mut self) -> bool {
        let Some(mut index) = Mapped::of(self.index.len() * 2) else { return false };
        for (number, record) in self.records.iter().enumerate() {
            let mut at = record.hash as usize & (index.len() - 1);
            while index[at] != 0 {
                at = (at + 1) & (index.len() - 1);
            }
            index[at] = number as u32 + 1;
        }
        self.index = index;
        true
    }

    /// The site of this stack of the calling thread, for which there is room.
    pub(super) fn of(&mut self, stack: Frames<'_>) -> Number {
        let thread = self.thread();
        let hash = hash(thread, stack.frames);
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(number) = self.index[at].checked_sub(1) {
            let record = &self.records[number as usize];
            if record.hash == hash && record.thread == thread && self.frames_of(record) == stack.frames {
                return number;
            }
            at = (at + 1) & mask;
        }
        let number = self.records.len() as u32;
        self.index[at] = number + 1;
        self.records.add(&[Record {
            hash,
            first: self.frames.len(),
            length: stack.frames.len(),
            complete: stack.complete,
            thread,
            allocations: 0,
            bytes: 0,
            frees: 0,
            freed: 0,
            live: 0,
            live_blocks: 0,
            at_peak: 0,
            peak: self.peaks,
            after: 0,
            most: i64::MIN,
        }]);
        self.frames.add(stack.frames);
        if let Some(thread) = self.threads.get_mut(thread as usize) {
            thread.name = name();
        }
        number
    }

    /// One has allocated a block that stands for so many of this size.
    pub(super) fn allocated(&mut self, site: Number, bytes: u64, weight: u32) {
        let (weight, record) = (u64::from(weight), self.touch(site));
        record.allocations += weight;
        record.bytes += weight * bytes;
        record.live += weight * bytes;
        record.live_blocks += weight;
    }

    /// One has given back a block that stands for so many; if it was allocated since the beginning, whose it was.
    pub(super) fn freed(&mut self, site: Option<Number>, owner: Option<Number>, bytes: u64, weight: u32) {
        let weight = u64::from(weight);
        if let Some(site) = site {
            let record = self.touch(site);
            record.frees += weight;
            record.freed += weight * bytes;
        }
        if let Some(owner) = owner {
            let record = self.touch(owner);
            record.live = record.live.saturating_sub(weight * bytes);
            record.live_blocks = record.live_blocks.saturating_sub(weight);
        }
    }

    /// More is live of the whole heap than ever, whoever made it so.
    pub(super) fn peak(&mut self) {
        self.peaks += 1;
    }

    /// After an event of this site so much is live of the whole heap.
    pub(super) fn after(&mut self, site: Number, live: i64) {
        let record = &mut self.records[site as usize];
        record.after = live;
        record.most = record.most.max(live);
    }

    /// The record, which is about to change. If there was a peak since it last did, it is now as it was then: so what all sites had at the peak is known without looking at all of them at each.
    fn touch(&mut self, site: Number) -> &mut Record {
        let record = &mut self.records[site as usize];
        if record.peak != self.peaks {
            record.at_peak = record.live;
            record.peak = self.peaks;
        }
        record
    }

    fn frames_of(&self, record: &Record) -> &[u64] {
        &self.frames[record.first..record.first + record.length]
    }

    /// The number of the calling thread.
    fn thread(&mut self) -> u32 {
        let (watch, number) = THREAD.get();
        if watch == self.watch && (number as usize) < self.threads.len() {
            return number;
        }
        let number = self.threads.len() as u32;
        self.threads.add(&[Thread { id: id(), name: name() }]);
        THREAD.set((self.watch, number));
        number
    }

    /// All that was seen: sites, and the threads.
    pub(super) fn end(mut self, place: Place<'_>) -> (Vec<watch::Site>, Vec<watch::Thread>) {
        for number in 0..self.records.len() as u32 {
            self.touch(number);
        }
        let sites = self.records.iter().map(|record| self.site(record, place)).collect();
        let threads = self.threads.iter().map(Thread::told).collect();
        (sites, threads)
    }

    fn site(&self, record: &Record, place: Place<'_>) -> watch::Site {
        let frames = self.frames_of(record).iter().map(|address| place(*address)).collect();
        watch::Site {
            thread: record.thread,
            trace: watch::Trace { frames, complete: record.complete },
            allocations: record.allocations,
            bytes: record.bytes,
            frees: record.frees,
            freed: record.freed,
            at_peak: record.at_peak,
            live: record.live,
            live_blocks: record.live_blocks,
            heap_after: record.after,
            heap_most: record.most,
        }
    }
}

impl Thread {
    fn told(&self) -> watch::Thread {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(NAME);
        watch::Thread { id: self.id, name: String::from_utf8_lossy(&self.name[..end]).into_owned() }
    }
}

/// The mixing step of FxHash over the words, with a last one so that the low bits depend on all: <https://github.com/rust-lang/rustc-hash>.
fn hash(thread: u32, frames: &[u64]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let hash = frames.iter().fold(u64::from(thread), |hash, frame| mix(hash, *frame));
    hash ^ hash >> 32
}

#[expect(unsafe_code, reason = "the system is asked for the thread's id")]
fn id() -> u32 {
    // SAFETY: it is always possible.
    unsafe { libc::gettid() }.cast_unsigned()
}

#[expect(unsafe_code, reason = "the system writes a name")]
fn name() -> [u8; NAME] {
    let mut name = [0; NAME];
    // SAFETY: there is room for the longest name and its end.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

#[cfg(test)]
mod tests {
    use super::{Frames, Sites};

    fn stack(frames: &[u64]) -> Frames<'_> {
        Frames { frames, complete: true }
    }

    #[test]
    fn stacks_are_told_apart_and_found_again() {
        let mut sites = Sites::new(1).unwrap();
        for round in 0..2 {
            for number in 0..10_000_u64 {
                let frames = [number / 100, number % 100, 7];
                if !sites.has_room(3) {
                    assert!(sites.grow(3));
                }
                assert_eq!(u64::from(sites.of(stack(&frames))), number, "{round}");
            }
        }
        let mut place = |address| (5, address + 1);
        let (told, threads) = sites.end(&mut place);
        assert_eq!((told.len(), threads.len()), (10_000, 1));
        assert_eq!(told[1234].trace.frames, [(5, 13), (5, 35), (5, 8)]);
        assert!(told[1234].trace.complete);
    }

    #[test]
    fn threads_have_sites_of_their_own() {
        let mut sites = Sites::new(2).unwrap();
        let one = sites.of(stack(&[1]));
        let name = "a name of a thread that is long";
        let other = std::thread::Builder::new().name(name.into());
        std::thread::scope(|scope| {
            let other = other.spawn_scoped(scope, || sites.of(stack(&[1]))).unwrap();
            assert_eq!((one, other.join().unwrap()), (0, 1));
        });
        let (told, threads) = sites.end(&mut |address| (0, address));
        assert_eq!([told[0].thread, told[1].thread], [0, 1]);
        assert_eq!(threads[1].name, name[..15]);
        assert_ne!(threads[0].id, threads[1].id);
    }

    #[test]
    fn what_each_has_at_the_peak_is_known() {
        let mut sites = Sites::new(3).unwrap();
        let [a, b, c] = [[1], [2], [3]].map(|frames| sites.of(stack(&frames)));
        let mut live = 0;
        let mut peak = 0;
        // (site, bytes): what is negative is given back by `c`.
        for (site, bytes) in [(a, 10_i64), (b, 5), (a, -4), (b, 20), (b, -25), (a, 1), (a, -7), (b, 3)] {
            if bytes > 0 {
                sites.allocated(site, bytes.cast_unsigned(), 1);
            } else {
                sites.freed(Some(c), Some(site), bytes.unsigned_abs(), 1);
            }
            live += bytes;
            if live > peak {
                (peak, _) = (live, sites.peak());
            }
            sites.after(if bytes > 0 { site } else { c }, live);
        }
        let (told, _) = sites.end(&mut |address| (0, address));
        assert_eq!(peak, 31);
        assert_eq!([0, 1, 2].map(|site: usize| told[site].at_peak), [6, 25, 0]);
        assert_eq!([0, 1, 2].map(|site: usize| told[site].live), [0, 3, 0]);
        assert_eq!([0, 1, 2].map(|site: usize| told[site].freed), [0, 0, 36]);
        assert_eq!([0, 1, 2].map(|site: usize| told[site].heap_after), [7, 3, 0]);
        assert_eq!([0, 1, 2].map(|site: usize| told[site].heap_most), [10, 31, 11]);
    }

    #[test]
    fn a_block_may_stand_for_several() {
        let mut sites = Sites::new(4).unwrap();
        let site = sites.of(stack(&[1]));
        sites.allocated(site, 10, 3);
        sites.peak();
        sites.freed(Some(site), Some(site), 10, 3);
        sites.allocated(site, 7, 2);
        let (told, _) = sites.end(&mut |address| (0, address));
        let figures = &told[0];
        assert_eq!([figures.allocations, figures.bytes, figures.frees, figures.freed], [5, 44, 3, 30]);
        assert_eq!([figures.at_peak, figures.live, figures.live_blocks], [30, 14, 2]);
    }
}
