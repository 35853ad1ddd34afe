"""Golden vectors: what transformers gave for a small checkpoint, which is made again from its seed and embedded here.

golden.json holds the texts, the vectors, who made them, and the fingerprint of the checkpoint: if another one comes out
of the seed, that is said, and not that the vectors are wrong. tests/golden/record_verify.py wrote it.
"""

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gtekit import _core
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.config import ModelConfig
from gtekit.embedder import load
from gtekit.errors import CheckpointError, EngineError
from gtekit.verify.checks import Check, compare, failure

GOLDEN_FILE = Path(__file__).with_name("golden.json")
GOLDEN_CONFIG = ModelConfig(
    hidden_size=128,  # heads of 32, as in gte-small, and four of them
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=512,
    vocab_size=8_192,
    max_position_embeddings=512,
    type_vocab_size=2,
    layer_norm_eps=1e-12,
)
GOLDEN_SEED = 20_240


def write_golden_checkpoint(folder: Path) -> Path:
    """Make the small checkpoint, in float16 as gte-small is."""
    return write_seeded_checkpoint(folder, size=GOLDEN_CONFIG, seed=GOLDEN_SEED, dtype="float16")


def check_golden(threads: int | None = None) -> Iterator[Check]:
    """Embed the golden texts with every kernel set that runs here, and compare."""
    golden = read_golden()
    expected = np.array(golden["embeddings"], np.float32)
    with tempfile.TemporaryDirectory(prefix="gtekit-verify-") as scratch:
        folder = write_golden_checkpoint(Path(scratch) / "golden")
        for isa in _core.isas():
            name = f"{isa} against transformers {golden['transformers']}, golden checkpoint"
            try:
                model = load(folder, isa=isa, threads=threads, precision="float32", language_warning=False)
                if model.fingerprint != golden["fingerprint"]:
                    yield failure(name, f"the seed made the checkpoint {model.fingerprint[:12]}, not the golden one")
                    continue
                embeddings = model.encode(golden["texts"], on_truncation="ignore", progress=False)
            except (CheckpointError, EngineError) as error:  # anything else is the caller's, such as threads=0
                yield failure(name, str(error))
                continue
            yield compare(name, embeddings, expected)


@cache
def read_golden() -> dict[str, Any]:
    """Read the golden file that came with the package."""
    golden: dict[str, Any] = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))
    return golden
