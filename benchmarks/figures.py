"""The figures by which gtekit's speed is judged: each with its target, what was measured, and whether that is met."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from benchmarks.eligibility import best_rival
from benchmarks.peers.catalog import BY_NAME, GTEKIT_INT8, OWN, ST_DEFAULT

Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should be; `value` None: it is reported only."""

    title: str
    unit: str  # x, %, s, MiB
    sense: Literal["at least", "at most"]
    value: float | None


# One place for all targets. Ratios: 2 says that gtekit is twice as fast. Shares are fractions.
TARGETS = {
    "int8_bulk": Target(
        title="int8, mixed corpus in bulk, over the best 8-bit peer", unit="x", sense="at least", value=2.5
    ),
    "int8_bulk_st": Target(
        title="int8, mixed corpus in bulk, over sentence-transformers' defaults", unit="x", sense="at least", value=4.5
    ),
    "float32_bulk": Target(
        title="fp32, mixed corpus in bulk, over the best fp32 peer", unit="x", sense="at least", value=1.25
    ),
    "float32_ceiling": Target(title="fp32, linear layers, share of the ceiling", unit="%", sense="at least", value=0.9),
    "int8_ceiling": Target(title="int8, linear layers, share of the ceiling", unit="%", sense="at least", value=0.85),
    "int8_query": Target(
        title="int8, one short query, p50, over the best 8-bit peer", unit="x", sense="at least", value=2
    ),
    "float32_query": Target(
        title="fp32, one short query, p50, over the best fp32 peer", unit="x", sense="at least", value=2
    ),
    "int8_tail": Target(title="int8, one short query, p99/p50", unit="x", sense="at most", value=None),
    "float32_tail": Target(title="fp32, one short query, p99/p50", unit="x", sense="at most", value=None),
    "int8_documents": Target(
        title="int8, 512-token documents in bulk, over the best 8-bit peer", unit="x", sense="at least", value=2
    ),
    "base_bulk": Target(
        title="int8, gte-base shape in bulk, over the best 8-bit peer", unit="x", sense="at least", value=2
    ),
    "large_bulk": Target(
        title="int8, gte-large shape in bulk, over the best 8-bit peer", unit="x", sense="at least", value=2
    ),
    "first_vector": Target(title="int8, process start to first vector", unit="s", sense="at most", value=0.35),
    "peak": Target(title="int8, peak memory of that process", unit="MiB", sense="at most", value=200),
    # the allocator may take a page or two; a leak of one float a text would be 0.4 MiB
    "growth": Target(
        title="int8, memory growth of a stream after its first minute", unit="MiB", sense="at most", value=1
    ),
    "int8_scaling": Target(
        title="int8, more threads in bulk, share of the register-only loop's gain",
        unit="%",
        sense="at least",
        value=0.95,
    ),
    "float32_scaling": Target(
        title="fp32, more threads in bulk, share of the register-only loop's gain",
        unit="%",
        sense="at least",
        value=0.95,
    ),
    "tokenizing": Target(title="int8, share of tokenizing in bulk", unit="%", sense="at most", value=0.03),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure."""

    name: str  # of TARGETS
    measured: float
    detail: str = ""  # against whom, of what
    limit: float | None = None  # in place of the target's value, where it is another program's figure

    @property
    def target(self) -> Target:
        return TARGETS[self.name]

    @property
    def wanted(self) -> float | None:
        return self.target.value if self.limit is None else self.limit

    @property
    def verdict(self) -> str:
        """Say met, missed, or nothing where there is no target."""
        if self.wanted is None:
            return ""
        is_met = self.measured >= self.wanted if self.target.sense == "at least" else self.measured <= self.wanted
        return "met" if is_met else "missed"


def against_best(name: str, rows: Result, precision: str, accuracy: Result, by: str) -> Iterator[Figure]:
    """Hold gtekit's speed against the best rival of a precision."""
    own = OWN[precision]
    best = best_rival(rows, precision, accuracy, by=by, more_is_better=by == "tokens_per_s")
    if best is not None and own in rows:
        yield Figure(name=name, measured=rows[best]["speed_ratios"][own], detail=BY_NAME[best].title)


def bulk_figures(throughput: Result, accuracy: Result) -> Iterator[Figure]:
    """Give the figures of many texts at once."""
    workloads = throughput.get("workloads", {})
    mixed = workloads.get("mixed", {}).get("peers", {})
    yield from against_best("int8_bulk", mixed, "int8", accuracy, "tokens_per_s")
    if GTEKIT_INT8 in mixed and ST_DEFAULT in mixed:
        ratio = mixed[ST_DEFAULT]["speed_ratios"][GTEKIT_INT8]
        yield Figure(name="int8_bulk_st", measured=ratio, detail=BY_NAME[ST_DEFAULT].title)
    yield from against_best("float32_bulk", mixed, "float32", accuracy, "tokens_per_s")
    documents = workloads.get("documents", {}).get("peers", {})
    yield from against_best("int8_documents", documents, "int8", accuracy, "tokens_per_s")


def query_figures(latency: Result, accuracy: Result) -> Iterator[Figure]:
    """Give the figures of one query at a time; the tail should be no longer than the best rival's."""
    rows = latency.get("peers", {})
    for precision, own in OWN.items():
        yield from against_best(f"{precision}_query", rows, precision, accuracy, "p50_ms")
        best = best_rival(rows, precision, accuracy, by="p50_ms")
        if best is not None and own in rows:
            limit = rows[best]["p99_over_p50"]
            detail = f"p99 {rows[own]['p99_ms']:.2f} ms; that of {BY_NAME[best].title} {rows[best]['p99_ms']:.2f} ms"
            yield Figure(name=f"{precision}_tail", measured=rows[own]["p99_over_p50"], limit=limit, detail=detail)


def process_figures(results: dict[str, Result]) -> Iterator[Figure]:
    """Give the figures of a whole process: its start, its memory, and that of a stream."""
    own = results.get("cold_start", {}).get("peers", {}).get(GTEKIT_INT8)
    if own:
        yield Figure(name="first_vector", measured=own["first_vector_s"])
        yield Figure(name="peak", measured=own["peak_mib"])
    if stream := results.get("stream"):
        detail = f"{stream['texts']:,} texts in {stream['seconds']:.0f} s, peak {stream['peak_later_mib']:.0f} MiB"
        yield Figure(name="growth", measured=stream["growth_mib"], detail=detail)


def part_figures(parts: Result) -> Iterator[Figure]:
    """Give the figures of the engine's parts, with all threads."""
    for precision, content in parts.get("precisions", {}).items():
        threads, reached = list(content["threads"].items())[-1]
        linear, gain = reached["linear"], content["scaling"]
        detail = f"{linear['gops']:,.0f} of {reached['ceiling_gops'][precision]:,.0f} GOP/s, {threads} threads"
        yield Figure(name=f"{precision}_ceiling", measured=linear["share_of_ceiling"], detail=detail)
        detail = f"1 to {threads} threads: {gain['bulk']:.2f} x, the loop {gain['ceiling']:.2f} x"
        yield Figure(name=f"{precision}_scaling", measured=gain["share"], detail=detail)
        if precision == "int8":
            yield Figure(name="tokenizing", measured=reached["tokenizing_share"])


def figures_of(results: dict[str, Result], beside: dict[str, Result], accuracy: Result) -> list[Figure]:
    """List the figures that a results folder and those beside it allow, in the order of TARGETS.

    Args:
        results: By question.
        beside: The throughput of other shapes, base and large, by shape.
        accuracy: What `find_accuracy` gives.
    """
    found = [
        *bulk_figures(results.get("throughput", {}), accuracy),
        *query_figures(results.get("latency", {}), accuracy),
        *process_figures(results),
        *part_figures(results.get("parts", {})),
    ]
    for shape, throughput in beside.items():
        rows = throughput["workloads"].get("mixed", {}).get("peers", {})
        found += against_best(f"{shape}_bulk", rows, "int8", accuracy, "tokens_per_s")
    order = list(TARGETS)
    return sorted(found, key=lambda figure: order.index(figure.name))


def write_value(value: float | None, unit: str) -> str:
    """Write a value with its unit."""
    if value is None:
        return "none"
    if unit == "%":
        return f"{value * 100:.1f} %"
    return f"{value:.0f} {unit}" if unit == "MiB" and value >= 10 else f"{value:.2f} {unit}"


def figures_table(figures: list[Figure]) -> list[str]:
    """Write the first table of the report."""
    lines = ["## Figures", "", "| figure | target | measured | | |", "|---|---:|---:|---|---|"]
    for figure in figures:
        unit = figure.target.unit
        wanted = f"{figure.target.sense} {write_value(figure.wanted, unit)}" if figure.wanted is not None else ""
        measured = write_value(figure.measured, unit)
        lines.append(f"| {figure.target.title} | {wanted} | **{measured}** | {figure.verdict} | {figure.detail} |")
    return [*lines, ""]


def as_json(figures: list[Figure]) -> list[Result]:
    """Give what figures.json holds."""
    return [
        {
            **asdict(figure.target),
            "name": figure.name,
            "value": figure.wanted,
            "measured": figure.measured,
            "verdict": figure.verdict or "no target",
            "detail": figure.detail,
        }
        for figure in figures
    ]
