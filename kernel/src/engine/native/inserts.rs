//! Text of ours within a cell: where it may stand, and which of it the compiler does not want.

use super::diagnose::note;
use super::rustc::Message;
use super::source::Source;
use super::split::Split;
use crate::engine::{Diagnostic, Failure, Level, Span};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What is measured is measured where the cell's statements run: an item is another crate, and is called by whoever likes.
pub(super) fn within_items(cell: u32, text: &Source, split: &Split) -> Result<(), Failure> {
    let Some((item, insert)) =
        split.items().find_map(|item| Some((item, text.ours_within(&item.range).into_iter().next()?)))
    else {
        return Ok(());
    };
    let place = text
        .origin(&(insert.start..insert.start))
        .or_else(|| text.origin(&(item.range.start..item.range.start)));
    let range = place.map_or(0..0, |(_, range)| range);
    let label = Some("this is part of an item".to_owned());
    let help = "put it where the cell's statements run, and call the function there".to_owned();
    Err(Failure::Compile(vec![Diagnostic {
        level: Level::Error,
        code: None,
        message: "what measures stands among statements of a cell, and not within a function or another item"
            .to_owned(),
        spans: vec![Span { cell, range, label, primary: true }],
        children: vec![note(Level::Help, help)],
    }]))
}

/// The insert that may be left out and in which the first such error is.
pub(super) fn wrong(messages: &[Message], files: &BTreeMap<PathBuf, Arc<Source>>) -> Option<usize> {
    let errors = messages.iter().filter(|message| message.level == "error");
    errors
        .flat_map(|message| message.spans.iter().filter(|span| span.is_primary))
        .find_map(|span| files.get(&span.file_name)?.optional(&span.bytes()))
}
