//! How a cost grows with the size of the input: one of seven classes, or the words that it cannot be told.
//!
//! Each class is a cost a + b·g(n), a ≥ 0 for what does not grow and b ≥ 0, fitted by relative errors, because costs span decades; all that lies above some
//! size may cost up to 1.4 times more, because data outgrow caches. Schwarz's criterion weighs errors against parameters, and drawing the
//! points again (a bootstrap) tells how sure the choice is.
//!
//! Three things forbid an answer: a fit that is wrong by too much, a shape between the classes (√n, n√n, a jump) that fits clearly better, and a
//! choice that depends on which points were drawn. google/benchmark, which has neither intercept nor doubt, calls O(1) O(log n): here nothing grows that
//! does not grow by a fifth over the whole range.

mod class;
mod fit;

pub use class::Class;
pub use fit::Knee;

use crate::generator::Generator;
use crate::quantiles::mean;
use class::{BETWEEN, Shape};
use fit::{Curve, Fitted, LARGEST_KNEE};
use std::collections::BTreeMap;

/// Fewer sizes than this look like anything.
pub const LEAST_SIZES: usize = 6;

/// The largest size is so many times the smallest, or growth is not seen.
pub const LEAST_RANGE: f64 = 2.0;

/// What grows by less over the whole range does not grow: noise of 5 % at a dozen sizes tilts a line by a twentieth.
const LEAST_GROWTH: f64 = 1.2;

/// The growing term matters (a fifth of the cost) at so many sizes, or it was fitted to an outlier at the end.
const LEAST_GROWN: (usize, f64) = (3, 0.2);

/// A fit with a larger relative error is none. A knee that is not accounted for makes 13 %.
const WORST_ERROR: f64 = 0.15;

/// That of n³, which no other class is near. What handles n² values n times outgrows one cache after the other: a plain product of matrices took 2.7 times as much for each
/// multiplication at n = 255 as at n = 8, which is wrong by 22 % with one knee accounted for. n²√n is wrong by a third over a range of 16.
const WORST_ERROR_OF_CUBES: f64 = 0.25;

/// A jump by less is a knee.
const LEAST_JUMP: f64 = 1.5;

/// "Very strong" evidence against the other one, in units of the criterion (Kass and Raftery, "Bayes factors", JASA 90, 1995).
const CLEARLY: f64 = 10.0;

/// An error that is so many times as large is as good: what remains of noise is not known better at a dozen sizes.
const AS_GOOD: f64 = 1.25;

/// How often the points are drawn again, and what share of the draws has to agree.
const DRAWS: usize = 100;
const SURE: f64 = 0.8;

/// A class that wins in a smaller share of the draws is not named among those that might be.
const POSSIBLE: f64 = 0.03;

/// A term of lower order may cost more at all sizes but so many of the largest: below that the higher one is a guess.
const BEYOND_MIXTURE: usize = 3;

/// Small sizes may be a story of their own (a branch predictor that knows them by heart, buffers that grow). What is left without those has so many sizes
/// at least, and fits plainly with a smaller error: whoever leaves out points until something fits must not be lenient.
const LEAST_REST: usize = 8;
const WORST_REST_ERROR: f64 = 0.08;

/// What can be said of growth.
#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// The class, or why there is none.
    pub verdict: GrowthVerdict,
    /// The classes that can be fitted at all, the best first: for a chart and a table. Empty if there are too few sizes.
    pub fits: Vec<Fit>,
    /// The smallest size that this is said of: above the smallest one measured if only larger ones follow a class.
    pub from: f64,
    /// The power of n that the cost grows by on average over the range: 1 for O(n), a little more for O(n log n). Not the class, but something to say where there is none.
    pub exponent: f64,
}

/// The class of growth, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum GrowthVerdict {
    /// It is of this class.
    Named {
        /// Which.
        class: Class,
        /// The share of the draws of the points that say the same, 0.8 to 1.
        confidence: f64,
    },
    /// Several classes fit alike: a wider range or less noise would tell. In their order, two or more.
    Alike(Vec<Class>),
    /// No class fits: the relative error of the best, as a share.
    NoneFits {
        /// The error of the best.
        error: f64,
    },
    /// A cost that jumps at a size and does not grow otherwise.
    Jumps {
        /// The first size after the jump.
        at: f64,
        /// How many times more it costs from there.
        factor: f64,
    },
    /// There are too few sizes, or too close together: see [`LEAST_SIZES`] and [`LEAST_RANGE`].
    TooFew {
        /// How many different sizes with a cost there are.
        sizes: usize,
    },
}

/// A class fitted to the costs: intercept + growth · g(n) / g(most), times a factor from a knee on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Which.
    pub class: Class,
    /// What does not grow, in the unit of the costs.
    pub intercept: f64,
    /// What has grown at the largest size, in the unit of the costs.
    pub growth: f64,
    /// The largest size.
    pub most: f64,
    /// Of n² and n³: the size below which a term of the next lower order costs more, if there is one.
    pub lower: Option<f64>,
    /// The base of the power if the class is the exponential one.
    pub base: Option<f64>,
    /// Where a cache was full.
    pub knee: Option<Knee>,
    /// The root of the mean squared relative error, as a share.
    pub error: f64,
}

/// Tells how costs grow. `points` are sizes with what was measured there, in any order; a size may stand there several times (the medians of blocks). Sizes
/// below 1 and costs that are no number above zero are passed over, but nothing but zeros is O(1). `floor` is the relative error that means
/// nothing: the noise floor of times, 0 for counts. The answer is the same for the same seed.
pub fn growth(points: &[(f64, f64)], floor: f64, seed: u64) -> Growth {
    if let Some(nothing) = nothing_at_all(points) {
        return nothing;
    }
    let curve = Curve::new(points.iter().copied(), floor);
    if !curve.is_enough() {
        let verdict = GrowthVerdict::TooFew { sizes: curve.distinct().len() };
        return Growth { verdict, fits: Vec::new(), from: 1.0, exponent: 0.0 };
    }
    let whole = curve.judge(seed);
    match whole.verdict {
        GrowthVerdict::NoneFits { .. } => curve.without_small_sizes(seed).unwrap_or(whole),
        _ => whole,
    }
}

/// What is said of costs that are zero at all sizes: no allocation anywhere.
fn nothing_at_all(points: &[(f64, f64)]) -> Option<Growth> {
    let sizes = Curve::new(points.iter().map(|(n, _)| (*n, 1.0)), 0.0);
    if points.iter().any(|(_, cost)| *cost != 0.0) || !sizes.is_enough() {
        return None;
    }
    let class = Class::Constant;
    let (most, lower, base, knee) = (sizes.most(), None, None, None);
    let fit = Fit { class, intercept: 0.0, growth: 0.0, most, lower, base, knee, error: 0.0 };
    let verdict = GrowthVerdict::Named { class, confidence: 1.0 };
    Some(Growth { verdict, fits: vec![fit], from: sizes.sizes[0], exponent: 0.0 })
}

impl Growth {
    /// Whether this may be said of the larger sizes where nothing can be said of all. What does not grow there is no answer, for it grew before.
    fn stands_alone(&self) -> bool {
        let is_named = matches!(self.verdict, GrowthVerdict::Named { class, .. } if class >= Class::Linear);
        let is_plain = |fit: &Fit| fit.error < WORST_REST_ERROR && fit.knee.is_none() && fit.lower.is_none();
        is_named && self.fits.first().is_some_and(is_plain)
    }
}

impl Curve {
    fn new(points: impl Iterator<Item = (f64, f64)>, floor: f64) -> Self {
        let usable = |(n, cost): &(f64, f64)| n.is_finite() && *n >= 1.0 && cost.is_finite() && *cost > 0.0;
        let mut points: Vec<(f64, f64)> = points.filter(usable).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (sizes, costs) = points.into_iter().unzip();
        Self { sizes, costs, floor: floor.max(0.0) }
    }

    /// Whether there are sizes enough, far enough apart.
    fn is_enough(&self) -> bool {
        self.distinct().len() >= LEAST_SIZES && self.most() >= LEAST_RANGE * self.sizes[0]
    }

    fn judge(&self, seed: u64) -> Growth {
        let mut fitted: Vec<Fitted> = Class::ALL.map(|class| self.fit_class(class)).to_vec();
        fitted.retain(|fitted| self.supports(fitted));
        fitted.sort_by(|a, b| a.score.total_cmp(&b.score));
        let fits = fitted.iter().filter_map(|fitted| self.published(fitted)).collect();
        Growth { verdict: self.verdict(&fitted, seed), fits, from: self.sizes[0], exponent: self.exponent() }
    }

    /// What can be said of the larger half of the sizes, with as few of the smaller ones left out as makes an answer.
    fn without_small_sizes(&self, seed: u64) -> Option<Growth> {
        let sizes = self.distinct();
        let most_left_out = (sizes.len() / 2).min(sizes.len().saturating_sub(LEAST_REST));
        let starts = sizes[1..=most_left_out].iter();
        starts.map(|from| self.from(*from).judge(seed)).find(Growth::stands_alone)
    }

    fn fit_class(&self, class: Class) -> Fitted {
        match class {
            Class::Exponential => self.fit(Shape::Power(self.base())),
            Class::Quadratic | Class::Cubic => {
                let sizes = self.distinct();
                let crossings = &sizes[1..sizes.len() - BEYOND_MIXTURE];
                let mixed = crossings.iter().map(|size| self.fit_plain(Shape::Mixed(class, *size)));
                mixed.fold(self.fit(Shape::Plain(class)), Fitted::better)
            }
            _ => self.fit(Shape::Plain(class)),
        }
    }

    /// The base with which a power of it fits best: by halving the distance between neighbours of the best of a few.
    fn base(&self) -> f64 {
        let error = |logarithm: f64| self.fit_plain(Shape::Power(logarithm.exp())).error;
        let (least, most) = (1.25_f64.ln(), 8_f64.ln());
        let mut step = (most - least) / 12.0;
        let mut best = least;
        let mut best_error = error(best);
        let mut candidates: Vec<f64> = (1..=12).map(|place| least + step * f64::from(place)).collect();
        for _ in 0..10 {
            for candidate in candidates.drain(..) {
                let candidate_error = error(candidate);
                if candidate_error < best_error {
                    (best, best_error) = (candidate, candidate_error);
                }
            }
            step /= 2.0;
            candidates.extend([(best - step).max(least), (best + step).min(most)]);
        }
        best.exp()
    }

    /// Whether the growth of a fit can be seen in the points.
    fn supports(&self, fitted: &Fitted) -> bool {
        if fitted.shape.class() == Some(Class::Constant) {
            return true;
        }
        let most = self.most();
        let grown = self.sizes.iter().filter(|n| fitted.share_of_growth(**n, most) >= LEAST_GROWN.1).count();
        self.times(fitted) >= LEAST_GROWTH && grown >= LEAST_GROWN.0
    }

    /// How many times more the fit expects at the largest size than at the smallest, knees apart.
    fn times(&self, fitted: &Fitted) -> f64 {
        let least = fitted.growth * fitted.shape.share(self.sizes[0], self.most());
        (fitted.intercept + fitted.growth) / (fitted.intercept + least)
    }

    /// What follows from the fits, the best first.
    fn verdict(&self, fitted: &[Fitted], seed: u64) -> GrowthVerdict {
        let best = &fitted[0];
        let other = self.best_of_no_class().filter(|other| other.score + margin(best, other) < best.score);
        match other.map(|other| (other.shape, 1.0 + other.growth / other.intercept)) {
            Some((Shape::Jump(at), factor)) => GrowthVerdict::Jumps { at, factor },
            None if best.error <= worst_error(best) => self.choice(fitted, seed),
            _ => GrowthVerdict::NoneFits { error: best.error },
        }
    }

    /// The best shape that is no class, if there is one that grows by more than a knee.
    fn best_of_no_class(&self) -> Option<Fitted> {
        let sizes = self.distinct();
        let jumps = sizes[2..sizes.len() - 1].iter().map(|from| Shape::Jump(*from));
        let shapes = BETWEEN.into_iter().map(Shape::Between).chain(jumps);
        let fitted = shapes.map(|shape| self.fit_plain(shape));
        fitted.filter(|fitted| self.times(fitted) >= LEAST_JUMP).reduce(Fitted::better)
    }

    /// The class that wins when the points are drawn again, or those among which the draws do not agree.
    fn choice(&self, fitted: &[Fitted], seed: u64) -> GrowthVerdict {
        let mut generator = Generator::new(seed);
        let mut wins: BTreeMap<Class, usize> = BTreeMap::new();
        for _ in 0..DRAWS {
            if let Some(class) = self.winner_of_draw(fitted, &mut generator) {
                *wins.entry(class).or_default() += 1;
            }
        }
        let share = |class: Class| wins.get(&class).map_or(0.0, |wins| *wins as f64 / DRAWS as f64);
        let best = fitted[0].shape.class().unwrap_or(Class::Constant);
        let alike = self.likeness(&fitted[0]);
        if share(best) >= SURE && alike.is_none() {
            return GrowthVerdict::Named { class: best, confidence: share(best) };
        }
        let mut possible: Vec<Class> =
            wins.keys().copied().filter(|class| share(*class) >= POSSIBLE).collect();
        possible.extend(alike.into_iter().chain([best]));
        possible.sort_unstable();
        possible.dedup();
        GrowthVerdict::Alike(possible)
    }

    /// The class that is best for as many points, drawn from these.
    fn winner_of_draw(&self, fitted: &[Fitted], generator: &mut Generator) -> Option<Class> {
        let mut weights = vec![0.0; self.sizes.len()];
        for _ in 0..self.sizes.len() {
            weights[generator.below(self.sizes.len())] += 1.0;
        }
        let again = fitted.iter().map(|fit| self.fit_with(fit.shape, fit.knee, &weights, Some(fit)));
        again.min_by(|a, b| a.score.total_cmp(&b.score)).and_then(|best| best.shape.class())
    }

    /// A class that the points cannot tell from the best one, whatever the criterion says: the next slower one if a knee would make it as good (or two knees, O(log n)), and
    /// O(log n) beside O(1) where a logarithm would hardly have grown.
    fn likeness(&self, best: &Fitted) -> Option<Class> {
        let class = best.shape.class()?;
        let Some(slower) = Class::ALL.into_iter().rev().find(|other| *other < class) else {
            let hidden = self.most().ln() < LEAST_GROWTH * LEAST_GROWTH * self.sizes[0].ln();
            return hidden.then_some(Class::Logarithmic);
        };
        if class == Class::Logarithmic && self.times(best) < LARGEST_KNEE {
            return Some(slower);
        }
        let good = (best.error.powi(2) + self.floor.powi(2)) * AS_GOOD.powi(2);
        let is_as_good = |fit: Fitted| fit.error.powi(2) + self.floor.powi(2) <= good;
        self.fits_with_knees(Shape::Plain(slower)).any(is_as_good).then_some(slower)
    }

    fn published(&self, fitted: &Fitted) -> Option<Fit> {
        Some(Fit {
            class: fitted.shape.class()?,
            intercept: fitted.intercept,
            growth: fitted.growth,
            most: self.most(),
            lower: if let Shape::Mixed(_, size) = fitted.shape { Some(size) } else { None },
            base: if let Shape::Power(base) = fitted.shape { Some(base) } else { None },
            knee: fitted.knee,
            error: fitted.error,
        })
    }

    /// The power of n that is nearest to all.
    fn exponent(&self) -> f64 {
        let logarithms = self.sizes.iter().zip(&self.costs).map(|(n, cost)| (n.ln(), cost.ln()));
        slope(&logarithms.collect::<Vec<_>>())
    }
}

fn worst_error(fitted: &Fitted) -> f64 {
    if fitted.shape.class() == Some(Class::Cubic) { WORST_ERROR_OF_CUBES } else { WORST_ERROR }
}

/// By how much what is no class has to be better than the best class. A mixture of two powers has room for more than it should, and what jumps is said more
/// simply by a jump; only what is constant but for a knee looks like one.
fn margin(best: &Fitted, other: &Fitted) -> f64 {
    match (best.shape, other.shape) {
        (Shape::Plain(Class::Constant), _) => CLEARLY,
        (Shape::Mixed(..), _) | (_, Shape::Jump(_)) => 0.0,
        _ => CLEARLY,
    }
}

/// The slope of a line through points, by least squares; 0 for points above each other.
fn slope(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let products: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let squares: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    if squares > 0.0 { products / squares } else { 0.0 }
}

impl Fit {
    /// The cost that the fit expects at a size of 1 or more.
    pub fn at(&self, n: f64) -> f64 {
        let shape = match (self.base, self.lower) {
            (Some(base), _) => Shape::Power(base),
            (_, Some(size)) => Shape::Mixed(self.class, size),
            _ => Shape::Plain(self.class),
        };
        self.knee.map_or(1.0, |knee| knee.at(n)) * (self.intercept + self.growth * shape.share(n, self.most))
    }

    /// What each unit of the growing term costs, below a knee: of n, n², n·log₂ n and so on.
    pub fn coefficient(&self) -> f64 {
        let n = self.most;
        let lower = self.lower.unwrap_or_default();
        self.growth
            / match self.class {
                Class::Constant => 1.0,
                Class::Logarithmic => n.log2(),
                Class::Linear => n,
                Class::Linearithmic => n * n.log2(),
                Class::Quadratic => n * (n + lower),
                Class::Cubic => n * n * (n + lower),
                Class::Exponential => self.base.unwrap_or(2.0).powf(n),
            }
    }
}

#[cfg(test)]
mod tests;
