"""The error function, its relatives, and their inverses (DLMF chapter 7)."""

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...series import special as series_special
from ..table import REAL, UNIT, recurrence
from .outer import by_coefficients, require_constant

Coefficients = Sequence[Any]
_2_SQRT_PI = 2 / sqrt(pi)


def integral_of_gaussian(factor: float, a: float) -> Callable[..., list[Any]]:
    """The rule of y' = factor · e^{a u²} u'; e^{a u²} is the dominant solution of its recurrence."""

    def rule(order: int, value: Any, u: Coefficients) -> list[Any]:
        slope = series_special.gaussian(order - 1, a, u[:order])
        return series.integral(order, value, (u, [factor * s for s in slope]))

    return rule


recurrence(sp.erf, integral_of_gaussian(_2_SQRT_PI, -1.0))
recurrence(sp.erfc, integral_of_gaussian(-_2_SQRT_PI, -1.0))
recurrence(sp.erfi, integral_of_gaussian(_2_SQRT_PI, 1.0))


def _to(region: Callable[[Any], Any], z: Any) -> Any:
    """−z in the region, else z."""
    return np.where(region(z), -z, z)


def _erfcx(order: int, value: Any, x: Any) -> list[Any]:
    return series_special.erfcx(order, x, sp.erfcx(_to(lambda z: np.real(z) < 0, x)))


def _wofz(order: int, value: Any, z: Any) -> list[Any]:
    z = z + 0j
    return series_special.faddeeva(order, z, sp.wofz(_to(lambda z: np.imag(z) < 0, z)))


def _dawsn(order: int, value: Any, x: Any) -> list[Any]:
    if np.iscomplexobj(x):
        return series_special.dawson(order, value, x, sp.wofz(_to(lambda z: np.imag(z) < 0, x)))
    # w = e^{−x²} + (2i/√π) F on the real axis
    return series_special.dawson(order, value, x, np.exp(-x * x) + (1j * _2_SQRT_PI) * np.abs(value))


by_coefficients(sp.erfcx, _erfcx)
by_coefficients(sp.wofz, _wofz)
by_coefficients(sp.dawsn, _dawsn)


# ── inverses ─────────────────────────────────────────────────────────────────────────────────────


def inverse_of_gaussian_integral(order: int, y0: Any, slope: Any, factor: float, u: Coefficients) -> list[Any]:
    """y' = g u', g' = factor · y g y', from g_0: g = c e^{factor·y²/2} without computing that exponential,
    which in the tails magnifies the rounding of y by y². All terms of a sum have one sign."""
    du = series.derivative(u)
    y, g, yg = [y0], [slope], [y0 * slope]
    dy: list[Any] = []
    for k in range(1, order + 1):
        y.append(series.over(series.convolve(du, g, k - 1), k))
        dy.append(k * y[k])
        if k < order:
            g.append(series.over(factor * series.convolve(dy, yg, k - 1), k))
            yg.append(series.convolve(y, g, k))
    return y


def _erfinv(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = (√π/2) e^{y²} u', where e^{y²} = erfcx(|y|)/erfc(|y|) and erfc(|y|) = 1 − |u|."""
    slope = (sqrt(pi) / 2) * sp.erfcx(np.abs(value)) / (1 - np.abs(u[0]))
    return inverse_of_gaussian_integral(order, value, slope, 2.0, u)


def _erfcinv(order: int, value: Any, u: Coefficients) -> list[Any]:
    """y' = −(√π/2) e^{y²} u', e^{y²} = erfcx(|y|)/u for u < 1, erfcx(|y|)/(2 − u) for u > 1."""
    slope = (-sqrt(pi) / 2) * sp.erfcx(np.abs(value)) / np.where(u[0] < 1, u[0], 2 - u[0])
    return inverse_of_gaussian_integral(order, value, slope, 2.0, u)


recurrence(sp.erfinv, _erfinv, domain=UNIT, sample=(-0.9, 0.9))
recurrence(sp.erfcinv, _erfcinv, domain=(0.0, 2.0), sample=(0.1, 1.9))


# ── Voigt's profile ──────────────────────────────────────────────────────────────────────────────


def _voigt_profile(order: int, value: Any, x: Coefficients, sigma: Coefficients, gamma: Coefficients) -> list[Any]:
    """V = Re w(z)/(σ√(2π)), z = (x + iγ)/(σ√2), for constant σ; for σ = 0 Cauchy's profile Re i/(π (x + iγ)).

    The digits are those of |w|: where γ ≪ |x| the real part has fewer, by the factor γ/|x|.
    """
    require_constant("voigt_profile", sigma=sigma)
    width = sigma[0]
    narrow = np.equal(width, 0)
    # a number of Python stays one, which widens nothing
    scale = sqrt(0.5) / ((width or 1.0) if isinstance(width, (int, float)) else np.where(narrow, 1.0, width))
    both = max(len(x), len(gamma))
    line = [series.coefficient(x, k) + 1j * series.coefficient(gamma, k) for k in range(both)]
    z = [z_k * scale for z_k in line]
    w = series.compose(order, _wofz(order, None, z[0]), z)
    pole = series.reciprocal(order, 1 / line[0], line)
    profiles = zip(pole[1:], w[1:], strict=True)
    return [value, *(np.where(narrow, np.imag(p) * (-1 / pi), np.real(c) * (scale / sqrt(pi))) for p, c in profiles)]


recurrence(
    sp.voigt_profile, _voigt_profile,
    domain=(REAL, (0.0, float("inf")), (0.0, float("inf"))), sample=((-3.0, 3.0), (0.5, 2.0), (0.5, 2.0)),
)  # fmt: skip
