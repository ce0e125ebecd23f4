//! How much text a cell shows: its beginning up to a limit and, when it ends, its last lines behind a notice of what was left out. A state
//! machine without a clock or a socket: text goes in, and what is to be shown comes out. What it keeps is bounded, however much is printed.

#[cfg(test)]
mod tests;

use super::event::StreamName;
use bytesize::ByteSize;
use std::collections::VecDeque;

/// The limit if nobody chose one, in bytes of both streams together. Jupyter Server lets 3 MB through in three seconds, begins to count anew
/// with each cell, and drops what is more: half a megabyte passes even where JSON writes six characters for one. And a page has to be drawn:
/// JupyterLab 4.6 on two cores stood still for 0.8 s over 500 kB of short lines, for 4 s over 1 MB, for 8 s over 2 MB.
pub(crate) const USUAL: usize = 500_000;

/// How much of the end of each stream is kept, in bytes: a few screens of it.
const TAIL: usize = 8_000;

/// How much of the room below the limit is given up so that the beginning ends with a line, in bytes.
const LINE: usize = 2_000;

/// How much of what is held back is shown before displays, in bytes, so that text and pictures keep their order. A loop of displays must
/// not lift the limit: beyond this they come before the text that was printed before them.
const BEFORE_DISPLAYS: usize = 250_000;

/// Text that is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) name: StreamName,
    pub(crate) text: String,
}

/// The text of one cell, and of the threads that go on after it.
#[derive(Debug)]
pub(crate) struct Cap {
    /// In bytes; none if everything is shown.
    limit: Option<usize>,
    /// What was shown below the limit, in bytes.
    shown: usize,
    /// Whether the limit has been reached. It is not left again: a short line must not overtake a long one.
    full: bool,
    /// Whether the user knows that text is held back.
    said: bool,
    /// Whether the cell has ended.
    ended: bool,
    /// The streams on which the last line has no end yet.
    unfinished: [bool; 2],
    held: Held,
    /// What is left for text before displays, in bytes.
    before_displays: usize,
}

impl Cap {
    /// The cap of a cell that has shown nothing.
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self {
            limit,
            shown: 0,
            full: false,
            said: false,
            ended: false,
            unfinished: [false; 2],
            held: Held::new(limit.map_or(TAIL, |limit| limit.min(TAIL))),
            before_displays: BEFORE_DISPLAYS,
        }
    }

    /// Text is printed.
    pub(crate) fn print(&mut self, name: StreamName, mut text: String) -> Vec<Text> {
        let mut shown = Vec::new();
        if !self.full {
            let cut = self.cut(name, &text);
            let rest = cut.map(|cut| text.split_off(cut));
            self.shown += text.len();
            if !text.is_empty() {
                shown.push(self.show(name, text));
            }
            let Some(rest) = rest else { return shown };
            self.full = true;
            text = rest;
        }
        if text.is_empty() {
            return shown;
        }
        if !self.said {
            shown.push(self.holds_back());
            self.said = true;
        }
        self.held.keep(name, text);
        shown
    }

    /// A display comes: what belongs before it.
    pub(crate) fn display(&mut self) -> Vec<Text> {
        let size = self.held.size();
        if size > self.before_displays {
            return Vec::new();
        }
        self.before_displays -= size;
        self.rest()
    }

    /// The output is cleared, or will be when the next one comes: what belongs before that. What comes then is counted anew.
    pub(crate) fn clear(&mut self, wait: bool) -> Vec<Text> {
        // Nothing may come any more, and then what was printed stays.
        let shown = if wait { self.rest() } else { Vec::new() };
        *self = Self { ended: self.ended, ..Self::new(self.limit) };
        shown
    }

    /// The end of what was held back, behind a notice of what is missing.
    pub(crate) fn rest(&mut self) -> Vec<Text> {
        if self.held.is_empty() {
            return Vec::new();
        }
        let anew = Held::new(self.held.most);
        let (left_out, last) = std::mem::replace(&mut self.held, anew).end();
        let mut shown = vec![self.leaves_out(left_out)];
        shown.extend(last.into_iter().map(|Text { name, text }| self.show(name, text)));
        shown
    }

    /// The cell has ended; threads may go on.
    pub(crate) fn end(&mut self) -> Vec<Text> {
        self.ended = true;
        let shown = self.rest();
        self.said = false;
        shown
    }

    /// Another cell begins: what belongs to the last one.
    pub(crate) fn enter(&mut self) -> Vec<Text> {
        let rest = self.rest();
        *self = Self::new(self.limit);
        rest
    }

    /// From now on this is the limit.
    pub(crate) fn change(&mut self, limit: Option<usize>) -> Vec<Text> {
        if limit == self.limit {
            return Vec::new();
        }
        let rest = self.rest();
        let Self { shown, ended, unfinished, .. } = *self;
        *self = Self { shown, ended, unfinished, ..Self::new(limit) };
        rest
    }

    /// Where text is cut so that it does not exceed the limit: at the end of a line if there is one near. None if all of it may be shown.
    fn cut(&self, name: StreamName, text: &str) -> Option<usize> {
        let room = self.limit?.saturating_sub(self.shown);
        if text.len() <= room {
            return None;
        }
        let most = text.floor_char_boundary(room);
        let line_end = match text[..most].rfind('\n') {
            Some(newline) => Some(newline + 1),
            None => (!self.unfinished[name as usize]).then_some(0),
        };
        Some(line_end.filter(|end| most - end <= LINE).unwrap_or(most))
    }

    fn show(&mut self, name: StreamName, text: String) -> Text {
        self.unfinished[name as usize] = !text.ends_with('\n');
        Text { name, text }
    }

    fn holds_back(&mut self) -> Text {
        let limit = ByteSize::b(self.limit.unwrap_or_default() as u64).display().si();
        let until = if self.ended { "until the next cell begins" } else { "until the cell ends" };
        self.notice(&format!("the output is longer than {limit}: the rest is held back {until}"))
    }

    fn leaves_out(&mut self, amount: Amount) -> Text {
        if amount.bytes == 0 {
            return self.notice("here it goes on: nothing was left out");
        }
        let size = ByteSize::b(amount.bytes as u64).display().si();
        let what = match amount.lines {
            0 => format!("{size} of a line were left out"),
            1 => format!("1 line ({size}) was left out"),
            lines => format!("{lines} lines ({size}) were left out"),
        };
        self.notice(&format!(
            "{what}. `%config output_limit=off` (or a size, as 10MB) shows all, `%%capture out` keeps all in a variable, a file takes any amount"
        ))
    }

    /// A line of its own, wherever the streams are.
    fn notice(&mut self, words: &str) -> Text {
        let newline = if self.unfinished.contains(&true) { "\n" } else { "" };
        self.unfinished = [false; 2];
        Text { name: StreamName::Stderr, text: format!("{newline}[assay: {words}]\n") }
    }
}

/// How much text is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    lines: usize,
    bytes: usize,
}

impl Amount {
    fn add(&mut self, text: &str) {
        self.lines += text.bytes().filter(|byte| *byte == b'\n').count();
        self.bytes += text.len();
    }
}

/// Text that is held back: of each stream the last, so that the many lines of one do not cost the few of the other.
#[derive(Debug)]
struct Held {
    /// How much is kept of each stream, in bytes.
    most: usize,
    tails: [Tail; 2],
    left_out: Amount,
    /// The stream of the last text, and how often it has changed: text in order is text by this number.
    last: StreamName,
    changes: u64,
}

impl Held {
    fn new(most: usize) -> Self {
        Self {
            most,
            tails: Default::default(),
            left_out: Amount::default(),
            last: StreamName::Stdout,
            changes: 0,
        }
    }

    /// Of both streams, in bytes: at most four times what is kept of one.
    fn size(&self) -> usize {
        self.tails.iter().map(|tail| tail.bytes).sum()
    }

    fn keep(&mut self, name: StreamName, text: String) {
        self.changes += u64::from(self.last != name);
        self.last = name;
        self.tails[name as usize].push(self.changes, text, self.most, &mut self.left_out);
    }

    /// Whether nothing was held back at all. A limit that no character fits into leaves everything out, and keeps nothing.
    fn is_empty(&self) -> bool {
        self.size() == 0 && self.left_out.bytes == 0
    }

    /// What is missing, and the last lines in order.
    fn end(mut self) -> (Amount, Vec<Text>) {
        let mut last = Vec::new();
        for (name, mut tail) in [StreamName::Stdout, StreamName::Stderr].into_iter().zip(self.tails) {
            tail.shorten(self.most, &mut self.left_out);
            last.extend(tail.pieces.into_iter().map(|(order, text)| (order, Text { name, text })));
        }
        last.retain(|(_, text)| !text.text.is_empty());
        last.sort_by_key(|(order, _)| *order);
        (self.left_out, last.into_iter().map(|(_, text)| text).collect())
    }
}

/// The last text of one stream.
#[derive(Debug, Default)]
struct Tail {
    /// With the numbers of their order.
    pieces: VecDeque<(u64, String)>,
    bytes: usize,
    /// Whether something before the pieces is missing that ended in the middle of a line.
    torn: bool,
}

impl Tail {
    /// Takes text, and gives up what is not needed any more for the last `most` bytes.
    fn push(&mut self, order: u64, text: String, most: usize, left_out: &mut Amount) {
        let cut = text.ceil_char_boundary(text.len().saturating_sub(most));
        let text = if cut == 0 {
            text
        } else {
            while self.give_up_first(left_out) {}
            self.leave_out(&text[..cut], left_out);
            // A copy, which does not hold the memory of all of it.
            text[cut..].to_owned()
        };
        self.bytes += text.len();
        match self.pieces.back_mut() {
            // Many small ones are one.
            Some((before, piece)) if *before == order && piece.len() + text.len() <= most / 8 => {
                piece.push_str(&text);
            }
            _ => self.pieces.push_back((order, text)),
        }
        while self.pieces.front().is_some_and(|(_, first)| self.bytes - first.len() >= most) {
            self.give_up_first(left_out);
        }
    }

    /// Leaves `most` bytes, and whole lines if something is missing before them.
    fn shorten(&mut self, most: usize, left_out: &mut Amount) {
        self.cut_first(self.bytes.saturating_sub(most), left_out);
        while self.torn && self.has_another_line() {
            let first = self.pieces.front().map_or("", |(_, first)| first);
            let line = first.find('\n').map_or(first.len(), |newline| newline + 1);
            self.cut_first(line, left_out);
        }
    }

    /// Whether text stands behind the end of the first line.
    fn has_another_line(&self) -> bool {
        let text = self.pieces.iter().flat_map(|(_, piece)| piece.bytes());
        text.skip_while(|byte| *byte != b'\n').nth(1).is_some()
    }

    /// Gives up at least so many bytes of the first piece.
    fn cut_first(&mut self, bytes: usize, left_out: &mut Amount) {
        if bytes == 0 {
            return;
        }
        let Some((order, mut first)) = self.pieces.pop_front() else { return };
        let rest = first.split_off(first.ceil_char_boundary(bytes));
        self.bytes -= first.len();
        self.leave_out(&first, left_out);
        if !rest.is_empty() {
            self.pieces.push_front((order, rest));
        }
    }

    /// False if there is none.
    fn give_up_first(&mut self, left_out: &mut Amount) -> bool {
        let Some((_, first)) = self.pieces.pop_front() else { return false };
        self.bytes -= first.len();
        self.leave_out(&first, left_out);
        true
    }

    fn leave_out(&mut self, text: &str, left_out: &mut Amount) {
        left_out.add(text);
        self.torn = !text.ends_with('\n');
    }
}
