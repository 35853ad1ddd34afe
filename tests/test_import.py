"""Importing the package is quick, because it loads little."""

from tests.engine.subprocesses import run_python

HEAVY = ("tokenizers", "safetensors", "huggingface_hub", "torch", "transformers", "pyarrow", "asyncio", "concurrent")


def test_the_import_loads_nothing_heavy() -> None:
    result = run_python("import sys, gtekit; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))")
    assert result.returncode == 0, result.stderr
    assert not set(HEAVY) & set(result.stdout.split())
