//! Axes: from figures to pixels, and the few figures that are written beside them.
//!
//! plotters' own axes are not used: they write labels over each other, and their search for ticks need not end.

use super::font;
use super::picture::{Label, Picture, Side};
use super::theme::{GRID, RULE, TEXT, kept_within, solid};
use crate::units::{self, Quantity};

/// Space between two labels on one axis, in pixels.
const GAP: f64 = 14.0;

/// An axis whose ends are finite and apart, so that nothing drawn along it can fail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Where `low` and `high` are, in pixels.
    from: f64,
    to: f64,
}

/// A place on an axis with a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// In pixels.
    pub(super) at: f64,
    pub(super) text: String,
}

impl Axis {
    /// An axis of equal steps from `low` to `high`, widened where they are too close to tell figures between them apart.
    pub(super) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let least = (low.abs().max(high.abs()) * 1e-6).max(1e-15);
        let lack = (least - (high - low)).max(0.0) / 2.0;
        Self { low: low - lack, high: high + lack, logarithmic: false, from, to }
    }

    /// An axis on which a factor has the same length everywhere. Both ends are above zero.
    pub(super) fn logarithmic((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let low = low.max(1e-20);
        let high = high.max(low * 1.2);
        Self { low, high, logarithmic: true, from, to }
    }

    /// Whether a factor has the same length everywhere.
    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Where `value` is, in pixels; what lies beyond an end is at that end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let part = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part * (self.to - self.from)
    }

    /// The same axis elsewhere: `pixels` are those of its ends.
    pub(super) fn between(self, (from, to): (f64, f64)) -> Self {
        Self { from, to, ..self }
    }

    /// The figures at its ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Where the axis begins and ends, in pixels.
    pub(super) fn pixels(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// As many ticks as there is room for: side by side, or above each other on an upright axis. A linear axis has one unit.
    pub(super) fn ticks(&self, quantity: Quantity) -> Vec<Tick> {
        let unit = quantity.unit(self.low.abs().max(self.high.abs()));
        if self.logarithmic && self.spans_factors() {
            let set = |fineness| match quantity {
                Quantity::Seconds => self.powers_of_ten(fineness),
                Quantity::Bytes => self.powers_of_two(fineness),
            };
            return self.sparse(|fineness| (0.0, set(fineness)), |value, _| quantity.show(value));
        }
        let in_unit = |fineness: usize| {
            let (step, values) = steps(self.low * unit.per_base, self.high * unit.per_base, fineness);
            (step, values.into_iter().map(|value| value / unit.per_base).collect())
        };
        self.sparse(in_unit, |value, step| format!("{} {}", grouped(value * unit.per_base, step), unit.sign))
    }

    /// Ticks that are bare numbers.
    pub(super) fn counts(&self) -> Vec<Tick> {
        let write = |value: f64, step| {
            if value < 1e7 { grouped(value, step) } else { power(value) }
        };
        if self.logarithmic && self.spans_factors() {
            return self.sparse(|fineness| (0.0, self.powers_of_ten(fineness)), write);
        }
        self.sparse(|fineness| steps(self.low, self.high, fineness), write)
    }

    /// The finest of the tick sets `of(0)`, `of(1)`, … whose labels stay apart. A set is its step and its values.
    fn sparse(&self, of: impl Fn(usize) -> (f64, Vec<f64>), write: impl Fn(f64, f64) -> String) -> Vec<Tick> {
        let tick = |step, value: f64| Tick { at: self.at(value), text: write(value, step) };
        let mut last = Vec::new();
        for fineness in 0..12 {
            let (step, values) = of(fineness);
            let ticks: Vec<Tick> = values.into_iter().map(|value| tick(step, value)).collect();
            if ticks.len() >= 2 || last.is_empty() {
                last = ticks;
            }
            if last.len() <= 2 || self.is_readable(&last) {
                break;
            }
        }
        self.without_overlaps(last)
    }

    fn is_readable(&self, ticks: &[Tick]) -> bool {
        ticks.len() <= 9 && self.without_overlaps(ticks.to_vec()).len() == ticks.len()
    }

    fn without_overlaps(&self, ticks: Vec<Tick>) -> Vec<Tick> {
        let mut kept: Vec<Tick> = Vec::new();
        for tick in ticks {
            if kept.last().is_none_or(|last| self.are_apart(last, &tick)) {
                kept.push(tick);
            }
        }
        kept
    }

    fn are_apart(&self, one: &Tick, other: &Tick) -> bool {
        let room = if self.is_upright() {
            2.2 * TEXT
        } else {
            (font::width(&one.text, TEXT) + font::width(&other.text, TEXT)) / 2.0 + GAP
        };
        (one.at - other.at).abs() >= room
    }

    /// y grows downwards, so an upright axis runs from a larger pixel to a smaller one.
    fn is_upright(&self) -> bool {
        self.to < self.from
    }

    /// Whether there are enough powers between the ends; else equal steps serve better, on a logarithmic axis too.
    fn spans_factors(&self) -> bool {
        self.high / self.low >= 8.0
    }

    /// 1, 2 and 5 of each power of ten, then 1 and 3, then the powers alone, then every second, third, … of them.
    fn powers_of_ten(&self, fineness: usize) -> Vec<f64> {
        let (every, parts): (i32, &[f64]) = match fineness {
            0 => (1, &[1.0, 2.0, 5.0]),
            1 => (1, &[1.0, 3.0]),
            coarser => (1 << (coarser - 2), &[1.0]),
        };
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let powers = powers.filter(|power| power.rem_euclid(every) == 0);
        let values = powers.flat_map(|power| parts.iter().map(move |part| part * 10_f64.powi(power)));
        values.filter(|value| self.holds(*value)).collect()
    }

    /// Each power of two, then every second, fifth, tenth, …: a thousand and twenty-four is a unit of memory.
    fn powers_of_two(&self, fineness: usize) -> Vec<f64> {
        let every = if fineness < 2 { 1 + fineness as i32 } else { 5 << (fineness - 2) };
        let powers = self.low.log2().floor() as i32..=self.high.log2().ceil() as i32;
        let powers = powers.filter(|power| power.rem_euclid(every) == 0);
        powers.map(|power| 2_f64.powi(power)).filter(|value| self.holds(*value)).collect()
    }

    /// Whether `value` is on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        value >= self.low && value <= self.high
    }
}

/// Steps of 1, 2 or 5 times a power of ten, twelve at first and fewer with each next `fineness`: the step and its
/// multiples between `low` and `high`.
fn steps(low: f64, high: f64, fineness: usize) -> (f64, Vec<f64>) {
    let rough = (high - low) / 12.0;
    let power = rough.log10().floor();
    let mut index =
        [1.0, 2.0, 5.0].iter().position(|part| part * 10_f64.powf(power) >= rough).unwrap_or(3) + fineness;
    let mut power = power as i32;
    power += (index / 3) as i32;
    index %= 3;
    let part = [1.0, 2.0, 5.0][index];
    // Dividing by a power is exact where multiplying by its inverse is not: 0.3 and not 0.30000000000000004.
    let times = |count: f64| {
        if power < 0 { count * part / 10_f64.powi(-power) } else { count * part * 10_f64.powi(power) }
    };
    let step = times(1.0);
    let slack = (high - low) * 1e-9;
    let (first, last) = (((low - slack) / step).ceil(), ((high + slack) / step).floor());
    // Bounded whatever the figures are.
    let count = (last - first).clamp(-1.0, 30.0) as i32;
    (step, (0..=count).map(|index| times(first + f64::from(index))).collect())
}

/// `value` with as many decimals as `step` has, or as it has itself where there is no step.
fn grouped(value: f64, step: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let step = if step > 0.0 { step } else { value };
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), units::count);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { "−" } else { "" };
    format!("{sign}{whole}{point}{rest}")
}

/// `2×10⁹`.
fn power(value: f64) -> String {
    let exponent = value.log10().floor();
    let mantissa = units::significant(value / 10_f64.powf(exponent), 3);
    let raised: String = format!("{exponent}").chars().map(superscript).collect();
    if mantissa == "1" { format!("10{raised}") } else { format!("{mantissa}×10{raised}") }
}

fn superscript(digit: char) -> char {
    let raised = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars();
    digit.to_digit(10).and_then(|digit| raised.clone().nth(digit as usize)).unwrap_or(digit)
}

/// Draws a horizontal axis at `y` with its labels below it, and a faint line up to `top` at each tick.
pub(super) fn draw_below(picture: &mut Picture, axis: &Axis, ticks: &[Tick], y: f64, top: f64) {
    for tick in ticks {
        picture.line([(tick.at, top), (tick.at, y)], solid(GRID, 1.0));
    }
    let (from, to) = axis.pixels();
    picture.line([(from, y), (to, y)], solid(RULE, 1.0));
    for tick in ticks {
        picture.line([(tick.at, y), (tick.at, y + 4.0)], solid(RULE, 1.0));
        let (x, side) = kept_within(tick.at, &tick.text, TEXT, (4.0, picture.width - 4.0));
        picture.label(Label::new((x, y + 16.0), &tick.text).side(side));
    }
}

/// Draws an upright axis at `x` with its labels at the left of it, and a faint line to `right` at each tick.
pub(super) fn draw_left(picture: &mut Picture, axis: &Axis, ticks: &[Tick], x: f64, right: f64) {
    for tick in ticks {
        picture.line([(x, tick.at), (right, tick.at)], solid(GRID, 1.0));
        picture.label(Label::new((x - 8.0, tick.at), &tick.text).side(Side::Right));
    }
    let (from, to) = axis.pixels();
    picture.line([(x, to), (x, from)], solid(RULE, 1.0));
}

/// The room that the labels of an upright axis need at the left of it.
pub(super) fn room_at_left(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.text, TEXT)).fold(0.0, f64::max) + 8.0
}
