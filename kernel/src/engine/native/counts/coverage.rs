//! The coverage map, as LLVM writes it: which piece of source each counter counts. The format is described in LLVM's `CoverageMappingFormat.rst`; what is
//! read here is what `RawCoverageMappingReader` of LLVM reads, in the versions since 6 (LLVM 13).

use super::bytes::Bytes;
use super::unreadable::Unreadable;
use md5::{Digest, Md5};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first filename of a table is the folder in which the compiler ran: since this version. Versions are written less one.
const FIRST_VERSION: u32 = 5;
/// What came with it, MC/DC, is read over.
const LAST_VERSION: u32 = 6;

/// More than the names of all files of a crate are.
const MOST_NAMES: usize = 1 << 24;

/// The lowest bits of a counter say what it is.
const TAG_BITS: u32 = 2;
/// And one more, where a region has no counter.
const KIND_BITS: u32 = 3;

/// The names of the files of each part of a library, by the hash of the table in which they are written.
pub(super) type Files = BTreeMap<u64, Vec<Arc<str>>>;

/// A function, in one of its forms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Function {
    /// The hash of its symbol.
    pub(super) name: u64,
    /// A hash of how it is made; 0 where it was written but not compiled, for nobody calls it.
    pub(super) form: u64,
    /// In the order in which they can be computed.
    expressions: Vec<(usize, Expression)>,
    pub(super) regions: Vec<Region>,
}

/// A piece of source that is run as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) file: Arc<str>,
    pub(super) start: Place,
    /// Behind its last character.
    pub(super) end: Place,
    counter: Counter,
    /// Whether it is the white space between two others.
    pub(super) gap: bool,
}

/// Line and column, in bytes, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// How often something was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counter {
    /// Never.
    Zero,
    /// As the function's counter of this number says.
    Counted(u32),
    /// As the expression of this number says.
    Computed(u32),
}

/// The sum of two counters, or their difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Expression {
    left: Counter,
    right: Counter,
    sum: bool,
}

/// Reads `__llvm_covmap`.
pub(super) fn files(section: &[u8]) -> Result<Files, Unreadable> {
    let mut rest = Bytes(section);
    let mut files = Files::new();
    while !rest.is_empty() {
        // The second and the fourth field are used no more.
        let (_, size, _, version) = (rest.u32()?, rest.u32()?, rest.u32()?, rest.u32()?);
        if !(FIRST_VERSION..=LAST_VERSION).contains(&version) {
            return Err(Unreadable::MapVersion(version.saturating_add(1)));
        }
        let table = rest.take(size as usize)?;
        files.insert(hash(table), names(table)?);
        rest.align(section);
    }
    Ok(files)
}

/// What a function record calls a table of names.
fn hash(table: &[u8]) -> u64 {
    let digest = Md5::digest(table);
    digest.iter().take(8).rev().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

fn names(table: &[u8]) -> Result<Vec<Arc<str>>, Unreadable> {
    let mut rest = Bytes(table);
    let count = rest.number()?;
    let plain = usize::try_from(rest.number()?).unwrap_or(usize::MAX);
    let packed = usize::try_from(rest.number()?).unwrap_or(usize::MAX);
    if packed == 0 {
        return listed(rest, count);
    }
    if plain > MOST_NAMES {
        return Err(Unreadable::Contradiction("the names of its files are too long"));
    }
    let unpacked = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(rest.take(packed)?, plain)
        .map_err(|_| Unreadable::Contradiction("the names of its files cannot be unpacked"))?;
    listed(Bytes(&unpacked), count)
}

fn listed(mut rest: Bytes<'_>, count: u64) -> Result<Vec<Arc<str>>, Unreadable> {
    let mut all = Vec::new();
    for _ in 0..count {
        let length = rest.count()?;
        all.push(Arc::from(String::from_utf8_lossy(rest.take(length)?)));
    }
    Ok(all)
}

/// Reads `__llvm_covfun`.
pub(super) fn functions(section: &[u8], files: &Files) -> Result<Vec<Function>, Unreadable> {
    let mut rest = Bytes(section);
    let mut found: BTreeMap<u64, Function> = BTreeMap::new();
    while !rest.is_empty() {
        let (name, size, form, table) = (rest.u64()?, rest.u32()?, rest.u64()?, rest.u64()?);
        let mapping = rest.take(size as usize)?;
        let files =
            files.get(&table).ok_or(Unreadable::Contradiction("the names of some files are missing"))?;
        let mut function = Function { name, form, ..Function::default() };
        Reader { rest: Bytes(mapping), files, expressions: Vec::new() }.read(&mut function)?;
        // A function may be written several times: by each part of the library that has compiled it, and by one that has not.
        let known = found.get(&name).is_some_and(|known| known.form != 0);
        if !known {
            found.insert(name, function);
        }
        rest.align(section);
    }
    Ok(found.into_values().collect())
}

struct Reader<'a> {
    rest: Bytes<'a>,
    files: &'a [Arc<str>],
    expressions: Vec<Expression>,
}

impl Reader<'_> {
    fn read(mut self, function: &mut Function) -> Result<(), Unreadable> {
        let count = self.rest.count()?;
        let files = (0..count).map(|_| self.file()).collect::<Result<Vec<_>, _>>()?;
        let count = self.rest.count()?;
        let unknown = Expression { left: Counter::Zero, right: Counter::Zero, sum: false };
        self.expressions = vec![unknown; count];
        for at in 0..count {
            let (left, right) = (self.counter()?, self.counter()?);
            if let Some(expression) = self.expressions.get_mut(at) {
                (expression.left, expression.right) = (left, right);
            }
        }
        for file in files {
            let count = self.rest.count()?;
            let mut line = 0;
            for _ in 0..count {
                function.regions.extend(self.region(&file, &mut line)?);
            }
        }
        function.expressions = in_order(&self.expressions)?;
        Ok(())
    }

    fn file(&mut self) -> Result<Arc<str>, Unreadable> {
        let index = self.rest.small()? as usize;
        self.files.get(index).cloned().ok_or(Unreadable::Contradiction("there is no such file"))
    }

    fn counter(&mut self) -> Result<Counter, Unreadable> {
        let written = self.rest.small()?;
        self.decode(written)
    }

    /// Whether an expression is a sum stands where it is used.
    fn decode(&mut self, written: u32) -> Result<Counter, Unreadable> {
        let (tag, number) = (written & ((1 << TAG_BITS) - 1), written >> TAG_BITS);
        match tag {
            0 => Ok(Counter::Zero),
            1 => Ok(Counter::Counted(number)),
            _ => {
                let expression = self.expressions.get_mut(number as usize);
                expression.ok_or(Unreadable::Contradiction("there is no such expression"))?.sum = tag == 3;
                Ok(Counter::Computed(number))
            }
        }
    }

    /// Reads over so many counters, and then numbers.
    fn skip(&mut self, counters: usize, numbers: usize) -> Result<(), Unreadable> {
        (0..counters).try_for_each(|_| self.counter().map(|_| ()))?;
        (0..numbers).try_for_each(|_| self.rest.small().map(|_| ()))
    }

    /// The next region, if it is one that counts code.
    fn region(&mut self, file: &Arc<str>, line: &mut u32) -> Result<Option<Region>, Unreadable> {
        let written = self.rest.small()?;
        let mut counter = Counter::Zero;
        let mut counts = true;
        if written & ((1 << TAG_BITS) - 1) != 0 {
            counter = self.decode(written)?;
        } else if written & (1 << TAG_BITS) != 0 {
            // The expansion of a macro, whose regions are in another file.
            counts = false;
        } else {
            counts = written >> KIND_BITS == 0;
            match written >> KIND_BITS {
                // Code that is never run, and what the preprocessor of C has left out.
                0 | 2 => {}
                // A branch: how often it was taken, and how often not.
                4 => self.skip(2, 0)?,
                // A decision.
                5 => self.skip(0, 2)?,
                // A branch of one.
                6 => self.skip(2, 3)?,
                _ => return Err(Unreadable::Contradiction("there is no such sort of region")),
            }
        }
        let overflow = Unreadable::Contradiction("a line has no number");
        *line = line.checked_add(self.rest.small()?).ok_or(overflow.clone())?;
        let first = self.rest.small()?;
        let last_line = line.checked_add(self.rest.small()?).ok_or(overflow)?;
        let last = self.rest.small()?;
        let gap = last & 1 << 31 != 0;
        let start = Place { line: *line, column: first };
        let end = Place { line: last_line, column: last & !(1 << 31) };
        Ok(counts.then(|| Region { file: Arc::clone(file), start, end, counter, gap }))
    }
}

/// The expressions, each behind those that it needs.
fn in_order(all: &[Expression]) -> Result<Vec<(usize, Expression)>, Unreadable> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Begun,
        Done,
    }
    let mut states = vec![State::New; all.len()];
    let mut order = Vec::with_capacity(all.len());
    let mut open: Vec<usize> = (0..all.len()).rev().collect();
    while let Some(at) = open.last().copied() {
        let (Some(state), Some(expression)) = (states.get_mut(at), all.get(at)) else { break };
        match *state {
            State::Done => drop(open.pop()),
            State::Begun => {
                *state = State::Done;
                order.push((at, *expression));
                open.pop();
            }
            State::New => {
                *state = State::Begun;
                for needed in [expression.left, expression.right] {
                    let Counter::Computed(needed) = needed else { continue };
                    let needed = needed as usize;
                    match states.get(needed) {
                        Some(State::Done) => {}
                        Some(State::New) => open.push(needed),
                        _ => return Err(Unreadable::Contradiction("an expression needs itself")),
                    }
                }
            }
        }
    }
    Ok(order)
}

impl Function {
    /// How many counters it has at least.
    pub(super) fn counters(&self) -> usize {
        let expressions = self.expressions.iter().flat_map(|(_, one)| [one.left, one.right]);
        let all = self.regions.iter().map(|region| region.counter).chain(expressions);
        let numbers = all.filter_map(|counter| match counter {
            Counter::Counted(number) => Some(number as usize + 1),
            _ => None,
        });
        numbers.max().unwrap_or_default()
    }

    /// Its regions with how often each was run, where its counters stand at these figures.
    pub(super) fn counted(&self, counters: &[u64]) -> impl Iterator<Item = (&Region, u64)> {
        let mut computed = vec![0_i64; self.expressions.len()];
        let value = |counter: Counter, computed: &[i64]| match counter {
            Counter::Zero => 0,
            Counter::Counted(number) => counters.get(number as usize).map_or(0, |count| count.cast_signed()),
            Counter::Computed(number) => computed.get(number as usize).copied().unwrap_or_default(),
        };
        for (at, Expression { left, right, sum }) in &self.expressions {
            let (left, right) = (value(*left, &computed), value(*right, &computed));
            let result = if *sum { left.wrapping_add(right) } else { left.wrapping_sub(right) };
            if let Some(place) = computed.get_mut(*at) {
                *place = result;
            }
        }
        // Where code is under way, what lies before it has been counted, and what lies behind it not yet.
        self.regions
            .iter()
            .map(move |region| (region, u64::try_from(value(region.counter, &computed)).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;
