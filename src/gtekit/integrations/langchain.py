"""A gtekit model as LangChain's Embeddings, for its vector stores and retrievers.

>>> from gtekit.integrations.langchain import GtekitEmbeddings
>>> store = InMemoryVectorStore(GtekitEmbeddings(gtekit.load("gte-small")))
"""

from gtekit.any_model import AnyModel
from gtekit.errors import ArgumentError, MissingExtraError

try:
    from langchain_core.embeddings import Embeddings
except ImportError as error:
    raise MissingExtraError("gtekit.integrations.langchain", "langchain", "langchain-core") from error


class GtekitEmbeddings(Embeddings):
    """Texts to lists of floats, with the model's prompts for queries and for documents.

    The async methods come from LangChain and run these in its thread pool; the engine releases the GIL.

    Args:
        model: What `gtekit.load` gave.

    Raises:
        ArgumentError: If `model` is something else, such as a name.
    """

    def __init__(self, model: AnyModel) -> None:
        if not isinstance(model, AnyModel):
            raise ArgumentError(
                f"model is {model!r}, expected a loaded model: GtekitEmbeddings(gtekit.load({str(model)!r}))."
            )
        self.model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed the texts to be found, one list of D floats each."""
        vectors: list[list[float]] = self.model.encode_document(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Embed the text to find others by, D floats."""
        vector: list[float] = self.model.encode_query([text])[0].tolist()
        return vector
