//! What `%mprun` says: memory_profiler's table as text, in bytes; as html the same with heat behind the lines that allocate.

use super::figures::{Figures, Line, Sum, figures};
use crate::expression;
use crate::lines::{Called, places, unfinished};
use crate::magic::{Call, Report};
use crate::measuring::{is_set, value};
use crate::profiled::{Ending, FileToWrite, Profiled};
use crate::render::source::{Source, SourceLine};
use crate::render::{Side, Table, escape, heat};
use crate::result::figures::counted;
use crate::result::{Page, context, raw};
use crate::units::{bytes, count};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The report.
pub(super) fn report(call: &Call, profiled: &Profiled) -> Report {
    let shown = Shown {
        profiled,
        figures: figures(profiled, call.matches.contains_id("f")),
        children: is_set(&call.matches, "c"),
    };
    let bundle = shown.page().bundle(shown.raw());
    let file = value::<String>(&call.matches, "T").map(|name| FileToWrite {
        said: format!("*** Profile printout saved to text file {name}."),
        path: PathBuf::from(name),
        content: format!("{}\n", bundle.plain()),
    });
    let value = is_set(&call.matches, "r").then(|| shown.value());
    Report { files: file.into_iter().collect(), value, ..Report::shown(bundle) }
}

struct Shown<'a> {
    profiled: &'a Profiled,
    figures: Vec<Figures<'a>>,
    /// Whether other processes were asked for.
    children: bool,
}

impl Shown<'_> {
    fn page(&self) -> Page {
        let mut page = Page::default();
        for figures in &self.figures {
            page = page.block(text(figures), self.html(figures));
        }
        let page = page.doubts(self.doubts());
        let page = self.notes().iter().fold(page, |page, note| page.quiet(note));
        context::close(page, &self.profiled.facts)
    }

    fn html(&self, figures: &Figures<'_>) -> String {
        let listing = &figures.listing;
        let place = format!("{}:{}", listing.function.file, listing.asked.first_line);
        if let Some(said) = never(figures) {
            return format!("<p>{} ({})</p>", crate::result::page::html(&said), escape(&place));
        }
        let all = figures.sum();
        let worst = figures.lines.iter().max_by_key(|line| line.heap.map_or(0, |heap| heap.bytes));
        let worst = worst.filter(|_| all.bytes > 0).map(|line| {
            format!("; most of it in line {} ({:.0} %)", line.number, 100.0 * figures.share(line))
        });
        format!(
            "<p><strong>{}</strong> in {} in <code>{}</code> at {}{}</p>\n{}",
            bytes(all.bytes as f64),
            counted(all.allocations, "allocation"),
            escape(&listing.function.name),
            escape(&place),
            worst.unwrap_or_default(),
            source(figures).html()
        )
    }

    fn doubts(&self) -> Vec<String> {
        let unfinished = unfinished(self.profiled.run.ending);
        let found = self.profiled.doubts.iter().cloned();
        let nowhere = (self.profiled.doubts.is_empty() && self.is_nowhere())
            .then(|| "Which lines allocate could not be found out: no stack was taken.".to_owned());
        let estimated = self.profiled.estimated_places();
        let all = unfinished.into_iter().chain(found).chain(nowhere).chain(estimated);
        all.chain(context::doubts(&self.profiled.facts)).collect()
    }

    /// Whether there were allocations, and nobody knows where.
    fn is_nowhere(&self) -> bool {
        let allocates = self.profiled.heaps.iter().any(|heap| heap.allocations > 0);
        allocates && places(self.profiled).is_none()
    }

    fn notes(&self) -> Vec<String> {
        let exact =
            if self.profiled.estimated_places().is_some() { "Figures are" } else { "Figures are exact," };
        let what = format!(
            "{exact} in the bytes that were asked for, each line with all that it calls. Mem usage: what was live of the whole heap, above the beginning, at its most after \
            the line allocated; of a line that only frees, what it left. Increment: allocated less freed."
        );
        let children = "-c: other processes have heaps of their own, which nothing here counts.";
        let children = self.children.then(|| children.to_owned());
        [Some(what), children].into_iter().flatten().collect()
    }

    fn raw(&self) -> Value {
        let line = |line: &Line<'_>| {
            let heap = line.heap.unwrap_or_default();
            json!({
                "line": line.number,
                "hits": line.hits,
                "usage": line.heap.map(|heap| heap.usage()),
                "increment": line.heap.map(|heap| heap.increment()),
                "allocations": heap.allocations,
                "bytes": heap.bytes,
                "frees": heap.frees,
                "freed": heap.freed,
                "live": heap.live,
            })
        };
        let function = |figures: &Figures<'_>| {
            json!({
                "name": figures.listing.function.name,
                "file": figures.listing.function.file,
                "line": figures.listing.asked.first_line,
                "lines": figures.lines.iter().filter(|line| is_told(line)).map(line).collect::<Vec<_>>(),
            })
        };
        let fields = json!({
            "functions": self.figures.iter().map(function).collect::<Vec<_>>(),
            "warnings": self.doubts(),
        });
        raw::result("mprun", fields, &self.profiled.facts)
    }

    /// `assay::MprunResult` as Rust.
    fn value(&self) -> String {
        let line = |line: &Line<'_>| {
            let heap = line.heap.unwrap_or_default();
            expression::structure(
                "MprunLine",
                &[
                    ("line", line.number.to_string()),
                    ("usage", expression::option(line.heap.map(|heap| heap.usage()))),
                    ("increment", heap.increment().to_string()),
                    ("occurrences", expression::option(line.hits)),
                    ("allocations", heap.allocations.to_string()),
                    ("bytes", heap.bytes.to_string()),
                    ("frees", heap.frees.to_string()),
                    ("freed", heap.freed.to_string()),
                    ("contents", expression::text(line.text)),
                ],
            )
        };
        let function = |figures: &Figures<'_>| {
            expression::structure(
                "MprunFunction",
                &[
                    ("name", expression::text(&figures.listing.function.name)),
                    ("file", expression::text(&figures.listing.function.file)),
                    ("first_line", figures.listing.asked.first_line.to_string()),
                    ("lines", expression::list(figures.lines.iter().filter(|line| is_told(line)).map(line))),
                ],
            )
        };
        expression::structure(
            "MprunResult",
            &[
                ("functions", expression::list(self.figures.iter().map(function))),
                ("partial", (self.profiled.run.ending != Ending::Finished).to_string()),
            ],
        )
    }
}

fn is_told(line: &Line<'_>) -> bool {
    line.hits.is_some() || line.heap.is_some()
}

/// What is said of a function of which nothing is known.
fn never(figures: &Figures<'_>) -> Option<String> {
    let name = &figures.listing.function.name;
    match figures.listing.called() {
        Called::Never if figures.listing.is_cell() => Some("None of its lines ran.".to_owned()),
        Called::Never => Some(format!("`{name}` was never called.")),
        Called::Unknown => Some(format!("`{name}` allocated nothing and freed nothing, if it was called.")),
        Called::Yes => None,
    }
}

/// memory_profiler's lines about a function, and below them what its lines ask for.
fn text(figures: &Figures<'_>) -> String {
    let listing = &figures.listing;
    let mut parts = vec![format!("Filename: {}\n", listing.function.file)];
    parts.extend(never(figures).map(|said| said + "\n"));
    parts.push(table(figures));
    if figures.sum().allocations > 0 {
        parts.push(format!("Allocations in {}:\n{}\n", listing.function.name, allocations(figures).text()));
    }
    parts.join("\n")
}

/// memory_profiler's table, with a block before the lines that allocate.
fn table(figures: &Figures<'_>) -> String {
    let cells = |line: &Line<'_>| {
        let heap =
            |figure: &dyn Fn(&Sum) -> i64| line.heap.map(|heap| exact(figure(&heap))).unwrap_or_default();
        let occurrences = line.hits.map(|hits| hits.to_string()).unwrap_or_default();
        [line.number.to_string(), heap(&Sum::usage), heap(&Sum::increment), occurrences]
    };
    let rows: Vec<([String; 4], char, &str)> =
        figures.lines.iter().map(|line| (cells(line), heat::block(figures.share(line)), line.text)).collect();
    let wide = |index: usize, least: usize| {
        rows.iter().filter_map(|(cells, ..)| cells.get(index)).map(String::len).fold(least, usize::max)
    };
    let [number, usage, increment, occurrences] = [wide(0, 6), wide(1, 12), wide(2, 12), wide(3, 11)];
    let left = |[one, two, three, four]: &[String; 4]| {
        format!("{one:>number$} {two:>usage$} {three:>increment$}  {four:>occurrences$}")
    };
    let headings = ["Line #", "Mem usage", "Increment", "Occurrences"].map(str::to_owned);
    let header = format!("{}   Line Contents", left(&headings));
    let mut lines = vec![header.clone(), "=".repeat(header.len())];
    let row = |(cells, block, text): &([String; 4], char, &str)| {
        format!("{} {block} {text}", left(cells)).trim_end().to_owned()
    };
    lines.extend(rows.iter().map(row));
    lines.join("\n") + "\n"
}

/// `-4,194,304 B`.
fn exact(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{} B", count(bytes.unsigned_abs()))
}

/// The lines that allocate, those that ask for most first.
fn allocations(figures: &Figures<'_>) -> Table {
    let mut lines: Vec<(&Line<'_>, Sum)> =
        figures.lines.iter().filter_map(|line| Some((line, line.heap?))).collect();
    lines.retain(|(_, heap)| heap.allocations > 0);
    lines.sort_by_key(|(_, heap)| std::cmp::Reverse((heap.bytes, heap.allocations)));
    let columns = [
        ("Line #", Side::Right),
        ("Allocs", Side::Right),
        ("Allocated", Side::Right),
        ("%", Side::Right),
        ("", Side::Left),
        ("Line Contents", Side::Left),
    ];
    let mut table = Table::new(columns);
    for (line, heap) in lines {
        let share = figures.share(line);
        table.row([
            line.number.to_string(),
            count(heap.allocations),
            format!("{} B", count(heap.bytes)),
            format!("{:.1}", 100.0 * share),
            heat::block(share).to_string(),
            line.text.trim().to_owned(),
        ]);
    }
    table
}

/// Both tables as one.
fn source(figures: &Figures<'_>) -> Source {
    let is_counted = figures.listing.is_counted();
    let all = [
        (
            "Mem usage",
            "live of the whole heap, above the beginning: the most after the line allocated; of a line that only frees, what it left",
        ),
        ("Increment", "allocated less freed"),
        ("Occurrences", "how often the line ran, counted"),
        ("Allocs", "how often the line, with all that it calls, asked for memory"),
        ("Allocated", "how much it asked for"),
        ("% Alloc", "of what the function's lines ask for"),
    ];
    let kept = move |heading: &str| is_counted || heading != "Occurrences";
    let headings = all.iter().filter(|(heading, _)| kept(heading));
    let headings: Vec<(String, String)> =
        headings.map(|(heading, meaning)| ((*heading).to_owned(), (*meaning).to_owned())).collect();
    let line = |line: &Line<'_>| {
        let share = figures.share(line);
        let allocates = line.heap.filter(|heap| heap.allocations > 0);
        let cells = [
            line.heap.map(|heap| bytes(heap.usage() as f64)),
            line.heap.map(|heap| signed(heap.increment())),
            line.hits.map(count),
            allocates.map(|heap| count(heap.allocations)),
            allocates.map(|heap| bytes(heap.bytes as f64)),
            allocates.map(|_| format!("{:.1}", 100.0 * share)),
        ];
        let told = [
            line.heap.map(|heap| exact(heap.usage())),
            line.heap.map(|heap| exact(heap.increment())),
            None,
            None,
            allocates.map(|heap| format!("{} B", count(heap.bytes))),
            None,
        ];
        let only_kept = |cells: [Option<String>; 6]| -> Vec<String> {
            let cells = cells.into_iter().zip(all).filter(|(_, (heading, _))| kept(heading));
            cells.map(|(cell, _)| cell.unwrap_or_default()).collect()
        };
        let (number, text) = (line.number, line.text.to_owned());
        SourceLine { number, figures: only_kept(cells), exact: only_kept(told), share, text }
    };
    Source { hot: Some(headings.len() - 1), headings, lines: figures.lines.iter().map(line).collect() }
}

/// `+4 MiB`.
fn signed(increment: i64) -> String {
    let sign = if increment > 0 { "+" } else { "" };
    format!("{sign}{}", bytes(increment as f64))
}
