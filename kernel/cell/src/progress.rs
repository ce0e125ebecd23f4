//! A bar over any iterator.

mod board;
mod words;

use crate::stop::Region;
use board::{Board, Line};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Shows how far a loop has come: a bar in place, a few times a second.
///
/// ```
/// for item in assay::progress(0..1000) {
///     // …
/// }
/// ```
///
/// An iterator that knows its length gets a bar, any other one a count, unless [`total`](Progress::total) says how much is to come. A loop within the
/// loop shows its bar below, and that goes when the outer one has ended. A loop that is left early says where. An interrupt stops the cell between two items: what it has
/// done until then is kept.
pub fn progress<I: IntoIterator>(items: I) -> Progress<I::IntoIter> {
    let items = items.into_iter();
    let total = match items.size_hint() {
        (least, Some(most)) if least == most => Some(least as u64),
        _ => None,
    };
    Progress { items, label: String::new(), total, bar: Bar::Waits }
}

/// An iterator that shows how far it has come: see [`progress`].
pub struct Progress<I> {
    items: I,
    label: String,
    total: Option<u64>,
    bar: Bar,
}

impl<I> Progress<I> {
    /// The same with words before the bar.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same with the number of items that are to be expected.
    #[must_use]
    pub fn total(mut self, items: u64) -> Self {
        self.total = Some(items);
        self
    }

    /// Someone wants an item: then the one before is done, and the cell can stop.
    fn pull<T>(&mut self, pull: impl FnOnce(&mut I) -> Option<T>) -> Option<T> {
        if let Bar::Waits = self.bar {
            self.bar = Bar::begin(std::mem::take(&mut self.label), self.total);
        }
        self.bar.done();
        self.bar.look();
        let item = pull(&mut self.items);
        match item {
            Some(_) => self.bar.given(),
            None => self.bar.finish(),
        }
        item
    }
}

impl<I: Iterator> Iterator for Progress<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.pull(Iterator::next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for Progress<I> {
    fn next_back(&mut self) -> Option<I::Item> {
        self.pull(DoubleEndedIterator::next_back)
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Progress<I> {}

impl<I> fmt::Debug for Progress<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.bar {
            Bar::Runs { line, .. } => f.write_str(&words::text(&line.state())),
            Bar::Waits => f.write_str("progress that has not begun"),
            Bar::Over => f.write_str("progress that is over"),
        }
    }
}

impl<I> Drop for Progress<I> {
    fn drop(&mut self) {
        self.bar.stop();
    }
}

/// The part of [`Progress`] that is compiled once.
enum Bar {
    /// Nothing was asked of the iterator yet.
    Waits,
    Runs {
        line: Arc<Line>,
        board: Arc<Board>,
        /// When it is to be drawn again.
        due: Instant,
        /// Whether an item is being worked on.
        busy: bool,
        /// Between two items the cell can stop.
        region: Region,
    },
    Over,
}

impl Bar {
    fn begin(label: String, total: Option<u64>) -> Self {
        let line = Arc::new(Line::new(label, total));
        let board = board::enter(&line);
        Self::Runs { line, board, due: Instant::now() + board::PERIOD, busy: false, region: Region::enter() }
    }

    fn given(&mut self) {
        if let Self::Runs { busy, .. } = self {
            *busy = true;
        }
    }

    fn done(&mut self) {
        let Self::Runs { line, board, due, busy, .. } = self else { return };
        if !std::mem::replace(busy, false) {
            return;
        }
        line.step();
        let now = Instant::now();
        if now >= *due {
            board.draw_now_and_then(now);
            *due = now + board::PERIOD;
        }
    }

    /// Does not return if the cell is to end.
    fn look(&mut self) {
        if let Self::Runs { region, .. } = self {
            region.look();
        }
    }

    fn finish(&mut self) {
        if let Self::Runs { line, board, .. } = std::mem::replace(self, Self::Over) {
            board.leave(&line, words::End::All);
        }
    }

    fn stop(&mut self) {
        if let Self::Runs { line, board, busy, .. } = std::mem::replace(self, Self::Over) {
            board.leave(&line, if busy { words::End::Within } else { words::End::Early });
        }
    }
}

#[cfg(test)]
mod tests;
