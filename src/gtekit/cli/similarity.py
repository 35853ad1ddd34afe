"""gtekit similarity: how alike texts are."""

import argparse
import heapq
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import islice, tee
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import (
    FILE_HELP,
    add_encode_options,
    add_input_options,
    add_model_options,
    encode_keywords,
    first_prompt,
    load_model,
    new_parser,
)
from gtekit.cli.printing import print_json, print_table
from gtekit.config import EncodeKeywords
from gtekit.errors import ArgumentError, GtekitWarning
from gtekit.notices import warn_caller

if TYPE_CHECKING:
    from gtekit.arrays import Floats
    from gtekit.embedder import Embedder
    from gtekit.files import Rows

SUMMARY = "Say how alike texts are: their cosines, -1 to 1, larger is closer."
EXAMPLE = """\
  gtekit similarity "That is a happy person" "That is a very happy person"
  gtekit similarity "how to implement quick sort in python?" "Beijing" "sorting algorithms"
  gtekit similarity "sorting algorithms" --file corpus.txt --top-k 5
  gtekit similarity --matrix "one text" "another" "a third"

Two texts give one number. A text and several others, or a file, give the others ranked by their likeness to the
first, which is embedded with the model's query prompt and the others with its document prompt, where it has them."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "similarity", SUMMARY, EXAMPLE)
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="the query, and what it is compared with")
    parser.add_argument("--matrix", action="store_true", help="compare every text with every other")
    files = parser.add_argument_group("a file of texts to compare with")
    files.add_argument("--file", metavar="FILE", help=FILE_HELP)
    add_input_options(files)
    files.add_argument("--top-k", type=int, default=10, metavar="K", help="how many to show (%(default)s)")
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a number, a ranking or a matrix."""
    texts = arguments.texts
    if len(texts) < 2 and not arguments.file:
        raise ArgumentError("one text has nothing to be compared with: give a second one, or --file FILE.")
    if arguments.file and (arguments.matrix or len(texts) > 1):
        raise ArgumentError("--file takes one text to compare the file with, and no --matrix.")
    if arguments.top_k < 1:
        raise ArgumentError(f"--top-k {arguments.top_k} is not possible; choose a whole number, 1 or more.")
    if arguments.file:
        _check_file(arguments)
    model = load_model(arguments)
    keywords = encode_keywords(arguments, model)
    if arguments.matrix:
        return _matrix(model, texts, keywords, as_json=arguments.json)
    if len(texts) == 2 and not arguments.file:
        return _pair(model, texts, keywords, as_json=arguments.json)
    if arguments.file:
        ranked = _rank_file(model, texts[0], arguments, keywords)
    else:
        scores = model.similarity(_query(model, texts[0], keywords), model.encode_document(texts[1:], **keywords))[0]
        ranked = sorted(zip(map(float, scores), range(1, len(texts)), texts[1:], strict=True), key=_best_first)
    if arguments.json:
        found = [{"score": round(score, 6), "number": number, "text": text} for score, number, text in ranked]
        print_json({"model": model.name, "query": texts[0], "results": found})
    else:
        for score, _, text in ranked:
            print(f"{score:.4f}\t{text}")
    return ExitCode.OK


def _best_first(entry: tuple[float, int, str]) -> tuple[float, int]:
    return -entry[0], entry[1]


def _query(model: "Embedder", text: str, keywords: EncodeKeywords) -> "Floats":
    return model.encode_query([text], **keywords)


def _open_file(arguments: argparse.Namespace) -> "AbstractContextManager[Rows]":
    from gtekit.files import input_format, open_rows

    path = None if arguments.file == "-" else Path(arguments.file)
    return open_rows(
        path,
        input_format(path, arguments.format),
        field=arguments.field,
        keep="none",
        delimiter=arguments.delimiter,
        is_named=path is not None or arguments.format is not None,
    )


def _check_file(arguments: argparse.Namespace) -> None:
    """Make sure of what can be known before a model is loaded: that the file is there and has the fields."""
    opened = _open_file(arguments)
    path = Path(arguments.file)
    if arguments.file != "-" and (path.is_file() or not path.exists()):  # a pipe can be read only once
        with opened as rows:
            rows.check_first()


def _rank_file(
    model: "Embedder", query: str, arguments: argparse.Namespace, keywords: EncodeKeywords
) -> list[tuple[float, int, str]]:
    wanted = _query(model, query, keywords)
    with _open_file(arguments) as rows:
        if rows.guess:
            warn_caller(rows.guess, GtekitWarning)
        scored = _scored(model, ((row.number, row.text) for row in rows.rows), wanted, keywords)
        return heapq.nsmallest(arguments.top_k, scored, key=_best_first)


def _scored(
    model: "Embedder", texts: Iterator[tuple[int, str]], query: "Floats", keywords: EncodeKeywords
) -> Iterator[tuple[float, int, str]]:
    from gtekit.inputs import DOCUMENT_PROMPTS

    to_embed, to_show = tee(texts)  # what the stream reads ahead waits in the tee: a few thousand texts
    if "prompt" not in keywords and "prompt_name" not in keywords:
        keywords = {**keywords, "prompt_name": first_prompt(model, DOCUMENT_PROMPTS)}
    for embeddings in model.encode_stream((text for _, text in to_embed), **keywords):
        scores = model.similarity(query, embeddings)[0]
        for score, (number, text) in zip(map(float, scores), islice(to_show, len(scores)), strict=True):
            yield score, number, text


def _pair(model: "Embedder", texts: list[str], keywords: EncodeKeywords, *, as_json: bool) -> int:
    embeddings = model.encode(texts, **keywords)
    score = float(model.similarity(embeddings[:1], embeddings[1:])[0, 0])
    if as_json:
        print_json({"model": model.name, "texts": texts, "score": round(score, 6)})
    else:
        print(f"{score:.4f}")
    return ExitCode.OK


def _matrix(model: "Embedder", texts: list[str], keywords: EncodeKeywords, *, as_json: bool) -> int:
    embeddings = model.encode(texts, **keywords)
    cosines = model.similarity(embeddings, embeddings)
    if as_json:
        rounded = [[round(float(value), 6) for value in row] for row in cosines]
        print_json({"model": model.name, "texts": texts, "scores": rounded})
        return ExitCode.OK
    heading = ["", *map(str, range(1, len(texts) + 1)), "text"]
    rows = [
        [str(number), *(f"{value:.4f}" for value in row), text]
        for number, (row, text) in enumerate(zip(cosines, texts, strict=True), start=1)
    ]
    print_table([heading, *rows], right=range(len(texts) + 1))
    return ExitCode.OK
