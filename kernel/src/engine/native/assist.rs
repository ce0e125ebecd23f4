//! Completion and tooltips: from rust-analyzer, which is given the notebook as text, and from the notebook itself where that is not there.
//!
//! rust-analyzer lives in the evcxr process. That is started when it is first asked, and takes seconds to load: nobody waits for it longer than
//! [`LOADING`], [`COMPLETION`] or [`TOOLTIP`]. Nothing here waits for a running cell, or touches what runs cells.

mod known;
mod outline;
mod place;
#[cfg(test)]
mod tests;
mod text;

use super::calls;
use super::dependencies::Reading;
use super::notebook::Notebook;
use super::split::split;
use super::toolchain;
use crate::engine::evcxr::Evcxr;
use crate::engine::surroundings::Surroundings;
use crate::engine::{Engine as _, Trouble};
use crate::session::reply::{CompleteReply, Completion, InspectReply};
use assay_magics::render::Bundle;
use known::Known;
use place::{Place, Way};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// JupyterLab gives a completion one second.
const COMPLETION: Duration = Duration::from_millis(800);

/// While rust-analyzer loads, no patience of that order brings an answer.
const LOADING: Duration = Duration::from_millis(250);

/// Whoever asks for an explanation would rather wait for it; but a cell may wait behind the question.
const TOOLTIP: Duration = Duration::from_secs(3);

/// Completes and explains.
pub(super) struct Assistant {
    analyst: Arc<Analyst>,
    /// The notebook as the last cell left it.
    latest: Mutex<Arc<Notebook>>,
    /// The crates that it asks for.
    crates: Mutex<Arc<Reading>>,
}

/// rust-analyzer, one question after the other.
struct Analyst {
    engine: Evcxr,
    /// Whoever asks holds it, and with it the crates that it can read already.
    turn: tokio::sync::Mutex<Arc<Reading>>,
    /// Whether it has answered since it was started.
    awake: AtomicBool,
}

/// What came of a question.
enum Analysis<T> {
    Answer(T),
    /// It is still at work.
    Late,
    Failed(Trouble),
}

impl Assistant {
    pub(super) fn new(engine: Evcxr) -> Self {
        let analyst =
            Arc::new(Analyst { engine, turn: tokio::sync::Mutex::default(), awake: AtomicBool::new(false) });
        Self { analyst, latest: Mutex::default(), crates: Mutex::default() }
    }

    /// From now on this is the notebook.
    pub(super) fn learn(&self, notebook: Arc<Notebook>) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = notebook;
    }

    /// From now on these are the crates that it asks for.
    pub(super) fn see(&self, crates: Reading) {
        *self.crates.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(crates);
    }

    /// What could stand at byte `cursor` of `source`.
    pub(super) async fn complete(&self, source: String, cursor: usize) -> CompleteReply {
        let notebook = self.latest();
        let cursor = source.floor_char_boundary(cursor);
        let (prelude, shift) = self.prelude(&notebook, &source);
        let asked = prelude + &source;
        let patience = if self.analyst.awake.load(Ordering::Relaxed) { COMPLETION } else { LOADING };
        let analysis =
            self.ask(
                patience,
                move |analyst| async move { analyst.engine.complete(asked, cursor + shift).await },
            );
        let answered = match analysis.await {
            Analysis::Answer(mut reply) => {
                reply.matches = sensible(reply.matches);
                if !reply.matches.is_empty() {
                    let back = |byte: usize| byte.saturating_sub(shift);
                    return CompleteReply { start: back(reply.start), end: back(reply.end), ..reply };
                }
                true
            }
            Analysis::Late => false,
            Analysis::Failed(trouble) => {
                tracing::info!("rust-analyzer completes nothing: {}", trouble.what);
                false
            }
        };
        let mut reply = match Place::of(&source, cursor) {
            Some(place) => Known::of(&notebook).complete(&source, &place, cursor),
            None => CompleteReply { matches: Vec::new(), start: cursor, end: cursor },
        };
        // Where a keyword could stand, rust-analyzer would have said so.
        reply.matches.retain(|one| !answered || one.kind != "keyword");
        reply
    }

    /// What stands at byte `cursor` of `source`.
    pub(super) async fn inspect(
        &self,
        source: String,
        cursor: usize,
        surroundings: &Surroundings,
    ) -> InspectReply {
        let notebook = self.latest();
        let cursor = source.floor_char_boundary(cursor);
        let Some(place) = Place::of(&source, cursor).filter(|place| !place.is_empty()) else {
            return InspectReply::default();
        };
        let own = Known::of(&notebook).inspect(&source, &place);
        if own.is_some() {
            return InspectReply { found: own };
        }
        let (prelude, shift) = self.prelude(&notebook, &source);
        let asked = prelude + &source;
        let analysis = self
            .ask(TOOLTIP, move |analyst| async move { analyst.engine.inspect(asked, cursor + shift).await });
        let found = match analysis.await {
            Analysis::Answer(InspectReply { found: Some(found) }) => Some(found),
            Analysis::Answer(InspectReply { found: None }) => lacking(surroundings).await,
            Analysis::Late => Some(Bundle::text(
                "rust-analyzer is still reading the standard library: ask again in a few seconds",
            )),
            Analysis::Failed(trouble) => Some(Bundle::text(sentence(&trouble))),
        };
        InspectReply { found }
    }

    pub(super) async fn stop(&self) {
        self.learn(Arc::default());
        self.see(Reading::default());
        self.analyst.engine.stop().await;
    }

    pub(super) fn processes(&self) -> Vec<(u32, String)> {
        self.analyst.engine.processes()
    }

    fn crates(&self) -> Arc<Reading> {
        Arc::clone(&self.crates.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn latest(&self) -> Arc<Notebook> {
        Arc::clone(&self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The notebook as text, as far as a cell does not define it anew, and its length.
    fn prelude(&self, notebook: &Notebook, source: &str) -> (String, usize) {
        // The analyzer reads the sources of crates, and builds none.
        let mut text: String = self.crates().lines.iter().map(|line| format!(":dep {line}\n")).collect();
        text += calls::as_text();
        text += &text::told(notebook, &defined(notebook, source));
        let shift = text.len();
        (text, shift)
    }

    /// Asks, and waits so long. Who is late goes on: what it has read by then serves the next question.
    async fn ask<T, W>(
        &self,
        patience: Duration,
        question: impl FnOnce(Arc<Analyst>) -> W + Send + 'static,
    ) -> Analysis<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, Trouble>> + Send,
    {
        let (analyst, crates) = (Arc::clone(&self.analyst), self.crates());
        let (sender, answer) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut readable = analyst.turn.lock().await;
            if *readable != crates {
                if !crates.lines.is_empty()
                    && let Err(why) = crates.complete().await
                {
                    tracing::info!("completion may not know every crate: {why}");
                }
                // Without a network it is not tried again before something changes.
                *readable = crates;
            }
            // Nobody wants to know any more what was asked while something else was answered.
            if !sender.is_closed() {
                let answer = question(Arc::clone(&analyst)).await;
                analyst.awake.store(answer.is_ok(), Ordering::Relaxed);
                // Who asked may have lost patience.
                let _ = sender.send(answer);
            }
        });
        match tokio::time::timeout(patience, answer).await {
            Ok(Ok(Ok(answer))) => Analysis::Answer(answer),
            Ok(Ok(Err(trouble))) => Analysis::Failed(trouble),
            // The task went with the kernel.
            Ok(Err(_)) | Err(_) => Analysis::Late,
        }
    }
}

/// Without evcxr's own names, without snippets that a notebook cannot fill in, and without the private fields of the standard library that bear a method's name.
fn sensible(matches: Vec<Completion>) -> Vec<Completion> {
    let calls: BTreeSet<String> =
        matches.iter().filter_map(|one| Some(one.text.split_once('(')?.0.to_owned())).collect();
    let ours = |text: &str| text.starts_with("EvcxrUserCodeError") || text.starts_with("evcxr_");
    let shadowed = |one: &Completion| one.kind == "instance" && calls.contains(&one.text);
    matches.into_iter().filter(|one| !one.text.contains('$') && !ours(&one.text) && !shadowed(one)).collect()
}

impl Place {
    /// Whether there is nothing to look at.
    fn is_empty(&self) -> bool {
        self.word.is_empty() || matches!(&self.way, Way::Path(segments) if segments.is_empty())
    }
}

/// The names of the items that a cell defines; half a cell defines none.
fn defined(notebook: &Notebook, source: &str) -> BTreeSet<String> {
    let split = split(source, &|name| notebook.stands_for_items(name)).unwrap_or_default();
    super::prelude::bound(split.items())
}

/// What keeps rust-analyzer from knowing the standard library.
async fn lacking(surroundings: &Surroundings) -> Option<Bundle> {
    let has = toolchain::has_source(&surroundings.environment, &surroundings.folder).await;
    (!has).then(|| {
        Bundle::text(
            "the source of the standard library is not installed, so nothing is known of its names: `rustup component add rust-src`",
        )
    })
}

fn sentence(trouble: &Trouble) -> String {
    match &trouble.remedy {
        Some(remedy) => format!("{}\nhelp: {remedy}", trouble.what),
        None => trouble.what.clone(),
    }
}
