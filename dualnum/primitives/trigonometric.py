"""Trigonometric functions and their inverses."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from .table import REAL, UNIT, linear, recurrence

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
    return series.integral(order, value, (u, series.arctan_slope(order - 1, u[:order])))


def _arctan2(order: int, value: Any, y: Coefficients, x: Coefficients) -> list[Any]:
    """θ' = (x y' − y x')/(x² + y²), with both factors of r² taken separately so that none overflows."""
    r0 = np.hypot(y[0], x[0])
    r = series.hypot(order - 1, r0, y[:order], x[:order])
    scaled = [series.divide(order - 1, a[0] / r0, a[:order], r) for a in (x, [-y_k for y_k in y])]
    weights = [series.divide(order - 1, a[0] / r0, a, r) for a in scaled]
    return series.integral(order, value, (y, weights[0]), (x, weights[1]))


recurrence(np.sin, _sin)
recurrence(np.cos, _cos)
recurrence(np.tan, series.tan, sample=(-1.4, 1.4))
recurrence(np.arcsin, _arcsin, domain=UNIT, sample=(-0.9, 0.9))
recurrence(np.arccos, _arccos, domain=UNIT, sample=(-0.9, 0.9))
recurrence(np.arctan, _arctan)
recurrence(np.arctan2, _arctan2, domain=(REAL, REAL), sample=((0.3, 3.0), (-3.0, 3.0)))
linear(np.deg2rad)
linear(np.radians)
linear(np.rad2deg)
linear(np.degrees)
