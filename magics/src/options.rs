//! The words behind a magic's name: where its options end, what clap makes of them, and errors that point at the word.
//!
//! Options are parsed by clap. What is our own is the part that clap cannot know: where in the cell each word stands, and that
//! everything behind the options of some magics is not words but Rust, or a command line.

use crate::invocation::Invocation;
use crate::magic::{Call, Complaint, Given, Magic};
use crate::nearest::nearest;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use std::ops::Range;

/// The id of an argument that takes all the text behind the options as it stands.
const REST: &str = "rest";

/// What the value of an option is called that is the name of a function.
pub const FUNCTION: &str = "FUNCTION";

/// A command for [`Magic::options`] to build on: no flags but the magic's own.
pub fn command() -> Command {
    Command::new("magic").no_binary_name(true).disable_help_flag(true).disable_version_flag(true)
}

/// An option of one letter that is on or off; the letter is its id too.
pub fn flag(letter: &'static str, help: &'static str) -> Arg {
    Arg::new(letter).short(letter.chars().next()).action(ArgAction::SetTrue).help(help)
}

/// An option of one letter that names a file; the letter is its id too.
pub(crate) fn file(letter: &'static str) -> Arg {
    Arg::new(letter).short(letter.chars().next()).value_name("FILE").value_hint(ValueHint::FilePath)
}

/// An argument that takes all the text behind the options, untouched.
pub fn rest(name: &'static str, help: &'static str) -> Arg {
    Arg::new(REST).value_name(name).help(help)
}

/// One of the words behind the name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Without its quotes.
    text: String,
    span: Range<usize>,
}

/// Parses the arguments of `invocation`, a call of `magic` in `cell`.
pub fn parse(magic: &dyn Magic, invocation: &Invocation, cell: &str) -> Result<Call, Complaint> {
    let command = magic.options();
    let arguments = Arguments::split(&command, cell, invocation.arguments.clone())
        .map_err(|complaint| complaint.with_usage(magic))?;
    let given = arguments.given(&command, cell);
    let matches = arguments
        .parse(command)
        .map_err(|error| Context { magic, invocation, arguments: &arguments, cell }.complaint(&error))?;
    let body_span = invocation.body.clone().unwrap_or(invocation.arguments.end..invocation.arguments.end);
    Ok(Call {
        matches,
        rest: arguments.rest.text,
        rest_span: arguments.rest.span,
        body: invocation.body.clone().map(|body| cell[body].to_owned()),
        body_span,
        name_span: invocation.name_span.clone(),
        assigned: invocation.assigned.clone(),
        given,
    })
}

/// Where the part behind the options stands, also while the line is being typed.
pub(crate) fn rest_span(magic: &dyn Magic, cell: &str, arguments: &Range<usize>) -> Range<usize> {
    let split = Arguments::split(&magic.options(), cell, arguments.clone());
    split.map_or_else(|_| arguments.clone(), |split| split.rest.span)
}

/// How `magic` is called, as one line.
pub fn usage(magic: &dyn Magic) -> String {
    let command = magic.options();
    let mut parts: Vec<String> = vec![spelling(magic)];
    let options = command.get_arguments().filter(|argument| !argument.is_positional());
    parts.extend(options.map(|option| format!("[{}]", option_form(option))));
    parts.extend(command.get_positionals().map(positional_form));
    // `!` stands directly before its command.
    if parts[0] == "!" { parts.concat() } else { parts.join(" ") }
}

/// The magic's name with the sign that calls it; both signs if there are two.
pub fn spelling(magic: &dyn Magic) -> String {
    let signs = magic.form().sigils().iter().map(|sigil| sigil.sign());
    let name = if signs.clone().any(|sign| sign == "!") { "" } else { magic.name() };
    signs.map(|sign| format!("{sign}{name}")).collect::<Vec<_>>().join(" | ")
}

/// `-n, --long VALUE`: an option as the help lists it.
pub fn option_form(option: &Arg) -> String {
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    let mut form = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if option.get_action().takes_values() {
        form.push(' ');
        form.push_str(&value_name(option));
    }
    form
}

/// `NAME`, `[NAME]`, `[NAME …]`: an argument as the usage line has it.
pub fn positional_form(argument: &Arg) -> String {
    let many = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
    let name = value_name(argument) + if many { " …" } else { "" };
    if argument.is_required_set() { name } else { format!("[{name}]") }
}

fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| argument.get_id().to_string().to_uppercase(), ToString::to_string)
}

/// What stands behind a name: words for clap, and the rest behind the options.
struct Arguments {
    words: Vec<Word>,
    rest: Word,
    /// Whether the rest is one argument as it stands.
    raw: bool,
}

impl Arguments {
    fn split(command: &Command, cell: &str, span: Range<usize>) -> Result<Self, Complaint> {
        let raw = command.get_positionals().any(|argument| argument.get_id() == REST);
        let mut splitter = Splitter { cell, at: span.start, end: span.end };
        let mut words: Vec<Word> = Vec::new();
        splitter.skip_space();
        // Without options of its own, a magic takes what looks like one as it stands: `!-x`, `:load_config --quiet`.
        let options = !raw || command.get_arguments().any(|argument| !argument.is_positional());
        while options && splitter.at_option()
            || words.last().is_some_and(|word| wants_value(command, &word.text))
        {
            let Some(word) = splitter.word()? else { break };
            splitter.skip_space();
            let ends_options = word.text == "--";
            if !(raw && ends_options) {
                words.push(word);
            }
            if ends_options {
                break;
            }
        }
        let rest = Word { text: cell[splitter.at..span.end].to_owned(), span: splitter.at..span.end };
        while !raw && let Some(word) = splitter.word()? {
            words.push(word);
        }
        Ok(Self { words, rest, raw })
    }

    /// Where the value of each option stands.
    fn given(&self, command: &Command, cell: &str) -> Vec<Given> {
        let mut all = Vec::new();
        let mut words = self.words.iter();
        while let Some(word) = words.next().filter(|word| word.text != "--") {
            let Some((option, within)) = option_with_value(command, &cell[word.span.clone()]) else {
                continue;
            };
            let span = match within {
                Some(at) => word.span.start + at..word.span.end,
                None => words.next().map_or(word.span.end..word.span.end, |value| value.span.clone()),
            };
            all.push(Given { id: option.get_id().to_string(), span: within_quotes(cell, span) });
        }
        all
    }

    fn parse(&self, command: Command) -> Result<ArgMatches, clap::Error> {
        let words = self.words.iter().map(|word| word.text.as_str());
        let rest = self.raw && !self.rest.text.is_empty();
        command
            .try_get_matches_from(words.chain(rest.then_some(["--", &self.rest.text]).into_iter().flatten()))
    }

    /// The word that `error` is about: the last of the fewest words that fail in the same way.
    fn culprit(&self, command: &Command, error: &clap::Error) -> Option<&Word> {
        if error.kind() == ErrorKind::MissingRequiredArgument {
            return None;
        }
        let same = |other: &clap::Error| {
            other.kind() == error.kind()
                && invalid_argument(other) == invalid_argument(error)
                && context(other, ContextKind::InvalidValue) == context(error, ContextKind::InvalidValue)
        };
        self.words.iter().enumerate().find_map(|(index, word)| {
            let words = self.words[..=index].iter().map(|word| word.text.as_str());
            let other = command.clone().try_get_matches_from(words).err()?;
            same(&other).then_some(word)
        })
    }
}

/// Whether the option that ends `word` takes its value from the next word.
fn wants_value(command: &Command, word: &str) -> bool {
    option_with_value(command, word).is_some_and(|(_, within)| within.is_none())
}

/// The option in `word` that takes a value, and where in the word the value begins; none if it is the next word.
fn option_with_value<'a>(command: &'a Command, word: &str) -> Option<(&'a Arg, Option<usize>)> {
    let takes_value = |option: &Arg| {
        option.get_action().takes_values() && option.get_num_args().is_none_or(|range| range.min_values() > 0)
    };
    let option_of =
        |test: &dyn Fn(&&Arg) -> bool| command.get_arguments().find(test).filter(|o| takes_value(o));
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) =
            long.split_once('=').map_or((long, None), |(name, _)| (name, Some(name.len() + 3)));
        return Some((option_of(&|option| option.get_long() == Some(name))?, value));
    }
    let cluster = word.strip_prefix('-')?;
    cluster.char_indices().find_map(|(at, sign)| {
        let option = option_of(&|option| option.get_short() == Some(sign))?;
        let value = 1 + at + sign.len_utf8();
        Some((option, (value < word.len()).then_some(value)))
    })
}

/// The span without the quotes, if quotes are around all of it.
fn within_quotes(cell: &str, span: Range<usize>) -> Range<usize> {
    let text = &cell[span.clone()];
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        Some(span.start + 1..span.start + 1 + inner.len())
    };
    quoted('\'').or_else(|| quoted('"')).unwrap_or(span.clone())
}

/// Cuts a line into words, as a shell does with quotes, and knows where each one stands.
struct Splitter<'a> {
    cell: &'a str,
    at: usize,
    end: usize,
}

impl Splitter<'_> {
    fn text(&self) -> &str {
        &self.cell[self.at..self.end]
    }

    /// Also skips a backslash that continues the line.
    fn skip_space(&mut self) {
        loop {
            let text = self.text().trim_start();
            let continued = text.strip_prefix('\\').filter(|text| text.starts_with(['\n', '\r']));
            let left = continued.unwrap_or(text).len();
            let more = continued.is_some();
            self.at = self.end - left;
            if !more {
                return;
            }
        }
    }

    /// A lone `-` is no option: to `%cd` it is a folder.
    fn at_option(&self) -> bool {
        let mut signs = self.text().chars();
        signs.next() == Some('-') && signs.next().is_some_and(|sign| !sign.is_whitespace())
    }

    fn word(&mut self) -> Result<Option<Word>, Complaint> {
        self.skip_space();
        let start = self.at;
        let mut text = String::new();
        while let Some(sign) = self.text().chars().next().filter(|sign| !sign.is_whitespace()) {
            self.at += sign.len_utf8();
            if sign == '"' || sign == '\'' {
                text.push_str(&self.quoted(sign)?);
            } else {
                text.push(sign);
            }
        }
        let word = Word { text, span: start..self.at };
        Ok(Some(word).filter(|word| !word.span.is_empty()))
    }

    /// What stands up to the quote that closes. Behind a backslash, that quote and the backslash are ordinary.
    fn quoted(&mut self, quote: char) -> Result<String, Complaint> {
        let start = self.at - 1;
        let mut text = String::new();
        while let Some(sign) = self.text().chars().next() {
            self.at += sign.len_utf8();
            let escaped =
                self.text().chars().next().filter(|next| sign == '\\' && (*next == quote || *next == '\\'));
            if let Some(next) = escaped {
                self.at += next.len_utf8();
                text.push(next);
            } else if sign == quote {
                return Ok(text);
            } else {
                text.push(sign);
            }
        }
        Err(Complaint::new(format!("this quote has no closing {quote}"), start..self.end))
    }
}

/// What clap says, in our words and with the place in the cell.
struct Context<'a> {
    magic: &'a dyn Magic,
    invocation: &'a Invocation,
    arguments: &'a Arguments,
    cell: &'a str,
}

impl Context<'_> {
    fn complaint(&self, error: &clap::Error) -> Complaint {
        let command = self.magic.options();
        let culprit = self.arguments.culprit(&command, error);
        let span = culprit.map_or_else(|| self.whole_call(), |word| word.span.clone());
        let complaint = Complaint::new(self.message(error, culprit), span).with_usage(self.magic);
        match hint(&command, error) {
            Some(hint) => complaint.with_hint(hint),
            None => complaint.with_hint(format!("`{}?` shows its options", self.name())),
        }
    }

    fn name(&self) -> &str {
        &self.cell[self.invocation.name_span.clone()]
    }

    fn whole_call(&self) -> Range<usize> {
        self.invocation.name_span.start..self.invocation.arguments.end.max(self.invocation.name_span.end)
    }

    fn message(&self, error: &clap::Error, culprit: Option<&Word>) -> String {
        let name = self.name();
        let argument = invalid_argument(error).unwrap_or_default();
        let word = culprit.map_or(argument.as_str(), |word| word.text.as_str());
        match error.kind() {
            ErrorKind::UnknownArgument if argument.starts_with('-') => {
                format!("`{name}` has no option `{argument}`")
            }
            ErrorKind::UnknownArgument => format!("`{name}` takes no argument `{word}`"),
            ErrorKind::MissingRequiredArgument => format!("`{name}` needs {argument}"),
            ErrorKind::ArgumentConflict => {
                let other = context(error, ContextKind::PriorArg).unwrap_or_default();
                format!("`{}` and `{}` exclude each other", spelled(&argument), spelled(&other))
            }
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => value_message(error, &argument),
            _ => format!("`{name}` cannot take this: {}", first_line(error)),
        }
    }
}

/// An option without the name of its value.
fn spelled(argument: &str) -> &str {
    argument.split([' ', '<', '=']).next().unwrap_or(argument)
}

fn value_message(error: &clap::Error, argument: &str) -> String {
    use std::error::Error;
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    if value.is_empty() {
        return format!("`{argument}` needs a value");
    }
    let why = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("`{value}` is no value for `{argument}`{why}")
}

/// What to do instead, where clap or the nearest name tells.
fn hint(command: &Command, error: &clap::Error) -> Option<String> {
    if let Some(values) = context(error, ContextKind::ValidValue) {
        return Some(format!("it may be {values}"));
    }
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let argument = invalid_argument(error)?;
    let long = argument.strip_prefix("--")?;
    let names = command.get_arguments().filter_map(Arg::get_long);
    nearest(long, names).map(|name| format!("did you mean `--{name}`?"))
}

/// The argument in question, without the signs that clap puts around it (`-l [<N>]`, `[RANGE]...`).
fn invalid_argument(error: &clap::Error) -> Option<String> {
    let argument = context(error, ContextKind::InvalidArg)?;
    Some(argument.replace(['<', '>', '[', ']'], "").replace("...", ""))
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        _ => None,
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}
