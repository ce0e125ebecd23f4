//! What the compiler's errors at text of ours mean: how the next try has to put the variables back.

use super::entry::{self, Places, Put};
use super::notebook::Gone;
use super::rustc::{Message, Span};
use super::types::Found;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// How slots are to be put from now on, and why those that are not put are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Adjustment {
    pub(super) puts: BTreeMap<u32, Put>,
    pub(super) gone: BTreeMap<u32, Gone>,
    /// The slots that have to live where they are moved.
    pub(super) inside: BTreeSet<u32>,
    /// Whether the cell awaits where nobody saw it: in what a macro expands to.
    pub(super) awaits: bool,
    /// Whether the cell has no value to show.
    pub(super) endless: bool,
}

impl Adjustment {
    /// Learns from the errors of a try. Whether there was anything to learn: if not, the errors are the user's.
    ///
    /// E0382 at a put: the variable has been moved. Any other error there says that the value cannot be kept: it borrows (E0597, E0505, E0716, E0521, E0373 …), or it is
    /// no iterator after all.
    pub(super) fn learn(
        &mut self,
        messages: &[Message],
        file: &Path,
        places: &Places,
        entry: &entry::Entry<'_>,
    ) -> bool {
        let mut learned = false;
        for message in messages.iter().filter(|message| message.level == "error") {
            // `await` outside of what is `async`: the cell is not, or it is the user's mistake.
            if has_code(message, "E0728") && !entry.awaits {
                (self.awaits, learned) = (true, true);
                continue;
            }
            // What is shown has no type: it never comes to be.
            let ours = |at: &usize| {
                places.shows.contains(at) || places.within.iter().any(|range| range.contains(at))
            };
            let shown = |span: &Span| span.file_name == file && ours(&span.byte_start);
            if has_code(message, "E0282") && message.spans.iter().any(|span| span.is_primary && shown(span)) {
                learned |= !std::mem::replace(&mut self.endless, true);
                continue;
            }
            let Some((slot, moved)) = blamed(message, file, places) else { continue };
            let cell = entry.cell;
            if moved && entry.assigns(slot) && self.inside.insert(slot) {
                learned = true;
                continue;
            }
            let gone = match (moved, entry.puts.get(&slot)) {
                (true, _) => Gone::Moved { cell },
                (false, Some(Put::Iterator)) if has_code(message, "E0277") => Gone::Nameless { cell },
                (false, _) => Gone::Borrowed { cell },
            };
            learned |= self.puts.insert(slot, Put::Not) != Some(Put::Not);
            self.gone.insert(slot, gone);
        }
        learned
    }

    /// Learns from the types that were found. Whether another try is needed.
    pub(super) fn read(&mut self, found: &BTreeMap<u32, Found>, entry: &entry::Entry<'_>) -> bool {
        let mut again = false;
        for (slot, _) in entry.bindings() {
            let put = match found.get(&slot) {
                Some(Found::Function(pointer)) => Put::Pointer(pointer.clone()),
                Some(Found::Closure(object)) => Put::Boxed(object.clone()),
                Some(Found::Nameless(_)) => Put::Iterator,
                Some(Found::Named(_)) | None => continue,
            };
            if let Entry::Vacant(vacant) = self.puts.entry(slot) {
                vacant.insert(put);
                again = true;
            }
        }
        again
    }
}

/// Whether a message is about what becomes of the variables after the cell.
pub(super) fn is_of_a_put(message: &Message, file: &Path, places: &Places) -> bool {
    message.level == "error" && blamed(message, file, places).is_some()
}

/// The slot that an error is about, and whether that has been moved.
fn blamed(message: &Message, file: &Path, places: &Places) -> Option<(u32, bool)> {
    let here = |span: &Span| slot_at(span, file, &places.puts);
    if has_code(message, "E0382") {
        return message.spans.iter().filter(|span| span.is_primary).find_map(here).map(|slot| (slot, true));
    }
    // Where one variable borrows from another, the one that has to live longer than it can is the one that borrows.
    let demanding = message
        .spans
        .iter()
        .filter(|span| span.label.as_ref().is_some_and(|label| label.contains("requires that")));
    let all =
        demanding.chain(message.spans.iter().filter(|span| !span.is_primary)).chain(message.spans.iter());
    all.filter_map(here).next().map(|slot| (slot, false))
}

fn has_code(message: &Message, code: &str) -> bool {
    message.code.as_ref().is_some_and(|has| has.code == code)
}

fn slot_at(span: &Span, file: &Path, puts: &BTreeMap<u32, Range<usize>>) -> Option<u32> {
    let mut span = span;
    loop {
        if span.file_name == file {
            let found =
                puts.iter().find(|(_, place)| place.start <= span.byte_start && span.byte_end <= place.end);
            if let Some((slot, _)) = found {
                return Some(*slot);
            }
        }
        span = &span.expansion.as_ref()?.span;
    }
}
