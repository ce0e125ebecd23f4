"""How nbconvert makes pages and slides of the course: `jupyter nbconvert --config pages.py --to html 01-measure-first.ipynb`.

Its own templates leave out how a picture is described, which people who do not see it need; and slides have no room for a line of code.
"""

from html import escape

c = get_config()  # noqa: F821


def with_descriptions(notebook, resources):
    """Each chart as an image that says what it shows, the size that it is meant to have."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data, about = output.get("data", {}), output.get("metadata", {}).get("image/png", {})
            if "image/png" in data and "text/html" not in data and about.get("alt"):
                size = "".join(f' {side}="{about[side]}"' for side in ("width", "height") if side in about)
                data["text/html"] = f'<img alt="{escape(about["alt"])}"{size} src="data:image/png;base64,{data["image/png"].strip()}">'
    return notebook, resources


c.HTMLExporter.preprocessors = [with_descriptions]
c.SlidesExporter.reveal_scroll = True
c.SlidesExporter.reveal_transition = "none"
c.SlidesExporter.reveal_width = "1440"
c.SlidesExporter.reveal_height = "900"
