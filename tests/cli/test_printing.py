"""Numbers as people say them."""

import pytest

from gtekit.cli.printing import size_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 kB"), (38_400, "38 kB"), (999_999, "1,000 kB"), (67_000_000, "67 MB"), (1_340_000_000, "1.3 GB")],
)
def test_a_size_is_never_said_to_be_nothing_where_there_is_something(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text
