"""No text is cut in silence: warned of once, refused, or reported with the place of the cut."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gtekit
from gtekit.arrays import Floats, Ints, TokenIds
from gtekit.protocols import Report
from gtekit.truncation import TruncationCount

LONG = "the water of the city " * 40
LIMIT = 64


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> gtekit.Embedder:
    return gtekit.load(tiny_checkpoint, language_warning=False)


def test_one_warning_a_call_has_the_counts(model: gtekit.Embedder) -> None:
    count = model.count_tokens([LONG])[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.encode(["short", LONG, LONG + LONG, "short"])
    assert len(caught) == 1
    message = str(caught[0].message)
    assert message.startswith(f"2 of 4 texts are longer than the {LIMIT} tokens that are read: ")
    assert f"{3 * count - 2 - 2 * LIMIT:,} tokens have no part" in message
    assert f"texts[2] with {2 * count - 2:,} tokens" in message


def test_a_stream_warns_once_when_it_ends(model: gtekit.Embedder) -> None:
    with pytest.warns(gtekit.TruncationWarning, match="10 of 20 texts") as caught:
        list(model.encode_stream(["short", LONG] * 10, block_texts=3))
    assert len(caught) == 1


def test_a_stream_that_is_left_early_warns_of_what_it_gave_out(model: gtekit.Embedder) -> None:
    stream = model.encode_stream(["short", LONG] * 10, block_texts=2)
    next(stream)
    with pytest.warns(gtekit.TruncationWarning, match="1 of 2 texts") as caught:
        stream.close()  # type: ignore[attr-defined]
    assert len(caught) == 1


def test_a_stream_whose_source_breaks_warns_and_raises_the_error(model: gtekit.Embedder) -> None:
    def breaks() -> Iterator[str]:
        yield from ["short", LONG]
        raise OSError("disk gone")

    with pytest.warns(gtekit.TruncationWarning, match="1 of 2 texts"), pytest.raises(OSError, match="disk gone"):
        list(model.encode_stream(breaks(), block_texts=2))


def test_long_texts_can_be_refused(model: gtekit.Embedder) -> None:
    count = model.count_tokens([LONG])[0]
    with pytest.raises(
        gtekit.TruncationError, match=rf"texts\[1\] has {count} tokens, the limit is 64 \(and 1 more .*chunk"
    ):
        model.encode(["short", LONG, LONG], on_truncation="error")
    with pytest.raises(gtekit.TruncationError, match=r"texts\[5\] has"):
        list(model.encode_stream(["short"] * 5 + [LONG], block_texts=2, on_truncation="error"))
    assert model.encode(["short"], on_truncation="error").shape == (1, model.dimension)


def test_nothing_is_said_where_that_is_asked_for_or_nothing_is_cut(model: gtekit.Embedder) -> None:
    model.encode([LONG], on_truncation="ignore")  # a warning would be an error here
    model.encode(["short"])
    TruncationCount(LIMIT).warn()


def test_the_report_says_where_each_cut_fell(model: gtekit.Embedder) -> None:
    report = model.truncation_report(["short", LONG, ""])
    count = model.count_tokens([LONG])[0]
    assert [(cut.index, cut.token_count, cut.tokens_kept, cut.tokens_lost) for cut in report] == [
        (1, count, LIMIT, count - LIMIT)
    ]
    cut_at = report[0].cut_at
    kept = LONG[:cut_at]
    assert model.count_tokens([kept]) == [LIMIT]
    assert model.encode([kept]).tobytes() == model.encode([LONG], on_truncation="ignore").tobytes()


def test_a_prompt_takes_room_and_the_place_is_still_that_in_the_text(model: gtekit.Embedder) -> None:
    prompt = "the water of the city: "
    room = len(model.tokenize([prompt])[0]) - 2
    (without,) = model.truncation_report([LONG])
    (with_prompt,) = model.truncation_report([LONG], prompt=prompt)
    assert with_prompt.tokens_lost == without.tokens_lost + room
    assert with_prompt.cut_at < without.cut_at
    (all_prompt,) = model.truncation_report(["text"], prompt=LONG)
    assert all_prompt.cut_at == 0


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text("ab 北é.\u0301x1", max_size=200), max_size=4))
def test_the_report_and_encode_agree_on_any_text(model: gtekit.Embedder, texts: list[str]) -> None:
    report = model.truncation_report(texts)
    counts = model.count_tokens(texts)
    assert [cut.index for cut in report] == [index for index, count in enumerate(counts) if count > LIMIT]
    states = model.token_states(texts, on_truncation="ignore")
    assert [len(state) for state in states] == [min(count, LIMIT) for count in counts]
    for cut in report:
        assert cut.tokens_kept + cut.tokens_lost == cut.token_count == counts[cut.index]
        assert 0 <= cut.cut_at <= len(texts[cut.index])
        # what is lost has as many tokens at least: the first may begin within a character or a word
        lost = model.count_tokens([texts[cut.index][cut.cut_at :]])[0] - 2
        assert lost >= 1


def test_chunks_make_an_answer_of_a_long_text(model: gtekit.Embedder) -> None:
    pooled = model.encode(["short", LONG], on_truncation="chunk", normalize=False)
    assert pooled[0].tobytes() == model.encode_one("short", normalize=False).tobytes()
    chunks = model.encode_chunks([LONG], normalize=False)
    weights = [model.count_tokens([LONG[start:end]])[0] for start, end in chunks.offsets]
    np.testing.assert_allclose(pooled[1], np.average(chunks.embeddings, axis=0, weights=weights), atol=1e-6)
    unit = model.encode(["short", LONG], on_truncation="chunk", normalize=True)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    shorter = model.encode(["short", LONG], on_truncation="chunk", dimensions=8)
    np.testing.assert_allclose(shorter, unit[:, :8] / np.linalg.norm(unit[:, :8], axis=1)[:, None], atol=1e-6)


def test_the_pieces_of_long_texts_are_reported_while_they_are_embedded(
    model: gtekit.Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = []
    monkeypatch.setattr("gtekit.progress.Progress.update", lambda _, *done: reports.append(done))
    encode = model.engine.encode

    def encode_in_halves(token_ids: TokenIds, cu_seqlens: Ints, *, report: Report, **options: Any) -> Floats:
        report(len(cu_seqlens) // 2, len(token_ids) // 2)  # an engine may be too quick to report on its way
        return encode(token_ids, cu_seqlens, report=report, **options)

    monkeypatch.setattr(model.engine, "encode", encode_in_halves)
    model.encode(["short", LONG, LONG + LONG], on_truncation="chunk")
    total = len(model.tokenizer.encode(["short", LONG, LONG]).token_ids)
    assert any(texts == 2 and total - 2 * LIMIT < tokens < total for texts, tokens in reports)
    assert reports[-1] == (3, total)
    assert reports == sorted(reports)


def test_a_chunked_text_has_the_same_bits_in_any_company(model: gtekit.Embedder) -> None:
    alone = model.encode_one(LONG, on_truncation="chunk")
    among = model.encode(["a", LONG + LONG, LONG, "b c"], on_truncation="chunk")
    assert among[2].tobytes() == alone.tobytes()
