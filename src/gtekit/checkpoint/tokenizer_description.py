"""What a tokenizer does, as one canonical value: equal for a tokenizer.json and for the vocab.txt that it came from.

Left out is what changes no token id: truncation and padding (the model's own length wins over them), the decoder, and
fields that some versions of `tokenizers` write and others do not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gtekit.checkpoint.json_files import read_json_object
from gtekit.config import TokenizerFiles
from gtekit.errors import CheckpointError
from gtekit.wordpiece import (
    SPECIAL_TOKENS,
    bert_normalizer,
    normalizer_that_runs,
    read_vocabulary,
    special_token,
)

MAX_CHARACTERS_PER_WORD = 100  # of BERT: a longer word is unknown
ADDED_TOKEN_FLAGS = ("single_word", "lstrip", "rstrip", "normalized")


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


def _from_json(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    whole = read_json_object(path)
    model = whole.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(f"{path}: expected a model with a vocab, found none.")
    return {
        "model": {
            "type": model.get("type", "WordPiece"),
            "unk_token": model.get("unk_token", "[UNK]"),
            "prefix": model.get("continuing_subword_prefix", "##"),
            "max_characters": model.get("max_input_chars_per_word", MAX_CHARACTERS_PER_WORD),
        },
        "vocabulary": sorted(model["vocab"].items(), key=lambda item: (str(item[1]), item[0])),
        "normalizer": _normalizer(normalizer_that_runs(whole.get("normalizer"), settings)),
        "pre_tokenizer": whole.get("pre_tokenizer"),
        "around": _around(whole.get("post_processor")),
        "added_tokens": sorted(_added_token(token) for token in whole.get("added_tokens") or []),
    }


def _from_vocabulary(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    vocabulary = read_vocabulary(path)
    words = {name: special_token(settings, name) for name in SPECIAL_TOKENS}
    model = {"type": "WordPiece", "unk_token": words["unk_token"], "prefix": "##"}
    plain = dict.fromkeys(ADDED_TOKEN_FLAGS, False)
    return {
        "model": {**model, "max_characters": MAX_CHARACTERS_PER_WORD},
        "vocabulary": sorted(vocabulary.items(), key=lambda item: (str(item[1]), item[0])),
        "normalizer": _normalizer(bert_normalizer(settings)),
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "around": [vocabulary.get(words["cls_token"]), "text", vocabulary.get(words["sep_token"])],
        "added_tokens": sorted(
            _added_token({"content": word, "id": vocabulary[word], **plain})
            for word in words.values()
            if word in vocabulary
        ),
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
