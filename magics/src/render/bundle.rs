//! A result in several MIME types at once.

use serde_json::{Map, Value};

/// One result in every form that a front end may choose from, with the metadata that goes beside it.
///
/// `text/plain` is always present and complete on its own: it is what a terminal, a screen reader and a diff see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundle {
    /// MIME type to content: a string for text and base64, any JSON value for `application/json` and its kin.
    pub data: Map<String, Value>,
    /// What is said about the data: sizes by MIME type, raw figures under the key `assay`.
    pub metadata: Map<String, Value>,
}

impl Bundle {
    /// A bundle of plain text alone.
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().with("text/plain", text.into())
    }

    /// The same bundle with `content` as `mime`; an earlier content of that type is replaced.
    #[must_use]
    pub fn with(mut self, mime: &str, content: impl Into<Value>) -> Self {
        self.data.insert(mime.to_owned(), content.into());
        self
    }

    /// The same bundle with `said` about its content of type `mime` (or under the key `assay`).
    #[must_use]
    pub fn with_metadata(mut self, mime: &str, said: impl Into<Value>) -> Self {
        self.metadata.insert(mime.to_owned(), said.into());
        self
    }

    /// The plain text of the bundle, empty if there is none.
    pub fn plain(&self) -> &str {
        self.data.get("text/plain").and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn content_and_what_is_said_about_it_stay_apart() {
        let bundle = Bundle::text("a chart")
            .with("image/png", "AA==")
            .with_metadata("image/png", json!({"width": 600}));
        assert_eq!(Value::from(bundle.data.clone()), json!({"text/plain": "a chart", "image/png": "AA=="}));
        assert_eq!(Value::from(bundle.metadata.clone()), json!({"image/png": {"width": 600}}));
        let again = bundle.with_metadata("image/png", json!({"width": 300}));
        assert_eq!(Value::from(again.metadata), json!({"image/png": {"width": 300}}), "the later one counts");
    }
}
