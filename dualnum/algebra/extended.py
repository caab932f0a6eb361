"""One variable more: the derivatives of a function are its own series at u + s, along a variable s of their own."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .graded import Part, add, is_zero
from .polynomials import Algebra
from .product import Product
from .univariate import Univariate

__all__ = ["algebra_of", "extended", "padded"]


def algebra_of(operands: Sequence[Sequence[Any]]) -> Algebra | None:
    """The algebra of the homogeneous parts among the coefficients; None of series in one variable."""
    return next((c.algebra for u in operands for c in u[1:] if isinstance(c, Part)), None)


def padded(order: int, parts: Sequence[Any], algebra: Algebra | None) -> list[Any]:
    """A series with zeros for what is absent, up to the order; of homogeneous parts in every monomial."""
    zero = np.zeros_like(parts[0])[()]
    if algebra is None:
        return [*(zero if is_zero(c) else c for c in parts), *[zero] * (order + 1 - len(parts))]
    known = algebra.terms(parts)
    return algebra.homogeneous({m: known.get(m, zero) for m in algebra.monomials})[: order + 1]


def extended(
    order: int, operands: Sequence[Sequence[Any]], powers: tuple[int, ...]
) -> tuple[list[list[Any]], Algebra | None]:
    """The operands u_i + s_i, with a variable s_i more for each power above zero, of which higher ones vanish.

    Beside them the algebra of the operands; None where they were series in one variable: theirs is the first then.
    """
    known = algebra_of(operands)
    own = Univariate(order) if known is None else known
    new = [i for i, p in enumerate(powers) if p]
    whole = Product(*own.factors, *(Univariate(powers[i]) for i in new))
    one, tail = own.monomials[0], (0,) * len(new)
    results = []
    for i, u in enumerate(operands):
        parts: list[Any] = [u[0]]
        for k, c in enumerate(u[1:], 1):
            terms = c.terms if isinstance(c, Part) else {} if known is not None or is_zero(c) else {(k,): c}
            parts.append(Part(whole, {m + tail: a for m, a in terms.items()}))
        if i in new:
            unit = tuple(int(i == j) for j in new)
            s = Part(whole, {one + unit: 1.0})
            parts[1:2] = [add(parts[1], s) if len(parts) > 1 else s]
        results.append(parts)
    return results, known
