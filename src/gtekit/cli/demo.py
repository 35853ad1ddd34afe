"""gtekit demo: the docstrings of the Python standard library, searched by meaning."""

import argparse
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.demo import Demo
    from gtekit.embedder import Embedder

SUMMARY = "Embed the docstrings of the Python standard library and answer questions about them."
SLOW_S = 2.0  # between two words about the reading
EXAMPLE = """\
  gtekit demo
  gtekit demo --model ./my-model --picture my-model.svg

Runs gte-small where the cache or the hub has it, and otherwise says so and takes all-MiniLM-L6-v2 from PyPI."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "demo", SUMMARY, EXAMPLE)
    parser.add_argument("-m", "--model", metavar="MODEL", help="a short name, a hub id or a folder (gte-small)")
    parser.add_argument("--cache-folder", type=Path, metavar="FOLDER", help="stands in for the Hugging Face cache")
    parser.add_argument("--local-files-only", action="store_true", help="never ask the hub")
    parser.add_argument("--threads", type=int, metavar="N", help="the most threads to use (as many as allowed)")
    parser.add_argument("--texts", type=int, metavar="N", help="take only N of the docstrings, from all over (all)")
    parser.add_argument(
        "--picture", type=Path, default=Path("gtekit-demo.svg"), metavar="FILE", help="where it goes (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print it."""
    from gtekit.demo import draw, search, standard_library_docstrings
    from gtekit.files import check_writable

    if not arguments.picture.resolve().parent.is_dir():
        raise ArgumentError(f"--picture {arguments.picture}: there is no such folder. Create it first.")
    if arguments.picture.is_dir():
        raise ArgumentError(f"--picture {arguments.picture}: is a folder. Name a file in it.")
    if arguments.texts is not None and arguments.texts < 1:
        raise ArgumentError(f"--texts {arguments.texts} is not possible; choose a whole number, 1 or more.")
    check_writable(arguments.picture.resolve())
    model = _model(arguments)
    say(f"reading the docstrings of Python {platform.python_version()}")
    docstrings = standard_library_docstrings(_Reading().take)
    if arguments.texts:
        docstrings = docstrings[:: max(1, len(docstrings) // max(arguments.texts, 1))][: arguments.texts]
    threads = count_text(model.threads, "thread")
    say(f"embedding {len(docstrings):,} of them with {model.name} ({model.isa}, {threads})")
    demo = search(model, docstrings, progress=True)
    arguments.picture.write_text(draw(demo), encoding="utf-8")
    if arguments.json:
        print_json(_as_json(demo, arguments.picture))
    else:
        _print(demo)
        print(f"\npicture: {arguments.picture.resolve()}")
    return ExitCode.OK


class _Reading:
    """Says now and then how much is read, where that takes long: a slow disk, a machine at work."""

    def __init__(self) -> None:
        self._next = time.monotonic() + SLOW_S

    def take(self, share: float) -> None:
        """Take the share of files that are read."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SLOW_S
            say(f"{share:.0%} of the files are read")


def _model(arguments: argparse.Namespace) -> "Embedder":
    from gtekit.demo import choose_model
    from gtekit.embedder import load

    where = {"cache_folder": arguments.cache_folder, "local_files_only": arguments.local_files_only}
    if arguments.model is not None:
        return load(arguments.model, threads=arguments.threads, **where)
    return choose_model(say, threads=arguments.threads, **where)


def _print(demo: "Demo") -> None:
    from gtekit.demo import PAGE_TEXTS

    print(
        f"{demo.model.name}: {len(demo.docstrings):,} docstrings in {demo.seconds:.1f} s, "
        f"{demo.texts_per_s:,.0f} texts/s, {demo.tokens / demo.seconds:,.0f} tokens/s"
    )
    for answer in demo.answers:
        print(f"\n{answer.question}")
        for name, text, score in zip(answer.names, answer.texts, answer.scores, strict=True):
            line = f"  {score:.3f}  {name}  {text}"
            print(line if len(line) <= 118 else f"{line[:117]}…")
    print("\ncosine × 100")
    heading = ["", *map(str, range(1, len(PAGE_TEXTS) + 1)), ""]
    rows = [
        [str(number), *(f"{value * 100:.1f}" for value in row), text]
        for number, (row, text) in enumerate(zip(demo.cosines, PAGE_TEXTS, strict=True), start=1)
    ]
    print_table([heading, *rows], right=range(len(PAGE_TEXTS) + 1))


def _as_json(demo: "Demo", picture: Path) -> dict[str, object]:
    from gtekit.demo import PAGE_TEXTS

    return {
        "model": demo.model.name,
        "revision": demo.model.revision,
        "texts": len(demo.docstrings),
        "tokens": demo.tokens,
        "seconds": round(demo.seconds, 3),
        "texts_per_s": round(demo.texts_per_s, 1),
        "answers": [
            {
                "question": answer.question,
                "results": [
                    {"name": name, "text": text, "score": round(score, 6)}
                    for name, text, score in zip(answer.names, answer.texts, answer.scores, strict=True)
                ],
            }
            for answer in demo.answers
        ],
        "page_texts": PAGE_TEXTS,
        "page_scores": [[round(float(value), 6) for value in row] for row in demo.cosines],
        "picture": picture.resolve(),
    }
