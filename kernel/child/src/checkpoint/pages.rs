//! The pages of this process. After a fork each of them is shared with the copy, and the first write to one costs a fault of 2 to 4 µs: a user who
//! times a sweep over 8 MB would measure six times its duration. So they are taken apart before the cell runs, while it is still compiled.

use rustix::mm::{Advice, madvise};
use std::fs::{File, read_to_string};
use std::io;
use std::os::unix::fs::FileExt;

/// The size of an entry of `/proc/self/pagemap` in bytes: <https://www.kernel.org/doc/html/latest/admin-guide/mm/pagemap.html>.
const ENTRY: usize = 8;

/// The bit of an entry whose page is in memory.
const PRESENT: u64 = 1 << 63;

/// Entries that are read at once.
const CHUNK: usize = 8192;

/// Makes every page that this process can write, and has in memory, its own. Nothing is written; where the system has no such call (Linux before 5.14) the pages stay shared.
pub(crate) fn take_apart() -> io::Result<()> {
    let page = rustix::param::page_size();
    let map = File::open("/proc/self/pagemap")?;
    let mut bytes = vec![0; CHUNK * ENTRY];
    for (start, end) in writable(&read_to_string("/proc/self/maps")?) {
        let (mut at, last) = (start / page, end / page);
        while at < last {
            let count = CHUNK.min(last - at);
            let chunk = &mut bytes[..count * ENTRY];
            map.read_exact_at(chunk, (at * ENTRY) as u64)?;
            for (first, length) in runs(chunk) {
                populate((at + first) * page, length * page)?;
            }
            at += count;
        }
    }
    Ok(())
}

/// The private mappings that can be written: where each begins and ends.
fn writable(maps: &str) -> Vec<(usize, usize)> {
    let range = |line: &str| {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let ends = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
        (words.next()? == "rw-p").then_some(ends)
    };
    maps.lines().filter_map(range).collect()
}

/// Runs of pages that are in memory: the first of each, and how many there are.
fn runs(entries: &[u8]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (number, entry) in entries.as_chunks::<ENTRY>().0.iter().enumerate() {
        if u64::from_ne_bytes(*entry) & PRESENT == 0 {
            continue;
        }
        match runs.last_mut() {
            Some((first, length)) if *first + *length == number => *length += 1,
            _ => runs.push((number, 1)),
        }
    }
    runs
}

#[expect(unsafe_code, reason = "advice about memory is given by address")]
fn populate(address: usize, length: usize) -> io::Result<()> {
    // SAFETY: this advice changes no content. If the range is not mapped any more, it is refused.
    let advised = unsafe {
        madvise(std::ptr::with_exposed_provenance_mut(address), length, Advice::LinuxPopulateWrite)
    };
    Ok(advised?)
}

#[cfg(test)]
mod tests {
    use super::{PRESENT, runs, take_apart, writable};

    #[test]
    fn private_memory_that_can_be_written_is_found() {
        let maps = "1000-3000 rw-p 00000000 00:00 0 [heap]\n3000-4000 r--p 0 08:01 7 /a b\n5000-6000 rw-s 0 00:00 0\nff00-ff10 rw-p 0 00:00 0\n";
        assert_eq!(writable(maps), [(0x1000, 0x3000), (0xff00, 0xff10)]);
    }

    #[test]
    fn pages_that_are_there_are_taken_in_runs() {
        let entries = [PRESENT, PRESENT | 5, 0, 1 << 62, PRESENT, 0, PRESENT];
        let bytes: Vec<u8> = entries.into_iter().flat_map(u64::to_ne_bytes).collect();
        assert_eq!(runs(&bytes), [(0, 2), (4, 1), (6, 1)]);
        assert_eq!(runs(&[]), []);
    }

    #[test]
    fn it_changes_nothing() {
        let numbers: Vec<u64> = (0..100_000).collect();
        // A system without the call says so.
        let _ = take_apart();
        assert!(numbers.iter().copied().eq(0..100_000));
    }
}
