//! What the counters of a library count: its coverage map, joined with the table that says where each function's counters are.

use super::bytes::Bytes;
use super::coverage::{self, Function, Region};
use super::unreadable::Unreadable;
use assay_link::watch::Counters;
use object::elf::FileHeader64;
use object::read::elf::{ElfFile, ElfSymbol};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _};
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

/// What a function's record in `__llvm_prf_data` takes (`INSTR_PROF_DATA` of LLVM's `InstrProfData.inc`).
const RECORD: usize = 64;

/// Between the place of the counters and their number: that of bit maps, the function, values, each an address.
const BETWEEN: usize = 24;

/// The versions of the counters whose records have this form: that of LLVM 18, and that of LLVM 19 to 22.
const VERSIONS: RangeInclusive<u64> = 9..=10;

/// A counter's bytes.
const COUNTER: u64 = 8;

/// The counters of a library.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Map {
    library: PathBuf,
    address: u64,
    count: u32,
    functions: Vec<Placed>,
}

/// A function, and where its counters are among those of its library: several times where several parts of it have compiled the function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Placed {
    function: Function,
    counters: Vec<Range<usize>>,
}

/// The counters of functions, by the hashes of their names and of their forms.
type Counting = BTreeMap<(u64, u64), Vec<Range<usize>>>;

impl Map {
    /// That of a library; none if it counts nothing.
    pub(super) fn of(library: &Path, bytes: &[u8]) -> Result<Option<Self>, Unreadable> {
        let map = read(bytes)?;
        Ok(map.map(|map| Self { library: library.to_owned(), ..map }))
    }

    pub(super) fn counters(&self) -> Counters {
        let library = self.library.to_string_lossy().into_owned();
        Counters { library, address: self.address, count: self.count }
    }

    /// The regions of each function with how often each was run, where the counters stand at these figures: none of them if the library was never opened.
    pub(super) fn functions<'m>(
        &'m self,
        counts: &'m [u64],
    ) -> impl Iterator<Item = Vec<(&'m Region, u64)>> + use<'m> {
        self.functions.iter().map(|Placed { function, counters }| {
            let most = counters.iter().map(ExactSizeIterator::len).max().unwrap_or_default();
            let mut sums = vec![0_u64; most];
            for counters in counters.iter().filter_map(|range| counts.get(range.clone())) {
                sums.iter_mut().zip(counters).for_each(|(sum, count)| *sum = sum.wrapping_add(*count));
            }
            function.counted(&sums).collect()
        })
    }
}

fn read(bytes: &[u8]) -> Result<Option<Map>, Unreadable> {
    let elf = elf(bytes)?;
    let section = |name: &str| match elf.section_by_name(name) {
        Some(section) => Ok(Some((section.address(), section.size(), section.data().map_err(no_library)?))),
        None => Ok(None),
    };
    let Some((_, _, functions)) = section("__llvm_covfun")? else { return Ok(None) };
    let (_, _, files) =
        section("__llvm_covmap")?.ok_or(Unreadable::Contradiction("the names of its files are missing"))?;
    let functions = coverage::functions(functions, &coverage::files(files)?)?;
    // Where nothing of what was written is called, there are none.
    let (address, size, _) = section("__llvm_prf_cnts")?.unwrap_or_default();
    let (at, _, records) = section("__llvm_prf_data")?.unwrap_or_default();
    let mut places = places(at, records, address..address.saturating_add(size))?;
    let mut placed = Vec::with_capacity(functions.len());
    for function in functions {
        let counters = places.remove(&(function.name, function.form)).unwrap_or_default();
        if counters.iter().any(|range| range.len() < function.counters()) {
            return Err(Unreadable::Contradiction("a function has fewer counters than it needs"));
        }
        placed.push(Placed { function, counters });
    }
    let count = u32::try_from(size / COUNTER)
        .map_err(|_| Unreadable::Contradiction("it has more counters than there is memory"))?;
    Ok(Some(Map { library: PathBuf::new(), address, count, functions: placed }))
}

type Elf<'a> = ElfFile<'a, FileHeader64<Endianness>>;

fn elf(bytes: &[u8]) -> Result<Elf<'_>, Unreadable> {
    let elf = Elf::parse(bytes).map_err(no_library)?;
    if elf.is_little_endian() {
        return Ok(elf);
    }
    Err(Unreadable::NoLibrary("its numbers begin with the highest byte".to_owned()))
}

fn no_library(error: object::Error) -> Unreadable {
    Unreadable::NoLibrary(error.to_string())
}

/// Whether the counters are of a version that is known here, by the library that has LLVM's own constant of it.
pub(super) fn check_version(bytes: &[u8]) -> Result<(), Unreadable> {
    let elf = elf(bytes)?;
    let is_it = |one: &ElfSymbol<'_, '_, FileHeader64<Endianness>>| {
        one.name_bytes().is_ok_and(|name| name == b"__llvm_profile_raw_version")
    };
    let symbol = elf.symbols().find(|one| one.is_definition() && is_it(one));
    let address = symbol.ok_or(Unreadable::Contradiction("no version is said"))?.address();
    let data = elf.sections().find_map(|section| section.data_range(address, COUNTER).ok()?);
    // The highest byte says what sort of counters these are.
    let version = Bytes(data.unwrap_or_default()).u64()? & 0x00ff_ffff_ffff_ffff;
    if VERSIONS.contains(&version) { Ok(()) } else { Err(Unreadable::CountersVersion(version)) }
}

/// Where the counters of each function are.
fn places(at: u64, records: &[u8], counters: Range<u64>) -> Result<Counting, Unreadable> {
    let outside = Unreadable::Contradiction("a function's counters are not where counters are");
    let mut found = Counting::new();
    let (all, rest) = records.as_chunks::<RECORD>();
    if !rest.is_empty() {
        return Err(Unreadable::CutShort);
    }
    for (address, record) in (at..).step_by(RECORD).zip(all) {
        let mut record = Bytes(record);
        let (name, form, distance) = (record.u64()?, record.u64()?, record.u64()?);
        record.take(BETWEEN)?;
        let count = u64::from(record.u32()?);
        let start = address.wrapping_add(distance);
        let end = start.checked_add(count * COUNTER).ok_or(outside.clone())?;
        if start < counters.start || end > counters.end || !(start - counters.start).is_multiple_of(COUNTER) {
            return Err(outside);
        }
        let index =
            |address: u64| usize::try_from((address - counters.start) / COUNTER).unwrap_or(usize::MAX);
        found.entry((name, form)).or_default().push(index(start)..index(end));
    }
    Ok(found)
}
