//! The processed profile format of the Firefox profiler (<https://github.com/firefox-devtools/profiler/blob/main/docs-developer/processed-profile-format.md>), in its version 49, which
//! later ones bring up to date when they open it.
//!
//! A sample has a weight there, so that each stack is there once. When it was seen is not known: the samples stand one behind the other, and the time of the page is no time that was.

use super::figures::Figures;
use super::tree;
use crate::profiled::{Frame, Function, Origin, Stack};
use serde_json::{Value, json};
use std::collections::HashMap;

const VERSION: u32 = 49;

/// The categories, in the order of [`category`]: name and one of the profiler's colours.
const CATEGORIES: [(&str, &str); 6] = [
    ("Other", "grey"),
    ("Cells", "blue"),
    ("Local crates", "green"),
    ("Dependencies", "orange"),
    ("Standard library", "lightblue"),
    ("System", "purple"),
];

fn category(origin: Origin) -> usize {
    match origin {
        Origin::Cell => 1,
        Origin::Local => 2,
        Origin::Dependency => 3,
        Origin::Standard => 4,
        Origin::System => 5,
    }
}

/// The file's content.
pub(super) fn profile(title: &str, figures: &Figures) -> String {
    let period = figures.time().map_or(1.0, |time| 1000.0 * time.period);
    let categories: Vec<Value> = CATEGORIES
        .iter()
        .map(|(name, color)| json!({ "name": name, "color": color, "subcategories": ["Other"] }))
        .collect();
    let (names, stacks): (&[String], &[Stack]) =
        figures.time().map_or((&[], &[]), |time| (&time.threads, &time.stacks));
    let count = stacks.iter().map(|stack| stack.thread + 1).max().unwrap_or(1);
    let threads: Vec<Value> = (0..count)
        .filter_map(|index| {
            let own: Vec<&Stack> = stacks.iter().filter(|stack| stack.thread == index).collect();
            let name = tree::thread_name(names, index);
            (index == 0 || !own.is_empty())
                .then(|| Thread::of(&own, &figures.profiled.functions, period).json(index, &name))
        })
        .collect();
    let profile = json!({
        "meta": {
            "interval": period,
            "startTime": 0,
            "processType": 0,
            "product": format!("Assay: {title}"),
            "stackwalk": 1,
            "debug": false,
            "version": 24,
            "preprocessedProfileVersion": VERSION,
            "categories": categories,
            "markerSchema": [],
            "extensions": { "length": 0, "id": [], "name": [], "baseURL": [] },
            "oscpu": figures.profiled.facts.processor,
            "sampleUnits": { "time": "ms", "eventDelay": "ms", "threadCPUDelta": "µs" },
            "symbolicated": true,
            "usesOnlyOneStackType": true,
            "doesNotUseFrameImplementation": true,
            "sourceCodeIsNotOnSearchfox": true,
        },
        "libs": [],
        "pages": [],
        "counters": [],
        "threads": threads,
    });
    profile.to_string()
}

/// The tables of a thread, each a list of rows here.
#[derive(Default)]
struct Thread {
    strings: Interner<String>,
    /// File, and nothing else: the resources.
    resources: Interner<String>,
    functions: Interner<usize>,
    /// Function, line, how deep it is inlined.
    frames: Interner<(usize, Option<u32>, u32)>,
    /// The stack without the innermost frame, and that frame.
    stacks: Interner<(Option<usize>, usize)>,
    /// Category of each function's.
    of_functions: Vec<Described>,
    /// Stack, samples.
    samples: Vec<(Option<usize>, u64)>,
    period: f64,
}

/// A function in the tables.
struct Described {
    name: usize,
    resource: usize,
    file: usize,
    line: Option<u32>,
    category: usize,
}

/// Numbers values in the order in which they come.
struct Interner<T> {
    places: HashMap<T, usize>,
    values: Vec<T>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { places: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interner<T> {
    fn place(&mut self, value: &T) -> usize {
        if let Some(place) = self.places.get(value) {
            return *place;
        }
        self.values.push(value.clone());
        self.places.insert(value.clone(), self.values.len() - 1);
        self.values.len() - 1
    }
}

impl Thread {
    fn of(stacks: &[&Stack], functions: &[Function], period: f64) -> Self {
        let mut thread = Self { period, ..Self::default() };
        // Stacks that begin alike stand side by side, so that the page draws them as one.
        let mut in_order = stacks.to_vec();
        let calls = |stack: &Stack| stack.frames.iter().map(|frame| frame.function).collect::<Vec<_>>();
        in_order.sort_by_key(|stack| calls(stack));
        for stack in in_order.iter().filter(|stack| stack.samples > 0) {
            let mut prefix = None;
            let mut inlined = 0;
            for frame in stack.frames.iter().filter(|frame| frame.function < functions.len()) {
                inlined = if frame.inlined { inlined + 1 } else { 0 };
                let frame = thread.frame(frame, inlined, functions);
                prefix = Some(thread.stacks.place(&(prefix, frame)));
            }
            thread.samples.push((prefix, stack.samples));
        }
        thread
    }

    fn frame(&mut self, frame: &Frame, inlined: u32, functions: &[Function]) -> usize {
        let known = self.functions.values.len();
        let place = self.functions.place(&frame.function);
        if place == known {
            let function = &functions[frame.function];
            let described = Described {
                name: self.strings.place(&function.name),
                file: self.strings.place(&function.file),
                resource: self.resources.place(&function.file),
                line: function.line,
                category: category(function.origin),
            };
            self.of_functions.push(described);
        }
        self.frames.place(&(place, frame.line, inlined))
    }

    fn json(mut self, index: usize, name: &str) -> Value {
        let resource_names: Vec<usize> =
            self.resources.values.clone().iter().map(|file| self.strings.place(file)).collect();
        let frames = &self.frames.values;
        let none = |count: usize| vec![Value::Null; count];
        let zero = |count: usize| vec![0; count];
        let categories: Vec<usize> =
            frames.iter().map(|(function, ..)| self.of_functions[*function].category).collect();
        let stacks = &self.stacks.values;
        let of_stacks: Vec<usize> = stacks.iter().map(|(_, frame)| categories[*frame]).collect();
        let functions = &self.of_functions;
        let column = |of: &dyn Fn(&Described) -> Value| functions.iter().map(of).collect::<Vec<_>>();
        let mut at = 0.0;
        let times: Vec<f64> = self
            .samples
            .iter()
            .map(|(_, samples)| {
                let begins = at;
                at += self.period * *samples as f64;
                begins
            })
            .collect();
        json!({
            "name": name,
            "processName": "Assay",
            "processType": "default",
            "processStartupTime": 0,
            "processShutdownTime": null,
            "registerTime": 0,
            "unregisterTime": null,
            "pausedRanges": [],
            "isMainThread": index == 0,
            "pid": "1",
            "tid": index + 1,
            "samples": {
                "length": self.samples.len(),
                "stack": self.samples.iter().map(|(stack, _)| stack).collect::<Vec<_>>(),
                "time": times,
                "weight": self.samples.iter().map(|(_, samples)| samples).collect::<Vec<_>>(),
                "weightType": "samples",
            },
            "markers": {
                "length": 0, "data": [], "name": [], "startTime": [], "endTime": [], "phase": [], "category": [],
            },
            "stackTable": {
                "length": stacks.len(),
                "prefix": stacks.iter().map(|(prefix, _)| prefix).collect::<Vec<_>>(),
                "frame": stacks.iter().map(|(_, frame)| frame).collect::<Vec<_>>(),
                "category": of_stacks,
                "subcategory": zero(stacks.len()),
            },
            "frameTable": {
                "length": frames.len(),
                "address": vec![-1; frames.len()],
                "inlineDepth": frames.iter().map(|(_, _, inlined)| inlined).collect::<Vec<_>>(),
                "category": categories,
                "subcategory": zero(frames.len()),
                "func": frames.iter().map(|(function, ..)| function).collect::<Vec<_>>(),
                "nativeSymbol": none(frames.len()),
                "innerWindowID": none(frames.len()),
                "implementation": none(frames.len()),
                "line": frames.iter().map(|(_, line, _)| line).collect::<Vec<_>>(),
                "column": none(frames.len()),
            },
            "funcTable": {
                "length": functions.len(),
                "name": column(&|function| json!(function.name)),
                "isJS": vec![false; functions.len()],
                "relevantForJS": vec![false; functions.len()],
                "resource": column(&|function| json!(function.resource)),
                "fileName": column(&|function| json!(function.file)),
                "lineNumber": column(&|function| json!(function.line)),
                "columnNumber": none(functions.len()),
            },
            "resourceTable": {
                "length": resource_names.len(),
                "lib": none(resource_names.len()),
                "name": resource_names,
                "host": none(self.resources.values.len()),
                "type": vec![0; self.resources.values.len()],
            },
            "nativeSymbols": { "length": 0, "address": [], "functionSize": [], "libIndex": [], "name": [] },
            "stringArray": self.strings.values,
        })
    }
}
