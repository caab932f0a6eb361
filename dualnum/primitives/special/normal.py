"""The normal distribution: its integral, the logarithm of it, the inverses of both, and Owen's function."""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from math import comb, inf, pi, sqrt
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...backend import device_of, is_array, to_device
from ...kinds import Coefficient
from ...operand import primal
from ...series import special as series_special
from ..table import by_coefficients, by_derivative, recurrence
from .errorfunctions import gaussian, inverse_of_gaussian_integral

Coefficients = Sequence[Any]
_DENSITY = 1 / sqrt(2 * pi)

by_derivative(sp.ndtr, gaussian(_DENSITY, -0.5))


_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534")
_STEP = 0.125
_FROM, _TO = -8.0, 4.0


@lru_cache(maxsize=4)
def _table(size: int) -> Any:
    """λ_k, k < size, of λ = φ/Φ at −8, −7⅞, …, 4, correctly rounded; shape (points, size).

    From Φ = ½ + φ Σ_n x^{2n+1}/(2n+1)!! (DLMF 7.6.2) and k λ_k = −(λ (x + λ))_{k−1} in 80 digits, of which the
    forward recurrence may lose many.
    """
    rows = []
    with localcontext(Context(prec=80)):
        for j in range(round((_TO - _FROM) / _STEP) + 1):
            x = Decimal(_FROM + j * _STEP)
            density = (-x * x / 2).exp() / (2 * _PI).sqrt()
            term, total, n = x, x, 1
            while term and abs(term) > Decimal("1e-90"):
                n += 2
                term *= x * x / n
                total += term
            hazard = [density / (Decimal("0.5") + density * total)]
            shifted = [x + hazard[0]]
            for k in range(1, size):
                hazard.append(-sum((hazard[i] * shifted[k - 1 - i] for i in range(k)), Decimal(0)) / k)
                shifted.append(hazard[k] + (1 if k == 1 else 0))
            rows.append([float(c) for c in hazard])
    return np.array(rows)


@lru_cache(maxsize=16)
def _table_on(device: str, size: int) -> Any:
    return to_device(_table(size), device)


def _from_table(order: int, x: Coefficient) -> list[Any]:
    """λ_k(x) = Σ_m C(k+m, m) λ_{k+m}(x_j) (x − x_j)^m about the nearest point x_j of the table.

    The singularities of λ are the zeros of Φ, 1.9 ± 2.8i and farther, so the terms fall by 40 and more.
    """
    terms = [10 + k // 3 for k in range(order + 1)]
    size = 8 * ((order + terms[-1]) // 8 + 1)
    plain = primal(x)
    plain = plain if is_array(plain) else np.asarray(plain)
    table = _table_on(device_of(plain), size)
    index = np.rint((np.where(np.isfinite(plain), np.clip(plain, _FROM, _TO), 0.0) - _FROM) / _STEP).astype(int)
    delta = x - (index * _STEP + _FROM)
    result = []
    for k, last in enumerate(terms):
        total: Any = 0.0
        for m in range(last, -1, -1):
            total = total * delta + comb(k + m, m) * table[index, k + m]
        result.append(total)
    return result


def _hazard(order: int, x: Coefficient) -> list[Any]:
    """λ = φ/Φ, the derivative of log Φ, and its Taylor coefficients at x.

    For large −x it is nearly linear, and its higher coefficients small differences, lost by the quotient and
    by λ' = −λ (x + λ) alike: there λ = √2 (v + ½ρ_1(v)), v = −x/√2, with the continued fraction of ρ_1. Around 0
    the quotient and the fraction both lose digits at high orders to e^{x²/2}, and a table has them; to the
    right the quotient is right.
    """
    if np.iscomplexobj(x):  # the table is for the real line: some digits fewer around 0 at high orders
        return _hazard_outside(order, x, np.real(x) < -3.0)
    inside = (x >= _FROM) & (x <= _TO)
    outside = _hazard_outside(order, x, x < _FROM)
    return [np.where(inside, a, b) for a, b in zip(_from_table(order, x), outside, strict=True)]


def _hazard_outside(order: int, x: Coefficient, left: Any) -> list[Any]:
    """By the continued fraction on the left, by the quotient elsewhere."""
    v = np.where(left, x, -8.0) * -sqrt(0.5)
    rho = series_special.first_ratio(order, [v, -sqrt(0.5)])
    low = [(0.5 * sqrt(2)) * rho_k for rho_k in rho]
    low[0] = low[0] + sqrt(2) * v
    if order:
        low[1] = low[1] - 1.0
    safe = np.where(left, 0.0, x)
    density = [_DENSITY * c for c in series_special.gaussian(order, -0.5, [safe, 1.0])]
    below = series.integral(order, sp.ndtr(safe), ([safe, 1.0], density))
    high = series.divide(order, density[0] / below[0], density, below)
    return [np.where(left, a, b) for a, b in zip(low, high, strict=True)]


def _log_ndtr(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    """The outer coefficients: those of λ, integrated."""
    return [value, *(series.over(slope, k) for k, slope in enumerate(_hazard(order - 1, x), 1))]


def _ndtri_slope(y: Coefficient, u: Coefficient) -> Any:
    """1/φ(y), where φ(y) = √(2/π) p/erfcx(|y|/√2) with p the smaller of u and 1 − u."""
    return sqrt(pi / 2) * sp.erfcx(np.abs(y) * sqrt(0.5)) / np.where(u < 0.5, u, 1 - u)


def _ndtri_exp(order: int, value: Coefficient, u: Coefficients) -> list[Any]:
    """The inverse of log Φ:  y' = r u', r = 1/λ(y), r' = r (1 + y r) u'.

    For y < −1 the sum 1 + y r is a small difference; there the Taylor series of log Φ at y is reverted.
    """
    left = value < -1
    hazard = _hazard(0, value)[0]
    # to the right from the complement −expm1(u), as φ(y) would magnify the rounding of y by y²
    complement = np.exp(u[0]) * sqrt(pi / 2) * sp.erfcx(value * sqrt(0.5)) / -np.expm1(u[0])
    slope = np.where(value > 0, complement, 1 / hazard)
    (y,) = series.solve(order, lambda du, y, r: (du * r, du * (r + r * (y * r))), u, (value, slope))
    # one step of Newton's, as SciPy's value may be off by a hundred units in the last place
    better = value - (sp.log_ndtr(value) - u[0]) / hazard
    at = np.where(left, better, -2.0)
    low = series.compose(order, series_special.revert(order, at, _log_ndtr(order, at, at)), u)
    return [value, *(np.where(left, series.coefficient(low, k), y[k]) for k in range(1, order + 1))]


by_coefficients(sp.log_ndtr, _log_ndtr)
inverse_of_gaussian_integral(sp.ndtri, 1.0, _ndtri_slope, domain=(0.0, 1.0), sample=(0.1, 0.9))
recurrence(sp.ndtri_exp, _ndtri_exp, domain=(-inf, 0.0), sample=(-3.0, -0.1))


def _owens_t_h(h: Coefficient, a: Coefficient) -> Any:
    """∂T/∂h = −(1/√(8π)) e^{−h²/2} erf(a h/√2)."""
    return np.exp(-0.5 * h * h) * sp.erf(sqrt(0.5) * a * h) * (-1 / sqrt(8 * pi))


def _owens_t_a(h: Coefficient, a: Coefficient) -> Any:
    """∂T/∂a = e^{−h²(1+a²)/2}/(2π(1 + a²))."""
    w = 1 + a * a
    return np.exp(-0.5 * h * h * w) / (2 * pi * w)


by_derivative(sp.owens_t, _owens_t_h, _owens_t_a)
