//! What samples and counts come to: for each function how often it was called, how long it and what it calls took, and which line of the user's own was under way.

use crate::profiled::{Calls, Frame, Function, Origin, Profiled, Stack, Time};
use std::collections::{BTreeMap, HashMap};

/// Half the width of a 95 % interval, in standard errors.
const DEVIATIONS: f64 = 1.96;

/// A function of the standard library or of a dependency has a row from this share of own time on.
const OWN: f64 = 0.01;
/// Or, where the user's own code calls it, from this share of all its time on.
const CALLED: f64 = 0.02;

/// The figures of a profile.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    pub(super) profiled: &'a Profiled,
    /// All samples.
    pub(super) samples: u64,
    /// Those whose stack is not whole.
    pub(super) incomplete: u64,
    /// Every function that was called or seen, in no order.
    pub(super) rows: Vec<Row>,
    /// The lines of the user's own that most samples are of, with what they call in libraries.
    pub(super) lines: Vec<Line>,
    /// Threads that samples are of, the one that ran the code first.
    pub(super) threads: Vec<Thread<'a>>,
}

/// What is known of a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Row {
    /// Its index.
    pub(super) function: usize,
    pub(super) calls: Option<Calls>,
    /// Samples in the function itself.
    pub(super) own: u64,
    /// Samples in it and in all that it calls, a recursion counted once.
    pub(super) total: u64,
    /// Those of them where the user's own code calls it.
    pub(super) called_by_yours: u64,
    pub(super) inlined: Inlined,
    /// The line of the user's own that most of these samples are of.
    pub(super) hottest: Option<Line>,
}

/// Whether a function was compiled into its callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Inlined {
    #[default]
    No,
    Partly,
    Everywhere,
}

/// A line, and the samples of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Index of the function that it is of.
    pub(super) function: usize,
    pub(super) line: u32,
    pub(super) samples: u64,
}

/// What is known of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thread<'a> {
    pub(super) name: &'a str,
    pub(super) samples: u64,
    /// The line of the user's own that most of them are of.
    pub(super) hottest: Option<Line>,
}

/// Samples by the function and the line that they are of.
type Lines = BTreeMap<(usize, u32), u64>;

/// What is added up of a function.
#[derive(Default)]
struct Sum {
    own: u64,
    total: u64,
    called_by_yours: u64,
    inlined: u64,
    lines: Lines,
}

impl<'a> Figures<'a> {
    pub(super) fn of(profiled: &'a Profiled) -> Self {
        let stacks: &[Stack] = profiled.time.as_ref().map_or(&[], |time| &time.stacks);
        let yours = |frame: &Frame| profiled.functions.get(frame.function).is_some_and(Function::is_yours);
        let mut sums: HashMap<usize, Sum> = HashMap::new();
        let mut lines = Lines::new();
        let mut of_threads: BTreeMap<usize, (u64, Lines)> = BTreeMap::new();
        for stack in stacks {
            add(stack, &yours, &mut sums);
            let thread = of_threads.entry(stack.thread).or_default();
            thread.0 += stack.samples;
            if let Some(line) = line_of_yours(&stack.frames, &yours) {
                *lines.entry(line).or_default() += stack.samples;
                *thread.1.entry(line).or_default() += stack.samples;
            }
        }
        let mut rows: Vec<Row> = sums.into_iter().map(|(function, sum)| sum.row(function)).collect();
        with_calls(&mut rows, &profiled.calls);
        rows.retain(|row| row.function < profiled.functions.len());
        let names: &[String] = profiled.time.as_ref().map_or(&[], |time| &time.threads);
        let thread = |(index, (samples, lines)): (usize, (u64, Lines))| Thread {
            name: names.get(index).map_or("", String::as_str),
            samples,
            hottest: most(&lines),
        };
        let mut lines: Vec<Line> =
            lines.iter().map(|(&(function, line), &samples)| Line { function, line, samples }).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.samples));
        Self {
            profiled,
            samples: stacks.iter().map(|stack| stack.samples).sum(),
            incomplete: stacks.iter().filter(|stack| !stack.complete).map(|stack| stack.samples).sum(),
            rows,
            lines,
            threads: of_threads.into_iter().map(thread).collect(),
        }
    }

    pub(super) fn function(&self, row: &Row) -> &'a Function {
        &self.profiled.functions[row.function]
    }

    pub(super) fn time(&self) -> Option<&'a Time> {
        self.profiled.time.as_ref()
    }

    /// How often the code ran while samples were taken.
    pub(super) fn runs(&self) -> u64 {
        self.time().map_or(1, |time| time.runs.max(1))
    }

    /// The part of all samples.
    pub(super) fn share(&self, samples: u64) -> Estimate {
        Estimate::share(samples, self.samples)
    }

    /// Seconds of one run that so many samples stand for.
    pub(super) fn seconds(&self, samples: u64) -> Estimate {
        let whole = self.seconds_of_run();
        let share = self.share(samples);
        Estimate { value: share.value * whole, error: share.error * whole }
    }

    /// Seconds of one run: all samples, or what the clock said where there are none.
    pub(super) fn seconds_of_run(&self) -> f64 {
        match self.time() {
            Some(time) if self.samples > 0 => self.samples as f64 * time.period / self.runs() as f64,
            Some(time) if time.wall => self.profiled.run.wall,
            _ => self.profiled.run.user + self.profiled.run.system,
        }
    }

    /// How often functions were called in all: all calls and primitive ones, if those can be told, and whether there may have been more.
    pub(super) fn calls(&self) -> Option<(u64, Option<u64>, bool)> {
        let calls = || self.rows.iter().filter_map(|row| row.calls);
        calls().next()?;
        // What is compiled as it is says nothing when it is called; no closure calls itself.
        let untold = |row: &Row| {
            let function = self.function(row);
            let is_function = function.origin == Origin::Local && !function.name.ends_with('}');
            is_function && row.calls.is_some_and(|calls| calls.primitive.is_none())
        };
        let primitive = calls().map(|calls| calls.primitive.unwrap_or(calls.total)).sum();
        Some((
            calls().map(|calls| calls.total).sum(),
            (!self.rows.iter().any(untold)).then_some(primitive),
            calls().any(|calls| calls.at_least),
        ))
    }

    /// Whether a row is worth showing where nobody asks for all: the user's own functions, what they call, and what has time of its own.
    pub(super) fn is_telling(&self, row: &Row) -> bool {
        let share = |samples: u64| samples as f64 / self.samples.max(1) as f64;
        self.function(row).is_yours() || share(row.own) >= OWN || share(row.called_by_yours) >= CALLED
    }
}

/// A figure, and how far it may be off in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) error: f64,
}

impl Estimate {
    /// A part of all samples: so many of these are in it by chance. The interval is that of Agresti and Coull (The American Statistician 52, 1998), which adds two samples to either side
    /// for its width: then also what was always seen, or hardly ever, has one that holds.
    pub(super) fn share(samples: u64, whole: u64) -> Self {
        let (part, whole) = (samples as f64, whole.max(1) as f64);
        let likely = ((part + 2.0) / (whole + 4.0)).min(1.0);
        Self { value: part / whole, error: DEVIATIONS * (likely * (1.0 - likely) / (whole + 4.0)).sqrt() }
    }
}

impl Function {
    /// Whether its source is the user's own.
    pub(crate) fn is_yours(&self) -> bool {
        matches!(self.origin, Origin::Cell | Origin::Local)
    }

    /// `cell[3]:14(fib)`, as cProfile has it; without a line `libc.so.6(memcpy)`.
    pub(crate) fn standard_name(&self) -> String {
        let line = self.line.map_or(String::new(), |line| format!(":{line}"));
        format!("{}{line}({})", self.file, self.shown_name())
    }

    /// Its name; of what has none in a library without symbols that it has none.
    pub(crate) fn shown_name(&self) -> &str {
        if self.origin == Origin::System && self.name == self.file { "no name" } else { &self.name }
    }

    /// `cell[3]:14`
    pub(crate) fn place(&self) -> String {
        self.line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file))
    }
}

/// Adds a stack to each function that is in it, once.
fn add(stack: &Stack, yours: &dyn Fn(&Frame) -> bool, sums: &mut HashMap<usize, Sum>) {
    let frames = &stack.frames;
    let mut seen: Vec<usize> = Vec::new();
    for (place, frame) in frames.iter().enumerate().rev() {
        let sum = sums.entry(frame.function).or_default();
        if place + 1 == frames.len() {
            sum.own += stack.samples;
        }
        // The innermost of a recursion is met first: its line is the one under way.
        if seen.contains(&frame.function) {
            continue;
        }
        seen.push(frame.function);
        sum.total += stack.samples;
        if frame.inlined {
            sum.inlined += stack.samples;
        }
        if place > 0 && yours(&frames[place - 1]) && !yours(frame) {
            sum.called_by_yours += stack.samples;
        }
        if let Some(line) = line_of_yours(&frames[..=place], yours) {
            *sum.lines.entry(line).or_default() += stack.samples;
        }
    }
}

/// The function and line of the innermost frame of the user's own.
fn line_of_yours(frames: &[Frame], yours: &dyn Fn(&Frame) -> bool) -> Option<(usize, u32)> {
    frames.iter().rev().filter(|frame| yours(frame)).find_map(|frame| Some((frame.function, frame.line?)))
}

fn most(lines: &Lines) -> Option<Line> {
    let most = lines.iter().max_by(|one, other| one.1.cmp(other.1).then_with(|| other.0.cmp(one.0)));
    most.map(|(&(function, line), &samples)| Line { function, line, samples })
}

impl Sum {
    fn row(self, function: usize) -> Row {
        let inlined = match self.inlined {
            0 => Inlined::No,
            all if all == self.total => Inlined::Everywhere,
            _ => Inlined::Partly,
        };
        Row {
            function,
            calls: None,
            own: self.own,
            total: self.total,
            called_by_yours: self.called_by_yours,
            inlined,
            hottest: most(&self.lines),
        }
    }
}

/// Puts counts beside the samples; what was called and never seen gets a row of its own.
fn with_calls(rows: &mut Vec<Row>, all: &[Calls]) {
    for calls in all.iter().filter(|calls| calls.total > 0) {
        match rows.iter_mut().find(|row| row.function == calls.function) {
            Some(row) => row.calls = Some(*calls),
            None => rows.push(Row { calls: Some(*calls), ..Sum::default().row(calls.function) }),
        }
    }
    rows.sort_by_key(|row| row.function);
}
