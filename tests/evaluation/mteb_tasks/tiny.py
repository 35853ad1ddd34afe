"""A few rows of each kind of task in the form of real test sets, and a model whose vectors are known by heart."""

import gzip
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gtekit.arrays import Floats
from gtekit.evaluation.models.interface import ModelFacts

Files = Mapping[str, Sequence[Mapping[str, Any]]]

# A text ends in the direction of its vector, in degrees, so cosines are those of differences of angles.
TASKS: Mapping[str, Files] = {
    "STSBenchmark": {
        "test": [
            {"sentence1": "first @0", "sentence2": "same @0", "score": 5.0},
            {"sentence1": "first @0", "sentence2": "near @40", "score": 1.0},
            {"sentence1": "first @0", "sentence2": "far @90", "score": 3.0},
        ]
    },
    "TwitterURLCorpus": {
        "test": [
            {"sent1": "a @0", "sent2": "b @10", "label": 1},
            {"sent1": "a @0", "sent2": "c @20", "label": 0},
            {"sent1": "a @0", "sent2": "d @30", "label": 1},
            {"sent1": "a @0", "sent2": "e @80", "label": 0},
        ]
    },
    "Banking77Classification": {
        "train": [
            {"text": f"{label} {number} @{angle}", "label": label}
            for number in range(8)
            for label, angle in (("card", 0), ("cash", 90))
        ],
        "test": [
            {"text": "my card @5", "label": "card"},
            {"text": "another card @10", "label": "card"},
            {"text": "some cash @85", "label": "cash"},
            {"text": "cash that looks like a card @2", "label": "cash"},
        ],
    },
    "TwentyNewsgroupsClustering": {
        "test": [
            {
                "sentences": ["bikes @0", "more bikes @1", "space @90", "more space @91"],
                "labels": ["bikes", "bikes", "space", "space"],
            },
            {
                "sentences": ["bikes @0", "space @1", "bikes again @90", "space again @91"],
                "labels": ["bikes", "space", "bikes", "space"],
            },
        ]
    },
    "SciFact": {
        "corpus": [
            {"_id": "d1", "title": "one", "text": "about @0"},
            {"_id": "d2", "title": "", "text": "two @30"},
            {"_id": "d3", "text": "three @90"},
        ],
        "queries": [{"_id": "q1", "text": "asks one @0"}, {"_id": "q2", "text": "asks three @50"}],
        "qrels": [
            {"query_id": "q1", "corpus_id": "d1", "score": 1},
            {"query_id": "q2", "corpus_id": "d3", "score": 1},
        ],
    },
    "AskUbuntuDupQuestions": {
        "test": [
            {"query": "how @0", "positive": ["like this @10", "or this @40"], "negative": ["not this @20", "nor @90"]},
            {"query": "why @90", "positive": ["because @80"], "negative": ["never @0"]},
        ]
    },
    "SummEval": {
        "test": [
            {
                "text": "an article @0",
                "human_summaries": ["by a person @0", "by another @0"],
                "machine_summaries": ["a @10", "b @20", "c @30", "d @40"],
                "relevance": [5.0, 4.0, 3.0, 2.0],
            },
            {
                "text": "another article @0",
                "human_summaries": ["by a third @0"],
                "machine_summaries": ["e @10", "f @20", "g @30", "h @40"],
                "relevance": [4.0, 5.0, 3.0, 2.0],
            },
        ]
    },
}

EXPECTED: Mapping[str, float] = {  # in points
    # ranks by cosine 3 2 1, by people 3 1 2: 1 - 6 * (0 + 1 + 1) / (3 * (9 - 1))
    "STSBenchmark": 50.0,
    # right at places 1 and 3 of 4: (1/1 + 2/3) / 2
    "TwitterURLCorpus": 100 * (1 + 2 / 3) / 2,
    # three of four on the right side of the line between 0 and 90 degrees
    "Banking77Classification": 75.0,
    # clusters and labels agree in the first set, tell nothing of each other in the second
    "TwentyNewsgroupsClustering": 50.0,
    # the one right document at place 1, and at place 2, which is worth 1 / log2(3): d2 is 20 degrees away, d3 40
    "SciFact": 100 * (1 + 1 / math.log2(3)) / 2,
    # right at places 1 and 3: (1/1 + 2/3) / 2; right at place 1
    "AskUbuntuDupQuestions": 100 * ((1 + 2 / 3) / 2 + 1) / 2,
    # ranks agree: correlation 1, p value 0; two of four swapped: 1 - 6 * 2 / (4 * 15) = 0.8, and with two degrees of
    # freedom p = 1 - 0.8. The first version of the task averages all four numbers.
    "SummEval": 100 * (1.0 + 0.0 + 0.8 + 0.2) / 4,
}


def write_tasks(folder: Path, tasks: Mapping[str, Files] = TASKS, *, is_packed: bool = True) -> Path:
    for task, files in tasks.items():
        for name, rows in files.items():
            write_rows(folder / task / f"{name}.jsonl{'.gz' if is_packed else ''}", rows)
    return folder


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


class AngleModel:
    """Embeds a text as the direction that stands at its end."""

    def __init__(self, name: str = "angles", prompts: Mapping[str, str] | None = None) -> None:
        self.calls: list[tuple[list[str], str, bool | None]] = []
        self.fails_at: str | None = None
        self._name = name
        self._prompts = prompts or {}

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(
            name=self._name,
            kind="gtekit",
            fingerprint="f" * 16,
            precision="float32",
            max_tokens=512,
            prompts=self._prompts,
            default_prompt="",
            size_bytes=4,
        )

    @property
    def texts_cut(self) -> int:
        return 0

    @property
    def texts_kept(self) -> int:
        return 0

    def embed(
        self, texts: Sequence[str], *, prompt: str, normalize: bool | None, done: Callable[[int], None]
    ) -> Floats:
        self.calls.append((list(texts), prompt, normalize))
        if self.fails_at in texts:
            raise RuntimeError("no vector")
        angles = np.radians([float(text.rpartition("@")[2]) for text in texts])
        done(len(texts))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    @property
    def texts(self) -> list[str]:
        return [text for texts, _, _ in self.calls for text in texts]
