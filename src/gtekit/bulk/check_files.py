"""What can be known of a job's files before a model is loaded."""

from contextlib import suppress
from pathlib import Path

from gtekit.bulk.file_options import FileOptions
from gtekit.errors import FileFormatError
from gtekit.files import check_writable
from gtekit.files.parquet import import_pyarrow
from gtekit.inputs import check_count


def check_files(source: Path | None, target: Path | None, options: FileOptions) -> None:
    """Make sure of what can be known before a model is loaded.

    Raises:
        FileFormatError: If the input is not there, lacks the fields that are asked for, or has a bad first row; if the
            output can't be written.
        MissingExtraError: If one of them is parquet and pyarrow is not installed.
    """
    if "parquet" in (options.input_format, options.output_format):
        import_pyarrow()
    check_count("block_rows", options.block_rows)
    if options.output_format == "npy" and options.keep not in (None, "none"):
        raise FileFormatError("npy has no place for the fields of --keep. Write .jsonl or .parquet, or leave it out.")
    if source is not None:
        _check_source(source)
    if target is not None:
        _check_target(target, source)
    elif options.has_scales_file:
        raise FileFormatError(
            "int8 vectors in npy form are two files, vectors and scales, and standard output is one. "
            "Write to a file with -o, or choose --output-format jsonl or parquet."
        )
    if source is not None and source.is_file():  # a pipe can be read only once
        with options.open(source) as rows:
            rows.check_first()


def _check_source(source: Path) -> None:
    if source.is_dir():
        raise FileFormatError(f"{source}: is a folder. Name one file of texts.")
    if not source.exists():
        raise FileFormatError(f"{source}: there is no such file. Is the path right? It was looked for in {Path.cwd()}.")


def _check_target(target: Path, source: Path | None) -> None:
    if target.exists() and not target.is_file():
        raise FileFormatError(f"{target}: is no ordinary file and can't be replaced by one. For a pipe use -o -.")
    if not target.parent.is_dir():
        raise FileFormatError(f"{target}: there is no folder {target.parent}. Create it first.")
    check_writable(target)
    if source is not None:
        with suppress(OSError):
            if source.samefile(target):
                raise FileFormatError(f"{target}: is the input as well. Choose another output.")
