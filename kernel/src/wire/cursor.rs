//! Cursor positions: Jupyter counts Unicode code points, the session counts bytes.

/// The byte offset of the `position`th code point of `code`. What lies outside of the code is moved to its nearer end.
pub(crate) fn to_byte(code: &str, position: i64) -> usize {
    let Ok(position) = usize::try_from(position) else {
        return 0;
    };
    code.char_indices().nth(position).map_or(code.len(), |(byte, _)| byte)
}

/// How many code points of `code` lie before byte `offset`.
pub(crate) fn to_code_points(code: &str, offset: usize) -> usize {
    let end = code.floor_char_boundary(offset);
    code.get(..end).map_or(0, |before| before.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(code: &str, position: i64, byte: usize) {
        assert_eq!(to_byte(code, position), byte, "{code:?} at {position}");
    }

    #[test]
    fn code_points_are_neither_bytes_nor_utf16_units() {
        check("let x", 4, 4);
        check("«é»x", 3, 6);
        // An astral character is one code point, though JavaScript counts two.
        check("🦀.l", 2, 5);
        // A combining accent is a code point of its own, though a reader sees one letter.
        check("e\u{301}x", 2, 3);
    }

    #[test]
    fn a_cursor_outside_of_the_code_is_moved_to_its_end() {
        check("é", 7, 2);
        check("é", -1, 0);
        check("", i64::MAX, 0);
        assert_eq!(to_code_points("é", 9), 1);
        // The middle of a character counts as its beginning.
        assert_eq!(to_code_points("aé", 2), 1);
    }

    proptest! {
        #[test]
        fn there_and_back(code in "\\PC{0,40}", position in 0i64..50) {
            let points = to_code_points(&code, to_byte(&code, position));
            prop_assert_eq!(points, code.chars().count().min(position as usize));
        }
    }
}
