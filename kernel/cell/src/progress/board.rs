//! Where bars are drawn: loops within each other on one thread share a board, which is one display.

use super::words::{self, End, State};
use crate::content::Bundle;
use crate::display::Handle;
use crate::{outlet, run};
use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long nothing is drawn anew: a person reads no faster, and a page that is saved holds the last state alone.
pub(super) const PERIOD: Duration = Duration::from_millis(250);

thread_local! {
    /// The board on which this thread's loops are drawn.
    static LATEST: RefCell<Weak<Board>> = const { RefCell::new(Weak::new()) };
}

/// One loop. Its items are counted without a lock.
pub(super) struct Line {
    label: String,
    total: Option<u64>,
    began: Instant,
    done: AtomicU64,
    /// How it ended, and after how long.
    end: Mutex<Option<(End, Duration)>>,
}

/// A display with the lines of loops within each other, the outermost first.
pub(super) struct Board {
    /// The run that began it: a loop of a later cell has a board of its own.
    run: u64,
    handle: Handle,
    sheet: Mutex<Sheet>,
}

struct Sheet {
    lines: Vec<Arc<Line>>,
    drawn: Option<Instant>,
}

impl Line {
    pub(super) fn new(label: String, total: Option<u64>) -> Self {
        Self { label, total, began: Instant::now(), done: AtomicU64::new(0), end: Mutex::new(None) }
    }

    /// An item is done.
    pub(super) fn step(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn state(&self) -> State {
        let end = *lock(&self.end);
        State {
            label: self.label.clone(),
            done: self.done.load(Ordering::Relaxed),
            total: self.total,
            elapsed: end.map_or_else(|| self.began.elapsed(), |(_, elapsed)| elapsed),
            end: end.map(|(end, _)| end),
        }
    }

    fn runs(&self) -> bool {
        lock(&self.end).is_none()
    }
}

/// Puts a line on this thread's board: that of the loop that it is in, or a new one.
pub(super) fn enter(line: &Arc<Line>) -> Arc<Board> {
    // A thread that is ending has no board any more.
    let latest = LATEST.try_with(|latest| latest.borrow().upgrade()).ok().flatten();
    if let Some(board) = latest.filter(|board| board.takes(line)) {
        return board;
    }
    let sheet = Mutex::new(Sheet { lines: vec![Arc::clone(line)], drawn: None });
    let board = Arc::new(Board { run: run::number(), handle: Handle::new(), sheet });
    let _ = LATEST.try_with(|latest| latest.replace(Arc::downgrade(&board)));
    board.draw(&mut lock(&board.sheet), Instant::now());
    board
}

impl Board {
    /// Takes a line in, if a loop runs that it is in.
    fn takes(&self, line: &Arc<Line>) -> bool {
        let mut sheet = lock(&self.sheet);
        if self.run != run::number() || !sheet.lines.iter().any(|line| line.runs()) {
            return false;
        }
        // The inner loop of the round before makes room.
        while sheet.lines.last().is_some_and(|last| !last.runs()) {
            sheet.lines.pop();
        }
        sheet.lines.push(Arc::clone(line));
        true
    }

    /// Draws if another loop of the board has not just done so.
    pub(super) fn draw_now_and_then(&self, now: Instant) {
        let mut sheet = lock(&self.sheet);
        if sheet.drawn.is_none_or(|drawn| now.saturating_duration_since(drawn) >= PERIOD) {
            self.draw(&mut sheet, now);
        }
    }

    /// A line's loop has ended.
    pub(super) fn leave(&self, line: &Arc<Line>, end: End) {
        *lock(&line.end) = Some((end, line.began.elapsed()));
        let mut sheet = lock(&self.sheet);
        let outermost = sheet.lines.first().is_some_and(|first| Arc::ptr_eq(first, line));
        if outermost {
            let mut rest = sheet.lines.split_off(1);
            rest.retain(|inner| inner.runs());
            sheet.lines.append(&mut rest);
        }
        // The last state is always drawn.
        if outermost || !sheet.lines.iter().any(|line| line.runs()) {
            self.draw(&mut sheet, Instant::now());
        }
    }

    fn draw(&self, sheet: &mut Sheet, now: Instant) {
        let states: Vec<State> = sheet.lines.iter().map(|line| line.state()).collect();
        let first = sheet.drawn.replace(now).is_none();
        if !outlet::connected() {
            return print(&states);
        }
        let texts: Vec<String> = states.iter().map(words::text).collect();
        let bundle =
            Bundle::new().text(texts.join("\n")).html(states.iter().map(words::html).collect::<String>());
        if first { self.handle.show(&bundle) } else { self.handle.replace(&bundle) }
    }
}

/// In a program of its own the innermost loop that runs is a line of the terminal, and where there is none only the end is told.
fn print(states: &[State]) {
    let mut stderr = std::io::stderr().lock();
    let running = states.iter().rev().find(|state| state.end.is_none());
    let text = match running {
        Some(state) if stderr.is_terminal() => format!("\r\x1b[K{}", words::text(state)),
        Some(_) => return,
        None => {
            let begin = if stderr.is_terminal() { "\r\x1b[K" } else { "" };
            states.iter().map(|state| format!("{begin}{}\n", words::text(state))).collect()
        }
    };
    // Without standard error there is nowhere to draw.
    let _ = stderr.write_all(text.as_bytes());
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Board, Line, enter};
    use crate::progress::words::End;
    use crate::run;
    use std::sync::Arc;

    fn line(label: &str) -> Arc<Line> {
        Arc::new(Line::new(label.to_owned(), None))
    }

    fn labels(board: &Board) -> Vec<String> {
        super::lock(&board.sheet).lines.iter().map(|line| line.label.clone()).collect()
    }

    #[test]
    fn a_loop_within_a_loop_is_a_line_below_and_goes_with_it() {
        let _turn = run::alone();
        let (outer, first, second) = (line("outer"), line("first"), line("second"));
        let board = enter(&outer);
        assert!(Arc::ptr_eq(&board, &enter(&first)));
        assert_eq!(labels(&board), ["outer", "first"]);
        board.leave(&first, End::All);
        assert_eq!(labels(&board), ["outer", "first"]);
        enter(&second);
        assert_eq!(labels(&board), ["outer", "second"]);
        board.leave(&second, End::Within);
        board.leave(&outer, End::All);
        assert_eq!(labels(&board), ["outer"]);
    }

    #[test]
    fn a_loop_after_a_loop_has_a_board_of_its_own() {
        let _turn = run::alone();
        let one = line("one");
        let board = enter(&one);
        board.leave(&one, End::All);
        assert!(!Arc::ptr_eq(&board, &enter(&line("other"))));
    }

    #[test]
    fn a_loop_that_outlives_the_one_around_it_stays() {
        let _turn = run::alone();
        let (outer, inner) = (line("outer"), line("inner"));
        let board = enter(&outer);
        enter(&inner);
        board.leave(&outer, End::Early);
        assert_eq!(labels(&board), ["outer", "inner"]);
        assert!(Arc::ptr_eq(&board, &enter(&line("next"))));
    }
}
