"""gtekit keys: made, listed, removed, and shown once."""

import json
import sys
from pathlib import Path

import pytest

from gtekit.serving.keys import Keys, sha256_of
from tests.cli.conftest import Run


def test_a_new_key_is_printed_once_and_only_its_digest_is_kept(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    code, output, errors = run("keys", "new", "search", "--file", path)
    assert code == 0
    secret = output.strip()
    assert len(output.splitlines()) == 1
    assert secret not in errors
    assert secret not in path.read_text()
    assert sha256_of(secret) in path.read_text()
    found = Keys(path).find(f"Bearer {secret}")
    assert found is not None
    assert found.name == "search"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_limits_scope_and_end_are_kept_and_listed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    limits = ("--requests-per-minute", "60", "--tokens-per-minute", "9000", "--expires", "2999-12-31")
    run("keys", "new", "a", "--file", path, *limits, "--scope", "embed")
    run("keys", "new", "b", "--file", path)
    listed = json.loads(run("keys", "list", "--file", path, "--json")[1])
    assert [(one["name"], one["scopes"]) for one in listed] == [("a", ["embed"]), ("b", ["embed", "metrics"])]
    assert (listed[0]["requests_per_minute"], listed[0]["tokens_per_minute"]) == (60, 9000)
    assert (listed[0]["expires"], listed[1]["expires"]) == ("2999-12-31", None)
    code, output, errors = run("keys", "list", "--file", path)
    assert code == 0
    assert output.splitlines()[0].split()[0] == "name"
    assert "2999-12-31" in output
    assert "no end" in output
    assert "2 keys in" in errors


def test_json_has_the_key_and_where_it_went(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    made = json.loads(run("keys", "--json", "new", "a", "--file", path)[1])
    assert made["file"] == str(path)
    assert made["sha256"] == sha256_of(made["key"])


def test_the_file_is_named_as_gtekit_serve_names_it_or_shorter(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    assert run("keys", "new", "a", "--keys-file", path)[0] == 0
    assert run("keys", "new", "b", f"--keys-file={path}")[0] == 0
    assert len(json.loads(run("keys", "list", "--file", path, "--json")[1])) == 2
    assert run("keys", "remove", "a", "--keys-file", path)[0] == 0
    assert "gtekit keys remove b --keys-file" in run("keys", "new", "b", "--file", path)[2]


def test_a_removed_key_is_gone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    run("keys", "new", "a", "--file", path)
    assert run("keys", "remove", "a", "--file", path)[0] == 0
    assert json.loads(run("keys", "list", "--file", path, "--json")[1]) == []
    code, output, errors = run("keys", "remove", "a", "--file", path)
    assert (code, output) == (2, "")
    assert "no key called a; there are: none" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "a b"], "can't be the name of a key"),
        (["new", "-x"], "required: NAME"),
        (["new", "a", "--tokens-per-minute", "0"], "--tokens-per-minute 0 is not possible"),
        (["new", "a", "--expires", "soon"], "--expires soon is no day"),
        (["new", "a", "--expires", "2001-01-01"], "has passed"),
        (["new", "a", "--scope", "all"], "invalid choice"),
        (["list"], "there is no such file of keys"),
        (["remove", "a"], "there is no such file of keys"),
        ([], "required"),
    ],
)
def test_what_can_not_be_is_refused(run: Run, tmp_path: Path, arguments: list[str], words: str) -> None:
    where = ["--file", str(tmp_path / "keys.toml")] if arguments else []
    code, output, errors = run("keys", *arguments, *where)
    assert (code, output) == (2, "")
    assert words in errors
    assert list(tmp_path.iterdir()) == []
