"""gtekit eval report: measured scores beside published ones, as tables here and as files with plots."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import print_json, say
from gtekit.errors import ArgumentError, FileFormatError

if TYPE_CHECKING:
    from gtekit.evaluation.results import ResultStore, TaskScore

SUMMARY = "Show measured scores beside published ones, and write them as Markdown, CSV, JSON and an HTML page."
EXAMPLE = """\
  gtekit eval report
  gtekit eval report -o report --models all-MiniLM-L6-v2
  gtekit eval report --published

Averages over fewer tasks than the page has are never shown as if they were all; beside each stands what is published
over the same tasks. With -o or --json, int8 is compared with float32 as well, which takes a minute for large tasks."""

RESULTS = Path("eval-results")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "report", SUMMARY, EXAMPLE)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--results", type=Path, default=RESULTS, metavar="FOLDER", help="where the scores are (%(default)s)"
    )
    group.add_argument("--published", action="store_true", help="show the published table alone; needs no scores")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="write report.md, .csv, .json and .html into this folder"
    )
    parser.add_argument(
        "--models",
        metavar="A,B",
        help="only these: names as the report has them, or of models for all their ways to run",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Read the scores, print the tables, write the files."""
    if arguments.published:
        return _run_published(arguments)

    from gtekit.evaluation.report import build_report, json_value, table_lines, write_report
    from gtekit.evaluation.results import ResultStore

    if arguments.output is not None:
        _check_output(arguments.output)
    store = ResultStore(arguments.results)
    scores = _choose(store, arguments.models)
    is_whole = arguments.output is not None or arguments.json
    report = build_report(scores, store, with_precisions=is_whole, say=say)
    written = write_report(report, arguments.output) if arguments.output is not None else []
    if arguments.json:
        print_json({**json_value(report), "written": written})
        return ExitCode.OK
    for line in table_lines(report):
        print(line)
    print()
    if written:
        print(f"written: {', '.join(str(path) for path in written)}")
    else:
        print("Settings, int8 against float32, speed, plots and sources: -o FOLDER writes them.")
    return ExitCode.OK


def _run_published(arguments: argparse.Namespace) -> int:
    from gtekit.evaluation.report import published_table_lines, published_value

    for option in ("output", "models"):
        if getattr(arguments, option) is not None:
            raise ArgumentError(f"--published shows what others published; --{option} has no place with it.")
    if arguments.json:
        print_json(published_value())
    else:
        for line in published_table_lines():
            print(line)
    return ExitCode.OK


def _choose(store: "ResultStore", models: str | None) -> "list[TaskScore]":
    from gtekit.evaluation.report import choose_models

    scores = store.scores()
    if models is None:
        return scores
    names = [name.strip() for name in models.split(",") if name.strip()]
    if not names:
        raise ArgumentError(f"--models {models!r}: names no model. Give names with commas between them.")
    return choose_models(scores, names)


def _check_output(folder: Path) -> None:
    """Refuse before a minute of work what could not be written after it."""
    from gtekit.files import check_writable

    whole = folder.resolve()
    there = next(place for place in (whole, *whole.parents) if place.exists())
    if not there.is_dir():
        raise FileFormatError(
            f"--output {folder}: {there} is a file, and a folder is needed there. Name another place."
        )
    check_writable(there / "report.html")
