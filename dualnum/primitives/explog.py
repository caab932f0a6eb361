"""Exponentials and logarithms."""

from collections.abc import Callable, Sequence
from math import log
from typing import Any

import numpy as np

from .. import series
from ..kinds import Coefficient
from .table import POSITIVE, Mend, by_derivative, by_equation, composed, lookup, recurrence

Coefficients = Sequence[Any]
_LN2 = log(2.0)
_LN10 = log(10.0)


def overflowed(base: Callable[[Any], Any], scale: float = 1.0) -> Mend:
    """Where b^{u_0} = e^{u_0·scale} overflows, or is about to."""

    def by_halves(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
        return series.exp_by_halves(order, value, base(u[0] / 2), [u[0], *(u_k * scale for u_k in u[1:])])

    return Mend(lambda value, u: np.isinf(256 * value), by_halves)


by_equation(np.exp, lambda du, y: du * y, mend=overflowed(np.exp), special=((-750.0,), (709.5,)))
by_equation(np.exp2, lambda du, y: _LN2 * du * y, mend=overflowed(np.exp2, _LN2), special=((1023.5,),))
# of e^u − 1 only the value can cancel
composed(np.expm1, np.exp, mend=overflowed(np.exp), special=((1e-300,), (-40.0,)))
by_derivative(np.log, lambda u: 1 / u, domain=POSITIVE, sample=(0.1, 5.0))
by_derivative(np.log2, lambda u: 1 / _LN2 / u, domain=POSITIVE, sample=(0.1, 5.0))
by_derivative(np.log10, lambda u: 1 / _LN10 / u, domain=POSITIVE, sample=(0.1, 5.0))
by_derivative(np.log1p, lambda u: 1 / (1 + u), domain=(-1.0, float("inf")), sample=(-0.5, 5.0), special=((1e-300,),))


def _logaddexp(order: int, value: Coefficient, u: Coefficients, v: Coefficients, scale: float = 1.0) -> list[Any]:
    """y = log(eᵘ + eᵛ):  y' = p u' + q v',  p = 1/(1 + e^{v−u}) = ½ (1 + tanh ½(u − v)),  q = 1 − p.

    (As a recurrence, since both share the hyperbolic tangent, and have values of their own in the tails.)
    """
    both = min(len(u), len(v))
    d0 = np.where(u[0] == v[0], 0.0, u[0] - v[0])  # equal infinities weigh the same
    d = [d0, *(u[k] - v[k] for k in range(1, both)), *u[both:], *(-v_k for v_k in v[both:])]
    t = lookup(np.tanh).expand(order - 1, [d_k * (0.5 * scale) for d_k in d[:order]])
    p = [_expit(d0 * scale), *(0.5 * t_k for t_k in t[1:])]
    q = [_expit(-d0 * scale), *(-0.5 * t_k for t_k in t[1:])]
    return series.integral(order, value, (u, p), (v, q))


def _expit(x: Coefficient) -> Any:
    """1/(1 + e^{−x}), from the exponential that does not overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def _logaddexp2(order: int, value: Coefficient, u: Coefficients, v: Coefficients) -> list[Any]:
    return _logaddexp(order, value, u, v, _LN2)


recurrence(np.logaddexp, _logaddexp)
recurrence(np.logaddexp2, _logaddexp2)
