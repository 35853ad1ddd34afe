"""Schemathesis makes requests from the document, right and wrong ones, and compares the answers with it."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

import gtekit
from gtekit.serving.openapi import document
from gtekit.serving.route_table import ROUTES
from gtekit.serving.settings import ServerSettings
from tests.serving.conftest import NAME, running

# status, content type, headers and schema as described; what breaks the schema is refused; unknown methods too
CHECKS = {
    "positive_data_acceptance": {"enabled": False},  # a schema can't say which text is too long for a model
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "504"]},  # 504: x-timeout-ms was short
}
CONFIG = SchemathesisConfig.from_dict(
    {"checks": CHECKS, "generation": {"allow-extra-parameters": False}}  # headers that nobody knows are no mistake
)
DOCUMENT = document(ROUTES)
del DOCUMENT["paths"]["/encode"]["post"]["requestBody"]["content"][
    "application/x-ndjson"
]  # can't be made from a schema
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
FEW = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def url(minilm: gtekit.Embedder) -> Iterator[str]:
    with running({NAME: minilm}, ServerSettings(port=0, model=(NAME,), alias=(f"*={NAME}",), log="off")) as server:
        yield server.url


@pytest.fixture(scope="module")
def session() -> Any:
    with requests.Session() as session:
        yield session


@SCHEMA.parametrize()
@FEW
def test_every_answer_is_as_described(case: "schemathesis.Case[Any]", url: str, session: Any) -> None:
    case.call_and_validate(base_url=url, session=session)


@pytest.mark.slow
@SCHEMA.parametrize()
@MANY
def test_every_answer_to_many_requests_is_as_described(case: "schemathesis.Case[Any]", url: str, session: Any) -> None:
    case.call_and_validate(base_url=url, session=session)
