"""Print the polynomials of algorithms.h and byte_algorithms.h, with the error of each evaluated in float32.

Run it to check the two: python core/kernels/fit_polynomials.py
"""

import math
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, polynomial
from numpy.typing import NDArray

Doubles = NDArray[np.floating[Any]]

ERF_LIMIT = 3.85  # erf(3.85) is 1 - 5.2e-8: the last float32 before 1 is 1 - 6.0e-8
ERF_DEGREE = 14
EXP_DEGREE = 6
GELU_LIMIT = 3.9  # the normal distribution is within 5e-5 of 1 there
GELU_DEGREE = 6
BYTE_EXP_DEGREE = 3
LN_2 = math.log(2.0)

erf = np.vectorize(math.erf)


def chebyshev_nodes(count: int = 4000) -> Doubles:
    """Sample points in (-1, 1) at which a least-squares fit is close to the minimax one."""
    return np.cos(np.pi * (np.arange(count) + 0.5) / count)


def fit_erf() -> Doubles:
    """Fit P in erf(z) = z P(u), u = 2 z^2 / limit^2 - 1; u keeps the Horner steps well conditioned, z^2 does not."""
    u = chebyshev_nodes()
    z = np.sqrt((u + 1) / 2) * ERF_LIMIT
    return chebyshev.cheb2poly(chebyshev.chebfit(u, erf(z) / z, ERF_DEGREE, w=z))


def fit_exp() -> Doubles:
    """Fit exp(r) for |r| <= ln(2) / 2, the remainder of a range reduction by powers of two."""
    u = chebyshev_nodes()
    scaled = chebyshev.cheb2poly(chebyshev.chebfit(u, np.exp(u * LN_2 / 2), EXP_DEGREE, w=np.exp(-u * LN_2 / 2)))
    return scaled / (LN_2 / 2) ** np.arange(EXP_DEGREE + 1)


def normal(x: Doubles) -> Doubles:
    """Give the distribution function of the standard normal, less a half."""
    return np.asarray(erf(x / math.sqrt(2.0)) / 2, np.float64)


def fit_byte_gelu() -> Doubles:
    """Fit P in gelu(x) = x (1/2 + x P(x^2)), for results that go into bytes."""
    u = chebyshev_nodes()
    squares = (u + 1) / 2 * GELU_LIMIT**2
    x = np.sqrt(squares)
    p = chebyshev.cheb2poly(chebyshev.chebfit(u, normal(x) / x, GELU_DEGREE, w=squares))
    in_squares = polynomial.Polynomial(p)(polynomial.Polynomial([-1.0, 2 / GELU_LIMIT**2]))
    return np.asarray(in_squares.coef, np.float64)


def fit_byte_exp() -> Doubles:
    """Fit 255 * 2^r for |r| <= 1/2."""
    u = chebyshev_nodes()
    scaled = chebyshev.cheb2poly(chebyshev.chebfit(u, 2 ** (u / 2), BYTE_EXP_DEGREE, w=2 ** (-u / 2)))
    return 255 * scaled * 2.0 ** np.arange(BYTE_EXP_DEGREE + 1)


def horner(coefficients: Doubles, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Evaluate in float32, lowest coefficient first."""
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result = result * x + np.float32(coefficient)
    return result


def main() -> None:
    """Print both tables and their errors."""
    p = fit_erf()
    z = np.linspace(-ERF_LIMIT, ERF_LIMIT, 200_001).astype(np.float32)
    found = z * horner(p, z * z * np.float32(2 / ERF_LIMIT**2) - np.float32(1))
    print("erf:", *(f"{value:.9g}f," for value in p.astype(np.float32)))
    print("  largest absolute error", np.abs(found - erf(z.astype(np.float64))).max())

    q = fit_exp()
    r = np.linspace(-LN_2 / 2, LN_2 / 2, 200_001).astype(np.float32)
    exact = np.exp(r.astype(np.float64))
    print("exp:", *(f"{value:.9g}f," for value in q.astype(np.float32)))
    print("  largest relative error", np.abs(horner(q, r) / exact - 1).max())

    g = fit_byte_gelu()
    x = np.linspace(-20, 20, 400_001).astype(np.float32)
    inner = np.clip(x, -GELU_LIMIT, GELU_LIMIT).astype(np.float32)
    errors = np.abs(x * (np.float32(0.5) + inner * horner(g, inner * inner)) - x * (0.5 + normal(x.astype(np.float64))))
    print("byte gelu:", *(f"{value:.9g}f," for value in g.astype(np.float32)))
    print("  largest absolute error over max(1, |x| / 4)", (errors / np.maximum(1, np.abs(x) / 4)).max())

    e = fit_byte_exp()
    r = np.linspace(-0.5, 0.5, 200_001).astype(np.float32)
    print("byte exp:", *(f"{value:.9g}f," for value in e.astype(np.float32)))
    print("  largest relative error", np.abs(horner(e, r) / (255 * 2 ** r.astype(np.float64)) - 1).max())


if __name__ == "__main__":
    main()
