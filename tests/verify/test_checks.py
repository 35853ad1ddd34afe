"""When a comparison counts as passed."""

import numpy as np
import pytest

from gtekit.verify.checks import compare

RIGHT = np.eye(3, 8, dtype=np.float32)


def test_equal_vectors_pass() -> None:
    check = compare("same", RIGHT, RIGHT, same_bits=True)
    assert check.passed
    assert check.max_abs_diff == 0


@pytest.mark.parametrize("wrong", [RIGHT + np.float32(3e-5), RIGHT * np.float32("nan"), RIGHT[:2], -RIGHT])
def test_wrong_vectors_fail(wrong: np.ndarray) -> None:
    assert not compare("wrong", wrong, RIGHT).passed


def test_rounding_passes_unless_the_same_bits_are_asked_for() -> None:
    near = RIGHT + np.float32(1e-6)
    assert compare("near", near, RIGHT).passed
    assert not compare("near", near, RIGHT, same_bits=True).passed


def test_int8_may_be_a_level_off_and_no_more() -> None:
    rounded, wrong = RIGHT.copy(), RIGHT.copy()
    rounded[:, -1], wrong[:, -1] = 0.02, 0.2
    assert compare("rounded", rounded, RIGHT, precision="int8").passed
    assert not compare("rounded", rounded, RIGHT).passed
    assert not compare("wrong", wrong, RIGHT, precision="int8").passed
    assert not compare("other bits", rounded, RIGHT, precision="int8", same_bits=True).passed
