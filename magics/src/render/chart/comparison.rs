//! Several measurements below each other on one axis, the fastest first.

use super::axis::{Axis, draw_below};
use super::density::{Density, distinct};
use super::picture::{Label, Picture, Side};
use super::samples::{Measured, Samples};
use super::theme::{
    BLUE, BLUES, GREYS, INK, MARGIN, MUTED, PAPER, RULE, TEXT, TOP, WIDTH, dashed, sheet, solid,
};
use super::{LEAST, Undrawable, blocks, bundle, font};
use crate::render::Bundle;
use crate::units::{self, Quantity, count, duration};

/// As many as a reader tells apart.
const LIMIT: usize = 8;
/// Height of a row in pixels: its curve, and the samples below it.
const ROW: f64 = 50.0;
const CURVE: f64 = 32.0;
const RUG: f64 = 6.0;
/// Points of a curve: eight of them must fit into a small file.
const POINTS: usize = 141;
/// From this ratio on, the fast ones would be a single line on a linear axis.
const LOGARITHMIC_FROM: f64 = 8.0;

/// Measurements of the same thing done in several ways.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub title: String,
    /// One to eight measurements, in any order.
    pub rows: Vec<Measured>,
}

/// A measurement in its place.
struct Row {
    label: String,
    samples: Samples,
    ratio: String,
}

/// Draws measurements below each other on one axis, ordered by their medians, with the ratio to the fastest.
///
/// # Errors
///
/// Without measurements or samples, for more than eight, and for figures that are not finite.
pub fn comparison(comparison: &Comparison) -> Result<Bundle, Undrawable> {
    layout(comparison).and_then(bundle)
}

pub(super) fn layout(comparison: &Comparison) -> Result<(Picture, String), Undrawable> {
    let rows = rows(comparison)?;
    let axis = axis(&rows);
    let summary = summary(&rows, &axis);
    let picture = picture(&comparison.title, &summary, &rows, axis);
    Ok((picture, text(&comparison.title, &summary, &rows, &axis)))
}

fn rows(comparison: &Comparison) -> Result<Vec<Row>, Undrawable> {
    if comparison.rows.len() > LIMIT {
        return Err(Undrawable::TooMany { limit: LIMIT });
    }
    let samples = comparison.rows.iter().map(|row| Ok((row.label.clone(), Samples::of(row)?)));
    let mut samples = samples.collect::<Result<Vec<_>, Undrawable>>()?;
    samples.sort_by(|one, other| one.1.median.total_cmp(&other.1.median));
    let fastest = samples.first().ok_or(Undrawable::Empty)?.1.median;
    let ratio = |median: f64| if fastest > 0.0 { units::ratio(median / fastest) } else { String::new() };
    let row = |(index, (label, samples)): (usize, (String, Samples))| {
        let ratio = if index == 0 { "fastest".to_owned() } else { ratio(samples.median) };
        Row { label, ratio, samples }
    };
    Ok(samples.into_iter().enumerate().map(row).collect())
}

/// The axis from 0 to 1; whoever draws says where that is.
fn axis(rows: &[Row]) -> Axis {
    let windows = rows.iter().map(|row| row.samples.window());
    let (low, high) = windows.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), window| {
        (low.min(window.0), high.max(window.1))
    });
    let medians = rows.iter().map(|row| row.samples.median);
    let (least, greatest) =
        medians.fold((f64::INFINITY, 0.0_f64), |(low, high), median| (low.min(median), high.max(median)));
    if low > LEAST && greatest / least >= LOGARITHMIC_FROM {
        let room = (high / low).powf(0.04);
        return Axis::logarithmic((low / room, high * room), (0.0, 1.0));
    }
    let room = ((high - low) * 0.05).max(high.abs() * 0.005).max(1e-11);
    let least = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    Axis::linear(((low - room).max(least), high + room), (0.0, 1.0))
}

fn summary(rows: &[Row], axis: &Axis) -> String {
    let fastest = rows.first().map(|row| format!("fastest: {}, {}", row.label, duration(row.samples.median)));
    let slowest = rows.last().filter(|_| rows.len() > 1);
    let slowest = slowest
        .map(|row| format!("slowest: {}, {} ({})", row.label, duration(row.samples.median), row.ratio));
    let scale = axis.is_logarithmic().then(|| "logarithmic axis".to_owned());
    fastest.into_iter().chain(slowest).chain(scale).collect::<Vec<_>>().join("; ")
}

fn picture(title: &str, summary: &str, rows: &[Row], axis: Axis) -> Picture {
    let widest = |texts: &mut dyn Iterator<Item = f64>| texts.fold(0.0, f64::max);
    let labels = widest(&mut rows.iter().map(|row| font::width(&row.label, TEXT))).min(150.0);
    let said =
        |row: &Row| font::width(&duration(row.samples.median), TEXT).max(font::width(&row.ratio, TEXT));
    let figures = widest(&mut rows.iter().map(said));
    let axis = axis.between((MARGIN + labels + 14.0, WIDTH - MARGIN - figures - 14.0));
    let notice = notice(rows, &axis);
    let foot = TOP + 6.0 + ROW * rows.len() as f64;
    let mut picture = sheet(
        "Distributions side by side",
        title,
        summary,
        foot + if notice.is_some() { 50.0 } else { 30.0 },
    );
    draw_below(&mut picture, &axis, &axis.ticks(Quantity::Seconds), foot, TOP);
    let base = |index: usize| TOP + 4.0 + CURVE + ROW * index as f64;
    if let Some(fastest) = rows.first().filter(|_| rows.len() > 1) {
        let x = axis.at(fastest.samples.median);
        picture.line([(x, base(0) + RUG + 4.0), (x, foot)], dashed(BLUE, 1.0, 4.0, 3.0));
    }
    for (index, row) in rows.iter().enumerate() {
        draw_row(&mut picture, row, &axis, base(index), index == 0);
        draw_words(&mut picture, row, labels, base(index));
    }
    if let Some(notice) = notice {
        picture.label(Label::new((WIDTH - MARGIN, foot + 38.0), notice).side(Side::Right));
    }
    picture
}

/// The samples of a row: their density with each of them below it, or a dot for each where they are few.
fn draw_row(picture: &mut Picture, row: &Row, axis: &Axis, base: f64, is_fastest: bool) {
    let colours = if is_fastest { BLUES } else { GREYS };
    let (from, to) = axis.pixels();
    let seen = row.samples.all().iter().filter(|sample| axis.holds(**sample));
    let xs = distinct(seen.map(|sample| axis.at(*sample)), 2.0);
    if row.samples.deserve_a_curve() {
        Density::of(&row.samples, axis, (base, CURVE), POINTS).draw(
            picture,
            row.samples.interval.map(|(low, high)| (axis.at(low), axis.at(high))),
            colours,
        );
        picture.line([(from, base), (to, base)], solid(RULE, 1.0));
        picture.ticks(xs, (base + 3.0, base + 3.0 + RUG), 0.8, colours.line);
        draw_median(picture, row, axis, base);
    } else {
        picture.line([(from, base), (to, base)], solid(RULE, 1.0));
        draw_median(picture, row, axis, base);
        xs.into_iter().for_each(|x| picture.dot((x, base), colours.line));
    }
}

fn draw_median(picture: &mut Picture, row: &Row, axis: &Axis, base: f64) {
    let x = axis.at(row.samples.median);
    picture.line([(x, base - CURVE), (x, base + RUG + 4.0)], solid(PAPER, 4.0));
    picture.line([(x, base - CURVE), (x, base + RUG + 4.0)], solid(INK, 2.0));
}

fn draw_words(picture: &mut Picture, row: &Row, labels: f64, base: f64) {
    let middle = base - CURVE / 2.0 + 6.0;
    let label = font::shorten(&row.label, TEXT, labels);
    picture.label(Label::new((MARGIN, middle), label).colour(INK));
    let right = WIDTH - MARGIN;
    picture
        .label(Label::new((right, middle - 8.0), duration(row.samples.median)).side(Side::Right).colour(INK));
    picture.label(Label::new((right, middle + 8.0), &row.ratio).side(Side::Right).colour(MUTED));
}

/// What lies beyond the ends of the axis.
fn notice(rows: &[Row], axis: &Axis) -> Option<String> {
    let hidden = |row: &Row| row.samples.all().iter().filter(|sample| !axis.holds(**sample)).count();
    let number: usize = rows.iter().map(hidden).sum();
    let greatest = rows.iter().map(|row| row.samples.greatest()).fold(f64::NEG_INFINITY, f64::max);
    let reach = if axis.holds(greatest) { String::new() } else { format!(", up to {}", duration(greatest)) };
    match number {
        0 => None,
        1 => Some(format!("1 sample lies beyond the axis{reach}")),
        number => Some(format!("{} samples lie beyond the axis{reach}", count(number as u64))),
    }
}

fn text(title: &str, summary: &str, rows: &[Row], axis: &Axis) -> String {
    let width = |text: &dyn Fn(&Row) -> String, most| {
        rows.iter().map(|row| blocks::width(&text(row))).max().unwrap_or(0).min(most)
    };
    let labels = width(&|row| row.label.clone(), 24);
    let medians = width(&|row| duration(row.samples.median), 24);
    let ratios = width(&|row| row.ratio.clone(), 12);
    let room = blocks::COLUMNS - labels - medians - ratios - 6;
    let line = |row: &Row| {
        let (label, median) = (blocks::shorten(&row.label, labels), duration(row.samples.median));
        let curve = strip(row, axis, room);
        let gap = " ".repeat(medians.saturating_sub(blocks::width(&median)));
        format!(
            "{}  {}  {gap}{median}  {}",
            blocks::padded(&label, labels),
            blocks::padded(&curve, room),
            row.ratio
        )
    };
    let mut lines = blocks::heading(title, summary);
    lines.extend(rows.iter().map(line));
    let (low, high) = axis.ends();
    let (low, high) = (duration(low), duration(high));
    let scale = blocks::scale(&[(0.0, low.as_str()), (1.0, high.as_str())], room);
    lines.push(format!("{}  {scale}", " ".repeat(labels)));
    lines.extend(notice(rows, axis));
    lines.join("\n")
}

/// The density of a row's samples in one line, or a mark at its median.
fn strip(row: &Row, axis: &Axis, columns: usize) -> String {
    let median = (axis.at(row.samples.median) * columns.saturating_sub(1) as f64).round() as usize;
    if !row.samples.deserve_a_curve() {
        return " ".repeat(median) + "●";
    }
    let heights = row.samples.density(columns, |value| axis.holds(value).then(|| axis.at(value)));
    let visible: Vec<f64> =
        heights.into_iter().map(|height| if height < 0.01 { 0.0 } else { height }).collect();
    blocks::columns(&visible, 1).concat()
}
