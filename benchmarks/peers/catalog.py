"""Who is measured. A new peer is a file beside this one and a line here."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from benchmarks.job import Job
from benchmarks.peers.interface import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the report."""

    name: str  # in JSON and after --peers
    title: str  # in tables and plots
    module: str  # of benchmarks.peers
    precision: str = "float32"  # float32 or int8
    loader: str = "load"
    environment: str = "peers"  # whose Python runs it: peers or gtekit


GTEKIT = "gtekit"
CATALOG = (
    Entry(name=GTEKIT, title="gtekit", module="gtekit", environment="gtekit"),
    # gtekit's int8 belongs here, as soon as gtekit.load takes precision="int8"
    Entry(
        name="st-default",
        title="sentence-transformers, defaults",
        module="sentence_transformers",
        loader="load_defaults",
    ),
    Entry(name="st-best", title="sentence-transformers, best batch", module="sentence_transformers"),
    Entry(name="torch", title="PyTorch, token-budget batches", module="pytorch"),
    Entry(name="ort", title="ONNX Runtime", module="onnxruntime"),
    Entry(name="openvino", title="OpenVINO", module="openvino"),
    Entry(name="ct2", title="CTranslate2", module="ctranslate2"),
    Entry(name="ort-int8", title="ONNX Runtime, dynamic int8", module="onnxruntime", precision="int8"),
    Entry(name="openvino-int8", title="OpenVINO, 8-bit weights, dynamic", module="openvino", precision="int8"),
    Entry(name="ct2-int8", title="CTranslate2, int8", module="ctranslate2", precision="int8"),
)
BY_NAME = {entry.name: entry for entry in CATALOG}


def choose(names: Iterable[str] | None, precisions: Iterable[str]) -> list[Entry]:
    """Give the peers with these names, or all of these precisions, gtekit first."""
    if names is None:
        return [entry for entry in CATALOG if entry.precision in set(precisions)]
    wanted = set(names)
    if unknown := wanted - BY_NAME.keys():
        raise SystemExit(f"unknown peers {sorted(unknown)}; known: {', '.join(BY_NAME)}.")
    return [entry for entry in CATALOG if entry.name in wanted]


def load_peer(entry: Entry, job: Job) -> Peer:
    """Load the model with the peer's own program. Only then is that program imported."""
    module = importlib.import_module(f"benchmarks.peers.{entry.module}")
    return cast(Peer, getattr(module, entry.loader)(job, entry.precision))
