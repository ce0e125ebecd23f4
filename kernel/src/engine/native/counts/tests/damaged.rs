//! Libraries that are not as they should be.

use crate::engine::native::counts::library::TEXT;
use crate::engine::native::counts::{flags, map};

/// A library that counts, as bytes.
fn library(text: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("lib.rs");
    std::fs::write(&source, text).unwrap();
    let library = folder.path().join("liblib.so");
    let mut rustc = std::process::Command::new("rustc");
    rustc
        .args(["--edition=2024", "--crate-type=dylib", "-Cprefer-dynamic", "-Awarnings", "-o"])
        .arg(&library);
    assert!(rustc.args(flags()).arg(&source).status().unwrap().success());
    std::fs::read(library).unwrap()
}

#[test]
fn bytes_that_are_not_right_are_an_error_and_no_panic() {
    use proptest::prelude::{ProptestConfig, any};
    use proptest::test_runner::TestRunner;
    let text = "#[unsafe(no_mangle)] pub static __llvm_profile_runtime: i32 = 0;
        pub fn f(n: u8) -> u8 { if n > 1 && n < 9 { f(n - 1) + 1 } else { (0..n).map(|x| x / 2).sum() } }
        pub fn g<T: Default>() -> T { T::default() }
        pub fn h() -> (u8, String) { for _ in 0..f(1) { g::<u8>(); } (g(), g()) }";
    let bytes = library(text);
    let map = |bytes: &[u8]| map::Map::of(std::path::Path::new("/l.so"), bytes);
    let good = map(&bytes).unwrap().unwrap();
    assert!(good.functions(&[]).count() >= 4);
    assert_eq!(map(b"").unwrap_err().to_string().split(':').next(), Some("it is no library"));
    let sections = ["__llvm_covfun", "__llvm_covmap", "__llvm_prf_data", "__llvm_prf_cnts"].map(|name| {
        use object::{Object as _, ObjectSection as _};
        let elf: object::read::elf::ElfFile64 = object::read::elf::ElfFile::parse(&*bytes).unwrap();
        let (start, size) = elf.section_by_name(name).unwrap().file_range().unwrap();
        usize::try_from(start).unwrap()..usize::try_from(start + size).unwrap()
    });
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let any_change = (any::<usize>(), any::<usize>(), any::<u8>(), any::<bool>());
    TestRunner::new(config)
        .run(&any_change, |(section, at, value, cut)| {
            let mut changed = bytes.clone();
            let section = &sections[section % sections.len()];
            if cut {
                changed.truncate(at % bytes.len());
            } else {
                changed[section.start + at % section.len()] = value;
            }
            // Whatever it is, it is read or refused.
            if let Ok(Some(map)) = map(&changed) {
                let counts = vec![u64::MAX; map.counters().count.min(1 << 16) as usize];
                map.functions(&counts).for_each(drop);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn counters_of_unknown_versions_are_refused() {
    let bytes = library(&format!("{TEXT}pub fn f() {{}}"));
    assert_eq!(map::check_version(&bytes), Ok(()));
    let tens = bytes.windows(8).enumerate().filter(|(_, window)| *window == 10_u64.to_le_bytes());
    let refused = tens.filter_map(|(at, _)| {
        let mut changed = bytes.clone();
        changed[at] = 11;
        map::check_version(&changed).err()
    });
    assert!(refused.into_iter().any(|why| why.to_string().contains("format 11")));
    let without = library("#[unsafe(no_mangle)] pub static __llvm_profile_runtime: i32 = 0;");
    assert!(map::check_version(&without).is_err());
}
