"""The models of a server, by every name that clients may use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtekit.serving.problems import Kind, Problem

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.serving.scheduler import Scheduler

ANY = "*"  # an alias that stands for every name


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """One loaded model with its queue."""

    name: str  # as it is shown: what `--model` said, or the alias before its equals sign
    model: "Embedder"
    scheduler: "Scheduler"


class ServedModels:
    """All models, the default one first.

    Args:
        models: At least one.
        aliases: More names, each for the name of a model; "*" takes every name that is not known.
    """

    def __init__(self, models: Sequence[ServedModel], aliases: Mapping[str, str] | None = None) -> None:
        self._models = tuple(models)
        self._by_name: dict[str, ServedModel] = {}
        for served in reversed(self._models):
            for name in (served.model.name, served.model.name.rsplit("/", 1)[-1], served.name):
                self._by_name[name] = served
        for alias, name in (aliases or {}).items():
            self._by_name[alias] = self.find(name)

    def __iter__(self) -> Iterator[ServedModel]:
        return iter(self._models)

    @property
    def default(self) -> ServedModel:
        """The model of requests that name none."""
        return self._models[0]

    def names(self) -> list[str]:
        """Give all names that clients may use, in alphabetical order."""
        return sorted(self._by_name)

    def find(self, name: str | None) -> ServedModel:
        """Give the model of a name.

        Raises:
            Problem: If there is none; it lists the names, and says how to add one.
        """
        if name is None:
            return self.default
        found = self._by_name.get(name) or self._by_name.get(ANY)
        if found is None:
            known = ", ".join(self.names())
            raise Problem(
                Kind.NO_MODEL,
                f"There is no model {name!r} here; there are: {known}. A client whose model name can't be changed is "
                f"served with: gtekit serve --alias {name}={self.default.name}",
                param="model",
            )
        return found
