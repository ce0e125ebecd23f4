//! A time in words: three digits and the unit that suits it.

use std::fmt;

/// Seconds, shown as `1.23 µs`.
pub(super) struct Seconds(pub(super) f64);

const UNITS: [(f64, &str); 4] = [(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What would be rounded to 1000 of a unit is 1 of the next.
        let unit = UNITS.iter().find(|(size, _)| self.0 >= 0.9995 * size).unwrap_or(&UNITS[3]);
        let value = self.0 / unit.0;
        let digits = match value {
            0.0 => 0,
            _ if value < 9.995 => 2,
            _ if value < 99.95 => 1,
            _ => 0,
        };
        write!(f, "{value:.digits$} {}", unit.1)
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn three_digits_and_a_unit() {
        for (seconds, expected) in [
            (0.0, "0 ns"),
            (0.04e-9, "0.04 ns"),
            (0.254e-9, "0.25 ns"),
            (9.994e-9, "9.99 ns"),
            (9.996e-9, "10.0 ns"),
            (999.4e-9, "999 ns"),
            (999.6e-9, "1.00 µs"),
            (12.34e-6, "12.3 µs"),
            (1e-3, "1.00 ms"),
            (2.5, "2.50 s"),
            (1234.0, "1234 s"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), expected);
        }
    }
}
