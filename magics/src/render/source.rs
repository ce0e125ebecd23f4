//! Lines of source with figures before them, as html that an untrusted front end keeps.

use super::{escape, heat};

/// A table of source.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The headings of the figures, each with what it means.
    pub(crate) headings: Vec<(String, String)>,
    /// Which of the figures is how much of the whole a line is.
    pub(crate) hot: Option<usize>,
    pub(crate) lines: Vec<SourceLine>,
}

/// A line of source.
#[derive(Debug, Default)]
pub(crate) struct SourceLine {
    pub(crate) number: u32,
    /// Its figures, empty where there is none; nothing at all for a line that has no figure.
    pub(crate) figures: Vec<String>,
    /// What a pointer on a figure is told, in the same order; there may be fewer.
    pub(crate) exact: Vec<String>,
    /// How much of the whole it is, from 0 to 1.
    pub(crate) share: f64,
    pub(crate) text: String,
}

// A line of code is no taller than its letters; a figure keeps its unit beside it.
const FIGURE: &str = "text-align: right; padding: 1px 6px; white-space: nowrap";
const HEADING: &str = "text-align: right; padding: 1px 6px";
const TEXT: &str = "text-align: left; padding: 1px 6px; font-family: monospace; white-space: pre-wrap";
const NUMBER: &str = "text-align: right; padding: 1px 6px; font-weight: normal";

impl Source {
    /// A `<table>` with `<th scope>`. The line and its share of the whole have the colour of heat behind them.
    pub(crate) fn html(&self) -> String {
        let mut html = format!("<table>\n<thead><tr><th scope=\"col\" style=\"{HEADING}\">Line #</th>");
        for (heading, meaning) in &self.headings {
            let (title, heading) = (title(meaning), escape(heading));
            html.push_str(&format!("<th scope=\"col\" style=\"{HEADING}\"{title}>{heading}</th>"));
        }
        html.push_str(&format!(
            "<th scope=\"col\" style=\"{TEXT}\">Line Contents</th></tr></thead>\n<tbody>\n"
        ));
        self.lines.iter().for_each(|line| html.push_str(&self.row(line)));
        html.push_str("</tbody>\n</table>");
        html
    }

    fn row(&self, line: &SourceLine) -> String {
        let heat = heat::colour(line.share)
            .map(|colour| format!("; background-color: {colour}"))
            .unwrap_or_default();
        let mut html = format!("<tr><th scope=\"row\" style=\"{NUMBER}\">{}</th>", line.number);
        if line.figures.iter().all(String::is_empty) && !self.headings.is_empty() {
            html.push_str(&format!("<td colspan=\"{}\"></td>", self.headings.len()));
        } else {
            for (index, figure) in line.figures.iter().enumerate() {
                let heat = if self.hot == Some(index) { heat.as_str() } else { "" };
                let exact = title(line.exact.get(index).map_or("", String::as_str));
                html.push_str(&format!("<td style=\"{FIGURE}{heat}\"{exact}>{}</td>", escape(figure)));
            }
        }
        html.push_str(&format!("<td style=\"{TEXT}{heat}\">{}</td></tr>\n", escape(&line.text)));
        html
    }
}

/// What a pointer is told, if there is anything.
fn title(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" title=\"{}\"", escape(said)) }
}
