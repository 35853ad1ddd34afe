"""Duplicates: which texts say what an earlier one has said.

python examples/what_repeats_itself.py [MODEL]
"""

import sys

import gtekit
from gtekit.tasks import deduplicate

texts = [
    "How do I reset my password?",
    "The parcel has not arrived.",
    "how do i reset my password",
    "My parcel still has not arrived.",
    "Do you ship to Norway?",
]

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")
found = deduplicate(model, texts, threshold=0.8)  # a cosine; models differ in what is near
for index, text in enumerate(texts):
    kept = int(found.duplicate_of[index])
    print(f"{index}  {text}" if kept == index else f"{index}  {text}  ->  {kept} ({found.scores[index]:.2f})")
