"""Real documents: indexed, killed midway, resumed, searched, changed, indexed again. Only what is new is embedded.

    python -m benchmarks.documents --documents 5000 --output build/documents

The documents are those of the system: /usr/share/doc, and Python's where they are installed (--sources names others).
They are copied, so that some can be changed and deleted. Writes documents.json and documents.md.
"""

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import gtekit
import gtekit.index
from benchmarks.machine import describe_machine
from benchmarks.workloads import SEED
from gtekit.documents import Document, Source, find_documents, read_documents
from gtekit.index import Index
from gtekit.index.build.entries import read_entries
from gtekit.index.passages import search_passages

SOURCES = ("/usr/share/doc", "/usr/share/cmake-3.25/Help", "/usr/lib/python3/dist-packages")
KINDS = ("text", "markdown", "html", "pdf")
ADDED_WORDS = "The zeppelin of the marmalade ministry lands at quarter past seven"
TOP_K = 10
KILL_AT = 0.4  # of the documents
POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to how many documents."""

    work: Path
    model: str
    backend: str
    documents: int
    changed: int
    deleted: int
    added: int
    searches: int

    @property
    def docs(self) -> Path:
        """The folder of the documents."""
        return self.work / "docs"

    @property
    def index(self) -> Path:
        """The folder of the index."""
        return self.work / "my.index"

    def command(self) -> list[str]:
        """Give the command that builds the index."""
        build = ["index", "build", "docs", "-o", "my.index", "--backend", self.backend, "-m", self.model, "--json"]
        return [sys.executable, "-m", "gtekit", *build]


def main() -> None:
    """Run everything and write what was found."""
    arguments = _parse()
    plan = Plan(
        work=arguments.output / "work",
        model=arguments.model,
        backend=arguments.backend,
        documents=arguments.documents,
        changed=arguments.changed,
        deleted=arguments.deleted,
        added=arguments.added,
        searches=arguments.searches,
    )
    shutil.rmtree(plan.work, ignore_errors=True)
    plan.docs.mkdir(parents=True)
    result: dict[str, Any] = {"machine": describe_machine(), "most_bytes": arguments.most_bytes}
    chance = random.Random(SEED)
    sources = _choose(arguments.sources or SOURCES, plan, arguments.most_bytes, chance)
    result["kinds"] = dict(Counter(source.kind for source in sources))
    kept_back = [_copy(source, plan) for source in sources][plan.documents :]
    for number, path in enumerate(kept_back):
        path.rename(plan.work / f"later-{number}")
    result["killed"] = _build_and_kill(plan)
    result["resumed"] = _build(plan)
    result["again"] = _build(plan)
    result["search"] = _search(plan, chance)
    result["edits"] = _edit(plan, kept_back, chance)
    result["updated"] = _build(plan)
    result["added_there"] = _count_added(plan)
    result["problems"] = _verify(plan)
    result["checks"] = _checks(result)
    _write(result, arguments.output)
    if not all(result["checks"].values()):
        sys.exit("not all is as expected; see documents.md")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--changed", type=int, default=50)
    parser.add_argument("--deleted", type=int, default=10)
    parser.add_argument("--added", type=int, default=10)
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--sources", nargs="+", metavar="FOLDER", help=f"({' '.join(SOURCES)})")
    parser.add_argument("--most-bytes", type=int, default=32_000, help="larger files are not taken (%(default)s)")
    parser.add_argument("-m", "--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--backend", choices=("lance", "exact"), default="lance")
    parser.add_argument("--output", type=Path, required=True)
    return parser.parse_args()


def _choose(folders: list[str] | tuple[str, ...], plan: Plan, most_bytes: int, chance: random.Random) -> list[Source]:
    """Draw the documents to index, and after them those that are added later."""
    there = [folder for folder in folders if Path(folder).is_dir()]
    wanted = plan.documents + plan.added
    found = [source for source in find_documents(there).sources if source.kind in KINDS]
    fitting = [source for source in found if 200 < source.size_bytes <= most_bytes]
    if len(fitting) < wanted:
        sys.exit(
            f"{', '.join(there)}: {len(fitting):,} documents of at most {most_bytes:,} bytes, and {wanted:,} needed."
        )
    return chance.sample(fitting, wanted)


def _copy(source: Source, plan: Plan) -> Path:
    path = plan.docs / source.location.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source.location, path)
    os.utime(path, (source.modified_s, source.modified_s))
    return path


def _build(plan: Plan) -> dict[str, Any]:
    begin = time.monotonic()
    done = subprocess.run(
        plan.command(), cwd=plan.work, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    report["wall_s"] = round(time.monotonic() - begin, 2)
    report["failed"] = len(report["failures"])
    report["failures"] = report["failures"][:20]
    return report


def _environment() -> dict[str, str]:
    """The environment with the same gtekit for the processes that build."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path)}


def _build_and_kill(plan: Plan) -> dict[str, Any]:
    """Kill -9 the first build once the index has its share of the documents."""
    process = subprocess.Popen(plan.command(), cwd=plan.work, env=_environment(), stdout=subprocess.PIPE)
    while process.poll() is None and _documents_there(plan) < KILL_AT * plan.documents:
        time.sleep(POLL_S)
    process.send_signal(signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
        sys.exit("the build ended before it was killed; take more documents.")
    with gtekit.index.open(plan.index) as index:
        return {"documents": len(read_entries(index)), "passages": index.count(), "problems": index.verify()}


def _documents_there(plan: Plan) -> int:
    try:
        with gtekit.index.open(plan.index) as index:
            return len(read_entries(index))
    except gtekit.VectorIndexError:
        return 0


def _search(plan: Plan, chance: random.Random) -> dict[str, Any]:
    """Look for sentences of the documents themselves, half of their words left out, by meaning and by both."""
    model = gtekit.load(plan.model)
    with gtekit.index.open(plan.index, model) as index:
        known = chance.sample(sorted(read_entries(index)), plan.searches)
        queries = [_query(index, f"{document}#p0", chance) for document in known]
        found: dict[str, Any] = {}
        for mode in ("vector", "hybrid") if plan.backend == "lance" else ("vector",):
            times, hits = [], 0
            for document, query in zip(known, queries, strict=True):
                begin = time.perf_counter()
                passages = search_passages(index, query, model, top_k=TOP_K, mode=mode)
                times.append(1000 * (time.perf_counter() - begin))
                hits += document in {passage.document for passage in passages}
            p50, p90 = round(median(times), 1), round(quantiles(times, n=10)[-1], 1)
            found[mode] = {"searches": len(known), "found_in_10": hits / len(known), "p50_ms": p50, "p90_ms": p90}
        return found


def _query(index: Index, row: str, chance: random.Random) -> str:
    words = str((index.get([row]).texts or [""])[0]).split()[:60]
    kept = sorted(chance.sample(range(len(words)), (len(words) + 1) // 2))
    return " ".join(words[place] for place in kept)


def _edit(plan: Plan, kept_back: list[Path], chance: random.Random) -> dict[str, int]:
    """Add a sentence to some documents, delete some, and put new ones in."""
    with gtekit.index.open(plan.index) as index:
        there = sorted(entry.location for entry in read_entries(index).values())
    chosen = chance.sample([path for path in there if not path.endswith(".pdf")], plan.changed + plan.deleted)
    for place, path in enumerate(map(Path, chosen)):
        if place < plan.changed:
            _append(path, f"\n\n{ADDED_WORDS} number {place}.\n")
        else:
            path.unlink()
    for number, path in enumerate(kept_back):
        (plan.work / f"later-{number}").rename(path)
    readable = sum(_has_text(path) for path in kept_back)
    return {"changed": plan.changed, "deleted": plan.deleted, "added": readable}


def _append(path: Path, sentence: str) -> None:
    data = path.read_bytes()
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(gzip.decompress(data) + sentence.encode()))
    else:
        path.write_bytes(data + sentence.encode())


def _has_text(path: Path) -> bool:
    (source,) = find_documents([path]).sources
    return any(isinstance(found, Document) and found.text.strip() for found in read_documents(source))


def _count_added(plan: Plan) -> int:
    """Count the documents of the index that hold what was added."""
    found = set()
    with gtekit.index.open(plan.index) as index:
        for part in index.scan():
            for text, metadata in zip(part.texts or (), part.metadata or (), strict=True):
                if ADDED_WORDS in (text or ""):
                    found.add(metadata["document"])
    return len(found)


def _verify(plan: Plan) -> list[str]:
    with gtekit.index.open(plan.index) as index:
        return index.verify()


def _checks(result: dict[str, Any]) -> dict[str, bool]:
    killed, resumed, again, updated, edits = (
        result[step] for step in ("killed", "resumed", "again", "updated", "edits")
    )
    counted = {"changed": updated["changed"], "deleted": updated["deleted"], "added": updated["added"]}
    return {
        "the killed build left a sound index": not killed["problems"],
        "no finished document was embedded again after the kill": resumed["unchanged"] == killed["documents"],
        "without changes nothing is embedded": again["passages_embedded"] == 0
        and again["unchanged"] == again["documents"],
        "only what changed is embedded": counted == edits,
        "every changed document holds what was added": result["added_there"] == edits["changed"],
        "the index is sound": not result["problems"],
    }


def _write(result: dict[str, Any], output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / "documents.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    columns = (
        "documents",
        "added",
        "changed",
        "deleted",
        "unchanged",
        "failed",
        "passages_embedded",
        "passages_reused",
    )
    numbers = (*columns, "passages_deleted", "tokens_embedded", "wall_s")
    lines = ["# Real documents", "", *(f"- {name}: {value}" for name, value in result["machine"].items())]
    lines += [f"- files: {result['kinds']}, at most {result['most_bytes']:,} bytes each", ""]
    lines += [f"| build | {' | '.join(numbers)} |", f"|---|{'---|' * len(numbers)}"]
    for step in ("resumed", "again", "updated"):
        lines.append(f"| {step} | {' | '.join(f'{result[step][name]:,}' for name in numbers)} |")
    killed = result["killed"]
    lines += ["", f"The first build was killed (-9) with {killed['documents']:,} documents in the index.", ""]
    for mode, found in result["search"].items():
        lines.append(
            f"- {mode}: {found['found_in_10']:.0%} of {found['searches']} documents are among the first {TOP_K} for "
            f"half of their first 60 words; {found['p50_ms']} ms at the median, {found['p90_ms']} ms at 90 %, best "
            f"sentence included"
        )
    lines += ["", *(f"- {'yes' if is_so else '**NO**'}: {check}" for check, is_so in result["checks"].items())]
    (output / "documents.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
