"""The error function, its relatives, and their inverses (DLMF chapter 7)."""

from collections.abc import Callable, Sequence
from math import pi, sqrt
from typing import Any

import numpy as np
import scipy.special as sp

from ... import series
from ...counterparts import applied
from ...kinds import Coefficient
from ...series import special as series_special
from ..table import REAL, UNIT, by_coefficients, by_derivative, by_equation, on_series, recurrence, require_constant

Coefficients = Sequence[Any]
_2_SQRT_PI = 2 / sqrt(pi)


def gaussian(factor: float, a: float) -> Callable[..., Any]:
    """factor · e^{a u²}, the dominant solution of its recurrence."""
    return on_series(lambda order, u: [factor * c for c in series_special.gaussian(order, a, u)])


by_derivative(sp.erf, gaussian(_2_SQRT_PI, -1.0))
by_derivative(sp.erfc, gaussian(-_2_SQRT_PI, -1.0))
by_derivative(sp.erfi, gaussian(_2_SQRT_PI, 1.0))


def _to(region: Callable[[Any], Any], z: Coefficient) -> Any:
    """−z in the region, else z."""
    return np.where(region(z), -z, z)


def _erfcx(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    return series_special.erfcx(order, x, sp.erfcx(_to(lambda z: np.real(z) < 0, x)))


def _wofz(order: int, value: Coefficient, z: Coefficient) -> list[Any]:
    z = z + 0j
    return series_special.faddeeva(order, z, applied(sp.wofz, _to(lambda z: np.imag(z) < 0, z)))


def _dawsn(order: int, value: Coefficient, x: Coefficient) -> list[Any]:
    if np.iscomplexobj(x):
        return series_special.dawson(order, value, x, applied(sp.wofz, _to(lambda z: np.imag(z) < 0, x)))
    # w = e^{−x²} + (2i/√π) F on the real axis
    return series_special.dawson(order, value, x, np.exp(-x * x) + (1j * _2_SQRT_PI) * np.abs(value))


by_coefficients(sp.erfcx, _erfcx)
by_coefficients(sp.wofz, _wofz)
by_coefficients(sp.dawsn, _dawsn)


# ── inverses ─────────────────────────────────────────────────────────────────────────────────────


def inverse_of_gaussian_integral(ufunc: np.ufunc, factor: float, slope: Callable[..., Any], **row: Any) -> None:
    """y' = g u', g' = factor · y g y', from g_0: g = c e^{factor·y²/2} without computing that exponential,
    which in the tails magnifies the rounding of y by y². All terms of a sum have one sign."""

    def equations(du: Any, y: Coefficient, g: Coefficient) -> tuple[Any, Any]:
        dy = du * g
        return dy, factor * (dy * (y * g))

    by_equation(ufunc, equations, slope, **row)


def _erfinv_slope(y: Coefficient, u: Coefficient) -> Any:
    """(√π/2) e^{y²}, where e^{y²} = erfcx(|y|)/erfc(|y|) and erfc(|y|) = 1 − |u|."""
    return (sqrt(pi) / 2) * sp.erfcx(np.abs(y)) / (1 - np.abs(u))


def _erfcinv_slope(y: Coefficient, u: Coefficient) -> Any:
    """−(√π/2) e^{y²}, e^{y²} = erfcx(|y|)/u for u < 1, erfcx(|y|)/(2 − u) for u > 1."""
    return (-sqrt(pi) / 2) * sp.erfcx(np.abs(y)) / np.where(u < 1, u, 2 - u)


inverse_of_gaussian_integral(sp.erfinv, 2.0, _erfinv_slope, domain=UNIT, sample=(-0.9, 0.9))
inverse_of_gaussian_integral(sp.erfcinv, 2.0, _erfcinv_slope, domain=(0.0, 2.0), sample=(0.1, 1.9))


# ── Voigt's profile ──────────────────────────────────────────────────────────────────────────────


def _voigt_profile(
    order: int, value: Coefficient, x: Coefficients, sigma: Coefficients, gamma: Coefficients
) -> list[Any]:
    """V = Re w(z)/(σ√(2π)), z = (x + iγ)/(σ√2), for constant σ; for σ = 0 Cauchy's profile Re i/(π (x + iγ)).

    The digits are those of |w|: where γ ≪ |x| the real part has fewer, by the factor γ/|x|.
    """
    require_constant(sp.voigt_profile, (None, "sigma"), (x, sigma))
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
