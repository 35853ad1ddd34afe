"""gtekit summarize: the sentences that say most of a text."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_input_options, add_model_options, load_model, new_parser, read_keep
from gtekit.cli.printing import count_text, one_line, print_json, say
from gtekit.cli.task_files import add_output, check_output, check_own_fields, read_rows, row_place, write_records
from gtekit.errors import ArgumentError, FileFormatError
from gtekit.progress import Progress

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.files import Row
    from gtekit.tasks import Summary

SUMMARY = "Give the sentences that say most of a text, in their order."
EXAMPLE = """\
  gtekit summarize report.txt
  gtekit summarize report.md --sentences 5 --query "what does it cost?"
  gtekit summarize articles.jsonl --field body --sentences 0.2 --keep id -o summaries.jsonl
  pdftotext paper.pdf - | gtekit summarize - --tokens 200 --json

A .txt or .md file, and standard input, is one text; of .jsonl, .csv, .tsv and .parquet each row is one. No sentence is
rewritten. Texts of any length are read whole. Summaries of rows have the number of their line and what --keep names."""
OWN_FIELDS = ("number", "text", "total_sentences", "total_characters", "sentences")
WHOLE_SUFFIXES = (".txt", ".text", ".md", ".markdown")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "summarize", SUMMARY, EXAMPLE)
    parser.add_argument(
        "file",
        metavar="FILE",
        help=".txt or .md, one text; .jsonl, .csv, .tsv or .parquet, a text a row; - reads a text",
    )
    add_input_options(parser.add_argument_group("the file"))
    add_output(parser)
    group = parser.add_argument_group("the summary")
    group.add_argument(
        "--sentences",
        type=_count_or_share,
        metavar="N",
        help="how many; below 1, the share of all (3, or what --tokens lets in)",
    )
    group.add_argument("--tokens", type=int, metavar="N", help="the most tokens in all")
    group.add_argument("--query", dest="text", metavar="TEXT", help="what the summary is to be about")
    group.add_argument(
        "--diversity",
        type=float,
        default=0.3,
        metavar="X",
        help="0 to 1: the more, the less sentences repeat each other (%(default)g)",
    )
    group.add_argument(
        "--keep",
        default="none",
        metavar="FIELDS",
        help="fields of rows that travel along: text, all, none, or names with commas (%(default)s)",
    )
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Summarize the text, or each of the rows."""
    from gtekit.tasks.summarize import check_length

    check_length(arguments.sentences, arguments.tokens)
    _check(arguments)
    is_whole = _is_whole(arguments)
    rows = [] if is_whole else _read_rows(arguments)
    texts = [_read_whole(arguments)] if is_whole else [row.text for row in rows]
    model = load_model(arguments)
    summaries = _summarize(model, texts, arguments)
    records = [summary.to_dict() for summary in summaries]
    if not is_whole:
        records = [{"number": row.number, **row.kept, **record} for row, record in zip(rows, records, strict=True)]
    if arguments.output != "-":
        write_records(arguments, records)
        if arguments.json:
            print_json({"model": model.name, "texts": len(records), "output": arguments.output})
        say(f"{arguments.output}: {count_text(len(records), 'text')} summarized.")
    elif arguments.json:
        print_json({"model": model.name, **records[0]} if is_whole else {"model": model.name, "summaries": records})
    elif is_whole:
        for sentence in summaries[0].sentences:
            print(one_line(sentence.text))
    else:
        for row, summary in zip(rows, summaries, strict=True):
            print(f"{row.number}\t{one_line(summary.text)}")
    _say_empty(arguments, summaries)
    return ExitCode.OK


def _check(arguments: argparse.Namespace) -> None:
    from gtekit.tasks.mmr import check_diversity

    check_diversity(arguments.diversity)
    check_output(arguments)


def _count_or_share(text: str) -> int | float:
    try:
        return float(text) if any(char in text for char in ".eE") else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number; choose how many, such as 3, or a share, such as 0.2."
        ) from None


def _read_rows(arguments: argparse.Namespace) -> "list[Row]":
    rows = read_rows(arguments, keep=read_keep(arguments.keep))
    for row in rows:
        check_own_fields(row_place(arguments, row), row.kept, OWN_FIELDS)
    return rows


def _is_whole(arguments: argparse.Namespace) -> bool:
    """Whether the file is one text, not a table of texts."""
    from gtekit.files import input_format

    path = None if arguments.file == "-" else Path(arguments.file)
    is_named = arguments.format is None and path is not None and path.suffix.lower() in WHOLE_SUFFIXES
    is_whole = is_named or input_format(path, arguments.format) == "txt"
    for name in ("field", "delimiter"):
        if is_whole and getattr(arguments, name) is not None:
            raise ArgumentError(
                f"{arguments.file}: is one text, which has no --{name}; for rows say --format jsonl or csv."
            )
    if is_whole and arguments.keep != "none":
        raise ArgumentError(f"{arguments.file}: is one text, which has no fields to --keep; leave it out.")
    return is_whole


def _read_whole(arguments: argparse.Namespace) -> str:
    from gtekit.files import decode_text

    name = "standard input" if arguments.file == "-" else arguments.file
    try:
        data = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
    except OSError as error:
        raise FileFormatError(f"{name}: can't be read ({error.strerror}). Is the path right?") from None
    text = decode_text(data, name)
    if not text.strip():
        raise FileFormatError(f"{name}: holds no text. Name another file.")
    return text


def _summarize(model: "Embedder", texts: Sequence[str], arguments: argparse.Namespace) -> "list[Summary]":
    from gtekit.tasks import summarize

    found: list[Summary] = []
    tokens = 0
    with Progress(len(texts), show=None if len(texts) > 1 else False) as progress:
        for text in texts:
            found.append(
                summarize(
                    model,
                    text,
                    sentences=arguments.sentences,
                    tokens=arguments.tokens,
                    query=arguments.text,
                    diversity=arguments.diversity,
                    progress=None if len(texts) == 1 else False,
                )
            )
            tokens += model.count_tokens([text])[0] if len(texts) > 1 else 0
            progress.update(len(found), tokens)
    return found


def _say_empty(arguments: argparse.Namespace, summaries: "Sequence[Summary]") -> None:
    empty = sum(not summary.sentences for summary in summaries)
    if empty:
        which = (
            "the summary is empty" if len(summaries) == 1 else f"{empty:,} of {len(summaries):,} summaries are empty"
        )
        say(f"{which}: no sentence fits into --tokens {arguments.tokens}. Let in more.")
