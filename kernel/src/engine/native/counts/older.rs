//! Code that was made before and counts nothing: what a cell takes may lead to it.

use super::super::build::Program;
use super::super::units::Unit;
use std::collections::BTreeSet;

/// What leads there, as a person would call it. Nothing if there is nothing. In these types of crates that count there can be code.
pub(super) fn reached(program: &Program, own: &BTreeSet<String>) -> Vec<String> {
    let mut found: Vec<String> = super::super::holding_code(program);
    let units = &program.notebook.units;
    let libraries: BTreeSet<_> = program.libraries.iter().collect();
    let is_reached = |id| units.library(id).is_some_and(|library| libraries.contains(library));
    let reached: Vec<&Unit> = units.all().filter(|(id, _)| is_reached(*id)).map(|(_, unit)| unit).collect();
    let own = || own.iter().map(String::as_str);
    let in_units = reached.iter().flat_map(|unit| holders(unit, &own().collect()));
    let holders: BTreeSet<&str> = in_units.chain(own()).collect();
    for name in &program.taken {
        let Some(variable) = program.notebook.variables.get(name) else { continue };
        let mut words = variable.type_name.split(|c: char| c != '_' && !c.is_alphanumeric());
        if !found.contains(name) && words.any(|word| holders.contains(word)) {
            found.push(name.clone());
        }
    }
    // The statics of a unit stay what they are.
    for part in reached.iter().flat_map(|unit| &unit.parts) {
        let holding = part.statics().filter(|(_, one)| holds(&one.value));
        found.extend(holding.filter_map(|(key, _)| key.rsplit(['/', ' ']).next().map(str::to_owned)));
    }
    found
}

/// The types of a unit in which code can be; in these too.
fn holders<'u>(unit: &'u Unit, own: &BTreeSet<&str>) -> BTreeSet<&'u str> {
    let facts = unit.parts.iter().flat_map(|part| &part.items).flat_map(|item| &item.anatomy.facts);
    let holding = |written: &str| holds(written) || written.split(' ').any(|word| own.contains(word));
    let names = facts.filter(|fact| holding(&fact.value)).filter_map(|fact| {
        let name = fact.key.rsplit(" / ").next()?.strip_prefix("type ")?;
        // What a trait declares is no value.
        let is_trait = fact.value.split(' ').any(|word| word == "trait");
        (!is_trait).then_some(name)
    });
    names.collect()
}

/// Whether a type that is written so, in tokens, may hold code: as a trait object or as a function pointer.
pub(super) fn holds(written: &str) -> bool {
    let words: Vec<&str> = written.split(' ').collect();
    words.contains(&"dyn") || words.windows(2).any(|two| two == ["fn", "("])
}
