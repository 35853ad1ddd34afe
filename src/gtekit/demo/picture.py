"""The demo's picture: an SVG file written by hand, readable on light and dark pages alike, with nothing to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from gtekit.arrays import Floats

WIDTH, HEIGHT, MARGIN = 1200, 900, 48
MAP = (48, 132, 660, 560)  # x, y, width, height of the map of docstrings
MATRIX = (804, 176, 348)  # x, y, size of the cosine matrix
ANSWERS_Y = 752
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"
SHARPNESS = 7.0  # of the softmax in `wheel_of`: higher draws the dots to the rim
COLORS = ("#4269d0", "#e8a317", "#e4572e", "#4fb3a9", "#3a9a4b", "#d66aa6", "#8e63ce", "#9c6b4e", "#5aa2e0")
STYLE = f"""
text {{ font-family: {FONT}; fill: #1d2433; }}
.card {{ fill: #fbfbf9; }} .panel {{ fill: #ffffff; stroke: #e3e4e0; }}
.title {{ font-size: 28px; font-weight: 700; }} .heading {{ font-size: 16px; font-weight: 600; }}
.small {{ font-size: 13px; }} .soft {{ fill: #626b7c; }} .number {{ font-size: 17px; font-weight: 600; }}
.rest {{ stroke: #c9ccd2; }} .track {{ fill: #e9ebee; }} .bar {{ fill: #4269d0; }}
.label {{ font-size: 14px; font-weight: 600; }} .tiny {{ font-size: 12px; }}
.ring {{ fill: none; stroke: #e3e4e0; }}
@media (prefers-color-scheme: dark) {{
  text {{ fill: #e8eaf0; }} .card {{ fill: #14171d; }} .panel {{ fill: #1b1f27; stroke: #2c323d; }}
  .soft {{ fill: #9aa3b4; }} .rest {{ stroke: #454c59; }} .track {{ fill: #2a303b; }}
  .ring {{ stroke: #2c323d; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and its best documents."""

    question: str
    names: Sequence[str]
    texts: Sequence[str]
    scores: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Everything that the picture shows."""

    title: str
    subtitle: str
    texts: Sequence[str]  # the page's inputs, labels of the matrix
    cosines: Floats  # (B, B)
    points: Floats  # (N, 2), from `wheel_of`
    families: Sequence[str | None]  # N of them
    answers: Sequence[Answer]

    def svg(self) -> str:
        """Draw."""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" role="img" aria-label="gtekit demo: a map of the docstrings of the Python standard '
            f'library, and cosines of four texts">',
            f"<style>{STYLE}</style>",
            f'<rect class="card" width="{WIDTH}" height="{HEIGHT}" rx="18"/>',
            _text(MARGIN, 62, self.title, "title"),
            _text(MARGIN, 92, self.subtitle, "small soft"),
            *self._map(),
            *self._matrix(),
            *self._answers(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _map(self) -> list[str]:
        """Each dot a docstring, its colour the module that it is from, its place what its text is like."""
        x, y, width, height = MAP
        centre, radius = np.array((x + width / 2, y + height / 2 + 4)), height / 2 - 74
        families = np.array([family or "" for family in self.families])
        names = family_order(self.families)
        placed = centre + self.points * radius
        parts = [
            _panel(x, y, width, height),
            f'<circle class="ring" cx="{centre[0]}" cy="{centre[1]}" r="{radius + 10}"/>',
            _dots(placed[families == ""], 'class="rest"', 3.6),
        ]
        for name, color in zip(names, COLORS, strict=False):
            parts.append(_dots(placed[families == name], f'stroke="{color}" stroke-opacity="0.8"', 4.2))
        for (dx, dy), name, color in zip(_anchors(len(names)), names, COLORS, strict=False):
            px, py = centre + np.array((dx, dy)) * (radius + 28)
            anchor = "middle" if abs(dx) < 0.3 else "start" if dx > 0 else "end"
            parts.append(
                f'<circle cx="{centre[0] + dx * (radius + 10):.1f}" cy="{centre[1] + dy * (radius + 10):.1f}" r="6" '
                f'fill="{color}"/>'
            )
            for row, line in enumerate(_two_lines(name)):
                parts.append(_text(px, py + 5 + (row - (dy < -0.5) * 0.8) * 17, line, "label", anchor=anchor))
        note = "A dot is a docstring: its colour tells its subject (grey: other subjects), its place what it is like."
        parts.append(_text(x, y + height + 22, note, "tiny soft"))
        return parts

    def _matrix(self) -> list[str]:
        x, y, size = MATRIX
        count = len(self.texts)
        cell = size / count
        parts = [_text(x, MAP[1] + 16, "How alike four texts are", "heading")]
        parts.append(_text(x, MAP[1] + 36, "cosine × 100", "small soft"))
        low = float(self.cosines.min())
        for row in range(count):
            for column in range(count):
                value = float(self.cosines[row, column])
                fill, ink = _shade((value - low) / max(1 - low, 1e-6))
                cx, cy = x + column * cell, y + row * cell
                parts.append(
                    f'<rect x="{cx + 2:.1f}" y="{cy + 2:.1f}" width="{cell - 4:.1f}" height="{cell - 4:.1f}" rx="7" '
                    f'fill="{fill}"/><text class="number" x="{cx + cell / 2:.1f}" y="{cy + cell / 2 + 6:.1f}" '
                    f'text-anchor="middle" style="fill:{ink}">{value * 100:.1f}</text>'
                )
        for row, text in enumerate(self.texts):
            letter = chr(ord("A") + row)
            parts.append(_text(x - 14, y + (row + 0.5) * cell + 6, letter, "number soft", anchor="middle"))
            parts.append(_text(x + (row + 0.5) * cell, y + size + 22, letter, "number soft", anchor="middle"))
            parts.append(_text(x, y + size + 60 + row * 26, letter, "small soft"))
            parts.append(_text(x + 22, y + size + 60 + row * 26, text, "small"))
        return parts

    def _answers(self) -> list[str]:
        parts = []
        width = (WIDTH - 2 * MARGIN - 2 * 36) / 3
        for place, answer in enumerate(self.answers[:3]):
            x = MARGIN + place * (width + 36)
            parts.append(_text(x, ANSWERS_Y, _shorten(answer.question, 42), "heading"))
            for row, (name, score) in enumerate(zip(answer.names[:4], answer.scores[:4], strict=True)):
                y = ANSWERS_Y + 26 + row * 26
                parts.append(
                    f'<rect class="track" x="{x:.1f}" y="{y - 12}" width="64" height="12" rx="6"/>'
                    f'<rect class="bar" x="{x:.1f}" y="{y - 12}" width="{64 * min(max(score, 0), 1):.1f}" '
                    f'height="12" rx="6"/>'
                )
                parts.append(_text(x + 74, y - 1, f"{score:.2f}", "small soft"))
                parts.append(_text(x + 110, y - 1, _shorten(name, 36), "small"))
        return parts


def family_order(families: Sequence[str | None]) -> list[str]:
    """Name the families that occur, in the order in which they stand around the wheel."""
    return sorted({family for family in families if family})


def wheel_of(embeddings: Floats, families: Sequence[str | None]) -> Floats:
    """Place each text in a wheel with the families around its rim, near those that its vector is like.

    A text's place is a weighted mean of the families' places, the weights a softmax over the cosines of its vector
    with the families' mean vectors: what is like one family lies at its rim, what is like many in the middle.

    Returns:
        Shape (N, 2), inside the circle of radius 1.
    """
    labels = np.array([family or "" for family in families])
    names = family_order(families) or [""]
    centred = embeddings - embeddings.mean(axis=0)
    means = np.stack([centred[labels == name].mean(axis=0) for name in names])
    cosines = (centred @ means.T) / np.outer(np.linalg.norm(centred, axis=1), np.linalg.norm(means, axis=1)).clip(1e-9)
    weights = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    weights /= weights.sum(axis=1, keepdims=True)
    placed: Floats = (weights @ _anchors(len(names))).astype(np.float32)
    return placed


def _anchors(count: int) -> Floats:
    angles = 2 * np.pi * np.arange(count) / max(count, 1) - np.pi / 2  # the first on top
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def _two_lines(name: str) -> list[str]:
    first, _, last = name.rpartition(" ")
    return [first, last] if first else [last]


def _dots(points: Floats, style: str, size: float) -> str:
    """Draw thousands of dots as one path: a line of no length with round ends is a disc."""
    path = "".join(f"M{px:.1f} {py:.1f}h0" for px, py in points)
    return f'<path d="{path}" fill="none" {style} stroke-width="{size}" stroke-linecap="round"/>'


def _shade(share: float) -> tuple[str, str]:
    """Colour of a cell from pale to deep blue, and the colour of ink that can be read on it."""
    pale, deep = np.array((226, 233, 250)), np.array((38, 70, 168))
    red, green, blue = np.rint(pale + (deep - pale) * min(max(share, 0), 1)).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}", "#ffffff" if share > 0.45 else "#1d2433"


def _panel(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="panel" x="{x}" y="{y}" width="{width}" height="{height}" rx="14"/>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
