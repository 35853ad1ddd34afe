"""The page's first example, step by step: tokenize, forward, average_pool, normalize, scores x 100.

python examples/page_scores.py [MODEL]
"""

import sys

import numpy as np

import gtekit
from gtekit.arrays import Floats, Ints


def average_pool(last_hidden_states: Floats, cu_seqlens: Ints) -> Floats:
    sums = np.add.reduceat(last_hidden_states, cu_seqlens[:-1], axis=0)
    return np.divide(sums, np.diff(cu_seqlens)[:, None], dtype=np.float32)


input_texts = [
    "what is the capital of China?",
    "how to implement quick sort in python?",
    "Beijing",
    "sorting algorithms",
]

model = gtekit.load(sys.argv[1] if len(sys.argv) > 1 else "gte-small")

# Tokenize: all texts end to end, so there is no padding and no attention mask
batch = model.tokenizer.encode(input_texts)

# The last hidden state of every token, shape (S, D)
hidden = model.engine.hidden_states(batch.token_ids, batch.cu_seqlens, batch_tokens=256)

embeddings = average_pool(hidden, batch.cu_seqlens)
embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
scores = (embeddings[:1] @ embeddings[1:].T) * 100
print(scores.tolist())  # the same in one call: model.encode(input_texts)
