//! What a profile gives to the notebook: `let p = %prun -r …`.

use crate::content::{Bundle, Show};
use std::fmt;

/// What `%prun` found: the figures of Python's `pstats.Stats`, and more. All times are in seconds, of one run.
///
/// Calls are exact; times are sampled, and each has its error: the half of a 95 % interval.
#[derive(Clone, PartialEq)]
pub struct ProfileResult {
    /// The code that ran.
    pub code: String,
    /// How often functions were called, of those whose calls are counted: those of cells and of local crates. None where calls could not be counted.
    pub total_calls: Option<u64>,
    /// The same without calls of a function from within itself.
    pub prim_calls: Option<u64>,
    /// The time of all functions together.
    pub total_tt: f64,
    /// The time on the wall of the run whose effects are there.
    pub wall: f64,
    /// The processor's time of that run, of all threads, in the program.
    pub user: f64,
    /// The same in the system, for the program.
    pub system: f64,
    /// How many samples there are, of all runs.
    pub samples: u64,
    /// How often the code ran while samples were taken.
    pub runs: u64,
    /// Whether a panic, a `?` or an interrupt ended the run.
    pub partial: bool,
    /// The functions, in the order in which they were shown.
    pub functions: Vec<ProfiledFunction>,
}

/// A function of a [`ProfileResult`].
#[derive(Debug, Clone, PartialEq)]
pub struct ProfiledFunction {
    /// Its name.
    pub name: String,
    /// Its file: `cell[3]`.
    pub file: String,
    /// The line of the file where it is defined.
    pub line: Option<u32>,
    /// How often it was called. None where that was not counted.
    pub ncalls: Option<u64>,
    /// How often while no other call of it was under way on the same thread.
    pub primitive: Option<u64>,
    /// The time in the function itself.
    pub tottime: f64,
    /// The error of that.
    pub tottime_error: f64,
    /// The time in it and in what it calls, a recursion counted once.
    pub cumtime: f64,
    /// The error of that.
    pub cumtime_error: f64,
    /// The samples in the function itself.
    pub samples: u64,
    /// The line of the user's own that most of its samples are of.
    pub hottest_line: Option<u32>,
}

impl ProfileResult {
    /// The first function of this name.
    pub fn function(&self, name: &str) -> Option<&ProfiledFunction> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// cProfile's first line.
    fn line(&self) -> String {
        let seconds = format!("{:.3} seconds", self.total_tt);
        match (self.total_calls, self.prim_calls) {
            (Some(total), Some(primitive)) if total != primitive => {
                format!("{total} function calls ({primitive} primitive calls) in {seconds}")
            }
            (Some(total), _) => format!("{total} function calls in {seconds}"),
            _ => seconds,
        }
    }
}

impl fmt::Display for ProfileResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

impl fmt::Debug for ProfileResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<ProfileResult : {}>", self.line())
    }
}

impl Show for ProfileResult {
    fn mime_bundle(&self) -> Bundle {
        Bundle::new().text(format!("{self:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::ProfileResult;

    #[test]
    fn it_is_shown_in_a_line() {
        let result = |total_calls, prim_calls| ProfileResult {
            code: "f()".to_owned(),
            total_calls,
            prim_calls,
            total_tt: 1.2344,
            wall: 1.3,
            user: 1.2,
            system: 0.0,
            samples: 1234,
            runs: 1,
            partial: false,
            functions: Vec::new(),
        };
        let check = |result: ProfileResult, expected: &str| assert_eq!(format!("{result:?}"), expected);
        check(
            result(Some(242_785), Some(1)),
            "<ProfileResult : 242785 function calls (1 primitive calls) in 1.234 seconds>",
        );
        check(result(Some(3), Some(3)), "<ProfileResult : 3 function calls in 1.234 seconds>");
        check(result(None, None), "<ProfileResult : 1.234 seconds>");
    }
}
