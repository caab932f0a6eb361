"""Hyperbolic functions and their inverses."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from .. import series
from . import valuation
from .table import UNIT, by_derivative, recurrence

Coefficients = Sequence[Any]


def _sinh(order: int, value: Any, u: Coefficients) -> list[Any]:
    return series.sinhcosh(order, value, np.cosh(u[0]), u)[0]


def _cosh(order: int, value: Any, u: Coefficients) -> list[Any]:
    return series.sinhcosh(order, np.sinh(u[0]), value, u)[1]


def _arcsinh(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = u'/√(1 + u²)."""
    return series.integral(order, value, (u, series.inverse_hypotenuse(order - 1, u[:order])))


def _arctanh(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = u'/(1 − u²)."""
    w = series.one_minus_square(order - 1, u[:order])
    return series.integral(order, value, (u, series.reciprocal(order - 1, 1 / w[0], w)))


recurrence(np.sinh, _sinh)
recurrence(np.cosh, _cosh)
recurrence(np.tanh, series.tanh, special=((1e-200,), (20.0,), (-20.0,)))
recurrence(np.arcsinh, _arcsinh, special=((1e-200,), (1e100,)))
# the powers of u − 1 and u + 1 alternate in sign, so their product does not cancel
by_derivative(
    np.arccosh, lambda u: (u - 1) ** -0.5 * (u + 1) ** -0.5, domain=(1.0, inf), sample=(1.2, 4.0),
    mend=valuation.edge(inf, -inf),
)  # fmt: skip
recurrence(
    np.arctanh,
    _arctanh,
    domain=UNIT,
    sample=(-0.9, 0.9),
    mend=valuation.edge(inf, inf),
    special=((1e-200,), (1 - 2.0**-40,)),
)
