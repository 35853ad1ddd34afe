"""LanceDB on a server that speaks S3."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("lancedb")

from gtekit.cosines import l2_normalize
from gtekit.errors import VectorIndexError
from gtekit.index.interface import Records, Space
from gtekit.index.lance import LanceBackend, is_lance
from gtekit.index.lance.store import s3_options
from tests.index.s3 import BUCKET, new_place, s3_environment, s3_server

SPACE = Space("f" * 64, "some-model", 16)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as endpoint, s3_environment(endpoint):
        yield endpoint


@pytest.fixture
def place(endpoint: str) -> str:
    return new_place()


def rows(ids: list[str], seed: int = 0) -> Records:
    vectors = l2_normalize(np.random.default_rng(seed).normal(size=(len(ids), 16)).astype(np.float32))
    return Records(ids, vectors, [f"the {name} runs" for name in ids], [{"n": seed}] * len(ids))


def test_an_index_on_s3_does_what_one_on_disk_does(place: str) -> None:
    assert not is_lance(place)
    backend = LanceBackend.create(place, SPACE)
    assert is_lance(place)
    backend.upsert(rows(["fox", "hare"]))
    backend.tag("two")
    backend.upsert(rows(["owl"], seed=1))
    backend.optimize()
    opened = LanceBackend.open(place)
    assert opened.space == SPACE
    query = np.asarray(rows(["owl"], seed=1).vectors, np.float32)
    assert opened.search_vectors(query, 1)[0][0].id == "owl"
    assert [hit.id for hit in opened.search_text("hares", 1, "n = 0")] == ["hare"]
    assert opened.checkout("two").count() == 2
    assert opened.stats().size_bytes
    assert opened.verify() == []


def test_two_writers_lose_nothing(place: str) -> None:
    LanceBackend.create(place, SPACE).close()
    errors: list[Exception] = []

    def write(writer: int) -> None:
        try:
            backend = LanceBackend.open(place)
            for turn in range(5):
                backend.upsert(rows([f"{writer}-{turn}", f"both-{turn}"], seed=writer))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    found = [name for batch in LanceBackend.open(place).scan() for name in batch.ids]
    names = [f"{writer}-{turn}" for writer in ("0", "1", "both") for turn in range(5)]
    assert sorted(found) == sorted(names)


def test_what_is_not_there_is_said(place: str) -> None:
    with pytest.raises(VectorIndexError, match="no index there"):
        LanceBackend.open(place)
    with pytest.raises(VectorIndexError, match="no such bucket"):
        LanceBackend.open("s3://no-such-bucket/index")


def test_options_are_those_of_the_environment_and_then_the_given_ones(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert s3_options({}) == {"aws_endpoint": endpoint, "aws_region": "us-east-1", "allow_http": "true"}
    given = {"aws_endpoint": "https://store.example", "aws_region": "eu-1"}
    assert s3_options(given) == given
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_REGION")
    assert s3_options({}) == {"aws_region": "us-east-1"}


def test_options_may_be_given_instead_of_set(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    options = {"aws_endpoint": endpoint, "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    place = f"s3://{BUCKET}/given"
    LanceBackend.create(place, SPACE, storage_options=options).upsert(rows(["a"]))
    assert LanceBackend.open(place, storage_options=options).count() == 1
