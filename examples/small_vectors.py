"""Vectors of a quarter and of a thirty-second of the bytes, and what that does to a ranking.

python examples/small_vectors.py [MODEL]
"""

import sys

import gtekit

texts = ["how to implement quick sort in python?", "sorting algorithms", "Beijing", "bread with wild yeast"]

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")
vectors = model.encode(texts)  # (N, D) float32

small = gtekit.to_int8(vectors)  # one scale for each vector: a single query is as good as a million documents
bits = gtekit.to_bits(vectors)  # one bit for each number, packed

exact = model.similarity(vectors[:1], vectors)[0]
rounded = model.similarity(small.to_float32()[:1], small.to_float32())[0]

print(f"float32: {vectors.nbytes:,} bytes, int8: {small.values.nbytes + small.scales.nbytes:,}, bits: {bits.nbytes:,}")
print("largest change of a score in int8:", f"{abs(exact - rounded).max():.4f}")
print("same ranking:", exact.argsort().tolist() == rounded.argsort().tolist())
