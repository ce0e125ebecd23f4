//! Programs, and which of their functions each figure belongs to.

#![expect(
    clippy::undocumented_unsafe_blocks,
    reason = "the C library and the linker are asked where functions are"
)]

use crate::programs::{check, watched};
use assay_link::watch::{Heap, Site};
use std::hint::black_box;

/// Whether all are seen as they are.
pub(crate) fn all() -> bool {
    a_leak() & moved() & sums() & deep() & wide() & threads()
}

/// Functions, each in a section of its own: the linker says where these begin and end.
macro_rules! functions {
    ($($name:ident: $section:literal, $start:ident, $stop:ident, ($($argument:ident: $of:ty)?) $(-> $gives:ty)? $body:block)*) => {
        $(
            #[inline(never)]
            #[unsafe(link_section = $section)]
            fn $name($($argument: $of)?) $(-> $gives)? $body
        )*

        unsafe extern "C" {
            $(static $start: u8; static $stop: u8;)*
        }

        /// Where each is.
        #[derive(Clone, Copy)]
        #[expect(non_camel_case_types, reason = "they are called as the functions are")]
        enum Place {
            $($name,)*
        }

        impl Place {
            fn range(self) -> std::ops::Range<usize> {
                match self {
                    $(Self::$name => (&raw const $start).addr()..(&raw const $stop).addr(),)*
                }
            }
        }
    };
}

functions! {
    leaks: "assay_leaks", __start_assay_leaks, __stop_assay_leaks, () {
        black_box(Box::leak(Box::new([1_u8; 123])));
    }
    keeps_nothing: "assay_keeps_nothing", __start_assay_keeps_nothing, __stop_assay_keeps_nothing, () {
        black_box(Box::new([1_u8; 1000]));
    }
    makes: "assay_makes", __start_assay_makes, __stop_assay_makes, () -> Vec<u8> {
        black_box(Vec::with_capacity(50))
    }
    makes_larger: "assay_makes_larger", __start_assay_makes_larger, __stop_assay_makes_larger, (bytes: &mut Vec<u8>) {
        bytes.reserve_exact(black_box(500));
    }
    gives_up: "assay_gives_up", __start_assay_gives_up, __stop_assay_gives_up, (bytes: Vec<u8>) {
        drop(black_box(bytes));
    }
}

fn is_in(site: &Site, place: Place) -> bool {
    let (base, range) = (base(), place.range());
    site.trace.frames.iter().any(|(_, address)| range.contains(&(*address as usize + base)))
}

/// Where this program is.
fn base() -> usize {
    unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        libc::dladdr(keeps_nothing as fn() as *const libc::c_void, &raw mut info);
        info.dli_fbase.addr()
    }
}

/// Those that are in this function.
fn of(heap: &Heap, function: Place) -> Vec<&Site> {
    heap.sites.iter().filter(|site| is_in(site, function)).collect()
}

fn a_leak() -> bool {
    let heap = watched(
        || {
            leaks();
            keeps_nothing();
        },
        true,
    );
    let live: Vec<_> = heap.sites.iter().filter(|site| site.live > 0).collect();
    let here = live.iter().all(|site| is_in(site, Place::leaks));
    let first = live.first().copied().cloned().unwrap_or_default();
    check("the leak is found", &(live.len(), here, first.live, first.live_blocks), &(1, true, 123, 1))
        & check("its stack is complete", &first.trace.complete, &true)
        & check("nothing else is", &heap.live, &123)
}

fn moved() -> bool {
    let heap = watched(
        || {
            let mut bytes = makes();
            makes_larger(&mut bytes);
            gives_up(bytes);
        },
        true,
    );
    let one = |function: Place| of(&heap, function).first().copied().cloned().unwrap_or_default();
    let (made, larger, gone) = (one(Place::makes), one(Place::makes_larger), one(Place::gives_up));
    let figures =
        |site: &Site| (site.bytes, site.freed, site.live, site.at_peak, site.heap_after, site.heap_most);
    check("who made it", &figures(&made), &(50, 0, 0, 0, 50, 50))
        & check("who made it larger", &figures(&larger), &(500, 50, 0, 500, 500, 500))
        & check("who gave it up", &figures(&gone), &(0, 500, 0, 0, 0, 0))
}

fn sums() -> bool {
    let heap = watched(
        || {
            let mut kept = Vec::new();
            for size in 0..3000_usize {
                kept.push(vec![1_u8; size % 97]);
                if size % 3 == 0 {
                    black_box(kept.swap_remove(size / 7 % kept.len()));
                }
            }
            black_box(kept);
            std::mem::forget(black_box(vec![7_u8; 11]));
        },
        true,
    );
    let sum = |of: fn(&Site) -> u64| heap.sites.iter().map(of).sum::<u64>();
    let sums = (
        sum(|site| site.allocations),
        sum(|site| site.bytes),
        sum(|site| site.frees),
        sum(|site| site.freed),
        sum(|site| site.at_peak),
        sum(|site| site.live),
    );
    let all = (heap.allocations, heap.bytes, heap.frees, heap.freed, heap.peak, heap.live.cast_unsigned());
    check("the sites are all that there is", &sums, &all)
}

fn deep() -> bool {
    #[inline(never)]
    fn dive(depth: u32) {
        let room = black_box([depth; 20]);
        if depth == 0 {
            keeps_nothing();
        } else {
            dive(depth - 1);
        }
        black_box(room);
    }
    let heap = watched(
        || {
            for depth in 0..600 {
                dive(depth);
            }
            dive(5000);
        },
        true,
    );
    let sites = of(&heap, Place::keeps_nothing);
    let whole = sites.iter().filter(|site| site.trace.complete).count();
    let frames = |site: &&&Site| site.trace.frames.len() > 600;
    // Of each depth one that allocates and one that frees, where these are not at the same place.
    check(
        "stacks of many depths",
        &(
            sites.len() % 601,
            whole + sites.len() / 601 == sites.len(),
            sites.iter().filter(frames).count() > 0,
        ),
        &(0, true, true),
    )
}

/// As many stacks as there are calls: they are shortened, and no figure is lost.
fn wide() -> bool {
    #[inline(never)]
    fn split(depth: u32) {
        if depth == 0 {
            leaks();
        } else {
            split(depth - 1);
            black_box(depth);
            split(depth - 1);
        }
        black_box(depth);
    }
    let heap = watched(|| split(16), true);
    let frames: usize = heap.sites.iter().map(|site| site.trace.frames.len()).sum();
    let live: u64 = of(&heap, Place::leaks).iter().map(|site| site.live).sum();
    let shortened = heap.sites.iter().any(|site| !site.trace.complete);
    check(
        "stacks that are all different",
        &(live, heap.live, frames < 2_000_000, shortened),
        &(123 << 16, 123 << 16, true, false),
    )
}

fn threads() -> bool {
    let mut before = 0;
    let heap = watched(
        || {
            before = unsafe { libc::gettid() };
            for name in ["one", "other"] {
                let thread = std::thread::Builder::new().name(name.into()).spawn(leaks);
                thread.into_iter().for_each(|thread| drop(thread.join()));
            }
            leaks();
        },
        true,
    );
    let leaks = of(&heap, Place::leaks);
    let mut names: Vec<_> = leaks
        .iter()
        .filter_map(|site| heap.threads.get(site.thread as usize))
        .map(|thread| &*thread.name)
        .collect();
    names.sort_unstable();
    let first = heap.threads.first().map(|thread| thread.id.cast_signed());
    check("threads are told apart", &(first, names), &(Some(before), vec!["heap_exact", "one", "other"]))
}
