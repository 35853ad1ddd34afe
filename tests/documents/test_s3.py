"""Documents on S3-compatible storage, on a real server in this process."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gtekit.documents import Document, Failure, find_documents, read_documents
from gtekit.documents.s3 import open_filesystem
from gtekit.errors import ArgumentError
from tests.documents.files import write_pdf
from tests.index.s3 import BUCKET, new_place, s3_environment, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as endpoint, s3_environment(endpoint):
        yield endpoint


@pytest.fixture
def place(server: str, tmp_path: Path) -> str:
    place = new_place()
    write_pdf(tmp_path / "a.pdf", ["On paper."])
    put(place, "docs/a.txt", b"plain text")
    put(place, "docs/sub/b.md.gz", gzip.compress(b"# Title\n"))
    put(place, "docs/sub/paper.pdf", (tmp_path / "a.pdf").read_bytes())
    put(place, "docs/rows.jsonl", b'{"id": 1, "text": "one"}\n{bad\n')
    put(place, "docs/rows.csv", b"text,n\ntwo,2\n")
    put(place, "docs/.hidden/c.txt", b"hidden")
    put(place, "docs/picture.png", b"png")
    return place


def put(place: str, name: str, data: bytes) -> None:
    path = f"{place.removeprefix('s3://')}/{name}"
    with open_filesystem().open_output_stream(path, compression=None) as stream:
        stream.write(data)


def test_a_prefix_gives_all_documents_under_it(place: str) -> None:
    found = find_documents([f"{place}/docs/"])
    documents = [entry for source in found.sources for entry in read_documents(source)]
    assert {entry.id.removeprefix(place): entry.text for entry in documents if isinstance(entry, Document)} == {
        "/docs/a.txt": "plain text",
        "/docs/sub/b.md.gz": "# Title\n",
        "/docs/sub/paper.pdf": "On paper.",
        "/docs/rows.jsonl#1": "one",
        "/docs/rows.csv#row-2": "two",
    }
    assert [entry.source for entry in documents if isinstance(entry, Failure)] == [f"{place}/docs/rows.jsonl"]
    assert found.passed_over == {".png": 1}


def test_one_object_can_be_named(place: str) -> None:
    (source,) = find_documents([f"{place}/docs/picture.png"]).sources
    assert (source.id, source.kind) == (f"{place}/docs/picture.png", "unknown")


def test_what_changes_has_another_stamp(place: str) -> None:
    before = find_documents([f"{place}/docs/a.txt"]).sources[0].stamp
    put(place, "docs/a.txt", b"another text")
    assert find_documents([f"{place}/docs/a.txt"]).sources[0].stamp != before


def test_what_is_gone_since_it_was_found_is_a_failure(place: str) -> None:
    (source,) = find_documents([f"{place}/docs/a.txt"]).sources
    open_filesystem().delete_file(source.id.removeprefix("s3://"))
    (failure,) = read_documents(source)
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("can't be read")


def test_an_address_that_is_not_there_says_so(server: str) -> None:
    with pytest.raises(ArgumentError, match="is not there"):
        find_documents([f"s3://{BUCKET}/nothing"])
    assert find_documents([f"s3://{BUCKET}/nothing"], may_miss=True).missing == [f"s3://{BUCKET}/nothing"]


def test_a_server_that_does_not_answer_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", os.environ.get("AWS_ACCESS_KEY_ID", "key"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(ArgumentError, match="AWS_ENDPOINT_URL"):
        find_documents(["s3://bucket/docs"])
