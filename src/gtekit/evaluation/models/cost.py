"""What it costs to have texts embedded by a server that is paid by the token, before anything is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

BYTES_PER_TOKEN = 4  # about: a character of English is one byte, and four of them are a token
PRICES_SOURCE = "https://openai.com/api/pricing"
PRICES_DATE = "May 2026"  # as recalled, and as embeddingcost.com read them then; batches at half price are not used
PRICES: Mapping[str, float] = MappingProxyType(  # USD for a million tokens
    {"text-embedding-ada-002": 0.10, "text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13}
)
LEAST_USD = 0.01  # less is not worth a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """About what some texts cost. Only the number of texts is exact."""

    model: str
    texts: int
    tokens: int
    usd: float | None  # None where no price is known
    price: float | None  # USD for a million tokens
    is_list_price: bool  # whether the price is from the table here
    already_paid: int  # texts that are not among these because their vectors are there


def estimate_cost(
    texts: Iterable[str | int],
    model: str,
    *,
    price_per_million_tokens: float | None = None,
    already_paid: int = 0,
) -> Cost:
    """Estimate what it takes to embed texts.

    Args:
        texts: Those to send, or the number of characters of each.
        model: Its name.
        price_per_million_tokens: In USD; None takes the list price, where one is known.
        already_paid: Texts that were left out because their vectors are there; only told.
    """
    sizes = [text if isinstance(text, int) else len(text.encode("utf-8", "replace")) for text in texts]
    tokens = sum(-(-size // BYTES_PER_TOKEN) for size in sizes)
    price = PRICES.get(model) if price_per_million_tokens is None else price_per_million_tokens
    return Cost(
        model=model,
        texts=len(sizes),
        tokens=tokens,
        usd=None if price is None else tokens / 1e6 * price,
        price=price,
        is_list_price=price_per_million_tokens is None and price is not None,
        already_paid=already_paid,
    )


def describe_cost(cost: Cost) -> str:
    """Say it in one sentence, for the moment before a run starts."""
    texts = f"{cost.texts:,} {'text' if cost.texts == 1 else 'texts'}"
    parts = [f"{texts}, about {cost.tokens:,} {'token' if cost.tokens == 1 else 'tokens'}", _money(cost)]
    if cost.already_paid:
        parts.append(f"{cost.already_paid:,} more are paid for already")
    return f"{cost.model}: {'; '.join(parts)}."


def may_cost(cost: Cost, *, is_own_server: bool) -> bool:
    """Whether somebody has to agree first: also where nobody knows how many texts there will be, or at what price."""
    is_free = cost.price == 0 or (cost.price is None and is_own_server)
    is_all_paid = cost.texts == 0 and cost.already_paid > 0
    return not is_free and not is_all_paid


def _money(cost: Cost) -> str:
    if cost.usd is None or cost.price is None:
        return "no price is known (--price gives one)"
    amount = f"about {cost.usd:,.2f} USD" if cost.usd >= LEAST_USD else f"less than {LEAST_USD} USD"
    if not cost.is_list_price:
        return f"{amount} at {cost.price:g} USD for a million tokens"
    return (
        f"{amount} at {cost.price:.2f} USD for a million tokens, the list price of {PRICES_DATE} as remembered "
        f"here: look at {PRICES_SOURCE}, and set another with --price"
    )
