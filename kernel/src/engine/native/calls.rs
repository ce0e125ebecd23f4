//! What a cell can call, as text for an analyzer that has not seen the crate `assay`.

use super::toolchain::RUNTIME;
use std::sync::LazyLock;

/// The files that hold what is public. What their bodies call is not there, and nobody asks for it.
const PUBLIC: [&str; 5] = ["content", "display", "input", "measure/result", "progress"];

/// A module `assay` with everything that cells call by that name.
pub(super) fn as_text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(module);
    &TEXT
}

fn module() -> String {
    let mut text = "mod assay {\n".to_owned();
    PUBLIC.iter().for_each(|name| text.push_str(&without_private(source(&format!("{name}.rs")))));
    let outside = source("lib.rs").lines().filter(|line| line.starts_with("pub use std::"));
    outside.for_each(|line| add(&mut text, line));
    text + "}\n"
}

/// A source without what is not for cells: an analyzer would offer that as well. This knows the form that rustfmt gives our own files, and no other.
fn without_private(source: &str) -> String {
    let mut text = String::new();
    // Documentation and attributes share the fate of what follows.
    let mut above = String::new();
    let mut lines = source.lines();
    // Within a struct, of which few fields are public.
    let mut fields = false;
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if fields && line != "}" && !code.starts_with("///") && !code.starts_with("pub ") {
            above.clear();
            continue;
        }
        if line == "}" {
            // Of a field that is not public.
            above.clear();
        }
        fields = line != "}" && (fields || (code.starts_with("pub struct") && line.ends_with('{')));
        if code.starts_with("//!") || code.starts_with("use ") {
            continue;
        }
        if code.starts_with("///") || (code.starts_with("#[") && code.ends_with(']')) {
            add(&mut above, line);
            continue;
        }
        if is_private(code) {
            let end = format!("{}}}", &line[..line.len() - code.len()]);
            let whole = line.ends_with(';') || line.ends_with('}');
            if !whole {
                lines.by_ref().find(|line| *line == end);
            }
            above.clear();
            continue;
        }
        text.push_str(&std::mem::take(&mut above));
        add(&mut text, line);
    }
    text
}

fn is_private(code: &str) -> bool {
    let kinds = ["pub(", "mod ", "fn ", "const ", "enum ", "struct ", "static ", "unsafe "];
    // What a trait declares ends in a semicolon.
    kinds.iter().any(|kind| code.starts_with(kind)) && !(code.starts_with("fn ") && code.ends_with(';'))
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn source(file: &str) -> &'static str {
    RUNTIME.files.iter().find(|(path, _)| *path == file).map_or("", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::as_text;
    use crate::engine::native::split::split;

    #[test]
    fn it_is_one_module_with_all_that_is_public() {
        let text = as_text();
        let split = split(text, &|_| false).unwrap();
        assert_eq!((split.items().count(), split.statements().count()), (1, 0));
        for call in [
            "pub fn display<",
            "pub struct Handle",
            "fn mime_bundle(&self) -> Bundle;",
            "hint::black_box",
            "pub struct TimeitResult {",
            "pub median: f64,",
        ] {
            assert!(text.contains(call), "{call}");
        }
        for hidden in ["pub(crate)", "mod board", "enum Bar", "fn nobody", "id: String", "crate::outlet"] {
            assert!(!text.contains(hidden), "{hidden}");
        }
    }
}
