"""SVG by hand: the few shapes that the plots are made of. Colours come from the page's style, by class."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import floor, log10

TEXT_SIZE, SMALL_SIZE = 13.0, 12.0
SERIES = 6  # colours and shapes, then they begin again
_SHAPES = ("circle", "square", "diamond", "up", "down", "plus")

# letters of other than usual width, in parts of the font size: those of DejaVu Sans, the widest font of the style
_WIDTHS = {
    **dict.fromkeys("iljI'|", 0.3),
    **dict.fromkeys(" .,:;/()[]-ft", 0.38),
    **dict.fromkeys("mwMW@%", 0.95),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.7),
}


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot: the same thing for a wide page and for a phone, or a sentence that says why there is nothing."""

    title: str
    about: str  # what is shown, and over how many tasks
    wide: str = ""
    narrow: str = ""


@dataclass(slots=True)
class Drawing:
    """Shapes on a ground of a given width."""

    width: float
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """Write one line."""
        self.parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text, quote=False)}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Draw a straight line."""
        self.parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def rect(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Draw a filled rectangle."""
        self.parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"/>'
        )

    def dot(self, x: float, y: float, radius: float, kind: str) -> None:
        """Draw a disc."""
        self.parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>')

    def mark(self, x: float, y: float, series: int, size: float = 6.0) -> None:
        """Draw the mark of a series: a colour and a shape of its own."""
        shape, kind = _SHAPES[series % SERIES], f"mark s{series % SERIES}"
        if shape == "circle":
            self.dot(x, y, size, kind)
        elif shape == "square":
            self.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8, kind)
        else:
            points = " ".join(f"{x + dx * size:.1f},{y + dy * size:.1f}" for dx, dy in _OUTLINES[shape])
            self.parts.append(f'<polygon class="{kind}" points="{points}"/>')

    def svg(self, height: float, label: str) -> str:
        """Give the finished element; `label` says in words what it shows."""
        return (
            f'<svg viewBox="0 0 {self.width:.0f} {height:.0f}" role="img" aria-label="{escape(label, quote=True)}">'
            f"<title>{escape(label, quote=False)}</title>{''.join(self.parts)}</svg>"
        )


_OUTLINES: dict[str, Sequence[tuple[float, float]]] = {
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "up": ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    "down": ((0, 1.3), (1.2, -0.9), (-1.2, -0.9)),
    "plus": (
        *((-0.45, -1.2), (0.45, -1.2), (0.45, -0.45), (1.2, -0.45), (1.2, 0.45), (0.45, 0.45)),
        *((0.45, 1.2), (-0.45, 1.2), (-0.45, 0.45), (-1.2, 0.45), (-1.2, -0.45), (-0.45, -0.45)),
    ),
}


def text_width(text: str, size: float = SMALL_SIZE) -> float:
    """Estimate the width of a line, rather too much than too little."""
    return size * sum(_WIDTHS.get(char, 0.62) for char in text)


def shorten(text: str, width: float, size: float = SMALL_SIZE) -> str:
    """Cut a line that is wider than there is room for."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text}…"


def ticks(low: float, high: float, most: int) -> list[float]:
    """Give round numbers between two ends, at most as many as asked for."""
    rough = (high - low) / most
    size = 10.0 ** floor(log10(rough))
    step = next(size * times for times in (1, 2, 5, 10, 20) if (high - low) / (size * times) <= most)
    first = -floor(-low / step)
    found = [round((first + count) * step, 10) for count in range(most + 2)]
    return [value for value in found if value <= high + 1e-9]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Give round numbers between two positive ends, such as 1, 2, 5, 10, 20; the fewer, the further apart these are."""
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    for times in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [float(f"{step}e{power}") for power in powers for step in times]
        found = [value for value in values if low <= value <= high]
        if len(found) <= most:
            return found
    return found


def tick_text(value: float) -> str:
    """Give a round number without needless zeros."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:g}"
