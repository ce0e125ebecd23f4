//! The normal distribution and Student's, as far as tests and intervals need them.

use std::f64::consts::{FRAC_PI_2, PI};

/// From here on the normal distribution is taken for Student's: they differ by less than half a percent at 99 %.
const NEARLY_NORMAL: usize = 400;

/// Halvings of an interval until nothing is left of a double's 53 bits.
const HALVINGS: usize = 60;

/// The chance that a standard normal variable lies above `z`.
pub(crate) fn normal_upper_tail(z: f64) -> f64 {
    if z < 3.0 { 0.5 - density(z) * series(z) } else { density(z) * continued_fraction(z) }
}

/// The `z` for which a standard normal variable lies within ±`z` with the chance `level`.
pub(crate) fn normal_two_sided(level: f64) -> f64 {
    bisect(0.0, 40.0, |z| 1.0 - 2.0 * normal_upper_tail(z) < level)
}

/// The `t` for which Student's variable with so many degrees of freedom lies within ±`t` with the chance `level`.
pub(crate) fn student_two_sided(level: f64, freedom: usize) -> f64 {
    if freedom > NEARLY_NORMAL {
        return normal_two_sided(level);
    }
    let angle = bisect(0.0, FRAC_PI_2, |angle| student_within(angle, freedom) < level);
    (freedom as f64).sqrt() * angle.tan()
}

/// The normal density.
fn density(z: f64) -> f64 {
    (-z * z / 2.0).exp() / (2.0 * PI).sqrt()
}

/// z + z³/3 + z⁵/15 + …: the area from 0 to `z` in units of the density there (Marsaglia, "Evaluating the normal distribution",
/// Journal of Statistical Software 11, 2004).
fn series(z: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (z, z, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    sum
}

/// 1/(z + 1/(z + 2/(z + 3/(z + …)))): Abramowitz and Stegun 26.2.14, from its 100th term; good to 15 digits from z = 3.
fn continued_fraction(z: f64) -> f64 {
    1.0 / (1..=100).rev().fold(z, |below, term| z + f64::from(term) / below)
}

/// The chance that |t| is below √freedom · tan(angle): Abramowitz and Stegun 26.7.3 and 26.7.4.
fn student_within(angle: f64, freedom: usize) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = 0.0;
    let mut index = if odd { 1 } else { 0 };
    while index + 2 <= freedom {
        sum += term;
        term *= cosine * cosine * (index + 1) as f64 / (index + 2) as f64;
        index += 2;
    }
    if odd { (angle + sine * sum) * 2.0 / PI } else { sine * sum }
}

/// Where `below` ceases to be true.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::{normal_two_sided, normal_upper_tail, student_two_sided};

    fn check(got: f64, expected: f64, digits: i32) {
        assert!((got / expected - 1.0).abs() < 10_f64.powi(-digits), "{got} is not {expected}");
    }

    /// Values of R 4: `pnorm(z, lower.tail = FALSE)`, `qnorm`, as in every table.
    #[test]
    fn the_normal_distribution() {
        check(normal_upper_tail(0.0), 0.5, 15);
        check(normal_upper_tail(1.0), 0.158_655_253_931_457_05, 13);
        check(normal_upper_tail(-1.0), 0.841_344_746_068_542_9, 13);
        check(normal_upper_tail(2.999_999), 0.001_349_902_463_3, 8);
        check(normal_upper_tail(3.0), 0.001_349_898_031_630_094_6, 13);
        check(normal_upper_tail(6.0), 9.865_876_450_376_98e-10, 12);
        check(normal_two_sided(0.95), 1.959_963_984_540_054, 12);
        check(normal_two_sided(0.99), 2.575_829_303_548_900_4, 12);
        assert_eq!(normal_upper_tail(60.0), 0.0);
    }

    /// Student's table: two-sided 95 % and 99 %.
    #[test]
    fn students_distribution() {
        for (freedom, at_95, at_99) in [
            (1, 12.706_2, 63.656_7),
            (2, 4.302_65, 9.924_84),
            (3, 3.182_45, 5.840_91),
            (4, 2.776_45, 4.604_09),
            (9, 2.262_16, 3.249_84),
            (30, 2.042_27, 2.750_00),
            (1000, 1.962_34, 2.580_75),
        ] {
            let digits = if freedom == 1000 { 2 } else { 5 };
            check(student_two_sided(0.95, freedom), at_95, digits);
            check(student_two_sided(0.99, freedom), at_99, digits);
        }
    }
}
