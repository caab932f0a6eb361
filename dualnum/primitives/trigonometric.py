"""Trigonometric functions and their inverses."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from .. import series
from . import rescale, valuation
from .table import UNIT, Mend, linear, recurrence

Coefficients = Sequence[Any]


def _sin(order: int, value: Any, u: Coefficients) -> list[Any]:
    return series.sincos(order, value, np.cos(u[0]), u)[0]


def _cos(order: int, value: Any, u: Coefficients) -> list[Any]:
    return series.sincos(order, np.sin(u[0]), value, u)[1]


def inverse_root(order: int, u: Coefficients) -> list[Any]:
    """(1 − u²)^{−1/2}, the derivative of arcsin."""
    w = series.one_minus_square(order, u)
    return series.power(order, 1 / np.sqrt(w[0]), w, -0.5)


def _arcsin(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = u'/√(1 − u²)."""
    return series.integral(order, value, (u, inverse_root(order - 1, u[:order])))


def _arccos(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = −u'/√(1 − u²)."""
    return [value, *(-y_k for y_k in _arcsin(order, value, u)[1:])]


def _arctan(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = u'/(1 + u²)."""
    s = series.inverse_hypotenuse(order - 1, u[:order])
    return series.integral(order, value, (u, series.square(order - 1, s[0] * s[0], s)))


def _arctan2(order: int, value: Any, y: Coefficients, x: Coefficients) -> list[Any]:
    """θ' = (x y' − y x')/(x² + y²), in the frame turned by θ_0 (`series.polar`) and in units of r_0."""
    r0 = np.hypot(y[0], x[0])
    radial, around = series.polar(r0, x[: order + 1], y[: order + 1])
    one = r0 / r0  # NaN at the origin, where there is no angle
    a, b = [one, *(a_k / r0 for a_k in radial)], [0.0, *(b_k / r0 for b_k in around)]
    da, db = series.derivative(a), series.derivative(b)
    last = min(order - 1, 2 * len(radial) - 1)
    turn = [series.convolve(a, db, k) - series.convolve(b, da, k) for k in range(last + 1)]
    squares = zip(series.square(order, one, a), series.square(order, 0.0, b), strict=True)
    slope = series.divide(order - 1, turn[0] / one, turn, [p + q for p, q in squares])
    return [value, *(series.over(slope[k - 1], k) for k in range(1, order + 1))]


recurrence(np.sin, _sin)
recurrence(np.cos, _cos)
recurrence(np.tan, series.tan, sample=(-1.4, 1.4))
recurrence(np.arcsin, _arcsin, domain=UNIT, sample=(-0.9, 0.9), mend=valuation.edge(inf, inf))
recurrence(np.arccos, _arccos, domain=UNIT, sample=(-0.9, 0.9), mend=valuation.edge(-inf, -inf))
recurrence(np.arctan, _arctan)
recurrence(
    np.arctan2, _arctan2, sample=((0.3, 3.0), (-3.0, 3.0)),
    mend=Mend(lambda value, y, x: rescale.is_small(y) & rescale.is_small(x), rescale.rescaled(_arctan2)),
)  # fmt: skip
linear(np.deg2rad)
linear(np.radians)
linear(np.rad2deg)
linear(np.degrees)
