//! How figures are written: durations, bytes, counts, rates and ratios, in tables, sentences and on axes alike.
//!
//! The floor is IPython's form, three significant digits with a unit of their size (`1.23 µs`), without its wart: what
//! rounds up to a thousand takes the next unit, so 999.6 ns is `1 µs` and never `1e+03 ns`.

/// Significant digits where nobody asks for another number.
const DIGITS: usize = 3;

/// What a figure measures, which decides how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A duration, in seconds.
    Seconds,
    /// An amount of memory, in bytes.
    Bytes,
}

impl Quantity {
    /// `value` with its unit.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Seconds => duration(value),
            Self::Bytes => bytes(value),
        }
    }

    /// The one unit for an axis whose largest figure is `top`.
    pub fn unit(self, top: f64) -> Unit {
        let units = match self {
            Self::Seconds => &TIME[..],
            Self::Bytes => &MEMORY[..],
        };
        let fits = |unit: &&Unit| top.abs() * unit.per_base >= 1.0;
        // The largest unit of which there is at least one; the smallest for figures below all.
        *units.iter().find(fits).unwrap_or(&units[units.len() - 1])
    }
}

/// A unit: its sign, and how many of it make one second or one byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// `ns`, `MiB`.
    pub sign: &'static str,
    /// A figure in seconds or bytes times this is a figure in the unit.
    pub per_base: f64,
}

const TIME: [Unit; 4] = [
    Unit { sign: "s", per_base: 1.0 },
    Unit { sign: "ms", per_base: 1e3 },
    Unit { sign: "µs", per_base: 1e6 },
    Unit { sign: "ns", per_base: 1e9 },
];

const KIB: f64 = 1024.0;
const MEMORY: [Unit; 5] = [
    Unit { sign: "TiB", per_base: 1.0 / (KIB * KIB * KIB * KIB) },
    Unit { sign: "GiB", per_base: 1.0 / (KIB * KIB * KIB) },
    Unit { sign: "MiB", per_base: 1.0 / (KIB * KIB) },
    Unit { sign: "KiB", per_base: 1.0 / KIB },
    Unit { sign: "B", per_base: 1.0 },
];

/// A duration of `seconds` in three significant digits: `1.23 µs`, `450 ms`, `1min 5s`.
pub fn duration(seconds: f64) -> String {
    duration_to(seconds, DIGITS)
}

/// A duration in as many significant digits as are asked for (`%timeit -p`), at least one; from a minute on, whole seconds.
pub fn duration_to(seconds: f64, digits: usize) -> String {
    if !seconds.is_finite() {
        return UNKNOWN.to_owned();
    }
    let (sign, size) = sign_and_size(seconds);
    // No clock resolves a picosecond; what is smaller is the rest of a subtraction.
    if size < 1e-12 {
        return if size == 0.0 { "0 ns".to_owned() } else { format!("{sign}<0.001 ns") };
    }
    let rounded = rounded(size, digits);
    if rounded >= 60.0 {
        return format!("{sign}{}", minutes(size));
    }
    let unit = Quantity::Seconds.unit(rounded * (1.0 + f64::EPSILON));
    format!("{sign}{} {}", significant(size * unit.per_base, digits), unit.sign)
}

/// Two durations as the ends of a range, with one unit if they have the same: `1.18 … 1.24 µs`.
pub fn duration_range(low: f64, high: f64, digits: usize) -> String {
    let (from, to) = (duration_to(low, digits), duration_to(high, digits));
    let ends = from.rsplit_once(' ').zip(to.rsplit_once(' '));
    let same =
        ends.filter(|((_, one), (_, other))| one == other && TIME.iter().any(|unit| unit.sign == *one));
    match same {
        Some(((from, _), (to, unit))) => {
            let (from, to) = alike(from, to);
            format!("{from} … {to} {unit}")
        }
        None => format!("{from} … {to}"),
    }
}

/// Two numbers with as many decimals, where that invents no digit: of `1.2` and `1.24` the first becomes `1.20`.
fn alike(one: &str, other: &str) -> (String, String) {
    let parts = |number: &str| {
        number.split_once('.').map_or((number.len(), 0), |(whole, part)| (whole.len(), part.len()))
    };
    let ((one_whole, one_part), (other_whole, other_part)) = (parts(one), parts(other));
    if one_whole != other_whole {
        return (one.to_owned(), other.to_owned());
    }
    let pad = |number: &str, decimals: usize, wanted: usize| {
        let point = if decimals == 0 && wanted > 0 { "." } else { "" };
        format!("{number}{point}{}", "0".repeat(wanted.saturating_sub(decimals)))
    };
    (pad(one, one_part, other_part), pad(other, other_part, one_part))
}

/// The seconds of a duration with its unit: `2ms`, `1.5 s`, `1_000µs`. None where it is none.
pub fn seconds_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let number = text.find(|sign: char| !(sign.is_ascii_digit() || ['.', '_'].contains(&sign)))?;
    let value: f64 = text[..number].replace('_', "").parse().ok()?;
    let unit = match text[number..].trim_start() {
        "ns" => 1e9,
        "us" | "µs" | "μs" => 1e6,
        "ms" => 1e3,
        "s" => 1.0,
        "min" => return Some(value * 60.0),
        _ => return None,
    };
    // By a whole number, so that 20 µs are the number that is written 2e-5.
    Some(value / unit)
}

/// `1d 2h 3min 4s`, without the parts that are nothing.
fn minutes(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let parts =
        [(whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let parts = parts.iter().filter(|(value, _)| *value > 0);
    parts.map(|(value, unit)| format!("{value}{unit}")).collect::<Vec<_>>().join(" ")
}

/// An amount of memory in three significant digits and binary units: `52.1 MiB`. Whole bytes below 1 KiB are exact.
pub fn bytes(amount: f64) -> String {
    if !amount.is_finite() {
        return UNKNOWN.to_owned();
    }
    let (sign, size) = sign_and_size(amount);
    if size > 0.0 && size < 0.001 {
        return format!("{sign}<0.001 B");
    }
    // 1023.7 KiB would be written 1,024 KiB: it is 1 MiB.
    let unit = Quantity::Bytes.unit(size * (1.0 + 0.5 / KIB));
    let unit = if size < KIB - 0.5 { MEMORY[MEMORY.len() - 1] } else { unit };
    let value = size * unit.per_base;
    let value = if value >= 999.5 { count(value.round() as u64) } else { significant(value, DIGITS) };
    format!("{sign}{value} {}", unit.sign)
}

/// A count with its thousands grouped: `1,000,000`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A rate of bytes in decimal units, as networks and discs are sold: `1.23 GB/s`.
pub fn bytes_per_second(rate: f64) -> String {
    let (value, prefix) = prefixed(rate);
    format!("{value} {prefix}B/s")
}

/// A rate of anything else: `2.5 M items/s`.
pub fn items_per_second(rate: f64) -> String {
    let (value, prefix) = prefixed(rate);
    if prefix.is_empty() { format!("{value} items/s") } else { format!("{value} {prefix} items/s") }
}

fn prefixed(value: f64) -> (String, &'static str) {
    if !value.is_finite() {
        return (UNKNOWN.to_owned(), "");
    }
    let rounded = rounded(value.abs(), DIGITS);
    let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let fitting = prefixes.into_iter().find(|(size, _)| rounded >= *size);
    let (size, prefix) = fitting.unwrap_or((1.0, ""));
    (significant(value / size, DIGITS), prefix)
}

/// How many times: `1.95×`, `12,300×`.
pub fn ratio(times: f64) -> String {
    if !times.is_finite() {
        return UNKNOWN.to_owned();
    }
    if times.abs() < 999.5 {
        return format!("{}×", significant(times, DIGITS));
    }
    let (sign, size) = sign_and_size(times);
    format!("{sign}{}×", count(rounded(size, DIGITS) as u64))
}

/// Two ratios as the ends of a range, without a sign: `1.6–2.0`, `1,190–1,220`.
pub fn ratio_range(low: f64, high: f64) -> String {
    let (low, high) = (ratio(low), ratio(high));
    let (low, high) = alike(low.trim_end_matches('×'), high.trim_end_matches('×'));
    format!("{low}–{high}")
}

const UNKNOWN: &str = "not known";

/// `value` in `digits` significant digits, without an exponent and without zeros at the end: `1.5`, `0.012`, `1234`.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { UNKNOWN.to_owned() };
    }
    // The exponent after rounding: 9.996 has none less than 10.
    let magnitude = rounded(value.abs(), digits).log10().floor() as i64;
    let decimals = usize::try_from(digits.clamp(1, 17) as i64 - 1 - magnitude).unwrap_or(0);
    without_zeros(&format!("{value:.decimals$}")).to_owned()
}

/// The number without zeros behind its decimal point.
pub fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

fn rounded(value: f64, digits: usize) -> f64 {
    let decimals = digits.clamp(1, 17) - 1;
    format!("{value:.decimals$e}").parse().unwrap_or(value)
}

fn sign_and_size(value: f64) -> (&'static str, f64) {
    (if value < 0.0 { "-" } else { "" }, value.abs())
}

#[cfg(test)]
mod tests;
