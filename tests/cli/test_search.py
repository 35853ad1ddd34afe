"""gtekit search: one query, many, and what is shown of a passage."""

import json
import os
import pty
import sys
import time
from pathlib import Path

import pytest

import gtekit
from gtekit.cli.search_output import CLOSE, OPEN, passage_lines
from gtekit.index.build import BuildOptions, build_index
from gtekit.index.passages import PassageHit, Sentence
from tests.cli.conftest import Run, program

BREAD = "The kitchen was cold. Sourdough bread needs wild yeast. Nobody spoke."


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: gtekit.Embedder) -> str:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text(
        f'{{"id": "bread", "title": "Food", "text": "{BREAD}", "year": 1900}}\n'
        '{"id": "sort", "text": "Quicksort picks a pivot.", "year": 1961}\n'
        '{"id": "city", "text": "Beijing is a city.", "year": 1949}\n'
    )
    build_index(["rows.jsonl"], "my.index", minilm, BuildOptions(backend="exact"))
    return "my.index"


def test_passages_are_printed_best_first_with_their_place(run: Run, index: str) -> None:
    code, output, errors = run("search", index, "baking bread", "-k", "2")
    lines = output.splitlines()
    assert (code, errors) == (0, "")
    assert lines[0].startswith(" 1. 0.")
    assert lines[0].endswith(f"rows.jsonl#bread (Food), characters 0-{len('Food') + 2 + len(BREAD)}")
    assert lines[1] == f"    Food {BREAD}"
    assert lines[3].startswith(" 2. 0.")
    assert "\x1b" not in output


def test_json_has_the_scores_the_place_and_the_best_sentence(run: Run, index: str, minilm: gtekit.Embedder) -> None:
    code, output, _ = run("search", index, "baking bread", "-k", "1", "--json")
    found = json.loads(output)
    (hit,) = found["results"]
    assert code == 0
    assert (found["query"], found["model"], found["mode"]) == ("baking bread", minilm.name, "vector")
    assert (hit["document"], hit["source"], hit["metadata"]) == ("rows.jsonl#bread", "rows.jsonl", {"year": 1900})
    assert hit["best"]["text"] == "Sourdough bread needs wild yeast."
    assert hit["text"][hit["best"]["start"] : hit["best"]["end"]] == hit["best"]["text"]


def test_filters_take_part_and_a_wrong_one_is_known_before_the_model_is_loaded(run: Run, index: str) -> None:
    output = run("search", index, "bread", "--where", "year > 1920 AND document LIKE '%sort'", "--json")[1]
    assert [hit["document"] for hit in json.loads(output)["results"]] == ["rows.jsonl#sort"]
    missing = ("-m", "no/such-model", "--local-files-only")
    for option in (["--where", "nope = 1"], ["-k", "0"], ["--diversity", "2"], ["--mode", "text"], ["--version", "99"]):
        code, _, errors = run("search", index, "bread", *option, *missing)
        assert (code, errors.startswith("gtekit: ")) == (2, True), option
    assert run("search", index, "bread", *missing)[0] == 3
    assert run("search", "nowhere", "bread")[0] == 2


def test_another_model_is_refused(run: Run, index: str, minilm: gtekit.Embedder, tiny_checkpoint: Path) -> None:
    code, _, errors = run("search", index, "bread", "-m", tiny_checkpoint)
    assert (code, minilm.name in errors) == (2, True)
    assert f"Use that model: -m {minilm.name!r}, or build" in errors
    assert "gtekit.index" not in errors


def test_nothing_found_is_said(run: Run, index: str) -> None:
    assert run("search", index, "bread", "--where", "year = 5")[:2] == (0, "nothing found\n")


def test_without_a_query_each_line_is_one(run: Run, index: str) -> None:
    typed = b"baking\n\n:k 1\n:where year = 1961\nbaking\n:help\n:where\ncity\n"
    code, output, errors = run("search", index, "--json", stdin=typed + b":quit\nnot read\n")
    answers = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert [answer["query"] for answer in answers] == ["baking", "baking", "city"]
    assert [[hit["document"][11:] for hit in answer["results"]] for answer in answers] == [
        ["bread", "sort", "city"],
        ["sort"],
        ["city"],
    ]
    assert ":diversity" in errors


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_of_piped_queries_one_that_fails_is_said_and_the_others_are_answered(
    run: Run, index: str, option: tuple[str, ...]
) -> None:
    code, output, errors = run("search", index, *option, stdin="baking\ncafé\nß\n".encode("latin-1") + b"city\n")
    assert code == 1
    if not option:
        assert [line[:16] for line in errors.splitlines()] == ["gtekit: line 2: ", "gtekit: line 3: "]
        return
    answers = [json.loads(line) for line in output.splitlines()]
    assert [answer["query"] for answer in answers] == ["baking", "caf?", "?", "city"]
    assert ["error" in answer for answer in answers] == [False, True, True, False]
    assert answers[1] == {"query": "caf?", "error": answers[1]["error"]}
    assert answers[1]["error"].startswith("line 2: is not UTF-8. Convert it")
    assert errors == ""


@pytest.mark.parametrize(
    ("command", "said"), [(":k none", "no number"), (":nothing", "there is no :nothing"), (":where (", "filter")]
)
def test_a_wrong_command_ends_what_is_piped_in(run: Run, index: str, command: str, said: str) -> None:
    code, output, errors = run("search", index, "--json", stdin=f"baking\n{command}\ncity\n".encode())
    assert (code, len(output.splitlines())) == (2, 1)
    assert errors.startswith("gtekit: line 2: ")
    assert said in errors


@pytest.mark.parametrize("query", ["", " \n"])
def test_an_empty_query_is_refused(run: Run, query: str) -> None:
    code, output, errors = run("search", "my.index", query)
    assert (code, output) == (2, "")
    assert "QUERY is empty" in errors


def test_a_query_that_is_too_long_is_warned_of_in_words_of_the_search(run: Run, index: str) -> None:
    code, _, errors = run("search", index, "bread " * 600, "--json")
    assert code == 0
    assert errors.startswith("gtekit: warning: the query has 602 tokens, and 256 are read; what comes from character ")
    assert "truncation" not in errors
    assert len(errors.splitlines()) == 1


def test_a_tag_can_be_taken_away(run: Run, index: str) -> None:
    assert run("index", "tag", index, "old")[0] == 0
    assert run("index", "tag", index, "old", "--remove") == (0, "my.index: no version is old any more\n", "")
    code, _, errors = run("index", "tag", index, "old", "--remove", "--json")
    assert (code, errors) == (2, "gtekit: my.index: there is no tag 'old'. Tags: none.\n")


def test_an_index_of_a_model_in_a_folder_is_searched_from_elsewhere(
    run: Run, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").symlink_to(tiny_checkpoint, target_is_directory=True)
    Path("a.txt").write_text("Bread.")
    build_index(["a.txt"], "my.index", gtekit.load("here"), BuildOptions(backend="exact"))
    monkeypatch.chdir("/")
    code, output, _ = run("search", tmp_path / "my.index", "bread", "--json")
    assert (code, len(json.loads(output)["results"])) == (0, 1)


def test_a_former_version_can_be_searched(run: Run, index: str, minilm: gtekit.Embedder) -> None:
    run("index", "tag", index, "old")
    Path("rows.jsonl").write_text('{"id": "new", "text": "Bread again."}\n')
    build_index(["rows.jsonl"], index, minilm)
    now = json.loads(run("search", index, "bread", "--json")[1])["results"]
    old = json.loads(run("search", index, "bread", "--json", "--version", "old")[1])["results"]
    assert [hit["document"] for hit in now] == ["rows.jsonl#new"]
    assert len(old) == 3


@pytest.mark.slow
def test_words_and_both_are_searched_in_an_index_on_disk(run: Run, index: str, minilm: gtekit.Embedder) -> None:
    build_index(["rows.jsonl"], "lance.index", minilm)
    for mode in ("text", "hybrid"):
        found = json.loads(run("search", "lance.index", "pivot", "--mode", mode, "--diversity", "0.2", "--json")[1])
        assert found["results"][0]["document"] == "rows.jsonl#sort"


@pytest.mark.slow
def test_on_a_terminal_the_best_sentence_is_bold_and_the_prompt_waits(index: str) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.environ |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TERM": "xterm"}
        os.execv(sys.executable, program("search", index, "-k", "1"))
    seen = b""
    for typed, awaited in ((b"baking bread\n", b"\x1b[1mSourdough"), (b":quit\n", b"quit")):
        _read_until(terminal, b"search> ", seen)
        os.write(terminal, typed)
        seen = _read_until(terminal, awaited, b"")
        assert awaited in seen
    assert os.waitpid(process, 0)[1] == 0


def _read_until(terminal: int, awaited: bytes, seen: bytes) -> bytes:
    deadline = time.monotonic() + 60
    while awaited not in seen and time.monotonic() < deadline:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the other end was closed
            break
    return seen


def hit(text: str, begin: int, end: int) -> PassageHit:
    return PassageHit("d#p0", 0.5, text, "d", "d", best=Sentence(text[begin:end], begin, end, 0.5))


def test_of_a_long_passage_the_part_around_the_best_sentence_is_shown() -> None:
    text = " ".join(f"Sentence number {number} is here." for number in range(60))
    begin = text.index("Sentence number 30")
    end = begin + len("Sentence number 30 is here.")
    lines = passage_lines(hit(text, begin, end), 80, is_full=False)
    shown = " ".join(line.strip() for line in lines)
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert f"{OPEN}Sentence number 30 is here.{CLOSE}" in shown
    assert len(shown) < 500
    assert max(map(len, lines)) <= 80
    whole = " ".join(line.strip() for line in passage_lines(hit(text, begin, end), 80, is_full=True))
    assert whole.replace(OPEN, "").replace(CLOSE, "") == text


def test_a_very_long_sentence_is_cut() -> None:
    text = "word " * 2000
    shown = " ".join(passage_lines(hit(text, 0, len(text) - 1), 80, is_full=False))
    assert len(shown) < 1200
    assert shown.count(OPEN) == shown.count(CLOSE) == 1


def test_a_file_cannot_steer_the_terminal() -> None:
    text = "a \x1b[2J\x07 b \u202e c"
    assert passage_lines(hit(text, 0, 1), 80, is_full=False) == [f"    {OPEN}a{CLOSE} [2J b c"]
