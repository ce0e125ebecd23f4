//! What is read of Rust in a cell, and what is said where it is none.

use super::Text;

/// Shows what matters of a snippet that stands four bytes into its cell.
fn shown(code: &str) -> String {
    let cell = format!("ä, {code}");
    let snippet = match Text::new(code, 4).snippet() {
        Ok(Some(snippet)) => snippet,
        Ok(None) => return "nothing".to_owned(),
        Err(complaint) => return format!("{:?} {}", &cell[complaint.span], complaint.message),
    };
    let mut parts: Vec<String> = snippet.kept.iter().map(|kept| cell[kept.clone()].to_owned()).collect();
    parts.extend(snippet.ended.then(|| "ended".to_owned()));
    parts.extend(snippet.single.then(|| "single".to_owned()));
    parts.extend(snippet.flow.question.then(|| "?".to_owned()));
    parts.extend(snippet.flow.awaits.then(|| "await".to_owned()));
    let inputs = snippet.inputs.iter().map(|input| format!("input {}", &cell[input.clone()]));
    parts.extend(inputs);
    let bindings = snippet.bindings.iter();
    parts.extend(bindings.map(|one| format!("{}{}", if one.mutable { "mut " } else { "" }, one.name)));
    parts.extend(
        snippet
            .tail
            .map(|tail| format!("{} {}", if tail.is_place { "place" } else { "value" }, &cell[tail.span])),
    );
    parts.join(" | ")
}

fn check(code: &str, expected: &str) {
    assert_eq!(shown(code), expected, "{code:?}");
}

#[test]
fn one_expression_stands_without_its_semicolon() {
    check("f()", "f() | single | value f()");
    check("f(); // why", "f() | ended | single");
    check("println!(\"ß\")", "println!(\"ß\") | single | value println!(\"ß\")");
    check("println!();", "println!() | ended | single");
    check("/* a */ x.y", "x.y | single | place x.y");
    check("", "nothing");
    check(" // nothing\n", "nothing");
}

#[test]
fn statements_bind_names_and_may_end_in_a_value() {
    check("let mut a = 1; a", "let mut a = 1; a | mut a | place a");
    check("let (a, mut b) = c; let a = b;", "let (a, mut b) = c; let a = b; | ended | mut b | a");
    check(
        "let S { x, y: Some(z), .. } = s else { return };",
        "let S { x, y: Some(z), .. } = s else { return }; | ended | x | z",
    );
    check("let None = x else { f() }; g()", "let None = x else { f() }; g() | value g()");
    check("fn f() {}", "fn f() {}");
    check("let f = |q| { let inner = q; };", "let f = |q| { let inner = q; }; | ended | f");
}

#[test]
fn literals_that_functions_are_called_with_are_inputs() {
    check(
        "f(20, -1, &2, \"ß\", x)",
        "f(20, -1, &2, \"ß\", x) | single | input 20 | input -1 | input &2 | input \"ß\" | value f(20, -1, &2, \"ß\", x)",
    );
    check("g(f(1)).h(2) + 3", "g(f(1)).h(2) + 3 | single | input 1 | value g(f(1)).h(2) + 3");
    check("f(black_box(1), 2)", "f(black_box(1), 2) | single | input 2 | value f(black_box(1), 2)");
    check("m!(f(1))", "m!(f(1)) | single | value m!(f(1))");
    check("{ f(1) }", "{ f(1) } | single | value { f(1) }");
    check("map(|x| f(1))", "map(|x| f(1)) | single | value map(|x| f(1))");
    check("f(1); g(2)", "f(1); g(2) | value g(2)");
    check("f(&mut 1)", "f(&mut 1) | single | value f(&mut 1)");
}

#[test]
fn what_leaves_the_code_is_seen_at_its_own_level() {
    check("f()?.g()", "f()?.g() | single | ? | value f()?.g()");
    check("f().await?", "f().await? | single | ? | await | value f().await?");
    check("|| f()?", "|| f()? | single | value || f()?");
    check("async { f().await }", "async { f().await } | single | value async { f().await }");
    check("fn f() { g()? }", "fn f() { g()? }");
    check("vec![a()?; 3]", "vec![a()?; 3] | single | ? | value vec![a()?; 3]");
    check(
        "println!(\"{}\", a().await)",
        "println!(\"{}\", a().await) | single | await | value println!(\"{}\", a().await)",
    );
    check("matches!(a()?, Some(_))", "matches!(a()?, Some(_)) | single | ? | value matches!(a()?, Some(_))");
    check("matches!(a, A if b()?)", "matches!(a, A if b()?) | single | ? | value matches!(a, A if b()?)");
    check("bound!(T: ?Sized)", "bound!(T: ?Sized) | single | value bound!(T: ?Sized)");
    check("quote!(a?)", "quote!(a?) | single | value quote!(a?)");
    check("for x in f()? {}", "for x in f()? {} | single | ? | value for x in f()? {}");
}

#[test]
fn a_backslash_that_continues_the_line_is_left_out() {
    check("f(a, \\\n  b)", "f(a,  | \n  b) | single | value f(a, \\\n  b)");
    check("f(\"a\\\n  b\")", "f(\"a\\\n  b\") | single | input \"a\\\n  b\" | value f(\"a\\\n  b\")");
}

#[test]
fn what_is_no_rust_is_pointed_at() {
    check("f(", "\"(\" this is no Rust: a bracket or a comment is not closed");
    check("f() g()", "\"g\" this is no Rust: unexpected token, expected `;`");
    check("\"a", "\"\\\"\" this is no Rust: a string is not closed");
    check("f)", "\")\" this is no Rust: a bracket closes nothing, or a sign has no meaning in Rust");
    check("1 +", "\"+\" this is no Rust: unexpected end of input, expected an expression");
    check("f(1, = 2)", "\"=\" this is no Rust: expected an expression");
    check("f(a b)", "\"b\" this is no Rust: expected `,`");
    check("%who", "\"%\" this is no Rust: expected an expression");
    check("ß 'ü", "\"'\" this is no Rust: unexpected token, expected `;`");
}
