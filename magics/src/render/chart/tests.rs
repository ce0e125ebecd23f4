//! What holds for every chart, whatever the figures are.

use super::draw::{png, svg};
use super::picture::{Picture, Shape};
use super::*;
use crate::units::Quantity;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

/// Figures that look like measurements: the same ones every time.
fn figures(count: usize, around: f64, spread: f64) -> Vec<f64> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let sum = |next: &mut dyn FnMut() -> f64| (0..6).map(|_| next()).sum::<f64>() / 3.0 - 1.0;
    (0..count).map(|_| around * (1.0 + spread * sum(&mut next))).collect()
}

fn measured(label: &str, samples: Vec<f64>) -> Measured {
    let mut sorted = samples.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |part: usize| sorted.get(sorted.len() * part / 100).copied().unwrap_or(0.0);
    let (median, fences) = (at(50), (at(2), at(98)));
    Measured {
        label: label.to_owned(),
        samples,
        median,
        interval: Some((at(45), at(55))),
        fences: Some(fences),
    }
}

const LONG: &str = "data.iter().map(|x| x.sqrt()).filter(|x| *x > 0.5 && *x < \"a\".len()).collect::<Vec<_>>() // λ 日本語 😀";

type Laid = (Picture, String);

/// One of each chart, with labels that are too long and figures that are many.
fn examples() -> Vec<Laid> {
    let rows = (0..8).map(|row| measured(LONG, figures(20_000, 1e-6 * 3_f64.powi(row), 0.3))).collect();
    let near = (0..3).map(|row| measured("near", figures(50, 1e-6 + 1e-8 * f64::from(row), 0.1))).collect();
    let apart = (0..100).map(|index| 10_f64.powf(f64::from(index) / 9.0 - 9.0)).collect();
    let made = [
        distribution::layout(&measured(LONG, figures(100_000, 1.2e-6, 0.2))),
        distribution::layout(&measured("three", vec![1.0, 1.2, 3.0])),
        distribution::layout(&measured("1 ns to 100 s", apart)),
        comparison::layout(&Comparison { title: LONG.to_owned(), rows }),
        comparison::layout(&Comparison { title: "near".to_owned(), rows: near }),
        complexity::layout(&growth(Quantity::Seconds)),
        complexity::layout(&growth(Quantity::Bytes)),
        bars::layout(&levels(16)),
        heap::layout(&live(100_000)),
        flame::layout(&flame::tests::grown(40, 3)),
        flame::layout(&flame::tests::grown(2, 900)),
    ];
    made.into_iter().map(Result::unwrap).collect()
}

fn growth(quantity: Quantity) -> Complexity {
    let unit = if quantity == Quantity::Seconds { 1e-9 } else { 8.0 };
    let ns = || (4..=20).map(|power| 2_f64.powi(power));
    let size =
        |n: f64| Size { n, value: unit * n * n.log2(), interval: (unit * n, unit * n * n.log2() * 1.3) };
    let curve = |name: &str, of: &dyn Fn(f64) -> f64| Curve {
        name: name.to_owned(),
        points: ns().map(|n| (n, of(n))).collect(),
    };
    Complexity {
        title: LONG.to_owned(),
        quantity,
        sizes: ns().map(size).collect(),
        best: Some(curve("O(n log n)", &|n| unit * n * n.log2())),
        runner_up: Some(curve("O(n) and a name that no legend has room for", &|n| unit * n)),
    }
}

fn levels(count: u32) -> Bars {
    let bar = |index: u32| {
        let value = 1e-6 * f64::from(index + 1);
        Bar { label: format!("{index} {LONG}"), value, interval: Some((value * 0.9, value * 1.2)) }
    };
    Bars { title: LONG.to_owned(), quantity: Quantity::Seconds, bars: (0..count).map(bar).collect() }
}

fn live(count: u32) -> Heap {
    let sample = |at: u32| (f64::from(at) * 1e-4, i64::from(at % 977) * 4096);
    Heap { title: LONG.to_owned(), samples: (0..count).map(sample).collect(), peak: Some((3.3, 9_000_000)) }
}

fn content<'a>(bundle: &'a Bundle, mime: &str) -> &'a str {
    bundle.data[mime].as_str().unwrap()
}

#[test]
fn each_chart_has_all_forms_and_each_is_small() {
    for example in examples() {
        let shown = json!({ "width": 600, "height": example.0.height.round() as u32 });
        let bundle = bundle(example).unwrap();
        let kinds: Vec<&str> = bundle.data.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["text/plain", "image/svg+xml", "image/png"]);
        let (svg, png) = (content(&bundle, "image/svg+xml"), content(&bundle, "image/png"));
        assert!(svg.len() < 100_000 && png.len() < 100_000, "{} and {} bytes", svg.len(), png.len());
        let said = bundle.metadata["image/png"]["alt"].clone();
        assert_eq!(bundle.metadata["image/svg+xml"], json!({ "alt": said }));
        assert_eq!(
            bundle.metadata["image/png"],
            json!({ "width": 600, "height": shown["height"], "alt": said })
        );
        let said = said.as_str().unwrap();
        assert!(said.len() < 700 && !said.contains(['\n', '`']) && said.ends_with('.'), "{said}");
        assert!(svg.contains(&format!("aria-label=\"{}\"", crate::render::escape(said))));
        assert_eq!(
            size_of_png(png),
            json!({ "width": 1200, "height": shown["height"].as_u64().unwrap() * 2 })
        );
    }
}

/// The size of a png in base64, which must have several colours.
fn size_of_png(content: &str) -> serde_json::Value {
    let file = std::io::Cursor::new(STANDARD.decode(content).unwrap());
    let mut reader = ::png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let colours: std::collections::BTreeSet<u8> = pixels.into_iter().collect();
    assert!(colours.len() > 10, "something is drawn");
    json!({ "width": frame.width, "height": frame.height })
}

#[test]
fn the_svg_is_xml_that_says_what_it_shows() {
    for (picture, _) in examples() {
        let text = svg(&picture).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
        let child =
            |name| root.children().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)));
        let (title, description) = (child("title").unwrap(), child("desc").unwrap());
        assert!(!title.text().unwrap().is_empty() && !description.text().unwrap().is_empty());
        let said = root.attribute("aria-label").unwrap();
        assert!(said.starts_with(picture.kind) && said.contains(description.text().unwrap()), "{said}");
        let background = root.children().find(|node| node.tag_name().name() == "rect").unwrap();
        let size = |node: roxmltree::Node<'_, '_>| {
            [node.attribute("width"), node.attribute("height")].map(|side| side.unwrap().to_owned())
        };
        let [width, height] = size(background);
        assert_eq!(
            root.attribute("viewBox").unwrap(),
            format!("0 0 {width} {height}"),
            "the background is opaque"
        );
        for node in root.descendants().filter(roxmltree::Node::is_element) {
            let known = ["svg", "title", "desc", "rect", "line", "polyline", "polygon", "circle", "text"];
            assert!(known.contains(&node.tag_name().name()), "{:?}", node.tag_name());
            assert!(!node.attributes().any(|attribute| attribute.value().contains("NaN")), "{node:?}");
        }
    }
}

#[test]
fn the_text_is_no_wider_than_a_terminal() {
    for (_, text) in examples() {
        for line in text.lines() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn the_same_figures_give_the_same_bytes() {
    for (one, other) in examples().into_iter().zip(examples()) {
        assert_eq!(svg(&one.0).unwrap(), svg(&other.0).unwrap());
        assert_eq!(one, other);
    }
    let small = || distribution(&measured("f()", figures(100, 1e-6, 0.1))).unwrap();
    assert_eq!(small(), small());
}

/// Every label lies within its picture and apart from every other.
fn are_legible(picture: &Picture) -> Result<(), String> {
    let labels = picture.shapes.iter().filter_map(|shape| match shape {
        Shape::Label(label) => Some(label),
        _ => None,
    });
    let labels: Vec<_> = labels.filter(|label| !label.text.is_empty()).collect();
    for (index, label) in labels.iter().enumerate() {
        let (from, to) = label.extent();
        if from.0 < 0.0 || from.1 < 0.0 || to.0 > picture.width || to.1 > picture.height {
            return Err(format!("cut off: {label:?} in {} x {}", picture.width, picture.height));
        }
        for other in &labels[index + 1..] {
            let (start, end) = other.extent();
            if start.0 < to.0 && from.0 < end.0 && start.1 < to.1 && from.1 < end.1 {
                return Err(format!("overlap: {label:?} and {other:?}"));
            }
        }
    }
    Ok(())
}

/// All pictures that can be made of these figures.
fn pictures(figures: &[f64], bytes: &[u64]) -> Vec<Picture> {
    let pairs = figures.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let row = |samples: &[f64]| measured("a label of some length", samples.to_vec());
    let half = figures.len() / 2;
    let size = |(n, value): (f64, f64)| Size { n, value, interval: (value * 0.9, value * 1.1) };
    let curve = Curve { name: "O(n)".to_owned(), points: pairs.clone().collect() };
    let grown = Complexity {
        title: String::new(),
        quantity: Quantity::Bytes,
        sizes: pairs.clone().map(size).collect(),
        best: Some(curve.clone()),
        runner_up: Some(curve),
    };
    let bar = |(value, end): (f64, f64)| Bar { label: "bar".to_owned(), value, interval: Some((value, end)) };
    let listed =
        Bars { title: String::new(), quantity: Quantity::Seconds, bars: pairs.map(bar).take(16).collect() };
    let signed = |bytes: &u64| i64::try_from(*bytes).unwrap_or(i64::MAX);
    let samples = figures.iter().copied().zip(bytes.iter().map(signed)).collect();
    let used = Heap { title: String::new(), samples, peak: None };
    let compared =
        Comparison { title: String::new(), rows: vec![row(&figures[..half]), row(&figures[half..])] };
    let made = [
        distribution::layout(&row(figures)),
        comparison::layout(&compared),
        complexity::layout(&grown),
        bars::layout(&listed),
        heap::layout(&used),
    ];
    made.into_iter().filter_map(|made| made.ok().map(|(picture, _)| picture)).collect()
}

#[test]
fn labels_are_within_the_picture_and_apart() {
    for (picture, _) in examples() {
        assert_eq!(are_legible(&picture), Ok(()));
    }
}

#[test]
fn figures_that_say_nothing_are_drawn_or_refused_in_words() {
    let refused = |made: Result<Bundle, Undrawable>| made.unwrap_err();
    assert_eq!(refused(distribution(&measured("", Vec::new()))), Undrawable::Empty);
    assert_eq!(refused(distribution(&measured("", vec![1.0, f64::NAN]))), Undrawable::NotFinite);
    assert_eq!(refused(distribution(&measured("", vec![f64::INFINITY]))), Undrawable::NotFinite);
    assert_eq!(
        refused(comparison(&Comparison { title: String::new(), rows: Vec::new() })),
        Undrawable::Empty
    );
    let nine = Comparison { title: String::new(), rows: vec![measured("", vec![1.0]); 9] };
    assert_eq!(refused(comparison(&nine)), Undrawable::TooMany { limit: 8 });
    let mut grown = growth(Quantity::Seconds);
    grown.sizes[0].value = 0.0;
    assert_eq!(refused(complexity(&grown)), Undrawable::NotPositive);
    grown.sizes.clear();
    assert_eq!(refused(complexity(&grown)), Undrawable::Empty);
    assert_eq!(refused(bars(&levels(0))), Undrawable::Empty);
    assert_eq!(refused(bars(&levels(17))), Undrawable::TooMany { limit: 16 });
    assert_eq!(refused(heap(&Heap { peak: None, ..live(0) })), Undrawable::Empty);
    let shown = refused(bars(&levels(17))).to_string();
    assert_eq!(shown, "more than 16 rows cannot be told apart in one chart");
    for samples in
        [vec![0.0], vec![1e-9], vec![5e-7; 40], vec![0.0; 40], vec![1.0, 1.0 + f64::EPSILON], vec![-1e-9; 9]]
    {
        let (picture, _) = distribution::layout(&measured("one", samples)).unwrap();
        assert_eq!(are_legible(&picture), Ok(()));
        svg(&picture).unwrap();
    }
}

#[test]
fn outliers_are_shown_or_counted() {
    let mut samples = figures(100, 1e-6, 0.02);
    samples.extend([1.0117e-6, 80e-6, 90e-6]);
    let bundle = distribution(&measured("f()", samples)).unwrap();
    assert!(bundle.plain().contains("2 slower, up to 90 µs"), "{}", bundle.plain());
    let text = content(&bundle, "image/svg+xml");
    assert!(text.contains("2 slower, up to 90 µs") && text.contains("(rings)"), "{text}");
}

#[test]
fn a_comparison_is_ordered_by_median_and_says_how_many_times() {
    let rows = [("slow", 9e-6), ("fast", 3e-6), ("middle", 6e-6)];
    let rows = rows.map(|(label, value)| Measured {
        interval: None,
        fences: None,
        ..measured(label, vec![value; 3])
    });
    let bundle = comparison(&Comparison { title: "three".to_owned(), rows: rows.to_vec() }).unwrap();
    let rows = bundle.plain().lines().filter(|line| line.contains('●'));
    let labels: Vec<&str> = rows.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(labels, ["fast", "middle", "slow"]);
    assert!(
        bundle.plain().contains("3 µs  fastest") && bundle.plain().contains("9 µs  3×"),
        "{}",
        bundle.plain()
    );
}

#[test]
fn the_exact_peak_is_marked_where_the_samples_missed_it() {
    let text = heap(&live(50)).unwrap().plain().to_owned();
    assert!(text.contains("peak 8.58 MiB at 3.3 s"), "{text}");
}

#[test]
fn labels_are_escaped() {
    let bundle = bars(&Bars {
        title: "<script>&\"'\u{1b}\u{0}\u{ffff}".to_owned(),
        quantity: Quantity::Bytes,
        bars: vec![Bar { label: "</text><a href='x'>".to_owned(), value: 1.0, interval: None }],
    });
    let bundle = bundle.unwrap();
    let text = content(&bundle, "image/svg+xml");
    let document = roxmltree::Document::parse(text).unwrap();
    assert_eq!(
        document.root_element().children().find(|node| node.tag_name().name() == "title").unwrap().text(),
        Some("<script>&\"'")
    );
    assert!(!text.contains("<script") && !text.contains("<a "), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_figures_are_laid_out_legibly_or_refused(
        figures in prop::collection::vec(prop_oneof![any::<f64>(), -1.0..1.0_f64, 1e-9..1e-6_f64, Just(0.0), 1e-9..100.0_f64], 1..60),
        bytes in prop::collection::vec(any::<u64>(), 60),
    ) {
        for picture in pictures(&figures, &bytes) {
            let legible = are_legible(&picture);
            prop_assert!(legible.is_ok(), "{legible:?} {figures:?}");
            let text = svg(&picture).unwrap();
            prop_assert!(roxmltree::Document::parse(&text).is_ok());
        }
    }

    #[test]
    fn what_can_be_measured_is_drawn(figures in prop::collection::vec((-9.0..2.0_f64).prop_map(|power| 10_f64.powf(power)), 2..60)) {
        prop_assert_eq!(pictures(&figures, &[7; 60]).len(), 5);
    }
}

proptest! {
    // A picture of a million pixels each.
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn any_picture_becomes_a_png(figures in prop::collection::vec(-1.0..1.0_f64, 2..60), bytes in prop::collection::vec(any::<u64>(), 60)) {
        for picture in pictures(&figures, &bytes) {
            prop_assert!(png(&picture).is_ok());
        }
    }
}
