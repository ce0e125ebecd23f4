//! `-f FUNCTION`, and what is asked about where there is none.

use crate::magic::{Call, Complaint};
use crate::options::FUNCTION;
use crate::profiled::STATEMENTS;
use crate::rust::Text;
use clap::{Arg, ArgAction};
use std::ops::Range;
use syn::{ImplItem, Item, Stmt, Type};

/// `-f`.
pub(crate) fn functions() -> Arg {
    Arg::new("f")
        .short('f')
        .value_name(FUNCTION)
        .action(ArgAction::Append)
        .value_parser(name)
        .help("a function to show by line, such as fib or Grid::step; may be there several times")
}

/// A path of Rust's.
fn name(text: &str) -> Result<String, String> {
    let path: Result<syn::TypePath, _> = syn::parse_str(text);
    path.map(|_| text.to_owned())
        .map_err(|_| "it is the name of a function, such as fib or Grid::step".to_owned())
}

/// The functions that are shown by line, with where each is named. Of a cell magic without `-f` they are its own: its statements, and the functions that it defines.
pub(crate) fn asked(call: &Call) -> Result<Vec<(String, Range<usize>)>, Complaint> {
    let names = call.matches.get_many::<String>("f").into_iter().flatten().cloned();
    let spans = call.given.iter().filter(|given| given.id == "f").map(|given| given.span.clone());
    let mut all: Vec<(String, Range<usize>)> = names.zip(spans).collect();
    let mut seen = Vec::new();
    all.retain(|(name, _)| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    match &call.body {
        Some(body) if all.is_empty() => {
            let text = Text::new(body, call.body_span.start);
            let own = Definitions::of(&text)?;
            Ok([(STATEMENTS.to_owned(), call.name_span.clone())].into_iter().chain(own).collect())
        }
        None if all.is_empty() => {
            let name = "which function is shown by line?".to_owned();
            Err(Complaint::new(name, call.name_span.clone())
                .with_hint("name it: `-f fib`; below `%%` the lines of the cell itself are shown without it"))
        }
        _ => Ok(all),
    }
}

/// The functions that a cell defines, as they are called there.
struct Definitions<'a> {
    text: &'a Text,
    found: Vec<(String, Range<usize>)>,
}

impl<'a> Definitions<'a> {
    fn of(text: &'a Text) -> Result<Vec<(String, Range<usize>)>, Complaint> {
        let mut all = Self { text, found: Vec::new() };
        for statement in text.statements()? {
            if let Stmt::Item(item) = &statement {
                all.add(item, "");
            }
        }
        Ok(all.found)
    }

    fn add(&mut self, item: &Item, within: &str) {
        match item {
            Item::Fn(function) => self.push(within, &function.sig.ident),
            Item::Mod(module) => {
                let path = format!("{within}{}::", module.ident);
                module.content.iter().flat_map(|(_, items)| items).for_each(|item| self.add(item, &path));
            }
            // Of a trait's methods there is no name that everybody would use.
            Item::Impl(block) if block.trait_.is_none() => {
                let Type::Path(path) = &*block.self_ty else { return };
                let Some(last) = path.path.segments.last() else { return };
                let path = format!("{within}{}::", last.ident);
                for item in &block.items {
                    if let ImplItem::Fn(method) = item {
                        self.push(&path, &method.sig.ident);
                    }
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, within: &str, name: &syn::Ident) {
        self.found.push((format!("{within}{name}"), self.text.span_of(name)));
    }
}
