//! What the charts look like: one size, one set of colours, one place for the heading.
//!
//! The background is opaque white, so a chart is the same on a light page, on a dark one and on paper. Colours are those of
//! Okabe and Ito (<https://jfly.uni-koeln.de/color/>), which colour-blind people tell apart; each also differs from its
//! neighbours in lightness, in shape or in dashes, so that nothing is said by colour alone.

use super::font;
use super::picture::{Dash, Label, Picture, Side, Stroke};

/// A colour as red, green and blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const PAPER: Colour = (255, 255, 255);
/// Text that carries the message, 15.8:1 on paper.
pub(super) const INK: Colour = (31, 35, 40);
/// Text that explains, 6.4:1 on paper.
pub(super) const MUTED: Colour = (87, 96, 106);
pub(super) const RULE: Colour = (140, 149, 159);
pub(super) const GRID: Colour = (227, 231, 235);
/// Okabe-Ito blue.
pub(super) const BLUE: Colour = (0, 114, 178);
/// Okabe-Ito vermillion.
pub(super) const VERMILLION: Colour = (213, 94, 0);
pub(super) const GREY: Colour = (96, 106, 117);

/// A colour for lines, and two of its kind for areas below them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shades {
    pub(super) line: Colour,
    pub(super) tint: Colour,
    pub(super) shade: Colour,
}

/// What is to be looked at.
pub(super) const BLUES: Shades = Shades { line: BLUE, tint: (204, 227, 240), shade: (122, 184, 219) };
/// What it is compared with.
pub(super) const GREYS: Shades = Shades { line: GREY, tint: (226, 230, 234), shade: (176, 184, 192) };

/// Width of every chart in CSS pixels: what a notebook's column and a page of A4 both hold.
pub(super) const WIDTH: f64 = 600.0;
/// Space left free at both sides.
pub(super) const MARGIN: f64 = 16.0;
pub(super) const TITLE: f64 = 15.0;
pub(super) const TEXT: f64 = 12.0;
/// Where the heading ends and the chart begins.
pub(super) const TOP: f64 = 56.0;

/// An empty chart of this height under its heading, which is shortened where it is too long.
///
/// `summary` is the sentence below the title; it is the description for who cannot see the chart, too.
pub(super) fn sheet(kind: &'static str, title: &str, summary: &str, height: f64) -> Picture {
    let (title, summary) = (&font::one_line(title), &font::one_line(summary));
    let mut picture = Picture::new(WIDTH, height, kind, title, summary);
    let room = WIDTH - 2.0 * MARGIN;
    picture.label(Label::new((MARGIN, 20.0), font::shorten(title, TITLE, room)).size(TITLE).colour(INK));
    picture.label(Label::new((MARGIN, 40.0), font::shorten(summary, TEXT, room)));
    picture
}

/// A solid line.
pub(super) fn solid(colour: Colour, width: f64) -> Stroke {
    Stroke { colour, width, dash: None }
}

/// A line of dashes and gaps of these lengths.
pub(super) fn dashed(colour: Colour, width: f64, dash: f64, gap: f64) -> Stroke {
    Stroke { colour, width, dash: Some(Dash { dash, gap }) }
}

/// A label whose middle would be at `x`, moved so far that it ends within `from..to`.
pub(super) fn kept_within(x: f64, text: &str, size: f64, (from, to): (f64, f64)) -> (f64, Side) {
    let half = font::width(text, size) / 2.0;
    if x - half < from {
        (from, Side::Left)
    } else if x + half > to {
        (to, Side::Right)
    } else {
        (x, Side::Middle)
    }
}
