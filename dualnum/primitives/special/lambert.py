"""Lambert's W and Wright's omega."""

from collections.abc import Sequence
from math import exp
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ... import series
from ..table import REAL, recurrence
from .outer import require_constant

Coefficients = Sequence[Any]


def _lambertw(order: int, value: Any, u: Coefficients, branch: Coefficients, tol: Coefficients) -> list[Any]:
    """w e^w = u:  w' = p u',  p = e^{−w}/(1 + w),  p' = −p (1 + q) w',  q = 1/(1 + w),  q' = −q² w' (DLMF 4.13.4).

    p_0 is w/(u (1 + w)) away from 0, where e^{−w} would magnify the rounding of w. The result is complex, as
    SciPy's values are.
    """
    require_constant("lambertw", k=branch, tol=tol)
    w = [value]
    near = np.abs(u[0]) < 0.5
    q = [1 / (1 + value)]
    p = [np.where(near & (np.abs(value) < 2), np.exp(-value), value / u[0]) * q[0]]
    du = series.derivative(u)
    dw: list[Any] = []
    slope, square = [p[0] * (1 + q[0])], [q[0] * q[0]]
    for k in range(1, order + 1):
        w.append(series.over(series.convolve(du, p, k - 1), k))
        dw.append(k * w[k])
        if k < order:
            p.append(-series.over(series.convolve(dw, slope, k - 1), k))
            q.append(-series.over(series.convolve(dw, square, k - 1), k))
            slope.append(p[k] + series.convolve(p, q, k))
            square.append(series.convolve(q, q, k))
    return w


def _wrightomega(order: int, value: Any, u: Coefficients) -> list[Any]:
    """ω + log ω = u:  ω' = s u',  s = 1 − q,  q = 1/(1 + ω),  q' = −q² ω'; s_0 = ω/(1 + ω) keeps its digits."""
    q = [1 / (1 + value)]
    # ω/(1 + ω) with neither a loss for small ω nor an overflow for large
    s = [value * q[0]]
    y, dy, square = [value], [], [q[0] * q[0]]
    du = series.derivative(u)
    for k in range(1, order + 1):
        y.append(series.over(series.convolve(du, s, k - 1), k))
        dy.append(k * y[k])
        if k < order:
            q.append(-series.over(series.convolve(dy, square, k - 1), k))
            s.append(-q[k])
            square.append(series.convolve(q, q, k))
    return y


recurrence(
    private._lambertw, _lambertw,
    domain=((-exp(-1.0), float("inf")), REAL, REAL), sample=((-0.2, 3.0), (0, 0), (1e-8, 1e-8)),
)  # fmt: skip
recurrence(sp.wrightomega, _wrightomega)
