//! What is shown.

use super::{fib, function, outcome, stack, words};
use crate::profiled::{Calls, Ending, Origin, Profiled, Run, Stack, Time};
use crate::trial::{report, shown};

/// The lines that are shown, without the context.
fn lines(cell: &str, profiled: Profiled) -> String {
    let text = shown(cell, outcome(profiled));
    let context = "\nZen · rustc 1.95.0 · opt-level 3 · noise floor ±2.5 % (4 starts)";
    text.strip_suffix(context).unwrap_or(&text).to_owned()
}

fn time(profiled: &mut Profiled) -> &mut Time {
    profiled.time.as_mut().unwrap()
}

#[test]
fn the_table_is_cprofiles_and_more() {
    let expected = "\
120001 function calls in 1.000 seconds of processor time
Ordered by: internal time

 ncalls        tottime   share  percall        cumtime    share  percall  hottest line  filename:lineno(function)
(exact)      (sampled)                       (sampled)
         0.550 ± 0.031  55.0 %           0.550 ± 0.031   55.0 %           cell[3]:14    libc.so.6(memcpy)
 120000  0.250 ± 0.027  25.0 %  2.08e-6  0.250 ± 0.027   25.0 %  2.08e-6  cell[3]:13    cell[3]:13(count_words::{closure#0}) [inlined]
         0.100 ± 0.019  10.0 %           0.650 ± 0.030   65.0 %           cell[3]:14    std/src/collections/hash/map.rs:290(HashMap::entry)
      1  0.095 ± 0.018   9.5 %    0.095  0.995 ± 0.005   99.5 %    0.995  cell[3]:14    cell[3]:10(count_words)
         0.005 ± 0.005   0.5 %           1.000 ± 0.003  100.0 %           cell[4]:2     cell[4]:1(<statements>)

Hottest lines    time         share  in
-------------------------------------------------------------
cell[3]:14     650 ms  65.0 ± 3.0 %  count_words
cell[3]:13     250 ms  25.0 ± 2.7 %  count_words::{closure#0}
cell[3]:12      95 ms   9.5 ± 1.8 %  count_words

tottime and cumtime are sampled: 1,000 samples, one every 1 ms of processor time; ± is the half of a 95 % interval; taking them took 0.6 % of the time.
ncalls is exact, of functions in cells; it was counted in another run, in a copy of the process of which nothing is left.
Not listed: 1 function of libraries that has little time of its own (0.0 % in all); -a lists all.";
    let text = lines("%prun count_words(&text)", words());
    assert_eq!(text, expected);
}

#[test]
fn recursion_has_primitive_calls() {
    let text = lines("%prun -l 1 fib(25)", fib(&[1, 5, 27]));
    let first: Vec<&str> = text.lines().take(3).collect();
    let head = "242785 function calls (1 primitive call) in 0.03000 seconds of processor time";
    assert_eq!(first, [head, "Ordered by: internal time", "List reduced from 2 to 1 due to restriction <1>"]);
    assert!(
        text.contains("242785/1  0.03000 ± 0.00027  100.0 %  1.24e-7  0.03000 ± 0.00027  100.0 %    0.030"),
        "{text}"
    );
    assert!(text.contains("It ran 10 times: once with all its effects"), "{text}");
}

#[test]
fn what_is_not_told_apart_is_not_summed_up() {
    let mut profiled = fib(&[3, 3, 3]);
    profiled.functions[1].origin = Origin::Local;
    profiled.calls = vec![Calls { function: 1, total: 7, primitive: None, at_least: false }];
    profiled.calls.push(Calls { function: 0, total: 5, primitive: Some(1), at_least: false });
    let text = lines("%prun fib(25)", profiled);
    assert!(text.starts_with("12 function calls in 0.03000 seconds"), "{text}");
    assert!(text.contains("ncalls is exact, of functions in cells and in crates of your own; it"), "{text}");
}

#[test]
fn counts_that_may_be_too_small_say_so() {
    let mut profiled = fib(&[3, 3, 3]);
    profiled.calls = vec![Calls { function: 1, total: 7, primitive: None, at_least: true }];
    let text = lines("%prun fib(25)", profiled);
    assert!(text.starts_with("at least 7 function calls in 0.03000 seconds"), "{text}");
    assert!(text.contains("     ≥7  "), "{text}");
}

#[test]
fn what_makes_a_profile_doubtful_is_said() {
    let check = |change: &dyn Fn(&mut Profiled), expected: &str| {
        let mut profiled = words();
        change(&mut profiled);
        let text = lines("%prun f()", profiled);
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    };
    check(
        &|profiled| time(profiled).stacks = vec![stack("0:2", 37)],
        "There are only 37 samples: a share of half the time is known to ±16 points. Give it more to do: a longer input, or a loop around it.",
    );
    check(
        &|profiled| {
            time(profiled).stacks.clear();
            profiled.run = Run { wall: 2e-5, user: 2e-5, ..Run::default() };
        },
        "No sample was taken: it ran for 20 µs of the processor's time, and a sample is taken every 1 ms. Nothing can be said of where its time goes: give it more to do.",
    );
    check(
        &|profiled| time(profiled).lost = 100,
        "100 samples (9.1 %) could not be kept, so times are too small by as much",
    );
    check(&|profiled| time(profiled).stacks[4].complete = false, "of processor time");
    check(&|profiled| time(profiled).stacks[3].complete = false, "9.5 % of the stacks are not whole");
    check(
        &|profiled| time(profiled).timers = true,
        "The system gave no events of its own (perf_event_open), so timers took the samples",
    );
    check(
        &|profiled| profiled.run = Run { wall: 1.0, user: 0.6, system: 0.4, ..Run::default() },
        "Of 1 s of the processor's time 400 ms were spent in the system for it",
    );
    check(
        &|profiled| {
            time(profiled).stacks = vec![stack("0:2", 5)];
            profiled.run = Run { wall: 0.144, user: 0.0054, system: 0.034, ..Run::default() };
        },
        "Most of the processor's time was spent in the system for it (pages of memory that are new, files, sockets): 34 ms of 39.4 ms. No sample sees that; what is shown are the 5 ms beside it. `--wall` sees it.\nThere are only 5 samples",
    );
    check(
        &|profiled| {
            time(profiled).runs = 5;
            time(profiled).processor_of_runs = 1.0 + 4.0 * 0.3;
        },
        "The runs were not alike: the first took 1 s of the processor's time, the 4 others 300 ms each on average: what a run keeps (a cache that is filled, memory that is new) was there for those after it. What is shown is the mean of all.",
    );
    check(
        &|profiled| {
            (time(profiled).runs, time(profiled).wall) = (2, true);
            time(profiled).wall_of_runs = 1.02 + 2.0;
        },
        "The runs were not alike: the first took 1.02 s on the wall, the other 2 s: what runs leave (a collection that grows) is there for those after them.",
    );
    check(&|profiled| time(profiled).spent = 0.09, "Taking samples took 9 % of the time.");
    check(
        &|profiled| profiled.run.wall = 3.0,
        "It waited for most of the time: 1 s of the processor's in 3 s on the wall, and only the former is in the table. `--wall` shows where it waits.",
    );
    check(
        &|profiled| (profiled.run.wall, profiled.run.ready) = (3.0, Some(0.5)),
        "It waited for most of the time: 1 s of the processor's in 3 s on the wall",
    );
    check(
        &|profiled| (profiled.run.wall, profiled.run.ready) = (3.5, Some(2.4)),
        "The machine was busy: it was ready to run for 2.4 s and had no processor. So it took 3.5 s on the wall; these times are of the 1 s that it ran.",
    );
    check(
        &|profiled| {
            (profiled.run.wall, profiled.run.ready) = (3.5, Some(2.4));
            time(profiled).wall = true;
        },
        "The machine was busy: for 2.4 s of 3.5 s on the wall it was ready to run and had no processor, and that is in these times.",
    );
    check(
        &|profiled| profiled.run.ending = Ending::Failed,
        "Partial: a panic or a `?` ended it, and this is the profile up to then.",
    );
    check(&|profiled| profiled.run.ending = Ending::Interrupted, "Partial: it was interrupted");
    check(&|profiled| profiled.doubts.push("Calls were not counted.".to_owned()), "Calls were not counted.");
    check(&|profiled| profiled.facts.optimisation = "0".to_owned(), "The cell was compiled at opt-level 0");
    check(
        &|profiled| time(profiled).wall = true,
        "120001 function calls in 1.000 seconds of wall time, of all threads",
    );
}

#[test]
fn threads_have_their_part() {
    let mut profiled = words();
    time(&mut profiled).threads.extend(["worker".to_owned(), String::new()]);
    time(&mut profiled)
        .stacks
        .extend([Stack { thread: 1, ..stack("1:12", 500) }, Stack { thread: 2, ..stack("5:", 500) }]);
    let text = lines("%prun f()", profiled.clone());
    let expected = "\
Threads    time   share  hottest line
-------------------------------------
main        1 s  50.0 %  cell[3]:14
worker   500 ms  25.0 %  cell[3]:12
(3)      500 ms  25.0 %\n";
    assert!(text.contains(expected), "{text}");
    let graph = &report("%prun f()", outcome(profiled.clone())).unwrap().also[0];
    assert!(graph.plain().contains("  50.0 %  thread main\n"), "{}", graph.plain());
    time(&mut profiled).stacks.extend((3..30).map(|thread| Stack { thread, ..stack("1:12", 10) }));
    let text = lines("%prun f()", profiled);
    assert!(text.contains("22 others  220 ms   9.7 %"), "{text}");
}

#[test]
fn the_graph_is_a_tree_in_text() {
    let graph = |cell: &str, profiled| report(cell, outcome(profiled)).unwrap().also.remove(0);
    let text = graph("%prun count_words(&text)", words());
    let expected = "\
Where the time of count_words(&text) goes
 100.0 %  <statements>  cell[4]:1
  99.5 %    count_words  cell[3]:10, 9.5 % its own
  65.0 %      HashMap::entry  std/src/collections/hash/map.rs:290, 10 % its own
  55.0 %        memcpy  libc.so.6
  25.0 %      count_words::{closure#0}  cell[3]:13
of the standard library only what was called and where the time is; -a draws all";
    assert_eq!(text.plain(), expected);
    let all = graph("%prun -a count_words(&text)", words());
    assert!(all.plain().contains("RawTable::reserve_rehash"), "{}", all.plain());
    let folded = graph("%prun fib(25)", fib(&[1, 5, 27]));
    assert!(folded.plain().contains(" 100.0 %    fib ×27  cell[1]:1\n"), "{}", folded.plain());
}

#[test]
fn without_samples_there_is_no_graph() {
    let made = report("%prun f()", outcome(Profiled { time: None, ..fib(&[]) })).unwrap();
    assert_eq!(made.also.len(), 0);
    let empty = Profiled { facts: crate::trial::facts(), ..Profiled::default() };
    assert_eq!(lines("%prun f()", empty), "0.000 seconds of processor time\nOrdered by: internal time");
}

#[test]
fn html_keeps_what_an_untrusted_page_keeps() {
    let mut profiled = words();
    profiled.functions[1] = function("a<b>::\"c\" & 'd'", "cell[3]", Some(10), Origin::Local);
    let made = report("%prun f(\"<&>\")", outcome(profiled)).unwrap();
    let also = made.also.iter().map(|bundle| bundle.data["text/html"].as_str().unwrap().to_owned());
    for html in also.chain([made.shown.unwrap().data["text/html"].as_str().unwrap().to_owned()]) {
        crate::trial::check_html(&html);
        assert!(html.contains("a&lt;b&gt;::&quot;c&quot; &amp; &#39;d&#39;"), "{html}");
    }
}
