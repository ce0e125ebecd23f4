//! How much was live over time, in a bounded number of points. Time is divided into parts of the same length; of each are kept what was live as it was entered, the least, the most, and the last.
//! Whenever they are all in use, each two become one.

use super::mapped::{Mapped, Plain};

/// The most parts: a chart is not much wider in points of the screen, and half of them are in use at least after a short while.
const PARTS: usize = 512;

/// The length of a part at first: 2 to this power, in ticks.
const FIRST: u32 = 8;

/// When, in ticks, and how much was live, in bytes.
type Point = (u64, i64);

#[derive(Clone, Copy)]
struct Part {
    /// Whether there was any change.
    used: bool,
    /// The first change, with what was live before it.
    first: Point,
    least: Point,
    most: Point,
    last: Point,
}

// SAFETY: numbers and a flag may be zero.
#[expect(unsafe_code, reason = "see `Plain`")]
unsafe impl Plain for Part {}

pub(super) struct Timeline {
    parts: Mapped<Part>,
    length: u32,
}

impl Timeline {
    /// None if there is no memory.
    pub(super) fn new() -> Option<Self> {
        Some(Self { parts: Mapped::of(PARTS)?, length: FIRST })
    }

    /// What was live has changed.
    pub(super) fn note(&mut self, at: u64, before: i64, after: i64) {
        let mut index = at >> self.length;
        while index >= PARTS as u64 {
            self.halve();
            index = at >> self.length;
        }
        let now = (at, after);
        let one = Part { used: true, first: (at, before), least: now, most: now, last: now };
        let part = &mut self.parts[index as usize];
        *part = part.and(one);
    }

    fn halve(&mut self) {
        for index in 0..PARTS {
            self.parts[index] = match self.parts.get(2 * index..2 * index + 2) {
                Some([earlier, later]) => earlier.and(*later),
                _ => Part { used: false, ..self.parts[index] },
            };
        }
        self.length += 1;
    }

    /// The points, from the first tick to this one; times are given by `nanoseconds`.
    pub(super) fn points(&self, end: Point, nanoseconds: impl Fn(u64) -> u64) -> Vec<Point> {
        let mut points: Vec<Point> = vec![(0, 0)];
        for part in self.parts.iter().filter(|part| part.used) {
            let mut extremes = [part.least, part.most];
            extremes.sort_unstable();
            let entered = points.last().map_or(part.first, |last| (part.first.0, last.1));
            let all = [entered, part.first, extremes[0], extremes[1], part.last];
            all.into_iter().for_each(|point| add(&mut points, point));
        }
        add(&mut points, end);
        points.into_iter().map(|(at, live)| (nanoseconds(at), live)).collect()
    }
}

/// Adds a point, unless it is there. One between two of the same height is not needed.
fn add(points: &mut Vec<Point>, point: Point) {
    match points.as_slice() {
        [.., last] if *last == point => return,
        [.., earlier, last] if earlier.1 == point.1 && last.1 == point.1 => {
            points.pop();
        }
        _ => {}
    }
    points.push(point);
}

impl Part {
    /// Both, the other one being the later.
    fn and(self, later: Self) -> Self {
        match (self.used, later.used) {
            (false, _) => later,
            (true, false) => self,
            (true, true) => Self {
                used: true,
                first: self.first,
                least: if later.least.1 < self.least.1 { later.least } else { self.least },
                most: if later.most.1 > self.most.1 { later.most } else { self.most },
                last: later.last,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PARTS, Timeline};

    fn points(changes: &[(u64, i64)], end: u64) -> Vec<(u64, i64)> {
        let (mut timeline, mut live) = (Timeline::new().unwrap(), 0);
        for (at, change) in changes {
            timeline.note(*at, live, live + change);
            live += change;
        }
        timeline.points((end, live), |tick| tick)
    }

    #[test]
    fn a_few_changes_are_all_there() {
        assert_eq!(points(&[], 9), [(0, 0), (9, 0)]);
        let far = 1_000_000_000;
        assert_eq!(
            points(&[(1000, 5), (far, -7)], 2 * far),
            [(0, 0), (1000, 0), (1000, 5), (far, 5), (far, -2), (2 * far, -2)]
        );
        assert_eq!(points(&[(3, 5), (4, -5)], 8), [(0, 0), (3, 0), (3, 5), (4, 0), (8, 0)]);
    }

    #[test]
    fn of_many_the_extremes_are_there() {
        let mut changes = Vec::new();
        for step in 0..1_000_000_u64 {
            let spike = match step {
                123_456 => 1_000_000,
                123_457 => -1_000_000,
                777_777 => -5_000_000,
                777_778 => 5_000_000,
                _ if step % 2 == 0 => 10,
                _ => -10,
            };
            changes.push((step * 100, spike));
        }
        let points = points(&changes, 100_000_000);
        assert!(points.len() <= 5 * PARTS, "{}", points.len());
        assert!(points.len() >= PARTS, "{}", points.len());
        assert!(points.is_sorted_by_key(|point| point.0));
        // 123,456 is even and 777,777 is odd: each takes the place of a change by ten.
        assert!(points.contains(&(12_345_600, 1_000_000)));
        assert!(points.contains(&(77_777_700, -4_999_990)), "{:?}", points.iter().map(|point| point.1).min());
    }
}
