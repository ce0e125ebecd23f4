//! `%lprun`: what it plans, what the figures come to, and how they are told.

use super::figures::{Scale, figures};
use crate::lines::trial::{COUNT, Scene, allocates, said, step, text, words};
use crate::plan::Plan;
use crate::profiled::STATEMENTS;
use crate::profiled::{Ending, Profiled, Time};
use crate::trial::{complaint, plan};

const CALL: &str = "%lprun -f count count(&text)";

/// `line:hits/samples` of each line that has one.
fn shown(profiled: &Profiled) -> Vec<String> {
    let of_function = |function: &super::figures::Figures<'_>| {
        let line = |line: &super::figures::Line<'_>| {
            let hits = line.hits.map_or("-".to_owned(), |hits| hits.to_string());
            format!("{}:{hits}/{}", line.number, line.samples)
        };
        function.lines.iter().filter(|line| line.is_told()).map(line).collect::<Vec<_>>().join(" ")
    };
    figures(profiled, true).iter().map(of_function).collect()
}

fn check(scene: &Scene, expected: &str) {
    assert_eq!(shown(&scene.0), [expected]);
}

#[test]
fn what_is_asked_is_planned() {
    let names = |cell: &str| {
        step(cell).functions.into_iter().map(|(name, span)| format!("{name} {span:?}")).collect::<Vec<_>>()
    };
    assert_eq!(names("%lprun -f fib -f 'Grid::step' fib(3)"), ["fib 10..13", "Grid::step 18..28"]);
    assert_eq!(names("%lprun -ffib -f fib fib(3)"), ["fib 9..12"]);
    assert_eq!(names("%%lprun -f fib\nfib(3)"), ["fib 11..14"]);
    let own = "%%lprun\nfn a() {}\nimpl<T> B<T> { fn c(&self) {} }\nimpl Clone for D { fn clone(&self) -> D { D } }\nmod m { pub fn d() {} }\na()";
    assert_eq!(names(own), ["<statements> 0..7", "a 11..12", "B::c 36..37", "m::d 113..114"]);
    let plain = step(CALL);
    assert!(plain.ask.time && plain.ask.counts && plain.ask.sites && !plain.ask.wall);
    assert_eq!((plain.ask.heap, plain.result, plain.again.is_some()), (None, None, true));
    let other = step("let r = %lprun -r --wall --no-allocs -f f f()");
    assert!(other.ask.wall && !other.ask.sites);
    assert_eq!(other.result.as_deref(), Some("let r ="));
    assert_eq!(plan("%lprun -f f"), Ok(Plan::Nothing));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
    check("%lprun f()", "0..6 which function is shown by line?");
    check(
        "%lprun -f 3 f()",
        "10..11 `3` is no value for `-f FUNCTION`: it is the name of a function, such as fib or Grid::step",
    );
    check("%lprun -f", "7..9 `-f FUNCTION` needs a value");
    check(
        "%lprun -f f -u 0 f()",
        "15..16 `0` is no value for `-u UNIT`: it is a number of seconds above zero, such as 1e-3",
    );
    check(
        "%lprun -f f -u ms f()",
        "15..17 `ms` is no value for `-u UNIT`: it is a number of seconds above zero, such as 1e-3",
    );
    check("%lprun -f f -x f()", "12..14 `%lprun` has no option `-x`");
    check("%lprun -f f --walls f()", "12..19 `%lprun` has no option `--walls`");
    check("%lprun -f f f(", "13..14 this is no Rust: a bracket or a comment is not closed");
    check("let r = %lprun -f f f()", "8..14 `%lprun` gives no value that a variable could hold");
    check("{\n%lprun -f f f()\n}", "2..8 `%lprun` stands inside braces");
}

#[test]
fn a_sample_counts_for_the_first_line_of_a_statement() {
    // Line 8 is the last of the statement that begins on line 7.
    check(&words(), "2:1/0 3:1/0 4:10001/50 6:10000/350 7:10000/90 10:1/5 11:1/0 12:1/0");
}

#[test]
fn in_a_recursion_the_innermost_call_counts() {
    let fib = "fn fib(n: u64) -> u64 {\n    if n < 2 { return n }\n    fib(n - 1) + fib(n - 2)\n}";
    let scene = Scene::new()
        .asked("fib", 1, fib)
        .samples("fib:3 fib:3 fib:2", 60)
        .samples("fib:3 fib:3 fib:1", 10)
        .samples("fib:3", 30)
        .samples("other:9", 100);
    check(&scene, "1:-/10 2:-/60 3:-/30");
    assert_eq!(figures(&scene.0, true)[0].samples, 100);
}

#[test]
fn closures_are_lines_of_their_function_and_inner_functions_are_not() {
    let outer = "fn outer() {\n    let all = v.iter()\n        .map(|x| {\n            slow(x)\n        })\n        .sum();\n    fn inner() {\n        slow(1)\n    }\n    inner();\n}";
    let scene = Scene::new()
        .asked("outer", 1, outer)
        .with("outer::{closure#0}", 3)
        .with("outer::inner", 7)
        .samples("outer:6 Iterator::sum outer::{closure#0}:4 slow", 70)
        .samples("outer:6 Iterator::sum", 5)
        .samples("outer:10 outer::inner:8 slow", 20)
        .hits(&[(1, 1), (2, 1), (3, 1000), (4, 1000), (6, 1), (7, 1), (8, 1), (10, 1), (11, 1)]);
    check(&scene, "1:1/0 2:1/5 4:1000/70 10:1/20 11:1/0");
}

#[test]
fn a_generic_function_is_one_whatever_its_parameters_are() {
    let scene = Scene::new()
        .asked("max::<u32>", 1, "fn max<T: Ord>(all: &[T]) -> T {\n    all.iter().max()\n}")
        .with("max::<String>", 1)
        .with("min::<String>", 1)
        .samples("max::<u32>:2", 3)
        .samples("max::<String>:2 cmp", 4)
        .samples("min::<String>:2", 5);
    check(&scene, "2:-/7");
}

#[test]
fn the_cell_itself_has_lines_without_those_of_its_functions() {
    let cell = "%%lprun\nfn f() {\n    g();\n}\nlet a =\n    f();\nf();";
    let scene = Scene::new()
        .asked(STATEMENTS, 1, cell)
        .asked("f", 2, "fn f() {\n    g();\n}")
        .samples("<statements>:6 f:3", 5)
        .samples("<statements>:7 f:3", 6)
        .hits(&[(2, 2), (3, 2), (4, 2), (6, 1), (7, 1)]);
    assert_eq!(shown(&scene.0), ["5:1/5 7:1/6", "2:2/0 3:2/11 4:2/0"]);
}

#[test]
fn several_runs_are_told_as_one() {
    let time = Time { period: 1e-3, runs: 100, ..Time::default() };
    let scale = Scale { samples: 400, ..Scale::of(&time) };
    assert!((scale.seconds(100) - 1e-3).abs() < 1e-12);
    // 1.96 √(100 · 300 / 400) samples, each a hundredth of a millisecond.
    assert!((scale.error(100) - 1.697e-4).abs() < 1e-7);
    // None, and all: less than three.
    assert!([0, 400].iter().all(|samples| (scale.error(*samples) - 3e-5).abs() < 1e-12));
}

#[test]
fn the_table_is_line_profilers() {
    let text = text(CALL, words().0);
    let expected = "\
Timer unit: 1e-06 s

Total time: 0.495 s
File: cell[3]
Function: count at line 2

Line #      Hits         Time  Per Hit   % Time  Line Contents
==============================================================
     2         1          0.0      0.0      0.0  fn count(text: &str) -> HashMap<String, usize> {
     3         1          0.0      0.0      0.0      let mut counts = HashMap::new();
     4     10001      50000.0      5.0     10.1▁     for word in text
     5                                                   .split_whitespace() {
     6     10000     350000.0     35.0     70.7▆         let word = word.to_lowercase().to_string();
     7     10000      90000.0      9.0     18.2▂         *counts
     8                                                       .entry(word)
     9                                                       .or_insert(0) += 1;
    10         1       5000.0   5000.0      1.0▁     }
    11         1          0.0      0.0      0.0      counts
    12         1          0.0      0.0      0.0  }

Allocations of one run:
Line #  Allocs    Bytes  % Bytes     Line Contents
--------------------------------------------------------------------------------
     6  20,000  140,000     88.4  █  let word = word.to_lowercase().to_string();
     7       5   18,288     11.6  ▁  *counts

Times are of the processor, of all threads, estimated from 500 samples; hits are counted in another run.
Zen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)";
    assert_eq!(text, expected);
}

#[test]
fn a_unit_and_stripped_lines() {
    let text = text("%lprun -u 1e-3 -z -f count count(&text)", words().0);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Timer unit: 0.001 s");
    assert!(
        lines.iter().any(|line| line.starts_with("     6     10000        350.0      0.0     70.7▆ ")),
        "{text}"
    );
    assert!(!text.contains(".split_whitespace"), "{text}");
}

#[test]
fn a_function_that_was_never_called_says_so() {
    let scene = Scene::new().asked("f", 1, "fn f() {\n    g()\n}").hits(&[(1, 0), (2, 0), (3, 0)]);
    let never = text(CALL, scene.0);
    assert!(never.contains("Function: f at line 1\n\n`f` was never called.\n\nLine #"), "{never}");
    let scene = Scene::new().asked("f", 1, "fn f() {\n    g()\n}").calls(0, 0);
    assert!(!text("%lprun -z -f f f()", scene.0).contains("Line #"));
    let scene = Scene::new().asked("f", 1, "fn f() {\n    g()\n}").samples("h:2", 500);
    let unknown = text(CALL, scene.0);
    assert!(
        unknown.contains("`f` was not seen at work: it was not called, or so short that no sample met it."),
        "{unknown}"
    );
    let scene = Scene::new().asked("f", 1, "fn f() {\n    g()\n}").samples("h:2", 500).hits(&[
        (1, 1),
        (2, 1),
        (3, 1),
    ]);
    let short = text(CALL, scene.0);
    assert!(short.contains("No sample met `f`: it takes less than 3 ms of one run."), "{short}");
}

#[test]
fn of_a_cell_only_functions_that_were_called_are_shown() {
    let scene = Scene::new()
        .asked(STATEMENTS, 1, "%%lprun\nfn f() {}\nfn g() {}\ng();")
        .asked("f", 2, "fn f() {}")
        .asked("g", 3, "fn g() {}")
        .samples("<statements>:4 g:3", 500)
        .hits(&[(2, 0), (3, 1), (4, 1)]);
    let text = text("%%lprun\nfn f() {}\nfn g() {}\ng();", scene.0);
    let functions: Vec<&str> = text.lines().filter(|line| line.starts_with("Function")).collect();
    assert_eq!(functions, ["Function: <statements> at line 1", "Function: g at line 3"]);
}

#[test]
fn what_is_doubtful_is_said() {
    let check = |change: &dyn Fn(&mut Profiled), expected: &str| {
        let mut scene = words();
        change(&mut scene.0);
        let text = text(CALL, scene.0);
        assert!(text.contains(expected), "{text}");
    };
    check(&|profiled| profiled.run.ending = Ending::Failed, "\nPartial: a panic or a `?` ended the code");
    check(&|profiled| profiled.run.ending = Ending::Interrupted, "\nPartial: it was interrupted");
    check(
        &|profiled| profiled.doubts.push("Lines were not counted: why.".to_owned()),
        "\nLines were not counted: why.\n",
    );
    check(
        &|profiled| profiled.run.wall = 2.0,
        "\nOf 2 s on the wall the processor worked 500 ms; waiting is in none of these times: `--wall` counts it.",
    );
    check(
        &|profiled| (profiled.run.wall, profiled.run.ready) = (2.0, Some(1.3)),
        "\nThe machine was busy: it was ready to run for 1.3 s and had no processor. So it took 2 s on the wall; these times are of the 500 ms that it ran.",
    );
    check(
        &|profiled| {
            profiled.heaps[0].estimated = Some(500_000);
            profiled.heaps[0].allocations = 46_000_000;
        },
        "\nThere were 46,000,000 allocations, too many to take the stack of each: it was taken of the first 500,000 and of a random part of the others. How they share out among places is estimated from these.",
    );
    check(&|profiled| profiled.time.as_mut().unwrap().lost = 500, "\n50 % of the samples were lost");
    check(
        &|profiled| profiled.time.as_mut().unwrap().stacks[0].complete = false,
        "\nOf 70 % of the samples the stack is not whole",
    );
    check(
        &|profiled| profiled.time.as_mut().unwrap().runs = 40,
        "of one run on average: it ran 39 times more in a copy of the process",
    );
    check(
        &|profiled| profiled.time.as_mut().unwrap().stacks.truncate(0),
        "\nNo sample met `count`: it takes less than 3 ms of one run.",
    );
    check(
        &|profiled| profiled.time.as_mut().unwrap().stacks.retain(|stack| stack.samples == 50),
        "\nOnly 50 of 50 samples met `count`, so its times are rough",
    );
    check(
        &|profiled| {
            profiled.functions[0].file = "words/src/lib.rs".to_owned();
        },
        "\nHow often lines of `words/src/lib.rs` ran was not counted.",
    );
}

#[test]
fn without_samples_there_are_hits_and_allocations() {
    let mut scene = words();
    scene.0.time = None;
    let report = said(CALL, scene.0);
    let bundle = report.shown.unwrap();
    assert!(
        bundle.plain().contains("     6     10000                                         let word"),
        "{}",
        bundle.plain()
    );
    let html = bundle.data["text/html"].as_str().unwrap();
    assert!(html.contains("Allocs") && !html.contains("% Time"), "{html}");
}

#[test]
fn files_and_values_are_made() {
    let report = said("%lprun -r -T a.txt -D b.json -f count count(&text)", words().0);
    let said: Vec<&str> = report.files.iter().map(|file| file.said.as_str()).collect();
    assert_eq!(
        said,
        [
            "*** Profile stats saved as JSON to file 'b.json'.",
            "*** Profile printout saved to text file 'a.txt'."
        ]
    );
    assert!(report.files[1].content.starts_with("Timer unit: 1e-06 s\n\nTotal time"));
    let json: serde_json::Value = serde_json::from_str(&report.files[0].content).unwrap();
    assert_eq!(json["functions"][0]["lines"][3]["hits"], 10_000);
    let value = report.value.unwrap();
    assert!(syn::parse_str::<syn::Expr>(&value).is_ok(), "{value}");
    assert!(value.contains("::assay::LprunLine { line: 6, hits: ::core::option::Option::Some(10000), time: 0.35_f64, allocations: 20000, bytes: 140000,"), "{value}");
}

#[test]
fn the_guilty_line_is_hot_in_html() {
    let bundle = said(CALL, words().0).shown.unwrap();
    let html = bundle.data["text/html"].as_str().unwrap();
    assert!(html.contains("(495 samples; most of it in line 6 (71 %))"), "{html}");
    let hot = html.lines().find(|line| line.contains(">6</th>")).unwrap();
    assert_eq!(hot.matches("background-color: #d55e00").count(), 2, "{hot}");
    assert!(
        hot.contains(">350 ms</td>") && hot.contains(">35 µs</td>") && hot.contains(">70.7</td>"),
        "{hot}"
    );
    let cold = html.lines().find(|line| line.contains(">3</th>")).unwrap();
    assert!(!cold.contains("background-color") && cold.contains("&lt; 3 ms"), "{cold}");
    assert_eq!(COUNT.lines().count(), html.matches("<tr><th scope=\"row\"").count());
    let other =
        Scene::new().asked("f", 1, "fn f() {}").samples("f:1", 200).site("f:1 alloc", allocates(1, 8, 8));
    assert!(!said(CALL, other.0).shown.unwrap().data["text/html"].as_str().unwrap().contains("Hits"));
}
