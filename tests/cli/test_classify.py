"""gtekit classify: labels by descriptions, fitting, labels by a classifier, and what is refused before any model."""

import csv
import io
import json
from pathlib import Path

import pytest

import gtekit
from gtekit.tasks import load_classifier
from tests.cli.conftest import Run

MODEL = ("-m", "all-MiniLM-L6-v2")
SUBJECTS = {
    "sport": ["the match", "a goal", "the striker", "the league", "a tennis player", "the coach"],
    "food": ["the soup", "fresh bread", "a recipe", "the cheese", "olive oil", "a ripe tomato"],
    "travel": ["the airport", "a hotel room", "the train", "a passport", "our flight", "a suitcase"],
}
EXAMPLES = [(f"I read about {thing}.", subject) for subject, things in SUBJECTS.items() for thing in things]


def write_csv(path: Path, rows: list[tuple[str, str]], header: str = "text,label") -> Path:
    path.write_text("\n".join([header, *(f"{text},{label}" for text, label in rows)]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "train.csv", EXAMPLES)


@pytest.fixture
def fitted(train: Path, run: Run, minilm: gtekit.Embedder) -> Path:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    path = train.parent / "topics.classifier"
    assert run("classify", "fit", train, "-o", path, "--least-coverage", "0.5", *MODEL)[0] == 0
    return path


@pytest.mark.usefixtures("minilm")
def test_names_of_labels_are_enough(run: Run) -> None:
    texts = b"the striker scored twice\nslice the onions\n"
    code, output, errors = run("classify", "--labels", "sport,food", *MODEL, stdin=texts)
    records = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [(record["text"], record["label"]) for record in records] == [
        ("the striker scored twice", "sport"),
        ("slice the onions", "food"),
    ]
    assert errors == "gtekit: 2 texts, 0 without a label\n"


@pytest.mark.usefixtures("minilm")
@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_a_file_of_labels_may_describe_each_in_several_ways(form: str, run: Run, train: Path, tmp_path: Path) -> None:
    described = [("sport", "games with a ball"), ("sport", "a match"), ("food", "cooking"), ("travel", "journeys")]
    path = tmp_path / f"labels.{form}"
    if form == "csv":
        write_csv(path, described, "label,description")
    elif form == "jsonl":
        path.write_text("".join(json.dumps({"label": a, "description": b}) + "\n" for a, b in described))
    else:
        path.write_text(
            json.dumps({"sport": ["games with a ball", "a match"], "food": "cooking", "travel": "journeys"})
        )
    code, output, errors = run("classify", train, "--labels", path, "--truth", "label", "--scores", "--json", *MODEL)
    answer = json.loads(output)
    assert code == 0
    assert answer["classes"] == ["sport", "food", "travel"]
    assert answer["right"] == sum(result["label"] == result["truth"] for result in answer["results"]) >= 15
    assert list(answer["results"][0]) == ["text", "label", "confidence", "truth", "scores"]
    assert sum(answer["results"][0]["scores"].values()) == pytest.approx(1, abs=1e-5)
    assert f"{answer['right']} of 18 labels are right" in errors


def test_fit_writes_a_classifier_and_says_how_good_it_is(
    run: Run, train: Path, tmp_path: Path, minilm: gtekit.Embedder
) -> None:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    plot, path = tmp_path / "confusion.svg", tmp_path / "topics.classifier"
    code, output, errors = run("classify", "fit", train, "-o", path, "--plot", plot, *MODEL)
    assert (code, output) == (0, "")
    assert "gtekit: 18 texts, 3 labels, 6 examples each\n" in errors
    assert "accuracy " in errors
    assert "macro-F1 " in errors
    assert "abstain below" in errors
    assert "<svg" in plot.read_text(encoding="utf-8")
    classifier = load_classifier(path, minilm)
    assert classifier.predict(["she scored twice"]).labels == ("sport",)
    code, output, _ = run("classify", "fit", train, "--json", *MODEL)
    report = json.loads(output)
    assert report["report"]["accuracy"]["value"] == classifier.report.accuracy.value  # type: ignore[union-attr]
    assert report["output"] is None


def test_a_classifier_labels_a_file_and_keeps_its_fields(
    run: Run, fitted: Path, tmp_path: Path, minilm: gtekit.Embedder
) -> None:
    texts = ["the goalkeeper", "boil the rice", "nothing in particular"]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(texts)))
    code, _, errors = run(
        "classify", tmp_path / "new.jsonl", "--classifier", fitted, "--keep", "all", "-o", tmp_path / "out.csv", *MODEL
    )
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"))))
    found = load_classifier(fitted, minilm).predict(texts)
    assert code == 0
    assert [row["id"] for row in rows] == ["0", "1", "2"]
    assert [row["label"] or None for row in rows] == list(found.labels)
    assert f"{found.labels.count(None)} without a label" in errors
    _, output, _ = run("classify", tmp_path / "new.jsonl", "--classifier", fitted, "--abstain-below", "0", *MODEL)
    assert None not in [json.loads(line)["label"] for line in output.splitlines()]


def test_a_confusion_matrix_is_drawn_where_the_truth_is_known(run: Run, fitted: Path, train: Path) -> None:
    plot = train.parent / "confusion.png"
    arguments = ("--classifier", fitted, "--truth", "label", "--abstain-below", "0", "--keep", "none")
    code, output, errors = run("classify", train, *arguments, "--plot", plot, *MODEL)
    assert code == 0
    assert json.loads(output.splitlines()[0]).keys() == {"label", "confidence", "truth"}
    assert "18 of 18 labels are right (100.0%)" in errors
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_classifier_of_another_model_is_refused(run: Run, fitted: Path, train: Path, tiny_checkpoint: Path) -> None:
    code, output, errors = run("classify", train, "--classifier", fitted, "-m", tiny_checkpoint)
    assert (code, output) == (2, "")
    assert "was fitted to sentence-transformers/all-MiniLM-L6-v2" in errors


def test_columns_of_any_name_can_be_fitted(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    path = write_csv(tmp_path / "a.csv", EXAMPLES, "question,intent")
    code, _, errors = run(
        "classify", "fit", path, "--columns", "question,intent", "--c", "1", "--folds", "0", "-m", tiny_checkpoint
    )
    assert code == 0
    assert "not cross-validated" in errors
    assert "not saved" in errors


def test_how_texts_are_embedded_goes_into_the_file(run: Run, train: Path, tiny_checkpoint: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    path = train.parent / "topics.classifier"
    options = ("--prompt", "about: ", "--dimensions", "8", "--batch-tokens", "64")
    assert run("classify", "fit", train, "-o", path, *options, "-m", tiny_checkpoint)[0] == 0
    model = gtekit.load(tiny_checkpoint, language_warning=False)
    classifier = load_classifier(path, model)
    assert classifier.encode_options == {"prompt": "about: ", "dimensions": 8, "on_truncation": "warn"}
    vectors = model.encode(["the match"], prompt="about: ", dimensions=8)
    _, output, _ = run("classify", "--classifier", path, "-m", tiny_checkpoint, stdin=b"the match\n")
    assert json.loads(output)["confidence"] == round(float(classifier.predict_vectors(vectors).confidence[0]), 6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --labels, or --classifier"),
        (["--labels", "a,b", "--classifier", "x"], "either --labels, or --classifier"),
        (["--labels", "a"], "there is 1 label"),
        (["--labels", "none.csv"], "none.csv: can't be read"),
        (["--labels", "a,b", "--template", "about"], "--template 'about' has to hold {} once"),
        (["--labels", "a,b", "--temperature", "0"], "--temperature 0.0 is not possible"),
        (["--labels", "a,b", "--abstain-below", "50"], "--abstain-below 50.0 is not possible"),
        (["--labels", "a,b", "--plot", "a.svg"], "--truth"),
        (["--labels", "a,b", "--truth", "topic"], "no field 'topic'"),
        (["--labels", "a,b", "--truth", "label", "--keep", "topic"], "no field 'topic' to keep"),
        (["--labels", "a,b", "--keep", "all"], "train.csv, line 2: the field 'label' has the name of a result"),
        (["--labels", "a,b", "-o", "out.parquet"], ".jsonl, .csv"),
        (["--labels", "a,b", "--folds", "0"], "--folds is for fit"),
        (["--classifier", "none.classifier"], "none.classifier: can't be read"),
        (["--classifier", "train.csv"], "Fit a classifier to it first: gtekit classify fit train.csv"),
        (["--keep", ",", "--labels", "a,b"], "--keep ',' names no field"),
        (["--classifier", "none.classifier", "--prompt", "a"], "--prompt is part of a classifier"),
        (["other.csv", "--labels", "a,b"], "one file at a time"),
    ],
)
def test_what_can_not_be_is_said_before_a_model_is_loaded(
    run: Run, train: Path, arguments: list[str], message: str
) -> None:
    code, output, errors = run("classify", train, *arguments, "-m", train.parent / "no-model")
    assert (code, output) == (2, "")
    assert message in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--labels", "a,b"], "--labels is not for fit"),
        (["--least-accuracy", "95"], "--least-accuracy 95.0 is not possible"),
        (["--folds", "0"], "c is found by cross-validation"),
        (["--columns", "text"], "name two columns"),
        (["--columns", "text,topic"], "no field 'topic' for the labels; its fields are: text, label. Name the columns"),
        (["--columns", "topic,label"], "no field 'topic'; its fields are: text, label. Name the columns"),
        (["-o", "."], ".: is a folder"),
        (["-o", "no/folder/a.classifier"], "no file can be made in no/folder"),
        (["--plot", "a.gif"], ".svg or .png"),
    ],
)
def test_fits_that_can_not_be_are_refused_before_a_model_is_loaded(
    run: Run, train: Path, arguments: list[str], message: str
) -> None:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    code, output, errors = run("classify", "fit", train, *arguments, "-m", train.parent / "no-model")
    assert (code, output) == (2, "")
    assert message in errors


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("rain", "weather"), "train.csv, line 20: the label 'weather' has one example only"),
        (("rain", ""), "train.csv, line 20: the label is empty"),
    ],
)
def test_labels_that_can_not_be_learned_are_named_with_their_line(
    run: Run, tmp_path: Path, row: tuple[str, str], message: str
) -> None:
    pytest.importorskip("sklearn", reason="needs the extra tasks")
    path = write_csv(tmp_path / "train.csv", [*EXAMPLES, row])
    code, _, errors = run("classify", "fit", path, "-m", tmp_path / "no-model")
    assert code == 2
    assert message in errors


def test_labels_and_plots_are_not_overwritten_either(run: Run, train: Path) -> None:
    labels = write_csv(train.parent / "labels.csv", [("sport", "games"), ("food", "cooking")], "label,description")
    code, _, errors = run("classify", train, "--labels", labels, "-o", labels)
    assert code == 2
    assert "is the input of --labels" in errors
    folder = train.parent / "plot.svg"
    folder.mkdir()
    code, _, errors = run("classify", train, "--labels", labels, "--truth", "label", "--plot", folder)
    assert code == 2
    assert "plot.svg: is a folder" in errors


def test_the_input_is_never_overwritten(run: Run, train: Path) -> None:
    before = train.read_bytes()
    for arguments in (["--labels", "a,b"], ["-m", "x"]):
        words = [train] if "--labels" in arguments else ["fit", train]
        code, _, errors = run("classify", *words, *arguments, "-o", train)
        assert code == 2
        assert "is the input" in errors
    assert train.read_bytes() == before
