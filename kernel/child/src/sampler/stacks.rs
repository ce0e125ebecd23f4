//! The stacks that were seen, each once, with how often. Handlers of all threads add to them at once, without locks, in memory that was mapped before.

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};
use std::io;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Words for stacks: 64 MB, of which only what is used is memory.
const WORDS: usize = 8 << 20;

/// Places where a stack may be found, a power of two.
const HEADS: usize = 1 << 17;

/// How many of them are looked at for one stack.
const LOOKS: usize = 64;

/// Words that are memory from the beginning: what a stack is written to for the first time costs several times what the stack does.
const READY: usize = 1 << 15;

/// Words in front of a stack's frames: its hash, whose it is and how long, how often it was seen.
const HEADER: usize = 3;

/// All of them.
pub(super) struct Stacks {
    /// Where the stack begins, in words; 0 if there is none.
    heads: Room,
    words: Room,
    next: AtomicUsize,
}

/// One of them.
pub(super) struct Seen {
    pub(super) person: u32,
    pub(super) complete: bool,
    pub(super) frames: Vec<u64>,
    pub(super) count: u64,
}

impl Stacks {
    pub(super) fn new() -> io::Result<Self> {
        Self::of(HEADS, WORDS)
    }

    fn of(heads: usize, words: usize) -> io::Result<Self> {
        // The first word is nobody's: so no stack begins at 0.
        let stacks = Self { heads: Room::new(heads)?, words: Room::new(words)?, next: AtomicUsize::new(1) };
        stacks.heads.make_ready(heads);
        stacks.words.make_ready(words.min(READY));
        Ok(stacks)
    }

    /// The stack was seen so many more times. False if there is no room for it. May be called from a signal's handler.
    pub(super) fn add(&self, person: u32, complete: bool, frames: &[u64], times: u64) -> bool {
        let about = u64::from(person) << 32 | u64::from(complete) << 31 | frames.len() as u64;
        let hash = hash(about, frames);
        let heads = self.heads.words();
        let mut made = None;
        for look in 0..LOOKS {
            let Some(head) = heads.get((hash as usize).wrapping_add(look) & (heads.len() - 1)) else {
                return false;
            };
            let mut at = head.load(Ordering::Acquire);
            if at == 0 {
                let Some(new) = made.or_else(|| self.make(hash, about, frames)) else { return false };
                made = Some(new);
                match head.compare_exchange(0, new, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => at = new,
                    // Another thread was faster. What was made may be of use at the next place.
                    Err(theirs) => at = theirs,
                }
            }
            if let Some(count) = self.same(at, hash, about, frames) {
                count.fetch_add(times, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    /// Writes it down; none if there is no room.
    fn make(&self, hash: u64, about: u64, frames: &[u64]) -> Option<u64> {
        let length = HEADER + frames.len();
        let at = self.next.fetch_add(length, Ordering::Relaxed);
        let Some(room) = self.words.words().get(at..at.checked_add(length)?) else {
            // So that the number does not run over, however often this is tried.
            self.next.store(self.words.words().len(), Ordering::Relaxed);
            return None;
        };
        let words = [hash, about, 0].into_iter().chain(frames.iter().copied());
        room.iter().zip(words).for_each(|(room, word)| room.store(word, Ordering::Relaxed));
        Some(at as u64)
    }

    /// The count of the stack there, if it is this one.
    fn same(&self, at: u64, hash: u64, about: u64, frames: &[u64]) -> Option<&AtomicU64> {
        let words = self.words.words().get(at as usize..)?.get(..HEADER + frames.len())?;
        let (head, theirs) = words.split_at_checked(HEADER)?;
        let same = |word: &AtomicU64, value: u64| word.load(Ordering::Relaxed) == value;
        let is_same = same(head.first()?, hash)
            && same(head.get(1)?, about)
            && theirs.iter().zip(frames).all(|(word, frame)| same(word, *frame));
        head.get(2).filter(|_| is_same)
    }

    /// Visits all, when nobody adds any more.
    pub(super) fn each(&self, mut visit: impl FnMut(Seen)) {
        let words = self.words.words();
        let value = |at: usize| words.get(at).map_or(0, |word| word.load(Ordering::Relaxed));
        for head in self.heads.words() {
            let at = head.load(Ordering::Acquire) as usize;
            if at == 0 {
                continue;
            }
            let (about, count) = (value(at + 1), value(at + 2));
            let length = about as usize & 0x7fff_ffff;
            let frames = (at + HEADER..at + HEADER + length).map(value).collect();
            visit(Seen { person: (about >> 32) as u32, complete: about >> 31 & 1 == 1, frames, count });
        }
    }
}

/// FNV, a word at a time, and mixed at the end: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(about: u64, frames: &[u64]) -> u64 {
    let mix = |hash: u64, word: &u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    let hash = frames.iter().fold(mix(0xcbf2_9ce4_8422_2325, &about), mix);
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash >> 29
}

/// Words that are zero, and no memory until they are written. They are not the allocator's: what it thinks of the user's program stays what it was.
pub(super) struct Room {
    start: NonNull<u64>,
    words: usize,
}

// SAFETY: what is behind the pointer is this value's own, and is only used as the types below say.
#[expect(unsafe_code, reason = "mapped memory is known by its address")]
unsafe impl Send for Room {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "mapped memory is known by its address")]
unsafe impl Sync for Room {}

impl Room {
    #[expect(unsafe_code, reason = "memory is mapped")]
    pub(super) fn new(words: usize) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: it is put where there is nothing else.
        let start = unsafe {
            mmap_anonymous(null_mut(), words * size_of::<u64>(), ProtFlags::READ | ProtFlags::WRITE, flags)?
        };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, words })
    }

    /// Makes so many of them memory. Where that cannot be done, they become it when they are written.
    #[expect(unsafe_code, reason = "mapped memory is known by its address")]
    pub(super) fn make_ready(&self, words: usize) {
        let bytes = words.min(self.words) * size_of::<u64>();
        // SAFETY: the words are there. Nothing changes but where they are.
        let _ = unsafe { madvise(self.start.as_ptr().cast(), bytes, Advice::LinuxPopulateWrite) };
    }

    /// Those that many threads use at once.
    #[expect(unsafe_code, reason = "mapped memory is known by its address")]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the words are there, and nobody uses them otherwise.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.words) }
    }

    /// So many of them, for one thread. Empty if there are not so many.
    ///
    /// # Safety
    ///
    /// Nobody else uses this part meanwhile.
    #[expect(unsafe_code, reason = "mapped memory is known by its address")]
    #[expect(clippy::mut_from_ref, reason = "the caller alone has the part")]
    pub(super) unsafe fn part(&self, start: usize, length: usize) -> &mut [u64] {
        if start.checked_add(length).is_none_or(|end| end > self.words) {
            return &mut [];
        }
        // SAFETY: the words are there, and the caller promises the rest.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(start), length) }
    }
}

impl Drop for Room {
    #[expect(unsafe_code, reason = "memory is given back")]
    fn drop(&mut self) {
        // SAFETY: whoever drops it does not use it any more. If it fails, the memory stays.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.words * size_of::<u64>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER, Stacks};
    use std::collections::BTreeMap;

    fn seen(stacks: &Stacks) -> BTreeMap<(u32, bool, Vec<u64>), u64> {
        let mut seen = BTreeMap::new();
        stacks.each(|stack| {
            assert!(seen.insert((stack.person, stack.complete, stack.frames), stack.count).is_none());
        });
        seen
    }

    #[test]
    fn each_stack_is_there_once() {
        let stacks = Stacks::new().unwrap();
        for (person, complete, frames, times) in [
            (0, true, &[1, 2, 3][..], 1),
            (1, true, &[1, 2, 3], 2),
            (0, false, &[1, 2, 3], 4),
            (0, true, &[1, 2], 8),
            (0, true, &[1, 2, 3], 16),
            (0, true, &[], 32),
        ] {
            assert!(stacks.add(person, complete, frames, times));
        }
        let expected = [
            ((0, false, vec![1, 2, 3]), 4),
            ((0, true, vec![]), 32),
            ((0, true, vec![1, 2]), 8),
            ((0, true, vec![1, 2, 3]), 17),
            ((1, true, vec![1, 2, 3]), 2),
        ];
        assert_eq!(seen(&stacks), expected.into());
    }

    #[test]
    fn threads_add_to_the_same_stacks() {
        let stacks = Stacks::new().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20_000_u64).for_each(|n| assert!(stacks.add(0, true, &[n % 1000, 7], 1))));
            }
        });
        let seen = seen(&stacks);
        assert_eq!(seen.len(), 1000);
        assert!(seen.values().all(|count| *count == 80));
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_and_the_rest_is_kept() {
        let stacks = Stacks::of(64, 1 + 10 * (HEADER + 2)).unwrap();
        let added = (0..100_u64).filter(|n| stacks.add(0, true, &[*n, 1], 1)).count();
        assert_eq!(added, 10);
        assert!(stacks.add(0, true, &[0, 1], 1));
        assert_eq!(seen(&stacks).values().sum::<u64>(), 11);
        let crowded = Stacks::of(4, 1000).unwrap();
        assert_eq!((0..100_u64).filter(|n| crowded.add(0, true, &[*n], 1)).count(), 4);
    }
}
