"""gtekit index: passages of files as an index, built, brought up to date, looked at, exported."""

import argparse

from gtekit.cli import index_build, index_care, index_export, index_info
from gtekit.cli.options import new_parser

SUMMARY = "Build an index of files and look after it; gtekit search finds passages in it."
EXAMPLE = """\
  gtekit index build docs -o my.index
  gtekit index build docs notes/*.md s3://bucket/reports -o my.index
  gtekit index info my.index
  gtekit index optimize my.index
  gtekit index verify my.index
  gtekit index export my.index passages.parquet
  gtekit index versions my.index
  gtekit index tag my.index release-1            keeps this version; --remove lets it go

Call build again after files have changed: only what is new is embedded, and what is gone leaves."""
SUBCOMMANDS = "build | info | optimize | verify | export | versions | tag"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command and its subcommands."""
    parser = new_parser(commands, "index", SUMMARY, EXAMPLE)
    more = parser.add_subparsers(title="subcommands", metavar=SUBCOMMANDS, required=True)
    index_build.add_parser(more)
    index_info.add_parser(more)
    index_care.add_parsers(more)
    index_export.add_parser(more)
    for subcommand in more.choices.values():
        for action in subcommand._actions:  # whose defaults would undo what stands before the subcommand
            if action.dest in ("json", "debug"):
                action.default = argparse.SUPPRESS
