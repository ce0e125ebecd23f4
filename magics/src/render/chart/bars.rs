//! Figures as bars with their intervals: the same code under several options, for example.

use super::axis::{Axis, draw_below};
use super::picture::{Label, Picture, Side};
use super::theme::{BLUE, GREYS, INK, MARGIN, MUTED, PAPER, TEXT, TOP, WIDTH, sheet, solid};
use super::{Undrawable, blocks, bundle, finite, font};
use crate::render::Bundle;
use crate::units::{self, Quantity};

/// More bars than these are a table.
const LIMIT: usize = 16;
/// Height of a row, and of the bar in it, in pixels.
const ROW: f64 = 28.0;
const BAR: f64 = 16.0;

/// Figures to be compared by their length.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// What is compared.
    pub title: String,
    /// What the figures are: seconds or bytes.
    pub quantity: Quantity,
    /// One to 16 bars, in the order in which they are shown.
    pub bars: Vec<Bar>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// `opt-level=3`.
    pub label: String,
    /// In seconds or bytes.
    pub value: f64,
    /// The ends of its interval, if it has one.
    pub interval: Option<(f64, f64)>,
}

/// Draws bars from zero with their intervals; the least is marked, and the others say how many times it they are.
///
/// # Errors
///
/// Without bars, for more than 16, and for figures that are not finite. What is below zero is drawn as nothing.
pub fn bars(bars: &Bars) -> Result<Bundle, Undrawable> {
    layout(bars).and_then(bundle)
}

pub(super) fn layout(bars: &Bars) -> Result<(Picture, String), Undrawable> {
    let least = looked_at(bars)?;
    let summary = summary(bars, least);
    Ok((picture(bars, &summary, least), text(bars, &summary, least)))
}

/// The least of all values.
fn looked_at(bars: &Bars) -> Result<f64, Undrawable> {
    if bars.bars.is_empty() {
        return Err(Undrawable::Empty);
    }
    if bars.bars.len() > LIMIT {
        return Err(Undrawable::TooMany { limit: LIMIT });
    }
    let ends = |bar: &Bar| bar.interval.map_or([bar.value; 3], |(low, high)| [bar.value, low, high]);
    finite(bars.bars.iter().flat_map(ends))?;
    Ok(bars.bars.iter().map(|bar| bar.value).fold(f64::INFINITY, f64::min))
}

fn summary(bars: &Bars, least: f64) -> String {
    let best = bars.bars.iter().find(|bar| bar.value == least);
    let (least_is, most_is) = ends(bars.quantity);
    let best = best.map(|bar| format!("{least_is}: {}, {}", bar.label, bars.quantity.show(bar.value)));
    let worst = bars.bars.iter().max_by(|one, other| one.value.total_cmp(&other.value));
    let worst = worst.filter(|bar| bar.value > least);
    let worst = worst.map(|bar| {
        let times = if least > 0.0 { format!(" ({})", times(bar, least)) } else { String::new() };
        format!("{most_is}: {}, {}{times}", bar.label, bars.quantity.show(bar.value))
    });
    best.into_iter().chain(worst).collect::<Vec<_>>().join("; ")
}

/// What the least and the greatest figure are called.
fn ends(quantity: Quantity) -> (&'static str, &'static str) {
    match quantity {
        Quantity::Seconds => ("fastest", "slowest"),
        Quantity::Bytes => ("least", "most"),
    }
}

/// How many times the least it is: `3.1×`.
fn times(bar: &Bar, least: f64) -> String {
    if least > 0.0 { units::ratio(bar.value / least) } else { String::new() }
}

/// What stands beside a bar: the least is called so.
fn beside(bars: &Bars, bar: &Bar, least: f64) -> String {
    if bar.value == least { ends(bars.quantity).0.to_owned() } else { times(bar, least) }
}

/// Where the longest bar or whisker ends.
fn greatest(bars: &Bars) -> f64 {
    let ends = bars
        .bars
        .iter()
        .map(|bar| bar.interval.map_or(bar.value, |(low, high)| low.max(high).max(bar.value)));
    ends.fold(0.0, f64::max)
}

fn picture(bars: &Bars, summary: &str, least: f64) -> Picture {
    let widest = |width: &dyn Fn(&Bar) -> f64| bars.bars.iter().map(width).fold(0.0, f64::max);
    let labels = widest(&|bar| font::width(&bar.label, TEXT)).min(190.0);
    let values = widest(&|bar| font::width(&bars.quantity.show(bar.value), TEXT));
    let ratios = widest(&|bar| font::width(&beside(bars, bar, least), TEXT));
    let columns = (WIDTH - MARGIN - ratios - 14.0, WIDTH - MARGIN);
    let pixels = (MARGIN + labels + 12.0, columns.0 - values - 14.0);
    let axis = Axis::linear((0.0, greatest(bars).max(1e-10)), pixels);
    let foot = TOP + 2.0 + ROW * bars.bars.len() as f64;
    let mut picture = sheet("Bars", &bars.title, summary, foot + 30.0);
    draw_below(&mut picture, &axis, &axis.ticks(bars.quantity), foot, TOP);
    for (index, bar) in bars.bars.iter().enumerate() {
        let middle = TOP + ROW * (index as f64 + 0.5);
        draw_bar(&mut picture, bar, &axis, middle, bar.value == least);
        let label = font::shorten(&bar.label, TEXT, labels);
        picture.label(Label::new((pixels.0 - 10.0, middle), label).side(Side::Right).colour(INK));
        let value = bars.quantity.show(bar.value);
        picture.label(Label::new((columns.0, middle), value).side(Side::Right).colour(INK));
        let beside = beside(bars, bar, least);
        picture.label(Label::new((columns.1, middle), beside).side(Side::Right).colour(MUTED));
    }
    picture.line([(pixels.0, TOP), (pixels.0, foot)], solid(INK, 1.0));
    picture
}

fn draw_bar(picture: &mut Picture, bar: &Bar, axis: &Axis, middle: f64, is_least: bool) {
    let (from, to) = (axis.at(0.0), axis.at(bar.value));
    if to > from {
        let colour = if is_least { BLUE } else { GREYS.shade };
        picture.rectangle((from, middle - BAR / 2.0), (to, middle + BAR / 2.0), colour);
    }
    if let Some((low, high)) = bar.interval {
        let ends = (axis.at(low.min(high)), axis.at(low.max(high)));
        picture.interval(ends, middle, 8.0, solid(PAPER, 3.5));
        picture.interval(ends, middle, 8.0, solid(INK, 1.5));
    }
}

fn text(bars: &Bars, summary: &str, least: f64) -> String {
    let shown = |bar: &Bar| {
        [blocks::shorten(&bar.label, 26), bars.quantity.show(bar.value), beside(bars, bar, least)]
    };
    let rows: Vec<[String; 3]> = bars.bars.iter().map(shown).collect();
    let widest = |column: usize| rows.iter().map(|row| blocks::width(&row[column])).max().unwrap_or(0);
    let (labels, values, ratios) = (widest(0), widest(1), widest(2));
    let room = blocks::COLUMNS.saturating_sub(labels + values + ratios + 6).max(8);
    let top = greatest(bars).max(f64::MIN_POSITIVE);
    let mut lines = blocks::heading(&bars.title, summary);
    for (bar, [label, value, ratio]) in bars.bars.iter().zip(&rows) {
        let drawn = blocks::bar(bar.value / top, room);
        let label = blocks::padded(label, labels);
        let line = format!("{label}  {value:>values$}  {ratio:>ratios$}  {drawn}");
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}
