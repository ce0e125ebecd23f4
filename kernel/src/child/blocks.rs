//! Takes standard output apart: the user's text, and blocks of content and questions as evcxr has them.
//!
//! ```text
//! EVCXR_BEGIN_CONTENT text/html
//! <b>bold</b>
//! EVCXR_END_CONTENT
//! EVCXR_INPUT_REQUEST:Your name?
//! ```
//!
//! Bytes go in, pieces come out; nothing is read or written here.

use assay_link::text::{find, free_of_mark, whole_characters};

/// What stands in the output, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text.
    Text(String),
    /// A block.
    Block { mime: String, content: String },
    /// What the next read of standard input asks for.
    Question(Question),
}

/// A line that says what is asked for, as the crate `evcxr_input` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) prompt: String,
    pub(super) password: bool,
}

/// What a block begins with; its type follows. Text may stand before it, where a line was not ended.
const BEGIN: &[u8] = b"EVCXR_BEGIN_CONTENT ";

/// What a question begins with; `:` or `_PASSWORD:` and the prompt follow.
const ASK: &[u8] = b"EVCXR_INPUT_REQUEST";

/// The end of the last line of a block.
const END: &[u8] = b"EVCXR_END_CONTENT";

/// The output so far that could not be taken apart yet.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// The beginning of a line that may matter, or of a character.
    held: Vec<u8>,
    /// How much of it is known to have no newline.
    searched: usize,
    block: Option<Block>,
}

/// A block that has begun.
#[derive(Debug)]
struct Block {
    mime: String,
    /// All of it, its first line included.
    text: Vec<u8>,
    /// Where in that its content begins.
    content: usize,
}

impl Blocks {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut start = 0;
        let mut search = self.searched;
        while let Some(end) = held[search..].iter().position(|byte| *byte == b'\n').map(|at| search + at + 1)
        {
            self.line(&held[start..end], &mut pieces);
            (start, search) = (end, end);
        }
        if self.block.is_none() {
            let line = &held[start..];
            let free = free_of_mark(line, BEGIN).min(free_of_mark(line, ASK));
            pieces.text(&held[start..start + free]);
            start += free;
        }
        self.held = held.split_off(start);
        self.searched = self.held.len();
        pieces.0
    }

    /// Whether something is held back that is text unless more comes at once.
    pub(super) fn waits(&self) -> bool {
        let marked = || find(&self.held, BEGIN).or_else(|| find(&self.held, ASK));
        self.block.is_none() && marked().is_none() && whole_characters(&self.held) > 0
    }

    /// Gives up what only [waits](Self::waits), because nothing followed for a while.
    pub(super) fn pause(&mut self) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        if self.waits() {
            let rest = self.held.split_off(whole_characters(&self.held));
            pieces.text(&std::mem::replace(&mut self.held, rest));
            self.searched = self.held.len();
        }
        pieces.0
    }

    /// Gives up all that is held back: nothing will follow. A block without an end is the text that it is.
    pub(super) fn end(&mut self) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        let rest = std::mem::take(&mut self.held);
        self.searched = 0;
        match self.block.take() {
            // The newline behind its end may be missing.
            Some(block) => self.block_line(block, &rest, &mut pieces),
            None => pieces.text(&rest),
        }
        if let Some(block) = self.block.take() {
            pieces.text(&block.text);
        }
        pieces.0
    }

    fn line(&mut self, line: &[u8], pieces: &mut Pieces) {
        match self.block.take() {
            Some(block) => self.block_line(block, line, pieces),
            None => self.free_line(line, pieces),
        }
    }

    fn block_line(&mut self, mut block: Block, line: &[u8], pieces: &mut Pieces) {
        let Some(last) = without_newline(line).strip_suffix(END) else {
            block.text.extend_from_slice(line);
            self.block = Some(block);
            return;
        };
        block.text.extend_from_slice(last);
        let content = &block.text[block.content..];
        // The newline before the end is not content.
        let content = if last.is_empty() { content.strip_suffix(b"\n").unwrap_or(content) } else { content };
        let content = String::from_utf8_lossy(content).into_owned();
        pieces.0.push(Piece::Block { mime: block.mime, content });
    }

    fn free_line(&mut self, line: &[u8], pieces: &mut Pieces) {
        let begin = find(line, BEGIN).and_then(|at| Some((at, mime(&line[at + BEGIN.len()..])?)));
        let Some((at, mime)) = begin else {
            return unmarked_line(line, pieces);
        };
        pieces.text(&line[..at]);
        let text = line[at..].to_vec();
        self.block = Some(Block { mime, content: text.len(), text });
    }
}

/// A line in which no block begins: text, or a question.
fn unmarked_line(line: &[u8], pieces: &mut Pieces) {
    let asked = find(line, ASK).and_then(|at| Some((at, question(&line[at + ASK.len()..])?)));
    let Some((at, question)) = asked else {
        return pieces.text(line);
    };
    pieces.text(&line[..at]);
    pieces.0.push(Piece::Question(question));
}

/// The question in the rest of its line.
fn question(rest: &[u8]) -> Option<Question> {
    let rest = String::from_utf8_lossy(without_newline(rest));
    let hidden = rest.strip_prefix("_PASSWORD:").map(|prompt| (prompt, true));
    let (prompt, password) = hidden.or_else(|| Some((rest.strip_prefix(':')?, false)))?;
    Some(Question { prompt: prompt.to_owned(), password })
}

/// The pieces so far; text that follows text joins it.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn text(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        match self.0.last_mut() {
            Some(Piece::Text(before)) => before.push_str(&text),
            _ => self.0.push(Piece::Text(text.into_owned())),
        }
    }
}

/// The type in the rest of a block's first line. What follows it is reserved: evcxr ignores it.
fn mime(rest: &[u8]) -> Option<String> {
    let rest = std::str::from_utf8(rest).ok()?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn without_newline(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Piece, Question};

    fn question(prompt: &str, password: bool) -> Piece {
        Piece::Question(Question { prompt: prompt.to_owned(), password })
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn block(mime: &str, content: &str) -> Piece {
        Piece::Block { mime: mime.to_owned(), content: content.to_owned() }
    }

    fn joined(pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
        let mut joined: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (_, piece) => joined.push(piece),
            }
        }
        joined
    }

    /// The pieces are the same wherever the bytes are cut, but for where text is cut.
    #[track_caller]
    fn check(output: impl AsRef<[u8]>, expected: &[Piece]) {
        let output = output.as_ref();
        for at in 0..=output.len() {
            let mut blocks = Blocks::default();
            let (left, right) = output.split_at(at);
            let pieces = [blocks.push(left), blocks.push(right), blocks.end()];
            assert_eq!(joined(pieces.into_iter().flatten()), expected, "cut at {at}");
        }
        let mut blocks = Blocks::default();
        let pieces: Vec<_> = output.iter().flat_map(|byte| blocks.push(&[*byte])).collect();
        assert_eq!(joined(pieces.into_iter().chain(blocks.end())), expected, "byte by byte");
    }

    #[test]
    fn text_alone() {
        check("", &[]);
        check("a\nb", &[text("a\nb")]);
        check("ä → ü\n€\n\n", &[text("ä → ü\n€\n\n")]);
        check("EVC", &[text("EVC")]);
        check("EVCXR_BEGIN_CONTENT", &[text("EVCXR_BEGIN_CONTENT")]);
        check("EVCXR_BEGIN_CONTENT \nx\n", &[text("EVCXR_BEGIN_CONTENT \nx\n")]);
        check("EVCXR_END_CONTENT\n", &[text("EVCXR_END_CONTENT\n")]);
        check("EVCXR_EXECUTION_COMPLETE\n", &[text("EVCXR_EXECUTION_COMPLETE\n")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        check(b"a\xffb\n\xe2\x82", &[text("a\u{fffd}b\n\u{fffd}")]);
    }

    #[test]
    fn blocks_stand_in_order_with_text() {
        check(
            "x\nEVCXR_BEGIN_CONTENT text/html\n<b>\n</b>\nEVCXR_END_CONTENT\ny\nEVCXR_BEGIN_CONTENT text/plain extra\nb\r\nEVCXR_END_CONTENT\n",
            &[text("x\n"), block("text/html", "<b>\n</b>"), text("y\n"), block("text/plain", "b\r")],
        );
    }

    #[test]
    fn questions_stand_in_order_with_text() {
        check(
            "x\nEVCXR_INPUT_REQUEST:Name? \ny: EVCXR_INPUT_REQUEST_PASSWORD:pin\r\n",
            &[text("x\n"), question("Name? ", false), text("y: "), question("pin", true)],
        );
        check("EVCXR_INPUT_REQUESTS\n", &[text("EVCXR_INPUT_REQUESTS\n")]);
        check("EVCXR_INPUT_REQUEST:unfinished", &[text("EVCXR_INPUT_REQUEST:unfinished")]);
    }

    #[test]
    fn newlines_around_the_marks_may_be_missing() {
        check(
            "abcEVCXR_BEGIN_CONTENT a/b\nno newlineEVCXR_END_CONTENT",
            &[text("abc"), block("a/b", "no newline")],
        );
        check("EVCXR_BEGIN_CONTENT a/b\nEVCXR_END_CONTENT\n", &[block("a/b", "")]);
        check("EVCXR_BEGIN_CONTENT a/b\n\nEVCXR_END_CONTENT\r\n", &[block("a/b", "")]);
    }

    #[test]
    fn a_block_without_an_end_is_text() {
        check("a\nEVCXR_BEGIN_CONTENT a/b\nx\ny", &[text("a\nEVCXR_BEGIN_CONTENT a/b\nx\ny")]);
    }

    #[test]
    fn unfinished_lines_are_not_kept_waiting() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push(b"50 %"), [text("50 %")]);
        assert!(!blocks.waits());
        assert_eq!(blocks.push(b"\r60 % E"), [text("\r60 % ")]);
        assert!(blocks.waits());
        assert_eq!(blocks.pause(), [text("E")]);
        assert!(!blocks.waits());
    }

    #[test]
    fn a_pause_tears_no_character_and_no_block() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.push(b"a\xe2\x82"), [text("a")]);
        assert!(!blocks.waits());
        assert_eq!(blocks.push(b"\xacEVCXR_BEGIN_CONTENT a/"), [text("€")]);
        assert!(!blocks.waits());
        assert_eq!(blocks.pause(), []);
        assert_eq!(blocks.push(b"b\nx"), []);
        assert_eq!(blocks.pause(), []);
        assert_eq!(blocks.push(b"\nEVCXR_END_CONTENT\n"), [block("a/b", "x")]);
    }
}
