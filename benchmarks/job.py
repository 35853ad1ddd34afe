"""What is measured: a checkpoint, the texts, and the files made from both for the peers."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

FILE = "job.json"
FAILURES_FILE = "failures.json"
MIXED = "mixed"  # the workload that stands for all others
CALIBRATION_TEXTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A checkpoint and the folder that holds all that was made from it."""

    work: Path  # the folder of this file
    model: Path  # a checkpoint in the sentence-transformers layout
    name: str  # how the report calls the checkpoint
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_tokens: int
    pooling: str = ""  # mean or cls, as sentence-transformers reads it: known after benchmarks.convert
    normalize: bool = True

    def texts_file(self, workload: str) -> Path:
        """Give the path of the texts of a workload."""
        return self.work / "texts" / f"{workload}.json"

    def reference_file(self, workload: str) -> Path:
        """Give the path of the fp32 vectors that sentence-transformers makes of a workload."""
        return self.work / "reference" / f"{workload}.npy"

    def texts(self, workload: str) -> list[str]:
        """Read the texts of a workload."""
        texts: list[str] = self._content(workload)["texts"]
        return texts

    def distribution(self, workload: str) -> dict[str, float]:
        """Read what is known about the lengths of a workload's texts."""
        lengths: dict[str, float] = self._content(workload)["distribution"]
        return lengths

    def source(self, workload: str) -> str:
        """Read where the texts of a workload come from."""
        source: str = self._content(workload)["source"]
        return source

    def _content(self, workload: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.texts_file(workload).read_text(encoding="utf-8"))
        return content

    def workloads(self) -> list[str]:
        """List the workloads that have been written."""
        return sorted(file.stem for file in (self.work / "texts").glob("*.json"))

    def calibration_texts(self) -> list[str]:
        """Give the texts on which static quantization is calibrated."""
        return self.texts(MIXED if MIXED in self.workloads() else self.workloads()[0])[:CALIBRATION_TEXTS]

    def failures(self) -> dict[str, str]:
        """Read which peers could not read the checkpoint, and why."""
        file = self.work / FAILURES_FILE
        failures: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return failures

    def save_failures(self, failures: dict[str, str]) -> None:
        """Write which peers could not read the checkpoint."""
        (self.work / FAILURES_FILE).write_text(json.dumps(failures, indent=2) + "\n", encoding="utf-8")

    def save(self) -> None:
        """Write job.json."""
        fields = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}
        (self.work / FILE).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")

    def with_head(self, pooling: str, normalize: bool) -> "Job":
        """Give the same job with the facts that sentence-transformers read from the checkpoint."""
        return replace(self, pooling=pooling, normalize=normalize)


def read_job(work: Path) -> Job:
    """Read the job of a work folder."""
    if not (work / FILE).is_file():
        raise SystemExit(f"{work / FILE} is missing. Make it first: python -m benchmarks.prepare --work {work}")
    fields = json.loads((work / FILE).read_text(encoding="utf-8"))
    return Job(**{**fields, "work": Path(fields["work"]), "model": Path(fields["model"])})
