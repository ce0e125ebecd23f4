//! What the notebook's own text knows of names: for completion and for tooltips, without any analyzer.

use super::super::diagnose::{plain, short};
use super::super::notebook::Notebook;
use super::outline::{Kind, Outline, Thing};
use super::place::{Place, Way};
use super::text::items;
use crate::session::reply::{CompleteReply, Completion};
use assay_magics::render::{Bundle, escape};
use std::collections::BTreeMap;

/// Words with which a statement, an item or an expression may begin.
const KEYWORDS: [&str; 28] = [
    "as", "async", "await", "break", "const", "continue", "else", "enum", "false", "fn", "for", "if", "impl",
    "in", "let", "loop", "match", "mod", "move", "mut", "pub", "return", "static", "struct", "trait", "true",
    "use", "while",
];

/// The notebook's things, each with the cell that made it.
pub(super) struct Known<'n> {
    notebook: &'n Notebook,
    things: Vec<Thing>,
    cells: BTreeMap<String, u32>,
}

impl<'n> Known<'n> {
    pub(super) fn of(notebook: &'n Notebook) -> Self {
        let mut outline = Outline::default();
        let mut cells = BTreeMap::new();
        for item in items(notebook) {
            let of_item = Outline::of(item.text);
            cells.extend(of_item.things.iter().map(|thing| (thing.name.clone(), item.cell)));
            outline.join(of_item);
        }
        outline.settle();
        Self { notebook, things: outline.things, cells }
    }

    /// What could stand at a place of a text.
    pub(super) fn complete(&self, text: &str, place: &Place, cursor: usize) -> CompleteReply {
        let typed = text.get(place.word.start..cursor).unwrap_or_default();
        let mut found: BTreeMap<String, &'static str> = BTreeMap::new();
        match &place.way {
            Way::Plain => self.plain_names(text, &mut found),
            Way::Members(names) => {
                let members = self.value(names).into_iter().flat_map(|thing| &thing.inside);
                found.extend(members.filter(|one| one.kind.is_member()).map(named));
            }
            Way::Path(segments) => {
                let inside = self.at(segments).into_iter().flat_map(|thing| &thing.inside);
                found.extend(inside.filter(|one| one.kind != Kind::Field).map(named));
            }
            Way::Unclear => {}
        }
        found.remove(typed);
        let matches = found.into_iter().filter(|(name, _)| name.starts_with(typed));
        let matches = matches.map(|(text, kind)| Completion { text, kind: kind.into() }).collect();
        CompleteReply { matches, start: place.word.start, end: place.word.end }
    }

    /// What is known of the thing at a place of a text, which may bind the name itself.
    pub(super) fn inspect(&self, text: &str, place: &Place) -> Option<Bundle> {
        let name = text.get(place.word.clone())?;
        if name.is_empty() {
            return None;
        }
        match &place.way {
            Way::Plain if bound(text).any(|(_, other)| other == name) => None,
            Way::Plain => self.variable(name).or_else(|| {
                let thing = self.things.iter().rev().find(|thing| thing.name == name)?;
                Some(page(thing, self.cells.get(name).copied()))
            }),
            Way::Members(names) => {
                let of = self.value(names)?;
                let found = of.inside.iter().find(|one| one.name == name && one.kind.is_member())?;
                Some(page(found, self.cells.get(&of.name).copied()))
            }
            Way::Path(segments) => {
                let found = self.at(segments)?.inside.iter().find(|one| one.name == name)?;
                Some(page(found, self.cells.get(segments.first()?).copied()))
            }
            Way::Unclear => None,
        }
    }

    fn plain_names(&self, text: &str, found: &mut BTreeMap<String, &'static str>) {
        found.extend(KEYWORDS.map(|word| (word.to_owned(), "keyword")));
        let imports = self.notebook.imports.iter().filter_map(|import| import.name.clone());
        found.extend(imports.map(|name| (name, "class")));
        // What a macro has made has a name, but no text.
        found.extend(self.notebook.definitions.keys().map(|name| (name.clone(), "class")));
        found.extend(self.things.iter().map(named));
        found.extend(bound(text).map(|(what, name)| (name.to_owned(), badge(what))));
        found.extend(self.notebook.variables.keys().map(|name| (name.clone(), "instance")));
    }

    /// The type of `a.b.c`.
    fn value(&self, names: &[String]) -> Option<&Thing> {
        let (first, fields) = names.split_first()?;
        let of_first = match self.notebook.variables.get(first) {
            Some(variable) => path(&variable.type_name),
            None => vec![self.things.iter().find(|thing| thing.name == *first)?.of.clone()?],
        };
        let mut at = self.at(&of_first)?;
        for field in fields {
            let of =
                at.inside.iter().find(|one| one.name == *field && one.kind == Kind::Field)?.of.clone()?;
            at = self.at(&[of])?;
        }
        Some(at)
    }

    /// The item that a path leads to.
    fn at(&self, segments: &[String]) -> Option<&Thing> {
        let mut segments =
            segments.iter().filter(|segment| !matches!(segment.as_str(), "crate" | "self" | "super"));
        let first = segments.next()?;
        let named = |things: &'_ [Thing], name: &str| things.iter().rposition(|thing| thing.name == name);
        let mut at = match named(&self.things, first) {
            Some(index) => self.things.get(index)?,
            None => self.imported(first)?,
        };
        for segment in segments {
            at = at.inside.get(named(&at.inside, segment)?)?;
        }
        Some(at)
    }

    /// What a `use` of the notebook's own brought in, or what stands in one of its modules by that name.
    fn imported(&self, name: &str) -> Option<&Thing> {
        let import = self.notebook.imports.iter().find(|import| import.name.as_deref() == Some(name));
        let name = import.and_then(|import| import.path.last()).map_or(name, String::as_str);
        let modules = self.things.iter().filter(|thing| thing.kind == Kind::Module);
        modules.flat_map(|module| &module.inside).find(|thing| thing.name == name)
    }

    fn variable(&self, name: &str) -> Option<Bundle> {
        let Some(variable) = self.notebook.variables.get(name) else {
            return self.notebook.gone.get(name).map(|gone| Bundle::text(gone.story(name)));
        };
        let mutable = if variable.mutable { "mut " } else { "" };
        let signature = format!("let {mutable}{name}: {}", short(&variable.type_name));
        let bytes = match variable.bytes {
            1 => "1 byte".to_owned(),
            bytes => format!("{bytes} bytes"),
        };
        let story = format!("{bytes}, without what it points to; from cell[{}]", variable.cell);
        Some(sheet(&signature, &story, ""))
    }
}

/// A path to a type of the notebook's, from its name in MIR: pointers give their methods to whoever holds them.
fn path(type_name: &str) -> Vec<String> {
    let text = plain(type_name);
    let mut text = text.trim_start_matches("::");
    loop {
        let inner =
            ["&mut ", "&", "mut ", "dyn "].iter().find_map(|start| text.strip_prefix(start)).or_else(|| {
                let pointers = ["std::boxed::Box<", "std::rc::Rc<", "std::sync::Arc<"];
                pointers.iter().find_map(|start| text.strip_prefix(start))
            });
        match inner {
            Some(inner) => text = inner.trim_start_matches("::"),
            None => break,
        }
    }
    let end = text.find(|c: char| c != '_' && c != ':' && !c.is_alphanumeric()).unwrap_or(text.len());
    text[..end].split("::").map(str::to_owned).collect()
}

/// What a text binds itself, wherever in it: what stands before the name, and the name.
fn bound(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let words: Vec<&str> =
        text.split(|c: char| c != '_' && !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>();
    pairs.into_iter().filter(|(what, name)| {
        let binds =
            ["let", "mut", "fn", "struct", "enum", "trait", "mod", "const", "static", "type", "for", "union"];
        binds.contains(what) && !KEYWORDS.contains(name)
    })
}

fn badge(what: &str) -> &'static str {
    match what {
        "fn" => "function",
        "struct" | "enum" | "trait" | "type" | "union" => "class",
        "mod" => "module",
        _ => "instance",
    }
}

fn named(thing: &Thing) -> (String, &'static str) {
    (thing.name.clone(), thing.kind.badge())
}

fn page(thing: &Thing, cell: Option<u32>) -> Bundle {
    let story = cell.map(|cell| format!("from cell[{cell}]")).unwrap_or_default();
    sheet(&thing.signature, &story, &thing.docs)
}

fn sheet(signature: &str, story: &str, docs: &str) -> Bundle {
    let parts = [signature, story, docs].into_iter().filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join("\n\n");
    let paragraphs = [story].into_iter().chain(docs.split("\n\n")).filter(|part| !part.is_empty());
    let paragraphs: String = paragraphs.map(|part| format!("\n<p>{}</p>", escape(part))).collect();
    Bundle::text(text).with("text/html", format!("<pre><code>{}</code></pre>{paragraphs}", escape(signature)))
}
