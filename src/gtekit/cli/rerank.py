"""gtekit rerank: the texts of a file in the order of their likeness to a query."""

import argparse
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_model_options, load_model, new_parser
from gtekit.cli.printing import count_text, print_json, say
from gtekit.cli.task_files import add_output, add_text_file, check_output, read_rows, write_records
from gtekit.errors import FileFormatError

if TYPE_CHECKING:
    from gtekit.files import Keep, Row
    from gtekit.tasks import Ranked

SUMMARY = "Put the texts of a file in the order of their likeness to a query."
EXAMPLE = """\
  gtekit rerank "sorting algorithms" candidates.txt -k 10
  gtekit rerank "sorting algorithms" candidates.jsonl --keep all -o ranked.jsonl
  gtekit rerank "sorting algorithms" candidates.csv --field body --diversity 0.3 --json
  zcat candidates.jsonl.gz | gtekit rerank "sorting algorithms" - --format jsonl

The query is embedded with the model's query prompt, the texts with its document prompt, where it has them. Each result
has its rank, its score (a cosine) and the number of its line."""
OWN_FIELDS = ("rank", "score", "number")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "rerank", SUMMARY, EXAMPLE)
    parser.add_argument("text", metavar="QUERY", help="what the texts are held against")
    add_text_file(parser)
    add_output(parser)
    group = parser.add_argument_group("ranking")
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
        help="fields of the file that travel along: all, none, or names with commas (%(default)s)",
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
    from gtekit.tasks import rank
    from gtekit.tasks.mmr import check_diversity

    if arguments.top_k is not None:
        check_count("top_k", arguments.top_k)
    check_diversity(arguments.diversity)
    check_output(arguments)
    rows = read_rows(arguments, keep=_keep(arguments.keep))
    _check_names(arguments, rows)
    model = load_model(arguments)
    ranking = rank(
        model,
        arguments.text,
        [row.text for row in rows],
        top_k=arguments.top_k,
        diversity=arguments.diversity,
        return_documents=False,
        on_truncation=arguments.on_truncation,
    )
    records = [_record(place, entry, rows[entry.index]) for place, entry in enumerate(ranking, start=1)]
    if arguments.output != "-":
        write_records(arguments, records)
        say(f"{arguments.output}: {len(records):,} of {count_text(len(rows), 'text')}, the best first.")
    elif arguments.json:
        print_json({"model": model.name, "query": arguments.text, "results": records})
    else:
        for entry in ranking:
            print(f"{entry.score:.4f}\t{rows[entry.index].text}")
    return ExitCode.OK


def _keep(text: str) -> "Keep":
    if text == "all" or text == "none":
        return text
    return [name for name in text.split(",") if name]


def _check_names(arguments: argparse.Namespace, rows: "list[Row]") -> None:
    for row in rows:
        for name in OWN_FIELDS:
            if name in row.kept:
                raise FileFormatError(
                    f"{arguments.file}, line {row.number}: the field {name!r} has the name of a result. Rename it, or "
                    "name the fields to keep with --keep."
                )


def _record(place: int, entry: "Ranked", row: "Row") -> dict[str, Any]:
    return {
        "rank": place,
        "score": round(entry.score, 6),
        "number": row.number,
        "text": row.text,
        **row.kept,
    }
