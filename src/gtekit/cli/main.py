"""The `gtekit` program: finds the command, runs it, and turns errors into one message and an exit code."""

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from gtekit.cli import (
    bench,
    classify,
    cluster,
    dedupe,
    demo,
    doctor,
    embed,
    evaluate,
    explain,
    index,
    inspect,
    keys,
    models,
    pairs,
    pull,
    rerank,
    search,
    serve,
    similarity,
    summarize,
    system_errors,
    tune,
    verify,
)
from gtekit.cli.exit_codes import EXIT_CODES, ExitCode, exit_code_of
from gtekit.cli.wording import in_flags
from gtekit.errors import GtekitError, GtekitWarning
from gtekit.version import __version__

COMMANDS = (
    embed,
    similarity,
    index,
    search,
    dedupe,
    pairs,
    rerank,
    summarize,
    explain,
    classify,
    cluster,
    inspect,
    models,
    pull,
    doctor,
    verify,
    bench,
    tune,
    evaluate,
    serve,
    keys,
    demo,
)

EPILOG = f"""\
examples:
  gtekit demo
  gtekit similarity "how to implement quick sort in python?" "sorting algorithms" "Beijing"
  gtekit embed corpus.txt -o corpus.npy
  gtekit eval report --published
  zcat corpus.jsonl.gz | gtekit embed - --format jsonl -o corpus.parquet --keep all

The model is gte-small unless --model names another. Data goes to standard output, everything else to standard error.

exit codes:
{EXIT_CODES}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    _write_utf8()
    arguments = build_parser().parse_args(argv)
    if (text := _undecoded(arguments)) is not None:
        _say(
            f"{text[:60]!a}: is not text in the encoding of this locale ({sys.getfilesystemencoding()}). "
            f"Set PYTHONUTF8=1 or a UTF-8 locale, or give the text in a file."
        )
        return ExitCode.BAD_INPUT
    with warnings.catch_warnings():
        warnings.simplefilter("always", GtekitWarning)
        warnings.showwarning = _show_warning
        return _run(arguments)


def build_parser() -> argparse.ArgumentParser:
    """Describe every command and option."""
    parser = argparse.ArgumentParser(
        prog="gtekit",
        description="General Text Embeddings (GTE) on your own machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"gtekit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
        return code
    except GtekitError as error:
        if arguments.debug:
            raise
        _say(in_flags(str(error)))
        return exit_code_of(error)
    except BrokenPipeError:
        # what reads our output has enough (head): nothing to say, and nothing more to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except (OSError, MemoryError) as error:  # a full disk, a file without permission
        if arguments.debug:
            raise
        _say(system_errors.explain(error))
        return ExitCode.FAILED
    except KeyboardInterrupt:
        _say("interrupted.")
        return ExitCode.INTERRUPTED


def _undecoded(arguments: argparse.Namespace) -> str | None:
    """Give a text of the command line that Python could not decode. Names of files may have any bytes."""
    values = vars(arguments)
    many = values.get("texts")  # of gtekit demo it is their number
    for text in [*(many if isinstance(many, list) else ()), values.get("text"), values.get("prompt")]:
        if isinstance(text, str) and any("\ud800" <= char <= "\udfff" for char in text):
            return text
    return None


def _write_utf8() -> None:
    """Write data as UTF-8 wherever it goes to; a terminal of another encoding gets what it can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and (stream.encoding or "").lower() not in ("utf-8", "utf8"):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if issubclass(category, GtekitWarning):
        _say(f"warning: {in_flags(str(message))}")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


def _say(message: str) -> None:
    print(f"gtekit: {message}", file=sys.stderr)
