"""How sure a share is that was counted: Wilson's interval."""

from math import sqrt

Z_95 = 1.959964  # standard deviations on both sides of the mean that hold 95 % of a normal distribution


def wilson(right: int, count: int) -> tuple[float, float]:
    """Give the 95 % interval of the share `right / count`; the share lies in it.

    Source:
        Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    share, square = right / count, Z_95**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = Z_95 / (1 + square / count) * sqrt(share * (1 - share) / count + square / (4 * count**2))
    # rounding must not put the share outside its own interval
    return min(max(middle - reach, 0.0), share), max(min(middle + reach, 1.0), share)
