//! How results are shown: bundles of MIME types, tables, and (later) charts.

mod bundle;
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
