"""One schema for flags, variables and TOML: who goes first, what is refused, and that what is printed can be read."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtekit.errors import ArgumentError, FileFormatError
from gtekit.serving.settings import ServerSettings
from gtekit.serving.settings_sources import SETTINGS, Setting, read_settings, toml_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "serve.toml"
    path.write_text(text, encoding="utf-8")
    return path


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "yes or no": st.booleans(),
        "whole number": st.integers(0, 2**50),
        "number": st.floats(0, 1e7),
        "text": TEXT,
        "path": st.builds(lambda name: Path("/folder", name), st.from_regex(r"[a-zä ]{1,9}", fullmatch=True)),
        "texts": st.lists(TEXT, max_size=3).map(tuple),
        "choice": st.sampled_from(setting.choices or ("",)),
    }
    return kinds[setting.kind]


def test_every_field_of_the_settings_has_a_flag_a_variable_and_help() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in fields(ServerSettings)]
    for setting in SETTINGS:
        assert setting.help
    found = {setting.name: (setting.flag, setting.variable) for setting in SETTINGS}
    assert found["max_body_bytes"] == ("--max-body-bytes", "GTEKIT_SERVE_MAX_BODY_BYTES")


def test_nothing_said_gives_the_defaults() -> None:
    read = read_settings({}, {"PATH": "/bin"})
    assert read.settings == ServerSettings()
    assert {origin.words for origin in read.origins.values()} == {"default"}


def test_a_flag_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    path = toml(tmp_path, "port = 1\nmax_texts = 1\nmax_text_chars = 1\n")
    read = read_settings(
        {"port": "3"}, {"GTEKIT_SERVE_PORT": "2", "GTEKIT_SERVE_MAX_TEXTS": "2", "GTEKIT_SERVE_HOST": ""}, path
    )
    chosen = read.settings
    assert (chosen.port, chosen.max_texts, chosen.max_text_chars, chosen.host) == (3, 2, 1, "127.0.0.1")
    assert read.origins["port"].words == "--port 3"
    assert read.origins["max_texts"].words == "GTEKIT_SERVE_MAX_TEXTS=2"
    assert read.origins["max_text_chars"].words == f"{path}: max_text_chars = 1"
    assert read.origins["host"].words == "default"


def test_the_environment_may_name_the_file(tmp_path: Path) -> None:
    path = toml(tmp_path, "port = 1\n")
    assert read_settings({}, {"GTEKIT_SERVE_CONFIG": str(path)}).settings.port == 1
    other = toml(tmp_path / "..", "port = 2\n")
    assert read_settings({}, {"GTEKIT_SERVE_CONFIG": str(path)}, other).settings.port == 2
    other.unlink()


def test_values_of_every_kind_from_text() -> None:
    environment = {
        "GTEKIT_SERVE_MODEL": "a=gte-small, gte-base",
        "GTEKIT_SERVE_PAGE": "No",
        "GTEKIT_SERVE_LOCAL_FILES_ONLY": "1",
        "GTEKIT_SERVE_KEYS_FILE": "keys.toml",
        "GTEKIT_SERVE_DRAIN_S": "2.5",
        "GTEKIT_SERVE_PRECISION": "int8",
        "GTEKIT_SERVE_MAX_BODY_BYTES": "1_000_000",
    }
    assert read_settings({}, environment).settings == ServerSettings(
        model=("a=gte-small", "gte-base"),
        page=False,
        local_files_only=True,
        keys_file=Path("keys.toml"),
        drain_s=2.5,
        precision="int8",
        max_body_bytes=1_000_000,
    )


def test_a_path_in_the_file_is_taken_from_its_folder(tmp_path: Path) -> None:
    path = toml(tmp_path, 'keys_file = "keys.toml"\ncache_folder = "/cache"\nmodel = "gte-base"\ndrain_s = 3\n')
    chosen = read_settings({}, {}, path).settings
    assert chosen.keys_file == tmp_path / "keys.toml"
    assert chosen.cache_folder == Path("/cache")
    assert chosen.model == ("gte-base",)
    assert chosen.drain_s == 3.0


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        ({"port": "abc"}, {}, "--port abc: expected a whole number"),
        ({}, {"GTEKIT_SERVE_PORT": "80.5"}, "GTEKIT_SERVE_PORT=80.5: expected a whole number"),
        ({}, {"GTEKIT_SERVE_DRAIN_S": "soon"}, "GTEKIT_SERVE_DRAIN_S=soon: expected a number"),
        ({}, {"GTEKIT_SERVE_PAGE": "maybe"}, "GTEKIT_SERVE_PAGE=maybe: expected true or false"),
        ({}, {"GTEKIT_SERVE_LOG": "xml"}, "GTEKIT_SERVE_LOG=xml: choose from: json, text, off"),
        ({}, {"GTEKIT_SERVE_PROT": "1"}, "Is GTEKIT_SERVE_PORT meant?"),
        ({}, {"GTEKIT_SERVE_PORT": "tcp://10.0.0.1:80"}, "enableServiceLinks"),
        ({}, {"GTEKIT_SERVE_SERVICE_HOST": "10.0.0.1"}, "enableServiceLinks"),
    ],
)
def test_a_wrong_value_names_its_source(flags: dict[str, object], environment: dict[str, str], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        read_settings(flags, environment)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "there is no setting 'prot'. Is port meant?"),
        ("[serve]\nport = 1", "[serve]: there is no such group of settings. All of them stand at the top level"),
        ("port = '80'", 'port = "80": expected a whole number'),
        ("port = true", "port = true: expected a whole number"),
        ("page = 1", "page = 1: expected true or false"),
        ("alias = [1]", "alias = [1]: expected a list of texts"),
        ("log = 'xml'", "choose from: json, text, off"),
        ("port = ", "is not TOML"),
        ("port = 1\nport = 2", "is not TOML"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = toml(tmp_path, text)
    with pytest.raises(FileFormatError) as caught:
        read_settings({}, {}, path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="No such file"):
        read_settings({}, {}, tmp_path / "serve.toml")
    (tmp_path / "serve.toml").write_bytes(b"\xff")
    with pytest.raises(FileFormatError, match="is not TOML"):
        read_settings({}, {}, tmp_path / "serve.toml")


@settings(deadline=None)
@given(data=st.data())
def test_what_is_printed_is_read_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    flags: dict[str, object] = {
        setting.name: data.draw(values_of(setting), setting.name)
        for setting in data.draw(st.lists(st.sampled_from(SETTINGS), unique_by=lambda setting: setting.name))
    }
    read = read_settings(flags, {})
    assert read.settings == replace(ServerSettings(), **flags)  # type: ignore[arg-type]
    path = toml(tmp_path_factory.mktemp("settings"), read.as_toml())
    assert read_settings({}, {}, path).settings == read.settings


def test_where_a_value_came_from_can_not_break_out_of_its_comment() -> None:
    printed = read_settings({}, {"GTEKIT_SERVE_HOST": "a\nport = 1"}).as_toml()
    assert "\nport = 8080  # default" in printed
    assert toml_of("a\x7f\n") == '"a\\u007f\\n"'
