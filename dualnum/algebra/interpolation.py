"""Mixed derivatives from families of series in one variable, by interpolation with exact weights.

The coefficients y_k(v) of f(x + t·v) along a few directions v of whole numbers determine mixed derivatives of order k:
∂^m f = Σ_v γ_v y_{|m|}(v). Two families are known by closed formulas.

`weights`: the directions j ≥ 0 with |j| = K, one family for all derivatives of all orders k ≤ K,

    γ_{m,j} = Σ_{0<i≤m} (−1)^{|m−i|} C(m, i) C(K i/|i|, j) (|i|/K)^{|m|},

with generalized binomials (Griewank, Utke & Walther, "Evaluating higher derivative tensors by forward propagation of
univariate Taylor series", Math. Comp. 69, 2000, eq. 13; Griewank & Walther, Evaluating Derivatives, 2nd ed., 2008,
proposition 13.3).

`polarized`: for one derivative, t^m as a sum of powers of linear forms,

    ∂^m f = 2^{−|m|} Σ_{0≤i≤m} (−1)^{|i|} C(m, i) y_{|m|}(m − 2i)

(Kan, "From moments of sum to moments of product", J. Multivariate Analysis 99, 2008). For f_xt these are (1, 1) and
(1, −1); m − 2i and its opposite are one direction, so that there are Π (m_i + 1)/2 at most.

Directions are divided by what divides all their entries, and begin with a positive one: y_k(g·v) = g^k y_k(v).
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, factorial, gcd, lcm, prod

from .families import of_degree
from .graded import Monomial

__all__ = ["amplification", "polarized", "weights"]

Weights = dict[Monomial, Fraction]


def weights(m: Monomial, order: int) -> Weights:
    """γ_{m,j} by direction, of those that are not zero; of the family with |j| = order ≥ |m|."""
    return _placed(m, lambda powers: _of_simplex(powers, order))


def polarized(m: Monomial) -> Weights:
    """The weights of a family for this derivative alone."""
    return _placed(m, _of_grid)


def amplification(m: Monomial, family: Weights) -> float:
    """Σ |γ_v| |v|^k/k!: by what rounding errors grow where all derivatives of order k = |m| are of one size."""
    k = sum(m)
    return float(sum(abs(w) * sum(map(abs, v)) ** k for v, w in family.items()) / factorial(k))


def _placed(m: Monomial, find: Callable[[Monomial], Weights]) -> Weights:
    """A family of the variables that occur, found for their powers in order: so few are ever computed."""
    where = sorted((i for i, power in enumerate(m) if power), key=lambda i: -m[i])
    full = []
    for v, w in find(tuple(m[i] for i in where)).items():
        by_variable = dict(zip(where, v, strict=True))
        full.append((tuple(by_variable.get(i, 0) for i in range(len(m))), w))
    return _collected(sum(m), full)


def _collected(degree: int, terms: Iterable[tuple[Monomial, Fraction]]) -> Weights:
    """The same with one direction of all that are multiples of each other."""
    found: Weights = {}
    for v, w in terms:
        if any(v):
            g = gcd(*v) if next(filter(None, v)) > 0 else -gcd(*v)
            u = tuple(x // g for x in v)
            found[u] = found.get(u, Fraction(0)) + w * g**degree
    return {v: w for v, w in found.items() if w}


@lru_cache(maxsize=1024)
def _of_simplex(m: Monomial, order: int) -> Weights:
    degree = sum(m)
    clear = lcm(*range(1, degree + 1)) ** (order - degree)  # so that all but the last division is of integers
    points = [
        (i, s, (-1) ** (degree - s) * c * (clear // s ** (order - degree))) for i, s, c in _below(m) if s
    ]  # K i/|i| and what stands before its binomials
    terms = []
    for j in of_degree(len(m), order):
        total = sum(c * prod(_falling(order * a, s, b) for a, b in zip(i, j, strict=True)) for i, s, c in points)
        terms.append((j, Fraction(total, clear * order**degree * prod(map(factorial, j)))))
    return _collected(degree, terms)


@lru_cache(maxsize=1024)
def _of_grid(m: Monomial) -> Weights:
    degree = sum(m)
    terms = (
        (tuple(a - 2 * b for a, b in zip(m, i, strict=True)), Fraction((-1) ** s * c, 2**degree))
        for i, s, c in _below(m)
    )
    return _collected(degree, terms)


def _below(m: Monomial) -> Iterator[tuple[Monomial, int, int]]:
    """All i ≤ m with |i| and C(m, i)."""
    for i in product(*(range(power + 1) for power in m)):
        yield i, sum(i), prod(map(comb, m, i))


@lru_cache(maxsize=1 << 16)
def _falling(a: int, step: int, count: int) -> int:
    """a (a − s) (a − 2s) …"""
    return prod(a - step * k for k in range(count))
