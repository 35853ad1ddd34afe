"""Pairs of texts as cosines and labels: checked, each text embedded once, and cut into folds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from gtekit.any_model import AnyModel
from gtekit.arrays import Array, Floats, Ints
from gtekit.config import EncodeKeywords
from gtekit.cosines import similarity_pairwise
from gtekit.errors import ArgumentError, ShapeError
from gtekit.inputs import check_count, check_texts
from gtekit.tasks.alike import alike_options
from gtekit.tasks.scikit import scikit

SEED = 42
FOLDS = 5


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Cosines of pairs and what people say of them."""

    scores: Floats  # (N,)
    labels: Ints  # (N,), 0 or 1, both there
    groups: Ints  # (N,), pairs of one group are never on both sides of a fold

    @property
    def base_rate(self) -> float:
        """The share of pairs labelled 1."""
        return float(self.labels.mean())


def pair_scores(
    model: AnyModel, left: Sequence[str], right: Sequence[str], **options: Unpack[EncodeKeywords]
) -> Floats:
    """Give the cosine of each text with the text in the same place of the other list.

    Every different text is embedded once. With a model that marks queries and documents (E5) both sides get the mark of
    queries, unless a prompt is named.

    Args:
        model: What `gtekit.load` gives.
        left: N texts.
        right: As many.
        **options: Those of `Embedder.encode`; vectors are always normalized.

    Returns:
        Shape (N,), -1 to 1.

    Raises:
        TextTypeError: If something is not a str.
        ShapeError: If the lists are not equally long.
    """
    left, right = check_texts(left), check_texts(right)
    if len(left) != len(right):
        raise ShapeError(f"left has {len(left):,} texts, right {len(right):,}; pairs need as many of both.")
    if not left:
        return np.empty(0, np.float32)
    rows: dict[str, int] = {}
    numbers = np.array([rows.setdefault(text, len(rows)) for text in [*left, *right]])
    vectors = model.encode(list(rows), **alike_options(model, options))
    return similarity_pairwise(vectors[numbers[: len(left)]], vectors[numbers[len(left) :]])


def labelled_pairs(
    model: AnyModel, left: Sequence[str], right: Sequence[str], labels: Sequence[int] | Array, options: EncodeKeywords
) -> LabelledPairs:
    """Embed labelled pairs, to fit something to them. Those with the same left text are one group.

    Raises:
        MissingExtraError: If scikit-learn, which cuts them into folds, is not installed.
        ShapeError: If there is not one label for each pair.
        ArgumentError: If labels are not all 0 or 1, or all the same.
    """
    scikit("fitting to labelled pairs", "model_selection")  # what is not installed is known before texts are embedded
    checked = check_labels(labels)
    if len(checked) != len(left):
        raise ShapeError(f"there are {len(left):,} pairs and {len(checked):,} labels; each pair needs one.")
    groups: dict[str, int] = {}
    numbers = np.array([groups.setdefault(text, len(groups)) for text in check_texts(left)], np.int64)
    return LabelledPairs(pair_scores(model, left, right, **options), checked, numbers)


def check_labels(labels: Sequence[int] | Array) -> Ints:
    """Give labels as whole numbers, made sure to be 0 and 1, with both there.

    Raises:
        ArgumentError: If they are not; it names the first.
    """
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ShapeError(f"labels have shape {values.shape}, expected one label for each pair: (N,).")
    is_label = np.isin(values, (0, 1)) if values.dtype.kind in "biuf" else np.zeros(len(values), bool)
    if not is_label.all():
        index = int(np.argmin(is_label))
        raise ArgumentError(
            f"labels[{index}] is {values[index].item()!r}, expected 0 or 1. Grades? Choose the least that means yes: "
            f"labels = grades >= 4."
        )
    ones = int(np.count_nonzero(values))
    if ones in (0, len(values)):
        raise ArgumentError(
            f"all {len(values):,} pairs have the label {int(bool(ones))}; with nothing to tell apart nothing can be "
            f"fitted. Add pairs of the other label."
        )
    return values.astype(np.int64)


def cut_into_folds(pairs: LabelledPairs, folds: int) -> Iterator[tuple[Ints, Ints]]:
    """Give rows to fit on and rows to judge by, for each fold: stratified by label, no group on both sides.

    Where there are too few groups to share out (one query with all its answers), pairs are shared out one by one.

    Raises:
        ArgumentError: If a label has fewer pairs than there are folds.
        MissingExtraError: If scikit-learn is not installed.
    """
    check_count("folds", folds, least=2)
    module = scikit("cross-validation", "model_selection")
    ones = int(pairs.labels.sum())
    rarer = min(ones, len(pairs.labels) - ones)
    if rarer < folds:
        raise ArgumentError(
            f"the rarer label has {rarer} of {len(pairs.labels):,} pairs, and {folds} folds need {folds} or more. Add "
            f"pairs; a few hundred give figures to rely on."
        )
    groups_of = [len(np.unique(pairs.groups[pairs.labels == label])) for label in (0, 1)]
    if min(groups_of) >= 2 * folds:
        splitter = module.StratifiedGroupKFold(folds, shuffle=True, random_state=SEED)
        yield from splitter.split(pairs.scores, pairs.labels, pairs.groups)
    else:
        yield from module.StratifiedKFold(folds, shuffle=True, random_state=SEED).split(pairs.scores, pairs.labels)
