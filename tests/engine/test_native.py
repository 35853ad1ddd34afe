"""The native engine, once per kernel set: the conformance suite, and what only it promises."""

import threading

import numpy as np
import pytest

from gtekit import _core
from gtekit.config import ModelConfig
from gtekit.engine.native import NativeEngine
from gtekit.errors import EngineError
from tests.engine.conformance import EngineConformance
from tests.engine.models import BUDGET, DEEP, TINY, bert_config, embed, native, pack, random_tensors, random_texts
from tests.engine.subprocesses import run_python
from tests.golden.files import deviation
from tests.reference import Reference, normalized

SHAPES = {
    "gte-small, two layers": bert_config(384, 2, 12, 1_536),
    "gte-base, one layer": bert_config(768, 1, 12, 3_072),
    "gte-large, one layer": bert_config(1_024, 1, 16, 4_096),
    "one head": bert_config(32, 1, 1, 64),
    "head of 12": bert_config(60, 2, 5, 100),
    "nothing is a multiple of 8": bert_config(33, 2, 3, 77),
    "one wide": bert_config(1, 1, 1, 1),
}


class TestNativeEngine(EngineConformance):
    @pytest.fixture
    def engine(self, isa: str) -> NativeEngine:
        return native(TINY, isa)

    def test_it_runs_the_kernels_that_were_asked_for(self, engine: NativeEngine, isa: str) -> None:
        assert engine.isa == isa


@pytest.mark.parametrize("config", SHAPES.values(), ids=SHAPES.keys())
def test_any_shape_agrees_with_the_numpy_reference(config: ModelConfig, isa: str) -> None:
    texts = random_texts([1, 2, 3, 31, 40], config)
    right = normalized(Reference(config, random_tensors(config)).embed(texts))
    found = deviation(embed(native(config, isa), texts), right)
    assert found.is_golden, found


def test_half_precision_weights_are_widened_exactly(isa: str) -> None:
    texts = random_texts([5, 30], TINY)
    half = {name: tensor.astype(np.float16) for name, tensor in random_tensors(TINY).items()}
    single = {name: tensor.astype(np.float32) for name, tensor in half.items()}
    brain = {name: (tensor.view(np.uint32) >> 16).astype(np.uint16) for name, tensor in single.items()}
    widened = {name: (tensor.astype(np.uint32) << 16).view(np.float32) for name, tensor in brain.items()}
    for stored, same in ((half, single), (brain, widened)):
        embeddings = embed(NativeEngine(TINY, stored, isa=isa), texts)
        np.testing.assert_array_equal(embeddings, embed(NativeEngine(TINY, same, isa=isa), texts))


def test_extreme_activations_stay_finite(isa: str) -> None:
    tensors = random_tensors(TINY)
    for name in tensors:
        if name.endswith(("query.weight", "key.weight", "intermediate.dense.weight")):
            tensors[name] = tensors[name] * np.float32(300)  # scores far beyond what exp can hold, GELU far out
    texts = random_texts([1, 7, 64], TINY)
    found = deviation(
        embed(NativeEngine(TINY, tensors, isa=isa), texts), normalized(Reference(TINY, tensors).embed(texts))
    )
    assert found.min_cosine > 0.999, found  # the softmax is nearly a hard choice: small errors may be amplified


def test_the_fastest_kernels_run_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GTEKIT_ISA", raising=False)
    assert NativeEngine(TINY, random_tensors(TINY)).isa == _core.isas()[0]


def test_an_environment_variable_forces_kernels(isa: str) -> None:
    program = "from tests.engine.models import *; print(native(TINY).isa)"
    assert run_python(program, {"GTEKIT_ISA": isa}).stdout.split() == [isa]


def test_an_argument_wins_over_the_environment_variable(isa: str) -> None:
    program = f"from tests.engine.models import *; print(native(TINY, {isa!r}).isa)"
    assert run_python(program, {"GTEKIT_ISA": "scalar"}).stdout.split() == [isa]


@pytest.mark.parametrize("name", ["avx1024", "AVX2 ", "sve", "1"])
def test_impossible_kernels_are_refused_with_the_possible_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ".*".join(_core.isas())
    with pytest.raises(EngineError, match=f"{name}.*{listed}"):
        NativeEngine(TINY, random_tensors(TINY), isa=name)
    monkeypatch.setenv("GTEKIT_ISA", name)
    with pytest.raises(EngineError, match=f"(?s)(GTEKIT_ISA.*{name}|{name}.*GTEKIT_ISA).*{listed}"):
        NativeEngine(TINY, random_tensors(TINY))


def test_every_compiled_kernel_set_that_can_run_is_listed_and_scalar_is_last() -> None:
    assert set(_core.isas()) <= set(_core.compiled_isas())
    assert _core.isas()[-1] == "scalar"


def test_long_work_reports_from_the_calling_thread() -> None:
    reports: list[tuple[int, int]] = []
    threads: set[int] = set()

    def report(texts_done: int, tokens_done: int) -> None:
        reports.append((texts_done, tokens_done))
        threads.add(threading.get_ident())

    texts = random_texts([120] * 40, DEEP)
    token_ids, cu_seqlens = pack(texts)
    native(DEEP).encode(token_ids, cu_seqlens, pooling="mean", normalize=True, batch_tokens=BUDGET, report=report)
    assert reports
    assert reports == sorted(reports)
    assert reports[-1] <= (len(texts), len(token_ids))
    assert all(tokens == texts_done * 120 for texts_done, tokens in reports)
    assert threads == {threading.get_ident()}


def test_an_error_in_the_report_stops_the_work_and_reaches_the_caller() -> None:
    def report(texts_done: int, tokens_done: int) -> None:
        raise LookupError("enough")

    engine = native(DEEP)
    few = random_texts([4, 30], DEEP)
    before = embed(engine, few)
    token_ids, cu_seqlens = pack(random_texts([256] * 2_000, DEEP))  # minutes of work, if it went on
    with pytest.raises(LookupError, match="enough"):
        engine.encode(token_ids, cu_seqlens, pooling="mean", normalize=True, batch_tokens=BUDGET, report=report)
    np.testing.assert_array_equal(embed(engine, few), before)
