"""Keys: who is let in, what a broken file says, and that a change is seen."""

import ast
import inspect
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gtekit.errors import FileFormatError
from gtekit.serving import keys as keys_module
from gtekit.serving.key_file import add_key, new_secret, remove_key
from gtekit.serving.keys import Key, Keys, Reload, check_scope, presented, read_keys, sha256_of
from gtekit.serving.problems import Kind, Problem
from tests.serving.conftest import StartServer, until

SECRET = "gtekit-a-key-of-a-test"


def key(name: str = "search", secret: str = SECRET, **more: object) -> Key:
    return Key(name=name, sha256=sha256_of(secret), **more)  # type: ignore[arg-type]


def kind_of(keys: Keys, header: str) -> Kind:
    with pytest.raises(Problem) as caught:
        keys.find(header)
    return caught.value.kind


def test_without_a_file_everybody_may_call() -> None:
    keys = Keys(None)
    assert not keys.is_used
    assert keys.find("") is None
    assert keys.find("Bearer whatever") is None
    assert keys.reload_if_changed() is None


def test_a_key_is_found_as_a_bearer_token_and_bare(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key("first", "another"))
    add_key(path, key())
    keys = Keys(path)
    assert keys.is_used
    for header in (f"Bearer {SECRET}", f"bearer  {SECRET} ", SECRET):
        found = keys.find(header)
        assert found is not None
        assert found.name == "search"


@pytest.mark.parametrize(
    "header", ["", "Bearer ", f"Basic {SECRET}", f"Bearer {SECRET}x", f"Bearer {SECRET[:-1]}", "\xff"]
)
def test_anything_else_is_refused(tmp_path: Path, header: str) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    assert kind_of(Keys(path), header) is Kind.UNAUTHORIZED


def test_the_digest_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    assert kind_of(Keys(path), f"Bearer {sha256_of(SECRET)}") is Kind.UNAUTHORIZED


def test_an_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("")
    assert kind_of(Keys(path), f"Bearer {SECRET}") is Kind.UNAUTHORIZED


def test_a_key_is_good_on_its_last_day_and_not_after(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    path = tmp_path / "keys.toml"
    add_key(path, key("today", "one", expires=today + timedelta(days=1)))
    add_key(path, key("over", "two", expires=today - timedelta(days=1)))
    keys = Keys(path)
    assert keys.find("Bearer one") is not None
    with pytest.raises(Problem, match="over was good until"):
        keys.find("Bearer two")


def test_a_key_for_metrics_embeds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key(scopes=("metrics",)))
    keys = Keys(path)
    found = keys.find(SECRET)
    check_scope(found, "metrics")
    with pytest.raises(Problem, match="The key search is for metrics; this needs one for embed") as caught:
        check_scope(found, "embed")
    assert caught.value.kind is Kind.FORBIDDEN


def test_a_change_of_the_file_is_seen_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    keys = Keys(path)
    assert keys.reload_if_changed() is None
    add_key(path, key("second", "another"))
    assert keys.reload_if_changed() == Reload(f"{path}: has changed; 2 keys in use.", is_good=True)
    assert keys.reload_if_changed() is None
    assert keys.find("Bearer another") is not None
    remove_key(path, "search")
    assert keys.reload_if_changed() == Reload(f"{path}: has changed; 1 key in use.", is_good=True)
    assert kind_of(keys, SECRET) is Kind.UNAUTHORIZED


def test_a_broken_or_missing_file_keeps_the_keys_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    keys = Keys(path)
    path.write_text("[[key]")
    said = keys.reload_if_changed()
    assert said is not None
    assert not said.is_good
    assert "is not TOML" in said.message
    assert said.message.endswith("In use as before: 1 key.")
    assert keys.reload_if_changed() is None
    path.unlink()
    said = keys.reload_if_changed()
    assert said is not None
    assert "no such file" in said.message
    assert keys.find(SECRET) is not None
    add_key(path, key("second", "another"))
    assert keys.reload_if_changed() == Reload(f"{path}: has changed; 1 key in use.", is_good=True)
    assert kind_of(keys, SECRET) is Kind.UNAUTHORIZED


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("key = 3", "not a list of tables"),
        ("[keys]", "'keys' has no meaning"),
        ("[[key]]\nname = 'a b'\n", "key 1: name is 'a b'"),
        ("[[key]]\nname = 'a'\nsha256 = 'abc'\n", "64 hexadecimal digits"),
        ("[[key]]\nname = 'a'\nkey = 'secret'\n", "'key' has no meaning"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\ntokens_per_minute = 0\n", "tokens_per_minute is 0"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\nrequests_per_minute = true\n", "requests_per_minute is True"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\nexpires = '2027-01-01'\n", "expected a day"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\nscopes = ['all']\n", "expected some of: embed, metrics"),
        (f"[[key]]\nname = 'a'\nsha256 = '{'0' * 64}'\n" * 2, "two keys have the name a"),
    ],
)
def test_a_wrong_entry_is_named_with_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(FileFormatError) as caught:
        read_keys(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(FileFormatError):
        Keys(path)


def test_a_file_that_is_not_there_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="gtekit keys new"):
        Keys(tmp_path / "keys.toml")


def test_the_key_of_a_request_is_taken_from_three_headers() -> None:
    assert presented({"authorization": "Bearer a", "x-api-key": "b"}) == "Bearer a"
    assert presented({"x-api-key": "b"}) == "b"
    assert presented({"api-key": "c"}) == "c"
    assert presented({}) == ""


def test_no_message_holds_a_key_that_was_shown(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    guess = new_secret()
    with pytest.raises(Problem) as caught:
        Keys(path).find(f"Bearer {guess}")
    assert guess not in caught.value.message
    assert os.fspath(path) not in caught.value.message


def test_every_digest_is_compared_in_constant_time() -> None:
    """It can't be told from answers, and a clock is no test: so the code is looked at."""
    (find,) = (node for node in ast.walk(ast.parse(inspect.getsource(keys_module))) if is_function(node, "find"))
    (loop,) = (node for node in ast.walk(find) if isinstance(node, ast.For))
    compared = {ast.unparse(node.func) for node in ast.walk(loop) if isinstance(node, ast.Call)}
    assert compared == {"hmac.compare_digest"}
    assert not [node for node in ast.walk(loop) if isinstance(node, ast.Break | ast.Return | ast.Raise | ast.Continue)]
    before = [ast.unparse(node) for node in ast.walk(find) if isinstance(node, ast.Compare)]
    assert not [text for text in before if "sha256" in text or "digest" in text]


def is_function(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def test_a_good_reload_is_no_warning_in_the_log_and_a_bad_one_is(
    start_server: StartServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key())
    start_server(keys_file=path, log="json")
    logged = ""

    def level_of(words: str) -> str:
        nonlocal logged
        logged += capfd.readouterr().err
        found = [record["level"] for record in map(json.loads, logged.splitlines()) if words in record["message"]]
        return found[0] if found else ""

    add_key(path, key("second", "another"))
    until(lambda: level_of("2 keys in use") == "info")
    path.write_text("[[key]")
    until(lambda: level_of("is not TOML") == "warning")
