"""The checks on a model: every kernel set, in every order, and a mistake is seen."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import gtekit
from gtekit import _core
from gtekit.arrays import Floats
from gtekit.config import Precision
from gtekit.verify import check_kernels


def test_every_kernel_set_that_runs_here_is_checked_in_every_way(tiny_checkpoint: Path) -> None:
    asked: list[tuple[str, int | None, Precision]] = []

    def load(isa: str, threads: int | None, precision: Precision) -> gtekit.Embedder:
        asked.append((isa, threads, precision))
        return gtekit.load(tiny_checkpoint, isa=isa, threads=threads, precision=precision, language_warning=False)

    checks = list(check_kernels(load))
    assert all(check.passed for check in checks)
    names = [check.name.partition(",")[0] for check in checks]
    for isa, precision in product(_core.isas(), get_args(Precision)):
        assert f"{precision} {isa} in another order" in names
        assert f"{precision} {isa} one by one on one thread" in names
        assert (f"{precision} {isa} against scalar" in names) == (isa != "scalar")
        assert {(isa, None, precision), (isa, 1, precision)} <= set(asked)


@pytest.mark.parametrize(("mistake", "failed"), [("place", "in another order"), ("company", "one by one")])
def test_one_bit_that_depends_on_place_or_company_is_seen(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, mistake: str, failed: str
) -> None:
    right = gtekit.Embedder.encode

    def wrong(self: gtekit.Embedder, texts: Sequence[str], **options: object) -> Floats:
        embeddings = right(self, texts, **options)  # type: ignore[arg-type]
        size = len(texts) if mistake == "company" else np.arange(len(texts))[:, None]
        return np.asarray(embeddings * (1 + size * np.float32(2**-22)), np.float32)

    monkeypatch.setattr(gtekit.Embedder, "encode", wrong)

    def load(isa: str, threads: int | None, precision: Precision) -> gtekit.Embedder:
        return gtekit.load(tiny_checkpoint, isa=isa, threads=threads, precision=precision)

    wrong_checks = [check.name for check in check_kernels(load) if not check.passed]
    assert {f"{precision} {isa} {failed}" for isa, precision in product(_core.isas(), get_args(Precision))} <= {
        name.split(",")[0].removesuffix(" on one thread") for name in wrong_checks
    }
