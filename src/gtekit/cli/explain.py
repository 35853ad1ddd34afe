"""gtekit explain: which words made a match."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.inspect import read_standard_input
from gtekit.cli.options import add_model_options, load_model, new_parser
from gtekit.cli.pairs_file import TextPair, read_text_pairs, split_columns
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.cli.task_files import add_output, check_output, check_targets, refuse_json_with_rows, write_records
from gtekit.errors import ArgumentError
from gtekit.progress import Progress

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.tasks import Explanation
    from gtekit.tasks.explain import Side

SUMMARY = "Show which words made a query and a document match: what each adds to their cosine."
EXAMPLE = """\
  gtekit explain "quick sort in python" "Sorting algorithms in Python: quicksort picks a pivot."
  gtekit explain "quick sort in python" - --html page.html < document.txt
  gtekit explain "quick sort in python" "Beijing is in China" --json
  gtekit explain --file pairs.csv -o explained.jsonl

What words, special tokens and prompts add is the whole cosine: nothing is left over. Only for models with mean pooling,
as GTE's. A document of - is read from standard input. Files have two columns of texts, such as query and document; each
pair becomes a line of JSON."""
TOP_K = 10
BLUES = ("", "195", "153", "117", "75", "39")  # of the 256 colours of a terminal, the more a word adds
REDS = ("", "224", "217", "210", "203", "203")  # for what takes away


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "explain", SUMMARY, EXAMPLE)
    parser.add_argument("text", nargs="?", metavar="QUERY", help="one text")
    parser.add_argument("document", nargs="?", metavar="DOCUMENT", help="another; - reads standard input")
    parser.add_argument("--html", type=Path, metavar="PAGE", help="write a page with the words coloured")
    parser.add_argument("-k", "--top-k", type=int, metavar="K", help=f"words to list ({TOP_K})")
    group = parser.add_argument_group("many pairs")
    group.add_argument(
        "--file", type=Path, metavar="FILE", help="of pairs, in place of both texts: .csv, .tsv, .jsonl or .parquet"
    )
    group.add_argument("--columns", metavar="NAMES", help="its two columns, with a comma between (known names)")
    add_output(group)
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
    from gtekit.inputs import check_count
    from gtekit.tasks import explain

    if arguments.file is not None:
        return _explain_file(arguments)
    _refuse({"--columns": arguments.columns is not None, "-o": arguments.output != "-"}, "is for --file")
    if arguments.text is None or arguments.document is None:
        raise ArgumentError("two texts are needed, QUERY and DOCUMENT; or name a file of pairs: --file FILE.")
    top_k = TOP_K if arguments.top_k is None else arguments.top_k
    check_count("top_k", top_k)
    check_targets(arguments, "html")
    document = read_standard_input() if arguments.document == "-" else arguments.document
    explanation = explain(load_model(arguments), arguments.text, document, on_truncation=arguments.on_truncation)
    if arguments.html is not None:
        explanation.write_html(arguments.html)
    if arguments.json:
        print_json(explanation.to_dict())
    else:
        _print(explanation, top_k)
    if arguments.html is not None:
        say(f"wrote {arguments.html}.")
    return ExitCode.OK


def _explain_file(arguments: argparse.Namespace) -> int:
    given = {
        "QUERY": arguments.text is not None,
        "--html": arguments.html is not None,
        "-k": arguments.top_k is not None,
    }
    _refuse(given, "is for one pair, not for --file")
    check_output(arguments)
    refuse_json_with_rows(arguments)
    columns = split_columns(arguments.columns, ("query", "document"))
    pairs = list(read_text_pairs(arguments.file, columns))
    model = load_model(arguments)
    write_records(arguments, _explained(arguments, model, pairs))
    if arguments.output != "-":
        if arguments.json:
            print_json({"model": model.name, "pairs": len(pairs), "output": arguments.output})
        say(f"{arguments.output}: {count_text(len(pairs), 'pair')} explained.")
    return ExitCode.OK


def _explained(arguments: argparse.Namespace, model: "Embedder", pairs: list[TextPair]) -> Iterator[dict[str, Any]]:
    from gtekit.tasks import explain

    tokens = 0
    with Progress(len(pairs)) as progress:
        for done, pair in enumerate(pairs, start=1):
            yield explain(model, pair.left, pair.right, on_truncation=arguments.on_truncation).to_dict()
            tokens += sum(model.count_tokens([pair.left, pair.right]))
            progress.update(done, tokens)


def _refuse(given: dict[str, bool], reason: str) -> None:
    for option, is_given in given.items():
        if is_given:
            raise ArgumentError(f"{option} {reason}; leave it out.")


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
