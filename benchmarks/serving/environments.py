"""Virtual environments of the other servers, one each, because what they need does not go together."""

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.machine import ROOT

PEERS = Path(__file__).parent / "peers"


def python_of(name: str) -> str:
    """Give the interpreter of a peer's environment; it is made, and pip run, where it is not there yet."""
    folder, needs = ROOT / f".venv-{name}", PEERS / f"{name}.txt"
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != needs.read_text(encoding="utf-8"):
        print(f"installing {needs.name} into {folder.name}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(needs)]
        subprocess.run(install, check=True, stdout=sys.stderr)
        stamp.write_text(needs.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)
