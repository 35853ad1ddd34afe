"""gtekit doctor: what this machine offers, and what would be slow and why."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import print_json, size_text

if TYPE_CHECKING:
    from gtekit.doctor import Diagnosis

SUMMARY = "Show CPU features, kernels, threads, cache and versions, and what would be slow and why."
EXAMPLE = """\
  gtekit doctor
  gtekit doctor --json

The exit code is 1 where something must be mended first."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "doctor", SUMMARY, EXAMPLE)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found."""
    from gtekit.doctor import examine

    found = examine()
    code = ExitCode.FAILED if found.problems else ExitCode.OK
    if arguments.json:
        print_json(asdict(found))
        return code
    for problem in found.problems:
        print(f"PROBLEM    {problem}")
    _print_found(found)
    _print_verdict(found)
    return code


def _print_found(found: "Diagnosis") -> None:
    absent = [name for name, version in found.versions.items() if version is None]
    installed = ", ".join(f"{name} {version}" for name, version in found.versions.items() if version)
    features = " ".join(name for name, has in found.cpu_features.items() if has) or "none of those asked for"
    print(f"versions   {installed}")
    print(f"           not installed, and not needed for the basics: {', '.join(absent) or 'nothing'}")
    print(f"machine    {found.machine['processor']}, {found.machine['system']}")
    print(f"CPU        {features}")
    print(f"kernels    {found.kernels_chosen or 'none'}; possible here: {', '.join(found.kernels_possible)}; ", end="")
    print(f"in this build: {', '.join(found.kernels_compiled)}")
    print(f"threads    {found.threads or 'none'}: {found.threads_reason}")
    for limit in found.thread_limits:
        print(f"           limit {limit}")
    if found.memory_bytes is not None:
        print(f"memory     {size_text(found.memory_bytes)} free")
    print(f"cache      {found.cache_folder}{' (offline: the hub is never asked)' if found.offline else ''}")
    for name, size_bytes in found.cached_models.items():
        print(f"           {name}, {size_text(size_bytes)}")
    if not found.cached_models:
        print("           holds no model")
    print(f"tuned      {found.tuned_file or 'GTEKIT_CONFIG=off: what gtekit tune found is passed over'}")
    for entry in found.tuned:
        print(f"           {entry}")
    if found.tuned_file and not found.tuned and not found.tuned_file.exists():
        print("           no entry; gtekit tune measures and makes one")
    for name, value in found.variables.items():
        print(f"variable   {name}={value}")


def _print_verdict(found: "Diagnosis") -> None:
    print()
    for kind, texts in (("note", found.notes), ("slow", found.slow)):
        for text in texts:
            print(f"{kind:10} {text}")
    if not found.problems and not found.slow:
        print("Nothing is wrong, and nothing makes it slow.")
