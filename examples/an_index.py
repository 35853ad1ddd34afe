"""An index: texts that stay, with filters, words and meaning, and a version to go back to.

python examples/an_index.py [MODEL]
"""

import sys
import tempfile
from pathlib import Path

import gtekit
import gtekit.index

texts = {
    "quicksort": "Quicksort picks a pivot and puts smaller items before it and larger ones after it.",
    "mergesort": "Merge sort halves a list, sorts the halves and merges them.",
    "beijing": "Beijing is the capital of the People's Republic of China.",
}
years = {"quicksort": 1961, "mergesort": 1945, "beijing": 1949}

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")
with (
    tempfile.TemporaryDirectory() as folder,
    gtekit.index.create(Path(folder) / "my.index", model, backend="exact") as index,
):
    index.upsert(list(texts), list(texts.values()), metadata=[{"year": years[name]} for name in texts])
    index.tag("first")
    for hit in index.search("how do I sort a list?", where="year > 1946", top_k=2):
        print(f"{hit.score:.3f}  {hit.id}  {dict(hit.metadata)}")
    index.delete(["beijing"])
    print(f"{index.count()} rows now, {index.checkout('first').count()} in the version called first")
