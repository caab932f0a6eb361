"""Hyperbolic functions and their inverses."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from .. import series
from ..kinds import Coefficient
from . import valuation
from .table import UNIT, by_derivative, by_equation, recurrence
from .trigonometric import inverse_hypotenuse, inverse_root, one_minus_square

Coefficients = Sequence[Any]


def _sinh(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    return series.sinhcosh(order, value, np.cosh(u[0]), u)[0]


def _cosh(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    return series.sinhcosh(order, np.sinh(u[0]), value, u)[1]


def _squared_sech(y: Coefficient, u: Coefficient) -> Any:
    """sech² u, which 1 − y² would lose in the tails.

    4e/(1 + e)² with e = e^{−2|u|}, at a third of the price of a cosh.
    """
    e = np.exp(-2 * np.where(np.real(u) < 0, -u, u))
    return 4 * e / ((1 + e) * (1 + e))


# scaled on the way, for these values overflow before their coefficients do
recurrence(np.sinh, _sinh)
recurrence(np.cosh, _cosh)
by_equation(
    np.tanh, lambda du, y, s: (du * s, -2 * (du * (y * s))), _squared_sech, special=((1e-200,), (20.0,), (-20.0,))
)
by_derivative(np.arcsinh, inverse_hypotenuse, special=((1e-200,), (1e100,)))
# the powers of u − 1 and u + 1 alternate in sign, so their product does not cancel
by_derivative(
    np.arccosh, lambda u: inverse_root(u - 1) * inverse_root(u + 1), domain=(1.0, inf), sample=(1.2, 4.0),
    mend=valuation.edge(inf, -inf),
)  # fmt: skip
by_derivative(
    np.arctanh,
    lambda u: 1 / one_minus_square(u),
    domain=UNIT,
    sample=(-0.9, 0.9),
    mend=valuation.edge(inf, inf),
    special=((1e-200,), (1 - 2.0**-40,)),
)
