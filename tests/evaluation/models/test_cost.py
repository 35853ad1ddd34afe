"""What a run will cost, worked out by hand."""

import pytest

from gtekit.evaluation.models.cost import describe_cost, estimate_cost, may_cost


def test_four_characters_are_a_token() -> None:
    cost = estimate_cost(["12345678", "123456789", "", 4_001], "text-embedding-ada-002")
    assert cost.texts == 4
    assert cost.tokens == 2 + 3 + 0 + 1_001  # each rounded up


def test_other_scripts_are_counted_by_their_bytes() -> None:
    assert estimate_cost(["東京都庁"], "a").tokens == 3  # 4 characters of 3 bytes


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("text-embedding-ada-002", 1.0),
        ("text-embedding-3-small", 0.2),
        ("text-embedding-3-large", 1.3),
        ("other", None),
    ],
)
def test_list_prices(model: str, usd: float | None) -> None:
    # 20,000 texts of 2,000 characters: 20,000 * 500 = 10 million tokens
    cost = estimate_cost([2_000] * 20_000, model)
    assert cost.tokens == 10_000_000
    assert cost.usd == (None if usd is None else pytest.approx(usd))


def test_the_sentence_says_what_is_sure_and_where_the_price_is_from() -> None:
    cost = estimate_cost([2_000] * 20_000, "text-embedding-ada-002", already_paid=1_234)
    assert describe_cost(cost) == (
        "text-embedding-ada-002: 20,000 texts, about 10,000,000 tokens; about 1.00 USD at 0.10 USD for a million "
        "tokens, the list price of May 2026 as remembered here: look at https://openai.com/api/pricing, and set "
        "another with --price; 1,234 more are paid for already."
    )


def test_a_price_of_ones_own_counts() -> None:
    cost = estimate_cost([4_000_000], "text-embedding-ada-002", price_per_million_tokens=3)
    assert describe_cost(cost) == (
        "text-embedding-ada-002: 1 text, about 1,000,000 tokens; about 3.00 USD at 3 USD for a million tokens."
    )
    free = estimate_cost(["a"], "mine", price_per_million_tokens=0)
    assert describe_cost(free) == "mine: 1 text, about 1 token; less than 0.01 USD at 0 USD for a million tokens."


def test_without_a_price_none_is_made_up() -> None:
    cost = estimate_cost([400], "served-here")
    assert describe_cost(cost) == "served-here: 1 text, about 100 tokens; no price is known (--price gives one)."


@pytest.mark.parametrize(
    ("texts", "model", "price", "already_paid", "is_own_server", "expected"),
    [
        ([400], "text-embedding-ada-002", None, 0, False, True),
        ([], "text-embedding-ada-002", None, 0, False, True),  # how many there will be is not known
        ([], "text-embedding-ada-002", None, 9, False, False),  # all are paid for
        ([400], "unknown", None, 0, False, True),
        ([400], "unknown", None, 0, True, False),  # a server of one's own
        ([400], "unknown", 3.0, 0, True, True),
        ([400], "unknown", 0.0, 0, False, False),
    ],
)
def test_what_may_cost_is_asked_first(
    texts: list[int], model: str, price: float | None, already_paid: int, is_own_server: bool, expected: bool
) -> None:
    cost = estimate_cost(texts, model, price_per_million_tokens=price, already_paid=already_paid)
    assert may_cost(cost, is_own_server=is_own_server) == expected
