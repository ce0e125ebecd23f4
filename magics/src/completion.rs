//! What could stand at the cursor where the cursor is on a magic: its name, its options, or its argument.

use crate::invocation::{Invocation, Reading, Sigil, cell_magic, read};
use crate::magic::{Magic, Wants};
use crate::options::{FUNCTION, rest_span};
use crate::source::{is_blank, scan};
use crate::table;
use clap::{Arg, ValueHint};
use std::ops::Range;

/// What could stand in place of `span`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The bytes of the cell that a candidate replaces: what has been typed of it.
    pub span: Range<usize>,
    /// The candidates, or who knows them.
    pub offer: Offer,
}

/// The candidates, or who knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offer {
    /// These, already narrowed to what has been typed.
    Candidates(Vec<Candidate>),
    /// Paths of files and folders.
    Files,
    /// Paths of folders.
    Folders,
    /// Names of variables.
    Variables,
    /// Names of functions that can be asked for: of the notebook and of the user's own crates.
    Functions,
    /// Keys of settings.
    Settings,
    /// Whatever the engine finds in the Rust that stands at these bytes of the cell.
    Rust(Range<usize>),
}

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is inserted.
    pub text: String,
    /// One line on what it is.
    pub help: String,
}

/// What could stand at byte `cursor` of `cell`, or none where the cursor is not on a magic.
pub fn complete(cell: &str, cursor: usize) -> Option<Completion> {
    let invocation = call_at(cell, cursor)?;
    if cursor <= invocation.name_span.end && invocation.sigil != Sigil::Shell {
        return Some(complete_name(cell, &invocation, cursor));
    }
    let magic = table::find(invocation.sigil, invocation.name(cell))?;
    let word = word_before(cell, invocation.name_span.end, cursor);
    let typed = &cell[word.clone()];
    let options_over = cell[invocation.name_span.end..word.start].split_whitespace().any(|word| word == "--");
    if typed.starts_with('-') && !options_over {
        return Some(Completion { offer: Offer::Candidates(options(magic, typed)), span: word });
    }
    let offer = offer_argument(magic, &invocation, cell, &word)?;
    Some(Completion { span: word, offer })
}

/// The call whose line byte `cursor` of `cell` is on.
pub(crate) fn call_at(cell: &str, cursor: usize) -> Option<Invocation> {
    if !cell.is_char_boundary(cursor) {
        return None;
    }
    let reading = match cell_magic(cell) {
        Some(magic) => {
            (cursor < magic.body_span.start || magic.body_span.is_empty()).then(|| magic.read(cell))?
        }
        None => {
            let escapes = scan(cell).escapes;
            let on_line = |start: usize, end: usize| {
                start < cursor && !cell.get(end..cursor).is_some_and(|gap| gap.contains('\n'))
            };
            read(cell, escapes.iter().rev().find(|escape| on_line(escape.span.start, escape.span.end))?)
        }
    };
    match reading {
        Reading::Call(invocation) => (invocation.name_span.start < cursor).then_some(invocation),
        _ => None,
    }
}

/// Replaces the whole name, with its sign; `%` offers cell magics too where one may stand.
fn complete_name(cell: &str, invocation: &Invocation, cursor: usize) -> Completion {
    let typed = &cell[invocation.name_span.start..cursor];
    let first = is_blank(&cell[..invocation.name_span.start]) && !invocation.nested;
    let sigils: &[Sigil] = match invocation.sigil {
        Sigil::Line if first && invocation.assigned.is_none() => &[Sigil::Line, Sigil::Cell],
        Sigil::Line => &[Sigil::Line],
        Sigil::Cell => &[Sigil::Cell],
        Sigil::Colon => &[Sigil::Colon],
        Sigil::Shell => &[],
    };
    let mut candidates = Vec::new();
    for sigil in sigils {
        let magics = table::all().filter(|magic| magic.form().sigils().contains(sigil));
        candidates.extend(magics.map(|magic| Candidate {
            text: format!("{}{}", sigil.sign(), magic.name()),
            help: magic.summary().to_owned(),
        }));
    }
    candidates.sort_by(|one, other| bare(&one.text).cmp(bare(&other.text)));
    candidates.retain(|candidate| bare(&candidate.text).starts_with(bare(typed)));
    Completion {
        span: invocation.name_span.start..invocation.name_span.end,
        offer: Offer::Candidates(candidates),
    }
}

/// A name without its sign.
fn bare(text: &str) -> &str {
    text.trim_start_matches(['%', ':'])
}

/// The word that ends at the cursor. A comma parts words too (`%del a,b`).
fn word_before(cell: &str, start: usize, cursor: usize) -> Range<usize> {
    let text = &cell[start..cursor];
    let space = text.char_indices().rev().find(|(_, sign)| sign.is_whitespace() || *sign == ',');
    start + space.map_or(0, |(at, sign)| at + sign.len_utf8())..cursor
}

fn options(magic: &dyn Magic, typed: &str) -> Vec<Candidate> {
    let command = magic.options();
    let spelled = |option: &Arg| {
        let short = option.get_short().map(|short| format!("-{short}"));
        let long = option.get_long().map(|long| format!("--{long}"));
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        [short, long].into_iter().flatten().map(move |text| Candidate { text, help: help.clone() })
    };
    command.get_arguments().flat_map(spelled).filter(|candidate| candidate.text.starts_with(typed)).collect()
}

/// What an argument could be: the value of the option before it, else what the magic wants.
fn offer_argument(
    magic: &dyn Magic,
    invocation: &Invocation,
    cell: &str,
    word: &Range<usize>,
) -> Option<Offer> {
    let command = magic.options();
    let previous = cell[invocation.name_span.end..word.start].split_whitespace().last().unwrap_or_default();
    let names = |option: &Arg| {
        option.get_short().is_some_and(|short| previous == format!("-{short}"))
            || option.get_long().is_some_and(|long| previous == format!("--{long}"))
    };
    // An option that takes no value says nothing of the next word.
    let takes_value = |option: &&Arg| !option.is_positional() && option.get_action().takes_values();
    let option = command.get_arguments().filter(takes_value).find(|option| names(option));
    let argument = option.or_else(|| command.get_positionals().next());
    let values: Vec<Candidate> =
        argument.map(|argument| values(argument, &cell[word.clone()])).unwrap_or_default();
    if !values.is_empty() {
        return Some(Offer::Candidates(values));
    }
    match (option, magic.wants()) {
        (Some(option), _) => offer_value(option),
        (None, Wants::Nothing) => None,
        (None, Wants::File) => Some(Offer::Files),
        (None, Wants::Folder) => Some(Offer::Folders),
        (None, Wants::Variable) => Some(Offer::Variables),
        (None, Wants::Setting) => Some(Offer::Settings),
        (None, Wants::Rust) => {
            let rust = rest_span(magic, cell, &invocation.arguments);
            (rust.start <= word.start).then_some(Offer::Rust(rust))
        }
    }
}

/// What the value of an option could be.
fn offer_value(option: &Arg) -> Option<Offer> {
    let is_function = option.get_value_names().is_some_and(|names| names.iter().any(|name| name == FUNCTION));
    match option.get_value_hint() {
        ValueHint::FilePath => Some(Offer::Files),
        _ => is_function.then_some(Offer::Functions),
    }
}

/// The values that clap knows an argument may have.
fn values(argument: &Arg, typed: &str) -> Vec<Candidate> {
    let values = argument.get_possible_values().into_iter();
    let candidates = values.map(|value| Candidate {
        text: value.get_name().to_owned(),
        help: value.get_help().map(ToString::to_string).unwrap_or_default(),
    });
    candidates.filter(|candidate| candidate.text.starts_with(typed)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Offer, complete};

    /// `|` is the cursor; the expectation is what is replaced and what is offered.
    fn check(cell: &str, expected: &str) {
        let cursor = cell.find('|').unwrap();
        let cell = cell.replace('|', "");
        let shown = complete(&cell, cursor).map_or("nothing".to_owned(), |completion| {
            let typed = &cell[completion.span];
            let offer = match completion.offer {
                Offer::Candidates(list) => {
                    list.iter().map(|candidate| candidate.text.as_str()).collect::<Vec<_>>().join(" ")
                }
                other => format!("{other:?}"),
            };
            format!("{typed}: {offer}")
        });
        assert_eq!(shown, expected, "{cell:?} at {cursor}");
    }

    #[test]
    fn names() {
        check("%wh|", "%wh: %who %whos");
        check("%w|ho", "%who: %who %whos %%writefile");
        check("let x = 1;\n%w|", "%w: %who %whos");
        check("%%b|", "%%b: %%bash");
        check(":ve|", ":ve: :version");
        check("f();\n  :v|", ":v: :vars :version");
        check("%nosuch|", "%nosuch: ");
        check("// note\n%ba|", "%ba: %%bash");
        check("%|", &format!("%: {}", names_after_percent()));
    }

    fn names_after_percent() -> String {
        let signs = [crate::invocation::Sigil::Line, crate::invocation::Sigil::Cell];
        let spelled =
            signs.map(|sigil| crate::table::names(sigil).map(move |name| format!("{}{name}", sigil.sign())));
        let mut names: Vec<String> = spelled.into_iter().flatten().collect();
        names.sort_by_key(|name| name.trim_start_matches('%').to_owned());
        names.join(" ")
    }

    #[test]
    fn options() {
        check("%reset -|", "-: -f -s");
        check("%%capture --no-s|", "--no-s: --no-stdout --no-stderr");
        check("%history -n -|", "-: -g -l -u -n -o -f");
        check("%cd -- -|", "-: Folders");
    }

    #[test]
    fn arguments() {
        check("%cd no|", "no: Folders");
        check("%load |", ": Files");
        check("%history -f a|", "a: Files");
        check("%history 1|", "nothing");
        check("%history -g a|", "nothing");
        check("%del a|", "a: Variables");
        check("%del a,b|", "b: Variables");
        check("%config |", ": Settings");
        check("%engine e|", "e: evcxr");
        check("!ls no|", "no: Files");
        check("%%bash\nls|", "nothing");
        check("let x = 1;|", "nothing");
        check("a\n% w|", "nothing");
    }

    #[test]
    fn rust_begins_behind_the_options() {
        check("%timeit f|", "f: Rust(8..9)");
        check("%timeit -n 10 --opt 3 f(a.b|", "f(a.b: Rust(22..27)");
        check("%timeit --opt |", ": 0 1 2 3 s z");
        check("%timeit -n |", "nothing");
        check("%timeit --t|", "--t: --threads --target-cpu");
        check("%assert_time -q f|() < 2ms", "f: Rust(16..25)");
        check("%lprun -f fi|", "fi: Functions");
        check("%lprun -f fib f|", "f: Rust(14..15)");
        check("%lprun -T no|", "no: Files");
    }
}
