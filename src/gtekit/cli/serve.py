"""gtekit serve: the server of embeddings."""

import argparse
import os
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import print_json
from gtekit.errors import GtekitWarning, MissingExtraError

if TYPE_CHECKING:
    from gtekit.serving.server import Server
    from gtekit.serving.settings import ServerSettings
    from gtekit.serving.settings_sources import ReadSettings

SUMMARY = "Serve embeddings and reranking over HTTP, in the words of OpenAI, TEI, Cohere and Jina."
EXAMPLE = """\
  gtekit serve                                       gte-small on http://127.0.0.1:8080, with a page to try it
  gtekit serve gte-base --precision int8 --port 9000
  gtekit serve small=gte-small large=gte-large --alias text-embedding-3-small=small
  gtekit serve --host 0.0.0.0 --keys-file keys.toml
  gtekit serve --config serve.toml --print-config

Every setting is a flag, a variable and a line of a TOML file: --max-texts 500, GTEKIT_SERVE_MAX_TEXTS=500,
max_texts = 500. A flag goes before the environment, the environment before the file. A list is --alias A=B --alias C=D,
GTEKIT_SERVE_ALIAS=A=B,C=D and alias = ["A=B", "C=D"]. SIGTERM and Ctrl-C let requests under way finish."""
EXTRA_PACKAGES = ("httptools", "msgspec", "orjson", "prometheus_client")
METAVARS = {"whole number": "N", "number": "S", "path": "PATH", "text": "TEXT", "texts": "TEXT", "choice": None}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command: a flag for each setting."""
    from gtekit.serving.settings_sources import CONFIG_VARIABLE, SETTINGS

    parser = new_parser(commands, "serve", SUMMARY, EXAMPLE)
    parser.usage = "%(prog)s [MODEL ...] [--SETTING VALUE ...]"  # with all settings it hides what an error says
    # argparse leaves what a command does not know to the parser above it, which knows no setting either
    parser.parse_known_args = partial(_parse_all, parser)  # type: ignore[assignment, method-assign]
    parser.add_argument(
        "models", nargs="*", metavar="MODEL", help="a model, or NAME=MODEL; several are served side by side (gte-small)"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help=f"a TOML file of settings ({CONFIG_VARIABLE}, or none)"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print all settings as TOML, with where each came from, and end"
    )
    group = parser.add_argument_group("settings")
    for setting in SETTINGS:
        words = setting.help.replace("%", "%%")
        if setting.kind == "yes or no":
            group.add_argument(
                setting.flag,
                dest=f"setting_{setting.name}",
                action=argparse.BooleanOptionalAction,
                default=None,
                help=f"{words} ({'yes' if setting.default else 'no'})",
            )
            continue
        flags = ("-m", setting.flag) if setting.name == "model" else (setting.flag,)
        shown = f" ({setting.default})" if setting.default not in (None, ()) and setting.kind != "texts" else ""
        group.add_argument(
            *flags,
            dest=f"setting_{setting.name}",
            action="append" if setting.kind == "texts" else "store",
            choices=setting.choices or None,
            metavar="MODEL" if setting.name == "model" else METAVARS[setting.kind],
            help=f"{words}{shown}",
        )
    parser.set_defaults(run=run)


def _parse_all(
    parser: argparse.ArgumentParser, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
) -> tuple[argparse.Namespace, list[str]]:
    found, unknown = argparse.ArgumentParser.parse_known_args(parser, args, namespace)
    if unknown:
        name = unknown[0].partition("=")[0]
        close = get_close_matches(name, [flag for flag in parser._option_string_actions if flag.startswith("--")], n=1)
        guess = f" Is {close[0]} meant?" if close else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}.{guess} {parser.prog} --help has all.")
    return found, unknown


def run(arguments: argparse.Namespace) -> int:
    """Check all settings, then serve until a signal comes."""
    from gtekit.serving.settings_checks import check_settings
    from gtekit.serving.settings_sources import read_settings

    read = read_settings(_given(arguments), os.environ, arguments.config)
    check_settings(read)
    if arguments.print_config:
        _print_config(read, as_json=arguments.json)
        return ExitCode.OK
    _warn_of_open_doors(read)
    return _server(read.settings).run()


def _server(settings: "ServerSettings") -> "Server":
    try:
        from gtekit.serving.server import Server
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_PACKAGES:
            raise
        raise MissingExtraError("gtekit serve", "serve", package.replace("_", "-")) from None
    return Server(settings)


def _given(arguments: argparse.Namespace) -> dict[str, object]:
    """Give the flags that were on the command line, by the name of their setting."""
    flags: dict[str, object] = {}
    for name, value in vars(arguments).items():
        if name.startswith("setting_") and value is not None:
            flags[name.removeprefix("setting_")] = tuple(value) if isinstance(value, list) else value
    models = (*arguments.models, *(arguments.setting_model or ()))
    return {**flags, "model": models} if models else flags


def _print_config(read: "ReadSettings", *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                name: {"value": getattr(read.settings, name), "from": origin.words}
                for name, origin in read.origins.items()
            }
        )
    else:
        print(read.as_toml(), end="")


def _warn_of_open_doors(read: "ReadSettings") -> None:
    from gtekit.serving.settings_checks import is_open_to_others

    settings = read.settings
    if settings.keys_file is None and settings.unix_socket is None and is_open_to_others(settings.host):
        warnings.warn(
            f"{settings.host} can be reached from other machines, and no key is needed: whoever finds this port may "
            f"use it. Make a key (gtekit keys new NAME --keys-file keys.toml) and serve with --keys-file keys.toml, or "
            f"leave --host out, which is this machine alone.",
            GtekitWarning,
            stacklevel=2,
        )
