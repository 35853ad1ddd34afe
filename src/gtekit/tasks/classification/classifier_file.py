"""Classifiers as files: JSON with the numbers in base64, readable anywhere, nothing in it that could run."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gtekit.arrays import Floats
from gtekit.errors import FileFormatError
from gtekit.inputs import read_options
from gtekit.tasks.classification.abstention import OperatingPoint
from gtekit.tasks.classification.classifier import Classifier, FitReport, Head
from gtekit.tasks.classification.cross_validation import Candidate, Estimate
from gtekit.tasks.classification.labels import Label, check_labels
from gtekit.tasks.classification.predictions import check_share
from gtekit.tasks.fitted_files import check_space, check_types, read_fitted, write_fitted

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel

KIND = "gtekit classifier"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedClassifier:
    """What a file holds, checked, but for the model that it needs."""

    model: str
    fingerprint: str
    head: Head
    report: FitReport
    abstain_below: float
    encode: Mapping[str, Any]


def save_classifier(classifier: Classifier, path: Path | str) -> None:
    """Write a classifier. The file appears when it is complete.

    Raises:
        FileFormatError: If no file can be made there.
    """
    head = classifier.head
    values = {
        "version": VERSION,
        "model": classifier.model.name,
        "fingerprint": classifier.model.fingerprint,
        "encode": dict(classifier.encode_options),
        "abstain_below": classifier.abstain_below,
        "report": asdict(classifier.report),
        "classes": list(head.classes),
        "dimension": head.coefficients.shape[1],
        "coefficients": _to_text(head.coefficients),
        "intercepts": _to_text(head.intercepts),
    }
    write_fitted(path, KIND, values)


def load_classifier(path: Path | str, model: "AnyModel") -> Classifier:
    """Read a classifier that `Classifier.save` wrote.

    Args:
        path: The file.
        model: The one that it was fitted on, or another that gives the same vectors.

    Raises:
        FileFormatError: If it can't be read, is no such file, or is damaged.
        SpaceError: If it was fitted on the vectors of another model.
    """
    saved = read_classifier(path)
    fix = "fit a classifier for this one: gtekit classify fit"
    check_space(saved.fingerprint, saved.model, model, what=f"{path}: this classifier", fix=fix)
    if saved.head.coefficients.shape[1] != (saved.encode.get("dimensions") or model.dimension):
        raise FileFormatError(
            f"{path}: holds {saved.head.coefficients.shape[1]} numbers for each label, and the vectors have "
            f"{saved.encode.get('dimensions') or model.dimension}. The file is damaged: fit and save again."
        )
    return Classifier(
        model,
        saved.head,
        saved.report,
        abstain_below=saved.abstain_below,
        encode=dict(saved.encode),  # type: ignore[arg-type]
    )


def read_classifier(path: Path | str) -> SavedClassifier:
    """Read a file without its model: all that can be checked before one is loaded.

    Raises:
        FileFormatError: If it can't be read, is no such file, or is damaged.
    """
    return read_fitted(path, KIND, _saved)


def _saved(values: Mapping[str, Any]) -> SavedClassifier:
    if values["version"] != VERSION:
        raise ValueError(f"version {values['version']!r} is not {VERSION}, the one that this gtekit reads")
    classes = tuple(check_labels(values["classes"], len(values["classes"])))
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise ValueError("classes have to be two or more different labels")
    dimension = values["dimension"]
    if type(dimension) is not int or dimension < 1:
        raise ValueError(f"dimension is {dimension!r}")
    encode = values["encode"]
    read_options(encode, dimension=encode.get("dimensions") or dimension)
    return SavedClassifier(
        model=str(values["model"]),
        fingerprint=str(values["fingerprint"]),
        head=Head(
            classes=classes,
            coefficients=_to_floats(values["coefficients"], (len(classes), dimension)),
            intercepts=_to_floats(values["intercepts"], (len(classes),)),
        ),
        report=_report(values["report"], classes),
        abstain_below=check_share("abstain_below", values["abstain_below"]),
        encode=encode,
    )


def _report(values: Mapping[str, Any], classes: tuple[Label, ...]) -> FitReport:
    if len(values["examples"]) != len(classes):
        raise ValueError(f"{len(values['examples'])} counts of examples for {len(classes)} classes")
    nested = {
        "examples": tuple(values["examples"]),
        "candidates": tuple(Candidate(**entry) for entry in values["candidates"]),
        "accuracy": values["accuracy"] and Estimate(**values["accuracy"]),
        "macro_f1": values["macro_f1"] and Estimate(**values["macro_f1"]),
        "abstention": tuple(OperatingPoint(**entry) for entry in values["abstention"]),
        "chosen": values["chosen"] and OperatingPoint(**values["chosen"]),
    }
    report = FitReport(**{**values, **nested})
    estimates = (part for part in (report.accuracy, report.macro_f1) if part is not None)
    for part in (report, *report.candidates, *estimates):
        check_types(part)
    return report


def _to_text(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _to_floats(text: str, shape: tuple[int, ...]) -> Floats:
    """Read float32 numbers, little end first, from base64."""
    values = np.frombuffer(base64.b64decode(text, validate=True), "<f4").astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("holds numbers that are not finite")
    return values.reshape(shape)
