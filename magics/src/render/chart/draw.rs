//! Draws a picture with plotters, as svg and as png.

use super::Undrawable;
use super::font::{Style, opaque};
use super::picture::{Dash, Label, Picture, Point, Shape, Stroke};
use super::theme::{Colour, PAPER};
use crate::render::escape;
use plotters::backend::{BitMapBackend, RGBPixel, SVGBackend};
use plotters::element::{DashedPathElement, Drawable};
use plotters::style::{RGBColor, ShapeStyle};
use plotters_backend::{BackendCoord, DrawingBackend, DrawingErrorKind};
use std::collections::BTreeMap;

/// plotters counts in whole pixels; a tenth of one is finer than anybody sees.
const SVG_PIXELS: f64 = 10.0;
/// Pixels of the png for each CSS pixel: sharp on a dense screen and in print.
const PNG_PIXELS: u32 = 2;
/// The png is drawn this much larger and [`averaged`]: plotters smooths neither areas nor thick lines.
const OVERSAMPLING: u32 = 2;

/// A png that has more bytes (a third more as text of a notebook) is drawn without the pixels for dense screens: a flame graph of code that calls itself in many ways. The svg beside it is sharp.
const LARGEST: usize = 75_000;

/// Colours of a png's palette. Twice as many make it a tenth larger, and nobody sees them.
const COLOURS: usize = 128;

/// The picture as an svg document: no script, no style, no font, nothing from elsewhere.
pub(super) fn svg(picture: &Picture) -> Result<String, Undrawable> {
    let mut drawn = String::new();
    let size = pixels(picture, SVG_PIXELS);
    let mut pen =
        Pen { backend: SVGBackend::with_string(&mut drawn, size), pixels: SVG_PIXELS, raster: false };
    pen.picture(picture).map_err(Undrawable::plotters)?;
    drop(pen);
    // The rest of plotters' own root element is kept; lines turn corners without spikes.
    let (_, shapes) = drawn.split_once('>').unwrap_or_default();
    let (width, height) = (picture.width, picture.height);
    let (title, description) = (escape(&picture.title), escape(&picture.description));
    let said = escape(&picture.said());
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" \
         role=\"img\" aria-label=\"{said}\" stroke-linejoin=\"round\">\n\
         <title>{title}</title>\n<desc>{description}</desc>{shapes}",
        size.0, size.1
    ))
}

/// The picture as the bytes of a png file, at twice its size where that is not too much.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, Undrawable> {
    let sharp = raster(picture, PNG_PIXELS)?;
    if sharp.len() <= LARGEST { Ok(sharp) } else { raster(picture, 1) }
}

/// The same with so many pixels for each CSS pixel.
fn raster(picture: &Picture, pixels_each: u32) -> Result<Vec<u8>, Undrawable> {
    let scale = pixels_each * OVERSAMPLING;
    let (width, height) = pixels(picture, f64::from(scale));
    let mut large = vec![u8::MAX; width as usize * height as usize * 3];
    let backend = BitMapBackend::<RGBPixel>::with_buffer_and_format(&mut large, (width, height))
        .map_err(Undrawable::plotters)?;
    let mut pen = Pen { backend, pixels: f64::from(scale), raster: true };
    pen.picture(picture).map_err(Undrawable::plotters)?;
    drop(pen);
    let small = averaged(&large, width as usize);
    encode(&small, (width / OVERSAMPLING, height / OVERSAMPLING)).map_err(Undrawable::plotters)
}

fn pixels(picture: &Picture, scale: f64) -> (u32, u32) {
    ((picture.width * scale).round() as u32, (picture.height * scale).round() as u32)
}

/// Each pixel the mean of two by two; `width` is of the large image.
fn averaged(large: &[u8], width: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(large.len() / 4);
    for rows in large.chunks_exact(width * 6) {
        let (upper, lower) = rows.split_at(width * 3);
        for (above, below) in upper.as_chunks::<6>().0.iter().zip(lower.as_chunks::<6>().0) {
            for channel in 0..3 {
                let four = [above[channel], above[channel + 3], below[channel], below[channel + 3]];
                let sum: u16 = four.into_iter().map(u16::from).sum();
                small.push(((sum + 2) / 4) as u8);
            }
        }
    }
    small
}

/// A png with a palette: a third of the size, and the eye sees no difference.
fn encode(rgb: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, png::EncodingError> {
    let (palette, indices) = indexed(rgb);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&indices)?;
    writer.finish()?;
    Ok(file)
}

/// The colours that occur most, and for each pixel the place of the one that is nearest to its own.
///
/// A picture has about ten colours; all others are blends at edges, of which the rarest change a little.
fn indexed(rgb: &[u8]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let runs = || rgb.as_chunks::<3>().0.chunk_by(PartialEq::eq);
    let mut places: BTreeMap<[u8; 3], usize> = BTreeMap::new();
    for run in runs() {
        *places.entry(run[0]).or_default() += run.len();
    }
    let mut palette: Vec<[u8; 3]> = places.keys().copied().collect();
    palette.sort_by_key(|colour| std::cmp::Reverse(places.get(colour)));
    palette.truncate(COLOURS);
    for (colour, place) in &mut places {
        *place = nearest(&palette, *colour);
    }
    let mut indices = Vec::with_capacity(rgb.len() / 3);
    for run in runs() {
        let place = places.get(&run[0]).map_or(0, |place| *place as u8);
        indices.resize(indices.len() + run.len(), place);
    }
    (palette, indices)
}

fn nearest(palette: &[[u8; 3]], colour: [u8; 3]) -> usize {
    let distance = |other: &[u8; 3]| -> u32 {
        other.iter().zip(colour).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    let places = palette.iter().enumerate().min_by_key(|(_, other)| distance(other));
    places.map_or(0, |(place, _)| place)
}

/// A backend of plotters with `pixels` of its own for each CSS pixel.
struct Pen<DB> {
    backend: DB,
    pixels: f64,
    /// Whether plotters fills pixels itself. It does so well for upright rectangles, discs and single lines only
    /// (0.3.7: thick paths get holes where they cross themselves), so all else is put together from these.
    raster: bool,
}

type Drawn<DB> = Result<(), DrawingErrorKind<<DB as DrawingBackend>::ErrorType>>;

impl<DB: DrawingBackend> Pen<DB> {
    fn picture(&mut self, picture: &Picture) -> Drawn<DB> {
        if !self.raster {
            self.rectangle((0.0, 0.0), (picture.width, picture.height), PAPER)?;
        }
        picture.shapes.iter().try_for_each(|shape| self.shape(shape))?;
        self.backend.present()
    }

    fn shape(&mut self, shape: &Shape) -> Drawn<DB> {
        match shape {
            Shape::Line(points, stroke) => self.line(points, *stroke),
            Shape::Area(top, base, colour) => self.area(top, *base, *colour),
            Shape::Rectangle(corner, opposite, colour) => self.rectangle(*corner, *opposite, *colour),
            Shape::Ticks(xs, ends, width, colour) => self.ticks(xs, *ends, *width, *colour),
            Shape::Disc(centre, radius, colour) => {
                let radius = self.length(*radius);
                self.backend.draw_circle(self.at(*centre), radius, &opaque(*colour), true)
            }
            Shape::Polygon(points, colour) => self.polygon(points, *colour),
            Shape::Label(label) => self.label(label),
        }
    }

    fn line(&mut self, points: &[Point], stroke: Stroke) -> Drawn<DB> {
        let points: Vec<BackendCoord> = points.iter().map(|point| self.at(*point)).collect();
        let style = self.style(stroke);
        match stroke.dash {
            Some(Dash { dash, gap }) => {
                let (dash, gap) = (self.length(dash) as i32, self.length(gap) as i32);
                let element = DashedPathElement::new(points.clone(), dash, gap, style);
                Drawable::<DB>::draw(&element, points.into_iter(), &mut self.backend, (0, 0))
            }
            None if self.raster => self.segments(&points, style),
            None => self.backend.draw_path(points, &style),
        }
    }

    fn segments(&mut self, points: &[BackendCoord], style: ShapeStyle) -> Drawn<DB> {
        // A disc of radius r is 2r + 1 wide.
        let half = style.stroke_width.saturating_sub(1) / 2;
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            if from.0 == to.0 || from.1 == to.1 {
                self.straight(from, to, style)?;
            } else {
                self.backend.draw_line(from, to, &style)?;
            }
        }
        let corners = points.iter().skip(1).take(points.len().saturating_sub(2));
        corners.into_iter().try_for_each(|corner| self.backend.draw_circle(*corner, half, &style.color, true))
    }

    /// A horizontal or upright line of exactly the stroke's width.
    fn straight(&mut self, from: BackendCoord, to: BackendCoord, style: ShapeStyle) -> Drawn<DB> {
        let width = style.stroke_width as i32;
        let (before, after) = (width / 2, (width - 1) / 2);
        let upright = from.0 == to.0;
        let (across, along) = if upright { ((before, after), (0, 0)) } else { ((0, 0), (before, after)) };
        let corner = (from.0.min(to.0) - across.0, from.1.min(to.1) - along.0);
        let opposite = (from.0.max(to.0) + across.1, from.1.max(to.1) + along.1);
        self.backend.draw_rect(corner, opposite, &style.color, true)
    }

    fn area(&mut self, top: &[Point], base: f64, colour: Colour) -> Drawn<DB> {
        let (Some(first), Some(last)) = (top.first(), top.last()) else { return Ok(()) };
        if !self.raster {
            let ends = [(last.0, base), (first.0, base)];
            let outline: Vec<Point> = top.iter().copied().chain(ends).collect();
            return self.polygon(&outline, colour);
        }
        top.windows(2).try_for_each(|pair| self.strip(pair[0], pair[1], base, colour))
    }

    /// What lies between a line and the base, column by column.
    fn strip(&mut self, from: Point, to: Point, base: f64, colour: Colour) -> Drawn<DB> {
        let (from, to, base) = (self.at(from), self.at(to), self.at((0.0, base)).1);
        for x in from.0..to.0 {
            let part = f64::from(x - from.0) / f64::from(to.0 - from.0);
            let y = from.1 + (f64::from(to.1 - from.1) * part).round() as i32;
            if y < base {
                self.backend.draw_line((x, y), (x, base - 1), &opaque(colour))?;
            }
        }
        Ok(())
    }

    fn rectangle(&mut self, corner: Point, opposite: Point, colour: Colour) -> Drawn<DB> {
        let (corner, opposite) = (self.at(corner), self.at(opposite));
        // Where plotters fills pixels, the last one is part of the rectangle.
        let inner = i32::from(self.raster);
        let opposite = (opposite.0.max(corner.0 + 1) - inner, opposite.1.max(corner.1 + 1) - inner);
        self.backend.draw_rect(corner, opposite, &opaque(colour), true)
    }

    /// In svg one shape for all of them, a comb, which is a third of as many rectangles.
    fn ticks(&mut self, xs: &[f64], (top, bottom): (f64, f64), width: f64, colour: Colour) -> Drawn<DB> {
        let edges = |x: &f64| (x - width / 2.0, x + width / 2.0);
        if self.raster {
            let mut edges = xs.iter().map(edges);
            return edges.try_for_each(|(left, right)| self.rectangle((left, top), (right, bottom), colour));
        }
        let tooth = |(left, right)| [(left, bottom), (left, top), (right, top), (right, bottom)];
        let comb: Vec<Point> = xs.iter().map(edges).flat_map(tooth).collect();
        self.polygon(&comb, colour)
    }

    fn polygon(&mut self, points: &[Point], colour: Colour) -> Drawn<DB> {
        if points.is_empty() {
            return Ok(());
        }
        let points: Vec<BackendCoord> = points.iter().map(|point| self.at(*point)).collect();
        self.backend.fill_polygon(points, &opaque(colour))
    }

    fn label(&mut self, label: &Label) -> Drawn<DB> {
        let (at, style) = (self.at(label.at), Style::of(label, self.pixels));
        self.backend.draw_text(&label.text, &style, at)
    }

    fn style(&self, stroke: Stroke) -> ShapeStyle {
        let (red, green, blue) = stroke.colour;
        ShapeStyle {
            color: RGBColor(red, green, blue).into(),
            filled: true,
            stroke_width: self.length(stroke.width).max(1),
        }
    }

    fn at(&self, (x, y): Point) -> BackendCoord {
        // Far beyond any picture and far from where plotters' arithmetic ends.
        let whole = |value: f64| (value * self.pixels).round().clamp(-1e5, 1e5) as i32;
        (whole(x), whole(y))
    }

    fn length(&self, length: f64) -> u32 {
        (length * self.pixels).round().clamp(0.0, 1e5) as u32
    }
}
