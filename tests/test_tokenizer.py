"""Token ids are those of transformers' BertTokenizerFast, whatever the text, the thread and the process."""

import hashlib
import json
import multiprocessing
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtekit.config import TokenizerFiles
from gtekit.errors import ArgumentError, CheckpointError
from gtekit.tokenizer import PIECE_CHARS, StoppedError, Tokenizer, load_tokenizer
from tests.golden.record_token_ids import FILE, texts_sha256
from tests.golden.token_texts import TEXTS

VOCAB_SIZE = 30_522
GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def make(minilm_folder: str) -> Callable[..., Tokenizer]:
    """Make a tokenizer with the vocabulary of bert-base-uncased."""

    def make_tokenizer(max_tokens: int = 512, *, use_json: bool = True, **settings: Any) -> Tokenizer:
        folder = Path(minilm_folder)
        files = TokenizerFiles(
            tokenizer_json=folder / "tokenizer.json" if use_json else None,
            vocab_txt=folder / "vocab.txt",
            settings=settings,
        )
        return load_tokenizer(files, max_tokens=max_tokens, vocab_size=VOCAB_SIZE)

    return make_tokenizer


@pytest.fixture(scope="module")
def seeded(tiny_checkpoint: Path) -> Tokenizer:
    """The tokenizer of a seeded checkpoint, which every machine can make."""
    files = TokenizerFiles(tokenizer_json=tiny_checkpoint / "tokenizer.json", vocab_txt=None)
    return load_tokenizer(files, max_tokens=64, vocab_size=2_048)


def rows(tokenizer: Tokenizer, texts: list[str], threads: int = 1) -> list[list[int]]:
    batch = tokenizer.encode(texts, threads=threads)
    return [ids.tolist() for ids in np.split(batch.token_ids, batch.cu_seqlens[1:-1])]


def test_the_golden_ids_are_of_these_texts_and_this_vocabulary(minilm_folder: str) -> None:
    assert texts_sha256() == GOLDEN["texts_sha256"]
    vocabulary = Path(minilm_folder, "vocab.txt").read_bytes()
    assert hashlib.sha256(vocabulary).hexdigest() == GOLDEN["vocab_sha256"]


@pytest.mark.parametrize("max_tokens", [512, 16])
@pytest.mark.parametrize("use_json", [True, False])
def test_ids_and_their_cut_are_those_of_transformers(
    make: Callable[..., Tokenizer], max_tokens: int, use_json: bool
) -> None:
    tokenizer = make(max_tokens, use_json=use_json)
    for text, found, expected in zip(
        TEXTS, rows(tokenizer, list(TEXTS)), GOLDEN["token_ids"][str(max_tokens)], strict=True
    ):
        assert found == expected, f"{text[:60]!r}"


def test_truncation_and_padding_of_tokenizer_json_are_switched_off(make: Callable[..., Tokenizer]) -> None:
    lengths = make().encode(["word " * 300, "a"]).lengths  # the file says: cut at 128, pad to 128
    assert lengths.tolist() == [302, 3]


def test_lengths_are_those_before_the_cut(make: Callable[..., Tokenizer]) -> None:
    batch = make(16).encode(["word " * 300, "a"])
    assert batch.lengths.tolist() == [302, 3]
    assert np.diff(batch.cu_seqlens).tolist() == [16, 3]
    assert batch.token_ids[[0, 15]].tolist() == [101, 102]


def test_tokenizer_config_wins_over_the_normalizer_as_in_transformers(make: Callable[..., Tokenizer]) -> None:
    for use_json in (True, False):
        cased = make(use_json=use_json, do_lower_case=False)
        assert cased.tokens("Hello hello") == ["[CLS]", "[UNK]", "hello", "[SEP]"]
        assert make(use_json=use_json).tokens("Hello") == ["[CLS]", "hello", "[SEP]"]
        accents = make(use_json=use_json, strip_accents=False)
        assert accents.tokens("é") == ["[CLS]", "[UNK]", "[SEP]"]  # the vocabulary has none, only the e


def test_special_tokens_may_be_saved_as_objects(make: Callable[..., Tokenizer]) -> None:
    cls_token = {"__type": "AddedToken", "content": "[MASK]", "normalized": False}
    assert make(use_json=False, cls_token=cls_token).tokens("a") == ["[MASK]", "a", "[SEP]"]


def test_threads_and_order_change_nothing(make: Callable[..., Tokenizer]) -> None:
    tokenizer = make()
    texts = [text for text in TEXTS if len(text) < 5_000] * 12
    random.Random(0).shuffle(texts)
    one = tokenizer.encode(texts, threads=1)
    many = tokenizer.encode(texts, threads=3)
    np.testing.assert_array_equal(one.token_ids, many.token_ids)
    np.testing.assert_array_equal(one.cu_seqlens, many.cu_seqlens)
    np.testing.assert_array_equal(one.lengths, many.lengths)


def test_a_book_goes_in_by_parts_and_gives_the_same_tokens(make: Callable[..., Tokenizer]) -> None:
    tokenizer = make(1_000_000)
    text = " ".join(text for text in TEXTS if "\ud800" not in text) * 3 + " é \u0301e [MASK] "
    book = text * (3 * PIECE_CHARS // len(text) + 1)
    whole = tokenizer._backend.encode(book)
    assert len(book) > 3 * PIECE_CHARS
    assert rows(tokenizer, [book])[0] == whole.ids
    tokens = tokenizer.encode_with_offsets(book)
    assert tokens.token_ids.tolist() == whole.ids[1:-1]
    assert np.stack([tokens.starts, tokens.ends], axis=1).tolist() == [list(pair) for pair in whole.offsets[1:-1]]
    assert tokenizer.tokens(book) == whole.tokens


def test_offsets_point_into_the_text(make: Callable[..., Tokenizer]) -> None:
    text = "Héllo  sorting 北京!"
    tokens = make().encode_with_offsets(text)
    found = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    assert found == ["Héllo", "sorting", "北", "京", "!"]
    tokens = make().encode_with_offsets("embeddings now")
    assert tokens.is_word_start.tolist() == [True, False, False, False, True]


def test_no_texts_are_no_tokens(seeded: Tokenizer) -> None:
    batch = seeded.encode([])
    assert batch.token_ids.shape == (0,)
    assert batch.cu_seqlens.tolist() == [0]
    assert seeded.encode_with_offsets("").token_ids.shape == (0,)


@pytest.mark.parametrize("threads", [1, 2])
def test_half_a_surrogate_pair_is_named_with_its_text_and_place(seeded: Tokenizer, threads: int) -> None:
    texts = ["fine " * 100] * 200
    texts[150] = "broken: \udc80"
    with pytest.raises(ArgumentError, match=r"texts\[1150\] has '\\udc80' at character 8"):
        seeded.encode(texts, threads=threads, first_index=1000)
    with pytest.raises(ArgumentError, match=r"texts\[7\] has"):
        seeded.encode_with_offsets("\ud800", 7)
    fixed = texts[150].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert len(seeded.encode([fixed]).token_ids) > 2


def test_a_vocabulary_larger_than_the_model_is_refused(minilm_folder: str) -> None:
    files = TokenizerFiles(tokenizer_json=Path(minilm_folder, "tokenizer.json"), vocab_txt=None)
    with pytest.raises(CheckpointError, match=r"tokenizer.json: has 30522 tokens.*vocab_size=30000"):
        load_tokenizer(files, max_tokens=512, vocab_size=30_000)


def edited_json(folder: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None]) -> TokenizerFiles:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    edit(content)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return TokenizerFiles(tokenizer_json=path, vocab_txt=None)


def test_an_id_that_the_model_does_not_have_is_refused_when_it_comes(tiny_checkpoint: Path, tmp_path: Path) -> None:
    def move_a_token(content: dict[str, Any]) -> None:
        content["model"]["vocab"]["the"] = 5_000

    tokenizer = load_tokenizer(edited_json(tiny_checkpoint, tmp_path, move_a_token), max_tokens=64, vocab_size=2_048)
    with pytest.raises(CheckpointError, match=r"token id 5000.*vocab_size=2048"):
        tokenizer.encode(["the"])


def test_a_tokenizer_without_special_tokens_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    def remove(content: dict[str, Any]) -> None:
        content["post_processor"] = None

    with pytest.raises(CheckpointError, match="puts 0 special tokens"):
        load_tokenizer(edited_json(tiny_checkpoint, tmp_path, remove), max_tokens=64, vocab_size=2_048)


def test_another_kind_of_tokenizer_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    def make_bpe(content: dict[str, Any]) -> None:
        content["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}

    with pytest.raises(CheckpointError, match="holds a BPE tokenizer, expected WordPiece"):
        load_tokenizer(edited_json(tiny_checkpoint, tmp_path, make_bpe), max_tokens=64, vocab_size=2_048)


def name_no_unknown(content: dict[str, Any]) -> None:
    content["model"]["unk_token"] = "[NONE]"


def name_an_unknown_special_token(content: dict[str, Any]) -> None:
    content["post_processor"]["single"][0]["SpecialToken"]["id"] = "[NOPE]"


def spoil_a_table(content: dict[str, Any]) -> None:
    content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "AAAAAAAAAAAA"}


def cut_a_table_short(content: dict[str, Any]) -> None:
    content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "ALQCAACEAAAAAACAAQ"}


def name_an_enormous_id(content: dict[str, Any]) -> None:
    content["model"]["vocab"]["the"] = 2**32 - 1


@pytest.mark.parametrize(
    "edit",
    [name_no_unknown, name_an_unknown_special_token, spoil_a_table, cut_a_table_short, name_an_enormous_id],
)
def test_a_hostile_tokenizer_json_is_an_error_and_no_crash(
    tiny_checkpoint: Path, tmp_path: Path, edit: Callable[[dict[str, Any]], None]
) -> None:
    files = edited_json(tiny_checkpoint, tmp_path, edit)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        load_tokenizer(files, max_tokens=64, vocab_size=2_048).encode(["the water"])
    with pytest.raises(CheckpointError, match=r"tokenizer\.json"):
        load_tokenizer(files, max_tokens=64, vocab_size=2_048).encode_with_offsets("the water")


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"model": {}}', "\x00\x01", '{"version": "1.0"}'])
def test_a_damaged_tokenizer_json_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match="not a tokenizer"):
        load_tokenizer(TokenizerFiles(tokenizer_json=path, vocab_txt=None), max_tokens=64, vocab_size=2_048)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "has no .UNK. among its 0 tokens"), (b"[PAD]\n[UNK]\n", "has no .CLS."), (b"\xff\xfe", "in UTF-8")],
)
def test_a_damaged_vocabulary_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        load_tokenizer(TokenizerFiles(tokenizer_json=None, vocab_txt=path), max_tokens=64, vocab_size=2_048)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.text(), min_size=1, max_size=6))
def test_packed_ids_are_those_of_the_texts_one_by_one(seeded: Tokenizer, texts: list[str]) -> None:
    assert rows(seeded, texts) == [rows(seeded, [text])[0] for text in texts]


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text("ab 北é\u0301\uac00.!\n", max_size=200)
)
def test_offsets_lie_in_the_text_and_belong_to_the_same_ids(seeded: Tokenizer, text: str) -> None:
    tokens = seeded.encode_with_offsets(text)
    assert len(tokens.token_ids) + 2 == seeded.encode([text]).lengths[0] == len(seeded.tokens(text))
    assert (tokens.starts >= 0).all()
    assert (tokens.starts <= tokens.ends).all()
    assert (tokens.ends <= len(text)).all()
    assert (np.diff(tokens.starts) >= 0).all()
    assert tokens.is_word_start[:1].all()


def ids_in_child(tokenizer: Tokenizer, texts: list[str], queue: "multiprocessing.Queue[int]") -> None:
    queue.put(len(tokenizer.encode(texts, threads=2).token_ids))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("parallelism", [None, "true", "false"])
def test_a_forked_child_tokenizes_too(
    seeded: Tokenizer, monkeypatch: pytest.MonkeyPatch, parallelism: str | None
) -> None:
    if parallelism is None:
        monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    else:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", parallelism)
    texts = ["some words of a text " * 20] * 200
    expected = len(seeded.encode(texts, threads=2).token_ids)
    context = multiprocessing.get_context("fork")
    queue: multiprocessing.Queue[int] = context.Queue()
    children = [context.Process(target=ids_in_child, args=(seeded, texts, queue)) for _ in range(2)]
    for child in children:
        child.start()
    assert [queue.get(timeout=30) for _ in children] == [expected, expected]
    for child in children:
        child.join(timeout=30)
        assert child.exitcode == 0


def test_importing_and_tokenizing_change_no_environment_variable(tiny_checkpoint: Path) -> None:
    program = (
        "import os; before = dict(os.environ); import gtekit; "
        f"model = gtekit.load({str(tiny_checkpoint)!r}); model.encode(['a b c'] * 100); "
        "assert dict(os.environ) == before"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.fixture(scope="module")
def reference(minilm_folder: str) -> Any:
    return pytest.importorskip("transformers").BertTokenizerFast.from_pretrained(minilm_folder)


@pytest.fixture(scope="module", params=[True, False], ids=["tokenizer.json", "vocab.txt"])
def short_tokenizer(make: Callable[..., Tokenizer], request: pytest.FixtureRequest) -> Tokenizer:
    return make(16, use_json=request.param)


@pytest.mark.reference
@settings(max_examples=300, deadline=None)
@given(texts=st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_has_the_ids_of_transformers(reference: Any, short_tokenizer: Tokenizer, texts: list[str]) -> None:
    assert rows(short_tokenizer, texts) == reference(texts, truncation=True, max_length=16)["input_ids"]


PARTS = [
    *" \t\n\r\u00a0\u3000\0\ufffd\u200b\u200d!'-=[]^`~#$\u2026\u201c\u2011\u3002\uff0c",
    *"中\uf900\U0002f800\U00020001aEé\u0301\u0323\u0338\u3099\u0e33\u0f71\u0f72Σİßŉſがか한\u1100\u1161\U0001d15e😀",
    *("e\u0301", "ab", "##a", "[MASK]", "[CLS]", "c-x", "中e", "-xqz中", "-xqz_", "[mask]", "a\nb", "a b", "\uf900e"),
]


@pytest.fixture
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gtekit.tokenizer.PIECE_CHARS", 3)


@pytest.mark.usefixtures("short_parts")
@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({}, {}),
        ({"do_lower_case": False}, {"content": "c-x"}),
        ({"do_lower_case": False, "strip_accents": True}, {"content": "中e", "normalized": False}),
        ({"strip_accents": False}, {"content": "xqz", "single_word": True, "normalized": False}),
        ({"tokenize_chinese_chars": False}, {}),
        ({}, {"content": "a b", "normalized": True}),
        ({}, {"content": "ab", "lstrip": True, "rstrip": True}),
        ({}, {"content": "\u8c48e", "normalized": True}),  # what U+F900 becomes
    ],
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_parts_of_any_text_give_its_tokens_and_their_places(
    make: Callable[..., Tokenizer], options: dict[str, bool], added: dict[str, Any], data: st.DataObject
) -> None:
    tokenizer = with_added(make(1_000_000, **options), added)
    text = "".join(data.draw(st.lists(st.sampled_from(PARTS), min_size=5, max_size=30)))
    whole = tokenizer._backend.encode(text)
    found = tokenizer.encode_with_offsets(text)
    assert rows(tokenizer, [text])[0] == whole.ids
    assert found.token_ids.tolist() == whole.ids[1:-1]
    assert list(zip(found.starts.tolist(), found.ends.tolist(), strict=True)) == whole.offsets[1:-1]
    words = np.array(whole.word_ids[1:-1], float)
    assert found.is_word_start.tolist() == (np.diff(words, prepend=-1) != 0).tolist()
    assert tokenizer.tokens(text) == whole.tokens


def with_added(tokenizer: Tokenizer, added: dict[str, Any]) -> Tokenizer:
    if not added:
        return tokenizer
    import tokenizers

    tokenizer._backend.add_tokens([tokenizers.AddedToken(**added)])
    backend, places = tokenizer._backend, {"max_tokens": tokenizer.max_tokens, "vocab_size": VOCAB_SIZE + 1}
    return Tokenizer(backend, source=Path("added"), **places)


def test_chinese_and_punctuation_are_cut_and_an_endless_word_is_not(make: Callable[..., Tokenizer]) -> None:
    many = 3 * PIECE_CHARS
    assert make().longest_part("中" * many) == make().longest_part("!" * many) == PIECE_CHARS
    assert make().longest_part("a" * many) == many
    assert make(tokenize_chinese_chars=False).longest_part("中" * many) == many
    mixed = "中" * PIECE_CHARS + "a" * PIECE_CHARS + "中" * PIECE_CHARS
    assert make().longest_part(mixed) == many  # no more: two thirds of it, but that takes a look at all of it
    assert make().longest_part("") == 0


def test_a_tokenizer_that_is_stopped_raises_and_the_one_it_was_made_of_does_not(seeded: Tokenizer) -> None:
    stop = Event()
    stoppable = seeded.stopped_by(stop)
    assert stoppable.tokens("a b") == seeded.tokens("a b")
    stop.set()
    with pytest.raises(StoppedError):
        stoppable.tokens("a b")
    with pytest.raises(StoppedError):
        stoppable.encode_with_offsets("a b")
    assert len(seeded.encode_with_offsets("a b").token_ids) == 2


@pytest.mark.usefixtures("short_parts")
def test_a_token_that_has_to_be_a_single_word_is_found_in_no_part_where_it_is_not_in_the_text(
    make: Callable[..., Tokenizer],
) -> None:
    tokenizer = with_added(make(), {"content": "xqz", "single_word": True, "normalized": False})
    for text in ("xx-xqz中", "xx-xqz_", "xx-xqz!", "xx xqz cd"):
        assert tokenizer.tokens(text) == tokenizer._backend.encode(text).tokens
