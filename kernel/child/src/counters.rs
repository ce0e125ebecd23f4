//! Counters that the compiler has put into libraries: where they are in memory, and read. They begin at zero: the libraries are loaded for the one run that
//! is counted, and a counter may have been raised before the code that is watched says that it begins.

use assay_link::watch::Counters;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Those of each library, in order; none for one that is not loaded, or has none there.
type Found = Vec<Option<&'static [AtomicU64]>>;

/// Those that are looked at.
static FOUND: Mutex<Found> = Mutex::new(Vec::new());

/// Finds them.
pub(crate) fn begin(counters: &[Counters]) {
    let loaded = loaded::all();
    *found() = counters.iter().map(|of| find(of, &loaded)).collect();
}

/// What they have counted; an empty list for a library that has none.
pub(crate) fn end() -> Vec<Vec<u64>> {
    let read =
        |counters: &[AtomicU64]| counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect();
    std::mem::take(&mut *found()).into_iter().map(|counters| counters.map(read).unwrap_or_default()).collect()
}

fn found() -> MutexGuard<'static, Found> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the program says that they are, if there is memory of that library which can be written.
#[expect(unsafe_code, reason = "memory of a library is known by its address alone")]
fn find(counters: &Counters, loaded: &[loaded::Library]) -> Option<&'static [AtomicU64]> {
    let library = library(&counters.library, loaded)?;
    let start = library.base.checked_add(usize::try_from(counters.address).ok()?)?;
    let count = usize::try_from(counters.count).ok()?;
    let end = start.checked_add(count.checked_mul(size_of::<AtomicU64>())?)?;
    let there = library.writable.iter().any(|part| part.start <= start && end <= part.end);
    if !there || !start.is_multiple_of(align_of::<AtomicU64>()) {
        return None;
    }
    // SAFETY: they are within what the library has in memory to be written, and no library that cells use is ever unloaded.
    Some(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(start), count) })
}

/// The loader knows a library by the path under which it was opened first.
fn library<'a>(path: &str, loaded: &'a [loaded::Library]) -> Option<&'a loaded::Library> {
    let same = || {
        let file = std::fs::canonicalize(path).ok()?;
        let is_it = |library: &&loaded::Library| {
            Path::new(&library.path).file_name() == file.file_name()
                && std::fs::canonicalize(&library.path).is_ok_and(|other| other == file)
        };
        loaded.iter().find(is_it)
    };
    loaded.iter().find(|library| library.path == path).or_else(same)
}

/// What the loader has loaded.
#[cfg(target_os = "linux")]
mod loaded {
    use std::ffi::{CStr, c_int, c_void};
    use std::ops::Range;

    /// A library.
    pub(super) struct Library {
        /// Empty for the program.
        pub(super) path: String,
        /// What is added to the addresses of its file.
        pub(super) base: usize,
        /// What of it can be written.
        pub(super) writable: Vec<Range<usize>>,
    }

    #[expect(unsafe_code, reason = "the loader calls back")]
    pub(super) fn all() -> Vec<Library> {
        let mut all: Vec<Library> = Vec::new();
        // SAFETY: the function takes the list for what it is.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut all).cast()) };
        all
    }

    #[expect(unsafe_code, reason = "the loader lends what it knows by pointers")]
    unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, all: *mut c_void) -> c_int {
        // SAFETY: the loader lends the one, and `all` the other, for the time of this call.
        let (info, all) = unsafe { (&*info, &mut *all.cast::<Vec<Library>>()) };
        // SAFETY: name and headers are there as long as the library is.
        let (name, headers) = unsafe {
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
            (CStr::from_ptr(info.dlpi_name), headers)
        };
        let base = info.dlpi_addr as usize;
        let writable = headers
            .iter()
            .filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W != 0);
        let part = |header: &libc::Elf64_Phdr| {
            let start = base.wrapping_add(header.p_vaddr as usize);
            start..start.saturating_add(header.p_memsz as usize)
        };
        all.push(Library {
            path: name.to_string_lossy().into_owned(),
            base,
            writable: writable.map(part).collect(),
        });
        0
    }
}

/// What the loader has loaded: where it is another system's, nobody asks.
#[cfg(not(target_os = "linux"))]
mod loaded {
    use std::ops::Range;

    pub(super) struct Library {
        pub(super) path: String,
        pub(super) base: usize,
        pub(super) writable: Vec<Range<usize>>,
    }

    pub(super) fn all() -> Vec<Library> {
        Vec::new()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{Counters, begin, end, loaded};
    use std::sync::atomic::{AtomicU64, Ordering};

    static COUNTERS: [AtomicU64; 3] = [AtomicU64::new(5), AtomicU64::new(6), AtomicU64::new(7)];
    static CONSTANTS: [u64; 2] = [1, 2];

    fn address<T>(of: &'static T) -> u64 {
        (std::ptr::from_ref(of).expose_provenance() - loaded::all()[0].base) as u64
    }

    fn counters(library: &str, address: u64, count: u32) -> Counters {
        Counters { library: library.to_owned(), address, count }
    }

    #[test]
    fn they_are_read_at_the_end() {
        let here = address(&COUNTERS);
        let libc = loaded::all().into_iter().find(|library| library.path.contains("/libc.so")).unwrap().path;
        let constants = address(&CONSTANTS);
        begin(&[
            // The program has no name.
            counters("", here, 3),
            counters("/not/loaded.so", here, 3),
            counters("", constants, 2),
            counters("", here + 1, 2),
            counters("", u64::MAX - 7, 1),
            counters("", 0, u32::MAX),
            counters(&libc, 8, 1),
        ]);
        COUNTERS[1].fetch_add(2, Ordering::Relaxed);
        let none = Vec::<u64>::new;
        assert_eq!(end(), [vec![5, 8, 7], none(), none(), none(), none(), none(), none()]);
        assert_eq!(CONSTANTS, [1, 2]);
    }

    #[test]
    fn a_library_is_found_by_another_name_of_its_file() {
        let all = loaded::all();
        let libc = all.iter().find(|library| library.path.contains("/libc.so")).unwrap();
        let (folder, name) = libc.path.rsplit_once('/').unwrap();
        let found = super::library(&format!("{folder}/./{name}"), &all).unwrap();
        assert_eq!(found.base, libc.base);
    }
}
