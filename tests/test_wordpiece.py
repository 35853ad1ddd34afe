"""One reading of a tokenizer's files, for the tokenizer and for the fingerprint."""

from pathlib import Path

import pytest

from gtekit import wordpiece
from gtekit.errors import CheckpointError
from gtekit.wordpiece import normalizer_that_runs, read_vocabulary, special_token


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_gives_the_same_ids(tmp_path: Path, end: str) -> None:
    path = tmp_path / "vocab.txt"
    tokens = ["[PAD]", "a", "\u2028", "b\x85", "", "c"]
    path.write_bytes(end.join([*tokens, ""]).encode())
    assert read_vocabulary(path) == {token: number for number, token in enumerate(tokens)}


def test_a_vocabulary_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "vocab.txt"
    with pytest.raises(CheckpointError, match=r"vocab.txt: can't be read"):
        read_vocabulary(path)
    path.write_bytes(b"a\n\xff\n")
    with pytest.raises(CheckpointError, match=r"vocab.txt: expected a vocabulary in UTF-8"):
        read_vocabulary(path)
    monkeypatch.setattr(wordpiece, "MAX_BYTES", 3)
    with pytest.raises(CheckpointError, match=r"vocab.txt: expected at most 3 bytes"):
        read_vocabulary(path)


def test_the_settings_win_over_a_bert_normalizer_and_over_no_other() -> None:
    saved = {"type": "BertNormalizer", "lowercase": True}
    settings = {"do_lower_case": False}
    assert normalizer_that_runs(saved, settings)["lowercase"] is False  # type: ignore[index]
    assert normalizer_that_runs(saved, settings | {"tokenizer_class": "Other"}) is saved
    assert normalizer_that_runs({"type": "Lowercase"}, settings) == {"type": "Lowercase"}
    assert normalizer_that_runs(None, settings) is None


def test_special_tokens_are_texts_or_hold_one() -> None:
    assert special_token({}, "cls_token") == "[CLS]"
    assert special_token({"cls_token": "<s>"}, "cls_token") == "<s>"
    assert special_token({"cls_token": {"content": "<s>"}}, "cls_token") == "<s>"
