//! Complete stacks, taken where a signal has interrupted a thread, or where a thread allocates.
//!
//! Nothing that walks a stack here allocates, locks, or reads what is not there: what is needed for it is prepared before ([`Unwinder::prepare`]), and each page is asked for
//! before it is read for the first time. The C library has no frame pointers, so it goes by the tables that exceptions go by, which every library brings along.
//!
//! ```text
//! let unwinder = Unwinder::prepare();                        // at the beginning of each watched run
//! let walked = unwinder.walk(&registers, &mut frames);       // in a handler
//! let walked = unwinder.here(&mut frames);                   // anywhere, for the calling thread
//! let mut places = unwinder.places();                        // afterwards, where it may allocate
//! let trace = places.trace(&frames[..walked.frames], walked.complete);
//! let modules = places.into_modules();
//! ```

mod memory;
mod modules;
mod registers;

use assay_link::watch::{Module, Trace};
use framehop::{CacheNative, MustNotAllocateDuringUnwind, Unwinder as _, UnwinderNative};
use modules::Loaded;
pub(crate) use registers::Registers;
use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use memory::has_room;

/// The most frames that are worth a walk: it takes as many times 20 ns.
pub(crate) const DEEPEST: usize = 1024;

/// Walks stacks through the libraries that were loaded when it was prepared. They stay loaded while there is one.
pub(crate) struct Unwinder {
    tables: UnwinderNative<&'static [u8], MustNotAllocateDuringUnwind>,
    loaded: Loaded,
    caches: Box<[Slot]>,
}

/// A stack that was walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Walked {
    /// How many frames were written, the innermost first. Of all but that one it is the last byte of the call.
    pub(crate) frames: usize,
    /// Whether the last one is where the thread began.
    pub(crate) complete: bool,
}

/// What a walk knows from others, and writes to. It is one walk's at a time.
struct Slot {
    taken: AtomicBool,
    cache: UnsafeCell<CacheNative<MustNotAllocateDuringUnwind>>,
}

// SAFETY: whoever has set `taken` alone uses the cache.
#[expect(unsafe_code, reason = "caches are lent to walks in handlers")]
unsafe impl Sync for Slot {}

/// The fewest and the most walks that can go on at once.
const CACHES: (usize, usize) = (16, 128);

impl Unwinder {
    /// For all that is loaded now. Takes about as long as a hundred walks.
    pub(crate) fn prepare() -> Self {
        let loaded = Loaded::kept();
        let mut tables = UnwinderNative::new();
        loaded.modules().filter_map(modules::Mapped::tables).for_each(|module| tables.add_module(module));
        // A walk that is interrupted keeps its cache, so there are more than processors.
        let walks = std::thread::available_parallelism().map_or(1, usize::from) * 2;
        let caches = (0..walks.clamp(CACHES.0, CACHES.1)).map(|_| Slot::new()).collect();
        Self { tables, loaded, caches }
    }

    /// Walks the stack of the calling thread from these registers, as far as there is room. May be called from a signal's handler.
    pub(crate) fn walk(&self, registers: &Registers, frames: &mut [u64]) -> Walked {
        let lost = Walked { frames: 0, complete: false };
        self.with_cache(|cache| self.walk_with(cache, registers, frames)).unwrap_or(lost)
    }

    /// Walks the stack of the calling thread. The first frames are this function's and its callers', so those of whoever watches.
    #[inline(never)]
    #[cfg_attr(not(test), expect(dead_code, reason = "others know the registers that they begin with"))]
    pub(crate) fn here(&self, frames: &mut [u64]) -> Walked {
        self.walk(&Registers::here(), frames)
    }

    fn walk_with(
        &self,
        cache: &mut CacheNative<MustNotAllocateDuringUnwind>,
        registers: &Registers,
        frames: &mut [u64],
    ) -> Walked {
        let mut stack = memory::Stack::at(registers.stack());
        let mut read = |address| stack.read(address);
        let mut walk = self.tables.iter_frames(registers.code(), registers.native(), cache, &mut read);
        let mut count = 0;
        loop {
            match walk.next() {
                Ok(Some(frame)) => match frames.get_mut(count) {
                    Some(room) => {
                        *room = frame.address_for_lookup();
                        count += 1;
                    }
                    None => return Walked { frames: count, complete: false },
                },
                // Where no table says so, but a register is zero, it may have lost its way.
                Ok(None) => {
                    let last = count.checked_sub(1).and_then(|last| frames.get(last));
                    let complete = last.is_some_and(|last| self.loaded.has_tables(*last));
                    return Walked { frames: count, complete };
                }
                Err(_) => return Walked { frames: count, complete: false },
            }
        }
    }

    /// None if so many walks are under way.
    #[expect(unsafe_code, reason = "a cache is lent to one walk")]
    fn with_cache<T>(
        &self,
        walk: impl FnOnce(&mut CacheNative<MustNotAllocateDuringUnwind>) -> T,
    ) -> Option<T> {
        let (before, after) = self.caches.split_at(memory::hint() % self.caches.len().max(1));
        let slot = after.iter().chain(before).find(|slot| slot.take())?;
        // SAFETY: it was free, and has been taken by this call alone.
        let value = walk(unsafe { &mut *slot.cache.get() });
        slot.taken.store(false, Ordering::Release);
        Some(value)
    }

    /// Where addresses are: in what is loaded now, so in what has been loaded meanwhile too.
    pub(crate) fn places(&self) -> Places {
        Places { loaded: Loaded::now(), modules: Vec::new(), known: HashMap::new() }
    }
}

impl Slot {
    fn new() -> Self {
        Self { taken: AtomicBool::new(false), cache: UnsafeCell::new(CacheNative::new_in()) }
    }

    fn take(&self) -> bool {
        !self.taken.load(Ordering::Relaxed)
            && self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// Addresses as files have them, and which files these are.
pub(crate) struct Places {
    loaded: Loaded,
    modules: Vec<Module>,
    /// Which of the modules stands for which of the loaded ones; that of no loaded one is under none.
    known: HashMap<Option<usize>, u32>,
}

impl Places {
    /// The trace of a stack.
    pub(crate) fn trace(&mut self, frames: &[u64], complete: bool) -> Trace {
        Trace { frames: frames.iter().map(|frame| self.place(*frame)).collect(), complete }
    }

    /// Index of the module, and the address as its file has it. Code that is in no file has the address that it has.
    pub(crate) fn place(&mut self, address: u64) -> (u32, u64) {
        let found = self.loaded.find(address);
        let (path, base) = found.map_or(("", 0), |(_, module)| (module.path.as_str(), module.base));
        let modules = &mut self.modules;
        let index = *self.known.entry(found.map(|(index, _)| index)).or_insert_with(|| {
            modules.push(Module { path: path.to_owned() });
            u32::try_from(modules.len() - 1).unwrap_or(u32::MAX)
        });
        (index, address.wrapping_sub(base))
    }

    /// The modules that addresses were found in.
    pub(crate) fn into_modules(self) -> Vec<Module> {
        self.modules
    }
}

#[cfg(test)]
pub(crate) mod names;
#[cfg(test)]
mod tests;
