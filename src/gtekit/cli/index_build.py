"""gtekit index build: files in, an index of their passages out, and again when they have changed."""

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.index_open import add_index_model_options, is_free, load_for
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, say
from gtekit.config import DEFAULT_MODEL
from gtekit.errors import ArgumentError, GtekitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtekit.index.build import BuildOptions, BuildReport

SUMMARY = "Index the passages of files, or bring an index up to date: only what has changed is embedded."
EXAMPLE = """\
  gtekit index build docs -o my.index
  gtekit index build docs notes/*.md paper.pdf -o my.index -m all-MiniLM-L6-v2
  gtekit index build articles.jsonl -o my.index --field body --id-field key
  gtekit index build s3://bucket/reports -o s3://bucket/reports.index

Files: txt, md, html, pdf, jsonl, csv, tsv and parquet, and .gz of those of text. Of tables each row is a document and
its other fields are kept to filter by. What can't be read is listed at the end and stops nothing.
A build that was stopped goes on where it was with the same command."""
FAILURES_SHOWN = 20
BACKENDS = ("lance", "exact")  # those of gtekit.index, which is imported by who builds


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "build", SUMMARY, EXAMPLE)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, patterns, s3://bucket/prefix")
    parser.add_argument("-o", "--output", required=True, metavar="INDEX", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--backend", choices=BACKENDS, help="of a new index (lance)")
    parser.add_argument(
        "--prune", action="store_true", help="take out documents of paths that are not named, or are gone or empty"
    )
    parser.add_argument(
        "--reread", action="store_true", help="read also files that have the size and the time that they had"
    )
    parser.add_argument("--no-optimize", dest="optimize", action="store_false", help="leave that for later")
    group = parser.add_argument_group("passages")
    group.add_argument(
        "--passage-tokens", type=int, metavar="N", help="the most tokens of a passage (as before, or 256)"
    )
    group.add_argument(
        "--overlap-tokens", type=int, metavar="N", help="that two passages share at most (as before, or an eighth)"
    )
    group = parser.add_argument_group("tables (jsonl, csv, tsv, parquet)")
    group.add_argument("--field", help="which field holds the texts (text, sentence, or the only one of strings)")
    group.add_argument("--id-field", metavar="FIELD", help="what rows are known by (id, _id, or the row's number)")
    group.add_argument("--delimiter", metavar="C", help="between the fields of csv, or the word tab (a comma)")
    add_index_model_options(parser, f"the one that built the index, or {DEFAULT_MODEL}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Build, and say what was done and what could not be read."""
    from gtekit.index.build import build_index

    options = _options(arguments)
    _check_paths(arguments.paths, arguments.output)
    model = load_for(arguments, arguments.output, may_be_new=True, backend=arguments.backend)
    try:
        report = build_index(arguments.paths, arguments.output, model, options)
    except GtekitError:
        raise
    except (Exception, KeyboardInterrupt):
        say("what was embedded so far is written; the same command goes on from there.")
        raise
    if arguments.json:
        print_json(asdict(report))
    else:
        _print(report)
    _say_notes(report)
    _say_failures(report)
    has_read = report.unchanged + report.added + report.changed
    return ExitCode.OK if report.is_whole and (has_read or not report.failures) else ExitCode.FAILED


def _check_paths(paths: list[str], output: str) -> None:
    """Find what is wrong before a model is loaded: paths that are not there, no files, files that nothing can read.

    Raises:
        ArgumentError: If there is nothing for a new index.
        MissingExtraError: If what reads a kind of file is not installed.
    """
    from gtekit.documents import check_readers, find_documents

    is_new = is_free(output)
    found = find_documents(paths, leave_out=[output], may_miss=not is_new or output.startswith("s3://"))
    check_readers(found.sources)
    if not (found.sources or found.failures or found.missing):
        text = f"{', '.join(paths)}: nothing to read was found{_of_other_kinds(found.passed_over)}."
        if is_new and not output.startswith("s3://"):
            raise ArgumentError(f"{text} No index was made.")
        say(f"warning: {text}")


def _of_other_kinds(passed_over: "Mapping[str, int]") -> str:
    if not passed_over:
        return ""
    kinds = ", ".join(f"{suffix or 'no suffix'} {count:,}" for suffix, count in [*passed_over.items()][:8])
    return f"; {count_text(sum(passed_over.values()), 'file')} of other kinds passed over ({kinds})"


def _options(arguments: argparse.Namespace) -> "BuildOptions":
    from gtekit.documents import ReadOptions
    from gtekit.documents.extract.table import TableOptions
    from gtekit.index.build import BuildOptions

    delimiter = "\t" if arguments.delimiter in ("tab", "\\t") else arguments.delimiter
    table = TableOptions(field=arguments.field, id_field=arguments.id_field, delimiter=delimiter)
    return BuildOptions(
        passage_tokens=arguments.passage_tokens,
        overlap_tokens=arguments.overlap_tokens,
        read=ReadOptions(table=table),
        backend=arguments.backend,
        prune=arguments.prune,
        reread=arguments.reread,
        optimize=arguments.optimize,
    )


def _print(report: "BuildReport") -> None:
    print(
        f"{count_text(report.documents, 'document')} in {report.location}: {report.added:,} added, "
        f"{report.changed:,} changed, {report.deleted:,} deleted, {report.unchanged:,} unchanged, "
        f"{len(report.failures):,} failed"
    )
    reused = f", {report.passages_reused:,} reused" if report.passages_reused else ""
    print(
        f"{count_text(report.passages, 'passage')} of at most {report.passage_tokens} tokens: "
        f"{report.passages_embedded:,} embedded{reused}, {report.passages_deleted:,} deleted; "
        f"{report.tokens_embedded:,} tokens in {report.seconds:,.1f} s"
    )
    if report.recall:
        print(
            f"approximate search finds {report.recall.recall:.1%} of the exact {report.recall.top_k}, measured with "
            f"{report.recall.queries:,} queries"
        )


def _say_notes(report: "BuildReport") -> None:
    """Tell on standard error what has become of the index beside what was asked."""
    if report.has_other_settings:
        say(f"passages have {report.passage_tokens} tokens now: all documents were cut and embedded again.")
    if report.repaired:
        say(f"{count_text(report.repaired, 'document')} of an interrupted build: made whole, or taken out.")
    if not report.is_whole:
        say("another process has changed rows of this index meanwhile. Build again, alone: that mends it.")
    for path in report.missing:
        say(f"{path}: is not there any more; its documents were taken out.")
    if report.passed_over:
        say(f"{_of_other_kinds(report.passed_over).lstrip('; ')}.")
    if report.of_other_paths:
        say(f"{count_text(report.of_other_paths, 'document')} of paths not named now stay; --prune takes them out.")


def _say_failures(report: "BuildReport") -> None:
    """Tell on standard error what could not be read, or not as it stands."""
    if report.guessed_encodings:
        first, encoding = next(iter(report.guessed_encodings.items()))
        say(f"{count_text(len(report.guessed_encodings), 'file')} not UTF-8, read as {encoding}, such as {first}.")
    for name, count in report.values_as_text.items():
        say(f"{count_text(count, 'value')} of field {name!r} of another type than those before, kept in {name}_text.")
    for name, count in report.dropped_values.items():
        say(f"{count_text(count, 'value')} of field {name!r} left out: there is another field of that name.")
    for failure in report.failures[:FAILURES_SHOWN]:
        print(f"  {failure.source}: {failure.reason}", file=sys.stderr)
    if len(report.failures) > FAILURES_SHOWN:
        say(f"{len(report.failures) - FAILURES_SHOWN:,} more could not be read; --json lists all.")
