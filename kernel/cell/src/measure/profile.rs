//! Code that is watched while it runs: `%prun` and its kin. The process watches; this tells it where the code begins and ends.

use super::calls;
use crate::{outlet, stop};
use std::cell::Cell;
use std::time::{Duration, Instant};

thread_local! {
    /// The magic whose code is watched on this thread.
    static UNDER_WAY: Cell<Option<u64>> = const { Cell::new(None) };
}

/// From here on it is watched.
pub fn begin(id: u64) {
    if !outlet::connected() {
        // In a program of its own nobody watches.
        return;
    }
    calls::begin();
    if outlet::watch_begins(id) {
        UNDER_WAY.set(Some(id));
    }
}

/// Until here, where `value` is there. Gives it back.
pub fn ended<T>(_begun: (), value: T) -> T {
    end();
    value
}

/// Until here.
pub fn end() {
    finish(true, 1);
}

/// The run is over, and what was watched in it was not: a panic or a `?` ended it.
pub(crate) fn give_up() {
    finish(false, 0);
}

fn finish(finished: bool, runs: u64) {
    if let Some(id) = UNDER_WAY.take() {
        outlet::watch_ends(id, finished, runs, &calls::end());
    }
}

/// Code that is watched again and again, until enough is seen of it.
pub struct Turns {
    id: u64,
    enough: Duration,
    began: Option<Instant>,
    /// How often it has begun to run.
    runs: u64,
    /// The clock is looked at when there have been so many runs: to look costs more than short code takes.
    look: u64,
}

/// Turns for the magic of this number, for so many seconds.
pub fn turns(id: u64, seconds: f64) -> Turns {
    let enough = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Turns { id, enough, began: None, runs: 0, look: 1 }
}

impl Turns {
    /// Whether the code runs once more.
    #[inline]
    pub fn again(&mut self) -> bool {
        if self.runs >= self.look || self.runs == 0 {
            return self.looked();
        }
        self.runs += 1;
        true
    }

    #[cold]
    fn looked(&mut self) -> bool {
        let Some(began) = self.began else {
            begin(self.id);
            (self.began, self.runs) = (Some(Instant::now()), 1);
            return true;
        };
        let spent = began.elapsed();
        if spent >= self.enough || stop::requested() {
            finish(true, self.runs);
            return false;
        }
        // So that there are some hundred looks in all.
        let share = self.enough.as_secs_f64() / 100.0 / spent.as_secs_f64().max(1e-9);
        self.look = self.runs + ((self.runs as f64 * share) as u64).clamp(1, self.runs.max(1));
        self.runs += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn there_is_one_turn_where_none_is_asked_for() {
        let mut turns = turns(0, 0.0);
        assert_eq!([turns.again(), turns.again()], [true, false]);
        assert_eq!(turns.runs, 1);
    }

    #[test]
    fn the_clock_is_looked_at_ever_more_seldom() {
        let mut turns = turns(0, 1e9);
        assert!((0..100_000).all(|_| turns.again()));
        assert!(turns.look >= 100_000);
        assert!(turns.look <= 200_000);
    }
}
