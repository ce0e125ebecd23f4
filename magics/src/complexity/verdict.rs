//! The verdict on growth in words.

use crate::units::{Quantity, count, ratio};
use assay_statistics::{Class, Fit, Growth, GrowthVerdict, LEAST_RANGE, LEAST_SIZES};

/// What is named, and the rest of the sentence.
pub(super) fn headline(growth: &Growth, name: &str) -> (String, String) {
    match &growth.verdict {
        GrowthVerdict::Named { class, confidence } => {
            let most = growth.fits.first().map_or(growth.from, |fit| fit.most);
            let rest = format!(
                " from {name} = {} to {} (confidence {:.0} %)",
                size(growth.from),
                size(most),
                100.0 * confidence
            );
            (class_of(*class, growth.fits.first()), rest)
        }
        GrowthVerdict::Alike(classes) => {
            let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
            let rest = ": these sizes do not tell them apart; a wider range or a quieter machine would";
            (classes.join(" or "), rest.to_owned())
        }
        GrowthVerdict::NoneFits { error } => {
            ("No class".to_owned(), format!(" fits: the best one is wrong by {:.0} %", 100.0 * error))
        }
        GrowthVerdict::Jumps { at, factor } => {
            let rest = format!(
                " and no growth: from {name} = {} on it costs {}, and hardly grows otherwise",
                size(*at),
                ratio(*factor)
            );
            ("A jump".to_owned(), rest)
        }
        GrowthVerdict::TooFew { sizes } => {
            let rest = format!(
                " to name a class: {sizes} could be used, and it takes {LEAST_SIZES}, the largest at least {LEAST_RANGE} times the smallest"
            );
            ("Too few sizes".to_owned(), rest)
        }
    }
}

/// The exponential class with its base.
pub(super) fn class_of(class: Class, fit: Option<&Fit>) -> String {
    match fit.and_then(|fit| fit.base) {
        Some(base) if class == Class::Exponential => format!("O({}ⁿ)", crate::units::significant(base, 3)),
        _ => class.to_string(),
    }
}

/// What else is known.
pub(super) fn details(growth: &Growth, name: &str, quantity: Quantity) -> Vec<String> {
    let is_named = matches!(growth.verdict, GrowthVerdict::Named { .. });
    let fit = growth.fits.first().filter(|_| is_named);
    let mut said: Vec<String> = fit.iter().map(|fit| parts(fit, name, quantity)).collect();
    if let Some(lower) = fit.and_then(|fit| fit.lower) {
        said.push(format!("Below {name} = {} a term of the next lower order costs more.", size(lower)));
    }
    if let Some(knee) = fit.and_then(|fit| fit.knee) {
        said.push(format!(
            "From {name} = {} on it costs {} what it did: the data may have outgrown a cache.",
            size(knee.from),
            ratio(knee.factor)
        ));
    }
    if !is_named && growth.exponent != 0.0 {
        said.push(format!("On average it grows as {name}^{:.2}.", growth.exponent));
    }
    said
}

/// What grows and what does not.
fn parts(fit: &Fit, name: &str, quantity: Quantity) -> String {
    let grows = quantity.show(fit.coefficient());
    let unit = match fit.class {
        Class::Constant => return format!("{} at each size.", quantity.show(fit.intercept)),
        Class::Logarithmic => format!("log₂ {name}"),
        Class::Linear => name.to_owned(),
        Class::Linearithmic => format!("{name}·log₂ {name}"),
        Class::Quadratic => format!("{name}²"),
        Class::Cubic => format!("{name}³"),
        Class::Exponential => {
            format!("{}^{name}", crate::units::significant(fit.base.unwrap_or(2.0), 3))
        }
    };
    let fixed = if fit.intercept > 0.0 {
        format!(", and {} besides", quantity.show(fit.intercept))
    } else {
        String::new()
    };
    format!("{grows} for each unit of {unit}{fixed}.")
}

/// A size as it was given.
pub(super) fn size(n: f64) -> String {
    count(n.round() as u64)
}
