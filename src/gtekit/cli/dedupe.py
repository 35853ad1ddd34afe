"""gtekit dedupe: one row of each kind out of a file."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gtekit.cli.dedupe_pairs import write_pairs
from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import add_encode_options, add_model_options, encode_keywords, load_model, new_parser
from gtekit.cli.printing import count_text, one_line, print_json, print_table, say
from gtekit.cli.seekable_input import seekable_input
from gtekit.cli.task_files import (
    add_output,
    add_text_file,
    check_output,
    check_record_name,
    refuse_json_with_rows,
    write_records,
)
from gtekit.errors import ArgumentError, FileFormatError, GtekitWarning
from gtekit.notices import warn_caller

if TYPE_CHECKING:
    from gtekit.files import InputFormat, Keep, Row, Rows
    from gtekit.tasks.duplicates.deduplicate import Deduplicated

SUMMARY = "Keep one text of each kind: drop those that repeat others, word by word or in other words."
EXAMPLE = """\
  gtekit dedupe tickets.jsonl -o kept.jsonl -m all-MiniLM-L6-v2
  gtekit dedupe corpus.csv --field body --threshold 0.95 -o kept.csv --groups groups.jsonl
  gtekit dedupe corpus.txt --threshold 0.95 --report
  gtekit dedupe questions.txt --pairs paraphrases.jsonl --threshold 0.8
  zcat corpus.jsonl.gz | gtekit dedupe - --format jsonl --threshold 0.95 > kept.jsonl

Texts are gone through in the order that --keep says; one that reaches the threshold with a kept text is dropped. Rows
keep all their fields and their order. The file is read twice and never held in memory. With --pairs nothing is
dropped: all pairs that reach the threshold are written, as they are found."""
SHOWN_GROUPS = 10
SHOWN_CHARS = 90


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "dedupe", SUMMARY, EXAMPLE)
    add_text_file(parser)
    add_output(parser)
    group = parser.add_argument_group("duplicates")
    group.add_argument(
        "--threshold",
        type=float,
        metavar="COSINE",
        help="the least cosine of duplicates (where the model's calibration finds the same meaning 95 %% likely)",
    )
    group.add_argument(
        "--keep",
        choices=("first", "last", "longest"),
        default="first",
        help="which text stands for its like (%(default)s)",
    )
    group.add_argument(
        "--method",
        choices=("greedy", "components"),
        default="greedy",
        help="greedy: a dropped text reaches the threshold with the kept one; components: through others (%(default)s)",
    )
    group.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="write each kept text with those dropped for it, one group a line, as .jsonl",
    )
    group.add_argument(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="write the pairs of texts that are alike, as .jsonl or .csv, and no rows (from a cosine where the "
        "calibration finds the same meaning more likely than not)",
    )
    group.add_argument(
        "--report",
        action="store_true",
        help="print the largest groups; rows are then written only where -o names a file",
    )
    add_encode_options(parser)
    add_model_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find what to keep, then read the file again and write it."""
    _check(arguments)
    with ExitStack() as stack:
        path, form = _input(arguments, stack)
        with _open(arguments, path, form, keep="none") as rows:
            rows.check_first()  # what no reader can take is known before a model is loaded
        if arguments.pairs is not None:
            with _open(arguments, path, form, keep="none") as rows:
                write_pairs(arguments, rows)
            return ExitCode.OK
        with _open(arguments, path, form, keep="none") as rows:
            if rows.guess:
                warn_caller(rows.guess, GtekitWarning)
            found = _find(arguments, rows)
        shown = _shown_groups(found) if arguments.report else {}
        with _open(arguments, path, form, keep="all") as rows:
            _write(arguments, rows, found, shown)
    total, kept = len(found.duplicate_of), len(found.kept)
    say(
        f"{count_text(total, 'text')}, {kept:,} kept, {total - kept:,} dropped at a cosine of {found.threshold:.4f} or "
        f"more."
    )
    if arguments.report or (arguments.json and arguments.output != "-"):
        _print_report(arguments, found, shown)
    return ExitCode.OK


def _check(arguments: argparse.Namespace) -> None:
    """Make sure of all that can be known before a model is loaded."""
    from gtekit.tasks.duplicates.near_pairs import check_threshold

    if arguments.threshold is not None:
        check_threshold(arguments.threshold)
    check_output(arguments, "groups", "pairs")
    if arguments.normalize is False:
        raise ArgumentError("--no-normalize has no meaning here: duplicates are told by cosines.")
    if arguments.groups is not None and arguments.groups.suffix.lower() not in (".jsonl", ".ndjson"):
        raise FileFormatError(f"--groups {arguments.groups}: name the file .jsonl.")
    if arguments.pairs is None:
        if not arguments.report:
            refuse_json_with_rows(arguments)
        return
    check_record_name(arguments.pairs, "--pairs")
    for option, is_given in (
        ("-o", arguments.output != "-"),
        ("--groups", arguments.groups is not None),
        ("--report", arguments.report),
        ("--keep", arguments.keep != "first"),
        ("--method", arguments.method != "greedy"),
    ):
        if is_given:
            raise ArgumentError(f"{option} is about texts to keep, and --pairs writes pairs alone; leave one out.")


def _input(arguments: argparse.Namespace, stack: ExitStack) -> tuple[Path, "InputFormat"]:
    from gtekit.files import input_format

    named = None if arguments.file == "-" else Path(arguments.file)
    form = input_format(named, arguments.format)
    return stack.enter_context(seekable_input(arguments.file, f".{form}")), form


def _open(
    arguments: argparse.Namespace, path: Path, form: "InputFormat", *, keep: "Keep"
) -> "AbstractContextManager[Rows]":
    from gtekit.files import open_rows

    return open_rows(
        path,
        form,
        field=arguments.field,
        keep=keep,
        delimiter=arguments.delimiter,
        is_named=arguments.file != "-" or arguments.format is not None,
    )


def _find(arguments: argparse.Namespace, rows: "Rows") -> "Deduplicated":
    from gtekit.tasks.duplicates.deduplicate import deduplicate

    model = load_model(arguments)
    found = deduplicate(
        model,
        (row.text for row in rows.rows),
        arguments.threshold,
        keep=arguments.keep,
        method=arguments.method,
        **encode_keywords(arguments, model),
    )
    if not len(found.duplicate_of):
        raise FileFormatError(f"{arguments.file}: holds no texts. One text a line, or name another file.")
    return found


def _write(
    arguments: argparse.Namespace, rows: "Rows", found: "Deduplicated", shown: dict[int, list[dict[str, Any]]]
) -> None:
    """Go through the file once more: kept rows to the output, groups to theirs, and texts of the report aside."""
    from gtekit.files import replace_when_complete

    with ExitStack() as stack:
        groups = None
        if arguments.groups is not None:
            temporary = stack.enter_context(replace_when_complete(arguments.groups))
            groups = _Groups(found, stack.enter_context(temporary.open("w", encoding="utf-8", newline="")))
        kept = _kept_rows(arguments, rows, found, shown, groups)
        if arguments.report and arguments.output == "-":
            for _ in kept:
                pass
        else:
            write_records(arguments, kept)


def _kept_rows(
    arguments: argparse.Namespace,
    rows: "Rows",
    found: "Deduplicated",
    shown: dict[int, list[dict[str, Any]]],
    groups: "_Groups | None",
) -> Iterator[Mapping[str, Any]]:
    total = len(found.duplicate_of)
    index = -1
    for index, row in enumerate(rows.rows):
        if index == total:
            break
        stands_for = int(found.duplicate_of[index])
        if groups is not None:
            groups.add(index, row)
        if stands_for in shown:
            shown[stands_for].append(_member(found, index, row))
        if stands_for == index:
            yield row.kept
    if index + 1 != total:
        raise FileFormatError(f"{arguments.file}: changed while it was read. Run the command again.")


class _Groups:
    """Writes each group when its last row has come: only groups that are not complete wait in memory."""

    def __init__(self, found: "Deduplicated", stream: TextIO) -> None:
        import numpy as np

        self._found = found
        self._stream = stream
        self._last = np.arange(len(found.duplicate_of))
        np.maximum.at(self._last, found.duplicate_of, np.arange(len(found.duplicate_of)))
        self._is_group = np.bincount(found.duplicate_of, minlength=len(self._last)) > 1
        self._waiting: dict[int, list[dict[str, Any]]] = {}

    def add(self, index: int, row: "Row") -> None:
        from gtekit.files import json_text

        kept = int(self._found.duplicate_of[index])
        if not self._is_group[kept]:
            return
        members = self._waiting.setdefault(kept, [])
        members.append(_member(self._found, index, row))
        if index == self._last[kept]:
            del self._waiting[kept]
            self._stream.write(json_text(_as_group(members)) + "\n")


def _member(found: "Deduplicated", index: int, row: "Row") -> dict[str, Any]:
    is_kept = int(found.duplicate_of[index]) == index
    return {"number": row.number, "text": row.text, "score": round(float(found.scores[index]), 6), "is_kept": is_kept}


def _as_group(members: list[dict[str, Any]]) -> dict[str, Any]:
    kept = next(member for member in members if member["is_kept"])
    return {
        "kept": {"number": kept["number"], "text": kept["text"]},
        "duplicates": [
            {name: member[name] for name in ("number", "score", "text")} for member in members if member is not kept
        ],
    }


def _shown_groups(found: "Deduplicated") -> dict[int, list[dict[str, Any]]]:
    return {int(rows[0]): [] for rows in found.groups[:SHOWN_GROUPS]}


def _print_report(
    arguments: argparse.Namespace, found: "Deduplicated", shown: Mapping[int, list[dict[str, Any]]]
) -> None:
    total = len(found.duplicate_of)
    groups = [_as_group(members) for members in shown.values()]
    if arguments.json:
        counts = {"texts": total, "kept": len(found.kept), "dropped": total - len(found.kept)}
        settings = {"threshold": found.threshold, "method": found.method, "keep": arguments.keep}
        print_json({**counts, **settings, **({"groups": groups} if arguments.report else {})})
        return
    table = [["texts", "line", "cosine", "text"]]
    for group in groups:
        table.append([f"{len(group['duplicates']) + 1:,}", f"{group['kept']['number']}", "", _short(group["kept"])])
        table += [["", f"{one['number']}", f"{one['score']:.4f}", _short(one)] for one in group["duplicates"][:3]]
    if groups:
        print_table(table, right=(0, 1, 2))
    else:
        print("No text repeats another.")


def _short(member: Mapping[str, Any]) -> str:
    text = one_line(member["text"])
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}..."
