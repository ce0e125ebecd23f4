use super::{BOXES, Flame, Frame, Kind, LEVELS, NARROW, Plan, flame};
use crate::render::chart::Undrawable;
use crate::trial::check_html;

fn frame(name: &str, weight: u64, children: Vec<Frame>) -> Frame {
    Frame {
        name: name.to_owned(),
        place: "cell[1]:2".to_owned(),
        depth: 1,
        inlined: false,
        kind: Kind::Cell,
        weight,
        children,
    }
}

fn graph(frames: Vec<Frame>) -> Flame {
    Flame { title: "f()".to_owned(), unit: "samples".to_owned(), frames, notes: Vec::new() }
}

/// So many levels, on each of which a frame calls so many, with names that are too long.
pub(in crate::render::chart) fn grown(levels: usize, each: u64) -> Flame {
    fn below(levels: usize, each: u64, weight: u64, seed: usize) -> Vec<Frame> {
        if levels == 0 || weight < 2 * each {
            return Vec::new();
        }
        // One is as wide as half, the others share the rest.
        let weights = (0..each).map(|index| if index == 0 { weight / 2 } else { weight / (2 * each) });
        let made = weights.enumerate().map(|(index, weight)| Frame {
            name: format!("<alloc::vec::Vec<T, A> as core::iter::Extend<{seed}>>::extend_{index}"),
            place: format!("alloc/src/vec/mod_{seed}.rs:{}", 100 + index),
            depth: index % 5,
            inlined: index % 2 == 1,
            kind: Kind::ALL[(seed + index) % Kind::ALL.len()],
            weight,
            children: below(levels - 1, each, weight, seed + index + 1),
        });
        made.collect()
    }
    let frames = below(levels, each, 1 << 14, 0);
    Flame {
        title: "a title that is far too long ".repeat(9),
        notes: vec!["a note ".repeat(30)],
        ..graph(frames)
    }
}

#[test]
fn a_box_is_as_wide_as_its_share_and_below_its_caller() {
    let graph = graph(vec![
        frame("b", 60, vec![frame("d", 20, vec![]), frame("c", 30, vec![])]),
        frame("a", 40, vec![]),
    ]);
    let plan = Plan::of(&graph).unwrap();
    let shown: Vec<_> = plan
        .boxes
        .iter()
        .map(|placed| (placed.frame.name.as_str(), placed.level, placed.left, placed.width))
        .collect();
    assert_eq!(shown, [("b", 0, 0.0, 0.6), ("c", 1, 0.0, 0.3), ("d", 1, 0.3, 0.2), ("a", 0, 0.6, 0.4)]);
    assert_eq!(plan.notes(), [""; 0]);
}

#[test]
fn what_is_narrow_or_deep_is_left_out_and_said() {
    let narrow = graph(vec![frame("a", 9980, vec![]), frame("b", 20, vec![])]);
    let plan = Plan::of(&narrow).unwrap();
    assert_eq!(plan.boxes.len(), 1);
    assert_eq!(plan.notes(), ["frames below 0.3 % are not drawn (0.2 % in all)"]);
    let deep = (0..40).fold(frame("z", 50, vec![]), |inner, _| frame("y", 50, vec![inner]));
    let deep = graph(vec![deep]);
    let plan = Plan::of(&deep).unwrap();
    assert_eq!(plan.levels, LEVELS);
    assert_eq!(plan.notes(), ["frames deeper than 24 levels are not drawn (100 %)"]);
}

#[test]
fn of_many_boxes_the_widest_are_drawn() {
    let many = grown(30, 3);
    let plan = Plan::of(&many).unwrap();
    assert!(plan.boxes.len() <= BOXES && plan.boxes.len() > BOXES / 3, "{}", plan.boxes.len());
    assert!(plan.narrow >= NARROW);
    assert!(plan.boxes.iter().all(|placed| placed.width >= plan.narrow));
}

#[test]
fn html_is_whole_and_small_and_kept_by_an_untrusted_page() {
    for graph in [grown(40, 3), grown(2, 900), grown(1, 1)] {
        let bundle = flame(&graph).unwrap();
        let html = bundle.data["text/html"].as_str().unwrap();
        check_html(html);
        assert!(html.len() < 100_000, "{} bytes", html.len());
        let kinds: Vec<&str> = bundle.data.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["text/plain", "image/svg+xml", "image/png", "text/html"]);
    }
}

/// rayon divides its work by calling itself: as many stacks as there are levels, each with names as long as a line.
#[test]
fn the_graph_of_code_that_divides_its_work_is_small_too() {
    fn divided(level: u32, weight: u64) -> Frame {
        let name =
            format!("rayon::iter::plumbing::bridge_producer_consumer::helper of level {level} and {weight}");
        let calls = if level == 0 {
            vec![]
        } else {
            vec![divided(level - 1, weight / 2), divided(level - 1, weight / 3)]
        };
        frame(&name, weight, calls)
    }
    let bundle = flame(&graph(vec![divided(12, 1_000_000)])).unwrap();
    for kind in ["image/svg+xml", "image/png", "text/html"] {
        let content = bundle.data[kind].as_str().unwrap();
        assert!(content.len() < 100_000, "{kind}: {} bytes", content.len());
    }
}

#[test]
fn who_cannot_see_it_hears_what_is_widest() {
    let calls = vec![frame("b", 300, vec![]), frame("a", 100, vec![])];
    let bundle = flame(&graph(vec![frame("b", 1000, calls)])).unwrap();
    let said = bundle.metadata["image/png"]["alt"].as_str().unwrap();
    assert!(said.starts_with("Flame graph. "), "{said}");
    assert!(
        said.ends_with(
            ": 1,000 samples; a box is as wide as its share of them; the most of its own has b, 90 %."
        ),
        "{said}"
    );
}

#[test]
fn a_title_says_what_a_narrow_box_cannot() {
    let inner =
        Frame { inlined: true, depth: 27, ..frame("fib<&'a str>", 700, vec![frame("g", 299, vec![])]) };
    let bundle = flame(&graph(vec![frame("main", 1000, vec![inner])])).unwrap();
    let html = bundle.data["text/html"].as_str().unwrap();
    let title = "title=\"fib&lt;&amp;&#39;a str&gt; ×27 · cell[1]:2 · compiled into its caller · up to 27 calls within each other · 70 % (700 samples) · 40.1 % its own\"";
    assert!(html.contains(title), "{html}");
    assert!(html.contains(">fib&lt;&amp;&#39;a str&gt; ×27 · 70 %</div>"), "{html}");
}

#[test]
fn text_on_each_colour_can_be_read() {
    let light = |(red, green, blue): (u8, u8, u8)| {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    for kind in Kind::ALL {
        let (box_is, text_is) = kind.colours();
        let (one, other) = (light(box_is) + 0.05, light(text_is) + 0.05);
        let contrast = one.max(other) / one.min(other);
        assert!(contrast >= 4.5, "{kind:?}: {contrast}");
    }
}

#[test]
fn without_weight_there_is_nothing_to_draw() {
    assert_eq!(flame(&graph(Vec::new())).unwrap_err(), Undrawable::Empty);
    assert_eq!(flame(&graph(vec![frame("a", 0, Vec::new())])).unwrap_err(), Undrawable::Empty);
}
