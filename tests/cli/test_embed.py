"""gtekit embed, as people call it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import gtekit
from tests.cli.conftest import Run, program, start

TEXTS = [f"line {number} of a corpus" for number in range(40)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"{text}\n" for text in TEXTS))
    return path


def test_a_file_becomes_a_file_and_standard_output_stays_empty(
    run: Run, corpus: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    code, output, errors = run("embed", corpus, "-o", tmp_path / "out.npy", "-m", tiny_checkpoint)
    assert (code, output) == (0, "")
    assert "40 texts, 32 dimensions" in errors
    assert np.array_equal(np.load(tmp_path / "out.npy"), gtekit.load(tiny_checkpoint).encode(TEXTS))


def test_progress_tells_speed_and_the_time_that_is_left(
    run: Run, corpus: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    _, output, errors = run("embed", corpus, "-o", tmp_path / "out.npy", "-m", tiny_checkpoint, "--progress")
    assert output == ""
    assert re.search(r"100% █+ 40/40 texts  [\d,]+ texts/s  [\d,]+ tokens/s  0:0\d", errors)


def test_json_gives_a_summary(run: Run, corpus: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    code, output, _ = run(
        "embed", corpus, "-o", tmp_path / "out.npy", "-m", tiny_checkpoint, "--dtype", "int8", "--json"
    )
    summary = json.loads(output)
    assert code == 0
    assert summary["texts"] == 40
    assert summary["outputs"] == [str(tmp_path / "out.npy"), str(tmp_path / "out.scales.npy")]
    assert summary["fingerprint"] == gtekit.load(tiny_checkpoint).fingerprint


def test_standard_input_to_standard_output_is_json_lines(run: Run, tiny_checkpoint: Path) -> None:
    code, output, _ = run("embed", "-", "--json", "-m", tiny_checkpoint, "--dimensions", "4", stdin=b"one\ntwo\n")
    lines = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [line["text"] for line in lines] == ["one", "two"]
    expected = gtekit.load(tiny_checkpoint).encode(["one", "two"], dimensions=4)
    assert np.array_equal(np.array([line["embedding"] for line in lines], np.float32), expected)


def test_npy_goes_through_a_pipe(corpus: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    arguments = ("embed", "-", "--format", "jsonl", "--output-format", "npy", "-m", tiny_checkpoint)
    lines = "".join(f"{json.dumps({'text': text})}\n" for text in TEXTS)
    done = subprocess.run(program(*arguments), input=lines.encode(), capture_output=True, check=True)
    (tmp_path / "out.npy").write_bytes(done.stdout)
    assert np.array_equal(np.load(tmp_path / "out.npy"), gtekit.load(tiny_checkpoint).encode(TEXTS))


def test_queries_and_documents_get_the_models_prompts(run: Run, tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.symlink_to(tiny_checkpoint)
    copy = tmp_path / "prompts"
    copy.mkdir()
    for path in tiny_checkpoint.iterdir():
        (copy / path.name).symlink_to(path)
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}}
    (copy / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    model = gtekit.load(copy)
    for flag, prompt in (("--query", "query: "), ("--document", "passage: "), ("--prompt=so: ", "so: ")):
        code, output, _ = run("embed", "-", flag, "-m", copy, stdin=b"one\n")
        assert code == 0
        found = np.array(json.loads(output)["embedding"], np.float32)
        assert np.array_equal(found, model.encode_one("one", prompt=prompt))


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["embed", "-", "--format", "jsonl"], b'{"text": "a"}\n{"text": 1}\n', "standard input, line 2"),
        (["embed", "-", "--format", "jsonl"], b'{"a": "x", "b": "y"}\n', "its fields are: a, b"),
        (["embed", "-", "--dimensions", "33"], b"a\n", "--dimensions 33"),
        (["embed", "-", "--prompt-name", "query"], b"a\n", "no prompt named 'query'"),
        (["embed", "-"], b'{"text": "a"}\n', "--format jsonl, or --format txt"),
        (["similarity", "a", "--file", "-"], b'{"text": "a"}\n', "--format jsonl, or --format txt"),
        (["embed", "missing.txt"], b"", "missing.txt: there is no such file"),
        (["embed", "-", "--dtype", "int8", "--output-format", "npy"], b"a\n", "two files"),
        (["embed", "-", "--output-format", "npy", "--keep", "all"], b"a\n", "npy has no place for the fields"),
        (["embed", "-", "--on-truncation", "error"], b"word " * 200, "row 1: the text has"),
    ],
)
def test_bad_input_gives_one_message_and_exit_code_2(
    run: Run, tiny_checkpoint: Path, arguments: list[str], stdin: bytes, message: str
) -> None:
    code, _, errors = run(*arguments, "-m", tiny_checkpoint, stdin=stdin)
    assert code == 2
    assert message in errors
    assert "Traceback" not in errors
    assert errors.startswith("gtekit: ")


def test_json_on_standard_input_is_text_where_the_user_insists_or_where_it_is_none(
    run: Run, tiny_checkpoint: Path
) -> None:
    for arguments, stdin in ((["--format", "txt"], b'{"text": "a"}\n'), ([], b"{a}\n"), ([], b'a\n{"text": "a"}\n')):
        code, output, _ = run("embed", "-", *arguments, "-m", tiny_checkpoint, stdin=stdin)
        assert code == 0
        assert [json.loads(line)["text"] for line in output.splitlines()] == stdin.decode().splitlines()


def test_a_guessed_field_is_named_and_a_delimiter_can_be_chosen(
    run: Run, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text("a first sentence\nanother\n")
    code, _, errors = run("embed", tmp_path / "in.csv", "-m", tiny_checkpoint)
    assert code == 0
    assert errors.count("the texts are those of field 'a first sentence'") == 1
    _, _, errors = run("similarity", "a", "--file", tmp_path / "in.csv", "-m", tiny_checkpoint)
    assert errors.count("the texts are those of field 'a first sentence'") == 1
    for word, char in (("tab", "\t"), (";", ";")):
        (tmp_path / "in.csv").write_text(f"id{char}text\n1{char}a, b\n")
        code, output, errors = run("embed", tmp_path / "in.csv", "--delimiter", word, "-m", tiny_checkpoint)
        assert json.loads(output)["text"] == "a, b"


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("a.csv", "text,id\na,1\n", ["--field", "nosuch"]),
        ("a.jsonl", '{"text": "a"}\n', ["--field", "nosuch"]),
        ("a.csv", "text,id\na,1\n", ["--keep", "nosuch"]),
        ("a.txt", "a\n", ["--field", "nosuch"]),
        ("a.jsonl", '{"text": 5}\n', []),
    ],
)
def test_a_wrong_field_is_known_before_a_model_is_looked_for(
    run: Run, tmp_path: Path, name: str, data: str, options: list[str]
) -> None:
    (tmp_path / name).write_text(data)
    code, _, errors = run("embed", tmp_path / name, *options, "-o", tmp_path / "o.jsonl", "-m", tmp_path / "no-model")
    assert code == 2
    assert ("nosuch" if options else "field 'text' holds a number") in errors
    if "--keep" not in options:
        code, _, again = run("similarity", "a", "--file", tmp_path / name, *options, "-m", tmp_path / "no-model")
        assert (code, again) == (2, errors)


def test_folders_that_can_not_be_written_are_known_before_a_model_is_looked_for(
    run: Run, corpus: Path, tmp_path: Path
) -> None:
    folder = Path("/proc")  # where not even root can make a file
    if not folder.is_dir():
        pytest.skip("needs a folder that nobody can write to")
    code, _, errors = run("embed", corpus, "-o", folder / "o.npy", "-m", tmp_path / "no-model")
    assert code == 2
    assert errors.startswith("gtekit: /proc/o.npy: no file can be made in /proc (")
    code, _, errors = run("embed", tmp_path, "-m", tmp_path / "no-model")
    assert (code, errors) == (2, f"gtekit: {tmp_path}: is a folder. Name one file of texts.\n")


def test_blank_lines_are_counted_and_keep_their_rows(run: Run, tiny_checkpoint: Path) -> None:
    code, output, errors = run("embed", "-", "-m", tiny_checkpoint, stdin=b"a\n\n \nb\n")
    assert code == 0
    assert [json.loads(line)["text"] for line in output.splitlines()] == ["a", "", " ", "b"]
    assert errors.count("gtekit: 2 of 4 lines are blank") == 1
    _, _, errors = run("embed", "-", "-m", tiny_checkpoint, stdin=b"a\n")
    assert "blank" not in errors
    assert "gtekit: 1 text, 32 dimensions" in errors


def test_truncation_is_said_once_and_how_to_avoid_it(run: Run, tiny_checkpoint: Path) -> None:
    code, _, errors = run("embed", "-", "-m", tiny_checkpoint, stdin=b"word " * 200 + b"\nshort\n")
    assert code == 0
    assert errors.count("1 of 2 texts") == 1
    assert "--on-truncation chunk" in errors
    _, _, errors = run("embed", "-", "-m", tiny_checkpoint, "--on-truncation", "chunk", stdin=b"word " * 200)
    assert "warning" not in errors


def test_the_language_warning_names_its_switch_which_works(run: Run, minilm_folder: str) -> None:
    chinese = "排序算法是计算机科学中最基本的主题之一\n".encode() * 3
    code, _, errors = run("embed", "-", "-m", minilm_folder, stdin=chinese)
    assert code == 0
    assert "hardly covers" in errors
    assert "--no-language-warning" in errors
    code, _, errors = run("embed", "-", "-m", minilm_folder, "--no-language-warning", stdin=chinese)
    assert code == 0
    assert "warning" not in errors


def test_parquet_without_pyarrow_names_the_pip_line(
    run: Run, corpus: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as Python itself notes a module that can't be imported
    code, _, errors = run("embed", corpus, "-o", tmp_path / "out.parquet", "-m", tiny_checkpoint)
    assert code == 4
    assert "pip install 'gtekit[parquet]'" in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", ["npy", "jsonl"])
def test_standard_output_on_a_full_disk_gives_one_message(corpus: Path, tiny_checkpoint: Path, form: str) -> None:
    arguments = ("embed", corpus, "-o", "-", "--output-format", form, "-m", tiny_checkpoint)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(program(*arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "gtekit: standard output: No space left on device. Free some space, or write to another folder."
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="limits are not those of POSIX")
@pytest.mark.parametrize(
    "output", ["out.npy", "out.jsonl", "out.parquet", "-"], ids=["npy", "jsonl", "parquet", "standard output"]
)
def test_a_file_that_may_not_grow_gives_one_message_and_goes_on_when_it_may(
    tiny_checkpoint: Path, tmp_path: Path, output: str
) -> None:
    (tmp_path / "corpus.txt").write_text("".join(f"{text}\n" for text in TEXTS * 10))
    arguments = ["embed", str(tmp_path / "corpus.txt"), "-m", str(tiny_checkpoint)]
    if output == "-":  # the first block is too long already
        arguments += ["-o", "-", "--output-format", "npy", "--block-rows", "100"]
    else:
        arguments += ["-o", str(tmp_path / output), "--block-rows", "5"]
    code = (
        "import resource, sys; from gtekit.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY)); sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    name = "standard output" if output == "-" else str(tmp_path / output)
    kept = "" if output == "-" else f" Finished work is kept in {name}.partial; the same command goes on."
    assert re.fullmatch(
        rf"gtekit: {re.escape(name)}: File too large\. The system limits .*{re.escape(kept)}\n", done.stderr.decode()
    )
    assert not (tmp_path / output).is_file()
    again = subprocess.run(program(*arguments), capture_output=True, check=True)
    assert b"400 texts" in again.stderr


def feed_half_and_wait(process: "subprocess.Popen[bytes]", folder: Path, lines: list[bytes]) -> None:
    """Give a job half of its input and wait until it has saved some of it."""
    assert process.stdin is not None
    process.stdin.write(b"".join(lines[: len(lines) // 2]))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.npz"))) < 3:
        assert time.monotonic() < deadline, "the job saved nothing"
        assert process.poll() is None, "the job ended by itself"
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not those of POSIX")
@pytest.mark.parametrize("form", ["npy", "parquet", "jsonl"])
def test_a_job_killed_without_warning_goes_on_and_ends_with_the_same_bytes(
    tiny_checkpoint: Path, tmp_path: Path, form: str
) -> None:
    target = tmp_path / f"out.{form}"
    lines = [f"line {number} of a long corpus\n".encode() for number in range(4000)]
    arguments = ("embed", "-", "-o", target, "-m", tiny_checkpoint, "--block-rows", "100", "--json")
    process = start(*arguments)
    feed_half_and_wait(process, tmp_path / f"out.{form}.partial", lines)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not target.exists()
    again = subprocess.run(program(*arguments), input=b"".join(lines), capture_output=True, check=True)
    summary = json.loads(again.stdout)
    assert summary["texts"] == 4000
    assert 300 <= summary["reused"] < 4000
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name]
    finished = target.read_bytes()
    fresh = subprocess.run(program(*arguments), input=b"".join(lines), capture_output=True, check=True)
    assert json.loads(fresh.stdout)["reused"] == 0
    assert target.read_bytes() == finished


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not those of POSIX")
def test_ctrl_c_exits_130_and_says_that_the_work_is_kept(tiny_checkpoint: Path, tmp_path: Path) -> None:
    lines = [f"line {number} of a long corpus\n".encode() for number in range(4000)]
    arguments = ("embed", "-", "-o", tmp_path / "out.npy", "-m", tiny_checkpoint, "--block-rows", "100")
    process = start(*arguments)
    feed_half_and_wait(process, tmp_path / "out.npy.partial", lines)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == b""
    assert b"the same command goes on" in errors
    assert b"Traceback" not in errors
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not those of POSIX")
def test_ctrl_c_before_anything_is_saved_does_not_say_that_work_is_kept(tiny_checkpoint: Path, tmp_path: Path) -> None:
    process = start("embed", "-", "-o", tmp_path / "out.npy", "-m", tiny_checkpoint)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out.npy.partial" / "lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == b"gtekit: interrupted.\n"
    assert list(tmp_path.iterdir()) == []
