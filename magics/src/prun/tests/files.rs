//! What is written: exports, kept profiles, and what a later one says beside them.

use super::{fib, outcome, stack, words};
use crate::profiled::{Profiled, Stack};
use crate::trial::{report, shown};
use serde_json::Value;

fn written(cell: &str, profiled: Profiled) -> (String, String) {
    let mut made = report(cell, outcome(profiled)).unwrap();
    assert_eq!(made.files.len(), 1);
    let file = made.files.remove(0);
    (file.content, file.said)
}

#[test]
fn the_printout_is_what_is_shown() {
    let (content, said) = written("%prun -T p.txt f()", words());
    assert_eq!(content, shown("%prun f()", outcome(words())) + "\n");
    assert_eq!(said, "*** Profile printout saved to text file `p.txt`.");
    assert_eq!(report("%prun -q -T p.txt f()", outcome(words())).unwrap().files.len(), 1);
}

#[test]
fn collapsed_stacks_have_every_frame() {
    let (content, _) = written("%prun -D p.folded f()", words());
    let expected = "\
cell[4]:1(<statements>) 5
cell[4]:1(<statements>);cell[3]:10(count_words) 95
cell[4]:1(<statements>);cell[3]:10(count_words);cell[3]:13(count_words::{closure#0}) 250
cell[4]:1(<statements>);cell[3]:10(count_words);std/src/collections/hash/map.rs:290(HashMap::entry) 100
cell[4]:1(<statements>);cell[3]:10(count_words);std/src/collections/hash/map.rs:290(HashMap::entry);hashbrown/src/raw/mod.rs:880(RawTable::reserve_rehash);libc.so.6(memcpy) 550\n";
    assert_eq!(content, expected);
    let (deep, _) = written("%prun --format collapsed -D p f()", fib(&[3]));
    assert_eq!(deep, "cell[2]:1(<statements>);cell[1]:1(fib);cell[1]:1(fib);cell[1]:1(fib) 100\n");
    let mut two = fib(&[1]);
    let time = two.time.as_mut().unwrap();
    time.threads.push("a;b".to_owned());
    time.stacks.push(Stack { thread: 1, ..stack("1:2", 3) });
    let (threads, _) = written("%prun -D p.txt f()", two);
    assert_eq!(
        threads,
        "thread a:b;cell[1]:1(fib) 3\nthread main;cell[2]:1(<statements>);cell[1]:1(fib) 100\n"
    );
}

/// What the page's own reader relies on: columns of one length, and indices that point into them.
#[test]
fn the_firefox_profile_hangs_together() {
    let mut profiled = words();
    let time = profiled.time.as_mut().unwrap();
    time.threads.push("worker".to_owned());
    time.stacks.push(Stack { thread: 1, ..stack("1:12", 7) });
    let (content, said) = written("%prun -D p.json f()", profiled);
    assert_eq!(said, "*** Profile saved to `p.json`: profiler.firefox.com opens it.");
    let profile: Value = serde_json::from_str(&content).unwrap();
    assert_eq!(profile["meta"]["preprocessedProfileVersion"], 49);
    assert_eq!(profile["meta"]["interval"], 1.0);
    let threads = profile["threads"].as_array().unwrap();
    assert_eq!(
        threads.iter().map(|thread| thread["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["thread main", "thread worker"]
    );
    for thread in threads {
        let tables =
            ["samples", "markers", "stackTable", "frameTable", "funcTable", "resourceTable", "nativeSymbols"];
        for name in tables {
            let table = thread[name].as_object().unwrap();
            let length = table["length"].as_u64().unwrap() as usize;
            for (column, values) in table.iter().filter(|(_, values)| values.is_array()) {
                assert_eq!(values.as_array().unwrap().len(), length, "{name}.{column}");
            }
        }
        let check = |table: &str, column: &str, into: usize| {
            for value in thread[table][column].as_array().unwrap() {
                assert!(
                    value.is_null() || value.as_u64().is_some_and(|index| (index as usize) < into),
                    "{table}.{column}: {value}"
                );
            }
        };
        let length = |table: &str| thread[table]["length"].as_u64().unwrap() as usize;
        let strings = thread["stringArray"].as_array().unwrap().len();
        check("samples", "stack", length("stackTable"));
        check("stackTable", "frame", length("frameTable"));
        check("stackTable", "prefix", length("stackTable"));
        check("stackTable", "category", 6);
        check("frameTable", "func", length("funcTable"));
        check("funcTable", "name", strings);
        check("funcTable", "fileName", strings);
        check("funcTable", "resource", length("resourceTable"));
        check("resourceTable", "name", strings);
        let prefixes = thread["stackTable"]["prefix"].as_array().unwrap();
        let before =
            |(index, prefix): (usize, &Value)| prefix.as_u64().is_none_or(|prefix| (prefix as usize) < index);
        assert!(prefixes.iter().enumerate().all(before), "a prefix comes before what it is one of");
    }
    let main = &threads[0];
    assert_eq!(main["samples"]["weight"], serde_json::json!([5, 95, 250, 100, 550]));
    assert_eq!(main["samples"]["time"], serde_json::json!([0.0, 5.0, 100.0, 350.0, 450.0]));
    // The innermost function of the last stack, as the page finds it.
    let at = |table: &str, column: &str, index: &Value| {
        main[table][column][index.as_u64().unwrap() as usize].clone()
    };
    let frame = at("stackTable", "frame", &main["samples"]["stack"][4]);
    let name = at("funcTable", "name", &at("frameTable", "func", &frame));
    assert_eq!(main["stringArray"][name.as_u64().unwrap() as usize], "memcpy");
}

fn kept(profiled: Profiled) -> String {
    let (name, content) = report("%prun --save before f()", outcome(profiled)).unwrap().keep.unwrap();
    assert_eq!(name, "before");
    content
}

#[test]
fn a_change_is_claimed_where_the_intervals_are_apart() {
    let before = kept(words());
    let mut now = words();
    // The map does not grow any more, and the cell has run again under another number.
    let time = now.time.as_mut().unwrap();
    time.stacks.remove(0);
    time.stacks[1].samples = 260;
    now.functions[1].file = "cell[9]".to_owned();
    now.functions[2].file = "cell[9]".to_owned();
    let with_date = before.replacen('{', "{\"date\": \"2026-11-27\",", 1);
    now.against = Some(with_date);
    let text = shown("%prun --diff before f()", outcome(now));
    let expected = "\
Beside `before` of 2026-11-27: 2.17× less time, 460 ms instead of 1 s.
Behind a change that may be chance there is no word.
Own time of                                               before             now           change
-------------------------------------------------------------------------------------------------------
all                                                  1 s ± 25 ms  460 ms ± 12 ms  −540 ms ± 37 ms  less
memcpy (libc.so.6)                                550 ms ± 45 ms                  −550 ms ± 47 ms  gone
count_words::{closure#0}                          250 ms ± 33 ms  260 ms ± 27 ms   +10 ms ± 60 ms\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn profiles_that_were_taken_otherwise_say_so() {
    let mut now = words();
    now.against = Some(kept(words()));
    now.time.as_mut().unwrap().wall = true;
    now.facts.processor = "Skylake".to_owned();
    let text = shown("%prun --wall --diff before f()", outcome(now));
    assert!(text.contains("1 s then and 1 s now, which is no difference that two runs can show."), "{text}");
    assert!(
        text.contains("`before` was profiled otherwise: the processor was Zen and is Skylake."),
        "{text}"
    );
    assert!(text.contains("`before` was profiled otherwise: the clock was processor and is wall."), "{text}");
}

#[test]
fn a_file_that_is_no_profile_is_pointed_at() {
    let check = |text: &str, expected: &str| {
        let profiled = Profiled { against: Some(text.to_owned()), ..words() };
        let complaint = report("%prun --diff old f()", outcome(profiled)).unwrap_err();
        assert_eq!((complaint.span, complaint.message.as_str()), (13..16, expected));
    };
    check(
        "{\"assay\": \"timing\", \"version\": 1}",
        "`.assay/old.json` is a kept result of another kind (`timing`)",
    );
    check(
        "{\"assay\": \"profile\", \"version\": 2}",
        "`.assay/old.json` was written by a newer Assay (its form is 2, this one reads 1)",
    );
    check("{}", "`.assay/old.json` is no kept profile: missing field `assay` at line 1 column 2");
}
