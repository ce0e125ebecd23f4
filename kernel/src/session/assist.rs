//! Completion, tooltips and `is_complete`: the magics answer for their own lines, the engine for Rust.

use super::Session;
use super::reply::{CompleteReply, Completion, InspectReply, IsCompleteReply};
use super::request::{CompleteRequest, InspectRequest};
use super::settings::Settings;
use crate::engine::Cell;
use assay_magics::cell::{blank_but, rust_only};
use assay_magics::completeness::{Completeness, completeness};
use assay_magics::completion::{self, Offer};
use assay_magics::help;
use std::path::Path;

impl Session {
    /// Whether a cell could run as it stands.
    pub(crate) fn is_complete(code: &str) -> IsCompleteReply {
        match completeness(code) {
            Completeness::Complete => IsCompleteReply::Complete,
            Completeness::Incomplete { indent } => IsCompleteReply::Incomplete { indent },
            Completeness::Invalid => IsCompleteReply::Invalid,
        }
    }

    /// What could stand at the cursor. What cannot be found out is logged: a completion never fails.
    pub(crate) async fn complete(&self, request: CompleteRequest) -> CompleteReply {
        let CompleteRequest { code, cursor } = request;
        let Some(found) = completion::complete(&code, cursor) else {
            return self.complete_rust(rust_only(&code), cursor).await;
        };
        let typed = code.get(found.span.start..cursor.max(found.span.start)).unwrap_or_default();
        let matches = match found.offer {
            Offer::Candidates(candidates) => {
                candidates.into_iter().map(|candidate| magic(candidate.text)).collect()
            }
            Offer::Files => self.paths(typed, false),
            Offer::Folders => self.paths(typed, true),
            Offer::Variables => self.variable_names(typed).await,
            Offer::Functions => {
                let functions = self.engine().functions(Cell::new(0, rust_only(&code))).await;
                let names = functions.into_iter().filter(|name| name.starts_with(typed));
                names.map(|text| Completion { text, kind: "function".into() }).collect()
            }
            Offer::Settings => Settings::keys()
                .filter(|key| key.starts_with(typed))
                .map(|key| magic(key.to_owned()))
                .collect(),
            Offer::Rust(range) => return self.complete_rust(blank_but(&code, &range), cursor).await,
        };
        CompleteReply { matches, start: found.span.start, end: found.span.end }
    }

    /// What stands at the cursor.
    pub(crate) async fn inspect(&self, request: InspectRequest) -> InspectReply {
        if let Some(tooltip) = help::tooltip(&request.code, request.cursor) {
            return InspectReply { found: Some(tooltip) };
        }
        let found = self.engine().inspect(rust_only(&request.code), request.cursor).await;
        found.unwrap_or_else(|trouble| {
            tracing::warn!("nothing could be looked up: {}", trouble.what);
            InspectReply::default()
        })
    }

    async fn complete_rust(&self, source: String, cursor: usize) -> CompleteReply {
        let found = self.engine().complete(source, cursor).await;
        found.unwrap_or_else(|trouble| {
            tracing::warn!("nothing could be completed: {}", trouble.what);
            CompleteReply { matches: Vec::new(), start: cursor, end: cursor }
        })
    }

    async fn variable_names(&self, typed: &str) -> Vec<Completion> {
        let variables = self.engine().variables().await.unwrap_or_else(|trouble| {
            tracing::warn!("the variables could not be listed: {}", trouble.what);
            Vec::new()
        });
        let names =
            variables.into_iter().map(|variable| variable.name).filter(|name| name.starts_with(typed));
        names.map(|text| Completion { text, kind: "variable".into() }).collect()
    }

    /// Files and folders whose path begins with what has been typed; folders end in `/`, so that typing can go on.
    fn paths(&self, typed: &str, folders_only: bool) -> Vec<Completion> {
        let (above, begun) = typed.rfind('/').map_or(("", typed), |slash| typed.split_at(slash + 1));
        let folder = self.state().surroundings.path(Path::new(above));
        let entries = folder.and_then(std::fs::read_dir);
        // A folder that cannot be read has nothing to offer.
        let Ok(entries) = entries else { return Vec::new() };
        let mut found: Vec<Completion> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let hidden = name.starts_with('.') && !begun.starts_with('.');
                if hidden || !name.starts_with(begun) {
                    return None;
                }
                let is_folder = entry.path().is_dir();
                let (end, kind) = if is_folder { ("/", "folder") } else { ("", "file") };
                (is_folder || !folders_only)
                    .then(|| Completion { text: format!("{above}{name}{end}"), kind: kind.into() })
            })
            .collect();
        found.sort_by(|one, other| one.text.cmp(&other.text));
        found
    }
}

fn magic(text: String) -> Completion {
    Completion { text, kind: "magic".into() }
}
