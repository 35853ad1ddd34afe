"""How a person asks gtekit search, and the answer."""

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtekit.cli.options import first_prompt
from gtekit.cli.printing import print_json, say
from gtekit.cli.search_output import hit_json, print_hits
from gtekit.errors import ArgumentError, TruncationWarning

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

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncationWarning)  # it names options that a search does not have
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
        if self.mode != "text":
            _warn_of_cut(model, query)
        if not self.is_json:
            print_hits(hits, is_full=self.is_full)
            return
        found = {"query": query, "model": model.name, "mode": self.mode, "results": [*map(hit_json, hits)]}
        if self.is_one_line:
            print(json.dumps(found, ensure_ascii=False), flush=True)
        else:
            print_json(found)


def print_error(query: str, message: str) -> None:
    """Print a line of JSON for a query that could not be answered."""
    shown = query.encode("utf-8", "replace").decode()  # what was no UTF-8 as question marks
    print(json.dumps({"query": shown, "error": message}, ensure_ascii=False), flush=True)


def _warn_of_cut(model: "Embedder", query: str) -> None:
    from gtekit.inputs import QUERY_PROMPTS

    for cut in model.truncation_report([query], prompt_name=first_prompt(model, QUERY_PROMPTS)):
        say(
            f"warning: the query has {cut.token_count:,} tokens, and {cut.tokens_kept:,} are read; what comes from "
            f"character {cut.cut_at:,} on has no part in the search. Shorten it."
        )
