//! The one font: embedded, so that nothing depends on what a machine has installed.
//!
//! In the png it is drawn from the outlines here. In the svg the reader's own font is used, so widths are estimated with
//! room to spare. plotters' own text is not used: in 0.3.7 it draws each glyph without the space at its left, and keeps
//! its fonts in a table behind a lock.

use super::picture::{Label, Side};
use super::theme::Colour;
use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendTextStyle, FontFamily};
use std::convert::Infallible;
use std::sync::LazyLock;
use unicode_width::UnicodeWidthChar;

/// Families of about the same width, the embedded one first, for the svg.
const FAMILIES: &str = "Roboto, Segoe UI, Helvetica Neue, Arial, sans-serif";

/// The widest font that a reader is likely to have instead, DejaVu Sans, over Roboto.
const SPARE: f64 = 1.17;

/// plotters gives the svg a font size of this part of what it is told (plotters-svg 0.3.7, `draw_text`).
const SVG_SIZE: f64 = 1.24;

/// None would mean that the file is damaged, which a test excludes; then there is no text in the png.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("font/Roboto-subset.ttf")).ok());

/// How wide `text` is at most, in pixels, at this size of the em.
pub(super) fn width(text: &str, size: f64) -> f64 {
    SPARE * own_width(text, size)
}

/// The text, or so much of its beginning that it fits into `room` with an ellipsis behind it.
pub(super) fn shorten(text: &str, size: f64, room: f64) -> String {
    let line = one_line(text);
    if width(&line, size) <= room {
        return line;
    }
    let room = room - width("…", size);
    let mut used = 0.0;
    let fits = |sign: &char| {
        used += SPARE * advance(*sign, size);
        used <= room
    };
    let kept: String = line.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

/// The text with each run of white space as one space, and without what xml and readers cannot show.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|sign: char| sign.is_whitespace() || sign.is_control() || is_hidden(sign));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Signs that xml forbids, and those that turn the direction of what follows.
fn is_hidden(sign: char) -> bool {
    matches!(sign, '\u{fffe}' | '\u{ffff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn own_width(text: &str, size: f64) -> f64 {
    text.chars().map(|sign| advance(sign, size)).sum()
}

fn advance(sign: char, size: f64) -> f64 {
    let own = FONT.as_ref().and_then(|font| {
        let glyph = font.glyph_id(sign);
        (glyph.0 != 0).then(|| f64::from(font.as_scaled(scale(font, size)).h_advance(glyph)))
    });
    // Another font of the reader's: an em for each wide sign, and somewhat less for the others.
    own.unwrap_or_else(|| size * [0.0, 0.75, 1.0][sign.width().unwrap_or(1).min(2)])
}

/// What `ab_glyph` calls a scale is the height of a line.
fn scale(font: &FontRef<'_>, size: f64) -> PxScale {
    let em = font.units_per_em().unwrap_or(1000.0);
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// A label as plotters' backends want it: the size is in their pixels.
pub(super) struct Style {
    colour: BackendColor,
    size: f64,
    side: Side,
}

impl Style {
    /// The style of `label`, drawn with `pixels` for each CSS pixel.
    pub(super) fn of(label: &Label, pixels: f64) -> Self {
        Self { colour: opaque(label.colour), size: label.size * pixels, side: label.side }
    }
}

/// A colour as plotters' backends want it.
pub(super) fn opaque(rgb: Colour) -> BackendColor {
    BackendColor { alpha: 1.0, rgb }
}

impl BackendTextStyle for Style {
    type FontError = Infallible;

    fn color(&self) -> BackendColor {
        self.colour
    }

    fn size(&self) -> f64 {
        self.size * SVG_SIZE
    }

    fn anchor(&self) -> Pos {
        let side = match self.side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        Pos::new(side, VPos::Center)
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name(FAMILIES)
    }

    /// The real width, and no height: what is drawn is centred by itself.
    fn layout_box(&self, text: &str) -> Result<((i32, i32), (i32, i32)), Infallible> {
        Ok(((0, 0), (own_width(text, self.size).round() as i32, 0)))
    }

    /// Draws the outlines, with the middle of the small letters at the height of `pos`.
    fn draw<E, DrawFunc: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        text: &str,
        pos: BackendCoord,
        mut draw: DrawFunc,
    ) -> Result<Result<(), E>, Infallible> {
        let Some(font) = FONT.as_ref() else { return Ok(Ok(())) };
        let half_x_height = 0.264 * self.size;
        let mut x = f64::from(pos.0);
        for sign in text.chars() {
            let at = point(x as f32, (f64::from(pos.1) + half_x_height) as f32);
            let glyph = font.glyph_id(sign).with_scale_and_position(scale(font, self.size), at);
            x += advance(sign, self.size);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            let mut trouble = None;
            outline.draw(|column, row, coverage| {
                let colour = BackendColor { alpha: f64::from(coverage.clamp(0.0, 1.0)), ..self.colour };
                if let Err(error) =
                    draw(corner.x as i32 + column as i32, corner.y as i32 + row as i32, colour)
                {
                    trouble = Some(error);
                }
            });
            if let Some(error) = trouble {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_whole_and_has_what_figures_need() {
        let font = FONT.as_ref().unwrap();
        let signs = "AZaz09äé µμ×±–—−…≈≤≥·√∞⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ⁻₁αΩЖя%()[]{}<>&'\"_:;!?|/\\^~`";
        let missing: String = signs.chars().filter(|sign| font.glyph_id(*sign).0 == 0).collect();
        assert_eq!(missing, "");
        let digits: Vec<f64> = ('0'..='9').map(|digit| advance(digit, 12.0)).collect();
        assert!(digits.iter().all(|width| *width == digits[0]), "figures stand below each other: {digits:?}");
    }

    #[test]
    fn a_long_text_is_shortened_so_that_it_fits() {
        assert_eq!(shorten("fib(20)", 12.0, 200.0), "fib(20)");
        let long = "words ".repeat(50);
        let short = shorten(&long, 12.0, 200.0);
        assert!(short.starts_with("words words") && short.ends_with('…'), "{short}");
        assert!(width(&short, 12.0) <= 200.0 && width(&short, 12.0) > 150.0);
        assert_eq!(shorten("anything", 12.0, 0.0), "…");
    }

    #[test]
    fn what_would_break_a_line_or_the_xml_is_a_space() {
        assert_eq!(shorten("a\n  b\t\u{1b}[0m\u{202e}c\u{0}", 12.0, 500.0), "a b [0m c");
    }
}
