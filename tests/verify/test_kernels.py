"""The checks on a model: every kernel set, in every order, and a mistake is seen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import gtekit
from gtekit import _core
from gtekit.arrays import Floats
from gtekit.verify import check_kernels


def test_every_kernel_set_that_runs_here_is_checked_in_every_way(tiny_checkpoint: Path) -> None:
    asked: list[tuple[str, int | None]] = []

    def load(isa: str, threads: int | None) -> gtekit.Embedder:
        asked.append((isa, threads))
        return gtekit.load(tiny_checkpoint, isa=isa, threads=threads, language_warning=False)

    checks = list(check_kernels(load))
    assert all(check.passed for check in checks)
    names = [check.name.partition(",")[0] for check in checks]
    for isa in _core.isas():
        assert f"{isa} in another order" in names
        assert f"{isa} one by one on one thread" in names
        assert (f"{isa} against scalar" in names) == (isa != "scalar")
        assert {(isa, None), (isa, 1)} <= set(asked)


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
    checks = list(check_kernels(lambda isa, threads: gtekit.load(tiny_checkpoint, isa=isa, threads=threads)))
    wrong_checks = [check.name for check in checks if not check.passed]
    assert {f"{isa} {failed}" for isa in _core.isas()} <= {
        name.split(",")[0].removesuffix(" on one thread") for name in wrong_checks
    }
