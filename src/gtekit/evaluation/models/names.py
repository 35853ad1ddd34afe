"""What people call a model, and the prompts that are known of it by that name."""

from collections.abc import Mapping
from pathlib import Path

from gtekit.checkpoint.registry import find_known


def short_name(name: str) -> str:
    """Give the name without its owner or the folders above it: gte-small."""
    return Path(name).resolve().name if Path(name).is_dir() else name.rstrip("/").rpartition("/")[2]


def prompts_of(name: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """Give the prompts of a model, "query" and "document": its own, or those that its card asks for (E5, BGE)."""
    found = {role: prompt for role, prompt in own.items() if prompt}
    known = find_known(name) or find_known(short_name(name))
    return found or {role: prompt for role, prompt in (known.prompts if known else {}).items() if prompt}
