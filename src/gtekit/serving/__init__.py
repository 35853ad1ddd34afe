"""The server of embeddings: `gtekit serve`."""
