//! What is shown of what was printed: nothing is missing below the limit, and above it the beginning and the end are there.

use super::{Amount, Cap, LINE, TAIL, Text};
use crate::session::event::StreamName::{self, Stderr, Stdout};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

/// What only notices contain.
const MARK: &str = "[assay: ";

fn is_notice(text: &Text) -> bool {
    text.text.trim_start().starts_with(MARK)
}

/// All of it in one text: notices as `<…>`, standard error in braces.
fn words(texts: &[Text]) -> String {
    let word = |shown: &Text| match (shown.name, shown.text.trim()) {
        (Stderr, notice) if notice.contains("held back") => "<held>".to_owned(),
        (Stderr, notice) if notice.contains("nothing was left out") => "<all>".to_owned(),
        (Stderr, notice) if notice.contains("left out") => {
            let amount = notice.trim_start_matches(MARK).split(" w").next().unwrap_or_default();
            format!("<{amount}>")
        }
        (Stderr, _) => format!("{{{}}}", shown.text),
        (Stdout, _) => shown.text.clone(),
    };
    texts.iter().map(word).collect()
}

fn print(cap: &mut Cap, text: &str) -> String {
    words(&cap.print(Stdout, text.to_owned()))
}

#[test]
fn below_the_limit_everything_passes() {
    let mut cap = Cap::new(Some(10));
    assert_eq!(print(&mut cap, "12345\n"), "12345\n");
    assert_eq!(words(&cap.print(Stderr, "678\n".into())), "{678\n}");
    assert_eq!(cap.display(), []);
    assert_eq!(cap.end(), []);
}

#[test]
fn above_it_the_last_lines_come_at_the_end() {
    let mut cap = Cap::new(Some(10));
    assert_eq!(print(&mut cap, "12\n34\n56\n78\n"), "12\n34\n56\n<held>");
    assert_eq!(print(&mut cap, "ab\ncd\nef\ngh\n"), "");
    // Ten bytes of it are kept, and of those the whole lines.
    assert_eq!(words(&cap.end()), "<2 lines (6 B)>cd\nef\ngh\n");
    assert_eq!(cap.end(), []);
}

#[test]
fn what_goes_on_after_the_cell_comes_with_the_next_one() {
    let mut cap = Cap::new(Some(4));
    assert_eq!(print(&mut cap, "123\n"), "123\n");
    assert_eq!(cap.end(), []);
    let held = cap.print(Stdout, "4\n".into());
    assert!(held[0].text.contains("4 B: the rest is held back until the next cell begins"), "{held:?}");
    assert_eq!(print(&mut cap, "56789\n"), "");
    assert_eq!(words(&cap.enter()), "<1 line (4 B)>789\n");
    assert_eq!(print(&mut cap, "new\n"), "new\n");
    let held = cap.print(Stdout, "4\n".into());
    assert!(held[0].text.contains("until the cell ends"));
    assert_eq!(words(&cap.end()), "<all>4\n");
    assert_eq!(print(&mut cap, "5\n"), "<held>", "it is said again");
}

/// Each number is the bytes of a line, its end included.
#[test]
fn the_beginning_ends_with_a_line_if_one_ends_near() {
    let line = |length: usize| "x".repeat(length - 1) + "\n";
    let check = |printed: &[usize], expected: usize| {
        let mut cap = Cap::new(Some(100_000));
        let shown = printed.iter().flat_map(|length| cap.print(Stdout, line(*length)));
        let shown: usize = shown.filter(|text| !is_notice(text)).map(|text| text.text.len()).sum();
        assert_eq!(shown, expected, "{printed:?}");
    };
    check(&[99_000, 1_000], 100_000);
    check(&[99_000, 1_001], 99_000);
    check(&[100_000 - LINE, 5_000], 100_000 - LINE);
    check(&[99_999 - LINE, 5_000], 100_000);
    check(&[300_000], 100_000);
    let mut cap = Cap::new(Some(4));
    assert_eq!(print(&mut cap, "12"), "12");
    assert_eq!(print(&mut cap, "3456"), "34<held>", "the line has begun already");
    assert_eq!(words(&cap.end()), "<all>56");
    assert_eq!(print(&mut Cap::new(Some(4)), "äöü\n"), "<held>");
    assert_eq!(print(&mut cap, "ä"), "<held>");
}

#[test]
fn a_notice_is_a_line_of_its_own() {
    let begins = |before: &[(StreamName, &str)]| {
        let mut cap = Cap::new(Some(8));
        for (name, text) in before {
            cap.print(*name, (*text).to_owned());
        }
        let notice = cap.print(Stdout, "12345678\n".into()).into_iter().find(is_notice).unwrap();
        assert_eq!(notice.name, Stderr);
        assert!(notice.text.ends_with("]\n"));
        notice.text.starts_with('\n')
    };
    assert!(!begins(&[]));
    assert!(!begins(&[(Stdout, "1\n"), (Stderr, "2\n")]));
    assert!(begins(&[(Stderr, "2")]));
    assert!(begins(&[(Stdout, "1")]));
}

#[test]
fn many_lines_of_one_stream_do_not_cost_those_of_the_other() {
    let mut cap = Cap::new(Some(20));
    assert_eq!(print(&mut cap, "0123456789012345678\n"), "0123456789012345678\n");
    cap.print(Stdout, "a\n".into());
    cap.print(Stderr, "trouble\n".into());
    for number in 0..100_000 {
        cap.print(Stdout, format!("{number}\n"));
    }
    cap.print(Stderr, "end".into());
    assert_eq!(words(&cap.end()), "<99998 lines (588.9 kB)>{trouble\n}99997\n99998\n99999\n{end}");
}

#[test]
fn a_display_stands_behind_what_was_printed_before_it() {
    let mut cap = Cap::new(Some(4));
    assert_eq!(print(&mut cap, "123\nabc\n"), "123\n<held>");
    assert_eq!(words(&cap.display()), "<all>abc\n");
    assert_eq!(print(&mut cap, "def\nghi\n"), "", "it has been said");
    assert_eq!(words(&cap.display()), "<1 line (4 B)>ghi\n");
    assert_eq!(cap.end(), []);
}

/// A loop of displays must not lift the limit.
#[test]
fn text_before_displays_is_bounded() {
    let mut cap = Cap::new(Some(TAIL));
    let mut shown = 0;
    for _ in 0..1_000 {
        print(&mut cap, &"0123456\n".repeat(TAIL));
        shown += cap.display().len();
    }
    assert!((20..100).contains(&shown), "{shown}");
    assert_eq!(cap.end().len(), 2);
}

#[test]
fn clearing_begins_anew() {
    let mut cap = Cap::new(Some(4));
    assert_eq!(print(&mut cap, "123\nabc\n"), "123\n<held>");
    assert_eq!(cap.clear(false), []);
    assert_eq!(print(&mut cap, "456\ndef\n"), "456\n<held>");
    // It stays where it is if nothing comes.
    assert_eq!(words(&cap.clear(true)), "<all>def\n");
    assert_eq!(print(&mut cap, "789\n"), "789\n");
    cap.end();
    cap.clear(false);
    assert!(cap.print(Stdout, "1234\n5\n".into())[0].text.contains("next cell"));
}

#[test]
fn the_limit_can_be_changed_at_any_time() {
    let mut cap = Cap::new(Some(4));
    assert_eq!(print(&mut cap, "123\nabc\n"), "123\n<held>");
    assert_eq!(cap.change(Some(4)), []);
    assert_eq!(words(&cap.change(Some(8))), "<all>abc\n");
    assert_eq!(print(&mut cap, "def\nghi\n"), "def\n<held>", "what was shown counts");
    cap.change(None);
    let long = "0123456\n".repeat(1_000_000);
    assert_eq!(print(&mut cap, &long), long);
    assert_eq!(print(&mut cap, "j"), "j");
    cap.change(Some(8));
    assert_eq!(print(&mut cap, "k"), "<held>");
}

/// Nothing is held then, and something is left out all the same: it was the notice that was missing.
#[test]
fn a_limit_that_no_character_fits_into_leaves_all_out_and_says_so() {
    let mut cap = Cap::new(Some(1));
    let beginning = cap.print(Stdout, "€".to_owned());
    let end = cap.end();
    assert!(matches!(beginning.as_slice(), [notice] if is_notice(notice)), "{beginning:?}");
    assert!(
        matches!(end.as_slice(), [notice] if notice.text.contains("3 B of a line were left out")),
        "{end:?}"
    );
    assert!(cap.end().is_empty());
}

#[test]
fn what_is_left_out_is_counted() {
    let mut amount = Amount::default();
    amount.add("one\ntwo\nthr");
    amount.add("ee");
    assert_eq!(amount, Amount { lines: 2, bytes: 13 });
    let says = |printed: String| {
        let mut cap = Cap::new(Some(1));
        cap.print(Stdout, printed);
        words(&cap.end()[..1])
    };
    assert_eq!(says("a".repeat(1_000)), "<999 B of a line>");
    assert_eq!(says("a\n".repeat(1_000)), "<999 lines (2.0 kB)>");
}

fn printing() -> impl Strategy<Value = Vec<(StreamName, String)>> {
    let text = prop_oneof![3 => "[a-dä€🦀\n]{0,12}", 1 => "[a-c\n]{20,90}", 1 => "[x]{0,60}"];
    vec((prop_oneof![Just(Stdout), Just(Stderr)], text), 0..40)
}

/// The text of one stream in order.
fn of(name: StreamName, texts: &[Text]) -> String {
    texts.iter().filter(|text| text.name == name).map(|text| text.text.as_str()).collect()
}

proptest! {
    #[test]
    fn the_beginning_and_the_end_of_each_stream_are_shown(printed in printing(), limit in 1usize..400) {
        let mut cap = Cap::new(Some(limit));
        let mut beginning = Vec::new();
        for (name, text) in &printed {
            beginning.extend(cap.print(*name, text.clone()));
            prop_assert!(cap.held.size() <= 4 * limit);
        }
        let end = cap.end();
        let all: Vec<_> = printed.into_iter().map(|(name, text)| Text { name, text }).collect();
        let size: usize = all.iter().map(|text| text.text.len()).sum();
        let (notices, beginning): (Vec<_>, Vec<_>) = beginning.into_iter().partition(is_notice);
        prop_assert_eq!(notices.len(), usize::from(size > limit));
        prop_assert!(beginning.iter().map(|text| text.text.len()).sum::<usize>() <= limit);
        let (notices, end): (Vec<_>, Vec<_>) = end.into_iter().partition(is_notice);
        prop_assert_eq!(notices.len(), usize::from(size > limit));
        let mut left_out = 0;
        for name in [Stdout, Stderr] {
            let (all, beginning, end) = (of(name, &all), of(name, &beginning), of(name, &end));
            prop_assert!(all.starts_with(&beginning));
            prop_assert!(all[beginning.len()..].ends_with(&end));
            prop_assert!(end.len() <= limit);
            let between = &all[beginning.len()..all.len() - end.len()];
            left_out += between.len();
            // Whole lines, unless there is but a part of one.
            prop_assert!(between.is_empty() || between.ends_with('\n') || !end.trim_end_matches('\n').contains('\n'));
        }
        prop_assert_eq!(left_out == 0, notices.iter().all(|notice| notice.text.contains("nothing was left out")));
    }

    /// Of both streams together: the order in which they were printed is the order in which they are shown.
    #[test]
    fn streams_keep_their_order(switches in vec((prop_oneof![Just(Stdout), Just(Stderr)], 1usize..9), 0..60), limit in 1usize..900) {
        let mut cap = Cap::new(Some(limit));
        let mut shown = Vec::new();
        let mut number = 0;
        for (name, lines) in switches {
            for _ in 0..lines {
                number += 1;
                shown.extend(cap.print(name, format!("{number:04}\n")));
            }
        }
        shown.extend(cap.end());
        let lines = shown.iter().filter(|text| !is_notice(text)).flat_map(|text| text.text.lines());
        // A small limit shows parts of lines, which are other numbers.
        let whole = lines.filter(|line| line.len() == 4);
        let numbers: Vec<usize> = whole.filter_map(|line| line.parse().ok()).collect();
        prop_assert!(numbers.is_sorted());
    }
}
