"""One file for each score: what was measured, with what, on which data. A finished score is never computed again."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from gtekit.errors import EvaluationError, FileFormatError
from gtekit.evaluation.samples import Samples, read_samples, write_samples
from gtekit.files import replace_beside_others

ModelKind = Literal["gtekit", "openai", "sentence-transformers"]
SettingsName = Literal["default", "published"]
FORMAT = 1  # of the files; another number is not read
LONGEST_NAME = 80  # letters of a file's name: a system takes 255 bytes, and a letter has up to three


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedAs:
    """Everything that decides a score, except the task and its data. Equal values, equal scores."""

    model: str  # the short name, such as gte-small
    kind: ModelKind
    fingerprint: str  # of the space; for an endpoint its address and name, which is all that is known of it
    precision: str  # float32, int8; "" where nobody outside knows
    settings: SettingsName
    max_tokens: int | None  # None where nobody outside knows
    prompts: str = ""  # those that the model has, as JSON by role; "" for none

    @property
    def label(self) -> str:
        """What people call it: all-MiniLM-L6-v2@int8."""
        kind = "" if self.kind == "gtekit" else f"{self.kind}:"
        precision = f"@{self.precision}" if self.precision and self.kind == "gtekit" else ""
        return f"{kind}{self.model}{precision}{'+published' if self.settings == 'published' else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskData:
    """Which data a score was measured on."""

    revision: str  # MTEB's for data of the hub, a hash of the files for those of a folder
    source: str  # "hub", or the folder
    rows: int
    difference: str = ""  # from MTEB's data; "" where counts and characters agree
    is_partial: bool = False  # fewer rows than MTEB has: not to be compared with what is published
    part: str = ""  # the split and subset, where they are not those of the page: not to be compared either


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """The score of a model on a task."""

    task: str
    category: str
    metric: str  # what `score` is, such as cosine_spearman
    score: float  # in points, 0 to 100
    low: float | None  # 95 % interval of the score by bootstrap; None where the task gives no items to draw from
    high: float | None
    evaluated: EvaluatedAs
    data: TaskData
    prompts: dict[str, str] = field(default_factory=dict)  # by role, those that were used
    normalize: bool | None = None  # whether vectors had length 1
    scores: dict[str, float] = field(default_factory=dict)  # every number that MTEB gave, in its own scale
    texts: int = 0  # that the task asked for
    texts_embedded: int = 0  # of those, computed: a text that comes again is not computed again
    texts_cut: int | None = None  # of those, longer than the model reads; None where nobody outside can know
    embed_s: float = 0.0
    total_s: float = 0.0
    dimension: int = 0
    size_bytes: int | None = None  # of the weights in memory
    machine: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    date: str = ""

    @property
    def texts_per_s(self) -> float:
        """Texts computed a second."""
        return self.texts_embedded / self.embed_s if self.embed_s else 0.0


class ResultStore:
    """A folder of scores: FOLDER/model/precision-settings-key/task-data.json, with what each rests on beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, evaluated: EvaluatedAs, task: str, revision: str) -> TaskScore | None:
        """Give a finished score for exactly this model, setting, task and data; None where there is none."""
        path = self._path(evaluated, task, revision)
        if not path.is_file():
            return None
        score = read_score(path)
        is_it = (score.evaluated, score.task, score.data.revision) == (evaluated, task, revision)
        return score if is_it else None

    def write(self, score: TaskScore, samples: Samples | None) -> None:
        """Keep a score and the items that it rests on; each file appears whole or not at all.

        Raises:
            EvaluationError: If the score is not a number, as that of a model whose vectors are all alike.
        """
        if not math.isfinite(score.score):
            raise EvaluationError(
                f"{score.task}: the score of {score.evaluated.label} is {score.score}, which is no number. Are its "
                f"vectors all alike? Nothing was kept."
            )
        path = self._path(score.evaluated, score.task, score.data.revision)
        path.parent.mkdir(parents=True, exist_ok=True)
        if samples is not None:
            write_samples(path.with_suffix(".npz"), samples)
        else:
            path.with_suffix(".npz").unlink(missing_ok=True)
        with replace_beside_others(path) as temporary:
            temporary.write_text(
                json.dumps({"format": FORMAT, **asdict(score)}, indent=1, ensure_ascii=False), encoding="utf-8"
            )

    def samples(self, score: TaskScore) -> Samples | None:
        """Give what a score rests on; None where the task has no such items."""
        path = self._path(score.evaluated, score.task, score.data.revision).with_suffix(".npz")
        return read_samples(path) if path.is_file() else None

    def scores(self) -> list[TaskScore]:
        """Read the scores of the folder, in the order of models and tasks.

        Of a model and task with several, on other data, the latest is given; one on partial data only alone.

        Raises:
            FileFormatError: If there is no such folder, it holds no score, or a file of it is damaged.
        """
        if not self.folder.is_dir():
            raise FileFormatError(f"{self.folder}: no such folder. Scores are made by: gtekit eval --tasks ...")
        paths = sorted(self.folder.glob("*/*/*.json"), key=lambda path: path.stat().st_mtime_ns)
        found: dict[tuple[str, EvaluatedAs], tuple[Path, TaskScore]] = {}
        for path in paths:
            score = read_score(path)
            before = found.get((score.task, score.evaluated))
            if before is None or before[1].data.is_partial or not score.data.is_partial:
                found[score.task, score.evaluated] = (path, score)
        if not found:
            raise FileFormatError(f"{self.folder}: holds no scores. They are made by: gtekit eval --tasks ...")
        return [score for _, score in sorted(found.values(), key=lambda pair: pair[0])]

    def _path(self, evaluated: EvaluatedAs, task: str, revision: str) -> Path:
        described = json.dumps(asdict(evaluated), sort_keys=True)
        key = sha256(described.encode()).hexdigest()[:12]
        variant = "-".join(part for part in (evaluated.precision, evaluated.settings, key) if part)
        name = f"{_file_name(task)}.{sha256(revision.encode()).hexdigest()[:8]}.json"
        return self.folder / _file_name(f"{evaluated.kind}-{evaluated.model}") / variant / name


def read_score(path: Path) -> TaskScore:
    """Read one score.

    Raises:
        FileFormatError: If the file is no score, or one of another version.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise FileFormatError(
                f"{path}: was written by another version of gtekit. Delete it; the task is run again."
            )
        evaluated = EvaluatedAs(**content.pop("evaluated"))
        data = TaskData(**content.pop("data"))
        score = TaskScore(evaluated=evaluated, data=data, **content)
        for part in (evaluated, data, score):
            _check_types(part)
        return score
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(
            f"{path}: is no score as gtekit writes it ({error}). Delete it; the task is run again."
        ) from None


def _check_types(part: EvaluatedAs | TaskData | TaskScore) -> None:
    for field_ in fields(part):
        value = getattr(part, field_.name)
        if not _is_of(value, field_.type):
            raise TypeError(f"{field_.name} is {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{field_.name} is {value}, which is no number")


def _is_of(value: object, kind: object) -> bool:
    """Whether a value out of JSON is what a field of the dataclasses above holds."""
    if isinstance(kind, UnionType):
        return any(_is_of(value, one) for one in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and all(_is_of(one, get_args(kind)[1]) for one in value.values())
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)  # other programs write 80 for 80.0
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)


def _file_name(name: str) -> str:
    """Give a name that every system takes; two different ones never become the same."""
    safe = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)[:LONGEST_NAME]
    return safe if safe == name else f"{safe}-{sha256(name.encode()).hexdigest()[:8]}"
