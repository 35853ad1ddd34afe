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
GELU_LIMIT = 3.2  # from there on P stays as it is: off by 1.2e-3 at most
GELU_DEGREE = 4
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


def minimax(u: Doubles, values: Doubles, degree: int, sizes: Doubles) -> Doubles:
    """Fit values at u in [-1, 1] with the least largest error in units of `sizes`: weights grow where it is large."""
    weights = np.ones_like(u)
    for _ in range(300):
        found = chebyshev.chebfit(u, values, degree, w=np.sqrt(weights) / sizes)
        errors = np.abs(chebyshev.chebval(u, found) - values) / sizes
        weights *= errors / errors.max() + 1e-3
        weights /= weights.max()
    return chebyshev.cheb2poly(found)


def in_terms_of(p: Doubles, low: float, high: float) -> Doubles:
    """Give a polynomial in [-1, 1] as one in [low, high]."""
    shift = polynomial.Polynomial([-(high + low) / (high - low), 2 / (high - low)])
    return np.asarray(polynomial.Polynomial(p)(shift).coef, np.float64)


def gelu(x: Doubles) -> Doubles:
    """Give the exact GELU."""
    return np.asarray(x / 2 * (1 + erf(x / math.sqrt(2.0))), np.float64)


def fit_byte_gelu() -> Doubles:
    """Fit P in gelu(x) = max(x, 0) - P(|x|), for results that go into bytes."""
    u = chebyshev_nodes()
    x = (u + 1) / 2 * GELU_LIMIT
    return in_terms_of(minimax(u, x - gelu(x), GELU_DEGREE, np.ones_like(u)), 0, GELU_LIMIT)


def fit_byte_exp() -> Doubles:
    """Fit 255 * 2^r for r in [0, 1)."""
    u = chebyshev_nodes()
    powers = 2 ** ((u + 1) / 2)
    return 255 * in_terms_of(minimax(u, powers, BYTE_EXP_DEGREE, powers), 0, 1)


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
    found = np.maximum(x, 0) - horner(g, np.minimum(np.abs(x), np.float32(GELU_LIMIT)))
    print("byte gelu:", *(f"{value:.9g}f," for value in g.astype(np.float32)))
    print("  largest absolute error", np.abs(found - gelu(x.astype(np.float64))).max())

    e = fit_byte_exp()
    r = np.linspace(0, 1, 200_001).astype(np.float32)
    print("byte exp:", *(f"{value:.9g}f," for value in e.astype(np.float32)))
    print("  largest relative error", np.abs(horner(e, r) / (255 * 2 ** r.astype(np.float64)) - 1).max())


if __name__ == "__main__":
    main()
