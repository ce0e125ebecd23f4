//! From counters to calls and hits: what was run how often, by its place in what the compiler was given.

use super::coverage::{Place, Region};
use super::map::Map;
use super::own;
use super::places::{self, Body, Places, Sort};
use crate::engine::native::source::Source;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was counted, in cells and in the files of crates that count, which have numbers too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Of each cell, line and hits.
    pub(super) lines: BTreeMap<u32, BTreeMap<u32, u64>>,
    /// By where it is asked for by its place: cell and byte. In which way it was called, and how often.
    pub(super) calls: BTreeMap<(u32, usize), (What, u64)>,
}

/// What was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// The statements of a cell, which are no function of the user's.
    Statements,
    /// A function or a closure.
    Body,
    /// Something in the arguments of a macro or in what one expands to. Whoever knows what stands there may know that it is a closure; a function it is not.
    Unknown,
}

/// What the counters of libraries say, at these figures: of each library in its order, none if it is not loaded.
pub(super) fn tally(
    maps: &[Map],
    counts: &[Vec<u64>],
    files: &BTreeMap<PathBuf, Arc<Source>>,
    own: &own::Files,
) -> Tally {
    let mut texts: BTreeMap<&str, Option<Text<'_>>> = BTreeMap::new();
    for (number, map) in maps.iter().enumerate() {
        let counts = counts.get(number).map(Vec::as_slice).unwrap_or_default();
        for function in map.functions(counts) {
            let mut first: Option<(&str, Entry)> = None;
            for (region, count) in function {
                let file = &*region.file;
                let text = texts.entry(file).or_insert_with(|| {
                    let cells = source_of(files, file).map(|source| Text::new(source, true));
                    cells.or_else(|| own.source(file).map(|source| Text::new(source, false)))
                });
                let Some((text, range)) = text
                    .as_mut()
                    .and_then(|text| Some((text.bytes(region)?, text)))
                    .map(|(range, text)| (text, range))
                else {
                    continue;
                };
                text.count(range.clone(), count);
                match &mut first {
                    Some((_, first)) if first.at <= range.start => first.behind.push(range.start),
                    _ => first = Some((file, Entry { at: range.start, count, behind: Vec::new() })),
                }
            }
            if let Some((file, entry)) = first
                && let Some(Some(text)) = texts.get_mut(file)
            {
                text.enter(&entry);
            }
        }
    }
    let mut tally = Tally::default();
    texts.into_values().flatten().for_each(|text| text.tell(&mut tally));
    tally
}

/// The file of this name: as it was given to the compiler, below some folder.
fn source_of<'f>(files: &'f BTreeMap<PathBuf, Arc<Source>>, name: &str) -> Option<&'f Source> {
    let path = Path::new(name);
    let mut last_two = path.components().rev().take(2).collect::<Vec<_>>();
    last_two.reverse();
    files.get(&last_two.into_iter().collect::<PathBuf>()).map(Arc::as_ref)
}

/// A file, and what was counted in it.
struct Text<'s> {
    source: &'s Source,
    /// Whether something of ours stands at the beginning of its bodies.
    guarded: bool,
    /// Where each line begins.
    starts: Vec<usize>,
    /// None if the file is not understood.
    places: Option<Places>,
    /// By beginning and end, so that what holds others comes before them.
    regions: BTreeMap<(usize, Reverse<usize>), u64>,
    /// By the number of a body, how often it was entered.
    entered: BTreeMap<usize, u64>,
    /// By its place, how often something was entered that is none of the bodies.
    unknown: BTreeMap<usize, u64>,
}

impl<'s> Text<'s> {
    fn new(source: &'s Source, guarded: bool) -> Self {
        let text = source.text();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            source,
            guarded,
            starts,
            places: places::of_file(text),
            regions: BTreeMap::new(),
            entered: BTreeMap::new(),
            unknown: BTreeMap::new(),
        }
    }

    fn bytes(&self, region: &Region) -> Option<Range<usize>> {
        let (start, end) = (self.byte(region.start)?, self.byte(region.end)?);
        (!region.gap && start < end).then_some(start..end)
    }

    fn byte(&self, place: Place) -> Option<usize> {
        let start = self.starts.get(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
        let byte = start + usize::try_from(place.column).ok()?.saturating_sub(1);
        Some(byte.min(self.source.text().len()))
    }

    /// The forms of a generic function are one.
    fn count(&mut self, range: Range<usize>, count: u64) {
        let sum = self.regions.entry((range.start, Reverse(range.end))).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Something was entered.
    fn enter(&mut self, entry: &Entry) {
        let into = match self.entered_by(entry) {
            Entered::Body(body) => self.entered.entry(body).or_default(),
            Entered::Unknown => self.unknown.entry(entry.at).or_default(),
            Entered::Nothing => return,
        };
        *into = into.saturating_add(entry.count);
    }

    fn entered_by(&self, entry: &Entry) -> Entered {
        let at = entry.at;
        let Some(places) = &self.places else { return Entered::Unknown };
        let mut holding = places.bodies.iter().enumerate().filter(|(_, body)| body.whole.contains(&at));
        let Some((number, body)) = holding.next_back() else { return Entered::Unknown };
        let inside = |opaque: &Range<usize>| opaque.contains(&at) && body.code.start < opaque.start;
        match body.sort {
            _ if places.opaque.iter().any(inside) => Entered::Unknown,
            // A closure that only makes a future has nothing but its end, and one that is `async` nothing but its braces.
            Sort::Future if at + 1 == body.code.end => places
                .bodies
                .iter()
                .position(|other| is_closure(other) && other.code == body.whole)
                .map_or(Entered::Nothing, Entered::Body),
            Sort::Closure { asynchronous: true } if body.block && entry.behind != [body.code.end - 1] => {
                Entered::Nothing
            }
            Sort::Future => Entered::Nothing,
            Sort::Closure { .. } if body.loops && !self.guarded => Entered::Nothing,
            // What a function begins with is its signature.
            Sort::Function { asynchronous: true, .. } if at >= body.code.start => Entered::Nothing,
            Sort::Function { .. } if at >= body.code.start => Entered::Unknown,
            Sort::Function { .. } | Sort::Closure { .. } => Entered::Body(number),
        }
    }

    fn tell(&self, tally: &mut Tally) {
        for (cell, line, count) in self.hits() {
            let hits = tally.lines.entry(cell).or_default().entry(line).or_default();
            *hits = (*hits).max(count);
        }
        let bodies = self.places.as_ref().map(|places| places.bodies.as_slice()).unwrap_or_default();
        let entered = self.entered.iter().filter_map(|(number, count)| Some((bodies.get(*number)?, *count)));
        let known = entered.filter_map(|(body, count)| {
            Some(match (self.cell_at(body.at), body.sort) {
                (Some(place), _) => (place, What::Body, count),
                // A function of ours is that of the statements.
                (None, Sort::Function { .. }) => (self.first_of(&body.code)?.0, What::Statements, count),
                (None, _) => return None,
            })
        });
        let unknown =
            self.unknown.iter().filter_map(|(at, count)| Some((self.cell_at(*at)?, What::Unknown, *count)));
        for (place, what, count) in known.chain(unknown) {
            let (_, total) = tally.calls.entry(place).or_insert((what, 0));
            *total = total.saturating_add(count);
        }
    }

    /// Cell, line and hits.
    fn hits(&self) -> Vec<(u32, u32, u64)> {
        let mut all = Vec::new();
        // By the line on which they begin.
        let mut regions: BTreeMap<u32, Vec<(u32, usize, u64)>> = BTreeMap::new();
        for ((start, Reverse(end)), count) in &self.regions {
            if let Some(((cell, _), at)) = self.first_of(&(*start..*end))
                && self.begins_code(at)
            {
                regions.entry(self.line(at)).or_default().push((cell, at, *count));
            }
        }
        let Some(places) = &self.places else {
            let known = regions.iter().flat_map(|(line, regions)| regions.iter().map(move |one| (line, one)));
            return known.map(|(line, (cell, _, count))| (*cell, *line, *count)).collect();
        };
        for point in &places.points {
            // What begins with a word of ours begins where the user's first word stands, if that is on the same line.
            let line = self.line(point.start);
            let Some(((cell, _), _)) = self.first_of(point).filter(|(_, at)| self.line(*at) == line) else {
                continue;
            };
            match regions.get(&line) {
                Some(regions) => all.extend(regions.iter().map(|(cell, _, count)| (*cell, line, *count))),
                None => all.extend(self.count_of(point).map(|count| (cell, line, count))),
            }
        }
        for (line, (cell, at, count)) in
            regions.iter().flat_map(|(line, all)| all.iter().map(move |one| (line, one)))
        {
            if places.opaque.iter().any(|opaque| opaque.contains(at)) {
                all.push((*cell, *line, *count));
            }
        }
        // What is matched may be counted with the guard of an arm.
        for (start, arms) in &places.matches {
            let sum = arms.iter().map(|arm| self.count_of(arm)).sum::<Option<u64>>();
            let cell = self.cell_at(*start).map(|(cell, _)| cell);
            all.extend(cell.zip(sum).map(|(cell, sum)| (cell, self.line(*start), sum)));
        }
        // What a closure begins with may be ours.
        for (number, count) in &self.entered {
            let closure = places.bodies.get(*number).filter(|body| is_closure(body));
            let line = closure.and_then(|body| Some((self.cell_at(body.at)?.0, self.line(body.code.start))));
            all.extend(line.map(|(cell, line)| (cell, line, *count)));
        }
        // The end of a function has a line of its own: there its values are dropped.
        for body in places.bodies.iter().filter(|body| is_function(body)) {
            let end = body.code.end - 1;
            if let (Some((cell, _)), Some(count)) =
                (self.cell_at(end), self.regions.get(&(end, Reverse(end + 1))))
            {
                all.push((cell, self.line(end), *count));
            }
        }
        all
    }

    /// How often something was run whose first word the compiler does not count: the region that it lies in, or the first in it.
    fn count_of(&self, point: &Range<usize>) -> Option<u64> {
        self.innermost(point.start).or_else(|| {
            let inside = (point.start, Reverse(usize::MAX))..(point.end, Reverse(usize::MAX));
            self.regions.range(inside).next().map(|(_, count)| *count)
        })
    }

    fn innermost(&self, at: usize) -> Option<u64> {
        let mut before = self.regions.range(..=(at, Reverse(0))).rev();
        before.find(|((_, Reverse(end)), _)| *end > at).map(|(_, count)| *count)
    }

    /// Whether what stands here is the beginning of something, and not the end of what began before.
    fn begins_code(&self, at: usize) -> bool {
        let rest = self.source.text().get(at..).unwrap_or_default();
        !rest.starts_with([')', ']', '}', ',', ';', '.', '?']) && !rest.starts_with("=>")
    }

    /// The cell and the byte there of the first word within these bytes that a user typed, and where it stands here.
    fn first_of(&self, bytes: &Range<usize>) -> Option<((u32, usize), usize)> {
        let typed = self.source.typed_within(bytes);
        let word = |range: Range<usize>| {
            let text = self.source.text().get(range.clone())?;
            text.find(|c: char| !c.is_whitespace()).map(|at| range.start + at)
        };
        let at = typed.into_iter().find_map(word)?;
        Some((self.cell_at(at)?, at))
    }

    fn cell_at(&self, at: usize) -> Option<(u32, usize)> {
        self.source.origin(&(at..at + 1)).map(|(cell, range)| (cell, range.start))
    }

    /// Every line is the user's.
    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }
}

/// What a function counts first.
struct Entry {
    /// Where that begins.
    at: usize,
    count: u64,
    /// Where whatever else it counts begins.
    behind: Vec<usize>,
}

/// What that is.
enum Entered {
    /// The body of this number.
    Body(usize),
    Unknown,
    /// What makes a future was called and counted before. And who calls a closure is not known where a loop is the first thing in it.
    Nothing,
}

fn is_closure(body: &Body) -> bool {
    matches!(body.sort, Sort::Closure { .. })
}

fn is_function(body: &Body) -> bool {
    matches!(body.sort, Sort::Function { .. })
}
