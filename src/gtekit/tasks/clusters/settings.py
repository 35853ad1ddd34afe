"""How texts are grouped: the options of every method, checked before any work is done."""

from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict, get_args

from gtekit.errors import ArgumentError
from gtekit.inputs import check_count
from gtekit.tasks.unit_vectors import check_threshold

Method = Literal["kmeans", "hdbscan", "communities"]
Criterion = Literal["silhouette", "calinski_harabasz"]

METHODS: tuple[Method, ...] = get_args(Method)
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
MOST_SEED = 2**32 - 1  # what numpy and scikit-learn take


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """How vectors become clusters. The same settings, vectors and machine give the same clusters."""

    method: Method = "kmeans"
    clusters: int | None = None  # of kmeans: how many; None: as many as the criterion finds best
    criterion: Criterion = "silhouette"  # of kmeans without a number
    batch_rows: int | None = None  # of kmeans: mini-batches of so many; None: all rows at once, from 20,000 on 4,096
    threshold: float | None = None  # of communities: the least cosine to the centre; None: taken from the vectors
    min_size: int = 10  # of hdbscan and communities: fewer texts are no cluster
    dimensions: int | None = 20  # of hdbscan: principal components that are kept; None: all numbers of the vectors
    seed: int = 42  # of every random choice


class ClusterKeywords(TypedDict, total=False):
    """The fields of ClusterSettings as keyword arguments."""

    method: Method
    clusters: int | None
    criterion: Criterion
    batch_rows: int | None
    threshold: float | None
    min_size: int
    dimensions: int | None
    seed: int


OWN = {"clusters": "kmeans", "batch_rows": "kmeans", "threshold": "communities"}  # options that one method has


def read_settings(keywords: ClusterKeywords) -> ClusterSettings:
    """Turn keyword arguments into settings.

    Raises:
        ArgumentError: If there is no such option, its value is not possible, or the method has no use for it.
    """
    names = [field.name for field in fields(ClusterSettings)]
    for name in keywords:
        if name not in names:
            raise ArgumentError(f"unknown option {name!r}; choose from: {', '.join(names)}.")
    settings = ClusterSettings(**keywords)
    check_choice("method", settings.method, METHODS)
    check_choice("criterion", settings.criterion, CRITERIA)
    for name, method in OWN.items():
        value = getattr(settings, name)
        if value is not None and settings.method != method:
            raise ArgumentError(
                f'{name}={value!r} is an option of method="{method}"; method={settings.method!r} has no use for it: '
                f"leave it out."
            )
    for name, least in (("clusters", 1), ("batch_rows", 1), ("dimensions", 1), ("min_size", 2)):
        value = getattr(settings, name)
        if value is not None:
            check_count(name, value, least=least)
    check_count("seed", settings.seed, least=0, most=MOST_SEED)
    if settings.threshold is not None:
        check_threshold(settings.threshold)
    return settings


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:  # noqa: ANN401 - whatever was passed in
    """Make sure that a value is one of the choices.

    Raises:
        ArgumentError: If it is not.
    """
    if value not in choices:
        raise ArgumentError(f"{name}={value!r} is not possible; choose from: {', '.join(map(repr, choices))}.")
