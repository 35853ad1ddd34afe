"""gtekit pairs: scores, thresholds and calibrations of pairs in files."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gtekit
from gtekit.tasks.pairs.calibration import calibration_for
from tests.cli.conftest import Run

MODEL = ("-m", "all-MiniLM-L6-v2")
SAME = [
    ("a cat sleeps", "the cat is asleep"),
    ("sort a list", "list sorting"),
    ("fine weather", "the weather is fine"),
    ("a fast train", "the train is fast"),
    ("fresh bread", "bread, fresh"),
    ("a long river", "the river is long"),
]
ROWS = [(*pair, 1) for pair in SAME] + [(SAME[row][0], SAME[(row + 2) % 6][1], 0) for row in range(6)]


def write(path: Path, names: list[str], rows: list[tuple[Any, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    return write(tmp_path / "labelled.csv", ["sentence1", "sentence2", "label"], ROWS)


def test_pairs_are_scored_and_keep_their_fields(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    output = labelled.with_name("scored.csv")
    code, printed, errors = run("pairs", "score", labelled, "-o", output, *MODEL)
    assert (code, printed, errors) == (0, "", "gtekit: 12 pairs scored.\n")
    rows = list(csv.DictReader(io.StringIO(output.read_text("utf-8"))))
    left, right = [row[0] for row in ROWS], [row[1] for row in ROWS]
    cosines = gtekit.similarity_pairwise(minilm.encode(left), minilm.encode(right))
    assert [row["label"] for row in rows] == [str(row[2]) for row in ROWS]
    assert [float(row["cosine"]) for row in rows] == pytest.approx(cosines.tolist(), abs=1e-6)
    expected = calibration_for(minilm).probability(cosines)
    assert [float(row["probability"]) for row in rows] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_prior_lowers_probabilities(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    plain, rare = (
        [json.loads(line)["probability"] for line in run("pairs", "score", labelled, *more, *MODEL)[1].splitlines()]
        for more in ([], ["--prior", "0.001"])
    )
    assert all(low < high for low, high in zip(rare, plain, strict=True))


def test_a_fitted_threshold_answers(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    threshold = labelled.with_name("threshold.json")
    code, printed, _ = run("pairs", "fit", labelled, "-o", threshold, *MODEL)
    assert code == 0
    assert printed.startswith("threshold  0.")
    assert "12 pairs, 6 labelled 1." in printed
    code, printed, _ = run("pairs", "score", labelled, "--classifier", threshold, *MODEL)
    assert [json.loads(line)["same"] for line in printed.splitlines()] == [bool(row[2]) for row in ROWS]


def test_fit_gives_json(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    for arguments in (["pairs", "fit", labelled, "--json"], ["pairs", "--json", "fit", labelled]):
        found = json.loads(run(*arguments, *MODEL, "--measure", "f1")[1])
        assert (found["measure"], found["data"], found["figures"]["pairs"]) == ("f1", "labelled.csv", 12)
        assert found["fingerprint"] == minilm.fingerprint


def test_a_calibration_is_written_drawn_and_used(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    mine, plot = labelled.with_name("my.json"), labelled.with_name("plot.svg")
    arguments = ("-o", mine, "--plot", plot, "--data", "made up", "--meaning", "the same", *MODEL)
    code, printed, errors = run("pairs", "calibrate", labelled, *arguments)
    assert code == 0
    assert "warning: the calibration rests on 6 pairs of the rarer label" in errors
    assert "chosen" in printed
    assert plot.read_bytes().startswith(b"<?xml")
    kept = json.loads(mine.read_text("utf-8"))
    assert (kept["data"], kept["meaning"], kept["pairs"]) == ("made up", "the same", 12)
    scored = run("pairs", "score", labelled, "--calibration", mine, *MODEL)[1]
    shipped = run("pairs", "score", labelled, *MODEL)[1]
    assert json.loads(scored.splitlines()[0])["probability"] != json.loads(shipped.splitlines()[0])["probability"]


def test_grades_become_labels(run: Run, minilm: gtekit.Embedder, tmp_path: Path) -> None:
    graded = write(tmp_path / "graded.tsv.csv", ["one", "two", "grade"], [(a, b, 1 + 4 * c) for a, b, c in ROWS])
    arguments = ("pairs", "fit", graded, "--columns", "one,two,grade", *MODEL)
    code, _, errors = run(*arguments)
    assert code == 2
    assert "line 2: has the value 5, expected a label, 0 or 1. Grades?" in errors
    assert json.loads(run(*arguments, "--least", "4", "--json")[1])["figures"]["positives"] == 6


def test_a_file_for_another_model_is_refused(
    run: Run, minilm: gtekit.Embedder, labelled: Path, tiny_checkpoint: Path
) -> None:
    threshold = labelled.with_name("threshold.json")
    assert run("pairs", "fit", labelled, "-o", threshold, *MODEL)[0] == 0
    code, printed, errors = run("pairs", "score", labelled, "--classifier", threshold, "-m", tiny_checkpoint)
    assert (code, printed) == (2, "")
    assert "was fitted to sentence-transformers/all-MiniLM-L6-v2" in errors


def test_a_model_without_calibration_gives_cosines_and_says_how_to_get_one(
    run: Run, labelled: Path, tiny_checkpoint: Path
) -> None:
    code, printed, errors = run("pairs", "score", labelled, "-m", tiny_checkpoint)
    assert code == 0
    assert set(json.loads(printed.splitlines()[0])) == {"sentence1", "sentence2", "label", "cosine"}
    assert "gtekit pairs calibrate pairs.csv -o my.json" in errors
    assert run("pairs", "score", labelled, "-m", tiny_checkpoint, "--prior", "0.1")[0] == 2


def test_shorter_vectors_have_no_probability(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    code, printed, errors = run("pairs", "score", labelled, "--dimensions", "128", *MODEL)
    assert code == 0
    assert "probability" not in json.loads(printed.splitlines()[0])
    assert "no probabilities: the calibration was fitted to vectors of 384 dimensions" in errors
    assert run("pairs", "score", labelled, "--dimensions", "128", "--prior", "0.1", *MODEL)[0] == 2


def test_pairs_come_from_standard_input_and_without_labels(run: Run, tiny_checkpoint: Path) -> None:
    lines = "".join(json.dumps({"question1": "a", "question2": "b", "score": 3, "label": 0}) + "\n" for _ in range(3))
    code, printed, _ = run("pairs", "score", "-", "--format", "jsonl", "-m", tiny_checkpoint, stdin=lines.encode())
    assert code == 0
    assert len(printed.splitlines()) == 3
    assert json.loads(printed.splitlines()[0])["score"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "FILE", "-o", "a.txt"], "name the output .jsonl"),
        (["score", "FILE", "--columns", "a"], "2 names are needed"),
        (["score", "FILE", "--columns", "a,b"], "no field 'a'"),
        (["score", "FILE", "--prior", "2"], "--prior 2 is not possible"),
        (["score", "FILE", "--classifier", "none.json"], "there is no such file"),
        (["score", "FILE", "--no-normalize"], "no meaning here"),
        (["score", "FILE", "--json"], "-o - and --json both print to standard output"),
        (["score", "FILE", "-o", "FILE"], "is the input"),
        (["score", "FILE", "--delimiter", ";;"], "must be one character"),
        (["fit", "FILE", "-o", "a.csv"], "name the file .json"),
        (["fit", "FILE", "--least", "4"], "all 12 pairs are made 0"),
        (["calibrate", "FILE", "--plot", "a.pdf"], "ends in .svg or .png"),
        (["calibrate", "FILE", "-o", "none/a.json"], "no file can be made"),
    ],
)
def test_what_can_not_be_done_is_said_before_a_model_is_loaded(
    run: Run, labelled: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    given = [str(labelled) if part == "FILE" else part for part in arguments]
    code, printed, errors = run("pairs", *given, "-m", tmp_path / "no-model")
    assert (code, printed) == (2, "")
    assert message in errors


def test_fields_of_the_output_s_own_and_texts_that_nobody_knows_are_refused(run: Run, tmp_path: Path) -> None:
    own = write(tmp_path / "own.csv", ["sentence1", "sentence2", "cosine"], [("a", "b", 1)])
    assert (
        "own.csv, line 2: the field 'cosine' has the name of a result. Rename it."
        in run("pairs", "score", own, *MODEL)[2]
    )
    unknown = write(tmp_path / "unknown.csv", ["x", "y"], [("a", "b")])
    assert "no columns are called as pairs of texts are" in run("pairs", "score", unknown, *MODEL)[2]
    several = write(tmp_path / "several.csv", ["a", "b", "text1", "text2"], [("a", "b", "c", "d")])
    assert "several columns could be the texts" in run("pairs", "score", several, *MODEL)[2]


def test_a_later_row_with_a_field_of_the_output_s_own_is_refused_too(
    run: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [{"a": "x", "b": "y"}, {"a": "x", "b": "y", "same": "what I say"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out.jsonl"
    code, _, errors = run("pairs", "score", tmp_path / "in.jsonl", "-o", out, "-m", tiny_checkpoint)
    assert code == 2
    assert "in.jsonl, line 2: the field 'same' has the name of a result" in errors
    assert not out.exists()


def test_a_table_is_no_classifier(run: Run, labelled: Path) -> None:
    code, _, errors = run("pairs", "score", labelled, "--classifier", labelled, "-m", "no-such-model")
    assert code == 2
    assert f"gtekit pairs fit {labelled} -o FILE.json" in errors


def test_parquet_and_other_delimiters_give_the_same_scores(run: Run, minilm: gtekit.Embedder, labelled: Path) -> None:
    names = ["sentence1", "sentence2", "label"]
    columns = dict(zip(names, (list(column) for column in zip(*ROWS, strict=True)), strict=True))
    pq.write_table(pa.table(columns), labelled.with_name("a.parquet"))
    with labelled.with_name("b.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([names, *ROWS])
    given = [(labelled,), (labelled.with_name("a.parquet"),), (labelled.with_name("b.csv"), "--delimiter", ";")]
    scored = [run("pairs", "score", *words, *MODEL)[1].splitlines() for words in given]
    cosines = [[json.loads(line)["cosine"] for line in lines] for lines in scored]
    assert cosines[0] == cosines[1] == cosines[2]
    assert len(cosines[0]) == len(ROWS)
    fits = [json.loads(run("pairs", "fit", *words, "--json", *MODEL)[1])["threshold"] for words in given]
    assert fits[0] == fits[1] == fits[2]
    code, _, errors = run("pairs", "score", given[1][0], "--delimiter", ";", *MODEL)
    assert (code, "--delimiter is for csv and tsv" in errors) == (2, True)


def test_with_an_output_json_says_what_was_done(run: Run, labelled: Path, tiny_checkpoint: Path) -> None:
    out = labelled.with_name("out.jsonl")
    code, printed, _ = run("pairs", "score", labelled, "-o", out, "--json", "-m", tiny_checkpoint)
    assert code == 0
    assert json.loads(printed)["pairs"] == len(out.read_text().splitlines()) == 12


@pytest.mark.parametrize("name", ["score", "fit", "calibrate"])
def test_every_subcommand_has_help_with_examples(run: Run, name: str) -> None:
    code, output, _ = run("pairs", name, "--help")
    assert code == 0
    assert f"examples:\n  gtekit pairs {name} " in output


def test_without_a_subcommand_it_is_a_usage_error(run: Run) -> None:
    assert run("pairs")[0] == 2
