"""A model on somebody's own data: pairs, triples, labelled texts, or queries and documents. No torch, no mteb."""

from gtekit.evaluation.own_data.comparison import Comparison, compare
from gtekit.evaluation.own_data.data import KINDS, Kind
from gtekit.evaluation.own_data.evaluate import evaluate, measure
from gtekit.evaluation.own_data.evaluation import Evaluation, check_page
from gtekit.evaluation.own_data.findings import ScoreRange
from gtekit.evaluation.own_data.guess import guess_kind
from gtekit.evaluation.own_data.model import Model
from gtekit.evaluation.own_data.source import Source, read_source

__all__ = [
    "KINDS",
    "Comparison",
    "Evaluation",
    "Kind",
    "Model",
    "ScoreRange",
    "Source",
    "check_page",
    "compare",
    "evaluate",
    "guess_kind",
    "measure",
    "read_source",
]
