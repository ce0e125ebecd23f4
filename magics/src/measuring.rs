//! The options that the magics which measure have in common, in IPython's spelling, and what they mean to the loop.

use crate::options::flag;
use crate::units::seconds_in;
use clap::{Arg, ArgMatches};

/// What a measurement may take where nobody says otherwise, in seconds.
const BUDGET: f64 = 1.0;

/// No measurement takes longer than a day.
const LONGEST: f64 = 86_400.0;

/// Significant digits where nobody asks for another number, as in IPython.
const DIGITS: u8 = 3;

/// `-n`, `-r`.
pub(crate) fn counts() -> [Arg; 2] {
    let count_of = |letter: &'static str, name: &'static str| {
        Arg::new(letter).short(letter.chars().next()).value_name(name).value_parser(count)
    };
    [
        count_of("n", "N")
            .help("run the code N times in each run, instead of as often as takes a millisecond or two"),
        count_of("r", "R").help("make R runs, instead of as many as the figure needs or the budget allows"),
    ]
}

/// `-t`, `-c`.
pub(crate) fn clocks() -> [Arg; 2] {
    [
        flag("t", "measure the time on the wall, as this always does without -c"),
        flag("c", "measure the processor time of all threads instead of the time on the wall"),
    ]
}

/// `-p`, `-q`, `--budget`.
pub(crate) fn common() -> [Arg; 3] {
    let digits = clap::value_parser!(u8).range(0..=17);
    [
        Arg::new("p")
            .short('p')
            .value_name("P")
            .value_parser(digits)
            .help("write figures with P significant digits, not 3"),
        flag("q", "show nothing"),
        Arg::new("budget")
            .long("budget")
            .value_name("TIME")
            .value_parser(budget)
            .help("what all of it may take, for instance 500ms or 2s; it is 1s without this"),
    ]
}

/// `-o`, `-v`.
pub(crate) fn results() -> [Arg; 2] {
    [
        flag("o", "give the result as a value"),
        Arg::new("v")
            .short('v')
            .value_name("NAME")
            .value_parser(identifier)
            .conflicts_with("o")
            .help("bind the result to a variable of this name"),
    ]
}

/// The value of an option that this magic may have or not.
pub(crate) fn value<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    matches.try_get_one::<T>(id).ok().flatten().cloned()
}

/// Whether an option is there that this magic may have or not.
pub(crate) fn is_set(matches: &ArgMatches, id: &str) -> bool {
    value::<bool>(matches, id).unwrap_or_default()
}

/// Significant digits of the figures.
pub(crate) fn digits(matches: &ArgMatches) -> usize {
    usize::from(value::<u8>(matches, "p").unwrap_or(DIGITS))
}

/// Whether `-r` says how many runs there are, and not the figure or the budget.
pub(crate) fn repeats_are_prescribed(matches: &ArgMatches) -> bool {
    value::<u64>(matches, "r").is_some_and(|repeats| repeats > 0)
}

/// The options of the loop as Rust; only what differs from the usual is written. `claim` is one of the runtime's.
pub(crate) fn literal(matches: &ArgMatches, claim: Option<&str>) -> String {
    let count = |id| value::<u64>(matches, id).filter(|count| *count > 0);
    let switch = |id, field: &str| is_set(matches, id).then(|| format!("{field}: true"));
    let budget = value::<f64>(matches, "budget").filter(|budget| *budget != BUDGET);
    let fields = [
        count("n").map(|loops| format!("loops: {loops}")),
        count("r").map(|repeats| format!("repeats: {repeats}")),
        budget.map(|budget| format!("budget: {budget:?}")),
        switch("c", "cpu"),
        switch("q", "silent"),
        switch("memory", "memory"),
        claim.map(|claim| format!("claim: ::assay::measure::Claim::{claim}")),
    ];
    let fields: String = fields.into_iter().flatten().map(|field| field + ", ").collect();
    if fields.is_empty() {
        return "::assay::measure::Options::USUAL".to_owned();
    }
    format!("::assay::measure::Options {{ {fields}..::assay::measure::Options::USUAL }}")
}

/// A whole number; its digits may be grouped.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let digits = text.replace(['_', ','], "");
    digits.parse().map_err(|_| "it is a whole number".to_owned())
}

/// A whole number above zero.
pub(crate) fn at_least_one(text: &str) -> Result<u64, String> {
    count(text).ok().filter(|count| *count > 0).ok_or_else(|| "it is a whole number from 1 on".to_owned())
}

fn budget(text: &str) -> Result<f64, String> {
    let seconds = seconds_in(text).or_else(|| text.parse().ok());
    let possible = seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST);
    possible.ok_or_else(|| "it is a duration above zero and up to a day, such as 500ms or 2s".to_owned())
}

fn identifier(text: &str) -> Result<String, String> {
    let name: Result<syn::Ident, _> = syn::parse_str(text);
    name.map(|name| name.to_string()).map_err(|_| "it is no name that a variable can have".to_owned())
}

/// The name of a result that is kept, which becomes the name of a file.
pub(crate) fn name_of_result(text: &str) -> Result<String, String> {
    let allowed = |sign: char| sign.is_ascii_alphanumeric() || "_.-".contains(sign);
    if !text.is_empty() && !text.starts_with('.') && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("it is made of letters, digits, `_`, `.` and `-`, and begins with no `.`".to_owned())
}

/// The name of a processor, as rustc has it.
pub(crate) fn processor(text: &str) -> Result<String, String> {
    let allowed = |sign: char| sign.is_ascii_alphanumeric() || "_.-+".contains(sign);
    if !text.is_empty() && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("it is the name of a processor, such as native or x86-64-v3".to_owned())
}
