//! What a measurement comes to: figures, the sentences that make them doubtful, and the page that shows them.

pub(crate) mod context;
pub(crate) mod figures;
pub(crate) mod page;
pub(crate) mod raw;
pub(crate) mod saved;
pub(crate) mod versus;

pub(crate) use figures::Figures;
pub(crate) use page::Page;

/// What is said where an interrupt came before the first figure.
pub(crate) const NOTHING: &str = "Nothing was measured: it was interrupted before the first run was over.";

/// What is said where an interrupt came later.
pub(crate) const PARTIAL: &str = "Partial: it was interrupted, and these are the figures up to then.";

/// What is said with `-c`.
pub(crate) const PROCESSOR_TIME: &str = "Times are the processor's, of all threads together, not the wall's.";

/// The first line of code, as a title; of several lines it is said that there are more.
pub(crate) fn title(code: &str) -> String {
    let code = code.trim();
    match code.split_once('\n') {
        Some((first, _)) => format!("{} …", first.trim_end()),
        None => code.to_owned(),
    }
}

#[cfg(test)]
mod tests;
