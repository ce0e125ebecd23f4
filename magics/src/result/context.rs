//! Where and how something was measured: a figure that is shared without that is worth little.

use super::Page;
use crate::measured::Facts;

/// From how many seconds on compiling is worth a line, as in IPython.
const SLOW_COMPILE: f64 = 0.1;

/// Closes a page: how long compiling took if that was long, then processor, compiler, level, and noise.
pub(crate) fn close(page: Page, facts: &Facts) -> Page {
    let page = if facts.compile > SLOW_COMPILE {
        page.quiet(&format!("Compiler time: {:.2} s", facts.compile))
    } else {
        page
    };
    page.quiet(&line(facts))
}

/// The line of context.
fn line(facts: &Facts) -> String {
    let processor = if facts.processor.is_empty() { "processor not known" } else { &facts.processor };
    let target = facts.target_cpu.as_ref().map(|cpu| format!("target-cpu {cpu}"));
    let parts = [
        Some(processor.to_owned()),
        Some(facts.compiler.clone()).filter(|compiler| !compiler.is_empty()),
        Some(format!("opt-level {}", facts.optimisation)).filter(|_| !facts.optimisation.is_empty()),
        target,
        Some(noise(facts)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn noise(facts: &Facts) -> String {
    let floor = format!("noise floor ±{:.1} %", 100.0 * facts.floor);
    match facts.starts {
        0 => format!("{floor} (supposed)"),
        1 => format!("{floor} (1 start)"),
        starts => format!("{floor} ({starts} starts)"),
    }
}

/// What makes a figure another one than that of the code in a program: it was not built as `cargo build --release` builds it, or it is called through a pointer.
pub(crate) fn doubts(facts: &Facts) -> Vec<String> {
    let level = facts.optimisation.as_str();
    let slow = (!["", "3"].contains(&level)).then(|| {
        format!(
            "The cell was compiled at opt-level {level}, where a release build has 3: `:opt 3` changes it."
        )
    });
    slow.into_iter().chain(dispatched(&facts.holding_code)).collect()
}

/// What is to be said of code that variables hold.
fn dispatched(names: &[String]) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let hold = if names.len() == 1 { "holds" } else { "hold" };
    (!names.is_empty()).then(|| {
        format!(
            "What {} {hold} is called through a pointer, as it would be in a program: nothing of it is inlined.",
            names.join(", ")
        )
    })
}
