"""Search: the documents closest to a question, best first.

python examples/search.py [MODEL]
"""

import sys

import gtekit

documents = [
    "Quicksort picks a pivot and puts smaller items before it and larger ones after it.",
    "Beijing is the capital of the People's Republic of China.",
    "Sourdough rises slowly, because wild yeast works slowly.",
    "Binary search halves a sorted list at every step.",
    "The Great Wall was built to keep horsemen out.",
]
questions = ["how to implement quick sort in python?", "what is the capital of China?"]

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")
scores = model.similarity(model.encode_query(questions), model.encode_document(documents))  # (Q, N)

for question, row in zip(questions, scores, strict=True):
    print(question)
    for index in row.argsort()[::-1][:3]:
        print(f"  {row[index]:.3f}  {documents[index]}")
