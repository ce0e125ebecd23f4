//! The density of samples along an axis, as it is drawn.

use super::axis::Axis;
use super::picture::{Picture, Point};
use super::samples::Samples;
use super::theme::{Shades, solid};

/// Lower than this above its base, in pixels, a curve is not drawn: it would only thicken the base.
const VISIBLE: f64 = 0.3;

/// A curve above a horizontal line.
pub(super) struct Density {
    points: Vec<Point>,
    base: f64,
}

impl Density {
    /// The density of `samples` along `axis`, above `base` and at most `height` pixels tall.
    pub(super) fn of(samples: &Samples, axis: &Axis, (base, height): (f64, f64), points: usize) -> Self {
        let (from, to) = axis.pixels();
        let place = |value: f64| axis.holds(value).then(|| (axis.at(value) - from) / (to - from));
        let density = samples.density(points, place);
        let step = (to - from) / points.saturating_sub(1).max(1) as f64;
        let point = |(index, value): (usize, &f64)| (from + step * index as f64, base - height * value);
        Self { points: density.iter().enumerate().map(point).collect(), base }
    }

    /// Draws it, shaded within the interval (in pixels).
    pub(super) fn draw(&self, picture: &mut Picture, interval: Option<(f64, f64)>, shades: Shades) {
        let is_visible = |point: &Point| self.base - point.1 > VISIBLE;
        let humps = || self.points.chunk_by(|one, other| is_visible(one) == is_visible(other));
        let humps = || humps().filter(|hump| hump.first().is_some_and(is_visible));
        for hump in humps() {
            picture.area(hump.to_vec(), self.base, shades.tint);
        }
        if let Some((low, high)) = interval {
            picture.area(self.between(low, high), self.base, shades.shade);
        }
        for hump in humps() {
            picture.line(hump, solid(shades.line, 1.5));
        }
    }

    /// The part of the curve between two xs, at least a pixel and a half wide.
    fn between(&self, from: f64, to: f64) -> Vec<Point> {
        let middle = (from + to) / 2.0;
        let (from, to) = (from.min(middle - 0.75), to.max(middle + 0.75));
        let inner = self.points.iter().copied().filter(|point| point.0 > from && point.0 < to);
        self.point_at(from).into_iter().chain(inner).chain(self.point_at(to)).collect()
    }

    fn point_at(&self, x: f64) -> Option<Point> {
        let next = self.points.iter().position(|point| point.0 >= x)?;
        let (before, after) = (self.points.get(next.saturating_sub(1))?, self.points.get(next)?);
        let part = if after.0 > before.0 { (x - before.0) / (after.0 - before.0) } else { 0.0 };
        Some((x, before.1 + part * (after.1 - before.1)))
    }
}

/// Rising xs without those that are closer than `apart` to the last that is kept.
pub(super) fn distinct(xs: impl Iterator<Item = f64>, apart: f64) -> Vec<f64> {
    let mut kept: Vec<f64> = Vec::new();
    for x in xs {
        if kept.last().is_none_or(|last| x - last >= apart) {
            kept.push(x);
        }
    }
    kept
}
