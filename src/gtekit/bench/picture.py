"""The picture of a measurement: an SVG file written by hand, readable on light and dark pages, nothing to load."""

from collections.abc import Iterator, Mapping
from html import escape

from gtekit.bench.measure import Bench

WIDTH, MARGIN = 960, 40
LABEL_WIDTH, BAR_WIDTH, BAR_HEIGHT, ROW_HEIGHT = 150, 600, 20, 30
BAR_X = MARGIN + LABEL_WIDTH
LEGEND_COLUMNS = 4
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
COLORS = ("#4269d0", "#e8a317", "#e4572e", "#4fb3a9", "#3a9a4b", "#d66aa6", "#8e63ce", "#9c6b4e")
STYLE = f"""
text {{ font-family: {FONT}; fill: #1d2433; font-size: 14px; }}
.card {{ fill: #fbfbf9; }} .title {{ font-size: 24px; font-weight: 700; }}
.heading {{ font-size: 16px; font-weight: 600; }} .soft {{ fill: #626b7c; font-size: 13px; }}
.track {{ fill: #e9ebee; }} .bar {{ fill: #4269d0; }} .spread {{ stroke: #1d2433; stroke-width: 1.5; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e8eaf0; }} .card {{ fill: #14171d; }} .soft {{ fill: #9aa3b4; }} .track {{ fill: #2a303b; }}
  .spread {{ stroke: #e8eaf0; }}
}}
"""


def draw(found: Bench) -> str:
    """Draw a measurement as bars, the precisions one below the other."""
    y = 150.0
    parts: list[str] = []
    for section in (_bulk, _queries, _ceiling, _time):
        drawn, height = section(found, y)
        parts += drawn
        y += height + 34
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" width="{WIDTH}" height="{y:.0f}" '
        f'role="img" aria-label="gtekit bench: speed of {escape(found.model, quote=True)} on this machine">',
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{WIDTH}" height="{y:.0f}" rx="18"/>',
        _text(MARGIN, 56, found.model, "title"),
        _text(MARGIN, 84, f"{found.machine}, {found.threads} thread{'' if found.threads == 1 else 's'}", "soft"),
        _text(MARGIN, 104, f"{found.texts:,} texts, {found.tokens:,} tokens: {found.source}", "soft"),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _bulk(found: Bench, y: float) -> tuple[list[str], float]:
    longest = max(one.tokens_per_s.high for one in found.measured)
    parts = [_text(MARGIN, y, f"Tokens a second: median of {found.rounds} rounds, line: lowest to highest", "heading")]
    for one, top in zip(found.measured, _rows(y), strict=False):
        speed = one.tokens_per_s
        parts += _bar(top, one.precision, speed.median / longest, f"{speed.median:,.0f}")
        x1, x2 = (BAR_X + BAR_WIDTH * value / longest for value in (speed.low, speed.high))
        middle = top + BAR_HEIGHT / 2
        parts.append(f'<line class="spread" x1="{x1:.1f}" y1="{middle}" x2="{x2:.1f}" y2="{middle}"/>')
    return parts, ROW_HEIGHT * len(found.measured)


def _queries(found: Bench, y: float) -> tuple[list[str], float]:
    longest = max(one.query_ms["p99"] for one in found.measured)
    parts = [_text(MARGIN, y, "One short query: milliseconds from the call to the array", "heading")]
    rows = [(one, name) for one in found.measured for name in one.query_ms]
    for (one, name), top in zip(rows, _rows(y), strict=False):
        taken = one.query_ms[name]
        parts += _bar(top, f"{one.precision} {name}", taken / longest, f"{taken:.2f}")
    return parts, ROW_HEIGHT * len(rows)


def _ceiling(found: Bench, y: float) -> tuple[list[str], float]:
    parts = [_text(MARGIN, y, "Linear layers: share of what the arithmetic units can do", "heading")]
    for one, top in zip(found.measured, _rows(y), strict=False):
        label = f"{one.linear_share:.0%} of {one.ceiling_per_s / 1e9:,.0f} G/s"
        parts += _bar(top, one.precision, one.linear_share, label)
    return parts, ROW_HEIGHT * len(found.measured)


def _time(found: Bench, y: float) -> tuple[list[str], float]:
    parts = [_text(MARGIN, y, "Where the time goes", "heading")]
    for one, top in zip(found.measured, _rows(y), strict=False):
        parts.append(_text(MARGIN, top + 15, one.precision))
        parts += _stack(top, one.part_shares)
    bottom = y + 40 + ROW_HEIGHT * len(found.measured)
    names = list(found.measured[0].part_shares)
    for place, (name, color) in enumerate(zip(names, COLORS, strict=False)):
        row, column = divmod(place, LEGEND_COLUMNS)
        x, top = MARGIN + column * 215, bottom + row * 24
        parts.append(f'<rect x="{x}" y="{top - 11:.1f}" width="12" height="12" rx="3" fill="{color}"/>')
        parts.append(_text(x + 18, top, name.replace("_", " "), "soft"))
    return parts, ROW_HEIGHT * len(found.measured) + 24 * (-(-len(names) // LEGEND_COLUMNS)) + 10


def _stack(top: float, shares: Mapping[str, float]) -> Iterator[str]:
    x = float(BAR_X)
    for share, color in zip(shares.values(), COLORS, strict=False):
        width = BAR_WIDTH * share
        yield f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="{color}"/>'
        x += width


def _rows(y: float) -> Iterator[float]:
    while True:
        yield y + 14
        y += ROW_HEIGHT


def _bar(top: float, label: str, share: float, value: str) -> list[str]:
    length = BAR_WIDTH * min(max(share, 0.0), 1.0)
    return [
        _text(MARGIN, top + 15, label),
        f'<rect class="track" x="{BAR_X}" y="{top}" width="{BAR_WIDTH}" height="{BAR_HEIGHT}" rx="5"/>',
        f'<rect class="bar" x="{BAR_X}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" rx="5"/>',
        _text(BAR_X + BAR_WIDTH + 12, top + 15, value),
    ]


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
