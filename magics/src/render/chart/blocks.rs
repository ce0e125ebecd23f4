//! Charts of Unicode's block elements: what a terminal, a diff and `git` see. No line is wider than 80 columns.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a line.
pub(super) const COLUMNS: usize = 80;

const UPWARDS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const RIGHTWARDS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A column for each of `heights` (0 to 1), `rows` lines tall. What is above nothing at all shows.
pub(super) fn columns(heights: &[f64], rows: usize) -> Vec<String> {
    let eighths: Vec<usize> = heights.iter().map(|height| eighths(*height, rows)).collect();
    let row = |row: usize| -> String {
        let line: String =
            eighths.iter().map(|height| UPWARDS[height.saturating_sub(8 * row).min(8)]).collect();
        line.trim_end().to_owned()
    };
    (0..rows).rev().map(row).collect()
}

/// A bar as long as this part (0 to 1) of `width` columns.
pub(super) fn bar(part: f64, width: usize) -> String {
    let eighths = eighths(part, width);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(RIGHTWARDS[eighths % 8]);
    }
    bar
}

fn eighths(part: f64, whole: usize) -> usize {
    let exact = part.clamp(0.0, 1.0) * 8.0 * whole as f64;
    if exact > 0.0 { (exact.round() as usize).max(1) } else { 0 }
}

/// The text as one line of at most `width` columns, with an ellipsis where it was longer.
pub(super) fn shorten(text: &str, width: usize) -> String {
    let line = text.split(|sign: char| sign.is_whitespace() || sign.is_control());
    let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.width() <= width {
        return line;
    }
    let mut used = 1;
    let fits = |sign: &char| {
        used += sign.width().unwrap_or(0);
        used <= width
    };
    let kept: String = line.chars().take_while(fits).collect();
    format!("{}…", kept.trim_end())
}

/// The text in lines of at most [`COLUMNS`], broken between words.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace().map(|word| shorten(word, COLUMNS)) {
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= COLUMNS) {
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word),
        }
    }
    lines
}

/// The title and the summary as the first lines of a text.
pub(super) fn heading(title: &str, summary: &str) -> Vec<String> {
    let title = Some(shorten(title, COLUMNS)).filter(|title| !title.is_empty());
    title.into_iter().chain(wrapped(summary)).collect()
}

/// Columns that the text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text with spaces behind it up to `width` columns.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Texts in one line of `width` columns, each with its middle as near to its part (0 to 1) of the line as there is room.
/// The earlier ones in the list have the choice.
pub(super) fn scale(texts: &[(f64, &str)], width: usize) -> String {
    let mut taken: Vec<(usize, &str)> = Vec::new();
    for (part, text) in texts {
        let own = text.width();
        let middle = (part.clamp(0.0, 1.0) * width.saturating_sub(1) as f64).round() as usize;
        let at = middle.saturating_sub(own / 2).min(width.saturating_sub(own));
        let apart = |(other, said): &(usize, &str)| at + own + 1 < *other || other + said.width() + 1 < at;
        if taken.iter().all(apart) {
            taken.push((at, text));
        }
    }
    taken.sort_by_key(|(at, _)| *at);
    taken.iter().fold(String::new(), |line, (at, text)| padded(&line, *at) + text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_by_eighths_and_the_least_is_seen() {
        assert_eq!(columns(&[0.0, 0.001, 0.5, 1.0], 1), [" ▁▄█"]);
        assert_eq!(columns(&[0.25, 0.75, 1.0], 2), [" ▄█", "▄██"]);
    }

    #[test]
    fn bars_grow_by_eighths() {
        assert_eq!([bar(0.0, 4), bar(0.5, 4), bar(0.53, 4), bar(2.0, 4)], ["", "██", "██▏", "████"]);
    }

    #[test]
    fn wide_signs_count_twice() {
        assert_eq!(shorten("日本語のラベル", 7), "日本語…");
        assert_eq!(shorten("a\nb", 3), "a b");
        assert_eq!(padded("日本", 6), "日本  ");
    }

    #[test]
    fn what_is_said_is_broken_and_never_cut() {
        let words = "word ".repeat(40);
        let lines = wrapped(&words);
        assert_eq!(lines.iter().map(|line| line.width()).collect::<Vec<_>>(), [79, 79, 39]);
        assert_eq!(heading("", "said"), ["said"]);
    }

    #[test]
    fn the_first_text_of_a_scale_has_its_place() {
        assert_eq!(scale(&[(0.5, "mid"), (0.0, "low"), (1.0, "high")], 20), "low      mid    high");
        assert_eq!(scale(&[(0.0, "low"), (0.1, "near"), (1.0, "high")], 20), "low             high");
    }
}
