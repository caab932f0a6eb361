"""A change of variable that keeps a recurrence in range: t = 2^m τ, undone at the end.

Where a function's natural length is tiny (hypot and arctan2 near the origin), coefficients grow like
r^{−k} and overflow one after the other; the recurrence would then subtract infinities. In τ they are all
of one size. Scaling by powers of two is exact, so nothing else changes.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from math import frexp
from typing import Any

import numpy as np

from ..algebra import Part
from ..kinds import Coefficient

__all__ = ["is_small", "rescaled"]

Coefficients = Sequence[Any]
_SMALL = 2.0**-12
_NONE = -30000.0


def is_small(x: Coefficient) -> Any:
    """Mask of the numbers so near to zero that powers of 1/x overflow soon, in single precision as well."""
    return np.abs(x) < _SMALL


def rescaled(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule run in τ, with m the growth of its operands: the largest (log₂|u_k| − log₂ max|u_0|)/k."""

    def run(order: int, value: Coefficient, *operands: Coefficients) -> Any:
        start = reduce(np.maximum, (_magnitude(u[0]) for u in operands))
        growth = [(_magnitude(u_k) - start) / k for u in operands for k, u_k in enumerate(u) if k]
        m = _largest(reduce(np.maximum, growth), np.shape(start))
        limit = 0.85 * np.finfo(getattr(value, "dtype", float)).maxexp
        third = np.exp2(np.minimum(np.maximum(np.floor(m / -3), -limit), limit))  # 2^m may be out of range
        y = rule(order, value, *([u[0], *_scaled(u[1:], third)] for u in operands))
        return [value, *_scaled(y[1:], 1 / third)]

    return run


def _scaled(u: Coefficients, third: Any) -> list[Any]:
    """The coefficients of degree k = 1, 2, … times third³ᵏ."""
    for k in range(len(u)):
        u = [*u[:k], *(u_k * third * third * third for u_k in u[k:])]
    return list(u)


def _largest(x: Coefficient, shape: tuple[int, ...]) -> Any:
    """The largest of what has been broadcast from this shape: along any direction, for t is one for all of them."""
    missing = np.ndim(x) - len(shape)
    x = np.max(x, axis=tuple(range(missing))) if missing else x
    spread = tuple(i for i, n in enumerate(shape) if n == 1 != np.shape(x)[i])
    return np.max(x, axis=spread, keepdims=True) if spread else x


def _magnitude(x: Coefficient) -> Any:
    """The binary exponent of |x|; far below all others for zero. Of a homogeneous part that of its largest term."""
    if isinstance(x, Part):
        return reduce(np.maximum, map(_magnitude, x.terms.values()), _NONE)
    if type(x) in (int, float):  # whose type does not count
        return float(frexp(x)[1]) if x else _NONE
    there = np.isfinite(x) & (x != 0)
    return np.where(there, np.floor(np.log2(np.abs(np.where(there, x, 1.0)))), _NONE)
