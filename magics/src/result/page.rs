//! A result on the page: the same lines and tables as text and as html that an untrusted front end keeps.

use crate::render::{Bundle, Table, escape};
use serde_json::Value;

// JupyterLab's pages are white or nearly black (#111), and an output does not know which. Each of these has the contrast on white that WCAG asks of text,
// 4.5 : 1, and 4.1 : 1 on the other: no colour has 4.5 on both.

/// What is said in passing.
const GREY: &str = "#767676";
/// What makes a figure doubtful.
const AMBER: &str = "#be5a00";
/// What is wrong.
const RED: &str = "#e02d2d";

/// Lines and tables, from top to bottom.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: Vec<String>,
    html: Vec<String>,
}

impl Page {
    /// The figure that one looks for, with what it is of.
    pub(crate) fn headline(mut self, figure: &str, rest: &str) -> Self {
        self.text.push(format!("{figure}{rest}"));
        self.html.push(format!("<p><strong>{}</strong>{}</p>", html(figure), html(rest)));
        self
    }

    /// A sentence.
    pub(crate) fn line(mut self, text: &str) -> Self {
        self.text.push(text.to_owned());
        self.html.push(format!("<p>{}</p>", html(text)));
        self
    }

    /// Sentences that make a figure doubtful.
    pub(crate) fn doubts(self, all: impl IntoIterator<Item = String>) -> Self {
        all.into_iter().fold(self, |page, doubt| page.coloured(&doubt, AMBER))
    }

    /// What nobody may overlook.
    pub(crate) fn loud(mut self, text: &str) -> Self {
        self.text.push(text.to_owned());
        self.html.push(format!("<p style=\"color: {RED}\"><strong>{}</strong></p>", html(text)));
        self
    }

    /// What closes the page, and what is said in passing.
    pub(crate) fn quiet(self, text: &str) -> Self {
        self.coloured(text, GREY)
    }

    /// A table in both forms.
    pub(crate) fn table(mut self, table: &Table) -> Self {
        self.text.push(table.text());
        self.html.push(table.html());
        self
    }

    /// A table where there is room for one, and the same in fewer words where there is not.
    pub(crate) fn table_or_lines(mut self, table: &Table, lines: impl IntoIterator<Item = String>) -> Self {
        self.text.extend(lines);
        self.html.push(table.html());
        self
    }

    /// What was made in both forms elsewhere.
    pub(crate) fn block(mut self, text: String, html: String) -> Self {
        self.text.push(text);
        self.html.push(html);
        self
    }

    /// Both forms, with the raw figures beside them.
    pub(crate) fn bundle(self, raw: Value) -> Bundle {
        Bundle::text(self.text.join("\n")).with("text/html", self.html.join("\n")).with_metadata("assay", raw)
    }

    fn coloured(mut self, text: &str, colour: &str) -> Self {
        self.text.push(text.to_owned());
        self.html.push(format!("<p style=\"color: {colour}\">{}</p>", html(text)));
        self
    }
}

/// Text as html, what stands between backticks as code.
pub(crate) fn html(text: &str) -> String {
    let escaped = escape(text);
    let parts: Vec<&str> = escaped.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let marked = |(index, part): (usize, &&str)| {
        if index.is_multiple_of(2) { (*part).to_owned() } else { format!("<code>{part}</code>") }
    };
    parts.iter().enumerate().map(marked).collect()
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn code_between_backticks_is_code() {
        let check = |text: &str, expected: &str| assert_eq!(html(text), expected);
        check("`a < b` is 2× faster than `c`", "<code>a &lt; b</code> is 2× faster than <code>c</code>");
        check("nothing & none", "nothing &amp; none");
        check("a single ` stays", "a single ` stays");
    }
}
