"""What Prometheus is told: right sums, few series, and the numbers of a real server."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gtekit.serving.keys import Keys
from gtekit.serving.messages import Account
from gtekit.serving.metrics import METHODS, Metrics
from gtekit.serving.problems import Kind
from gtekit.serving.settings import ServerSettings
from gtekit.serving.state import State
from tests.serving.conftest import RunningServer, StartServer

Series = dict[tuple[str, tuple[str, ...]], float]


def series(text: str) -> Series:
    """Every sample by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(metrics: Metrics) -> Series:
    state = State(settings=ServerSettings(), models=None, keys=Keys(None), metrics=metrics)
    return series(metrics.text(state).decode())


def scraped(server: RunningServer) -> Series:
    return series(httpx.get(f"{server.url}/metrics").text)


def account(**more: object) -> Account:
    return Account(model="small", lane="interactive", texts=2, tokens=9, **more)  # type: ignore[arg-type]


def names(found: Iterable[tuple[str, tuple[str, ...]]]) -> set[str]:
    return {name for name, _ in found}


def test_requests_are_counted_by_route_method_status_and_key() -> None:
    metrics = Metrics()
    for status in (200, 200, 429):
        metrics.observe_request("/embed", "POST", status, 0.004, Account(), "search")
    found = of(metrics)
    assert found["gtekit_requests_total", ("search", "POST", "/embed", "200")] == 2
    assert found["gtekit_requests_total", ("search", "POST", "/embed", "429")] == 1
    assert found["gtekit_request_seconds_count", ("", "/embed")] == 3
    assert found["gtekit_request_seconds_sum", ("", "/embed")] == pytest.approx(0.012)
    assert found["gtekit_request_seconds_bucket", ("", "0.002", "/embed")] == 0
    assert found["gtekit_request_seconds_bucket", ("", "0.005", "/embed")] == 3


def test_what_was_embedded_is_counted_by_model_and_key() -> None:
    metrics = Metrics()
    metrics.observe_request("/embed", "POST", 200, 0.1, account(queue_s=0.01, inference_s=0.02), "")
    metrics.observe_request("/embed", "POST", 200, 0.1, account(truncated=1, cached=2, deduplicated=3), "")
    metrics.observe_request("/live", "GET", 200, 0.1, Account(), "")
    found = of(metrics)
    assert found["gtekit_texts_total", ("", "small")] == 4
    assert found["gtekit_tokens_total", ("", "small")] == 18
    assert found["gtekit_truncated_texts_total", ("small",)] == 1
    assert found["gtekit_cache_hits_total", ("small",)] == 2
    assert found["gtekit_deduplicated_texts_total", ("small",)] == 3
    assert found["gtekit_queue_seconds_count", ("interactive", "small")] == 2
    assert found["gtekit_inference_seconds_sum", ("interactive", "small")] == pytest.approx(0.02)


def test_texts_that_were_refused_are_not_among_the_embedded() -> None:
    metrics = Metrics()
    metrics.observe_request("/embed", "POST", 429, 0.1, Account(model="small", texts=5), "")
    assert ("gtekit_texts_total", ("", "small")) not in of(metrics)


def test_what_answers_at_once_is_counted_and_not_timed() -> None:
    metrics = Metrics()
    metrics.observe_request("/live", "GET", 200, 0.1, Account(), "")
    metrics.observe_request("", "POST", 404, 0.1, Account(), "")
    found = of(metrics)
    assert found["gtekit_requests_total", ("", "GET", "/live", "200")] == 1
    assert "gtekit_request_seconds_count" not in names(found)


def test_a_route_has_few_series() -> None:
    metrics = Metrics()
    before = len(of(metrics))
    metrics.observe_request("/embed", "POST", 200, 0.1, account(), "")
    assert len(of(metrics)) - before <= 4 + 3 * 16


def test_what_clients_make_up_makes_no_series() -> None:
    metrics = Metrics()
    metrics.observe_request("", "GET", 404, 0.001, Account(), "")
    before = len(of(metrics))
    for number in range(200):
        metrics.observe_request("", f"METHOD{number}", 404, 0.001, Account(), "")
    found = of(metrics)
    assert len(found) == before + 1
    assert found["gtekit_requests_total", ("", "other", "other", "404")] == 200
    assert "other" not in METHODS


def test_calls_of_the_engine_are_counted_from_many_threads() -> None:
    metrics = Metrics()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: metrics.observe_call("small", "bulk", 3, 100, 0.01), range(2000)))
    found = of(metrics)
    assert found["gtekit_call_texts_sum", ("bulk", "small")] == 6000
    assert found["gtekit_call_tokens_sum", ("bulk", "small")] == 200_000
    assert found["gtekit_call_seconds_count", ("bulk", "small")] == 2000


def test_problems_and_golden_texts_are_counted() -> None:
    metrics = Metrics()
    metrics.observe_problem(Kind.OVERLOADED)
    metrics.observe_ready_check(True)
    metrics.observe_ready_check(False)
    found = of(metrics)
    assert found["gtekit_problems_total", ("overloaded",)] == 1
    assert found["gtekit_ready_checks_total", ("good",)] == found["gtekit_ready_checks_total", ("bad",)] == 1


def test_two_servers_in_one_process_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.observe_problem(Kind.EMPTY)
    assert ("gtekit_problems_total", ("empty_input",)) in of(one)
    assert ("gtekit_problems_total", ("empty_input",)) not in of(other)


def test_no_series_tells_when_it_began() -> None:
    metrics = Metrics()
    metrics.observe_request("/embed", "POST", 200, 0.1, account(), "")
    assert not {name for name in names(of(metrics)) if name.endswith("_created")}


def test_the_phase_is_one_of_three() -> None:
    found = of(Metrics())
    assert [found["gtekit_phase", (phase,)] for phase in ("starting", "ready", "draining")] == [1, 0, 0]
    assert found["gtekit_ready", ()] == 0


def test_a_running_server_tells_of_its_models_and_requests(server: RunningServer) -> None:
    before = scraped(server)
    for _ in range(2):
        httpx.post(f"{server.url}/embed", json={"inputs": ["one", "two words"]}).raise_for_status()
    end = time.monotonic() + 10
    name = next(iter(server.state.models or ())).name
    texts = ("gtekit_texts_total", ("", name))
    while (found := scraped(server))[texts] - before.get(texts, 0) < 4:
        assert time.monotonic() < end
    assert found["gtekit_phase", ("ready",)] == found["gtekit_ready", ()] == 1
    assert found["gtekit_queue_tokens", ("bulk", name)] == 0
    assert found["gtekit_model_bytes", (name,)] > 1e6
    assert found["gtekit_tokens_per_second", (name,)] > 0
    assert ("process_resident_memory_bytes", ()) in found
    info = next(labels for kind, labels in found if kind == "gtekit_model_info")
    assert server.state.models is not None
    assert server.state.models.default.model.fingerprint in info


def test_metrics_need_a_key_where_keys_are_used_unless_they_are_open(
    start_server: StartServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    path.write_text("")
    closed = start_server(keys_file=path)
    assert httpx.get(f"{closed.url}/metrics").status_code == 401
    opened = start_server(keys_file=path, open_metrics=True)
    answer = httpx.get(f"{opened.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
