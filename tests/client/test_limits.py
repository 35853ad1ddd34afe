"""A client of servers and keys with small limits: lists go through, and what can't is explained."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.client import AsyncClient, Client
from gtekit.errors import ArgumentError, EndpointError
from gtekit.serving.keys import sha256_of
from gtekit.serving.settings import ServerSettings
from tests.client.test_client import bits
from tests.serving.conftest import running

if TYPE_CHECKING:
    from tests.serving.conftest import RunningServer, StartServer

    Encode = Callable[..., Floats]

KEY = "k" * 43
WEIRD = ['"quoted" \\ and\n', "\0\x1f", "é" * 50, "語" * 30, "😀" * 20, "", "plain words " * 9]


@contextmanager
def serving(model: gtekit.Embedder, port: int = 0, **settings: Any) -> "Iterator[RunningServer]":
    with running({"m": model}, ServerSettings(model=("m",), port=port, log="off", **settings)) as held:
        yield held


def keys_file(folder: Path, **limits: int) -> Path:
    path = folder / "keys.toml"
    lines = ["[[key]]", 'name = "app"', f'sha256 = "{sha256_of(KEY)}"', *(f"{n} = {v}" for n, v in limits.items())]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def encode(url: str, texts: Sequence[str], *, settings: Any = None, **options: Any) -> Floats:
    with Client(url, api_key=KEY, **(settings or {})) as client:
        return client.encode(texts, **options)


def encode_async(url: str, texts: Sequence[str], *, settings: Any = None, **options: Any) -> Floats:
    async def ask() -> Floats:
        async with AsyncClient(url, api_key=KEY, **(settings or {})) as client:
            return await client.encode(texts, **options)

    return asyncio.run(ask())


def encode_stream(url: str, texts: Sequence[str], *, settings: Any = None, **options: Any) -> Floats:
    with Client(url, api_key=KEY, **(settings or {})) as client:
        return np.concatenate(list(client.encode_stream(iter(texts), block_texts=100, **options)))


def encode_stream_async(url: str, texts: Sequence[str], *, settings: Any = None, **options: Any) -> Floats:
    async def ask() -> Floats:
        async with AsyncClient(url, api_key=KEY, **(settings or {})) as client:
            half = len(texts) // 2
            return np.concatenate([some async for some in client.encode_stream(texts, block_texts=half, **options)])

    return asyncio.run(ask())


every_way = pytest.mark.parametrize("ask", [encode, encode_async, encode_stream, encode_stream_async])


@pytest.fixture(scope="module")
def small(marked: gtekit.Embedder) -> "Iterator[RunningServer]":
    with serving(marked, max_body_bytes=20_000, max_text_chars=19_900) as held:
        yield held


@every_way
def test_a_list_goes_in_bodies_that_the_server_takes(
    ask: "Encode", marked: gtekit.Embedder, small: "RunningServer"
) -> None:
    texts = ["word " * 100] * 150 + WEIRD * 20 + ["\0" * 3000]
    expected = marked.encode(texts, on_truncation="ignore")
    assert bits(ask(small.url, texts, on_truncation="ignore")) == bits(expected)
    assert bits(ask(small.url, texts, on_truncation="ignore", settings={"compress": True})) == bits(expected)


def test_every_method_keeps_within_the_body(marked: gtekit.Embedder, small: "RunningServer") -> None:
    texts = ["word " * 30 + "é\n" * 40] * 150
    with Client(small.url) as client:
        assert bits(client.encode_chunks(texts)) == bits(marked.encode_chunks(texts))
        for method in ("tokenize", "count_tokens", "truncation_report"):
            assert getattr(client, method)(texts) == getattr(marked, method)(texts)
        states = client.token_states(texts, on_truncation="ignore")
    assert bits(states) == bits(marked.token_states(texts, on_truncation="ignore"))


@every_way
def test_a_text_that_fits_into_no_body_is_named_by_its_place(ask: "Encode", small: "RunningServer") -> None:
    texts = ["short"] * 130
    texts[120] = "語" * 7000
    with pytest.raises(
        ArgumentError, match=r"texts\[120\] alone.*a body of 21,\d\d\d bytes.* takes 20,000\..*--max-body-"
    ):
        ask(small.url, texts)
    texts[120] = "x" * 19_901
    with pytest.raises(ArgumentError, match=r"texts\[120\] has 19,901 characters, the limit is 19,900"):
        ask(small.url, texts)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_server_that_comes_back_with_another_precision_is_noticed(tiny_checkpoint: Path, is_async: bool) -> None:
    models = [gtekit.load(tiny_checkpoint, precision=p, language_warning=False) for p in ("float32", "int8")]
    assert models[0].fingerprint == models[1].fingerprint

    async def ask_async(client: AsyncClient) -> None:
        async with client:
            assert bits(await client.encode(["x"])) == bits(models[0].encode(["x"]))
            await asyncio.to_thread(first.stop)
            with serving(models[1], first.port):
                for call in (client.encode, client.encode_chunks, client.token_states):
                    with pytest.raises(EndpointError, match=expected):
                        await call(["x"])

    expected = r"in another precision by now \(int8, before float32\).*--precision float32.*make a new Client"
    with serving(models[0]) as first:
        if is_async:
            asyncio.run(ask_async(AsyncClient(first.url)))
            return
        with Client(first.url) as client:
            assert bits(client.encode(["x"])) == bits(models[0].encode(["x"]))
            first.stop()
            with serving(models[1], first.port) as second:
                for method in ("encode", "encode_chunks", "token_states"):
                    with pytest.raises(EndpointError, match=expected):
                        getattr(client, method)(["x"])
                with Client(second.url) as other:
                    assert other.precision == "int8"
                    assert bits(other.encode(["x"])) == bits(models[1].encode(["x"]))


def test_the_model_is_described_with_what_the_key_may_do(start_server: "StartServer", tmp_path: Path) -> None:
    key = {"authorization": f"Bearer {KEY}"}
    facts = httpx.get(start_server().url + "/model").json()
    assert (facts["requests_per_minute"], facts["tokens_per_minute"], facts["max_text_chars"]) == (
        None,
        None,
        1_000_000,
    )
    limited = start_server(keys_file=keys_file(tmp_path, requests_per_minute=70, tokens_per_minute=6000))
    facts = httpx.get(limited.url + "/model", headers=key).json()
    assert (facts["requests_per_minute"], facts["tokens_per_minute"]) == (70, 6000)


@every_way
def test_a_list_goes_in_requests_that_the_key_can_pay_for(
    ask: "Encode", marked: gtekit.Embedder, tmp_path: Path
) -> None:
    texts = ["word " * 1000] * 40  # of which 64 tokens each are read, and 1,667 estimated
    with serving(marked, keys_file=keys_file(tmp_path, tokens_per_minute=10_000)) as held:
        found = ask(held.url, texts, on_truncation="ignore")
    assert bits(found) == bits(marked.encode(texts, on_truncation="ignore"))


@pytest.mark.parametrize("ask", [encode, encode_async])
def test_a_list_waits_for_the_tokens_of_its_key(ask: "Encode", marked: gtekit.Embedder, tmp_path: Path) -> None:
    texts = [f"text number {place} of a list that waits" for place in range(12)]
    with serving(marked, keys_file=keys_file(tmp_path, tokens_per_minute=12_000)) as held:
        drain(held.url, 11_900)
        found = ask(held.url, texts, prompt="p " * 20, settings={"timeout_s": 2.0, "connections": 8})
        metrics = httpx.get(held.url + "/metrics", headers={"authorization": f"Bearer {KEY}"}).text
    assert bits(found) == bits(marked.encode(texts, prompt="p " * 20))
    assert 'gtekit_problems_total{kind="rate_limit_exceeded"}' in metrics


@pytest.mark.parametrize("ask", [encode, encode_async, encode_stream_async])
def test_requests_of_a_limited_key_do_not_take_each_others_turn(
    ask: "Encode", marked: gtekit.Embedder, tmp_path: Path
) -> None:
    texts = [f"text {place}" for place in range(8)]
    limited = keys_file(tmp_path, requests_per_minute=300)
    with serving(marked, keys_file=limited, max_texts=1) as held:
        with httpx.Client(headers={"authorization": f"Bearer {KEY}"}) as other:
            while other.get(held.url + "/v1/models").status_code != 429:
                pass
        found = ask(held.url, texts, settings={"connections": 8, "retries": 1})
    assert bits(found) == bits(marked.encode(texts))


@pytest.mark.parametrize("ask", [encode, encode_async])
def test_a_wait_that_is_longer_than_the_client_has_says_so(
    ask: "Encode", marked: gtekit.Embedder, tmp_path: Path
) -> None:
    texts = ["a text of some words"] * 20
    with serving(marked, keys_file=keys_file(tmp_path, tokens_per_minute=600)) as held:
        drain(held.url, 852)  # more than the minute has: it takes 25 s to be even
        late = r"answers 429.*The key app may use 600 tokens a minute.*Raise timeout_s or retries, or ask"
        with pytest.raises(EndpointError, match=late + r".*Given up: to wait 2\d\.\d s more would pass timeout_s=3"):
            ask(held.url, texts, settings={"timeout_s": 3.0})
        with pytest.raises(EndpointError, match=late + r".*Given up: retries=0\."):
            ask(held.url, texts, settings={"retries": 0})


def test_a_text_that_a_key_can_never_pay_for_is_named_by_its_place(marked: gtekit.Embedder, tmp_path: Path) -> None:
    with serving(marked, keys_file=keys_file(tmp_path, tokens_per_minute=600)) as held:
        with pytest.raises(
            ArgumentError, match=r"texts\[1\] alone has about 2,0\d\d tokens; the key may use 600 a min"
        ):
            encode(held.url, ["short", "word " * 1200])
        assert encode(held.url, ["short", "word " * 300], on_truncation="ignore").shape == (2, 32)


def drain(url: str, tokens: int) -> None:
    """Use up tokens of the key."""
    with Client(url, api_key=KEY) as client:
        assert client.count_tokens(["a " * (tokens - 2)]) == [tokens]
