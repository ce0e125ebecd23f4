//! The libraries that are loaded, and where their tables for unwinding are.

use framehop::ExplicitModuleSectionInfo;
use libc::{PT_GNU_EH_FRAME, PT_LOAD, c_int, c_void, dl_phdr_info, size_t};
use std::ffi::{CStr, CString, OsStr};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// All libraries, and the program, as they are loaded at one moment.
pub(super) struct Loaded {
    /// In the order of their addresses.
    modules: Vec<Mapped>,
    /// Handles by which they are kept.
    kept: Vec<*mut c_void>,
}

// SAFETY: a handle is the loader's, which any thread may call.
#[expect(unsafe_code, reason = "handles of libraries are pointers")]
unsafe impl Send for Loaded {}
// SAFETY: nothing is done with the handles before they are dropped.
#[expect(unsafe_code, reason = "handles of libraries are pointers")]
unsafe impl Sync for Loaded {}

/// A library in memory.
pub(super) struct Mapped {
    /// Its file; empty if it is in none.
    pub(super) path: String,
    /// What is added to the addresses that its file has.
    pub(super) base: u64,
    /// Where it is.
    range: Range<u64>,
    tables: Option<Tables>,
}

/// Where its tables are, as its file has it.
struct Tables {
    index: Range<u64>,
    frames: Range<u64>,
}

impl Loaded {
    /// Those of this moment. Waits for no library that is being loaded.
    #[expect(unsafe_code, reason = "the loader is asked what it has loaded")]
    pub(super) fn now() -> Self {
        let mut modules: Vec<Mapped> = Vec::new();
        // SAFETY: the pointer is that of the list, which is nobody else's meanwhile.
        unsafe { libc::dl_iterate_phdr(Some(visit), std::ptr::from_mut(&mut modules).cast()) };
        modules.sort_by_key(|module| module.range.start);
        if let Ok(program) = std::env::current_exe() {
            // The loader has no name for it.
            let own = visit as extern "C" fn(*mut dl_phdr_info, size_t, *mut c_void) -> c_int as usize as u64;
            if let Some(module) = modules.iter_mut().find(|module| module.range.contains(&own)) {
                module.path = program.to_string_lossy().into_owned();
            }
        }
        Self { modules, kept: Vec::new() }
    }

    /// The same, which stay loaded as long as this is kept. If a library is being loaded, this waits until it has been.
    pub(super) fn kept() -> Self {
        let mut loaded = Self::now();
        loaded.kept = loaded.modules.iter().filter_map(|module| keep(&module.path)).collect();
        loaded
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &Mapped> {
        self.modules.iter()
    }

    /// The one that this address is in, and its index. May be called from a signal's handler.
    pub(super) fn find(&self, address: u64) -> Option<(usize, &Mapped)> {
        let index = self.modules.partition_point(|module| module.range.start <= address).checked_sub(1)?;
        let module = self.modules.get(index)?;
        module.range.contains(&address).then_some((index, module))
    }

    /// Whether the way on from this address is known and not guessed. May be called from a signal's handler.
    pub(super) fn has_tables(&self, address: u64) -> bool {
        self.find(address).is_some_and(|(_, module)| module.tables.is_some())
    }
}

impl Drop for Loaded {
    #[expect(unsafe_code, reason = "libraries are given up")]
    fn drop(&mut self) {
        for handle in &self.kept {
            // SAFETY: it is a handle of the loader's, which is given up once.
            unsafe { libc::dlclose(*handle) };
        }
    }
}

/// Keeps a library loaded, whoever gives it up: what unwinds reads its tables. None for what the loader knows by no name, which stays anyway.
#[expect(unsafe_code, reason = "the loader is called")]
fn keep(path: &str) -> Option<*mut c_void> {
    let path = CString::new(path).ok().filter(|path| !path.is_empty())?;
    // SAFETY: the name ends with a zero. What is not loaded is not loaded by this, so nothing of it runs.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
    (!handle.is_null()).then_some(handle)
}

/// What the loader calls for each.
#[expect(unsafe_code, reason = "the loader gives what it knows by pointers")]
extern "C" fn visit(info: *mut dl_phdr_info, _: size_t, modules: *mut c_void) -> c_int {
    // SAFETY: the loader lends the one, and `now` the other, for the time of this call.
    let (info, modules) = unsafe { (&*info, &mut *modules.cast::<Vec<Mapped>>()) };
    // SAFETY: pointer and number are those of one slice, which is there as long as the library is.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let name = if info.dlpi_name.is_null() {
        c""
    } else {
        // SAFETY: the name ends with a zero, and is there as long as the library is.
        unsafe { CStr::from_ptr(info.dlpi_name) }
    };
    // SAFETY: the headers are those of a library that is loaded at this address.
    modules.extend(unsafe { Mapped::of(name, info.dlpi_addr, headers) });
    0
}

impl Mapped {
    /// None if nothing of it is in memory.
    ///
    /// # Safety
    ///
    /// The headers are those of a library that is loaded at this address.
    #[expect(unsafe_code, reason = "a table is read where the headers say that it is")]
    unsafe fn of(name: &CStr, base: u64, headers: &[libc::Elf64_Phdr]) -> Option<Self> {
        let loads = || headers.iter().filter(|header| header.p_type == PT_LOAD);
        let start = loads().map(|load| load.p_vaddr).min()?;
        let end = loads().map(|load| load.p_vaddr + load.p_memsz).max()?;
        let index = headers.iter().find(|header| header.p_type == PT_GNU_EH_FRAME);
        let tables = index.and_then(|index| {
            let index = index.p_vaddr..index.p_vaddr + index.p_memsz;
            // SAFETY: the header says that it is there.
            let head = unsafe { bytes(base, &index) };
            let first = first(head, index.start)?;
            let file = |load: &libc::Elf64_Phdr| load.p_vaddr..load.p_vaddr + load.p_filesz;
            // Nothing says where they end, but they end with a mark, and no later than what was loaded.
            let frames = loads().map(file).find(|load| load.contains(&first))?;
            Some(Tables { index, frames: first..frames.end })
        });
        let path = Path::new(OsStr::from_bytes(name.to_bytes()));
        // The kernel's own code has a name, but no file.
        let path = if path.is_absolute() { path.to_string_lossy().into_owned() } else { String::new() };
        Some(Self { path, base, range: base.wrapping_add(start)..base.wrapping_add(end), tables })
    }

    /// For unwinding through it; none if it has no tables.
    #[expect(unsafe_code, reason = "tables are read where they were loaded")]
    pub(super) fn tables(&self) -> Option<framehop::Module<&'static [u8]>> {
        let Tables { index, frames } = self.tables.as_ref()?;
        // SAFETY: both are in what was loaded, and nobody writes there. They are used while the library is kept.
        let (index_bytes, frames_bytes) = unsafe { (bytes(self.base, index), bytes(self.base, frames)) };
        let sections = ExplicitModuleSectionInfo {
            eh_frame_hdr_svma: Some(index.clone()),
            eh_frame_hdr: Some(index_bytes),
            eh_frame_svma: Some(frames.clone()),
            eh_frame: Some(frames_bytes),
            ..ExplicitModuleSectionInfo::default()
        };
        Some(framehop::Module::new(String::new(), self.range.clone(), self.base, sections))
    }
}

/// Where the table's first entry is, as the head of its index says:
/// <https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/ehframechpt.html>. All linkers write it in this one form.
fn first(head: &[u8], at: u64) -> Option<u64> {
    /// Four bytes with a sign, counted from where they stand.
    const RELATIVE: u8 = 0x1b;
    let [1, RELATIVE, _, _, a, b, c, d, ..] = *head else { return None };
    at.checked_add(4)?.checked_add_signed(i64::from(i32::from_le_bytes([a, b, c, d])))
}

/// # Safety
///
/// There is a library at this address that has this range, which nobody writes to while the bytes are used.
#[expect(unsafe_code, reason = "memory is read that is known by its address alone")]
unsafe fn bytes(base: u64, range: &Range<u64>) -> &'static [u8] {
    let start = std::ptr::with_exposed_provenance(base.wrapping_add(range.start) as usize);
    // SAFETY: the caller promises it.
    unsafe { std::slice::from_raw_parts(start, (range.end - range.start) as usize) }
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_head_of_an_index_says_where_the_table_is() {
        assert_eq!(first(&[1, 0x1b, 3, 0x3b, 0x10, 0, 0, 0, 9], 100), Some(120));
        assert_eq!(first(&[1, 0x1b, 3, 0x3b, 0xf0, 0xff, 0xff, 0xff], 100), Some(88));
        for head in [&[][..], &[1, 0x1b], &[2, 0x1b, 3, 0x3b, 0, 0, 0, 0], &[1, 3, 3, 0x3b, 0, 0, 0, 0]] {
            assert_eq!(first(head, 100), None, "{head:?}");
        }
        assert_eq!(first(&[1, 0x1b, 3, 0x3b, 0xf0, 0xff, 0xff, 0xff], 1), None);
    }
}
