//! The live heap over time, with its peak.

use super::axis::{Axis, draw_below, draw_left, room_at_left};
use super::picture::{Label, Picture, Point};
use super::theme::{
    BLUE, BLUES, INK, MARGIN, TEXT, TOP, VERMILLION, WIDTH, dashed, kept_within, sheet, solid,
};
use super::{Undrawable, blocks, bundle, finite};
use crate::render::Bundle;
use crate::units::{Quantity, bytes, duration};

/// Height of the plot in pixels.
const HEIGHT: f64 = 160.0;

/// What was allocated and not yet freed, over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Heap {
    /// What ran.
    pub title: String,
    /// Seconds since it began, and the bytes that were live then, less what was before; in any order.
    pub samples: Vec<(f64, i64)>,
    /// The exact peak, where it is known and not only sampled.
    pub peak: Option<(f64, i64)>,
}

/// Draws the live heap as an area over time and marks its peak.
///
/// # Errors
///
/// Without samples, and for times that are not finite.
pub fn heap(heap: &Heap) -> Result<Bundle, Undrawable> {
    layout(heap).and_then(bundle)
}

pub(super) fn layout(heap: &Heap) -> Result<(Picture, String), Undrawable> {
    let samples = sorted(heap)?;
    let greatest =
        |one: &(f64, f64), other: &(f64, f64)| one.1.total_cmp(&other.1).then(other.0.total_cmp(&one.0));
    let peak = samples.iter().copied().max_by(greatest).ok_or(Undrawable::Empty)?;
    let summary = summary(&samples, peak);
    Ok((picture(&heap.title, &summary, &samples, peak), text(&heap.title, &summary, &samples)))
}

/// Seconds and bytes in the order of time, the peak among them.
fn sorted(heap: &Heap) -> Result<Vec<(f64, f64)>, Undrawable> {
    if heap.samples.is_empty() {
        return Err(Undrawable::Empty);
    }
    let all = heap.samples.iter().chain(heap.peak.as_ref());
    let mut samples: Vec<(f64, f64)> = all.map(|(at, live)| (*at, *live as f64)).collect();
    finite(samples.iter().map(|(at, _)| *at))?;
    samples.sort_by(|one, other| one.0.total_cmp(&other.0));
    Ok(samples)
}

fn summary(samples: &[(f64, f64)], peak: (f64, f64)) -> String {
    let (first, last) = (samples.first().copied().unwrap_or(peak), samples.last().copied().unwrap_or(peak));
    let ends = format!("{} at the start, {} at the end", bytes(first.1), bytes(last.1));
    format!("{}; {ends}, {} in all", said(peak), duration(last.0 - first.0))
}

fn said((at, live): (f64, f64)) -> String {
    format!("peak {} at {}", bytes(live), duration(at))
}

fn picture(title: &str, summary: &str, samples: &[(f64, f64)], peak: (f64, f64)) -> Picture {
    let (top, foot) = (TOP + 26.0, TOP + 26.0 + HEIGHT);
    // Code that frees what was there before goes below its beginning.
    let least = samples.iter().map(|sample| sample.1).fold(0.0, f64::min);
    let upright = Axis::linear((least, peak.1.max(least + 10.0)), (foot, top));
    let values = upright.ticks(Quantity::Bytes);
    let left = MARGIN + room_at_left(&values);
    let ends = samples.first().map_or(0.0, |first| first.0)..samples.last().map_or(0.0, |last| last.0);
    let across = Axis::linear((ends.start, ends.end.max(ends.start + 1e-9)), (left, WIDTH - MARGIN - 8.0));
    let mut picture = sheet("Live heap over time", title, summary, foot + 30.0);
    let curve = thinned(samples, &across, &upright);
    draw_left(&mut picture, &upright, &values, left, across.pixels().1);
    draw_below(&mut picture, &across, &across.ticks(Quantity::Seconds), foot, foot);
    picture.area(curve.clone(), upright.at(0.0), BLUES.tint);
    picture.line(curve, solid(BLUE, 1.5));
    draw_peak(&mut picture, peak, (across.at(peak.0), upright.at(peak.1)), left, across.pixels().1);
    picture
}

/// The samples as points, no more than the first, the least, the greatest and the last of each pixel. Between two of
/// them the heap is what it was.
fn thinned(samples: &[(f64, f64)], across: &Axis, upright: &Axis) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    let pixel = |sample: &(f64, f64)| across.at(sample.0).floor();
    let ends = [samples.first(), samples.last()];
    for group in samples.chunk_by(|one, other| pixel(one) == pixel(other)) {
        let is_end = ends.contains(&group.first()) || ends.contains(&group.last());
        for (at, live) in notable(group, is_end) {
            let (x, y) = (across.at(at), upright.at(live));
            let step = points.last().filter(|last| x - last.0 > 1.0 && last.1 != y).map(|last| (x, last.1));
            points.extend(step.into_iter().chain([(x, y)]));
        }
    }
    points
}

/// The first, the least, the greatest and the last sample, in the order of time; of many only the extremes, which the line runs between.
fn notable(group: &[(f64, f64)], is_end: bool) -> Vec<(f64, f64)> {
    const MANY: usize = 4;
    let by_size = |one: &&(f64, f64), other: &&(f64, f64)| one.1.total_cmp(&other.1);
    let ends = group.first().into_iter().chain(group.last()).filter(|_| is_end || group.len() <= MANY);
    let extremes = group.iter().min_by(by_size).into_iter().chain(group.iter().max_by(by_size));
    let mut kept: Vec<(f64, f64)> = ends.chain(extremes).copied().collect();
    kept.sort_by(|one, other| one.0.total_cmp(&other.0));
    kept.dedup();
    kept
}

fn draw_peak(picture: &mut Picture, peak: (f64, f64), (x, y): Point, left: f64, right: f64) {
    picture.line([(left, y), (right, y)], dashed(VERMILLION, 1.0, 5.0, 4.0));
    picture.dot((x, y), VERMILLION);
    let label = said(peak);
    let (x, side) = kept_within(x, &label, TEXT, (left, right));
    picture.label(Label::new((x, y - 15.0), label).side(side).colour(INK));
}

fn text(title: &str, summary: &str, samples: &[(f64, f64)]) -> String {
    let width = blocks::COLUMNS - 4;
    let (start, end) =
        (samples.first().map_or(0.0, |first| first.0), samples.last().map_or(0.0, |last| last.0));
    let across = Axis::linear((start, end.max(start + 1e-9)), (0.0, width as f64));
    let greatest = samples.iter().map(|sample| sample.1).fold(1.0, f64::max);
    let mut heights: Vec<Option<f64>> = vec![None; width];
    for (at, live) in samples {
        let column = (across.at(*at) as usize).min(width - 1);
        if let Some(height) = heights.get_mut(column) {
            *height = Some(height.unwrap_or(0.0).max(live / greatest));
        }
    }
    // Between two samples the heap is what it was.
    let carried = heights.iter().scan(0.0, |last, height| {
        *last = height.unwrap_or(*last);
        Some(*last)
    });
    let carried: Vec<f64> = carried.collect();
    let mut lines = blocks::heading(title, summary);
    lines.extend(blocks::columns(&carried, 4).iter().map(|line| format!("  {line}").trim_end().to_owned()));
    let (start, end) = (duration(start), duration(end));
    lines.push(format!("  {}", blocks::scale(&[(0.0, start.as_str()), (1.0, end.as_str())], width)));
    lines.join("\n")
}
