"""How a person asks gtekit search, and the answer."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtekit.cli.printing import print_json
from gtekit.cli.search_output import hit_json, print_hits
from gtekit.errors import ArgumentError

if TYPE_CHECKING:
    from gtekit.embedder import Embedder
    from gtekit.index import Index, Mode


@dataclass(frozen=True, slots=True)
class Asked:
    """How to search and show."""

    top_k: int
    mode: "Mode"
    where: str | None
    text_weight: float
    diversity: float
    is_full: bool
    is_json: bool
    is_one_line: bool  # of JSON

    def check(self, index: "Index") -> None:
        """Refuse before a model is loaded what can't be searched for.

        Raises:
            ArgumentError: If a value is not possible or the filter can't be read.
        """
        from gtekit.index.search import SearchOptions

        SearchOptions(
            top_k=self.top_k,
            mode=self.mode,
            where=self.where,
            text_weight=self.text_weight,
            diversity=self.diversity,
        ).check()
        if self.where is not None:
            index.count(self.where)
        stats = index.stats()
        if self.mode != "vector" and not stats.has_text:
            raise ArgumentError(
                f"{index.location}: keeps no index of words (backend {stats.backend}). Search it with --mode vector, "
                f"or build one with --backend lance."
            )

    def answer(self, index: "Index", model: "Embedder", query: str) -> None:
        """Search, and print what was found."""
        from gtekit.index.passages import search_passages

        hits = search_passages(
            index,
            query,
            model,
            top_k=self.top_k,
            mode=self.mode,
            where=self.where,
            text_weight=self.text_weight,
            diversity=self.diversity,
        )
        if not self.is_json:
            print_hits(hits, is_full=self.is_full)
            return
        found = {"query": query, "model": model.name, "mode": self.mode, "results": [*map(hit_json, hits)]}
        if self.is_one_line:
            print(json.dumps(found, ensure_ascii=False), flush=True)
        else:
            print_json(found)
