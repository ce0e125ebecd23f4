//! What is shown while a measurement is under way: one line, which the result replaces.

use crate::measured::Progress;
use crate::render::Bundle;
use crate::result::figures::counted;
use crate::units::{count, duration};

/// The line for the measurement of the magic `name`.
pub fn line(name: &str, progress: &Progress) -> Bundle {
    Bundle::text(text(name, progress))
}

/// What is left of a measurement that was ended in the middle of a block: what it knew by then.
pub fn stopped(name: &str, progress: &Progress) -> Bundle {
    let text = text(name, progress);
    Bundle::text(format!("{} · partial: it was ended before its result", text.trim_end_matches(" …")))
}

/// The line while more is found out about code that has run: what is being done, and for how many seconds, once these are some.
pub fn pass(name: &str, doing: &str, elapsed: u64) -> Bundle {
    let elapsed = if elapsed == 0 { String::new() } else { format!(" · {} s", count(elapsed)) };
    Bundle::text(format!("{name}: {doing}{elapsed} …"))
}

/// What is left of that if it never comes to a result.
pub fn pass_stopped(name: &str, doing: &str) -> Bundle {
    Bundle::text(format!("{name}: {doing} · it was ended before its result"))
}

fn text(name: &str, progress: &Progress) -> String {
    let time = format!("{:.1} s of {}", progress.elapsed, duration(progress.budget));
    let runs = match progress.repeats {
        Some(repeats) => format!("{} of {}", count(progress.batches), counted(repeats, "run")),
        None => counted(progress.batches, "run"),
    };
    // With -r it is not the budget that ends it.
    let time = if progress.repeats.is_some() { format!("{:.1} s", progress.elapsed) } else { time };
    let size = progress.size.map(|size| format!("size {}", count(size)));
    let parts = [size, Some(time), Some(runs), medians(progress)];
    format!("{name}: {} …", parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

fn medians(progress: &Progress) -> Option<String> {
    let all: Vec<String> = progress.medians.iter().map(|median| duration(*median)).collect();
    let about = progress.half_width.map_or(String::new(), |share| format!(" ±{:.1} %", 100.0 * share));
    match all.as_slice() {
        [] => None,
        [one] => Some(format!("median {one}{about}")),
        several => Some(format!("medians {}", several.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, pass, pass_stopped, stopped};
    use crate::measured::Progress;

    #[test]
    fn it_says_how_far_it_is() {
        let check = |progress: Progress, expected: &str| {
            assert_eq!(line("%timeit", &progress).plain(), expected);
        };
        let begun = Progress { elapsed: 0.42, budget: 1.0, ..Progress::default() };
        check(begun.clone(), "%timeit: 0.4 s of 1 s · 0 runs …");
        let one = Progress { batches: 1234, medians: vec![1.2e-6], half_width: Some(0.031), ..begun.clone() };
        let left = stopped("%timeit", &one);
        assert_eq!(
            left.plain(),
            "%timeit: 0.4 s of 1 s · 1,234 runs · median 1.2 µs ±3.1 % · partial: it was ended before its result"
        );
        check(one.clone(), "%timeit: 0.4 s of 1 s · 1,234 runs · median 1.2 µs ±3.1 % …");
        check(
            Progress { repeats: Some(7), batches: 3, medians: vec![1e-6, 2e-3], ..begun },
            "%timeit: 0.4 s · 3 of 7 runs · medians 1 µs, 2 ms …",
        );
        check(
            Progress { size: Some(4096), ..one },
            "%timeit: size 4,096 · 0.4 s of 1 s · 1,234 runs · median 1.2 µs ±3.1 % …",
        );
    }

    #[test]
    fn it_says_what_is_being_done() {
        assert_eq!(pass("%prun", "counting", 0).plain(), "%prun: counting …");
        assert_eq!(pass("%prun", "counting", 12).plain(), "%prun: counting · 12 s …");
        assert_eq!(
            pass_stopped("%%prun", "counting").plain(),
            "%%prun: counting · it was ended before its result"
        );
    }
}
