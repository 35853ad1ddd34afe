"""What users pass in, checked once: nothing below sees a bad text or a misspelled option."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_args

from gtekit.config import MOST_BATCH_TOKENS, EncodeOptions, OnTruncation
from gtekit.errors import ArgumentError, TextTypeError

QUERY_PROMPTS = ("query",)
DOCUMENT_PROMPTS = ("document", "passage", "corpus")  # the first that the model has, as in sentence-transformers

OPTION_NAMES = tuple(field.name for field in fields(EncodeOptions))


def check_texts(texts: Iterable[str]) -> list[str]:
    """Give the texts as a list, made sure to be one of str.

    Raises:
        TextTypeError: If `texts` is itself a str, has no order or no end, or holds something that is not a str.
    """
    if isinstance(texts, str | bytes):
        raise TextTypeError(
            f"texts is one {type(texts).__name__}, expected a list of str. For one text: encode_one(text), or [text]."
        )
    if isinstance(texts, set | frozenset | Mapping):
        raise TextTypeError(f"texts is a {type(texts).__name__}, which has no rows in order; pass a list of str.")
    if not hasattr(texts, "__len__"):
        raise TextTypeError(
            f"texts is {_describe(texts)}, expected a list of str. For an iterable of any length: encode_stream(texts)."
        )
    try:
        checked = list(texts)
    except TypeError:
        raise TextTypeError(f"texts is {_describe(texts)}, expected a list of str.") from None
    for index, text in enumerate(checked):
        if not isinstance(text, str):
            raise wrong_text(text, index)
    return checked


def wrong_text(text: object, index: int) -> TextTypeError:
    """Say which of the texts is no str, and what it is."""
    fixes = {
        bytes: "decode it: text.decode('utf-8')",
        type(None): "a missing value? Leave it out, or put '' in its place",
        float: "a missing value or a number? Leave it out, or write str(value)",
        list: "lists are not nested here: one str per text; token ids are not taken",
        tuple: "pairs of texts are not taken: one str per text",
    }
    fix = fixes.get(type(text), "make it a str first")
    return TextTypeError(f"texts[{index}] is {_describe(text)}, expected str; {fix}.")


def read_options(keywords: Mapping[str, Any], *, dimension: int, without: tuple[str, ...] = ()) -> EncodeOptions:
    """Turn keyword arguments into options.

    Args:
        keywords: As the caller wrote them.
        dimension: D, the longest that vectors can be.
        without: Options that this method does not take.

    Raises:
        ArgumentError: If there is no such option, or its value is not possible.
    """
    choices = [name for name in OPTION_NAMES if name not in without]
    for name in keywords:
        if name not in choices:
            raise ArgumentError(f"unknown option {name!r}; choose from: {', '.join(choices)}.{_guess(name, choices)}")
    options = EncodeOptions(**keywords)
    _check_choice("on_truncation", options.on_truncation, get_args(OnTruncation))
    _check_choice("normalize", options.normalize, (None, True, False))
    _check_choice("progress", options.progress, (None, True, False))
    check_count("batch_tokens", options.batch_tokens, most=MOST_BATCH_TOKENS)
    if options.dimensions is not None:
        check_count("dimensions", options.dimensions, most=dimension)
    for name, text in (("prompt", options.prompt), ("prompt_name", options.prompt_name)):
        if text is not None and not isinstance(text, str):
            raise ArgumentError(f"{name}={text!r} is {_describe(text)}, expected str or None.")
    return options


def check_count(name: str, value: object, *, least: int = 1, most: int | None = None) -> None:
    """Make sure that a value is a whole number in its range.

    Raises:
        ArgumentError: If it is not.
    """
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):  # type: ignore[operator]
        limits = f"{least:,} to {most:,}" if most is not None else f"{least} or more"
        raise ArgumentError(f"{name}={value!r} is not possible; choose a whole number, {limits}.")


def choose_prompt(prompts: Mapping[str, str], default_name: str | None, options: EncodeOptions) -> str:
    """Give the prompt that goes before each text, "" for none.

    Raises:
        ArgumentError: If the model has no prompt of the name that was asked for.
    """
    if options.prompt is not None:
        return options.prompt
    name = options.prompt_name if options.prompt_name is not None else default_name
    if name is None:
        return ""
    if name not in prompts:
        known = ", ".join(map(repr, prompts)) or "none"
        raise ArgumentError(f"the model has no prompt named {name!r}; it has: {known}. Spell one out: prompt='...'.")
    return prompts[name]


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in choices):
        raise ArgumentError(f"{name}={value!r} is not possible; choose from: {', '.join(map(repr, choices))}.")


def _guess(name: str, choices: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, choices, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _describe(value: object) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}" if value is not None else "None"
