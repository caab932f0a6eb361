"""Exponential, sine, cosine and Fresnel integrals, and the dilogarithm (DLMF chapters 6, 7, 8.19, 25.12)."""

from collections.abc import Sequence
from math import factorial, pi
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...series import special as series_special
from ..table import POSITIVE, recurrence
from .outer import by_coefficients, require_constant, whole

Coefficients = Sequence[Any]


def _antiderivative(y0: Any, slope: Coefficients) -> list[Any]:
    """Outer coefficients of f from those of f'."""
    return [y0, *(series.over(s, k) for k, s in enumerate(slope, 1))]


def _quotient(numerator: Coefficients, z: Any) -> list[Any]:
    """n(z + t)/(z + t):  w_k = (n_k − w_{k−1})/z."""
    w = [numerator[0] / z]
    for n_k in numerator[1:]:
        w.append((n_k - w[-1]) / z)
    return w


def _exp1(order: int, value: Any, z: Any) -> list[Any]:
    """E_1' = −e^{−z}/z, whose terms e^{−z}/(j! z^{k−j+1}) have one sign for z > 0."""
    e = -np.exp(-z)
    return _antiderivative(value, _quotient([(-1) ** k * (e / factorial(k)) for k in range(order)], z))


def _expi(order: int, value: Any, z: Any) -> list[Any]:
    """Ei' = e^z/z; for z > 0 as (e^z − 1)/z + 1/z, since the quotient loses e^z (Gautschi 1966)."""
    half = np.exp(0.5 * z)
    quotient = _quotient([(half / factorial(k)) * half for k in range(order)], z)
    if np.iscomplexobj(z):
        return _antiderivative(value, quotient)
    right = np.where(z > 0, z, 1.0)
    slope = series_special.exprel(order - 1, right, sp.exprel(-right))
    pole: Any = -1.0
    for k in range(order):
        pole = pole / -right
        slope[k] = np.where(z > 0, slope[k] + pole, quotient[k])
    return _antiderivative(value, slope)


by_coefficients(sp.exp1, _exp1, domain=POSITIVE, sample=(0.2, 4.0))
by_coefficients(sp.expi, _expi, domain=POSITIVE, sample=(0.2, 4.0))


def _expn(order: int, value: Any, n: Coefficients, u: Coefficients) -> list[Any]:
    """E_n' = −E_{n−1} (DLMF 8.19.13): f_k = (−1)^k E_{n−k}/k!, natively down to E_1, then
    E_{−j} = (e^{−x} + j E_{1−j})/x, j! being divided out; all terms are positive. SciPy cuts the fraction of n off."""
    require_constant("expn", n=n)
    n0, x = whole(n[0]), u[0]
    e = np.exp(-x)
    below = [e / x]  # E_{−j}(x)/j!
    for j in range(1, order + 1):
        below.append((e / factorial(j) + below[-1]) / x)
    outer = [value]
    for k in range(1, order + 1):
        f = sp.expn(np.maximum(n0 - k, 1), x) / factorial(k)
        for j in range(k + 1):
            f = np.where(np.equal(n0 - k, -j), below[j] * (factorial(j) / factorial(k)), f)
        outer.append(-f if k % 2 else f)
    return series.compose(order, outer, u)


recurrence(sp.expn, _expn, domain=((-0.5, float("inf")), POSITIVE), sample=((1, 4), (0.2, 4.0)))


# ── sine, cosine, and their hyperbolic kin ───────────────────────────────────────────────────────


def _sici(order: int, value: Any, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """Si' = sin z/z, entire; Ci' = cos z/z, dominated by its pole, so that the quotient is stable."""
    z = u[0]
    s, c = np.sin(z), np.cos(z)
    si = _antiderivative(value[0], series_special.sinc(order - 1, z, s, c))
    cosine = [(c, -s, -c, s)[k % 4] / factorial(k) for k in range(order)]
    ci = _antiderivative(value[1], _quotient(cosine, z))
    return _both(order, value, si, ci, u)


def _shichi(order: int, value: Any, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """Shi' = sinh z/z, entire; Chi' = cosh z/z = (cosh z − 1)/z + 1/z, since the quotient loses e^z."""
    z = u[0]
    s, c = np.sinh(z), np.cosh(z)
    shi = _antiderivative(value[0], series_special.sinhc(order - 1, z, s, c))
    pole = [(-1.0) ** k / z ** (k + 1) for k in range(order)]
    smooth = series_special.coshm1c(order - 1, z, s, c)
    chi = _antiderivative(value[1], [a + b for a, b in zip(smooth, pole, strict=True)])
    return _both(order, value, shi, chi, u)


def _both(order: int, value: Any, f: Coefficients, g: Coefficients, u: Coefficients) -> tuple[list[Any], list[Any]]:
    y, z = series.compose(order, f, u), series.compose(order, g, u)
    return [value[0], *y[1:]], [value[1], *z[1:]]


def _fresnel(order: int, value: Any, u: Coefficients) -> tuple[list[Any], list[Any]]:
    """S' = sin(πu²/2), C' = cos(πu²/2) (DLMF 7.2.7); beyond 2⁵³, where u² is a multiple of 4, at phase 0."""
    w = [(pi / 2) * a for a in series.square(order - 1, u[0] * u[0], u[:order])]
    if not np.iscomplexobj(u[0]):
        w[0] = np.where(np.abs(u[0]) < 2.0**53, (pi / 2) * np.fmod(u[0] * u[0], 4.0), 0.0)
    s, c = series.sincos(order - 1, np.sin(w[0]), np.cos(w[0]), w)
    return series.integral(order, value[0], (u, s)), series.integral(order, value[1], (u, c))


recurrence(sp.sici, _sici, domain=POSITIVE, sample=(0.2, 6.0))
recurrence(sp.shichi, _shichi, domain=POSITIVE, sample=(0.2, 6.0))
recurrence(sp.fresnel, _fresnel)


# ── the dilogarithm ──────────────────────────────────────────────────────────────────────────────


def _spence(order: int, value: Any, z: Any) -> list[Any]:
    """Li_2(1 − z)' = log z/(1 − z) = −ℓ(z − 1), ℓ(x) = log(1 + x)/x (DLMF 25.12.2)."""
    x = z - 1
    # log z from z − 1 where that is exact, which it is near 1
    slope = series_special.log1prel(order - 1, x, np.log(z))
    return _antiderivative(value, [-s for s in slope])


by_coefficients(sp.spence, _spence, domain=POSITIVE, sample=(0.2, 4.0))
