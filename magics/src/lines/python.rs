//! Figures as Python's `%` operator writes them, which line_profiler uses: who knows its tables finds every digit where it was.

/// `%g` with so many significant digits: without zeros at the end, and with an exponent where that is shorter to read (`1e-06`).
pub(crate) fn general(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let digits = digits.max(1);
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs());
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or_default();
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

/// `%5.1f`, and `%5.3g` where that is wider than `width`.
pub(crate) fn one_decimal(value: f64, width: usize) -> String {
    let fixed = format!("{value:5.1}");
    if fixed.len() > width { format!("{:>5}", general(value, 3)) } else { fixed }
}

/// `%d`, and `%g` where that is wider than `width`.
pub(crate) fn whole(value: u64, width: usize) -> String {
    let fixed = value.to_string();
    if fixed.len() > width { general(value as f64, 6) } else { fixed }
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::{general, one_decimal, whole};

    /// The expectations are what CPython prints.
    #[test]
    fn figures_are_written_as_python_writes_them() {
        let check = |value: f64, expected: &str| assert_eq!(general(value, 6), expected);
        check(1e-6, "1e-06");
        check(0.0001, "0.0001");
        check(0.123_456_78, "0.123457");
        check(1.0, "1");
        check(0.0, "0");
        check(100_000.0, "100000");
        check(1_234_567.0, "1.23457e+06");
        check(999_999.9, "1e+06");
        check(-2.5, "-2.5");
        check(1e-3, "0.001");
        check(1e100, "1e+100");
    }

    #[test]
    fn what_is_too_wide_gets_an_exponent() {
        assert_eq!(one_decimal(1.25, 8), "  1.2");
        assert_eq!(one_decimal(123_456.78, 8), "123456.8");
        assert_eq!(one_decimal(12_345_678.9, 8), "1.23e+07");
        assert_eq!(whole(242_785, 9), "242785");
        assert_eq!(whole(12_345_678_901, 9), "1.23457e+10");
    }
}
