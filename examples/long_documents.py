"""A text longer than the model reads: what would be lost, one vector for all of it, and the passage that answers.

python examples/long_documents.py [MODEL]
"""

import sys

import gtekit

filler = "The committee met on Tuesday and talked about the budget of the library at great length. " * 60
document = filler + "Quicksort sorts a list around a pivot. " + filler

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")

(cut,) = model.truncation_report([document])
print(f"{cut.token_count} tokens, {cut.tokens_lost} of them would be lost, from character {cut.cut_at} on")

whole = model.encode([document], on_truncation="chunk")  # one vector, pooled over all chunks
print(f"whole document: {whole.shape}")

chunks = model.encode_chunks([document])
scores = model.similarity(model.encode_query(["how does quicksort work?"]), chunks.embeddings)[0]
start, end = chunks.offsets[scores.argmax()]
print(f"best of {len(scores)} passages: characters {start} to {end}, score {scores.max():.3f}")
print("it holds the answer:", "Quicksort" in document[start:end])
