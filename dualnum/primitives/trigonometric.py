"""Trigonometric functions and their inverses."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import series
from ..kinds import Coefficient
from . import rescale, valuation
from .table import UNIT, Mend, by_derivative, by_equation, linear, on_series, recurrence

Coefficients = Sequence[Any]

# what slopes are made of without a loss of digits, see `series`
one_minus_square = on_series(series.one_minus_square)
inverse_hypotenuse = on_series(series.inverse_hypotenuse)
inverse_root = on_series(lambda order, w: series.power(order, 1 / np.sqrt(w[0]), w, -0.5))


def sine(du: Any, s: Coefficient, c: Coefficient) -> tuple[Any, Any]:
    """s' = c u', c' = −s u'."""
    return du * c, -(du * s)


def cosine(du: Any, c: Coefficient, s: Coefficient) -> tuple[Any, Any]:
    """c' = −s u', s' = c u'."""
    return -(du * s), du * c


def _at_edge(sign: int) -> Mend:
    """Where u_0 = ±1, of sign·arccos u, from √z by the valuation of z = 1 ∓ u.

    arccos(1 − z) = ∫ 2 (2 − z)^{−1/2} d√z: infinite where √z is, with its sign; of arccos(cos t) = |t| the
    subgradient 0, and 0 as far as it is known that nothing moves.
    """

    def expand(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
        side = sign * np.sign(u[0])
        z = [0.0 * u[0], *(-np.sign(u[0]) * u_k for u_k in u[1:])]
        root = valuation.power(order, z[0], z, 0.5, lambda order, w: series.sqrt(order, np.sqrt(w[0]), w))
        rest = [2.0 + z[0], *(-z_k for z_k in z[1:])]
        slope = series.power(order, 1 / np.sqrt(rest[0]), rest, -0.5)
        y = series.integral(order, value, (root, [2 * s for s in slope]))
        pairs = zip(y[1:], root[1:], strict=True)
        return [value, *(side * np.where(np.isinf(root_k), root_k, y_k) for y_k, root_k in pairs)]

    return Mend(lambda value, u: ((u == 1) | (u == -1)) & (not np.iscomplexobj(u)), expand)


def _arctan2(order: int, value: Coefficient, y: Coefficients, x: Coefficients) -> list[Any]:
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


by_equation(np.sin, sine, lambda s, u: np.cos(u))
by_equation(np.cos, cosine, lambda c, u: np.sin(u))
recurrence(np.tan, series.tan, sample=(-1.4, 1.4))  # scaled on the way, for its powers overflow near the poles
by_derivative(
    np.arcsin, lambda u: inverse_root(one_minus_square(u)), domain=UNIT, sample=(-0.9, 0.9), mend=_at_edge(-1),
    special=((1e-200,), (1 - 2.0**-40,)),
)  # fmt: skip
by_derivative(
    np.arccos, lambda u: -inverse_root(one_minus_square(u)), domain=UNIT, sample=(-0.9, 0.9), mend=_at_edge(1),
    special=((1e-20,), (-1 + 2.0**-40,)),
)  # fmt: skip
by_derivative(np.arctan, lambda u: np.square(inverse_hypotenuse(u)))
recurrence(
    np.arctan2, _arctan2, sample=((0.3, 3.0), (-3.0, 3.0)),
    mend=Mend(lambda value, y, x: rescale.is_small(y) & rescale.is_small(x), rescale.rescaled(_arctan2)),
)  # fmt: skip
linear(np.deg2rad)
linear(np.radians)
linear(np.rad2deg)
linear(np.degrees)
