"""What people call a model, and the prompts that are known of it by that name."""

from collections.abc import Mapping
from pathlib import Path

from gtekit.checkpoint.registry import find_known
from gtekit.evaluation.published import find_published


def short_name(name: str) -> str:
    """Give the name that people know a model by: gte-small.

    Only of models that are known here, or published, the owner is left out: what somebody else calls gte-small is
    another model. So is what lies in a folder of that name, which is called ./gte-small.
    """
    if Path(name).is_dir():
        return f"./{Path(name).resolve().name}"
    found = find_published(name)
    known = find_known(name)
    return found.name if found else known.short_name if known else name


def prompts_of(name: str, own: Mapping[str, str]) -> Mapping[str, str]:
    """Give the prompts of a model, "query" and "document": its own, or those that its card asks for (E5, BGE)."""
    found = {role: prompt for role, prompt in own.items() if prompt}
    known = find_known(name)
    return found or {role: prompt for role, prompt in (known.prompts if known else {}).items() if prompt}
