//! The rows of a profile: as text in cProfile's columns, and as html with readable units and a bar.

use super::figures::{Estimate, Figures, Inlined, Line, Row};
use super::order::Chosen;
use crate::profiled::{Calls, Origin};
use crate::render::{Side, Table, escape};
use crate::units::{count, duration, duration_to};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Headings, what the figures are, and whether they are figures. The names are cProfile's.
const COLUMNS: [(&str, &str, Side); 9] = [
    ("ncalls", "(exact)", Side::Right),
    ("tottime", "(sampled)", Side::Right),
    ("share", "", Side::Right),
    ("percall", "", Side::Right),
    ("cumtime", "(sampled)", Side::Right),
    ("share", "", Side::Right),
    ("percall", "", Side::Right),
    ("hottest line", "", Side::Left),
    ("filename:lineno(function)", "", Side::Left),
];

/// What is said in passing: the same grey as on the pages of results.
const GREY: &str = "#767676";

/// A line with less than this share of the time is not among the hottest.
const HOT: f64 = 0.02;
/// So many lines are told at most.
const HOTTEST: usize = 5;
/// More threads than these are told together.
const THREADS: usize = 8;

/// The table as text: seconds, as cProfile has them.
pub(super) fn text(figures: &Figures, chosen: &Chosen) -> String {
    let decimals = decimals(figures.seconds_of_run());
    let mut rows: Vec<Vec<String>> = vec![
        COLUMNS.map(|(name, _, _)| name.to_owned()).to_vec(),
        COLUMNS.map(|(_, kind, _)| kind.to_owned()).to_vec(),
    ];
    rows.extend(chosen.rows.iter().map(|row| text_row(figures, row, decimals)));
    aligned(&rows, &COLUMNS.map(|(_, _, side)| side))
}

fn text_row(figures: &Figures, row: &Row, decimals: usize) -> Vec<String> {
    let seconds = |samples: u64| {
        let Estimate { value, error } = figures.seconds(samples);
        if figures.samples == 0 {
            String::new()
        } else if samples == 0 {
            format!("{value:.decimals$}")
        } else {
            format!("{value:.decimals$} ± {error:.decimals$}")
        }
    };
    let share = |samples: u64| {
        if samples == 0 { String::new() } else { format!("{:.1} %", 100.0 * figures.share(samples).value) }
    };
    vec![
        row.calls.map_or(String::new(), |calls| ncalls(&calls, false)),
        seconds(row.own),
        share(row.own),
        each(figures, row.own, row.calls.map(|calls| calls.total)).map_or(String::new(), plain_seconds),
        seconds(row.total),
        share(row.total),
        each(figures, row.total, row.calls.map(primitive)).map_or(String::new(), plain_seconds),
        row.hottest.map_or(String::new(), |line| place(figures, &line)),
        format!("{}{}", figures.function(row).standard_name(), mark(row)),
    ]
}

/// Columns of the html: the function first, for a page is often narrower than the table.
const HEADINGS: [(&str, Side); 10] = [
    ("function", Side::Left),
    ("hottest line", Side::Left),
    ("time", Side::Left),
    ("share", Side::Right),
    ("tottime (sampled)", Side::Right),
    ("ncalls (exact)", Side::Right),
    ("percall", Side::Right),
    ("cumtime (sampled)", Side::Right),
    ("share", Side::Right),
    ("percall", Side::Right),
];

/// The same as html, with units.
pub(super) fn html(figures: &Figures, chosen: &Chosen) -> String {
    let mut html = String::from("<table>\n<thead><tr>");
    for (name, side) in HEADINGS {
        let _ = write!(html, "<th scope=\"col\" style=\"text-align: {}\">{name}</th>", css(side));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    chosen.rows.iter().for_each(|row| html_row(&mut html, figures, row));
    html.push_str("</tbody>\n</table>");
    html
}

fn html_row(html: &mut String, figures: &Figures, row: &Row) {
    let seconds = |samples: u64| {
        let Estimate { value, error } = figures.seconds(samples);
        if samples == 0 { String::new() } else { format!("{} ± {}", duration(value), duration_to(error, 2)) }
    };
    let share = |samples: u64| {
        if samples == 0 { String::new() } else { format!("{:.1} %", 100.0 * figures.share(samples).value) }
    };
    let cells = [
        share(row.own),
        seconds(row.own),
        row.calls.map_or(String::new(), |calls| ncalls(&calls, true)),
        each(figures, row.own, row.calls.map(|calls| calls.total)).map_or(String::new(), duration),
        seconds(row.total),
        share(row.total),
        each(figures, row.total, row.calls.map(primitive)).map_or(String::new(), duration),
    ];
    let figure =
        |text: &String| format!("<td style=\"text-align: right; white-space: nowrap\">{}</td>", escape(text));
    let function = figures.function(row);
    let name = escape(function.shown_name());
    // Whose it is is said by the place; the weight of the letters only helps the eye.
    let name = if function.is_yours() { format!("<strong>{name}</strong>") } else { name };
    let _ = writeln!(
        html,
        "<tr><th scope=\"row\" style=\"text-align: left; font-weight: normal\">{name} <span style=\"color: {GREY}\">{}{}</span></th>\
         <td style=\"text-align: left; white-space: nowrap\"><code>{}</code></td>\
         <td style=\"text-align: left\">{}</td>{}</tr>",
        escape(&function.place()),
        escape(mark(row)),
        escape(&row.hottest.map_or(String::new(), |line| place(figures, &line))),
        bar(figures, row),
        cells.iter().map(figure).collect::<String>(),
    );
}

/// Own time in the colour of whose it is, and behind it in grey that of what is called.
fn bar(figures: &Figures, row: &Row) -> String {
    let percent = |samples: u64| 100.0 * figures.share(samples).value;
    let colour = match figures.function(row).origin {
        Origin::Cell => "#0072b2",
        Origin::Local => "#007a5c",
        Origin::Dependency => "#e69f00",
        Origin::Standard | Origin::System => "#8c959f",
    };
    format!(
        "<div title=\"{:.1} % own, {:.1} % in all\" style=\"position: relative; width: 56px; height: 10px; background-color: #80808026\">\
         <div style=\"position: absolute; left: 0; top: 0; height: 10px; width: {:.1}%; background-color: #80808066\"></div>\
         <div style=\"position: absolute; left: 0; top: 0; height: 10px; width: {:.1}%; background-color: {colour}\"></div></div>",
        percent(row.own),
        percent(row.total),
        percent(row.total),
        percent(row.own)
    )
}

/// The lines of the user's own where the time is, with what they call in libraries; none if they say nothing.
pub(super) fn hottest_lines(figures: &Figures) -> Option<Table> {
    let hot = |line: &&Line| figures.share(line.samples).value >= HOT;
    let mut table = Table::new([
        ("Hottest lines", Side::Left),
        ("time", Side::Right),
        ("share", Side::Right),
        ("in", Side::Left),
    ]);
    let mut lines = figures.lines.iter().filter(hot).take(HOTTEST).peekable();
    lines.peek()?;
    for line in lines {
        let Estimate { value, error } = figures.share(line.samples);
        table.row([
            place(figures, line),
            duration(figures.seconds(line.samples).value),
            format!("{:.1} ± {:.1} %", 100.0 * value, 100.0 * error),
            figures
                .profiled
                .functions
                .get(line.function)
                .map_or(String::new(), |function| function.name.clone()),
        ]);
    }
    Some(table)
}

/// Where each thread's time went, if there are several.
pub(super) fn threads(figures: &Figures) -> Option<Table> {
    if figures.threads.len() < 2 {
        return None;
    }
    let mut all: Vec<_> = figures.threads.iter().enumerate().collect();
    all.sort_by_key(|(_, thread)| std::cmp::Reverse(thread.samples));
    let mut table = Table::new([
        ("Threads", Side::Left),
        ("time", Side::Right),
        ("share", Side::Right),
        ("hottest line", Side::Left),
    ]);
    let (shown, others) = all.split_at(all.len().min(THREADS));
    for (index, thread) in shown {
        let name = if thread.name.is_empty() { format!("({})", index + 1) } else { thread.name.to_owned() };
        table.row([
            name,
            duration(figures.seconds(thread.samples).value),
            format!("{:.1} %", 100.0 * figures.share(thread.samples).value),
            thread.hottest.map_or(String::new(), |line| place(figures, &line)),
        ]);
    }
    if !others.is_empty() {
        let samples = others.iter().map(|(_, thread)| thread.samples).sum();
        table.row([
            format!("{} others", others.len()),
            duration(figures.seconds(samples).value),
            format!("{:.1} %", 100.0 * figures.share(samples).value),
            String::new(),
        ]);
    }
    Some(table)
}

/// `242785/1`: all calls, and primitive ones where those are fewer.
pub(super) fn ncalls(calls: &Calls, grouped: bool) -> String {
    let number = |calls: u64| if grouped { count(calls) } else { calls.to_string() };
    let least = if calls.at_least { "≥" } else { "" };
    match calls.primitive.filter(|primitive| *primitive != calls.total) {
        Some(primitive) => format!("{least}{}/{}", number(calls.total), number(primitive)),
        None => format!("{least}{}", number(calls.total)),
    }
}

/// `cell[3]:14`
pub(super) fn place(figures: &Figures, line: &Line) -> String {
    let file = figures.profiled.functions.get(line.function).map_or("", |function| &function.file);
    format!("{file}:{}", line.line)
}

/// Text in columns, two spaces apart.
pub(super) fn aligned(rows: &[Vec<String>], sides: &[Side]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(sides).filter(|((_, width), _)| **width > 0);
        let padded = cells.map(|((cell, width), side)| {
            let space = " ".repeat(width - cell.width());
            if *side == Side::Left { format!("{cell}{space}") } else { format!("{space}{cell}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn primitive(calls: Calls) -> u64 {
    calls.primitive.unwrap_or(calls.total)
}

/// Seconds of a call.
fn each(figures: &Figures, samples: u64, calls: Option<u64>) -> Option<f64> {
    let calls = calls.filter(|calls| *calls > 0 && samples > 0)?;
    Some(figures.seconds(samples).value / calls as f64)
}

/// As many decimals as show four digits of the whole, and three at least, as cProfile has them.
pub(super) fn decimals(whole: f64) -> usize {
    if whole <= 0.0 {
        return 3;
    }
    (3 - whole.log10().floor() as i64).clamp(3, 9) as usize
}

/// Three digits: `0.812`, `2.88e-6`.
fn plain_seconds(seconds: f64) -> String {
    if seconds < 0.001 && seconds > 0.0 { format!("{seconds:.2e}") } else { format!("{seconds:.3}") }
}

fn mark(row: &Row) -> &'static str {
    match row.inlined {
        Inlined::No => "",
        Inlined::Partly => " [inlined in part]",
        Inlined::Everywhere => " [inlined]",
    }
}

fn css(side: Side) -> &'static str {
    match side {
        Side::Left => "left",
        Side::Right => "right",
    }
}
