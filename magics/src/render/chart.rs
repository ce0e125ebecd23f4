//! Charts: one function for each, from plain figures to a bundle of svg, png and text.
//!
//! A chart is laid out once, as a list of shapes ([`picture`]), from which plotters draws the svg and the png; the text is
//! made of block elements. All three come from the same figures and from nothing else: the same figures give the same
//! bytes. Durations are in seconds. Figures that cannot be drawn are an [`Undrawable`] and never a panic.

mod axis;
mod bars;
mod blocks;
mod comparison;
mod complexity;
mod density;
mod distribution;
mod draw;
mod flame;
mod font;
mod heap;
mod picture;
mod samples;
#[cfg(test)]
mod tests;
mod theme;

pub use bars::{Bar, Bars, bars};
pub use comparison::{Comparison, comparison};
pub use complexity::{Complexity, Curve, Size, complexity};
pub use distribution::distribution;
pub use flame::{Flame, Frame, Kind, flame};
pub use heap::{Heap, heap};
pub use samples::Measured;

use super::Bundle;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use picture::Picture;
use serde_json::json;
use std::fmt;

/// Why there is no chart of these figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undrawable {
    /// There are no figures.
    Empty,
    /// One of them is infinite, not a number, or larger than anything that is measured (1e15).
    NotFinite,
    /// One of them is zero or less (below 1e-15), and the chart has logarithmic axes.
    NotPositive,
    /// There are more rows than can be told apart.
    TooMany {
        /// How many rows the chart holds.
        limit: usize,
    },
    /// What plotters or the encoder said.
    Drawing(String),
}

impl Undrawable {
    fn plotters(error: impl fmt::Display) -> Self {
        Self::Drawing(error.to_string())
    }
}

impl fmt::Display for Undrawable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "there is nothing to draw"),
            Self::NotFinite => write!(formatter, "a figure that is endless or not a number cannot be drawn"),
            Self::NotPositive => write!(formatter, "zero and less cannot be drawn on a logarithmic axis"),
            Self::TooMany { limit } => {
                write!(formatter, "more than {limit} rows cannot be told apart in one chart")
            }
            Self::Drawing(said) => write!(formatter, "the chart could not be drawn: {said}"),
        }
    }
}

impl std::error::Error for Undrawable {}

/// All forms of a chart. The png has twice the pixels, so its metadata says how large it is to be shown; what the chart says stands there for who cannot see it.
fn bundle((picture, text): (Picture, String)) -> Result<Bundle, Undrawable> {
    let said = picture.said();
    let (width, height) = (picture.width.round() as u32, picture.height.round() as u32);
    let shown = json!({ "width": width, "height": height, "alt": said });
    Ok(Bundle::text(text)
        .with("image/svg+xml", draw::svg(&picture)?)
        .with("image/png", STANDARD.encode(draw::png(&picture)?))
        .with_metadata("image/svg+xml", json!({ "alt": said }))
        .with_metadata("image/png", shown))
}

/// In seconds this is 30 million years, in bytes a petabyte: labels of larger figures have no end.
const MOST: f64 = 1e15;
/// A millionth of a nanosecond: as good as nothing.
const LEAST: f64 = 1e-15;

/// Refuses figures that no axis can hold.
fn finite(figures: impl IntoIterator<Item = f64>) -> Result<(), Undrawable> {
    let is_drawable = |figure: f64| figure.is_finite() && figure.abs() <= MOST;
    if figures.into_iter().all(is_drawable) { Ok(()) } else { Err(Undrawable::NotFinite) }
}
