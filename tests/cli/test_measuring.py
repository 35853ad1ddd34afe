"""bench and tune, as people call them, and --precision elsewhere."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit.tuned import read_entries
from tests.cli.conftest import Run

FAST = ("--rounds", "1", "--seconds", "0.2")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tuned.json"
    monkeypatch.setenv("GTEKIT_CONFIG", str(path))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("sorting algorithms\n\nthe weather in Beijing is sunny today\n" * 5)
    return path


def test_bench_prints_both_precisions_and_draws_them(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    code, output, errors = run("bench", "-m", tiny_checkpoint, *FAST, "--plot", tmp_path / "a.svg")
    assert code == 0
    for words in ("float32", "int8", "tokens/s", "p99", "ceiling", "query key value", "cosine of int8 to float32"):
        assert words in output
    assert "gtekit: round 1 of 1" in errors
    assert "round" not in output.replace("1 round", "")
    ET.parse(tmp_path / "a.svg")


def test_bench_takes_texts_of_the_user_and_gives_json(run: Run, tiny_checkpoint: Path, corpus: Path) -> None:
    code, output, _ = run("bench", corpus, "-m", tiny_checkpoint, *FAST, "--json", "--precision", "float32")
    found = json.loads(output)
    assert code == 0
    assert found["source"] == str(corpus)
    assert [one["precision"] for one in found["measured"]] == ["float32"]
    assert found["cosine_mean"] is None
    code, output, _ = run("bench", "-", "-m", tiny_checkpoint, *FAST, "--json", stdin=b"one text\n")
    assert json.loads(output)["source"] == "standard input"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rounds", "0"), "--rounds 0"),
        (("--seconds", "0"), "--seconds 0"),
        (("--seconds", "nan"), "--seconds nan"),
        (("--plot", "a.png"), "a.png"),
        (("--plot", "/no/such/folder/a.svg"), "there is no folder /no/such/folder"),
        (("/no/such/file.txt",), "/no/such/file.txt"),
        (("--threads", "0"), "--threads 0"),
    ],
)
def test_bench_knows_at_once_what_is_not_possible(
    run: Run, tiny_checkpoint: Path, arguments: tuple[str, ...], words: str
) -> None:
    code, output, errors = run("bench", "-m", tiny_checkpoint, *arguments)
    assert (code, output) == (2, "")
    assert words in errors
    assert errors.splitlines()[-1].startswith("gtekit: ")
    assert "Traceback" not in errors


def test_tune_writes_what_load_then_takes(run: Run, tiny_checkpoint: Path, config: Path, corpus: Path) -> None:
    code, output, _ = run("tune", corpus, "-m", tiny_checkpoint, *FAST, "--min-cosine", "0.9")
    assert code == 0
    assert f"written: {config}" in output
    assert sum(line.startswith("* ") for line in output.splitlines()) == 2  # the row, and what it means
    (entry,) = read_entries(config)
    model = gtekit.load(tiny_checkpoint, threads=None)
    assert (model.precision, model.batch_tokens) == (entry.precision, entry.batch_tokens)
    doctor = run("doctor")[1]
    assert f"tuned      {config}" in doctor
    assert "; applies" in doctor
    code, output, _ = run("tune", "-m", tiny_checkpoint, "--forget")
    assert (code, config.exists()) == (0, False)
    assert "1 entry of" in output


def test_tune_dry_run_writes_nothing(run: Run, tiny_checkpoint: Path, config: Path) -> None:
    code, output, _ = run("tune", "-m", tiny_checkpoint, *FAST, "--dry-run", "--json", "--precision", "float32")
    found = json.loads(output)
    assert (code, found["written"], config.exists()) == (0, None, False)
    assert {choice["precision"] for choice in found["choices"]} == {"float32"}
    assert found["best"] in found["choices"]


def test_tune_writes_nothing_for_shorter_texts_than_load_reads(run: Run, tiny_checkpoint: Path, config: Path) -> None:
    code, output, _ = run("tune", "-m", tiny_checkpoint, *FAST, "--precision", "float32", "--max-tokens", "16")
    assert code == 0
    assert "not written: --max-tokens" in output
    assert not config.exists()


def test_tune_knows_at_once_that_its_file_has_no_place(
    run: Run, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("GTEKIT_CONFIG", str(tmp_path / "a file" / "tuned.json"))
    code, output, errors = run("tune", "-m", tiny_checkpoint, "--seconds", "1000")
    assert (code, output) == (2, "")
    assert "GTEKIT_CONFIG" in errors


def test_tune_says_when_nothing_is_exact_enough(run: Run, tiny_checkpoint: Path, config: Path) -> None:
    arguments = ("--precision", "int8", "--threads", "1", "--min-cosine", "1")
    code, output, _ = run("tune", "-m", tiny_checkpoint, *FAST, *arguments)
    assert (code, config.exists()) == (1, False)
    assert "No choice has a mean cosine of 1 or more. Nothing is written." in output


def test_tune_needs_a_place_to_write_to(run: Run, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTEKIT_CONFIG", "off")
    code, _, errors = run("tune", "-m", tiny_checkpoint, *FAST)
    assert code == 2
    assert "GTEKIT_CONFIG=off" in errors
    assert run("tune", "-m", tiny_checkpoint, "--min-cosine", "2", "--dry-run")[0] == 2


def test_a_damaged_file_is_told_of_and_forgotten(run: Run, tiny_checkpoint: Path, config: Path) -> None:
    config.write_text("{")
    code, _, errors = run("similarity", "a", "b", "-m", tiny_checkpoint)
    assert code == 2
    assert f"{config}: is not as gtekit tune writes it" in errors
    assert run("tune", "-m", tiny_checkpoint, *FAST)[0] == 2
    code, output, _ = run("doctor")
    assert (code, output.startswith(f"PROBLEM    {config}")) == (1, True)
    assert run("tune", "-m", tiny_checkpoint, "--forget")[0] == 0
    assert run("similarity", "a", "b", "-m", tiny_checkpoint)[0] == 0


def test_a_model_that_is_gone_can_still_be_forgotten(run: Run, config: Path, tmp_path: Path) -> None:
    code, output, _ = run("tune", "-m", tmp_path / "gone", "--forget", "--json")
    assert (code, json.loads(output)["forgotten"]) == (0, 0)


def test_embed_takes_the_precision(run: Run, tiny_checkpoint: Path, corpus: Path, tmp_path: Path) -> None:
    for precision in ("float32", "int8"):
        output = tmp_path / f"{precision}.npy"
        assert run("embed", corpus, "-o", output, "-m", tiny_checkpoint, "--precision", precision)[0] == 0
        texts = corpus.read_text().splitlines()
        np.testing.assert_array_equal(np.load(output), gtekit.load(tiny_checkpoint, precision=precision).encode(texts))
    assert run("embed", corpus, "-o", output, "-m", tiny_checkpoint, "--precision", "int4")[0] == 2


def test_a_job_that_was_begun_in_one_precision_does_not_go_on_in_another(
    run: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    rows = [json.dumps({"text": f"text {number}"}) for number in range(8)]
    source, output = tmp_path / "rows.jsonl", tmp_path / "out.npy"
    source.write_text("\n".join([*rows[:6], "not json"]))
    command = ("embed", source, "-o", output, "-m", tiny_checkpoint, "--block-rows", "2")
    assert run(*command, "--precision", "float32")[0] == 2  # some blocks are saved, then the bad row
    source.write_text("\n".join(rows))
    code, _, errors = run(*command, "--precision", "int8")
    assert code == 0
    assert "interrupted run" not in errors
    expected = gtekit.load(tiny_checkpoint, precision="int8").encode([f"text {number}" for number in range(8)])
    np.testing.assert_array_equal(np.load(output), expected)
