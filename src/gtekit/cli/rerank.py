"""gtekit rerank: the texts of a file in the order of their likeness to a query."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_model_options, load_model, new_parser, read_keep
from gtekit.cli.printing import count_text, one_line, print_json, say
from gtekit.cli.task_files import (
    add_output,
    add_text_file,
    check_output,
    check_own_fields,
    read_rows,
    row_place,
    write_records,
)
from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.files import Row
    from gtekit.tasks import Ranked

SUMMARY = "Put the texts of a file in the order of their likeness to a query."
EXAMPLE = """\
  gtekit rerank "sorting algorithms" candidates.txt -k 10
  gtekit rerank "sorting algorithms" candidates.jsonl --keep all -o ranked.jsonl
  gtekit rerank "sorting algorithms" candidates.csv --field body --diversity 0.3 --json
  gtekit rerank --queries queries.txt candidates.txt -k 10 -o ranked.jsonl
  zcat candidates.jsonl.gz | gtekit rerank "sorting algorithms" - --format jsonl

The query is embedded with the model's query prompt, the texts with its document prompt, where it has them. Each result
has its rank, its score (a cosine), the number of its line and its text, and the query where there are --queries."""
OWN_FIELDS = ("query", "rank", "score", "number")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "rerank", SUMMARY, EXAMPLE)
    parser.add_argument("text", nargs="?", metavar="QUERY", help="what the texts are held against")
    add_text_file(parser)
    add_output(parser)
    group = parser.add_argument_group("ranking")
    group.add_argument(
        "--queries", type=Path, metavar="FILE", help="in place of QUERY: many, one a line, or .jsonl or .csv"
    )
    group.add_argument("-k", "--top-k", type=int, metavar="K", help="give the best K (all)")
    group.add_argument(
        "--diversity",
        type=float,
        default=0.0,
        metavar="X",
        help="0 to 1: the more, the less the results repeat each other (%(default)g)",
    )
    group.add_argument(
        "--keep",
        default="none",
        metavar="FIELDS",
        help="fields of the file that travel along: text, all, none, or names with commas (%(default)s)",
    )
    group.add_argument(
        "--on-truncation",
        choices=("warn", "error", "ignore", "chunk"),
        default="warn",
        help="what happens to a text that is too long; chunk embeds all of it, in pieces (%(default)s)",
    )
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rank the texts and print or write them."""
    from gtekit.inputs import check_count
    from gtekit.tasks import rerank
    from gtekit.tasks.mmr import check_diversity

    if arguments.top_k is not None:
        check_count("top_k", arguments.top_k)
    check_diversity(arguments.diversity)
    _place_arguments(arguments)
    check_output(arguments)
    queries = [arguments.text] if arguments.queries is None else _read_queries(arguments.queries)
    rows = read_rows(arguments, keep=read_keep(arguments.keep))
    _check_fields(arguments, rows)
    model = load_model(arguments)
    rankings = rerank(
        model,
        queries,
        [row.text for row in rows],
        top_k=arguments.top_k,
        diversity=arguments.diversity,
        return_documents=False,
        on_truncation=arguments.on_truncation,
    )
    _write(arguments, model.name, list(zip(queries, rankings, strict=True)), rows)
    return ExitCode.OK


def _place_arguments(arguments: argparse.Namespace) -> None:
    """With --queries the first word is the file."""
    if arguments.queries is None:
        if arguments.text is None:
            raise ArgumentError("there is nothing to hold the texts against: give a QUERY, or --queries FILE.")
        return
    if arguments.text is not None and arguments.file != "-":
        raise ArgumentError("a QUERY and --queries FILE both say what the texts are held against; leave one out.")
    arguments.file = "-" if arguments.text is None else arguments.text


def _read_queries(path: Path) -> list[str]:
    from gtekit.files import input_format, open_rows

    with open_rows(path, input_format(path), keep="none") as rows:
        queries = [row.text for row in rows.rows if row.text.strip()]
    if not queries:
        raise FileFormatError(f"--queries {path}: holds no queries. One a line, or name another file.")
    return queries


def _check_fields(arguments: argparse.Namespace, rows: "list[Row]") -> None:
    own = OWN_FIELDS if arguments.queries is not None else OWN_FIELDS[1:]
    for row in rows:
        is_other = row.kept.get("text", row.text) != row.text  # another field than the one that is ranked
        check_own_fields(row_place(arguments, row), row.kept, (*own, "text") if is_other else own)


def _write(
    arguments: argparse.Namespace, model_name: str, rankings: "list[tuple[str, list[Ranked]]]", rows: "list[Row]"
) -> None:
    records = _records(arguments, rankings, rows)
    summary: dict[str, Any] = {"model": model_name}
    if arguments.queries is None:
        summary["query"] = arguments.text
    if arguments.output != "-":
        count = write_records(arguments, records)
        if arguments.json:
            print_json({**summary, "texts": len(rows), "results": count, "output": arguments.output})
        many = "" if arguments.queries is None else f" for each of {len(rankings):,} queries"
        shown = len(rankings[0][1])
        say(f"{arguments.output}: {shown:,} of {count_text(len(rows), 'text')}{many}, the best first.")
    elif arguments.json:
        print_json({**summary, "results": list(records)})
    else:
        for query, ranking in rankings:
            begin = "" if arguments.queries is None else f"{one_line(query)}\t"
            for entry in ranking:
                print(f"{begin}{entry.score:.4f}\t{one_line(rows[entry.index].text)}")


def _records(
    arguments: argparse.Namespace, rankings: "list[tuple[str, list[Ranked]]]", rows: "list[Row]"
) -> Iterator[dict[str, Any]]:
    for query, ranking in rankings:
        for place, entry in enumerate(ranking, start=1):
            row = rows[entry.index]
            yield {
                **({} if arguments.queries is None else {"query": query}),
                "rank": place,
                "score": round(entry.score, 6),
                "number": row.number,
                "text": row.text,
                **row.kept,
            }
