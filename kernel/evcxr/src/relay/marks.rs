//! Takes the standard output of the process that runs cells apart: the user's text, content blocks, and the lines that are meant for evcxr.
//!
//! Bytes go in, pieces come out; nothing is read or written here.

use assay_link::text::{find, free_of_mark};

/// What stands in the output, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// The user's text.
    Text(String),
    /// A content block.
    Block { mime: String, content: String },
    /// The function that was run has returned.
    Complete,
    /// The cell ended in a panic.
    Panicked,
    /// The cell ended at a `?`.
    Question,
    /// A variable was dropped because its type was redefined.
    Redefined(String),
    /// A line of input is asked for.
    Ask { prompt: String, password: bool },
}

/// What every line for evcxr begins with. Text of the user's may stand before it, where a line was not ended.
const MARK: &[u8] = b"EVCXR_";
const END: &str = "EVCXR_END_CONTENT";
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";

/// The output so far that could not be taken apart yet.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The beginning of a line that is, or may become, a mark, or of a character.
    held: Vec<u8>,
    /// The block that has begun: type and content.
    block: Option<(String, String)>,
}

impl Marks {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        self.held.extend_from_slice(bytes);
        while let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.held.drain(..=end).collect();
            self.line(&line, &mut pieces);
        }
        if self.block.is_none() {
            let free = free_of_mark(&self.held, MARK);
            pieces.text(&self.held.drain(..free).collect::<Vec<u8>>());
        }
        pieces.0
    }

    /// Whether something is held back that may be text after all.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty() && self.block.is_none() && find(&self.held, MARK).is_none()
    }

    /// Gives up what is held back, because nothing followed for a while or ever will.
    pub(super) fn release(&mut self) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        if let Some((mime, content)) = self.block.take() {
            pieces.0.push(Piece::Block { mime, content });
        }
        pieces.text(&std::mem::take(&mut self.held));
        pieces.0
    }

    fn line(&mut self, line: &[u8], pieces: &mut Pieces) {
        match self.block.take() {
            Some(block) => self.block_line(block, &String::from_utf8_lossy(line), pieces),
            None => self.free_line(line, pieces),
        }
    }

    fn block_line(&mut self, (mime, mut content): (String, String), line: &str, pieces: &mut Pieces) {
        let bare = line.trim_end_matches(['\n', '\r']);
        let (rest, panicked) = match (bare.strip_suffix(END), bare.strip_suffix(PANICKED)) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => {
                content.push_str(line);
                self.block = Some((mime, content));
                return;
            }
        };
        content.push_str(rest);
        if rest.is_empty() && content.ends_with('\n') {
            content.pop();
        }
        pieces.0.push(Piece::Block { mime, content });
        if panicked {
            pieces.0.push(Piece::Panicked);
        }
    }

    fn free_line(&mut self, line: &[u8], pieces: &mut Pieces) {
        let mut from = 0;
        while let Some(at) = find(&line[from..], MARK).map(|at| at + from) {
            if let Some(mark) = mark(&String::from_utf8_lossy(&line[at..])) {
                pieces.text(&line[..at]);
                match mark {
                    Mark::Piece(piece) => pieces.0.push(piece),
                    Mark::Block(mime) => self.block = Some((mime, String::new())),
                }
                return;
            }
            from = at + MARK.len();
        }
        pieces.text(line);
    }
}

/// What a line for evcxr says.
enum Mark {
    Piece(Piece),
    /// A block of this type begins.
    Block(String),
}

fn mark(text: &str) -> Option<Mark> {
    let text = text.trim_end_matches(['\n', '\r']);
    let piece = match text {
        "EVCXR_EXECUTION_COMPLETE" => Piece::Complete,
        PANICKED => Piece::Panicked,
        "EVCXR_ERROR_OCCURRED" => Piece::Question,
        _ => return mark_with_text(text),
    };
    Some(Mark::Piece(piece))
}

fn mark_with_text(text: &str) -> Option<Mark> {
    let ask = |prompt: &str, password| Some(Mark::Piece(Piece::Ask { prompt: prompt.to_owned(), password }));
    if let Some(name) = text.strip_prefix("EVCXR_VARIABLE_CHANGED_TYPE:") {
        Some(Mark::Piece(Piece::Redefined(name.to_owned())))
    } else if let Some(prompt) = text.strip_prefix("EVCXR_INPUT_REQUEST:") {
        ask(prompt, false)
    } else if let Some(prompt) = text.strip_prefix("EVCXR_INPUT_REQUEST_PASSWORD:") {
        ask(prompt, true)
    } else {
        let mime = text.strip_prefix("EVCXR_BEGIN_CONTENT ")?.split(' ').next()?;
        (!mime.is_empty()).then(|| Mark::Block(mime.to_owned()))
    }
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

#[cfg(test)]
mod tests {
    use super::{Marks, Piece};

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn block(mime: &str, content: &str) -> Piece {
        Piece::Block { mime: mime.to_owned(), content: content.to_owned() }
    }

    /// The pieces are the same however the bytes are cut into reads, except for where text is cut.
    fn check(output: &[u8], expected: &[Piece]) {
        for size in [1, 2, 7, output.len().max(1)] {
            let mut marks = Marks::default();
            let mut got: Vec<Piece> = Vec::new();
            let pieces = output.chunks(size).map(|bytes| marks.push(bytes)).collect::<Vec<_>>();
            for piece in pieces.into_iter().flatten().chain(marks.release()) {
                match (got.last_mut(), piece) {
                    (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                    (_, piece) => got.push(piece),
                }
            }
            assert_eq!(got, expected, "in reads of {size} bytes");
        }
    }

    #[test]
    fn text_alone() {
        check(b"", &[]);
        check(b"a\nb", &[text("a\nb")]);
        check("ä → ü\n€".as_bytes(), &[text("ä → ü\n€")]);
        check(b"EVC", &[text("EVC")]);
        check(b"EVCXR_SOMETHING else\n", &[text("EVCXR_SOMETHING else\n")]);
        check(b"say EVCXR_EXECUTION_COMPLETE not\n", &[text("say EVCXR_EXECUTION_COMPLETE not\n")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        check(b"a\xffb\n\xe2\x82", &[text("a\u{fffd}b\n\u{fffd}")]);
    }

    #[test]
    fn blocks_in_order() {
        check(
            b"x\nEVCXR_BEGIN_CONTENT text/html\n<b>\n</b>\nEVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\nb\nEVCXR_END_CONTENT\n",
            &[text("x\n"), block("text/html", "<b>\n</b>"), block("text/plain", "b")],
        );
        check(b"EVCXR_BEGIN_CONTENT a/b\nno newlineEVCXR_END_CONTENT\n", &[block("a/b", "no newline")]);
        check(b"EVCXR_BEGIN_CONTENT a/b\nEVCXR_END_CONTENT\n", &[block("a/b", "")]);
        check(
            b"EVCXR_BEGIN_CONTENT a/b\nx\nEVCXR_PANIC_NOTIFICATION\n",
            &[block("a/b", "x"), Piece::Panicked],
        );
    }

    /// `print!` without a newline leaves the mark in the middle of a line: the cell never ended, or its text was swallowed.
    #[test]
    fn a_mark_behind_an_unfinished_line() {
        check(b"abcEVCXR_EXECUTION_COMPLETE\n", &[text("abc"), Piece::Complete]);
        check(b"EVCXR_ EVCXR_PANIC_NOTIFICATION\n", &[text("EVCXR_ "), Piece::Panicked]);
        check(b"aEVCXR_BEGIN_CONTENT a/b\nx\nEVCXR_END_CONTENT\n", &[text("a"), block("a/b", "x")]);
    }

    #[test]
    fn marks_that_carry_text() {
        check(b"EVCXR_VARIABLE_CHANGED_TYPE:p\n", &[Piece::Redefined("p".to_owned())]);
        check(b"EVCXR_ERROR_OCCURRED\n", &[Piece::Question]);
        let ask = |prompt: &str, password| Piece::Ask { prompt: prompt.to_owned(), password };
        check(b"EVCXR_INPUT_REQUEST:Name: \n", &[ask("Name: ", false)]);
        check(b"EVCXR_INPUT_REQUEST_PASSWORD:pin\n", &[ask("pin", true)]);
    }

    #[test]
    fn unfinished_lines_are_not_kept_waiting() {
        let mut marks = Marks::default();
        assert_eq!(marks.push(b"50 %"), [text("50 %")]);
        assert_eq!(marks.push(b"\r60 % E"), [text("\r60 % ")]);
        assert!(marks.holds());
        assert_eq!(marks.release(), [text("E")]);
        assert!(!marks.holds());
    }
}
