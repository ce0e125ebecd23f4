//! What debug information and symbol tables say about the addresses of a file.

use super::names;
use addr2line::Context;
use addr2line::gimli::{
    BaseAddresses, CieOrFde, Dwarf, EhFrame, EndianSlice, Error, RunTimeEndian, SectionId, UnwindSection as _,
};
use object::{
    CompressionFormat, Object, ObjectSection, ObjectSymbol, ReadCache, ReadRef, SymbolIndex, SymbolKind,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The most debug information that is read, in bytes: it is held in memory meanwhile.
const MOST: u64 = 512 << 20;

/// How far the line of an instruction that has none is looked for, in bytes, and in how many places.
const AROUND: u64 = 64;
const NEIGHBOURS: usize = 12;

/// A function under way at an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Raw {
    /// Its name without its path: `step`, `{closure#0}`.
    pub(super) called: Option<String>,
    /// Its whole name, of a function that was not inlined: `cell_3::Grid::step`, or what C calls it.
    pub(super) whole: Option<String>,
    /// Whether the whole name is Rust's.
    pub(super) rust: bool,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    /// In bytes, from 1; 0 if it is not known.
    pub(super) column: u32,
    /// Where it begins, if it has no name.
    pub(super) start: Option<u64>,
}

/// The functions at each address, the innermost first: there is at least one, and the last one was not inlined.
pub(super) fn read(path: &Path, addresses: &BTreeSet<u64>) -> BTreeMap<u64, Vec<Raw>> {
    let mut found = guarded(|| known(path, addresses)).flatten().unwrap_or_default();
    for address in addresses {
        found.entry(*address).or_insert_with(|| vec![Raw::default()]);
    }
    found
}

/// Whoever made a file may have made it so that its readers panic.
fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}

fn known(path: &Path, addresses: &BTreeSet<u64>) -> Option<BTreeMap<u64, Vec<Raw>>> {
    let cache = ReadCache::new(File::open(path).ok()?);
    let object = object::File::parse(&cache).ok()?;
    let symbols = Symbols::of(&object);
    let mut context = context(&object);
    let mut nameless = Vec::new();
    let mut at = |address: &u64| {
        let found = context.as_ref().map(|context| guarded(|| near(context, *address)));
        if found.as_ref().is_some_and(Option::is_none) {
            context = None;
        }
        let mut frames = found.flatten().unwrap_or_default();
        if frames.is_empty() {
            frames.push(Raw::default());
        }
        if let Some(last) = frames.last_mut() {
            match symbols.at(&object, *address) {
                Some(symbol) => last.named(&symbol),
                None if last.called.is_none() => nameless.push(*address),
                None => {}
            }
        }
        (*address, frames)
    };
    let mut found: BTreeMap<u64, Vec<Raw>> = addresses.iter().map(&mut at).collect();
    let starts = if nameless.is_empty() { None } else { guarded(|| starts(&object, &nameless)) };
    for (address, start) in starts.into_iter().flatten() {
        found
            .get_mut(&address)
            .and_then(|frames| frames.last_mut())
            .into_iter()
            .for_each(|raw| raw.start = Some(start));
    }
    Some(found)
}

impl Raw {
    /// Gives it its symbol.
    fn named(&mut self, symbol: &str) {
        let demangled = names::demangled(symbol);
        self.rust = demangled.is_some();
        self.whole = Some(demangled.unwrap_or_else(|| symbol.to_owned()));
        if self.called.is_none() {
            self.called = self.whole.as_deref().map(names::last).map(str::to_owned);
        }
    }
}

type Bytes<'d> = EndianSlice<'d, RunTimeEndian>;

fn context<'d>(object: &impl Object<'d>) -> Option<Context<Bytes<'d>>> {
    let debug =
        object.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".debug_")));
    if debug.map(|section| section.size()).sum::<u64>() > MOST {
        return None;
    }
    let endian = if object.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let section = |id: SectionId| {
        let section = object.section_by_name(id.name());
        let plain = section.filter(|section| {
            section.compressed_file_range().is_ok_and(|range| range.format == CompressionFormat::None)
        });
        let bytes = plain.and_then(|section| section.data().ok()).unwrap_or_default();
        Ok::<_, Error>(EndianSlice::new(bytes, endian))
    };
    Context::from_dwarf(Dwarf::load(section).ok()?).ok()
}

/// The functions that debug information has at an address, the innermost first. Where the compiler says that an instruction belongs to no line, it is
/// that of its neighbours in the same function; the file that stands there is that of whatever came before.
fn near(context: &Context<Bytes<'_>>, address: u64) -> Vec<Raw> {
    let mut frames = lines(context, address);
    let Some(first) = frames.first().filter(|first| first.line.is_none()) else { return frames };
    if first.file.is_none() {
        return frames;
    }
    let called = |frames: &[Raw]| frames.iter().map(|frame| frame.called.clone()).collect::<Vec<_>>();
    let same = |other: &Vec<Raw>| {
        other.first().is_some_and(|first| first.line.is_some()) && called(other) == called(&frames)
    };
    let neighbours = neighbours(context, address).into_iter().map(|address| lines(context, address));
    let place = neighbours.into_iter().find(same).and_then(|frames| frames.into_iter().next());
    if let Some(first) = frames.first_mut() {
        let Raw { file, line, column, .. } = place.unwrap_or_default();
        (first.file, first.line, first.column) = (file, line, column);
    }
    frames
}

/// Where the nearest instructions are that have a line, the nearest first.
fn neighbours(context: &Context<Bytes<'_>>, address: u64) -> Vec<u64> {
    let around = address.saturating_sub(AROUND)..address.saturating_add(AROUND);
    let Ok(rows) = context.find_location_range(around.start, around.end) else { return Vec::new() };
    let with_line = rows.filter(|(_, _, location)| location.line.is_some_and(|line| line > 0));
    let mut all: Vec<u64> = with_line.map(|(start, _, _)| start).collect();
    all.sort_unstable_by_key(|start| start.abs_diff(address));
    all.truncate(NEIGHBOURS);
    all
}

/// The functions that debug information has at an address, as it has them.
fn lines(context: &Context<Bytes<'_>>, address: u64) -> Vec<Raw> {
    let mut found = Vec::new();
    // Its reader adds one.
    if address == u64::MAX {
        return found;
    }
    let Ok(mut frames) = context.find_frames(address).skip_all_loads() else { return found };
    while let Ok(Some(frame)) = frames.next() {
        let location = frame.location.as_ref();
        let mut raw = Raw {
            file: location.and_then(|location| location.file).map(str::to_owned),
            line: location.and_then(|location| location.line).filter(|line| *line > 0),
            column: location.and_then(|location| location.column).unwrap_or_default(),
            ..Raw::default()
        };
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok());
        if let Some(name) = name {
            // Full debug information has the symbol.
            match names::demangled(&name) {
                Some(whole) => {
                    raw.called = Some(names::last(&whole).to_owned());
                    (raw.whole, raw.rust) = (Some(whole), true);
                }
                None => raw.called = Some(names::bare(&name)),
            }
        }
        found.push(raw);
    }
    found
}

/// Where the functions at these addresses begin, as those know who take stacks apart.
fn starts<'d>(object: &impl Object<'d>, addresses: &[u64]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let section = object.section_by_name(".eh_frame");
    let Some((base, bytes)) = section.and_then(|section| Some((section.address(), section.data().ok()?)))
    else {
        return found;
    };
    let frames = EhFrame::new(
        bytes,
        if object.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big },
    );
    let bases = BaseAddresses::default().set_eh_frame(base);
    let mut entries = frames.entries(&bases);
    while let Ok(Some(entry)) = entries.next() {
        let CieOrFde::Fde(function) = entry else { continue };
        let Ok(function) = function.parse(|_, bases, offset| frames.cie_from_offset(bases, offset)) else {
            continue;
        };
        let within = addresses.iter().filter(|address| function.contains(**address));
        found.extend(within.map(|address| (*address, function.initial_address())));
    }
    found
}

/// The functions of a symbol table.
struct Symbols {
    /// Where each begins, and how long it is.
    all: Vec<(u64, u64, SymbolIndex)>,
    /// Whether they are those that are there for other libraries alone.
    dynamic: bool,
}

impl Symbols {
    fn of<'d>(object: &impl Object<'d>) -> Self {
        let functions = |symbol: &dyn Fn() -> Vec<(u64, u64, SymbolIndex)>| {
            let mut all = symbol();
            all.sort_unstable_by_key(|(start, size, index)| (*start, *size, index.0));
            all
        };
        let all = functions(&|| object.symbols().filter_map(|symbol| function(&symbol)).collect());
        if !all.is_empty() {
            return Self { all, dynamic: false };
        }
        let all = functions(&|| object.dynamic_symbols().filter_map(|symbol| function(&symbol)).collect());
        Self { all, dynamic: true }
    }

    /// The name of the function that has this address; of several names the plainest.
    fn at<'d, R: ReadRef<'d>>(&self, object: &object::File<'d, R>, address: u64) -> Option<String> {
        let after = self.all.partition_point(|(start, _, _)| *start <= address);
        let (start, _, _) = *self.all.get(after.checked_sub(1)?)?;
        let end = self.all.get(after).map_or(u64::MAX, |(next, _, _)| *next);
        // Code without a size reaches up to what follows.
        let holds = |size: u64| if size == 0 { address < end } else { address - start < size };
        let same = self.all[..after].iter().rev().take_while(|(other, _, _)| *other == start);
        let names =
            same.filter(|(_, size, _)| holds(*size)).filter_map(|(_, _, index)| self.name(object, *index));
        names.min_by_key(|name| {
            (
                name.starts_with('_') && !name.starts_with("_Z") && !name.starts_with("_R"),
                name.len(),
                name.clone(),
            )
        })
    }

    fn name<'d, R: ReadRef<'d>>(&self, object: &object::File<'d, R>, index: SymbolIndex) -> Option<String> {
        let table = if self.dynamic { object.dynamic_symbol_table() } else { object.symbol_table() };
        let symbol = object::ObjectSymbolTable::symbol_by_index(&table?, index).ok()?;
        Some(symbol.name().ok()?.to_owned()).filter(|name| !name.is_empty())
    }
}

fn function<'d>(symbol: &impl ObjectSymbol<'d>) -> Option<(u64, u64, SymbolIndex)> {
    let defined = symbol.kind() == SymbolKind::Text && !symbol.is_undefined() && symbol.address() > 0;
    defined.then(|| (symbol.address(), symbol.size(), symbol.index()))
}
