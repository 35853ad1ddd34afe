"""Text to token ids, exactly as the reference: WordPiece over the `tokenizers` package.

`tokenizers` runs a batch on its own pool of threads, one per CPU, and that pool is gone in a forked child:
a batch of two or more texts then hangs for ever (seen with 0.23.3 and TOKENIZERS_PARALLELISM=true). A batch of one
text runs in the calling thread, without the GIL. So texts go in one by one, from as many threads as we may use:
safe after fork, within the thread budget, and faster (1.5 against 1.2 million tokens/s on two cores).
"""

import re
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gtekit.arrays import Array, Ints, TokenIds
from gtekit.config import TokenizerFiles
from gtekit.errors import ArgumentError, CheckpointError
from gtekit.wordpiece import bert_normalizer, read_vocabulary, settings_win, special_token

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import tokenizers

SPAN_TEXTS = 64  # texts that a thread takes at a time: Ctrl-C never waits for more than these
GIL_CHARS = 1000  # a text this short is quicker through `encode`, which keeps the GIL: 17 against 27 µs
INLINE_CHARS = 20_000  # below this much text another thread costs more than it brings
PIECE_CHARS = 50_000  # a book goes in by parts: an Encoding takes some 100 bytes a token, and Ctrl-C must get through
CUT_CHARS = 1000  # in which a cut is looked for where a guess will do: 0.01 ms

# Characters before which BERT's way of splitting words always does: what it makes of a text is what it makes of the
# parts. None is left out, moved or joined to another by the normalizer, and no combining character is among them.
SPACES = " \t\n\r\u00a0\u3000"
PUNCTUATION = (
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    "\u2010\u2011\u2012\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u3001\u3002\uff0c\uff01\uff1f\uff1a\uff1b\uff08\uff09"
)
CHINESE_RANGES = (  # as `tokenizers` has them
    ("\u3400", "\u4dbf"),
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0002a6df"),
    ("\U0002a700", "\U0002b73f"),
    ("\U0002b740", "\U0002b81f"),
    ("\U0002b920", "\U0002ceaf"),
    ("\U0002f800", "\U0002fa1f"),
)


class StoppedError(Exception):
    """Work on another thread was given up, as asked. No caller of the package sees it."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Texts as packed token ids, cut at the model's length."""

    token_ids: TokenIds  # (S,), special tokens included
    cu_seqlens: Ints  # (B + 1,)
    lengths: Ints  # (B,), tokens of each text before it was cut, special tokens included

    def select(self, is_wanted: Array) -> "TokenBatch":
        """Give the texts where `is_wanted`, bool of shape (B,), is true; at least one."""
        kept = np.diff(self.cu_seqlens)
        token_ids = self.token_ids[np.repeat(is_wanted, kept)]
        return TokenBatch(token_ids, np.cumsum([0, *kept[is_wanted]], dtype=np.int64), self.lengths[is_wanted])


@dataclass(frozen=True, slots=True)
class TextTokens:
    """One text, not cut: its token ids without special tokens, and where in the text each comes from."""

    token_ids: TokenIds  # (T,)
    starts: Ints  # (T,), in characters
    ends: Ints  # (T,)
    is_word_start: Array  # (T,), bool


class Tokenizer:
    """WordPiece with [CLS] before and [SEP] after each text."""

    def __init__(self, backend: "tokenizers.Tokenizer", *, max_tokens: int, vocab_size: int, source: Path) -> None:
        self._backend = backend
        self._source = source
        self.max_tokens = max_tokens
        self.vocab_size = vocab_size
        self._cut = _cut_of(backend)
        self._stop: Event | None = None
        self.cls_id, self.sep_id = self._special_ids()
        self.unk_id = self._unk_id()

    def stopped_by(self, stop: Event) -> "Tokenizer":
        """Give this tokenizer as one that raises StoppedError, between parts of a long text too, once `stop` is set."""
        stoppable = copy(self)
        stoppable._stop = stop
        return stoppable

    def longest_part(self, text: str) -> int:
        """Give the most characters of a text that may be tokenized at once: memory and waits go by them."""
        return max(end - begin for begin, end in self._parts(text, CUT_CHARS))

    def encode(
        self, texts: Sequence[str], *, threads: int = 1, first_index: int = 0, stop: Event | None = None
    ) -> TokenBatch:
        """Turn texts into packed token ids, each cut at `max_tokens` with its [SEP] kept.

        Args:
            texts: Checked to be str by the caller.
            threads: The most threads to use. A small batch stays on the calling one.
            first_index: The place of texts[0] in the caller's list, for error messages.
            stop: Once set, from another thread, the work is given up: nobody waits for the result.

        Raises:
            StoppedError: If `stop` was set.
            ArgumentError: If a text holds half of a surrogate pair.
            CheckpointError: If the tokenizer gives an id that the model has no embedding for.
        """
        if not texts:
            return TokenBatch(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64))
        stop = stop or Event()
        if threads == 1 or len(texts) == 1 or sum(map(len, texts)) < INLINE_CHARS:
            spans = [self._encode_span(texts, first_index, stop, may_keep_gil=True)]
        else:
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(threads, "gtekit-tokenize")
            try:
                spans = self._encode_on(pool, texts, first_index, stop)
            except BaseException:
                stop.set()  # spans that have begun end at their next text, or within a long one
                raise
            finally:  # Ctrl-C may come while spans are handed in: those that wait are dropped, not done
                pool.shutdown(cancel_futures=True)
        lengths = np.array([length for _, span_lengths in spans for length in span_lengths], np.int64)
        token_ids = np.concatenate([np.frombuffer(ids, np.int32) for ids, _ in spans])
        self._check_ids(token_ids)
        cu_seqlens = np.zeros(len(texts) + 1, np.int64)
        np.cumsum(np.minimum(lengths, self.max_tokens), out=cu_seqlens[1:])
        return TokenBatch(token_ids, cu_seqlens, lengths)

    def encode_with_offsets(self, text: str, index: int = 0) -> TextTokens:
        """Give all tokens of one text with their places in it; special tokens are left out.

        Args:
            text: Of any length.
            index: The place of the text in its list, for error messages.
        """
        token_ids = array("i")
        offsets: list[Ints] = []
        is_word_start: list[Array] = []
        for begin, piece in self._pieces(text):
            try:
                # 1,000,000 Chinese characters took 11 s and kept the GIL; a batch has offsets too and lets it go
                is_short = len(piece) < GIL_CHARS
                encoding = self._backend.encode(piece) if is_short else self._backend.encode_batch([piece])[0]
                token_ids.extend(array("i", encoding.ids[1:-1]))
            except BaseException as error:
                self._explain(error, text, index)
            words = np.array(encoding.word_ids[1:-1], np.int64)
            offsets.append(np.array(encoding.offsets, np.int64)[1:-1] + begin)
            is_word_start.append(np.diff(words, prepend=-1) != 0)
        starts, ends = np.concatenate(offsets).T
        packed = np.array(token_ids, np.int32)
        self._check_ids(packed)
        return TextTokens(packed, starts, ends, np.concatenate(is_word_start))

    def tokens(self, text: str, index: int = 0) -> list[str]:
        """Give the tokens of one text as str, special tokens included, not cut."""
        tokens: list[str] = []
        for _, piece in self._pieces(text):
            try:
                is_short = len(piece) < GIL_CHARS
                encoding = self._backend.encode(piece) if is_short else self._backend.encode_batch([piece])[0]
                names = encoding.tokens
            except BaseException as error:
                self._explain(error, text, index)
            tokens[-1:] = names[1:] if tokens else names  # one [CLS] at the beginning, one [SEP] at the end
        return tokens

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Give the text that tokens stand for: lower case and spaces are the model's, not those of the original.

        Args:
            token_ids: From 0 to vocab_size - 1; one without a token is passed over.
            skip_special_tokens: Whether [CLS], [SEP] and their like are left out.
        """
        return str(self._backend.decode(list(token_ids), skip_special_tokens=skip_special_tokens))

    def vocabulary(self) -> dict[str, int]:
        """Give every token with its id. Takes about 25 ms for 30,000 tokens."""
        return dict(self._backend.get_vocab())

    def _encode_on(
        self, pool: "Executor", texts: Sequence[str], first_index: int, stop: Event
    ) -> "list[tuple[array[int], list[int]]]":
        starts = range(0, len(texts), SPAN_TEXTS)
        spans = (texts[start : start + SPAN_TEXTS] for start in starts)
        encode = partial(self._encode_span, stop=stop, may_keep_gil=False)
        return list(pool.map(encode, spans, (first_index + start for start in starts)))

    def _encode_span(
        self, texts: Sequence[str], first_index: int, stop: Event, *, may_keep_gil: bool
    ) -> "tuple[array[int], list[int]]":
        packed = array("i")
        lengths = []
        ids: Sequence[int]
        for index, text in enumerate(texts, first_index):
            try:
                ids = self._ids(text, stop, may_keep_gil=may_keep_gil)
                lengths.append(len(ids))
                if len(ids) > self.max_tokens:
                    ids = [*ids[: self.max_tokens - 1], ids[-1]]
                packed.extend(array("i", ids))
            except BaseException as error:
                self._explain(error, text, index)
        return packed, lengths

    def _ids(self, text: str, stop: Event, *, may_keep_gil: bool) -> Sequence[int]:
        if stop.is_set():
            raise StoppedError
        if len(text) > PIECE_CHARS:
            packed = array("i", [self.cls_id])  # a list of Python's takes 36 bytes a token
            for _, piece in self._pieces(text):
                packed.extend(array("i", self._backend.encode_batch_fast([piece])[0].ids[1:-1]))
                if stop.is_set():
                    raise StoppedError
            packed.append(self.sep_id)
            return packed
        if may_keep_gil and len(text) < GIL_CHARS:
            return self._backend.encode(text).ids
        return self._backend.encode_batch_fast([text])[0].ids

    def _pieces(self, text: str) -> Iterator[tuple[int, str]]:
        """Give a long text in parts, each with its place.

        Raises:
            StoppedError: If nobody waits any more.
        """
        for begin, end in self._parts(text):
            if self._stop is not None and self._stop.is_set():
                raise StoppedError
            yield begin, text[begin:end]

    def _parts(self, text: str, most: int = sys.maxsize) -> Iterator[tuple[int, int]]:
        """Give the places of the parts of a long text, cut where no token reaches over; the last may be any length.

        It is the last where no cut is found in `most` characters.
        """
        begin = 0
        while self._cut is not None and len(text) - begin > PIECE_CHARS:
            cut = self._cut.search(text, begin + PIECE_CHARS, min(begin + PIECE_CHARS + most, len(text)))
            if cut is None:
                break
            yield begin, cut.start()
            begin = cut.start()
        yield begin, len(text)

    def _special_ids(self) -> tuple[int, int]:
        ids = self._encode_span([""], 0, Event(), may_keep_gil=True)[0]
        if len(ids) != 2:
            raise CheckpointError(
                f"{self._source}: puts {len(ids)} special tokens around a text, expected 2 ([CLS] and [SEP]). "
                "The tokenizer is not that of a BERT encoder, or its post_processor is missing."
            )
        self._check_ids(np.array(ids, np.int32))
        return ids[0], ids[1]

    def _unk_id(self) -> int:
        unk_token = getattr(self._backend.model, "unk_token", None)
        unk_id = None if unk_token is None else self._backend.token_to_id(unk_token)
        if unk_id is None:
            raise CheckpointError(
                f"{self._source}: the token for unknown words, {unk_token!r}, is not in the vocabulary. The file is "
                "damaged; download it again."
            )
        return int(unk_id)

    def _explain(self, error: BaseException, text: str, index: int) -> NoReturn:
        """Raise what an error of `tokenizers` means: a bad text, or a bad file.

        A panic of its Rust code, which damaged files bring about, comes as a BaseException.
        """
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError | CheckpointError | StoppedError):
            raise error
        place = next((i for i, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)
        if place is None:
            raise CheckpointError(
                f"{self._source}: the tokenizer fails on texts[{index}]: {error}. The file is damaged or was made for "
                "something else; download it again."
            ) from error
        raise ArgumentError(
            f"texts[{index}] has {text[place]!a} at character {place}: half of a surrogate pair, which is no character "
            "(left by errors='surrogateescape' or by cutting UTF-16). Replace it: "
            "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None

    def _check_ids(self, token_ids: TokenIds) -> None:
        if token_ids.size and int(token_ids.max()) >= self.vocab_size:
            raise CheckpointError(
                f"{self._source}: gives the token id {int(token_ids.max())}, but config.json says vocab_size="
                f"{self.vocab_size}. The tokenizer and the weights come from different models; download both again."
            )


def load_tokenizer(files: TokenizerFiles, *, max_tokens: int, vocab_size: int) -> Tokenizer:
    """Build the tokenizer of a checkpoint, as transformers' BertTokenizerFast would.

    tokenizer.json is taken where it is there, without its truncation and padding: they belong to whoever saved the
    file (MiniLM's says 128), not to the model.

    Args:
        files: What the checkpoint has.
        max_tokens: The model's length, [CLS] and [SEP] included.
        vocab_size: Rows of the model's word embeddings.

    Raises:
        CheckpointError: If a file can't be read as a tokenizer, or knows more tokens than the model.
    """
    if files.tokenizer_json is not None:
        source = files.tokenizer_json
        backend = _from_json(source)
        if settings_win(type(backend.normalizer).__name__, files.settings):
            backend.normalizer = _normalizer(files.settings)
    elif files.vocab_txt is not None:
        source = files.vocab_txt
        backend = _from_vocab(source, files.settings)
    else:
        raise CheckpointError("The checkpoint has neither tokenizer.json nor vocab.txt; download it again.")
    backend.no_truncation()
    backend.no_padding()
    if backend.get_vocab_size() > vocab_size:
        raise CheckpointError(
            f"{source}: has {backend.get_vocab_size()} tokens, but config.json says vocab_size={vocab_size}. "
            "The tokenizer and the weights come from different models; download both again."
        )
    return Tokenizer(backend, max_tokens=max_tokens, vocab_size=vocab_size, source=source)


def _from_json(path: Path) -> "tokenizers.Tokenizer":
    import tokenizers

    try:
        backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # plain Exception for what it can't read, a BaseException for a panic in Rust
        raise CheckpointError(f"{path}: not a tokenizer.json that can be read: {error}. Download it again.") from error
    if type(backend.model).__name__ != "WordPiece":
        raise CheckpointError(
            f"{path}: holds a {type(backend.model).__name__} tokenizer, expected WordPiece. "
            "This model is not of the BERT family that gtekit runs."
        )
    return backend


def _from_vocab(path: Path, settings: Mapping[str, Any]) -> "tokenizers.Tokenizer":
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, processors

    vocabulary = read_vocabulary(path)
    cls_token, sep_token = special_token(settings, "cls_token"), special_token(settings, "sep_token")
    unk_token = special_token(settings, "unk_token")
    for token in (unk_token, cls_token, sep_token):
        if token not in vocabulary:
            raise CheckpointError(
                f"{path}: has no {token} among its {len(vocabulary)} tokens. "
                "The file is cut short or belongs to another kind of model; download it again."
            )
    backend = tokenizers.Tokenizer(models.WordPiece(vocabulary, unk_token=unk_token))
    backend.normalizer = _normalizer(settings)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls_token} $A {sep_token}",
        special_tokens=[(cls_token, vocabulary[cls_token]), (sep_token, vocabulary[sep_token])],
    )
    others = [special_token(settings, "pad_token"), special_token(settings, "mask_token")]
    special_tokens = [unk_token, sep_token, cls_token, *(token for token in others if token in vocabulary)]
    backend.add_special_tokens([tokenizers.AddedToken(token, normalized=False) for token in special_tokens])
    return backend


def _normalizer(settings: Mapping[str, Any]) -> "tokenizers.normalizers.Normalizer":
    from tokenizers import normalizers

    options = bert_normalizer(settings)
    del options["type"]
    return normalizers.BertNormalizer(**options)


def _cut_of(backend: "tokenizers.Tokenizer") -> "re.Pattern[str] | None":
    """Give the characters before which a text may be cut, its tokens and their places staying what they are.

    Those of an added token are none of them: it is found in the text before words are.
    """
    names = type(backend.normalizer).__name__, type(backend.pre_tokenizer).__name__
    if names != ("BertNormalizer", "BertPreTokenizer"):
        return None
    added = list(backend.get_added_tokens_decoder().values())
    taken = set("".join(token.content for token in added))
    if any(not taken.isdisjoint(" \t\n\r") or token.lstrip or token.rstrip for token in added):
        taken.update(SPACES)
    ranges = ""
    if any(token.single_word for token in added):  # it is none beside a letter: Chinese ones are, and so is this
        taken.add("_")
    elif backend.normalizer.handle_chinese_chars:
        ranges = "".join(f"{first}-{last}" for first, last in CHINESE_RANGES)
        if any(re.match(f"[{ranges}]", char) for char in taken):  # the normalizer makes some of them of others
            ranges = ""
    marks = "".join(re.escape(char) for char in SPACES + PUNCTUATION if char not in taken)
    return re.compile(f"[{marks}{ranges}]") if marks or ranges else None
