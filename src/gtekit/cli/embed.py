"""gtekit embed: a file of texts becomes a file of vectors."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import (
    FILE_HELP,
    add_encode_options,
    add_input_options,
    add_model_options,
    encode_keywords,
    load_model,
    new_parser,
    read_keep,
)
from gtekit.cli.printing import count_text, print_json
from gtekit.cli.system_errors import explain
from gtekit.errors import FileFormatError, GtekitError

if TYPE_CHECKING:
    from gtekit.bulk import EmbedSummary
    from gtekit.embedder import Embedder

SUMMARY = "Embed a file of texts."
EXAMPLE = """\
  gtekit embed corpus.txt -o corpus.npy                       a line is a text
  gtekit embed corpus.csv --field body -o corpus.parquet --keep id,body
  gtekit embed corpus.jsonl -o corpus.npy --dtype int8        scales go to corpus.scales.npy
  echo "sorting algorithms" | gtekit embed - -o -             JSON lines on standard output
  zcat corpus.jsonl.gz | gtekit embed - --format jsonl        JSON lines in and out

The output appears when it is complete and not before. Until then the work is in OUT.partial: a job that was killed
or met a bad row goes on from there when the same command is run again, and its output has the same bytes as that of
a job that was never interrupted. (It needs room on the disk for the vectors twice.)"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "embed", SUMMARY, EXAMPLE)
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument(
        "-o", "--output", default="-", metavar="OUT", help=".npy, .parquet or .jsonl; - writes JSON lines"
    )
    files = parser.add_argument_group("files")
    add_input_options(files)
    files.add_argument("--output-format", metavar="FORMAT", help="of the output: npy, jsonl, parquet (by its name)")
    files.add_argument(
        "--keep",
        metavar="FIELDS",
        help="fields that travel to a jsonl or parquet output: text, all, none, or names with commas (text)",
    )
    files.add_argument(
        "--dtype",
        choices=("float32", "float16", "int8", "bits"),
        default="float32",
        help="numbers of the output; int8 has a scale per vector, bits is the signs, packed (%(default)s)",
    )
    files.add_argument("--restart", action="store_true", help="forget what an interrupted run of this job has done")
    files.add_argument(
        "--block-rows", type=int, default=2048, metavar="N", help="save after so many texts (%(default)s)"
    )
    files.add_argument(
        "--progress", action=argparse.BooleanOptionalAction, help="a progress line on standard error (on a terminal)"
    )
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Embed the file and say what was done."""
    from gtekit.bulk import FileOptions, check_files, embed_file
    from gtekit.files import input_format, output_format

    source = None if arguments.file == "-" else Path(arguments.file)
    target = None if arguments.output == "-" else Path(arguments.output).resolve()  # a link: what it points to
    options = FileOptions(
        input_format=input_format(source, arguments.format),
        is_format_named=source is not None or arguments.format is not None,
        output_format=output_format(target, arguments.output_format),
        field=arguments.field,
        delimiter=arguments.delimiter,
        keep=None if arguments.keep is None else read_keep(arguments.keep),
        dtype=arguments.dtype,
        block_rows=arguments.block_rows,
        restart=arguments.restart,
    )
    check_files(source, target, options)
    if target is None and options.output_format != "jsonl" and sys.stdout.isatty():
        raise FileFormatError(f"{options.output_format} is nothing for a terminal. Write to a file with -o.")
    model = load_model(arguments)
    keywords = encode_keywords(arguments, model)
    keywords["progress"] = arguments.progress
    try:
        summary = embed_file(model, source, target, options, keywords)
    except KeyboardInterrupt:
        if kept := _kept_work(target):
            print(f"gtekit: {kept}", file=sys.stderr)
        raise
    except OSError as error:
        if arguments.debug or isinstance(error, GtekitError | BrokenPipeError):
            raise
        file = error.filename if error.filename == str(source) else target or "standard output"
        raise OSError(" ".join(filter(None, (explain(error, file), _kept_work(target))))) from error
    _report(summary, model, arguments)
    return ExitCode.OK


def _report(summary: "EmbedSummary", model: "Embedder", arguments: argparse.Namespace) -> None:
    """Say what was done on standard error, and with --json on standard output."""
    if summary.blank:
        verb = "is" if summary.blank == 1 else "are"
        print(
            f"gtekit: {summary.blank:,} of {count_text(summary.texts, 'line')} {verb} blank: an empty text has a "
            f"vector too, and keeps its row.",
            file=sys.stderr,
        )
    again = f", {summary.reused:,} of them from an interrupted run" if summary.reused else ""
    rate = f"{(summary.texts - summary.reused) / max(summary.seconds, 1e-9):,.0f} texts/s"
    where = " and ".join(map(str, summary.outputs)) or "standard output"
    print(
        f"gtekit: {count_text(summary.texts, 'text')}{again}, {summary.dimension} dimensions, {arguments.dtype}, "
        f"{summary.seconds:.1f} s ({rate}) -> {where}",
        file=sys.stderr,
    )
    if arguments.json and summary.outputs:  # standard output has the vectors otherwise, in JSON already
        print_json(
            {
                "texts": summary.texts,
                "reused": summary.reused,
                "blank": summary.blank,
                "dimension": summary.dimension,
                "dtype": arguments.dtype,
                "seconds": round(summary.seconds, 3),
                "outputs": summary.outputs,
                "model": model.name,
                "revision": model.revision,
                "fingerprint": model.fingerprint,
            }
        )


def _kept_work(target: Path | None) -> str:
    """Say where finished blocks are, if there are any."""
    from gtekit.bulk import partial_folder

    if target is None or not partial_folder(target).is_dir():
        return ""
    return f"Finished work is kept in {partial_folder(target)}; the same command goes on."
