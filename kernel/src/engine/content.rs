//! What user code shows, by printing content blocks on any engine or by a call on the native one.

use super::Output;
use assay_link::evcxr::{Contents, ORDER, Order};
use assay_link::native::Content;
use assay_magics::render::Bundle;
use serde_json::Value;

/// What a cell wants done to what is shown.
pub(crate) fn order(order: Order) -> Output {
    match order {
        Order::Display { data, display_id } => {
            Output::Display { bundle: bundle(data), display_id: Some(display_id) }
        }
        Order::UpdateDisplay { data, display_id } => {
            Output::UpdateDisplay { bundle: bundle(data), display_id }
        }
        Order::ClearOutput { wait } => Output::Clear { wait },
    }
}

/// The order in a block of the type [`ORDER`]; what is wrong with it, for the user, if it is none.
pub(crate) fn parse_order(content: &str) -> Result<Output, String> {
    let unreadable = |error| format!("the content of type {ORDER} cannot be read: {error}\n{content}\n");
    serde_json::from_str(content).map(order).map_err(unreadable)
}

/// A result with all of its forms. What has no plain text says so in plain text.
pub(crate) fn bundle(contents: Contents) -> Bundle {
    let bundle = Bundle { data: contents, ..Bundle::default() };
    if bundle.data.contains_key("text/plain") {
        return bundle;
    }
    let types = bundle.data.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    bundle.with("text/plain", format!("<{types}>"))
}

/// Blocks of different types as one result: JSON types as JSON, everything else as text.
pub(crate) fn of_blocks(blocks: Vec<(String, String)>) -> Bundle {
    let value = |mime: &str, content: String| {
        let json = mime == "application/json" || mime.ends_with("+json");
        if json { parsed(content) } else { Value::String(content) }
    };
    bundle(blocks.into_iter().map(|(mime, content)| (mime.clone(), value(&mime, content))).collect())
}

/// What a cell shows by a call.
pub(crate) fn bundle_of(content: Content) -> Bundle {
    let metadata = content.metadata.into_iter().map(|(key, json)| (key, parsed(json))).collect();
    Bundle { metadata, ..of_blocks(content.data) }
}

/// JSON text as what it means. What is none is the text that it is.
fn parsed(json: String) -> Value {
    serde_json::from_str(&json).unwrap_or(Value::String(json))
}

#[cfg(test)]
mod tests {
    use super::{bundle, bundle_of, of_blocks, parse_order};
    use crate::engine::Output;
    use assay_link::native::Content;
    use serde_json::json;

    #[test]
    fn every_bundle_has_plain_text() {
        let check = |contents: serde_json::Value, expected: &str| {
            assert_eq!(bundle(contents.as_object().unwrap().clone()).plain(), expected);
        };
        check(json!({"text/plain": "a", "text/html": "b"}), "a");
        check(json!({"image/png": "AAAA", "text/html": "b"}), "<image/png, text/html>");
    }

    #[test]
    fn json_types_are_json() {
        let check = |mime: &str, content: &str, expected: serde_json::Value| {
            let bundle = of_blocks(vec![(mime.to_owned(), content.to_owned())]);
            assert_eq!(bundle.data.get(mime), Some(&expected));
        };
        check("application/json", "{\"a\": 1}", json!({"a": 1}));
        check("application/vnd.vegalite.v5+json", "[]", json!([]));
        check("application/json", "no json", json!("no json"));
        check("text/html", "1", json!("1"));
    }

    #[test]
    fn what_is_said_about_content_is_json() {
        let pair = |key: &str, json: &str| (key.to_owned(), json.to_owned());
        let content = Content {
            data: vec![pair("image/png", "AAAA")],
            metadata: vec![pair("image/png", "{\"width\": 3}"), pair("note", "none")],
        };
        let bundle = bundle_of(content);
        assert_eq!(json!(bundle.metadata), json!({"image/png": {"width": 3}, "note": "none"}));
        assert_eq!(bundle.plain(), "<image/png>");
    }

    #[test]
    fn an_order_that_cannot_be_read_is_named() {
        assert_eq!(parse_order(r#"{"clear_output": {}}"#), Ok(Output::Clear { wait: false }));
        assert!(parse_order("{}").unwrap_err().contains("application/x-assay-order cannot be read"));
    }
}
