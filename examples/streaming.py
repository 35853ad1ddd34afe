"""A corpus that does not fit in memory: texts come from a generator, vectors go to disk block by block.

python examples/streaming.py [MODEL]
"""

import pydoc
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import gtekit


def docstrings() -> Iterator[str]:
    for name in ("json", "pathlib", "statistics", "textwrap"):
        module = pydoc.locate(name)
        yield from (str(member.__doc__) for member in vars(module).values() if callable(member) and member.__doc__)


model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")

with TemporaryDirectory() as folder:
    path = Path(folder, "vectors.f32")
    with path.open("wb") as file:
        for block in model.encode_stream(docstrings(), on_truncation="ignore"):  # each (n, D), in order
            block.tofile(file)
    vectors = np.memmap(path, np.float32, "r").reshape(-1, model.dimension)
    print(f"{len(vectors)} vectors of {model.dimension} numbers, {path.stat().st_size:,} bytes on disk")
    del vectors  # Windows removes no file that is mapped
