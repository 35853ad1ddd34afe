"""What the server counts and times, in Prometheus' words. Labels have few values: routes, names of keys, statuses."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gtekit.serving.dialects.tei_shapes import TEI
from gtekit.serving.encoding import LANES
from gtekit.serving.messages import Account, Request, Response
from gtekit.serving.problems import Kind
from gtekit.serving.routes import Route
from gtekit.serving.state import Phase

if TYPE_CHECKING:
    from gtekit.serving.state import State

_Inc = Callable[[float], None]
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
OTHER: Final = "other"  # instead of what a client could make up
PHASES: Final = get_args(Phase)
SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300)
COUNTS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16_384)
TIMED: Final = "POST"  # what embeds, ranks or reads texts: probes and pages are fast, and each has 14 lines of buckets


class Metrics:
    """All counters of one server, in a registry of its own.

    `connections`, `requests_in_flight` and `held_bytes` are plain numbers that their owners change on the event loop.
    What models and queues have to say is asked of them when somebody reads.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.requests_in_flight = 0
        self.held_bytes = 0  # bodies and vectors of all requests
        self._state: State | None = None  # while a scrape goes on
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Gauges(self))
        counter = partial(Counter, registry=registry)
        times = partial(Histogram, buckets=SECONDS, registry=registry)
        sizes = partial(Histogram, buckets=COUNTS, registry=registry)
        of_model, of_key, of_lane = ("model",), ("model", "key"), ("model", "lane")
        self._requests = counter("gtekit_requests", "Answered requests.", ("route", "method", "status", "key"))
        self._problems = counter("gtekit_problems", "Refused and failed requests.", ("kind",))
        self._request_seconds = times(
            "gtekit_request_seconds",
            "From the end of the headers to the end of the answer, of POST.",
            ("route", "lane"),
        )
        self._texts = counter("gtekit_texts", "Texts of requests that were embedded.", of_key)
        self._tokens = counter("gtekit_tokens", "Tokens that were read.", of_key)
        self._truncated = counter("gtekit_truncated_texts", "Texts that were cut.", of_model)
        self._cached = counter("gtekit_cache_hits", "Texts whose vectors were in the cache.", of_model)
        self._deduplicated = counter("gtekit_deduplicated_texts", "Texts that were on their way already.", of_model)
        self._queue_seconds = times("gtekit_queue_seconds", "From the queue to the engine, by request.", of_lane)
        self._inference_seconds = times("gtekit_inference_seconds", "In the engine, by request.", of_lane)
        self._call_texts = sizes("gtekit_call_texts", "Texts in a call of the engine.", of_lane)
        self._call_tokens = sizes("gtekit_call_tokens", "Tokens in a call of the engine.", of_lane)
        self._call_seconds = times("gtekit_call_seconds", "A call of the engine.", of_lane)
        self._ready_checks = counter("gtekit_ready_checks", "Golden texts embedded.", ("outcome",))
        # finding a child by its labels takes a microsecond or two each time, and there are six for a request
        self._request_children: dict[tuple[str, str, int, str, str], tuple[Callable[[], None], _Inc | None]] = {}
        self._model_children: dict[tuple[str, str, str], tuple[_Inc, _Inc, _Inc, _Inc]] = {}

    def observe_request(
        self, route_path: str, method: str, status: int, seconds: float, account: Account, key_name: str
    ) -> None:
        """Count an answered request.

        Args:
            route_path: The path as the table of routes has it; "" where there is no such route.
            method: As the client said it.
            status: Of the answer.
            seconds: From the end of the headers to the end of the answer.
            account: What it has cost.
            key_name: Whose key it was, "" without one.
        """
        lane, model = account.lane, account.model
        found = self._request_children.get((route_path, method, status, key_name, lane))
        count, time = found or self._new_request_children(route_path, method, status, key_name, lane)
        count()
        if time is not None:
            time(seconds)
        if lane:  # something was embedded: what was refused before has a model, and texts, but no lane
            of_model = self._model_children.get((model, lane, key_name))
            texts, tokens, queue, inference = of_model or self._new_model_children(model, lane, key_name)
            texts(account.texts)
            tokens(account.tokens)
            queue(account.queue_s)
            inference(account.inference_s)
            if account.truncated:
                self._truncated.labels(model).inc(account.truncated)
            if account.cached:
                self._cached.labels(model).inc(account.cached)
            if account.deduplicated:
                self._deduplicated.labels(model).inc(account.deduplicated)

    def observe_problem(self, kind: Kind) -> None:
        """Count a request that got an error body."""
        self._problems.labels(kind.value).inc()

    def observe_call(self, model: str, lane: str, texts: int, tokens: int, seconds: float) -> None:
        """Count one call of the engine. May be called from any thread."""
        self._call_texts.labels(model, lane).observe(texts)
        self._call_tokens.labels(model, lane).observe(tokens)
        self._call_seconds.labels(model, lane).observe(seconds)

    def observe_ready_check(self, is_good: bool) -> None:
        """Count a golden text that was embedded again."""
        self._ready_checks.labels("good" if is_good else "bad").inc()

    def _new_request_children(
        self, route: str, method: str, status: int, key: str, lane: str
    ) -> "tuple[Callable[[], None], _Inc | None]":
        known = method if method in METHODS else OTHER
        children = (
            self._requests.labels(route or OTHER, known, str(status), key).inc,
            self._request_seconds.labels(route, lane).observe if route and method == TIMED else None,
        )
        if known == method:  # a made-up one is not kept: there could be a million
            self._request_children[route, method, status, key, lane] = children
        return children

    def _new_model_children(self, model: str, lane: str, key: str) -> "tuple[_Inc, _Inc, _Inc, _Inc]":
        children = (
            self._texts.labels(model, key).inc,
            self._tokens.labels(model, key).inc,
            self._queue_seconds.labels(model, lane).observe,
            self._inference_seconds.labels(model, lane).observe,
        )
        self._model_children[model, lane, key] = children
        return children

    def text(self, state: "State") -> bytes:
        """Give everything in Prometheus' text format."""
        self._state = state
        try:
            return generate_latest(_WithoutTimes(self._registry))
        finally:
            self._state = None


class _WithoutTimes(CollectorRegistry):
    """What a registry holds, without the time at which each series began: a third of the lines, and no use here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._whole = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._whole.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class _Gauges(Collector):
    """What is true at the moment of reading."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[Metric]:
        return []  # so that registering asks for no values

    def collect(self) -> Iterator[Metric]:
        from gtekit.version import __version__

        metrics, state = self._metrics, self._metrics._state
        yield _gauge("gtekit_connections", "Open connections.", metrics.connections)
        yield _gauge("gtekit_requests_in_flight", "Requests under way.", metrics.requests_in_flight)
        yield _gauge("gtekit_held_bytes", "Memory of bodies and vectors under way.", metrics.held_bytes)
        yield InfoMetricFamily("gtekit_build", "This program.", {"version": __version__})
        if state is None:
            return
        phase = GaugeMetricFamily("gtekit_phase", "1 for what the server does: start, answer, drain.", labels=["phase"])
        for name in PHASES:
            phase.add_metric([name], float(state.phase == name))
        yield phase
        yield _gauge("gtekit_ready", "Whether the golden text was right.", state.phase == "ready" and not state.failure)
        yield _gauge("gtekit_keys", "Keys in use.", len(state.keys))
        yield from _of_models(state)


def _of_models(state: "State") -> Iterator[Metric]:
    info = InfoMetricFamily("gtekit_model", "A served model.", labels=["model"])
    families = {
        name: GaugeMetricFamily(f"gtekit_{name}", text, labels=["model", "lane"] if "queue" in name else ["model"])
        for name, text in (
            ("queue_tokens", "Tokens that wait."),
            ("queue_texts", "Texts that wait."),
            ("tokens_per_second", "Measured speed of the engine."),
            ("model_bytes", "Weights and scratch memory."),
            ("cache_bytes", "Memory of vectors that are kept."),
        )
    }
    for served in state.models or ():
        model, scheduler = served.model, served.scheduler
        facts = {"fingerprint": model.fingerprint, "id": model.name, "precision": model.precision, "kernels": model.isa}
        info.add_metric([served.name], {**facts, "dimension": str(model.dimension)})
        for lane in LANES:
            families["queue_tokens"].add_metric([served.name, lane], scheduler.queued_tokens(lane))
            families["queue_texts"].add_metric([served.name, lane], scheduler.queued_texts(lane))
        families["tokens_per_second"].add_metric([served.name], scheduler.tokens_per_second)
        families["model_bytes"].add_metric([served.name], model.memory_bytes)
        families["cache_bytes"].add_metric([served.name], scheduler.cached_bytes)
    yield info
    yield from families.values()


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, help_text, value=float(value))


async def metrics(request: Request, state: "State", account: Account) -> Response:
    """Give all metrics."""
    return Response(body=state.metrics.text(state), content_type=CONTENT_TYPE)


ROUTES: Final = (
    Route(
        method="GET",
        path="/metrics",
        dialect=TEI,
        handler=metrics,
        summary="Counters and times for Prometheus",
        response_text="Prometheus' text format.",
    ),
)
