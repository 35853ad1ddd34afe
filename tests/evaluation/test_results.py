"""Scores on disk: what was written is read, what is damaged is told of, and nothing is found under another name."""

import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import EvaluationError, FileFormatError
from gtekit.evaluation.results import FORMAT, EvaluatedAs, ResultStore, TaskData, TaskScore, read_score
from gtekit.evaluation.samples import Samples

EVALUATED = EvaluatedAs(
    model="gte-small", kind="gtekit", fingerprint="f" * 64, precision="int8", settings="default", max_tokens=512
)
DATA = TaskData(revision="r1", source="hub", rows=3)
SCORE = TaskScore(
    task="STS12",
    category="STS",
    metric="cosine_spearman",
    score=75.1,
    low=74.0,
    high=76.0,
    evaluated=EVALUATED,
    data=DATA,
    prompts={"query": "query: "},
    scores={"cosine_spearman": 0.751},
    texts=10,
    texts_embedded=8,
    embed_s=2.0,
)
ITEMS = Samples("mean", np.array([0.25, 0.75]))

names = st.text(min_size=1, max_size=100).filter(lambda name: name.strip(". ") != "")
numbers = st.floats(allow_nan=False, allow_infinity=False)
evaluateds = st.builds(
    EvaluatedAs,
    model=names,
    kind=st.sampled_from(["gtekit", "openai", "sentence-transformers"]),
    fingerprint=names,
    precision=st.sampled_from(["float32", "int8", ""]),
    settings=st.sampled_from(["default", "published"]),
    max_tokens=st.none() | st.integers(1, 10_000),
)
scores = st.builds(
    TaskScore,
    task=names,
    category=names,
    metric=names,
    score=numbers,
    low=st.none() | numbers,
    high=st.none() | numbers,
    evaluated=evaluateds,
    data=st.builds(TaskData, revision=names, source=names, rows=st.integers(0), is_partial=st.booleans()),
    prompts=st.dictionaries(names, st.text()),
    normalize=st.none() | st.booleans(),
    scores=st.dictionaries(names, numbers),
    texts=st.integers(0),
    texts_cut=st.none() | st.integers(0),
    embed_s=numbers,
    versions=st.dictionaries(names, names),
)


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(tmp_path / "results")


def only_file(store: ResultStore) -> Path:
    (path,) = store.folder.glob("*/*/*.json")
    return path


@given(score=scores, values=st.lists(st.floats(0, 1), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read(score: TaskScore, values: list[float]) -> None:
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder))
        store.write(score, Samples("mean", np.array(values)))
        assert store.find(score.evaluated, score.task, score.data.revision) == score
        assert store.scores() == [score]
        found = store.samples(score)
        assert found is not None
        np.testing.assert_array_equal(found.values, values)


@pytest.mark.parametrize(
    "other",
    [
        replace(EVALUATED, fingerprint="e" * 64),
        replace(EVALUATED, settings="published"),
        replace(EVALUATED, precision="float32"),
        replace(EVALUATED, max_tokens=256),
        replace(EVALUATED, max_tokens=None),
        replace(EVALUATED, kind="sentence-transformers"),
        replace(EVALUATED, model="gte-base"),
    ],
)
def test_a_score_of_anything_else_is_not_found(store: ResultStore, other: EvaluatedAs) -> None:
    store.write(SCORE, ITEMS)
    assert store.find(EVALUATED, "STS12", "r1") == SCORE
    assert store.find(other, "STS12", "r1") is None


def test_a_score_on_other_data_or_of_another_task_is_not_found(store: ResultStore) -> None:
    store.write(SCORE, ITEMS)
    assert store.find(EVALUATED, "STS12", "r2") is None
    assert store.find(EVALUATED, "STS13", "r1") is None


def test_names_that_look_alike_as_files_do_not_meet(store: ResultStore) -> None:
    alike = ["my data", "my/data", "my_data", "MY" + "x" * 200 + "1", "MY" + "x" * 200 + "2"]
    for place, task in enumerate(alike):
        store.write(replace(SCORE, task=task, score=float(place)), None)
    assert len(store.scores()) == len(alike)
    for place, task in enumerate(alike):
        found = store.find(EVALUATED, task, "r1")
        assert found is not None
        assert (found.task, found.score) == (task, place)


def test_a_name_can_not_leave_the_folder(store: ResultStore, tmp_path: Path) -> None:
    store.write(replace(SCORE, task="../../escaped", evaluated=replace(EVALUATED, model="../../../up")), None)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
    assert store.scores()[0].task == "../../escaped"


def test_a_score_without_items_takes_old_ones_away(store: ResultStore) -> None:
    store.write(SCORE, ITEMS)
    assert store.samples(SCORE) is not None
    store.write(SCORE, None)
    assert store.samples(SCORE) is None


def test_a_write_that_fails_leaves_the_old_score(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(SCORE, ITEMS)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", no_space)
        with pytest.raises(OSError, match="No space"):
            store.write(replace(SCORE, score=1.0), ITEMS)
    assert store.scores() == [SCORE]
    assert not [path for path in store.folder.rglob("*") if path.name.endswith(".tmp")]


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused_and_not_kept(store: ResultStore, score: float) -> None:
    with pytest.raises(EvaluationError, match="STS12: the score of gte-small@int8 is"):
        store.write(replace(SCORE, score=score), ITEMS)
    assert not store.folder.exists()


def damaged() -> Iterator[str]:
    whole = {"format": FORMAT, **json.loads(json.dumps(as_json()))}
    yield ""
    yield "{"
    yield "[1, 2]"
    yield "null"
    yield "[" * 100_000
    yield json.dumps({**whole, "format": FORMAT + 1})
    yield json.dumps({key: value for key, value in whole.items() if key != "format"})
    yield json.dumps({key: value for key, value in whole.items() if key != "score"})
    yield json.dumps({**whole, "colour": "red"})
    for field, value in (
        ("score", "80"),
        ("score", None),
        ("score", True),
        ("score", math.nan),
        ("score", math.inf),
        ("low", [1]),
        ("task", 7),
        ("texts", 1.5),
        ("texts", True),
        ("prompts", {"query": 1}),
        ("scores", []),
        ("embed_s", "fast"),
        ("evaluated", []),
        ("evaluated", {**whole["evaluated"], "kind": "magic"}),
        ("evaluated", {**whole["evaluated"], "settings": "secret"}),
        ("evaluated", {**whole["evaluated"], "max_tokens": "512"}),
        ("data", {**whole["data"], "is_partial": "no"}),
        ("data", None),
    ):
        yield json.dumps({**whole, field: value})


def as_json() -> dict[str, object]:
    with TemporaryDirectory() as folder:
        store = ResultStore(Path(folder))
        store.write(SCORE, None)
        content: dict[str, object] = json.loads(only_file(store).read_text(encoding="utf-8"))
        return content


@pytest.mark.parametrize("text", list(damaged()), ids=lambda text: text[:40])
def test_a_damaged_file_is_named_and_not_believed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "score.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"score\.json: .*Delete it"):
        read_score(path)


def test_bytes_that_are_no_text_are_told_of(store: ResultStore) -> None:
    store.write(SCORE, None)
    only_file(store).write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(FileFormatError, match="is no score as gtekit writes it"):
        store.scores()


def test_a_whole_number_is_a_score_as_well(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    path.write_text(json.dumps({**as_json(), "score": 75}), encoding="utf-8")
    assert read_score(path).score == 75


def test_a_folder_without_scores_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"no such folder.*gtekit eval"):
        ResultStore(tmp_path / "none").scores()
    with pytest.raises(FileFormatError, match=r"holds no scores.*gtekit eval"):
        ResultStore(tmp_path).scores()


def test_labels_are_what_people_call_a_model() -> None:
    assert EVALUATED.label == "gte-small@int8"
    assert replace(EVALUATED, settings="published").label == "gte-small@int8+published"
    assert replace(EVALUATED, kind="sentence-transformers").label == "sentence-transformers:gte-small"
    assert replace(EVALUATED, kind="openai", precision="").label == "openai:gte-small"


def test_texts_a_second_are_of_computed_texts_and_zero_where_none_was() -> None:
    assert SCORE.texts_per_s == 4.0  # 8 texts in 2 s
    assert replace(SCORE, texts_embedded=0, embed_s=0.0).texts_per_s == 0.0


def test_several_may_write_the_same_score_at_once(tmp_path: Path) -> None:
    samples = Samples("mean", np.arange(1000.0))

    def write(_: int) -> None:
        ResultStore(tmp_path).write(SCORE, samples)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    assert ResultStore(tmp_path).scores() == [SCORE]
    assert len(ResultStore(tmp_path).samples(SCORE) or ()) == 1000
    assert not list(tmp_path.rglob(".*"))
