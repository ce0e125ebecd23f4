//! What `%lprun` says: line_profiler's table as text; as html the same with heat behind the lines, and what they allocate.

use super::figures::{Figures, Line, Scale, figures};
use crate::expression;
use crate::lines::python::{general, one_decimal, whole};
use crate::lines::{Called, places};
use crate::magic::{Call, Report};
use crate::measuring::{is_set, value};
use crate::profiled::{Ending, FileToWrite, Profiled};
use crate::render::source::{Source, SourceLine};
use crate::render::{Side, Table, escape, heat};
use crate::result::{Page, context, raw};
use crate::units::{bytes, count, duration, duration_to};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Seconds of line_profiler's unit.
const UNIT: f64 = 1e-6;
/// The report.
pub(super) fn report(call: &Call, profiled: &Profiled) -> Report {
    let figures = figures(profiled, call.matches.contains_id("f"));
    let scale = profiled.time.as_ref().map(Scale::of).unwrap_or_default();
    let unit = value::<f64>(&call.matches, "u");
    let strip = is_set(&call.matches, "z") || is_set(&call.matches, "s");
    let shown = Shown { profiled, figures, scale, unit, strip };
    let bundle = shown.page().bundle(shown.raw());
    let written = |id: &str, content: &str, said: &str| {
        let name = value::<String>(&call.matches, id)?;
        let said =
            format!("*** Profile {said} to {} '{name}'.", if id == "T" { "text file" } else { "file" });
        Some(FileToWrite { path: PathBuf::from(name), content: format!("{content}\n"), said })
    };
    let text = written("T", bundle.plain(), "printout saved");
    let figures = serde_json::to_string_pretty(&shown.raw()).unwrap_or_default();
    let dump = written("D", &figures, "stats saved as JSON");
    let value = is_set(&call.matches, "r").then(|| shown.value());
    Report { files: dump.into_iter().chain(text).collect(), value, ..Report::shown(bundle) }
}

pub(super) struct Shown<'a> {
    pub(super) profiled: &'a Profiled,
    pub(super) figures: Vec<Figures<'a>>,
    pub(super) scale: Scale,
    /// Seconds of the unit that was asked for.
    unit: Option<f64>,
    /// Whether lines without figures are left out.
    strip: bool,
}

impl Shown<'_> {
    fn page(&self) -> Page {
        let unit = format!("Timer unit: {} s\n", general(self.unit.unwrap_or(UNIT), 6));
        let mut page = Page::default().block(unit, String::new());
        for figures in &self.figures {
            page = page.block(self.text(figures), self.html(figures));
        }
        let page = page.doubts(self.doubts());
        let page = self.notes().iter().fold(page, |page, note| page.quiet(note));
        context::close(page, &self.profiled.facts)
    }

    /// line_profiler's lines about a function, and below them what it allocates.
    fn text(&self, figures: &Figures<'_>) -> String {
        let listing = &figures.listing;
        let total = general(self.scale.seconds(figures.samples), 6);
        let about = format!(
            "Total time: {total} s\nFile: {}\nFunction: {} at line {}\n",
            listing.function.file, listing.function.name, listing.asked.first_line
        );
        let is_never = listing.called() == Called::Never;
        let mut parts = vec![about];
        parts.extend(self.never(figures).map(|said| said + "\n"));
        if !(is_never && self.strip) {
            parts.push(self.table(figures));
        }
        if figures.bytes() > 0 {
            parts.push(format!("Allocations of one run:\n{}\n", allocations(figures).text()));
        }
        parts.join("\n")
    }

    /// line_profiler's table, with a block behind each share.
    fn table(&self, figures: &Figures<'_>) -> String {
        let rows: Vec<([String; 5], char, &str)> = self
            .kept(figures)
            .map(|line| (self.cells(figures, line), heat::block(figures.share(line)), line.text))
            .collect();
        let wide = |index: usize, least: usize| {
            rows.iter().filter_map(|(cells, ..)| cells.get(index)).map(String::len).fold(least, usize::max)
        };
        let widths = [wide(0, 6), wide(1, 9), wide(2, 12), wide(3, 8), wide(4, 8)];
        let left = |cells: &[String; 5]| {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}"));
            padded.collect::<Vec<_>>().join(" ")
        };
        let headings = ["Line #", "Hits", "Time", "Per Hit", "% Time"].map(str::to_owned);
        let header = format!("{}  Line Contents", left(&headings));
        let mut lines = vec![header.clone(), "=".repeat(header.len())];
        let row = |(cells, block, text): &([String; 5], char, &str)| {
            format!("{}{block} {text}", left(cells)).trim_end().to_owned()
        };
        lines.extend(rows.iter().map(row));
        lines.join("\n") + "\n"
    }

    fn kept<'b>(&self, figures: &'b Figures<'b>) -> impl Iterator<Item = &'b Line<'b>> {
        let strip = self.strip;
        figures.lines.iter().filter(move |line| !strip || line.is_something())
    }

    /// Number, hits, time, time per hit, share.
    fn cells(&self, figures: &Figures<'_>, line: &Line<'_>) -> [String; 5] {
        let unit = self.unit.unwrap_or(UNIT);
        let time = self.scale.seconds(line.samples) / unit;
        let hits = line.hits.map(|hits| whole(hits, 9)).unwrap_or_default();
        let is_timed = self.is_timed(line);
        let shown = |text: String, condition: bool| if condition { text } else { String::new() };
        let ran = line.hits.filter(|hits| *hits > 0);
        let per_hit = ran.map(|hits| one_decimal(time / hits as f64, 8)).unwrap_or_default();
        [
            line.number.to_string(),
            hits,
            shown(one_decimal(time, 12), is_timed),
            shown(per_hit, is_timed),
            shown(format!("{:5.1}", 100.0 * figures.share(line)), is_timed && figures.samples > 0),
        ]
    }

    /// Whether a time can be told of it: it ran, or may have.
    fn is_timed(&self, line: &Line<'_>) -> bool {
        self.profiled.time.is_some() && (line.samples > 0 || line.hits.unwrap_or_default() > 0)
    }

    fn html(&self, figures: &Figures<'_>) -> String {
        let listing = &figures.listing;
        let place = format!("{}:{}", listing.function.file, listing.asked.first_line);
        let name = escape(&listing.function.name);
        if let Some(said) = self.never(figures) {
            return format!("<p>{} ({})</p>", crate::result::page::html(&said), escape(&place));
        }
        let time = self.scale.seconds(figures.samples);
        let error = duration_to(self.scale.error(figures.samples), 2);
        let samples = match figures.samples {
            1 => "1 sample".to_owned(),
            samples => format!("{} samples", count(samples)),
        };
        let worst = figures.lines.iter().max_by_key(|line| line.samples).filter(|line| line.samples > 0);
        let worst = worst.map(|line| {
            format!("; most of it in line {} ({:.0} %)", line.number, 100.0 * figures.share(line))
        });
        let about = format!(
            "<p><strong>{}</strong> ± {error} in <code>{name}</code> at {} ({samples}{})</p>",
            duration(time),
            escape(&place),
            worst.unwrap_or_default()
        );
        let about = if self.profiled.time.is_some() {
            about
        } else {
            format!("<p><code>{name}</code> at {}</p>", escape(&place))
        };
        format!("{about}\n{}", self.source(figures).html())
    }

    /// The table as html: without the columns of which nothing is known.
    fn source(&self, figures: &Figures<'_>) -> Source {
        let hits = figures.listing.is_counted();
        let time = self.profiled.time.is_some();
        let heap = figures.bytes() > 0;
        let in_unit = self.unit.map(|unit| format!(" ({} s)", general(unit, 6))).unwrap_or_default();
        let all: [(bool, String, &str); 7] = [
            (hits, "Hits".to_owned(), "how often the line ran, counted"),
            (time, format!("Time{in_unit}"), "of one run, with all that the line calls; from samples"),
            (time, "±".to_owned(), "half of the 95 % interval of the time"),
            (time && hits, format!("Per Hit{in_unit}"), "time for each time that the line ran"),
            (time, "% Time".to_owned(), "of the function's time"),
            (heap, "Allocs".to_owned(), "how often the line, with all that it calls, asked for memory"),
            (heap, "Bytes".to_owned(), "how much it asked for"),
        ];
        let kept = |wanted: &str| {
            all.iter().filter(|(kept, ..)| *kept).position(|(_, heading, _)| heading == wanted)
        };
        let line = |line: &Line<'_>| {
            let cells = if line.is_told() { self.html_cells(figures, line) } else { Default::default() };
            let figures_of =
                cells.into_iter().zip(&all).filter(|(_, (kept, ..))| *kept).map(|(cell, _)| cell);
            SourceLine {
                number: line.number,
                figures: figures_of.collect(),
                exact: Vec::new(),
                share: figures.share(line),
                text: line.text.to_owned(),
            }
        };
        Source {
            hot: kept("% Time"),
            lines: self.kept(figures).map(line).collect(),
            headings: all
                .iter()
                .filter(|(kept, ..)| *kept)
                .map(|(_, heading, meaning)| (heading.clone(), (*meaning).to_owned()))
                .collect(),
        }
    }

    fn html_cells(&self, figures: &Figures<'_>, line: &Line<'_>) -> [String; 7] {
        let hits = line.hits.map(count).unwrap_or_default();
        let heap = |figure: String| if line.allocations > 0 { figure } else { String::new() };
        let [allocations, asked] = [heap(count(line.allocations)), heap(bytes(line.bytes as f64))];
        let time = self.scale.seconds(line.samples);
        let error = self.scale.error(line.samples);
        let [mut shown, mut interval, mut per_hit, mut share] = <[String; 4]>::default();
        if line.samples > 0 {
            shown = self.time(time);
            interval = self.unit.map_or_else(|| duration_to(error, 2), |unit| general(error / unit, 2));
            share = format!("{:.1}", 100.0 * figures.share(line));
            per_hit = line
                .hits
                .filter(|hits| *hits > 0)
                .map(|hits| self.time(time / hits as f64))
                .unwrap_or_default();
        } else if self.is_timed(line) && self.scale.samples > 0 {
            shown = format!(
                "< {}",
                self.unit.map_or_else(|| duration_to(error, 1), |unit| general(error / unit, 1))
            );
        }
        [hits, shown, interval, per_hit, share, allocations, asked]
    }

    fn time(&self, seconds: f64) -> String {
        self.unit.map_or_else(|| duration(seconds), |unit| general(seconds / unit, 4))
    }

    /// What is said of a function that nothing is known of.
    fn never(&self, figures: &Figures<'_>) -> Option<String> {
        let name = &figures.listing.function.name;
        match figures.listing.called() {
            Called::Never if figures.listing.is_cell() => Some("None of its lines ran.".to_owned()),
            Called::Never => Some(format!("`{name}` was never called.")),
            Called::Unknown => Some(format!(
                "`{name}` was not seen at work: it was not called, or so short that no sample met it."
            )),
            Called::Yes => None,
        }
    }

    fn notes(&self) -> Vec<String> {
        let Some(time) = &self.profiled.time else { return Vec::new() };
        let clock = if time.wall { "on the wall" } else { "of the processor, of all threads" };
        let again = match time.runs {
            0 | 1 => String::new(),
            runs => format!(
                ", of one run on average: it ran {} times more in a copy of the process, of which nothing is left",
                count(runs - 1)
            ),
        };
        let hits = if self.figures.iter().any(|figures| figures.listing.is_counted()) {
            "; hits are counted in another run"
        } else {
            ""
        };
        vec![format!("Times are {clock}, estimated from {} samples{again}{hits}.", count(self.scale.samples))]
    }

    fn raw(&self) -> Value {
        let line = |line: &Line<'_>| {
            json!({
                "line": line.number,
                "hits": line.hits,
                "samples": line.samples,
                "time": raw::number(self.scale.seconds(line.samples)),
                "error": raw::number(self.scale.error(line.samples)),
                "allocations": line.allocations,
                "bytes": line.bytes,
            })
        };
        let function = |figures: &Figures<'_>| {
            json!({
                "name": figures.listing.function.name,
                "file": figures.listing.function.file,
                "line": figures.listing.asked.first_line,
                "samples": figures.samples,
                "time": raw::number(self.scale.seconds(figures.samples)),
                "lines": figures.lines.iter().filter(|line| line.is_told()).map(line).collect::<Vec<_>>(),
            })
        };
        let time = self.profiled.time.as_ref();
        let fields = json!({
            "functions": self.figures.iter().map(function).collect::<Vec<_>>(),
            "samples": self.scale.samples,
            "runs": time.map(|time| time.runs),
            "period": time.map(|time| raw::number(time.period)),
            "wall": time.map(|time| time.wall),
            "allocations_known": places(self.profiled).is_some(),
            "warnings": self.doubts(),
        });
        raw::result("lprun", fields, &self.profiled.facts)
    }

    /// `assay::LprunResult` as Rust.
    fn value(&self) -> String {
        let line = |line: &Line<'_>| {
            expression::structure(
                "LprunLine",
                &[
                    ("line", line.number.to_string()),
                    ("hits", expression::option(line.hits)),
                    ("time", expression::float(self.scale.seconds(line.samples))),
                    ("allocations", line.allocations.to_string()),
                    ("bytes", line.bytes.to_string()),
                    ("contents", expression::text(line.text)),
                ],
            )
        };
        let function = |figures: &Figures<'_>| {
            expression::structure(
                "LprunFunction",
                &[
                    ("name", expression::text(&figures.listing.function.name)),
                    ("file", expression::text(&figures.listing.function.file)),
                    ("first_line", figures.listing.asked.first_line.to_string()),
                    ("total_time", expression::float(self.scale.seconds(figures.samples))),
                    ("samples", figures.samples.to_string()),
                    ("lines", expression::list(figures.lines.iter().filter(|line| line.is_told()).map(line))),
                ],
            )
        };
        expression::structure(
            "LprunResult",
            &[
                ("functions", expression::list(self.figures.iter().map(function))),
                ("partial", (self.profiled.run.ending != Ending::Finished).to_string()),
            ],
        )
    }
}

/// The lines that allocate, those that ask for most first.
fn allocations(figures: &Figures<'_>) -> Table {
    let mut lines: Vec<&Line<'_>> = figures.lines.iter().filter(|line| line.allocations > 0).collect();
    lines.sort_by_key(|line| std::cmp::Reverse((line.bytes, line.allocations)));
    let columns = [
        ("Line #", Side::Right),
        ("Allocs", Side::Right),
        ("Bytes", Side::Right),
        ("% Bytes", Side::Right),
        ("", Side::Left),
        ("Line Contents", Side::Left),
    ];
    let mut table = Table::new(columns);
    let all = figures.bytes().max(1) as f64;
    for line in lines {
        let share = line.bytes as f64 / all;
        table.row([
            line.number.to_string(),
            count(line.allocations),
            count(line.bytes),
            format!("{:.1}", 100.0 * share),
            heat::block(share).to_string(),
            line.text.trim().to_owned(),
        ]);
    }
    table
}
