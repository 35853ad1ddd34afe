"""Where the labels of a scatter plot go: beside their points, and not on one another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gtekit.evaluation.report.plots.svg import SMALL_SIZE, text_width

HEIGHT = SMALL_SIZE + 3
_DISTANCES = (11.0, 20.0, 32.0, 46.0, 62.0, 80.0)  # px between a point and its label
_WEIGHT_OF_A_MARK = 4.0  # a label that hides a point is worse than two that touch


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, y downwards."""

    x: float
    y: float
    width: float
    height: float

    def shared(self, other: "Box") -> float:
        """Give the area that two boxes share."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True, slots=True)
class Placed:
    """A label and where it stands; `is_far`: a line has to show whose it is."""

    text: str
    box: Box
    is_far: bool


def place_labels(points: Sequence[tuple[float, float]], texts: Sequence[str], frame: Box) -> list[Placed]:
    """Place each label near its point, inside the frame, where it hides the least; the nearest place wins."""
    marks = [Box(x - 8, y - 8, 16, 16) for x, y in points]
    placed: list[Placed] = []
    for place, text in enumerate(texts):
        taken = [one.box for one in placed]
        others = marks[:place] + marks[place + 1 :]
        best, least = None, float("inf")
        for box, is_far in _candidates(points[place], text_width(text) + 4, frame):
            hidden = sum(map(box.shared, taken)) + _WEIGHT_OF_A_MARK * sum(map(box.shared, others))
            if hidden < least:
                best, least = Placed(text, box, is_far), hidden
            if hidden == 0:
                break
        assert best is not None  # every label has a candidate that was moved into the frame
        placed.append(best)
    return placed


def _candidates(point: tuple[float, float], width: float, frame: Box) -> Iterator[tuple[Box, bool]]:
    x, y = point
    for distance in _DISTANCES:
        for left, top in (
            (x + distance, y - HEIGHT / 2),
            (x - distance - width, y - HEIGHT / 2),
            (x - width / 2, y - distance - HEIGHT),
            (x - width / 2, y + distance),
            (x + distance * 0.7, y - distance - HEIGHT / 2),
            (x + distance * 0.7, y + distance - HEIGHT / 2),
            (x - distance * 0.7 - width, y - distance - HEIGHT / 2),
            (x - distance * 0.7 - width, y + distance - HEIGHT / 2),
        ):
            inside = Box(
                min(max(left, frame.x), frame.x + frame.width - width),
                min(max(top, frame.y), frame.y + frame.height - HEIGHT),
                width,
                HEIGHT,
            )
            if abs(inside.x - left) < 1 and abs(inside.y - top) < 1:
                yield inside, distance > _DISTANCES[0]
    yield (
        Box(
            min(max(x + 11, frame.x), frame.x + frame.width - width),
            min(max(y - 11 - HEIGHT, frame.y), frame.y + frame.height - HEIGHT),
            width,
            HEIGHT,
        ),
        True,
    )
