"""All that handlers share: one object for each server."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gtekit.serving.tokenizer_work import TokenizerWork

if TYPE_CHECKING:
    from gtekit.serving.health import Readiness
    from gtekit.serving.keys import Keys
    from gtekit.serving.metrics import Metrics
    from gtekit.serving.served_models import ServedModels
    from gtekit.serving.settings import ServerSettings

Phase = Literal["starting", "ready", "draining"]


@dataclass(slots=True, kw_only=True)
class State:
    """What a server consists of while it runs."""

    settings: "ServerSettings"
    models: "ServedModels | None"  # None while they are being loaded
    keys: "Keys"
    metrics: "Metrics"
    phase: Phase = "starting"
    failure: str = field(default="")  # why the last readiness check failed; "" where it did not
    readiness: "Readiness | None" = None  # of health.check_ready
    tokenizing: TokenizerWork = field(default_factory=TokenizerWork)  # for requests that need no engine
