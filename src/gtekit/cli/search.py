"""gtekit search: the passages of an index that answer a query; without a query, one after the other."""

import argparse

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.index_open import add_index_model_options, load_for_open
from gtekit.cli.options import new_parser
from gtekit.cli.search_asked import Asked
from gtekit.cli.search_prompt import answer_lines
from gtekit.errors import ArgumentError

SUMMARY = "Find the passages of an index that answer a query, best first."
EXAMPLE = """\
  gtekit search my.index "how to read a file line by line"
  gtekit search my.index "license" -k 3 --where "source LIKE 'docs/%'"
  gtekit search my.index "error E1042" --mode hybrid --text-weight 0.7
  gtekit search my.index "start-up" --diversity 0.3 --json
  gtekit search my.index

Without a query it reads one a line, with the model kept loaded; :help lists what else can be typed, Ctrl-D ends.
Of queries that are piped in, one that fails is said (with --json in a line {"query", "error"}), and the exit code is 1.
The score is a cosine (vector), BM25 (text) or both put together (hybrid): larger is closer."""

MODES = ("vector", "text", "hybrid")  # those of gtekit.index, which is imported by who searches


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "search", SUMMARY, EXAMPLE.replace("%", "%%"))
    parser.add_argument("index", metavar="INDEX", help="as gtekit index build has made it")
    parser.add_argument("text", nargs="?", metavar="QUERY", help="what is looked for (asked for)")
    parser.add_argument("-k", "--top-k", type=int, default=10, metavar="K", help="how many passages (%(default)s)")
    parser.add_argument("--where", metavar="FILTER", help='only these, such as "page <= 3 AND title IS NOT NULL"')
    parser.add_argument("--mode", choices=MODES, default="vector", help="by meaning, by words, or both (%(default)s)")
    parser.add_argument(
        "--text-weight", type=float, default=0.5, metavar="W", help="what words count in hybrid, 0 to 1 (%(default)s)"
    )
    parser.add_argument(
        "--diversity",
        type=float,
        default=0.0,
        metavar="D",
        help="make room for what is different, 0 to 1 (%(default)s)",
    )
    parser.add_argument(
        "--full", action="store_true", help="show passages whole, not the part around the best sentence"
    )
    parser.add_argument("--version", metavar="V", help="search a former state: its number or tag")
    add_index_model_options(parser, "the one that built the index")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Search once, or until there are no more queries."""
    from gtekit.index import open as open_index

    if arguments.text is not None and not arguments.text.strip():
        raise ArgumentError("QUERY is empty: nothing is looked for. Leave it out to be asked, or to pipe queries in.")
    asked = Asked(
        top_k=arguments.top_k,
        mode=arguments.mode,
        where=arguments.where,
        text_weight=arguments.text_weight,
        diversity=arguments.diversity,
        is_full=arguments.full,
        is_json=arguments.json,
        is_one_line=arguments.text is None,
    )
    with open_index(arguments.index) as opened:
        index = opened if arguments.version is None else opened.checkout(_version(arguments.version))
        asked.check(index)
        model = load_for_open(arguments, index)
        index.model = model
        if arguments.text is None:
            return ExitCode.FAILED if answer_lines(index, model, asked) else ExitCode.OK
        asked.answer(index, model, arguments.text)
    return ExitCode.OK


def _version(text: str) -> int | str:
    return int(text) if text.isdigit() else text
