"""A person who works with data in JupyterLab: crates added late, a type changed, half of the cells wrong at first, a plot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from launch import new_folder
from window import Lab, browser, browser_path, server

KERNEL = "Rust (assay)"

pytestmark = [
    pytest.mark.skipif(browser_path() is None, reason="no Chromium"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    artefacts = Path(__file__).parents[1] / "artefacts"
    artefacts.mkdir(exist_ok=True)
    folder = new_folder()
    (folder / "root").mkdir()
    with server(folder / "root", artefacts / "jupyterlab-data.log") as address, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1600})
        lab = Lab(page, address, artefacts)
        yield lab
        lab.screenshot(f"end-of-{request.node.name}")
    shutil.rmtree(folder, ignore_errors=True)


def test_a_change_of_mind(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    notebook.run(
        "#[derive(Debug, Clone)]\nstruct Row { city: &'static str, people: u32 }\n"
        "fn label(row: &Row) -> String { row.city.to_uppercase() }\n"
        'let rows = vec![Row { city: "Rome", people: 2_808_293 }, Row { city: "Paris", people: 2_145_906 }];'
    )
    notebook.run("rows.iter().map(label).collect::<Vec<_>>()").shows("ROME")
    # Another body: the rows stay.
    notebook.run(
        "#[derive(Debug, Clone)]\nstruct Row { city: &'static str, people: u32 }\n"
        'fn label(row: &Row) -> String { format!("{} ({})", row.city, row.people) }'
    )
    notebook.run("rows.iter().map(label).collect::<Vec<_>>()").shows("Rome (2808293)")
    wrong = notebook.run("rows.iter().map(|row| row.population).sum::<u32>()")
    wrong.shows("no field")
    # Another type: said, and the rows are still there.
    changed = notebook.run("#[derive(Debug, Clone)]\nstruct Row { city: &'static str, people: u64 }")
    changed.shows("`rows` is still of the `Row` of")
    notebook.run("rows.len()").shows("2")
    lab.screenshot("change-of-mind")


def test_a_chart_of_plotly(lab: Lab) -> None:
    """As the crate plotly shows one; its extension draws it."""
    notebook = lab.launch(KERNEL)
    chart = notebook.run(
        'println!("EVCXR_BEGIN_CONTENT application/vnd.plotly.v1+json\\n{}\\nEVCXR_END_CONTENT", '
        'r#"{"data": [{"type": "bar", "x": ["a", "b"], "y": [1, 3]}], "layout": {"title": {"text": "Assays"}}}"#);'
    )
    expect(chart.output().locator(".js-plotly-plot .bars").first).to_be_visible()
    chart.shows("Assays")


def test_what_a_cell_shows(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    page = notebook.run(
        'println!("before");\n'
        'assay::display(&assay::Html("<table><tr><td>gold</td><td>19.3</td></tr></table>"));\n'
        'assay::display(&assay::Markdown("**bold** and `code`"));\n'
        'println!("after");'
    )
    expect(page.output().locator("td").first).to_have_text("gold")
    expect(page.output().locator("strong")).to_have_text("bold")
    status = notebook.run('let status = assay::display_handle(&assay::Text("working"));')
    status.shows("working")
    notebook.run('status.update(&assay::Text("done"));')
    status.shows("done")
    bar = notebook.run(
        "let mut sum = 0u64;\n"
        "for n in assay::progress(0..50u64) { std::thread::sleep(std::time::Duration::from_millis(10)); sum += n; }\nsum"
    )
    bar.shows("1225")
    expect(bar.output().locator("progress").first).to_be_visible()
    notebook.run("async fn later() -> u8 { 7 }\nlater().await * 6").shows("42")
    lab.screenshot("calls")


def test_crates_added_late(lab: Lab) -> None:
    notebook = lab.launch(KERNEL)
    notebook.run("let people: Vec<(u32, f64)> = (0..50).map(|n| (n, f64::from(n).sin())).collect();")
    added = notebook.run(':dep plotters = { version = "0.3", default-features = false, features = ["svg_backend", "line_series"] }')
    added.shows("added plotters")
    notebook.run(
        "use plotters::prelude::*;\n"
        "fn plot(points: &[(u32, f64)]) -> assay::Svg<String> {\n"
        "    let mut svg = String::new();\n"
        "    {\n"
        "        let root = SVGBackend::with_string(&mut svg, (480, 240)).into_drawing_area();\n"
        "        root.fill(&WHITE).unwrap();\n"
        "        let mut chart = ChartBuilder::on(&root).margin(10).build_cartesian_2d(0u32..50, -1.0..1.0).unwrap();\n"
        "        chart.draw_series(LineSeries::new(points.iter().copied(), &RED)).unwrap();\n"
        "    }\n"
        "    assay::Svg(svg)\n"
        "}"
    )
    notebook.run("plot(&people)").picture()
    missing = notebook.run(':dep no_such_crate_of_assay = "1"')
    missing.shows("no matching package")
    notebook.run("people.len()").shows("50")
    lab.screenshot("crates")
