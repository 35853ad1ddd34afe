"""gtekit tune: find the fastest choice that is exact enough, and let `gtekit.load` take it from now on."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import (
    add_measure_options,
    add_model_options,
    chosen_precisions,
    load_model,
    new_parser,
    read_texts,
)
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.errors import ArgumentError, ModelNotFoundError

if TYPE_CHECKING:
    from gtekit.bench import Choice, Tuning
    from gtekit.config import Precision
    from gtekit.embedder import Embedder

FEW_TEXTS = 50  # cosines of fewer say little

SUMMARY = "Measure precisions, threads and micro-batches on this machine, and keep the fastest for gtekit.load."
EXAMPLE = """\
  gtekit tune corpus.txt
  gtekit tune --dry-run                    print, write nothing
  gtekit tune --precision float32          threads and micro-batches only: the vectors stay exact
  gtekit tune --min-cosine 0.9995
  gtekit tune --forget                     back to the defaults

What is found is written to $GTEKIT_CONFIG, or gtekit/tuned.json in the folder for configurations; gtekit doctor says
where. It counts for this model at this revision on this machine only. Arguments of gtekit.load, options and
GTEKIT_THREADS go before it, and GTEKIT_CONFIG=off passes over it. The fastest is that with the most tokens/s; one query
at a time may be quicker with other threads, see query ms. Choices within 2 % of the fastest count as equally
fast: of these float32 goes before int8, and what is nearest to the defaults before the rest."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "tune", SUMMARY, EXAMPLE)
    add_measure_options(parser, rounds=3, seconds=120)
    parser.add_argument(
        "--min-cosine",
        type=float,
        default=0.999,
        metavar="C",
        help="the smallest mean cosine to float32 that a choice may have (%(default)s)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="print what is found and write nothing")
    what.add_argument("--forget", action="store_true", help="measure nothing; remove what was written for the model")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write."""
    from gtekit.bench import threads_to_try, tune
    from gtekit.threads import available_threads
    from gtekit.tuned import check_place, read_entries, write_entry

    path = None if arguments.dry_run else _config_file(arguments)
    if arguments.forget and path is not None:
        return _forget(arguments, path)
    if not -1 <= arguments.min_cosine <= 1:
        raise ArgumentError(f"--min-cosine {arguments.min_cosine:g} is not possible; choose a number, -1 to 1.")
    if arguments.max_tokens:
        path = None  # what was measured with shorter texts says little of whole ones
    read_entries(path)  # a damaged file, or no place for one, is told of now, not after the measuring
    if path is not None:
        check_place(path)

    def load(precision: "Precision", threads: int | None) -> "Embedder":
        return load_model(arguments, precision=precision, threads=threads)

    found = tune(
        load,
        read_texts(arguments),
        chosen_precisions(arguments),
        [arguments.threads] if arguments.threads else threads_to_try(available_threads().threads),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        min_cosine=arguments.min_cosine,
        say=say,
    )
    # the measurements first: whatever becomes of the file, they are not lost
    if arguments.json:
        print_json({**asdict(found), "written": path if found.best else None})
    else:
        _print(found, arguments.min_cosine)
    if found.best is None:
        return ExitCode.FAILED
    if path is not None:
        write_entry(path, found.entry(found.best))
    if not arguments.json:
        _print_written(arguments, path)
    return ExitCode.OK


def _config_file(arguments: argparse.Namespace) -> Path:
    from gtekit.tuned import OFF, VARIABLE, config_file

    path = config_file()
    if path is None:
        way_out = "Unset it." if arguments.forget else "Unset it, or take --dry-run."
        raise ArgumentError(f"{VARIABLE}={OFF}: there is no file to write to. {way_out}")
    return path


def _forget(arguments: argparse.Namespace, path: Path) -> int:
    from gtekit.tuned import forget

    count = forget(path, _names(arguments))
    if arguments.json:
        print_json({"forgotten": count, "file": path})
    elif count is None:
        print(f"{path}: damaged, removed as a whole")
    else:
        print(
            f"{path}: {count_text(count, 'entry') if count == 1 else f'{count} entries'} of {arguments.model} removed"
        )
    return ExitCode.OK


def _names(arguments: argparse.Namespace) -> set[str]:
    """Give the names that the model may have in the file, also where it is no longer on this machine."""
    from gtekit.checkpoint.locate import locate
    from gtekit.checkpoint.registry import hub_id_of
    from gtekit.tuned import model_key

    try:
        found = locate(arguments.model, cache_folder=arguments.cache_folder, local_files_only=True)
    except ModelNotFoundError:
        return {hub_id_of(arguments.model), str(Path(arguments.model).expanduser().resolve())}
    return {model_key(found.name, found.folder, found.revision)}


def _print(found: "Tuning", min_cosine: float) -> None:
    print(f"{found.model} on {found.machine}")
    texts = f"{count_text(found.texts, 'text')}, {count_text(found.tokens, 'token')}"
    print(f"{texts}, {count_text(found.rounds, 'round')}: {found.source}\n")
    heading = ["", "precision", "threads", "batch tokens", "tokens/s", "lowest", "highest", "query ms", "cosine", "min"]
    rows = [_row(choice, is_best=choice == found.best) for choice in found.choices]
    print_table([heading, *rows], right=range(2, len(heading)))
    if found.different_texts < FEW_TEXTS:
        few = count_text(found.different_texts, "different text")
        print(f"\nThe cosines are those of {few}: name a FILE with more, or give more --seconds, to count on them.")
    if found.best is None:
        print(f"\nNo choice has a mean cosine of {min_cosine:g} or more. Nothing is written.")
    else:
        print(f"\n* the fastest with a mean cosine of {min_cosine:g} or more: {_words(found.best)}")


def _print_written(arguments: argparse.Namespace, path: Path | None) -> None:
    if arguments.dry_run:
        print("not written: --dry-run")
    elif path is None:
        print("not written: --max-tokens measures shorter texts than gtekit.load reads")
    else:
        print(f"written: {path}{f' (applies with --isa {arguments.isa} only)' if arguments.isa else ''}")


def _row(choice: "Choice", *, is_best: bool) -> list[str]:
    speed = choice.tokens_per_s
    return [
        "*" if is_best else "",
        choice.precision,
        str(choice.threads),
        str(choice.batch_tokens),
        *(f"{value:,.0f}" for value in (speed.median, speed.low, speed.high)),
        f"{choice.query_ms:.2f}",
        f"{choice.cosine_mean:.5f}",
        f"{choice.cosine_min:.5f}",
    ]


def _words(choice: "Choice") -> str:
    threads = count_text(choice.threads, "thread")
    return f"{choice.precision}, {threads}, {choice.batch_tokens} tokens a micro-batch"
