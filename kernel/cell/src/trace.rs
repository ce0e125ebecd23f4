//! Back traces and type names, as text.

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A frame of a back trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) function: String,
    pub(crate) place: Place,
}

/// What the files of cells are called.
const CELL: &str = "cell[";

/// The frames of a back trace, as the standard library prints it, that stand in cells.
pub(crate) fn frames(trace: &str) -> Vec<Frame> {
    let mut function = "";
    let mut found = Vec::new();
    for line in trace.lines().map(str::trim_start) {
        // A frame's first line is `4: name`; behind it stands its place, if it has one. Inlined frames have no number of their own.
        match line.strip_prefix("at ") {
            Some(at) => found.extend(
                place(at)
                    .filter(|place| place.file.starts_with(CELL))
                    .map(|place| Frame { function: function.to_owned(), place }),
            ),
            None => function = without_number(line),
        }
    }
    found
}

/// A type's name without the crates that cells are compiled to: `cell_12::Point` is `Point` for the user.
pub(crate) fn without_crates(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("cell_") {
        let (before, here) = rest.split_at(at);
        short.push_str(before);
        let inside = before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        rest = match behind_crate(here).filter(|_| !inside) {
            Some(behind) => behind,
            None => {
                short.push_str("cell_");
                &here["cell_".len()..]
            }
        };
    }
    short + rest
}

/// What follows `cell_12::`.
fn behind_crate(name: &str) -> Option<&str> {
    let digits = name.strip_prefix("cell_")?;
    let behind = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    behind.strip_prefix("::").filter(|_| behind.len() < digits.len())
}

fn without_number(line: &str) -> &str {
    match line.split_once(": ") {
        Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => line,
    }
}

/// `./cell[3]:2:5`. Debug information knows a folder for each file, which says nothing about a cell.
fn place(at: &str) -> Option<Place> {
    let (rest, last) = at.rsplit_once(':')?;
    let last = last.parse().ok()?;
    // The column may be missing.
    let with_column = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?, last)));
    let (path, line, column) = with_column.unwrap_or((rest, last, 0));
    let file = path.rsplit('/').next().unwrap_or(path).to_owned();
    Some(Place { file, line, column })
}

#[cfg(test)]
mod tests {
    use super::{frames, without_crates};

    #[test]
    fn only_frames_of_cells_are_kept() {
        let trace = "   0: std::backtrace::Backtrace::force_capture\n             at /rustc/59807616e/library/std/src/backtrace.rs:331:13
   1: cell_3::inner\n             at ./cell[3]:2:5\n      cell_3::outer::{{closure}}\n             at /tmp/x/cell[3]:7\n   2: <T as a::B>::c
   3: assay_entry_4\n             at ./entry_4.rs:1:1\n  12: main: x\n             at ./cell[4]:1:9\n";
        let found: Vec<_> = frames(trace)
            .into_iter()
            .map(|frame| (frame.function, frame.place.file, frame.place.line, frame.place.column))
            .collect();
        let expected = [
            ("cell_3::inner", "cell[3]", 2, 5),
            ("cell_3::outer::{{closure}}", "cell[3]", 7, 0),
            ("main: x", "cell[4]", 1, 9),
        ];
        assert_eq!(
            found,
            expected.map(|(name, file, line, column)| (name.into(), file.into(), line, column))
        );
        assert_eq!(frames("disabled backtrace"), []);
    }

    #[test]
    fn the_crates_of_cells_are_not_shown() {
        let check = |name, expected: &str| assert_eq!(without_crates(name), expected);
        check("cell_12::Point", "Point");
        check("alloc::vec::Vec<cell_1::a::B<cell_22::C>>", "alloc::vec::Vec<a::B<C>>");
        check("&cell_1::A", "&A");
        check("u8", "u8");
        check("supercell_1::A", "supercell_1::A");
        check("cell_::A", "cell_::A");
        check("cell_1", "cell_1");
        check("my::cell_1::A", "my::cell_1::A");
    }
}
