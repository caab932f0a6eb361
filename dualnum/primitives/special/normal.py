"""The normal distribution: its integral, the logarithm of it, the inverses of both, and Owen's function."""

from collections.abc import Sequence
from math import inf, pi, sqrt
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series, series_special
from ..table import by_derivative, recurrence
from .errorfunctions import integral_of_gaussian, inverse_of_gaussian_integral

Coefficients = Sequence[Any]
_DENSITY = 1 / sqrt(2 * pi)

recurrence(sp.ndtr, integral_of_gaussian(_DENSITY, -0.5))


def _hazard(order: int, u: Coefficients) -> list[Any]:
    """λ = φ(u)/Φ(u), the derivative of log Φ.

    Left of −1 by λ = √2 (v + ½ρ_1(v)), v = −u/√2, where the quotient would lose u² at every order (λ is
    nearly linear in u, and its higher coefficients are small differences); elsewhere the quotient.
    """
    left = np.real(u[0]) < -1
    v = [np.where(left, u[0], -2.0) * -sqrt(0.5), *(u_k * -sqrt(0.5) for u_k in u[1:])]
    rho = series_special.first_ratio(order, v)
    low = [sqrt(2) * (series.coefficient(v, k) + 0.5 * rho_k) for k, rho_k in enumerate(rho)]
    safe = [np.where(left, 0.0, u[0]), *u[1:]]
    density = [_DENSITY * c for c in series_special.gaussian(order, -0.5, safe)]
    below = integral_of_gaussian(_DENSITY, -0.5)(order, sp.ndtr(safe[0]), safe) if order else [sp.ndtr(safe[0])]
    high = series.divide(order, density[0] / below[0], density, below)
    return [
        np.where(left, series.coefficient(low, k), series.coefficient(high, k)) for k in range(max(len(low), len(high)))
    ]


def _log_ndtr(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = λ(u) u'."""
    return series.integral(order, value, (u, _hazard(order - 1, u[:order])))


def _ndtri(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = u'/φ(y), where φ(y) = √(2/π) p/erfcx(|y|/√2) with p the smaller of u and 1 − u."""
    p = np.where(u[0] < 0.5, u[0], 1 - u[0])
    slope = sqrt(pi / 2) * sp.erfcx(np.abs(value) * sqrt(0.5)) / p
    return inverse_of_gaussian_integral(order, value, slope, 1.0, u)


def _ndtri_exp(order: int, value: Any, u: Coefficients) -> list[Any]:
    """The inverse of log Φ:  y' = r u', r = 1/λ(y), r' = r (1 + y r) u'.

    For y < −1 the sum 1 + y r is a small difference; there the Taylor series of log Φ at y is reverted.
    """
    left = value < -1
    du = series.derivative(u)
    y, r, m = [value], [1 / _hazard(0, [value])[0]], [1 + value / _hazard(0, [value])[0]]
    for k in range(1, order + 1):
        y.append(series.over(series.convolve(du, r, k - 1), k))
        r.append(series.over(series.convolve(du, [series.convolve(r, m, j) for j in range(k)], k - 1), k))
        m.append(series.convolve(y, r, k))
    at = np.where(left, value, -2.0)
    outer = _log_ndtr(order, None, [at, 1.0])
    low = series.compose(order, series_special.revert(order, at, outer), u)
    return [value, *(np.where(left, series.coefficient(low, k), y[k]) for k in range(1, order + 1))]


recurrence(sp.log_ndtr, _log_ndtr)
recurrence(sp.ndtri, _ndtri, domain=(0.0, 1.0), sample=(0.1, 0.9))
recurrence(sp.ndtri_exp, _ndtri_exp, domain=(-inf, 0.0), sample=(-3.0, -0.1))


def _owens_t_h(h: Any, a: Any) -> Any:
    """∂T/∂h = −(1/√(8π)) e^{−h²/2} erf(a h/√2)."""
    return np.exp(-0.5 * h * h) * sp.erf(sqrt(0.5) * a * h) * (-1 / sqrt(8 * pi))


def _owens_t_a(h: Any, a: Any) -> Any:
    """∂T/∂a = e^{−h²(1+a²)/2}/(2π(1 + a²))."""
    w = 1 + a * a
    return np.exp(-0.5 * h * h * w) / (2 * pi * w)


by_derivative(sp.owens_t, _owens_t_h, _owens_t_a)
