//! The samples of a measurement as a chart sees them: where most of them are, and how densely.

use super::{LEAST, Undrawable, finite};

/// What was measured under one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What it is called, or its code. One line of it is shown.
    pub label: String,
    /// Seconds for one loop, in any order.
    pub samples: Vec<f64>,
    /// Their median in seconds, as the table has it.
    pub median: f64,
    /// The 95 % interval of the median, in seconds.
    pub interval: Option<(f64, f64)>,
    /// Samples beyond these figures (seconds) are outliers.
    pub fences: Option<(f64, f64)>,
}

/// Samples that were looked at: there is one at least, all are finite, and they are sorted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Samples {
    sorted: Vec<f64>,
    pub(super) median: f64,
    pub(super) interval: Option<(f64, f64)>,
    fences: (f64, f64),
}

impl Samples {
    pub(super) fn of(measured: &Measured) -> Result<Self, Undrawable> {
        if measured.samples.is_empty() {
            return Err(Undrawable::Empty);
        }
        let ends = |pair: Option<(f64, f64)>| pair.map(|(one, other)| (one.min(other), one.max(other)));
        let others = measured.interval.into_iter().chain(measured.fences).flat_map(|(low, high)| [low, high]);
        finite(measured.samples.iter().copied().chain(others).chain([measured.median]))?;
        let mut sorted = measured.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let fences = ends(measured.fences).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        Ok(Self { sorted, median: measured.median, interval: ends(measured.interval), fences })
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn all(&self) -> &[f64] {
        &self.sorted
    }

    pub(super) fn least(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(self.median)
    }

    pub(super) fn greatest(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(self.median)
    }

    pub(super) fn is_outlier(&self, sample: f64) -> bool {
        sample < self.fences.0 || sample > self.fences.1
    }

    pub(super) fn outliers(&self) -> usize {
        self.sorted.iter().filter(|sample| self.is_outlier(**sample)).count()
    }

    /// Whether most samples are so far apart that only a logarithmic axis shows them.
    pub(super) fn span_magnitudes(&self) -> bool {
        self.least() > LEAST && self.quantile(0.9) / self.quantile(0.1) >= 30.0
    }

    /// From where to where an axis should go, so that a few samples far out do not squeeze all others into one line.
    pub(super) fn window(&self) -> (f64, f64) {
        let (low, high) = (self.quantile(0.1), self.quantile(0.9));
        if self.span_magnitudes() {
            return (self.least(), self.greatest());
        }
        let reach = (high - low).max(self.median.abs() * 0.01) * 2.0;
        let inside = |sample: &&f64| **sample >= low - reach && **sample <= high + reach;
        let least = self.sorted.iter().find(inside).copied().unwrap_or(low);
        let greatest = self.sorted.iter().rfind(inside).copied().unwrap_or(high);
        let (from, to) = self.interval.unwrap_or((self.median, self.median));
        (least.min(from).min(self.median), greatest.max(to).max(self.median))
    }

    /// The samples within `(low, high)`.
    pub(super) fn within(&self, (low, high): (f64, f64)) -> &[f64] {
        let from = self.sorted.partition_point(|sample| *sample < low);
        let to = self.sorted.partition_point(|sample| *sample <= high);
        self.sorted.get(from..to).unwrap_or_default()
    }

    /// Whether there are enough different samples for a curve to say more than the samples themselves.
    pub(super) fn deserve_a_curve(&self) -> bool {
        self.count() >= 8 && self.greatest() > self.least()
    }

    /// Density at `points` places, evenly spread over `low..=high` as `place` (0 to 1) sees them; the highest is 1.
    ///
    /// The samples are counted into `points` bins, which are smoothed with a Gaussian, so that a hundred thousand
    /// samples cost no more than a hundred.
    pub(super) fn density(&self, points: usize, place: impl Fn(f64) -> Option<f64>) -> Vec<f64> {
        let last = points.saturating_sub(1).max(1) as f64;
        let mut bins = vec![0.0; points];
        let mut placed: Vec<f64> = Vec::with_capacity(self.count());
        for part in self.sorted.iter().filter_map(|sample| place(*sample)) {
            placed.push(part);
            let at = (part.clamp(0.0, 1.0) * last).round() as usize;
            if let Some(bin) = bins.get_mut(at) {
                *bin += 1.0;
            }
        }
        let smooth = smoothed(&bins, bandwidth(&placed) * last);
        let peak = smooth.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        smooth.into_iter().map(|value| value / peak).collect()
    }

    /// The sample below which this part of all samples lies.
    fn quantile(&self, part: f64) -> f64 {
        quantile(&self.sorted, part)
    }
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}

/// Silverman's rule of thumb (Density Estimation, 1986, equation 3.31) of sorted figures, halved: it is made for one
/// hump, and it is the second hump that one looks for.
fn bandwidth(sorted: &[f64]) -> f64 {
    let count = sorted.len().max(1) as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let deviation = (sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let quartiles = (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 1.34;
    let spread = if quartiles > 0.0 { deviation.min(quartiles) } else { deviation };
    0.45 * spread * count.powf(-0.2)
}

/// `bins` under a Gaussian whose standard deviation is `width` bins.
fn smoothed(bins: &[f64], width: f64) -> Vec<f64> {
    // Narrower than this, the bins themselves would show.
    let width = width.clamp(1.5, bins.len() as f64);
    let reach = (4.0 * width).ceil() as i64;
    let kernel: Vec<f64> = (-reach..=reach).map(|at| (-0.5 * (at as f64 / width).powi(2)).exp()).collect();
    let mut smooth = vec![0.0; bins.len()];
    for (from, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        for (offset, weight) in kernel.iter().enumerate() {
            let to = from as i64 + offset as i64 - reach;
            if let Some(value) = usize::try_from(to).ok().and_then(|to| smooth.get_mut(to)) {
                *value += count * weight;
            }
        }
    }
    smooth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(samples: &[f64]) -> Samples {
        let measured = Measured {
            label: String::new(),
            samples: samples.to_vec(),
            median: 1.0,
            interval: None,
            fences: None,
        };
        Samples::of(&measured).unwrap()
    }

    #[test]
    fn a_sample_far_out_is_not_in_the_window_and_a_second_hump_is() {
        let mut humps: Vec<f64> = (0..50).map(|index| 1.0 + f64::from(index) / 1000.0).collect();
        humps.extend((0..50).map(|index| 2.0 + f64::from(index) / 1000.0));
        assert_eq!(samples(&humps).window(), (1.0, 2.049));
        let mut spike = vec![1.0; 99];
        spike.push(100.0);
        assert_eq!(samples(&spike).window(), (1.0, 1.0));
    }

    #[test]
    fn the_density_is_highest_where_the_samples_are() {
        let humps: Vec<f64> = (0..100).map(|index| if index % 4 == 0 { 0.75 } else { 0.25 }).collect();
        let density = samples(&humps).density(101, Some);
        assert_eq!(density[25], 1.0);
        assert!((density[75] - 1.0 / 3.0).abs() < 0.01, "a third as many samples: {}", density[75]);
        assert!(density[50] < 0.01 && density[0] < 0.01, "nothing lies between: {}", density[50]);
    }
}
