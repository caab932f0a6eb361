"""Trigonometric functions and their inverses."""

from collections.abc import Sequence
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


def _at_edge(sign: int, rule: Any) -> Mend:
    """Where u_0 = ±1, of sign·arccos u, from √z by the valuation of z = 1 ∓ u.

    arccos(1 − z) = ∫ 2 (2 − z)^{−1/2} d√z: infinite where √z is, with its sign; of arccos(cos t) = |t| the
    subgradient 0, and 0 as far as it is known that nothing moves.
    """

    def expand(order: int, value: Any, u: Coefficients) -> list[Any]:
        if np.iscomplexobj(u[0]):
            return rule(order, value, u)  # type: ignore[no-any-return]
        side = sign * np.sign(u[0])
        z = [0.0 * u[0], *(-np.sign(u[0]) * u_k for u_k in u[1:])]
        root = valuation.power(order, z[0], z, 0.5, lambda order, w: series.sqrt(order, np.sqrt(w[0]), w))
        rest = [2.0 + z[0], *(-z_k for z_k in z[1:])]
        slope = series.power(order, 1 / np.sqrt(rest[0]), rest, -0.5)
        y = series.integral(order, value, (root, [2 * s for s in slope]))
        pairs = zip(y[1:], root[1:], strict=True)
        return [value, *(side * np.where(np.isinf(root_k), root_k, y_k) for y_k, root_k in pairs)]

    return Mend(lambda value, u: (u == 1) | (u == -1), expand)


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
recurrence(
    np.arcsin, _arcsin, domain=UNIT, sample=(-0.9, 0.9), mend=_at_edge(-1, _arcsin),
    special=((1e-200,), (1 - 2.0**-40,)),
)  # fmt: skip
recurrence(
    np.arccos, _arccos, domain=UNIT, sample=(-0.9, 0.9), mend=_at_edge(1, _arccos),
    special=((1e-20,), (-1 + 2.0**-40,)),
)  # fmt: skip
recurrence(np.arctan, _arctan)
recurrence(
    np.arctan2, _arctan2, sample=((0.3, 3.0), (-3.0, 3.0)),
    mend=Mend(lambda value, y, x: rescale.is_small(y) & rescale.is_small(x), rescale.rescaled(_arctan2)),
)  # fmt: skip
linear(np.deg2rad)
linear(np.radians)
linear(np.rad2deg)
linear(np.degrees)
