//! The entry of a cell: its statements as a function that takes the variables that they mention and puts back what is there afterwards.
//!
//! What follows a `let` runs in a closure of its own, within `catch`. So whatever goes wrong later, what the `let` bound is still there to be put into
//! the store, and a value that was moved away is found by the compiler itself, at the `put`.

use super::mentions::spelled;
use super::source::Source;
use super::split::{Binding, Kind, Part, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A cell's statements, and what is known about its variables.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) cell: u32,
    pub(super) text: &'a str,
    pub(super) parts: &'a [Part],
    /// The symbol of the function.
    pub(super) symbol: String,
    /// The variables that it takes from the store.
    pub(super) taken: Vec<Taken<'a>>,
    /// How each slot is put back; plainly if nothing is said. The taken variables have the first slots, in their order, and those that `let`s bind the next.
    pub(super) puts: BTreeMap<u32, Put>,
    /// Slots of variables that are moved and given a new value. A closure would have its own copy of such a variable, so it lives within the one
    /// closure that there is then, and is lost if the cell fails.
    pub(super) inside: BTreeSet<u32>,
}

/// A variable of an earlier cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken<'a> {
    pub(super) name: &'a str,
    pub(super) type_name: &'a str,
    pub(super) mutable: bool,
}

/// How a variable is put into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Put {
    /// As a pointer of this type: it is a function item.
    Pointer(String),
    /// In a box, as this `dyn` type.
    Boxed(String),
    /// In a box, as an iterator over whatever its items are.
    Iterator,
    /// Not at all.
    Not,
}

/// Where things of ours stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// The statement that puts a slot.
    pub(super) puts: BTreeMap<u32, Range<usize>>,
    /// The statement that takes a slot.
    pub(super) takes: BTreeMap<u32, Range<usize>>,
}

/// What follows runs in a closure: nothing of it is lost to what was before.
const OPEN: &str = " { let mut assay_rest = ::core::option::Option::Some(|| -> ::assay::cell::Flow { ";

/// The end of such a closure.
const CLOSE: &str = " ::core::result::Result::Ok(()) }); ::assay::cell::catch(&mut || match assay_rest.take() { \
                     ::core::option::Option::Some(mut rest) => rest(), ::core::option::Option::None => ::core::result::Result::Ok(()) }); }";

/// The slots of what the `let`s of a cell bind, the first of which is `first`: each with its binding and the initialiser's mentions.
pub(super) fn slots(parts: &[Part], first: usize) -> impl Iterator<Item = (u32, &Binding, &Statement)> {
    let bound = parts.iter().filter_map(|part| match part {
        Part::Statement(statement) => Some(statement),
        Part::Item(_) => None,
    });
    let bound = bound.flat_map(|statement| match &statement.kind {
        Kind::Let { bindings, .. } => bindings.iter().map(move |binding| (binding, statement)).collect(),
        Kind::Run | Kind::Value { .. } => Vec::new(),
    });
    let first = u32::try_from(first).unwrap_or(u32::MAX);
    (first..).zip(bound).map(|(slot, (binding, statement))| (slot, binding, statement))
}

/// Writes the file.
pub(super) fn write(entry: &Entry<'_>) -> (Source, Places) {
    let mut writer =
        Writer { entry, source: Source::default(), places: Places::default(), levels: Vec::new() };
    writer.head();
    writer.body();
    writer.tail();
    (writer.source, writer.places)
}

struct Writer<'a> {
    entry: &'a Entry<'a>,
    source: Source,
    places: Places,
    /// The slots that each open closure's surroundings bind, the outermost first.
    levels: Vec<Vec<(u32, &'a str)>>,
}

impl<'a> Writer<'a> {
    fn head(&mut self) {
        let symbol = &self.entry.symbol;
        self.source
            .ours(&format!("use super::*; #[unsafe(no_mangle)] pub extern \"C-unwind\" fn {symbol}() {{ "));
        let mut level = Vec::new();
        let inside = |slot: &u32| self.entry.inside.contains(slot);
        let slots: Vec<(u32, &Taken<'a>)> = (0..).zip(&self.entry.taken).collect();
        for (slot, taken) in slots.iter().filter(|(slot, _)| !inside(slot)) {
            self.take(*slot, taken);
            level.push((*slot, taken.name));
        }
        self.open(level);
        for (slot, taken) in slots.iter().filter(|(slot, _)| inside(slot)) {
            self.take(*slot, taken);
        }
    }

    fn take(&mut self, slot: u32, taken: &Taken<'_>) {
        let (name, mutable) = (spelled(taken.name), if taken.mutable { "mut " } else { "" });
        let take = format!(
            "let {mutable}{name}: {0} = ::assay::cell::take::<{0}>(\"{1}\");",
            taken.type_name, taken.name
        );
        let place = self.source.ours(&take);
        self.places.takes.insert(slot, place);
    }

    fn open(&mut self, level: Vec<(u32, &'a str)>) {
        self.levels.push(level);
        self.source.ours(OPEN);
    }

    fn body(&mut self) {
        let entry = self.entry;
        // A variable that is declared first and set later cannot be set from within a closure.
        let flat = !entry.inside.is_empty()
            || entry.parts.iter().any(|part| {
                matches!(part, Part::Statement(Statement { kind: Kind::Let { initialiser: None, .. }, .. }))
            });
        let mut slot = u32::try_from(entry.taken.len()).unwrap_or(u32::MAX);
        let mut at = 0;
        let taken = (0..).zip(entry.taken.iter().map(|taken| taken.name));
        let mut together: Vec<(u32, &str)> = taken.filter(|(slot, _)| entry.inside.contains(slot)).collect();
        for (index, part) in entry.parts.iter().enumerate() {
            let Part::Statement(statement) = part else { continue };
            self.source.blank(entry.text, at..statement.range.start);
            at = statement.range.end;
            let Kind::Let { bindings, .. } = &statement.kind else {
                self.statement(statement);
                continue;
            };
            self.source.user(entry.cell, entry.text, statement.range.clone());
            for binding in bindings {
                // Of two of a name in one scope only the last can be reached.
                together.retain(|(_, name)| *name != binding.name);
                together.push((slot, binding.name.as_str()));
                slot += 1;
            }
            let more = entry.parts[index + 1..].iter().any(|part| matches!(part, Part::Statement(_)));
            if !flat && more {
                self.open(std::mem::take(&mut together));
            }
        }
        // A comment may end the last statement.
        self.source.ours("\n");
        self.put_all(&together);
    }

    fn statement(&mut self, statement: &Statement) {
        let (cell, text) = (self.entry.cell, self.entry.text);
        let Kind::Value { expression } = &statement.kind else {
            self.source.user(cell, text, statement.range.clone());
            return;
        };
        self.source.user(cell, text, statement.range.start..expression.start);
        self.source.ours("match &(");
        self.source.user(cell, text, expression.clone());
        self.source.ours(
            "\n) { value => { use ::assay::cell::show::*; begin(); let shown = value.evcxr_display(); (&&&Shown(shown, value)).show(); } }",
        );
        self.source.user(cell, text, expression.end..statement.range.end);
    }

    fn tail(&mut self) {
        while let Some(level) = self.levels.pop() {
            self.source.ours(CLOSE);
            self.put_all(&level);
        }
        self.source.ours(" }\n");
    }

    fn put_all(&mut self, level: &[(u32, &str)]) {
        for (slot, name) in level {
            let variable = spelled(name);
            let put = match self.entry.puts.get(slot) {
                None => format!("::assay::cell::put({variable}, {slot}, \"{name}\");"),
                Some(Put::Pointer(pointer)) => {
                    format!("::assay::cell::put({variable} as {pointer}, {slot}, \"{name}\");")
                }
                Some(Put::Boxed(object)) => {
                    format!(
                        "::assay::cell::put(::std::boxed::Box::new({variable}) as ::std::boxed::Box<{object}>, {slot}, \"{name}\");"
                    )
                }
                Some(Put::Iterator) => {
                    format!("::assay::cell::put_iterator({variable}, {slot}, \"{name}\");")
                }
                Some(Put::Not) => continue,
            };
            let place = self.source.ours(&format!(" {put}"));
            self.places.puts.insert(*slot, place);
        }
    }
}

impl Entry<'_> {
    /// The name of a slot.
    pub(super) fn name(&self, slot: u32) -> Option<&str> {
        match self.entry_taken(slot) {
            Some(taken) => Some(taken.name),
            None => slots(self.parts, self.taken.len())
                .find(|(of, ..)| *of == slot)
                .map(|(_, binding, _)| binding.name.as_str()),
        }
    }

    /// Whether a statement gives the variable of a slot a new value.
    pub(super) fn assigns(&self, slot: u32) -> bool {
        let Some(name) = self.name(slot) else { return false };
        let statements = self.parts.iter().filter_map(|part| match part {
            Part::Statement(statement) if statement.mentions.contains(name) => {
                Some(&self.text[statement.range.clone()])
            }
            _ => None,
        });
        let assigned = |text: &str| {
            text.match_indices(name).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + name.len()..].trim_start();
                let whole = before.is_none_or(|c| c != '_' && c != '.' && !c.is_alphanumeric());
                whole
                    && after.starts_with('=')
                    && !after.starts_with("==")
                    && !text[..at].trim_end().ends_with("let")
            })
        };
        statements.into_iter().any(assigned)
    }

    fn entry_taken(&self, slot: u32) -> Option<&Taken<'_>> {
        self.taken.get(usize::try_from(slot).ok()?)
    }

    /// The slots whose types only the compiler knows.
    pub(super) fn unknown(&self) -> BTreeSet<u32> {
        let all = slots(self.parts, self.taken.len()).map(|(slot, ..)| slot);
        all.filter(|slot| !matches!(self.puts.get(slot), Some(Put::Not | Put::Pointer(_) | Put::Boxed(_))))
            .collect()
    }
}
