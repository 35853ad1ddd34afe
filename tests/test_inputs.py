"""What a user passes in wrongly is named, with its place and the way out."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from gtekit.config import EncodeKeywords, EncodeOptions
from gtekit.errors import ArgumentError, TextTypeError
from gtekit.inputs import check_count, check_texts, choose_prompt, read_options


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("one", r"texts is one str.*encode_one\(text\), or \[text\]"),
        (b"one", "texts is one bytes"),
        (["a", None], r"texts\[1\] is None, expected str; a missing value"),
        ([b"x"], r"texts\[0\] is a bytes.*decode"),
        (["a", "b", 3], r"texts\[2\] is an int"),
        ([float("nan")], r"texts\[0\] is a float.*missing value"),
        ([["a"]], r"texts\[0\] is a list.*not nested"),
        ([("a", "b")], r"texts\[0\] is a tuple.*pairs"),
        ({"a"}, "texts is a set, which has no rows in order"),
        ({"a": 1}, "texts is a dict, which has no rows"),
        ((text for text in "ab"), r"texts is a generator.*encode_stream\(texts\)"),
        (7, "texts is an int, expected a list of str"),
        (None, "texts is None"),
        (np.array("a"), "texts is a ndarray"),
        (np.array(["a", None], object), r"texts\[1\] is None"),
    ],
)
def test_what_is_no_list_of_str_is_named(texts: Any, message: str) -> None:
    with pytest.raises(TextTypeError, match=message):
        check_texts(texts)


def test_lists_tuples_and_arrays_of_str_are_taken() -> None:
    for texts in (["a", ""], ("a", ""), np.array(["a", ""]), np.array(["a", ""], object), [np.str_("a"), ""]):
        assert check_texts(texts) == ["a", ""]
    assert check_texts([]) == []


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"normalise": True}, "unknown option 'normalise'; choose from: prompt_name, .*Did you mean normalize"),
        ({"batch_size": 32}, "unknown option 'batch_size'"),
        ({"on_truncation": "cut"}, "choose from: 'warn', 'error', 'ignore', 'chunk'"),
        ({"on_truncation": None}, "on_truncation=None is not possible"),
        ({"normalize": "yes"}, "normalize='yes' is not possible; choose from: None, True, False"),
        ({"progress": 1}, "progress=1 is not possible"),
        ({"dimensions": 0}, "dimensions=0 is not possible; choose a whole number, 1 to 384"),
        ({"dimensions": 385}, "1 to 384"),
        ({"dimensions": 2.0}, "dimensions=2.0"),
        ({"dimensions": True}, "dimensions=True"),
        ({"batch_tokens": 0}, "batch_tokens=0 is not possible; choose a whole number, 1 to 1,048,576"),
        ({"batch_tokens": 1_048_577}, "batch_tokens=1048577 is not possible; choose a whole number, 1 to 1,048,576"),
        ({"prompt": 3}, "prompt=3 is an int, expected str or None"),
        ({"prompt_name": b"q"}, "prompt_name=b'q' is a bytes"),
    ],
)
def test_options_that_are_not_possible_list_the_choices(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        read_options(keywords, dimension=384)


def test_keywords_and_options_are_the_same_names() -> None:
    assert set(EncodeKeywords.__annotations__) == {field.name for field in fields(EncodeOptions)}


def test_options_left_out_have_their_defaults() -> None:
    assert read_options({}, dimension=384) == EncodeOptions()
    assert read_options({"dimensions": np.int64(8)}, dimension=384).dimensions == 8


def test_an_option_that_a_method_does_not_take_is_not_among_its_choices() -> None:
    with pytest.raises(ArgumentError, match="unknown option 'dimensions'; choose from: prompt_name, prompt, on_trunc"):
        read_options({"dimensions": 8}, dimension=384, without=("dimensions",))


def test_a_prompt_spelled_out_wins_then_its_name_then_the_default() -> None:
    prompts = {"query": "query: ", "passage": "passage: "}
    assert choose_prompt(prompts, "passage", EncodeOptions(prompt="p: ", prompt_name="query")) == "p: "
    assert choose_prompt(prompts, "passage", EncodeOptions(prompt="", prompt_name="query")) == ""
    assert choose_prompt(prompts, "passage", EncodeOptions(prompt_name="query")) == "query: "
    assert choose_prompt(prompts, "passage", EncodeOptions()) == "passage: "
    assert choose_prompt(prompts, None, EncodeOptions()) == ""
    with pytest.raises(ArgumentError, match="no prompt named 'search'; it has: 'query', 'passage'"):
        choose_prompt(prompts, None, EncodeOptions(prompt_name="search"))
    with pytest.raises(ArgumentError, match="it has: none"):
        choose_prompt({}, None, EncodeOptions(prompt_name="search"))


def test_counts_have_limits() -> None:
    check_count("threads", 3)
    with pytest.raises(ArgumentError, match="threads='3' is not possible"):
        check_count("threads", "3")
