"""A change of variable that keeps a recurrence in range: t = 2^m τ, undone at the end.

Where a function's natural length is tiny (hypot and arctan2 near the origin), coefficients grow like
r^{−k} and overflow one after the other; the recurrence would then subtract infinities. In τ they are all
of one size. Scaling by powers of two is exact, so nothing else changes.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..algebra import Part
from ..kinds import Coefficient

__all__ = ["is_small", "rescaled"]

Coefficients = Sequence[Any]
_SMALL = 2.0**-12
_NONE = -(10**6)


def is_small(x: Coefficient) -> Any:
    """Mask of the numbers so near to zero that powers of 1/x overflow soon, in single precision as well."""
    return np.abs(x) < _SMALL


def rescaled(rule: Callable[..., Any]) -> Callable[..., Any]:
    """The rule run in τ, with m the growth of its operands: the largest (log₂|u_k| − log₂ max|u_0|)/k."""

    def run(order: int, value: Coefficient, *operands: Coefficients) -> Any:
        start = reduce(np.maximum, (_magnitude(u[0]) for u in operands))
        growth = [(_magnitude(u_k) - start) // k for u in operands for k, u_k in enumerate(u) if k]
        m = np.clip(_largest(reduce(np.maximum, growth), np.shape(start)), -5000, 5000)
        scaled = [[u[0], *(np.ldexp(u_k, -k * m) for k, u_k in enumerate(u) if k)] for u in operands]
        y = rule(order, value, *scaled)
        return [value, *(np.ldexp(y_k, k * m) for k, y_k in enumerate(y) if k)]

    return run


def _largest(x: Coefficient, shape: tuple[int, ...]) -> Any:
    """The largest of what has been broadcast from this shape: along any direction, for t is one for all of them."""
    missing = np.ndim(x) - len(shape)
    x = np.max(x, axis=tuple(range(missing)))
    spread = tuple(i for i, n in enumerate(shape) if n == 1 != np.shape(x)[i])
    return np.max(x, axis=spread, keepdims=True) if spread else x


def _magnitude(x: Coefficient) -> Any:
    """The binary exponent of |x|; far below all others for zero. Of a homogeneous part that of its largest term."""
    if isinstance(x, Part):
        return reduce(np.maximum, map(_magnitude, x.terms.values()), np.int64(_NONE))
    return np.where(x == 0, _NONE, np.frexp(x)[1])
