//! A chart as a list of shapes, in CSS pixels: what the charts make, and what svg and png are drawn from.

use super::blocks;
use super::theme::{Colour, MUTED, PAPER, TEXT};

/// Nobody listens to a longer piece of code.
const SPOKEN: usize = 120;

/// Points are `(x, y)`; y grows downwards.
pub(super) type Point = (f64, f64);

/// A chart that is laid out, whatever it will be drawn with. Shapes that come later lie above.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    /// In CSS pixels.
    pub(super) width: f64,
    /// In CSS pixels.
    pub(super) height: f64,
    /// What sort of chart it is.
    pub(super) kind: &'static str,
    /// What it is of.
    pub(super) title: String,
    /// What it shows, for who cannot see it.
    pub(super) description: String,
    pub(super) shapes: Vec<Shape>,
}

/// One thing in a picture. All areas are opaque: what is drawn does not depend on how a reader mixes colours.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Lines from point to point.
    Line(Vec<Point>, Stroke),
    /// What lies between the points, from left to right, and a horizontal line at this y.
    Area(Vec<Point>, f64, Colour),
    /// A rectangle from its upper left to its lower right corner.
    Rectangle(Point, Point, Colour),
    /// Upright rectangles of one width, each around an x, between two ys.
    Ticks(Vec<f64>, (f64, f64), f64, Colour),
    /// A disc.
    Disc(Point, f64, Colour),
    /// A triangle, or any shape without holes.
    Polygon(Vec<Point>, Colour),
    /// A line of text.
    Label(Label),
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f64,
    pub(super) dash: Option<Dash>,
}

/// Lengths along a dashed line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dash {
    pub(super) dash: f64,
    pub(super) gap: f64,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    /// The point that `side` is about; its y is the middle of the small letters.
    pub(super) at: Point,
    pub(super) text: String,
    /// Of the em, in pixels.
    pub(super) size: f64,
    pub(super) colour: Colour,
    pub(super) side: Side,
}

/// Which part of a label is at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
    Right,
}

impl Label {
    /// Small, quiet text that begins at a point.
    pub(super) fn new(at: Point, text: impl Into<String>) -> Self {
        Self { at, text: text.into(), size: TEXT, colour: MUTED, side: Side::Left }
    }

    pub(super) fn size(self, size: f64) -> Self {
        Self { size, ..self }
    }

    pub(super) fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    pub(super) fn side(self, side: Side) -> Self {
        Self { side, ..self }
    }

    /// The rectangle that the text fills at most, by the estimate of [`super::font::width`].
    #[cfg(test)]
    pub(super) fn extent(&self) -> (Point, Point) {
        let width = super::font::width(&self.text, self.size);
        let left = match self.side {
            Side::Left => self.at.0,
            Side::Middle => self.at.0 - width / 2.0,
            Side::Right => self.at.0 - width,
        };
        ((left, self.at.1 - 0.65 * self.size), (left + width, self.at.1 + 0.55 * self.size))
    }
}

impl Picture {
    pub(super) fn new(width: f64, height: f64, kind: &'static str, title: &str, description: &str) -> Self {
        let (title, description) = (title.to_owned(), description.to_owned());
        Self { width, height, kind, title, description, shapes: Vec::new() }
    }

    /// All of it in one sentence: what stands in the place of the picture where it is not seen.
    pub(super) fn said(&self) -> String {
        format!("{}. {}: {}.", self.kind, blocks::shorten(&self.title, SPOKEN), self.description)
    }

    pub(super) fn label(&mut self, label: Label) {
        self.shapes.push(Shape::Label(label));
    }

    pub(super) fn line(&mut self, points: impl Into<Vec<Point>>, stroke: Stroke) {
        self.shapes.push(Shape::Line(points.into(), stroke));
    }

    /// What lies between `top`, from left to right, and a horizontal line at `base`.
    pub(super) fn area(&mut self, top: Vec<Point>, base: f64, colour: Colour) {
        self.shapes.push(Shape::Area(top, base, colour));
    }

    pub(super) fn polygon(&mut self, points: impl Into<Vec<Point>>, colour: Colour) {
        self.shapes.push(Shape::Polygon(points.into(), colour));
    }

    /// Upright lines around `xs`, all between the same two ys.
    pub(super) fn ticks(&mut self, xs: Vec<f64>, ends: (f64, f64), width: f64, colour: Colour) {
        self.shapes.push(Shape::Ticks(xs, ends, width, colour));
    }

    pub(super) fn rectangle(&mut self, corner: Point, opposite: Point, colour: Colour) {
        self.shapes.push(Shape::Rectangle(corner, opposite, colour));
    }

    pub(super) fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.shapes.push(Shape::Disc(centre, radius, colour));
    }

    /// A disc that stands out from the lines below it.
    pub(super) fn dot(&mut self, centre: Point, colour: Colour) {
        self.disc(centre, 5.2, PAPER);
        self.disc(centre, 4.0, colour);
    }

    /// A disc with a hole: paper within a rim of this width.
    pub(super) fn ring(&mut self, centre: Point, radius: f64, rim: f64, colour: Colour) {
        self.disc(centre, radius, colour);
        self.disc(centre, radius - rim, PAPER);
    }

    /// A horizontal interval with its ends marked, as tall as `height`; one that is no wider than its line is left out.
    pub(super) fn interval(&mut self, (from, to): (f64, f64), y: f64, height: f64, stroke: Stroke) {
        if to - from < 1.5 {
            return;
        }
        self.line([(from, y), (to, y)], stroke);
        for x in [from, to] {
            self.line([(x, y - height / 2.0), (x, y + height / 2.0)], stroke);
        }
    }
}
