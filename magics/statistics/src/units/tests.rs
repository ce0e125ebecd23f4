//! What every kind of figure looks like, at the seams above all.

use super::*;
use proptest::prelude::*;

fn check(write: impl Fn(f64) -> String, cases: &[(f64, &str)]) {
    for (value, expected) in cases {
        assert_eq!(write(*value), *expected, "{value}");
    }
}

#[test]
fn durations_have_three_digits_and_a_unit_of_their_size() {
    check(
        duration,
        &[
            (0.0, "0 ns"),
            (1e-15, "<0.001 ns"),
            (-1e-15, "-<0.001 ns"),
            (1.2e-11, "0.012 ns"),
            (0.3e-9, "0.3 ns"),
            (1e-9, "1 ns"),
            (1.5e-9, "1.5 ns"),
            (999.4e-9, "999 ns"),
            (999.6e-9, "1 µs"),
            (1e-6, "1 µs"),
            (1.2345e-6, "1.23 µs"),
            (45.6e-6, "45.6 µs"),
            (999.96e-6, "1 ms"),
            (1e-3, "1 ms"),
            (0.45, "450 ms"),
            (0.9996, "1 s"),
            (1.0, "1 s"),
            (59.94, "59.9 s"),
            (-2.5e-3, "-2.5 ms"),
            (f64::NAN, "not known"),
            (f64::INFINITY, "not known"),
        ],
    );
}

#[test]
fn from_a_minute_on_durations_are_whole_seconds_in_parts() {
    check(
        duration,
        &[
            (59.96, "1min"),
            (60.0, "1min"),
            (65.0, "1min 5s"),
            (119.7, "2min"),
            (3_600.0, "1h"),
            (3_725.0, "1h 2min 5s"),
            (90_061.0, "1d 1h 1min 1s"),
            (-65.0, "-1min 5s"),
        ],
    );
}

#[test]
fn the_digits_of_a_duration_can_be_chosen() {
    assert_eq!(duration_to(1.234_567e-6, 6), "1.23457 µs");
    assert_eq!(duration_to(59.96, 4), "59.96 s");
    assert_eq!(duration_to(9.6e-7, 1), "1 µs");
    assert_eq!(duration_to(123.0e-9, 0), "123 ns");
}

#[test]
fn ranges_have_one_unit_and_as_many_decimals_at_both_ends() {
    let check = |low: f64, high: f64, expected: &str| assert_eq!(duration_range(low, high, 3), expected);
    check(1.18e-6, 1.24e-6, "1.18 … 1.24 µs");
    check(1.18e-6, 1.2e-6, "1.18 … 1.20 µs");
    check(1e-6, 1.24e-6, "1.00 … 1.24 µs");
    check(9.98e-6, 10.1e-6, "9.98 … 10.1 µs");
    check(998e-9, 1.02e-6, "998 ns … 1.02 µs");
    check(65.0, 125.0, "1min 5s … 2min 5s");
    check(0.0, 0.2e-9, "0 … 0.2 ns".replace("0 …", "0.0 …").as_str());
    assert_eq!(ratio_range(1.6, 2.0), "1.6–2.0");
    assert_eq!(ratio_range(1190.0, 1217.0), "1,190–1,220");
    assert_eq!(ratio_range(9.5, 10.5), "9.5–10.5");
}

#[test]
fn durations_are_read_with_their_unit() {
    let check = |text: &str, expected: Option<f64>| {
        let found = seconds_in(text);
        let near = found.zip(expected).is_some_and(|(a, b): (f64, f64)| (a / b - 1.0).abs() < 1e-12);
        assert!(near || found == expected, "{text}: {found:?}");
    };
    check("2ms", Some(2e-3));
    check(" 1.5 s ", Some(1.5));
    check("1_000µs", Some(1e-3));
    check("3us", Some(3e-6));
    check("7 ns", Some(7e-9));
    check("2min", Some(120.0));
    check("0s", Some(0.0));
    for wrong in ["", "2", "ms", "2 m", "-2ms", "1.2.3s", "2ms x"] {
        check(wrong, None);
    }
}

#[test]
fn bytes_have_binary_units() {
    check(
        bytes,
        &[
            (0.0, "0 B"),
            (0.0004, "<0.001 B"),
            (0.5, "0.5 B"),
            (12.345, "12.3 B"),
            (999.0, "999 B"),
            (1023.0, "1,023 B"),
            (1023.7, "1 KiB"),
            (1024.0, "1 KiB"),
            (1536.0, "1.5 KiB"),
            (1023.0 * 1024.0, "1,023 KiB"),
            (1023.8 * 1024.0, "1 MiB"),
            (52.1 * 1024.0 * 1024.0, "52.1 MiB"),
            (-2048.0, "-2 KiB"),
            (1e15, "909 TiB"),
            (f64::NAN, "not known"),
        ],
    );
}

#[test]
fn counts_are_grouped_by_thousands() {
    let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_000_000, "1,000,000"), (12_345, "12,345")];
    for (number, expected) in cases {
        assert_eq!(count(number), expected);
    }
    assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
}

#[test]
fn rates_have_decimal_prefixes() {
    check(
        bytes_per_second,
        &[(0.0, "0 B/s"), (999.6, "1 kB/s"), (1.234e9, "1.23 GB/s"), (f64::NAN, "not known B/s")],
    );
    check(items_per_second, &[(0.5, "0.5 items/s"), (999.0, "999 items/s"), (2.5e6, "2.5 M items/s")]);
}

#[test]
fn ratios_are_grouped_when_they_are_large() {
    check(
        ratio,
        &[(1.0, "1×"), (1.954, "1.95×"), (999.6, "1,000×"), (12_345.0, "12,300×"), (f64::NAN, "not known")],
    );
}

#[test]
fn an_axis_has_one_unit_chosen_by_its_largest_figure() {
    let cases =
        [(0.0, "ns"), (5e-10, "ns"), (2e-7, "ns"), (1e-6, "µs"), (0.02, "ms"), (1.0, "s"), (500.0, "s")];
    for (top, expected) in cases {
        assert_eq!(Quantity::Seconds.unit(top).sign, expected, "{top}");
    }
    assert_eq!(Quantity::Bytes.unit(3e6).sign, "MiB");
    assert_eq!(Quantity::Bytes.unit(0.0).sign, "B");
}

proptest! {
    #[test]
    fn any_number_can_be_written(bits in any::<u64>(), digits in 0_usize..20) {
        let value = f64::from_bits(bits);
        for text in [bytes(value), bytes_per_second(value), items_per_second(value), ratio(value), duration_to(value, digits)] {
            prop_assert!(!text.contains("e+") && !text.contains("e-") && !text.contains("inf"), "{value}: {text}");
        }
    }

    #[test]
    fn what_can_be_measured_fits_a_column(mantissa in 1.0..10.0_f64, exponent in -10..14_i32, is_negative: bool) {
        let value = if is_negative { -mantissa } else { mantissa } * 10_f64.powi(exponent);
        for text in [duration(value), bytes(value), bytes_per_second(value), items_per_second(value), ratio(value)] {
            prop_assert!(text.chars().count() <= 26, "{value}: {text}");
        }
    }

    #[test]
    fn a_duration_reads_back_as_what_it_was(seconds in 1e-10..59.0_f64) {
        let text = duration(seconds);
        let (value, sign) = text.split_once(' ').unwrap();
        let unit = TIME.iter().find(|unit| unit.sign == sign).unwrap();
        let value: f64 = value.parse().unwrap();
        prop_assert!((value / unit.per_base / seconds - 1.0).abs() <= 0.0051, "{seconds}: {text}");
        prop_assert!(value < 1000.0, "{text}");
    }
}
