//! A flame graph, its root on top: how time is divided, from whoever calls to whom is called.
//!
//! The html is made of positioned boxes, which is what an untrusted JupyterLab keeps: no svg, no style sheet, no script. The svg and the png are the same drawing for who takes
//! pictures, the text is the same as an indented tree. A front end shows the one that it likes best, and so the graph once.

mod html;
#[cfg(test)]
pub(super) mod tests;

use super::picture::{Label, Picture};
use super::theme::{Colour, INK, MARGIN, TEXT, TOP, WIDTH, sheet};
use super::{Undrawable, blocks, bundle, font};
use crate::render::Bundle;
use std::collections::BTreeMap;

/// Frames below this share are not drawn: at 600 pixels they are two pixels wide.
const NARROW: f64 = 0.003;
/// More boxes than these say no more, and make a notebook heavy; the narrowest give way.
const BOXES: usize = 260;
/// Deeper frames are not drawn.
const LEVELS: usize = 24;
/// Height of a level in pixels, with the gap above the next one.
const LEVEL: f64 = 20.0;
/// Frames below this share have no line in the text.
const SMALL: f64 = 0.01;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Flame {
    /// What ran.
    pub title: String,
    /// What a weight is: `samples`.
    pub unit: String,
    /// The outermost frames.
    pub frames: Vec<Frame>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// A function in the place that it was called from.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its name.
    pub name: String,
    /// Where it stands: `cell[3]:14`.
    pub place: String,
    /// How many calls of it lie within each other here, at most.
    pub depth: usize,
    /// Whether it was compiled into its caller.
    pub inlined: bool,
    /// Whose it is.
    pub kind: Kind,
    /// Of itself and all that it calls. No less than that of its children together.
    pub weight: u64,
    /// What it calls.
    pub children: Vec<Frame>,
}

/// Whose a frame is; each has its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A cell's.
    Cell,
    /// That of a crate of the user's own.
    Local,
    /// A dependency's.
    Dependency,
    /// The standard library's.
    Standard,
    /// The system's.
    System,
    /// No function: a thread.
    Group,
}

/// Draws frames as boxes below their callers, as wide as their share.
///
/// # Errors
///
/// Without frames.
pub fn flame(flame: &Flame) -> Result<Bundle, Undrawable> {
    let plan = Plan::of(flame)?;
    let (picture, text) = (plan.picture(), plan.text());
    Ok(bundle((picture, text))?.with("text/html", html::html(&plan)))
}

#[cfg(test)]
pub(super) fn layout(flame: &Flame) -> Result<(Picture, String), Undrawable> {
    Plan::of(flame).map(|plan| (plan.picture(), plan.text()))
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Cell, Self::Local, Self::Dependency, Self::Standard, Self::System, Self::Group];

    /// Of Okabe and Ito's colours, or darker ones of their kind; they differ in lightness too.
    fn colour(self) -> Colour {
        match self {
            Self::Cell => (0, 114, 178),
            Self::Local => (0, 122, 92),
            Self::Dependency => (230, 159, 0),
            Self::Standard => (195, 203, 211),
            Self::System => (104, 114, 126),
            Self::Group => (234, 238, 241),
        }
    }

    /// 4.5 : 1 and more on its colour.
    fn ink(self) -> Colour {
        match self {
            Self::Cell | Self::Local | Self::System => (255, 255, 255),
            Self::Dependency | Self::Standard | Self::Group => INK,
        }
    }

    fn legend(self) -> &'static str {
        match self {
            Self::Cell => "cells",
            Self::Local => "local crates",
            Self::Dependency => "dependencies",
            Self::Standard => "standard library",
            Self::System => "system",
            Self::Group => "threads",
        }
    }
}

impl Frame {
    /// `fib ×27`
    fn label(&self) -> String {
        let times = if self.depth > 1 { format!(" ×{}", self.depth) } else { String::new() };
        format!("{}{times}", font::one_line(&self.name))
    }

    /// What is not its children's.
    fn own(&self) -> u64 {
        self.weight.saturating_sub(self.children.iter().map(|child| child.weight).sum())
    }

    /// The widest first, so that the eye finds it at the left.
    fn in_order(frames: &[Self]) -> Vec<&Self> {
        let mut all: Vec<&Self> = frames.iter().filter(|frame| frame.weight > 0).collect();
        all.sort_by(|one, other| other.weight.cmp(&one.weight).then_with(|| one.name.cmp(&other.name)));
        all
    }
}

/// A box: where its frame is drawn.
struct Placed<'a> {
    frame: &'a Frame,
    level: usize,
    /// The left end, as a share of the whole.
    left: f64,
    width: f64,
}

/// A flame graph with its boxes in their places.
struct Plan<'a> {
    flame: &'a Flame,
    whole: u64,
    boxes: Vec<Placed<'a>>,
    levels: usize,
    /// The least share that is drawn.
    narrow: f64,
    /// Shares that are not drawn because they are narrow, and because they are deep.
    left_out: (f64, f64),
}

impl<'a> Plan<'a> {
    fn of(flame: &'a Flame) -> Result<Self, Undrawable> {
        let whole: u64 = flame.frames.iter().map(|frame| frame.weight).sum();
        if whole == 0 {
            return Err(Undrawable::Empty);
        }
        let mut plan =
            Self { flame, whole, boxes: Vec::new(), levels: 0, narrow: NARROW, left_out: (0.0, 0.0) };
        plan.place(&flame.frames, 0, 0.0);
        if plan.boxes.len() > BOXES {
            let mut widths: Vec<f64> = plan.boxes.iter().map(|placed| placed.width).collect();
            widths.sort_by(|one, other| other.total_cmp(one));
            plan.narrow = widths[BOXES - 1].max(NARROW) * (1.0 + f64::EPSILON);
            (plan.boxes, plan.levels, plan.left_out) = (Vec::new(), 0, (0.0, 0.0));
            plan.place(&flame.frames, 0, 0.0);
        }
        Ok(plan)
    }

    fn share(&self, weight: u64) -> f64 {
        weight as f64 / self.whole as f64
    }

    fn place(&mut self, frames: &'a [Frame], level: usize, mut left: f64) {
        for frame in Frame::in_order(frames) {
            let width = self.share(frame.weight);
            if level == LEVELS {
                self.left_out.1 += width;
            } else if width < self.narrow {
                self.left_out.0 += width;
            } else {
                self.levels = self.levels.max(level + 1);
                self.boxes.push(Placed { frame, level, left, width });
                self.place(&frame.children, level + 1, left);
            }
            left += width;
        }
    }

    /// The kinds that are drawn.
    fn kinds(&self) -> Vec<Kind> {
        let drawn = |kind: &Kind| self.boxes.iter().any(|placed| placed.frame.kind == *kind);
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Group).filter(drawn).collect()
    }

    fn summary(&self) -> String {
        format!(
            "{} {}; a box is as wide as its share of them",
            crate::units::count(self.whole),
            self.flame.unit
        )
    }

    /// What is not drawn, and what else is to be said.
    fn notes(&self) -> Vec<String> {
        let (narrow, deep) = self.left_out;
        let narrow = (narrow >= 0.0005).then(|| {
            format!("frames below {} are not drawn ({} in all)", percent(self.narrow), percent(narrow))
        });
        let deep = (deep > 0.0)
            .then(|| format!("frames deeper than {LEVELS} levels are not drawn ({})", percent(deep)));
        narrow.into_iter().chain(deep).chain(self.flame.notes.iter().cloned()).collect()
    }

    /// Which function has the most of its own: what the eye finds by its width.
    fn hottest(&self) -> Option<String> {
        let mut own: BTreeMap<&str, u64> = BTreeMap::new();
        let mut frames: Vec<&Frame> = self.flame.frames.iter().collect();
        while let Some(frame) = frames.pop() {
            if frame.kind != Kind::Group {
                *own.entry(&frame.name).or_default() += frame.own();
            }
            frames.extend(&frame.children);
        }
        let (name, weight) = own.into_iter().max_by_key(|(_, weight)| *weight)?;
        let share = weight as f64 / self.whole as f64;
        Some(format!("the most of its own has {}, {}", font::one_line(name), percent(share)))
    }

    fn picture(&self) -> Picture {
        let foot = TOP + LEVEL * self.levels as f64 + 6.0;
        let notes = self.notes();
        let mut picture = sheet(
            "Flame graph",
            &self.flame.title,
            &self.summary(),
            foot + 20.0 * (1 + notes.len()) as f64 + 6.0,
        );
        if let Some(hottest) = self.hottest() {
            picture.description = format!("{}; {hottest}", picture.description);
        }
        let room = WIDTH - 2.0 * MARGIN;
        for Placed { frame, level, left, width } in &self.boxes {
            let (from, to) = (MARGIN + room * left, MARGIN + room * (left + width));
            let top = TOP + LEVEL * *level as f64;
            // A hair between neighbours; what is drawn at all is seen.
            let right = (to - 0.6).max(from + 0.6);
            picture.rectangle((from, top), (right, top + LEVEL - 1.0), frame.kind.colour());
            let within = right - from - 7.0;
            let label = font::shorten(&frame.label(), SMALL_TEXT, within);
            if within > 14.0 && label.chars().count() > 2 {
                let at = (from + 4.0, top + LEVEL / 2.0);
                picture.label(Label::new(at, label).size(SMALL_TEXT).colour(frame.kind.ink()));
            }
        }
        let mut x = MARGIN;
        for kind in self.kinds() {
            picture.rectangle((x, foot + 5.0), (x + 10.0, foot + 15.0), kind.colour());
            picture.label(Label::new((x + 15.0, foot + 11.0), kind.legend()));
            x += 33.0 + font::width(kind.legend(), TEXT);
        }
        for (index, note) in notes.iter().enumerate() {
            let y = foot + 31.0 + 20.0 * index as f64;
            picture.label(Label::new((MARGIN, y), font::shorten(note, TEXT, room)));
        }
        picture
    }

    /// The tree, indented.
    fn text(&self) -> String {
        let mut lines = blocks::heading(&self.flame.title, "");
        let mut left_out = 0;
        self.lines(&self.flame.frames, 0, &mut lines, &mut left_out);
        if left_out > 0 {
            lines.push(format!("frames below {} have no line here", percent(SMALL)));
        }
        lines.extend(self.flame.notes.iter().flat_map(|note| blocks::wrapped(note)));
        lines.join("\n")
    }

    fn lines(&self, frames: &[Frame], level: usize, lines: &mut Vec<String>, left_out: &mut usize) {
        for frame in Frame::in_order(frames) {
            let share = self.share(frame.weight);
            if share < SMALL || level == LEVELS {
                *left_out += 1;
                continue;
            }
            let own = self.share(frame.own());
            let own = if own >= SMALL && !frame.children.is_empty() {
                format!(", {} its own", percent(own))
            } else {
                String::new()
            };
            // The deeper levels stand closer together, so that names have room.
            let indent = " ".repeat(level + level.min(8));
            let line = format!("{:>6.1} %  {indent}", 100.0 * share);
            let room = blocks::COLUMNS.saturating_sub(blocks::width(&line) + blocks::width(&own));
            let place = (blocks::width(&frame.place) + 2).min(room / 2);
            let name = blocks::shorten(&frame.label(), room - place);
            let place = blocks::shorten(&frame.place, room.saturating_sub(blocks::width(&name) + 2));
            let place = if frame.place.is_empty() { String::new() } else { format!("  {place}") };
            lines.push(format!("{line}{name}{place}{own}"));
            self.lines(&frame.children, level + 1, lines, left_out);
        }
    }
}

/// Text in the boxes.
const SMALL_TEXT: f64 = 11.0;

/// `12.3 %`, `0.3 %`, `100 %`.
fn percent(share: f64) -> String {
    format!("{} %", crate::units::without_zeros(&format!("{:.1}", 100.0 * share)))
}
