"""The page's second example, written for sentence-transformers: only the imports and the model's name are touched.

python examples/only_the_import_changed.py [MODEL]
"""

import sys

from gtekit.sentence_transformers import SentenceTransformer
from gtekit.sentence_transformers.util import cos_sim

# Define input sentences
sentences = ["That is a happy person", "That is a very happy person"]

# Load the model
model = SentenceTransformer(sys.argv[1] if len(sys.argv) > 1 else "thenlper/gte-large")

# Calculate the embeddings
embeddings = model.encode(sentences)

# Calculate the cosine similarity
print(cos_sim(embeddings[0], embeddings[1]))
