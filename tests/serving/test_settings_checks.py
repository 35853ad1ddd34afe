"""What no server can be set to is refused before a model is loaded, with the name of its source."""

from pathlib import Path

import pytest

from gtekit.errors import ArgumentError
from gtekit.serving.settings_checks import check_settings, is_open_to_others, split_model
from gtekit.serving.settings_sources import read_settings


def check(environment: dict[str, str] | None = None, **flags: object) -> None:
    check_settings(read_settings(flags, environment or {}))


def test_the_defaults_pass() -> None:
    check()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"port": "65536"}, "--port 65536: is not possible; expected a whole number from 0 to 65535"),
        ({"port": "-1"}, "--port -1"),
        ({"threads": "0"}, "--threads 0"),
        ({"max_tokens": "2"}, "--max-tokens 2"),
        ({"max_texts": "0"}, "from 1 to"),
        ({"drain_s": "-1"}, "seconds, a number of 0 or more"),
        ({"drain_s": "nan"}, "--drain-s nan"),
        ({"body_timeout_s": "0"}, "a number above 0"),
        ({"body_timeout_s": "inf"}, "--body-timeout-s inf"),
        ({"ready_check_s": "0"}, "of 1 or more"),
        ({"max_body_bytes": "1000000000"}, "max_body_bytes (1,000,000,000) is more than half of max_memory_bytes"),
        ({"model": ("",)}, "'' is no model"),
        ({"model": ("=gte-small",)}, "expected a model or NAME=MODEL"),
        ({"model": ("small=",)}, "expected a model or NAME=MODEL"),
        ({"model": ("a=gte-small", "a=gte-base")}, "two models are called a"),
        ({"model": ()}, "names no model"),
        ({"alias": ("gte-small",)}, "expected ALIAS=NAME"),
        ({"alias": ("a=gte-base",)}, "is for gte-base, and no such model is served; there are: gte-small"),
        ({"alias": ("a=gte-small", "a=gte-small")}, "a is given twice"),
        ({"cors_origin": ("app.example",)}, "no origin as browsers send it"),
        ({"cors_origin": ("https://app.example/",)}, "no origin as browsers send it"),
        ({"cors_origin": ("https://a@app.example",)}, "no origin as browsers send it"),
        ({"host": " "}, "names no address"),
        ({"unix_socket": "/nowhere/at/all/socket"}, "there is no folder /nowhere/at/all"),
    ],
)
def test_what_can_not_be_is_refused_with_its_source(flags: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        check_settings(read_settings(flags, {}))
    assert words in str(caught.value)


def test_aliases_may_name_a_model_in_every_way_that_clients_may() -> None:
    for name in ("small", "gte-small", "thenlper/gte-small"):
        check(model=("small=gte-small",), alias=(f"text-embedding-3-small={name}", f"*={name}"))
    check(model=("/models/mine/",), alias=("a=mine",))


def test_origins_as_browsers_send_them_pass() -> None:
    check(cors_origin=("https://app.example", "http://localhost:3000", "*"))


def test_a_socket_file_and_a_port_exclude_each_other_unless_one_source_goes_first(tmp_path: Path) -> None:
    socket = str(tmp_path / "socket")
    check(unix_socket=socket)
    check({"GTEKIT_SERVE_HOST": "0.0.0.0", "GTEKIT_SERVE_PORT": "80"}, unix_socket=socket)
    with pytest.raises(ArgumentError, match="not on both"):
        check(unix_socket=socket, port="80")
    with pytest.raises(ArgumentError, match="not on both"):
        check({"GTEKIT_SERVE_UNIX_SOCKET": socket}, host="::1")


def test_loopback_is_told_from_networks() -> None:
    assert [host for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost") if is_open_to_others(host)] == []
    assert [host for host in ("0.0.0.0", "::", "10.0.0.1") if not is_open_to_others(host)] == []


@pytest.mark.parametrize("host", ["999.1.1.1", "no such host", "a" * 70])
def test_an_address_that_is_none_is_open_to_nobody(host: str) -> None:
    assert not is_open_to_others(host)


def test_the_name_of_a_model_stands_before_the_first_equals_sign() -> None:
    assert split_model("gte-small") == ("gte-small", "gte-small")
    assert split_model("a = /b=c") == ("a", "/b=c")
