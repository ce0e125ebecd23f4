//! What a line that is not Rust says: which magic is called, or whose help is asked for, and where its arguments stand.

use crate::source::{Escape, first_significant, line_start};
use ra_ap_rustc_lexer::{is_id_continue, is_id_start};
use std::ops::Range;

/// The sign that a magic is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sigil {
    /// `%name` on a line.
    Line,
    /// `%%name` on the first line.
    Cell,
    /// `:name`, a command of evcxr notebooks.
    Colon,
    /// `!command`.
    Shell,
}

impl Sigil {
    /// How it is typed.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Line => "%",
            Self::Cell => "%%",
            Self::Colon => ":",
            Self::Shell => "!",
        }
    }
}

/// A call of a magic, its arguments still text. Spans are bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The sign that it is called by.
    pub sigil: Sigil,
    /// The name with its sign.
    pub name_span: Range<usize>,
    /// What follows the name on the line, without white space around it.
    pub arguments: Range<usize>,
    /// The lines below a cell magic.
    pub body: Option<Range<usize>>,
    /// `let pattern =` before it.
    pub assigned: Option<Range<usize>>,
    /// Whether it stands inside braces.
    pub nested: bool,
}

impl Invocation {
    /// The name without its sign.
    pub fn name<'a>(&self, cell: &'a str) -> &'a str {
        &cell[self.name_span.start + self.sigil.sign().len()..self.name_span.end]
    }
}

/// What an escape turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    Call(Invocation),
    /// `%name?`, `?%name`: the name with its sign.
    Help(Range<usize>),
    /// `?path`: something of Rust's.
    Inspect {
        path: Range<usize>,
        detailed: bool,
    },
}

/// The cell magic that `cell` begins with.
pub(crate) struct CellMagic {
    /// The first line, from its `%%` on.
    line: Range<usize>,
    /// Everything below.
    pub(crate) body_span: Range<usize>,
}

/// Whether `cell` is a cell magic: `%%` begins its first line that is neither empty nor a comment.
pub(crate) fn cell_magic(cell: &str) -> Option<CellMagic> {
    let start = first_significant(cell)?;
    let behind = cell[start..].strip_prefix("%%")?;
    let indented = cell[line_start(cell, start)..start].trim().is_empty();
    let named = behind.chars().next().is_none_or(|sign| is_id_start(sign) || sign.is_whitespace());
    if !indented || !named {
        return None;
    }
    let body = cell[start..].find('\n').map_or(cell.len(), |newline| start + newline + 1);
    Some(CellMagic { line: start..start + cell[start..body].trim_end().len(), body_span: body..cell.len() })
}

impl CellMagic {
    /// What its first line says.
    pub(crate) fn read(&self, cell: &str) -> Reading {
        if let Some(name) = help_behind(cell, &self.line) {
            return Reading::Help(name);
        }
        let body = Some(self.body_span.clone());
        Reading::Call(Invocation { body, ..call(cell, &self.line, Sigil::Cell) })
    }
}

/// What an escape says.
pub(crate) fn read(cell: &str, escape: &Escape) -> Reading {
    let text = &cell[escape.span.clone()];
    let sigil = match text.as_bytes() {
        [b'?', ..] => return help_before(cell, &escape.span),
        [b'%', b'%', ..] => Sigil::Cell,
        [b'%', ..] => Sigil::Line,
        [b':', ..] => Sigil::Colon,
        _ => Sigil::Shell,
    };
    if let Some(name) = help_behind(cell, &escape.span) {
        return Reading::Help(name);
    }
    let invocation = call(cell, &escape.span, sigil);
    Reading::Call(Invocation { assigned: escape.assigned.clone(), nested: escape.nested, ..invocation })
}

fn call(cell: &str, line: &Range<usize>, sigil: Sigil) -> Invocation {
    let behind_sign = line.start + sigil.sign().len();
    let text = &cell[behind_sign..line.end];
    let name_length = if sigil == Sigil::Shell { 0 } else { name_length(text) };
    let name_end = behind_sign + name_length;
    let arguments = text[name_length..].trim();
    let start = line.end - text[name_length..].trim_start().len();
    Invocation {
        sigil,
        name_span: line.start..name_end,
        arguments: start..start + arguments.len(),
        body: None,
        assigned: None,
        nested: false,
    }
}

/// `%name?` and `%name??`.
fn help_behind(cell: &str, line: &Range<usize>) -> Option<Range<usize>> {
    let text = &cell[line.clone()];
    let name = text.strip_suffix("??").or_else(|| text.strip_suffix('?'))?.trim_end();
    is_magic_name(name).then(|| line.start..line.start + name.len())
}

/// `?%name`, `?path`, and with two question marks.
fn help_before(cell: &str, line: &Range<usize>) -> Reading {
    let text = &cell[line.clone()];
    let name = text.trim_start_matches('?').trim_end_matches([';', ' ']);
    let marks = text.len() - text.trim_start_matches('?').len();
    let span = line.start + marks..line.start + marks + name.len();
    if name.starts_with('%') {
        Reading::Help(span)
    } else {
        Reading::Inspect { path: span, detailed: marks > 1 }
    }
}

/// `%name`, `%%name`, `:name`, or `!`, and nothing else.
fn is_magic_name(text: &str) -> bool {
    let name = text.strip_prefix("%%").or_else(|| text.strip_prefix(['%', ':']));
    name.is_some_and(|name| !name.is_empty() && name_length(name) == name.len()) || text == "!"
}

fn name_length(text: &str) -> usize {
    text.find(|sign| !is_id_continue(sign)).unwrap_or(text.len())
}
