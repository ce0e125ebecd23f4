//! What the C library chooses for the processor when a program starts (`memcpy` and its kin): in its symbol table that code has no name. This process runs on
//! the same processor with the same library, so it knows what was chosen.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;

static CHOSEN: OnceLock<Option<Chosen>> = OnceLock::new();

/// The name of the function that begins at an address of a file.
pub(super) fn name(path: &str, start: u64) -> Option<&'static str> {
    let chosen = CHOSEN.get_or_init(Chosen::here).as_ref()?;
    let same = file(path)? == chosen.file;
    same.then(|| chosen.starts.iter().find(|(one, _)| *one == start)).flatten().map(|(_, name)| *name)
}

/// What was chosen for this process.
struct Chosen {
    /// The library.
    file: (u64, u64),
    /// Where each function begins in it.
    starts: Vec<(u64, &'static str)>,
}

impl Chosen {
    fn here() -> Option<Self> {
        let maps = fs::read_to_string("/proc/self/maps").ok()?;
        let functions = functions();
        let all: Vec<Mapping<'_>> = maps.lines().filter_map(Mapping::read).collect();
        let library = all.iter().find(|one| one.range.contains(&functions[0].1))?.path;
        let mut own = all.iter().filter(|one| one.path == library);
        let base = own.clone().find(|one| one.offset == 0)?.range.start;
        let end = own.next_back()?.range.end;
        let within = functions.into_iter().filter(|(_, address)| (base..end).contains(address));
        Some(Self {
            file: file(library)?,
            starts: within.map(|(name, address)| (address - base, name)).collect(),
        })
    }
}

/// A line of the list of what a process has mapped.
struct Mapping<'m> {
    range: std::ops::Range<u64>,
    offset: u64,
    path: &'m str,
}

impl<'m> Mapping<'m> {
    /// `7f00-7f01 r-xp 00026000 fe:00 1234   /lib/libc.so.6`.
    fn read(line: &'m str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let offset = number(words.nth(1)?)?;
        let path = line.find('/').map(|at| &line[at..])?;
        Some(Self { range: number(start)?..number(end)?, offset, path })
    }
}

/// Which file a path leads to.
fn file(path: &str) -> Option<(u64, u64)> {
    let metadata = fs::metadata(Path::new(path)).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Functions that there are several of, and where the one is that was chosen. Some do the work of two: then the better known name comes first.
fn functions() -> Vec<(&'static str, u64)> {
    macro_rules! all {
        ($($name:ident)*) => { vec![$((stringify!($name), libc::$name as *const () as u64)),*] };
    }
    all!(memcpy memmove memset memcmp memchr memrchr strlen strnlen strcmp strncmp strchr strrchr strcpy strncpy strcat strncat
         strcasecmp strncasecmp strstr strspn strcspn strpbrk)
}

#[cfg(test)]
mod tests {
    use super::Mapping;

    #[test]
    fn what_is_mapped_is_read() {
        let line = "7f5c1000-7f5c2000 r-xp 00026000 fe:00 1234          /usr/lib/x y/libc.so.6";
        let mapping = Mapping::read(line).unwrap();
        assert_eq!(mapping.range, 0x7f5c_1000..0x7f5c_2000);
        assert_eq!((mapping.offset, mapping.path), (0x26000, "/usr/lib/x y/libc.so.6"));
        assert!(Mapping::read("7f5c1000-7f5c2000 rw-p 00000000 00:00 0").is_none());
        assert!(Mapping::read("").is_none());
    }
}
