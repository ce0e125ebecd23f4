//! The samples of one measurement: how dense they are, each of them as a line, the median and its interval.

use super::axis::{Axis, draw_below};
use super::density::{Density, distinct};
use super::picture::{Label, Picture, Side};
use super::samples::{Measured, Samples};
use super::theme::{
    BLUE, BLUES, INK, MARGIN, MUTED, PAPER, RULE, TEXT, TOP, VERMILLION, WIDTH, kept_within, sheet, solid,
};
use super::{Undrawable, blocks, bundle};
use crate::render::Bundle;
use crate::units::{Quantity, count, duration};

/// Height of the curve in pixels.
const CURVE: f64 = 110.0;
/// Height of the row of samples.
const RUG: f64 = 14.0;
/// Points of the curve: one for every second pixel.
const POINTS: usize = 281;

/// Draws the distribution of one measurement's samples.
///
/// # Errors
///
/// Without samples, and for figures that are not finite.
pub fn distribution(measured: &Measured) -> Result<Bundle, Undrawable> {
    layout(measured).and_then(bundle)
}

pub(super) fn layout(measured: &Measured) -> Result<(Picture, String), Undrawable> {
    let samples = Samples::of(measured)?;
    let picture = picture(&measured.label, &samples);
    Ok((picture, text(&measured.label, &samples)))
}

/// What the chart shows, in one line; `outliers_are` says how they are drawn.
fn summary(samples: &Samples, outliers_are: &str) -> String {
    let mut parts = vec![format!("median {}", duration(samples.median))];
    if let Some((low, high)) = samples.interval {
        parts.push(format!("95 % interval {} to {}", duration(low), duration(high)));
    }
    parts.push(counted(samples.count(), "sample"));
    match samples.outliers() {
        0 => {}
        outliers => parts.push(counted(outliers, "outlier") + outliers_are),
    }
    parts.extend(samples.span_magnitudes().then(|| "logarithmic axis".to_owned()));
    parts.join(", ")
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number as u64))
}

fn picture(title: &str, samples: &Samples) -> Picture {
    let window = samples.window();
    let axis = axis(samples, (MARGIN + 8.0, WIDTH - MARGIN - 8.0));
    let curve = if samples.deserve_a_curve() { CURVE } else { 0.0 };
    let notices = beyond(samples, window);
    let (top, base) = (TOP + 22.0, TOP + 26.0 + curve);
    let foot = base + RUG + 12.0;
    let ringed = samples.within(window).iter().any(|sample| samples.is_outlier(*sample));
    let summary = summary(samples, if ringed { " (rings)" } else { "" });
    let mut picture =
        sheet("Distribution", title, &summary, foot + if notices.is_empty() { 30.0 } else { 50.0 });
    draw_below(&mut picture, &axis, &axis.ticks(Quantity::Seconds), foot, top);
    if curve > 0.0 {
        draw_curve(&mut picture, samples, &axis, base);
    }
    draw_median(&mut picture, samples, &axis, (top, foot));
    draw_rug(&mut picture, samples, &axis, window, base + 4.0 + RUG / 2.0);
    draw_notices(&mut picture, &notices, foot + 38.0);
    picture
}

/// The window with a little room around it; nothing is faster than no time at all, unless it was measured so.
fn axis(samples: &Samples, pixels: (f64, f64)) -> Axis {
    let (low, high) = samples.window();
    if samples.span_magnitudes() {
        return Axis::logarithmic((low / 1.5, high * 1.5), pixels);
    }
    let room = ((high - low) * 0.04).max(high.abs() * 0.005).max(1e-11);
    let least = if low >= 0.0 { 0.0 } else { f64::NEG_INFINITY };
    Axis::linear(((low - room).max(least), high + room), pixels)
}

fn draw_curve(picture: &mut Picture, samples: &Samples, axis: &Axis, base: f64) {
    let interval = samples.interval.map(|(low, high)| (axis.at(low), axis.at(high)));
    Density::of(samples, axis, (base, CURVE), POINTS).draw(picture, interval, BLUES);
    picture.line([(axis.pixels().0, base), (axis.pixels().1, base)], solid(RULE, 1.0));
}

/// One upright line for each pixel that has a sample in it; a ring where there is an outlier.
fn draw_rug(picture: &mut Picture, samples: &Samples, axis: &Axis, window: (f64, f64), middle: f64) {
    let seen = samples.within(window);
    let usual = seen.iter().filter(|sample| !samples.is_outlier(**sample));
    let usual = distinct(usual.map(|sample| axis.at(*sample)), 1.5);
    if samples.deserve_a_curve() {
        picture.ticks(usual, (middle - RUG / 2.0, middle + RUG / 2.0), 0.8, BLUE);
    } else {
        usual.into_iter().for_each(|x| picture.dot((x, middle), BLUE));
    }
    let outliers = seen.iter().filter(|sample| samples.is_outlier(**sample));
    for x in distinct(outliers.map(|sample| axis.at(*sample)), 3.0) {
        picture.ring((x, middle), 3.8, 1.4, VERMILLION);
    }
}

/// The median as a line with its figure above, and the interval as a bar across it.
fn draw_median(picture: &mut Picture, samples: &Samples, axis: &Axis, (top, foot): (f64, f64)) {
    let x = axis.at(samples.median);
    picture.line([(x, top), (x, foot)], solid(PAPER, 4.0));
    picture.line([(x, top), (x, foot)], solid(INK, 2.0));
    if let Some((low, high)) = samples.interval {
        picture.interval((axis.at(low), axis.at(high)), top, 8.0, solid(INK, 1.5));
    }
    let label = duration(samples.median);
    let (x, side) = kept_within(x, &label, TEXT, (MARGIN, WIDTH - MARGIN));
    picture.label(Label::new((x, top - 12.0), label).side(side).colour(INK));
}

/// What lies beyond the ends of the axis: the side, and what to say there.
fn beyond(samples: &Samples, (low, high): (f64, f64)) -> Vec<(Side, String)> {
    let faster = samples.all().partition_point(|sample| *sample < low);
    let slower = samples.count() - samples.all().partition_point(|sample| *sample <= high);
    let mut notices = Vec::new();
    if faster > 0 {
        let text = format!("{} faster, down to {}", count(faster as u64), duration(samples.least()));
        notices.push((Side::Left, text));
    }
    if slower > 0 {
        let text = format!("{} slower, up to {}", count(slower as u64), duration(samples.greatest()));
        notices.push((Side::Right, text));
    }
    notices
}

fn draw_notices(picture: &mut Picture, notices: &[(Side, String)], y: f64) {
    for (side, text) in notices {
        let (edge, inwards) = if *side == Side::Left { (MARGIN, 1.0) } else { (WIDTH - MARGIN, -1.0) };
        let arrow = [(edge, y), (edge + inwards * 7.0, y - 4.5), (edge + inwards * 7.0, y + 4.5)];
        picture.polygon(arrow, MUTED);
        picture.label(Label::new((edge + inwards * 13.0, y), text).side(*side));
    }
}

fn text(title: &str, samples: &Samples) -> String {
    let window = samples.window();
    let mut lines = blocks::heading(title, &summary(samples, ""));
    let axis = axis(samples, (0.0, 1.0));
    let width = blocks::COLUMNS - 4;
    let indented = |line: &String| format!("  {line}");
    if samples.deserve_a_curve() {
        let heights = samples.density(width, |value| axis.holds(value).then(|| axis.at(value)));
        let visible: Vec<f64> =
            heights.into_iter().map(|height| if height < 0.004 { 0.0 } else { height }).collect();
        lines.extend(blocks::columns(&visible, 3).iter().map(indented));
        let (low, high) = (duration(window.0), duration(window.1));
        let marks = [
            (axis.at(samples.median), "▲"),
            (axis.at(window.0), low.as_str()),
            (axis.at(window.1), high.as_str()),
        ];
        lines.push(indented(&blocks::scale(&marks, width)));
    }
    lines.extend(beyond(samples, window).iter().map(|(_, notice)| indented(notice)));
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}
