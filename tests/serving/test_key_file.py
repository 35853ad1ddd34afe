"""The file of keys, as it is written."""

import base64
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.serving.key_file import KEY_BYTES, PREFIX, add_key, new_secret, remove_key
from gtekit.serving.keys import MOST_LIMIT, NAME, SCOPES, Key, read_keys, sha256_of

KEYS = st.builds(
    Key,
    name=st.from_regex(NAME, fullmatch=True),
    sha256=st.binary(max_size=8).map(lambda value: sha256_of(value.hex())),
    requests_per_minute=st.none() | st.integers(1, MOST_LIMIT),
    tokens_per_minute=st.none() | st.integers(1, MOST_LIMIT),
    expires=st.none() | st.dates(min_value=date(1000, 1, 1)),
    scopes=st.sampled_from([SCOPES, ("embed",), ("metrics",)]),
)


def key(name: str) -> Key:
    return Key(name=name, sha256=sha256_of(name))


@settings(max_examples=25, deadline=None)
@given(keys=st.lists(KEYS, max_size=4, unique_by=(lambda key: key.name, lambda key: key.sha256)))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, keys: list[Key]) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    for one in keys:
        add_key(path, one)
    assert not keys or read_keys(path) == tuple(keys)


def test_a_new_key_has_256_random_bits_and_can_stand_in_a_header() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert secret.isascii()
        assert secret.isprintable()
        assert len(base64.urlsafe_b64decode(secret.removeprefix(PREFIX) + "=")) == KEY_BYTES == 32


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_only_its_owner_may_read_the_file_unless_its_mode_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key("one"))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    add_key(path, key("two"))
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="links are those of POSIX")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "keys.toml"
    link.symlink_to(tmp_path / "real" / "keys.toml")
    add_key(link, key("one"))
    assert link.is_symlink()
    assert [one.name for one in read_keys(tmp_path / "real" / "keys.toml")] == ["one"]


def test_names_are_unique_and_a_refusal_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    add_key(path, key("one"))
    before = path.read_bytes()
    with pytest.raises(ArgumentError, match="called one already"):
        add_key(path, key("one"))
    with pytest.raises(ArgumentError, match="no key called two; there are: one"):
        remove_key(path, "two")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_file_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("[[key]")
    with pytest.raises(FileFormatError, match="not TOML"):
        add_key(path, key("one"))
    assert path.read_text() == "[[key]"
    assert list(tmp_path.iterdir()) == [path]


def test_of_those_who_write_at_once_none_is_lost_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"

    def add(number: int) -> bool:
        try:
            add_key(path, key(f"k{number}"))
        except FileFormatError:  # another one is writing
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(40)))
    assert {one.name for one in read_keys(path)} == {f"k{number}" for number, is_in in enumerate(added) if is_in}
    assert any(added)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="no file can be made"):
        add_key(tmp_path / "nowhere" / "keys.toml", key("one"))
    with pytest.raises(FileFormatError, match="no such file of keys"):
        remove_key(tmp_path / "keys.toml", "one")
