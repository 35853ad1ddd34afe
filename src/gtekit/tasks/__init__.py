"""Functions on texts and arrays of vectors for what people do with embeddings.

The function wins over the module of the same name: `gtekit.tasks.rank` is what `from gtekit.tasks import rank` gives.
Everything here imports scikit-learn and matplotlib only when it is called.
"""

from typing import TYPE_CHECKING

from gtekit.tasks.classification.classifier import Classifier, FitReport
from gtekit.tasks.classification.classifier_file import load_classifier
from gtekit.tasks.classification.classify import classify
from gtekit.tasks.classification.few_shot import fit_classifier
from gtekit.tasks.classification.predictions import Predictions
from gtekit.tasks.classification.zero_shot import zero_shot
from gtekit.tasks.clusters import Cluster, Clusters, choose_count, cluster, cluster_vectors, layout, name_clusters
from gtekit.tasks.duplicates.deduplicate import Deduplicated, deduplicate, deduplicate_stream, deduplicate_vectors
from gtekit.tasks.duplicates.paraphrases import paraphrase_pairs, paraphrase_stream, paraphrases
from gtekit.tasks.explain import Explanation, explain
from gtekit.tasks.mmr import mmr
from gtekit.tasks.pairs.calibration import Calibration, calibration_for, fit_calibration, load_calibration
from gtekit.tasks.pairs.labelled_pairs import pair_scores
from gtekit.tasks.pairs.pair_classifier import PairClassifier, fit_pairs, load_pairs
from gtekit.tasks.pairs.reliability import Reliability, plot_reliability, reliability
from gtekit.tasks.rank import Ranked, rank, rerank
from gtekit.tasks.summarize import Sentence, Summary, summarize, summary_scores

if TYPE_CHECKING:
    from gtekit.tasks.vectorizer import GteVectorizer as GteVectorizer

__all__ = [
    "Calibration",
    "Classifier",
    "Cluster",
    "Clusters",
    "Deduplicated",
    "Explanation",
    "FitReport",
    "PairClassifier",
    "Predictions",
    "Ranked",
    "Reliability",
    "Sentence",
    "Summary",
    "calibration_for",
    "choose_count",
    "classify",
    "cluster",
    "cluster_vectors",
    "deduplicate",
    "deduplicate_stream",
    "deduplicate_vectors",
    "explain",
    "fit_calibration",
    "fit_classifier",
    "fit_pairs",
    "layout",
    "load_calibration",
    "load_classifier",
    "load_pairs",
    "mmr",
    "name_clusters",
    "pair_scores",
    "paraphrase_pairs",
    "paraphrase_stream",
    "paraphrases",
    "plot_reliability",
    "rank",
    "reliability",
    "rerank",
    "summarize",
    "summary_scores",
    "zero_shot",
]


def __getattr__(name: str) -> object:
    if name == "GteVectorizer":  # its base classes are scikit-learn's, which takes a second to import
        from gtekit.tasks.vectorizer import GteVectorizer

        return GteVectorizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
