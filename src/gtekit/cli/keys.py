"""gtekit keys: who may call a server."""

import argparse
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import count_text, print_json, print_table, say
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.serving.keys import Key

SUMMARY = "Make, list and remove the keys that callers of gtekit serve need."
EXAMPLE = """\
  gtekit keys new search                                          into keys.toml
  gtekit keys new nightly --tokens-per-minute 2000000 --expires 2027-06-30
  gtekit keys new prometheus --scope metrics
  gtekit keys list
  gtekit keys remove nightly
  gtekit serve --keys-file keys.toml

A key is 256 random bits and is shown once, on standard output; the file has its SHA-256 alone. A running server sees
each change within seconds."""
SUBCOMMANDS = "new | list | remove"
DEFAULT_FILE = Path("keys.toml")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command and its subcommands."""
    parser = new_parser(commands, "keys", SUMMARY, EXAMPLE)
    more = parser.add_subparsers(title="subcommands", metavar=SUBCOMMANDS, required=True)
    new = new_parser(more, "new", "Make a key and print it, once.", "  gtekit keys new search --keys-file keys.toml")
    new.add_argument("name", metavar="NAME", help="what it is called in logs and metrics")
    new.add_argument(
        "--requests-per-minute", type=int, metavar="N", help="the most requests (as many as the server can)"
    )
    new.add_argument("--tokens-per-minute", type=int, metavar="N", help="the most tokens (as many as the server can)")
    new.add_argument("--expires", metavar="DATE", help="the last day on which it is good, UTC: 2027-06-30 (never)")
    new.add_argument(
        "--scope",
        action="append",
        choices=("embed", "metrics"),
        help="what it is for: all that models answer, or /metrics; may be given twice (both)",
    )
    new.set_defaults(run=run_new)
    shown = new_parser(more, "list", "List names and limits.", "  gtekit keys list --keys-file keys.toml")
    shown.set_defaults(run=run_list)
    remove = new_parser(more, "remove", "Remove a key.", "  gtekit keys remove search --keys-file keys.toml")
    remove.add_argument("name", metavar="NAME", help="what it is called")
    remove.set_defaults(run=run_remove)
    for subcommand in more.choices.values():
        subcommand.add_argument(
            "--keys-file",  # as gtekit serve calls it
            "--file",
            dest="file",
            type=Path,
            default=DEFAULT_FILE,
            metavar="FILE",
            help="where the keys are (%(default)s)",
        )
        for action in subcommand._actions:  # whose defaults would undo what stands before the subcommand
            if action.dest in ("json", "debug"):
                action.default = argparse.SUPPRESS


def run_new(arguments: argparse.Namespace) -> int:
    """Make a key, write its digest, and print it."""
    from gtekit.serving.key_file import add_key, new_secret
    from gtekit.serving.keys import sha256_of

    secret = new_secret()
    key = replace(_asked(arguments), sha256=sha256_of(secret))
    add_key(arguments.file, key)
    if arguments.json:
        print_json({"key": secret, "file": arguments.file, **_described(key)})
    else:
        print(secret)
    say(f"{key.name} is in {arguments.file}. Its key is printed this once, and can't be found again.")
    return ExitCode.OK


def run_list(arguments: argparse.Namespace) -> int:
    """Print what each key may do."""
    from gtekit.serving.keys import read_keys

    keys = read_keys(arguments.file)
    if arguments.json:
        print_json([_described(key) for key in keys])
        return ExitCode.OK
    rows = [("name", "sha256", "requests/min", "tokens/min", "good until", "for")]
    rows += [
        (
            key.name,
            f"{key.sha256[:12]}...",
            _limit(key.requests_per_minute),
            _limit(key.tokens_per_minute),
            _until(key.expires),
            ", ".join(key.scopes),
        )
        for key in keys
    ]
    if keys:
        print_table(rows, right=(2, 3))
    say(f"{count_text(len(keys), 'key')} in {arguments.file}.")
    return ExitCode.OK


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove a key."""
    from gtekit.serving.key_file import remove_key

    remove_key(arguments.file, arguments.name)
    if arguments.json:
        print_json({"removed": arguments.name, "file": arguments.file})
    say(f"{arguments.name} is no longer in {arguments.file}; a running server refuses it within seconds.")
    return ExitCode.OK


def _asked(arguments: argparse.Namespace) -> "Key":
    """Check what was asked for. The digest comes later."""
    from gtekit.serving.keys import MOST_LIMIT, NAME, NAME_WORDS, SCOPES, Key

    if not NAME.fullmatch(arguments.name):
        raise ArgumentError(f"{arguments.name!r} can't be the name of a key; choose {NAME_WORDS}.")
    for option in ("requests_per_minute", "tokens_per_minute"):
        value = getattr(arguments, option)
        if value is not None and not 1 <= value <= MOST_LIMIT:
            raise ArgumentError(
                f"--{option.replace('_', '-')} {value} is not possible; choose 1 or more, or leave it out for no limit."
            )
    asked = arguments.scope or SCOPES
    return Key(
        name=arguments.name,
        sha256="",
        requests_per_minute=arguments.requests_per_minute,
        tokens_per_minute=arguments.tokens_per_minute,
        expires=_date(arguments.expires),
        scopes=tuple(scope for scope in SCOPES if scope in asked),
    )


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ArgumentError(f"--expires {text} is no day; write it as 2027-06-30.") from None
    if day < datetime.now(UTC).date():
        raise ArgumentError(f"--expires {text} has passed; such a key would never be let in.")
    return day


def _described(key: "Key") -> dict[str, object]:
    return {**asdict(key), "expires": key.expires.isoformat() if key.expires else None}


def _limit(value: int | None) -> str:
    return "no limit" if value is None else f"{value:,}"


def _until(day: date | None) -> str:
    if day is None:
        return "no end"
    return f"{day}{' (over)' if day < datetime.now(UTC).date() else ''}"
