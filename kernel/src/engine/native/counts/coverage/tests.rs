use super::{Files, Function, Place, files, functions, hash};
use crate::engine::native::counts::unreadable::Unreadable;

/// A header and a table of names.
fn map(version: u32, table: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in [0, u32::try_from(table.len()).unwrap(), 0, version] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(table);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn record(name: u64, form: u64, table: &[u8], mapping: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_le_bytes().to_vec();
    bytes.extend(u32::try_from(mapping.len()).unwrap().to_le_bytes());
    bytes.extend(form.to_le_bytes());
    bytes.extend(hash(table).to_le_bytes());
    bytes.extend(mapping);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

const TABLE: &[u8] = b"\x02\x0b\x00\x04/dir\x05a/b.r";

fn table() -> Files {
    files(&map(6, TABLE)).unwrap()
}

fn one(mapping: &[u8]) -> Result<Function, Unreadable> {
    functions(&record(1, 2, TABLE, mapping), &table()).map(|mut all| all.remove(0))
}

#[test]
fn names_of_files_are_read_packed_or_not() {
    let names = |bytes: &[u8]| {
        let all = files(bytes).unwrap();
        all.values().flatten().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(&map(5, TABLE)), ["/dir", "a/b.r"]);
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(&TABLE[3..], 6);
    let mut table = vec![2, 11, u8::try_from(packed.len()).unwrap()];
    table.extend(&packed);
    assert_eq!(names(&map(6, &table)), ["/dir", "a/b.r"]);
    // Each part of a library has its own.
    assert_eq!(files(&[map(6, TABLE), map(6, &table)].concat()).unwrap().len(), 2);
    let (last, rest) = table.split_last().unwrap();
    let broken = [rest, &[last ^ 1]].concat();
    let cannot = Unreadable::Contradiction("the names of its files cannot be unpacked");
    assert_eq!(files(&map(6, &broken)), Err(cannot));
}

#[test]
fn formats_that_nobody_knows_are_refused() {
    assert_eq!(files(&map(4, TABLE)), Err(Unreadable::MapVersion(5)));
    assert_eq!(files(&map(7, TABLE)), Err(Unreadable::MapVersion(8)));
    assert_eq!(files(&map(6, TABLE)[..20]), Err(Unreadable::CutShort));
}

#[test]
fn regions_are_counted_by_counters_and_expressions() {
    // One file, the second; expressions 0: c0 - c1, 1: e0 + c2; four regions.
    let mapping = [
        1, 1, 2, 1, 5, 2, 9, 5, //
        1, 3, 1, 0, 9, // c0 on line 3
        2, 1, 5, 0, 7, // e0, subtracted, on line 4
        7, 0, 9, 2, 3, // e1, added, from line 4 to line 6
        0, 1, 1, 0, 2, // never, on line 5
        32, 1, 5, 0, 1, 0, 1, // a branch
    ];
    let function = one(&mapping).unwrap();
    let counts = |counters: &[u64]| function.counted(counters).map(|(_, count)| count).collect::<Vec<_>>();
    assert_eq!(counts(&[10, 3, 4]), [10, 7, 11, 0]);
    assert_eq!(counts(&[2, 3, 4]), [2, 0, 3, 0]);
    assert_eq!(counts(&[]), [0; 4]);
    assert_eq!(function.counters(), 3);
    let region = &function.regions[2];
    let place = |line, column| Place { line, column };
    assert_eq!((&*region.file, region.start, region.end), ("a/b.r", place(4, 9), place(6, 3)));
}

#[test]
fn what_was_compiled_goes_before_what_was_not() {
    let region = [1, 1, 0, 1, 1, 1, 1, 0, 2];
    for order in [[0, 7], [7, 0]] {
        let records = order.map(|form| record(1, form, TABLE, &region)).concat();
        let found = functions(&records, &table()).unwrap();
        assert_eq!((found.len(), found[0].form), (1, 7));
    }
}

#[test]
fn contradictions_are_found() {
    let error = |mapping: &[u8]| match one(mapping) {
        Err(Unreadable::Contradiction(what)) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(error(&[1, 2, 0, 0]), "there is no such file");
    assert_eq!(error(&[1, 1, 0, 1, 2, 1, 1, 0, 2]), "there is no such expression");
    assert_eq!(error(&[1, 1, 2, 6, 0, 2, 0, 0]), "an expression needs itself");
    assert_eq!(error(&[1, 1, 0, 1, 56, 1, 1, 0, 2]), "there is no such sort of region");
    assert_eq!(one(&[1, 1, 0, 9]), Err(Unreadable::CutShort));
    let unknown = functions(&record(1, 2, b"other", &[0, 0]), &table());
    assert_eq!(unknown, Err(Unreadable::Contradiction("the names of some files are missing")));
}
