"""Models to evaluate, wherever they run: gtekit's own, those of sentence-transformers, those behind an address."""

from gtekit.evaluation.models.cost import describe_cost, estimate_cost, may_cost
from gtekit.evaluation.models.endpoint import EndpointOptions, open_endpoint
from gtekit.evaluation.models.endpoint_address import OPENAI_ADDRESS
from gtekit.evaluation.models.interface import EvaluatedModel, ModelFacts
from gtekit.evaluation.models.local import LocalModel
from gtekit.evaluation.models.names import short_name
from gtekit.evaluation.models.open import OpenOptions, open_model, open_server
from gtekit.evaluation.models.peer import PeerModel, open_peer
from gtekit.evaluation.models.specs import PRECISIONS, ModelSpec, parse_spec, with_precisions

__all__ = [
    "OPENAI_ADDRESS",
    "PRECISIONS",
    "EndpointOptions",
    "EvaluatedModel",
    "LocalModel",
    "ModelFacts",
    "ModelSpec",
    "OpenOptions",
    "PeerModel",
    "describe_cost",
    "estimate_cost",
    "may_cost",
    "open_endpoint",
    "open_model",
    "open_peer",
    "open_server",
    "parse_spec",
    "short_name",
    "with_precisions",
]
