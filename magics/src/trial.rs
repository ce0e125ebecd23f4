//! For tests: what the one magic of a cell plans, reports and complains about.

use crate::cell::{self, Prepared, Step, steps};
use crate::magic::{Complaint, Report};
use crate::measured::{Facts, Lane, Measured};
use crate::outcome::{Measurement, Outcome, Variable};
use crate::plan::Plan;
use crate::rust::Text;

fn prepared(cell: &str) -> Result<Prepared, Complaint> {
    let mut steps = steps(cell)?;
    let last = steps.pop();
    match last {
        Some(Step::Magic(prepared)) if steps.is_empty() => Ok(*prepared),
        Some(Step::Rust(mut code)) if steps.is_empty() && code.magics.len() == 1 => Ok(code.magics.remove(0)),
        last => panic!("{cell:?} is not one magic but {steps:?} and {last:?}"),
    }
}

/// The cell as it is compiled, with its white space made one space: what its magics insert is Rust, together with what is kept.
pub(crate) fn expanded(cell: &str) -> String {
    let steps = steps(cell).unwrap();
    let [Step::Rust(code)] = steps.as_slice() else { panic!("{cell:?} is not Rust but {steps:?}") };
    let text = cell::expanded(cell, code);
    assert_eq!(text.matches('\n').count(), cell.matches('\n').count(), "no line moves: {text:?}");
    assert!(code.inserts.is_sorted_by_key(|insert| insert.at), "{:?}", code.inserts);
    let parsed = Text::new(&text, 0).statements();
    assert!(parsed.is_ok(), "{cell:?} becomes {text:?}: {:?}", parsed.err());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same with the names of the runtime shortened, so that a reader sees what differs from form to form.
pub(crate) fn shortened(cell: &str) -> String {
    let long =
        ["::assay::measure::", "::core::option::Option::", "::core::result::Result::", "::core::hint::"];
    let text = long.iter().fold(expanded(cell), |text, long| text.replace(long, ""));
    text.replace("while let Some(assay_turn) = assay_meter.turn()", "while turn")
        .replace("let mut assay_meter = ", "let meter = ")
        .replace("assay_meter.", "meter.")
        .replace("(assay_turn, ", "(turn, ")
}

/// The plan of the cell's one magic.
pub(crate) fn plan(cell: &str) -> Result<Plan, Complaint> {
    prepared(cell).map(|prepared| prepared.plan)
}

/// What the cell's one magic makes of `outcome`.
pub(crate) fn report(cell: &str, outcome: Outcome) -> Result<Report, Complaint> {
    let prepared = prepared(cell).unwrap();
    prepared.magic.report(&prepared.call, outcome)
}

/// The plain text that is shown under the cell.
pub(crate) fn shown(cell: &str, outcome: Outcome) -> String {
    let report = report(cell, outcome).unwrap();
    report.shown.unwrap().plain().to_owned()
}

/// The span and the message of what is wrong with the cell.
pub(crate) fn complaint(cell: &str) -> String {
    let complaint = steps(cell).unwrap_err();
    format!("{:?} {}", complaint.span, complaint.message)
}

/// Two variables.
pub(crate) fn some_variables() -> Outcome {
    let variable = |name: &str, type_name: &str, size| Variable {
        name: name.into(),
        type_name: type_name.into(),
        size: Some(size),
    };
    Outcome::Variables(vec![variable("count", "i32", 4), variable("names", "Vec<&'static str>", 24)])
}

/// A machine, a compiler.
pub(crate) fn facts() -> Facts {
    Facts {
        processor: "Zen".to_owned(),
        compiler: "rustc 1.95.0".to_owned(),
        optimisation: "3".to_owned(),
        target_cpu: None,
        floor: 0.025,
        starts: 4,
        compile: 0.05,
        holding_code: Vec::new(),
    }
}

/// What was measured of code that takes so many seconds: ten blocks of ten batches, each a thousand loops, which differ by a percent.
pub(crate) fn lane(seconds: f64) -> Lane {
    let batch = |place: u64| {
        let noise = 1.0 + 0.01 * ((place * 7) % 10) as f64 / 10.0;
        (1000, seconds * 1000.0 * noise)
    };
    Lane {
        blocks: (0..10).map(|block| (0..10).map(|place| batch(block * 3 + place)).collect()).collect(),
        clock_step: 1e-9,
        calls: 100_100,
        elapsed: 0.5,
        ..Lane::default()
    }
}

/// The answer to a plan that was measured.
pub(crate) fn measured(lanes: Vec<Lane>) -> Outcome {
    Outcome::Measured(Box::new(measurement(lanes)))
}

/// The same before it becomes an answer.
pub(crate) fn measurement(lanes: Vec<Lane>) -> Measurement {
    Measurement {
        measured: Measured { lanes, ..Measured::default() },
        facts: facts(),
        ..Measurement::default()
    }
}

/// Tags and styles that JupyterLab keeps in an untrusted notebook (`packages/apputils/src/sanitizer.ts`), as far as we use them.
const TAGS: [&str; 14] =
    ["all", "code", "div", "p", "small", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "br"];
const STYLES: [&str; 26] = [
    "background-color",
    "border-left",
    "border-radius",
    "border-right",
    "box-sizing",
    "color",
    "display",
    "font-family",
    "font-size",
    "font-weight",
    "height",
    "left",
    "line-height",
    "margin-bottom",
    "margin-right",
    "margin-top",
    "max-width",
    "overflow",
    "padding",
    "padding-left",
    "position",
    "text-align",
    "text-overflow",
    "top",
    "white-space",
    "width",
];

/// Checks that html is whole, and that an untrusted page keeps all of it.
pub(crate) fn check_html(html: &str) {
    let whole = format!("<all>{html}</all>");
    let document = roxmltree::Document::parse(&whole).unwrap_or_else(|error| panic!("{error} in {html}"));
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let tag = node.tag_name().name();
        assert!(TAGS.contains(&tag), "<{tag}>");
        for attribute in node.attributes() {
            let allowed = ["style", "title"].contains(&attribute.name())
                || ["scope", "colspan"].contains(&attribute.name()) && ["td", "th"].contains(&tag);
            assert!(allowed, "<{tag} {}>", attribute.name());
        }
        let styles = node.attribute("style").unwrap_or_default().split(';');
        for style in styles.filter(|style| !style.trim().is_empty()) {
            let (name, value) = style.split_once(':').unwrap_or_else(|| panic!("{style:?} in {html}"));
            let (name, value) = (name.trim(), value.trim());
            assert!(STYLES.contains(&name), "{name}");
            let is_colour = name.ends_with("color");
            let hex =
                value.strip_prefix('#').is_some_and(|hex| hex.bytes().all(|sign| sign.is_ascii_hexdigit()));
            assert!(!is_colour || hex, "{name}: {value}");
            assert!(!value.contains('('), "{name}: {value}");
        }
    }
}
