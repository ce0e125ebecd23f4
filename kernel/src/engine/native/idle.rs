//! `use` declarations that came along with what a cell mentions, and turned out to be needed by nothing.
//!
//! A declaration of something in another crate stands in every later unit, since it may be of a trait whose methods are called. Whether it was one, the
//! compiler knows: it is asked to say which declarations are not used. When that crate is replaced, a unit that did not need it stays as it is,
//! and so do the variables of its types.

use super::rustc::Message;
use super::source::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the compiler say so.
const MARK: &str = "#[warn(unused_imports)] ";

/// A prelude in which the declarations of other crates are marked. What is the notebook's own begins with `::`.
pub(super) fn marked(prelude: &str) -> String {
    let others = |line: &str| line.starts_with("use ") && !line.starts_with("use ::");
    let line = |line: &str| if others(line) { format!("{MARK}{line}\n") } else { format!("{line}\n") };
    prelude.lines().map(line).collect()
}

/// The declarations that nothing needed, wherever they stand in a crate with these preludes.
pub(super) fn idle<'p>(
    messages: &[Message],
    files: &BTreeMap<PathBuf, Arc<Source>>,
    preludes: impl Iterator<Item = &'p str>,
) -> BTreeSet<String> {
    let mut unused: BTreeMap<&str, usize> = BTreeMap::new();
    for message in messages.iter().filter(|one| one.code.as_ref().is_some_and(|code| code.code == LINT)) {
        for span in message.spans.iter().filter(|span| span.is_primary) {
            let text = files.get(&span.file_name).map_or("", |source| source.text());
            if let Some(line) = line_at(text, span.byte_start).strip_prefix(MARK) {
                *unused.entry(line).or_default() += 1;
            }
        }
    }
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    preludes.flat_map(str::lines).for_each(|line| *all.entry(line).or_default() += 1);
    let never = |line: &&str| all.get(line).is_some_and(|count| unused.get(line) >= Some(count));
    unused.keys().copied().filter(never).map(str::to_owned).collect()
}

/// The lint's name: <https://doc.rust-lang.org/rustc/lints/listing/warn-by-default.html#unused-imports>.
const LINT: &str = "unused_imports";

fn line_at(text: &str, byte: usize) -> &str {
    let (Some(before), Some(after)) = (text.get(..byte), text.get(byte..)) else { return "" };
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').map_or(text.len(), |at| byte + at);
    &text[start..end]
}

#[cfg(test)]
mod tests {
    use super::{LINT, idle, marked};
    use crate::engine::native::rustc::{Code, Message, Span};
    use crate::engine::native::source::Source;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;
    use std::sync::Arc;

    const PRELUDE: &str = "use ::cell_1::A;\nuse a::B;\nuse c::*;\nextern crate d;\n";

    fn message(code: &str, start: usize) -> Message {
        let span = Span {
            file_name: PathBuf::from("f/items.rs"),
            byte_start: start,
            byte_end: start + 1,
            is_primary: true,
            label: None,
            suggested_replacement: None,
            expansion: None,
        };
        Message {
            message: "unused import".to_owned(),
            code: Some(Code { code: code.to_owned() }),
            level: "warning".to_owned(),
            spans: vec![span],
            children: Vec::new(),
        }
    }

    #[test]
    fn what_is_of_other_crates_is_marked() {
        let expected = "use ::cell_1::A;\n#[warn(unused_imports)] use a::B;\n#[warn(unused_imports)] use c::*;\nextern crate d;\n";
        assert_eq!(marked(PRELUDE), expected);
    }

    #[test]
    fn idle_is_what_is_needed_nowhere() {
        let mut source = Source::default();
        source.ours("struct Ä;\n");
        source.ours(&marked(PRELUDE));
        let text = source.text().to_owned();
        let files = BTreeMap::from([(PathBuf::from("f/items.rs"), Arc::new(source))]);
        let at = |what: &str| text.find(what).unwrap();
        let said = [message(LINT, at("a::B")), message(LINT, at("c::*")), message("dead_code", at("d;"))];
        let both = BTreeSet::from(["use a::B;".to_owned(), "use c::*;".to_owned()]);
        assert_eq!(idle(&said, &files, [PRELUDE].into_iter()), both);
        // In another module it was needed.
        let glob = BTreeSet::from(["use c::*;".to_owned()]);
        assert_eq!(idle(&said, &files, [PRELUDE, "use a::B;\n"].into_iter()), glob);
        // What the user wrote is the user's.
        assert!(idle(&[message(LINT, at("struct"))], &files, [PRELUDE].into_iter()).is_empty());
    }
}
