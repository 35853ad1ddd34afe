"""Who is measured. A new peer is a file beside this one and a line here."""

import argparse
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
    is_usual: bool = True  # False: measured only when it is named
    is_bulk_only: bool = False  # nothing but its batches differs from another row


GTEKIT, GTEKIT_INT8 = "gtekit", "gtekit-int8"
OWN = {"float32": GTEKIT, "int8": GTEKIT_INT8}  # gtekit's row of each precision
ST_DEFAULT = "st-default"
CATALOG = (
    Entry(name=GTEKIT, title="gtekit", module="gtekit", environment="gtekit"),
    Entry(name=GTEKIT_INT8, title="gtekit, int8", module="gtekit", precision="int8", environment="gtekit"),
    Entry(
        name=ST_DEFAULT,
        title="sentence-transformers, defaults",
        module="sentence_transformers",
        loader="load_defaults",
    ),
    # the next two took 1.4 times as long as the best fp32 program, or more, in every run: commit 8e8c059
    Entry(
        name="st-best",
        title="sentence-transformers, best batch",
        module="sentence_transformers",
        is_usual=False,
        is_bulk_only=True,
    ),
    Entry(name="torch", title="PyTorch, token-budget batches", module="pytorch", is_usual=False),
    Entry(name="ort", title="ONNX Runtime", module="onnxruntime"),
    Entry(name="openvino", title="OpenVINO", module="openvino"),
    Entry(name="ct2", title="CTranslate2", module="ctranslate2"),
    Entry(name="ort-int8", title="ONNX Runtime, dynamic int8", module="onnxruntime", precision="int8"),
    Entry(name="openvino-int8", title="OpenVINO, 8-bit weights, dynamic", module="openvino", precision="int8"),
    Entry(
        name="openvino-static",
        title="OpenVINO, static int8",
        module="openvino",
        precision="int8",
        loader="load_static",
    ),
    Entry(name="ct2-int8", title="CTranslate2, int8", module="ctranslate2", precision="int8"),
)
BY_NAME = {entry.name: entry for entry in CATALOG}


def add_peer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `choose` takes."""
    parser.add_argument("--peers", nargs="+", metavar="NAME", help="only these (see benchmarks/peers/catalog.py)")
    parser.add_argument("--precision", nargs="+", choices=tuple(OWN), default=list(OWN))


def choose(names: Iterable[str] | None, precisions: Iterable[str]) -> list[Entry]:
    """Give the peers with these names, or the usual ones of these precisions, gtekit first."""
    if names is None:
        return [entry for entry in CATALOG if entry.is_usual and entry.precision in set(precisions)]
    wanted = set(names)
    if unknown := wanted - BY_NAME.keys():
        raise SystemExit(f"unknown peers {sorted(unknown)}; known: {', '.join(BY_NAME)}.")
    return [entry for entry in CATALOG if entry.name in wanted]


def load_peer(entry: Entry, job: Job) -> Peer:
    """Load the model with the peer's own program. Only then is that program imported."""
    module = importlib.import_module(f"benchmarks.peers.{entry.module}")
    return cast(Peer, getattr(module, entry.loader)(job, entry.precision))
