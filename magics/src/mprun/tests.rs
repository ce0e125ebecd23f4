//! `%mprun`: what it plans, what the figures come to, and how they are told.

use super::figures::figures;
use crate::lines::trial::{Scene, allocates, frees, said, step, text, words};
use crate::plan::Plan;
use crate::profiled::{Ending, Heap, Site};
use crate::trial::{complaint, plan};

const CALL: &str = "%mprun -f count count(&text)";

/// `line:usage+increment` of each line that did something.
fn shown(scene: &Scene) -> String {
    let figures = figures(&scene.0, true);
    let lines = figures.iter().flat_map(|function| &function.lines);
    let heap = lines.filter_map(|line| {
        Some(format!("{}:{}{:+}", line.number, line.heap?.usage(), line.heap?.increment()))
    });
    heap.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_asked_is_planned() {
    let step_of = step("let m = %mprun -r -f build -f Grid::new build(3)");
    let names: Vec<&str> = step_of.functions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["build", "Grid::new"]);
    let ask = step_of.ask;
    assert!(ask.counts && ask.sites && !ask.time && ask.heap == Some(1), "{ask:?}");
    assert_eq!((step_of.result.as_deref(), step_of.again), (Some("let m ="), None));
    assert_eq!(step("%%mprun\nf()").functions, [("<statements>".to_owned(), 0..7)]);
    assert_eq!(plan("%mprun -f f"), Ok(Plan::Nothing));
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let check = |cell: &str, expected: &str| assert_eq!(complaint(cell), expected, "{cell}");
    check("%mprun f()", "0..6 which function is shown by line?");
    check(
        "%mprun -f 'a b' f()",
        "10..15 `a b` is no value for `-f FUNCTION`: it is the name of a function, such as fib or Grid::step",
    );
    check("%mprun -f f -z f()", "12..14 `%mprun` has no option `-z`");
    check("%mprun -f f -T", "12..14 `-T FILE` needs a value");
    check("let m = %mprun -f f f()", "8..14 `%mprun` gives no value that a variable could hold");
}

#[test]
fn an_increment_is_what_is_allocated_less_what_is_freed() {
    let build = "fn build() -> Vec<u8> {\n    let a = vec![0; 100];\n    let b = a.repeat(2);\n    drop(a);\n    b\n}";
    let scene = Scene::new()
        .asked("build", 1, build)
        .site("build:2 vec", allocates(1, 100, 100))
        .site("build:3 repeat", Site { heap_most: 400, frees: 1, freed: 100, ..allocates(3, 300, 300) })
        .site("build:4 drop", frees(1, 60, 240))
        .site("build:4 drop other", frees(1, 40, 200));
    // Line 3 had 400 live for a while; line 4 leaves what its last free left.
    assert_eq!(shown(&scene), "2:100+100 3:400+200 4:200-100");
    let sum = figures(&scene.0, true)[0].sum();
    assert_eq!((sum.allocations, sum.bytes, sum.frees, sum.freed), (4, 400, 3, 200));
}

#[test]
fn in_a_recursion_the_innermost_call_counts() {
    let tree = "fn tree(n: u32) -> Box<Node> {\n    let left = (n > 0).then(|| tree(n - 1));\n    Box::new(Node { left })\n}";
    let scene = Scene::new()
        .asked("tree", 1, tree)
        .with("tree::{closure#0}", 2)
        .site("tree:2 then tree::{closure#0}:2 tree:3 alloc", allocates(7, 56, 56))
        .site("tree:3 alloc", allocates(1, 8, 64));
    assert_eq!(shown(&scene), "3:64+64");
}

#[test]
fn the_table_is_memory_profilers() {
    let text = text(CALL, words().0);
    let expected = "\
Filename: cell[3]

Line #    Mem usage    Increment  Occurrences   Line Contents
=============================================================
     2                                      1   fn count(text: &str) -> HashMap<String, usize> {
     3                                      1       let mut counts = HashMap::new();
     4                                  10001       for word in text
     5                                                  .split_whitespace() {
     6     12,000 B     70,000 B        10000 █         let word = word.to_lowercase().to_string();
     7     24,000 B     12,288 B        10000 ▁         *counts
     8                                                      .entry(word)
     9                                                      .or_insert(0) += 1;
    10     13,788 B    -68,500 B            1       }
    11                                      1       counts
    12                                      1   }

Allocations in count:
Line #  Allocs  Allocated     %     Line Contents
-------------------------------------------------------------------------------
     6  20,000  140,000 B  88.4  █  let word = word.to_lowercase().to_string();
     7       5   18,288 B  11.6  ▁  *counts
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with("Increment: allocated less freed.\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)"), "{text}");
}

#[test]
fn large_figures_make_room() {
    let scene = Scene::new()
        .asked("f", 1, "fn f() {\n    g()\n}")
        .site("f:2 g", allocates(1, 3_000_000_000, 3_000_000_000));
    let text = text(CALL, scene.0);
    assert!(
        text.contains("Line #       Mem usage       Increment  Occurrences   Line Contents\n=="),
        "{text}"
    );
    assert!(text.contains("     2 3,000,000,000 B 3,000,000,000 B              █     g()\n"), "{text}");
}

#[test]
fn what_is_not_known_is_said() {
    let f = || Scene::new().asked("f", 1, "fn f() {\n    g()\n}");
    let never = text(CALL, f().calls(0, 0).0);
    assert!(never.contains("\n`f` was never called.\n"), "{never}");
    let unknown = text(CALL, f().0);
    assert!(unknown.contains("\n`f` allocated nothing and freed nothing, if it was called.\n"), "{unknown}");
    let mut nowhere = f().calls(0, 1);
    nowhere.0.heaps.push(Heap { allocations: 3, bytes: 30, ..Heap::default() });
    let nowhere = text(CALL, nowhere.0);
    assert!(
        nowhere.contains("\nWhich lines allocate could not be found out: no stack was taken.\n"),
        "{nowhere}"
    );
    let mut scene = words();
    scene.0.run.ending = Ending::Interrupted;
    assert!(
        text("%mprun -c -f count count()", scene.0)
            .contains("\n-c: other processes have heaps of their own, which nothing here counts.\n")
    );
}

#[test]
fn files_and_values_are_made() {
    let report = said("%mprun -r -T a.txt -f count count(&text)", words().0);
    let said: Vec<&str> = report.files.iter().map(|file| file.said.as_str()).collect();
    assert_eq!(said, ["*** Profile printout saved to text file a.txt."]);
    let value = report.value.unwrap();
    assert!(syn::parse_str::<syn::Expr>(&value).is_ok(), "{value}");
    let line = "::assay::MprunLine { line: 10, usage: ::core::option::Option::Some(13788), increment: -68500, occurrences: ::core::option::Option::Some(1), allocations: 0, bytes: 0, frees: 9700, freed: 68500,";
    assert!(value.contains(line), "{value}");
}

#[test]
fn the_guilty_line_is_hot_in_html() {
    let bundle = said(CALL, words().0).shown.unwrap();
    let html = bundle.data["text/html"].as_str().unwrap();
    assert!(html.contains("<strong>155 KiB</strong> in 20,005 allocations in <code>count</code> at cell[3]:2; most of it in line 6 (88 %)"), "{html}");
    let hot = html.lines().find(|line| line.contains(">6</th>")).unwrap();
    assert!(hot.contains("background-color") && hot.contains("title=\"70,000 B\">+68.4 KiB</td>"), "{hot}");
}
