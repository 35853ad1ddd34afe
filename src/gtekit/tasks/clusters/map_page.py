"""The map as one HTML file that loads nothing: points to touch, a legend that filters, a search box."""

import json
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from gtekit.files import replace_when_complete
from gtekit.tasks.clusters.count import DRAWS, CountChoice
from gtekit.tasks.clusters.map import DARK, LIGHT, ClusterMap, marker

TEXT_CHARACTERS = 400  # of a text that a page shows
CURVE_WIDTH, CURVE_HEIGHT, CURVE_MARGIN = 560, 180, 28


def write_map_page(path: Path, drawn: ClusterMap) -> None:
    """Write a map as a page; the file appears when it is complete."""
    with replace_when_complete(path) as temporary:
        temporary.write_text(map_page(drawn), encoding="utf-8")


def map_page(drawn: ClusterMap) -> str:
    """Give the page: style, data and program are inside, and a policy in its head forbids it to load anything."""
    notes = list(drawn.notes)
    if len(drawn.shown) < len(drawn.points):
        notes.append(f"Of {len(drawn.points):,} texts {len(drawn.shown):,} are drawn, evenly spaced.")
    parts = {
        "title": escape(drawn.title),
        "notes": "".join(f"<p>{escape(note)}</p>" for note in notes),
        "curve": _curve(drawn.clusters.count_choice),
        "style": _part("map_page.css"),
        "program": _part("map_page.js"),
        "data": _script_json(_data(drawn)),
    }
    page = _part("map_page.html")
    before, *pieces = page.split("{{")  # in one pass: no text of the user is ever looked through for a place
    for piece in pieces:
        name, _, after = piece.partition("}}")
        before += parts[name] + after
    return before


def _data(drawn: ClusterMap) -> dict[str, Any]:
    rows = drawn.shown
    clusters = []
    for cluster in drawn.clusters.clusters:
        color, shape = marker(cluster.number)
        terms = [term.text for term in cluster.terms]
        clusters.append({"name": cluster.name, "size": cluster.size, "color": color, "shape": shape, "terms": terms})
    return {
        "x": [round(float(value), 4) for value in drawn.points[rows, 0]],
        "y": [round(float(value), 4) for value in drawn.points[rows, 1]],
        "labels": drawn.clusters.labels[rows].tolist(),
        "rows": (rows + 1).tolist(),
        "texts": [_short(drawn.texts[int(row)]) for row in rows],
        "clusters": clusters,
        "unassigned": drawn.clusters.unassigned,
        "light": LIGHT,
        "dark": DARK,
    }


def _script_json(value: object) -> str:
    """Give JSON that can stand inside a script element: no text can end it, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _short(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # half of a surrogate pair can't be written
    return text if len(text) <= TEXT_CHARACTERS else text[: TEXT_CHARACTERS - 1].rstrip() + "…"


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _curve(choice: CountChoice | None) -> str:
    """Draw the criterion over the numbers of clusters that were tried; "" where nothing was chosen."""
    if choice is None or len(choice.counts) < 2:
        return ""
    low, high = min(choice.values), max(choice.values)
    first, last = choice.counts[0], choice.counts[-1]

    def place(count: int, value: float) -> tuple[float, float]:
        x = CURVE_MARGIN + (count - first) / (last - first) * (CURVE_WIDTH - 2 * CURVE_MARGIN)
        height = (value - low) / (high - low) if high > low else 0.5
        return round(x, 1), round(CURVE_HEIGHT - CURVE_MARGIN - height * (CURVE_HEIGHT - 2 * CURVE_MARGIN), 1)

    points = [place(count, value) for count, value in zip(choice.counts, choice.values, strict=True)]
    x, y = points[choice.counts.index(choice.best)]
    name = choice.criterion.replace("_", "-")
    about = (
        f"{choice.best} clusters have the largest {name}, {high:.3f} (mean of {DRAWS} draws of {choice.sample_rows:,} "
        f"texts); the least of those tried is {low:.3f}."
    )
    anchor = "start" if x < CURVE_WIDTH / 2 else "end"
    return (
        f"<details><summary>How the number of clusters was found</summary><p>{escape(about)}</p>"
        f'<svg class="curve" viewBox="0 0 {CURVE_WIDTH} {CURVE_HEIGHT}" role="img" aria-label="{escape(about)}">'
        f'<polyline points="{" ".join(f"{px},{py}" for px, py in points)}"/>'
        + "".join(f'<circle cx="{px}" cy="{py}" r="3"/>' for px, py in points)
        + f'<circle class="best" cx="{x}" cy="{y}" r="6"/>'
        f'<text x="{x}" y="{max(y - 10, 12)}" text-anchor="{anchor}">{choice.best}</text>'
        f'<text x="{CURVE_MARGIN}" y="{CURVE_HEIGHT - 4}">{first}</text>'
        f'<text x="{CURVE_WIDTH - CURVE_MARGIN}" y="{CURVE_HEIGHT - 4}" text-anchor="end">{last} clusters</text>'
        "</svg></details>"
    )
