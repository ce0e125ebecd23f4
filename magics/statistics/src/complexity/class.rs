//! The classes of growth that a measurement may be given, and the shapes that forbid to give it one.

use std::fmt;

/// How a cost grows with the size of the input, from the slowest to the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// O(1).
    Constant,
    /// O(log n).
    Logarithmic,
    /// O(n).
    Linear,
    /// O(n log n).
    Linearithmic,
    /// O(n²).
    Quadratic,
    /// O(n³).
    Cubic,
    /// O(2ⁿ), or another base from 1.25 to 8: the recursive Fibonacci numbers grow as 1.618ⁿ.
    Exponential,
}

impl Class {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Constant,
        Self::Logarithmic,
        Self::Linear,
        Self::Linearithmic,
        Self::Quadratic,
        Self::Cubic,
        Self::Exponential,
    ];
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Constant => "O(1)",
            Self::Logarithmic => "O(log n)",
            Self::Linear => "O(n)",
            Self::Linearithmic => "O(n log n)",
            Self::Quadratic => "O(n²)",
            Self::Cubic => "O(n³)",
            Self::Exponential => "O(2ⁿ)",
        })
    }
}

/// What is fitted: the growing term g(n) of a cost a + b·g(n).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A class as it is.
    Plain(Class),
    /// The quadratic or the cubic class, where below a size the term of the next lower order costs more.
    Mixed(Class, f64),
    /// The exponential class with its base.
    Power(f64),
    /// n to a power that lies between the classes: when it fits better than all of them, none is right.
    Between(f64),
    /// 0 below a size and 1 from it on: a cost that jumps and does not grow.
    Jump(f64),
}

/// Powers that no class has. Below and between others lie the logarithms, which no measurement can tell from a small power.
pub(super) const BETWEEN: [f64; 4] = [0.5, 0.75, 1.5, 2.5];

impl Shape {
    pub(super) fn class(self) -> Option<Class> {
        match self {
            Self::Plain(class) | Self::Mixed(class, _) => Some(class),
            Self::Power(_) => Some(Class::Exponential),
            Self::Between(_) | Self::Jump(_) => None,
        }
    }

    /// The growing term at `n`, as a share of the one at `most`. Shares, because 2ⁿ itself leaves the range of a double.
    pub(super) fn share(self, n: f64, most: f64) -> f64 {
        let ratio = n / most;
        match self {
            Self::Plain(Class::Constant) => 0.0,
            Self::Plain(Class::Logarithmic) => n.ln() / most.ln(),
            Self::Plain(Class::Linear) => ratio,
            Self::Plain(Class::Linearithmic) => ratio * n.ln() / most.ln(),
            Self::Plain(Class::Quadratic) => ratio.powi(2),
            Self::Plain(Class::Cubic) => ratio.powi(3),
            Self::Plain(Class::Exponential) => (n - most).exp2(),
            Self::Mixed(class, size) => {
                let lower = if class == Class::Cubic { ratio.powi(2) } else { ratio };
                lower * (size + n) / (size + most)
            }
            Self::Power(base) => ((n - most) * base.ln()).exp(),
            Self::Between(power) => ratio.powf(power),
            Self::Jump(from) => f64::from(u8::from(n >= from)),
        }
    }

    /// How many numbers the fit chooses, the variance of the noise included.
    pub(super) fn parameters(self) -> f64 {
        match self {
            Self::Plain(Class::Constant) => 2.0,
            Self::Plain(_) | Self::Between(_) => 3.0,
            Self::Mixed(..) | Self::Power(_) | Self::Jump(_) => 4.0,
        }
    }
}
