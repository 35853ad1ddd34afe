"""gtekit bench: how fast this machine embeds, in both precisions, and where the time goes."""

import argparse
from collections.abc import Sequence
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
from gtekit.cli.printing import count_text, print_json, print_table, say, size_text
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.bench import Bench, Measured, Spread

SUMMARY = "Measure how fast this machine embeds your texts, in float32 and int8, and where the time goes."
EXAMPLE = """\
  gtekit bench
  gtekit bench corpus.jsonl --field body --seconds 120
  gtekit bench --plot bench.svg

The precisions take turns, so that what slows the machine for a while slows both; close other programs all the same.
The ceiling is what the arithmetic units of as many cores do in a loop that never leaves the registers."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "bench", SUMMARY, EXAMPLE)
    add_measure_options(parser, rounds=5, seconds=60)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the result into this file")
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    from gtekit.bench import bench, draw

    if arguments.plot is not None:
        _check_plot(arguments.plot)
    found = bench(
        lambda precision: load_model(arguments, precision=precision),
        read_texts(arguments),
        chosen_precisions(arguments),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        say=say,
    )
    # the figures first: whatever becomes of the picture, they are not lost
    if arguments.json:
        print_json(asdict(found))
    else:
        _print(found)
    if arguments.plot is not None:
        arguments.plot.write_text(draw(found), encoding="utf-8")
        if not arguments.json:
            print(f"\npicture: {arguments.plot.resolve()}")
    return ExitCode.OK


def _check_plot(path: Path) -> None:
    """Refuse before minutes of work what could not be written after them."""
    from gtekit.files import check_writable

    if path.suffix.lower() != ".svg":
        raise ArgumentError(f"--plot {path}: the picture is an SVG file; give it a name that ends in .svg.")
    if path.is_dir():
        raise ArgumentError(f"--plot {path}: is a folder. Name a file in it.")
    if not path.resolve().parent.is_dir():
        raise ArgumentError(f"--plot {path}: there is no folder {path.resolve().parent}. Make it, or name another.")
    check_writable(path.resolve())


def _print(found: "Bench") -> None:
    texts = f"{count_text(found.texts, 'text')}, {count_text(found.tokens, 'token')}"
    print(f"{found.model} on {found.machine}; {count_text(found.threads, 'thread')}")
    print(f"{texts}, {found.batch_tokens} at a time, {count_text(found.rounds, 'round')}: {found.source}")
    print("median (lowest to highest)\n")
    print_table([["", *(one.precision for one in found.measured)], *_rows(found.measured)])
    if found.cosine_mean is not None:
        print(f"\ncosine of int8 to float32: mean {found.cosine_mean:.5f}, smallest {found.cosine_min:.5f}")


def _rows(measured: "Sequence[Measured]") -> list[list[str]]:
    rows = [
        ["tokens/s", *(_spread(one.tokens_per_s, 0) for one in measured)],
        ["texts/s", *(_spread(one.texts_per_s, 1) for one in measured)],
        *(
            [f"one short query, {name}, ms", *(f"{one.query_ms[name]:.2f}" for one in measured)]
            for name in measured[0].query_ms
        ),
        ["loading, s", *(_spread(one.load_s, 3) for one in measured)],
        ["memory", *(size_text(one.memory_bytes) for one in measured)],
        ["ceiling, 10^9 operations/s", *(f"{one.ceiling_per_s / 1e9:,.0f}" for one in measured)],
        ["  reached in linear layers", *(f"{one.linear_share:.0%}" for one in measured)],
        ["  reached over all", *(f"{one.whole_share:.0%}" for one in measured)],
        ["share of time", *("" for _ in measured)],
    ]
    for part in measured[0].part_shares:
        rows.append([f"  {part.replace('_', ' ')}", *(f"{one.part_shares[part]:.1%}" for one in measured)])
    return rows


def _spread(values: "Spread", digits: int) -> str:
    return f"{values.median:,.{digits}f} ({values.low:,.{digits}f} to {values.high:,.{digits}f})"
