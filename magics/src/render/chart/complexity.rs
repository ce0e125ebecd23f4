//! Time or memory against the size of the input, both logarithmic, with the curve that fits best.

use super::axis::{Axis, draw_below, draw_left, room_at_left};
use super::picture::{Label, Picture, Point, Side, Stroke};
use super::theme::{BLUE, GREY, INK, MARGIN, MUTED, TEXT, TOP, VERMILLION, WIDTH, dashed, sheet, solid};
use super::{LEAST, Undrawable, blocks, bundle, finite, font};
use crate::render::Bundle;
use crate::units::{Quantity, count};

/// Height of the plot in pixels.
const HEIGHT: f64 = 250.0;
/// Rows of the text: more points than these are thinned out.
const ROWS: usize = 20;
/// Points of a curve that are drawn.
const POINTS: usize = 200;

/// How a measurement grows with the size of its input.
#[derive(Debug, Clone, PartialEq)]
pub struct Complexity {
    /// What was measured.
    pub title: String,
    /// What the figures are: seconds or bytes.
    pub quantity: Quantity,
    /// The measurements, in any order.
    pub sizes: Vec<Size>,
    /// The curve that fits best, if one does.
    pub best: Option<Curve>,
    /// The next best.
    pub runner_up: Option<Curve>,
}

/// The measurement at one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// The size of the input, above zero.
    pub n: f64,
    /// The median in seconds or bytes, above zero.
    pub value: f64,
    /// The ends of its interval.
    pub interval: (f64, f64),
}

/// A curve that was fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// `O(n log n)`.
    pub name: String,
    /// Points `(n, value)` along it, close enough for a smooth line. What is not above zero is left out.
    pub points: Vec<(f64, f64)>,
}

/// Draws a measurement against the size of its input, with what was fitted to it.
///
/// # Errors
///
/// Without measurements, and for sizes and values that are not finite and above zero.
pub fn complexity(complexity: &Complexity) -> Result<Bundle, Undrawable> {
    layout(complexity).and_then(bundle)
}

pub(super) fn layout(complexity: &Complexity) -> Result<(Picture, String), Undrawable> {
    let sizes = sorted(complexity)?;
    let summary = summary(complexity, &sizes);
    Ok((picture(complexity, &summary, &sizes), text(complexity, &summary, &sizes)))
}

fn sorted(complexity: &Complexity) -> Result<Vec<Size>, Undrawable> {
    let mut sizes = complexity.sizes.clone();
    if sizes.is_empty() {
        return Err(Undrawable::Empty);
    }
    finite(sizes.iter().flat_map(|size| [size.n, size.value, size.interval.0, size.interval.1]))?;
    if sizes.iter().any(|size| size.n <= LEAST || size.value <= LEAST) {
        return Err(Undrawable::NotPositive);
    }
    sizes.sort_by(|one, other| one.n.total_cmp(&other.n));
    Ok(sizes)
}

fn summary(complexity: &Complexity, sizes: &[Size]) -> String {
    let fit = complexity
        .best
        .as_ref()
        .map_or_else(|| "no curve fits".to_owned(), |best| format!("{} fits best", best.name));
    let next = complexity.runner_up.as_ref().map(|next| format!("then {}", next.name));
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return fit };
    let size = |size: &Size| {
        format!("{} at n = {}", complexity.quantity.show(size.value), count(size.n.round() as u64))
    };
    let growth = format!("from {} to {}", size(first), size(last));
    [Some(fit), next, Some(growth)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn picture(complexity: &Complexity, summary: &str, sizes: &[Size]) -> Picture {
    let (top, foot) = (TOP + 24.0, TOP + 24.0 + HEIGHT);
    let upright = Axis::logarithmic(spread(sizes.iter().flat_map(reach)), (foot, top));
    let values = upright.ticks(complexity.quantity);
    let left = MARGIN + room_at_left(&values);
    let across = Axis::logarithmic(spread(sizes.iter().map(|size| size.n)), (left, WIDTH - MARGIN - 14.0));
    let mut picture = sheet("Growth with n", &complexity.title, summary, foot + 48.0);
    draw_left(&mut picture, &upright, &values, left, WIDTH - MARGIN - 14.0);
    draw_below(&mut picture, &across, &across.counts(), foot, top);
    let middle = (left + WIDTH - MARGIN - 14.0) / 2.0;
    picture.label(Label::new((middle, foot + 35.0), "n").side(Side::Middle));
    for (curve, stroke) in strokes(complexity).into_iter().rev() {
        draw_curve(&mut picture, &curve.points, &across, &upright, stroke);
    }
    draw_legend(&mut picture, complexity, left);
    for size in sizes {
        draw_size(&mut picture, size, &across, &upright);
    }
    picture
}

/// The ends of the interval that a logarithmic axis has, and the value.
fn reach(size: &Size) -> impl Iterator<Item = f64> + use<> {
    // An interval down to nothing would make the axis endless.
    let least = size.value / 30.0;
    [size.interval.0.max(least), size.value, size.interval.1.max(least)].into_iter()
}

/// From the least to the greatest with a little room at both ends, and no less than a factor of two in all: what is
/// constant must look constant.
fn spread(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let factor = ends.1 / ends.0;
    let room = factor.powf(0.04).max((2.0 / factor).sqrt());
    (ends.0 / room, ends.1 * room)
}

/// The curves with how they are drawn, the best first.
fn strokes(complexity: &Complexity) -> Vec<(&Curve, Stroke)> {
    let best = complexity.best.iter().map(|curve| (curve, solid(VERMILLION, 2.0)));
    best.chain(complexity.runner_up.iter().map(|curve| (curve, dashed(GREY, 1.5, 6.0, 4.0)))).collect()
}

fn draw_curve(picture: &mut Picture, points: &[(f64, f64)], across: &Axis, upright: &Axis, stroke: Stroke) {
    let inside = |(n, value): &&(f64, f64)| across.holds(*n) && upright.holds(*value);
    let mut points: Vec<(f64, f64)> = points.iter().filter(inside).copied().collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1);
    let kept = points.iter().enumerate().filter(|(index, _)| index % every == 0 || *index == last);
    let line: Vec<Point> = kept.map(|(_, (n, value))| (across.at(*n), upright.at(*value))).collect();
    if line.len() > 1 {
        picture.line(line, stroke);
    }
}

/// Which line is which, between the heading and the plot, where no line is.
fn draw_legend(picture: &mut Picture, complexity: &Complexity, left: f64) {
    let y = TOP + 6.0;
    let median = "median and interval";
    picture.disc((left + 6.0, y), 4.0, BLUE);
    picture.label(Label::new((left + 16.0, y), median));
    let mut x = left + 16.0 + font::width(median, TEXT) + 20.0;
    for (index, (curve, stroke)) in strokes(complexity).into_iter().enumerate() {
        let room = (WIDTH - MARGIN - x - 34.0).min(if index == 0 { 170.0 } else { f64::INFINITY });
        let (words, colour) = if index == 0 { ("best fit", INK) } else { ("runner-up", MUTED) };
        let text = font::shorten(&format!("{}, {words}", curve.name), TEXT, room.max(0.0));
        picture.line([(x, y), (x + 26.0, y)], stroke);
        picture.label(Label::new((x + 34.0, y), &text).colour(colour));
        x += 34.0 + font::width(&text, TEXT) + 20.0;
    }
}

fn draw_size(picture: &mut Picture, size: &Size, across: &Axis, upright: &Axis) {
    let (x, y) = (across.at(size.n), upright.at(size.value));
    let (low, high) = (upright.at(size.interval.0), upright.at(size.interval.1));
    if (low - high).abs() > 1.0 {
        picture.line([(x, high), (x, low)], solid(BLUE, 1.5));
        let ends = [(low, size.interval.0), (high, size.interval.1)];
        for (y, _) in ends.into_iter().filter(|(_, value)| upright.holds(*value)) {
            picture.line([(x - 4.0, y), (x + 4.0, y)], solid(BLUE, 1.5));
        }
    }
    picture.dot((x, y), BLUE);
}

fn text(complexity: &Complexity, summary: &str, sizes: &[Size]) -> String {
    let every = sizes.len().div_ceil(ROWS).max(1);
    let kept: Vec<&Size> = sizes.iter().step_by(every).collect();
    let (numbers, values): (Vec<String>, Vec<String>) =
        kept.iter().map(|size| (count(size.n.round() as u64), complexity.quantity.show(size.value))).unzip();
    let widest = |texts: &[String]| texts.iter().map(|text| blocks::width(text)).max().unwrap_or(0);
    let (n, value) = (widest(&numbers), widest(&values));
    let room = blocks::COLUMNS - n.min(30) - value.min(30) - 4;
    let axis = Axis::logarithmic(spread(sizes.iter().map(|size| size.value)), (0.0, 1.0));
    let mut lines = blocks::heading(&complexity.title, summary);
    for (index, size) in kept.iter().enumerate() {
        let bar = blocks::bar(axis.at(size.value), room);
        lines.push(format!("{:>n$}  {:>value$}  {bar}", numbers[index], values[index]));
    }
    lines.push(format!("{:>n$}  (bars are logarithmic)", "n"));
    lines.join("\n")
}
