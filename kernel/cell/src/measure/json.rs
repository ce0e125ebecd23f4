//! JSON, as far as it is told to the kernel: numbers, and what is made of them.

use std::fmt::{Display, Write};

/// An object in the making.
#[derive(Debug, Default)]
pub(super) struct Object(String);

impl Object {
    /// Adds what is JSON already.
    pub(super) fn raw(&mut self, key: &str, json: impl Display) -> &mut Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{comma}\"{key}\":{json}");
        self
    }

    /// Adds a number; what is none is null.
    pub(super) fn number(&mut self, key: &str, number: f64) -> &mut Self {
        self.raw(key, Number(number))
    }

    /// Adds a number, or null.
    pub(super) fn maybe(&mut self, key: &str, number: Option<f64>) -> &mut Self {
        self.number(key, number.unwrap_or(f64::NAN))
    }

    /// The whole.
    pub(super) fn end(&self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A number.
pub(super) struct Number(pub(super) f64);

impl Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_finite() { write!(f, "{:?}", self.0) } else { f.write_str("null") }
    }
}

/// A whole number, or null.
pub(super) fn or_null(number: Option<u64>) -> String {
    number.map_or_else(|| "null".to_owned(), |number| number.to_string())
}

/// A list.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = "[".to_owned();
    for (index, item) in items.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{item}");
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::{Number, Object, list};

    #[test]
    fn numbers_lists_and_objects() {
        let mut object = Object::default();
        object.number("a", 1.5e-9).maybe("b", None).raw("c", true).raw("d", list([1.0, 2.5e22].map(Number)));
        assert_eq!(object.end(), r#"{"a":1.5e-9,"b":null,"c":true,"d":[1.0,2.5e22]}"#);
        assert_eq!((Object::default().end(), list([0; 0])), ("{}".to_owned(), "[]".to_owned()));
        assert_eq!(Number(f64::INFINITY).to_string(), "null");
    }
}
