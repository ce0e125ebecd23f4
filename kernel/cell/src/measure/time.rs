//! One run, timed: `%time`. What is under way is remembered on its thread, so that no variable of ours stands among the user's.

use super::json::Object;
use crate::cost;
use crate::outlet::{self, Told};
use std::cell::RefCell;
use std::time::{Duration, Instant};

thread_local! {
    /// What is timed, the innermost last.
    static UNDER_WAY: RefCell<Vec<Begun>> = const { RefCell::new(Vec::new()) };
}

/// Something that is timed.
struct Begun {
    id: u64,
    /// Of the processor's time, in the program and in the system.
    processor: Option<(Duration, Duration)>,
    wall: Instant,
}

/// From here on it is timed.
pub fn begin(id: u64) {
    let processor = cost::times();
    // The wall's clock is read last here and first at the end: so it has nothing but the user's code.
    UNDER_WAY.with_borrow_mut(|all| all.push(Begun { id, processor, wall: Instant::now() }));
}

/// Until here, where `value` is there. Gives it back.
pub fn ended<T>(_begun: (), value: T) -> T {
    end();
    value
}

/// Until here.
pub fn end() {
    let wall = Instant::now();
    finish(wall, true);
}

/// The run is over, and what was timed in it was not: a panic or a `?` ended it.
pub(crate) fn give_up() {
    let wall = Instant::now();
    while finish(wall, false) {}
}

/// Tells the innermost of what is timed, if there is anything.
fn finish(wall: Instant, finished: bool) -> bool {
    let Some(begun) = UNDER_WAY.with_borrow_mut(Vec::pop) else { return false };
    let [user, system] = begun.processor.zip(cost::times()).map_or([0.0; 2], |(before, now)| {
        [now.0.saturating_sub(before.0), now.1.saturating_sub(before.1)].map(|time| time.as_secs_f64())
    });
    let mut object = Object::default();
    object.number("wall", wall.saturating_duration_since(begun.wall).as_secs_f64());
    object.number("user", user).number("system", system).raw("finished", finished);
    outlet::measured(Told::Time, begun.id, &object.end());
    true
}
