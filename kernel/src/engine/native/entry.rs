//! The entry of a cell: its statements as a function that takes the variables that they mention and puts back what is there afterwards.
//!
//! What follows a `let` runs in a closure of its own, within `catch`. So whatever goes wrong later, what the `let` bound is still there to be put into
//! the store, and a value that was moved away is found by the compiler itself, at the `put`. In a cell that awaits, `async` blocks are in the place of the closures.

use super::mentions::spelled;
use super::source::{Edit, Source};
use super::split::{Binding, Kind, Split, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// A cell's statements, and what is known about its variables.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) cell: u32,
    pub(super) text: &'a Source,
    pub(super) split: &'a Split,
    /// The symbol of the function.
    pub(super) symbol: String,
    /// The variables that it takes from the store.
    pub(super) taken: Vec<Taken<'a>>,
    /// How each slot is put back; plainly if nothing is said. The taken variables have the first slots, in their order, and those that `let`s bind the next.
    pub(super) puts: BTreeMap<u32, Put>,
    /// Slots of variables that are moved and given a new value. A closure would have its own copy of such a variable, so it lives within the one
    /// closure that there is then, and is lost if the cell fails.
    pub(super) inside: BTreeSet<u32>,
    /// Whether it awaits: then it is a future.
    pub(super) awaits: bool,
    /// The statement that starts the asynchronous runtime of the notebook's crates; empty if they have none.
    pub(super) start: String,
    /// How its value is shown.
    pub(super) style: Style,
    /// Whether what looks like its value never is one: a block that ends in `panic!()`, say.
    pub(super) endless: bool,
    /// What is put into its statements beside what the cell itself has inserted: what counts calls.
    pub(super) guards: Vec<Edit>,
}

/// How values are shown that do not say so themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// One of [`FORMATS`].
    pub(super) format: &'static str,
    /// Whether with their types.
    pub(super) types: bool,
}

/// The forms in which the cell runtime can show a value.
pub(super) const FORMATS: [&str; 4] = ["{:?}", "{:#?}", "{:x?}", "{:X?}"];

impl Default for Style {
    fn default() -> Self {
        Self { format: FORMATS[0], types: false }
    }
}

impl Style {
    /// Where a value is shown, for the cell runtime.
    fn place(self) -> String {
        if self == Self::default() {
            return "Where::Value".to_owned();
        }
        format!("Where::Styled({:?}, {})", self.format, self.types)
    }
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
    /// What shows the value.
    pub(super) shows: Range<usize>,
    /// What is ours within the value.
    pub(super) within: Vec<Range<usize>>,
}

/// What stands around the parts of a cell.
struct Form {
    /// Between the function's brace and the variables.
    head: &'static str,
    /// What follows runs in a body of its own: nothing of it is lost to what was before.
    open: &'static str,
    /// The end of such a body.
    close: &'static str,
    /// Before the function's last brace.
    tail: &'static str,
}

/// Each body is a closure.
const PLAIN: Form = Form {
    head: "",
    open: " { let mut assay_rest = ::core::option::Option::Some(|| -> ::assay::cell::Flow { ",
    close: " ::core::result::Result::Ok(()) }); ::assay::cell::catch(&mut || match assay_rest.take() { \
            ::core::option::Option::Some(mut rest) => rest(), ::core::option::Option::None => ::core::result::Result::Ok(()) }); }",
    tail: "",
};

/// Each body is an `async` block.
const AWAITING: Form = Form {
    head: "::assay::cell::block_on(::core::pin::pin!(async { ",
    open: " { ::assay::cell::catch_async(::core::pin::pin!(async { ",
    close: " ::assay::cell::Flow::Ok(()) })).await; }",
    tail: " }));",
};

/// Writes the file.
pub(super) fn write(entry: &Entry<'_>) -> (Source, Places) {
    let form = if entry.awaits { &AWAITING } else { &PLAIN };
    let mut writer =
        Writer { entry, form, source: Source::default(), places: Places::default(), levels: Vec::new() };
    writer.head();
    writer.body();
    writer.tail();
    (writer.source, writer.places)
}

struct Writer<'a> {
    entry: &'a Entry<'a>,
    form: &'static Form,
    source: Source,
    places: Places,
    /// The slots that each open closure's surroundings bind, the outermost first.
    levels: Vec<Vec<(u32, &'a str)>>,
}

impl<'a> Writer<'a> {
    fn head(&mut self) {
        let symbol = &self.entry.symbol;
        self.source.ours(&format!(
            "use super::*; #[unsafe(no_mangle)] pub extern \"C-unwind\" fn {symbol}() {{ {}{}",
            self.entry.start, self.form.head
        ));
        let mut level = Vec::new();
        let inside = |slot: &u32| self.entry.inside.contains(slot);
        let slots: Vec<(u32, &Taken<'a>)> = (0..).zip(&self.entry.taken).collect();
        for (slot, taken) in slots.iter().filter(|(slot, _)| !inside(slot)) {
            self.take(taken);
            level.push((*slot, taken.name));
        }
        self.open(level);
        for (_, taken) in slots.iter().filter(|(slot, _)| inside(slot)) {
            self.take(taken);
        }
    }

    fn take(&mut self, taken: &Taken<'_>) {
        let (name, mutable) = (spelled(taken.name), if taken.mutable { "mut " } else { "" });
        let take = format!(
            "let {mutable}{name}: {0} = ::assay::cell::take::<{0}>(\"{1}\");",
            taken.type_name, taken.name
        );
        self.source.ours(&take);
    }

    fn open(&mut self, level: Vec<(u32, &'a str)>) {
        self.levels.push(level);
        self.source.ours(self.form.open);
    }

    fn body(&mut self) {
        let entry = self.entry;
        // A variable that is declared first and set later cannot be set from within a closure.
        let unset = |statement: &Statement| matches!(statement.kind, Kind::Let { initialiser: None, .. });
        let flat = !entry.inside.is_empty() || entry.split.statements().any(unset);
        let mut slot = entry.first_binding();
        let mut at = 0;
        let taken = (0..).zip(entry.taken.iter().map(|taken| taken.name));
        let mut together: Vec<(u32, &str)> = taken.filter(|(slot, _)| entry.inside.contains(slot)).collect();
        let mut statements = entry.split.statements().peekable();
        while let Some(statement) = statements.next() {
            self.source.blank(entry.text, at..statement.range.start);
            at = statement.range.end;
            let Kind::Let { bindings, .. } = &statement.kind else {
                self.statement(statement);
                continue;
            };
            self.users(statement.range.clone());
            for binding in bindings {
                // Of two of a name in one scope only the last can be reached.
                together.retain(|(_, name)| *name != binding.name);
                together.push((slot, binding.name.as_str()));
                slot += 1;
            }
            if !flat && statements.peek().is_some() {
                self.open(std::mem::take(&mut together));
            }
        }
        // A comment may end the last statement.
        self.source.ours("\n");
        self.put_all(&together);
    }

    /// Bytes of the cell.
    fn users(&mut self, bytes: Range<usize>) {
        self.source.edited(self.entry.text, bytes, &self.entry.guards);
    }

    fn statement(&mut self, statement: &Statement) {
        let Kind::Value { expression } = &statement.kind else {
            self.users(statement.range.clone());
            return;
        };
        if self.entry.endless {
            self.users(statement.range.clone());
            self.source.ours(";");
            return;
        }
        self.users(statement.range.start..expression.start);
        let start = self.source.ours("match &(").end;
        self.users(expression.clone());
        self.places.within = self.source.ours_within(&(start..self.source.text().len()));
        self.places.shows = self.source.ours(&format!(
            "\n) {{ value => {{ use ::assay::cell::show::*; begin(); let shown = value.evcxr_display(); (&&&&Shown(shown, value)).show({}); }} }}",
            self.entry.style.place(),
        ));
        self.users(expression.end..statement.range.end);
    }

    fn tail(&mut self) {
        while let Some(level) = self.levels.pop() {
            self.source.ours(self.form.close);
            self.put_all(&level);
        }
        self.source.ours(self.form.tail);
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
        match usize::try_from(slot).ok().and_then(|slot| self.taken.get(slot)) {
            Some(taken) => Some(taken.name),
            None => self.bindings().find(|(of, _)| *of == slot).map(|(_, binding)| binding.name.as_str()),
        }
    }

    /// The slots of what the `let`s bind.
    pub(super) fn bindings(&self) -> impl Iterator<Item = (u32, &Binding)> {
        let bound = self.split.statements().flat_map(|statement| match &statement.kind {
            Kind::Let { bindings, .. } => bindings.as_slice(),
            Kind::Run | Kind::Value { .. } => &[],
        });
        (self.first_binding()..).zip(bound)
    }

    fn first_binding(&self) -> u32 {
        u32::try_from(self.taken.len()).unwrap_or(u32::MAX)
    }

    /// Whether a statement gives the variable of a slot a new value.
    pub(super) fn assigns(&self, slot: u32) -> bool {
        let Some(name) = self.name(slot) else { return false };
        let statements = self.split.statements().filter(|statement| statement.mentions.contains(name));
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
        statements.map(|statement| &self.text.text()[statement.range.clone()]).any(assigned)
    }

    /// The slots whose types only the compiler knows.
    pub(super) fn unknown(&self) -> BTreeSet<u32> {
        let all = self.bindings().map(|(slot, _)| slot);
        all.filter(|slot| !matches!(self.puts.get(slot), Some(Put::Not | Put::Pointer(_) | Put::Boxed(_))))
            .collect()
    }
}
