"""gtekit index export: all rows with their vectors, as Parquet or JSON lines."""

import argparse

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, say

SUMMARY = "Write the rows of an index with their vectors to a file, as Parquet or JSON lines."
EXAMPLE = """\
  gtekit index export my.index passages.parquet
  gtekit index export my.index passages.jsonl --where "page = 1" """


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "export", SUMMARY, EXAMPLE.rstrip())
    parser.add_argument("index", metavar="INDEX", help="a folder, or s3://bucket/prefix")
    parser.add_argument("output", metavar="OUT", help=".parquet or .jsonl; it appears when it is complete")
    parser.add_argument("--where", metavar="FILTER", help="only these rows, such as \"source LIKE 'docs/%%'\"")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say how many rows it has."""
    from gtekit.index import open as open_index

    with open_index(arguments.index) as index:
        rows = index.export(arguments.output, arguments.where)
    if arguments.json:
        print_json({"output": arguments.output, "rows": rows})
    else:
        say(f"{count_text(rows, 'row')} in {arguments.output}")
    return ExitCode.OK
