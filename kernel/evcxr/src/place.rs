//! From a line of the source that evcxr generated back to the cell in which the user wrote it.
//!
//! evcxr puts each statement of a cell on lines of its own and collects the items of all cells in front. It tells nobody which line came
//! from where, so the line's text is looked up, and where it stands several times, the lines around it decide.

use assay_link::evcxr::Place;

/// A cell that was run.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) number: u32,
    pub(crate) source: String,
}

/// Where the user wrote what stands at `line` and `column` (both from 1) of `generated`: in the latest of `cells` (oldest first) that fits best.
pub(crate) fn place(generated: &str, line: usize, column: usize, cells: &[Cell]) -> Option<Place> {
    let generated: Vec<&str> = generated.lines().collect();
    let index = line.checked_sub(1)?;
    let wanted = generated.get(index).filter(|text| !text.trim().is_empty())?;
    let rank = generated[..index].iter().filter(|text| text.trim() == wanted.trim()).count();
    let mut best: Option<(usize, Place)> = None;
    for cell in cells.iter().rev() {
        let candidates = candidates(cell, &generated, index, column);
        let score = candidates.iter().map(|(score, _)| *score).max();
        // Lines that cannot be told apart are taken in order.
        let equal: Vec<_> = candidates.into_iter().filter(|(of, _)| Some(*of) == score).collect();
        let Some(candidate) = equal.get(rank.min(equal.len().saturating_sub(1))) else {
            continue;
        };
        if best.is_none_or(|(before, _)| before < candidate.0) {
            best = Some(*candidate);
        }
    }
    best.map(|(_, place)| place)
}

/// The places of a cell where the wanted line stands, with the number of lines around it that fit.
fn candidates(cell: &Cell, generated: &[&str], index: usize, column: usize) -> Vec<(usize, Place)> {
    let lines: Vec<&str> = cell.source.lines().collect();
    let wanted = generated[index].trim();
    let indent = generated[index].chars().take_while(|c| c.is_whitespace()).count();
    let found =
        lines.iter().enumerate().filter_map(|(row, text)| text.find(wanted).map(|at| (row, text, at)));
    found
        .map(|(row, text, at)| {
            let before = text[..at].chars().count();
            let column = (before + column).saturating_sub(indent);
            let (line, column) = (to_u32(row + 1), to_u32(column.max(1)));
            (around(&lines, row, generated, index), Place { cell: cell.number, line, column })
        })
        .collect()
}

/// How many lines fit, upwards and downwards, without a gap.
fn around(lines: &[&str], row: usize, generated: &[&str], index: usize) -> usize {
    let fits = |(a, b): &(&&str, &&str)| a.trim() == b.trim();
    let up = lines[..row].iter().rev().zip(generated[..index].iter().rev()).take_while(fits).count();
    let down = lines[row + 1..].iter().zip(&generated[index + 1..]).take_while(fits).count();
    up + down
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Cell, place};

    /// `expected` is cell, line and column.
    fn check(generated: &str, at: (usize, usize), cells: &[&str], expected: Option<(u32, u32, u32)>) {
        let cells: Vec<Cell> = cells
            .iter()
            .zip(1..)
            .map(|(source, number)| Cell { number, source: (*source).to_owned() })
            .collect();
        let got = place(generated, at.0, at.1, &cells);
        assert_eq!(got.map(|place| (place.cell, place.line, place.column)), expected);
    }

    #[test]
    fn a_line_of_the_cell() {
        check(
            "fn generated() {\nlet a = 1;\nboom(a);\n}",
            (3, 1),
            &["let a = 1;\nboom(a);"],
            Some((1, 2, 1)),
        );
        check("nothing of it", (1, 1), &["let a = 1;"], None);
        check("x", (7, 1), &["x"], None);
    }

    #[test]
    fn a_statement_behind_another_on_its_line() {
        check("let a = 1;\npanic!();", (2, 1), &["let a = 1; panic!();"], Some((1, 1, 12)));
    }

    #[test]
    fn an_item_of_an_earlier_cell() {
        check(
            "fn f() {\n    boom()\n}\nfn run() {\nf();\n}",
            (2, 5),
            &["fn f() {\n    boom()\n}", "f();"],
            Some((1, 2, 5)),
        );
    }

    #[test]
    fn the_latest_of_equal_cells() {
        check("boom();", (1, 1), &["boom();", "boom();"], Some((2, 1, 1)));
    }

    #[test]
    fn equal_lines_are_told_apart_by_their_neighbours() {
        let cell = "fn a() {\n    boom()\n}\nfn b() {\n    boom()\n}";
        check("fn b() {\n    boom()\n}\nfn a() {\n    boom()\n}", (2, 5), &[cell], Some((1, 5, 5)));
        check("fn b() {\n    boom()\n}\nfn a() {\n    boom()\n}", (5, 5), &[cell], Some((1, 2, 5)));
    }
}
