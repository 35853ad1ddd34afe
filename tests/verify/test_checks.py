"""When a comparison counts as passed."""

import numpy as np
import pytest

from gtekit.verify.checks import compare

RIGHT = np.eye(3, 8, dtype=np.float32)


def test_equal_vectors_pass() -> None:
    check = compare("same", RIGHT, RIGHT, allowed=0.0)
    assert check.passed
    assert check.max_abs_diff == 0


@pytest.mark.parametrize("wrong", [RIGHT + np.float32(3e-5), RIGHT * np.float32("nan"), RIGHT[:2], -RIGHT])
def test_wrong_vectors_fail(wrong: np.ndarray) -> None:
    assert not compare("wrong", wrong, RIGHT).passed


def test_rounding_passes_unless_the_same_bits_are_asked_for() -> None:
    near = RIGHT + np.float32(1e-6)
    assert compare("near", near, RIGHT).passed
    assert not compare("near", near, RIGHT, allowed=0.0).passed
