"""Exponentials and logarithms."""

from collections.abc import Callable, Sequence
from math import log
from typing import Any

import numpy as np

from .. import series
from .table import POSITIVE, Mend, recurrence

Coefficients = Sequence[Any]
_LN2 = log(2.0)
_LN10 = log(10.0)


def _scaled(u: Coefficients, factor: float) -> list[Any]:
    return [u_k * factor for u_k in u]


def exponential(scale: float) -> Callable[..., list[Any]]:
    """The rule of b^u = e^{u·scale}, scale = log b."""

    def rule(order: int, value: Any, u: Coefficients) -> list[Any]:
        return series.exp(order, value, [u[0], *_scaled(u[1:], scale)])

    return rule


def overflowed(base: Callable[[Any], Any], scale: float = 1.0) -> Mend:
    """Where b^{u_0} overflows, or is about to."""

    def by_halves(order: int, value: Any, u: Coefficients) -> list[Any]:
        return series.exp_by_halves(order, value, base(u[0] / 2), [u[0], *_scaled(u[1:], scale)])

    return Mend(lambda value, u: np.isinf(256 * value), by_halves)


def _log2(order: int, value: Any, u: Coefficients) -> list[Any]:
    return [value, *_scaled(series.log(order, value, u)[1:], 1 / _LN2)]


def _log10(order: int, value: Any, u: Coefficients) -> list[Any]:
    return [value, *_scaled(series.log(order, value, u)[1:], 1 / _LN10)]


def _log1p(order: int, value: Any, u: Coefficients) -> list[Any]:
    """(1 + u) y' = u'; forming 1 + u_0 costs a derivative no more than a rounding."""
    return series.log(order, value, [1 + u[0], *u[1:]])


recurrence(np.exp, series.exp, sample=(-3.0, 3.0), mend=overflowed(np.exp), special=((-750.0,), (709.5,)))
recurrence(np.exp2, exponential(_LN2), sample=(-3.0, 3.0), mend=overflowed(np.exp2, _LN2), special=((1023.5,),))
recurrence(np.expm1, series.expm1, sample=(-3.0, 3.0), mend=overflowed(np.exp), special=((1e-300,), (-40.0,)))
recurrence(np.log, series.log, domain=POSITIVE, sample=(0.1, 5.0))
recurrence(np.log2, _log2, domain=POSITIVE, sample=(0.1, 5.0))
recurrence(np.log10, _log10, domain=POSITIVE, sample=(0.1, 5.0))
recurrence(np.log1p, _log1p, domain=(-1.0, float("inf")), sample=(-0.5, 5.0), special=((1e-300,),))


def _logaddexp(order: int, value: Any, u: Coefficients, v: Coefficients, scale: float = 1.0) -> list[Any]:
    """y = log(eᵘ + eᵛ):  y' = p u' + q v',  p = 1/(1 + e^{v−u}),  q = 1 − p."""
    both = min(len(u), len(v))
    d0 = np.where(u[0] == v[0], 0.0, u[0] - v[0])  # equal infinities weigh the same
    d = [d0, *(u[k] - v[k] for k in range(1, both)), *u[both:], *(-v_k for v_k in v[both:])]
    p, q = series.logistic(order - 1, _expit(d0 * scale), _expit(-d0 * scale), _scaled(d[:order], scale))
    return series.integral(order, value, (u, p), (v, q))


def _expit(x: Any) -> Any:
    """1/(1 + e^{−x}), from the exponential that does not overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1 + e)


def _logaddexp2(order: int, value: Any, u: Coefficients, v: Coefficients) -> list[Any]:
    return _logaddexp(order, value, u, v, _LN2)


recurrence(np.logaddexp, _logaddexp)
recurrence(np.logaddexp2, _logaddexp2)
