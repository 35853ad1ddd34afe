"""A name to a model that can be evaluated."""

from dataclasses import dataclass, field
from pathlib import Path

from gtekit.config import Precision
from gtekit.embedder import load
from gtekit.evaluation.models.endpoint import EndpointModel, EndpointOptions, open_endpoint
from gtekit.evaluation.models.endpoint_address import OPENAI_ADDRESS
from gtekit.evaluation.models.interface import EvaluatedModel
from gtekit.evaluation.models.local import LocalModel
from gtekit.evaluation.models.names import prompts_of
from gtekit.evaluation.models.peer import PeerOptions, open_peer
from gtekit.evaluation.models.specs import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOptions:
    """Where models come from and how they run."""

    precision: Precision = "float32"  # of gtekit's models whose name says none
    cache_folder: Path | None = None
    local_files_only: bool = False
    max_tokens: int | None = None  # of models that run here; None: what each reads
    threads: int | None = None
    isa: str | None = None
    address: str = OPENAI_ADDRESS  # of endpoints
    key_variable: str | None = None
    paid_vectors: Path | None = None
    endpoint: EndpointOptions = field(default_factory=EndpointOptions)


def open_model(spec: ModelSpec, options: OpenOptions) -> EvaluatedModel:
    """Load a model, or make ready to ask a server.

    Raises:
        ModelNotFoundError: If there is no such model.
        MissingExtraError: If its kind needs a package that is not installed.
        EndpointError: If the server needs a key and the environment has none.
    """
    if spec.kind == "openai":
        return open_server(spec, options)
    if spec.kind == "sentence-transformers":
        return open_peer(
            spec.name,
            PeerOptions(
                cache_folder=options.cache_folder,
                local_files_only=options.local_files_only,
                max_tokens=options.max_tokens,
                threads=options.threads,
            ),
        )
    model = load(
        spec.name,
        cache_folder=options.cache_folder,
        local_files_only=options.local_files_only,
        threads=options.threads,
        isa=options.isa,
        precision=spec.precision or options.precision,
        max_tokens=options.max_tokens,
        language_warning=False,  # the test sets are what they are
    )
    return LocalModel(model)


def open_server(spec: ModelSpec, options: OpenOptions) -> EndpointModel:
    """Make ready to ask a server. Nothing is sent yet."""
    return open_endpoint(
        spec.name,
        address=options.address,
        key_variable=options.key_variable,
        prompts=prompts_of(spec.name, {}),
        paid_vectors=options.paid_vectors,
        options=options.endpoint,
    )
