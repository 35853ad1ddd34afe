"""Paths that clients know from other servers and that are not here: what to use in their place."""

from typing import Final

NO_TEXT: Final = "This server embeds and ranks texts; it writes none."
COHERE_V1: Final = "Cohere's v1 API is not here: use cohere.ClientV2, which calls /v2/embed and /v2/rerank."
OLLAMA: Final = "Ollama's API is not here: use OpenAI's, /v1/embeddings."
PAIRS: Final = "No model here reads two texts together: /rerank, /v1/rerank and /similarity give cosines."
ONE_V1: Final = "The path has /v1 twice: the client adds it by itself, take it off the base URL."
COHERE_BASE: Final = "Cohere's client adds /v2 by itself: take /v1 off the base URL."
NO_V1: Final = "gtekit's own paths have no /v1: take it off the base URL."
PLATFORM: Final = "Use /embed, or / with the same body."

HINTS: Final = {
    "/v1/embed": COHERE_V1,
    "/v1/tokenize": "Use /tokenize.",
    "/v1/detokenize": "Use /decode.",
    "/detokenize": "Use /decode.",
    "/v1/chat": NO_TEXT,
    "/v2/chat": NO_TEXT,
    "/v1/chat/completions": NO_TEXT,
    "/chat/completions": NO_TEXT,
    "/v1/completions": NO_TEXT,
    "/v1/responses": NO_TEXT,
    "/generate": NO_TEXT,
    "/api/embed": OLLAMA,
    "/api/embeddings": OLLAMA,
    "/api/generate": NO_TEXT,
    "/api/chat": NO_TEXT,
    "/predict": "No model here classifies. " + PAIRS,
    "/score": PAIRS,
    "/v1/score": PAIRS,
    "/embed_sparse": "Vectors here are dense: use /embed.",
    "/invocations": PLATFORM,
    "/vertex": PLATFORM,
    "/v1/v1/embeddings": ONE_V1,
    "/v1/v1/rerank": ONE_V1,
    "/v1/v2/embed": COHERE_BASE,
    "/v1/v2/rerank": COHERE_BASE,
    "/v1/encode": NO_V1,
    "/v1/model": NO_V1,
}
