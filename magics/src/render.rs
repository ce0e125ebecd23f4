//! How results are shown: bundles of MIME types, tables, and charts.
//!
//! Nothing here measures or judges: what comes in are figures and labels, what goes out is a [`Bundle`] whose plain text is
//! complete on its own. A table is html that an untrusted front end keeps; a chart is svg beside a png of the same
//! drawing. How single figures are written is in [`crate::units`].

mod bundle;
pub mod chart;
pub(crate) mod heat;
pub(crate) mod source;
mod table;

pub use bundle::Bundle;
pub use table::{Side, Table};

/// `text` as html that means the same.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(sign),
        }
    }
    html
}
