"""What `gtekit.tasks` gives, and what it does not import."""

import subprocess
import sys
from types import ModuleType

import gtekit.tasks


def test_importing_the_tasks_brings_no_optional_package() -> None:
    code = "import sys, gtekit.tasks; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert not {"sklearn", "scipy", "matplotlib", "pyarrow", "tokenizers", "huggingface_hub", "torch"} & set(modules)


def test_every_name_is_there_and_none_is_a_module() -> None:
    names = gtekit.tasks.__all__
    assert len(set(names)) == len(names)
    for name in names:
        assert not isinstance(getattr(gtekit.tasks, name), ModuleType), name
