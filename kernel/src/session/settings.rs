//! What `%config` shows and changes. A setting is one row of the table.

use assay_magics::outcome::Setting;

/// The settings of one session, with their present values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// There are checkpoints.
    pub(crate) checkpoint: bool,
    /// Errors are drawn with ANSI colours.
    pub(crate) colour: bool,
    /// Cells are kept in the history file.
    pub(crate) history: bool,
}

struct Row {
    key: &'static str,
    help: &'static str,
    get: fn(&Settings) -> bool,
    set: fn(&mut Settings, bool),
}

const TABLE: &[Row] = &[
    Row {
        key: "checkpoint",
        help: "keep the variables when a cell is interrupted or ends its process (on, off)",
        get: |settings| settings.checkpoint,
        set: |settings, value| settings.checkpoint = value,
    },
    Row {
        key: "colour",
        help: "draw errors with ANSI colours (on, off)",
        get: |settings| settings.colour,
        set: |settings, value| settings.colour = value,
    },
    Row {
        key: "history",
        help: "keep the cells that run from now on in the history file (on, off)",
        get: |settings| settings.history,
        set: |settings, value| settings.history = value,
    },
];

impl Default for Settings {
    fn default() -> Self {
        Self { checkpoint: true, colour: true, history: true }
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
        let value = match value {
            "on" | "true" | "1" => true,
            "off" | "false" | "0" => false,
            _ => return Err(format!("`{value}` is no value for `{key}`: it is on or off")),
        };
        (row.set)(self, value);
        Ok(self.shown(row))
    }

    fn shown(&self, row: &Row) -> Setting {
        let value = if (row.get)(self) { "on" } else { "off" };
        Setting { key: row.key.into(), value: value.into(), help: row.help.into() }
    }
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
        let keys: Vec<_> = settings.all().into_iter().map(|setting| setting.key).collect();
        assert!(keys.is_sorted());
        for key in keys {
            for value in ["off", "on"] {
                assert_eq!(settings.set(&key, value).unwrap().value, value);
                assert_eq!(settings.get(&key).unwrap().value, value);
            }
            assert!(settings.set(&key, "perhaps").unwrap_err().contains("on or off"));
        }
        assert_eq!(settings, Settings::default());
        assert!(settings.get("nothing").unwrap_err().contains("checkpoint, colour, history"));
    }
}
