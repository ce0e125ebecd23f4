//! What every magic is: a name, its help, its options, and two pure functions.

use crate::invocation::Sigil;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::profiled::FileToWrite;
use crate::render::Bundle;
use std::ops::Range;

/// A magic of one file: what it is called, how it explains itself, what it asks for and how it words the answer.
///
/// Neither function does anything: [`plan`](Magic::plan) turns a call into a [`Plan`], somebody else carries it out, and
/// [`report`](Magic::report) turns the [`Outcome`] into what is shown.
pub trait Magic: Sync {
    /// The name without its percent signs: lower case, unique in the table.
    fn name(&self) -> &'static str;

    /// How it may be called.
    fn form(&self) -> Form;

    /// One line that says what it does.
    fn summary(&self) -> &'static str;

    /// Its options and arguments. Name and summary are filled in by the caller.
    fn options(&self) -> clap::Command;

    /// A call that works as it stands, for the help and for a test.
    fn example(&self) -> &'static str;

    /// What its arguments are, for completion.
    fn wants(&self) -> Wants {
        Wants::Nothing
    }

    /// Whether the body of this cell magic is Rust, for completion and tooltips in it.
    fn has_rust_body(&self) -> bool {
        false
    }

    /// What has to be done for this call. Nothing has run when this fails.
    fn plan(&self, call: &Call) -> Result<Plan, Complaint>;

    /// What is shown, once the plan has been carried out.
    fn report(&self, call: &Call, outcome: Outcome) -> Result<Report, Complaint>;
}

/// How a magic may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `%name arguments` on a line of its own.
    Line,
    /// `%%name arguments` on the first line; the rest of the cell is its body.
    Cell,
    /// Both.
    LineAndCell,
    /// `:name arguments`, as evcxr notebooks have it.
    Colon,
    /// `!` and a command.
    Shell,
}

impl Form {
    /// The signs that call it.
    pub fn sigils(self) -> &'static [Sigil] {
        match self {
            Self::Line => &[Sigil::Line],
            Self::Cell => &[Sigil::Cell],
            Self::LineAndCell => &[Sigil::Line, Sigil::Cell],
            Self::Colon => &[Sigil::Colon],
            Self::Shell => &[Sigil::Shell],
        }
    }
}

/// What the arguments of a magic are, behind its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Nothing that could be offered.
    Nothing,
    /// The path of a file.
    File,
    /// The path of a folder.
    Folder,
    /// The name of a variable.
    Variable,
    /// The key of a setting.
    Setting,
    /// Rust code: the engine knows what could stand there.
    Rust,
}

/// One call of a magic, with its options parsed.
#[derive(Debug, Clone)]
pub struct Call {
    /// The options that were recognised.
    pub matches: clap::ArgMatches,
    /// What stands behind the options, untouched: Rust code, a path, a shell command.
    pub rest: String,
    /// Where `rest` stands in the cell, in bytes.
    pub rest_span: Range<usize>,
    /// The lines below a cell magic; none for a line magic.
    pub body: Option<String>,
    /// Where the body stands in the cell, in bytes.
    pub body_span: Range<usize>,
    /// The name with its percent signs, where it stands in the cell, in bytes.
    pub name_span: Range<usize>,
    /// `let pattern =` before it.
    pub assigned: Option<Range<usize>>,
    /// The values of its options, in the order in which they stand there.
    pub given: Vec<Given>,
}

impl Call {
    /// Where the value of the option `id` stands in the cell, in bytes; the last one if it is there several times.
    pub fn span_of(&self, id: &str) -> Option<Range<usize>> {
        self.given.iter().rev().find(|given| given.id == id).map(|given| given.span.clone())
    }

    /// What the magic is about, in bytes of the cell: what stands behind the options, else its name.
    pub fn about(&self) -> Range<usize> {
        if self.rest_span.is_empty() { self.name_span.clone() } else { self.rest_span.clone() }
    }
}

/// The value of an option, as it stands in the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The option's id.
    pub id: String,
    /// Where the value stands in the cell, in bytes, without quotes around it.
    pub span: Range<usize>,
}

/// What a magic shows and leaves behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What is shown under the cell.
    pub shown: Option<Bundle>,
    /// What is shown in the pager (in JupyterLab: below the output).
    pub paged: Option<Bundle>,
    /// The text that replaces this cell (`%load`), or that the next cell begins with.
    pub next_input: Option<NextInput>,
    /// What is shown below `shown`, each as a display of its own: charts.
    pub also: Vec<Bundle>,
    /// A result to keep under a name, as the content of `.assay/NAME.json`.
    pub keep: Option<(String, String)>,
    /// Files to write.
    pub files: Vec<FileToWrite>,
    /// Rust that makes the value which was asked for (`-r`, `-o`): an expression.
    pub value: Option<String>,
    /// Why the cell fails: a claim that does not hold.
    pub failure: Option<Refuted>,
}

/// A claim that does not hold, or of which nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuted {
    /// The error's name: `AssertionError`, `Undecided`.
    pub name: &'static str,
    /// What is not so, in one line with the figures.
    pub message: String,
}

/// Text for an input cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextInput {
    /// The text.
    pub text: String,
    /// Whether it replaces the cell that ran.
    pub replace: bool,
}

impl Report {
    /// A report that is shown under the cell.
    pub fn shown(bundle: Bundle) -> Self {
        Self { shown: Some(bundle), ..Self::default() }
    }
}

/// Why a call cannot be carried out, and where in the cell that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong, in one sentence that names it.
    pub message: String,
    /// The bytes of the cell that it is about.
    pub span: Range<usize>,
    /// What to do instead.
    pub hint: Option<String>,
    /// The usage line of the magic, if the call was malformed.
    pub usage: Option<String>,
}

impl Complaint {
    /// What is wrong and where.
    pub fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self { message: message.into(), span, hint: None, usage: None }
    }

    /// The same complaint with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same complaint with the usage line of `magic`.
    #[must_use]
    pub fn with_usage(mut self, magic: &dyn Magic) -> Self {
        self.usage = Some(crate::options::usage(magic));
        self
    }

    /// The session answered a plan with something that is no answer to it.
    pub(crate) fn unexpected(call: &Call, outcome: &Outcome) -> Self {
        let message = format!("the session gave an answer that fits no question of this magic: {outcome:?}");
        Self::new(message, call.name_span.clone()).with_hint("this is a mistake in Assay: please report it")
    }
}
