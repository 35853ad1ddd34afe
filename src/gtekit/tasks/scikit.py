"""scikit-learn, asked for where it is needed, and held to one thread where threads would change the result."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from gtekit.errors import MissingExtraError


def scikit(purpose: str, module: str) -> ModuleType:
    """Give a module of scikit-learn, such as "cluster".

    Raises:
        MissingExtraError: If it is not installed, or can't be imported as it is.
    """
    try:
        import_module("sklearn")
        return import_module(f"sklearn.{module}")
    except ImportError as error:
        raise missing_scikit(purpose, error) from None


def missing_scikit(purpose: str, error: ImportError) -> MissingExtraError:
    """Say what is wrong where scikit-learn could not be imported: it is not there, or broken."""
    if (error.name or "").partition(".")[0] == "sklearn" and isinstance(error, ModuleNotFoundError):
        return MissingExtraError(purpose, "tasks", "scikit-learn")
    return MissingExtraError(purpose, "tasks", f"a scikit-learn that can be imported (this one says: {error})")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run scikit-learn on one thread: its threads add up in whatever order they finish, and labels would follow.

    They also wait by spinning: on two CPUs with other work, t-SNE of 3,000 points took 93 s with two threads and
    35 s with one. A regression of 616 texts with 77 labels takes 0.3 s so; with the threads of BLAS, on two cores that
    others kept busy, it had not ended after 55 s.
    """
    with import_module("threadpoolctl").threadpool_limits(limits=1):  # comes with scikit-learn
        yield
