//! Bytes that a process writes, as text: whole characters whatever the chunks, and a mark for what is not UTF-8.

use std::str::from_utf8;

/// Decodes a stream of bytes chunk by chunk. A character cut by a chunk's end waits for the next one.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of a character whose rest has not come: at most three bytes.
    waiting: Vec<u8>,
    ended: bool,
}

impl Decoder {
    /// The text that `bytes` completes. Bytes that are not UTF-8 become U+FFFD, as in `String::from_utf8_lossy`.
    pub fn decode(&mut self, bytes: &[u8]) -> String {
        self.waiting.extend_from_slice(bytes);
        let cut = whole_characters(&self.waiting);
        let rest = self.waiting.split_off(cut);
        let whole = std::mem::replace(&mut self.waiting, rest);
        String::from_utf8_lossy(&whole).into_owned()
    }

    /// The stream has ended: what still waited, as well as it can be shown.
    pub fn end(&mut self) -> String {
        self.ended = true;
        String::from_utf8_lossy(&std::mem::take(&mut self.waiting)).into_owned()
    }

    /// Whether [`end`](Self::end) was called.
    pub fn ended(&self) -> bool {
        self.ended
    }
}

/// How many of the bytes come before a character that may still be completed.
pub fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes, so an unfinished one begins within the last three.
    let tail = bytes.len().saturating_sub(3);
    (tail..bytes.len())
        .find(|&start| {
            from_utf8(&bytes[start..])
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(bytes.len())
}

/// Where bytes stand in others for the first time.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// How many bytes of an unfinished line are certainly text: all before `mark` or what may become it, and no half of a character.
pub fn free_of_mark(line: &[u8], mark: &[u8]) -> usize {
    let marked = find(line, mark).unwrap_or_else(|| {
        let begun = (1..mark.len()).rev().find(|length| line.ends_with(&mark[..*length]));
        line.len() - begun.unwrap_or(0)
    });
    whole_characters(&line[..marked])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(chunks: &[&[u8]], expected: &[&str]) {
        let mut decoder = Decoder::default();
        let mut texts: Vec<String> = chunks.iter().map(|chunk| decoder.decode(chunk)).collect();
        texts.push(decoder.end());
        assert_eq!(texts, expected);
    }

    #[test]
    fn characters_survive_any_cut() {
        check(&[b"plain"], &["plain", ""]);
        check(&["é".as_bytes()], &["é", ""]);
        check(&[b"a\xc3", b"\xa9b"], &["a", "éb", ""]);
        check(&[b"\xf0\x9f", b"\xa6", b"\x80!"], &["", "", "🦀!", ""]);
        check(&[b"x\xe2\x82"], &["x", "\u{fffd}"]);
        check(&[b"a\xffb", b"\x80\x80"], &["a\u{fffd}b", "\u{fffd}\u{fffd}", ""]);
    }

    #[test]
    fn every_cut_of_a_text_gives_the_text() {
        let text = "añ€🦀z";
        for at in 0..=text.len() {
            let mut decoder = Decoder::default();
            let (left, right) = text.as_bytes().split_at(at);
            let whole = decoder.decode(left) + &decoder.decode(right) + &decoder.end();
            assert_eq!(whole, text, "cut at {at}");
        }
    }
}
