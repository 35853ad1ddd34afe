"""How a model's vectors are made for a task: the prompt, and whether they get length 1.

"default" is what users of the model get. "published" is what the published score of that very model was made with:
authors scored vectors of other lengths, which moves a logistic regression by points, k-means by tenths, and cosines
not at all. Sources: the evaluation programs that came with E5 (unilm/e5/mteb_except_retrieval_eval.py,
mteb_beir_eval.py) and BGE (FlagEmbedding/C_MTEB/eval_MTEB.py); for GTE, dot products in its result files that differ
from cosines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gtekit.errors import ArgumentError
from gtekit.evaluation.models.interface import ModelFacts, Role
from gtekit.evaluation.results import SettingsName

E5_QUERY, E5_PASSAGE = "query: ", "passage: "
BGE_QUERY = "Represent this sentence for searching relevant passages: "
BGE_WITHOUT_PROMPT = ("ArguAna", "QuoraRetrieval")  # queries there look like documents


@dataclass(frozen=True, slots=True)
class Treatment:
    """How the texts of one role are embedded."""

    prompt: str
    normalize: bool | None  # None: as the model's files say


@dataclass(frozen=True, slots=True)
class Use:
    """What the texts are for."""

    task: str
    category: str
    role: Role


Rule = Callable[[Use], Treatment]


def treatment(facts: ModelFacts, settings: SettingsName, use: Use) -> Treatment:
    """Say how texts are embedded.

    Raises:
        ArgumentError: If published settings are asked for and nobody knows them of this model.
    """
    rule = published_rule(facts.name) if settings == "published" else None
    return rule(use) if rule else Treatment(_default_prompt(facts, use.role), None)


def published_rule(name: str) -> Rule | None:
    """Give how the published scores of a model were made; None: as its users get it.

    Raises:
        ArgumentError: If nobody knows.
    """
    if name.lower() not in _RULES:
        raise ArgumentError(
            f"{name}: how its published scores were made is not known here. Known: {', '.join(sorted(_RULES))}. "
            f"Leave out --published-settings to evaluate it as users get it."
        )
    return _RULES[name.lower()]


def _default_prompt(facts: ModelFacts, role: Role) -> str:
    query, document = facts.prompts.get("query", ""), facts.prompts.get("document", "")
    if role == "document":
        return document or facts.default_prompt
    # A model that marks documents too (E5) knows no text without a mark: its card asks for the query's on symmetric
    # tasks and features. One that marks queries alone (BGE) wants nothing there.
    if role == "query" or (query and document):
        return query or facts.default_prompt
    return facts.default_prompt


def _gte(_: Use) -> Treatment:
    return Treatment("", normalize=False)


def _e5(use: Use) -> Treatment:
    is_passage = use.role == "document" and use.category == "Retrieval" and use.task != "QuoraRetrieval"
    return Treatment(E5_PASSAGE if is_passage else E5_QUERY, normalize=use.category != "Classification")


def _bge(use: Use) -> Treatment:
    is_query = use.role == "query" and use.category == "Retrieval" and use.task not in BGE_WITHOUT_PROMPT
    return Treatment(BGE_QUERY if is_query else "", normalize=False)


_RULES: Mapping[str, Rule | None] = {
    **dict.fromkeys(("gte-small", "gte-base", "gte-large"), _gte),
    **dict.fromkeys(("e5-base-v2", "e5-large-v2"), _e5),
    "bge-small-en-v1.5": _bge,
    **dict.fromkeys(("all-minilm-l6-v2", "all-minilm-l12-v2", "text-embedding-ada-002", "sentence-t5-xxl")),
}
