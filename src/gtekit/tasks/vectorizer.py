"""Embeddings as a step of scikit-learn: `GteVectorizer` in a Pipeline, a ColumnTransformer, a GridSearchCV."""

import os
import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from gtekit.arrays import Floats
from gtekit.config import EncodeKeywords, OnTruncation, Precision
from gtekit.embedder import Embedder, load
from gtekit.errors import ArgumentError, MissingExtraError, SpaceError, TextTypeError
from gtekit.inputs import check_count, check_texts, read_options
from gtekit.tasks.scikit import missing_scikit
from gtekit.tasks.vector_cache import VectorCache

OLDEST = (1, 6)  # of scikit-learn: the first with tags of estimators


def _unusable(error: ImportError) -> MissingExtraError:
    """Say which version of scikit-learn is needed where an older one is there, and else what is wrong."""
    version = getattr(sys.modules.get("sklearn"), "__version__", None)
    if version is not None and tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        least = ".".join(map(str, OLDEST))
        return MissingExtraError("GteVectorizer", "tasks", f"scikit-learn {least} or later (here is {version})")
    return missing_scikit("GteVectorizer", error)


try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils import Tags
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise _unusable(error) from None

MODELS_AT_ONCE = 2  # stay loaded in a process: a grid of two models does not load each anew for each fold


class GteVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to embeddings, by scikit-learn's conventions.

    It holds a name and options, never weights: pickles and clones are a few hundred bytes. The model is loaded at the
    first use in each process, and shared by all vectorizers that name it there. Vectors of texts seen lately stay in
    memory, so the folds of a GridSearchCV embed a text once in a process. `fit` learns nothing from the texts; it
    notes the model's fingerprint, and `transform` refuses a model with another.

    Args:
        model: A short name, a hub id, or a folder.
        revision: A commit, tag or branch of the hub.
        precision: Number format of the linear layers; None: as tuned, or float32.
        threads: The most threads to use; None: as tuned, or all. With n_jobs, 1 keeps workers out of each other's way.
        max_tokens: Cut texts sooner than the model would; None: at the model's length.
        prompt: Put before every text.
        prompt_name: Or one of the model's prompts.
        on_truncation: What happens to a longer text: warn, error, ignore, chunk.
        normalize: Whether vectors have length 1; None: as the model's files say.
        dimensions: Keep the first numbers of a vector; None: all.
        cache_texts: How many vectors stay in memory, in each process; 0: none. 10,000 of gte-small are 15 MB.

    Attributes:
        fingerprint_: Of the model that it was fitted with.
    """

    def __init__(
        self,
        model: str | Path = "gte-small",
        *,
        revision: str | None = None,
        precision: Precision | None = None,
        threads: int | None = None,
        max_tokens: int | None = None,
        prompt: str | None = None,
        prompt_name: str | None = None,
        on_truncation: OnTruncation = "warn",
        normalize: bool | None = None,
        dimensions: int | None = None,
        cache_texts: int = 10_000,
    ) -> None:
        self.model = model
        self.revision = revision
        self.precision = precision
        self.threads = threads
        self.max_tokens = max_tokens
        self.prompt = prompt
        self.prompt_name = prompt_name
        self.on_truncation = on_truncation
        self.normalize = normalize
        self.dimensions = dimensions
        self.cache_texts = cache_texts

    def fit(self, X: Iterable[str], y: object = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Load the model and note its fingerprint. The texts are checked, and not embedded.

        Args:
            X: Texts: a list, an array of objects, a pandas Series.
            y: Not used.

        Raises:
            TextTypeError: If X is no list of str.
            ArgumentError: If an option is not possible.
            ModelNotFoundError: If there is no such model.
        """
        _check_column(X)
        check_count("cache_texts", self.cache_texts, least=0)
        embedder, _ = self._loaded()
        options = read_options(self._options(), dimension=embedder.dimension)
        self.fingerprint_ = embedder.fingerprint
        self._n_features_out = options.dimensions or embedder.dimension
        return self

    def transform(self, X: Iterable[str]) -> Floats:  # noqa: N803 - scikit-learn's name
        """Embed texts, shape (N, D), in their order.

        Raises:
            NotFittedError: If `fit` was not called.
            TextTypeError: If X is no list of str.
            SpaceError: If the name now leads to another model than it did in `fit`.
        """
        check_is_fitted(self)
        texts = _check_column(X)
        embedder, cache = self._loaded()
        if embedder.fingerprint != self.fingerprint_:
            raise SpaceError(
                f"{self.model} has the fingerprint {embedder.fingerprint[:12]}, and this vectorizer was fitted with a "
                f"model of {self.fingerprint_[:12]}: what comes after it knows other vectors. Name the model of the "
                f"fit with set_params(model=...), or fit again."
            )
        options = self._options()
        # an error for a long text names its place, which is only right where all texts are embedded
        if not texts or not self.cache_texts or self.on_truncation == "error":
            return embedder.encode(texts, **options)
        return cache.encode(
            texts,
            lambda missing: embedder.encode(missing, **options),
            options=repr(sorted(options.items())),
            most_texts=self.cache_texts,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _loaded(self) -> tuple[Embedder, VectorCache]:
        if isinstance(self.model, Embedder):
            raise ArgumentError(
                f"model is a loaded model, expected its name or folder, which can be cloned and pickled: "
                f"GteVectorizer({self.model.name!r})."
            )
        return _load(os.getpid(), str(self.model), self.revision, self.precision, self.threads, self.max_tokens)

    def _options(self) -> EncodeKeywords:
        options = {
            "prompt": self.prompt,
            "prompt_name": self.prompt_name,
            "on_truncation": self.on_truncation,
            "normalize": self.normalize,
            "dimensions": self.dimensions,
        }
        return cast(EncodeKeywords, options)


@lru_cache(maxsize=MODELS_AT_ONCE)
def _load(
    process: int,  # a forked worker has the memory of its parent, but not the threads of its models: it loads its own
    name: str,
    revision: str | None,
    precision: Precision | None,
    threads: int | None,
    max_tokens: int | None,
) -> tuple[Embedder, VectorCache]:
    embedder = load(name, revision=revision, precision=precision, threads=threads, max_tokens=max_tokens)
    return embedder, VectorCache()


def _check_column(texts: Iterable[str]) -> list[str]:
    """Give one column of texts as a list.

    Raises:
        TextTypeError: If it is a table, or holds something that is not a str.
    """
    dimensions = getattr(texts, "ndim", 1)
    if dimensions != 1:
        raise TextTypeError(
            f"X is a {type(texts).__name__} of shape {np.shape(cast(Any, texts))}, expected one column of texts. Of a "
            f"table: table['text'], in a ColumnTransformer ('...', GteVectorizer(), 'text') without a list around "
            f"the name."
        )
    return check_texts(texts)
