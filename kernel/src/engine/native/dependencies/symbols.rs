//! What libraries in other languages define: the symbols of static archives.

use super::cargo::Native;
use object::read::archive::ArchiveFile;
use std::collections::BTreeSet;
use std::fs;

/// The symbols of all archives that are linked into crates.
pub(super) fn of_archives(natives: &[Native]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for native in natives {
        for name in &native.archives {
            let file = format!("lib{name}.a");
            let found = native.search.iter().find_map(|folder| fs::read(folder.join(&file)).ok());
            match found {
                Some(bytes) => all.extend(of_archive(&bytes)),
                None => tracing::debug!(file, "an archive is not where its build script says"),
            }
        }
    }
    all
}

fn of_archive(bytes: &[u8]) -> BTreeSet<String> {
    let symbols = ArchiveFile::parse(bytes).and_then(|archive| archive.symbols()).ok().flatten();
    let names = symbols.into_iter().flatten().flatten();
    let names = names.filter_map(|symbol| std::str::from_utf8(symbol.name()).ok());
    names.filter(|name| is_callable(name)).map(str::to_owned).collect()
}

/// Whether Rust can call it by name: what C++ and Rust mangle is none of it.
fn is_callable(name: &str) -> bool {
    let word = name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    word && !name.starts_with("_Z") && !name.starts_with("_R") && !name.starts_with("__")
}

#[cfg(test)]
mod tests {
    use super::of_archive;

    #[test]
    fn the_index_of_an_archive_is_read() {
        // As `ar rcs` writes it: an index with four names, and a member.
        let names = b"one\0_Zfoo\0two_2\0__x\0";
        let mut index = 4_u32.to_be_bytes().to_vec();
        (0..4).for_each(|_| index.extend(108_u32.to_be_bytes()));
        index.extend(names);
        let mut bytes = b"!<arch>\n".to_vec();
        bytes.extend(format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "/", 0, 0, 0, 0, index.len()).bytes());
        bytes.extend(&index);
        bytes.extend(vec![b'\n'; index.len() % 2]);
        bytes.extend(format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", "a.o/", 0, 0, 0, 644, 2).bytes());
        bytes.extend(b"xx");
        assert_eq!(of_archive(&bytes).into_iter().collect::<Vec<_>>(), ["one", "two_2"]);
        assert!(of_archive(b"").is_empty());
        assert!(of_archive(b"!<arch>\n").is_empty());
    }
}
