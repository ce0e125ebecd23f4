//! What a `let` binds.

use super::{Binding, plain};
use crate::engine::native::tokens;
use syn::{Local, Pat, PatIdent};

/// The names in a `let`'s pattern, each once, in the order of the text. `mark` bytes of the text were not lexed.
pub(super) fn bindings(local: &Local, mark: usize) -> Vec<Binding> {
    let mut collector = Collector { mark, found: Vec::new() };
    let refutable = local.init.as_ref().is_some_and(|init| init.diverge.is_some());
    match &local.pat {
        Pat::Ident(ident) if !refutable => collector.bind(ident),
        Pat::Type(typed) => match typed.pat.as_ref() {
            Pat::Ident(ident) if !refutable => collector.bind(ident),
            pattern => collector.pattern(pattern),
        },
        pattern => collector.pattern(pattern),
    }
    collector.found
}

struct Collector {
    mark: usize,
    found: Vec<Binding>,
}

impl Collector {
    fn pattern(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(ident) if may_be_constant(ident) => {}
            Pat::Ident(ident) => self.bind(ident),
            Pat::Tuple(tuple) => self.patterns(&tuple.elems),
            Pat::TupleStruct(tuple) => self.patterns(&tuple.elems),
            Pat::Slice(slice) => self.patterns(&slice.elems),
            // Each alternative binds the same names.
            Pat::Or(or) => self.patterns(&or.cases),
            Pat::Struct(structure) => structure.fields.iter().for_each(|field| match field.pat.as_ref() {
                // The name of a field is no constant.
                Pat::Ident(ident) if field.colon_token.is_none() => self.bind(ident),
                pattern => self.pattern(pattern),
            }),
            Pat::Reference(inner) => self.pattern(&inner.pat),
            Pat::Paren(inner) => self.pattern(&inner.pat),
            Pat::Type(inner) => self.pattern(&inner.pat),
            Pat::Guard(inner) => self.pattern(&inner.pat),
            _ => {}
        }
    }

    fn patterns<'p>(&mut self, patterns: impl IntoIterator<Item = &'p Pat>) {
        patterns.into_iter().for_each(|pattern| self.pattern(pattern));
    }

    fn bind(&mut self, pattern: &PatIdent) {
        let name = plain(&pattern.ident);
        if !self.found.iter().any(|binding| binding.name == name) {
            let mutable = pattern.mutability.is_some() && pattern.by_ref.is_none();
            self.found.push(Binding { name, mutable, range: tokens::bytes(pattern.ident.span(), self.mark) });
        }
        if let Some((_, inner)) = &pattern.subpat {
            self.pattern(inner);
        }
    }
}

/// Whether a pattern that looks like a name may be a constant or a variant, such as `None`.
fn may_be_constant(pattern: &PatIdent) -> bool {
    let plain = pattern.by_ref.is_none() && pattern.mutability.is_none() && pattern.subpat.is_none();
    plain && pattern.ident.to_string().starts_with(char::is_uppercase)
}
