"""Mixed derivatives from families of series in one variable, by interpolation with exact weights.

The k-th coefficients y_k(j) of f(x + t·j) along all directions j of whole numbers with |j| = K determine all mixed
derivatives of order k ≤ K:

    ∂^m f = Σ_{|j|=K} γ_{m,j} y_{|m|}(j),
    γ_{m,j} = Σ_{0<i≤m} (−1)^{|m−i|} C(m, i) C(K i/|i|, j) (|i|/K)^{|m|},

with generalized binomials (Griewank, Utke & Walther, "Evaluating higher derivative tensors by forward propagation of
univariate Taylor series", Math. Comp. 69, 2000; Griewank & Walther, Evaluating Derivatives, 2nd ed., 2008, prop. 13.3).
"""

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, factorial, prod

from .families import of_degree
from .graded import Monomial

__all__ = ["weights"]


@lru_cache(maxsize=1024)
def weights(m: Monomial, order: int) -> dict[Monomial, Fraction]:
    """γ_{m,j} by direction j with |j| = order, of those that are not zero."""
    degree = sum(m)
    found = {}
    for j in of_degree(len(m), order):
        weight = Fraction(0)
        for i in product(*(range(k + 1) for k in m)):
            size = sum(i)
            if size:
                binomials = prod(comb(a, b) for a, b in zip(m, i, strict=True))
                chosen = prod(_binomial(Fraction(order * a, size), b) for a, b in zip(i, j, strict=True))
                weight += (-1) ** (degree - size) * binomials * chosen * Fraction(size, order) ** degree
        if weight:
            found[j] = weight
    return found


def _binomial(a: Fraction, k: int) -> Fraction:
    """a (a − 1) … (a − k + 1)/k!."""
    return prod((a - i for i in range(k)), start=Fraction(1)) / factorial(k)
