"""Checks the archives in a folder: size, contents and metadata. Run by scripts/release and by the wheel workflow.

python scripts/check_release.py dist
"""

import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

MAX_WHEEL_BYTES = 5_000_000  # a few MB is a promise of the README
MAX_SDIST_BYTES = 5_000_000
CORE_DEPENDENCIES = {"numpy", "tokenizers", "huggingface_hub"}
IN_WHEEL = ("gtekit/__init__.py", "gtekit/py.typed", "gtekit/_core.pyi", "gtekit/cli/main.py")
IN_SDIST = (
    "CMakeLists.txt",
    "pyproject.toml",
    "LICENSE",
    "README.md",
    "src/gtekit/__init__.py",
    "core/include/gtekit.h",
)


def wheel_problems(path: Path) -> Iterator[str]:
    """Give what is wrong with a wheel, one sentence each."""
    if path.stat().st_size > MAX_WHEEL_BYTES:
        yield f"it has {path.stat().st_size:,} bytes, at most {MAX_WHEEL_BYTES:,} are allowed"
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        metadata_name = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(metadata_name).decode())
    yield from (f"{name} is missing" for name in IN_WHEEL if name not in names)
    if not any(re.fullmatch(r"gtekit/_core\.[^/]*(so|pyd)", name) for name in names):
        yield "the compiled gtekit/_core is missing"
    dist_info = metadata_name.split("/")[0]
    yield from (f"{name} does not belong in it" for name in names if name.split("/")[0] not in ("gtekit", dist_info))
    if not any(name.startswith(dist_info) and name.endswith("/LICENSE") for name in names):
        yield "the licence is missing"
    needed = [value for value in metadata.get_all("Requires-Dist", []) if "extra ==" not in value]
    found = {re.split(r"[^A-Za-z0-9_-]", value)[0].replace("-", "_") for value in needed}
    if found != CORE_DEPENDENCIES:
        yield f"it depends on {sorted(found)}, it should on {sorted(CORE_DEPENDENCIES)}"


def sdist_problems(path: Path) -> Iterator[str]:
    """Give what is wrong with a source archive, one sentence each."""
    if path.stat().st_size > MAX_SDIST_BYTES:
        yield f"it has {path.stat().st_size:,} bytes, at most {MAX_SDIST_BYTES:,} are allowed"
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    yield from (f"{name} is missing" for name in IN_SDIST if name not in names)
    yield from (f"{name} is a build output" for name in names if re.search(r"\.(so|pyd|o|pyc)$|^build/|^\.venv", name))


def main(folder: Path) -> int:
    """Check every archive in a folder and say what was found."""
    checks = [(path, wheel_problems(path)) for path in sorted(folder.glob("*.whl"))]
    checks += [(path, sdist_problems(path)) for path in sorted(folder.glob("*.tar.gz"))]
    problems = [f"{path.name}: {problem}" for path, found in checks for problem in found]
    for path, _ in checks:
        print(f"{path.name}  {path.stat().st_size / 1e6:.2f} MB", file=sys.stderr)
    for problem in problems or ([] if checks else [f"{folder} holds no archive"]):
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems or not checks else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
