//! Profiles as files for other tools: the printed table, collapsed stacks, and what profiler.firefox.com opens.

use super::figures::Figures;
use super::{firefox, tree};
use crate::magic::Call;
use crate::measuring::value;
use crate::profiled::{FileToWrite, Profiled};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// In which form a profile is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The processed profile of the Firefox profiler.
    Firefox,
    /// A line for each stack, its frames between semicolons, and how often: what flamegraph.pl, inferno and speedscope read.
    Collapsed,
}

/// What the name of a file says of its form.
pub(super) fn format_of(path: &str) -> Option<Format> {
    match Path::new(path).extension()?.to_str()? {
        "json" => Some(Format::Firefox),
        "folded" | "collapsed" | "txt" => Some(Format::Collapsed),
        _ => None,
    }
}

/// The files that a call asks for (`-T`, `-D`). What is for other tools has all that was seen, whatever the page leaves out.
pub(super) fn files(call: &Call, title: &str, profiled: &Profiled, printed: &str) -> Vec<FileToWrite> {
    let text = value::<String>(&call.matches, "T").map(|path| FileToWrite {
        said: format!("*** Profile printout saved to text file `{path}`."),
        content: format!("{printed}\n"),
        path: PathBuf::from(path),
    });
    let dump = value::<String>(&call.matches, "D").map(|path| {
        let format = value::<String>(&call.matches, "format");
        let format = match format.as_deref() {
            Some("collapsed") => Format::Collapsed,
            Some(_) => Format::Firefox,
            None => format_of(&path).unwrap_or(Format::Firefox),
        };
        let figures = Figures::of(profiled);
        let (content, opens) = match format {
            Format::Firefox => (firefox::profile(title, &figures), "profiler.firefox.com opens it"),
            Format::Collapsed => {
                (collapsed(&figures), "flamegraph.pl, inferno and speedscope read its collapsed stacks")
            }
        };
        FileToWrite {
            said: format!("*** Profile saved to `{path}`: {opens}."),
            content,
            path: PathBuf::from(path),
        }
    });
    text.into_iter().chain(dump).collect()
}

/// All frames of all stacks, recursion and all.
pub(super) fn collapsed(figures: &Figures) -> String {
    let Some(time) = figures.time() else { return String::new() };
    let functions = &figures.profiled.functions;
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for stack in &time.stacks {
        let frames = stack.frames.iter().filter_map(|frame| functions.get(frame.function));
        let names = frames.map(|function| cleared(&function.standard_name()));
        let thread =
            (figures.threads.len() > 1).then(|| cleared(&tree::thread_name(&time.threads, stack.thread)));
        let mut names: Vec<String> = thread.into_iter().chain(names).collect();
        if names.is_empty() {
            names.push("(not known)".to_owned());
        }
        *lines.entry(names.join(";")).or_default() += stack.samples;
    }
    lines.iter().map(|(stack, samples)| format!("{stack} {samples}\n")).collect()
}

/// Without the sign that stands between frames, and on one line.
fn cleared(name: &str) -> String {
    name.replace(';', ":").split_whitespace().collect::<Vec<_>>().join(" ")
}
