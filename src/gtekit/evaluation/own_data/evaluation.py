"""The result of an evaluation: scores with their intervals, what they rest on, and what went wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gtekit.errors import FileFormatError
from gtekit.evaluation.own_data.data import Kind
from gtekit.evaluation.own_data.errors_page import draw_page
from gtekit.evaluation.own_data.findings import ScoreRange
from gtekit.evaluation.own_data.misses import Miss
from gtekit.evaluation.samples import Samples
from gtekit.files import check_writable, replace_when_complete


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a model scores on somebody's own data.

    Scores, intervals and samples are in their own scale, where 1 is the best: correlations go from -1 to 1,
    `mean_margin` from -2 to 2, all others from 0 to 1. (`Samples.score()` alone gives points, 100 times as much.)
    """

    kind: Kind
    data: str  # the files, or what the values were passed as
    data_hash: str  # of every row: equal hashes, equal data
    model: str
    fingerprint: str
    precision: str
    scores: Mapping[str, float]  # the first is the main one
    intervals: Mapping[str, ScoreRange]  # 95 %, of the measures that come from items, where there are enough
    thresholds: Mapping[str, float]  # by measure: the cosine from which on a pair counts as 1
    counts: Mapping[str, int]
    notes: tuple[str, ...]
    misses: tuple[Miss, ...]  # the worst, worst first
    samples: Mapping[str, Samples]  # by measure: the items behind the score

    def __str__(self) -> str:
        """Give the scores as a table, with what was measured above and what to know below."""
        rows = [("measure", "score", "95 % interval"), *self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        notes = [f"- {note}" for note in (self.scale(), *self.notes)]
        return "\n".join([f"{self.model} ({self.precision}) on {self.data}", self.size(), "", *table, "", *notes])

    def size(self) -> str:
        """Say how much was measured: pairs: 250, empty texts: 3."""
        return ", ".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in self.counts.items() if count)

    def scale(self) -> str:
        """Say in what the scores are."""
        margin = "; a margin goes from -2 to 2" if "mean_margin" in self.scores else ""
        return f"scores are not in percent: 1 is the best{margin}"

    def rows(self) -> list[tuple[str, str, str]]:
        """Give the table as text: measure, score, interval or "", with the threshold where there is one."""
        found = []
        for measure, score in self.scores.items():
            interval, threshold = self.intervals.get(measure), self.thresholds.get(measure)
            shown = f"{interval.low:.4f} to {interval.high:.4f}" if interval else ""
            where = f" (cosine >= {threshold:.4f})" if threshold is not None else ""
            found.append((f"{measure}{where}", f"{score:.4f}", shown))
        return found

    def as_json(self) -> dict[str, Any]:
        """Give everything but the samples, for json.dumps."""
        fields = {
            name: getattr(self, name) for name in self.__slots__ if name not in ("samples", "misses", "intervals")
        }
        return {
            **fields,
            "scores": dict(self.scores),
            "intervals": {measure: asdict(interval) for measure, interval in self.intervals.items()},
            "misses": [asdict(miss) for miss in self.misses],
        }

    def write_html(self, path: Path | str) -> None:
        """Write the scores and the worst misses with their texts as one HTML file that needs nothing else.

        Raises:
            FileFormatError: If no file can be made there.
        """
        path = Path(path)
        check_page(path)
        with replace_when_complete(path) as temporary:
            temporary.write_text(draw_page(self), encoding="utf-8")


def check_page(path: Path) -> None:
    """Make sure, before minutes of work, that the page can be written.

    Raises:
        FileFormatError: If it can't.
    """
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder. Name a file in it.")
    if not path.resolve().parent.is_dir():
        raise FileFormatError(f"{path}: there is no folder {path.resolve().parent}. Make it, or name another.")
    check_writable(path.resolve())
