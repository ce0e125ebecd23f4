//! Tables: one description, shown as aligned text and as html that an untrusted front end keeps.

use super::{Bundle, escape};
use unicode_width::UnicodeWidthStr;

/// Which side a column's cells stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A table with a line of headings. The first column heads its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows yet.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Side)>) -> Self {
        let columns = columns.into_iter().map(|(heading, side)| (heading.to_owned(), side)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row: a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The same table without the columns in which no row says anything.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        let said =
            |index: usize| self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let kept: Vec<bool> = (0..self.columns.len()).map(said).collect();
        let is_kept = |index: &usize| kept.get(*index).copied().unwrap_or_default();
        let mut index = 0..;
        self.columns.retain(|_| index.next().is_some_and(|index| is_kept(&index)));
        for row in &mut self.rows {
            let mut index = 0..;
            row.retain(|_| index.next().is_some_and(|index| is_kept(&index)));
        }
        self
    }

    /// Both forms.
    pub fn bundle(&self) -> Bundle {
        Bundle::text(self.text()).with("text/html", self.html())
    }

    /// Columns aligned, two spaces between them, a rule below the headings.
    pub fn text(&self) -> String {
        let widths = self.widths();
        let headings: Vec<&str> = self.columns.iter().map(|(heading, _)| heading.as_str()).collect();
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1));
        let mut lines = vec![self.text_row(&headings, &widths), rule];
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).collect();
            lines.push(self.text_row(&cells, &widths));
        }
        lines.join("\n")
    }

    /// A `<table>` with `<th scope>`; colours are left to the front end's theme.
    pub fn html(&self) -> String {
        let mut html = String::from("<table>\n<thead><tr>");
        for (heading, side) in &self.columns {
            html.push_str(&html_cell("th scope=\"col\"", "th", heading, *side));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str(&self.html_row(row));
        }
        html.push_str("</tbody>\n</table>");
        html
    }

    fn widths(&self) -> Vec<usize> {
        let cells = |index: usize| self.rows.iter().filter_map(move |row| row.get(index));
        let widest = |index: usize, heading: &str| {
            cells(index).map(|cell| cell.width()).fold(heading.width(), usize::max)
        };
        self.columns.iter().enumerate().map(|(index, (heading, _))| widest(index, heading)).collect()
    }

    fn text_row(&self, cells: &[&str], widths: &[usize]) -> String {
        let columns = cells.iter().zip(widths).zip(&self.columns);
        let padded = columns.map(|((cell, width), (_, side))| {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            if *side == Side::Left { format!("{cell}{space}") } else { format!("{space}{cell}") }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }

    fn html_row(&self, row: &[String]) -> String {
        let mut html = String::from("<tr>");
        for (index, (cell, (_, side))) in row.iter().zip(&self.columns).enumerate() {
            let (open, close) = if index == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            html.push_str(&html_cell(open, close, cell, *side));
        }
        html.push_str("</tr>\n");
        html
    }
}

/// A figure stays on one line, with its unit; where the page is narrow, headings and words give way.
fn html_cell(open: &str, close: &str, text: &str, side: Side) -> String {
    let number = text.trim_start_matches(['+', '−']);
    let is_figure = number.starts_with(|sign: char| sign.is_ascii_digit()) && !text.contains(", ");
    let style = match side {
        Side::Left => "text-align: left",
        Side::Right if close == "td" && is_figure => "text-align: right; white-space: nowrap",
        Side::Right => "text-align: right",
    };
    format!("<{open} style=\"{style}\">{}</{close}>", escape(text))
}
