use super::{Closures, Found, colliding_names, read};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn found(mir: &str) -> Vec<(u32, Found)> {
    let externs = BTreeSet::from(["cell_1".to_owned(), "assay".to_owned()]);
    read(mir, "cell_3", &externs, &Closures::default()).into_iter().collect()
}

fn named(slot: u32, name: &str) -> (u32, Found) {
    (slot, Found::Named(name.to_owned()))
}

#[test]
fn calls_of_put_tell_the_types() {
    let mir = r#"
        _1 = put::<P>(const P {{ x: 1_i32 }}, const 1_usize, const "p") -> [return: bb8, unwind: bb33];
        _2 = cell::put::<(u8, (), &str)>(move _10, const 15_usize, const "tup") -> [return: bb21, unwind: bb33];
        _3 = put::<Box<dyn for<'a> Fn(&'a str) -> u8>>(move _41, const 10_usize, const "f") -> unwind continue;
        _4 = put::<char>(const ')', const 3_usize, const "r#type") -> [return: bb1, unwind continue];
        _5 = put_iterator::<std::iter::Map<u8, {closure@a.rs:1:2: 1:4}>, P>(move _8, const 27_usize, const "m") -> [return: bb5];
        _6 = put::<fn(P) -> P {add}>(add, const 28_usize, const "g") -> [return: bb5];
        _7 = put::<{closure@a.rs:1:2: 1:4}>(const ZeroSized: {closure@a.rs:1:2: 1:4}, const 29_usize, const "c") -> [return: bb5];
        _8 = put::<{async block@a.rs:1:2: 1:4}>(move _9, const 30_usize, const "c") -> [return: bb5];
        _9 = put::<Box<{closure@a.rs:1:2: 1:4}>>(move _9, const 31_usize, const "c") -> [return: bb5];
}
fn f::{closure#0}(_1: &{closure@a.rs:1:2: 1:4}, _2: u8) -> P {
"#;
    let expected = [
        named(1, "cell_3::P"),
        named(3, "char"),
        named(10, "cell_3::Box<dyn for<'a> cell_3::Fn(&'a str) -> u8>"),
        named(15, "(u8, (), &str)"),
        named(27, "std::boxed::Box<dyn std::iter::Iterator<Item = cell_3::P>>"),
        (28, Found::Function("fn(cell_3::P) -> cell_3::P".to_owned())),
        (29, Found::Closure("dyn Fn(u8) -> cell_3::P".to_owned())),
        (30, Found::Nameless("{async block@a.rs:1:2: 1:4}".to_owned())),
        (31, Found::Nameless("Box<{closure@a.rs:1:2: 1:4}>".to_owned())),
    ];
    assert_eq!(found(mir), expected);
}

#[test]
fn the_users_own_put_is_not_ours() {
    let ours = "    _1 = assay::cell::put::<u8>(const 1_u8, const 0_usize, const \"a\") -> [return: bb1];\n";
    let theirs = "    _2 = put::<u16>(const 1_u16, const 0_usize, const \"a\") -> [return: bb1];\n";
    let others = "    _3 = cell_1::put::<u16>(const 1_u16, const 2_usize, const \"a\") -> [return: bb1];\n";
    let text = "    _4 = const \"_5 = put::<u16>(const 1_u16, const 2_usize, const \\\"a\\\") -> [\";\n";
    assert_eq!(found(&[theirs, others, text, ours].concat()), [named(0, "u8")]);
    assert!(found(&[others, text].concat()).is_empty());
}

#[test]
fn nothing_is_read_that_is_not_there() {
    for mir in
        ["", "_1 = put::<", "_1 = put::<u8", "_1 = put::<>(a, const 1_usize, const \"", "_1 = put::<u8>(a)"]
    {
        assert!(found(mir).is_empty(), "{mir}");
    }
}

#[test]
fn a_module_of_names() {
    let names = BTreeSet::from(["A".to_owned(), "r#B".to_owned()]);
    assert_eq!(
        colliding_names("assay_names_here", &names),
        "#[allow(dead_code, nonstandard_style)] mod assay_names_here { pub struct A; pub struct r#B; }"
    );
}

proptest! {
    #[test]
    fn no_text_is_too_strange_to_be_read(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "_1 = ", "put::", "put_iterator::", "<", ">", "(", ")", "{closure@", "}", ", const 3_usize", ", const \"", "\"",
                "'", "\\", "é", "&", "dyn ", " + ", "std::sync::atomic::Atomic<", "fn ", "_1: ", " -> ", " {", "\n", "r#", "::", "P", "'_",
            ]),
            0..40,
        )
    ) {
        let text = pieces.concat();
        found(&text);
        found(&format!("_1 = put::<{text}>(move _2, const 3_usize, const \"x\") -> [return: bb1];"));
        found(&format!("fn f::{{closure#0}}(_1: &{{closure@a.rs:1:2: 1:4}}, _2: {text}) -> {text} {{"));
    }
}

#[test]
fn a_type_that_nobody_may_write_is_nameless() {
    let check =
        |printed: &str, expected: bool| assert_eq!(super::text::has_never(printed), expected, "{printed}");
    check("tokio::task::JoinHandle<!>", true);
    check("(u8, !)", true);
    check("fn() -> !", false);
    check("Box<dyn Fn(u8) -> !>", false);
    check("Flag<'!'>", false);
}
