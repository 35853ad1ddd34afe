"""What a tokenizer does, as one canonical value: equal for a tokenizer.json and for the vocab.txt that it came from.

Left out is what changes no token id: truncation and padding (the model's own length wins over them), the decoder, and
fields that some versions of `tokenizers` write and others do not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtekit.checkpoint.json_files import MAX_BYTES, read_bytes, read_json_object
from gtekit.config import TokenizerFiles
from gtekit.errors import CheckpointError

MAX_CHARACTERS_PER_WORD = 100  # of BERT: a longer word is unknown
BERT_CLASSES = ("BertTokenizer", "BertTokenizerFast")  # their settings win over tokenizer.json, as in transformers
ADDED_TOKEN_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")
SPECIAL_TOKENS = {
    name: f"[{name[:-6].upper()}]" for name in ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
}


def describe_tokenizer(files: TokenizerFiles) -> dict[str, Any]:
    """Everything about a tokenizer that decides which ids a text gets.

    Raises:
        CheckpointError: If the files hold no WordPiece tokenizer.
    """
    if files.tokenizer_json:
        try:
            return _from_json(files.tokenizer_json, files.settings)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            message = f"{files.tokenizer_json}: expected a tokenizer as `tokenizers` saves it, found one that lacks "
            raise CheckpointError(f"{message}or mistypes {error}.") from None
    if files.vocab_txt:
        return _from_vocabulary(files.vocab_txt, files.settings)
    raise CheckpointError("expected tokenizer.json or vocab.txt, found neither.")


def read_vocabulary(path: Path) -> dict[str, int]:
    """Ids by token from a vocab.txt: one token a line, the id is the number of the line from 0."""
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{path}: expected a vocabulary in UTF-8, found something else: {error}") from None
    return {line: number for number, line in enumerate(text.removesuffix("\n").split("\n"))}


def _from_json(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    whole = read_json_object(path)
    model = whole.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(f"{path}: expected a model with a vocab, found none.")
    normalizer = whole.get("normalizer")
    is_bert = isinstance(normalizer, dict) and normalizer.get("type") == "BertNormalizer"
    if is_bert and settings.get("tokenizer_class", "BertTokenizer") in BERT_CLASSES:
        normalizer = _normalizer_of(settings)
    return {
        "model": {
            "type": model.get("type", "WordPiece"),
            "unk_token": model.get("unk_token", "[UNK]"),
            "prefix": model.get("continuing_subword_prefix", "##"),
            "max_characters": model.get("max_input_chars_per_word", MAX_CHARACTERS_PER_WORD),
        },
        "vocabulary": sorted(model["vocab"].items(), key=lambda item: (str(item[1]), item[0])),
        "normalizer": _normalizer(normalizer),
        "pre_tokenizer": whole.get("pre_tokenizer"),
        "around": _around(whole.get("post_processor")),
        "added_tokens": sorted(_added_token(token) for token in whole.get("added_tokens") or []),
    }


def _from_vocabulary(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    vocabulary = read_vocabulary(path)
    words = {name: _content(settings.get(name, default)) for name, default in SPECIAL_TOKENS.items()}
    model = {"type": "WordPiece", "unk_token": words["unk_token"], "prefix": "##"}
    plain = dict.fromkeys(ADDED_TOKEN_FLAGS, False)
    return {
        "model": {**model, "max_characters": MAX_CHARACTERS_PER_WORD},
        "vocabulary": sorted(vocabulary.items(), key=lambda item: (str(item[1]), item[0])),
        "normalizer": _normalizer(_normalizer_of(settings)),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "around": [vocabulary.get(words["cls_token"]), "text", vocabulary.get(words["sep_token"])],
        "added_tokens": sorted(
            _added_token({"content": word, "id": vocabulary[word], **plain})
            for word in words.values()
            if word in vocabulary
        ),
    }


def _normalizer_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The normalizer that tokenizer_config.json asks for, with the defaults of BertTokenizer."""
    return {
        "type": "BertNormalizer",
        "handle_chinese_chars": bool(settings.get("tokenize_chinese_chars", True)),
        "strip_accents": settings.get("strip_accents"),
        "lowercase": bool(settings.get("do_lower_case", True)),
    }


def _normalizer(value: object) -> object:
    """A BertNormalizer with its defaults written out; anything else as it stands."""
    if not isinstance(value, dict) or value.get("type") != "BertNormalizer":
        return value
    lower = value.get("lowercase", True)
    strip_accents = value.get("strip_accents")
    return {
        "type": "BertNormalizer",
        "clean_text": value.get("clean_text", True),
        "handle_chinese_chars": value.get("handle_chinese_chars", True),
        "strip_accents": lower if strip_accents is None else strip_accents,  # as BERT: accents go when case goes
        "lowercase": lower,
    }


def _around(value: object) -> object:
    """The ids before and after a text: [101, "text", 102]. The two processors that write them are the same here."""
    if not isinstance(value, dict):
        return value
    if value.get("type") == "BertProcessing":
        return [value["cls"][1], "text", value["sep"][1]]
    if value.get("type") != "TemplateProcessing":
        return value
    around: list[object] = []
    for piece in value.get("single", []):
        if "Sequence" in piece:
            around.append("text")
        else:
            around.extend(value["special_tokens"][piece["SpecialToken"]["id"]]["ids"])
    return around


def _added_token(token: Mapping[str, Any]) -> list[Any]:
    return [token["content"], token["id"], *(bool(token.get(flag, False)) for flag in ADDED_TOKEN_FLAGS)]


def _content(token: object) -> str:
    """A special token of tokenizer_config.json: a text, or an object that holds one."""
    return str(token.get("content")) if isinstance(token, dict) else str(token)
