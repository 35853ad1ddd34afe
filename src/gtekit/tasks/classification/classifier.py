"""A classifier fitted on examples: a linear layer over the embeddings of one model. Using it needs no scikit-learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gtekit.arrays import Floats, Ints
from gtekit.errors import ShapeError
from gtekit.inputs import check_texts
from gtekit.tasks.classification.abstention import OperatingPoint
from gtekit.tasks.classification.cross_validation import Candidate, ClassWeight, Estimate
from gtekit.tasks.classification.labels import Label
from gtekit.tasks.classification.predictions import Predictions, check_share, choose_labels, softmax

if TYPE_CHECKING:
    from gtekit.any_model import AnyModel
    from gtekit.config import EncodeKeywords


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was fitted: probabilities are the softmax of vectors @ coefficients.T + intercepts."""

    classes: tuple[Label, ...]
    coefficients: Floats  # (C, D)
    intercepts: Floats  # (C,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    """What a classifier was fitted on, and how well it did on texts that it had not seen.

    Accuracy and macro-F1 are those of the best of the candidates, chosen on the same texts: a little too high.
    """

    texts: int
    examples: tuple[int, ...]  # of each class, in the order of the classes
    c: float
    class_weight: ClassWeight | None
    folds: int  # 0: not cross-validated, and what follows is empty
    candidates: tuple[Candidate, ...] = ()
    accuracy: Estimate | None = None
    macro_f1: Estimate | None = None
    abstention: tuple[OperatingPoint, ...] = ()
    chosen: OperatingPoint | None = None  # where a threshold was asked for by accuracy or coverage


@dataclass(frozen=True, slots=True)
class Seen:
    """What cross-validation said of each example; lives with the fit and is not saved."""

    truths: Ints  # (N,), numbers of classes
    predicted: Ints  # (N,)
    confidence: Floats  # (N,)


class Classifier:
    """Texts to labels. Made by `fit_classifier` and `load_classifier`."""

    def __init__(
        self,
        model: "AnyModel",
        head: Head,
        report: FitReport,
        *,
        abstain_below: float = 0.0,
        encode: "EncodeKeywords | None" = None,
        seen: Seen | None = None,
    ) -> None:
        self.model = model
        self.head = head
        self.report = report
        self.abstain_below = check_share("abstain_below", abstain_below)
        self.encode_options: EncodeKeywords = encode or {}  # how texts become vectors, in the fit and ever after
        self.seen = seen

    def __repr__(self) -> str:
        return f"<Classifier of {len(self.classes)} labels on {self.model.name}>"

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels, in the order of the columns of probabilities."""
        return self.head.classes

    def predict(self, texts: Sequence[str], *, abstain_below: float | None = None) -> Predictions:
        """Give each text a label, or None where the best one is less probable than the threshold.

        Args:
            texts: A list of str.
            abstain_below: 0 to 1; None: the threshold of the classifier.

        Raises:
            TextTypeError: If something in `texts` is not a str.
        """
        threshold = self._threshold(abstain_below)  # checked before any text is embedded
        return self.predict_vectors(self._embed(texts), abstain_below=threshold)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Give the probability of each class, shape (N, C)."""
        return self._probabilities(self._embed(texts))

    def predict_vectors(self, vectors: Floats, *, abstain_below: float | None = None) -> Predictions:
        """Do as `predict` does, for vectors that the same model gave with the same options.

        Args:
            vectors: Shape (N, D).
            abstain_below: 0 to 1; None: the threshold of the classifier.

        Raises:
            ShapeError: If the dimensions are not those of the fit.
        """
        return choose_labels(self._probabilities(vectors), self.classes, self._threshold(abstain_below))

    def save(self, path: Path | str) -> None:
        """Write a JSON file that `load_classifier` reads.

        Raises:
            FileFormatError: If no file can be made there.
        """
        from gtekit.tasks.classification.classifier_file import save_classifier

        save_classifier(self, path)

    def _embed(self, texts: Sequence[str]) -> Floats:
        return self.model.encode(check_texts(texts), **self.encode_options)

    def _probabilities(self, vectors: Floats) -> Floats:
        expected = self.head.coefficients.shape[1]
        if np.ndim(vectors) != 2 or np.shape(vectors)[1] != expected:
            raise ShapeError(
                f"vectors have shape {np.shape(vectors)}, expected (N, {expected}): those of {self.model.name} with "
                f"the options of the fit."
            )
        return softmax(np.asarray(vectors, np.float32) @ self.head.coefficients.T + self.head.intercepts)

    def _threshold(self, abstain_below: float | None) -> float:
        return self.abstain_below if abstain_below is None else check_share("abstain_below", abstain_below)
