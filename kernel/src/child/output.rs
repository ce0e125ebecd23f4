//! What a cell shows: its standard output in order, and what of it is its value.

use super::blocks::{Blocks, Piece, Question};
use crate::engine::{Output, Told, content};
use crate::session::event::StreamName;
use assay_link::evcxr::ORDER;
use assay_link::native::Content;
use assay_magics::render::Bundle;

/// The page that a cell writes on.
#[derive(Debug, Default)]
pub(super) struct Page {
    blocks: Blocks,
    /// Blocks that came last. They are shown as one thing when something else comes: different types are different forms of it.
    last: Vec<(String, String)>,
    /// Whether a function of the user's is showing the cell's value.
    showing: bool,
    value: Option<Bundle>,
    /// What the next read of standard input asks for, where that was printed.
    question: Option<Question>,
}

impl Page {
    /// Bytes of standard output.
    pub(super) fn print(&mut self, bytes: &[u8]) -> Vec<Output> {
        let pieces = self.blocks.push(bytes);
        self.take(pieces)
    }

    /// Whether something would be shown if nothing came for a while.
    pub(super) fn waits(&self) -> bool {
        self.blocks.waits() || (!self.showing && !self.last.is_empty())
    }

    /// Nothing came for a while.
    pub(super) fn pause(&mut self) -> Vec<Output> {
        let pieces = self.blocks.pause();
        let mut shown = self.take(pieces);
        if !self.showing {
            shown.extend(self.display());
        }
        shown
    }

    /// The cell prints nothing before something else happens.
    pub(super) fn flush(&mut self) -> Vec<Output> {
        let pieces = self.blocks.end();
        let mut shown = self.take(pieces);
        if !self.showing {
            shown.extend(self.display());
        }
        shown
    }

    /// The cell prints nothing more.
    pub(super) fn end(&mut self) -> Vec<Output> {
        self.showing = false;
        self.question = None;
        self.flush()
    }

    /// The cell's value is about to be shown.
    pub(super) fn begin_value(&mut self) -> Vec<Output> {
        let shown = self.end();
        self.showing = true;
        shown
    }

    /// It has been shown by the blocks that came last.
    pub(super) fn end_value(&mut self) -> Vec<Output> {
        let pieces = self.blocks.end();
        let shown = self.take(pieces);
        self.showing = false;
        let blocks = std::mem::take(&mut self.last);
        self.value = (!blocks.is_empty()).then(|| content::of_blocks(blocks));
        shown
    }

    /// The value is this.
    pub(super) fn value(&mut self, content: Content) -> Vec<Output> {
        let shown = self.end();
        self.value = Some(content::bundle_of(content));
        shown
    }

    /// Something comes next, which may be replaced under an id. Without contents it only ends what was printed.
    pub(super) fn place(&mut self, content: Content, display_id: Option<String>) -> Vec<Output> {
        let nothing = content.data.is_empty() && display_id.is_none();
        let display = |content| Output::Display { bundle: content::bundle_of(content), display_id };
        self.after_what_was_printed((!nothing).then(|| display(content)))
    }

    /// Something comes in the place of what has this id.
    pub(super) fn replace(&mut self, content: Content, display_id: String) -> Vec<Output> {
        self.after_what_was_printed(Some(Output::UpdateDisplay {
            bundle: content::bundle_of(content),
            display_id,
        }))
    }

    /// All of it is cleared.
    pub(super) fn clear(&mut self, wait: bool) -> Vec<Output> {
        self.after_what_was_printed(Some(Output::Clear { wait }))
    }

    /// Something is measured, or has been.
    pub(super) fn measured(&mut self, told: Told) -> Vec<Output> {
        self.after_what_was_printed(Some(Output::Measured(told)))
    }

    fn after_what_was_printed(&mut self, output: Option<Output>) -> Vec<Output> {
        let mut shown = self.flush();
        shown.extend(output);
        shown
    }

    /// What is asked for by a read that does not say so itself. A prompt that was printed stands in the page already.
    pub(super) fn take_question(&mut self) -> Question {
        self.question.take().unwrap_or_else(|| Question { prompt: String::new(), password: false })
    }

    /// The value of the cell that has ended.
    pub(super) fn take_value(&mut self) -> Option<Bundle> {
        self.value.take()
    }

    fn take(&mut self, pieces: Vec<Piece>) -> Vec<Output> {
        let mut shown = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    if !self.showing {
                        shown.extend(self.display());
                    }
                    shown.push(Output::Stream { name: StreamName::Stdout, text });
                }
                Piece::Block { mime, content } if mime == ORDER => {
                    shown.extend(self.display());
                    let wrong = |text| Output::Stream { name: StreamName::Stderr, text };
                    shown.push(content::parse_order(&content).unwrap_or_else(wrong));
                }
                Piece::Block { mime, content } => {
                    // A type that comes again begins the next thing.
                    if self.last.iter().any(|(before, _)| *before == mime) {
                        shown.extend(self.display());
                    }
                    self.last.push((mime, content));
                }
                Piece::Question(question) => self.question = Some(question),
            }
        }
        shown
    }

    /// The blocks that came last, shown.
    fn display(&mut self) -> Option<Output> {
        let blocks = std::mem::take(&mut self.last);
        let display = |blocks| Output::Display { bundle: content::of_blocks(blocks), display_id: None };
        (!blocks.is_empty()).then(|| display(blocks))
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Question};
    use crate::engine::Output;
    use assay_link::native::Content;

    /// A block as it is printed.
    fn block(mime: &str, content: &str) -> String {
        format!("EVCXR_BEGIN_CONTENT {mime}\n{content}\nEVCXR_END_CONTENT\n")
    }

    fn content(mime: &str, content: &str) -> Content {
        Content { data: vec![(mime.to_owned(), content.to_owned())], metadata: Vec::new() }
    }

    /// In short: text as it is, a display as `<its types: its plain text>`.
    fn words(outputs: Vec<Output>) -> String {
        let word = |output| match output {
            Output::Stream { text, .. } => text,
            Output::Display { bundle, display_id: None } => {
                let types: Vec<_> = bundle.data.keys().map(String::as_str).collect();
                format!("<{}: {}>", types.join(" "), bundle.plain())
            }
            other => format!("<{other:?}>"),
        };
        outputs.into_iter().map(word).collect()
    }

    #[track_caller]
    fn check(printed: &[&str], expected: &str) {
        let mut page = Page::default();
        let mut shown: Vec<_> = printed.iter().flat_map(|text| page.print(text.as_bytes())).collect();
        shown.extend(page.end());
        assert_eq!(words(shown), expected);
        assert_eq!(page.take_value(), None);
    }

    #[test]
    fn forms_of_one_thing_are_shown_together_and_in_their_place() {
        let (plain, html) = (block("text/plain", "p"), block("text/html", "h"));
        check(&["a\n", &plain, &html, "b\n"], "a\n<text/plain text/html: p>b\n");
        check(&[&plain, "a\n", &html], "<text/plain: p>a\n<text/html text/plain: <text/html>>");
        check(&[&plain, &plain], "<text/plain: p><text/plain: p>");
    }

    #[test]
    fn orders_are_carried_out_in_their_place() {
        let order = block("application/x-assay-order", r#"{"clear_output": {"wait": true}}"#);
        check(&[&block("text/plain", "p"), &order, "x"], "<text/plain: p><Clear { wait: true }>x");
    }

    #[test]
    fn what_is_printed_while_the_value_shows_itself_is_the_value() {
        let mut page = Page::default();
        let plain = block("text/plain", "before");
        assert_eq!(words(page.print(plain.as_bytes())), "");
        assert_eq!(words(page.begin_value()), "<text/plain: before>");
        let printed = format!("{}noise\n{}", block("text/html", "h"), block("text/plain", "p").trim_end());
        assert_eq!(words(page.print(printed.as_bytes())), "noise\n");
        assert!(!page.waits());
        assert_eq!(words(page.end_value()), "");
        assert_eq!(words(page.print(plain.as_bytes())), "");
        assert_eq!(words(page.end()), "<text/plain: before>");
        let value = page.take_value().unwrap();
        assert_eq!((value.plain(), value.data.len()), ("p", 2));
    }

    #[test]
    fn a_value_that_shows_nothing_is_none() {
        let mut page = Page::default();
        assert_eq!(words(page.begin_value()), "");
        assert_eq!(words(page.end_value()), "");
        assert_eq!(page.take_value(), None);
    }

    #[test]
    fn a_value_may_be_told_instead() {
        let mut page = Page::default();
        assert_eq!(words(page.begin_value()), "");
        assert_eq!(words(page.value(content("text/plain", "7"))), "");
        assert_eq!(page.take_value().unwrap().plain(), "7");
    }

    #[test]
    fn what_is_shown_by_a_call_stands_behind_what_was_printed() {
        let mut page = Page::default();
        let printed = format!("a\n{}", block("text/html", "h"));
        assert_eq!(words(page.print(printed.as_bytes())), "a\n");
        assert_eq!(
            words(page.place(content("text/plain", "p"), None)),
            "<text/html text/plain: <text/html>><text/plain: p>"
        );
        assert_eq!(words(page.print(block("text/html", "h").as_bytes())), "");
        assert_eq!(words(page.place(Content::default(), None)), "<text/html text/plain: <text/html>>");
        assert_eq!(page.clear(true), [Output::Clear { wait: true }]);
        let replaced = page.replace(content("text/plain", "p"), "x".to_owned());
        assert!(
            matches!(&replaced[..], [Output::UpdateDisplay { bundle, display_id }] if bundle.plain() == "p" && display_id == "x")
        );
    }

    #[test]
    fn a_read_asks_what_was_printed_for_it_once() {
        let mut page = Page::default();
        assert_eq!(words(page.print(b"a\nEVCXR_INPUT_REQUEST_PASSWORD:pin \nb\n")), "a\nb\n");
        assert_eq!(page.take_question(), Question { prompt: "pin ".to_owned(), password: true });
        let unasked = Question { prompt: String::new(), password: false };
        assert_eq!(page.take_question(), unasked);
        page.print(b"EVCXR_INPUT_REQUEST:left\n");
        page.end();
        assert_eq!(page.take_question(), unasked);
    }

    #[test]
    fn a_display_does_not_wait_for_long() {
        let mut page = Page::default();
        assert_eq!(words(page.print(block("text/plain", "p").as_bytes())), "");
        assert!(page.waits());
        assert_eq!(words(page.pause()), "<text/plain: p>");
        assert!(!page.waits());
    }
}
