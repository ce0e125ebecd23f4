//! What the session found or did when it carried out a plan.

use crate::measured::{Facts, Measured, Timed};
use crate::plan::Build;
use crate::profiled::Profiled;
use crate::render::Bundle;
use std::path::PathBuf;

/// The answer to a plan: data alone, worded by the magic that asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// There was nothing to do, or it is done.
    Done,
    /// The user was asked and said no.
    Declined,
    /// A cell was taken back.
    Undone {
        /// The cell before which everything is as it was.
        cell: u32,
        /// The names of threads that are gone.
        without: Vec<String>,
    },
    /// The variables that are alive, in the order of their names.
    Variables(Vec<Variable>),
    /// Cells, oldest first.
    History(Vec<HistoryLine>),
    /// The current folder.
    Folder(PathBuf),
    /// Names and values, sorted.
    Environment(Vec<(String, String)>),
    /// Settings, sorted by key.
    Config(Vec<Setting>),
    /// The engine in use and those that could be.
    Engine {
        /// The name of the engine in use.
        current: String,
        /// The names of all engines.
        available: Vec<String>,
    },
    /// Names and versions, in the order to show.
    Versions(Vec<(String, String)>),
    /// A text that was asked for.
    Text(String),
    /// A file was written.
    Written {
        /// Which.
        path: PathBuf,
        /// Whether it existed before.
        existed: bool,
    },
    /// A process ended. Its output is already on the page.
    Exit {
        /// Its exit status, or none if a signal ended it.
        code: Option<i32>,
    },
    /// Something was measured.
    Measured(Box<Measurement>),
    /// One run was timed.
    Timed {
        /// What it took.
        timed: Timed,
        /// Where, and how it was built.
        facts: Facts,
    },
    /// Code was watched while it ran.
    Profiled(Box<Profiled>),
    /// Output that was kept back.
    Captured {
        /// Standard output.
        stdout: String,
        /// Standard error.
        stderr: String,
        /// Displays and the value, in order.
        displays: Vec<Bundle>,
    },
}

/// A variable of the notebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type as Rust writes it.
    pub type_name: String,
    /// `size_of` its type in bytes, where the engine knows it.
    pub size: Option<usize>,
}

/// A cell of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The number of its session, counted from 1 in the history file.
    pub session: i64,
    /// Its execution count in that session.
    pub line: i64,
    /// Its source.
    pub input: String,
    /// Its value as plain text, if it had one.
    pub output: Option<String>,
}

/// A setting of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its key, for instance `checkpoint`.
    pub key: String,
    /// Its value as it would be typed.
    pub value: String,
    /// What it means and what it may be.
    pub help: String,
}

/// What was measured, under which circumstances.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measurement {
    /// What was measured.
    pub measured: Measured,
    /// Where, and how it was built.
    pub facts: Facts,
    /// The content of the file of the earlier result that this is compared with.
    pub against: Option<String>,
    /// What else was measured, each built in its own way, in the order of the plan's `builds`; then `measured` is empty.
    pub builds: Vec<Built>,
}

/// What was measured of code that was built apart.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Built {
    /// How it was built.
    pub build: Build,
    /// What was measured.
    pub measured: Measured,
    /// The variables in the code that hold code themselves, which was built when they were made.
    pub holding_code: Vec<String>,
}
