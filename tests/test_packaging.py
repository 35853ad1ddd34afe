"""What a user gets: dependencies, an import that changes nothing, the files of the wheel."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest

import gtekit

ROOT = Path(__file__).parent.parent
HEAVY = (
    "asyncio",
    "concurrent",
    "httpx",
    "huggingface_hub",
    "langchain_core",
    "pyarrow",
    "safetensors",
    "tokenizers",
    "torch",
    "transformers",
)

IMPORT_AND_REPORT = """
import json, os, sys, threading, warnings
import numpy  # it adds two warning filters of its own
before = dict(os.environ), len(warnings.filters), threading.active_count()
import gtekit
after = dict(os.environ), len(warnings.filters), threading.active_count()
print(json.dumps({"unchanged": before == after, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.fixture(scope="module")
def imported() -> dict[str, object]:
    result = run_python(IMPORT_AND_REPORT)
    assert result.returncode == 0, result.stderr
    report: dict[str, object] = json.loads(result.stdout)
    return report


def test_importing_the_package_changes_nothing(imported: dict[str, object]) -> None:
    assert imported["unchanged"], "import gtekit changed environment variables, warning filters or threads."


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_package_loads_nothing_heavy(imported: dict[str, object], heavy: str) -> None:
    modules = imported["modules"]
    assert isinstance(modules, list)
    assert heavy not in modules


def test_embedding_from_a_folder_never_loads_the_hub(minilm_folder: str) -> None:
    code = f"import gtekit, sys; gtekit.load({minilm_folder!r}).encode(['a']); print('huggingface_hub' in sys.modules)"
    result = run_python(code)
    assert (result.returncode, result.stdout.strip()) == (0, "False"), result.stderr


def test_the_core_needs_three_packages_and_no_more() -> None:
    requirements = [line for line in metadata.requires("gtekit") or [] if "extra ==" not in line]
    names = {re.split(r"[<>=!~ ;\[]", line)[0].replace("-", "_").lower() for line in requirements}
    assert names == {"numpy", "tokenizers", "huggingface_hub"}


def test_the_version_is_the_same_everywhere() -> None:
    assert metadata.version("gtekit") == gtekit.__version__
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == gtekit.__version__


def test_type_information_is_shipped() -> None:
    assert files("gtekit").joinpath("py.typed").is_file()
    assert files("gtekit").joinpath("_core.pyi").is_file()


def test_the_command_is_installed() -> None:
    (entry,) = metadata.entry_points(group="console_scripts", name="gtekit")
    assert entry.value == "gtekit.cli.main:main"


def test_no_shipped_text_names_a_place_on_a_developers_disk() -> None:
    # the path of somebody's home would mean nothing to a reader
    pattern = re.compile(r"/(home|Users)/\w+/|/root/")
    for folder in ("src", "core", "examples", "docs", "scripts"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in (".py", ".pyi", ".cpp", ".h", ".md", "") and file.is_file():
                assert not pattern.search(file.read_text(encoding="utf-8")), f"{file} names a place on somebody's disk."
