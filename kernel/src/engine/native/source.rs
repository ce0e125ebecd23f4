//! Text for the compiler that remembers which of its bytes are the user's.

use assay_magics::plan::Insert;
use std::ops::Range;

/// A source file in the making: pieces of cells, as they were typed, between text of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    text: String,
    /// In the order of the text, without overlaps.
    pieces: Vec<Piece>,
    /// Where text of ours stands that may be left out, and which of the cell's inserts it is.
    optional: Vec<(Range<usize>, usize)>,
}

/// Bytes that a user typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Where they stand here.
    here: Range<usize>,
    cell: u32,
    /// Where they stood in the cell.
    start: usize,
}

/// Something that is inserted into the user's text, or put in the place of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Bytes of the cell; an empty range for an insertion.
    pub(super) range: Range<usize>,
    /// What stands there instead.
    pub(super) text: String,
}

impl Source {
    /// A cell's text as it was typed, with what is inserted into it.
    pub(super) fn of_cell(cell: u32, text: &str, inserts: &[Insert]) -> Self {
        let mut source = Self::default();
        let mut at = 0;
        for (number, insert) in inserts.iter().enumerate() {
            let place = insert.at.clamp(at, text.len());
            source.user(cell, text, at..place);
            let ours = source.ours(&insert.text);
            if insert.optional {
                source.optional.push((ours, number));
            }
            at = place;
        }
        source.user(cell, text, at..text.len());
        source
    }

    /// Text of ours. Gives where it stands.
    pub(super) fn ours(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    /// Another source behind this one.
    pub(super) fn append(&mut self, other: Self) {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        let moved = |piece: Piece| Piece { here: piece.here.start + shift..piece.here.end + shift, ..piece };
        self.pieces.extend(other.pieces.into_iter().map(moved));
        let moved = |(range, number): (Range<usize>, usize)| (range.start + shift..range.end + shift, number);
        self.optional.extend(other.optional.into_iter().map(moved));
    }

    /// Bytes of another source.
    pub(super) fn part(&mut self, of: &Self, bytes: Range<usize>) {
        let shift = self.text.len();
        let within = |range: &Range<usize>| {
            let (start, end) = (range.start.max(bytes.start), range.end.min(bytes.end));
            (start < end).then(|| (start, start - bytes.start + shift..end - bytes.start + shift))
        };
        for piece in &of.pieces {
            if let Some((start, here)) = within(&piece.here) {
                self.pieces.push(Piece {
                    here,
                    cell: piece.cell,
                    start: piece.start + (start - piece.here.start),
                });
            }
        }
        let optional = of.optional.iter().filter_map(|(range, number)| Some((within(range)?.1, *number)));
        self.optional.extend(optional);
        self.text.push_str(&of.text[bytes]);
    }

    /// Bytes of a cell, as they are.
    fn user(&mut self, cell: u32, text: &str, bytes: Range<usize>) {
        if bytes.is_empty() {
            return;
        }
        let here = self.ours(&text[bytes.clone()]);
        self.pieces.push(Piece { here, cell, start: bytes.start });
    }

    /// Bytes of another source with edits, which are in order and do not overlap. An edit at the very end of `bytes` belongs to them.
    pub(super) fn edited(&mut self, of: &Self, bytes: Range<usize>, edits: &[Edit]) {
        let mut at = bytes.start;
        for edit in edits.iter().filter(|edit| edit.range.start >= bytes.start && edit.range.end <= bytes.end)
        {
            self.part(of, at..edit.range.start);
            self.ours(&edit.text);
            at = edit.range.end;
        }
        self.part(of, at..bytes.end);
    }

    /// Bytes of another source of which only the line breaks stay, so that what follows is on the line where the user sees it.
    pub(super) fn blank(&mut self, of: &Self, bytes: Range<usize>) {
        let breaks: String = of.text[bytes].chars().filter(|&c| c == '\n').collect();
        self.ours(&breaks);
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The number of the insert that may be left out and holds these bytes.
    pub(super) fn optional(&self, bytes: &Range<usize>) -> Option<usize> {
        let holds = |range: &Range<usize>| range.start <= bytes.start && bytes.end <= range.end;
        self.optional.iter().find(|(range, _)| holds(range)).map(|(_, number)| *number)
    }

    /// What of these bytes is ours.
    pub(super) fn ours_within(&self, bytes: &Range<usize>) -> Vec<Range<usize>> {
        let (mut ours, mut at) = (Vec::new(), bytes.start);
        for piece in self.pieces.iter().filter(|piece| piece.here.end > bytes.start) {
            ours.push(at..piece.here.start.min(bytes.end));
            at = piece.here.end;
        }
        ours.push(at..bytes.end);
        ours.retain(|range| range.start < range.end);
        ours
    }

    /// The cells that it has pieces of.
    pub(super) fn cells(&self) -> impl Iterator<Item = u32> {
        self.pieces.iter().map(|piece| piece.cell)
    }

    /// What is a cell's own, at the places where it stood there: what is not here of it is missing, or blank between two pieces.
    pub(super) fn users(&self, cell: u32) -> String {
        let mut text = String::new();
        for piece in self.pieces.iter().filter(|piece| piece.cell == cell) {
            let Some(missing) = piece.start.checked_sub(text.len()) else { continue };
            text.extend(std::iter::repeat_n(' ', missing));
            text.push_str(&self.text[piece.here.clone()]);
        }
        text
    }

    /// The bytes of a cell that stand at these bytes. What is ours at one of their ends is left out; what is ours at both is nobody's, and so is
    /// what joins two cells. An empty range lies in the piece that it touches.
    pub(super) fn origin(&self, bytes: &Range<usize>) -> Option<(u32, Range<usize>)> {
        if bytes.is_empty() {
            let piece = self
                .pieces
                .iter()
                .find(|piece| (piece.here.start..=piece.here.end).contains(&bytes.start))?;
            let at = piece.start + (bytes.start - piece.here.start);
            return Some((piece.cell, at..at));
        }
        let touched =
            self.pieces.iter().filter(|piece| piece.here.start < bytes.end && bytes.start < piece.here.end);
        let mut from_end = touched.clone();
        let (first, last) = (touched.clone().next()?, from_end.next_back()?);
        let (from, to) = (bytes.start.max(first.here.start), bytes.end.min(last.here.end));
        let users = from == bytes.start || to == bytes.end;
        let start = first.start + (from - first.here.start);
        let end = last.start + (to - last.here.start);
        (users && first.cell == last.cell && start <= end).then_some((first.cell, start..end))
    }

    /// What of these bytes the user typed.
    pub(super) fn typed_within(&self, bytes: &Range<usize>) -> Vec<Range<usize>> {
        let here = self.pieces.iter().map(|piece| &piece.here);
        let within = here.map(|here| here.start.max(bytes.start)..here.end.min(bytes.end));
        within.filter(|range| range.start < range.end).collect()
    }

    /// The byte at a line and a column in characters, both from 1.
    pub(super) fn byte_at(&self, line: u32, column: u32) -> Option<usize> {
        let mut start = 0;
        for _ in 1..line {
            start += self.text[start..].find('\n')? + 1;
        }
        let rest = self.text[start..].split('\n').next()?;
        let column = usize::try_from(column.max(1) - 1).ok()?;
        Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(byte, _)| byte))
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, Source};
    use assay_magics::plan::Insert;

    fn source() -> Source {
        let cell = "struct é { x: u8 }\nlet y = 1;";
        let mut source = Source::default();
        source.ours("use a;");
        let edits = [Edit { range: 0..0, text: "pub ".into() }, Edit { range: 12..12, text: "pub ".into() }];
        let cell = Source::of_cell(3, cell, &[]);
        source.edited(&cell, 0..19, &edits);
        source.blank(&cell, 19..30);
        source
    }

    #[test]
    fn what_is_the_users_is_known() {
        let source = source();
        assert_eq!(source.text(), "use a;pub struct é { pub x: u8 }\n");
        let check = |text: &str, origin: Option<std::ops::Range<usize>>| {
            let at = source.text().find(text).unwrap();
            assert_eq!(source.origin(&(at..at + text.len())), origin.map(|range| (3, range)), "{text}");
        };
        check("struct", Some(0..6));
        check("x: u8", Some(12..17));
        check("é { pub x", Some(7..13));
        check("pub struct é", Some(0..9));
        check("x: u8 }\n", Some(12..19));
        check("use", None);
        check("pub", None);
        check(source.text(), None);
    }

    #[test]
    fn an_empty_range_is_where_it_touches() {
        let source = source();
        let end = source.text().find('\n').unwrap();
        assert_eq!(source.origin(&(end..end)), Some((3, 19)).map(|(cell, at)| (cell, at..at)));
    }

    #[test]
    fn a_line_and_a_column_are_a_byte() {
        let source = source();
        let at = |line, column| source.byte_at(line, column).map(|byte| &source.text()[byte..]);
        assert_eq!(at(1, 19), Some(" { pub x: u8 }\n"));
        assert_eq!(at(2, 1), Some(""));
        assert_eq!(at(3, 1), None);
    }

    #[test]
    fn what_is_inserted_is_ours_and_what_is_around_it_stays_the_users() {
        let insert = |at, text: &str, optional| Insert { at, text: text.to_owned(), optional };
        let cell = "let a = 1;\n  f(a)  \nfn g() {}";
        let inserts = [insert(13, "time(|| ", false), insert(17, ", w", true), insert(17, ");", false)];
        let text = Source::of_cell(2, cell, &inserts);
        assert_eq!(text.text(), "let a = 1;\n  time(|| f(a), w);  \nfn g() {}");
        let mut source = Source::default();
        source.ours("{ ");
        source.part(&text, 11..text.text().len());
        let at = |what: &str| {
            let at = source.text().find(what).unwrap();
            at..at + what.len()
        };
        assert_eq!(source.origin(&at("f(a)")), Some((2, 13..17)));
        assert_eq!(source.origin(&at("fn g")), Some((2, 20..24)));
        assert_eq!((source.origin(&at("time")), source.origin(&at("w"))), (None, None));
        assert_eq!((source.optional(&at("w")), source.optional(&at("f(a)"))), (Some(1), None));
        let items = text.text().find("fn").unwrap()..text.text().len();
        assert!(text.ours_within(&items).is_empty());
        assert_eq!(text.ours_within(&(11..20)), vec![13..20; 1]);
        assert_eq!(text.typed_within(&(12..22)), [12..13, 21..22]);
    }
}
