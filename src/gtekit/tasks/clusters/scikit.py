"""scikit-learn, asked for where it is needed, and held to one thread where threads would change the result."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from gtekit.errors import MissingExtraError


def scikit(purpose: str, module: str) -> ModuleType:
    """Give a module of scikit-learn, such as "cluster".

    Raises:
        MissingExtraError: If it is not installed.
    """
    if find_spec("sklearn") is None:
        raise MissingExtraError(purpose, "tasks", "scikit-learn")
    return import_module(f"sklearn.{module}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run scikit-learn on one thread: its threads add up in whatever order they finish, and labels would follow.

    They also wait by spinning: on two CPUs with other work, t-SNE of 3,000 points took 93 s with two threads and
    35 s with one.
    """
    with import_module("threadpoolctl").threadpool_limits(limits=1):  # comes with scikit-learn
        yield
