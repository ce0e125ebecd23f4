//! Symbols that a library in another language hides from whoever loads the library that it is linked into.
//!
//! A function that is inlined into a cell calls them across that border. *Protected* symbols can be called from outside, and are bound from inside as hidden ones
//! are: so that is what hidden ones become, in a copy of the rlib that they were put into.

use object::elf::{FileHeader64, SHT_SYMTAB, STB_LOCAL, STV_HIDDEN, STV_PROTECTED, Sym64};
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{Endianness, read};
use std::collections::BTreeSet;

/// The place of the visibility in a symbol: behind its name and its type.
const OTHER: u64 = 5;

/// Shows these symbols wherever they are defined in an rlib. Gives how many were hidden.
pub(super) fn show(rlib: &mut [u8], symbols: &BTreeSet<String>) -> usize {
    let places = places(rlib, symbols).unwrap_or_default();
    for place in &places {
        if let Some(other) = usize::try_from(*place).ok().and_then(|place| rlib.get_mut(place)) {
            *other = (*other & !3) | STV_PROTECTED.0;
        }
    }
    places.len()
}

/// Where the visibility of each of these symbols stands that is hidden.
fn places(rlib: &[u8], symbols: &BTreeSet<String>) -> read::Result<Vec<u64>> {
    let mut found = Vec::new();
    for member in ArchiveFile::parse(rlib)?.members() {
        let member = member?;
        let data = member.data(rlib)?;
        // Metadata is no object, and is left alone.
        if let Ok(inside) = of_object(data, symbols) {
            found.extend(inside.into_iter().map(|place| member.file_range().0 + place));
        }
    }
    Ok(found)
}

fn of_object(data: &[u8], symbols: &BTreeSet<String>) -> read::Result<Vec<u64>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let table = sections.symbols(endian, data, SHT_SYMTAB)?;
    let start = sections.section(table.section())?.sh_offset(endian);
    let size = u64::try_from(size_of::<Sym64<Endianness>>()).unwrap_or_default();
    let hidden = (0..).zip(table.iter()).filter(|(_, symbol)| {
        let name = symbol.name(endian, table.strings()).ok().and_then(|name| std::str::from_utf8(name).ok());
        symbol.st_visibility() == STV_HIDDEN
            && symbol.st_bind() != STB_LOCAL
            && !symbol.is_undefined(endian)
            && name.is_some_and(|name| symbols.contains(name))
    });
    Ok(hidden.map(|(index, _): (u64, _)| start + index * size + OTHER).collect())
}

#[cfg(test)]
mod tests {
    use super::show;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::process::Command;

    fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn what_is_hidden_can_be_called_from_outside() {
        let folder = tempfile::tempdir().unwrap();
        let source = "int kept = 3; int one(void) { return kept; } int two(void) { return one(); }";
        std::fs::write(folder.path().join("a.c"), source).unwrap();
        run(folder.path(), "cc", &["-c", "-fPIC", "-O2", "-fvisibility=hidden", "a.c"]);
        run(folder.path(), "ar", &["rcs", "a.a", "a.o"]);
        let mut bytes = std::fs::read(folder.path().join("a.a")).unwrap();
        assert_eq!(show(&mut bytes, &BTreeSet::from(["one".to_owned(), "none".to_owned()])), 1);
        std::fs::write(folder.path().join("a.a"), bytes).unwrap();
        run(
            folder.path(),
            "cc",
            &["-shared", "-o", "a.so", "-Wl,--whole-archive", "a.a", "-Wl,--no-whole-archive"],
        );
        let main = "int one(void); int main(void) { return one() - 3; }";
        std::fs::write(folder.path().join("main.c"), main).unwrap();
        run(folder.path(), "cc", &["-o", "main", "main.c", "./a.so"]);
        run(folder.path(), "./main", &[]);
        let exported = run(folder.path(), "nm", &["-D", "a.so"]);
        assert!(exported.contains(" T one") && !exported.contains(" T two"), "{exported}");
        assert_eq!(show(&mut b"no archive".to_vec(), &BTreeSet::new()), 0);
    }
}
