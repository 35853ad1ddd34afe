"""gtekit cluster: a file of texts in groups, each with a name, and a map of them."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_encode_options, add_model_options, encode_keywords, load_model, new_parser, read_keep
from gtekit.cli.printing import count_text, one_line, print_json, print_table, say
from gtekit.cli.task_files import (
    add_text_file,
    check_output,
    check_own_fields,
    read_rows,
    refuse_json_with_rows,
    row_place,
    write_records,
)
from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.arrays import Floats
    from gtekit.files import Row
    from gtekit.tasks.clusters import Clusters
    from gtekit.tasks.clusters.settings import ClusterKeywords

SUMMARY = "Group texts by what they say, name the groups, and draw a map of them."
EXAMPLE = """\
  gtekit cluster tickets.csv --field body                       as many clusters as fit best
  gtekit cluster tickets.csv --clusters 12 -o clustered.csv --keep id,body
  gtekit cluster tickets.jsonl --method hdbscan --min-size 15 --html map.html --png map.png
  gtekit cluster titles.txt --method communities --threshold 0.8 -o communities.jsonl --terms
  zcat titles.jsonl.gz | gtekit cluster - --format jsonl --json

A summary goes to standard output: a line a cluster, the largest first. With -o each text gets a row with the number and
name of its cluster, its cosine to the centre (similarity) and how much nearer that is than the next centre (confidence,
0 on the border, 1 at the centre). Needs the extra: pip install 'gtekit[tasks]'."""

RESULT_FIELDS = ("cluster", "name", "similarity", "confidence")
MOST_TEXT = 60  # characters of a text in the summary


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "cluster", SUMMARY, EXAMPLE)
    add_text_file(parser)
    _add_clustering(parser)
    group = parser.add_argument_group("results")
    group.add_argument("-o", "--output", metavar="OUT", help=".jsonl or .csv, a row a text; - prints rows, no summary")
    group.add_argument(
        "--keep",
        default="text",
        metavar="FIELDS",
        help="fields of the file in the rows: text, all, none, or names (%(default)s)",
    )
    group.add_argument("--terms", action="store_true", help="also print the terms of each cluster with their weights")
    group.add_argument(
        "--html", type=Path, metavar="FILE", help="a map as a page that loads nothing: touch, filter, search"
    )
    group.add_argument("--png", type=Path, metavar="FILE", help="the map as a picture")
    group.add_argument("--curve", type=Path, metavar="FILE", help="a picture of how the number of clusters was found")
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run)


def _add_clustering(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("clusters")
    group.add_argument(
        "--method",
        choices=("kmeans", "hdbscan", "communities"),
        default="kmeans",
        help="all texts in so many clusters; dense groups; texts around a central one (%(default)s)",
    )
    group.add_argument("--clusters", default="auto", metavar="N", help="of kmeans: how many, or auto (%(default)s)")
    group.add_argument(
        "--criterion",
        choices=("silhouette", "calinski-harabasz"),
        help="of kmeans: what auto makes largest (silhouette)",
    )
    group.add_argument(
        "--batch-rows", type=int, metavar="N", help="of kmeans: mini-batches of N (all, from 20,000 on 4,096)"
    )
    group.add_argument(
        "--threshold",
        type=float,
        metavar="X",
        help="of communities: the least cosine to the centre (told from the texts)",
    )
    group.add_argument("--min-size", type=int, metavar="N", help="of hdbscan and communities: fewer are none (10)")
    group.add_argument("--seed", type=int, default=42, metavar="N", help="of random choices (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Cluster the file, write what was asked for, print the summary."""
    from gtekit.tasks.alike import alike_options
    from gtekit.tasks.clusters import cluster_vectors, name_clusters
    from gtekit.tasks.clusters.settings import read_settings

    keywords = _settings(arguments)
    read_settings(keywords)
    _check_files(arguments)
    rows = read_rows(arguments, keep=read_keep(arguments.keep))
    for row in rows:
        check_own_fields(row_place(arguments, row), row.kept, RESULT_FIELDS)
    texts = [row.text for row in rows]
    if (count := keywords.get("clusters")) is not None and count > len(texts):
        raise ArgumentError(
            f"--clusters {count} is more than the {count_text(len(texts), 'text')}; choose 1 to {len(texts):,}."
        )
    model = load_model(arguments)
    vectors = model.encode(texts, **alike_options(model, encode_keywords(arguments, model)))
    clusters = name_clusters(cluster_vectors(vectors, **keywords), texts)
    if arguments.output is not None:
        write_records(arguments, _records(rows, clusters))
    _write_pictures(arguments, clusters, vectors, texts, model.name)
    if arguments.json:
        print_json({"model": model.name, **_summary(clusters, texts)})
    elif arguments.output == "-":
        say(_sentence(clusters))
    else:
        _print_summary(clusters, texts, with_terms=arguments.terms)
    return ExitCode.OK


def _settings(arguments: argparse.Namespace) -> "ClusterKeywords":
    keywords: ClusterKeywords = {
        "method": arguments.method,
        "batch_rows": arguments.batch_rows,
        "threshold": arguments.threshold,
        "seed": arguments.seed,
    }
    if arguments.min_size is not None:
        if arguments.method == "kmeans":
            raise ArgumentError(
                f"--min-size {arguments.min_size} is an option of --method hdbscan and communities; kmeans has no use "
                f"for it: leave it out."
            )
        keywords["min_size"] = arguments.min_size
    if arguments.criterion is not None:
        if arguments.method != "kmeans" or arguments.clusters != "auto":
            raise ArgumentError(
                f"--criterion {arguments.criterion} is an option of --clusters auto of --method kmeans; leave it out."
            )
        keywords["criterion"] = arguments.criterion.replace("-", "_")
    if arguments.clusters != "auto":
        if not (arguments.clusters.isascii() and arguments.clusters.isdigit() and int(arguments.clusters) > 0):
            raise ArgumentError(
                f"--clusters {arguments.clusters} is not possible; choose a whole number, 1 or more, or auto."
            )
        keywords["clusters"] = int(arguments.clusters)
    if arguments.curve and (arguments.method != "kmeans" or arguments.clusters != "auto"):
        raise ArgumentError("--curve shows how --clusters auto of --method kmeans chose; it has nothing to show here.")
    return keywords


def _check_files(arguments: argparse.Namespace) -> None:
    """Make sure of what is to be written, and with what, before anything is read."""
    from gtekit.tasks.scikit import scikit

    scikit("gtekit cluster", "cluster")
    refuse_json_with_rows(arguments)
    for path, endings in (
        (arguments.html, (".html", ".htm")),
        (arguments.png, (".png",)),
        (arguments.curve, (".png",)),
    ):
        if path is None:
            continue
        if path.suffix.lower() not in endings:
            raise FileFormatError(f"{path}: is written as {endings[0][1:].upper()}; name it {path.stem}{endings[0]}.")
    check_output(arguments, "html", "png", "curve")
    if arguments.png or arguments.curve:
        from gtekit.tasks.clusters.map_picture import check_matplotlib

        check_matplotlib()


def _records(rows: Sequence["Row"], clusters: "Clusters") -> Iterator[dict[str, Any]]:
    names = clusters.names
    for row, label, similarity, confidence in zip(
        rows, clusters.labels.tolist(), clusters.similarities.tolist(), clusters.confidences.tolist(), strict=True
    ):
        yield {
            **row.kept,
            "cluster": label,
            "name": names[label] if label >= 0 else None,
            "similarity": _number(similarity),
            "confidence": _number(confidence),
        }


def _number(value: float) -> float | None:
    return round(value, 6) if value == value else None  # NaN is no JSON


def _write_pictures(
    arguments: argparse.Namespace, clusters: "Clusters", vectors: "Floats", texts: list[str], model_name: str
) -> None:
    from gtekit.tasks.clusters import (
        ClusterMap,
        layout,
        layout_note,
        map_title,
        method_note,
        write_count_picture,
        write_map_page,
        write_map_picture,
    )

    if arguments.curve and clusters.count_choice:
        if clusters.count_choice.counts:
            write_count_picture(arguments.curve, clusters.count_choice)
        else:
            say(f"{arguments.curve} was not written: so few texts, or so alike, leave no number to choose.")
    if not (arguments.html or arguments.png):
        return
    source = "standard input" if arguments.file == "-" else Path(arguments.file).name
    drawn = ClusterMap(
        points=layout(vectors, seed=arguments.seed),
        texts=texts,
        clusters=clusters,
        title=f"{map_title(clusters)}: {source}",
        notes=(method_note(clusters, model_name), layout_note(len(texts))),
    )
    if arguments.html:
        write_map_page(arguments.html, drawn)
    if arguments.png:
        write_map_picture(arguments.png, drawn)


def _summary(clusters: "Clusters", texts: list[str]) -> dict[str, Any]:
    summary = clusters.to_dict()
    for entry in summary["clusters"]:
        rows = entry.pop("representatives")
        entry["representatives"] = [{"number": row + 1, "text": texts[row]} for row in rows]
    return summary


def _sentence(clusters: "Clusters") -> str:
    text = f"{count_text(len(clusters.labels), 'text')} in {count_text(len(clusters), 'cluster')}"
    if clusters.threshold is not None:
        text += f", cosine to the centre {clusters.threshold:g} or more"
    if (choice := clusters.count_choice) is not None and choice.counts:
        text += f", the number with the largest {choice.criterion.replace('_', '-')} ({max(choice.values):.3f})"
    return f"{text}; {clusters.unassigned:,} in none" if clusters.unassigned else text


def _print_summary(clusters: "Clusters", texts: list[str], *, with_terms: bool) -> None:
    print(_sentence(clusters))
    if not clusters.clusters:
        return
    table = [["cluster", "texts", "name", "nearest to the centre"]]
    for cluster in clusters.clusters:
        example = one_line(texts[cluster.representatives[0]])
        example = example if len(example) <= MOST_TEXT else f"{example[: MOST_TEXT - 1]}…"
        table.append([str(cluster.number), f"{cluster.size:,}", cluster.name, example])
    print_table(table, right=(0, 1))
    if with_terms:
        for cluster in clusters.clusters:
            print(f"\n{cluster.number}  {cluster.name}")
            for term in cluster.terms:
                print(f"  {term.weight:.4f}  {term.text}")
