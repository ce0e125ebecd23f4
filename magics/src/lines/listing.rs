//! A function that was asked for by name: its lines, and which of them stacks and hits belong to.

use super::statements::{Line, Statements};
use crate::profiled::STATEMENTS;
use crate::profiled::{Asked, Frame, Function, Hits, Profiled};

/// A function with its lines.
#[derive(Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) function: &'a Function,
    /// For each function of the profile, whether its code stands in these lines: the function itself, whatever its generic parameters are, and the closures in it.
    own: Vec<bool>,
    statements: Statements,
    /// Of its file.
    hits: Vec<&'a Hits>,
    called: Called,
}

/// Whether a function was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// It was.
    Yes,
    /// It was not: that was counted.
    Never,
    /// Nobody counted.
    Unknown,
}

impl<'a> Listing<'a> {
    /// All that were asked for, those with the same text once. Where nobody `named` them, those that were not called are left out.
    pub(crate) fn all(profiled: &'a Profiled, named: bool) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for asked in &profiled.asked {
            let Some(listing) = Self::of(profiled, asked) else { continue };
            let is_same = |other: &Self| {
                other.function.file == listing.function.file
                    && other.asked.first_line == asked.first_line
                    && other.is_cell() == listing.is_cell()
            };
            let is_wanted = named || listing.is_cell() || listing.called == Called::Yes;
            if is_wanted && !all.iter().any(is_same) {
                all.push(listing);
            }
        }
        all
    }

    fn of(profiled: &'a Profiled, asked: &'a Asked) -> Option<Self> {
        let function = profiled.functions.get(asked.function)?;
        let last = asked.first_line + asked.lines.len() as u32;
        let lines = asked.first_line..last;
        let is_own = |(index, other): (usize, &Function)| {
            let here = other.file == function.file && other.line.is_none_or(|line| lines.contains(&line));
            index == asked.function
                || here && (is_same(other, function) || is_within(&other.name, &function.name))
        };
        let own: Vec<bool> = profiled.functions.iter().enumerate().map(is_own).collect();
        let hits: Vec<&Hits> = profiled.hits.iter().filter(|hits| hits.file == function.file).collect();
        let ran = |index: usize| find(&hits, asked.first_line + index as u32).is_some();
        let ran: Option<&dyn Fn(usize) -> bool> = if hits.is_empty() { None } else { Some(&ran) };
        let statements = Statements::of(&asked.lines, asked.name == STATEMENTS, ran);
        let mut listing = Self { asked, function, own, statements, hits, called: Called::Unknown };
        listing.called = listing.calls(profiled);
        Some(listing)
    }

    /// Its lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (u32, &'a str)> {
        let asked = self.asked;
        (asked.first_line..).zip(asked.lines.iter().map(String::as_str))
    }

    /// The line that this stack is at, if the function is under way in it: that of the innermost call, so that a moment counts once however deep the function has called itself.
    pub(crate) fn at(&self, frames: &[Frame]) -> Option<u32> {
        let is_own = |frame: &&Frame| self.own.get(frame.function).copied().unwrap_or_default();
        let frame = frames.iter().rev().find(is_own)?;
        Some(self.first(frame.line.unwrap_or(self.asked.first_line)))
    }

    /// How often the statement that begins on this line ran. None where none begins, and where nobody counted.
    pub(crate) fn hits(&self, line: u32) -> Option<u64> {
        let index = self.index(line)?;
        if self.statements.line(index) != Line::First {
            return None;
        }
        // A statement may begin with what is no code: `let total =` above what is worked out.
        let group = (index..self.asked.lines.len())
            .take_while(|other| *other == index || self.statements.line(*other) == Line::Within(index));
        group.into_iter().find_map(|other| find(&self.hits, self.asked.first_line + other as u32))
    }

    /// Whether hits were counted in its file.
    pub(crate) fn is_counted(&self) -> bool {
        !self.hits.is_empty()
    }

    pub(crate) fn called(&self) -> Called {
        self.called
    }

    /// Whether it is the cell itself and no function of it.
    pub(crate) fn is_cell(&self) -> bool {
        self.asked.name == STATEMENTS
    }

    fn calls(&self, profiled: &Profiled) -> Called {
        let own = |function: usize| self.own.get(function).copied().unwrap_or_default();
        let mut counted = profiled.calls.iter().filter(|calls| own(calls.function)).peekable();
        let hits: Vec<u64> = self.lines().filter_map(|(line, _)| self.hits(line)).collect();
        let seen =
            profiled.time.iter().flat_map(|time| &time.stacks).any(|stack| self.at(&stack.frames).is_some());
        let is_counted = counted.peek().is_some() || !hits.is_empty();
        let sites = super::places(profiled).map(|heap| heap.sites.as_slice()).unwrap_or_default();
        if seen
            || counted.any(|calls| calls.total > 0)
            || hits.iter().any(|hits| *hits > 0)
            || sites.iter().any(|site| self.at(&site.frames).is_some())
        {
            Called::Yes
        } else if is_counted {
            Called::Never
        } else {
            Called::Unknown
        }
    }

    /// Where what is on this line begins; lines that the function does not have (those of a macro from elsewhere) count as its first.
    fn first(&self, line: u32) -> u32 {
        let first = self.index(line).map_or(0, |index| self.statements.first(index));
        self.asked.first_line + first as u32
    }

    fn index(&self, line: u32) -> Option<usize> {
        let index = line.checked_sub(self.asked.first_line)? as usize;
        (index < self.asked.lines.len()).then_some(index)
    }
}

fn find(hits: &[&Hits], line: u32) -> Option<u64> {
    let of = |hits: &&Hits| {
        let index = hits.lines.binary_search_by_key(&line, |(line, _)| *line).ok()?;
        hits.lines.get(index).map(|(_, hits)| *hits)
    };
    hits.iter().find_map(of)
}

/// Whether both are one function of the source, with other generic parameters perhaps.
fn is_same(one: &Function, other: &Function) -> bool {
    one.line == other.line && plain(&one.name) == plain(&other.name)
}

/// Whether `inner` is a closure (or an `async` block) of `outer`, at whatever depth, and not one of a function in it: `fib::{closure#0}`.
fn is_within(inner: &str, outer: &str) -> bool {
    let (inner, outer) = (plain(inner), plain(outer));
    let path = inner.strip_prefix(outer.as_str()).and_then(|path| path.strip_prefix("::"));
    path.is_some_and(|path| path.split("::").all(|part| part.starts_with('{')))
}

/// A name without generic parameters.
fn plain(name: &str) -> String {
    let (start, name) = match name.strip_prefix(STATEMENTS) {
        Some(rest) => (STATEMENTS, rest),
        None => ("", name),
    };
    let mut depth = 0_usize;
    let mut before = ' ';
    let mut plain = start.to_owned();
    for sign in name.chars() {
        match sign {
            '<' => depth += 1,
            // Not the arrow of `fn() -> T`.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(sign),
            _ => {}
        }
        before = sign;
    }
    // `max::<u32>` has lost what stood behind its colons.
    plain.replace("::::", "::").trim_end_matches("::").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_within, plain};

    #[test]
    fn a_name_is_the_same_without_its_parameters() {
        let check = |name: &str, expected: &str| assert_eq!(plain(name), expected);
        check("fib", "fib");
        check("max::<u32>", "max");
        check("Stack<Vec<u8>>::push", "Stack::push");
        check("each::<fn(u8) -> u8>::{closure#0}", "each::{closure#0}");
        check("<statements>::{closure#1}", "<statements>::{closure#1}");
    }

    #[test]
    fn closures_belong_to_their_function() {
        assert!(is_within("fib::{closure#0}", "fib"));
        assert!(is_within("fib::{closure#0}::{closure#2}", "fib"));
        assert!(is_within("<statements>::{closure#0}", "<statements>"));
        assert!(!is_within("fib::inner::{closure#0}", "fib"));
        assert!(!is_within("fib2::{closure#0}", "fib"));
        assert!(!is_within("fib", "fib"));
    }
}
