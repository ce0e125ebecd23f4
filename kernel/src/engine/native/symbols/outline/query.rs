//! Which functions a name means.

use super::Text;
use super::reader::{Kind, Region};
use assay_magics::profiled::STATEMENTS;
use std::collections::BTreeMap;

type Found<'a> = (&'a str, &'a Text, &'a Region);

/// The functions that are called so: those with the whole of the name, or else those whose name ends with it. Of several that have taken each other's
/// place it is the newest one.
pub(super) fn find<'a>(name: &str, functions: impl Iterator<Item = Found<'a>>) -> Vec<Found<'a>> {
    let name = normal(name);
    let mut best: BTreeMap<&str, (u8, Found<'a>)> = BTreeMap::new();
    for found in functions {
        let Some(closeness) = closeness(&name, found.2) else { continue };
        let key = if found.2.kind == Kind::Statements { STATEMENTS } else { found.2.exact.as_str() };
        let better = best.get(key).is_none_or(|(_, before)| newer(found, *before));
        if better {
            best.insert(key, (closeness, found));
        }
    }
    let closest = best.values().map(|(closeness, _)| *closeness).max().unwrap_or_default();
    let mut found: Vec<_> =
        best.into_values().filter(|(one, _)| *one == closest).map(|(_, found)| found).collect();
    // One that is gone is not meant while there is another.
    if found.iter().any(|(_, _, region)| region.live) {
        found.retain(|(_, _, region)| region.live);
    }
    found
}

fn newer((_, text, region): Found<'_>, (_, before, other): Found<'_>) -> bool {
    let age = |text: &Text, region: &Region| (region.live, text.rank, region.range.start);
    let statements = region.kind == Kind::Statements;
    // Statements begin with the first one.
    if statements && text.rank == before.rank { false } else { age(text, region) > age(before, other) }
}

/// How well a name fits.
fn closeness(name: &str, region: &Region) -> Option<u8> {
    let asked = match region.kind {
        Kind::Function | Kind::Statements => true,
        Kind::Closure => name.contains('{'),
        Kind::Type | Kind::Other => false,
    };
    if !asked {
        return None;
    }
    if name == region.plain || name == region.exact {
        return Some(2);
    }
    let ends = |whole: &str| whole.strip_suffix(name).is_some_and(|before| before.ends_with("::"));
    (ends(&region.plain) || ends(&region.exact)).then_some(1)
}

/// A name without what does not tell functions apart: `crate::Grid::<u8>::step()` is `Grid::step`.
fn normal(name: &str) -> String {
    let name = name.trim().trim_end_matches("()").trim_start_matches("::");
    let name = ["crate::", "self::"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or(name);
    let name = name.replace("r#", "");
    if name.starts_with('<') {
        return name;
    }
    let (mut plain, mut depth) = (String::new(), 0_usize);
    for one in name.chars().filter(|one| !one.is_whitespace()) {
        match one {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            one if depth == 0 => plain.push(one),
            _ => {}
        }
    }
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}
