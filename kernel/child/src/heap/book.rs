//! What is written down of a watch: one event after the other.

use super::Caller;
use super::blocks::{Block, Blocks, Owner};
use super::chance::Chance;
use super::clock::Clock;
use super::resident::Resident;
use super::stacks::{Number, Stacks};
use super::timeline::Timeline;
use super::with_errno;
use assay_link::watch::Heap;

/// Blocks that there is room for at first.
const BLOCKS: usize = 4096;

const FULL: &str = "there was no memory left to watch the heap with";

/// A watch that is under way.
pub(super) struct Book {
    /// Its number.
    watch: u32,
    clock: Clock,
    /// The latest time that was read: another processor's counter may be a little behind.
    latest: u64,
    allocations: u64,
    bytes: u64,
    frees: u64,
    freed: u64,
    live: i64,
    peak: i64,
    peak_at: u64,
    timeline: Timeline,
    blocks: Blocks,
    stacks: Option<Stacks>,
    chance: Chance,
    resident: Option<Resident>,
    full: bool,
}

/// A block that is not in the book any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Old {
    size: usize,
    /// The watch in which it was allocated, and by whom; none if it is older.
    from: Option<(u32, Owner)>,
}

impl Book {
    /// The watch of this number begins.
    pub(super) fn begin(watch: u32, stacks: bool) -> Result<Self, String> {
        trim();
        let stacks = if stacks { Some(Stacks::prepare(watch)?) } else { None };
        let blocks = Blocks::of(BLOCKS, stacks.is_some()).ok_or(FULL)?;
        let timeline = Timeline::new().ok_or(FULL)?;
        Ok(Self {
            watch,
            latest: 0,
            allocations: 0,
            bytes: 0,
            frees: 0,
            freed: 0,
            live: 0,
            peak: 0,
            peak_at: 0,
            timeline,
            blocks,
            stacks,
            chance: Chance::new(u64::from(watch)),
            resident: Resident::begin(),
            full: false,
            clock: Clock::start(),
        })
    }

    /// Whether there was no memory for what came last: what came after is not in it.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// A block was allocated. None, here and below, if there is no memory to write it down.
    pub(super) fn allocated(&mut self, address: usize, size: usize, caller: Caller) -> Option<()> {
        let weight = self.weight(size);
        let site = self.site(caller, weight > 0)?;
        self.keep(address, size, site.map(|site| Owner { site, weight }))?;
        self.asked_for(size, site, weight);
        self.now_live(signed(size), site);
        Some(())
    }

    /// Takes a block out. If it is older than the watch, its size is the `usable` one.
    pub(super) fn take(&mut self, address: usize, usable: impl FnOnce() -> usize) -> Old {
        match self.blocks.take(address) {
            Some(Block { size, owner }) => Old { size, from: Some((self.watch, owner)) },
            None => Old { size: usable(), from: None },
        }
    }

    /// It was given back.
    pub(super) fn gone(&mut self, old: Old, caller: Caller) -> Option<()> {
        let weight = self.weight_of(old);
        let site = self.site(caller, weight > 0)?;
        self.give_back(old, site, weight);
        self.now_live(-signed(old.size), site);
        Some(())
    }

    /// It has become this one.
    pub(super) fn moved(&mut self, old: Old, address: usize, size: usize, caller: Caller) -> Option<()> {
        let (before, weight) = (self.weight_of(old), self.weight(size));
        let site = self.site(caller, before > 0 || weight > 0)?;
        self.keep(address, size, site.map(|site| Owner { site, weight }))?;
        self.give_back(old, site, before);
        self.asked_for(size, site, weight);
        self.now_live(signed(size) - signed(old.size), site);
        Some(())
    }

    /// It is where it was.
    pub(super) fn stays(&mut self, old: Old, address: usize) -> Option<()> {
        match old.from {
            Some((watch, owner)) if watch == self.watch => self.keep(address, old.size, Some(owner)),
            _ => Some(()),
        }
    }

    /// For how many the next block stands, of this size, if its stack is taken; 0 if it is not.
    fn weight(&mut self, size: usize) -> u32 {
        if self.stacks.is_some() { self.chance.weight(size as u64, self.allocations) } else { 0 }
    }

    /// The same of a block that is given back: what was seen as it was allocated is seen again, so that what comes and goes is the same.
    fn weight_of(&mut self, old: Old) -> u32 {
        match self.owner(old) {
            Some(owner) => owner.weight,
            None if self.stacks.is_some() => self.chance.weight(old.size as u64, self.frees),
            None => 0,
        }
    }

    /// Whose it was; none if it is older than the watch.
    fn owner(&self, old: Old) -> Option<Owner> {
        old.from.filter(|(watch, _)| *watch == self.watch).map(|(_, owner)| owner)
    }

    fn asked_for(&mut self, size: usize, site: Option<Number>, weight: u32) {
        self.allocations += 1;
        self.bytes += size as u64;
        if let Some((stacks, site)) = self.stacks.as_mut().zip(site) {
            stacks.allocated(site, size as u64, weight);
        }
    }

    fn give_back(&mut self, old: Old, site: Option<Number>, weight: u32) {
        self.frees += 1;
        self.freed += old.size as u64;
        let owner = self.owner(old).filter(|owner| owner.weight > 0).map(|owner| owner.site);
        if let Some(stacks) = &mut self.stacks {
            stacks.freed(site, owner, old.size as u64, weight);
        }
    }

    /// What is live has changed by so much, by a call from this site.
    fn now_live(&mut self, change: i64, site: Option<Number>) {
        let before = self.live;
        self.live += change;
        let peak = self.live > self.peak;
        if self.live != before {
            self.latest = self.clock.now().max(self.latest);
            self.timeline.note(self.latest, before, self.live);
        }
        if peak {
            (self.peak, self.peak_at) = (self.live, self.latest);
        }
        if let Some(stacks) = &mut self.stacks {
            if peak {
                stacks.peak();
            }
            if let Some(site) = site {
                stacks.after(site, self.live);
            }
        }
    }

    /// Writes down a block. If there is one at its address, its release was not seen: a signal's handler made it while this thread was here.
    fn keep(&mut self, address: usize, size: usize, owner: Option<Owner>) -> Option<()> {
        if !self.blocks.has_room() {
            let grow = || self.blocks.grown().map(|grown| self.blocks = grown);
            if changed(&mut self.resident, grow).is_none() {
                self.full = true;
                return None;
            }
        }
        let missed = self.blocks.put(address, Block { size, owner: owner.unwrap_or_default() });
        if let Some(Block { size, owner }) = missed {
            self.give_back(Old { size, from: Some((self.watch, owner)) }, None, owner.weight);
            self.live -= signed(size);
        }
        Some(())
    }

    /// The site of the calling thread's stack, if that is taken; none if there is no memory for it.
    #[expect(clippy::option_option, reason = "there is none, or there is none yet")]
    fn site(&mut self, caller: Caller, taken: bool) -> Option<Option<Number>> {
        let Some(stacks) = self.stacks.as_mut().filter(|_| taken) else { return Some(None) };
        let frames = stacks.walk(caller);
        if !stacks.has_room(frames) && !changed(&mut self.resident, || stacks.grow(frames)) {
            self.full = true;
            return None;
        }
        Some(Some(stacks.site(frames)))
    }

    /// The watch has ended.
    pub(super) fn end(self) -> Result<Heap, String> {
        let scale = self.clock.scale();
        if self.full {
            return Err(FULL.to_owned());
        }
        let end = (self.latest.max(scale.now()), self.live);
        let resident = self.resident.and_then(Resident::end);
        let (sites, threads, modules) = self.stacks.map(Stacks::end).unwrap_or_default();
        Ok(Heap {
            allocations: self.allocations,
            bytes: self.bytes,
            frees: self.frees,
            freed: self.freed,
            peak: self.peak.cast_unsigned(),
            peak_at: scale.of(self.peak_at),
            live: self.live,
            timeline: self.timeline.points(end, |ticks| scale.of(ticks)),
            resident,
            sites,
            modules,
            threads,
        })
    }
}

/// Does what maps memory for the watch.
fn changed<T>(resident: &mut Option<Resident>, change: impl FnOnce() -> T) -> T {
    with_errno(|| {
        if let Some(resident) = resident {
            resident.before_change();
        }
        let changed = change();
        if let Some(resident) = resident {
            resident.after_change();
        }
        changed
    })
}

/// No block is larger than what a sign leaves.
fn signed(size: usize) -> i64 {
    (size as u64).cast_signed()
}

/// Gives the system what the C library keeps of freed memory: otherwise the next block lies in memory that is resident already, and takes nothing.
#[expect(unsafe_code, reason = "a function of C is called")]
fn trim() {
    // SAFETY: it may be called at any time.
    unsafe { libc::malloc_trim(0) };
}
