"""The library's messages in the words of the command line."""

from pathlib import Path

import pytest

from gtekit.cli.wording import in_flags
from tests.cli.conftest import Run

LONG = "word " * 200


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("threads=0 is not possible; choose", "--threads 0 is not possible; choose"),
        ("isa='foo' can't run here", "--isa 'foo' can't run here"),
        ('on_truncation="chunk" embeds whole texts', "--on-truncation chunk embeds whole texts"),
        ("Spell one out: prompt='...'.", "Spell one out: --prompt '...'."),
        ("a text (texts[3]) and texts[4] too", "a text and a text too"),
        (
            "Use that model: gtekit.index.open('my.index', model=gtekit.load('all-MiniLM-L6-v2')), or build",
            "Use that model: -m 'all-MiniLM-L6-v2', or build",
        ),
        (
            "x: there is an index already. Open it (gtekit.index.open('x'), or create(..., exist_ok=True)), or choose",
            "x: there is an index already. Bring it up to date, or choose",
        ),
        ("Make one: gtekit.index.create('x', model).", "Make one: gtekit index build FILES -o 'x'."),
        ("To make one: gtekit.index.create(...), or gtekit index build.", "To make one: gtekit index build."),
        (
            "no version 'x'. Numbers: see versions(); tags: none.",
            "no version 'x'. gtekit index versions lists their numbers; tags: none.",
        ),
        ("hidden_size=384, a.txt: no field 'prompt'", "hidden_size=384, a.txt: no field 'prompt'"),
    ],
)
def test_arguments_become_flags(message: str, said: str) -> None:
    assert in_flags(message) == said


@pytest.mark.parametrize(
    "arguments",
    [
        ["similarity", LONG, "b"],
        ["similarity", "a", LONG, "b", "--on-truncation", "error"],
        ["embed", "-"],
        ["embed", "-", "--on-truncation", "error"],
        ["embed", "-", "--threads", "0"],
        ["embed", "-", "--batch-tokens", "0"],
        ["embed", "-", "--block-rows", "0"],
        ["embed", "-", "--dimensions", "0"],
        ["embed", "-", "--max-tokens", "0"],
        ["embed", "-", "--isa", "foo"],
        ["embed", "-", "--prompt-name", "foo"],
    ],
)
def test_no_message_names_an_argument_of_python(run: Run, tiny_checkpoint: Path, arguments: list[str]) -> None:
    _, _, errors = run(*arguments, "-m", tiny_checkpoint, stdin=LONG.encode())
    assert errors.startswith("gtekit: ")
    for word in ("_tokens", "_rows", "_truncation", "texts[", "(texts)", "isa=", "threads=", "prompt="):
        assert word not in errors
