//! A `use` declaration, leaf by leaf.

use super::{Import, plain};
use crate::engine::native::tokens::{Token, What};
use proc_macro2::Ident;
use syn::{ItemUse, UseTree};

/// The leaves of a declaration. `attributes` are its own, in `source`.
pub(super) fn imports(declaration: &ItemUse, attributes: &[Token], source: &str) -> Vec<Import> {
    let start = if declaration.leading_colon.is_some() { "::" } else { "" };
    let stem = Stem { before: format!("{}use {start}", written(attributes, source)), path: Vec::new() };
    let mut leaves = Vec::new();
    stem.leaves(&declaration.tree, &mut leaves);
    leaves
}

/// Attributes as they were typed. A documentation comment documents no import.
fn written(attributes: &[Token], source: &str) -> String {
    let mut written = String::new();
    let mut rest = attributes;
    while let [first, after @ ..] = rest {
        let length = if matches!(first.what, What::Comment { .. }) { 1 } else { 2 };
        if let (2, Some(last)) = (length, after.first()) {
            written.push_str(&source[first.range.start..last.range.end]);
            written.push(' ');
        }
        rest = &rest[length.min(rest.len())..];
    }
    written
}

/// What stands before a part of the tree.
#[derive(Debug, Clone)]
struct Stem {
    before: String,
    path: Vec<String>,
}

impl Stem {
    fn leaves(&self, tree: &UseTree, leaves: &mut Vec<Import>) {
        match tree {
            UseTree::Path(path) => {
                let before = format!("{}{}::", self.before, path.ident);
                Self { before, path: self.with(&path.ident) }.leaves(&path.tree, leaves);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.leaves(tree, leaves)),
            UseTree::Name(name) if name.ident == "self" && !self.path.is_empty() => {
                leaves.push(self.leaf(self.path.last().cloned(), self.path.clone(), "{self}"));
            }
            UseTree::Name(name) => {
                let bound = Some(plain(&name.ident));
                leaves.push(self.leaf(bound, self.with(&name.ident), &name.ident.to_string()));
            }
            UseTree::Rename(rename) => {
                let bound = Some(plain(&rename.rename)).filter(|name| name != "_");
                if rename.ident == "self" && !self.path.is_empty() {
                    let own = format!("{{self as {}}}", rename.rename);
                    leaves.push(self.leaf(bound, self.path.clone(), &own));
                } else {
                    let own = format!("{} as {}", rename.ident, rename.rename);
                    leaves.push(self.leaf(bound, self.with(&rename.ident), &own));
                }
            }
            UseTree::Glob(_) => {
                leaves.push(Import { glob: true, ..self.leaf(None, self.path.clone(), "*") });
            }
        }
    }

    fn with(&self, segment: &Ident) -> Vec<String> {
        self.path.iter().cloned().chain([plain(segment)]).collect()
    }

    fn leaf(&self, name: Option<String>, path: Vec<String>, own: &str) -> Import {
        Import { name, path, glob: false, declaration: format!("{}{own};", self.before) }
    }
}
