//! Where time goes: the stacks of the user's threads are taken again and again while code is watched.
//!
//! Each of these threads has a source of signals of its own ([`source`]), and takes its own stack in the signal's handler ([`signal`]), into memory that was there before
//! ([`stacks`]). Which threads they are, and that new ones are seen from their first moment on, is the business of [`threads`]. Sources are opened when the code begins
//! and closed when it ends, and no checkpoint is made between: a copy of this process never has one.

mod births;
mod chance;
mod signal;
mod source;
mod stacks;
mod threads;

use crate::unwind::{DEEPEST, Registers, Unwinder, has_room};
use assay_link::watch::{Clock, Means, Samples, Seen, Stack, Thread};
use libc::siginfo_t;
use signal::Overrun;
use source::Way;
use stacks::{Room, Stacks};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use threads::{OURS, Over, Slot};

/// The most threads that are seen at once.
const SLOTS: usize = 1024;

/// What a handler needs of the stack that it interrupts, in bytes: below what the kernel puts there. A walk was seen to take 14 kB of it, and 57 kB where nothing is optimised.
const HANDLER: usize = if cfg!(debug_assertions) { 96 << 10 } else { 32 << 10 };

/// No stack takes longer, in nanoseconds.
const LONGEST: u64 = 200_000;

/// The one that is under way; null if there is none.
static SESSION: AtomicPtr<Session> = AtomicPtr::new(null_mut());

/// Handlers that may look at it.
static HANDLERS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The session that the calling thread last took a stack in, and its slot there. As it needs no set-up and no destructor, a handler may use it.
    static MINE: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// What handlers know while code is watched.
struct Session {
    number: u32,
    clock: Clock,
    /// The best way to send signals to threads.
    best: Way,
    /// Nanoseconds between two samples.
    period: u64,
    unwinder: Unwinder,
    stacks: Stacks,
    slots: Box<[Slot]>,
    /// Room for the frames of each slot.
    frames: Room,
    lost: AtomicU64,
}

/// Begins to take samples; why none can be taken otherwise. The calling thread is the one that runs the code.
pub(crate) fn start(clock: Clock, period: u64) -> Result<(), String> {
    threads::start(|| Session::new(clock, period, Way::best()))
}

/// Takes no more. What was seen.
pub(crate) fn stop() -> Seen {
    let Some(Over { session, unused, people, means }) = threads::stop() else {
        return Seen::Nothing { why: "no samples were being taken".to_owned() };
    };
    let samples = session.samples(&people, means);
    // Another thread than the one that runs the code is here if that does not come to an end, and then it may be in the loader, which would have to give up libraries now.
    if !unused || people.first().is_none_or(|first| first.id != threads::own_id()) {
        std::mem::forget(session);
    }
    Seen::Samples(samples)
}

impl Session {
    /// Signals are sent in no better way than `best`.
    fn new(clock: Clock, period: u64, best: Way) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let short = |error| format!("there is no memory for samples: {error}");
        let frames = Room::new(SLOTS * DEEPEST).map_err(short)?;
        frames.make_ready(DEEPEST);
        Ok(Self {
            number: COUNT.fetch_add(1, Ordering::Relaxed).wrapping_add(1),
            clock,
            best: if clock == Clock::Wall { Way::Timer } else { best },
            period: period.max(2 * source::SHORTEST),
            unwinder: Unwinder::prepare(),
            stacks: Stacks::new().map_err(short)?,
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            frames,
            lost: AtomicU64::new(0),
        })
    }

    /// Takes the stack of the calling thread, which a signal has interrupted.
    ///
    /// # Safety
    ///
    /// This is called by the signal's handler, with what that was given.
    #[expect(unsafe_code, reason = "the kernel gives a handler what it knows by pointers")]
    unsafe fn take(&self, info: *const siginfo_t, context: *const libc::c_void) {
        let Some((index, slot)) = self.mine() else { return };
        // First of all: the first interval may have been a short one, and an event comes again after the same.
        slot.go_on(self.period);
        let began = source::monotonic();
        // SAFETY: the caller promises it.
        let (registers, overrun) = unsafe { (Registers::interrupted(context), Overrun::of(info)) };
        let weight = self.weight(slot, &registers, overrun);
        if weight > 0 && !self.record(index, slot, &registers, weight) {
            self.lost.fetch_add(weight, Ordering::Relaxed);
        }
        // What is longer has waited for a processor.
        let spent = source::monotonic().saturating_sub(began).min(LONGEST);
        slot.spent.fetch_add(spent, Ordering::Relaxed);
        if slot.is_timed() {
            slot.cpu.store(source::processor(), Ordering::Relaxed);
        }
    }

    /// The calling thread's slot. None if it is not watched, or no more.
    fn mine(&self) -> Option<(usize, &Slot)> {
        let (number, index) = MINE.get();
        let index = if number == self.number {
            index as usize
        } else {
            let id = threads::own_id();
            let index = self.slots.iter().position(|slot| slot.id.load(Ordering::Acquire) == id)?;
            MINE.set((self.number, index as u32));
            index
        };
        Some((index, self.slots.get(index)?))
    }

    /// How many samples the moment stands for.
    fn weight(&self, slot: &Slot, registers: &Registers, overrun: Overrun) -> u64 {
        if !slot.is_timed() {
            return 1;
        }
        match self.clock {
            // A thread that had to wait until it could take its stack did not go on meanwhile.
            Clock::Wall => 1 + overrun.0,
            Clock::Processor => u64::from(slot.has_run(self.period, registers)),
        }
    }

    /// False if there is no room.
    fn record(&self, index: usize, slot: &Slot, registers: &Registers, weight: u64) -> bool {
        let here = 0_u8;
        if !has_room(std::ptr::from_ref(&here).addr() as u64, HANDLER) {
            return false;
        }
        // SAFETY: this slot's thread alone takes stacks in its part, and one at a time: no signal interrupts a handler.
        #[expect(unsafe_code, reason = "memory is divided among threads")]
        let frames = unsafe { self.frames.part(index * DEEPEST, DEEPEST) };
        let walked = self.unwinder.walk(registers, frames);
        let person = slot.person.load(Ordering::Relaxed);
        walked.frames > 0 && self.stacks.add(person, walked.complete, &frames[..walked.frames], weight)
    }

    /// What was seen. People without a sample are left out, but for the first, who ran the code.
    fn samples(&self, people: &[Thread], means: Means) -> Samples {
        let mut places = self.unwinder.places();
        let mut threads: Vec<Thread> = people.first().cloned().into_iter().collect();
        let mut known = vec![None; people.len()];
        if let Some(first) = known.first_mut() {
            *first = Some(0);
        }
        let mut stacks: Vec<Stack> = Vec::new();
        self.stacks.each(|stack| {
            let Some((thread, person)) =
                known.get_mut(stack.person as usize).zip(people.get(stack.person as usize))
            else {
                return;
            };
            // One that had another name yet when it was asked for.
            if stack.person > 0 && OURS.contains(&person.name.as_str()) {
                return;
            }
            let thread = *thread.get_or_insert_with(|| {
                threads.push(person.clone());
                threads.len() as u32 - 1
            });
            let trace = places.trace(&stack.frames, stack.complete);
            stacks.push(Stack { thread, trace, samples: stack.count });
        });
        let spent = self.slots.iter().map(|slot| slot.spent.load(Ordering::Relaxed)).sum();
        let lost = self.lost.load(Ordering::Relaxed);
        let modules = places.into_modules();
        Samples { clock: self.clock, period: self.period, means, modules, threads, stacks, lost, spent }
    }
}

#[cfg(test)]
mod tests;
