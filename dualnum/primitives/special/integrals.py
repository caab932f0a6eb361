"""Exponential, sine, cosine and Fresnel integrals, and the dilogarithm (DLMF chapters 6, 7, 8.19, 25.12)."""

from collections.abc import Sequence
from math import factorial, pi
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...kinds import Coefficient
from ...series import special as series_special
from ..table import POSITIVE, by_coefficients, by_derivative, on_series
from .arguments import whole

Coefficients = Sequence[Any]


def _antiderivative(y0: Coefficient, slope: Coefficients) -> list[Any]:
    """Outer coefficients of f from those of f'."""
    return [y0, *(series.over(s, k) for k, s in enumerate(slope, 1))]


def _quotient(numerator: Coefficients, z: Coefficient) -> list[Any]:
    """n(z + t)/(z + t):  w_k = (n_k − w_{k−1})/z."""
    w = [numerator[0] / z]
    for n_k in numerator[1:]:
        w.append((n_k - w[-1]) / z)
    return w


def _expi(order: int, value: Coefficient, z: Coefficient) -> list[Any]:
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


by_derivative(sp.exp1, lambda u: -np.exp(-u) / u, domain=POSITIVE, sample=(0.2, 4.0))
by_coefficients(sp.expi, _expi, domain=POSITIVE, sample=(0.2, 4.0))


def _expn(order: int, value: Coefficient, n: Coefficient, x: Coefficient) -> list[Any]:
    """E_n' = −E_{n−1} (DLMF 8.19.13): f_k = (−1)^k E_{n−k}/k!, natively down to E_1, then
    E_{−j} = (e^{−x} + j E_{1−j})/x, j! being divided out; all terms are positive. SciPy cuts the fraction of n off."""
    n0 = whole(n)
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
    return outer


by_coefficients(sp.expn, _expn, "n", domain=((-0.5, float("inf")), POSITIVE), sample=((1, 4), (0.2, 4.0)))


# ── sine, cosine, and their hyperbolic kin ───────────────────────────────────────────────────────


def _sici(order: int, value: Coefficient, z: Coefficient) -> tuple[list[Any], list[Any]]:
    """Si' = sin z/z, entire; Ci' = cos z/z, dominated by its pole, so that the quotient is stable."""
    s, c = np.sin(z), np.cos(z)
    si = _antiderivative(value[0], series_special.sinc(order - 1, z, s, c))
    cosine = [(c, -s, -c, s)[k % 4] / factorial(k) for k in range(order)]
    ci = _antiderivative(value[1], _quotient(cosine, z))
    return si, ci


def _shichi(order: int, value: Coefficient, z: Coefficient) -> tuple[list[Any], list[Any]]:
    """Shi' = sinh z/z, entire; Chi' = cosh z/z = (cosh z − 1)/z + 1/z, since the quotient loses e^z."""
    s, c = np.sinh(z), np.cosh(z)
    shi = _antiderivative(value[0], series_special.sinhc(order - 1, z, s, c))
    pole = [(-1.0) ** k / z ** (k + 1) for k in range(order)]
    smooth = series_special.coshm1c(order - 1, z, s, c)
    chi = _antiderivative(value[1], [a + b for a, b in zip(smooth, pole, strict=True)])
    return shi, chi


@on_series
def _phase(order: int, u: Coefficients) -> list[Any]:
    """πu²/2; beyond 2⁵³, where u² is a multiple of 4, 0."""
    w = [(pi / 2) * a for a in series.square(order, u[0] * u[0], u)]
    if not np.iscomplexobj(u[0]):
        w[0] = np.where(np.abs(u[0]) < 2.0**53, (pi / 2) * np.fmod(u[0] * u[0], 4.0), 0.0)
    return w


def _fresnel(u: Coefficient) -> tuple[Any, Any]:
    """S' = sin(πu²/2), C' = cos(πu²/2) (DLMF 7.2.7)."""
    w = _phase(u)
    return np.sin(w), np.cos(w)


by_coefficients(sp.sici, _sici, domain=POSITIVE, sample=(0.2, 6.0))
by_coefficients(sp.shichi, _shichi, domain=POSITIVE, sample=(0.2, 6.0))
by_derivative(sp.fresnel, _fresnel)


# ── the dilogarithm ──────────────────────────────────────────────────────────────────────────────


def _spence(order: int, value: Coefficient, z: Coefficient) -> list[Any]:
    """Li_2(1 − z)' = log z/(1 − z) = −ℓ(z − 1), ℓ(x) = log(1 + x)/x (DLMF 25.12.2)."""
    x = z - 1
    # log z from z − 1 where that is exact, which it is near 1
    slope = series_special.log1prel(order - 1, x, np.log(z))
    return _antiderivative(value, [-s for s in slope])


by_coefficients(sp.spence, _spence, domain=POSITIVE, sample=(0.2, 4.0))
