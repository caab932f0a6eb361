"""Lambert's W and Wright's omega."""

from math import exp
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import _ufuncs as private

from ...kinds import Coefficient
from ..table import REAL, by_equation


def _lambertw(du: Any, w: Coefficient, p: Coefficient, q: Coefficient, *constants: Any) -> tuple[Any, Any, Any]:
    """w e^w = u:  w' = p u',  p = e^{−w}/(1 + w),  p' = −p (1 + q) w',  q = 1/(1 + w),  q' = −q² w' (DLMF 4.13.4)."""
    dw = du * p
    return dw, -(dw * (p + p * q)), -(dw * (q * q))


def _lambertw_slopes(w: Coefficient, u: Coefficient, *constants: Any) -> tuple[Any, Any]:
    """p is w/(u (1 + w)) away from 0, where e^{−w} would magnify the rounding of w."""
    q = 1 / (1 + w)
    near = np.abs(u) < 0.5
    return np.where(near & (np.abs(w) < 2), np.exp(-w), w / u) * q, q


def _wrightomega(du: Any, y: Coefficient, s: Coefficient, q: Coefficient) -> tuple[Any, Any, Any]:
    """ω + log ω = u:  ω' = s u',  s = 1 − q,  q = 1/(1 + ω),  q' = −q² ω' = −s'."""
    dy = du * s
    ds = dy * q * q
    return dy, ds, -ds


def _wrightomega_slopes(y: Coefficient, u: Coefficient) -> tuple[Any, Any]:
    """ω/(1 + ω), with neither a loss for small ω nor an overflow for large, and 1/(1 + ω)."""
    q = 1 / (1 + y)
    return y * q, q


by_equation(  # the result is complex, as SciPy's values are
    private._lambertw, _lambertw, _lambertw_slopes, "k", "tol",
    domain=((-exp(-1.0), float("inf")), REAL, REAL), sample=((-0.2, 3.0), (0, 0), (1e-8, 1e-8)),
)  # fmt: skip
by_equation(sp.wrightomega, _wrightomega, _wrightomega_slopes)
