//! What it costs that allocations can be counted, and that they are.
//!
//! `cargo run --release -p assay-child --example heap`. The same loop calls glibc's `malloc` and `free`, and this program's own, which stand in for them: while nothing is looked at, while
//! allocations are counted, while blocks are watched, and while stacks are taken too. They take turns; shown are nanoseconds for a block that is allocated and freed, the medians of the
//! turns and, in brackets, the first deciles. It is the processor's time, of the slowest of the threads.
#![expect(clippy::print_stdout, reason = "a program that a person runs prints")]

#[cfg(heap)]
#[path = "../src"]
#[expect(dead_code, reason = "the program that runs cells uses more of it")]
mod child {
    pub(crate) mod heap;
    #[cfg(stacks)]
    pub(crate) mod unwind;
}
#[path = "../../cell/src/table.rs"]
#[expect(dead_code, reason = "what is counted is of a type that stands there, beside others")]
#[cfg(heap)]
mod table;
#[cfg(heap)]
use child::heap;
#[cfg(all(heap, stacks))]
use child::unwind;

#[cfg(heap)]
mod compare {
    use crate::heap;
    use std::ffi::{CStr, c_void};
    use std::hint::black_box;
    use std::mem::transmute;

    /// How often the three take turns.
    const TURNS: usize = 101;

    /// Blocks for each thread in a turn.
    const BLOCKS: u32 = 5000;

    /// How a block is allocated and freed.
    #[derive(Clone, Copy)]
    struct Pair {
        allocate: Allocate,
        free: Free,
    }

    type Allocate = unsafe extern "C" fn(usize) -> *mut c_void;
    type Free = unsafe extern "C" fn(*mut c_void);

    pub(crate) fn all() {
        let (Some(theirs), Some(ours)) = (pair(libc::RTLD_NEXT), pair(libc::RTLD_DEFAULT)) else {
            return println!("there is no malloc");
        };
        print!("{:>8} {:>6}", "threads", "bytes");
        println!("{:>16} {:>16} {:>16} {:>16} {:>16}", "glibc", "idle", "counted", "watched", "with stacks");
        for threads in [1, 2] {
            for size in [16, 100, 5000] {
                turns(threads, size, theirs, ours);
            }
        }
    }

    #[expect(unsafe_code, reason = "functions are looked up by name")]
    fn pair(of: *mut c_void) -> Option<Pair> {
        let find = |name: &CStr| {
            // SAFETY: the name ends with a zero.
            let found = unsafe { libc::dlsym(of, name.as_ptr()) };
            (!found.is_null()).then_some(found)
        };
        let (allocate, free) = (find(c"malloc")?, find(c"free")?);
        // SAFETY: these are the functions' types.
        let (allocate, free) =
            unsafe { (transmute::<*mut c_void, Allocate>(allocate), transmute::<*mut c_void, Free>(free)) };
        Some(Pair { allocate, free })
    }

    fn turns(threads: usize, size: usize, theirs: Pair, ours: Pair) {
        let mut times: [Vec<f64>; 5] = Default::default();
        let all = u64::from(BLOCKS) * threads as u64;
        for _ in 0..TURNS {
            times[0].push(together(threads, size, theirs));
            times[1].push(together(threads, size, ours));
            heap::start();
            times[2].push(together(threads, size, ours));
            let counted = heap::stop().map_or(0, |counts| counts.allocations);
            assert!(counted >= all, "{counted}");
            for (stacks, times) in times[3..].iter_mut().enumerate() {
                if heap::watch(stacks > 0).is_ok() {
                    times.push(together(threads, size, ours));
                    let seen = heap::seen().map_or(0, |heap| heap.frees);
                    assert!(seen >= all, "{seen}");
                }
            }
        }
        print!("{threads:>8} {size:>6}");
        for mut of in times {
            of.sort_by(f64::total_cmp);
            let at = |share: usize| of.get(of.len() / share).copied().unwrap_or(f64::NAN);
            print!(" {:>16}", format!("{:.1} ({:.1})", at(2), at(10)));
        }
        println!();
    }

    /// Nanoseconds for a block, in the slowest of the threads.
    fn together(threads: usize, size: usize, pair: Pair) -> f64 {
        let run = move || blocks(size, pair);
        let others: Vec<_> = (1..threads).map(|_| std::thread::spawn(run)).collect();
        others.into_iter().filter_map(|other| other.join().ok()).fold(run(), f64::max)
    }

    #[expect(unsafe_code, reason = "functions of C are called")]
    fn blocks(size: usize, pair: Pair) -> f64 {
        let Pair { allocate, free } = black_box(pair);
        let began = processor();
        for _ in 0..BLOCKS {
            // SAFETY: each block is freed once, by the function that belongs to the one that made it.
            unsafe { free(black_box(allocate(black_box(size)))) };
        }
        (processor() - began) / f64::from(BLOCKS)
    }

    /// The thread's time on the processor, in nanoseconds: whatever else the machine has to do.
    #[expect(unsafe_code, reason = "a function of C is called")]
    fn processor() -> f64 {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: there is room for a time.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    }
}

fn main() {
    #[cfg(heap)]
    compare::all();
    #[cfg(not(heap))]
    println!("nothing is counted on this system");
}
