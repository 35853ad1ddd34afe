"""What the files of a BERT tokenizer say, read in one way: by the tokenizer, the fingerprint and the checks of both."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtekit.errors import CheckpointError

MAX_BYTES = 64 << 20  # the largest vocab.txt of a WordPiece model is under 2 MB
SPECIAL_TOKENS = {
    name: f"[{name[:-6].upper()}]" for name in ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
}
# Classes whose settings win over the normalizer that tokenizer.json carries, as in transformers.
BERT_CLASSES = ("BertTokenizer", "BertTokenizerFast")


def read_vocabulary(path: Path) -> dict[str, int]:
    """Ids by token from a vocab.txt: one token a line, the id is the number of the line from 0.

    Raises:
        CheckpointError: If the file can't be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise CheckpointError(f"{path}: expected at most {MAX_BYTES:,} bytes in a vocabulary, found more.")
        # all three kinds of line ends, as transformers; splitlines() would also split at characters that are tokens
        lines = io.StringIO(content.decode("utf-8"), newline=None)
    except OSError as error:
        raise CheckpointError(f"{path}: can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path}: expected a vocabulary in UTF-8, found something else: {error}. Download it again."
        ) from None
    return {line.rstrip("\n"): number for number, line in enumerate(lines)}


def special_token(settings: Mapping[str, Any], name: str) -> str:
    """One of SPECIAL_TOKENS as tokenizer_config.json has it: a text, or a saved AddedToken that holds one."""
    token = settings.get(name, SPECIAL_TOKENS[name])
    if isinstance(token, Mapping):
        token = token.get("content", SPECIAL_TOKENS[name])
    return str(token)


def bert_normalizer(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The normalizer of tokenizer_config.json, with BertTokenizer's defaults, in the form that tokenizer.json has."""
    return {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": bool(settings.get("tokenize_chinese_chars", True)),
        "strip_accents": settings.get("strip_accents"),
        "lowercase": bool(settings.get("do_lower_case", True)),
    }


def settings_win(normalizer_type: str, settings: Mapping[str, Any]) -> bool:
    """Whether tokenizer_config.json wins over a normalizer of this type in tokenizer.json."""
    return normalizer_type == "BertNormalizer" and settings.get("tokenizer_class", "BertTokenizer") in BERT_CLASSES


def normalizer_that_runs(normalizer: object, settings: Mapping[str, Any]) -> object:
    """The normalizer of a tokenizer.json, or the one of tokenizer_config.json where that wins."""
    kind = normalizer.get("type") if isinstance(normalizer, Mapping) else None
    return bert_normalizer(settings) if settings_win(str(kind), settings) else normalizer
