"""How good are the clusters? Twenty newsgroups through gtekit's own functions, beside the score of the evaluation.

    python -m benchmarks.clustering --output build/clustering

Embeds the ten sets of MTEB's TwentyNewsgroupsClustering (subjects of posts) and clusters each with every method:

- mini-batches of 500, twenty clusters: what MTEB's evaluator does; its score is in results/evaluation;
- k-means on all rows; k-means with the number of clusters left to a criterion; HDBSCAN; communities.

HDBSCAN and communities leave texts in no cluster: the v-measure of all counts those as one more cluster, that of the
clustered ones leaves them out. Writes clustering.json (every set, machine, command) and clustering.md.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import gtekit
from benchmarks.machine import describe_machine
from benchmarks.real_texts import MTEB
from gtekit.arrays import Floats
from gtekit.tasks.clusters import ClusterKeywords, choose_count, cluster_vectors
from gtekit.tasks.clusters.settings import CRITERIA

TASK = MTEB / "TwentyNewsgroupsClustering" / "test.jsonl.gz"
EVALUATED = 46.20  # all-MiniLM-L6-v2, float32, in results/evaluation
PUBLISHED = 46.49  # on MTEB's own draws of the same posts
TRUE_COUNT = 20
RUNS: Mapping[str, ClusterKeywords] = {
    "k-means, 20 clusters, mini-batches of 500 (as MTEB)": {"clusters": TRUE_COUNT, "batch_rows": 500},
    "k-means, 20 clusters, all rows": {"clusters": TRUE_COUNT},
    "k-means, number by silhouette": {},
    "HDBSCAN, 20 components": {"method": "hdbscan"},
    "communities, threshold from the vectors": {"method": "communities"},
    "communities, threshold 0.75": {"method": "communities", "threshold": 0.75},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--output", type=Path, default=Path("build/clustering"))
    arguments = parser.parse_args()
    if not TASK.is_file():
        sys.exit(f"{TASK} is not there: MTEB's test sets belong in shared/data/mteb beside the checkout.")
    with gzip.open(TASK, "rt", encoding="utf-8") as lines:
        sets = [(row["sentences"], row["labels"]) for row in map(json.loads, lines)]
    texts = sorted({text for own, _ in sets for text in own})
    vectors = dict(zip(texts, gtekit.load(arguments.model).encode(texts), strict=True))
    found = {
        "machine": describe_machine(),
        "command": " ".join(sys.argv),
        "model": arguments.model,
        "evaluated": EVALUATED,
        "published": PUBLISHED,
        "runs": {name: measure(settings, sets, vectors) for name, settings in RUNS.items()},
        "counts": count_all(np.stack(list(vectors.values()))),
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "clustering.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (arguments.output / "clustering.md").write_text(as_markdown(found), encoding="utf-8")
    print(as_markdown(found))


def measure(
    settings: ClusterKeywords, sets: Sequence[tuple[list[str], list[str]]], vectors: Mapping[str, Floats]
) -> list[dict[str, Any]]:
    """Cluster every set and give its scores."""
    from sklearn.metrics import v_measure_score

    results = []
    for texts, labels in sets:
        rows, truth = np.stack([vectors[text] for text in texts]), np.array(labels)
        begin = time.perf_counter()
        found = cluster_vectors(rows, **settings)
        seconds = time.perf_counter() - begin
        is_in = found.labels >= 0
        results.append(
            {
                "texts": len(texts),
                "clusters": len(found),
                "unassigned": round(float(1 - is_in.mean()), 4),
                "v_measure": round(100 * float(v_measure_score(truth, found.labels)), 3),
                "v_measure_clustered": round(100 * float(v_measure_score(truth[is_in], found.labels[is_in])), 3),
                "threshold": found.threshold,
                "seconds": round(seconds, 2),
            }
        )
    return results


def count_all(vectors: Floats) -> dict[str, Any]:
    """Choose the number of clusters of all different texts by either criterion."""
    return {criterion: choose_count(vectors, criterion=criterion).to_dict() for criterion in CRITERIA}


def as_markdown(found: Mapping[str, Any]) -> str:
    """Give the means over the sets as a table, and what the criteria found."""
    sets = len(next(iter(found["runs"].values())))
    lines = [
        f"Twenty newsgroups, {found['model']}, mean over {sets} sets. The evaluation has {found['evaluated']:.2f} "
        f"(published: {found['published']:.2f}, on other draws of the same posts).",
        "",
        "| method | v-measure | of the clustered texts | in no cluster | clusters | seconds a set |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, results in found["runs"].items():
        mean = {key: float(np.mean([result[key] for result in results])) for key in results[0] if key != "threshold"}
        counts = [result["clusters"] for result in results]
        lines.append(
            f"| {name} | {mean['v_measure']:.2f} | {mean['v_measure_clustered']:.2f} | {mean['unassigned']:.0%} | "
            f"{min(counts)} to {max(counts)} | {mean['seconds']:.1f} |"
        )
    silhouette, harabasz = found["counts"]["silhouette"]["best"], found["counts"]["calinski_harabasz"]["best"]
    lines += [
        "",
        f"Of all different texts the silhouette finds {silhouette} clusters and Calinski-Harabasz {harabasz}; there "
        f"are {TRUE_COUNT} newsgroups.",
        "",
        f"Machine: {', '.join(f'{key} {value}' for key, value in found['machine'].items())}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
