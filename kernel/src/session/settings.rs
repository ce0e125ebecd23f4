//! What `%config` shows and changes. A setting is one row of the table.

use super::cap;
use assay_magics::outcome::Setting;
use bytesize::ByteSize;

/// The settings of one session, with their present values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// There are checkpoints.
    pub(crate) checkpoint: bool,
    /// Errors are drawn with ANSI colours.
    pub(crate) colour: bool,
    /// Cells are kept in the history file.
    pub(crate) history: bool,
    /// How much text a cell shows before the rest is held back, in bytes. None if all of it.
    pub(crate) output_limit: Option<usize>,
}

struct Row {
    key: &'static str,
    help: &'static str,
    value: Value,
}

/// What a value may be, and where it stands.
enum Value {
    Switch(Place<bool>),
    Limit(Place<Option<usize>>),
}

struct Place<T> {
    get: fn(&Settings) -> T,
    set: fn(&mut Settings, T),
}

const TABLE: &[Row] = &[
    Row {
        key: "checkpoint",
        help: "keep the variables when a cell is interrupted or ends its process (on, off)",
        value: Value::Switch(Place {
            get: |settings| settings.checkpoint,
            set: |settings, value| settings.checkpoint = value,
        }),
    },
    Row {
        key: "colour",
        help: "draw errors with ANSI colours (on, off)",
        value: Value::Switch(Place {
            get: |settings| settings.colour,
            set: |settings, value| settings.colour = value,
        }),
    },
    Row {
        key: "history",
        help: "keep the cells that run from now on in the history file (on, off)",
        value: Value::Switch(Place {
            get: |settings| settings.history,
            set: |settings, value| settings.history = value,
        }),
    },
    Row {
        key: "output_limit",
        help: "show so much text of a cell and then only its last lines (a size such as 1MB or 200kB, or off)",
        value: Value::Limit(Place {
            get: |settings| settings.output_limit,
            set: |settings, value| settings.output_limit = value,
        }),
    },
];

impl Default for Settings {
    fn default() -> Self {
        Self { checkpoint: true, colour: true, history: true, output_limit: Some(cap::USUAL) }
    }
}

impl Settings {
    /// Every key, for completion.
    pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.key)
    }

    /// All settings, sorted by key.
    pub(crate) fn all(&self) -> Vec<Setting> {
        TABLE.iter().map(|row| self.shown(row)).collect()
    }

    /// One setting.
    pub(crate) fn get(&self, key: &str) -> Result<Setting, String> {
        row(key).map(|row| self.shown(row))
    }

    /// Changes a setting; the error says what is wrong.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<Setting, String> {
        let row = row(key)?;
        let wrong = |expected| format!("`{value}` is no value for `{key}`: it is {expected}");
        match &row.value {
            Value::Switch(place) => {
                let value = parse_switch(value).ok_or_else(|| wrong("on or off"))?;
                (place.set)(self, value);
            }
            Value::Limit(place) => {
                let value = parse_limit(value).ok_or_else(|| wrong("a size such as 1MB or 200kB, or off"))?;
                (place.set)(self, value);
            }
        }
        Ok(self.shown(row))
    }

    fn shown(&self, row: &Row) -> Setting {
        let value = match &row.value {
            Value::Switch(place) => if (place.get)(self) { "on" } else { "off" }.to_owned(),
            Value::Limit(place) => (place.get)(self).map_or_else(|| "off".to_owned(), size),
        };
        Setting { key: row.key.into(), value, help: row.help.into() }
    }
}

fn parse_switch(value: &str) -> Option<bool> {
    match value {
        "on" | "true" | "1" => Some(true),
        "off" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// None within for no limit. Nothing at all is no limit and no size: `%%capture` shows nothing.
fn parse_limit(value: &str) -> Option<Option<usize>> {
    if value == "off" {
        return Some(None);
    }
    let bytes = value.parse::<ByteSize>().ok()?.as_u64();
    (bytes > 0).then(|| Some(usize::try_from(bytes).unwrap_or(usize::MAX)))
}

/// Exact, as it can be written.
fn size(bytes: usize) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let (factor, unit) =
        units.into_iter().find(|(factor, _)| bytes.is_multiple_of(*factor)).unwrap_or((1, "B"));
    format!("{}{unit}", bytes / factor)
}

fn row(key: &str) -> Result<&'static Row, String> {
    TABLE.iter().find(|row| row.key == key).ok_or_else(|| {
        let keys: Vec<_> = Settings::keys().collect();
        format!("there is no setting `{key}`; there are: {}", keys.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_back_as_it_was_set() {
        let mut settings = Settings::default();
        assert!(settings.all().is_sorted_by_key(|setting| setting.key.clone()));
        for row in TABLE {
            let (values, wrong): (&[&str], _) = match row.value {
                Value::Switch(_) => (&["off", "on"], "on or off"),
                Value::Limit(_) => (&["off", "1B", "1MB", "3GB", "500kB"], "a size such as 1MB"),
            };
            for value in values {
                assert_eq!(settings.set(row.key, value).unwrap().value, *value);
                assert_eq!(settings.get(row.key).unwrap().value, *value);
            }
            assert!(settings.set(row.key, "perhaps").unwrap_err().contains(wrong));
        }
        assert_eq!(settings, Settings::default());
        assert!(settings.get("nothing").unwrap_err().contains("checkpoint, colour, history, output_limit"));
    }

    #[test]
    fn a_limit_is_a_size_in_any_spelling() {
        let check = |value: &str, expected: Option<Option<usize>>| {
            assert_eq!(parse_limit(value), expected, "{value}");
        };
        check("off", Some(None));
        check("1MB", Some(Some(1_000_000)));
        check("1.5 mb", Some(Some(1_500_000)));
        check("64KiB", Some(Some(65_536)));
        check("70000", Some(Some(70_000)));
        check("30000000000GB", Some(Some(usize::MAX)));
        for nothing in ["", "0", "0kB", "0.1B", "MB", "-1", "1,000", "on", "1 furlong", "nan"] {
            check(nothing, None);
        }
    }

    #[test]
    fn a_limit_is_shown_exactly() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(1_000_000, "1MB");
        check(1_500_000, "1500kB");
        check(65_536, "65536B");
    }
}
