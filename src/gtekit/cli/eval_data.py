"""gtekit eval data: how good a model is on the user's own data."""

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_model_options, load_model, new_parser
from gtekit.cli.printing import print_json
from gtekit.errors import ArgumentError, TruncationWarning

if TYPE_CHECKING:
    from gtekit.evaluation.own_data import Source

SUMMARY = "Measure how good a model is on your own data."
EXAMPLE = """\
  gtekit eval data pairs.csv                       columns sentence1, sentence2, score: Spearman, or labels 0 and 1
  gtekit eval data triples.jsonl --html errors.html    fields anchor, positive, negative; the worst misses as a page
  gtekit eval data mails.csv --kind labelled --columns body,topic
  gtekit eval data scifact/ --split dev            corpus.jsonl, queries.jsonl, qrels/dev.tsv
  gtekit eval data --queries topics.tsv --documents docs.jsonl.gz --qrels qrels.txt

Scores are in their own scale, where 1 is the best, with 95 % intervals by bootstrap. Needs
the extra: pip install 'gtekit[metrics]'."""
KINDS = ("pairs", "triples", "labelled", "retrieval")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "data", SUMMARY, EXAMPLE)
    parser.add_argument(
        "data",
        nargs="?",
        type=Path,
        metavar="DATA",
        help=".csv, .tsv or .jsonl, also with .gz, or .parquet; or a folder to search in",
    )
    group = parser.add_argument_group("the data")
    group.add_argument("--kind", choices=KINDS, help="what they are (as the names of the columns say)")
    group.add_argument(
        "--columns", metavar="NAMES", help="which columns hold the parts of a row, with commas between (known names)"
    )
    group.add_argument("--split", metavar="NAME", help="which qrels of a folder (test)")
    group.add_argument("--queries", type=Path, metavar="FILE", help=".jsonl with _id and text, or .tsv of id and text")
    group.add_argument("--documents", type=Path, metavar="FILE", help="the same; a title goes before the text")
    group.add_argument("--qrels", type=Path, metavar="FILE", help="what is relevant to which query, as TREC or BEIR")
    parser.add_argument("--html", type=Path, metavar="FILE.html", help="write the worst misses with their texts")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read the data, then load the model; measure and print."""
    from gtekit.evaluation.own_data import check_page, measure, read_source

    if arguments.html is not None:
        if arguments.html.suffix.lower() not in (".html", ".htm"):
            raise ArgumentError(f"--html {arguments.html}: give the page a name that ends in .html.")
        check_page(arguments.html)
    data = read_source(_source(arguments))
    model = load_model(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncationWarning)  # it is among the notes of the result
        result = measure(model, data)
    # the figures first: whatever becomes of the page, they are not lost
    if arguments.json:
        print_json(result.as_json())
    else:
        print(result)
    if arguments.html is not None:
        result.write_html(arguments.html)
        if not arguments.json:
            print(f"\npage: {arguments.html.resolve()}")
    return ExitCode.OK


def _source(arguments: argparse.Namespace) -> "Source":
    from gtekit.evaluation.own_data import Source, guess_kind

    parts = {name: getattr(arguments, name) for name in ("queries", "documents", "qrels")}
    columns = None if arguments.columns is None else [name.strip() for name in arguments.columns.split(",")]
    if any(part is not None for part in parts.values()):
        missing = [f"--{name}" for name, part in parts.items() if part is None]
        if arguments.data is not None or missing:
            lacking = f"{' and '.join(missing)} missing" if missing else f"{arguments.data} is too much"
            raise ArgumentError(f"--queries, --documents and --qrels go together, without DATA; {lacking}.")
        if arguments.kind not in (None, "retrieval"):
            raise ArgumentError(f"--kind {arguments.kind} has no --queries; name its file as DATA.")
        return Source(**parts, columns=columns, split=arguments.split)
    if arguments.data is None:
        raise ArgumentError("no data: name a file or a folder, or --queries, --documents and --qrels.")
    kind = arguments.kind or guess_kind(arguments.data, columns)
    return Source(**{kind: arguments.data}, columns=columns, split=arguments.split)
