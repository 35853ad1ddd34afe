"""gtekit explain: which words made a match."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.inspect import read_standard_input
from gtekit.cli.options import add_model_options, load_model, new_parser
from gtekit.cli.printing import print_json, print_table, say

if TYPE_CHECKING:
    from gtekit.tasks import Explanation
    from gtekit.tasks.explain import Side

SUMMARY = "Show which words made a query and a document match: what each adds to their cosine."
EXAMPLE = """\
  gtekit explain "quick sort in python" "Sorting algorithms in Python: quicksort picks a pivot."
  gtekit explain "quick sort in python" - --html page.html < document.txt
  gtekit explain "quick sort in python" "Beijing is in China" --json

What words, special tokens and prompts add is the whole cosine: nothing is left over. Only for models with mean pooling,
as GTE's. A document of - is read from standard input."""
BLUES = ("", "195", "153", "117", "75", "39")  # of the 256 colours of a terminal, the more a word adds
REDS = ("", "224", "217", "210", "203", "203")  # for what takes away


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "explain", SUMMARY, EXAMPLE)
    parser.add_argument("text", metavar="QUERY", help="one text")
    parser.add_argument("document", metavar="DOCUMENT", help="another; - reads standard input")
    parser.add_argument("--html", type=Path, metavar="PAGE", help="write a page with the words coloured")
    parser.add_argument("-k", "--top-k", type=int, default=10, metavar="K", help="words to list (%(default)s)")
    parser.add_argument(
        "--on-truncation",
        choices=("warn", "error", "ignore"),
        default="warn",
        help="what happens to a text that is too long (%(default)s)",
    )
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what the words add, and write the page that was asked for."""
    from gtekit.files import check_writable
    from gtekit.inputs import check_count
    from gtekit.tasks import explain

    check_count("top_k", arguments.top_k)
    if arguments.html is not None:
        check_writable(arguments.html)
    document = read_standard_input() if arguments.document == "-" else arguments.document
    explanation = explain(load_model(arguments), arguments.text, document, on_truncation=arguments.on_truncation)
    if arguments.html is not None:
        explanation.write_html(arguments.html)
    if arguments.json:
        print_json(explanation.to_dict())
    else:
        _print(explanation, arguments.top_k)
    if arguments.html is not None:
        say(f"wrote {arguments.html}.")
    return ExitCode.OK


def _print(explanation: "Explanation", top_k: int) -> None:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        print(f"{_coloured(explanation.query)}\n{_coloured(explanation.document)}\n")
    matrix = explanation.matrix
    queries, documents = explanation.query.parts, explanation.document.parts
    words = [place for place, part in enumerate(documents) if part.kind == "word"]
    asked = [place for place, part in enumerate(queries) if part.kind == "word"]
    rows = [("adds", "word of the document", "most with", "characters")]
    for place in sorted(words, key=lambda place: -documents[place].contribution)[:top_k]:
        part = documents[place]
        nearest = queries[max(asked, key=lambda row: matrix[row, place])].text if asked else ""
        rows.append((f"{part.contribution:+.4f}", part.text, nearest, f"{part.start}-{part.end}"))
    if left_out := sorted(words, key=lambda place: -documents[place].contribution)[top_k:]:
        rest = sum(documents[place].contribution for place in left_out)
        rows.append((f"{rest:+.4f}", f"({len(left_out):,} more words)", "", ""))
    rows.append((f"{explanation.document.rest:+.4f}", f"({_others(explanation.document)})", "", ""))
    rows.append((f"{explanation.score:+.4f}", "cosine", "", ""))
    print_table(rows, right=(0,))


def _others(side: "Side") -> str:
    return ", ".join(part.text.strip() for part in side.parts if part.kind != "word")


def _coloured(side: "Side") -> str:
    """Give the text with its words on colours, the stronger the more a word adds."""
    peak = max((abs(part.contribution) for part in side.words), default=0.0)
    pieces = []
    at = 0
    for part in side.words:
        start, end = max(part.start or 0, at), max(part.end or 0, at)
        level = round(abs(part.contribution) / peak * (len(BLUES) - 1)) if peak else 0
        colour = (BLUES if part.contribution >= 0 else REDS)[level]
        word = side.text[start:end]
        pieces += [side.text[at:start], f"\x1b[48;5;{colour};38;5;16m{word}\x1b[0m" if colour else word]
        at = end
    if side.cut_at is None:
        return "".join([*pieces, side.text[at:]])
    return "".join([*pieces, " ..."])
