//! Fits a + b·g(n) with a, b ≥ 0 to costs that span decades: what is least is the sum of squared *relative* errors.

use super::class::Shape;

/// Steps of Gauss and Newton; the errors of a fit that is any good do not change any more after three.
const STEPS: usize = 5;

/// No relative error counts for more than this, as a logarithm: a factor of 1000 is as wrong as it gets.
const WORST: f64 = 6.9;

/// A cost grows a cache's size when the data does: from some size on everything may cost up to so much more.
const KNEES: [f64; 4] = [1.1, 1.2, 1.3, LARGEST_KNEE];
pub(super) const LARGEST_KNEE: f64 = 1.4;

/// Where it is, and how much.
const KNEE_PARAMETERS: f64 = 2.0;

/// A knee has so many sizes on either side, or it is an outlier.
const BESIDE_KNEE: usize = 2;

/// What was measured at each size, ascending, all costs above zero.
pub(super) struct Curve {
    pub(super) sizes: Vec<f64>,
    pub(super) costs: Vec<f64>,
    /// Errors below this share are no errors.
    pub(super) floor: f64,
}

/// From a size on, everything costs this many times what it did: a cache is full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    /// The first size that costs more.
    pub from: f64,
    /// How many times more.
    pub factor: f64,
}

/// A shape fitted to a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fitted {
    pub(super) shape: Shape,
    pub(super) knee: Option<Knee>,
    /// a.
    pub(super) intercept: f64,
    /// b·g at the largest size.
    pub(super) growth: f64,
    /// The root of the mean squared relative error.
    pub(super) error: f64,
    /// Schwarz's criterion: less is better.
    pub(super) score: f64,
}

impl Curve {
    pub(super) fn most(&self) -> f64 {
        self.sizes[self.sizes.len() - 1]
    }

    /// The part from a size on.
    pub(super) fn from(&self, size: f64) -> Self {
        let index = self.sizes.partition_point(|n| *n < size);
        Self { sizes: self.sizes[index..].to_vec(), costs: self.costs[index..].to_vec(), floor: self.floor }
    }

    /// The different sizes, ascending.
    pub(super) fn distinct(&self) -> Vec<f64> {
        let mut sizes = self.sizes.clone();
        sizes.dedup();
        sizes
    }

    /// The shape with the knee that it is better with, if any.
    pub(super) fn fit(&self, shape: Shape) -> Fitted {
        let plain = self.fit_plain(shape);
        // A knee costs parameters; where even a fit without error would not be worth them, none is tried.
        let hopeless = plain.score <= self.score(0.0, shape.parameters() + KNEE_PARAMETERS);
        if hopeless { plain } else { self.fits_with_knees(shape).fold(plain, Fitted::better) }
    }

    /// The shape without a knee.
    pub(super) fn fit_plain(&self, shape: Shape) -> Fitted {
        self.fit_with(shape, None, &vec![1.0; self.sizes.len()], None)
    }

    /// The shape with every knee.
    pub(super) fn fits_with_knees(&self, shape: Shape) -> impl Iterator<Item = Fitted> {
        let weights = vec![1.0; self.sizes.len()];
        let knees = self.knees().into_iter().flat_map(|from| KNEES.map(|factor| Knee { from, factor }));
        knees.map(move |knee| self.fit_with(shape, Some(knee), &weights, None))
    }

    /// The shape with a given knee and weights for the points, begun at another fit if there is one.
    pub(super) fn fit_with(
        &self,
        shape: Shape,
        knee: Option<Knee>,
        weights: &[f64],
        begin: Option<&Fitted>,
    ) -> Fitted {
        let shares: Vec<f64> = self.sizes.iter().map(|n| shape.share(*n, self.most())).collect();
        let factor = |n: f64| knee.map_or(1.0, |knee| knee.at(n));
        let costs: Vec<f64> = self.sizes.iter().zip(&self.costs).map(|(n, cost)| cost / factor(*n)).collect();
        let line = Line { shares: &shares, costs: &costs, weights };
        let (start, steps) = match begin {
            Some(fitted) => ((fitted.intercept, fitted.growth), 1),
            None => (line.solve(|index| (costs[index], costs[index])), STEPS),
        };
        let ((intercept, growth), squares) = line.descend(start, steps);
        let count: f64 = weights.iter().sum();
        let error = (squares / count).sqrt();
        let parameters = shape.parameters() + if knee.is_some() { KNEE_PARAMETERS } else { 0.0 };
        let score = self.score(error, parameters);
        Fitted { shape, knee, intercept, growth, error, score }
    }

    /// The criterion of Schwarz ("Estimating the dimension of a model", Annals of Statistics 6, 1978). Akaike's, in its form for few points, forbids a knee below a
    /// dozen of sizes, and then takes what a cache does for a logarithm. Errors below the floor make no difference.
    fn score(&self, error: f64, parameters: f64) -> f64 {
        let points = self.sizes.len() as f64;
        let variance = (error * error + self.floor * self.floor).max(f64::MIN_POSITIVE);
        if points > parameters { points * variance.ln() + parameters * points.ln() } else { f64::INFINITY }
    }

    /// The sizes at which there may be a knee.
    fn knees(&self) -> Vec<f64> {
        let sizes = self.distinct();
        let end = sizes.len().saturating_sub(BESIDE_KNEE - 1);
        sizes.get(BESIDE_KNEE..end).unwrap_or_default().to_vec()
    }
}

impl Fitted {
    /// The one with the better score.
    pub(super) fn better(self, other: Self) -> Self {
        if other.score < self.score { other } else { self }
    }

    /// The share that the growing term has of the cost at `n`.
    pub(super) fn share_of_growth(&self, n: f64, most: f64) -> f64 {
        let grown = self.growth * self.shape.share(n, most);
        grown / (self.intercept + grown)
    }
}

impl Knee {
    /// By what the cost at a size is multiplied.
    pub(super) fn at(self, n: f64) -> f64 {
        if n >= self.from { self.factor } else { 1.0 }
    }
}

/// A straight line of costs over shares.
struct Line<'a> {
    shares: &'a [f64],
    costs: &'a [f64],
    weights: &'a [f64],
}

impl Line<'_> {
    /// Makes the squared logarithms of cost by fit less, step by step, and tells the best line with its sum.
    fn descend(&self, start: (f64, f64), steps: usize) -> ((f64, f64), f64) {
        let mut best = (start, self.squares(start));
        for _ in 0..steps {
            let (line, _) = best;
            let next = self.solve(|index| {
                let fit = self.at(line, index);
                (fit, fit * (1.0 + self.residual(line, index)))
            });
            let squares = self.squares(next);
            if squares >= best.1 {
                break;
            }
            best = (next, squares);
        }
        best
    }

    /// The line with both numbers ≥ 0 that is nearest to the targets; `at` gives for each point the scale of its errors, and its target.
    fn solve(&self, at: impl Fn(usize) -> (f64, f64)) -> (f64, f64) {
        let (mut w, mut wg, mut wgg, mut wt, mut wgt) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (index, g) in self.shares.iter().enumerate() {
            let (scale, target) = at(index);
            let weight = self.weights[index] / (scale * scale);
            w += weight;
            wg += weight * g;
            wgg += weight * g * g;
            wt += weight * target;
            wgt += weight * g * target;
        }
        let determinant = w * wgg - wg * wg;
        let intercept = (wgg * wt - wg * wgt) / determinant;
        let growth = (w * wgt - wg * wt) / determinant;
        if intercept >= 0.0 && growth >= 0.0 && determinant > 0.0 {
            (intercept, growth)
        } else if intercept < 0.0 && wgg > 0.0 {
            (0.0, (wgt / wgg).max(0.0))
        } else {
            ((wt / w).max(0.0), 0.0)
        }
    }

    fn at(&self, (intercept, growth): (f64, f64), index: usize) -> f64 {
        // A line may be zero at n = 1, and no cost is.
        (intercept + growth * self.shares[index]).max(self.costs[index] * 1e-3)
    }

    fn residual(&self, line: (f64, f64), index: usize) -> f64 {
        (self.costs[index] / self.at(line, index)).ln().clamp(-WORST, WORST)
    }

    fn squares(&self, line: (f64, f64)) -> f64 {
        (0..self.costs.len()).map(|index| self.weights[index] * self.residual(line, index).powi(2)).sum()
    }
}
