"""How fast and how right is an index, at ten thousand, a hundred thousand and a million rows?

    python -m benchmarks.index --output benchmarks/results/index --rows 10000 100000

Rows are all-MiniLM-L6-v2's vectors of MTEB's short texts (../shared/data/mteb), each once, and then with noise until
there are as many as asked for; queries are rows with other noise. SciFact says what a search is worth: the same
vectors by numpy, by the exact backend and by LanceDB exactly and approximately, words alone, and both. Needs the extras
[index], [metrics] and [tasks]. Embedding takes some minutes at first, and the vectors are kept in --work.
"""

import argparse
import gzip
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import gtekit
import gtekit.index
from benchmarks.machine import describe_machine, load_average
from benchmarks.measure import say
from benchmarks.real_texts import MTEB
from gtekit.arrays import Array, Floats
from gtekit.cosines import l2_normalize
from gtekit.evaluation.metrics import rank
from gtekit.index import Hit, Index
from gtekit.index.recall import compare, perturbed
from gtekit.index.spaces import space_of

Result = dict[str, Any]
MODEL = "all-MiniLM-L6-v2"
SHORT_TEXTS = (
    ("TwitterURLCorpus/test.jsonl.gz", ("sent1", "sent2")),
    ("TweetSentimentExtractionClassification/train.jsonl.gz", ("text",)),
    ("Banking77Classification/train.jsonl.gz", ("text",)),
    ("SICK-R/test.jsonl.gz", ("sentence1", "sentence2")),
    ("STS12/test.jsonl.gz", ("sentence1",)),
)
OF_EACH = 8000
NOISE = 0.3  # the length of what is added to a vector that is there already: its cosine to that one is 0.96
SEED = 7
BATCH_ROWS = 10_000
LATENCY_QUERIES = 300
RECALL_QUERIES = 1000
TOP_K = 10
MEASURE = "ndcg_cut_10"
COLORS = {"numpy": "#64748b", "exact backend": "#a5b4c4", "LanceDB exact": "#0f766e", "LanceDB approximate": "#c2410c"}


def records(file: str) -> Iterator[dict[str, Any]]:
    """Read a file of MTEB."""
    with gzip.open(MTEB / file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def short_texts() -> list[str]:
    """Give different short texts, the same in every run."""
    texts: list[str] = []
    for file, fields in SHORT_TEXTS:
        some = dict.fromkeys(row[field] for row in records(file) for field in fields if row[field].strip())
        texts += list(some)[:OF_EACH]
    return list(dict.fromkeys(texts))


def kept(file: Path, make: Callable[[], Floats]) -> Floats:
    """Give an array that an earlier run has made, or make it."""
    if file.exists():
        return np.asarray(np.load(file), np.float32)
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, made)
    return made


def scaled(real: Floats, rows: int) -> Floats:
    """Give so many vectors: the real ones, then real ones with noise, mixed."""
    random = np.random.default_rng(SEED)
    vectors = np.empty((rows, real.shape[1]), np.float32)
    vectors[: len(real)] = real[random.permutation(len(real))[:rows]]
    for first in range(len(real), rows, BATCH_ROWS):
        some = real[random.integers(0, len(real), min(BATCH_ROWS, rows - first))]
        noise = l2_normalize(random.normal(size=some.shape).astype(np.float32))
        vectors[first : first + len(some)] = l2_normalize(some + np.float32(NOISE) * noise)
    return vectors[random.permutation(rows)]


def latency(search: Callable[[Floats], object], queries: Floats) -> Result:
    """Time single queries, warm, in milliseconds."""
    for query in queries[:20]:
        search(query)
    times = []
    for query in queries[:LATENCY_QUERIES]:
        begun = time.perf_counter()
        search(query)
        times.append((time.perf_counter() - begun) * 1000)
    return {"p50_ms": statistics.median(times), "p99_ms": float(np.quantile(times, 0.99)), "queries": len(times)}


def seconds(action: Callable[[], object]) -> float:
    """Time one action."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def size_mb(folder: Path) -> float:
    """Give what a folder takes on disk."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def fill(index: Index, vectors: Floats) -> None:
    """Put vectors in, a batch at a time; the number of a row is its id."""
    for first in range(0, len(vectors), BATCH_ROWS):
        some = vectors[first : first + BATCH_ROWS]
        index.upsert([str(first + row) for row in range(len(some))], vectors=some)


def numpy_search(vectors: Floats) -> Callable[[Floats], Array]:
    """Give the plainest exact search there is."""

    def search(query: Floats) -> Array:
        scores = vectors @ query
        best = np.argpartition(-scores, TOP_K)[:TOP_K]
        return best[np.argsort(-scores[best])]

    return search


def measure_scale(real: Floats, rows: int, folder: Path, space: gtekit.index.Space) -> Result:
    """Measure one number of rows."""
    vectors = scaled(real, rows)
    queries = perturbed(vectors[np.random.default_rng(SEED).integers(0, rows, RECALL_QUERIES)], seed=SEED)
    say(f"{rows:,} rows")
    result: Result = {"rows": rows, "numpy": latency(numpy_search(vectors), queries)}

    exact_folder = gtekit.index.create(folder / "exact", space, backend="exact")
    result["exact backend"] = {"write_s": seconds(lambda: fill(exact_folder, vectors))}
    result["exact backend"] |= latency(lambda query: exact_folder.search(query, top_k=TOP_K), queries)
    result["exact backend"]["size_mb"] = size_mb(folder / "exact")
    exact_folder.close()

    in_memory = gtekit.index.create(folder / "lance", space, exact_below=rows + 1)
    result["LanceDB exact"] = {"write_s": seconds(lambda: fill(in_memory, vectors))}
    in_memory.optimize()  # compacts; builds no graph
    result["LanceDB exact"] |= latency(lambda query: in_memory.search(query, top_k=TOP_K), queries)
    result["LanceDB exact"]["size_mb"] = size_mb(folder / "lance")
    truth = in_memory.search_many(queries, top_k=TOP_K)
    in_memory.close()
    result["LanceDB approximate"] = measure_graph(folder / "graph", space, vectors, queries, truth)
    return result


def measure_graph(
    folder: Path, space: gtekit.index.Space, vectors: Floats, queries: Floats, truth: Sequence[Sequence[Hit]]
) -> Result:
    """Measure an approximate index: before, while and after it is built."""
    graph = gtekit.index.create(folder, space, exact_below=0)
    fill(graph, vectors)
    from_disk = latency(lambda query: graph.search(query, top_k=TOP_K), queries[:30])
    say("  building")
    build_s = seconds(graph.optimize)
    stats = graph.stats()
    assert stats.recall is not None, "no approximate index was built; there are too few rows."
    result = {
        "before_it_is_built": from_disk,
        "build_s": build_s,
        **latency(lambda query: graph.search(query, top_k=TOP_K), queries),
        "recall_stored": stats.recall.recall,
        "recall": compare(truth, graph.search_many(queries, top_k=TOP_K), {}).recall,
        "search": stats.search,
        "size_mb": size_mb(folder),
    }
    graph.close()
    return result


def measure_scifact(model: "gtekit.Embedder", work: Path, folder: Path) -> Result:
    """Measure nDCG@10 of each kind of search."""
    documents = list(records("SciFact/corpus.jsonl.gz"))
    texts = [f"{row['title']} {row['text']}".strip() for row in documents]
    queries = list(records("SciFact/queries.jsonl.gz"))
    judged: dict[str, dict[str, int]] = {}
    for row in records("SciFact/qrels.jsonl.gz"):
        judged.setdefault(str(row["query_id"]), {})[str(row["corpus_id"])] = int(row["score"])
    ids = [row["_id"] for row in documents]
    asked = [row["text"] for row in queries]
    vectors = kept(work / "scifact.npy", lambda: model.encode_document(texts, on_truncation="ignore", progress=True))
    query_vectors = model.encode_query(asked)

    def score(answers: Sequence[Sequence[Hit]]) -> float:
        run = {row["_id"]: {hit.id: hit.score for hit in hits} for row, hits in zip(queries, answers, strict=True)}
        measured = rank(judged, run, [MEASURE])
        return statistics.mean(row[MEASURE] for row in measured.values())

    products = query_vectors @ vectors.T
    order = np.argsort(-products, axis=1, kind="stable")[:, :TOP_K]
    plain = [[Hit(ids[row], float(products[n, row])) for row in best] for n, best in enumerate(order)]
    scores = {"numpy": score(plain)}
    for name, options in (
        ("exact backend", {"backend": "exact"}),
        ("LanceDB exact", {}),
        ("LanceDB approximate", {"exact_below": 0}),
    ):
        index = gtekit.index.create(folder / name.replace(" ", "-"), model, **options)
        index.upsert(ids, texts, vectors)
        index.optimize()
        scores[name] = score(index.search_many(query_vectors, top_k=TOP_K))
        if name != "exact backend":
            scores[f"{name}, hybrid"] = score(index.search_many(asked, top_k=TOP_K, mode="hybrid"))
        if name == "LanceDB exact":
            scores["BM25"] = score(index.search_many(asked, top_k=TOP_K, mode="text"))
        index.close()
    return scores


def write_report(result: Result, output: Path) -> None:
    """Write the result as Markdown."""
    machine = result["machine"]
    lines = [
        "# The index: speed, recall and quality",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}, commit {machine['commit']}; load "
        f"{machine['load_before']} before and {machine['load_after']} after (above the cores, others were at work).",
        f"Command: `{machine['command']}`",
        "",
        f"Rows are {MODEL}'s vectors of {result['real_rows']:,} texts, and these with noise. One query at a time, top "
        f"{TOP_K}, on all cores.",
        "",
        "| rows | search | p50 ms | p99 ms | recall@10 | as stored | write s | build s | MB on disk |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for scale in result["scales"]:
        for name in COLORS:
            row = scale[name]
            recall = [f"{row['recall']:.4f}", f"{row['recall_stored']:.4f}"] if "recall" in row else ["1", ""]
            rest = [f"{row[key]:,.1f}" if key in row else "" for key in ("write_s", "build_s", "size_mb")]
            cells = [f"{scale['rows']:,}", name, f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}", *recall, *rest]
            lines.append(f"| {' | '.join(cells)} |")
        graph = scale["LanceDB approximate"]
        waiting = graph["before_it_is_built"]["p50_ms"]
        lines.append(f"| | {graph['search']}; until it is built, from disk: | {waiting:.2f} | | 1 | | | | |")
    lines += ["", "SciFact:", "", "| search | nDCG@10 |", "|---|---:|"]
    lines += [f"| {name} | {value:.4f} |" for name, value in result["scifact"].items()]
    (output / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw(result: Result, output: Path) -> None:
    """Draw latency against rows."""
    from matplotlib import pyplot

    from benchmarks.plots import prepare, save

    prepare()
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    rows = [scale["rows"] for scale in result["scales"]]
    for name, color in COLORS.items():
        axes.plot(rows, [scale[name]["p50_ms"] for scale in result["scales"]], "o-", color=color, label=name)
    axes.set(xscale="log", yscale="log", xlabel="rows", ylabel="one query, p50 [ms], less is better")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    save(figure, output, "latency")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for index.json, report.md and latency.svg")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/index"), help="where vectors are kept")
    args = parser.parse_args()
    if not MTEB.is_dir():
        parser.error(f"needs MTEB's test sets in {MTEB}")
    machine = describe_machine()
    model = gtekit.load(MODEL, precision="int8")
    real = kept(args.work / "short.npy", lambda: model.encode(short_texts(), on_truncation="ignore", progress=True))
    scales = []
    for rows in args.rows:
        folder = Path(tempfile.mkdtemp(prefix="index-", dir=args.work))
        try:
            scales.append(measure_scale(real, rows, folder, space_of(model)))
        finally:
            shutil.rmtree(folder)
    with tempfile.TemporaryDirectory(prefix="scifact-", dir=args.work) as folder_name:
        scifact = measure_scifact(model, args.work, Path(folder_name))
    machine["load_after"] = load_average()
    result = {"question": "index", "machine": machine, "real_rows": len(real), "scales": scales, "scifact": scifact}
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "index.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_report(result, args.output)
    draw(result, args.output)
    say(f"wrote {args.output / 'report.md'}")


if __name__ == "__main__":
    main()
